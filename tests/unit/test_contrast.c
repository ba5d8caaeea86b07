/* Contrast between a client and a server: SNP and TDX, each place of the nonce, and what a peer may not do. */
#include "unit/nonce_rig.h"

#include "base/hex.h"
#include "binding/certificate.h"
#include "binding/nonce.h"
#include "codec/base64.h"

static atls_sim_world *amd;
static atls_sim *intel;
static atls_verifier *amd_verifier, *tdx_verifier;
static atls_attester *amd_attester, *tdx_attester;

static int open_all(void **state)
{
    static const atls_sim_request snp = {0};
    static const atls_sim_quote tdx = {.type = "tdx"};
    char *root = NULL;
    (void)state;
    assert_int_equal(atls_sim_world_new("snp", NOW, &amd, NULL), ATLS_OK);
    assert_int_equal(atls_sim_new(NOW, NULL, &intel, NULL), ATLS_OK);
    amd_verifier = atls_verifier_new();
    tdx_verifier = atls_verifier_new();
    assert_int_equal(atls_sim_world_root(amd, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(amd_verifier, text_buf(root), NULL),
                     ATLS_OK);
    atls_free(root);
    assert_int_equal(atls_sim_root(intel, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(tdx_verifier, text_buf(root), NULL),
                     ATLS_OK);
    atls_free(root);
    atls_collateral *c = collateral_of(intel, "tdx");
    assert_int_equal(atls_verifier_add1_collateral(tdx_verifier, c, NULL), ATLS_OK);
    atls_collateral_free(c);
    assert_int_equal(atls_sim_world_attester_new(amd, &snp, &amd_attester, NULL), ATLS_OK);
    assert_int_equal(atls_sim_attester_new(intel, &tdx, &tdx_attester, NULL), ATLS_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    atls_attester_free(amd_attester);
    atls_attester_free(tdx_attester);
    atls_verifier_free(amd_verifier);
    atls_verifier_free(tdx_verifier);
    atls_sim_world_free(amd);
    atls_sim_free(intel);
    return 0;
}

static void run(nonce_pair *p, const atls_binding_option *options, size_t n)
{
    nonce_run(p, &atls_binding_contrast, options, n, options, n);
}

static void expect_accepted(const nonce_end *e)
{
    if (e->rc != ATLS_OK) {
        fail_msg("%s: %s", e->verdict != NULL ? atls_verdict_check(e->verdict) : e->err.check,
                 e->verdict != NULL ? atls_verdict_message(e->verdict) : e->err.msg);
    }
    assert_true(atls_verdict_accepted(e->verdict));
    assert_string_equal(atls_verdict_binding(e->verdict), "handshake");
}

static void expect_refused(const nonce_end *e, atls_code code, const char *check)
{
    assert_int_equal(e->rc, code);
    assert_string_equal(e->verdict != NULL ? atls_verdict_check(e->verdict) : e->err.check, check);
}

/* Report data of section 1.10, over the key and nonce of section 1.6. */
static void what_is_bound(void **state)
{
    (void)state;
    static const char key[] =
        "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277"
        "037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837"
        "bf51f5";
    static const char wanted[] =
        "381366df17eb25fccd6cbc8037f064cd7ad6b9192e62ba0481142cd0cc85c6e8c7a7ad2d982be6877442ba5e"
        "d786e55990bfe26792c490a1dc40a9b0722ac135";
    uint8_t spki[91];
    size_t len = 0;
    atls_step next = ATLS_STEP_DONE;
    atls_nonces n = {.has_peer = true};
    atls_link link = {.binding = &atls_binding_contrast, .role = ATLS_SERVER, .shows = true};
    assert_true(atls_hex_decode(key, sizeof key - 1, spki, sizeof spki, &len));
    for (uint8_t i = 0; i < 32; i++) {
        n.peer[i] = i;
    }
    link.state = &n;
    link.spki = (atls_buf){spki, len};
    assert_int_equal(atls_binding_contrast.show(&link, &next, NULL), ATLS_OK);
    assert_int_equal(next, ATLS_STEP_EVIDENCE);
    char hex[129];
    atls_hex_encode((atls_buf){link.wanted.wide, 64}, hex);
    assert_string_equal(hex, wanted);
}

static void each_place_of_the_nonce(void **state)
{
    (void)state;
    static const atls_binding_option rows[] = {
        {"nonce", "alpn"}, {"nonce", "sni"}, {"nonce", "both"}};
    for (size_t i = 0; i < 3; i++) {
        nonce_pair p = {0};
        p.client.verifier = tdx_verifier;
        p.server.attester = tdx_attester;
        run(&p, &rows[i], 1);
        assert_true(p.connected);
        expect_accepted(&p.client);
        const unsigned char *name = NULL;
        unsigned len = 0;
        SSL_get0_alpn_selected(p.client.link.ssl, &name, &len);
        assert_int_equal(len, 2); /* never the nonce */
        assert_memory_equal(name, "h2", 2);
        nonce_done(&p);
    }
}

static void both_show(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        nonce_pair p = {.version = versions[i]};
        p.client.verifier = amd_verifier;
        p.client.attester = tdx_attester;
        p.server.attester = amd_attester;
        p.server.verifier = tdx_verifier;
        run(&p, NULL, 0);
        assert_true(p.connected);
        expect_accepted(&p.client);
        expect_accepted(&p.server);
        assert_string_equal(atls_verdict_format(p.client.verdict), "snp");
        const X509_NAME *subject = X509_get_subject_name(p.client.link.peer);
        const ASN1_STRING *cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, 0));
        assert_string_equal(ASN1_STRING_get0_data(cn), "Contrast");
        nonce_done(&p);
    }
}

