#include "probes/submit/message.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { LINE_WIDTH = 78 };

static void append_date(struct walltime at, struct text *out)
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(at.ns / 1000000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    text_format(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", DAYS[utc.tm_wday], utc.tm_mday,
                MONTHS[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// A header, broken before a blank wherever the next word would pass the width.
static void append_folded(const char *name, const char *value, struct text *out)
{
    text_format(out, "%s:", name);
    size_t column = strlen(name) + 1;
    const char *separator = " ";
    while (*value != '\0') {
        size_t blanks = strspn(value, " ");
        size_t length = blanks + strcspn(value + blanks, " ");
        if (column + strlen(separator) + length > LINE_WIDTH && blanks > 0) {
            text_append(out, "\r\n");
            column = 0;
        }
        text_append(out, separator);
        text_append_bytes(out, value, length);
        column += strlen(separator) + length;
        separator = "";
        value += length;
    }
    text_append(out, "\r\n");
}

static const char *domain_of(const char *address)
{
    return strrchr(address, '@') + 1;
}

static void append_envelope(const struct submit_job *job, const struct tag *tag, struct text *out)
{
    append_date(tag->sent, out);
    text_append(out, "Message-ID: ");
    tag_format_message_id(tag, &job->key, domain_of(job->sender), out);
    text_format(out, "\r\nFrom: <%s>\r\nTo: <%s>\r\nSubject: Mail flow probe %s->%s", job->sender,
                job->recipient, tag->from, tag->to);
    if (tag->slot > 0) {
        text_format(out, " %" PRId64, tag->slot);
    }
    text_append(out, "\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
}

static const char *present(const char *list)
{
    return list[0] != '\0' ? list : NULL;
}

static void append_tag(const struct submit_job *job, const struct tag *tag, struct text *out)
{
    char probe[TAG_PROBE_SIZE], signature[TAG_SIGNATURE_SIZE];
    struct text probe_text = TEXT_OVER(probe), signature_text = TEXT_OVER(signature);
    struct tag_values values = {.of = {
                                    [TAG_PROBE] = probe,
                                    [TAG_MAINTENANCE] = present(job->maintenance),
                                    [TAG_RECEIPTS] = present(job->receipts),
                                    [TAG_ROW] = present(job->row),
                                }};
    tag_format_probe(tag, &probe_text);
    tag_sign(&values, &job->key, &signature_text);
    values.of[TAG_SIGNATURE] = signature;
    for (int i = 0; i < TAG_HEADERS; i++) {
        if (values.of[i] != NULL) {
            append_folded(tag_header_name((enum tag_header)i), values.of[i], out);
        }
    }
}

static void append_body(const struct submit_job *job, const struct tag *tag, struct text *out)
{
    text_append(out, "MIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: 7bit\r\n\r\n");
    text_format(out,
                "This message is a probe of mailflow, which measures how long mail takes\r\n"
                "from the server %s to the server %s. A program over there collects it and\r\n"
                "deletes it; nobody needs to read or answer it.\r\n\r\n",
                tag->from, tag->to);
    text_format(out,
                "If it reached you instead, mail is going where it should not, or the\r\n"
                "address is wrong. The people who run this monitoring are behind\r\n\r\n"
                "    %s\r\n",
                job->sender);
}

bool message_compose(const struct submit_job *job, const struct tag *tag, struct text *out,
                     struct error *error)
{
    append_envelope(job, tag, out);
    append_tag(job, tag, out);
    append_body(job, tag, out);
    return !out->truncated ||
           error_set(error, "the message would be larger than %zu bytes", out->size - 1);
}

// More than any message of this job is long, its own words counted as 1024: the lists, and a line's
// end for every 32 bytes that are folded.
static size_t length_bound(const struct submit_job *job)
{
    size_t folded = strlen(job->maintenance) + strlen(job->receipts) + strlen(job->row) +
                    TAG_PROBE_SIZE + TAG_SIGNATURE_SIZE;
    return 1024 + TAG_MESSAGE_ID_SIZE + 2 * strlen(job->sender) + strlen(job->recipient) + folded +
           folded / 16;
}

bool message_can_be_composed(const struct submit_job *job, struct error *error)
{
    if (length_bound(job) < MESSAGE_SIZE) {
        return true;
    }
    char message[MESSAGE_SIZE];
    struct text draft = TEXT_OVER(message);
    struct tag tag = job->tag;
    tag.sent = (struct walltime){INT64_MAX}; // no instant is longer
    return message_compose(job, &tag, &draft, error);
}
