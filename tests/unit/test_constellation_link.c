/* Constellation between a client and a server: each variant that can be simulated, both ways, and what a peer may not do. */
#include "unit/azure_td.h"
#include "unit/nonce_rig.h"

#include <openssl/rsa.h>

#include "binding/constellation_document.h"
#include "binding/nonce.h"

typedef struct all_worlds {
    atls_sim_world *azure, *tpm;
    atls_sim *intel;
    atls_verifier *azure_verifier, *tpm_verifier, *tdx_verifier;
    atls_attester *azure_attester, *tpm_attester, *tdx_attester;
} all_worlds;

static all_worlds w;

static atls_verifier *verifier_of(const atls_sim_world *world)
{
    char *root = NULL;
    char *keys = NULL;
    atls_verifier *v = atls_verifier_new();
    assert_int_equal(atls_sim_world_root(world, &root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(world, &keys, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(root), NULL), ATLS_OK);
    if (keys != NULL) {
        assert_int_equal(atls_verifier_add1_endorsement(v, text_buf(keys), NULL), ATLS_OK);
    }
    atls_free(root);
    atls_free(keys);
    return v;
}

static int open_all(void **state)
{
    static const atls_sim_request azure = {.variant = "snp"};
    static const atls_sim_request tpm = {.variant = "rsassa"};
    static const atls_sim_quote tdx = {.type = "tdx"};
    char *root = NULL;
    (void)state;
    assert_int_equal(atls_sim_world_new("azure", NOW, &w.azure, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_new("tpm", NOW, &w.tpm, NULL), ATLS_OK);
    assert_int_equal(atls_sim_new(NOW, NULL, &w.intel, NULL), ATLS_OK);
    w.azure_verifier = verifier_of(w.azure);
    w.tpm_verifier = verifier_of(w.tpm);
    w.tdx_verifier = atls_verifier_new();
    assert_int_equal(atls_sim_root(w.intel, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(w.tdx_verifier, text_buf(root), NULL),
                     ATLS_OK);
    atls_collateral *c = collateral_of(w.intel, "tdx");
    assert_int_equal(atls_verifier_add1_collateral(w.tdx_verifier, c, NULL), ATLS_OK);
    atls_collateral_free(c);
    atls_free(root);
    assert_int_equal(atls_sim_world_attester_new(w.azure, &azure, &w.azure_attester, NULL),
                     ATLS_OK);
    assert_int_equal(atls_sim_world_attester_new(w.tpm, &tpm, &w.tpm_attester, NULL), ATLS_OK);
    assert_int_equal(atls_sim_attester_new(w.intel, &tdx, &w.tdx_attester, NULL), ATLS_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    atls_attester_free(w.azure_attester);
    atls_attester_free(w.tpm_attester);
    atls_attester_free(w.tdx_attester);
    atls_verifier_free(w.azure_verifier);
    atls_verifier_free(w.tpm_verifier);
    atls_verifier_free(w.tdx_verifier);
    atls_sim_world_free(w.azure);
    atls_sim_world_free(w.tpm);
    atls_sim_free(w.intel);
    return 0;
}

static void run(nonce_pair *p, const atls_binding_option *options, size_t n)
{
    nonce_run(p, &atls_binding_constellation, options, n, options, n);
}

static void expect_accepted(const nonce_end *e)
{
    if (e->rc != ATLS_OK) {
        fail_msg("%s: %s", e->verdict != NULL ? atls_verdict_check(e->verdict) : e->err.check,
                 e->verdict != NULL ? atls_verdict_message(e->verdict) : e->err.msg);
    }
    assert_true(atls_verdict_accepted(e->verdict));
    assert_string_equal(atls_verdict_binding(e->verdict), "handshake");
    assert_string_equal(atls_verdict_freshness(e->verdict), "this connection");
}

static void expect_refused(const nonce_end *e, atls_code code, const char *check)
{
    assert_int_equal(e->rc, code);
    assert_string_equal(e->verdict != NULL ? atls_verdict_check(e->verdict) : e->err.check, check);
}

/* --- what works --- */

static void other_nonce(nonce_end *e);

static const atls_binding_option blind[] = {{"variants", "qemu-vtpm,gcp-sev-es"}};

static void server_shows(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        nonce_pair azure = {.version = versions[i]};
        azure.client.verifier = w.azure_verifier;
        azure.server.attester = w.azure_attester;
        run(&azure, NULL, 0);
        assert_true(azure.connected);
        expect_accepted(&azure.client);
        assert_int_equal(azure.server.attested, 2); /* InstanceInfo, then the quote over it */
        assert_string_equal(atls_verdict_format(azure.client.verdict), "azure");
        nonce_done(&azure);

        nonce_pair tpm = {.version = versions[i]};
        tpm.client.verifier = w.tpm_verifier;
        tpm.server.attester = w.tpm_attester;
        run(&tpm, blind, 1);
        assert_true(tpm.connected);
        expect_accepted(&tpm.client);
        assert_int_equal(tpm.server.attested, 1);
        nonce_done(&tpm);

        nonce_pair tdx = {.version = versions[i]};
        tdx.client.verifier = w.tdx_verifier;
        tdx.server.attester = w.tdx_attester;
        run(&tdx, NULL, 0);
        assert_true(tdx.connected);
        expect_accepted(&tdx.client);
        nonce_done(&tdx);
    }
}

static void both_show(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        nonce_pair p = {.version = versions[i]};
        p.client.verifier = w.azure_verifier;
        p.client.attester = w.tdx_attester;
        p.server.attester = w.azure_attester;
        p.server.verifier = w.tdx_verifier;
        run(&p, NULL, 0);
        assert_true(p.connected);
        expect_accepted(&p.client);
        expect_accepted(&p.server);
        nonce_done(&p);
    }
}

static void client_shows(void **state)
{
    (void)state;
    nonce_pair p = {0};
    p.client.attester = w.tdx_attester;
    p.server.verifier = w.tdx_verifier;
    run(&p, NULL, 0);
    assert_true(p.connected);
    assert_int_equal(p.client.rc, ATLS_OK);
    expect_accepted(&p.server);
    nonce_done(&p);
}

/* Azure on TDX: the TD's quote covers the vTPM's key, the vTPM's quote this handshake. */
static void a_td_of_azure(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const atls_binding_option as_td = {"variant", "azure-tdx"};
    azure_td td = {.vm = w.azure_attester, .intel = w.intel};
    const atls_attester attester = {.name = "azure-td", .attest = azure_td_attest, .self = &td};
    for (size_t i = 0; i < 2; i++) {
        nonce_pair p = {.version = versions[i]};
        p.client.verifier = w.tdx_verifier;
        p.server.attester = &attester;
        run(&p, &as_td, 1);
        assert_true(p.connected);
        expect_accepted(&p.client);
        assert_string_equal(atls_verdict_format(p.client.verdict), "azure");
        nonce_done(&p);
    }
    nonce_pair p = {0};
    p.client.verifier = w.tdx_verifier;
    p.client.before = other_nonce;
    p.server.attester = &attester;
    run(&p, &as_td, 1);
    assert_true(p.connected);
    expect_refused(&p.client, ATLS_E_BINDING, "binding.nonce");
    nonce_done(&p);
}

/* A variant whose InstanceInfo is no evidence: it is given, and goes into the nonce. */
static void given_instance_info(void **state)
{
    (void)state;
    static const atls_binding_option options[] = {
        {"variant", "gcp-sev-es"},
        {"instance-info", "{\"zone\":\"z\",\"project_id\":\"p\",\"instance_name\":\"i\"}"}};
    nonce_pair p = {0};
    p.client.verifier = w.tpm_verifier;
    p.server.attester = w.tpm_attester;
    run(&p, options, 2);
    assert_true(p.connected);
    expect_accepted(&p.client);
    nonce_done(&p);
}

/* The certificate, field for field (section 1.4). */
static void certificate_as_wanted(void **state)
{
    (void)state;
    nonce_pair p = {0};
    p.client.verifier = w.tdx_verifier;
    p.server.attester = w.tdx_attester;
    run(&p, NULL, 0);
    expect_accepted(&p.client);
    const X509 *x = p.client.link.peer;
    char oid[32];
    assert_int_equal(X509_get_version(x), X509_VERSION_3);
    assert_int_equal(X509_get_ext_count(x), 1);
    X509_EXTENSION *ext = X509_get_ext(x, 0);
    assert_int_equal(OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(ext), 1), 13);
    assert_string_equal(oid, "1.3.9900.5.99");
    assert_int_equal(X509_EXTENSION_get_critical(ext), 0);
    assert_memory_equal(ASN1_STRING_get0_data(X509_EXTENSION_get_data(ext)), "{\"RawQuote\":\"",
                        13);
    const X509_NAME *name = X509_get_subject_name(x);
    assert_int_equal(X509_NAME_entry_count(name), 1);
    const ASN1_STRING *cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0));
    assert_int_equal(ASN1_STRING_type(cn), V_ASN1_PRINTABLESTRING);
    assert_string_equal(ASN1_STRING_get0_data(cn), "Constellation");
    assert_int_equal(X509_NAME_cmp(name, X509_get_issuer_name(x)), 0);
    assert_int_equal(X509_get_signature_nid(x), NID_ecdsa_with_SHA256);
    int days = 0, seconds = 0;
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x)),
                     1);
    assert_true(days == 0 && seconds == 4 * 3600);
    nonce_done(&p);
}

