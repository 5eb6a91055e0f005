#include "shell/page_fact.h"

#include "base/answer.h"
#include "shell/page_cell.h"
#include "shell/page_text.h"

void page_facts_begin(struct text *out, const char *title)
{
    text_format(out, "<section>\n<h2>%s</h2>\n<dl>\n", title);
}

void page_facts_end(struct text *out)
{
    text_append(out, "</dl>\n</section>\n");
}

void page_append_cut(struct text *out, const char *value)
{
    char shown[FACT_BYTES];
    bool whole = text_copy(shown, sizeof shown, value);
    page_append_escaped(out, shown);
    text_append(out, whole ? "" : " &hellip;");
}

void page_short_cell(struct text *out, const char *label, const char *class, const char *value)
{
    char shown[FACT_SHORT];
    text_copy(shown, sizeof shown, value);
    page_cell(out, label, class, shown);
}

void page_fact_begin(struct text *out, const char *name)
{
    text_format(out, "<div><dt>%s</dt><dd class=\"words\">", name);
}

void page_fact_end(struct text *out)
{
    text_append(out, "</dd></div>\n");
}

void page_fact(struct text *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        page_fact_begin(out, name);
        page_append_cut(out, value);
        page_fact_end(out);
    }
}

void page_fact_time(struct text *out, const char *name, const json_t *object, const char *member,
                    struct walltime now)
{
    struct walltime at;
    if (answer_time(object, member, &at)) {
        page_fact_begin(out, name);
        page_append_clock(out, at, now, 3);
        page_fact_end(out);
    }
}

void page_fact_span(struct text *out, const char *name, const json_t *object, const char *member,
                    const char *error_member)
{
    struct span of, error;
    if (!answer_span(object, member, &of) || of.ns == 0) {
        return;
    }
    page_fact_begin(out, name);
    page_append_span(out, of);
    if (answer_span(object, error_member, &error)) {
        text_append(out, " <span class=\"soft\">&plusmn; ");
        page_append_span(out, error);
        text_append(out, "</span>");
    }
    page_fact_end(out);
}
