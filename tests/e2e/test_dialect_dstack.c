/* dstack's RA-TLS from end to end: simulated guests on both sides, certificates of their own and of a CA, and what has to be
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "base/hex.h"
#include "binding/certificate.h"
#include "binding/dstack_attestation.h"
#include "crypto/digest.h"
#include "e2e/rig.h"

static const atls_sim_quote guest = {.event_log = "dstack"};
static const atls_sim_quote bare = {.type = "tdx"};

static rig_options one_way(void)
{
    return (rig_options){.client_asks = true,
                         .server_shows = true,
                         .server_quote = &guest,
                         .bindings = "ra-tls-dstack"};
}

static rig_options both_ways(void)
{
    rig_options o = one_way();
    o.client_shows = o.server_asks = true;
    o.client_quote = &guest;
    return o;
}

static void goes_through(const rig_options *o)
{
    rig r;
    static const uint8_t text[] = "through";
    rig_new(&r, o);
    rig_open(&r);
    rig_send(&r.client, &r.server, text, sizeof text);
    rig_send(&r.server, &r.client, text, sizeof text);
    if (o->client_asks) {
        const atls_verdict *v = atls_session_get0_verdict(r.client.session);
        assert_true(atls_verdict_accepted(v));
        assert_string_equal(atls_verdict_format(v), "tdx");
        assert_string_equal(atls_verdict_freshness(v), "none");
        assert_non_null(strstr(atls_verdict_binding(v), "key"));
    }
    rig_free(&r);
}

static void each_form_and_direction(void **state)
{
    (void)state;
    rig_options o = one_way();
    goes_through(&o);
    o = both_ways();
    goes_through(&o);
    o.options[0] = "form";
    o.options[1] = "quote";
    goes_through(&o);
    o = one_way();
    o.options[0] = "validity";
    o.options[1] = "3600";
    goes_through(&o);
}

static void fails(const rig_options *o, bool at_client, atls_code code, const char *check)
{
    rig r;
    rig_new(&r, o);
    rig_handshake(&r);
    rig_assert_failed(at_client ? &r.client : &r.server, code, check);
    rig_free(&r);
}

static void what_is_refused(void **state)
{
    (void)state;
    rig_options o = one_way();
    o.server_quote = &bare; /* no log: it cannot be put into such a certificate */
    fails(&o, false, ATLS_E_SYSTEM, "dstack.make");
    o = one_way();
    o.options[0] = "form";
    o.options[1] = "other";
    fails(&o, false, ATLS_E_USAGE, "dstack.option");
    o.options[0] = "validity";
    o.options[1] = "1d";
    fails(&o, false, ATLS_E_USAGE, "dstack.option");
    o.options[0] = "usage"; /* nobody vouches for it */
    o.options[1] = "kms:rpc";
    fails(&o, true, ATLS_E_POLICY, "dstack.usage");
    o.options[0] = "app-id";
    o.options[1] = "00112233445566778899aabbccddeeff00112233";
    fails(&o, true, ATLS_E_POLICY, "dstack.app_id");
    o.options[1] = "0011";
    fails(&o, true, ATLS_E_USAGE, "dstack.app_id");
    o = one_way();
    o.client_policy =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"x\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":["
        "\"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\"]}}]}";
    rig r;
    rig_new(&r, &o);
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_E_POLICY);
    rig_free(&r);
}

/* --- certificates of a key server --- */

static atls_code key_report_data(EVP_PKEY *key, uint8_t out[64])
{
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    const atls_buf pieces[] = {{(const uint8_t *)"ratls-cert:", 11}, {spki, (size_t)len}};
    atls_code rc = atls_digest(ATLS_SHA512, pieces, 2, out, NULL);
    OPENSSL_free(spki);
    return rc;
}

