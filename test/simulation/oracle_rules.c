#include "simulation/oracle.h"

#define KIND(name) (1U << INCIDENT_##name)

enum {
    SYMPTOMS = KIND(SILENT) | KIND(SLOW),
    GONE = KIND(DOWN) | KIND(UNHEARD) | KIND(OVERRUN) | KIND(STUCK),
    MINUTE = 60,
};

// What is said of a path whose sender or receiver is in trouble, of the troubled path and the way
// back; of a server in trouble by others, by itself, and by itself of others. For a trouble of a
// path the server is its sender, and the other its receiver.
static const struct blame {
    unsigned sender;
    unsigned receiver;
    unsigned path;
    unsigned reverse;
    unsigned server;
    unsigned own;
    unsigned others;
} BLAMES[PIECES] = {
    [PIECE_HOST] = {.sender = SYMPTOMS, .receiver = SYMPTOMS, .server = GONE},
    [PIECE_SMTP] = {.sender = SYMPTOMS | KIND(REFUSED),
                    .receiver = SYMPTOMS,
                    .server = GONE,
                    .own = KIND(ISOLATED),
                    .others = KIND(DOWN) | KIND(UNHEARD) | KIND(OVERRUN)},
    [PIECE_IMAP] = {.own = KIND(BLIND)},
    [PIECE_AGENT] = {.sender = KIND(SILENT), .server = KIND(UNHEARD) | KIND(OVERRUN)},
    [PIECE_FREEZE] = {.sender = KIND(SILENT), .server = KIND(UNHEARD) | KIND(OVERRUN)},
    [PIECE_CUT] = {.path = SYMPTOMS, .server = GONE, .own = KIND(STUCK), .others = GONE},
    [PIECE_CUT_PAIR] = {.path = SYMPTOMS, .reverse = SYMPTOMS, .server = GONE, .others = GONE},
    [PIECE_DELAY] = {.path = KIND(SLOW)},
    [PIECE_REFUSE] = {.path = KIND(REFUSED) | KIND(SILENT),
                      .server = KIND(UNHEARD) | KIND(OVERRUN)},
    [PIECE_STEP] = {.server = KIND(CLOCK), .own = KIND(CLOCK), .others = KIND(CLOCK)},
    [PIECE_BOUNCE] = {.path = KIND(BOUNCED) | KIND(SILENT),
                      .server = KIND(UNHEARD) | KIND(OVERRUN)},
    [PIECE_ROUTE] = {.path = KIND(REROUTED)},
    [PIECE_AUTH] = {.path = KIND(UNAUTHENTICATED)},
    [PIECE_FOLDER] = {.path = KIND(MISPLACED)},
    [PIECE_LOSE] = {.path = KIND(LOST) | KIND(SILENT),
                    .server = KIND(STUCK),
                    .own = KIND(STUCK),
                    .others = KIND(STUCK)},
};

static unsigned blame_path(const struct piece *piece, const struct claim *claim)
{
    const struct blame *blame = &BLAMES[piece->kind];
    bool same = claim->from == piece->server && claim->to == piece->other;
    bool back = claim->from == piece->other && claim->to == piece->server;
    if (piece_is_of_path(piece)) {
        return same ? blame->path : back ? blame->reverse : 0;
    }
    return claim->from == piece->server ? blame->sender
           : claim->to == piece->server ? blame->receiver
                                        : 0;
}

static unsigned blame_server(const struct piece *piece, const struct claim *claim)
{
    const struct blame *blame = &BLAMES[piece->kind];
    bool of_path = piece_is_of_path(piece);
    bool concerns_speaker = claim->speaker == piece->server || claim->speaker == piece->other;
    if (claim->from == claim->speaker) { // several troubles together look like our own isolation
        unsigned silent = (blame->sender | blame->path | blame->reverse) & KIND(SILENT);
        return (claim->speaker == piece->server ? blame->own : 0) |
               (silent != 0 ? KIND(ISOLATED) : 0);
    }
    if (claim->from == piece->server) {
        return of_path && !concerns_speaker ? 0 : blame->server;
    }
    bool other = !of_path || claim->from == piece->other;
    return claim->speaker == piece->server && other ? blame->others : 0;
}

bool oracle_may(const struct piece *piece, const struct claim *claim)
{
    unsigned kinds = claim->to < 0 ? blame_server(piece, claim) : blame_path(piece, claim);
    return (kinds >> claim->kind & 1) != 0;
}

// ---- duties ----

