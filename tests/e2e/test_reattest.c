/* Re-attestation of a live connection, and how long a verdict stands. design.md 4.1 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "e2e/rig.h"

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

#define POLICY(rest)                                                                               \
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"tdx\"]" rest "}]}"

static void ask_again(rig_side *side)
{
    atls_err err = {0};
    if (atls_session_reattest(side->session, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
}

static void either_side_asks_again(void **state)
{
    (void)state;
    for (int who = 1; who <= 3; who++) {
        rig r;
        rig_new(&r, &mutual);
        rig_open(&r);
        rig_clock(&r, 1000);
        if (who & 1) {
            ask_again(&r.client);
        }
        if (who & 2) {
            ask_again(&r.server);
        }
        rig_settle(&r);
        assert_int_equal(atls_session_rounds(r.client.session), who & 1 ? 2 : 1);
        assert_int_equal(atls_session_rounds(r.server.session), who & 2 ? 2 : 1);
        rig_send(&r.client, &r.server, (const uint8_t *)"on", 2);
        rig_send(&r.server, &r.client, (const uint8_t *)"on", 2);
        rig_free(&r);
    }
}

static void many_rounds(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    for (unsigned i = 1; i <= 20; i++) {
        rig_clock(&r, 1000);
        ask_again(&r.client);
        ask_again(&r.server);
        rig_settle(&r);
        assert_int_equal(atls_session_rounds(r.client.session), i + 1);
        assert_int_equal(atls_session_rounds(r.server.session), i + 1);
    }
    rig_free(&r);
}

/* Rounds begin while data is on its way in both directions: nothing is lost, added or late. */
static void data_flows_meanwhile(void **state)
{
    (void)state;
    enum { LEN = 400000 };
    uint8_t *data = malloc(LEN);
    uint8_t chunk[3000];
    size_t sent[2] = {0, 0};
    size_t got[2] = {0, 0};
    rig r;
    assert_non_null(data);
    for (size_t i = 0; i < LEN; i++) {
        data[i] = (uint8_t)(i * 31 + i / 253);
    }
    rig_options o = mutual;
    o.pipe = 20000;
    rig_new(&r, &o);
    rig_open(&r);
    rig_side *side[2] = {&r.client, &r.server};
    for (int i = 0; (got[0] < LEN || got[1] < LEN) && i < 100000; i++) {
        int me = i % 2;
        size_t n = 0;
        if (i % 50 == 10 || i % 50 == 11) {
            rig_clock(&r, 1000);
            (void)!atls_session_reattest(side[me]->session,
                                         NULL); /* one may still be outstanding */
        }
        if (sent[me] < LEN) {
            side[me]->rc = atls_session_write(side[me]->session, data + sent[me], LEN - sent[me],
                                              &n, &side[me]->err);
            assert_true(side[me]->rc == ATLS_OK || side[me]->rc == ATLS_WANT_WRITE);
            sent[me] += n;
        }
        if (rig_read(side[me], chunk, sizeof chunk, &n) == ATLS_OK) {
            assert_memory_equal(chunk, data + got[me], n);
            got[me] += n;
        }
        assert_true(side[me]->rc == ATLS_OK || side[me]->rc >= ATLS_WANT_READ);
    }
    assert_int_equal(got[0], LEN);
    assert_int_equal(got[1], LEN);
    assert_true(atls_session_rounds(r.client.session) > 3);
    assert_true(atls_session_rounds(r.server.session) > 3);
    rig_free(&r);
    free(data);
}

/* A job is told before the data that waits: a peer that sends without end cannot hide it. */
static void a_job_is_told_before_data(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t n = 0;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    rig_clock(&r, 1000);
    ask_again(&r.client);
    assert_int_equal(
        atls_session_write(r.client.session, (const uint8_t *)"data", 4, &n, &r.client.err),
        ATLS_OK);
    r.server.hold_jobs = true;
    assert_int_equal(rig_read(&r.server, b, sizeof b, &n), ATLS_WANT_JOB);
    assert_non_null(atls_session_get0_job(r.server.session));
    assert_int_equal(rig_read(&r.server, b, sizeof b, &n), ATLS_OK); /* and then the data */
    assert_int_equal(n, 4);
    assert_int_equal(rig_read(&r.server, b, sizeof b, &n), ATLS_WANT_JOB);
    atls_job_run(atls_session_get0_job(r.server.session));
    assert_null(atls_session_get0_job(r.server.session));
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    rig_free(&r);
}

