/* Where a replay departs from the quoted value, when it can be told; and what the ledger says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evidence/log/log.h"
#include "evidence/log/replay.h"
#include "sim/log.h"

#define EVENTS 5
static uint8_t digests[EVENTS + 1][32];
static const char data[] = "abcdef";

/* EV_ACTION events of PCR 4, each the hash of one letter; one event of PCR 5 is among them. */
static void fill(atls_event_list *list)
{
    for (size_t i = 0; i <= EVENTS; i++) {
        const atls_buf letter = {(const uint8_t *)data + i, 1};
        atls_log_event e = {
            .index = i == 2 ? 5 : 4, .type = 5, .name = "EV_ACTION", .data = letter};
        assert_int_equal(atls_digest(ATLS_SHA256, &letter, 1, digests[i], NULL), ATLS_OK);
        e.digest[ATLS_TPM_SHA256] = (atls_buf){digests[i], 32};
        assert_int_equal(atls_event_list_add(list, &e, NULL), ATLS_OK);
    }
}

static void quote(const char *letters, uint8_t pcr[64])
{
    memset(pcr, 0, 64);
    for (const char *p = letters; *p != '\0'; p++) {
        uint8_t digest[32];
        const atls_buf letter = {(const uint8_t *)p, 1};
        assert_int_equal(atls_digest(ATLS_SHA256, &letter, 1, digest, NULL), ATLS_OK);
        assert_int_equal(atls_register_extend(ATLS_SHA256, pcr, (atls_buf){digest, 32}, NULL),
                         ATLS_OK);
    }
}

static void test_departures(void **state)
{
    (void)state;
    static const struct {
        const char *measured; /* the log says abdef */
        atls_departure_kind kind;
        size_t at;
    } cases[] = {
        {"abdef", ATLS_DEPARTS_NOT, 0},      {"abde", ATLS_DEPARTS_BEHIND, 4},
        {"a", ATLS_DEPARTS_BEHIND, 1},       {"", ATLS_DEPARTS_BEHIND, 0},
        {"bdef", ATLS_DEPARTS_EXTRA, 1},     {"abdf", ATLS_DEPARTS_EXTRA, 4},
        {"badef", ATLS_DEPARTS_SWAPPED, 1},  {"abdfe", ATLS_DEPARTS_SWAPPED, 4},
        {"abdefg", ATLS_DEPARTS_SOMEHOW, 0}, {"abxef", ATLS_DEPARTS_SOMEHOW, 0},
    };
    atls_event_list list = {0};
    fill(&list);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t pcr[64];
        atls_departure d;
        quote(cases[i].measured, pcr);
        assert_int_equal(atls_replay(&list, 4, ATLS_TPM_SHA256, false, pcr, &d, NULL), ATLS_OK);
        assert_int_equal(d.kind, cases[i].kind);
        assert_int_equal(d.events, 5);
        if (d.kind != ATLS_DEPARTS_NOT) {
            assert_int_equal(d.at, cases[i].at);
        }
    }
    for (size_t i = 0; i <= EVENTS; i++) { /* a digest that is not the data's */
        uint8_t pcr[64];
        atls_departure d;
        quote(i == 2 ? "c" : "abdef", pcr);
        digests[i][0] ^= 1;
        assert_int_equal(atls_replay(&list, i == 2 ? 5 : 4, ATLS_TPM_SHA256, false, pcr, &d, NULL),
                         ATLS_OK);
        digests[i][0] ^= 1;
        assert_int_equal(d.kind, ATLS_DEPARTS_DIGEST);
        assert_ptr_equal(d.event, &list.events[i]);
    }
    atls_event_list_clear(&list);
}

static void test_starts(void **state)
{
    (void)state;
    static const struct {
        uint32_t index;
        bool td;
        uint8_t locality, first, last;
    } cases[] = {{0, false, 0, 0, 0},  {0, false, 3, 0, 3},        {1, false, 3, 0, 0},
                 {16, false, 0, 0, 0}, {17, false, 0, 0xff, 0xff}, {22, false, 0, 0xff, 0xff},
                 {23, false, 0, 0, 0}, {0, true, 3, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_event_list list = {.locality = cases[i].td ? 0 : cases[i].locality};
        uint8_t pcr[64];
        atls_departure d;
        memset(pcr, cases[i].first, sizeof pcr);
        pcr[31] = cases[i].last;
        assert_int_equal(
            atls_replay(&list, cases[i].index, ATLS_TPM_SHA256, cases[i].td, pcr, &d, NULL),
            ATLS_OK);
        assert_int_equal(d.kind, ATLS_DEPARTS_NOT);
    }
}

/* The ledger names the register, and says where and what. */
static void test_the_ledger_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *variant, *fault, *check, *words, *others;
    } cases[] = {
        {"ccel", "log.digest", "log.rtmr0", "the digest of event 1 (EV_EFI_VARIABLE_DRIVER_CONFIG)",
         "replay: RTMR 1, 2; differ: RTMR 0"},
        {"ccel", "log.added", "log.rtmr1", "after event 3 (EV_SEPARATOR)",
         "replay: RTMR 0, 2; differ: RTMR 1"},
        {"dstack", "log.cmdline", "log.rtmr2", "cannot be told",
         "replay: RTMR 0, 1, 3; differ: RTMR 2"},
        {"dstack", "log.payload", "log.rtmr3", "cannot be told",
         "replay: RTMR 0, 1, 2; differ: RTMR 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t rtmr[4][48];
        uint8_t *log = NULL;
        size_t len = 0;
        char text[300];
        atls_ledger *l = calloc(1, sizeof *l);
        atls_event_claims claims = {0};
        atls_anchor anchor = {0};
        assert_non_null(l);
        assert_int_equal(
            sim_log_rtmrs(cases[i].variant, "demo", NULL, cases[i].fault, rtmr, &log, &len, NULL),
            ATLS_OK);
        atls_log_judge_rtmrs((atls_buf){log, len}, rtmr, l, &claims, &anchor);
        const atls_entry *e = atls_ledger_deciding(l);
        assert_non_null(e);
        assert_string_equal(e->id, cases[i].check);
        assert_int_equal(e->wanted.hex_len, 48);
        atls_value_print(l, &e->found, text, sizeof text);
        if (strstr(text, cases[i].words) == NULL) {
            fail_msg("%s: %s", cases[i].fault, text);
        }
        e = &l->entries[l->count - 1];
        assert_string_equal(e->id, "log.replay");
        assert_int_equal(e->result, ATLS_CHECK_FAIL);
        atls_value_print(l, &e->found, text, sizeof text);
        assert_string_equal(text, cases[i].others);
        anchor.release(anchor.object);
        free(log);
        free(l);
    }
}

/* A list whose entry has another SHA-1 digest than its data is refused as such: "log.ima.digest". */
static void test_ima_digest(void **state)
{
    (void)state;
    static atls_tpm_bank banks[ATLS_TPM_BANKS];
    uint8_t *log = NULL;
    size_t len = 0;
    atls_ledger *l = calloc(1, sizeof *l);
    atls_event_claims claims = {0};
    atls_anchor anchor = {0};
    assert_int_equal(sim_log_ima("demo", "log.ima_digest", banks, &log, &len, NULL), ATLS_OK);
    atls_log_judge_ima((atls_buf){log, len}, banks, l, &claims, &anchor);
    assert_string_equal(atls_ledger_deciding(l)->id, "log.ima.digest");
    free(log);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_departures),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_the_ledger_says_where),
        cmocka_unit_test(test_ima_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
