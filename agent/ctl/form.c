#include "ctl/form.h"

#include <string.h>

#include "base/tag_codec.h"
#include "config/file.h"
#include "config/syntax.h"
#include "ctl/mesh_token.h"

static bool is_tls(const char *text)
{
    return strcmp(text, "starttls") == 0 || strcmp(text, "implicit") == 0 ||
           strcmp(text, "none") == 0;
}

static bool is_relay_tls(const char *text)
{
    return is_tls(text) && strcmp(text, "implicit") != 0;
}

static bool is_filled(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at >= 0x20 && *at != 0x7F) {
        at++;
    }
    return text[0] != '\0' && *at == '\0';
}

static bool is_ca_file(const char *text)
{
    struct error unused;
    return syntax_absolute_path(text) && file_readable(text, &unused);
}

static bool is_yes_no(const char *text)
{
    return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

static bool is_peer(const char *text)
{
    struct mesh_server unused;
    return mesh_server_parse(text, &unused);
}

const struct form FORM_SERVER = {server_name_valid,
                                 "not a server name: 1 to 32 letters, digits, - and _"};
const struct form FORM_HOST_PORT = {syntax_host_port, "neither a host nor host:port"};
const struct form FORM_TLS = {is_tls, "none of starttls, implicit, none"};
const struct form FORM_RELAY_TLS = {is_relay_tls, "neither starttls nor none"};
const struct form FORM_ADDRESS = {syntax_address, "not a mail address"};
const struct form FORM_URL = {syntax_url, "not http://host:port or https://host:port"};
const struct form FORM_LISTEN = {syntax_listen,
                                 "not an address to listen on: write 127.0.0.1:9925 or "
                                 "[::1]:9925"};
const struct form FORM_PATH = {syntax_absolute_path, "not an absolute path"};
const struct form FORM_CA_FILE = {is_ca_file, "not the absolute path of a file that can be read"};
const struct form FORM_YES_NO = {is_yes_no, "neither yes nor no"};
const struct form FORM_FILLED = {is_filled, "not a text of one line"};
const struct form FORM_PEER = {is_peer, "not a peer: write mx02=probe@mx02.example, or "
                                        "mx02=probe@mx02.example=http://mx02.example:9925"};

bool form_check(const struct form *form, const char *text, struct error *error)
{
    return form->valid(text) || error_set(error, "%s", form->complaint);
}
