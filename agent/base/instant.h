// Points in time and distances between them, each in a type of its own so that mixing them does not
// compile. All are int64 nanoseconds: 292 years either way, no rounding before the last output.
//
// An instant is on the boot-time clock (it counts while the machine sleeps and never steps) and is
// what deadlines and ages are made of. A walltime is UTC since 1970 and is what crosses machines
// and reboots. A moment is one reading of both.
#ifndef MAILFLOW_BASE_INSTANT_H
#define MAILFLOW_BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

struct text;

struct instant {
    int64_t ns;
};

struct walltime {
    int64_t ns;
};

struct span {
    int64_t ns;
};

struct moment {
    struct instant instant;
    struct walltime wall;
};

#define INSTANT_NEVER   ((struct instant){INT64_MAX})
#define WALLTIME_NONE   ((struct walltime){0})
#define SPAN_ZERO       ((struct span){0})
#define SPAN_MS(n)      ((struct span){(int64_t)(n)*1000000})
#define SPAN_SECONDS(n) ((struct span){(int64_t)(n)*1000000000})
#define SPAN_MINUTES(n) SPAN_SECONDS((int64_t)(n)*60)
#define SPAN_HOURS(n)   SPAN_SECONDS((int64_t)(n)*3600)

// Results saturate instead of wrapping, and INSTANT_NEVER plus anything stays never.
int64_t nanoseconds_add(int64_t a, int64_t b);
int64_t nanoseconds_subtract(int64_t a, int64_t b);
int64_t nanoseconds_multiply(int64_t a, int64_t b);

static inline struct instant instant_add(struct instant at, struct span by)
{
    return at.ns == INT64_MAX ? at : (struct instant){nanoseconds_add(at.ns, by.ns)};
}

static inline struct span instant_since(struct instant later, struct instant earlier)
{
    return (struct span){nanoseconds_subtract(later.ns, earlier.ns)};
}

static inline bool instant_reached(struct instant now, struct instant due)
{
    return now.ns >= due.ns;
}

static inline struct instant instant_earlier(struct instant a, struct instant b)
{
    return a.ns <= b.ns ? a : b;
}

static inline struct instant instant_later(struct instant a, struct instant b)
{
    return a.ns >= b.ns ? a : b;
}

static inline struct walltime walltime_add(struct walltime at, struct span by)
{
    return (struct walltime){nanoseconds_add(at.ns, by.ns)};
}

static inline struct walltime walltime_subtract(struct walltime at, struct span by)
{
    return (struct walltime){nanoseconds_subtract(at.ns, by.ns)};
}

static inline struct span walltime_since(struct walltime later, struct walltime earlier)
{
    return (struct span){nanoseconds_subtract(later.ns, earlier.ns)};
}

static inline struct walltime walltime_earlier(struct walltime a, struct walltime b)
{
    return a.ns <= b.ns ? a : b;
}

static inline struct walltime walltime_later(struct walltime a, struct walltime b)
{
    return a.ns >= b.ns ? a : b;
}

static inline bool walltime_known(struct walltime at)
{
    return at.ns != 0;
}

static inline struct span span_add(struct span a, struct span b)
{
    return (struct span){nanoseconds_add(a.ns, b.ns)};
}

static inline struct span span_subtract(struct span a, struct span b)
{
    return (struct span){nanoseconds_subtract(a.ns, b.ns)};
}

static inline struct span span_magnitude(struct span of)
{
    return of.ns < 0 ? span_subtract(SPAN_ZERO, of) : of;
}

static inline struct span span_times(struct span a, int64_t factor)
{
    return (struct span){nanoseconds_multiply(a.ns, factor)};
}

static inline struct span span_shorter(struct span a, struct span b)
{
    return a.ns <= b.ns ? a : b;
}

static inline struct span span_longer(struct span a, struct span b)
{
    return a.ns >= b.ns ? a : b;
}

static inline double span_seconds(struct span of)
{
    return (double)of.ns / 1e9;
}

// Not a number is no time at all.
struct span span_from_seconds(double seconds);

static inline int64_t walltime_microseconds(struct walltime at)
{
    return at.ns / 1000;
}

static inline struct walltime walltime_from_microseconds(int64_t us)
{
    return (struct walltime){nanoseconds_multiply(us, 1000)};
}

// The wall clock's reading at an instant, and back, by one moment that relates the two clocks.
static inline struct walltime moment_wall_at(struct moment now, struct instant at)
{
    return walltime_add(now.wall, instant_since(at, now.instant));
}

static inline struct instant moment_instant_at(struct moment now, struct walltime at)
{
    return instant_add(now.instant, walltime_since(at, now.wall));
}

// RFC 3339 in UTC: with microseconds for JSON, to the second for log lines.
void walltime_append_rfc3339(struct walltime at, struct text *out);
void walltime_append_seconds(struct walltime at, struct text *out);

// Accepts RFC 3339 with Z or a numeric offset, the fraction optional, in the years 1678 to 2261.
// The second 60 is the first of the next minute.
bool walltime_parse_rfc3339(const char *from, struct walltime *out);

// A duration as operators write and read it: 250ms 15s 30m 4h 5d. Appends the largest exact unit,
// or seconds when none is: to three digits, from 1000 s on to the second.
void span_append(struct span of, struct text *out);

// Seconds always, to the millisecond, without trailing zeros: 0.25s 82.4s 2926s.
void span_append_seconds(struct span of, struct text *out);

// Parses one number with one unit (ms s m h d); false on anything else, overflow included.
bool span_parse(const char *from, struct span *out);

#endif
