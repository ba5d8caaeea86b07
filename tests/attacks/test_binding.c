/* Attacks on the binding: evidence or authenticators of another connection, role, key or round.
 * The rows that must fail in the symbolic model (NO_ROLE, NO_EXP, LEAK_AK2) are here on the real code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attacks/duel.h"
#include "channel/config.h"
#include "crypto/digest.h"

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

/* Shows a quote over this report data, otherwise well made. */
static void show_report_data(duel *d, const uint8_t report_data[64])
{
    uint8_t *cmw = NULL;
    size_t len = 0;
    evil_payload(&d->evil, report_data, &cmw, &len);
    evil_show_payload(&d->evil, (atls_buf){cmw, len});
    free(cmw);
}

/* --- the good case, so that the bad ones mean something --- */

static void an_honest_peer_is_accepted(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel d;
        duel_new(&d, (atls_role)role);
        evil_open(&d.evil, &d.victim);
        assert_true(atls_verdict_accepted(atls_session_get0_verdict(d.victim.session)));
        duel_free(&d);
    }
}

/* --- report data --- */

/* NO_ROLE: the right binder, attested in the other role (by a machine that holds the same key, say). */
static void evidence_of_the_other_role(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        uint8_t data[64];
        duel d;
        duel_new(&d, (atls_role)role);
        duel_until_shown(&d);
        evil_report_data(&d.evil, (uint8_t)role, d.evil.identity, data);
        show_report_data(&d, data);
        duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
        duel_free(&d);
    }
}

static void report_data_of_another_binder(void **state)
{
    (void)state;
    duel d;
    duel other;
    uint8_t data[64];
    duel_new(&other, ATLS_SERVER);
    duel_new(&d, ATLS_SERVER);
    evil_expect(&other.evil, &other.victim, ATLS1_FRAME_REQUEST);
    duel_until_shown(&d);
    /* Same role, same key, same context: another connection's exporter. */
    memcpy(other.evil.asked_context, d.evil.asked_context, sizeof other.evil.asked_context);
    evil_report_data(&other.evil, 0, d.evil.identity, data);
    show_report_data(&d, data);
    duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
    duel_free(&d);
    duel_free(&other);

    duel_new(&d, ATLS_SERVER); /* this connection, another context */
    duel_until_shown(&d);
    d.evil.asked_context[31] ^= 1;
    evil_report_data(&d.evil, 0, d.evil.identity, data);
    d.evil.asked_context[31] ^= 1;
    show_report_data(&d, data);
    duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
    duel_free(&d);

    duel_new(&d, ATLS_SERVER); /* this connection and context, another key */
    duel_until_shown(&d);
    evil_report_data(&d.evil, 0, d.victim.config, data);
    show_report_data(&d, data);
    duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
    duel_free(&d);
}

/* Evidence made for another dialect has another layout: none is tried beside our own. */
static void report_data_in_other_layouts(void **state)
{
    (void)state;
    for (int layout = 0; layout < 3; layout++) {
        uint8_t data[64] = {0};
        uint8_t binder[48];
        duel d;
        duel_new(&d, ATLS_SERVER);
        duel_until_shown(&d);
        evil *e = &d.evil;
        assert_int_equal(
            atls_ea_binder(&e->exporter, (atls_buf){e->identity->spki, e->identity->spki_len},
                           (atls_buf){e->asked_context, sizeof e->asked_context}, binder, NULL),
            ATLS_OK);
        atls_buf view = {binder, atls_hash_len(e->exporter.hash)};
        if (layout == 0) { /* the binder itself */
            memcpy(data, binder, view.len);
        } else if (layout == 1) { /* cocos */
            assert_int_equal(atls_digest(ATLS_SHA512, &view, 1, data, NULL), ATLS_OK);
        } else { /* RA-TLS: a hash of the key */
            view = (atls_buf){e->identity->spki, e->identity->spki_len};
            assert_int_equal(atls_digest(ATLS_SHA256, &view, 1, data, NULL), ATLS_OK);
        }
        show_report_data(&d, data);
        duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
        duel_free(&d);
    }
}

