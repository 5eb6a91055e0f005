#include "probes/prober.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/rights.h"

#if defined(__SANITIZE_ADDRESS__)
static const bool UNDER_SANITIZER = true;

// Looking for leaks takes another process, which traces this one: all that is forbidden here. Of
// what was freed a megabyte is held back: with more, starting one takes half as long again.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}
#else
static const bool UNDER_SANITIZER = false;
#endif

// clang-format off
// What a mail client needs, its threads and its C library included.
static const int ALLOWED[] = {
    // its three streams, sockets, files to read
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat),
    SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fadvise64), SCMP_SYS(fcntl), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe2), SCMP_SYS(ioctl),
    SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto),
    SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg), SCMP_SYS(shutdown),
    // waiting and time
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(timer_create), SCMP_SYS(timer_settime),
    SCMP_SYS(timer_gettime), SCMP_SYS(timer_delete), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(restart_syscall),
    // memory, threads, signals
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
    SCMP_SYS(madvise), SCMP_SYS(clone), SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl), SCMP_SYS(membarrier), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // who and where it is
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo),
    SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(prctl),
    SCMP_SYS(seccomp),
};

// What kills it, whatever the arguments. (bind stays allowed: resolvers bind the ports they ask
// from; without listen it gives nobody a way in.)
static const int DEADLY[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(memfd_create), SCMP_SYS(pkey_mprotect), SCMP_SYS(listen), SCMP_SYS(accept),
    SCMP_SYS(accept4), SCMP_SYS(creat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
    SCMP_SYS(symlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(mknod),
    SCMP_SYS(mknodat), SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat),
    SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(setxattr),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare),
    SCMP_SYS(setns), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
};

// clang-format on

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

void prober_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    // One arena: every further one would reserve 64 MiB of what RLIMIT_AS allows.
    mallopt(M_ARENA_MAX, 1);
    tzset();
}

// What was read of standard input and not yet asked for. In place of stdio's buffer, of which it
// cannot be known whether a line is in it.
static struct {
    char bytes[16384];
    size_t begin;
    size_t end;
} input;

static bool fill_input(void)
{
    ssize_t got;
    memmove(input.bytes, input.bytes + input.begin, input.end - input.begin);
    explicit_bzero(input.bytes + input.end - input.begin, input.begin);
    input.end -= input.begin;
    input.begin = 0;
    do {
        got = read(STDIN_FILENO, input.bytes + input.end, sizeof input.bytes - input.end);
    } while (got < 0 && errno == EINTR);
    input.end += got > 0 ? (size_t)got : 0;
    return got > 0;
}

bool prober_read_line(char *line, size_t size, size_t *length)
{
    *length = 0;
    for (;;) {
        if (input.begin == input.end && !fill_input()) {
            return *length > 0;
        }
        char byte = input.bytes[input.begin];
        input.bytes[input.begin++] = '\0'; // it may have been of a password
        if (byte == '\n') {
            return true;
        }
        if (*length < size) {
            line[*length] = byte;
        }
        ++*length;
    }
}

bool prober_has_line(void)
{
    struct pollfd polled = {.fd = STDIN_FILENO, .events = POLLIN};
    while (memchr(input.bytes + input.begin, '\n', input.end - input.begin) == NULL) {
        if (input.end - input.begin == sizeof input.bytes || poll(&polled, 1, 0) <= 0 ||
            !fill_input()) {
            return false;
        }
    }
    return true;
}

bool prober_write_line(char *line)
{
    bool written = fputs(line, stdout) != EOF && fflush(stdout) != EOF;
    free(line);
    return written;
}

static bool set_limit(int which, rlim_t value, const char *name, struct error *error)
{
    const struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    return setrlimit(which, &limit) == 0 ||
           error_set(error, "limit on %s: %s", name, strerror(errno));
}

static bool set_cpu_limit(unsigned seconds, struct error *error)
{
    const struct rlimit limit = {.rlim_cur = seconds, .rlim_max = seconds + 1};
    return setrlimit(RLIMIT_CPU, &limit) == 0 ||
           error_set(error, "limit on processor time: %s", strerror(errno));
}

