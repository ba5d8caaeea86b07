/* A peer that breaks the rules of frames: each ends the session, with its own check, and no data passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attacks/duel.h"

/* --- before anything was said: the first frame --- */

static void first_frames_that_are_not_due(void **state)
{
    (void)state;
    uint8_t zeros[64] = {0};
    static const struct {
        const char *what;
        uint8_t type;
        size_t len;
        atls_code code;
        const char *check;
    } bad[] = {
        {"data before any verdict", ATLS1_FRAME_DATA, 5, ATLS_E_INVALID, "frame.early_data"},
        {"an authenticator before the request", ATLS1_FRAME_AUTHENTICATOR, 64, ATLS_E_INVALID,
         "frame.not_due"},
        {"a verdict on nothing, accepted", ATLS1_FRAME_VERDICT, 33, ATLS_E_BINDING,
         "session.verdict_context"},
        {"a close", ATLS1_FRAME_CLOSE, 0, ATLS_E_INVALID, "frame.not_due"},
        {"an attachment", ATLS1_FRAME_ATTACHMENT, 10, ATLS_E_INVALID, "frame.not_due"},
        {"an empty request", ATLS1_FRAME_REQUEST, 0, ATLS_E_INVALID, "frame.length"},
        {"an empty verdict", ATLS1_FRAME_VERDICT, 0, ATLS_E_INVALID, "frame.length"},
        {"type 0", 0, 1, ATLS_E_INVALID, "frame.type"},
        {"type 7", 7, 0, ATLS_E_INVALID, "frame.type"},
        {"type 255", 255, 4, ATLS_E_INVALID, "frame.type"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int role = 0; role < 2; role++) {
            duel d;
            duel_new(&d, (atls_role)role);
            evil_send(&d.evil, bad[i].type, zeros, bad[i].len);
            duel_assert_ends(&d, bad[i].code, bad[i].check);
            duel_free(&d);
        }
    }
}

static void a_refusal_before_anything_was_shown(void **state)
{
    (void)state;
    static const uint8_t refused[] = {1};
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_send(&d.evil, ATLS1_FRAME_VERDICT, refused, sizeof refused);
    duel_assert_ends(&d, ATLS_E_BINDING, "session.verdict_context");
    duel_free(&d);
}

static void lengths_that_lie(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        uint32_t len;
    } bad[] = {
        {ATLS1_FRAME_REQUEST, 4097},         {ATLS1_FRAME_REQUEST, UINT32_MAX},
        {ATLS1_FRAME_AUTHENTICATOR, 131073}, {ATLS1_FRAME_VERDICT, UINT32_MAX},
        {ATLS1_FRAME_DATA, 16380},           {ATLS1_FRAME_CLOSE, 1},
        {ATLS1_FRAME_ATTACHMENT, 524289},    {ATLS1_FRAME_ATTACHMENT, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t header[ATLS1_FRAME_HEADER];
        duel d;
        duel_new(&d, ATLS_SERVER);
        atls1_frame_header_write(bad[i].type, bad[i].len, header);
        evil_send_raw(&d.evil, header, sizeof header);
        duel_assert_ends(&d, ATLS_E_INVALID, "frame.length");
        duel_free(&d);
    }
}

static void a_peer_that_stops_in_a_frame(void **state)
{
    (void)state;
    static const uint8_t part[] = {ATLS1_FRAME_REQUEST, 0, 0, 1, 0, 13};
    for (size_t len = 1; len <= sizeof part; len++) {
        duel d;
        duel_new(&d, ATLS_SERVER);
        evil_send_raw(&d.evil, part, len);
        assert_true(rig_step(&d.victim) == ATLS_WANT_READ);
        atls_session_set_time(d.victim.session, RIG_NOW_MS + 10000, RIG_WHEN_S + 10);
        duel_assert_ends(&d, ATLS_E_SYSTEM, "session.deadline");
        duel_free(&d);
    }
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_send_raw(&d.evil, part, sizeof part);
    (void)SSL_shutdown(d.evil.ssl);
    duel_assert_ends(&d, ATLS_E_SYSTEM, "session.lost");
    duel_free(&d);
}

/* --- requests --- */

static void contexts_of_the_wrong_role_or_round(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        bool other_role;
        uint32_t round;
    } bad[] = {
        {"our own role", true, 0}, {"a round left out", false, 1}, {"far away", false, UINT32_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int role = 0; role < 2; role++) {
            duel d;
            duel_new(&d, (atls_role)role);
            uint8_t evil_role = (uint8_t)(role == 0 ? 1 : 0);
            evil_make_request(&d.evil, bad[i].other_role ? (uint8_t)role : evil_role, bad[i].round);
            evil_send(&d.evil, ATLS1_FRAME_REQUEST, d.evil.request, d.evil.request_len);
            duel_assert_ends(&d, ATLS_E_BINDING, "session.context");
            duel_free(&d);
        }
    }
}

