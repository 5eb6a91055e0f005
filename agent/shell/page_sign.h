// The tones of the page: good, warning, bad, calm (maintenance) and soft (not known). A colour is
// never the only sign: each tone has a shape, too, and stands beside a word.
#ifndef MAILFLOW_SHELL_PAGE_SIGN_H
#define MAILFLOW_SHELL_PAGE_SIGN_H

#include "base/text.h"
#include "core/core.h"

enum page_tone { TONE_GOOD, TONE_WARN, TONE_BAD, TONE_CALM, TONE_SOFT, TONES };

// The class by which the style sheet colours it.
const char *page_tone_class(enum page_tone tone);

enum page_tone page_tone_of_path(enum path_state state);
enum page_tone page_tone_of_verdict(enum verdict verdict);
// "on time", or the verdict's name.
const char *page_word_of_verdict(enum verdict verdict);
enum page_tone page_tone_of_incident(const struct incident *incident);

// The drawings of all shapes, once in each page; the signs refer to them.
void page_append_shapes(struct text *out);

// The shape beside a word, and by itself with the word for those who do not see it.
void page_append_sign(struct text *out, enum page_tone tone);
void page_append_named_sign(struct text *out, enum page_tone tone, const char *word);

// Shape and word in the tone's colour.
void page_append_state(struct text *out, enum page_tone tone, const char *word);

#endif
