// Finding, reading and removing messages.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/tag_codec.h"
#include "probes/collect/imap_date.h"
#include "probes/collect/imap_internal.h"

// The headers that tell one section from another.
#define TRACE_HEADER "Received"
#define SIGNS_HEADER "X-Failed-Recipients"

static struct mailimap_set *set_of(const uint32_t *uids, size_t count)
{
    struct mailimap_set *set = memory_checked(mailimap_set_new_empty());
    for (size_t i = 0; i < count;) {
        size_t last = i;
        while (last + 1 < count && uids[last + 1] == uids[last] + 1) {
            last++;
        }
        memory_checked(mailimap_set_add_interval(set, uids[i], uids[last]) == 0 ? set : NULL);
        i = last + 1;
    }
    return set;
}

static int compare_uids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

// Takes the key over, and the list that the library makes of the answer apart.
static enum imap_result search(struct imap_session *session, struct mailimap_search_key *key,
                               uint32_t **uids, size_t *count, struct error *error)
{
    clist *list = NULL;
    memory_checked(key);
    imap_command_begin(session, "SEARCH");
    int code = mailimap_uid_search(session->imap, NULL, key, &list);
    mailimap_search_key_free(key);
    size_t size = list == NULL ? 0 : (size_t)clist_count(list);
    *uids = memory_checked(calloc(size + 1, sizeof **uids));
    *count = 0;
    for (clistiter *at = list == NULL ? NULL : clist_begin(list); at != NULL; at = clist_next(at)) {
        (*uids)[(*count)++] = *(const uint32_t *)clist_content(at);
    }
    if (list != NULL) {
        mailimap_search_result_free(list);
    }
    qsort(*uids, *count, sizeof **uids, compare_uids);
    return imap_command_end(session, code, error);
}

enum imap_result imap_session_search(struct imap_session *session, uint32_t first, uint32_t last,
                                     uint32_t **uids, size_t *count, struct error *error)
{
    struct mailimap_set *range = memory_checked(mailimap_set_new_interval(first, last));
    return search(session, mailimap_search_key_new_uid(range), uids, count, error);
}

enum imap_result imap_session_search_deleted(struct imap_session *session, uint32_t **uids,
                                             size_t *count, struct error *error)
{
    struct mailimap_search_key *key = mailimap_search_key_new(
        MAILIMAP_SEARCH_KEY_DELETED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL);
    return search(session, key, uids, count, error);
}

static struct mailimap_section *headers_section(const char *const *names, size_t count)
{
    clist *copies = memory_checked(clist_new());
    for (size_t i = 0; i < count; i++) {
        clist_append(copies, memory_checked(strdup(names[i])));
    }
    struct mailimap_header_list *list = memory_checked(mailimap_header_list_new(copies));
    return memory_checked(mailimap_section_new_header_fields(list));
}

// The headers by which a message is ours, those of its way and the signs of a report, apart: none
// must crowd out the others.
static struct mailimap_section *wanted_headers(void)
{
    const char *names[1 + TAG_HEADERS] = {"Message-ID"};
    for (int i = 0; i < TAG_HEADERS; i++) {
        names[1 + i] = tag_header_name((enum tag_header)i);
    }
    return headers_section(names, sizeof names / sizeof names[0]);
}

static struct mailimap_section *wanted_trace(void)
{
    static const char *const NAMES[] = {TRACE_HEADER, "Authentication-Results"};
    return headers_section(NAMES, sizeof NAMES / sizeof NAMES[0]);
}

static struct mailimap_section *wanted_signs(void)
{
    static const char *const NAMES[] = {"Return-Path", "From", "Content-Type", "Auto-Submitted",
                                        SIGNS_HEADER};
    return headers_section(NAMES, sizeof NAMES / sizeof NAMES[0]);
}

static void want(struct mailimap_fetch_type *type, struct mailimap_fetch_att *attribute)
{
    mailimap_fetch_type_new_fetch_att_list_add(type, memory_checked(attribute));
}