static void a_context_of_another_length(void **state)
{
    (void)state;
    static const uint8_t context[31] = {0};
    atls_buf raw = {NULL, 0};
    duel d;
    duel_new(&d, ATLS_SERVER);
    assert_int_equal(atls_ea_request_build(ATLS_EA_SERVER, (atls_buf){context, sizeof context},
                                           true, ATLS_EA_CMW_TYPE, d.evil.request,
                                           sizeof d.evil.request, &raw, NULL),
                     ATLS_OK);
    evil_send(&d.evil, ATLS1_FRAME_REQUEST, raw.ptr, raw.len);
    duel_assert_ends(&d, ATLS_E_BINDING, "session.context");
    duel_free(&d);
}

static void a_request_that_wants_no_evidence(void **state)
{
    (void)state;
    static const uint8_t context[32] = {0};
    atls_buf raw = {NULL, 0};
    duel d;
    duel_new(&d, ATLS_SERVER);
    assert_int_equal(atls_ea_request_build(ATLS_EA_SERVER, (atls_buf){context, sizeof context},
                                           false, ATLS_EA_CMW_TYPE, d.evil.request,
                                           sizeof d.evil.request, &raw, NULL),
                     ATLS_OK);
    evil_send(&d.evil, ATLS1_FRAME_REQUEST, raw.ptr, raw.len);
    duel_assert_ends(&d, ATLS_E_INVALID, "session.request");
    duel_free(&d);
}

static void a_second_request_while_one_is_outstanding(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_ask(&d.evil, 0);
    evil_ask(&d.evil, 1);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

static void a_request_after_nothing_was_asked(void **state)
{
    (void)state;
    static const uint8_t nothing[] = {0};
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_send(&d.evil, ATLS1_FRAME_VERDICT, nothing, sizeof nothing);
    evil_ask(&d.evil, 0);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

static void requests_too_close_together(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 937, RIG_WHEN_S);
    evil_ask(&d.evil, 1);
    duel_assert_ends(&d, ATLS_E_INVALID, "session.rate");
    duel_free(&d);

    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 938, RIG_WHEN_S + 1);
    evil_ask(&d.evil, 1);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
    duel_free(&d);
}

static void a_round_asked_twice(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    atls_session_set_time(d.victim.session, RIG_NOW_MS + 5000, RIG_WHEN_S + 5);
    evil_ask(&d.evil, 0);
    duel_assert_ends(&d, ATLS_E_BINDING, "session.context");
    duel_free(&d);
}

/* --- authenticators and verdicts --- */

static void a_second_authenticator(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    evil_show(&d.evil);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);

    duel_new(&d, ATLS_SERVER); /* both at once, before the verdict can be read */
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_ask(&d.evil, 0);
    evil_show(&d.evil);
    evil_show(&d.evil);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

static void an_unknown_verdict(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_ask(&d.evil, 0);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
    evil_verdict(&d.evil, 2);
    duel_assert_ends(&d, ATLS_E_INVALID, "session.verdict_value");
    duel_free(&d);
}

static void verdicts_on_another_context(void **state)
{
    (void)state;
    for (size_t at = 0; at < ATLS1_CONTEXT_LEN; at += 31) {
        duel d;
        duel_new(&d, ATLS_SERVER);
        evil_ask(&d.evil, 0);
        evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
        evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
        d.evil.context[at] ^= 1;
        evil_verdict(&d.evil, 0);
        duel_assert_ends(&d, ATLS_E_BINDING, "session.verdict_context");
        duel_free(&d);
    }
    static const uint8_t empty[] = {0};
    duel d;
    duel_new(&d, ATLS_SERVER); /* the short form is for the first frame only */
    evil_ask(&d.evil, 0);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
    evil_send(&d.evil, ATLS1_FRAME_VERDICT, empty, sizeof empty);
    duel_assert_ends(&d, ATLS_E_BINDING, "session.verdict_context");
    duel_free(&d);
}

