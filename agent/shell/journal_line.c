#include "shell/journal_line.h"

#include "base/clock.h"

#define PAUSE SPAN_MINUTES(1)

void journal_put_text(struct text *line, const char *key, const char *value)
{
    text_format(line, " %s=", key);
    text_append_value(line, value);
}

void journal_put_seconds(struct text *line, const char *key, struct span value)
{
    text_format(line, " %s=", key);
    span_append_seconds(value, line);
}

void journal_put_time(struct text *line, const char *key, struct walltime value)
{
    text_format(line, " %s=", key);
    walltime_append_seconds(value, line);
}

bool journal_passes(struct journal_pause *pause, unsigned *unsaid)
{
    struct instant now = clock_now().instant;
    if (!instant_reached(now, pause->until)) {
        pause->meanwhile++;
        return false;
    }
    *unsaid = pause->meanwhile;
    *pause = (struct journal_pause){.until = instant_add(now, PAUSE)};
    return true;
}
