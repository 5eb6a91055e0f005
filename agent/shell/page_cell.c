#include "shell/page_cell.h"

#include "shell/page_text.h"

void page_begin_cell(struct text *out, const char *label, const char *class)
{
    text_format(out, "<td data-label=\"%s\"%s%s%s>", label, class[0] == '\0' ? "" : " class=\"",
                class, class[0] == '\0' ? "" : "\"");
}

void page_row_head(struct text *out, const char *value)
{
    text_append(out, "<th scope=\"row\">");
    page_append_escaped(out, value);
    text_append(out, "</th>");
}

void page_cell(struct text *out, const char *label, const char *class, const char *value)
{
    page_begin_cell(out, label, class);
    page_append_escaped(out, value);
    text_append(out, "</td>");
}

void page_time_cell(struct text *out, const char *label, struct walltime at, struct walltime now)
{
    page_begin_cell(out, label, "");
    page_append_time(out, at, now);
    text_append(out, "</td>");
}

void page_span_cell(struct text *out, const char *label, bool known, struct span of)
{
    page_begin_cell(out, label, "number");
    if (known) {
        page_append_span(out, of);
    } else {
        text_append(out, "&ndash;");
    }
    text_append(out, "</td>");
}
