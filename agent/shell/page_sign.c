#include "shell/page_sign.h"

#include "shell/page_text.h"

static const struct {
    const char *class;
    const char *shape;
} LOOKS[TONES] = {
    [TONE_GOOD] = {"good", "<circle cx=\"8\" cy=\"8\" r=\"5\"/>"},
    [TONE_WARN] = {"warn", "<path d=\"M8 2 15 14H1z\"/>"},
    [TONE_BAD] = {"bad", "<path d=\"M8 1 15 8 8 15 1 8z\"/>"},
    [TONE_CALM] = {"calm", "<path d=\"M3 3h4v10H3zM9 3h4v10H9z\"/>"},
    [TONE_SOFT] = {"soft", "<path d=\"M8 2a6 6 0 1 0 .01 0zm0 2.4a3.6 3.6 0 1 1-.01 0z\"/>"},
};

const char *page_tone_class(enum page_tone tone)
{
    return LOOKS[tone].class;
}

enum page_tone page_tone_of_path(enum path_state state)
{
    static const enum page_tone OF[PATH_STATES] = {
        [PATH_OK] = TONE_GOOD,      [PATH_SLOW] = TONE_WARN,        [PATH_SILENT] = TONE_BAD,
        [PATH_REFUSED] = TONE_BAD,  [PATH_MAINTENANCE] = TONE_CALM, [PATH_RECOVERING] = TONE_CALM,
        [PATH_UNKNOWN] = TONE_SOFT,
    };
    return OF[state];
}

enum page_tone page_tone_of_verdict(enum verdict verdict)
{
    static const enum page_tone OF[VERDICTS] = {
        [VERDICT_OPEN] = TONE_SOFT,    [VERDICT_ON_TIME] = TONE_GOOD, [VERDICT_LATE] = TONE_WARN,
        [VERDICT_EXCUSED] = TONE_CALM, [VERDICT_DRAINED] = TONE_CALM, [VERDICT_LOST] = TONE_BAD,
        [VERDICT_BOUNCED] = TONE_BAD,
    };
    return OF[verdict];
}

const char *page_word_of_verdict(enum verdict verdict)
{
    return verdict == VERDICT_ON_TIME ? "on time" : verdict_name(verdict);
}

enum page_tone page_tone_of_incident(const struct incident *incident)
{
    bool held_back = !incident->notified && incident->suppressed_by[0] != '\0';
    return held_back ? TONE_CALM : incident->severity == SEVERITY_CRITICAL ? TONE_BAD : TONE_WARN;
}

void page_append_shapes(struct text *out)
{
    text_append(out, "<svg class=\"shapes\" aria-hidden=\"true\">");
    for (int tone = 0; tone < TONES; tone++) {
        text_format(out, "<symbol id=\"%s\" viewBox=\"0 0 16 16\">%s</symbol>", LOOKS[tone].class,
                    LOOKS[tone].shape);
    }
    text_append(out, "</svg>\n");
}

void page_append_sign(struct text *out, enum page_tone tone)
{
    text_format(out, "<svg class=\"sign %s\" aria-hidden=\"true\"><use href=\"#%s\"/></svg>",
                LOOKS[tone].class, LOOKS[tone].class);
}

void page_append_named_sign(struct text *out, enum page_tone tone, const char *word)
{
    text_format(out,
                "<svg class=\"sign %s\" role=\"img\" aria-label=\"%s\"><use href=\"#%s\"/></svg>",
                LOOKS[tone].class, word, LOOKS[tone].class);
}

void page_append_state(struct text *out, enum page_tone tone, const char *word)
{
    text_format(out, "<span class=\"state %s\">", LOOKS[tone].class);
    page_append_sign(out, tone);
    page_append_escaped(out, word);
    text_append(out, "</span>");
}