/* One call that takes no data, running a job if one is wanted. */
static atls_code advance(rig_side *side)
{
    side->rc = atls_session_advance(side->session, &side->err);
    if (side->rc == ATLS_WANT_JOB) {
        atls_job_run(atls_session_get0_job(side->session));
        side->rc = atls_session_advance(side->session, &side->err);
    }
    return side->rc;
}

/* Who has no room for data goes on all the same, up to the data, which it then finds whole. */
static void rounds_without_taking_data(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t n = 0;
    rig r;
    rig_new(&r, &mutual);
    assert_int_equal(atls_session_advance(r.client.session, &r.client.err), ATLS_E_USAGE);
    rig_open(&r);
    for (unsigned i = 2; i < 5; i++) {
        rig_clock(&r, 1000);
        ask_again(&r.client);
        ask_again(&r.server);
        for (int step = 0; step < 10; step++) {
            assert_int_equal(advance(step % 2 ? &r.client : &r.server), ATLS_WANT_READ);
        }
        assert_int_equal(atls_session_rounds(r.client.session), i);
        assert_int_equal(atls_session_rounds(r.server.session), i);
    }
    assert_int_equal(
        atls_session_write(r.server.session, (const uint8_t *)"data", 4, &n, &r.server.err),
        ATLS_OK);
    assert_int_equal(advance(&r.client), ATLS_OK); /* it is next, */
    assert_int_equal(advance(&r.client), ATLS_OK); /* and stays so */
    assert_int_equal(rig_read(&r.client, b, sizeof b, &n), ATLS_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(b, "data", 4);
    assert_int_equal(advance(&r.client), ATLS_WANT_READ);
    assert_int_equal(atls_session_shutdown(r.server.session, &r.server.err), ATLS_OK);
    assert_int_equal(advance(&r.client), ATLS_OK); /* the close is next */
    assert_int_equal(rig_read(&r.client, b, sizeof b, &n), ATLS_OK);
    assert_int_equal(n, 0);
    rig_free(&r);
}

/* Data that nobody takes hides what is behind it, not the clock: the session ends when its verdict does. */
static void a_verdict_ends_before_data_that_waits(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t n = 0;
    rig r;
    rig_options o = mutual;
    o.client_policy = POLICY(",\"max_evidence_age_s\":100");
    o.timeout_ms = 30000;
    rig_new(&r, &o);
    rig_open(&r);
    assert_int_equal(
        atls_session_write(r.server.session, (const uint8_t *)"data", 4, &n, &r.server.err),
        ATLS_OK);
    rig_clock(&r, 99999);
    assert_int_equal(advance(&r.client), ATLS_OK);
    rig_clock(&r, 1);
    (void)advance(&r.client);
    rig_assert_failed(&r.client, ATLS_E_BINDING, "session.expired");
    assert_int_equal(rig_read(&r.client, b, sizeof b, &n), ATLS_E_BINDING);
    assert_int_equal(n, 0);
    rig_free(&r);
}

static void one_request_at_a_time_and_not_too_soon(void **state)
{
    (void)state;
    atls_err err = {0};
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    ask_again(&r.client); /* too soon: it waits for its distance */
    assert_int_equal(atls_session_deadline_ms(r.client.session), RIG_NOW_MS + 1000);
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 1);
    rig_clock(&r, 1000);
    r.server.hold_jobs = true;
    rig_settle(&r);
    assert_int_equal(atls_session_reattest(r.client.session, &err), ATLS_E_USAGE); /* outstanding */
    assert_string_equal(err.check, "session.reattest");
    r.server.hold_jobs = false;
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    rig_free(&r);

    rig_new(&r, &(rig_options){.client_asks = true, .server_shows = true});
    rig_open(&r);
    assert_int_equal(atls_session_reattest(r.server.session, &err),
                     ATLS_E_USAGE); /* asks nothing */
    rig_free(&r);
}

