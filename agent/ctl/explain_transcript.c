#include "ctl/explain_transcript.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/answer.h"
#include "ctl/format.h"

enum { LINE_SIZE = 1024 };

// As in the RFCs: who says it stands before it. What is no line of SMTP stands in brackets.
static void append_line(const json_t *line, struct text *out)
{
    const char *from = answer_text(line, "from");
    bool client = strcmp(from, "client") == 0;
    bool server = strcmp(from, "server") == 0;
    text_append(out, client ? "C: " : server ? "S: " : "[");
    format_text(answer_text(line, "text"), out);
    text_append(out, client || server ? "" : "]");
}

void explain_transcript(const json_t *probe)
{
    const json_t *lines = json_object_get(probe, "transcript");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        char words[LINE_SIZE];
        struct text text = TEXT_OVER(words);
        struct span at;
        if (answer_span(line, "at_seconds", &at)) {
            text_format(&text, "%8.3f s  ", span_seconds(at));
        }
        append_line(line, &text);
        printf("  %-9s %s\n", i == 0 ? "said" : "", words);
    }
}
