#include "ctl/bounce_words.h"

#include "base/answer.h"
#include "ctl/format.h"

static void append_member(const json_t *bounce, const char *name, const char *before,
                          struct text *out)
{
    const char *words = answer_text(bounce, name);
    if (words[0] != '\0') {
        text_append(out, before);
        format_text(words, out);
    }
}

void bounce_reason(const json_t *bounce, struct text *out)
{
    append_member(bounce, "status", " ", out);
    append_member(bounce, "remote_mta", ", says ", out);
    append_member(bounce, "diagnostic", ": ", out);
}

bool bounce_words(const json_t *bounce, struct text *out)
{
    struct walltime reported;
    if (!json_is_object(bounce)) {
        return false;
    }
    if (answer_time(bounce, "reported", &reported)) {
        format_date(reported, out);
        text_append(out, ", ");
    }
    format_text(answer_text(bounce, "action"), out);
    bounce_reason(bounce, out);
    return true;
}
