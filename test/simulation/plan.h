// A random small world, made from a seed: who is there, what goes wrong when, which windows are
// announced. Everything that happens is a piece; a piece can be dropped and the rest still makes a
// scenario, which is how a world that fails is made small enough to be read.
#ifndef MAILFLOW_SIMULATION_PLAN_H
#define MAILFLOW_SIMULATION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/text.h"
#include "probes/trace.h"

// What kind of world it is, and so what must hold in it.
enum mood {
    MOOD_CALM,    // noise that no rule may mind, and windows
    MOOD_COVERED, // all that goes wrong lies inside windows that everybody knows of
    MOOD_SINGLE,  // one thing goes wrong, outside windows
    MOOD_OVERRUN, // one server goes down in its window and comes back long after
    MOOD_WILD,    // anything, at any time
    MOODS
};

enum piece_kind {
    PIECE_DUPLICATE,
    PIECE_REPLAY,
    PIECE_UNCERTAIN,
    PIECE_DEFER,
    PIECE_PROBE,
    PIECE_RESTART,
    PIECE_KILL,
    PIECE_SEVER, // their way over HTTP: mail does what it did
    PIECE_NOISE_LAST = PIECE_SEVER,
    PIECE_HOST, // the whole host of a server; then its parts
    PIECE_SMTP,
    PIECE_IMAP,
    PIECE_AGENT,
    PIECE_FREEZE, // its agent stands still
    PIECE_CUT,    // server->other; from here on pieces of one path
    PIECE_CUT_PAIR,
    PIECE_DELAY,
    PIECE_REFUSE,
    PIECE_LOSE,
    PIECE_BOUNCE,
    PIECE_ROUTE,  // its mail comes through a third server
    PIECE_AUTH,   // the receiving server finds `result` by `method`
    PIECE_FOLDER, // and puts it into the folder for junk
    PIECE_STEP,   // of a server's wall clock by `amount` seconds, and back
    PIECE_TROUBLE_LAST = PIECE_STEP,
    PIECE_WINDOW,
    PIECES
};

enum change_kind { CHANGE_EXTEND, CHANGE_END, CHANGE_CANCEL };

struct change {
    enum change_kind kind;
    int by; // whose operator
    int at;
    int more; // extend
};

enum { PIECES_MAXIMUM = 64, CHANGES_MAXIMUM = 3, SCENARIO_SIZE = 16384 };

// Times are seconds of the world.
struct piece {
    enum piece_kind kind;
    int server;
    int other;  // of a path
    int from;   // of a window: its begin
    int to;     // of a window: its end when it is announced
    int amount; // so many messages, or seconds of delay or of a step
    int announced;
    int by; // whose agent announces the window
    enum auth_method method;
    enum auth_result result;
    bool emergency;
    struct change changes[CHANGES_MAXIMUM];
    int change_count;
    bool dropped;
};

struct plan {
    uint64_t seed;
    enum mood mood;
    int servers;
    int interval;
    int delay; // most, of an ordinary message
    int width;
    bool saved;
    bool http;  // the agents reach each other over HTTP, too
    bool turns; // two relays share the mail of every path
    int length;
    struct random_stream random;
    struct piece pieces[PIECES_MAXIMUM];
    size_t count;
};

struct plan plan_make(uint64_t seed);

// As a scenario.
void plan_write(const struct plan *plan, struct text *out);

bool piece_is_trouble(const struct piece *piece);
bool piece_is_of_path(const struct piece *piece);
bool piece_is_of_way(const struct piece *piece); // mail flows, but not as it used to

// When the window begins and ends with all that has been changed of it; false when it is cancelled.
bool piece_window(const struct piece *piece, int *begin, int *end);

// ---- for the parts of the plan ----

int plan_pick(struct plan *plan, int least, int most);

// NULL when the plan is full.
struct piece *plan_add(struct plan *plan, enum piece_kind kind, int from, int to);

#endif
