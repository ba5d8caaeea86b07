/* What a connection expects, against the field that each family has for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "verify/binding.h"

static atls_claims claims;
static atls_expected expected;
static atls_ledger ledger;
static uint8_t nonce[64], spki[91];
static const char *const nonces[] = {
    "first", "1717171717171717171717171717171717171717171717171717171717171717"};

static void fresh(atls_tee tee)
{
    memset(&claims, 0, sizeof claims);
    memset(&expected, 0, sizeof expected);
    memset(nonce, 0x42, sizeof nonce);
    memset(spki, 0x30, sizeof spki);
    claims.tee = tee;
    expected.binding = ATLS_BINDING_SESSION;
    expected.has_report_data = expected.has_short_data = true;
    memset(expected.report_data, 0x42, sizeof expected.report_data);
    memset(expected.short_data, 0x17, sizeof expected.short_data);
    if (atls_tee_has_tpm((atls_tee)tee)) {
        memset(claims.tpm.qualifying_data, 0x17, 32);
        claims.tpm.qualifying_data_len = 32;
    } else if (tee == ATLS_TEE_NITRO || tee == ATLS_TEE_NITROTPM) {
        claims.as.nitro.nonce = (atls_buf){nonce, sizeof nonce};
        claims.as.nitro.public_key = (atls_buf){spki, sizeof spki};
        expected.spki = (atls_buf){spki, sizeof spki};
    } else if (tee == ATLS_TEE_TOKEN) {
        claims.as.token.nonces = nonces;
        claims.as.token.nonces_n = 2;
    } else {
        memset(claims.report_data, 0x42, 64);
        claims.report_data_len = 64;
    }
}

/* "" when all is equal. */
static const char *judged(void)
{
    atls_binding_kind kind = ATLS_BINDING_NONE;
    const char *freshness = "none";
    atls_ledger_init(&ledger);
    atls_judge_binding(&claims, &expected, &ledger, &kind, &freshness);
    const atls_entry *e = atls_ledger_deciding(&ledger);
    bool good = ledger.count > 0 && atls_ledger_all_ok(&ledger, 0);
    assert_int_equal(kind, good ? ATLS_BINDING_SESSION : ATLS_BINDING_NONE);
    assert_string_equal(freshness, good ? "this connection" : "none");
    assert_true(e == NULL || e->code == ATLS_E_BINDING);
    return e != NULL ? e->id : good ? "" : ledger.count > 0 ? "skipped" : "nothing";
}

static void each_family_has_its_own_field(void **state)
{
    (void)state;
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        fresh((atls_tee)tee);
        assert_string_equal(judged(), "");
    }
    fresh(ATLS_TEE_NONE);
    assert_string_equal(judged(), "skipped");
}

static void another_value_is_refused(void **state)
{
    (void)state;
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        fresh((atls_tee)tee);
        nonce[63] ^= 1;
        claims.report_data[63] ^= 1;
        claims.tpm.qualifying_data[31] ^= 1;
        expected.short_data[0] ^= tee == ATLS_TEE_TOKEN ? 1 : 0;
        assert_string_equal(judged(), "binding.report_data");
    }
    fresh(ATLS_TEE_TPM); /* no part of a longer value */
    claims.tpm.qualifying_data_len = 33;
    assert_string_equal(judged(), "binding.report_data");
    claims.tpm.qualifying_data_len = 0;
    assert_string_equal(judged(), "binding.report_data");
    fresh(ATLS_TEE_NITRO);
    claims.as.nitro.nonce.len = 0;
    assert_string_equal(judged(), "binding.report_data");
    fresh(ATLS_TEE_TOKEN);
    claims.as.token.nonces_n = 1;
    assert_string_equal(judged(), "binding.report_data");
}

static void nitro_binds_the_key_and_nothing_else(void **state)
{
    (void)state;
    fresh(ATLS_TEE_NITRO);
    claims.as.nitro.public_key.len = 90;
    assert_string_equal(judged(), "binding.public_key");
    fresh(ATLS_TEE_NITRO);
    claims.as.nitro.public_key = (atls_buf){NULL, 0};
    assert_string_equal(judged(), "binding.public_key");
    expected.spki = (atls_buf){NULL, 0}; /* a batch names no key */
    assert_string_equal(judged(), "");
    claims.as.nitro.user_data = (atls_buf){nonce, 1};
    assert_string_equal(judged(), "binding.user_data");
}

