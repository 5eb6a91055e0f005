// Preloaded into a prober it takes its memory away: so many allocations after it has read its first
// job (NO_MEMORY_AFTER), no further one is granted.
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static bool counting;
static long left; // how many are granted still

static bool granted(void)
{
    if (!counting || left > 0) {
        left -= counting;
        return true;
    }
    errno = ENOMEM;
    return false;
}

ssize_t read(int descriptor, void *bytes, size_t size)
{
    ssize_t (*real)(int descriptor, void *bytes, size_t size);
    *(void **)&real = dlsym(RTLD_NEXT, "read");
    ssize_t got = real(descriptor, bytes, size);
    const char *after = getenv("NO_MEMORY_AFTER");
    if (descriptor == STDIN_FILENO && got > 0 && after != NULL && !counting) {
        left = strtol(after, NULL, 10);
        counting = true;
    }
    return got;
}

void *malloc(size_t size)
{
    return granted() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
    return granted() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *memory, size_t size)
{
    return granted() ? __libc_realloc(memory, size) : NULL;
}
