#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const struct mesh_keys FUZZ_KEYS = {
    .keys = {{.id = "k1", .secret = "the key of this mesh", .secret_length = 20}}, .count = 1};

char *fuzz_text(const uint8_t *bytes, size_t size)
{
    return memory_checked(strndup((const char *)bytes, size));
}

char *fuzz_bytes(const uint8_t *bytes, size_t size)
{
    char *copy = memory_checked(malloc(size > 0 ? size : 1));
    memcpy(copy, bytes, size);
    return copy;
}