/* A caller that knows 64 bytes only cannot judge a field of 32. */
static void short_fields_need_short_data(void **state)
{
    (void)state;
    const atls_tee tees[] = {ATLS_TEE_TPM, ATLS_TEE_AZURE, ATLS_TEE_SNP_TPM, ATLS_TEE_TOKEN};
    for (size_t i = 0; i < 4; i++) {
        fresh(tees[i]);
        expected.has_short_data = false;
        assert_string_equal(judged(), "binding.report_data");
    }
}

static void nonces_are_compared_whole(void **state)
{
    (void)state;
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        fresh((atls_tee)tee);
        bool is_tpm = atls_tee_has_tpm((atls_tee)tee);
        expected.has_report_data = false;
        expected.has_nonce = true;
        memset(expected.nonce, is_tpm ? 0x17 : 0x42, 64);
        expected.nonce_len = is_tpm ? 32 : 64;
        assert_string_equal(judged(), tee == ATLS_TEE_TOKEN ? "binding.nonce" : "");
        expected.nonce_len--;
        assert_string_equal(judged(), "binding.nonce");
        expected.nonce_len = 0;
        assert_string_equal(judged(), "binding.nonce");
    }
    fresh(ATLS_TEE_TOKEN);
    expected.has_report_data = false;
    expected.nonce_text = "first";
    assert_string_equal(judged(), "");
    expected.nonce_text = "firs";
    assert_string_equal(judged(), "binding.nonce_text");
    expected.nonce_text = "";
    assert_string_equal(judged(), "binding.nonce_text");
    fresh(ATLS_TEE_SNP);
    expected.nonce_text = "first";
    assert_string_equal(judged(), "binding.nonce_text");
}

static void who_names_an_issuer_wants_a_token(void **state)
{
    (void)state;
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        fresh((atls_tee)tee);
        expected.issuer = "https://as.example";
        assert_string_equal(judged(), tee == ATLS_TEE_TOKEN ? "" : "binding.token");
        expected.issuer = NULL;
        expected.audience = "atls";
        assert_string_equal(judged(), tee == ATLS_TEE_TOKEN ? "" : "binding.token");
    }
}

static void a_binding_wants_something_to_compare(void **state)
{
    (void)state;
    fresh(ATLS_TEE_SNP);
    expected.has_report_data = false;
    assert_string_equal(judged(), "binding.expected");
}

/* --- what stands beside --- */

static void user_data_are_those_of_the_report(void **state)
{
    (void)state;
    fresh(ATLS_TEE_AZURE);
    expected.has_user_data = true;
    memset(expected.user_data, 0x55, 64);
    assert_string_equal(judged(), "binding.user_data");
    claims.tpm.has_user_data = true;
    memset(claims.tpm.user_data, 0x55, 64);
    assert_string_equal(judged(), "");
    claims.tpm.user_data[63] ^= 1;
    assert_string_equal(judged(), "binding.user_data");
    claims.tpm.user_data[63] ^= 1;
    claims.tpm.has_user_data = false;
    assert_string_equal(judged(), "binding.user_data");
    fresh(ATLS_TEE_NITRO);
    expected.has_user_data = true;
    memset(expected.user_data, 0x42, 64);
    assert_string_equal(judged(), "binding.user_data");
    claims.as.nitro.user_data = (atls_buf){nonce, 64};
    assert_string_equal(judged(), "");
    claims.as.nitro.user_data.len = 63;
    assert_string_equal(judged(), "binding.user_data");
    const atls_tee others[] = {ATLS_TEE_SGX, ATLS_TEE_TDX, ATLS_TEE_SNP,
                               ATLS_TEE_TPM, ATLS_TEE_CCA, ATLS_TEE_TOKEN};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        fresh(others[i]);
        expected.has_user_data = true;
        assert_string_equal(judged(), "binding.user_data");
    }
    fresh(ATLS_TEE_NONE);
    expected.has_report_data = false;
    expected.has_user_data = true;
    assert_string_equal(judged(), "skipped");
}

