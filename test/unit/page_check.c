#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "page_check.h"

void page_has(const char *page, const char *part)
{
    if (strstr(page, part) == NULL) {
        fail_msg("%s is not in the page", part);
    }
}

static bool is_void(const char *name, size_t length)
{
    return (length == 4 && (strncmp(name, "meta", 4) == 0 || strncmp(name, "link", 4) == 0));
}

static void check_nesting(const char *page)
{
    const char *open[64];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at != NULL; at = strchr(at + 1, '<')) {
        bool closing = at[1] == '/';
        const char *name = at + (closing ? 2 : 1), *end = strchr(at, '>');
        size_t length = strcspn(name, " >/");
        if (*name == '!' || is_void(name, length) || (!closing && end[-1] == '/')) {
            continue;
        }
        if (closing) {
            assert_true(depth > 0);
            depth--;
            if (strncmp(open[depth], name, length) != 0) {
                fail_msg("%.40s is closed by %.20s", open[depth], name);
            }
        } else {
            assert_true(depth < 64);
            open[depth++] = name;
        }
    }
    assert_int_equal(depth, 0);
}

// Every script is one of ours from outside, every attribute is quoted, no byte is a control byte,
// no character turns what is read.
static void check_harmless(const char *page)
{
    static const char *const FORBIDDEN[] = {"<style",   " style=",     " onclick=", " onload=",
                                            "<script>", "javascript:", "<iframe",   "<img",
                                            "<form",    "\u202E",      "\u2028"};
    for (size_t i = 0; i < sizeof FORBIDDEN / sizeof FORBIDDEN[0]; i++) {
        if (strstr(page, FORBIDDEN[i]) != NULL) {
            fail_msg("%s is in the page", FORBIDDEN[i]);
        }
    }
    for (const char *at = strstr(page, "<script"); at != NULL; at = strstr(at + 1, "<script")) {
        assert_memory_equal(at, "<script src=\"/assets/", 21);
    }
    for (const char *at = page; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= 0x20 || *at == '\n');
    }
}

void page_check(const char *page)
{
    check_nesting(page);
    check_harmless(page);
}
