#include "shell/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static const char CORRUPT_NOTE[] = "corrupt\n";

// "PID\n", and CORRUPT_NOTE after it.
enum { LOCK_TEXT_SIZE = 64, LOCK_PATIENCE_MS = 2000, LOCK_PAUSE_MS = 10 };

static bool path_join(char path[PATH_MAX], const char *state_dir, const char *name,
                      struct error *error)
{
    struct text text = text_over(path, PATH_MAX);
    text_format(&text, "%s/%s", state_dir, name);
    return !text.truncated ||
           error_set(error, "state directory %.80s...: name too long", state_dir);
}

bool store_files_find(const char *state_dir, char ledger[PATH_MAX], struct error *error)
{
    struct stat status;
    // Made, if only it is missing: as a service the agent finds it, made by systemd.
    if (stat(state_dir, &status) != 0 &&
        (errno != ENOENT || mkdir(state_dir, 0700) != 0 || stat(state_dir, &status) != 0)) {
        return error_set(error, "state directory %s: %s; create it for the agent's user", state_dir,
                         strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return error_set(error, "state directory %s is not a directory", state_dir);
    }
    if (access(state_dir, W_OK | X_OK) != 0) {
        return error_set(error, "state directory %s: %s; the agent's user must be able to write it",
                         state_dir, strerror(errno));
    }
    return path_join(ledger, state_dir, "ledger.db", error);
}

static void read_lock_text(int lock, char text[LOCK_TEXT_SIZE])
{
    ssize_t length = pread(lock, text, LOCK_TEXT_SIZE - 1, 0);
    text[length > 0 ? length : 0] = '\0';
}

static bool lock_refused(const char *state_dir, int lock, struct error *error)
{
    char text[LOCK_TEXT_SIZE];
    if (errno != EWOULDBLOCK) {
        return error_set(error, "state directory %s: cannot lock it: %s", state_dir,
                         strerror(errno));
    }
    read_lock_text(lock, text);
    return error_set(error, "state directory %s is in use by another agent (pid %ld)", state_dir,
                     strtol(text, NULL, 10));
}

// A prober that is just being started has the lock, too, until it runs its own program: of an agent
// that was killed amid that, one outlives it for a moment.
static bool lock_within_patience(int lock)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    for (int waited = 0; flock(lock, LOCK_EX | LOCK_NB) != 0; waited += LOCK_PAUSE_MS) {
        if (errno != EWOULDBLOCK || waited >= LOCK_PATIENCE_MS) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return true;
}

int store_lock_take(const char *state_dir, struct store_past *past, struct error *error)
{
    char path[PATH_MAX], text[LOCK_TEXT_SIZE];
    if (!path_join(path, state_dir, "ledger.lock", error)) {
        return -1;
    }
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        error_set(error, "lock file %s: %s", path, strerror(errno));
        return -1;
    }
    if (!lock_within_patience(lock)) {
        lock_refused(state_dir, lock, error);
        close(lock);
        return -1;
    }
    read_lock_text(lock, text);
    *past = (struct store_past){text[0] != '\0', strstr(text, CORRUPT_NOTE) != NULL};
    return lock;
}

// What is noted informs the next start and nobody waits for it: on a disk that takes no more it is
// left out.
static void write_lock_text(int lock, const char *note)
{
    char text[LOCK_TEXT_SIZE];
    int length = snprintf(text, sizeof text, "%ld\n%s", (long)getpid(), note);
    if (pwrite(lock, text, (size_t)length, 0) == length) {
        (void)!ftruncate(lock, length);
    }
}

void store_lock_note_corrupt(int lock)
{
    write_lock_text(lock, CORRUPT_NOTE);
}

void store_lock_note_holder(int lock)
{
    write_lock_text(lock, "");
}

bool store_files_create(const char *ledger, struct error *error)
{
    int file = open(ledger, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return errno == EEXIST || error_set(error, "ledger %s: %s", ledger, strerror(errno));
    }
    close(file);
    return true;
}

bool store_files_is_empty(const char *ledger)
{
    struct stat status;
    return stat(ledger, &status) == 0 && status.st_size == 0;
}

static bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

// A name for the time, or for the first second after it that is free: a ledger kept earlier stays.
static bool choose_kept_name(const char *ledger, struct walltime now, char kept[PATH_MAX],
                             struct error *error)
{
    struct text text;
    do {
        char stamp[32];
        time_t seconds = (time_t)(now.ns / SPAN_SECONDS(1).ns);
        struct tm parts;
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &parts));
        text = text_over(kept, PATH_MAX);
        text_format(&text, "%s.corrupt-%s", ledger, stamp);
        now = walltime_add(now, SPAN_SECONDS(1));
    } while (!text.truncated && file_exists(kept));
    return !text.truncated || error_set(error, "ledger %s: name too long to keep it aside", ledger);
}

static bool rename_beside(const char *ledger, const char *kept, const char *suffix,
                          struct error *error)
{
    char from[PATH_MAX + 8], to[PATH_MAX + 8];
    snprintf(from, sizeof from, "%s%s", ledger, suffix);
    snprintf(to, sizeof to, "%s%s", kept, suffix);
    return rename(from, to) == 0 || errno == ENOENT ||
           error_set(error, "ledger %s is corrupt and cannot be renamed to %s: %s", from, to,
                     strerror(errno));
}

bool store_files_keep_aside(const char *ledger, struct walltime now, char *kept, size_t kept_size,
                            struct error *error)
{
    char name[PATH_MAX];
    // The log first: SQLite deletes a log that it finds without its ledger.
    bool done =
        choose_kept_name(ledger, now, name, error) && rename_beside(ledger, name, "-wal", error) &&
        rename_beside(ledger, name, "-shm", error) && rename_beside(ledger, name, "", error);
    if (done) {
        text_copy(kept, kept_size, name);
    }
    return done;
}

static int64_t file_bytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : 0;
}

int64_t store_files_ledger_bytes(const char *ledger)
{
    return file_bytes(ledger);
}

int64_t store_files_log_bytes(const char *ledger)
{
    char log[PATH_MAX + 8];
    snprintf(log, sizeof log, "%s-wal", ledger);
    return file_bytes(log);
}
