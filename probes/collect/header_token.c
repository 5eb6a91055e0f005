#include "probes/collect/header_token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NESTED_MAXIMUM = 64 };

static bool is_special(const struct token_scanner *scanner, char byte)
{
    return byte != '\0' && strchr(scanner->specials, byte) != NULL;
}

// From behind the parenthesis.
static struct token take_comment(struct token_scanner *scanner)
{
    int depth = 1;
    const char *from = scanner->at, *at = from;
    for (; at < scanner->end; at++) {
        if (*at == '\\' && at + 1 < scanner->end) {
            at++;
        } else if (*at == '(' && ++depth > NESTED_MAXIMUM) {
            at = scanner->end;
            break;
        } else if (*at == ')' && --depth == 0) {
            break;
        }
    }
    scanner->at = at < scanner->end ? at + 1 : scanner->end;
    return (struct token){TOKEN_COMMENT, from, (size_t)(at - from)};
}

static struct token take_quoted(struct token_scanner *scanner)
{
    const char *from = scanner->at, *at = from;
    while (at < scanner->end && *at != '"') {
        at += *at == '\\' && at + 1 < scanner->end ? 2 : 1;
    }
    scanner->at = at < scanner->end ? at + 1 : scanner->end;
    return (struct token){TOKEN_WORD, from, (size_t)(at - from)};
}

static struct token take_word(struct token_scanner *scanner)
{
    const char *from = scanner->at;
    while (scanner->at < scanner->end && !isspace((unsigned char)*scanner->at) &&
           *scanner->at != '(' && !is_special(scanner, *scanner->at)) {
        scanner->at++;
    }
    return (struct token){TOKEN_WORD, from, (size_t)(scanner->at - from)};
}

struct token token_next(struct token_scanner *scanner)
{
    while (scanner->at < scanner->end && isspace((unsigned char)*scanner->at)) {
        scanner->at++;
    }
    if (scanner->at == scanner->end) {
        return (struct token){TOKEN_END, scanner->end, 0};
    }
    if (is_special(scanner, *scanner->at)) {
        return (struct token){TOKEN_SPECIAL, scanner->at++, 1};
    }
    if (*scanner->at == '(') {
        scanner->at++;
        return take_comment(scanner);
    }
    if (*scanner->at == '"') {
        scanner->at++;
        return take_quoted(scanner);
    }
    return take_word(scanner);
}

bool token_is(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && strlen(word) == token->length &&
           strncasecmp(word, token->from, token->length) == 0;
}

bool token_is_special(const struct token *token, char special)
{
    return token->kind == TOKEN_SPECIAL && *token->from == special;
}

static char plain_byte(unsigned char byte)
{
    if (byte < 0x20 || byte >= 0x7F) {
        return '?';
    }
    return (char)(byte == '"' ? '\'' : byte == '\\' ? '/' : byte);
}

void token_copy_plain(char *to, size_t size, const struct token *token)
{
    size_t count = 0;
    for (size_t i = 0; i < token->length && count + 1 < size; i++) {
        unsigned char byte = (unsigned char)token->from[i];
        bool blank = isspace(byte) != 0;
        if (!blank || (count > 0 && to[count - 1] != ' ')) {
            to[count++] = blank ? ' ' : plain_byte(byte);
        }
    }
    while (count > 0 && to[count - 1] == ' ') {
        count--;
    }
    to[count] = '\0';
}
