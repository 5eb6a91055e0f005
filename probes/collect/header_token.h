// The words and comments of a structured header (RFC 5322 section 3.2). Pure; nothing is copied,
// and comments, which nest, are counted and not recursed into.
#ifndef MAILFLOW_PROBES_COLLECT_HEADER_TOKEN_H
#define MAILFLOW_PROBES_COLLECT_HEADER_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_COMMENT, TOKEN_SPECIAL };

// Of a comment or a quoted string: what stands inside, as it stands.
struct token {
    enum token_kind kind;
    const char *from;
    size_t length;
};

// `specials`: bytes that are a token each; what else stands between blanks is a word.
struct token_scanner {
    const char *at;
    const char *end;
    const char *specials;
};

// A comment or quoted string that is not closed goes to the end, and so does a comment that nests
// too deep.
struct token token_next(struct token_scanner *scanner);

bool token_is(const struct token *token, const char *word); // without case
bool token_is_special(const struct token *token, char special);

// As a plain text (probes/trace.h): a fold is one blank, what is not printable ASCII a question
// mark. Cut where it does not fit.
void token_copy_plain(char *to, size_t size, const struct token *token);

#endif
