// Peers out of lists: their files watched, their names asked for, and what is new taken over.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "shell/agent_internal.h"
#include "shell/kept_file.h"

// What is wrong is said once; so is a contradiction between lists, which comes up again whenever
// one of them is read.
static void say_problems(struct agent *agent, const struct config_problems *problems)
{
    char first[sizeof agent->lists_refused] = "";
    struct text text = TEXT_OVER(first);
    if (problems->errors > 0) {
        config_problem_format(&problems->items[0], &text);
    }
    bool news = problems->errors == 0 || strcmp(first, agent->lists_refused) != 0;
    for (size_t i = 0; news && i < problems->count; i++) {
        journal_reload_problem(agent->journal, &problems->items[i]);
    }
    if (news && problems->errors > 0) {
        journal_peers_refused(agent->journal, problems->errors);
    }
    text_copy(agent->lists_refused, sizeof agent->lists_refused, first);
}

// Reads the lists again. False when they contradict each other; what is in force stays.
static bool reread(struct agent *agent)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_reread_lists(agent->settings, &problems);
    say_problems(agent, &problems);
    if (settings == NULL) {
        return false;
    }
    if (settings_same_lists(settings, agent->settings)) {
        settings_destroy(settings);
    } else {
        agent_adopt(agent, settings);
    }
    peer_sources_take(&agent->peer_sources, agent->settings, clock_now().wall, agent->journal);
    return true;
}

// ---- names ----

static const struct peer_list *find_list(const struct agent *agent, const char *name)
{
    for (size_t i = 0; i < agent->settings->list_count; i++) {
        const struct peer_list *list = &agent->settings->lists[i];
        if (list->srv && strcmp(list->name, name) == 0) {
            return list;
        }
    }
    return NULL;
}

// What turned out to be of no use must not be what the next start finds.
static void put_back(const char *path, const char *before)
{
    struct error error;
    if (before == NULL) {
        unlink(path);
    } else {
        kept_file_write(path, before, &error); // else it is put back after the next answer
    }
}

// Takes over an answer that differs from the last one, which stays when this is of no use.
static void take_answer(struct agent *agent, const char *name, const char *path, const char *before,
                        const char *list)
{
    struct error error;
    if (!kept_file_write(path, list, &error)) {
        peer_sources_failed(&agent->peer_sources, name, error.message, agent->journal);
        return;
    }
    bool taken = reread(agent);
    const struct peer_list *now = find_list(agent, name);
    if (taken && now->failure[0] == '\0') {
        peer_sources_answered(&agent->peer_sources, name, clock_now().wall, agent->journal);
        return;
    }
    put_back(path, before);
    peer_sources_failed(&agent->peer_sources, name,
                        taken ? now->failure : "its answer contradicts another list",
                        agent->journal);
}

static void on_found(void *context, const char *name, const char *list)
{
    struct agent *agent = context;
    const struct peer_list *last = find_list(agent, name);
    if (last == NULL) {
        return;
    }
    char *path = memory_checked(strdup(last->file));
    char *before = kept_file_read(path);
    if (before != NULL && strcmp(before, list) == 0 && last->failure[0] == '\0') {
        peer_sources_answered(&agent->peer_sources, name, clock_now().wall, agent->journal);
    } else {
        take_answer(agent, name, path, before, list);
    }
    free(before);
    free(path);
}

static void on_failed(void *context, const char *name, const char *cause)
{
    struct agent *agent = context;
    peer_sources_failed(&agent->peer_sources, name, cause, agent->journal);
}

// ---- life ----

void agent_start_lists(struct agent *agent, const char *probers)
{
    static const struct discoveries_handlers HANDLERS = {on_found, on_failed};
    agent->discoveries =
        discoveries_create(agent->loop, probers, agent->settings, &HANDLERS, agent);
    peer_sources_take(&agent->peer_sources, agent->settings, clock_now().wall, agent->journal);
}

void agent_configure_lists(struct agent *agent)
{
    discoveries_configure(agent->discoveries, agent->settings);
    peer_sources_take(&agent->peer_sources, agent->settings, clock_now().wall, agent->journal);
    agent->lists_refused[0] = '\0';
}

void agent_look_at_lists(struct agent *agent)
{
    if (list_watch_look(&agent->list_watch, agent->settings)) {
        reread(agent);
    }
    discoveries_look(agent->discoveries, clock_now().instant);
}

void agent_stop_lists(struct agent *agent)
{
    discoveries_destroy(agent->discoveries);
}

const struct peer_sources *agent_peer_sources(const struct agent *agent)
{
    return &agent->peer_sources;
}

bool agent_lists_agree(const struct agent *agent)
{
    return agent->lists_refused[0] == '\0';
}
