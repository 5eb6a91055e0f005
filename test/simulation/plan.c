#include "simulation/plan.h"

enum { MARGIN = 60, SETTLE = 300, LEARNING = 12 };

bool piece_is_trouble(const struct piece *piece)
{
    return piece->kind > PIECE_NOISE_LAST && piece->kind <= PIECE_TROUBLE_LAST;
}

bool piece_is_of_path(const struct piece *piece)
{
    return piece->kind >= PIECE_CUT && piece->kind <= PIECE_FOLDER;
}

bool piece_is_of_way(const struct piece *piece)
{
    return piece->kind >= PIECE_ROUTE && piece->kind <= PIECE_FOLDER;
}

bool piece_window(const struct piece *piece, int *begin, int *end)
{
    *begin = piece->from;
    *end = piece->to;
    for (int i = 0; i < piece->change_count; i++) {
        const struct change *change = &piece->changes[i];
        *end = change->kind == CHANGE_EXTEND ? *end + change->more
               : change->kind == CHANGE_END  ? change->at
                                             : *begin;
    }
    return *end > *begin;
}

int plan_pick(struct plan *plan, int least, int most)
{
    return least + (int)(random_stream_next(&plan->random) % (uint64_t)(most - least + 1));
}

struct piece *plan_add(struct plan *plan, enum piece_kind kind, int from, int to)
{
    if (plan->count == PIECES_MAXIMUM) {
        return NULL;
    }
    struct piece *piece = &plan->pieces[plan->count++];
    *piece = (struct piece){.kind = kind, .from = from, .to = to};
    piece->server = plan_pick(plan, 0, plan->servers - 1);
    piece->other = (piece->server + plan_pick(plan, 1, plan->servers - 1)) % plan->servers;
    return piece;
}

// What the rules tolerate is over well within this after a trouble; the longer one sees the last
// retry, too.
static int tail(struct plan *plan)
{
    return plan_pick(plan, 0, 3) == 0 ? 5600 : 3600;
}

// ---- noise ----

static void add_noise(struct plan *plan)
{
    for (int at = 600; at < plan->length - 600; at += plan_pick(plan, 200, 900)) {
        struct piece *piece = plan_add(
            plan, (enum piece_kind)plan_pick(plan, PIECE_DUPLICATE, PIECE_NOISE_LAST), at, at);
        if (piece == NULL) {
            return;
        }
        piece->amount = plan_pick(plan, 1, 3);
        // Often deferred, mail would be slow indeed; where the only probe within settle is, the end
        // of a window is overrun.
        bool too_much = at % 3 > 0 || plan->interval >= SETTLE;
        if (piece->kind == PIECE_SEVER && plan->http) {
            piece->to += plan_pick(plan, 30, 1500);
        } else if (piece->kind == PIECE_SEVER || (piece->kind == PIECE_DEFER && too_much)) {
            piece->kind = PIECE_DUPLICATE;
        }
    }
}

// ---- troubles ----

static bool share_a_server(const struct piece *a, const struct piece *b)
{
    return a->server == b->server || (piece_is_of_path(a) && a->other == b->server) ||
           (piece_is_of_path(b) && a->server == b->other) ||
           (piece_is_of_path(a) && piece_is_of_path(b) && a->other == b->other);
}

// Two troubles of one server at a time would end each other; the way that mail takes has nothing to
// do with whether it flows.
static bool collides(const struct plan *plan, const struct piece *piece)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *other = &plan->pieces[i];
        if (other != piece && piece_is_trouble(other) &&
            piece_is_of_way(other) == piece_is_of_way(piece) && share_a_server(piece, other) &&
            piece->from <= other->to + MARGIN && other->from <= piece->to + MARGIN) {
            return true;
        }
    }
    return false;
}

// What never passed does not fail, and what nothing is said of neither.
static void choose_result(struct plan *plan, struct piece *piece)
{
    static const enum auth_result RESULTS[] = {AUTH_FAIL, AUTH_SOFTFAIL,  AUTH_NONE,
                                               AUTH_FAIL, AUTH_TEMPERROR, AUTH_ABSENT};
    piece->method = (enum auth_method)plan_pick(plan, AUTH_SPF, AUTH_DMARC);
    piece->result = RESULTS[plan_pick(plan, 0, 5)];
}

