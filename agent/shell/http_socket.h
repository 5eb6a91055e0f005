// The sockets that http.c listens on: TCP addresses, and the control socket in the file system.
// All are non-blocking and close on exec; -1 with a message that says what to do.
#ifndef MAILFLOW_SHELL_HTTP_SOCKET_H
#define MAILFLOW_SHELL_HTTP_SOCKET_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

// "127.0.0.1:9925" or "[::1]:9925". An IPv6 address never stands for IPv4 too. errno is
// EADDRINUSE when somebody listens there.
int http_socket_open(const char *address, struct error *error);

// The control socket's file as it was made, so that only ours is removed.
struct http_socket_file {
    dev_t device;
    ino_t inode;
};

// Mode 0660 in a directory that must exist. A socket file that nobody answers on is replaced;
// anything else in its place is left alone.
int http_socket_open_control(const char *path, struct http_socket_file *file, struct error *error);
void http_socket_remove_control(const char *path, const struct http_socket_file *file);

#endif
