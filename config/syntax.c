#include "config/syntax.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mesh_key.h"
#include "base/text.h"

enum { HOST_MAXIMUM = 253, LABEL_MAXIMUM = 63, LOCAL_PART_MAXIMUM = 64 };

// Whether `length` bytes are all letters, digits or one of `others`.
static bool made_of(const char *text, size_t length, const char *others)
{
    for (size_t i = 0; i < length; i++) {
        bool other = text[i] != '\0' && strchr(others, text[i]) != NULL;
        if (!(isalnum((unsigned char)text[i]) || other)) {
            return false;
        }
    }
    return length > 0;
}

bool syntax_label(const char *text)
{
    size_t length = strlen(text);
    return made_of(text, length, "-_.") && text[0] != '.' && text[length - 1] != '.';
}

bool syntax_key_id(const char *text)
{
    size_t length = strlen(text);
    return made_of(text, length, "-_") && length < MESH_KEY_ID_SIZE;
}

bool syntax_alert_label(const char *text)
{
    return made_of(text, strlen(text), "_") && !isdigit((unsigned char)text[0]);
}

static bool host_name_valid(const char *text)
{
    if (strlen(text) > HOST_MAXIMUM) {
        return false;
    }
    while (true) {
        size_t length = strcspn(text, ".");
        if (!made_of(text, length, "-_") || length > LABEL_MAXIMUM || text[0] == '-' ||
            text[length - 1] == '-') {
            return false;
        }
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

// Digits and dots alone are an address or a mistake, never a name.
static bool looks_numeric(const char *text)
{
    return strspn(text, "0123456789.") == strlen(text);
}

static bool is_address(const char *text, int family)
{
    struct in6_addr address;
    return inet_pton(family, text, &address) == 1;
}

bool syntax_host(const char *text)
{
    return is_address(text, AF_INET) || is_address(text, AF_INET6) ||
           (host_name_valid(text) && !looks_numeric(text));
}

bool syntax_address(const char *text)
{
    const char *at = strrchr(text, '@');
    if (at == NULL) {
        return false;
    }
    size_t local = (size_t)(at - text);
    return local <= LOCAL_PART_MAXIMUM && made_of(text, local, "!#$%&'*+-/=?^_`{|}~.") &&
           text[0] != '.' && at[-1] != '.' && strstr(text, "..") == NULL && host_name_valid(at + 1);
}

// What stands before the path of a URL, and what we listen on: host, host:port or [v6]:port.
struct authority {
    char host[HOST_MAXIMUM + 1];
    const char *port; // NULL when none is given
    bool bracketed;
};

static bool authority_split(const char *text, struct authority *out)
{
    out->bracketed = text[0] == '[';
    const char *host = out->bracketed ? text + 1 : text;
    size_t length = strcspn(host, out->bracketed ? "]" : ":");
    if (length >= sizeof out->host || (out->bracketed && host[length] != ']')) {
        return false;
    }
    memcpy(out->host, host, length);
    out->host[length] = '\0';
    const char *after = host + length + (out->bracketed ? 1 : 0);
    out->port = *after == ':' ? after + 1 : NULL;
    return *after == ':' || *after == '\0';
}

static bool port_valid(const char *text, int minimum)
{
    size_t length = strlen(text);
    return length > 0 && length <= 5 && strspn(text, "0123456789") == length &&
           atoi(text) >= minimum && atoi(text) <= UINT16_MAX;
}

bool syntax_listen(const char *text)
{
    struct authority authority;
    return authority_split(text, &authority) && authority.port != NULL &&
           port_valid(authority.port, 0) &&
           is_address(authority.host, authority.bracketed ? AF_INET6 : AF_INET);
}

bool syntax_host_port(const char *text)
{
    struct authority authority;
    return authority_split(text, &authority) &&
           (authority.port == NULL || port_valid(authority.port, 1)) &&
           (authority.bracketed ? is_address(authority.host, AF_INET6)
                                : syntax_host(authority.host));
}

void host_port_split(const char *text, char *host, size_t size, uint16_t *port)
{
    struct authority authority;
    if (authority_split(text, &authority) && text_copy(host, size, authority.host) &&
        authority.port != NULL) {
        *port = (uint16_t)atoi(authority.port);
    }
}

bool syntax_url(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;
    size_t length = strcspn(text + scheme, "/");
    const char *path = text + scheme + length;
    char before_path[HOST_MAXIMUM + sizeof "[]:65535"];
    if (scheme == 0 || length >= sizeof before_path ||
        !(path[0] == '\0' || made_of(path, strlen(path), "/-_.~%+"))) {
        return false;
    }
    memcpy(before_path, text + scheme, length);
    before_path[length] = '\0';
    return syntax_host_port(before_path);
}

bool syntax_absolute_path(const char *text)
{
    return text[0] == '/';
}

bool host_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return strcasecmp(host, "localhost") == 0;
}
