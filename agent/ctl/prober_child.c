#include "ctl/prober_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/interrupt.h"
#include "ctl/progress.h"

#define GRACE SPAN_SECONDS(2) // beyond the deadline that a prober keeps, and for cleaning up

static char *ENVIRONMENT[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};

static int spawn(struct prober_child *child, const char *program, const int input[2],
                 const int output[2])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char *arguments[] = {(char *)program, NULL};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failure = posix_spawn(&child->pid, program, &actions, &attributes, arguments, ENVIRONMENT);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

bool prober_child_start(struct prober_child *child, const char *folder, const char *name,
                        struct error *error)
{
    char program[PATH_MAX];
    struct text path = TEXT_OVER(program);
    int input[2], output[2];
    *child = (struct prober_child){.pid = 0};
    text_copy(child->name, sizeof child->name, name);
    text_format(&path, "%s/%s", folder, name);
    if (pipe2(input, O_CLOEXEC) != 0) {
        return error_set(error, "no pipe: %s", strerror(errno));
    }
    if (pipe2(output, O_CLOEXEC) != 0) {
        close(input[0]);
        close(input[1]);
        return error_set(error, "no pipe: %s", strerror(errno));
    }
    signal(SIGPIPE, SIG_IGN); // one that has ended says so when it is read
    int failure = spawn(child, program, input, output);
    close(input[0]);
    close(output[1]);
    child->input = input[1];
    child->output = output[0];
    if (failure != 0) {
        child->pid = 0;
        close(child->input);
        close(child->output);
        return error_set(error, "cannot start %s: %s", program, strerror(failure));
    }
    return true;
}

static void wipe(char *line)
{
    explicit_bzero(line, strlen(line));
    free(line);
}

void prober_child_write(struct prober_child *child, char *line)
{
    size_t length = strlen(line);
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(child->input, line + done, length - done);
        if (wrote < 0 && errno != EINTR) {
            break;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    wipe(line);
}

static bool take_line(struct prober_child *child, const char **line, size_t *length)
{
    char *begin = child->bytes + child->taken;
    char *end = memchr(begin, '\n', child->length - child->taken);
    if (end == NULL) {
        memmove(child->bytes, begin, child->length - child->taken);
        child->length -= child->taken;
        child->taken = 0;
        return false;
    }
    *line = begin;
    *length = (size_t)(end - begin);
    child->taken += *length + 1;
    return true;
}

static enum wait_end await_output(const struct prober_child *child, struct instant deadline)
{
    char what[sizeof child->name + 8];
    struct text text = TEXT_OVER(what);
    text_format(&text, "for %s", child->name);
    struct progress progress = progress_begin(what);
    enum wait_end end = WAIT_TIMEOUT;
    while (end == WAIT_TIMEOUT && !instant_reached(clock_now().instant, deadline)) {
        struct instant shown = instant_add(clock_now().instant, SPAN_SECONDS(1));
        end = interrupt_wait(child->output, instant_reached(deadline, shown) ? shown : deadline);
        progress_show(&progress);
    }
    progress_clear(&progress);
    return end;
}

bool prober_child_read(struct prober_child *child, struct instant deadline, const char **line,
                       size_t *length, struct error *error)
{
    while (!take_line(child, line, length)) {
        if (child->length == sizeof child->bytes) {
            return error_set(error, "%s says too much", child->name);
        }
        enum wait_end end = await_output(child, deadline);
        if (end == WAIT_INTERRUPTED) {
            return error_set(error, "interrupted");
        }
        if (end == WAIT_TIMEOUT) {
            return error_set(error, "no answer in time");
        }
        ssize_t got =
            read(child->output, child->bytes + child->length, sizeof child->bytes - child->length);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return error_set(error, "%s has ended unexpectedly", child->name);
        }
        child->length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

void prober_child_stop(struct prober_child *child)
{
    if (child->pid == 0) {
        return;
    }
    close(child->input);
    close(child->output);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    child->pid = 0;
}

// When we are interrupted, a command and what it has started must end, too: that is when nobody
// holds the other end of its output any more. What it still says is not waited for.
static void let_clean_up(struct prober_child *child)
{
    struct pollfd its_end = {.fd = child->output, .events = 0}; // POLLHUP is always told
    kill(child->pid, SIGTERM);
    poll(&its_end, 1, (int)(GRACE.ns / 1000000));
}

bool prober_child_ask(struct prober_child *child, const char *folder, const char *name, char *job,
                      struct instant deadline, const char **line, size_t *length,
                      struct error *error)
{
    if (!prober_child_start(child, folder, name, error)) {
        wipe(job);
        return false;
    }
    prober_child_write(child, job);
    bool told = prober_child_read(child, instant_add(deadline, GRACE), line, length, error);
    if (!told) {
        let_clean_up(child);
    }
    prober_child_stop(child);
    return told;
}
