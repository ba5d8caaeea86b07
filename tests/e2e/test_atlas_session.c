/* Atlas between our own two ends, with the simulator's dstack log; and what an attacker with a genuine TD can answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "crypto/digest.h"
#include "e2e/rig.h"

static const char policy[] =
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"],\"bindings\":[\"atlas\"],"
    "\"replay\":[\"rtmr0\",\"rtmr1\",\"rtmr2\",\"rtmr3\"]}]}";

static rig_cert own;     /* the server's */
static rig_cert another; /* of somebody else */
static char own_hash[65];
static char another_hash[65];

static void hash_of(const rig_cert *c, char out[65])
{
    uint8_t *der = NULL;
    uint8_t hash[32];
    const int len = i2d_X509(c->cert, &der);
    assert_true(len > 0);
    assert_int_equal(atls_digest(ATLS_SHA256, &(atls_buf){der, (size_t)len}, 1, hash, NULL),
                     ATLS_OK);
    OPENSSL_free(der);
    atls_hex_encode((atls_buf){hash, sizeof hash}, out);
}

static int make_certificates(void **state)
{
    (void)state;
    rig_cert_make(&own, "a.test", NULL);
    rig_cert_make(&another, "a.test", NULL);
    hash_of(&own, own_hash);
    hash_of(&another, another_hash);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    rig_cert_free(&own);
    rig_cert_free(&another);
    rig_sim_free();
    return 0;
}

static rig_options options_of(const atls_sim_quote *q)
{
    return (rig_options){.client_asks = true,
                         .server_shows = true,
                         .client_policy = policy,
                         .server_quote = q,
                         .server_cert = &own,
                         .bindings = "atlas",
                         .options = {"host", "a.test", NULL}};
}

static void accepted(void **state)
{
    (void)state;
    static const uint8_t ping[] = "GET / HTTP/1.1\r\n\r\n";
    const atls_sim_quote q = {.event_log = "dstack", .certificate_event = own_hash};
    const rig_options o = options_of(&q);
    rig r;
    rig_new(&r, &o);
    rig_open(&r);
    const atls_verdict *v = atls_session_get0_verdict(r.client.session);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_binding(v), "session");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    char *text = atls_verdict_text(v, true);
    assert_non_null(strstr(text, "exporter + nonce + certificate in RTMR3"));
    assert_non_null(strstr(text, "binding.event"));
    atls_free(text);
    rig_send(&r.client, &r.server, ping, sizeof ping);
    rig_send(&r.server, &r.client, ping, sizeof ping);
    rig_free(&r);
}

static void refused(const rig_options *o, atls_code code, const char *check)
{
    rig r;
    rig_new(&r, o);
    rig_handshake(&r);
    rig_assert_failed(&r.client, code, check);
    rig_free(&r);
}

static void the_certificate_must_be_in_the_log(void **state)
{
    (void)state;
    const atls_sim_quote none = {.event_log = "dstack"};
    const atls_sim_quote other = {.event_log = "dstack", .certificate_event = another_hash};
    const atls_sim_quote upper = {.event_log = "dstack", .certificate_event = "9A26"};
    rig_options o = options_of(&none);
    refused(&o, ATLS_E_BINDING, "binding.event");
    o = options_of(&other);
    refused(&o, ATLS_E_BINDING, "binding.event");
    o = options_of(&upper);
    refused(&o, ATLS_E_BINDING, "binding.event");
}

/* --- an attester that lies: a genuine quote, another answer --- */

typedef struct liar {
    atls_attester *inner;
    const char *name;     /* the event that is changed, by its name in the log; NULL: none */
    const char *new_name; /* NULL: as it is */
    bool first_of_rtmr0;  /* instead: the first boot event */
    bool without_digest;  /* and its digest left out */
    bool runtime_type;    /* and its type made that of a runtime event */
    bool other_data;      /* the quote is over what another connection wanted */
} liar;

static void change(const liar *l, json_t *log)
{
    char payload[129];
    atls_hex_encode((atls_buf){(const uint8_t *)own_hash, 64}, payload);
    for (size_t i = 0; i < json_array_size(log); i++) {
        json_t *e = json_array_get(log, i);
        const bool hit = l->first_of_rtmr0
                             ? i == 0
                             : strcmp(json_string_value(json_object_get(e, "event")), l->name) == 0;
        if (!hit) {
            continue;
        }
        json_object_set_new(e, "event_payload", json_string(payload));
        if (l->new_name != NULL) {
            json_object_set_new(e, "event", json_string(l->new_name));
        }
        if (l->without_digest) {
            json_object_set_new(e, "digest", json_string(""));
        }
        if (l->runtime_type) {
            json_object_set_new(e, "event_type", json_integer(134217729));
        }
    }
}

