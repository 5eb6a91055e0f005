#include "probes/token/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/token/leftovers.h"

enum { WORDS_READS_MAXIMUM = 64 }; // of what is left when the command is dead

struct run {
    const struct token_job *job;
    struct command_output *output;
    pid_t pid;
    int ending;  // signalfd of what ends us
    int exited;  // pidfd
    int printed; // standard output, -1 at its end
    int said;    // standard error, likewise
    size_t said_length;
    bool line_ended;
};

bool command_prepare(struct error *error)
{
    const struct rlimit none = {0, 0};
    return (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
            setrlimit(RLIMIT_CORE, &none) == 0) ||
           error_set(error, "cannot prepare: %s", strerror(errno));
}

// ---- in the child, between fork and execve: nothing but system calls ----

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Does not return; what failed goes into the pipe `failed`, which execve closes.
static void become(const char *program, char *const *words, char *const *environment,
                   const int streams[3], int failed)
{
    reset_signals();
    setsid();
    int nothing = open("/dev/null", O_RDONLY);
    bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && nothing >= 0 &&
                 dup2(nothing, STDIN_FILENO) >= 0 && dup2(streams[1], STDOUT_FILENO) >= 0 &&
                 dup2(streams[2], STDERR_FILENO) >= 0 && dup2(failed, STDERR_FILENO + 1) >= 0 &&
                 fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC) == 0 &&
                 close_range(STDERR_FILENO + 2, ~0U, 0) == 0 && chdir("/") == 0;
    if (ready) {
        execve(program, words, environment);
    }
    int reason = errno;
    (void)!write(STDERR_FILENO + 1, &reason, sizeof reason);
    _exit(127);
}

// ---- in the parent ----

static void spawn(struct run *run, const int streams[3], int failed)
{
    char *words[TOKEN_WORDS_MAXIMUM + 1] = {NULL};
    char home[PROBE_PATH_SIZE + 8], credentials[PROBE_PATH_SIZE + 32];
    bool given = run->job->credentials[0] != '\0';
    char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", home,
                           given ? credentials : NULL, NULL};
    for (size_t i = 0; i < run->job->word_count; i++) {
        words[i] = (char *)run->job->words[i];
    }
    snprintf(home, sizeof home, "HOME=%s", run->job->home);
    snprintf(credentials, sizeof credentials, "CREDENTIALS_DIRECTORY=%s", run->job->credentials);
    run->pid = fork();
    if (run->pid == 0) {
        become(run->job->words[0], words, environment, streams, failed);
    }
}