static struct mailimap_fetch_type *wanted(const struct imap_session *session)
{
    struct mailimap_fetch_type *type =
        memory_checked(mailimap_fetch_type_new_fetch_att_list_empty());
    want(type, mailimap_fetch_att_new_uid());
    want(type, mailimap_fetch_att_new_internaldate());
    if (session->can_save_date) {
        want(type, mailimap_fetch_att_new_extension(memory_checked(strdup("SAVEDATE"))));
    }
    want(type, mailimap_fetch_att_new_body_peek_section_partial(wanted_headers(), 0,
                                                                WIRE_LITERAL_MAXIMUM));
    want(type,
         mailimap_fetch_att_new_body_peek_section_partial(wanted_trace(), 0, IMAP_TRACE_MAXIMUM));
    want(type,
         mailimap_fetch_att_new_body_peek_section_partial(wanted_signs(), 0, IMAP_SIGNS_MAXIMUM));
    return type;
}

// Servers repeat the names that they were asked for.
static bool names_header(const struct mailimap_section *section, const char *wanted)
{
    const struct mailimap_section_spec *spec = section == NULL ? NULL : section->sec_spec;
    if (spec == NULL || spec->sec_type != MAILIMAP_SECTION_SPEC_SECTION_MSGTEXT ||
        spec->sec_data.sec_msgtext == NULL || spec->sec_data.sec_msgtext->sec_header_list == NULL) {
        return false;
    }
    const clist *names = spec->sec_data.sec_msgtext->sec_header_list->hdr_list;
    for (clistiter *at = clist_begin(names); at != NULL; at = clist_next(at)) {
        const char *name = clist_content(at);
        if (name != NULL && strcasecmp(name, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void copy_part(const struct mailimap_msg_att_body_section *body, char *to, size_t size,
                      size_t *length)
{
    if (body->sec_body_part != NULL && body->sec_length <= size) {
        *length = body->sec_length;
        memcpy(to, body->sec_body_part, body->sec_length);
    }
}

// True for the headers by which a message is recognised.
static bool read_body(const struct mailimap_msg_att_body_section *body, struct imap_message *out)
{
    if (body != NULL && names_header(body->sec_section, TRACE_HEADER)) {
        copy_part(body, out->trace, sizeof out->trace, &out->trace_length);
        return false;
    }
    if (body != NULL && names_header(body->sec_section, SIGNS_HEADER)) {
        copy_part(body, out->signs, sizeof out->signs, &out->signs_length);
        return false;
    }
    if (body != NULL) {
        copy_part(body, out->headers, sizeof out->headers, &out->header_length);
    }
    return true;
}

// False for what the server tells unasked, like the flags of some other message.
static bool read_message(const struct mailimap_msg_att *from, struct imap_message *out)
{
    bool has_body = false;
    struct walltime received = WALLTIME_NONE;
    out->uid = 0;
    out->number = from->att_number;
    out->saved = WALLTIME_NONE;
    out->size = 0;
    out->header_length = 0;
    out->trace_length = 0;
    out->signs_length = 0;
    for (clistiter *at = clist_begin(from->att_list); at != NULL; at = clist_next(at)) {
        const struct mailimap_msg_att_item *item = clist_content(at);
        const struct mailimap_msg_att_static *value = item->att_data.att_static;
        if (item->att_type == MAILIMAP_MSG_ATT_ITEM_EXTENSION) {
            out->saved = walltime_later(out->saved, imap_date_saved(item));
        } else if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC || value == NULL) {
            continue;
        } else if (value->att_type == MAILIMAP_MSG_ATT_UID) {
            out->uid = value->att_data.att_uid;
        } else if (value->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE) {
            out->size = value->att_data.att_rfc822_size;
        } else if (value->att_type == MAILIMAP_MSG_ATT_INTERNALDATE) {
            received = imap_date_read(value->att_data.att_internal_date);
        } else if (value->att_type == MAILIMAP_MSG_ATT_BODY_SECTION) {
            has_body = read_body(value->att_data.att_body_section, out) || has_body;
        }
    }
    out->saved = walltime_known(out->saved) ? out->saved : received;
    return out->uid != 0 && has_body;
}

static bool was_asked_for(uint32_t uid, const uint32_t *uids, size_t count)
{
    return bsearch(&uid, uids, count, sizeof *uids, compare_uids) != NULL;
}

static bool was_found(uint32_t uid, const struct imap_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (messages[i].uid == uid) {
            return true;
        }
    }
    return false;
}

static size_t read_messages(struct imap_session *session, clist *list, const uint32_t *uids,
                            size_t count)
{
    size_t found = 0;
    for (clistiter *at = clist_begin(list); at != NULL && found < IMAP_BATCH; at = clist_next(at)) {
        struct imap_message *message = &session->messages[found];
        if (read_message(clist_content(at), message) && was_asked_for(message->uid, uids, count) &&
            !was_found(message->uid, session->messages, found)) {
            found++;
        }
    }
    return found;
}

// Takes the type over.
static enum imap_result fetch(struct imap_session *session, const uint32_t *uids, size_t count,
                              struct mailimap_fetch_type *type, const struct imap_message **out,
                              size_t *found, struct error *error)
{
    clist *list = NULL;
    struct mailimap_set *set = set_of(uids, count);
    imap_command_begin(session, "FETCH");
    int code = mailimap_uid_fetch(session->imap, set, type, &list);
    mailimap_fetch_type_free(type);
    mailimap_set_free(set);
    *out = session->messages;
    *found = 0;
    // After a NO the library has freed the list, but still points to it.
    if (code == MAILIMAP_NO_ERROR) {
        *found = read_messages(session, list, uids, count);
        mailimap_fetch_list_free(list);
    }
    return imap_command_end(session, code, error);
}

enum imap_result imap_session_fetch(struct imap_session *session, const uint32_t *uids,
                                    size_t count, const struct imap_message **out, size_t *found,
                                    struct error *error)
{
    return fetch(session, uids, count, wanted(session), out, found, error);
}

enum imap_result imap_session_fetch_bytes(struct imap_session *session, uint32_t uid,
                                          uint32_t offset, const struct imap_message **out,
                                          size_t *found, struct error *error)
{
    struct mailimap_fetch_type *type =
        memory_checked(mailimap_fetch_type_new_fetch_att_list_empty());
    struct mailimap_section *whole = memory_checked(mailimap_section_new(NULL));
    want(type, mailimap_fetch_att_new_uid());
    want(type,
         mailimap_fetch_att_new_body_peek_section_partial(whole, offset, WIRE_LITERAL_MAXIMUM));
    want(type, mailimap_fetch_att_new_rfc822_size());
    return fetch(session, &uid, 1, type, out, found, error);
}

enum imap_result imap_session_flag_deleted(struct imap_session *session, const uint32_t *uids,
                                           size_t count, struct error *error)
{
    struct mailimap_flag_list *flags = memory_checked(mailimap_flag_list_new_empty());
    mailimap_flag_list_add(flags, memory_checked(mailimap_flag_new_deleted()));
    struct mailimap_store_att_flags *change =
        memory_checked(mailimap_store_att_flags_new_add_flags_silent(flags));
    struct mailimap_set *set = set_of(uids, count);
    imap_command_begin(session, "STORE");
    int code = mailimap_uid_store(session->imap, set, change);
    mailimap_set_free(set);
    mailimap_store_att_flags_free(change);
    return imap_command_end(session, code, error);
}

// So many fewer are there afterwards, and an EXISTS that is as low as the one before may be of mail
// that is new. At most: too many only makes the same news be looked at once more.
static void begin_expunge(struct imap_session *session, size_t count)
{
    uint32_t *exists = &session->news.exists;
    *exists = count < *exists ? *exists - (uint32_t)count : 0;
    imap_command_begin(session, "EXPUNGE");
}

enum imap_result imap_session_expunge(struct imap_session *session, const uint32_t *uids,
                                      size_t count, struct error *error)
{
    struct mailimap_set *set = set_of(uids, count);
    begin_expunge(session, count);
    int code = mailimap_uid_expunge(session->imap, set);
    mailimap_set_free(set);
    return imap_command_end(session, code, error);
}

enum imap_result imap_session_expunge_all(struct imap_session *session, struct error *error)
{
    begin_expunge(session, SIZE_MAX);
    return imap_command_end(session, mailimap_expunge(session->imap), error);
}