// What is said of a server from which nothing comes although it lives: that it is gone, unless its
// agent vouches for it, or a third does, whose word may come too late.
static unsigned alone(const struct plan *plan, unsigned gone)
{
    return plan->http ? KIND(SILENT) : plan->servers > 2 ? KIND(SILENT) | gone : gone;
}

static int longer(int a, int b)
{
    return a > b ? a : b;
}

static int shorter(int a, int b)
{
    return a < b ? a : b;
}

// How long an incident waits for its cause.
static int hold(const struct plan *plan)
{
    return shorter(longer(plan->interval, 30), 300);
}

// The oldest missing slot may be an interval off; then its age, then the cause has time to show.
static struct duty silence(const struct plan *plan, unsigned kinds)
{
    int limit = longer(300, 3 * plan->interval);
    int within = plan->interval + limit + hold(plan) + plan->delay + MINUTE;
    return (struct duty){kinds, within, within};
}

// Two minutes without a mailbox; one read more to see it.
static struct duty blindness(void)
{
    return (struct duty){KIND(BLIND), 120 + 45, 120 + 45};
}

static struct duty duty_of_server(const struct plan *plan, const struct piece *piece, int speaker)
{
    // Of several, one notices first, while another still vouches for the server.
    unsigned vouched = plan->servers > 2 ? KIND(SILENT) : 0;
    bool own = speaker == piece->server;
    switch (piece->kind) {
    case PIECE_HOST:
        return own ? (struct duty){0} : silence(plan, KIND(DOWN) | vouched);
    case PIECE_AGENT:
    case PIECE_FREEZE:
        return own ? (struct duty){0} : silence(plan, KIND(UNHEARD) | vouched);
    case PIECE_SMTP:
        return own ? silence(plan, KIND(ISOLATED) | KIND(REFUSED))
                   : silence(plan, plan->http ? KIND(SILENT) : KIND(DOWN) | vouched);
    case PIECE_IMAP:
        return own ? blindness() : (struct duty){0};
    default:
        return (struct duty){0};
    }
}

// Three of them; a verdict but for one that is none is believed at once.
static struct duty duty_of_way(const struct plan *plan, const struct piece *piece)
{
    static const unsigned KINDS[PIECES] = {[PIECE_ROUTE] = KIND(REROUTED),
                                           [PIECE_AUTH] = KIND(UNAUTHENTICATED),
                                           [PIECE_FOLDER] = KIND(MISPLACED)};
    int probes = piece->kind == PIECE_AUTH && piece->result != AUTH_TEMPERROR ? 1 : 3;
    int within = (probes + 1) * plan->interval + plan->delay + MINUTE;
    bool silent =
        piece->kind == PIECE_AUTH && (piece->result == AUTH_ABSENT || piece->method == AUTH_DMARC);
    return silent ? (struct duty){0} : (struct duty){KINDS[piece->kind], within, within};
}

struct duty oracle_duty(const struct plan *plan, const struct piece *piece, int speaker)
{
    bool receives = speaker == piece->other, sends = speaker == piece->server;
    switch (piece->kind) {
    case PIECE_CUT:
        return receives ? silence(plan, alone(plan, KIND(UNHEARD))) : (struct duty){0};
    case PIECE_CUT_PAIR:
        return receives || sends ? silence(plan, alone(plan, KIND(DOWN))) : (struct duty){0};
    case PIECE_DELAY: {
        int within = piece->amount + 6 * plan->interval + 300;
        return receives ? (struct duty){KIND(SLOW), within, within} : (struct duty){0};
    }
    case PIECE_REFUSE: {
        int within = 4 * plan->interval + MINUTE;
        return sends && piece->amount >= 3 ? (struct duty){KIND(REFUSED), 0, within}
                                           : (struct duty){0};
    }
    case PIECE_BOUNCE: { // at the next slot, however long the message is on its way
        int within = 2 * plan->interval + plan->delay + MINUTE;
        return sends ? (struct duty){KIND(BOUNCED), 0, within} : (struct duty){0};
    }
    case PIECE_STEP: { // a probe each way, and as many again in doubt
        int within = 4 * plan->interval + hold(plan) + 2 * MINUTE;
        return (struct duty){KIND(CLOCK), within, within};
    }
    case PIECE_ROUTE:
    case PIECE_AUTH:
    case PIECE_FOLDER:
        return receives ? duty_of_way(plan, piece) : (struct duty){0};
    case PIECE_LOSE:
        return (struct duty){0};
    default:
        return duty_of_server(plan, piece, speaker);
    }
}
