// A directory of its own for every test of the configuration, with the secrets of a small mesh in
// it. The test runs inside, so that messages name files as short as "mailflow.yaml".
#ifndef MAILFLOW_TEST_UNIT_CONFIG_FIXTURE_H
#define MAILFLOW_TEST_UNIT_CONFIG_FIXTURE_H

#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"

// The least that a configuration needs, a line each. The secrets are credentials.
#define SERVER    "server: mx02\n"
#define KEYS      "mesh_keys: [{id: k1, file: mesh.key}]\n"
#define MAILBOXES "mailboxes: [{name: local, host: mx2, user: probe@mx02.example, " PASSWORD "}]\n"
#define PASSWORD  "password_file: password"
#define PEERS     "peers: [{name: mx01, address: probe@mx01.example}]\n"
#define LEAST     SERVER KEYS MAILBOXES PEERS

// For cmocka_unit_test_setup_teardown.
int config_fixture_enter(void **state);
int config_fixture_leave(void **state);

// The directory, absolute.
const char *config_fixture_directory(void);

void config_fixture_write(const char *path, const char *bytes, size_t length, mode_t mode);
void config_fixture_write_text(const char *path, const char *text);

// All problems of the last load, one a line as they would be printed.
const char *config_fixture_problems(const struct config_problems *problems);

// Loads mailflow.yaml with this text; it must be accepted without a word. The caller destroys it.
struct settings *config_fixture_accept(const char *yaml);

// Loads mailflow.yaml, which must be refused with exactly these problems.
void config_fixture_refuse_file(const char *expected);

// Likewise with this text in it. Each line of what is expected follows "mailflow.yaml:", and @
// before a slash stands for the directory.
void config_fixture_refuse(const char *yaml, const char *expected);

// A file of the project by its path in the source tree.
const char *config_fixture_source(const char *path);

#endif
