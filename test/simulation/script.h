// Scenarios: who is there, what the numbers are, and what goes wrong when. One statement a line,
// # begins a comment. A statement without a time holds from the beginning:
//
//   servers NAME...                      agentless NAME collected by NAME     hub NAME
//   set NUMBER VALUE                     interval NAME DURATION               seed N
//   show NAME            only its lines are written down, of the others how many
//   delay PATH DURATION [to DURATION]    clock NAME OFFSET                    run DURATION
//   at DURATION STATEMENT                every DURATION [from DURATION] times N STATEMENT
//
//   stop NAME            the whole host: mail server and agent; start NAME brings it back
//   down NAME PART       smtp, imap or agent of it; up NAME PART
//   restart NAME         its agent, in an orderly way
//   kill NAME [PHASE]    kill -9 at its next deeds: before-commit, before-deeds, amid-deeds
//   freeze NAME DURATION its agent stands still
//   step NAME OFFSET     its wall clock
//   agent PATH           the one is configured to exchange with the other's agent over HTTP
//   sever PATH, rejoin PATH   that way over HTTP
//   cut PATH, mend PATH  deliveries fail and wait in the sender's queue
//   certificate NAME smtp|imap expires DURATION|refused   TLS is spoken there, and this is shown
//   flush NAME           its queue tries everything now
//   lose PATH N          and likewise duplicate, defer, refuse, uncertain PATH N arrives|vanishes
//   replay PATH          the last delivered message comes once more
//   probe PATH           by hand
//   route PATH HOST... [/ HOST...]   its messages come over these hosts, over several routes in
//                        turn; without any: its servers write no Received headers
//   auth PATH METHOD RESULT          what the receiving server finds; absent: nothing
//   folder PATH NAME     where its messages are put
//   maintenance ID NAME for DURATION [in DURATION] [emergency] [on NAME...]
//   extend ID DURATION [on NAME...], end ID [on NAME...], cancel ID [on NAME...]
//                        an operator at those agents; without `on` at all, then at the same ones
//   acknowledged ID NAME tells how far that agent's announcement has come
//   forget NAME NAME     the first one's configuration loses the second; know takes it up again
//
// PATH is mx01->mx02, or mx01<->mx02 for both directions; * stands for every server.
#ifndef MAILFLOW_SIMULATION_SCRIPT_H
#define MAILFLOW_SIMULATION_SCRIPT_H

#include "simulation/world.h"

struct script_line {
    unsigned number;
    char *text; // owned
};

struct script_window {
    struct window window; // but for its revision, which is that of the agent told
    struct instant begin; // world time
    struct instant end;
    uint64_t agents; // a bit for each that is told
};

struct script {
    struct script_line *lines;
    size_t line_count;
    struct script_window windows[32];
    size_t window_count;
};

// Reads a scenario into a world; false with "line N: ..." when it is none.
bool script_read(struct world *world, const char *text, struct error *error);
void script_free(struct script *script);

void script_run_line(struct world *world, size_t line);

#endif
