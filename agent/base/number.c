#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool number_parse(const char *text, int64_t least, int64_t most, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    // strtoll would also take blanks and a sign in front.
    if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0 || value < least ||
        value > most) {
        return false;
    }
    *out = value;
    return true;
}
