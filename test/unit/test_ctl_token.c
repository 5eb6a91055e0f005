// Tokens: what goes in comes out, and what is no token of this mesh is told from one that is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/mesh_token.h"

static const struct mesh_keys NONE = {.count = 0};

static struct mesh_key key_of(const char *id, const char *secret)
{
    struct mesh_key key = {.secret_length = strlen(secret)};
    text_copy(key.id, sizeof key.id, id);
    memcpy(key.secret, secret, key.secret_length);
    return key;
}

static struct mesh_keys keys_of(const char *id, const char *secret)
{
    return (struct mesh_keys){.keys = {key_of(id, secret)}, .count = 1};
}

static struct mesh_token token_of(const char *id, const char *secret)
{
    return (struct mesh_token){
        .key = key_of(id, secret),
        .servers = {{"mx01", "probe@mx01.example", "http://mx01.example:9925"},
                    {"mx02", "probe@mx02.example", ""}},
        .server_count = 2,
    };
}

#define SECRET "0123456789abcdef0123456789abcdef"

static void assert_servers(const struct mesh_token *read, const struct mesh_token *written)
{
    assert_int_equal(read->server_count, written->server_count);
    for (size_t i = 0; i < read->server_count; i++) {
        assert_string_equal(read->servers[i].name, written->servers[i].name);
        assert_string_equal(read->servers[i].address, written->servers[i].address);
        assert_string_equal(read->servers[i].agent, written->servers[i].agent);
    }
}

static void assert_refused(const char *text, const struct mesh_keys *ours, const char *reason)
{
    struct mesh_token read;
    struct error error = {0};
    assert_false(mesh_token_decode(text, ours, &read, &error));
    if (strstr(error.message, reason) == NULL) {
        fail_msg("'%s' is not in '%s'", reason, error.message);
    }
}

static void an_invitation_carries_the_key(void **state)
{
    (void)state;
    char line[MESH_TOKEN_SIZE];
    struct text text = TEXT_OVER(line);
    struct mesh_token token = token_of("k1", SECRET), read;
    struct mesh_keys ours = keys_of("k1", SECRET);
    struct error error;
    assert_int_equal(mesh_token_encode(&token, true, &text), 2);
    assert_memory_equal(line, "mf1.", 4);
    assert_true(mesh_token_decode(line, &NONE, &read, &error));
    assert_servers(&read, &token);
    assert_string_equal(read.key.id, "k1");
    assert_int_equal(read.key.secret_length, strlen(SECRET));
    assert_memory_equal(read.key.secret, SECRET, strlen(SECRET));
    assert_true(mesh_token_decode(line, &ours, &read, &error));
}

static void an_introduction_does_not(void **state)
{
    (void)state;
    char line[MESH_TOKEN_SIZE];
    struct text text = TEXT_OVER(line);
    struct mesh_token token = token_of("k1", SECRET), read;
    struct mesh_keys ours = keys_of("k1", SECRET);
    struct error error;
    mesh_token_encode(&token, false, &text);
    assert_true(mesh_token_decode(line, &ours, &read, &error));
    assert_servers(&read, &token);
    assert_int_equal(read.key.secret_length, 0);
    assert_refused(line, &NONE, "carries no mesh key");
}

static void keys_of_every_length(void **state)
{
    (void)state;
    for (size_t length = MESH_KEY_SECRET_MINIMUM; length <= MESH_KEY_SECRET_MAXIMUM; length++) {
        char line[MESH_TOKEN_SIZE];
        struct text text = TEXT_OVER(line);
        struct mesh_token token = token_of("k-1_", SECRET), read;
        struct error error;
        token.key.secret_length = length;
        for (size_t i = 0; i < length; i++) {
            token.key.secret[i] = (uint8_t)(0xFF - i);
        }
        mesh_token_encode(&token, true, &text);
        assert_true(mesh_token_decode(line, &NONE, &read, &error));
        assert_int_equal(read.key.secret_length, length);
        assert_memory_equal(read.key.secret, token.key.secret, length);
    }
}

static void a_token_of_another_mesh(void **state)
{
    (void)state;
    char invitation[MESH_TOKEN_SIZE], introduction[MESH_TOKEN_SIZE];
    struct text first = TEXT_OVER(invitation), second = TEXT_OVER(introduction);
    struct mesh_token token = token_of("k1", SECRET);
    struct mesh_keys other = keys_of("k1", "another secret of 27 bytes.");
    struct mesh_keys named = keys_of("k2", SECRET);
    mesh_token_encode(&token, true, &first);
    mesh_token_encode(&token, false, &second);
    assert_refused(invitation, &other, "of another mesh: its key 'k1' is not this server's");
    assert_refused(invitation, &named, "of another mesh: its key 'k1' is not this server's");
    assert_refused(introduction, &named, "of another mesh: its key 'k1' is not this server's");
    assert_refused(introduction, &other, "altered, or is of another mesh");
}

