#include "probes/collect/imap_date.h"

#include <libetpan/libetpan.h>
#include <libetpan/mailimap_extension.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "probes/collect/mail_date.h"

static const char KEYWORD[] = "SAVEDATE ";

struct walltime imap_date_read(const struct mailimap_date_time *date)
{
    if (date->dt_year < 1990 || date->dt_year > 2200 || date->dt_month < 1 || date->dt_month > 12 ||
        date->dt_day < 1 || date->dt_day > 31 || date->dt_hour < 0 || date->dt_hour > 23 ||
        date->dt_min < 0 || date->dt_min > 59 || date->dt_sec < 0 || date->dt_sec > 60 ||
        abs(date->dt_zone) > 1400) {
        return WALLTIME_NONE;
    }
    struct tm parts = {
        .tm_year = date->dt_year - 1900,
        .tm_mon = date->dt_month - 1,
        .tm_mday = date->dt_day,
        .tm_hour = date->dt_hour,
        .tm_min = date->dt_min,
        .tm_sec = date->dt_sec,
    };
    int64_t offset = date->dt_zone / 100 * 3600 + date->dt_zone % 100 * 60;
    return (struct walltime){(timegm(&parts) - offset) * 1000000000};
}

// "21-Nov-2026 18:36:25 +0000" in quotes; its length, or 0 when it is none.
static size_t read_quoted_date(const char *from, struct mailimap_date_time *out)
{
    char month[4];
    int length = 0;
    int fields =
        sscanf(from, "\"%2d-%3[A-Za-z]-%4d %2d:%2d:%2d %5d\"%n", &out->dt_day, month, &out->dt_year,
               &out->dt_hour, &out->dt_min, &out->dt_sec, &out->dt_zone, &length);
    if (fields != 7 || length <= 0) {
        return 0;
    }
    out->dt_month = mail_month(month, strlen(month));
    return out->dt_month > 0 ? (size_t)length : 0;
}

static int on_parse(int caller, mailstream *stream, MMAPString *buffer,
                    struct mailimap_parser_context *context, size_t *index,
                    struct mailimap_extension_data **result, size_t rate,
                    progress_function *progress);

static void on_free(struct mailimap_extension_data *data)
{
    free(data->ext_data);
    free(data);
}

static struct mailimap_extension_api extension = {
    .ext_name = "SAVEDATE",
    .ext_id = -1,
    .ext_parser = on_parse,
    .ext_free = on_free,
};

static int on_parse(int caller, mailstream *stream, MMAPString *buffer,
                    struct mailimap_parser_context *context, size_t *index,
                    struct mailimap_extension_data **result, size_t rate,
                    progress_function *progress)
{
    (void)stream, (void)context, (void)rate, (void)progress;
    const char *at = buffer->str + *index;
    if (caller != MAILIMAP_EXTENDED_PARSER_FETCH_DATA ||
        strncasecmp(at, KEYWORD, sizeof KEYWORD - 1) != 0) {
        return MAILIMAP_ERROR_PARSE;
    }
    struct mailimap_date_time *date = memory_checked(calloc(1, sizeof *date));
    at += sizeof KEYWORD - 1;
    size_t length = strncasecmp(at, "NIL", 3) == 0 ? 3 : read_quoted_date(at, date);
    if (length == 0) {
        free(date);
        return MAILIMAP_ERROR_PARSE;
    }
    *index += sizeof KEYWORD - 1 + length;
    *result = memory_checked(mailimap_extension_data_new(&extension, 0, date));
    return MAILIMAP_NO_ERROR;
}

void imap_date_teach(void)
{
    memory_checked(mailimap_extension_register(&extension) == 0 ? &extension : NULL);
}

struct walltime imap_date_saved(const struct mailimap_msg_att_item *item)
{
    const struct mailimap_extension_data *data = item->att_data.att_extension_data;
    if (item->att_type != MAILIMAP_MSG_ATT_ITEM_EXTENSION || data == NULL ||
        data->ext_extension != &extension) {
        return WALLTIME_NONE;
    }
    return imap_date_read(data->ext_data);
}
