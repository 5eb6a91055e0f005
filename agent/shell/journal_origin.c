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

void journal_alertmanager_unusable(struct journal *journal, const char *problem)
{
    JOURNAL_LINE(line);
    text_append(&line, "alertmanager UNUSABLE");
    journal_put_text(&line, "problem", problem);
    journal_put_text(&line, "consequence", "the windows of the silences last read stand");
    journal_say(journal, LOG_WARNING, &line);
}

void journal_alertmanager_usable(struct journal *journal)
{
    JOURNAL_LINE(line);
    text_append(&line, "alertmanager USABLE");
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_silence(struct journal *journal, const char *id, const char *problem, bool unusable)
{
    JOURNAL_LINE(line);
    text_append(&line, unusable ? "silence PROBLEM" : "silence NOTE");
    journal_put_text(&line, "silence", id);
    journal_put_text(&line, "problem", problem);
    if (unusable) {
        journal_put_text(&line, "consequence", "no window comes of it");
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

void journal_peers_unusable(struct journal *journal, const char *source, const char *problem,
                            size_t servers)
{
    char consequence[96];
    struct text text = TEXT_OVER(consequence);
    text_format(&text, "its last answer stands: %zu server%s", servers, servers == 1 ? "" : "s");
    JOURNAL_LINE(line);
    text_append(&line, "peers UNUSABLE");
    journal_put_text(&line, "source", source);
    journal_put_text(&line, "problem", problem);
    journal_put_text(&line, "consequence", consequence);
    journal_say(journal, LOG_WARNING, &line);
}

void journal_peers_usable(struct journal *journal, const char *source)
{
    JOURNAL_LINE(line);
    text_append(&line, "peers USABLE");
    journal_put_text(&line, "source", source);
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_peers_refused(struct journal *journal, size_t errors)
{
    JOURNAL_LINE(line);
    text_format(&line, "peers REFUSED errors=%zu", errors);
    journal_put_text(&line, "consequence", "the peers in force stay as they were");
    journal_say(journal, LOG_ERR, &line);
}

void journal_peers_changed(struct journal *journal, const struct settings *settings, size_t added,
                           size_t removed)
{
    JOURNAL_LINE(line);
    text_format(&line, "peers CHANGED peers=%zu added=%zu removed=%zu mesh=%zu fanout=%u",
                settings->peer_count, added, removed, settings->mesh_count,
                (unsigned)settings->fanout);
    journal_say(journal, LOG_NOTICE, &line);
}
