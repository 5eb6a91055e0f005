#include "ctl/setup_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "config/secret.h"

const char *setup_config_name(const struct setup *setup)
{
    const char *slash = strrchr(setup->context->command->config, '/');
    return slash == NULL ? setup->context->command->config : slash + 1;
}

enum kept { KEPT_NONE, KEPT_USABLE, KEPT_BROKEN };

static void name_beside(const struct setup *setup, const char *name, char path[PATH_MAX])
{
    struct text place = text_over(path, PATH_MAX);
    const char *config = setup->context->command->config;
    text_append_bytes(&place, config, (size_t)(setup_config_name(setup) - config));
    text_append(&place, name);
}

// A secret beside the configuration; the reason when it is there and of no use.
static enum kept read_kept(const struct setup *setup, const char *name, struct secret *out,
                           struct error *error)
{
    char folder[PATH_MAX], path[PATH_MAX];
    name_beside(setup, "", folder);
    name_beside(setup, name, path);
    if (access(path, F_OK) != 0) {
        return KEPT_NONE;
    }
    return secret_read(name, folder, out, error) ? KEPT_USABLE : KEPT_BROKEN;
}

bool setup_has_secret(const struct setup *setup, const char *name)
{
    struct secret secret;
    struct error unused;
    bool has = read_kept(setup, name, &secret, &unused) != KEPT_NONE;
    explicit_bzero(&secret, sizeof secret);
    return has;
}

// Whether what lies there already is to stay: no other secret is wanted. False with an empty error
// when a draft is to take its place, and with the reason when none may.
static bool keeps_secret(const struct setup *setup, const char *name, const char *bytes,
                         size_t length, struct error *error)
{
    struct secret kept = {.length = 0};
    enum kept state = read_kept(setup, name, &kept, error);
    bool same = state == KEPT_USABLE &&
                (length == 0 || (kept.length == length && memcmp(kept.bytes, bytes, length) == 0));
    explicit_bzero(&kept, sizeof kept);
    if (same || state == KEPT_NONE || (setup->context->command->force && length > 0)) {
        error->message[0] = '\0';
    } else if (state == KEPT_USABLE) {
        error_set(error, "%s beside the configuration holds another secret: --force replaces it",
                  name);
    }
    return same;
}

// The id that the other servers know our key by: that of the configuration that is replaced.
static bool take_key_id(struct setup *setup, struct error *error)
{
    char path[PATH_MAX];
    const char *config = setup->context->command->config;
    struct config_problems problems = {0};
    if (!setup->replaces) {
        return true;
    }
    struct settings *settings = settings_load_without_secrets(config, &problems);
    if (settings == NULL) {
        return error_set(error,
                         "%s cannot be read, so that the id of its mesh key is not known: see "
                         "`mailflowctl check`, or move it away",
                         config);
    }
    name_beside(setup, PLAN_MESH_KEY, path);
    const struct mesh_key_settings *key = &settings->mesh_key_files[0];
    bool good = settings->mesh_key_count == 1 &&
                (strcmp(key->file, PLAN_MESH_KEY) == 0 || strcmp(key->file, path) == 0);
    if (good) {
        text_copy(setup->plan.key.id, sizeof setup->plan.key.id, key->id);
    } else {
        error_set(error,
                  "%s has another mesh key than %s, or several, which setup does not write: "
                  "change it by hand, or move it away",
                  config, PLAN_MESH_KEY);
    }
    settings_destroy(settings);
    return good;
}

// The key that is there, or a new one: never a new one where there is one, even one that is of no
// use as it is, for the other servers would not know us.
static bool take_key(struct setup *setup, struct error *error)
{
    struct secret secret = {.length = 0};
    struct mesh_key *key = &setup->plan.key;
    enum kept state = read_kept(setup, PLAN_MESH_KEY, &secret, error);
    if (state == KEPT_USABLE && secret.length > MESH_KEY_SECRET_MAXIMUM) {
        state = KEPT_BROKEN;
        error_set(error, "%s beside the configuration is longer than %d bytes", PLAN_MESH_KEY,
                  MESH_KEY_SECRET_MAXIMUM);
    }
    plan_make_key(&setup->plan);
    if (state == KEPT_USABLE) {
        memcpy(key->secret, secret.bytes, secret.length);
        key->secret_length = secret.length;
    }
    explicit_bzero(&secret, sizeof secret);
    return state != KEPT_BROKEN && take_key_id(setup, error);
}

bool setup_choose_key(struct setup *setup, struct error *error)
{
    struct mesh_key *key = &setup->plan.key;
    if (setup->token == NULL) {
        return take_key(setup, error);
    }
    *key = setup->token->key;
    return keeps_secret(setup, PLAN_MESH_KEY, (const char *)key->secret, key->secret_length,
                        error) ||
           error->message[0] == '\0';
}

static bool draft_secret(struct setup *setup, const char *name, const char *bytes, size_t length,
                         struct error *error)
{
    char line[PROBE_PASSWORD_SIZE + 1];
    if (keeps_secret(setup, name, bytes, length, error)) {
        return staging_keep(&setup->staging, name, error);
    }
    if (error->message[0] != '\0') {
        return false;
    }
    memcpy(line, bytes, length);
    line[length] = '\n';
    bool good = staging_write(&setup->staging, name, 0600, line, length + 1, error);
    explicit_bzero(line, sizeof line);
    return good;
}

static bool draft_config(struct setup *setup, struct error *error)
{
    char *yaml = NULL;
    size_t size;
    FILE *out = memory_checked(open_memstream(&yaml, &size));
    plan_print(&setup->plan, out);
    fclose(out);
    bool good = staging_write(&setup->staging, setup_config_name(setup), 0644, yaml, size, error);
    free(yaml);
    return good;
}

// The configuration last: it is what a service waits for.
bool setup_draft(struct setup *setup, struct error *error)
{
    const struct plan *plan = &setup->plan;
    return staging_begin(&setup->staging, setup->context->command->config, error) &&
           draft_secret(setup, PLAN_MESH_KEY, (const char *)plan->key.secret,
                        plan->key.secret_length, error) &&
           draft_secret(setup, PLAN_PASSWORD, plan->imap.password, strlen(plan->imap.password),
                        error) &&
           (plan->relay.password[0] == '\0' ||
            draft_secret(setup, PLAN_RELAY_PASSWORD, plan->relay.password,
                         strlen(plan->relay.password), error)) &&
           draft_config(setup, error);
}