static const atls_attester *without_list;

/* A host whose certificate table has no list: its entry gets a GUID that nobody knows. */
static atls_code attest_without_list(void *self, const atls_report_data *data,
                                     atls_evidence_blob *out, atls_err *err)
{
    static const uint8_t guid[] = {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d};
    const atls_code rc = without_list->attest(self, data, out, err);
    assert_int_equal(rc, ATLS_OK);
    assert_string_equal(out->parts[1].name, "certs");
    for (size_t i = 0; i + 24 <= out->parts[1].len; i += 24) {
        if (memcmp(out->parts[1].bytes + i, guid, sizeof guid) == 0) {
            out->parts[1].bytes[i] = 0;
            return ATLS_OK;
        }
    }
    fail_msg("no list in the table");
    return ATLS_E_INVALID;
}

/* AMD's list comes in the peer's message (the verifier has none), and is judged as if it had been given. */
static void lists_of_the_peer(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        atls_code code;
        const char *check;
    } rows[] = {
        {NULL, ATLS_OK, ""},
        {"crl.garbage", ATLS_E_INVALID, "snp.crl.format"},
        {"crl.signer", ATLS_E_INVALID, "snp.crl.signature"},
        {"crl.issuer", ATLS_E_INVALID, "snp.crl.issuer"},
        {"crl.stale", ATLS_E_COLLATERAL, "snp.crl.time"},
        {"crl.revokes", ATLS_E_INVALID, "snp.ca.crl"},
        {"crl.none", ATLS_E_COLLATERAL, "policy.crl"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].fault != NULL ? rows[i].fault : "a good one");
        const bool none = rows[i].fault != NULL && strcmp(rows[i].fault, "crl.none") == 0;
        const atls_sim_request request = {.fault = none ? NULL : rows[i].fault};
        atls_attester *peer = NULL;
        nonce_pair p = {0};
        assert_int_equal(atls_sim_world_attester_new(amd, &request, &peer, NULL), ATLS_OK);
        atls_attester without = *peer;
        without_list = peer;
        without.attest = attest_without_list;
        p.client.verifier = amd_verifier;
        p.server.attester = none ? &without : peer;
        run(&p, NULL, 0);
        assert_true(p.connected);
        if (rows[i].code == ATLS_OK) {
            expect_accepted(&p.client);
        } else {
            expect_refused(&p.client, rows[i].code, rows[i].check);
        }
        nonce_done(&p);
        atls_attester_free(peer);
    }
}