// Why it did not become the command, or 0.
static int read_failure(int failed)
{
    int reason = 0;
    ssize_t got;
    do {
        got = read(failed, &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    return got == sizeof reason ? reason : 0;
}

static void close_one(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
}

static bool start(struct run *run, struct error *error)
{
    int output[2] = {-1, -1}, words[2] = {-1, -1}, failed[2] = {-1, -1};
    bool good = pipe2(output, O_CLOEXEC) == 0 && pipe2(words, O_CLOEXEC) == 0 &&
                pipe2(failed, O_CLOEXEC) == 0;
    int reason = errno;
    if (good) {
        const int streams[3] = {-1, output[1], words[1]};
        spawn(run, streams, failed[1]);
        reason = errno;
    }
    close_one(&output[1]);
    close_one(&words[1]);
    close_one(&failed[1]);
    if (run->pid > 0) {
        reason = read_failure(failed[0]);
        run->exited = pidfd_open(run->pid, 0);
    }
    close_one(&failed[0]);
    run->printed = output[0];
    run->said = words[0];
    if (run->pid <= 0 || reason != 0) {
        return error_set(error, "cannot be run: %s", strerror(reason));
    }
    fcntl(run->printed, F_SETFL, O_NONBLOCK);
    fcntl(run->said, F_SETFL, O_NONBLOCK);
    return run->exited >= 0 || error_set(error, "pidfd_open: %s", strerror(errno));
}

// Keeps the first line and drops the rest.
static void keep_words(struct run *run, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && !run->line_ended; i++) {
        run->line_ended = run->said_length > 0 && (bytes[i] == '\n' || bytes[i] == '\r');
        if (!run->line_ended && run->said_length < COMMAND_WORDS_SIZE - 1 &&
            (run->said_length > 0 || (bytes[i] != '\n' && bytes[i] != '\r'))) {
            run->output->words[run->said_length++] = bytes[i] == '\0' ? '?' : bytes[i];
        }
    }
}

// What there is now, at most one buffer of it; false when there is nothing more.
static bool read_words(struct run *run)
{
    char bytes[4096];
    ssize_t got = run->said < 0 ? 0 : read(run->said, bytes, sizeof bytes);
    if (got > 0) {
        keep_words(run, bytes, (size_t)got);
    } else if (got == 0 || errno != EAGAIN) {
        close_one(&run->said);
    }
    return got > 0;
}

static bool read_output(struct run *run)
{
    struct command_output *output = run->output;
    size_t room = sizeof output->bytes - output->length;
    ssize_t got = run->printed < 0 ? 0 : read(run->printed, output->bytes + output->length, room);
    if (got > 0) {
        output->length += (size_t)got;
    } else if (got == 0 || errno != EAGAIN) {
        close_one(&run->printed);
    }
    return got > 0;
}

static bool is_too_much(const struct run *run, struct error *error)
{
    return run->output->length > COMMAND_OUTPUT_MAXIMUM &&
           !error_set(error, "printed more than %d bytes", COMMAND_OUTPUT_MAXIMUM);
}

enum { EXITED, PRINTED, SAID, SIGNALLED, POLLED };

// Until the command has ended; false with the reason when it is not waited for any longer. Who
// holds its streams after its end is not waited for.
static bool follow(struct run *run, struct error *error)
{
    for (;;) {
        struct pollfd polled[POLLED] = {[EXITED] = {run->exited, POLLIN, 0},
                                        [PRINTED] = {run->printed, POLLIN, 0},
                                        [SAID] = {run->said, POLLIN, 0},
                                        [SIGNALLED] = {run->ending, POLLIN, 0}};
        struct span left = instant_since(run->job->deadline, clock_now().instant);
        if (left.ns <= 0) {
            return error_set(error, "has not ended in time");
        }
        struct timespec wait = {left.ns / 1000000000, left.ns % 1000000000};
        ppoll(polled, POLLED, &wait, NULL);
        if (polled[SIGNALLED].revents != 0) {
            return error_set(error, "was to be ended");
        }
        if (polled[SAID].revents != 0) {
            read_words(run);
        }
        if (polled[PRINTED].revents != 0) {
            read_output(run);
        }
        if (is_too_much(run, error)) {
            return false;
        }
        if (polled[EXITED].revents != 0) {
            return true;
        }
    }
}

// What was written before the end, as far as it fits.
static bool drain(struct run *run, struct error *error)
{
    while (!is_too_much(run, error) && read_output(run)) {
    }
    return !is_too_much(run, error);
}

static bool tell_end(int status, struct error *error)
{
    if (WIFSIGNALED(status)) {
        return error_set(error, "was killed by signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    }
    return WEXITSTATUS(status) == 0 ||
           error_set(error, "ended with status %d", WEXITSTATUS(status));
}

static bool run_to_end(struct run *run, struct error *error)
{
    int status = 0;
    bool good = start(run, error) && follow(run, error);
    if (run->pid > 0) {
        leftovers_kill(run->pid, &status);
        for (int i = 0; i < WORDS_READS_MAXIMUM && read_words(run); i++) {
        }
    }
    return good && drain(run, error) && tell_end(status, error);
}

bool command_run(const struct token_job *job, struct command_output *output, struct error *error)
{
    struct run run = {.job = job, .output = output, .exited = -1, .printed = -1, .said = -1};
    sigset_t ending, before;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, &before);
    run.ending = signalfd(-1, &ending, SFD_CLOEXEC);
    output->length = 0;
    memset(output->words, 0, sizeof output->words);
    bool good = run_to_end(&run, error);
    close_one(&run.ending);
    close_one(&run.exited);
    close_one(&run.printed);
    close_one(&run.said);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return good;
}