/* Requests and closes that cross on the way: an end is an end, not a failure. */
static void a_request_that_meets_a_close(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t n = 1;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    rig_clock(&r, 1000);
    ask_again(&r.client);
    (void)rig_read(&r.client, b, 1, &n); /* the request is out */
    assert_int_equal(atls_session_shutdown(r.server.session, &r.server.err), ATLS_OK);
    assert_true(rig_read(&r.server, b, 1, &n) >= ATLS_WANT_READ);
    assert_null(atls_session_get0_job(r.server.session));
    assert_int_equal(rig_read(&r.client, b, 1, &n), ATLS_OK);
    assert_int_equal(n, 0);
    rig_clock(&r, 60000); /* an answer is not waited for any more */
    assert_int_equal(atls_session_shutdown(r.client.session, &r.client.err), ATLS_OK);
    assert_int_equal(rig_read(&r.server, b, 1, &n), ATLS_OK);
    assert_int_equal(n, 0);
    rig_free(&r);

    rig_new(&r, &mutual); /* and an answer to one who has closed */
    rig_open(&r);
    rig_clock(&r, 1000);
    ask_again(&r.client);
    (void)rig_read(&r.client, b, 1, &n);
    assert_int_equal(atls_session_shutdown(r.client.session, &r.client.err), ATLS_OK);
    (void)rig_read(&r.server, b, 1, &n);
    assert_int_equal(rig_read(&r.server, b, 1, &n), ATLS_OK);
    assert_int_equal(n, 0);
    assert_true(rig_read(&r.client, b, 1, &n) >= ATLS_WANT_READ);
    rig_free(&r);
}

/* --- times --- */

static void the_policy_s_interval(void **state)
{
    (void)state;
    rig r;
    rig_options o = mutual;
    o.client_policy = POLICY(",\"reattest_s\":60");
    rig_new(&r, &o);
    rig_open(&r);
    assert_int_equal(atls_session_deadline_ms(r.client.session), RIG_NOW_MS + 60000);
    rig_clock(&r, 59999);
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 1);
    rig_clock(&r, 1);
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    assert_int_equal(atls_session_deadline_ms(r.client.session), RIG_NOW_MS + 120000);
    rig_clock(&r, 60000);
    r.server.hold_jobs = true; /* no answer this time */
    rig_settle(&r);
    assert_int_equal(atls_session_deadline_ms(r.client.session), RIG_NOW_MS + 130000);
    rig_clock(&r, 10000);
    rig_settle(&r);
    rig_assert_failed(&r.client, ATLS_E_SYSTEM, "session.deadline");
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "session.truncated");
    rig_free(&r);
}

static void the_policy_s_age_limit(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t n = 0;
    rig r;
    rig_options o = mutual;
    o.client_policy = POLICY(",\"max_evidence_age_s\":100");
    o.timeout_ms = 30000;
    rig_new(&r, &o);
    rig_open(&r);
    rig_clock(&r, 50000); /* asked for again in time */
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    rig_clock(&r, 99000);
    r.server.hold_jobs = true;
    rig_settle(&r); /* asked, not answered; data goes on until the limit */
    assert_int_equal(
        atls_session_write(r.server.session, (const uint8_t *)"1", 1, &n, &r.server.err), ATLS_OK);
    assert_int_equal(rig_read(&r.client, b, sizeof b, &n), ATLS_OK);
    assert_int_equal(
        atls_session_write(r.server.session, (const uint8_t *)"2", 1, &n, &r.server.err), ATLS_OK);
    rig_clock(&r, 1000);
    n = 77;
    (void)rig_read(&r.client, b, sizeof b, &n); /* nothing more is delivered */
    assert_int_equal(n, 0);
    rig_assert_failed(&r.client, ATLS_E_BINDING, "session.expired");
    assert_int_equal(atls_session_write(r.client.session, b, 1, &n, &r.client.err), ATLS_E_BINDING);
    rig_free(&r);
}

/* Collateral that ends bounds every verdict resting on it; the same collateral again prolongs nothing. */
static void collateral_that_ends(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    int64_t expires = atls_verdict_expires(atls_session_get0_verdict(r.client.session));
    assert_true(expires > RIG_WHEN_S && expires < INT64_MAX);
    uint64_t left_ms = (uint64_t)(expires - RIG_WHEN_S) * 1000;
    rig_clock(&r, left_ms - 20000); /* twice the time-out ahead */
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2);
    assert_int_equal(atls_session_deadline_ms(r.client.session), RIG_NOW_MS + left_ms);
    rig_clock(&r, 19999);
    rig_settle(&r);
    assert_int_equal(atls_session_rounds(r.client.session), 2); /* no use asking again */
    rig_clock(&r, 1);
    rig_settle(&r);
    rig_assert_failed(&r.client, ATLS_E_BINDING, "session.expired");
    rig_free(&r);
}

