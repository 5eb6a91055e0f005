// What is advised on what mail servers say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/advice.h"

#define NO_MAILBOX  "It knows no such mailbox"
#define GREYLISTS   "It greylists"
#define NO_RELAYING "It does not relay"
#define POLICY      "Its policy forbids it"
#define LATER       "It refuses for the moment"
#define UNKNOWN     "The log of the mail server says more."

static void a_relay_is_understood(void **state)
{
    static const struct {
        const char *said;
        const char *advice;
    } CASES[] = {
        {"it says: 550 5.1.1 <x>: no such user", NO_MAILBOX},
        {"it says: 550-5.1.1 The account does not exist", NO_MAILBOX},
        {"it says: 450 4.7.1 <x>: Greylisted, see relay.example", GREYLISTS},
        {"it says: 451 4.7.1 Greylisting: delayed by 300 s", GREYLISTS},
        {"it says: 451 4.7.1 Greylisting: the relay 10.5.1.1 is new", GREYLISTS},
        {"it says: 554 5.7.1 <x>: Relay access denied", NO_RELAYING},
        {"it says: 550 5.7.1 Relaying denied", NO_RELAYING},
        {"it says: 550 relaying is not for you", NO_RELAYING},
        {"it says: 550 5.7.54 SMTP; Unable to relay recipient", NO_RELAYING},
        {"it says: 550 relay not permitted", NO_RELAYING},
        {"it says: 451 4.3.0 relay.example is busy: delayed", LATER},
        {"it says: 451 4.3.0 10.5.1.1 is busy", LATER},
        {"it says: 554 5.7.26 not allowed", POLICY},
        {"it says: 554 go away, 5.1.1.20, 5.7.1.1 and 4.4.4.4", UNKNOWN},
        {"4.4.4.4 is not ours", UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *advice = advice_for(ADVICE_SMTP, CASES[i].said);
        if (strncmp(advice, CASES[i].advice, strlen(CASES[i].advice)) != 0) {
            fail_msg("%s: %s", CASES[i].said, advice);
        }
    }
}

static void a_relay_that_does_not_take_a_peer(void **state)
{
    static const struct {
        const char *said;
        const char *advice;
    } CASES[] = {
        {"it says: 550 5.1.1 <x>: no such user", "There is no such mailbox"},
        {"it says: 550 User unknown", "There is no such mailbox"},
        {"it says: 550 5.1.2 no such domain", "The domain of that address has no mail server"},
        {"it says: 450 4.1.2 try later", "The domain of that address cannot be looked up"},
        {"it says: 450 4.7.1 Greylisted", GREYLISTS},
        {"it says: 554 5.7.1 Relay access denied", NO_RELAYING},
        {"it says: 554 5.7.26 not allowed", POLICY},
        {"it says: 550 no", "The log of the relay says more"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *advice = advice_for(ADVICE_RECIPIENT, CASES[i].said);
        if (strncmp(advice, CASES[i].advice, strlen(CASES[i].advice)) != 0) {
            fail_msg("%s: %s", CASES[i].said, advice);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_is_understood),
        cmocka_unit_test(a_relay_that_does_not_take_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