static bool set_limits(const struct prober_limits *limits, struct error *error)
{
    return (limits->cpu_seconds == 0 || set_cpu_limit(limits->cpu_seconds, error)) &&
           set_limit(RLIMIT_CORE, 0, "core files", error) &&
           set_limit(RLIMIT_NOFILE, limits->descriptors, "descriptors", error) &&
           (UNDER_SANITIZER || set_limit(RLIMIT_AS, limits->memory_bytes, "memory", error));
}

// The results of several libseccomp calls, of which the first failure counts.
static void keep_failure(int *first, int result)
{
    *first = *first < 0 ? *first : result;
}

static void deny(scmp_filter_ctx filter, int *failure, int call)
{
    keep_failure(failure, seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0));
}

static void deny_bits(scmp_filter_ctx filter, int *failure, int call, unsigned argument,
                      unsigned bits)
{
    const struct scmp_arg_cmp set = {
        .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits, .datum_b = bits};
    keep_failure(failure, seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, call, 1, &set));
}

static void deny_writing(scmp_filter_ctx filter, int *failure, int call, unsigned argument)
{
    static const unsigned FLAGS[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        deny_bits(filter, failure, call, argument, FLAGS[i]);
    }
}

static void deny_processes(scmp_filter_ctx filter, int *failure)
{
    const struct scmp_arg_cmp not_a_thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    const struct scmp_arg_cmp somebody_else = SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid());
    deny(filter, failure, SCMP_SYS(fork));
    deny(filter, failure, SCMP_SYS(vfork));
    deny(filter, failure, SCMP_SYS(ptrace));
    deny(filter, failure, SCMP_SYS(kill));
    keep_failure(failure, seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                                                 &not_a_thread));
    keep_failure(failure, seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(tgkill), 1,
                                                 &somebody_else));
}

static int load_and_release(scmp_filter_ctx filter, int failure)
{
    keep_failure(&failure, seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2));
    if (failure >= 0) {
        failure = seccomp_load(filter);
    }
    seccomp_release(filter);
    return failure;
}

static int load_deadly(void)
{
    int failure = 0;
    scmp_filter_ctx filter = memory_checked(seccomp_init(SCMP_ACT_ALLOW));
    for (size_t i = 0; i < COUNT_OF(DEADLY); i++) {
        deny(filter, &failure, DEADLY[i]);
    }
    deny_processes(filter, &failure);
    deny_writing(filter, &failure, SCMP_SYS(open), 1);
    deny_writing(filter, &failure, SCMP_SYS(openat), 2);
    deny_bits(filter, &failure, SCMP_SYS(mmap), 2, PROT_EXEC);
    deny_bits(filter, &failure, SCMP_SYS(mprotect), 2, PROT_EXEC);
    return load_and_release(filter, failure);
}

static void allow_argument(scmp_filter_ctx filter, int *failure, int call, scmp_datum_t value)
{
    const struct scmp_arg_cmp equal = SCMP_A0(SCMP_CMP_EQ, value);
    keep_failure(failure, seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &equal));
}

// Sockets to the network only: the agent's control socket is a unix socket, and its user is ours.
static void allow_sockets(scmp_filter_ctx filter, int *failure)
{
    static const int FAMILIES[] = {AF_INET, AF_INET6, AF_NETLINK};
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        allow_argument(filter, failure, SCMP_SYS(socket), (scmp_datum_t)FAMILIES[i]);
    }
}

static int load_allowed(void)
{
    int failure = 0;
    scmp_filter_ctx filter = memory_checked(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)));
    for (size_t i = 0; i < COUNT_OF(ALLOWED); i++) {
        keep_failure(&failure, seccomp_rule_add(filter, SCMP_ACT_ALLOW, ALLOWED[i], 0));
    }
    allow_sockets(filter, &failure);
    allow_argument(filter, &failure, SCMP_SYS(prlimit64), 0); // its own limits
    return load_and_release(filter, failure);
}

bool prober_confine(const struct prober_limits *limits, struct error *error)
{
    close_range(STDERR_FILENO + 1, ~0U, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return error_set(error, "prctl: %s", strerror(errno));
    }
    if (!rights_drop(error) || !set_limits(limits, error)) {
        return false;
    }
    int result = load_allowed();
    if (result == 0) {
        result = load_deadly();
    }
    malloc_trim(0); // what the warm-up and the filters took
    return result == 0 || error_set(error, "seccomp: %s", strerror(-result));
}