static void other_protocol(nonce_end *e)
{
    static const uint8_t wire[] = "\x0e"
                                  "atls:v2:nonce:"
                                  "\x02"
                                  "h2";
    SSL_set_alpn_protos(e->link.ssl, wire, sizeof wire - 1);
}
static void no_nonce(nonce_end *e)
{
    static const uint8_t wire[] = "\x02"
                                  "h2";
    SSL_set_alpn_protos(e->link.ssl, wire, sizeof wire - 1);
}
static void other_nonce(nonce_end *e)
{
    static const uint8_t wire[] =
        "\x4e"
        "atls:v1:nonce:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "\x02"
        "h2";
    SSL_set_alpn_protos(e->link.ssl, wire, sizeof wire - 1);
}

static void nonces_that_are_none(void **state)
{
    (void)state;
    static const struct {
        void (*before)(nonce_end *e);
        const char *check;
    } rows[] = {{other_protocol, "nonce.form"}, {no_nonce, "nonce.missing"}};
    for (size_t i = 0; i < 2; i++) {
        nonce_pair p = {0};
        p.client.verifier = tdx_verifier;
        p.client.before = rows[i].before;
        p.server.attester = tdx_attester;
        run(&p, NULL, 0);
        assert_false(p.connected);
        expect_refused(&p.server, ATLS_E_BINDING, rows[i].check);
        assert_int_equal(p.server.attested, 0);
        nonce_done(&p);
    }
    nonce_pair p = {0};
    p.client.verifier = tdx_verifier;
    p.client.before = other_nonce;
    p.server.attester = tdx_attester;
    run(&p, NULL, 0);
    assert_true(p.connected);
    expect_refused(&p.client, ATLS_E_BINDING, "binding.report_data");
    nonce_done(&p);
}

static void a_peer_without_evidence(void **state)
{
    (void)state;
    nonce_pair p = {0};
    p.client.verifier = tdx_verifier;
    run(&p, NULL, 0);
    assert_true(p.connected);
    expect_refused(&p.client, ATLS_E_POLICY, "session.no_evidence");
    nonce_done(&p);
}

