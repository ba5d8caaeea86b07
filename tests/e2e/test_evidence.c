/* What is shown and what is made of it: names, two keys, jobs in other threads, event logs in a frame of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sched.h>

#include <cmocka.h>

#include "e2e/rig.h"

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

#define POLICY(rest)                                                                               \
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"web\",\"tees\":[\"tdx\"]" rest "}]}"

/* --- names --- */

static void a_name_that_pki_proved_is_the_identity(void **state)
{
    (void)state;
    rig_cert ca = {NULL, NULL};
    rig_cert server = {NULL, NULL};
    rig_cert client = {NULL, NULL};
    rig_cert_make(&ca, "ca", NULL);
    rig_cert_make(&server, "web.example", &ca);
    rig_cert_make(&client, "client.example", &ca);
    rig_options o = mutual;
    o.ca = &ca;
    o.server_cert = &server;
    o.client_cert = &client;
    o.client_policy = POLICY(",\"pki\":{\"names\":[\"web.example\"]}");
    o.server_policy = POLICY(",\"pki\":{\"names\":[\"client.example\"]}");
    rig r;
    rig_new(&r, &o);
    assert_int_equal(SSL_set1_host(r.client.ssl, "web.example"), 1);
    rig_open(&r);
    assert_string_equal(atls_verdict_identity(atls_session_get0_verdict(r.client.session)),
                        "name by PKI");
    assert_string_equal(atls_verdict_identity(atls_session_get0_verdict(r.server.session)),
                        "name by PKI");
    rig_free(&r);

    o.client_policy =
        POLICY(",\"pki\":{\"names\":[\"other.example\"]}"); /* a good name, not the one wanted */
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, ATLS_E_POLICY, "policy.pki");
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.refused");
    rig_free(&r);
    rig_cert_free(&ca);
    rig_cert_free(&server);
    rig_cert_free(&client);
}

/* The policy alone may allow two keys: then PKI judges the TLS leaf, and evidence the other. */
static void two_keys_by_policy(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        rig_cert ca = {NULL, NULL};
        rig_cert tls = {NULL, NULL};
        rig_cert_make(&ca, "ca", NULL);
        rig_cert_make(&tls, "web.example", &ca);
        rig_options o = {.client_asks = true, .server_shows = true, .ca = &ca};
        o.client_policy = allowed
                              ? POLICY(",\"two_keys\":true,\"pki\":{\"names\":[\"web.example\"]}")
                              : POLICY(",\"pki\":{\"names\":[\"web.example\"]}");
        rig r;
        rig_new(&r, &o);
        assert_int_equal(SSL_use_certificate(r.server.ssl, tls.cert), 1);
        assert_int_equal(SSL_use_PrivateKey(r.server.ssl, tls.key), 1);
        rig_handshake(&r);
        if (allowed) {
            assert_int_equal(r.client.rc, ATLS_OK);
            assert_int_equal(r.server.rc, ATLS_OK);
        } else {
            rig_assert_failed(&r.client, ATLS_E_BINDING, "session.key");
        }
        rig_free(&r);
        rig_cert_free(&ca);
        rig_cert_free(&tls);
    }
}

/* --- jobs --- */

static void *run_job(void *job)
{
    atls_job_run(job);
    return NULL;
}

static void jobs_in_threads_of_their_own(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &mutual);
    r.client.hold_jobs = true;
    r.server.hold_jobs = true;
    pthread_t threads[2];
    bool started[2] = {false, false};
    rig_side *side[2] = {&r.client, &r.server};
    for (int i = 0; i < 1000000 && (r.client.rc != ATLS_OK || r.server.rc != ATLS_OK); i++) {
        rig_side *s = side[i % 2];
        atls_code rc = rig_step(s);
        assert_true(rc == ATLS_OK || rc >= ATLS_WANT_READ);
        if (rc == ATLS_WANT_JOB && !started[i % 2]) {
            started[i % 2] = true;
            assert_int_equal(
                pthread_create(&threads[i % 2], NULL, run_job, atls_session_get0_job(s->session)),
                0);
        }
        (void)sched_yield();
    }
    assert_int_equal(r.client.rc, ATLS_OK);
    assert_int_equal(r.server.rc, ATLS_OK);
    assert_true(started[0] && started[1]);
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    rig_free(&r);
}

