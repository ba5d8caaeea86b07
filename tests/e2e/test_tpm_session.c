/* Evidence of a real TPM (in software): judged, and as a server's in mutual atls/1, where the client's is the simulator's.
 * The verifier knows the key by credential activation, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tss2/tss2_mu.h>

#include <atls/attest.h>
#include <atls/sim.h>
#include <atls/tpm.h>
#include <atls/verifier.h>

#include "attest/tpm_quote.h"
#include "e2e/enrol.h"
#include "e2e/rig.h"
#include "e2e/swtpm.h"

#define PINNED 7u

static swtpm tpm_of_test;
static enrolled key_of_test; /* after credential activation */

static atls_attester *open_attester(const char *ak, const char *pcrs)
{
    atls_attester *a = NULL;
    atls_err err = {0};
    atls_tpm_options o = {.tcti = tpm_of_test.tcti, .ak = ak, .pcrs = pcrs};
    if (atls_attester_open(&(atls_attest_options){.type = "tpm", .tpm = &o}, &a, &err) !=
        ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return a;
}

/* A policy that pins one PCR to what it is now. */
static void pin(char *out, size_t room)
{
    uint8_t now[32];
    char hex[65];
    swtpm_pcr(&tpm_of_test, PINNED, now);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", now[i]);
    }
    (void)snprintf(out, room,
                   "{\"atls_policy\":1,\"workloads\":[{\"name\":\"box\",\"tees\":[\"tpm\"],"
                   "\"tpm\":{\"sha256\":{\"%u\":[\"%s\"]}}}]}",
                   PINNED, hex);
}

static atls_verifier *new_verifier(const char *policy_text, bool knows_key)
{
    atls_verifier *v = atls_verifier_new();
    assert_non_null(v);
    if (policy_text != NULL) {
        atls_policy *policy = NULL;
        atls_err err = {0};
        if (atls_policy_parse((atls_buf){(const uint8_t *)policy_text, strlen(policy_text)},
                              &policy, &err) != ATLS_OK) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(atls_verifier_set1_policy(v, policy, NULL), ATLS_OK);
        atls_policy_free(policy);
    }
    if (knows_key) {
        enrolled_trust(v, &key_of_test);
    }
    return v;
}

/* What a test does to evidence before it is judged; all NULL or zero: nothing. */
typedef struct doubt {
    const char *policy;
    bool stranger;         /* the verifier does not know the key */
    const char *ak, *pcrs; /* as atls_tpm_options */
    uint8_t nonce;         /* expected in each byte; the quote has 1 */
    const char *part;      /* this part ... */
    size_t flip;           /* ... has its bit 0 flipped at this byte ... */
    bool cut, longer;      /* ... or is a byte shorter, or longer */
} doubt;

static void spoil(atls_evidence_blob *blob, const doubt *d)
{
    for (size_t i = 0; d->part != NULL && i < blob->parts_n; i++) {
        if (strcmp(blob->parts[i].name, d->part) != 0) {
            continue;
        }
        if (d->longer) {
            blob->parts[i].bytes = realloc(blob->parts[i].bytes, blob->parts[i].len + 1);
            assert_non_null(blob->parts[i].bytes);
            blob->parts[i].bytes[blob->parts[i].len++] = 0;
        } else if (d->cut) {
            blob->parts[i].len--;
        } else {
            blob->parts[i].bytes[d->flip] ^= 1;
        }
    }
}