/* A batch of one leaf is not an unbatched quote, and the other way round. */
static void batches_that_do_not_cover_us(void **state)
{
    (void)state;
    duel d;
    atls_report_data data = {0};
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    evil_report_data(&d.evil, 0, d.evil.identity, data.wide);
    atls_evidence_blob blob = {0};
    assert_int_equal(d.evil.attester->attest(d.evil.attester->self, &data, &blob, NULL), ATLS_OK);
    atls1_payload p = {
        .evidence = {.type = blob.type, .parts_n = 1}, .batched = true, .index = 0, .size = 1};
    p.evidence.parts[0].name = "quote";
    p.evidence.parts[0].bytes = (atls_buf){blob.parts[0].bytes, blob.parts[0].len};
    uint8_t *cmw = NULL;
    size_t len = 0;
    assert_int_equal(atls1_payload_encode(&p, &cmw, &len, NULL), ATLS_OK);
    evil_show_payload(&d.evil, (atls_buf){cmw, len});
    duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
    free(cmw);
    atls_evidence_blob_clear(&blob);
    duel_free(&d);
}

/* Two leaves, ours the second: a batch as the sidecar will make it is accepted; one with a wrong place is not. */
static void a_batch_that_covers_us(void **state)
{
    (void)state;
    for (uint32_t index = 0; index < 2; index++) {
        duel d;
        duel_new(&d, ATLS_SERVER);
        duel_until_shown(&d);
        evil *e = &d.evil;
        uint8_t binder[48];
        uint8_t leaf[32];
        uint8_t sibling[32] = {7};
        uint8_t root[32];
        atls_report_data data = {0};
        assert_int_equal(
            atls_ea_binder(&e->exporter, (atls_buf){e->identity->spki, e->identity->spki_len},
                           (atls_buf){e->asked_context, sizeof e->asked_context}, binder, NULL),
            ATLS_OK);
        assert_int_equal(
            atls1_leaf(0, (atls_buf){binder, atls_hash_len(e->exporter.hash)}, leaf, NULL),
            ATLS_OK);
        assert_int_equal(atls1_root(leaf, 1, 2, (atls_buf){sibling, 32}, root, NULL), ATLS_OK);
        assert_int_equal(atls1_batch_report_data(2, root, data.wide, NULL), ATLS_OK);
        atls_evidence_blob blob = {0};
        assert_int_equal(e->attester->attest(e->attester->self, &data, &blob, NULL), ATLS_OK);
        atls1_payload p = {.evidence = {.type = blob.type, .parts_n = 1},
                           .batched = true,
                           .index = index,
                           .size = 2,
                           .path = {sibling, 32}};
        p.evidence.parts[0].name = "quote";
        p.evidence.parts[0].bytes = (atls_buf){blob.parts[0].bytes, blob.parts[0].len};
        uint8_t *cmw = NULL;
        size_t len = 0;
        assert_int_equal(atls1_payload_encode(&p, &cmw, &len, NULL), ATLS_OK);
        evil_show_payload(e, (atls_buf){cmw, len});
        if (index == 1) {
            evil_expect(e, &d.victim, ATLS1_FRAME_VERDICT);
            assert_int_equal(e->frame[0], 0);
        } else {
            duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
        }
        free(cmw);
        atls_evidence_blob_clear(&blob);
        duel_free(&d);
    }
}

/* --- relays and thieves --- */

typedef struct
    relay { /* victim client <-> thief, who has the genuine server's key <-> genuine server */
    rig_side victim, genuine;
    evil to_victim, to_genuine;
} relay;

