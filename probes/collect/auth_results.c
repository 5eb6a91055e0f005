#include "probes/collect/auth_results.h"

#include <string.h>

#include "base/text.h"
#include "probes/collect/header_token.h"

enum { NAME_SIZE = 16 };

// One result of one method, with what is said beside it.
struct finding {
    bool known; // both are
    enum auth_method method;
    enum auth_result result;
    char reason[AUTH_REASON_SIZE];
};

// A name that does not fit is none of those that are known.
static void copy_name(char name[NAME_SIZE], const struct token *token)
{
    if (token->kind == TOKEN_WORD && token->length < NAME_SIZE) {
        token_copy_plain(name, NAME_SIZE, token);
    } else {
        name[0] = '\0';
    }
}

static struct token next_of_weight(struct token_scanner *scanner)
{
    struct token token = token_next(scanner);
    while (token.kind == TOKEN_COMMENT) {
        token = token_next(scanner);
    }
    return token;
}

// method [ "/" version ] "=" result, from its first word on; leaves the next token in *token.
static void read_method(struct token_scanner *scanner, struct token *token, struct finding *out)
{
    char method[NAME_SIZE], result[NAME_SIZE] = "";
    copy_name(method, token);
    *token = next_of_weight(scanner);
    if (token_is_special(token, '/')) {
        next_of_weight(scanner);
        *token = next_of_weight(scanner);
    }
    if (token_is_special(token, '=')) {
        *token = next_of_weight(scanner);
        copy_name(result, token);
        *token = token_next(scanner);
    }
    out->known = auth_method_parse(method, &out->method) && auth_result_parse(result, &out->result);
}

// What stands behind it up to the next semicolon: reason=..., or a comment in its place, and
// properties, which say nothing of the verdict.
static void read_reason(struct token_scanner *scanner, struct token *token, struct finding *out)
{
    char comment[AUTH_REASON_SIZE] = "";
    while (token->kind != TOKEN_END && !token_is_special(token, ';')) {
        bool names_reason = token_is(token, "reason");
        if (token->kind == TOKEN_COMMENT && comment[0] == '\0') {
            token_copy_plain(comment, sizeof comment, token);
        }
        *token = token_next(scanner);
        if (names_reason && token_is_special(token, '=') && out->reason[0] == '\0') {
            *token = token_next(scanner);
            if (token->kind == TOKEN_WORD) {
                token_copy_plain(out->reason, sizeof out->reason, token);
                *token = token_next(scanner);
            }
        }
    }
    if (out->reason[0] == '\0') {
        memcpy(out->reason, comment, sizeof comment);
    }
}

static void keep(const struct finding *finding, struct authentication *out)
{
    enum auth_result *kept = &out->results[finding->method];
    if (finding->known &&
        (*kept == AUTH_ABSENT || (*kept != AUTH_PASS && finding->result == AUTH_PASS))) {
        *kept = finding->result;
        memcpy(out->reasons[finding->method], finding->reason, AUTH_REASON_SIZE);
    }
}

bool auth_results_read(const char *value, size_t length, const char *authserv_id,
                       struct authentication *out)
{
    struct token_scanner scanner = {value, value + length, ";=/"};
    struct token token = next_of_weight(&scanner);
    if (!token_is(&token, authserv_id)) {
        return false;
    }
    *out = (struct authentication){0};
    text_copy(out->authserv_id, sizeof out->authserv_id, authserv_id);
    while (token.kind != TOKEN_END && !token_is_special(&token, ';')) {
        token = token_next(&scanner); // its version
    }
    while (token.kind != TOKEN_END) {
        struct finding finding = {0};
        token = next_of_weight(&scanner);
        if (token.kind != TOKEN_WORD) {
            continue;
        }
        read_method(&scanner, &token, &finding);
        read_reason(&scanner, &token, &finding);
        keep(&finding, out);
    }
    return true;
}
