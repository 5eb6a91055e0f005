// What is left of the rights of a process: each is looked at in a child of its own.
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/rights.h"

enum { FINE = 3, WENT_WRONG = 4 };

static uid_t somebody;
static char directory[] = "/tmp/mailflow-rights-XXXXXX";

// How a child ends that does this: an exit code, or minus a signal.
static int in_child(int (*act)(void))
{
    pid_t child = fork();
    if (child == 0) {
        _exit(act());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Whether a line of /proc/self/status is this one.
static bool is_told(const char *wanted)
{
    char line[256];
    bool found = false;
    FILE *file = fopen("/proc/self/status", "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strcmp(line, wanted) == 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static bool is_powerless(void)
{
    return is_told("CapInh:\t0000000000000000") && is_told("CapPrm:\t0000000000000000") &&
           is_told("CapEff:\t0000000000000000") && is_told("CapAmb:\t0000000000000000") &&
           is_told("NoNewPrivs:\t1") && prctl(PR_GET_DUMPABLE) == 0;
}

static int drop(void)
{
    struct error error;
    return rights_drop(&error) && is_powerless() ? FINE : WENT_WRONG;
}

static int hide(void)
{
    struct error error;
    bool before = prctl(PR_GET_DUMPABLE) == 1;
    return before && rights_hide(&error) && prctl(PR_GET_DUMPABLE) == 0 ? FINE : WENT_WRONG;
}

// Root's next program would have all capabilities again, were it not for no_new_privs.
static int execute_afterwards(void)
{
    struct error error;
    if (!rights_drop(&error)) {
        return WENT_WRONG;
    }
    execl("/bin/sh", "sh", "-c", "grep -q '^CapEff:.0*$' /proc/self/status && exit 3", NULL);
    return WENT_WRONG;
}

static int become_somebody(void)
{
    struct error error;
    bool became = rights_become_owner(directory, &error) && rights_drop(&error);
    return became && geteuid() == somebody && getegid() != 0 && is_powerless() && setuid(0) == -1 &&
                   open("/etc/shadow", O_RDONLY) == -1
               ? FINE
               : WENT_WRONG;
}

static int stay_who_one_is(void)
{
    struct error error;
    return rights_become_owner("/", &error) && rights_become_owner("/nowhere/at/all", &error) &&
                   geteuid() == 0
               ? FINE
               : WENT_WRONG;
}

// As under the unit: nobody's, and whoever calls what it forbids is dead.
static int drop_under_a_filter(void)
{
    struct error error;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool became = rights_become_owner(directory, &error);
    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(capset), 0);
    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(setresuid), 0);
    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(setgroups), 0);
    return became && seccomp_load(filter) == 0 && rights_become_owner(directory, &error) &&
                   rights_drop(&error) && is_powerless()
               ? FINE
               : WENT_WRONG;
}

static void test_rights_are_dropped(void **state)
{
    (void)state;
    assert_int_equal(in_child(hide), FINE);
    assert_int_equal(in_child(drop), FINE);
    assert_int_equal(in_child(execute_afterwards), FINE);
}

static void test_root_becomes_the_owner(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(in_child(become_somebody), FINE);
    assert_int_equal(in_child(stay_who_one_is), FINE);
    assert_int_equal(in_child(drop_under_a_filter), FINE);
}

static void test_what_the_owner_can_read(void **state)
{
    char user[RIGHTS_USER_SIZE] = "";
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_true(rights_owner_can_read(directory, "/etc/passwd", user));
    assert_true(rights_owner_can_read("/", "/etc/shadow", user));
    assert_string_equal(user, "");
    assert_false(rights_owner_can_read(directory, "/etc/shadow", user));
    assert_string_equal(user, getpwuid(somebody)->pw_name);
    rights_own_user(user);
    assert_string_equal(user, "root");
}

static int setup(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    (void)state;
    if (mkdtemp(directory) == NULL || nobody == NULL) {
        return -1;
    }
    somebody = nobody->pw_uid;
    return geteuid() == 0 ? chown(directory, somebody, nobody->pw_gid) : 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rights_are_dropped),
        cmocka_unit_test(test_root_becomes_the_owner),
        cmocka_unit_test(test_what_the_owner_can_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
