// The way that mail takes, judged once more from what the world wrote into every message: routes,
// what the receiving server found, folders. The agents are restarted and killed meanwhile; what
// they say must not depend on it.
#include <stdio.h>
#include <string.h>

#include "simulation/journal.h"
#include "simulation/oracle.h"

enum { SETTLE = 300, LEARNED_FROM = 10, ROUTES = 4, IN_A_ROW = 3, RECOVERED = 2, RECENT = 5 };

// What one arrival asks for, if it is not so already.
enum turn { TURN_NONE, TURN_OPEN, TURN_CLOSE };

// What is known of a path so far. An incident that closes by itself lets the row begin anew.
struct course {
    const struct world *world;
    const char *known[ROUTES];
    int known_count;
    int learned;
    int strange, usual; // in a row
    bool passed[AUTH_METHODS];
    bool failing[AUTH_METHODS];
    int passes[AUTH_METHODS], unsure[AUTH_METHODS]; // in a row
    struct placed {
        bool junk;
        bool window;
    } newest[RECENT];
    int placed;
};

// ---- routes ----

// Whether a window, by what the agent knew, had to do with its way ...
struct covering {
    bool window;
    bool hushes; // ... and still keeps quiet what is found
};

static struct covering find_covering(const struct world *world, const struct passage *passage)
{
    const struct window *known[PIECES_MAXIMUM];
    struct covering covering = {false, false};
    oracle_known(world, passage->node, passage->learned, known);
    for (size_t i = 0; i < PIECES_MAXIMUM; i++) {
        const struct window *window = known[i];
        int64_t settle = SPAN_SECONDS(SETTLE).ns;
        if (window != NULL && window->begin.ns < window->end.ns &&
            (strcmp(window->server, world->servers[passage->node].name) == 0 ||
             strcmp(window->server, world->servers[passage->from].name) == 0) &&
            window->begin.ns <= passage->arrived.ns &&
            passage->sent.ns <= window->end.ns + settle) {
            covering.window = true;
            covering.hushes |= passage->wall.ns < window->end.ns + settle;
        }
    }
    return covering;
}

static bool is_known(const struct course *course, const char *route)
{
    for (int i = 0; i < course->known_count; i++) {
        if (strcmp(course->known[i], route) == 0) {
            return true;
        }
    }
    return false;
}

static enum turn judge_route(struct course *course, const struct passage *passage)
{
    bool window = find_covering(course->world, passage).window;
    bool known = is_known(course, passage->route);
    if (course->learned < LEARNED_FROM) {
        course->learned += !window;
        if (!window && !known) {
            course->known[course->known_count++] = passage->route;
        }
        return TURN_NONE;
    }
    course->usual = known ? course->usual + 1 : 0;
    course->strange = known || window ? 0 : course->strange + 1;
    return course->strange == IN_A_ROW  ? TURN_OPEN
           : course->usual >= RECOVERED ? TURN_CLOSE
                                        : TURN_NONE;
}

// ---- verdicts ----

static void note_result(struct course *course, int method, enum auth_result result)
{
    bool unsure = result == AUTH_TEMPERROR, pass = result == AUTH_PASS;
    course->unsure[method] = unsure ? course->unsure[method] + 1 : 0;
    course->passes[method] = pass ? course->passes[method] + 1 : 0;
    course->passed[method] |= pass;
    if (pass && course->passes[method] >= RECOVERED) {
        course->failing[method] = false;
    } else if (!pass && (!unsure || course->unsure[method] >= IN_A_ROW)) {
        course->failing[method] |= course->passed[method];
    }
}

static enum turn judge_results(struct course *course, const struct passage *passage)
{
    bool failing = false, fails = false, says = false;
    for (int method = 0; method <= AUTH_DMARC; method++) {
        enum auth_result result = passage->results[method];
        if (result != AUTH_ABSENT) {
            note_result(course, method, result);
        }
        bool found = result != AUTH_ABSENT && result != AUTH_PASS;
        says |= result != AUTH_ABSENT;
        failing |= course->failing[method];
        fails |= course->failing[method] && found;
    }
    struct covering covering = find_covering(course->world, passage);
    bool past = covering.window && !covering.hushes; // it happened inside, and that is over
    return fails ? (past ? TURN_NONE : TURN_OPEN) : says && !failing ? TURN_CLOSE : TURN_NONE;
}

// ---- folders ----

static enum turn judge_folder(struct course *course, const struct passage *passage)
{
    struct covering covering = find_covering(course->world, passage);
    memmove(course->newest + 1, course->newest, sizeof *course->newest * (RECENT - 1));
    course->newest[0] = (struct placed){passage->misplaced, covering.window};
    course->placed++;
    int misplaced = 0;
    for (int i = 0; i < RECENT; i++) {
        misplaced += course->newest[i].junk && (covering.window || !course->newest[i].window);
    }
    bool right = course->placed >= RECOVERED && !course->newest[0].junk && !course->newest[1].junk;
    bool past = covering.window && !covering.hushes;
    return passage->misplaced && misplaced >= IN_A_ROW && !past ? TURN_OPEN
           : right                                              ? TURN_CLOSE
                                                                : TURN_NONE;
}