static void the_hardware_says_its_own(void **state)
{
    (void)state;
    for (int tee = ATLS_TEE_SGX; tee < ATLS_TEES; tee++) {
        fresh((atls_tee)tee);
        expected.has_hardware_data = true;
        memset(expected.hardware_data, 0x66, 64);
        memset(claims.report_data, 0x66, 64);
        claims.report_data_len = 64;
        memset(expected.report_data, 0x66, 64);
        memset(nonce, 0x66, 64);
        const bool two = atls_tee_is_composite((atls_tee)tee);
        assert_string_equal(judged(), two ? "" : "binding.hardware_data");
        if (two) {
            claims.report_data[63] ^= 1;
            assert_string_equal(judged(), "binding.hardware_data");
            claims.report_data[63] ^= 1;
            claims.report_data_len = 0;
            assert_string_equal(judged(), "binding.hardware_data");
        }
    }
}

static const uint8_t key_hash[] = {1, 2, 3, 4}, other_hash[] = {1, 2, 3, 5};
static atls_event events[3];

static void fresh_log(void)
{
    fresh(ATLS_TEE_TDX);
    const atls_event e = {.index = 3,
                          .name = "New Certificate",
                          .data = {key_hash, 4},
                          .data_matches = true,
                          .is_runtime = true,
                          .after_ready = true};
    for (size_t i = 0; i < 3; i++) {
        events[i] = e;
    }
    events[0].data.ptr = other_hash;
    events[2].name = "other";
    claims.log = (atls_event_claims){.events = events, .n = 3, .replayed = 8};
    expected.event = "New Certificate";
    expected.event_data = (atls_buf){key_hash, 4};
}

static void the_last_event_of_a_name_counts(void **state)
{
    (void)state;
    fresh_log();
    assert_string_equal(judged(), "");
    events[2].name = "New Certificate";
    events[2].data.ptr = other_hash;
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    events[1].data.len = 3;
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    events[1].data_matches = false;
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    events[1].is_runtime = false; /* firmware's events have no names of their own */
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    events[1].index = 2;
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    expected.event = "New Certificat";
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    claims.log.replayed = 7;
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    claims.log.differs = 8;
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    claims.log = (atls_event_claims){0};
    assert_string_equal(judged(), "binding.event");
    fresh_log();
    claims.tee = ATLS_TEE_SNP;
    assert_string_equal(judged(), "binding.event");
}

/* An event as old as its machine, or one half of evidence that has two, says nothing of this connection. */
static void what_stands_beside_binds_nothing_alone(void **state)
{
    (void)state;
    fresh_log();
    expected.has_report_data = false;
    assert_string_equal(judged(), "binding.expected");
    fresh(ATLS_TEE_AZURE);
    expected.has_report_data = false;
    expected.has_user_data = claims.tpm.has_user_data = true;
    assert_string_equal(judged(), "binding.expected");
    fresh(ATLS_TEE_AZURE);
    expected.has_report_data = false;
    expected.has_hardware_data = true;
    claims.report_data_len = 64;
    assert_string_equal(judged(), "binding.expected");
    fresh(ATLS_TEE_NITRO); /* a document is made with its user data */
    expected.has_report_data = false;
    expected.has_user_data = true;
    memset(expected.user_data, 0x42, 64);
    claims.as.nitro.user_data = (atls_buf){nonce, 64};
    assert_string_equal(judged(), "");
    fresh_log(); /* without a binding to claim, it is just one more check */
    expected.has_report_data = false;
    expected.binding = ATLS_BINDING_NONE;
    atls_binding_kind kind = ATLS_BINDING_SESSION;
    const char *freshness = "none";
    atls_ledger_init(&ledger);
    atls_judge_binding(&claims, &expected, &ledger, &kind, &freshness);
    assert_true(atls_ledger_all_ok(&ledger, 0) && ledger.count == 1);
    assert_int_equal(kind, ATLS_BINDING_NONE);
    assert_string_equal(freshness, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_has_its_own_field),
        cmocka_unit_test(another_value_is_refused),
        cmocka_unit_test(nitro_binds_the_key_and_nothing_else),
        cmocka_unit_test(short_fields_need_short_data),
        cmocka_unit_test(nonces_are_compared_whole),
        cmocka_unit_test(who_names_an_issuer_wants_a_token),
        cmocka_unit_test(a_binding_wants_something_to_compare),
        cmocka_unit_test(user_data_are_those_of_the_report),
        cmocka_unit_test(the_hardware_says_its_own),
        cmocka_unit_test(the_last_event_of_a_name_counts),
        cmocka_unit_test(what_stands_beside_binds_nothing_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
