// What a program may do on this machine: less than whoever started it. Each function is called
// once, early, while there is one thread (capabilities belong to threads).
#ifndef MAILFLOW_BASE_RIGHTS_H
#define MAILFLOW_BASE_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

// Nobody but root gets to see the memory of this process, where secrets are: no core file, not even
// one that goes to a program, no debugger, no /proc/PID/mem.
bool rights_hide(struct error *error);

// Hidden, without a capability, and without a way to get any by executing a program.
bool rights_drop(struct error *error);

struct owner {
    uid_t user;
    gid_t group;
};

// Whose the directory is; false when it is not there.
bool rights_find_owner(const char *directory, struct owner *out);

// For root only, others stay who they are: become the user who owns this directory, with that
// user's groups. Of a directory that is root's, or not there, nobody is told to become somebody:
// true.
bool rights_become_owner(const char *directory, struct error *error);

// The name of the user that this process is, or its number.
enum { RIGHTS_USER_SIZE = 40 };
void rights_own_user(char out[RIGHTS_USER_SIZE]);

// For root only, of others true: whether the user who owns this directory could read the file.
// While the directory is not there that is the user of the service, if there is one. Of whom it is
// false, `user` has the name.
bool rights_owner_can_read(const char *directory, const char *file, char user[RIGHTS_USER_SIZE]);

#endif