// ---- what was said of it ----

static const struct way_rule {
    enum incident_kind kind;
    enum turn (*judge)(struct course *course, const struct passage *passage);
} RULES[] = {
    {INCIDENT_REROUTED, judge_route},
    {INCIDENT_UNAUTHENTICATED, judge_results},
    {INCIDENT_MISPLACED, judge_folder},
};

// The path's incidents of this kind, by one agent.
struct said {
    const struct ledger *ledger;
    enum incident_kind kind;
    char path[SUBJECT_TEXT_SIZE];
};

static bool is_of(const struct said *said, const struct incident *incident)
{
    return incident->kind == said->kind && strcmp(incident->subject_text, said->path) == 0;
}

static const struct incident *find_opened(const struct said *said, struct walltime at)
{
    for (size_t i = 0; i < said->ledger->incident_count; i++) {
        const struct incident *incident = &said->ledger->incidents[i];
        if (is_of(said, incident) && incident->opened.ns == at.ns) {
            return incident;
        }
    }
    return NULL;
}

static unsigned count_opened(const struct said *said)
{
    unsigned count = 0;
    for (size_t i = 0; i < said->ledger->incident_count; i++) {
        count += is_of(said, &said->ledger->incidents[i]);
    }
    return count;
}

// A window that ends closes what was not said in it, be it in the moment in which mail comes.
static bool closed_before(const struct world *world, int node, const struct incident *open,
                          size_t passage)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->closing_count; i++) {
        const struct closing *closing = &journal->closings[i];
        if (closing->node == node && closing->incident == open->id) {
            return closing->passages < passage || (closing->passages == passage && !open->notified);
        }
    }
    return false;
}

static struct said said_of(const struct world *world, int node, int from, enum incident_kind kind)
{
    struct said said = {.ledger = &world->servers[node].node.ledger, .kind = kind};
    snprintf(said.path, sizeof said.path, "%s->%s", world->servers[from].name,
             world->servers[node].name);
    return said;
}

static void follow(struct world *world, const struct plan *plan, int node, int from,
                   const struct way_rule *rule)
{
    struct said said = said_of(world, node, from, rule->kind);
    struct course course = {.world = world};
    const struct incident *open = NULL;
    struct instant opened = {0};
    unsigned count = 0;
    for (size_t i = 0; i < world->journal->passage_count; i++) {
        const struct passage *passage = &world->journal->passages[i];
        if (passage->node != node || passage->from != from) {
            continue;
        }
        if (open != NULL && closed_before(world, node, open, i)) {
            journal_check(world, !open->notified, node, "closed, and nothing had come");
            open = NULL;
            course.strange = course.usual = 0;
        }
        enum turn turn = rule->judge(&course, passage);
        if (turn == TURN_OPEN && open == NULL) {
            open = find_opened(&said, passage->wall);
            opened = passage->at;
            count++;
            journal_check(world, open != NULL, node, "mail takes another way, and nothing opens");
        }
        if (turn == TURN_CLOSE && open != NULL &&
            instant_since(passage->at, opened).ns >= SPAN_SECONDS(plan->interval).ns) {
            journal_check(world, open->closed.ns == passage->wall.ns, node,
                          "mail takes its way again, and nothing closes");
            open = NULL;
            course.strange = course.usual = 0;
        }
    }
    journal_check(world, count == count_opened(&said), node,
                  "it opened although mail takes its way");
}

// What the metrics count is what was said, and what lay in the wrong folder.
static void check_counts(struct world *world, int node, int from)
{
    const struct node *agent = &world->servers[node].node;
    const struct said rerouted = said_of(world, node, from, INCIDENT_REROUTED);
    if (agent->crashed || agent->core == NULL) {
        return;
    }
    int peer = settings_find_peer(agent->settings, world->servers[from].name);
    const struct peer_stats *stats = &core_peer(agent->core, peer)->stats;
    uint64_t misplaced = 0;
    for (size_t i = 0; i < world->journal->passage_count; i++) {
        const struct passage *passage = &world->journal->passages[i];
        misplaced += passage->node == node && passage->from == from && passage->misplaced;
    }
    journal_check(world, agent->misplaced[from] + stats->misplaced == misplaced, node,
                  "what was misplaced is not what is counted");
    journal_check(world,
                  agent->route_changes[from] + stats->route_changes ==
                      agent->routes_told[from] + count_opened(&rerouted),
                  node, "the changes of its route are not what is counted");
}

// A clock that steps moves windows and what was sent: of that world there is more in the scenarios.
static bool clocks_stand(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->pieces[i].kind == PIECE_STEP && !plan->pieces[i].dropped) {
            return false;
        }
    }
    return true;
}

static void check_path(struct world *world, const struct plan *plan, int node, int from)
{
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        follow(world, plan, node, from, &RULES[i]);
    }
    check_counts(world, node, from);
}

void oracle_check_ways(struct world *world, const struct plan *plan)
{
    for (int node = 0; node < plan->servers && clocks_stand(plan); node++) {
        for (int from = 0; from < plan->servers; from++) {
            if (from != node) {
                check_path(world, plan, node, from);
            }
        }
    }
}
