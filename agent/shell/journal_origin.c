#include <syslog.h>

#include "shell/journal_line.h"

void journal_calendar_unusable(struct journal *journal, const char *source, const char *problem)
{
    JOURNAL_LINE(line);
    text_append(&line, "calendar UNUSABLE");
    journal_put_text(&line, "source", source);
    journal_put_text(&line, "problem", problem);
    journal_put_text(&line, "consequence", "the windows last read from it stand");
    journal_say(journal, LOG_WARNING, &line);
}

void journal_calendar_usable(struct journal *journal, const char *source)
{
    JOURNAL_LINE(line);
    text_append(&line, "calendar USABLE");
    journal_put_text(&line, "source", source);
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_calendar_event(struct journal *journal, const char *source, unsigned number,
                            const char *uid, const char *problem, bool unusable)
{
    JOURNAL_LINE(line);
    text_append(&line, unusable ? "calendar PROBLEM" : "calendar NOTE");
    journal_put_text(&line, "source", source);
    if (number > 0) {
        text_format(&line, " line=%u", number);
    }
    if (uid[0] != '\0') {
        journal_put_text(&line, "uid", uid);
    }
    journal_put_text(&line, "problem", problem);
    if (unusable && number > 0) { // of an event, not of what they are together
        journal_put_text(&line, "consequence", "no window comes of it; one that it was stands");
    }
    journal_say(journal, unusable ? LOG_WARNING : LOG_NOTICE, &line);
}

void journal_flag(struct journal *journal, const char *file, const char *problem, bool counts)
{
    JOURNAL_LINE(line);
    text_append(&line, "flag PROBLEM");
    journal_put_text(&line, "file", file);
    journal_put_text(&line, "problem", problem);
    journal_put_text(&line, "consequence",
                     counts
                         ? "the server is in maintenance while the file exists, but for what the "
                           "problem says"
                         : "no window comes of it");
    journal_say(journal, LOG_WARNING, &line);
}
