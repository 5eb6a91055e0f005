// What an IMAP server sends to mailflow-collect, from its greeting on: the whole collector over
// stream and guard, with libEtPan between them. Reports can be read by the agent, and whatever
// happens the mailbox is at some time due again and can be closed.
#include <assert.h>
#include <stdbool.h>

#include "fuzz.h"
#include "imap_wire.h"
#include "probes/collect/imap_session.h"
#include "probes/collect/mailbox.h"
#include "probes/collect/reports.h"

enum { STEPS = 12, CONNECTIONS = 3 };

static const struct mailbox_spans SPANS = {{20000000000}, {3600000000000}};

static struct mailbox *create(void)
{
    static struct collect_command watch;
    watch = (struct collect_command){
        .kind = COLLECT_WATCH,
        .mailbox = "local",
        .endpoint = {.host = "localhost", .port = 143, .user = "probe", .password = "secret"},
        .folders = {"INBOX", "Junk"},
        .folder_count = 2,
        .keys = FUZZ_KEYS,
        .authserv_id = "mx01.example"};
    return mailbox_create(&watch, &SPANS);
}

static void delete_one(struct mailbox *mailbox)
{
    static struct collect_command command;
    struct error error;
    command = (struct collect_command){.kind = COLLECT_DELETE,
                                       .mailbox = "local",
                                       .folder = "INBOX",
                                       .uid_validity = 1,
                                       .uids = {1},
                                       .uid_count = 1};
    mailbox_delete(mailbox, &command, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool prepared;
    if (!prepared) {
        imap_session_prepare();
        prepared = true;
    }
    imap_wire_begin(bytes, size);
    struct mailbox *mailbox = create();
    for (int i = 0; i < STEPS && imap_wire_connections() < CONNECTIONS; i++) {
        struct instant due = mailbox_due(mailbox);
        assert(due.ns != INSTANT_NEVER.ns);
        imap_wire_advance(due);
        mailbox_work(mailbox);
        reports_flush();
        if (i == 1) {
            delete_one(mailbox);
        }
    }
    mailbox_destroy(mailbox);
    return 0;
}