// Every byte matters, and so does every part.
static void a_damaged_token(void **state)
{
    (void)state;
    char line[MESH_TOKEN_SIZE], damaged[MESH_TOKEN_SIZE];
    struct text text = TEXT_OVER(line);
    struct mesh_token token = token_of("k1", SECRET), read;
    struct error error;
    mesh_token_encode(&token, true, &text);
    for (size_t i = 0; i < text.length; i++) {
        memcpy(damaged, line, text.length + 1);
        damaged[i] = damaged[i] == 'x' ? 'y' : 'x';
        assert_false(mesh_token_decode(damaged, &NONE, &read, &error));
        memcpy(damaged, line, text.length + 1);
        damaged[i] = '\0';
        assert_false(mesh_token_decode(damaged, &NONE, &read, &error));
    }
    text_append(&text, " ");
    assert_refused(line, &NONE, "damaged: copy the whole line");
    line[text.length - 2] = '\0';
    assert_refused(line, &NONE, "damaged: copy the whole line");
}

static void what_is_no_token(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *reason;
    } CASES[] = {
        {"", "that is no token: one begins with mf1."},
        {"mf", "that is no token"},
        {"mf.", "that is no token"},
        {"mfx.abc.01234567", "that is no token"},
        {"hunter2", "that is no token"},
        {"mf2.YWJj.01234567", "of version 2, and this mailflow reads version 1"},
        {"mf99999999999999.YWJj", "of version 999999999"},
        {"mf1.", "damaged"},
        {"mf1.e7615189", "damaged"}, // the checksum of mf1
        {"mf1.YWJj", "damaged"},
        // With a checksum that is right (printf %s mf1.YWJj | sha256sum).
        {"mf1.YWJj.2b7de506", "malformed"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_refused(CASES[i].text, &NONE, CASES[i].reason);
    }
}

static void what_has_no_room_is_counted(void **state)
{
    (void)state;
    char line[MESH_TOKEN_SIZE];
    struct text text = TEXT_OVER(line);
    struct mesh_token token = {.key = key_of("k1", SECRET)}, read;
    struct error error;
    while (token.server_count < MESH_TOKEN_SERVERS_MAXIMUM) {
        struct mesh_server *server = &token.servers[token.server_count];
        struct text name = TEXT_OVER(server->name), address = TEXT_OVER(server->address),
                    agent = TEXT_OVER(server->agent);
        text_format(&name, "mail-server-%zu", token.server_count++);
        text_format(&address, "probe@%s.a-department.example", name.data);
        text_format(&agent, "https://%s.a-department.example:9925", name.data);
    }
    size_t told = mesh_token_encode(&token, true, &text);
    assert_false(text.truncated);
    assert_in_range(told, 16, MESH_TOKEN_SERVERS_MAXIMUM - 1);
    token.server_count = told;
    assert_true(mesh_token_decode(line, &NONE, &read, &error));
    assert_servers(&read, &token);
}

static void a_server_as_a_person_writes_it(void **state)
{
    (void)state;
    struct mesh_server server;
    assert_true(mesh_server_parse("mx02=probe@mx02.example", &server));
    assert_string_equal(server.name, "mx02");
    assert_string_equal(server.address, "probe@mx02.example");
    assert_string_equal(server.agent, "");
    assert_true(mesh_server_parse("mx02=probe@mx02.example=http://mx02.example:9925", &server));
    assert_string_equal(server.agent, "http://mx02.example:9925");
    static const char *const WRONG[] = {
        "",
        "mx02",
        "mx02=",
        "=probe@mx02.example",
        "mx02=mx02.example",
        "mx.02=probe@mx02.example",
        "mx02=probe@mx02.example=",
        "mx02=probe@mx02.example=ftp://mx02.example",
        "mx02=probe@mx02.example http://mx02.example",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        assert_false(mesh_server_parse(WRONG[i], &server));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_carries_the_key),
        cmocka_unit_test(an_introduction_does_not),
        cmocka_unit_test(keys_of_every_length),
        cmocka_unit_test(a_token_of_another_mesh),
        cmocka_unit_test(a_damaged_token),
        cmocka_unit_test(what_is_no_token),
        cmocka_unit_test(what_has_no_room_is_counted),
        cmocka_unit_test(a_server_as_a_person_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
