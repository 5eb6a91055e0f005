// The configuration that setup and join write, as a person would have written it: only what differs
// from what holds anyway.
#include <string.h>

#include "base/text.h"
#include "ctl/plan.h"

enum { QUOTED_SIZE = 4 * FETCH_URL_SIZE + 3 }; // every byte escaped, in quotes

static void print_text(FILE *out, const char *before, const char *value)
{
    char quoted[QUOTED_SIZE];
    struct text text = TEXT_OVER(quoted);
    text_append(&text, "\"");
    text_append_escaped(&text, value);
    text_append(&text, "\"");
    fprintf(out, "%s%s\n", before, quoted);
}

static void print_text_if(FILE *out, const char *before, const char *value)
{
    if (value[0] != '\0') {
        print_text(out, before, value);
    }
}

static void print_relay(const struct plan *plan, FILE *out)
{
    const struct probe_endpoint *relay = &plan->relay;
    fputs("\n# Where probes are handed over.\nrelay:\n", out);
    print_text(out, "  host: ", relay->host);
    fprintf(out, "  port: %u\n  tls: %s\n", (unsigned)relay->port, plan_tls_word(relay->tls));
    print_text_if(out, "  ca_file: ", relay->tls == PROBE_TLS_NONE ? "" : relay->ca_file);
    if (relay->user[0] != '\0') {
        print_text(out, "  user: ", relay->user);
        fprintf(out, "  password_file: %s\n",
                relay->password[0] == '\0' ? PLAN_PASSWORD : PLAN_RELAY_PASSWORD);
    }
}

static void print_folders(const struct plan *plan, FILE *out)
{
    fputs("    folders:\n", out);
    for (size_t i = 0; i < plan->folder_count; i++) {
        print_text(out, "      - ", plan->folders[i]);
    }
}

static void print_mailbox(const struct plan *plan, FILE *out)
{
    const struct probe_endpoint *imap = &plan->imap;
    fputs("\n# Where arriving probes are collected.\nmailboxes:\n  - name: local\n", out);
    print_text(out, "    host: ", imap->host);
    if (imap->port != 0) {
        fprintf(out, "    port: %u\n", (unsigned)imap->port);
    }
    fprintf(out, "    tls: %s\n", plan_tls_word(imap->tls));
    print_text_if(out, "    ca_file: ", imap->tls == PROBE_TLS_NONE ? "" : imap->ca_file);
    print_text(out, "    user: ", imap->user);
    fputs("    password_file: " PLAN_PASSWORD "\n", out);
    if (plan->folder_count > 0) {
        print_folders(plan, out);
    }
}

// The port that a URL in the clear names, "" when it names none.
static const char *port_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *port = host == NULL ? NULL : strrchr(host + 3, ':');
    bool plain = strncmp(url, "http://", strlen("http://")) == 0;
    return plain && port != NULL && strchr(port, ']') == NULL ? port + 1 : "";
}

static void print_listen(const struct plan *plan, FILE *out)
{
    const char *port = port_of(plan->url);
    size_t digits = strspn(port, "0123456789");
    if (plan->listen_count > 0) {
        fputs("  listen:\n", out);
        for (size_t i = 0; i < plan->listen_count; i++) {
            print_text(out, "    - ", plan->listen[i]);
        }
    } else if (digits > 0) {
        fprintf(out, "  listen: [\"0.0.0.0:%.*s\"]\n", (int)digits, port);
    }
}

static void print_http(const struct plan *plan, FILE *out)
{
    if (plan->url[0] == '\0' && plan->listen_count == 0 && plan->control[0] == '\0') {
        return;
    }
    fputs("\n# The status page, and what the agents of our peers talk to.\nhttp:\n", out);
    print_listen(plan, out);
    print_text_if(out, "  url: ", plan->url);
    print_text_if(out, "  control: ", plan->control);
}

void plan_print_peers(const struct mesh_server *peers, size_t count, FILE *out)
{
    fputs("peers:\n", out);
    for (size_t i = 0; i < count; i++) {
        print_text(out, "  - name: ", peers[i].name);
        print_text(out, "    address: ", peers[i].address);
        print_text_if(out, "    agent: ", peers[i].agent);
    }
}

void plan_print(const struct plan *plan, FILE *out)
{
    fputs("# The configuration of mailflowd, as mailflowctl wrote it. What else can be said stands "
          "in\n# REFERENCE.md; `mailflowctl check` names every mistake, `mailflowctl reload` takes "
          "changes over.\n\n",
          out);
    print_text(out, "server: ", plan->server);
    print_text_if(out, "address: ", plan->address);
    print_text_if(out, "state_dir: ", plan->state_dir);
    fprintf(out,
            "\n# The same key on every server of the mesh.\nmesh_keys:\n"
            "  - {id: \"%s\", file: " PLAN_MESH_KEY "}\n",
            plan->key.id);
    print_relay(plan, out);
    print_http(plan, out);
    print_mailbox(plan, out);
    if (plan->peer_count > 0) {
        fputs("\n# The servers that probes are exchanged with; more of them may stand in conf.d.\n",
              out);
        plan_print_peers(plan->peers, plan->peer_count, out);
    }
}