/* Extensions of other OIDs are passed over; of SNP and TDX the first that is there decides. */
static void several_extensions(void **state)
{
    (void)state;
    static const uint8_t snp_oid[] = {0x2b, 0xcd, 0x2d, 2, 1};
    static const uint8_t tdx_oid[] = {0x2b, 0xcd, 0x2d, 2, 2};
    static const uint8_t insecure_oid[] = {0x2b, 0xcd, 0x2d, 2, 3};
    nonce_pair p = {0};
    p.client.verifier = tdx_verifier;
    p.server.attester = tdx_attester;
    run(&p, NULL, 0);
    expect_accepted(&p.client);
    const ASN1_STRING *value = X509_EXTENSION_get_data(X509_get_ext(p.client.link.peer, 0));
    const atls_buf message = {ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
    const atls_certificate_extension good = {{tdx_oid, sizeof tdx_oid}, message};
    const atls_certificate_extension bad_tdx = {{tdx_oid, sizeof tdx_oid}, text_buf("\x0b")};
    const atls_certificate_extension bad_snp = {{snp_oid, sizeof snp_oid}, text_buf("\x0b")};
    const atls_certificate_extension insecure = {{insecure_oid, sizeof insecure_oid},
                                                 text_buf("\x0b")};
    const struct {
        const char *what;
        atls_certificate_extension extensions[2];
        const char *check;
    } rows[] = {
        {"evidence for tests first", {insecure, good}, ""},
        {"evidence for tests behind", {good, insecure}, ""},
        {"TDX first", {good, bad_snp}, ""},
        {"SNP first", {bad_snp, good}, "sevsnp.malformed"},
        {"TDX twice", {good, bad_tdx}, "certificate.duplicate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].what);
        nonce_expect_of(&p, rows[i].extensions, 2, NULL, 0, rows[i].check);
    }
    nonce_expect_of(&p, &insecure, 1, NULL, 0, "session.no_evidence");
    nonce_done(&p);
}

static atls_code attest_as_tpm(void *self, const atls_report_data *data, atls_evidence_blob *out,
                               atls_err *err)
{
    (void)self;
    (void)data;
    (void)err;
    memcpy(out->type, "tpm", 4);
    return ATLS_OK;
}

static void evidence_of_another_type(void **state)
{
    (void)state;
    static const atls_attester tpm = {.name = "tpm", .attest = attest_as_tpm};
    nonce_pair p = {0};
    p.client.verifier = tdx_verifier;
    p.server.attester = &tpm;
    run(&p, NULL, 0);
    assert_false(p.connected);
    expect_refused(&p.server, ATLS_E_USAGE, "contrast.evidence");
    nonce_done(&p);
}

/* The form of the first releases, where the option says so; and the newer one is then none. */
static void raw_reports(void **state)
{
    (void)state;
    static const uint8_t oid[] = {0x2b, 0xcd, 0x2d, 2, 1};
    static const atls_binding_option raw = {"raw-report", "yes"};
    for (int wrong = 0; wrong < 2; wrong++) {
        nonce_pair p = {0};
        p.client.verifier = amd_verifier;
        p.server.attester = amd_attester;
        run(&p, NULL, 0);
        expect_accepted(&p.client);
        char *text = atls_base64_encode((atls_buf){p.server.link.evidence.parts[0].bytes, 1184});
        const atls_certificate_extension extension = {
            {oid, sizeof oid}, {(const uint8_t *)text, strlen(text) - (wrong == 1 ? 4 : 0)}};
        const atls_certificate_plan plan = {.common_name = "Contrast",
                                            .not_before_s = NOW - 60,
                                            .not_after_s = NOW + 60,
                                            .extensions = &extension,
                                            .extensions_n = 1};
        X509 *x = NULL;
        unsigned char *der = NULL;
        atls_step next = ATLS_STEP_DONE;
        atls_err err = {0};
        assert_int_equal(atls_certificate_make(&plan, p.server.link.key, &x, NULL), ATLS_OK);
        const int len = i2d_X509(x, &der);
        atls_link link = p.client.link;
        link.options = &raw;
        link.options_n = 1;
        link.verdict = NULL;
        link.peer = x;
        link.peer_der = (atls_buf){der, (size_t)len};
        memset(&link.carried, 0, sizeof link.carried);
        const atls_code rc = atls_binding_contrast.exchange(&link, &next, &err);
        if (wrong == 1) {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, "contrast.raw_report");
        } else {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(next, ATLS_STEP_JUDGE);
            assert_int_equal(link.carried.evidence.parts_n, 1);
            assert_int_equal(link.carried.evidence.parts[0].bytes.len, 1184);
        }
        atls_carried_clear(&link.carried);
        OPENSSL_free(der);
        X509_free(x);
        free(text);
        nonce_done(&p);
    }
}

static void options_that_are_none(void **state)
{
    (void)state;
    static const atls_binding_option rows[] = {{"nonce", "dns"}, {"raw-report", "maybe"}};
    atls_err err = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(atls_binding_contrast.context(NULL, ATLS_CLIENT, &rows[i], 1, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "contrast.option");
    }
    assert_int_equal(atls_binding_contrast.context(NULL, ATLS_CLIENT, NULL, 0, &err), ATLS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_bound),
        cmocka_unit_test(each_place_of_the_nonce),
        cmocka_unit_test(both_show),
        cmocka_unit_test(lists_of_the_peer),
        cmocka_unit_test(nonces_that_are_none),
        cmocka_unit_test(a_peer_without_evidence),
        cmocka_unit_test(several_extensions),
        cmocka_unit_test(evidence_of_another_type),
        cmocka_unit_test(raw_reports),
        cmocka_unit_test(options_that_are_none),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