static atls_verdict *judge(const atls_evidence_blob *blob, const doubt *d)
{
    atls_verifier *v = new_verifier(d->policy, !d->stranger);
    atls_evidence e = {.type = blob->type, .parts_n = blob->parts_n};
    atls_expected expected = {.has_nonce = true, .nonce_len = 32};
    atls_err err = {0};
    memset(expected.nonce, d->nonce != 0 ? d->nonce : 1, 32);
    for (size_t i = 0; i < blob->parts_n; i++) {
        e.parts[i].name = blob->parts[i].name;
        e.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    atls_verdict *verdict = atls_verifier_check(v, &e, &expected, RIG_WHEN_S, &err);
    assert_non_null(verdict);
    atls_verifier_free(v);
    return verdict;
}

static void assert_verdict(const atls_verdict *verdict, atls_code code, const char *check)
{
    if (atls_verdict_code(verdict) != code || strcmp(atls_verdict_check(verdict), check) != 0) {
        fail_msg("code %d, %s: %s; wanted %d, %s", (int)atls_verdict_code(verdict),
                 atls_verdict_check(verdict), atls_verdict_message(verdict), (int)code, check);
    }
}

static void assert_judged(const doubt *d, atls_code code, const char *check)
{
    atls_attester *a = open_attester(d->ak, d->pcrs);
    atls_evidence_blob blob = {0};
    atls_report_data data;
    atls_err err = {0};
    memset(&data, 1, sizeof data);
    data.spki = NULL;
    data.spki_len = 0;
    if (a->attest(a->self, &data, &blob, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_attester_free(a);
    spoil(&blob, d);
    atls_verdict *verdict = judge(&blob, d);
    assert_verdict(verdict, code, check);
    assert_string_equal(atls_verdict_format(verdict), "tpm");
    assert_false(atls_verdict_simulated(verdict));
    atls_verdict_free(verdict);
    atls_evidence_blob_clear(&blob);
}

/* --- evidence alone --- */

static void a_quote_by_an_enrolled_key(void **state)
{
    (void)state;
    char policy[512];
    swtpm_extend(&tpm_of_test, PINNED, "what is started");
    pin(policy, sizeof policy);
    assert_judged(&(doubt){0}, ATLS_OK, "");
    assert_judged(&(doubt){.policy = policy}, ATLS_OK, "");
    assert_judged(&(doubt){.policy = policy, .pcrs = "sha384:0-15+sha256:0-23"}, ATLS_OK, "");
}

static void a_key_that_nobody_enrolled(void **state)
{
    (void)state;
    assert_judged(&(doubt){.stranger = true}, ATLS_E_INVALID, "tpm.ak.untrusted");
    assert_judged(&(doubt){.ak = "rsa"}, ATLS_E_INVALID, "tpm.ak.untrusted"); /* another key */
}

static void another_nonce(void **state)
{
    (void)state;
    assert_judged(&(doubt){.nonce = 2}, ATLS_E_BINDING, "binding.nonce");
}

static void pcrs_that_policy_does_not_accept(void **state)
{
    (void)state;
    char policy[512];
    pin(policy, sizeof policy);
    swtpm_extend(&tpm_of_test, PINNED, "something else");
    assert_judged(&(doubt){.policy = policy}, ATLS_E_POLICY, "policy.tpm.pcr7");
    pin(policy, sizeof policy); /* as it is, but neither of these quotes says so */
    assert_judged(&(doubt){.policy = policy, .pcrs = "sha256:0-6"}, ATLS_E_POLICY,
                  "policy.tpm.pcr7");
    assert_judged(&(doubt){.policy = policy, .pcrs = "sha384:7"}, ATLS_E_POLICY, "policy.tpm.pcr7");
}

static void parts_that_were_changed(void **state)
{
    (void)state;
    static const struct {
        doubt d;
        const char *check;
    } cases[] = {
        {{.part = "quote", .flip = 0}, "tpm.attest.magic"},
        {{.part = "quote", .flip = 5}, "tpm.attest.type"},
        {{.part = "quote", .flip = 50}, "tpm.quote.signature"}, /* its nonce */
        {{.part = "quote", .flip = 100}, "tpm.quote.signature"},
        {{.part = "quote", .cut = true}, "tpm.attest.length"},
        {{.part = "quote", .longer = true}, "tpm.attest.length"},
        {{.part = "signature", .flip = 20}, "tpm.quote.signature"},
        {{.part = "pcrs", .flip = 7 * 32}, "tpm.pcrs.digest"},
        {{.part = "pcrs", .cut = true}, "tpm.pcrs.length"},
        {{.part = "pcrs", .longer = true}, "tpm.pcrs.length"},
        {{.part = "ak_public", .flip = 40}, "tpm.ak.untrusted"}, /* another point */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_judged(&cases[i].d, ATLS_E_INVALID, cases[i].check);
    }
}

/* --- a key that signs anything --- */

typedef struct forging {
    tpm_settings settings;
    tpm_quote quote;
    tpm_key key;
} forging;

static atls_code forge(tpm *t, void *arg, atls_err *err)
{
    forging *f = arg;
    uint8_t nonce[32];
    TPM2B_PUBLIC *public = NULL;
    memset(nonce, 1, sizeof nonce);
    ATLS_TRY(tpm_said(t,
                      Esys_TR_FromTPMPublic(t->esys, 0x81010050, ESYS_TR_NONE, ESYS_TR_NONE,
                                            ESYS_TR_NONE, &f->key.handle),
                      "key", err));
    ATLS_TRY(tpm_said(t,
                      Esys_ReadPublic(t->esys, f->key.handle, ESYS_TR_NONE, ESYS_TR_NONE,
                                      ESYS_TR_NONE, &public, NULL, NULL),
                      "TPM2_ReadPublic", err));
    f->key.public = *public;
    Esys_Free(public);
    TPML_PCR_SELECTION pcrs;
    ATLS_TRY(tpm_selection_read("sha256:0-7", &pcrs, err));
    return tpm_quote_make(t, &f->key, &pcrs, (atls_buf){nonce, sizeof nonce}, &f->quote, err);
}

/* The attester does not use such a key; whoever does is refused, though his key was vouched for by mistake. */
static void a_quote_by_a_key_that_signs_anything(void **state)
{
    (void)state;
    static forging f;
    atls_err err = {0};
    uint8_t *public = NULL;
    size_t public_len = 0;
    swtpm_keep_unrestricted(&tpm_of_test, 0x81010050);
    if (tpm_turn(tpm_of_test.tcti, 0, forge, &f, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    assert_int_equal(tpm_public_bytes(&f.key.public, &public, &public_len, &err), ATLS_OK);
    atls_evidence e = {.type = "tpm",
                       .parts_n = 4,
                       .parts = {{"quote", {f.quote.attest, f.quote.attest_len}},
                                 {"signature", {f.quote.signature, f.quote.signature_len}},
                                 {"pcrs", {f.quote.pcrs, f.quote.pcrs_len}},
                                 {"ak_public", {public, public_len}}}};
    atls_verifier *v = atls_verifier_new();
    assert_int_equal(atls_verifier_add1_endorsement(v, (atls_buf){public, public_len}, &err),
                     ATLS_OK);
    atls_verdict *verdict = atls_verifier_check(v, &e, NULL, RIG_WHEN_S, &err);
    assert_verdict(verdict, ATLS_E_INVALID, "tpm.ak.attributes");
    atls_verdict_free(verdict);
    atls_verifier_free(v);
    free(public);
}

/* --- connections --- */

static void trust_enrolled(atls_verifier *v, void *arg)
{
    enrolled_trust(v, arg);
}

static void say_something(rig *r)
{
    static const uint8_t text[] = "through the attested connection";
    rig_send(&r->client, &r->server, text, sizeof text);
    rig_send(&r->server, &r->client, text, sizeof text);
}

static void ask_again(rig *r)
{
    rig_clock(r, 1000);
    assert_int_equal(atls_session_reattest(r->client.session, &r->client.err), ATLS_OK);
    rig_settle(r);
}

static void a_connection_that_a_changed_pcr_ends(void **state)
{
    (void)state;
    char policy[512];
    atls_attester *a = open_attester(NULL, NULL);
    pin(policy, sizeof policy);
    rig r;
    rig_new(&r, &(rig_options){.client_shows = true,
                               .client_asks = true,
                               .server_shows = true,
                               .server_asks = true,
                               .client_policy = policy,
                               .server_attester = a,
                               .client_trust = trust_enrolled,
                               .client_trust_arg = &key_of_test});
    rig_open(&r);
    const atls_verdict *v = atls_session_get0_verdict(r.client.session);
    assert_string_equal(atls_verdict_format(v), "tpm");
    assert_string_equal(atls_verdict_workload(v), "box");
    assert_string_equal(atls_verdict_binding(v), "session");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    assert_false(atls_verdict_simulated(v));
    assert_true(atls_verdict_simulated(atls_session_get0_verdict(r.server.session)));
    say_something(&r);
    ask_again(&r); /* nothing changed */
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    say_something(&r);
    swtpm_extend(&tpm_of_test, PINNED, "a rootkit");
    ask_again(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "policy.tpm.pcr7");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.refused");
    uint8_t b[1] = {0};
    size_t n = 0;
    assert_int_equal(atls_session_write(r.client.session, b, 1, &n, &r.client.err), ATLS_E_POLICY);
    rig_free(&r);
    atls_attester_free(a);
}

/* The other key of the same TPM, enrolled or not, is not the peer that was accepted. */
static void a_connection_that_another_key_ends(void **state)
{
    (void)state;
    atls_attester *a = open_attester(NULL, NULL);
    atls_attester *other = open_attester("rsa", NULL);
    rig r;
    rig_new(&r, &(rig_options){.client_asks = true,
                               .server_shows = true,
                               .server_attester = a,
                               .client_trust = trust_enrolled,
                               .client_trust_arg = &key_of_test});
    rig_open(&r);
    atls_config_set0_attester(r.server.config, other);
    ask_again(&r);
    rig_assert_failed(&r.client, ATLS_E_INVALID, "tpm.ak.untrusted");
    rig_free(&r);
    atls_attester_free(a);
    atls_attester_free(other);
}

static void a_connection_to_a_stranger(void **state)
{
    (void)state;
    atls_attester *a = open_attester(NULL, NULL);
    rig r;
    rig_new(&r, &(rig_options){.client_asks = true, .server_shows = true, .server_attester = a});
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_INVALID, "tpm.ak.untrusted");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.refused");
    rig_free(&r);
    atls_attester_free(a);
}

static int set_up(void **state)
{
    (void)state;
    swtpm_start(&tpm_of_test, true);
    enrol(&tpm_of_test, NULL, &key_of_test);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enrolled_clear(&key_of_test);
    swtpm_stop(&tpm_of_test);
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_by_an_enrolled_key),
        cmocka_unit_test(a_key_that_nobody_enrolled),
        cmocka_unit_test(another_nonce),
        cmocka_unit_test(pcrs_that_policy_does_not_accept),
        cmocka_unit_test(parts_that_were_changed),
        cmocka_unit_test(a_quote_by_a_key_that_signs_anything),
        cmocka_unit_test(a_connection_that_a_changed_pcr_ends),
        cmocka_unit_test(a_connection_that_another_key_ends),
        cmocka_unit_test(a_connection_to_a_stranger),
    };
    if (!swtpm_is_installed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
