/* Attacks on keys and authenticators: reflections, keys that are not the peer's, old or changed messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attacks/duel.h"

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

/* --- reflection --- */

static void an_echo_of_every_frame(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel d;
        duel_new(&d, (atls_role)role);
        evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
        evil_send(&d.evil, d.evil.type, d.evil.frame, d.evil.frame_len);
        for (int i = 0; i < 4 && d.victim.rc >= ATLS_WANT_READ; i++) {
            (void)rig_step(&d.victim);
        }
        /* The message type tells the direction already: 13 asks a client, 17 a server. */
        assert_string_equal(d.victim.err.check, "request.type");
        duel_free(&d);
    }
}

static void our_own_authenticator_sent_back(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    evil_send(&d.evil, ATLS1_FRAME_AUTHENTICATOR, d.evil.frame, d.evil.frame_len);
    duel_assert_ends(&d, ATLS_E_BINDING, "authenticator.context");
    duel_free(&d);
}

static void our_own_evidence_sent_back(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel d;
        atls_ea_request request;
        atls_ea ea;
        duel_new(&d, (atls_role)role);
        duel_until_shown(&d);
        assert_int_equal(atls_ea_request_parse((atls_buf){d.evil.request, d.evil.request_len},
                                               (atls_ea_sender)role, ATLS_EA_CMW_TYPE, &request,
                                               NULL),
                         ATLS_OK);
        assert_int_equal(atls_ea_parse((atls_buf){d.evil.frame, d.evil.frame_len}, &request,
                                       ATLS_EA_CMW_TYPE, &ea, NULL),
                         ATLS_OK);
        evil_show_payload(&d.evil, ea.cmw);
        duel_assert_ends(&d, ATLS_E_BINDING, "session.reflection");
        duel_free(&d);
    }
}

/* --- keys --- */

static void a_peer_with_our_own_key(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel d;
        rig_side_new(&d.victim, (atls_role)role, &mutual);
        evil_meet(&d.evil, role == 0 ? ATLS_SERVER : ATLS_CLIENT,
                  &(evil_options){.identity = d.victim.config}, &d.victim);
        duel_assert_ends(&d, ATLS_E_BINDING, "session.own_key");
        duel_free(&d);
    }
    duel d; /* and in the authenticator, with no TLS certificate */
    rig_side_new(&d.victim, ATLS_SERVER, &mutual);
    evil_meet(&d.evil, ATLS_CLIENT,
              &(evil_options){.identity = d.victim.config, .no_certificate = true}, &d.victim);
    duel_until_shown(&d);
    evil_show(&d.evil);
    duel_assert_ends(&d, ATLS_E_BINDING, "session.own_key");
    duel_free(&d);
}

static void another_key_than_in_tls(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel d;
        atls_config *second = atls_config_new();
        assert_int_equal(atls_config_make_identity(second, RIG_WHEN_S, NULL), ATLS_OK);
        duel_new(&d, (atls_role)role);
        duel_until_shown(&d);
        d.evil.identity = second;
        evil_show(&d.evil);
        duel_assert_ends(&d, ATLS_E_BINDING, "session.key");
        duel_free(&d);
        atls_config_free(second);
    }
}

static void another_key_at_re_attestation(void **state)
{
    (void)state;
    duel d;
    atls_config *second = atls_config_new();
    assert_int_equal(atls_config_make_identity(second, RIG_WHEN_S, NULL), ATLS_OK);
    duel_new_with(&d, ATLS_SERVER, NULL, &(evil_options){.no_certificate = true});
    evil_open(&d.evil, &d.victim);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 2000, RIG_WHEN_S + 2);
    assert_int_equal(atls_session_reattest(d.victim.session, NULL), ATLS_OK);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    d.evil.identity = second;
    evil_show(&d.evil);
    duel_assert_ends(&d, ATLS_E_POLICY, "session.peer_changed");
    duel_free(&d);
    atls_config_free(second);
}

/* --- authenticators --- */

/* One bit anywhere: whatever notices, nothing is accepted. */
static void any_bit_of_an_authenticator(void **state)
{
    (void)state;
    for (size_t step = 0; step < 40; step++) {
        duel d;
        uint8_t data[64];
        uint8_t *cmw = NULL;
        uint8_t *bytes = NULL;
        size_t cmw_len = 0;
        size_t len = 0;
        duel_new(&d, ATLS_SERVER);
        duel_until_shown(&d);
        evil_report_data(&d.evil, 0, d.evil.identity, data);
        evil_payload(&d.evil, data, &cmw, &cmw_len);
        evil_authenticator(&d.evil, d.evil.identity, (atls_buf){cmw, cmw_len}, &bytes, &len);
        bytes[step * (len - 1) / 39] ^= (uint8_t)(1u << (step % 8));
        evil_send(&d.evil, ATLS1_FRAME_AUTHENTICATOR, bytes, len);
        evil_verdict(&d.evil, 0);
        for (int i = 0; i < 4 && d.victim.rc >= ATLS_WANT_READ; i++) {
            (void)rig_step(&d.victim);
        }
        assert_true(d.victim.rc == ATLS_E_INVALID || d.victim.rc == ATLS_E_BINDING);
        assert_false(atls_verdict_accepted(atls_session_get0_verdict(d.victim.session)));
        free(bytes);
        free(cmw);
        duel_free(&d);
    }
}

