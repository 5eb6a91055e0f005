#include "shell/page_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"
#include "version.h"

// Nothing but our own files, nothing inside the page, nothing sent anywhere, in nobody's frame.
static const char SECURITY_POLICY[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void append_head(struct text *out, const struct page_frame *frame)
{
    text_append(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_append_escaped(out, frame->title);
    text_append(out, "</title>\n<link rel=\"stylesheet\" href=\"/assets/page.css\">\n"
                     "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n"
                     "<script src=\"/assets/page.js\" defer></script>\n");
    text_append(out, frame->scripts);
    if (frame->refreshes) {
        text_append(out, "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>\n");
    }
    text_append(out, "</head>\n");
}

static void append_brand(struct text *out, const char *server, bool is_front)
{
    text_format(out, "<p class=\"brand\">%smailflow%s <b>", is_front ? "" : "<a href=\"/\">&larr; ",
                is_front ? "" : "</a>");
    page_append_escaped(out, server);
    text_append(out, "</b></p>\n");
}

void page_frame_begin(struct text *out, const struct agent *agent, const struct page_frame *frame,
                      struct moment now)
{
    char stamp[40];
    struct text text = TEXT_OVER(stamp);
    walltime_append_rfc3339(now.wall, &text);
    append_head(out, frame);
    text_format(out, "<body data-now=\"%s\">\n", stamp);
    page_append_shapes(out);
    text_append(out, "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
                     "<header class=\"top\">\n");
    append_brand(out, agent_settings(agent)->server, frame->is_front);
    text_append(out, "<p class=\"as-of\"><span id=\"as-of\">As of ");
    page_append_clock(out, now.wall, WALLTIME_NONE, 0);
    text_append(out, " UTC</span> <span id=\"answer\" role=\"status\"></span></p>\n</header>\n"
                     "<main id=\"main\" tabindex=\"-1\">\n");
}

void page_frame_end(struct text *out)
{
    text_format(out,
                "</main>\n<footer>\n<p>mailflow %s. Times are UTC. <a href=\"/\">Overview</a> "
                "&middot; <a href=\"/metrics\">Metrics</a> &middot; "
                "<a href=\"/api/v1/status\">Status as JSON</a></p>\n</footer>\n</body>\n</html>\n",
                MAILFLOW_VERSION);
}

void page_frame_respond(struct http_response *response, int status,
                        bool (*next)(void *state, struct text *piece), void *state)
{
    struct http_stream stream = {next, free, state, .filler = '\n'};
    http_respond_stream(response, "text/html; charset=utf-8", &stream);
    response->status = status;
    response->content_security_policy = SECURITY_POLICY;
}

// ---- what is not there ----

struct refusal {
    const struct agent *agent;
    struct moment now;
    char message[sizeof(struct error)];
};

static bool refusal_next(void *state, struct text *out)
{
    struct refusal *refusal = state;
    struct page_frame frame = {.title = "Not here - mailflow", .scripts = ""};
    page_frame_begin(out, refusal->agent, &frame, refusal->now);
    text_append(out, "<h1>Not here</h1>\n<p>");
    page_append_escaped(out, refusal->message);
    text_append(out, "</p>\n<p><a href=\"/\">Back to the overview</a></p>\n");
    page_frame_end(out);
    return false;
}

void page_frame_refuse(struct agent *agent, const struct http_request *request, int status,
                       const char *message, struct http_response *response)
{
    struct refusal *refusal = memory_checked(calloc(1, sizeof *refusal));
    refusal->agent = agent;
    refusal->now = request->now;
    text_copy(refusal->message, sizeof refusal->message, message);
    page_frame_respond(response, status, refusal_next, refusal);
}
