#include <inttypes.h>

#include "simulation/plan.h"

static void write_noise(const struct piece *piece, int a, int b, struct text *out)
{
    switch (piece->kind) {
    case PIECE_DUPLICATE:
        text_format(out, "at %ds duplicate mx%d->mx%d %d\n", piece->from, a, b, piece->amount);
        break;
    case PIECE_REPLAY:
        text_format(out, "at %ds replay mx%d->mx%d\n", piece->from, a, b);
        break;
    case PIECE_UNCERTAIN:
        text_format(out, "at %ds uncertain mx%d->mx%d 1 arrives\n", piece->from, a, b);
        break;
    case PIECE_DEFER:
        text_format(out, "at %ds defer mx%d->mx%d 1\n", piece->from, a, b);
        break;
    case PIECE_PROBE:
        text_format(out, "at %ds probe mx%d->mx%d\n", piece->from, a, b);
        break;
    case PIECE_RESTART:
        text_format(out, "at %ds restart mx%d\n", piece->from, a);
        break;
    case PIECE_SEVER:
        text_format(out, "at %ds sever mx%d->mx%d\n", piece->from, a, b);
        text_format(out, "at %ds rejoin mx%d->mx%d\n", piece->to, a, b);
        break;
    default:
        text_format(out, "at %ds kill mx%d\n", piece->from, a);
    }
}

static void write_server_trouble(const struct piece *piece, int a, struct text *out)
{
    static const char *const PARTS[PIECES] = {
        [PIECE_SMTP] = "smtp", [PIECE_IMAP] = "imap", [PIECE_AGENT] = "agent"};
    if (piece->kind == PIECE_STEP) {
        text_format(out, "at %ds step mx%d %+ds\n", piece->from, a, piece->amount);
        text_format(out, "at %ds step mx%d %+ds\n", piece->to, a, -piece->amount);
    } else if (piece->kind == PIECE_HOST) {
        text_format(out, "at %ds stop mx%d\nat %ds start mx%d\n", piece->from, a, piece->to, a);
    } else if (piece->kind == PIECE_FREEZE) {
        text_format(out, "at %ds freeze mx%d %ds\n", piece->from, a, piece->to - piece->from);
    } else {
        const char *part = PARTS[piece->kind];
        text_format(out, "at %ds down mx%d %s\nat %ds up mx%d %s\n", piece->from, a, part,
                    piece->to, a, part);
    }
}

// ---- the way that mail takes ----

// From one to the other, over relays that share the load where there are two.
static void write_usual_route(const struct plan *plan, int a, int b, struct text *out)
{
    text_format(out, "route mx%d->mx%d mx%d mx%d", a, b, a, b);
    if (plan->turns) {
        text_format(out, " / mx%d relay mx%d", a, b);
    }
    text_append(out, "\n");
}

static void write_usual_ways(const struct plan *plan, struct text *out)
{
    for (int a = 1; a <= plan->servers; a++) {
        for (int b = 1; b <= plan->servers; b++) {
            if (a != b) {
                write_usual_route(plan, a, b, out);
            }
        }
    }
    text_append(out, "auth *->* spf pass\nauth *->* dkim pass\nauth *->* dmarc none\n");
}

static void write_way_trouble(const struct plan *plan, const struct piece *piece, int a, int b,
                              struct text *out)
{
    if (piece->kind == PIECE_ROUTE) {
        text_format(out, "at %ds route mx%d->mx%d mx%d third mx%d\nat %ds ", piece->from, a, b, a,
                    b, piece->to);
        write_usual_route(plan, a, b, out);
    } else if (piece->kind == PIECE_AUTH) {
        const char *usual = piece->method == AUTH_DMARC ? "none" : "pass";
        const char *method = auth_method_name(piece->method);
        text_format(out, "at %ds auth mx%d->mx%d %s %s\n", piece->from, a, b, method,
                    piece->result == AUTH_ABSENT ? "absent" : auth_result_name(piece->result));
        text_format(out, "at %ds auth mx%d->mx%d %s %s\n", piece->to, a, b, method, usual);
    } else {
        text_format(out, "at %ds folder mx%d->mx%d Junk\n", piece->from, a, b);
        text_format(out, "at %ds folder mx%d->mx%d INBOX\n", piece->to, a, b);
    }
}

static void write_path_trouble(const struct piece *piece, int a, int b, struct text *out)
{
    const char *arrow = piece->kind == PIECE_CUT_PAIR ? "<->" : "->";
    switch (piece->kind) {
    case PIECE_CUT:
    case PIECE_CUT_PAIR:
        text_format(out, "at %ds cut mx%d%smx%d\n", piece->from, a, arrow, b);
        text_format(out, "at %ds mend mx%d%smx%d\n", piece->to, a, arrow, b);
        break;
    case PIECE_DELAY:
        text_format(out, "at %ds delay mx%d->mx%d %ds\n", piece->from, a, b, piece->amount);
        text_format(out, "at %ds delay mx%d->mx%d 1s\n", piece->to, a, b);
        break;
    case PIECE_REFUSE:
        text_format(out, "at %ds refuse mx%d->mx%d %d\n", piece->from, a, b, piece->amount);
        break;
    case PIECE_BOUNCE:
        text_format(out, "at %ds bounce mx%d->mx%d %d\n", piece->from, a, b, piece->amount);
        break;
    default:
        text_format(out, "at %ds lose mx%d->mx%d %d\n", piece->from, a, b, piece->amount);
    }
}

static void write_window(const struct piece *piece, size_t number, struct text *out)
{
    text_format(out, "at %ds maintenance w-%zu mx%d for %ds in %ds %son mx%d\n", piece->announced,
                number, piece->server + 1, piece->to - piece->from, piece->from - piece->announced,
                piece->emergency ? "emergency " : "", piece->by + 1);
    for (int i = 0; i < piece->change_count; i++) {
        const struct change *change = &piece->changes[i];
        if (change->kind == CHANGE_EXTEND) {
            text_format(out, "at %ds extend w-%zu %ds on mx%d\n", change->at, number, change->more,
                        change->by + 1);
        } else {
            const char *verb = change->kind == CHANGE_END ? "end" : "cancel";
            text_format(out, "at %ds %s w-%zu on mx%d\n", change->at, verb, number, change->by + 1);
        }
    }
}

void plan_write(const struct plan *plan, struct text *out)
{
    text_append(out, "servers");
    for (int i = 1; i <= plan->servers; i++) {
        text_format(out, " mx%d", i);
    }
    text_format(out, "\nseed %" PRIu64 "\nset interval %ds\n", plan->seed, plan->interval);
    text_format(out, "delay *->* 100ms to %ds\n", plan->delay);
    text_format(out, "set width %ds\nset saved %d\nrun %ds\n", plan->width, plan->saved,
                plan->length);
    text_append(out, plan->http ? "agent *<->*\n" : "");
    write_usual_ways(plan, out);
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *piece = &plan->pieces[i];
        if (piece->dropped) {
            continue;
        }
        if (piece->kind <= PIECE_NOISE_LAST) {
            write_noise(piece, piece->server + 1, piece->other + 1, out);
        } else if (piece->kind == PIECE_WINDOW) {
            write_window(piece, i, out);
        } else if (piece_is_of_way(piece)) {
            write_way_trouble(plan, piece, piece->server + 1, piece->other + 1, out);
        } else if (piece_is_of_path(piece)) {
            write_path_trouble(piece, piece->server + 1, piece->other + 1, out);
        } else {
            write_server_trouble(piece, piece->server + 1, out);
        }
    }
}