static struct piece *add_trouble(struct plan *plan, int from, int to)
{
    bool alone = plan->mood == MOOD_SINGLE; // windows are told in the clocks of their announcers
    int kind = plan_pick(plan, PIECE_HOST, alone ? PIECE_STEP : PIECE_FOLDER);
    struct piece *piece = plan_add(plan, (enum piece_kind)kind, from, to);
    if (piece == NULL) {
        return NULL;
    }
    if (kind == PIECE_STEP) {
        static const int STEPS[] = {-3600, -120, 120, 3600};
        piece->amount = STEPS[plan_pick(plan, 0, 3)];
    } else if (kind == PIECE_DELAY) {
        piece->amount = plan_pick(plan, 70, 250);
    } else if (kind == PIECE_REFUSE || kind == PIECE_LOSE || kind == PIECE_BOUNCE) {
        piece->amount = plan_pick(plan, 1, kind == PIECE_LOSE ? 2 : 5);
        piece->to = from + piece->amount * plan->interval;
    } else if (kind == PIECE_AUTH) {
        choose_result(plan, piece);
    }
    if (collides(plan, piece)) {
        plan->count--;
        return NULL;
    }
    return piece;
}

// ---- windows ----

static struct piece *add_window(struct plan *plan, int server, int announced, int begin, int end)
{
    struct piece *piece = plan_add(plan, PIECE_WINDOW, begin, end);
    if (piece != NULL) {
        piece->server = server;
        piece->announced = announced;
        piece->by = plan_pick(plan, 0, plan->servers - 1);
        piece->emergency = plan_pick(plan, 0, 3) == 0;
    }
    return piece;
}

static void add_change(struct plan *plan, struct piece *window, enum change_kind kind, int at,
                       int more)
{
    if (window->change_count < CHANGES_MAXIMUM) {
        int by = plan_pick(plan, 0, plan->servers - 1);
        window->changes[window->change_count++] = (struct change){kind, by, at, more};
    }
}

// Anything an operator may do with a window.
static void add_any_window(struct plan *plan)
{
    int announced = plan_pick(plan, 200, plan->length / 2);
    int begin = announced + (plan_pick(plan, 0, 1) == 0 ? 0 : plan_pick(plan, 1, 1500));
    int end = begin + plan_pick(plan, 120, 3000);
    struct piece *window =
        add_window(plan, plan_pick(plan, 0, plan->servers - 1), announced, begin, end);
    if (window == NULL) {
        return;
    }
    switch (plan_pick(plan, 0, 4)) {
    case 0:
        add_change(plan, window, CHANGE_EXTEND, plan_pick(plan, announced + 1, end), 900);
        add_change(plan, window, CHANGE_EXTEND, end + plan_pick(plan, 1, 800), 600);
        break;
    case 1:
        add_change(plan, window, CHANGE_END, plan_pick(plan, begin + 30, end), 0);
        break;
    case 2:
        if (begin - announced > 20) {
            add_change(plan, window, CHANGE_CANCEL, announced + 10, 0);
        }
        break;
    default:
        break;
    }
}

// ---- the moods ----

static void make_calm(struct plan *plan)
{
    plan->length = 7000;
    for (int i = plan_pick(plan, 0, 3); i > 0; i--) {
        add_any_window(plan);
    }
    add_noise(plan);
}

// A window of one server, and troubles of that server and its paths, one after the other, inside.
// Until when a trouble may last so that a slot sent after it arrives before settle has passed.
static int latest_return(const struct plan *plan, int end)
{
    return end + SETTLE - MARGIN - plan->interval - plan->delay;
}