static void labels_of_the_other_side(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    memcpy(d.evil.keys.handshake_context[0], d.evil.keys.handshake_context[1], 48);
    memcpy(d.evil.keys.finished_key[0], d.evil.keys.finished_key[1], 48);
    evil_show(&d.evil);
    duel_assert_ends(&d, ATLS_E_BINDING, "authenticator.finished");
    duel_free(&d);
}

static void an_empty_authenticator(void **state)
{
    (void)state;
    for (int forged = 0; forged < 2; forged++) {
        duel d;
        atls_ea_request request;
        uint8_t space[64];
        atls_buf raw = {NULL, 0};
        duel_new(&d, ATLS_SERVER);
        duel_until_shown(&d);
        assert_int_equal(atls_ea_request_parse((atls_buf){d.evil.asked, d.evil.asked_len},
                                               ATLS_EA_CLIENT, ATLS_EA_CMW_TYPE, &request, NULL),
                         ATLS_OK);
        assert_int_equal(
            atls_ea_build_empty(&d.evil.keys, &request, space, sizeof space, &raw, NULL), ATLS_OK);
        space[8] ^= (uint8_t)forged;
        evil_send(&d.evil, ATLS1_FRAME_AUTHENTICATOR, space, raw.len);
        if (forged) {
            duel_assert_ends(&d, ATLS_E_BINDING, "authenticator.finished");
        } else {
            duel_assert_ends(&d, ATLS_E_POLICY, "session.no_evidence");
        }
        duel_free(&d);
    }
}

static void an_old_authenticator_at_re_attestation(void **state)
{
    (void)state;
    duel d;
    uint8_t data[64];
    uint8_t *cmw = NULL;
    uint8_t *bytes = NULL;
    size_t cmw_len = 0;
    size_t len = 0;
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    evil_report_data(&d.evil, 0, d.evil.identity, data);
    evil_payload(&d.evil, data, &cmw, &cmw_len);
    evil_authenticator(&d.evil, d.evil.identity, (atls_buf){cmw, cmw_len}, &bytes, &len);
    evil_send(&d.evil, ATLS1_FRAME_AUTHENTICATOR, bytes, len);
    evil_verdict(&d.evil, 0);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_VERDICT);
    (void)rig_step(&d.victim);
    assert_int_equal(d.victim.rc, ATLS_OK);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 2000, RIG_WHEN_S + 2);
    assert_int_equal(atls_session_reattest(d.victim.session, NULL), ATLS_OK);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_send(&d.evil, ATLS1_FRAME_AUTHENTICATOR, bytes, len);
    duel_assert_ends(&d, ATLS_E_BINDING, "authenticator.context");
    duel_free(&d);

    duel_new(&d, ATLS_SERVER); /* the old evidence in a new authenticator */
    evil_open(&d.evil, &d.victim);
    evil_report_data(&d.evil, 0, d.evil.identity, data);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 2000, RIG_WHEN_S + 2);
    assert_int_equal(atls_session_reattest(d.victim.session, NULL), ATLS_OK);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    show_report_data(&d, data);
    duel_assert_ends(&d, ATLS_E_BINDING, "binding.report_data");
    duel_free(&d);
    free(bytes);
    free(cmw);
}

static void a_payload_that_is_none(void **state)
{
    (void)state;
    static const uint8_t junk[] = {0x83, 0x01, 0x02};
    duel d;
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    evil_show_payload(&d.evil, (atls_buf){junk, sizeof junk});
    for (int i = 0; i < 4 && d.victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&d.victim);
    }
    assert_int_equal(d.victim.rc, ATLS_E_INVALID);
    assert_non_null(strstr(d.victim.err.check, "payload."));
    duel_free(&d);
}

/* --- what the peer learns --- */

static void a_refused_peer_is_told_so_and_not_why(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    evil_show_payload(&d.evil, (atls_buf){NULL, 0});
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_VERDICT);
    assert_int_equal(d.evil.frame_len, 1 + ATLS1_CONTEXT_LEN);
    assert_int_equal(d.evil.frame[0], 1);
    assert_memory_equal(d.evil.frame + 1, d.evil.asked_context, ATLS1_CONTEXT_LEN);
    assert_false(evil_read(&d.evil, &d.victim));
    duel_free(&d);
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
        cmocka_unit_test(an_echo_of_every_frame),
        cmocka_unit_test(our_own_authenticator_sent_back),
        cmocka_unit_test(our_own_evidence_sent_back),
        cmocka_unit_test(a_peer_with_our_own_key),
        cmocka_unit_test(another_key_than_in_tls),
        cmocka_unit_test(another_key_at_re_attestation),
        cmocka_unit_test(any_bit_of_an_authenticator),
        cmocka_unit_test(labels_of_the_other_side),
        cmocka_unit_test(an_empty_authenticator),
        cmocka_unit_test(an_old_authenticator_at_re_attestation),
        cmocka_unit_test(a_payload_that_is_none),
        cmocka_unit_test(a_refused_peer_is_told_so_and_not_why),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
