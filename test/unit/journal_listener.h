// What the tests of the journal share: somebody who listens where syslog would.
#ifndef MAILFLOW_TEST_JOURNAL_LISTENER_H
#define MAILFLOW_TEST_JOURNAL_LISTENER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "shell/journal.h"

// 2006-07-28T12:48:00Z, the end of the window of the story, and so many seconds.
#define AFTER(seconds) ((struct walltime){(1154090880 + (int64_t)(seconds)) * 1000000000})

struct listener {
    char directory[64];
    char path[96];
    int socket;
    struct journal *journal;
};

static inline int listener_setup(void **state)
{
    struct listener *listener = calloc(1, sizeof *listener);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(listener->directory, "/tmp/mailflow-journal-XXXXXX");
    assert_non_null(mkdtemp(listener->directory));
    snprintf(listener->path, sizeof listener->path, "%s/log", listener->directory);
    strcpy(address.sun_path, listener->path);
    listener->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener->socket, (struct sockaddr *)&address, sizeof address), 0);
    struct settings settings = {.syslog = {.facility = LOG_MAIL, .socket = listener->path}};
    listener->journal = journal_create(&settings);
    *state = listener;
    return 0;
}

static inline int listener_teardown(void **state)
{
    struct listener *listener = *state;
    journal_destroy(listener->journal);
    close(listener->socket);
    unlink(listener->path);
    rmdir(listener->directory);
    free(listener);
    return 0;
}

// The next line without its date and sender, "" when none was said.
static const char *heard(struct listener *listener, int *priority)
{
    static char datagram[2048];
    ssize_t length = recv(listener->socket, datagram, sizeof datagram - 1, 0);
    if (length < 0) {
        return "";
    }
    datagram[length] = '\0';
    *priority = (int)strtol(datagram + 1, NULL, 10) & LOG_PRIMASK;
    return strstr(datagram, "]: ") + 3;
}

static inline void assert_said(struct listener *listener, int priority, const char *line)
{
    int as = -1;
    assert_string_equal(heard(listener, &as), line);
    assert_int_equal(as, priority);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, listener_setup, listener_teardown)

#endif