static void make_covered(struct plan *plan)
{
    int announced = plan_pick(plan, 300, 900), begin = announced + plan_pick(plan, 200, 600);
    int end = begin + plan_pick(plan, 600, 3000);
    int server = plan_pick(plan, 0, plan->servers - 1);
    struct piece *window = add_window(plan, server, announced, begin, end);
    if (plan_pick(plan, 0, 2) == 0) {
        int more = plan_pick(plan, 300, 1200);
        add_change(plan, window, CHANGE_EXTEND, plan_pick(plan, announced + 100, begin), more);
        end += more;
    }
    int last = begin + 30;
    for (int at = begin + 30; at < end - 60; at = last + plan_pick(plan, 30, 600)) {
        int to = at + plan_pick(plan, 30, 1500);
        to = to < latest_return(plan, end) ? to : latest_return(plan, end); // settle is for this
        struct piece *trouble = add_trouble(plan, at, to);
        last = trouble == NULL ? last + 120 : trouble->to;
        if (trouble != NULL) {
            trouble->other = trouble->server == server ? trouble->other : trouble->server;
            trouble->server = server;
            int back = latest_return(plan, end);
            int latest = trouble->kind == PIECE_DELAY && end < back ? end : back;
            if (trouble->to > latest || trouble->to - at < 20) {
                plan->count--;
            }
        }
    }
    plan->length = end + tail(plan);
}

static void make_single(struct plan *plan)
{
    int from = plan_pick(plan, 700, 1600) + plan->interval;
    int most = plan_pick(plan, 0, 3) == 0 ? 200 : 2400 + 6 * plan->interval;
    struct piece *trouble = add_trouble(plan, from, from + plan_pick(plan, 20, most));
    if (trouble->kind == PIECE_ROUTE) { // first it has to be known over which it comes
        int learning = LEARNING * plan->interval;
        trouble->from = from += learning;
        trouble->to += learning;
    }
    plan->length = trouble->to + tail(plan) + 4 * plan->interval;
    if (plan->servers > 2 && plan_pick(plan, 0, 1) == 0) {
        int server = 0;
        while (server == trouble->server || server == trouble->other) {
            server++;
        }
        add_window(plan, server, from - 400, from - 300, trouble->to + 600);
    }
}

static void make_overrun(struct plan *plan)
{
    int begin = plan_pick(plan, 900, 1500), end = begin + plan_pick(plan, 300, 1800);
    int server = plan_pick(plan, 0, plan->servers - 1);
    add_window(plan, server, begin - plan_pick(plan, 200, 500), begin, end);
    struct piece *trouble = plan_add(plan, PIECE_HOST, plan_pick(plan, begin + 10, end - 20), 0);
    trouble->server = server;
    trouble->to = end + SETTLE + plan_pick(plan, 60, 2400);
    plan->length = trouble->to + tail(plan) + 4 * plan->interval;
}

static void make_wild(struct plan *plan)
{
    plan->length = 9000;
    for (int at = plan_pick(plan, 300, 1500); at < plan->length - 3500;) {
        int to = at + plan_pick(plan, 20, 1800);
        const struct piece *trouble = add_trouble(plan, at, to);
        at = trouble == NULL ? at + 60 : at + plan_pick(plan, 30, 2500);
    }
    for (int i = plan_pick(plan, 0, 3); i > 0; i--) {
        add_any_window(plan);
    }
    add_noise(plan);
}

struct plan plan_make(uint64_t seed)
{
    static const int INTERVALS[] = {20, 60, 60, 120, 300};
    static const int SERVERS[] = {2, 2, 2, 3, 3, 4};
    static void (*const MAKERS[MOODS])(struct plan * plan) = {
        [MOOD_CALM] = make_calm,       [MOOD_COVERED] = make_covered, [MOOD_SINGLE] = make_single,
        [MOOD_OVERRUN] = make_overrun, [MOOD_WILD] = make_wild,
    };
    struct plan plan = {.seed = seed, .random = random_stream_from(seed)};
    plan.mood = (enum mood)(seed % MOODS);
    plan.servers = SERVERS[plan_pick(&plan, 0, 5)];
    plan.interval = INTERVALS[plan_pick(&plan, 0, 4)];
    plan.delay = plan_pick(&plan, 1, 40);
    plan.width = plan_pick(&plan, 1, 5);
    plan.saved = plan_pick(&plan, 0, 1) == 1;
    plan.http = plan_pick(&plan, 0, 2) == 0;
    plan.turns = plan_pick(&plan, 0, 3) == 0;
    MAKERS[plan.mood](&plan);
    return plan;
}
