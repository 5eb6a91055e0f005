#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rights.h"
#include "shell/http_socket.h"

static char directory[64];
static char path[96];

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/mailflow-socket-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/control.sock", directory);
    return 0;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(name);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// ---- TCP ----

static unsigned port_of(int descriptor)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&name, &length), 0);
    return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                            : ((struct sockaddr_in *)&name)->sin_port);
}

static void assert_fails(const char *address, const char *message)
{
    struct error error = {0};
    assert_int_equal(http_socket_open(address, &error), -1);
    assert_string_equal(error.message, message);
}

static void test_addresses_of_both_kinds(void **state)
{
    struct error error = {0};
    (void)state;
    int four = http_socket_open("127.0.0.1:0", &error);
    int six = http_socket_open("[::1]:0", &error);
    assert_string_equal(error.message, "");
    assert_true(four >= 0 && six >= 0 && port_of(four) > 0 && port_of(six) > 0);
    close(four);
    close(six);
}

static void test_used_address_is_explained(void **state)
{
    char address[32], message[256];
    struct error error = {0};
    (void)state;
    int first = http_socket_open("127.0.0.1:0", &error);
    snprintf(address, sizeof address, "127.0.0.1:%u", port_of(first));
    snprintf(message, sizeof message,
             "%s: address already in use: another program listens there; find it with ss -ltnp "
             "'sport = :%u' and stop it, or change http.listen",
             address, port_of(first));
    assert_fails(address, message);
    close(first);
    int second = http_socket_open(address, &error);
    assert_true(second >= 0);
    close(second);
}

static void test_impossible_addresses_are_explained(void **state)
{
    (void)state;
    assert_fails("192.0.2.1:9925",
                 "192.0.2.1:9925: no network interface of this machine has this address");
    assert_fails("localhost:80", "localhost:80: not an address to listen on: write 127.0.0.1:9925 "
                                 "or [::1]:9925");
    assert_fails("9925", "9925: not an address to listen on: write 127.0.0.1:9925 or [::1]:9925");
    assert_fails("", ": not an address to listen on: write 127.0.0.1:9925 or [::1]:9925");
}

// ---- the control socket ----

static int open_control(struct http_socket_file *file)
{
    struct error error = {0};
    int descriptor = http_socket_open_control(path, file, &error);
    assert_string_equal(error.message, "");
    return descriptor;
}

static void assert_control_fails(const char *where, const char *message)
{
    struct error error = {0};
    struct http_socket_file file;
    assert_int_equal(http_socket_open_control(where, &file, &error), -1);
    assert_string_equal(error.message, message);
}

static void test_mode_is_for_user_and_group(void **state)
{
    struct http_socket_file file;
    struct stat made;
    (void)state;
    mode_t before = umask(0);
    int descriptor = open_control(&file);
    umask(before);
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode, S_IFSOCK | 0660);
    close(descriptor);
    http_socket_remove_control(path, &file);
    before = umask(077);
    descriptor = open_control(&file);
    umask(before);
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode, S_IFSOCK | 0660);
    close(descriptor);
}

static void test_only_our_file_is_removed(void **state)
{
    struct http_socket_file file;
    (void)state;
    int descriptor = open_control(&file);
    struct http_socket_file other = {file.device, file.inode + 1};
    http_socket_remove_control(path, &other);
    assert_int_equal(access(path, F_OK), 0);
    http_socket_remove_control(path, &file);
    assert_int_not_equal(access(path, F_OK), 0);
    close(descriptor);
}

static void test_stale_socket_is_replaced(void **state)
{
    struct http_socket_file file;
    (void)state;
    close(open_control(&file));
    assert_int_equal(access(path, F_OK), 0);
    int descriptor = open_control(&file);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static void test_live_socket_is_not_replaced(void **state)
{
    char message[256];
    struct http_socket_file file;
    (void)state;
    int descriptor = open_control(&file);
    snprintf(message, sizeof message,
             "%s: socket already in use: another mailflowd answers there; stop it or change "
             "http.control",
             path);
    assert_control_fails(path, message);
    assert_int_equal(access(path, F_OK), 0);
    close(descriptor);
}

static void test_other_files_are_left_alone(void **state)
{
    char message[256];
    (void)state;
    FILE *other = fopen(path, "w");
    fputs("precious", other);
    fclose(other);
    snprintf(message, sizeof message,
             "%s: exists and is not a socket, so it is left alone; move it away or change "
             "http.control",
             path);
    assert_control_fails(path, message);
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_size, 8);
}

static void test_missing_directory_is_named(void **state)
{
    char nowhere[128], message[512], user[RIGHTS_USER_SIZE];
    (void)state;
    rights_own_user(user);
    snprintf(nowhere, sizeof nowhere, "%s/run/control.sock", directory);
    snprintf(message, sizeof message,
             "%s: the directory %s/run does not exist; create it, owned by the agent's user "
             "(%s), or change http.control",
             nowhere, directory, user);
    assert_control_fails(nowhere, message);
}

static void test_too_long_path_is_refused(void **state)
{
    char name[200], message[300];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(message, sizeof message, "%s: the path of a socket has at most 107 bytes", name);
    assert_control_fails(name, message);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_of_both_kinds),
        cmocka_unit_test(test_used_address_is_explained),
        cmocka_unit_test(test_impossible_addresses_are_explained),
        IN_DIRECTORY(test_mode_is_for_user_and_group),
        IN_DIRECTORY(test_only_our_file_is_removed),
        IN_DIRECTORY(test_stale_socket_is_replaced),
        IN_DIRECTORY(test_live_socket_is_not_replaced),
        IN_DIRECTORY(test_other_files_are_left_alone),
        IN_DIRECTORY(test_missing_directory_is_named),
        IN_DIRECTORY(test_too_long_path_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
