// Maintenance windows: of a server, with a kind, begin, end and revision. Known by id; a higher
// revision replaces a lower one; of equal ones the server's own wins, then the greater announcer. A
// cancelled window stays known, so that nothing revives it.
#ifndef MAILFLOW_CORE_WINDOW_H
#define MAILFLOW_CORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/tag_codec.h"

enum window_kind { WINDOW_ROUTINE, WINDOW_EMERGENCY };
const char *window_kind_name(enum window_kind kind);
bool window_kind_parse(const char *name, enum window_kind *out);

enum window_state { WINDOW_ANNOUNCED, WINDOW_ACTIVE, WINDOW_RECOVERING, WINDOW_OVER };
const char *window_state_name(enum window_state state);

// How far the core has followed a window: what of it has been said and done.
enum window_stage { STAGE_ANNOUNCED, STAGE_BEGUN, STAGE_ENDED, STAGE_SETTLED };

// Where this agent has a window from.
enum window_origin {
    ORIGIN_OPERATOR,
    ORIGIN_CONFIG,
    ORIGIN_CALENDAR,
    ORIGIN_FLAG,
    ORIGIN_ALERTMANAGER,
    ORIGIN_PEER,
    WINDOW_ORIGINS
};
const char *window_origin_name(enum window_origin origin);
bool window_origin_parse(const char *name, enum window_origin *out);

enum { WINDOW_ID_SIZE = 24, WINDOW_BY_SIZE = 96, WINDOW_REASON_SIZE = 160, WINDOWS_MAXIMUM = 1024 };

#define WINDOW_LENGTH_MAXIMUM SPAN_HOURS(366 * 24)
#define WINDOW_AHEAD_MAXIMUM  SPAN_HOURS(400 * 24)

// A window is not changed so often between two messages. Without a bound a peer could raise one to
// the greatest revision of all, and nobody could ever end it.
enum { WINDOW_REVISIONS_AT_ONCE = 1 << 20 };

// Letters, digits, - and _, at least one: it stands in headers, log lines and addresses.
bool window_id_valid(const char *id);

struct window {
    char id[WINDOW_ID_SIZE];
    uint32_t revision;
    char server[SERVER_NAME_SIZE];
    enum window_kind kind;
    bool cancelled;
    struct walltime begin;
    struct walltime end;
    char by[WINDOW_BY_SIZE]; // "who@server": the server is the one whose agent announced it
    enum window_origin origin;
    char reason[WINDOW_REASON_SIZE];
    enum window_stage stage;    // the core's own, not stored
    struct walltime held_from;  // since our clock stepped: when it began, by either reading ...
    struct walltime held_until; // ... and when both say that it has ended; none: as announced
};

// The server whose agent announced it: what follows the last @ of `by`, "" when there is none.
const char *window_announcer(const struct window *window);

// Whether the agent of the server has it from this origin: "calendar@mx02" or, on behalf of
// somebody, "alertmanager:alice@mx02".
bool window_is_by(const struct window *window, enum window_origin origin, const char *server);

// Cancelled before it began: it never was.
bool window_void(const struct window *window);

// The two say the same of the same server: kind, begin and end, cancelled or not.
bool window_same(const struct window *a, const struct window *b);

// And for the same reason.
bool window_equal(const struct window *a, const struct window *b);

// When it begins and ends, as far as we are concerned: as announced, unless our clock has stepped
// since it began.
struct walltime window_from(const struct window *window);
struct walltime window_until(const struct window *window);

// Our clock has stepped. A window that has begun goes on until both readings of its end have
// passed, what has ended stays where it was, and what is to come follows the new reading.
void window_step(struct window *window, struct span step);

// Why nobody should keep this window, in words; NULL when it is sound.
const char *window_unsound(const struct window *window, struct walltime now);

enum window_state window_state_at(const struct window *window, struct walltime now,
                                  struct span recovery);

// The stage that the window should be in at this time; settled at once when it was cancelled before
// it began.
enum window_stage window_stage_at(const struct window *window, struct walltime now,
                                  struct span settle);

// Notifications about the server are held back: from begin until settle has passed after the end.
bool window_suppresses(const struct window *window, struct walltime now, struct span settle);

struct windows {
    struct window *items; // owned
    size_t count;
};

void windows_free(struct windows *windows);

// How a window compares with what is known under its id.
enum window_standing {
    WINDOW_NEW,       // not known
    WINDOW_NEWER,     // replaces what is known
    WINDOW_SAME,      // as good as known already
    WINDOW_STALE,     // of a lower revision than the known one
    WINDOW_OVERRULED, // of the same revision as another one that goes before it
};
enum window_standing windows_standing(const struct windows *windows, const struct window *window);

// Adds the window, or puts it in the place of what it replaces; NULL when it replaces nothing, or
// when there are too many.
struct window *windows_put(struct windows *windows, const struct window *window);

// The window with this id, or NULL.
struct window *windows_find(const struct windows *windows, const char *id);

// The window that suppresses notifications about the server the longest, or NULL.
const struct window *windows_suppressing(const struct windows *windows, const char *server,
                                         struct walltime now, struct span settle);

// Drops the one that has been over the longest, if any is.
void windows_forget_over(struct windows *windows, struct walltime now, struct span recovery);

// Drops what ended before this instant.
void windows_forget(struct windows *windows, struct walltime before);

#endif
