#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool error_set(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    char prefix[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);

    struct error inner = *error;
    snprintf(error->message, sizeof error->message, "%s: %.*s", prefix,
             (int)(sizeof error->message - sizeof prefix - 3), inner.message);
    return false;
}

void *memory_checked(void *pointer)
{
    if (pointer == NULL) {
        fputs("mailflow: out of memory\n", stderr);
        abort();
    }
    return pointer;
}