static void relay_new(relay *r)
{
    evil_options stolen = {0};
    rig_side_new(&r->victim, ATLS_CLIENT, &(rig_options){.client_asks = true});
    rig_side_new(&r->genuine, ATLS_SERVER, &(rig_options){.server_shows = true});
    evil_meet(&r->to_genuine, ATLS_CLIENT, NULL, &r->genuine);
    stolen.identity = r->genuine.config;
    evil_meet(&r->to_victim, ATLS_SERVER, &stolen, &r->victim);
    assert_true(r->to_genuine.tls_done && r->to_victim.tls_done);
    /* The victim's own request goes to the genuine server, byte for byte: the same context. */
    evil_expect(&r->to_victim, &r->victim, ATLS1_FRAME_REQUEST);
    evil_expect(&r->to_genuine, &r->genuine, ATLS1_FRAME_VERDICT);
    evil_send(&r->to_genuine, ATLS1_FRAME_REQUEST, r->to_victim.asked, r->to_victim.asked_len);
    evil_expect(&r->to_genuine, &r->genuine, ATLS1_FRAME_AUTHENTICATOR);
    evil_send(&r->to_victim, ATLS1_FRAME_VERDICT, (const uint8_t *)"", 1); /* asks nothing */
}

static void relay_assert_refused(relay *r, const char *check)
{
    for (int i = 0; i < 4 && r->victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&r->victim);
    }
    rig_assert_failed(&r->victim, ATLS_E_BINDING, check);
}

static void relay_free(relay *r)
{
    evil_free(&r->to_victim);
    evil_free(&r->to_genuine);
    rig_side_free(&r->victim);
    rig_side_free(&r->genuine);
}

/* A relay that swaps connections: the authenticator of one, shown on the other. */
static void an_authenticator_of_another_connection(void **state)
{
    (void)state;
    relay r;
    relay_new(&r);
    evil_send(&r.to_victim, ATLS1_FRAME_AUTHENTICATOR, r.to_genuine.frame, r.to_genuine.frame_len);
    relay_assert_refused(&r, "authenticator.finished");
    relay_free(&r);
}

/* NO_EXP: with the stolen key the thief signs an authenticator of its own around genuine, fresh evidence. */
static void genuine_evidence_relayed_with_a_stolen_key(void **state)
{
    (void)state;
    relay r;
    atls_ea_request request;
    atls_ea ea;
    relay_new(&r);
    assert_int_equal(atls_ea_request_parse((atls_buf){r.to_victim.asked, r.to_victim.asked_len},
                                           ATLS_EA_SERVER, ATLS_EA_CMW_TYPE, &request, NULL),
                     ATLS_OK);
    assert_int_equal(atls_ea_parse((atls_buf){r.to_genuine.frame, r.to_genuine.frame_len}, &request,
                                   ATLS_EA_CMW_TYPE, &ea, NULL),
                     ATLS_OK);
    evil_show_payload(&r.to_victim, ea.cmw);
    relay_assert_refused(&r, "binding.report_data");
    relay_free(&r);
}

static void a_thief_with_the_key_and_no_evidence(void **state)
{
    (void)state;
    relay r;
    relay_new(&r);
    evil_show_payload(&r.to_victim, (atls_buf){NULL, 0});
    for (int i = 0; i < 4 && r.victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&r.victim);
    }
    rig_assert_failed(&r.victim, ATLS_E_POLICY, "session.no_evidence");
    relay_free(&r);
}

/* LEAK_AK2: a quote over the attacker's own connection, signed on another genuine machine. Without a name or a
 * pin nothing distinguishes it, and the verdict says so. */
static void diversion_without_a_name_is_accepted_and_shown(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_CLIENT);
    evil_open(&d.evil, &d.victim);
    assert_string_equal(atls_verdict_identity(atls_session_get0_verdict(d.victim.session)), "none");
    duel_free(&d);
}