static void add_extension(X509 *x, const char *oid, atls_buf content)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING *outer = ASN1_OCTET_STRING_new();
    unsigned char *der = NULL;
    assert_int_equal(ASN1_OCTET_STRING_set(inner, content.ptr, (int)content.len), 1);
    int len = i2d_ASN1_OCTET_STRING(inner, &der);
    assert_int_equal(ASN1_OCTET_STRING_set(outer, der, len), 1);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, outer);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(outer);
    ASN1_OCTET_STRING_free(inner);
    ASN1_OBJECT_free(object);
    OPENSSL_free(der);
}

/* A leaf as the key server issues it: attestation, application, usage; app NULL: what the guest measured. */
static void issue(rig_cert *out, const char *name, const rig_cert *ca, const char *usage,
                  const char *app, EVP_PKEY *attested)
{
    atls_attester *a = NULL;
    atls_evidence_blob blob = {0};
    atls_report_data data = {{0}, {0}, NULL, 0};
    uint8_t *attestation = NULL;
    size_t len = 0;
    static const char measured[] = "demo/app-id";
    rig_cert_make(out, name, ca);
    assert_int_equal(key_report_data(attested != NULL ? attested : out->key, data.wide), ATLS_OK);
    assert_int_equal(atls_sim_attester_new(rig_sim(), &guest, &a, NULL), ATLS_OK);
    assert_int_equal(a->attest(a->self, &data, &blob, NULL), ATLS_OK);
    assert_int_equal(atls_dstack_make(&blob, data.wide, &attestation, &len, NULL), ATLS_OK);
    app = app != NULL ? app : measured;
    add_extension(out->cert, "1.3.6.1.4.1.62397.1.8", (atls_buf){attestation, len});
    add_extension(out->cert, "1.3.6.1.4.1.62397.1.3",
                  (atls_buf){(const uint8_t *)app, strlen(app)});
    add_extension(out->cert, "1.3.6.1.4.1.62397.1.4",
                  (atls_buf){(const uint8_t *)usage, strlen(usage)});
    assert_true(X509_sign(out->cert, ca->key, EVP_sha256()) > 0);
    free(attestation);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
}

typedef struct kms_case {
    const char *what, *usage, *app, *wanted_usage;
    bool foreign_key;
    atls_code code;
    const char *check;
} kms_case;

/* An app asks its key server, both with certificates of one CA and evidence in them; nothing is made for the connection. */
static void key_server_and_app(void **state)
{
    (void)state;
    static const kms_case cases[] = {
        {"good", "kms:rpc", NULL, "kms:rpc", false, ATLS_OK, NULL},
        {"no usage is asked for", "app:custom", NULL, NULL, false, ATLS_OK, NULL},
        {"an app instead of the key server", "app:custom", NULL, "kms:rpc", false, ATLS_E_POLICY,
         "dstack.usage"},
        {"another app than measured", "kms:rpc", "another app's name!!", "kms:rpc", false,
         ATLS_E_INVALID, "dstack.app_id"},
        {"evidence of another key", "kms:rpc", NULL, "kms:rpc", true, ATLS_E_BINDING,
         "dstack.report_data"},
    };
    rig_cert ca;
    rig_cert other;
    rig_cert app;
    rig_cert_make(&ca, "Dstack App CA", NULL);
    rig_cert_make(&other, "other.test", &ca);
    issue(&app, "app.test", &ca, "kms:rpc", NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const kms_case *c = &cases[i];
        rig_cert kms;
        issue(&kms, "server.test", &ca, c->usage, c->app, c->foreign_key ? other.key : NULL);
        rig_options o = {.client_asks = true,
                         .server_asks = true,
                         .bindings = "ra-tls-dstack",
                         .ca = &ca,
                         .server_cert = &kms,
                         .client_cert = &app};
        if (c->wanted_usage != NULL) {
            o.options[0] = "usage";
            o.options[1] = c->wanted_usage;
        }
        if (c->code == ATLS_OK) {
            goes_through(&o);
        } else {
            fails(&o, true, c->code, c->check);
        }
        rig_cert_free(&kms);
    }
    rig_cert_free(&app);
    rig_cert_free(&other);
    rig_cert_free(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_and_direction),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(key_server_and_app),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_sim_free();
    return failed;
}