/* The server's nonce on the wire: one name of 57 bytes. */
static void name_as_wanted(void **state)
{
    (void)state;
    static const uint8_t head[] = {0x30, 0x37, 0x31, 0x35, 0x30, 0x33, 0x06,
                                   0x03, 0x55, 0x04, 0x03, 0x13, 0x2c};
    nonce_pair p = {0};
    p.client.attester = w.tdx_attester;
    p.server.verifier = w.tdx_verifier;
    run(&p, NULL, 0);
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(p.client.link.ssl);
    assert_int_equal(sk_X509_NAME_num(names), 1);
    unsigned char *der = NULL;
    const int len = i2d_X509_NAME(sk_X509_NAME_value(names, 0), &der);
    assert_int_equal(len, ATLS_NONCE_NAME_LEN);
    assert_memory_equal(der, head, sizeof head);
    const atls_nonces *n = p.server.link.state; /* the first member */
    uint8_t nonce[32];
    assert_int_equal(atls_nonce_of_text((atls_buf){der + 13, 44}, nonce, NULL), ATLS_OK);
    assert_memory_equal(nonce, n->own, 32);
    OPENSSL_free(der);
    nonce_done(&p);
}

/* --- what a peer may not do --- */

static void no_server_name(nonce_end *e)
{
    SSL_set_tlsext_host_name(e->link.ssl, NULL);
}
static void host_name(nonce_end *e)
{
    SSL_set_tlsext_host_name(e->link.ssl, "example.com");
}
static void short_nonce(nonce_end *e)
{
    SSL_set_tlsext_host_name(e->link.ssl, "test");
}
static void other_nonce(nonce_end *e)
{
    SSL_set_tlsext_host_name(e->link.ssl, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
}

static void nonces_that_are_none(void **state)
{
    (void)state;
    static const struct {
        void (*before)(nonce_end *e);
        const char *check;
    } rows[] = {
        {no_server_name, "nonce.missing"}, {host_name, "nonce.form"}, {short_nonce, "nonce.form"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nonce_pair p = {0};
        p.client.verifier = w.tdx_verifier;
        p.client.before = rows[i].before;
        p.server.attester = w.tdx_attester;
        run(&p, NULL, 0);
        assert_false(p.connected);
        expect_refused(&p.server, ATLS_E_BINDING, rows[i].check);
        assert_int_equal(p.server.attested, 0); /* no quote for whoever asks like that */
        nonce_done(&p);
    }
}

/* Evidence over another nonce than ours: of another connection. */
static void evidence_of_another_nonce(void **state)
{
    (void)state;
    nonce_pair tdx = {0};
    tdx.client.verifier = w.tdx_verifier;
    tdx.client.before = other_nonce;
    tdx.server.attester = w.tdx_attester;
    run(&tdx, NULL, 0);
    assert_true(tdx.connected);
    expect_refused(&tdx.client, ATLS_E_BINDING, "binding.nonce");
    nonce_done(&tdx);
    nonce_pair azure = {0};
    azure.client.verifier = w.azure_verifier;
    azure.client.before = other_nonce;
    azure.server.attester = w.azure_attester;
    run(&azure, NULL, 0);
    assert_true(azure.connected);
    expect_refused(&azure.client, ATLS_E_BINDING, "binding.nonce");
    nonce_done(&azure);
}

static void variants_not_taken(void **state)
{
    (void)state;
    nonce_pair p = {0};
    p.client.verifier = w.tpm_verifier;
    p.server.attester = w.tpm_attester;
    run(&p, NULL, 0); /* shown as qemu-vtpm */
    assert_true(p.connected);
    expect_refused(&p.client, ATLS_E_POLICY, "constellation.variant");
    nonce_done(&p);
    static const atls_binding_option wrong = {"variant", "azure-tdx"};
    nonce_pair q = {0};
    q.client.verifier = w.tdx_verifier;
    q.server.attester = w.tdx_attester;
    run(&q, &wrong, 1);
    assert_false(q.connected);
    expect_refused(&q.server, ATLS_E_USAGE, "constellation.evidence");
    nonce_done(&q);
}

static void a_peer_without_evidence(void **state)
{
    (void)state;
    nonce_pair p = {0};
    p.client.verifier = w.tdx_verifier;
    run(&p, NULL, 0);
    assert_true(p.connected);
    expect_refused(&p.client, ATLS_E_POLICY, "session.no_evidence");
    nonce_done(&p);
}

/* The first extension of a variant that is taken decides, as it stands in the certificate; no later one is tried. */
static void several_extensions(void **state)
{
    (void)state;
    static const uint8_t other_oid[] = {0x2a, 0x03, 0x04};
    static const atls_binding_option only = {"variants", "qemu-tdx"};
    const char *azure = "azure-sev-snp";
    const atls_constellation_variant *v = atls_constellation_variant_find(text_buf(azure));
    const atls_constellation_variant *tdx = atls_constellation_variant_find(text_buf("qemu-tdx"));
    nonce_pair p = {0};
    p.client.verifier = w.tdx_verifier;
    p.server.attester = w.tdx_attester;
    run(&p, NULL, 0);
    expect_accepted(&p.client);
    const ASN1_STRING *value = X509_EXTENSION_get_data(X509_get_ext(p.client.link.peer, 0));
    const atls_buf document = {ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
    const atls_certificate_extension good = {{tdx->oid, sizeof tdx->oid}, document};
    const atls_certificate_extension bad = {{v->oid, sizeof v->oid}, text_buf("{")};
    const atls_certificate_extension bad_tdx = {{tdx->oid, sizeof tdx->oid}, text_buf("{")};
    const atls_certificate_extension nested = {{v->oid, sizeof v->oid}, document};
    const atls_certificate_extension other = {{other_oid, sizeof other_oid}, text_buf("{")};
    const struct {
        const char *what;
        atls_certificate_extension extensions[2];
        const atls_binding_option *option;
        const char *check;
    } rows[] = {
        {"another extension first", {other, good}, NULL, ""},
        {"the good one first, a broken one is not looked at", {good, bad}, NULL, ""},
        {"a broken one first, the good one is not tried", {bad, good}, NULL, "constellation.json"},
        {"a document of another variant first", {nested, good}, NULL, "constellation.member"},
        {"one that is not taken, and the good one", {bad, good}, &only, ""},
        {"one that is not taken behind", {good, bad}, &only, ""},
        {"the same extension twice", {good, bad_tdx}, NULL, "certificate.duplicate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].what);
        nonce_expect_of(&p, rows[i].extensions, 2, rows[i].option, rows[i].option != NULL,
                        rows[i].check);
    }
    nonce_expect_of(&p, &other, 1, NULL, 0, "session.no_evidence");
    nonce_expect_of(&p, &bad_tdx, 1, NULL, 0, "constellation.json");
    nonce_done(&p);
}

static void options_that_name_no_variant(void **state)
{
    (void)state;
    static const atls_binding_option rows[] = {{"variant", "azure"},
                                               {"variants", "azure-tdx,"},
                                               {"variants", ""},
                                               {"variants", "azure-tdx,qemu"}};
    static const atls_binding_option good[] = {{"variant", "azure-tdx"},
                                               {"variants", "azure-tdx,qemu-tdx"}};
    atls_err err = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(atls_binding_constellation.context(NULL, ATLS_CLIENT, &rows[i], 1, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "constellation.variant");
    }
    assert_int_equal(atls_binding_constellation.context(NULL, ATLS_CLIENT, good, 2, &err), ATLS_OK);
}

/* One name, and no other; and none of a session that was resumed. */
static void names_that_are_no_nonce(void **state)
{
    (void)state;
    atls_link link = {.ssl = NULL};
    atls_nonces n = {0};
    atls_err err = {0};
    nonce_pair p = {0};
    p.client.verifier = w.tdx_verifier;
    p.server.attester = w.tdx_attester;
    run(&p, NULL, 0); /* the server asks nothing: it names nobody */
    link.ssl = p.client.link.ssl;
    assert_int_equal(atls_nonces_asked(&link, &n, &err), ATLS_E_BINDING);
    assert_string_equal(err.check, "nonce.names");
    assert_false(n.has_peer);
    nonce_done(&p);
}

static int second_name(SSL *ssl, int *alert, void *arg)
{
    nonce_end *e = arg;
    if (nonce_hello(ssl, alert, e) != SSL_CLIENT_HELLO_SUCCESS) {
        return SSL_CLIENT_HELLO_ERROR;
    }
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"another", -1, -1, 0);
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(SSL_get0_CA_list(ssl));
    assert_int_equal(sk_X509_NAME_num(names), 1);
    sk_X509_NAME_push(names, name);
    SSL_set0_CA_list(ssl, names);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void add_second_name(nonce_end *client)
{
    nonce_pair *p = (nonce_pair *)(void *)client; /* its first member */
    SSL_CTX_set_client_hello_cb(p->server.ctx, second_name, &p->server);
}

static void two_names(void **state)
{
    (void)state;
    nonce_pair p = {0};
    p.client.attester = w.tdx_attester;
    p.client.before = add_second_name;
    p.server.verifier = w.tdx_verifier;
    run(&p, NULL, 0);
    assert_false(p.connected && p.client.rc == ATLS_OK);
    expect_refused(&p.client, ATLS_E_BINDING, "nonce.names");
    assert_int_equal(p.client.attested, 0);
    nonce_done(&p);
}

static SSL *renew(nonce_end *e)
{
    SSL_set_shutdown(e->link.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(e->link.ssl);
    e->link.ssl = SSL_new(e->ctx);
    return e->link.ssl;
}

/* A caller who lets TLS resume a session gets no verdict out of it. */
static void a_resumed_session(void **state)
{
    (void)state;
    nonce_pair p = {.version = TLS1_2_VERSION};
    atls_step next = ATLS_STEP_JUDGE;
    p.client.verifier = w.tdx_verifier;
    p.server.attester = w.tdx_attester;
    run(&p, NULL, 0);
    expect_accepted(&p.client);
    p.session = SSL_get1_session(p.client.link.ssl);
    p.connected = false;
    p.client.link.verdict = NULL;
    SSL_set_max_proto_version(renew(&p.client), TLS1_2_VERSION);
    (void)renew(&p.server);
    assert_int_equal(atls_binding_constellation.begin(&p.client.link, NULL), ATLS_OK);
    assert_int_equal(SSL_set_session(p.client.link.ssl, p.session), 1);
    nonce_shake(&p);
    assert_true(p.connected);
    assert_int_equal(SSL_session_reused(p.client.link.ssl), 1);
    atls_err err = {0};
    assert_int_equal(atls_binding_constellation.exchange(&p.client.link, &next, &err),
                     ATLS_E_BINDING);
    assert_string_equal(err.check, "nonce.resumed");
    assert_int_equal(next, ATLS_STEP_DONE);
    nonce_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_shows),
        cmocka_unit_test(both_show),
        cmocka_unit_test(client_shows),
        cmocka_unit_test(a_td_of_azure),
        cmocka_unit_test(given_instance_info),
        cmocka_unit_test(certificate_as_wanted),
        cmocka_unit_test(name_as_wanted),
        cmocka_unit_test(nonces_that_are_none),
        cmocka_unit_test(evidence_of_another_nonce),
        cmocka_unit_test(variants_not_taken),
        cmocka_unit_test(a_peer_without_evidence),
        cmocka_unit_test(several_extensions),
        cmocka_unit_test(options_that_name_no_variant),
        cmocka_unit_test(names_that_are_no_nonce),
        cmocka_unit_test(two_names),
        cmocka_unit_test(a_resumed_session),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