static int calls;

static atls_code count_calls(void *self, const atls_report_data *data, atls_evidence_blob *out,
                             atls_err *err)
{
    const atls_attester *inner = self;
    calls++;
    return inner->attest(inner->self, data, out, err);
}

static void a_job_runs_once(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &(rig_options){.client_asks = true, .server_shows = true});
    atls_attester counting = {.name = "counting", .self = r.server.attester, .attest = count_calls};
    atls_config_set0_attester(r.server.config, &counting);
    r.server.hold_jobs = true;
    rig_handshake(&r);
    assert_int_equal(r.server.rc, ATLS_WANT_JOB);
    atls_job *job = atls_session_get0_job(r.server.session);
    calls = 0;
    atls_job_run(job);
    atls_job_run(job);
    assert_int_equal(calls, 1);
    rig_open(&r);
    rig_free(&r);
}

/* --- event logs --- */

typedef struct log_attester { /* adds an event log of this length to the simulator's quote */
    const atls_attester *inner;
    size_t len;
} log_attester;

static atls_code with_log(void *self, const atls_report_data *data, atls_evidence_blob *out,
                          atls_err *err)
{
    const log_attester *a = self;
    atls_code rc = a->inner->attest(a->inner->self, data, out, err);
    if (rc == ATLS_OK) {
        memcpy(out->parts[1].name, "event_log", sizeof "event_log");
        out->parts[1].bytes = calloc(1, a->len);
        out->parts[1].len = a->len;
        out->parts_n = 2;
        assert_non_null(out->parts[1].bytes);
    }
    return rc;
}

/* Small ones ride in the authenticator, large ones follow in frame 6, both ways at once over a narrow pipe. What the
 * verifier then says of a log of zeros is its own business; here it must have got one and the same. */
static void event_logs_of_any_size_arrive(void **state)
{
    (void)state;
    static const size_t lens[] = {1000, 70000, 524288};
    char check[64] = "";
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_options o = mutual;
        o.pipe = 3000;
        rig_new(&r, &o);
        log_attester own[2] = {{r.client.attester, lens[i]}, {r.server.attester, lens[i]}};
        atls_attester a[2] = {{.name = "log", .self = &own[0], .attest = with_log},
                              {.name = "log", .self = &own[1], .attest = with_log}};
        atls_config_set0_attester(r.client.config, &a[0]);
        atls_config_set0_attester(r.server.config, &a[1]);
        rig_handshake(&r);
        const atls_verdict *v = atls_session_get0_verdict(r.client.session);
        if (v == NULL) {
            v = atls_session_get0_verdict(r.server.session);
        }
        assert_non_null(v);
        assert_string_equal(atls_verdict_format(v), "tdx");
        if (i == 0) {
            (void)strncat(check, atls_verdict_check(v), sizeof check - 1);
        }
        assert_string_equal(atls_verdict_check(v), check);
        rig_free(&r);
    }
}

static void an_event_log_beyond_the_limit_is_not_sent(void **state)
{
    (void)state;
    rig r;
    rig_new(&r, &(rig_options){.client_asks = true, .server_shows = true});
    log_attester own = {r.server.attester, 524289};
    atls_attester a = {.name = "log", .self = &own, .attest = with_log};
    atls_config_set0_attester(r.server.config, &a);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_USAGE, "payload.size");
    assert_true(r.client.rc != ATLS_OK && r.client.rc < ATLS_WANT_READ);
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
        cmocka_unit_test(a_name_that_pki_proved_is_the_identity),
        cmocka_unit_test(two_keys_by_policy),
        cmocka_unit_test(jobs_in_threads_of_their_own),
        cmocka_unit_test(a_job_runs_once),
        cmocka_unit_test(event_logs_of_any_size_arrive),
        cmocka_unit_test(an_event_log_beyond_the_limit_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
