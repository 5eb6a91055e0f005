#include "base/answer.h"
#include "ctl/matrix.h"
#include "ctl/report.h"
#include "ctl/verb.h"

// What is bad, which is little; and everything when that can be shown.
static json_t *ask(struct context *context, int *code)
{
    json_t *mesh = report_ask(context, "GET", "/mesh?state=bad", NULL, NULL, code);
    if (mesh != NULL && json_array_size(json_object_get(mesh, "servers")) <= MATRIX_DRAWN_MAXIMUM) {
        json_decref(mesh);
        mesh = report_ask(context, "GET", "/mesh", NULL, NULL, code);
    }
    return mesh;
}

int verb_mesh(struct context *context)
{
    int code = EXIT_DONE;
    struct error error;
    json_t *mesh = ask(context, &code);
    if (mesh == NULL) {
        return code;
    }
    const json_t *servers = answer_list(mesh, "servers", &error);
    const json_t *cells = servers == NULL ? NULL : answer_list(mesh, "cells", &error);
    if (cells == NULL) {
        code = report_failure(context, EXIT_REFUSED, error.message);
    } else if (context->command->json) {
        report_json(context, mesh);
    } else {
        matrix_print(servers, cells, &context->terminal);
    }
    json_decref(mesh);
    return code;
}
