// What all views of the page have in common: the head, what stands on top, and the end.
#ifndef MAILFLOW_SHELL_PAGE_FRAME_H
#define MAILFLOW_SHELL_PAGE_FRAME_H

#include "shell/agent.h"
#include "shell/http_message.h"

struct page_frame {
    const char *title;   // of the window, not yet escaped
    const char *scripts; // more elements for the head, "" for none
    bool is_front;
    bool refreshes; // by itself also where there are no scripts
};

void page_frame_begin(struct text *out, const struct agent *agent, const struct page_frame *frame,
                      struct moment now);
void page_frame_end(struct text *out);

// Answers with a view that is streamed; takes the state over, as allocated.
void page_frame_respond(struct http_response *response, int status,
                        bool (*next)(void *state, struct text *piece), void *state);

// A page that says what is not there. The message is escaped.
void page_frame_refuse(struct agent *agent, const struct http_request *request, int status,
                       const char *message, struct http_response *response);

#endif
