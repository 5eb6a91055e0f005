#include "shell/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/text.h"

enum { HANDLES = 3 }; // process, input, output

struct child {
    uv_process_t process;
    uv_pipe_t input;
    uv_pipe_t output;
    struct child_handlers handlers;
    void *context;
    int open_handles;
    bool exited;
    bool output_ended;
    bool input_closed;
    char how[128];
    size_t length;
    char line[JSON_LINE_MAXIMUM + 1];
};

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    if (--child->open_handles == 0) {
        child->handlers.ended(child->context, child->how);
        free(child);
    }
}

static void close_input(struct child *child)
{
    if (!child->input_closed) {
        child->input_closed = true;
        uv_close((uv_handle_t *)&child->input, on_closed);
    }
}

static void close_when_over(struct child *child)
{
    if (child->exited && child->output_ended) {
        close_input(child);
        uv_close((uv_handle_t *)&child->output, on_closed);
        uv_close((uv_handle_t *)&child->process, on_closed);
    }
}

static void on_exited(uv_process_t *process, int64_t status, int signal)
{
    struct child *child = process->data;
    child->exited = true;
    struct text how = TEXT_OVER(child->how);
    if (signal != 0) {
        text_format(&how, "killed by signal %d (%s)", signal, strsignal(signal));
    } else {
        text_format(&how, "exited with status %d", (int)status);
    }
    close_when_over(child);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct child *child = handle->data;
    (void)suggested;
    *buffer =
        uv_buf_init(child->line + child->length, (unsigned)(sizeof child->line - child->length));
}

// Hands over every whole line and keeps the rest.
static void take_lines(struct child *child)
{
    char *at = child->line;
    char *end = child->line + child->length;
    for (char *newline; (newline = memchr(at, '\n', (size_t)(end - at))) != NULL;
         at = newline + 1) {
        child->handlers.line(child->context, at, (size_t)(newline - at));
    }
    child->length = (size_t)(end - at);
    memmove(child->line, at, child->length);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct child *child = stream->data;
    (void)buffer;
    if (count < 0) {
        child->output_ended = true;
        uv_read_stop(stream);
        if (!child->exited) {
            uv_process_kill(&child->process, SIGKILL);
        }
        close_when_over(child);
        return;
    }
    child->length += (size_t)count;
    take_lines(child);
    if (child->length == sizeof child->line) {
        child->length = 0; // a line that never ends: a broken prober
        uv_process_kill(&child->process, SIGKILL);
    }
}

static void ignore_end(void *context, const char *how)
{
    (void)context;
    (void)how;
}

struct child *child_create(uv_loop_t *loop, const char *program,
                           const struct child_handlers *handlers, void *context,
                           struct error *error)
{
    struct child *child = memory_checked(calloc(1, sizeof *child));
    child->handlers = *handlers;
    child->context = context;
    child->open_handles = HANDLES;
    uv_pipe_init(loop, &child->input, 0);
    uv_pipe_init(loop, &child->output, 0);
    child->process.data = child->input.data = child->output.data = child;

    char *arguments[] = {(char *)program, NULL};
    // libEtPan brings GnuTLS along, which nobody asks for anything: unless told not to, it would
    // begin by filling half a MiB. Those who do ask (libcurl) begin it themselves.
    char *environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "GNUTLS_NO_IMPLICIT_INIT=1",
                           NULL};
    uv_stdio_container_t streams[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&child->input},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->output},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t options = {
        .file = program,
        .args = arguments,
        .env = environment,
        .cwd = "/",
        .stdio = streams,
        .stdio_count = 3,
        .exit_cb = on_exited,
    };
    int failed = uv_spawn(loop, &child->process, &options);
    if (failed != 0) {
        error_set(error, "cannot start %s: %s", program, uv_strerror(failed));
        child->handlers.ended = ignore_end;
        child->exited = child->output_ended = true;
        close_when_over(child);
        return NULL;
    }
    uv_read_start((uv_stream_t *)&child->output, on_allocate, on_read);
    return child;
}

struct pending_write {
    uv_write_t request;
    char *line;
};

// A job has secrets in it.
static void free_line(char *line)
{
    explicit_bzero(line, strlen(line));
    free(line);
}

static void on_written(uv_write_t *request, int status)
{
    struct pending_write *pending = (struct pending_write *)request;
    (void)status; // a child that does not read any more is about to end
    free_line(pending->line);
    free(pending);
}

// Nearly always it is taken at once; what is queued costs a turn of the loop more.
void child_write(struct child *child, char *line)
{
    uv_stream_t *input = (uv_stream_t *)&child->input;
    uv_buf_t left = uv_buf_init(line, (unsigned)strlen(line));
    int written = child->input_closed ? UV_EPIPE : uv_try_write(input, &left, 1);
    written = written == UV_EAGAIN ? 0 : written;
    if (written < 0 || (size_t)written == left.len) {
        free_line(line);
        return;
    }
    left.base += written;
    left.len -= (size_t)written;
    struct pending_write *pending = memory_checked(calloc(1, sizeof *pending));
    pending->line = line;
    uv_write(&pending->request, input, &left, 1, on_written);
}

void child_kill(struct child *child)
{
    if (!child->exited) {
        uv_process_kill(&child->process, SIGKILL);
    }
}

void child_ask_to_end(struct child *child)
{
    if (!child->exited) {
        uv_process_kill(&child->process, SIGTERM);
    }
}

void child_finish(struct child *child)
{
    close_input(child);
}
