#include "shell/page_spark.h"

#include <math.h>

enum { WIDTH = 126, HEIGHT = 24, MARGIN = 3 };

// At least one decade, so that what is steady looks so.
struct scale {
    double least;
    double range;
};

static double logarithm(const struct decision *decision)
{
    return log10(decision->latency > 1e-4F ? (double)decision->latency : 1e-4);
}

static struct scale scale_of(const struct decisions *decisions, size_t count)
{
    double least = INFINITY, greatest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        double value = logarithm(decisions_get(decisions, i));
        least = fmin(least, value);
        greatest = fmax(greatest, value);
    }
    double range = fmax(greatest - least, 1);
    return (struct scale){(least + greatest - range) / 2, range};
}

// Newest on the right.
static double x_of(size_t place)
{
    return WIDTH - MARGIN - (double)place * (WIDTH - 2 * MARGIN) / (double)(DECISIONS_KEPT - 1);
}

static double y_of(const struct scale *scale, const struct decision *decision)
{
    return HEIGHT - MARGIN -
           (logarithm(decision) - scale->least) / scale->range * (HEIGHT - 2 * MARGIN);
}

void page_append_spark(struct text *out, const struct decisions *decisions)
{
    size_t count = decisions->count < decisions->room ? decisions->count : decisions->room;
    if (count < 2) {
        return;
    }
    struct scale scale = scale_of(decisions, count);
    text_format(out, "<svg class=\"spark\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\"><path d=\"",
                WIDTH, HEIGHT);
    for (size_t i = 0; i < count; i++) {
        const struct decision *decision = decisions_get(decisions, i);
        text_format(out, "%s%.0f %.1f", i == 0 ? "M" : " ", x_of(i), y_of(&scale, decision));
    }
    text_append(out, "\"/>");
    for (size_t i = 0; i < count; i++) {
        const struct decision *decision = decisions_get(decisions, i);
        if (decision->verdict != VERDICT_ON_TIME) {
            text_format(out, "<circle class=\"%s\" cx=\"%.0f\" cy=\"%.1f\" r=\"2\"/>",
                        decision->verdict == VERDICT_LATE ? "warn" : "calm", x_of(i),
                        y_of(&scale, decision));
        }
    }
    text_append(out, "</svg>");
}
