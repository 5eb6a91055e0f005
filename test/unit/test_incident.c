// The list of open incidents: numbers, places, subjects, names.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/incident.h"

static struct incident incident_of(enum incident_kind kind, int peer)
{
    return (struct incident){.kind = kind, .subject = {SUBJECT_PATH, peer, INBOUND, 0}};
}

static void test_numbers_are_never_reused(void **state)
{
    (void)state;
    struct incidents incidents = {.last_id = 40};
    struct incident silent = incident_of(INCIDENT_SILENT, 0);
    uint32_t place = incidents_add(&incidents, &silent);
    assert_int_equal(incidents.places[place]->id, 41);
    incidents_remove(&incidents, place);
    assert_int_equal(incidents_add(&incidents, &silent), place);
    assert_int_equal(incidents.places[place]->id, 42);
    struct incident restored = incident_of(INCIDENT_SLOW, 1);
    restored.id = 99;
    incidents_add(&incidents, &restored);
    uint32_t next = incidents_add(&incidents, &silent);
    assert_int_equal(incidents.places[next]->id, 100);
    incidents_free(&incidents);
}

static void test_found_by_kind_and_subject(void **state)
{
    (void)state;
    struct incidents incidents = {0};
    for (int peer = 0; peer < 10; peer++) {
        struct incident silent = incident_of(INCIDENT_SILENT, peer);
        struct incident slow = incident_of(INCIDENT_SLOW, peer);
        incidents_add(&incidents, &silent);
        incidents_add(&incidents, &slow);
    }
    struct subject subject = {SUBJECT_PATH, 7, INBOUND, 3}; // the mailbox means nothing here
    int64_t place = incidents_find(&incidents, INCIDENT_SLOW, &subject);
    assert_int_equal(incidents.places[place]->kind, INCIDENT_SLOW);
    assert_int_equal(incidents.places[place]->subject.peer, 7);
    subject.direction = OUTBOUND;
    assert_int_equal(incidents_find(&incidents, INCIDENT_SLOW, &subject), -1);
    subject = (struct subject){SUBJECT_MAILBOX, 7, INBOUND, 0};
    assert_int_equal(incidents_find(&incidents, INCIDENT_BLIND, &subject), -1);
    incidents_free(&incidents);
}

static void test_thousands_are_found_by_id_and_subject(void **state)
{
    (void)state;
    enum { PEERS = 3000 };
    struct incidents incidents = {0};
    for (int peer = 0; peer < PEERS; peer++) {
        struct incident silent = incident_of(INCIDENT_SILENT, peer);
        incidents_add(&incidents, &silent);
    }
    for (int64_t id = 1; id <= PEERS; id += 2) { // every other one closes
        incidents_remove(&incidents, (uint32_t)incidents_find_id(&incidents, id));
    }
    for (int64_t id = 1; id <= PEERS; id++) {
        struct subject subject = {SUBJECT_PATH, (int)id - 1, INBOUND, 0};
        int64_t place = incidents_find_id(&incidents, id);
        assert_int_equal(place, incidents_find(&incidents, INCIDENT_SILENT, &subject));
        assert_int_equal(place >= 0, id % 2 == 0);
    }
    incidents_free(&incidents);
}

static void test_a_subject_may_move_and_go(void **state)
{
    (void)state;
    struct incidents incidents = {0};
    struct incident silent = incident_of(INCIDENT_SILENT, 3);
    uint32_t place = incidents_add(&incidents, &silent);
    struct subject moved = {SUBJECT_PATH, 9, INBOUND, 0}, gone = {.kind = SUBJECT_GONE};
    incidents_set_subject(&incidents, place, &moved);
    assert_int_equal(incidents_find(&incidents, INCIDENT_SILENT, &silent.subject), -1);
    assert_int_equal(incidents_find(&incidents, INCIDENT_SILENT, &moved), place);
    incidents_set_subject(&incidents, place, &gone);
    assert_int_equal(incidents_find(&incidents, INCIDENT_SILENT, &moved), -1);
    assert_int_equal(incidents_find_id(&incidents, 1), place);
    incidents_remove(&incidents, place);
    assert_int_equal(incidents_find_id(&incidents, 1), -1);
    incidents_free(&incidents);
}

static void test_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < INCIDENTS; i++) {
        enum incident_kind kind;
        assert_true(incident_kind_parse(incident_kind_name((enum incident_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    enum incident_kind kind;
    enum severity severity;
    assert_false(incident_kind_parse("tired", &kind));
    assert_true(severity_parse("critical", &severity) && severity == SEVERITY_CRITICAL);
    assert_true(severity_parse("warning", &severity) && severity == SEVERITY_WARNING);
    assert_false(severity_parse("fatal", &severity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_never_reused),
        cmocka_unit_test(test_found_by_kind_and_subject),
        cmocka_unit_test(test_thousands_are_found_by_id_and_subject),
        cmocka_unit_test(test_a_subject_may_move_and_go),
        cmocka_unit_test(test_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