/* --- a peer that is not what it was --- */

static void sha384_hex(const char *text, char out[97])
{
    uint8_t digest[48];
    size_t len = 0;
    assert_int_equal(EVP_Q_digest(NULL, "SHA384", NULL, text, strlen(text), digest, &len), 1);
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

/* The server's evidence from now on. */
static atls_attester *turn_into(rig_side *side, const atls_sim_quote *quote)
{
    atls_attester *a = NULL;
    assert_int_equal(atls_sim_attester_new(rig_sim(), quote, &a, NULL), ATLS_OK);
    atls_config_set0_attester(side->config, a);
    return a;
}

static void another_workload(void **state)
{
    (void)state;
    char web[97];
    char db[97];
    char policy[1024];
    sha384_hex("web/mrtd", web);
    sha384_hex("db/mrtd", db);
    (void)snprintf(policy, sizeof policy,
                   "{\"atls_policy\":1,\"workloads\":["
                   "{\"name\":\"web\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":[\"%s\"]}},"
                   "{\"name\":\"db\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":[\"%s\"]}}]}",
                   web, db);
    rig r;
    rig_options o = mutual;
    o.client_policy = policy;
    o.server_quote = &(atls_sim_quote){.workload = "web"};
    rig_new(&r, &o);
    rig_open(&r);
    assert_string_equal(atls_verdict_workload(atls_session_get0_verdict(r.client.session)), "web");
    rig_clock(&r, 1000);
    ask_again(&r.client);
    rig_settle(&r); /* the same: goes on */
    atls_attester *other = turn_into(&r.server, &(atls_sim_quote){.workload = "db"});
    rig_clock(&r, 1000);
    ask_again(&r.client);
    rig_settle(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "session.peer_changed");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.refused");
    assert_false(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
    rig_free(&r);
    atls_attester_free(other);
}

static void another_family(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    atls_attester *other = turn_into(&r.server, &(atls_sim_quote){.type = "sgx"});
    rig_clock(&r, 1000);
    ask_again(&r.client);
    rig_settle(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "session.peer_changed");
    rig_free(&r);
    atls_attester_free(other);
}

/* A refusal ends the session at once, however long the old verdict would have stood. */
static void a_state_that_policy_refuses(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t n = 0;
    rig r;
    rig_new(&r, &mutual);
    rig_open(&r);
    atls_attester *other = turn_into(&r.server, &(atls_sim_quote){.tcb = "OutOfDate"});
    rig_clock(&r, 1000);
    ask_again(&r.client);
    rig_settle(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "tcb.status");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.refused");
    assert_int_equal(atls_session_write(r.client.session, b, 1, &n, &r.client.err), ATLS_E_POLICY);
    rig_free(&r);
    atls_attester_free(other);
}

static atls_code fail_to_attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                atls_err *err)
{
    (void)self;
    (void)data;
    (void)out;
    (void)err;
    return ATLS_E_SYSTEM;
}

static void an_attester_that_fails(void **state)
{
    (void)state;
    static const atls_attester broken = {.name = "broken", .attest = fail_to_attest};
    rig r;
    rig_new(&r, &mutual);
    atls_config_set0_attester(r.server.config, &broken);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "attester.failed");
    rig_assert_failed(&r.client, ATLS_E_POLICY, "session.no_evidence");
    rig_free(&r);
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
        cmocka_unit_test(either_side_asks_again),
        cmocka_unit_test(many_rounds),
        cmocka_unit_test(data_flows_meanwhile),
        cmocka_unit_test(a_job_is_told_before_data),
        cmocka_unit_test(rounds_without_taking_data),
        cmocka_unit_test(a_verdict_ends_before_data_that_waits),
        cmocka_unit_test(one_request_at_a_time_and_not_too_soon),
        cmocka_unit_test(a_request_that_meets_a_close),
        cmocka_unit_test(the_policy_s_interval),
        cmocka_unit_test(the_policy_s_age_limit),
        cmocka_unit_test(collateral_that_ends),
        cmocka_unit_test(another_workload),
        cmocka_unit_test(another_family),
        cmocka_unit_test(a_state_that_policy_refuses),
        cmocka_unit_test(an_attester_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
