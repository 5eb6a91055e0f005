#include "shell/page_tables.h"

#include "shell/http_message.h"
#include "shell/page_cell.h"
#include "shell/page_certificates.h"
#include "shell/page_mesh.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"
#include "shell/page_windows.h"

static size_t count_mailboxes(const struct agent *agent)
{
    return agent_settings(agent)->mailbox_count;
}

static void mailbox_row(struct text *out, const struct agent *agent, size_t index,
                        struct moment now)
{
    const struct mailbox *mailbox = core_mailbox(agent_core(agent), (int)index);
    text_append(out, "<tr>");
    page_row_head(out, mailbox->settings->name);
    page_begin_cell(out, "State", "");
    page_append_state(out, mailbox->readable ? TONE_GOOD : TONE_BAD,
                      mailbox->readable ? "readable" : "not readable");
    text_append(out, "</td>");
    page_time_cell(out, "Last read", mailbox->complete, now.wall);
    page_begin_cell(out, "Not ours", "number");
    text_format(out, "%lld</td>", (long long)mailbox->foreign_messages);
    page_cell(out, "Cause", "words", mailbox->readable ? "" : mailbox->cause);
    text_append(out, "</tr>\n");
}

const struct page_table PAGE_WINDOWS = {
    "maintenance",
    "Maintenance",
    "Windows that are announced, active or whose queues may still drain.",
    "",
    "<th scope=\"col\">Server</th><th scope=\"col\">State</th><th scope=\"col\">Kind</th>"
    "<th scope=\"col\">Begin</th><th scope=\"col\">End</th><th scope=\"col\">By</th>"
    "<th scope=\"col\">Reason</th><th scope=\"col\">Acknowledged</th>",
    "No server is in maintenance, none is announced.",
    page_windows_count,
    page_windows_row};

const struct page_table PAGE_MESH = {
    "mesh",
    "Mesh",
    "What all agents together say of the mail from each server (row) to each other one (column).",
    "matrix",
    "",
    "Drawn for 3 servers or more, and up to 42; mailflowctl mesh draws any mesh.",
    page_mesh_count,
    page_mesh_row};

const struct page_table PAGE_MAILBOXES = {
    "mailboxes",
    "Mailboxes",
    "The accounts that this agent collects probes from.",
    "",
    "<th scope=\"col\">Mailbox</th><th scope=\"col\">State</th><th scope=\"col\">Last read</th>"
    "<th scope=\"col\" class=\"number\">Not ours</th><th scope=\"col\">Cause</th>",
    "None is configured.",
    count_mailboxes,
    mailbox_row};

const struct page_table PAGE_CERTIFICATES = {
    "certificates",
    "Certificates",
    "What the servers that this agent speaks TLS with have shown.",
    "",
    "<th scope=\"col\">Shown by</th><th scope=\"col\">State</th><th scope=\"col\">Expires</th>"
    "<th scope=\"col\">Issued to</th><th scope=\"col\">Issued by</th><th scope=\"col\">Cause</th>",
    "",
    page_certificates_count,
    page_certificates_row};

// ---- writing one ----

enum { OPENING_SIZE = 1536 }; // what stands before the first row has room in it

static void title_once(struct text *out, const struct page_table *table, struct page_rows *rows)
{
    if (!rows->titled) {
        text_format(out, "<section id=\"%s\">\n<h2>%s</h2>\n", table->id, table->title);
        rows->titled = true;
    }
}

static void open_table(struct text *out, const struct page_table *table)
{
    bool classed = table->class[0] != '\0', headed = table->head[0] != '\0';
    text_format(out, "<div class=\"wide\"><table%s%s%s>\n<caption>%s</caption>\n",
                classed ? " class=\"" : "", table->class, classed ? "\"" : "", table->caption);
    text_format(out, "%s%s%s<tbody>\n", headed ? "<thead><tr>" : "", table->head,
                headed ? "</tr></thead>\n" : "");
}

// The table's head comes with its first row, so that an empty one is a sentence instead.
static void append_row(struct text *out, const struct page_table *table, const struct agent *agent,
                       struct page_rows *rows, struct moment now)
{
    char row[HTTP_PIECE_SIZE - OPENING_SIZE];
    struct text text = TEXT_OVER(row);
    table->row(&text, agent, rows->row++, now);
    if (text.length == 0) {
        return;
    }
    if (!rows->filled) {
        title_once(out, table, rows);
        open_table(out, table);
        rows->filled = true;
    }
    text_append(out, row);
}

bool page_table_next(struct text *out, const struct page_table *table, const struct agent *agent,
                     struct page_rows *rows, struct moment now)
{
    if (table->none[0] != '\0') {
        title_once(out, table, rows);
    }
    if (rows->row < table->count(agent)) {
        append_row(out, table, agent, rows, now);
        return true;
    }
    if (rows->filled) {
        text_append(out, "</tbody>\n</table></div>\n</section>\n");
    } else if (table->none[0] != '\0') {
        text_format(out, "<p class=\"soft\">%s</p>\n</section>\n", table->none);
    }
    return false;
}
