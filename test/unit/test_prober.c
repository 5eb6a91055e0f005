// The confinement of the mail probers: each forbidden act is tried by a child of its own, which
// must die of it; what a mail client needs must go on working.
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "probes/prober.h"
#include "probes/resolve.h"

#if defined(__SANITIZE_ADDRESS__)
static const bool UNDER_SANITIZER = true;
#else
static const bool UNDER_SANITIZER = false;
#endif

enum { WENT_WRONG = 1, WAS_ALLOWED = 2, FINE = 3 };

// How a child ends that confines itself and then does this: an exit code, or minus a signal.
static int confined(int (*act)(void))
{
    pid_t child = fork();
    if (child == 0) {
        const struct prober_limits limits = {.memory_bytes = 512u << 20, .descriptors = 16};
        struct error error;
        prober_begin();
        resolve_warm_up();
        _exit(prober_confine(&limits, &error) ? act() : WENT_WRONG);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_a_program(void)
{
    execl("/bin/true", "true", NULL);
    return WAS_ALLOWED;
}

static int write_a_file(void)
{
    open("/dev/null", O_WRONLY);
    return WAS_ALLOWED;
}

static int create_a_file(void)
{
    open("/tmp/mailflow-test-prober", O_RDONLY | O_CREAT, 0600);
    return WAS_ALLOWED;
}

static int remove_a_file(void)
{
    unlink("/tmp/mailflow-test-prober");
    return WAS_ALLOWED;
}

static int map_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return WAS_ALLOWED;
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    return WAS_ALLOWED;
}

static int accept_visitors(void)
{
    listen(socket(AF_INET, SOCK_STREAM, 0), 1);
    return WAS_ALLOWED;
}

static int become_somebody(void)
{
    return setuid(1) == 0 ? WAS_ALLOWED : WENT_WRONG;
}

static int be_traced(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return WAS_ALLOWED;
}

static int signal_somebody(void)
{
    kill(getppid(), SIGCONT);
    return WAS_ALLOWED;
}

static int have_a_child(void)
{
    return fork() == 0 ? FINE : WAS_ALLOWED;
}

static void test_forbidden_acts_kill(void **state)
{
    (void)state;
    int (*const acts[])(void) = {run_a_program, write_a_file,    create_a_file,   remove_a_file,
                                 map_code,      make_code,       accept_visitors, become_somebody,
                                 be_traced,     signal_somebody, have_a_child};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        assert_int_equal(confined(acts[i]), -SIGSYS);
    }
}

static int do_what_is_unknown(void)
{
    return sethostname("other", 5) == -1 && errno == ENOSYS ? FINE : WENT_WRONG;
}

static int read_a_file(void)
{
    char byte;
    int file = open("/etc/passwd", O_RDONLY);
    return read(file, &byte, 1) == 1 ? FINE : WENT_WRONG;
}

static int resolve_a_name(void)
{
    struct error error;
    struct addrinfo *addresses = NULL;
    struct instant deadline = instant_add(clock_now().instant, SPAN_SECONDS(5));
    if (!resolve_host("localhost", 25, deadline, &addresses, &error)) {
        return WENT_WRONG;
    }
    freeaddrinfo(addresses);
    return FINE;
}

// The agent's control socket is one, and answers to the user that the probers run as.
static int reach_no_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == ENOSYS ? FINE : WAS_ALLOWED;
}

static int limit_only_itself(void)
{
    struct rlimit limit;
    bool own = prlimit(0, RLIMIT_NOFILE, NULL, &limit) == 0;
    bool others = prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit) == 0;
    return own && !others ? FINE : WAS_ALLOWED;
}

static int use_all_descriptors(void)
{
    int last = 0;
    while (last >= 0 && last < 100) {
        last = socket(AF_INET, SOCK_STREAM, 0);
    }
    return last < 0 && errno == EMFILE ? FINE : WENT_WRONG;
}

static int write_to_nobody(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return WENT_WRONG;
    }
    close(ends[1]);
    return write(ends[0], "x", 1) == -1 && errno == EPIPE ? FINE : WENT_WRONG;
}

static int take_too_much_memory(void)
{
    return mmap(NULL, 1u << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? FINE
               : WENT_WRONG;
}

static int leave_a_core(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? FINE : WENT_WRONG;
}

static void test_the_rest_works(void **state)
{
    (void)state;
    int (*const acts[])(void) = {
        do_what_is_unknown,
        read_a_file,
        reach_no_unix_socket,
        limit_only_itself,
        resolve_a_name,
        use_all_descriptors,
        write_to_nobody,
        leave_a_core,
#if !defined(__SANITIZE_ADDRESS__) // which has no memory limit
        take_too_much_memory,
#endif
    };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        assert_int_equal(confined(acts[i]), FINE);
    }
}

static void test_memory_is_limited(void **state)
{
    (void)state;
    assert_int_equal(confined(take_too_much_memory), UNDER_SANITIZER ? WENT_WRONG : FINE);
}

static int inherited = -1;

static int use_what_was_inherited(void)
{
    return fcntl(inherited, F_GETFD) == -1 && errno == EBADF ? FINE : WAS_ALLOWED;
}

static void test_inherited_descriptors_are_closed(void **state)
{
    (void)state;
    inherited = fcntl(STDIN_FILENO, F_DUPFD, 10);
    assert_true(inherited >= 10);
    assert_int_equal(confined(use_what_was_inherited), FINE);
    close(inherited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forbidden_acts_kill),
        cmocka_unit_test(test_the_rest_works),
        cmocka_unit_test(test_memory_is_limited),
        cmocka_unit_test(test_inherited_descriptors_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
