#include "shell/http_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "probes/json_values.h"

static const char *const METHOD_NAMES[HTTP_METHODS] = {"GET", "POST", "PATCH", "DELETE"};

static const struct {
    int status;
    const char *title;
} TITLES[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {422, "Unprocessable Content"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

const char *http_method_name(enum http_method method)
{
    return METHOD_NAMES[method];
}

enum http_method http_method_parse(const char *name)
{
    int method = HTTP_GET;
    while (method < HTTP_METHODS && strcmp(name, METHOD_NAMES[method]) != 0) {
        method++;
    }
    return strcmp(name, "HEAD") == 0 ? HTTP_GET : (enum http_method)method;
}

const char *http_argument_value(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->argument_count; i++) {
        if (strcmp(request->arguments[i].name, name) == 0) {
            return request->arguments[i].value;
        }
    }
    return "";
}

const char *http_status_title(int status)
{
    for (size_t i = 0; i < sizeof TITLES / sizeof TITLES[0]; i++) {
        if (TITLES[i].status == status) {
            return TITLES[i].title;
        }
    }
    return "";
}

void http_respond_text(struct http_response *response, int status, const char *body)
{
    *response = (struct http_response){
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .body = memory_checked(strdup(body)),
        .length = strlen(body),
    };
}

static void respond_with(struct http_response *response, int status, const char *content_type,
                         json_t *body)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    char *text = memory_checked(json_dumps(body, flags));
    *response = (struct http_response){
        .status = status,
        .content_type = content_type,
        .body = text,
        .length = strlen(text),
    };
    json_decref(body);
}

void http_respond_json(struct http_response *response, int status, json_t *body)
{
    respond_with(response, status, "application/json", body);
}

void http_respond_stream(struct http_response *response, const char *content_type,
                         const struct http_stream *stream)
{
    *response = (struct http_response){
        .status = 200,
        .content_type = content_type,
        .stream = *stream,
    };
}

json_t *http_problem(int status, const char *detail)
{
    json_t *problem = memory_checked(json_object());
    json_write_text(problem, "type", "about:blank");
    json_write_text(problem, "title", http_status_title(status));
    json_write_integer(problem, "status", status);
    json_write_text(problem, "detail", detail);
    return problem;
}

void http_respond_problem_object(struct http_response *response, json_t *problem)
{
    int status = (int)json_integer_value(json_object_get(problem, "status"));
    respond_with(response, status, "application/problem+json", problem);
}

void http_respond_problem(struct http_response *response, int status, const char *format, ...)
{
    char detail[sizeof(struct error)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    http_respond_problem_object(response, http_problem(status, detail));
}