static void a_second_verdict(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    evil_verdict(&d.evil, 0);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

static void a_verdict_before_our_authenticator(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    d.victim.hold_jobs = true;
    evil_ask(&d.evil, 0);
    (void)rig_step(&d.victim);
    evil_verdict(&d.evil, 0);
    for (int i = 0; i < 4 && d.victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&d.victim);
    }
    rig_assert_failed(&d.victim, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

/* A peer that never reads accepts each of our authenticators blindly and asks for the next: what waits to be written
 * would grow for ever. */
static void verdicts_on_authenticators_that_were_never_read(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    atls_code rc = ATLS_WANT_READ;
    uint32_t round = 1;
    for (; round < 1000 && rc >= ATLS_WANT_READ; round++) {
        uint8_t byte;
        size_t n = 0;
        atls_session_set_time(d.victim.session, RIG_NOW_MS + 1000 * (uint64_t)round, RIG_WHEN_S);
        evil_ask(&d.evil, round);
        for (int i = 0; i < 3; i++) {
            (void)rig_read(&d.victim, &byte, 1, &n);
        }
        evil_verdict(&d.evil, 0);
        rc = rig_read(&d.victim, &byte, 1, &n);
    }
    assert_true(round > 10); /* as long as the pipe takes them, there is nothing wrong */
    rig_assert_failed(&d.victim, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

static void a_peer_that_refuses_us(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_CLIENT);
    evil_ask(&d.evil, 0);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
    evil_verdict(&d.evil, 1);
    duel_assert_ends(&d, ATLS_E_POLICY, "session.refused");
    assert_false(atls_session_peer_accepted(d.victim.session));
    duel_free(&d);
}

/* --- data: models/README.md, EARLY --- */

/* Data at each moment before both accepts are there: none of it is delivered. */
static void data_before_the_verdicts(void **state)
{
    (void)state;
    static const uint8_t data[] = "early";
    for (int moment = 0; moment < 3; moment++) {
        for (int role = 0; role < 2; role++) {
            duel d;
            duel_new(&d, (atls_role)role);
            evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
            evil_ask(&d.evil, 0);
            evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
            if (moment == 1) {
                evil_verdict(&d.evil, 0); /* theirs is there, ours is not */
            } else if (moment == 2) {
                evil_show(&d.evil);
                evil_expect(&d.evil, &d.victim,
                            ATLS1_FRAME_VERDICT); /* ours is there, theirs is not */
            }
            evil_send(&d.evil, ATLS1_FRAME_DATA, data, sizeof data);
            duel_assert_ends(&d, ATLS_E_INVALID, "frame.early_data");
            duel_free(&d);
        }
    }
}

/* Evidence and data in one breath: good as the evidence is, our accept was not sent when the data came. */
static void data_right_behind_good_evidence(void **state)
{
    (void)state;
    static const uint8_t data[] = "early";
    BIO *full = NULL;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_ask(&d.evil, 0);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
    evil_verdict(&d.evil, 0);
    evil_show(&d.evil);
    evil_send(&d.evil, ATLS1_FRAME_DATA, data, sizeof data);
    /* The transport takes nothing more: our accept waits in the queue. */
    full = SSL_get_wbio(d.victim.ssl);
    static uint8_t filler[1u << 20];
    while (BIO_write(full, filler, (int)sizeof filler) > 0) {
    }
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.early_data");
    duel_free(&d);
}

static void we_send_no_data_before_the_verdicts(void **state)
{
    (void)state;
    duel d;
    size_t n = 0;
    duel_new(&d, ATLS_CLIENT);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_ask(&d.evil, 0);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_AUTHENTICATOR);
    evil_show(&d.evil);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_VERDICT);
    /* We have accepted the peer, but not read its accept. */
    assert_int_equal(
        atls_session_write(d.victim.session, (const uint8_t *)"x", 1, &n, &d.victim.err),
        ATLS_E_USAGE);
    assert_int_equal(n, 0);
    assert_false(evil_read(&d.evil, &d.victim));
    duel_free(&d);
}

static void an_empty_data_frame(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_open(&d.evil, &d.victim);
    evil_send(&d.evil, ATLS1_FRAME_DATA, NULL, 0);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.length");
    duel_free(&d);
}

static void a_close_before_the_verdicts(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_REQUEST);
    evil_ask(&d.evil, 0);
    evil_send(&d.evil, ATLS1_FRAME_CLOSE, NULL, 0);
    duel_assert_ends(&d, ATLS_E_SYSTEM, "session.lost");
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
        cmocka_unit_test(first_frames_that_are_not_due),
        cmocka_unit_test(a_refusal_before_anything_was_shown),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(a_peer_that_stops_in_a_frame),
        cmocka_unit_test(contexts_of_the_wrong_role_or_round),
        cmocka_unit_test(a_context_of_another_length),
        cmocka_unit_test(a_request_that_wants_no_evidence),
        cmocka_unit_test(a_second_request_while_one_is_outstanding),
        cmocka_unit_test(a_request_after_nothing_was_asked),
        cmocka_unit_test(requests_too_close_together),
        cmocka_unit_test(a_round_asked_twice),
        cmocka_unit_test(a_second_authenticator),
        cmocka_unit_test(an_unknown_verdict),
        cmocka_unit_test(verdicts_on_another_context),
        cmocka_unit_test(a_second_verdict),
        cmocka_unit_test(a_verdict_before_our_authenticator),
        cmocka_unit_test(verdicts_on_authenticators_that_were_never_read),
        cmocka_unit_test(a_peer_that_refuses_us),
        cmocka_unit_test(data_before_the_verdicts),
        cmocka_unit_test(data_right_behind_good_evidence),
        cmocka_unit_test(we_send_no_data_before_the_verdicts),
        cmocka_unit_test(an_empty_data_frame),
        cmocka_unit_test(a_close_before_the_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