static void diversion_is_stopped_by_a_pin_and_by_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        const char *check;
    } with[] = {
        {"{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"tdx\"],"
         "\"platforms\":{\"ppid\":[\"00112233445566778899aabbccddeeff\"]}}]}",
         "policy.platform.ppid"},
        {"{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"tdx\"],"
         "\"pki\":{\"names\":[\"web.example\"]}}]}",
         "policy.pki"},
    };
    for (size_t i = 0; i < 2; i++) {
        duel d;
        rig_options o = mutual;
        o.client_policy = with[i].policy;
        duel_new_with(&d, ATLS_CLIENT, &o, NULL);
        duel_until_shown(&d);
        evil_show(&d.evil);
        duel_assert_ends(&d, ATLS_E_POLICY, with[i].check);
        duel_free(&d);
    }
}

/* LEAK_EK or LEAK_LTK, with LEAK_AK2: who has the certified key and any attestation key passes for the name; a pin
 * still stops him, and the certified key alone gets him nothing. KEYS=3: one key; KEYS=2: two. */
static void the_certified_key_stolen_too(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        bool two_keys, evidence;
        const char *check; /* NULL: accepted, as the model says it must be */
    } with[] = {
        {"\"pki\":{\"names\":[\"web.example\"]}", false, true, NULL},
        {"\"pki\":{\"names\":[\"web.example\"]},\"two_keys\":true", true, true, NULL},
        {"\"pki\":{\"names\":[\"web.example\"]}", true, true, "session.key"},
        {"\"pki\":{\"names\":[\"web.example\"]}", false, false, "session.no_evidence"},
        {"\"pki\":{\"names\":[\"web.example\"]},"
         "\"platforms\":{\"ppid\":[\"00112233445566778899aabbccddeeff\"]}",
         false, true, "policy.platform.ppid"},
    };
    rig_cert ca = {NULL, NULL};
    rig_cert stolen = {NULL, NULL};
    rig_cert_make(&ca, "ca", NULL);
    rig_cert_make(&stolen, "web.example", &ca);
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        char policy[512];
        duel d;
        rig_options o = mutual;
        atls_config *thief = atls_config_new();
        assert_int_equal(atls_config_set1_identity(thief, stolen.cert, stolen.key, NULL), ATLS_OK);
        (void)snprintf(
            policy, sizeof policy,
            "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"tdx\"],%s}]}",
            with[i].policy);
        o.ca = &ca;
        o.client_policy = policy;
        duel_new_with(&d, ATLS_CLIENT, &o, &(evil_options){.identity = thief});
        duel_until_shown(&d);
        if (with[i].two_keys) {
            d.evil.identity = d.evil.own;
        }
        if (with[i].evidence) {
            evil_show(&d.evil);
        } else {
            evil_show_payload(&d.evil, (atls_buf){NULL, 0});
        }
        if (with[i].check == NULL) {
            evil_expect(&d.evil, &d.victim, ATLS1_FRAME_VERDICT);
            assert_int_equal(d.evil.frame[0], 0);
            assert_string_equal(atls_verdict_identity(atls_session_get0_verdict(d.victim.session)),
                                "name by PKI");
        } else {
            (void)rig_step(&d.victim);
            assert_string_equal(d.victim.err.check, with[i].check);
        }
        duel_free(&d);
        atls_config_free(thief);
    }
    rig_cert_free(&ca);
    rig_cert_free(&stolen);
}

static int tear_down(void **state)
{
    (void)state;
    rig_sim_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_peer_is_accepted),
        cmocka_unit_test(evidence_of_the_other_role),
        cmocka_unit_test(report_data_of_another_binder),
        cmocka_unit_test(report_data_in_other_layouts),
        cmocka_unit_test(batches_that_do_not_cover_us),
        cmocka_unit_test(a_batch_that_covers_us),
        cmocka_unit_test(an_authenticator_of_another_connection),
        cmocka_unit_test(genuine_evidence_relayed_with_a_stolen_key),
        cmocka_unit_test(a_thief_with_the_key_and_no_evidence),
        cmocka_unit_test(diversion_without_a_name_is_accepted_and_shown),
        cmocka_unit_test(diversion_is_stopped_by_a_pin_and_by_a_name),
        cmocka_unit_test(the_certified_key_stolen_too),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
