#include "base/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

#define SERVICE_USER "mailflow" // in the unit, and made by the package

bool rights_hide(struct error *error)
{
    return prctl(PR_SET_DUMPABLE, 0) == 0 ||
           error_set(error, "cannot hide the memory: %s", strerror(errno));
}

static bool is_empty(const struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3])
{
    static const struct __user_cap_data_struct NONE[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return memcmp(held, NONE, sizeof NONE) == 0;
}

// Who holds none asks for nothing: the unit's filter of system calls refuses capset.
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, held) != 0) {
        return false;
    }
    if (is_empty(held)) {
        return true;
    }
    memset(held, 0, sizeof held);
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           syscall(SYS_capset, &header, held) == 0;
}

// Without new privileges root's next program gets none of root's capabilities back either.
bool rights_drop(struct error *error)
{
    return rights_hide(error) &&
           ((prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && drop_capabilities()) ||
            error_set(error, "cannot drop privileges: %s", strerror(errno)));
}

static bool become(struct owner owner, struct error *error)
{
    uid_t user = owner.user;
    gid_t group = owner.group;
    const struct passwd *entry = getpwuid(user);
    bool grouped =
        entry == NULL ? setgroups(0, NULL) == 0 : initgroups(entry->pw_name, entry->pw_gid) == 0;
    group = entry == NULL ? group : entry->pw_gid;
    return (grouped && setresgid(group, group, group) == 0 && setresuid(user, user, user) == 0) ||
           error_set(error, "cannot become user %u: %s", (unsigned)user, strerror(errno));
}

bool rights_find_owner(const char *directory, struct owner *out)
{
    struct stat status;
    bool found = stat(directory, &status) == 0;
    if (found) {
        *out = (struct owner){status.st_uid, status.st_gid};
    }
    return found;
}

bool rights_become_owner(const char *directory, struct error *error)
{
    struct owner owner;
    if (geteuid() != 0 || !rights_find_owner(directory, &owner) || owner.user == 0) {
        return true;
    }
    return become(owner, error);
}

static void name_user(uid_t user, char out[RIGHTS_USER_SIZE])
{
    struct text text = text_over(out, RIGHTS_USER_SIZE);
    const struct passwd *entry = getpwuid(user);
    if (entry == NULL) {
        text_format(&text, "%u", (unsigned)user);
    } else {
        text_append(&text, entry->pw_name);
    }
}

void rights_own_user(char out[RIGHTS_USER_SIZE])
{
    name_user(geteuid(), out);
}

static bool find_service(struct owner *out)
{
    const struct passwd *service = getpwnam(SERVICE_USER);
    if (service != NULL) {
        *out = (struct owner){service->pw_uid, service->pw_gid};
    }
    return service != NULL;
}

// In a child, for who has become somebody else does not come back.
static bool can_read(struct owner owner, const char *file)
{
    struct error error;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(become(owner, &error) && access(file, R_OK) != 0 ? 1 : 0);
    }
    return child < 0 || waitpid(child, &status, 0) != child || status == 0;
}

bool rights_owner_can_read(const char *directory, const char *file, char user[RIGHTS_USER_SIZE])
{
    struct owner owner;
    bool known = rights_find_owner(directory, &owner) || find_service(&owner);
    if (geteuid() != 0 || !known || owner.user == 0 || can_read(owner, file)) {
        return true;
    }
    name_user(owner.user, user);
    return false;
}