static atls_code lie(void *self, const atls_report_data *data, atls_evidence_blob *out,
                     atls_err *err)
{
    const liar *l = self;
    atls_report_data wanted = *data;
    wanted.wide[0] ^= l->other_data ? 1 : 0;
    const atls_code rc = l->inner->attest(l->inner->self, &wanted, out, err);
    if (rc == ATLS_OK && (l->name != NULL || l->first_of_rtmr0)) {
        json_t *log = json_loadb((char *)out->parts[1].bytes, out->parts[1].len, 0, NULL);
        assert_non_null(log);
        change(l, log);
        free(out->parts[1].bytes);
        out->parts[1].bytes = (uint8_t *)json_dumps(log, JSON_COMPACT);
        assert_non_null(out->parts[1].bytes);
        out->parts[1].len = strlen((char *)out->parts[1].bytes);
        json_decref(log);
    }
    return rc;
}

static void lied(liar l, const char *event, atls_code code, const char *check)
{
    const atls_sim_quote q = {.event_log = "dstack", .certificate_event = event};
    atls_err err = {0};
    assert_int_equal(atls_sim_attester_new(rig_sim(), &q, &l.inner, &err), ATLS_OK);
    const atls_attester attester = {.name = "liar", .self = &l, .attest = lie};
    rig_options o = options_of(NULL);
    o.server_attester = &attester;
    refused(&o, code, check);
    atls_attester_free(l.inner);
}

static void relabelled_events(void **state)
{
    (void)state;
    static const char name[] = "New TLS Certificate";
    /* An application's event becomes the certificate's; its digest stays, or is left out (and filled in by the server). */
    lied((liar){.name = "greeting", .new_name = name}, NULL, ATLS_E_INVALID, "log.digest");
    lied((liar){.name = "greeting", .new_name = name, .without_digest = true}, NULL, ATLS_E_INVALID,
         "log.rtmr3");
    /* The certificate's own event is about another one. */
    lied((liar){.name = name}, another_hash, ATLS_E_INVALID, "log.digest");
    lied((liar){.name = name, .without_digest = true}, another_hash, ATLS_E_INVALID, "log.rtmr3");
    /* A boot event, of RTMR0, whose name and payload no digest covers. */
    lied((liar){.first_of_rtmr0 = true, .new_name = name}, NULL, ATLS_E_BINDING, "binding.event");
    lied((liar){.first_of_rtmr0 = true, .new_name = name, .runtime_type = true}, NULL,
         ATLS_E_BINDING, "binding.event");
    /* A forged compose-hash. */
    lied((liar){.name = "compose-hash"}, own_hash, ATLS_E_INVALID, "log.digest");
}

static void evidence_of_another_connection(void **state)
{
    (void)state;
    lied((liar){.other_data = true}, own_hash, ATLS_E_BINDING, "binding.report_data");
}

static void evidence_that_is_not_tdx(void **state)
{
    (void)state;
    const atls_sim_quote q = {.type = "sgx"};
    const rig_options o = options_of(&q);
    rig r;
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_SYSTEM, "atlas.evidence");
    assert_int_not_equal(r.client.rc, ATLS_OK);
    rig_free(&r);
}

static void old_version(SSL *ssl)
{
    SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
}

static void tls_1_2_is_refused(void **state)
{
    (void)state;
    const atls_sim_quote q = {.event_log = "dstack", .certificate_event = own_hash};
    const rig_options o = options_of(&q);
    rig r;
    rig_new(&r, &o);
    old_version(r.client.ssl);
    rig_handshake(&r);
    assert_int_not_equal(r.client.rc, ATLS_OK);
    assert_int_not_equal(r.server.rc, ATLS_OK);
    rig_free(&r);
}

/* A policy that names another dialect, or none: evidence that Atlas binds is not taken. */
static void a_policy_that_does_not_name_it(void **state)
{
    (void)state;
    const atls_sim_quote q = {.event_log = "dstack", .certificate_event = own_hash};
    rig_options o = options_of(&q);
    o.client_policy = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"]}]}";
    rig r;
    rig_new(&r, &o);
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_E_POLICY);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(the_certificate_must_be_in_the_log),
        cmocka_unit_test(relabelled_events),
        cmocka_unit_test(evidence_of_another_connection),
        cmocka_unit_test(evidence_that_is_not_tdx),
        cmocka_unit_test(tls_1_2_is_refused),
        cmocka_unit_test(a_policy_that_does_not_name_it),
    };
    return cmocka_run_group_tests(tests, make_certificates, free_all);
}
