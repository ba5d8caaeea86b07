/* A confidential VM of Azure, made of a simulated TD and a simulated vTPM: good, and each link between two of them cut. */
#include "simulated.h"

#include <jansson.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/writer.h"
#include "codec/base64.h"
#include "crypto/digest.h"
#include "sim/tpm_pki.h"
#include "sim/tpm_quote.h"
#include "trust/tpm_public.h"

typedef enum fault {
    GOOD,
    OTHER_REPORT_DATA, /* the quote is over other data */
    OTHER_TD,          /* of another TD */
    OTHER_RUNTIME,     /* a byte of the runtime data */
    NOT_ZERO,          /* behind the hash */
    NO_KEY,            /* in the runtime data */
    OTHER_SIGNER,      /* the vTPM's quote is of another key */
    OTHER_AK_PUBLIC,
    OTHER_AK_CERT,
    NO_TD_QUOTE,
    NO_HCL,
    DEBUG_TD
} fault;

static atls_sim *sim;
static EVP_PKEY *ak, *stranger;
static atls_verifier *verifier;

static int open_all(void **state)
{
    (void)state;
    char *root = NULL;
    ak = EVP_RSA_gen(2048);
    stranger = EVP_RSA_gen(2048);
    verifier = atls_verifier_new();
    assert_int_equal(atls_sim_new(NOW, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(verifier, text_buf(root), NULL),
                     ATLS_OK);
    atls_collateral *c = collateral_of(sim, "tdx");
    assert_int_equal(atls_verifier_add1_collateral(verifier, c, NULL), ATLS_OK);
    atls_collateral_free(c);
    atls_free(root);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    EVP_PKEY_free(ak);
    EVP_PKEY_free(stranger);
    atls_verifier_free(verifier);
    atls_sim_free(sim);
    return 0;
}

/* The runtime data with the modulus as base64url. */
static size_t make_runtime(fault f, char out[1024])
{
    BIGNUM *n = NULL;
    uint8_t modulus[256];
    assert_int_equal(EVP_PKEY_get_bn_param(ak, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_bn2binpad(n, modulus, 256), 256);
    BN_free(n);
    char *text = atls_base64_encode((atls_buf){modulus, 256});
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at;
    }
    const int len =
        snprintf(out, 1024,
                 "{\"keys\":[{\"kid\":\"%s\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}],"
                 "\"vm-configuration\":{\"vmUniqueId\":\"some-vm\"}}",
                 f == NO_KEY ? "HCLEkPub" : "HCLAkPub", text);
    atls_free(text);
    return (size_t)len;
}

static atls_buf view(uint8_t *bytes, size_t at, size_t len)
{
    return (atls_buf){bytes + at, len};
}

/* TDREPORT of the TD that made the quote: the quote's body, at its places. */
static void put_td_report(atls_writer *w, uint8_t *quote, const uint8_t report_data[64])
{
    uint8_t *body = quote + 48;
    atls_writer_zeros(w, 128);
    atls_writer_bytes(w, (atls_buf){report_data, 64});
    atls_writer_zeros(w, 512 - 192);
    atls_writer_bytes(w, view(body, 120, 8));  /* attributes */
    atls_writer_bytes(w, view(body, 128, 8));  /* XFAM */
    atls_writer_bytes(w, view(body, 136, 48)); /* MRTD */
    atls_writer_bytes(w, view(body, 184, 144));
    atls_writer_bytes(w, view(body, 328, 192)); /* RTMRs */
    atls_writer_zeros(w, 1184 - 912);
}

static size_t make_hcl(const char *runtime, size_t len, uint8_t *quote,
                       const uint8_t report_data[64], uint8_t out[4096])
{
    atls_writer w = atls_writer_of(out, 4096);
    atls_writer_text(&w, "HCLA");
    atls_writer_u32le(&w, 2);
    atls_writer_u32le(&w, (uint32_t)(0x4d4 + len));
    atls_writer_u32le(&w, 2);
    atls_writer_zeros(&w, 16);
    put_td_report(&w, quote, report_data);
    atls_writer_u32le(&w, (uint32_t)(20 + len));
    atls_writer_u32le(&w, 1);
    atls_writer_u32le(&w, 4);
    atls_writer_u32le(&w, 1);
    atls_writer_u32le(&w, (uint32_t)len);
    atls_writer_text(&w, runtime);
    const size_t made = atls_writer_done(&w).len;
    assert_true(made > 0);
    return made;
}

static void add(atls_evidence_blob *blob, const char *name, const uint8_t *bytes, size_t len)
{
    const size_t i = blob->parts_n++;
    memcpy(blob->parts[i].name, name, strlen(name) + 1);
    blob->parts[i].bytes = malloc(len);
    memcpy(blob->parts[i].bytes, bytes, len);
    blob->parts[i].len = len;
}

static void add_names(fault f, const sim_tpm_key *key, atls_evidence_blob *blob)
{
    sim_tpm_part area = {0};
    const sim_tpm_key shown = {f == OTHER_AK_PUBLIC ? stranger : key->pkey, key->scheme, key->hash};
    assert_int_equal(sim_tpm_area(&shown, NULL, &area, NULL), ATLS_OK);
    add(blob, "ak_public", area.bytes, area.len);
    const sim_tpm_cert plan = {.cn = "AK",
                               .key_usage = "critical,digitalSignature",
                               .from_s = NOW - 9,
                               .until_s = NOW + 9,
                               .key = f == OTHER_AK_CERT ? stranger : key->pkey,
                               .signer = stranger};
    X509 *cert = sim_tpm_cert_make(&plan);
    unsigned char *der = NULL;
    const int len = i2d_X509(cert, &der);
    assert_true(len > 0);
    add(blob, "ak_cert", der, (size_t)len);
    OPENSSL_free(der);
    X509_free(cert);
}

static void make(fault f, atls_evidence_blob *blob)
{
    static const uint8_t nonce[32] = {0x42};
    char runtime[1024];
    uint8_t hcl[4096], report_data[64] = {0};
    uint8_t *quote = NULL;
    size_t quote_len = 0;
    atls_tpm_bank banks[ATLS_TPM_BANKS];
    sim_tpm_key key = {ak, ATLS_TPM_ALG_RSASSA, ATLS_TPM_ALG_SHA256};
    const size_t len = make_runtime(f, runtime);
    const atls_buf piece = {(const uint8_t *)runtime, len};
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, report_data, NULL), ATLS_OK);
    report_data[63] = f == NOT_ZERO ? 1 : 0;
    atls_sim_quote ask = {.type = "tdx", .debug = f == DEBUG_TD};
    memcpy(ask.report_data, report_data, sizeof report_data);
    ask.report_data[0] ^= f == OTHER_REPORT_DATA ? 1 : 0;
    assert_int_equal(atls_sim_make_quote(sim, &ask, &quote, &quote_len, NULL), ATLS_OK);
    const size_t hcl_len = make_hcl(runtime, len, quote, report_data, hcl);
    if (f == OTHER_RUNTIME) {
        hcl[hcl_len - 5] ^= 1; /* the VM's id */
    }
    if (f == OTHER_TD) {
        atls_free(quote);
        ask.workload = "other";
        assert_int_equal(atls_sim_make_quote(sim, &ask, &quote, &quote_len, NULL), ATLS_OK);
    }
    memset(banks, 0, sizeof banks);
    assert_int_equal(sim_tpm_values(NULL, banks, NULL), ATLS_OK);
    banks[ATLS_TPM_SHA256].selected = 0xffffff;
    key.pkey = f == OTHER_SIGNER ? stranger : ak;
    assert_int_equal(sim_tpm_quote(&key, banks, (atls_buf){nonce, 32}, true, NULL, blob, NULL),
                     ATLS_OK);
    key.pkey = ak;
    add_names(f, &key, blob);
    if (f != NO_HCL) {
        add(blob, "hcl_report", hcl, hcl_len);
    }
    if (f != NO_TD_QUOTE) {
        add(blob, "td_quote", quote, quote_len);
    }
    atls_free(quote);
}

static atls_verdict *judge(fault f, const atls_expected *expected)
{
    atls_evidence_blob blob = {0};
    make(f, &blob);
    atls_evidence e = {.type = "azure", .parts_n = blob.parts_n};
    for (size_t i = 0; i < blob.parts_n; i++) {
        e.parts[i].name = blob.parts[i].name;
        e.parts[i].bytes = (atls_buf){blob.parts[i].bytes, blob.parts[i].len};
    }
    atls_verdict *r = atls_verifier_check(verifier, &e, expected, NOW, NULL);
    assert_non_null(r);
    atls_evidence_blob_clear(&blob);
    return r;
}

static void the_whole_chain_is_accepted(void **state)
{
    (void)state;
    atls_expected expected = {
        .has_report_data = true, .has_short_data = true, .short_data = {0x42}};
    atls_verdict *r = judge(GOOD, &expected);
    if (!atls_verdict_accepted(r)) {
        fail_msg("%s", atls_verdict_text(r, true));
    }
    assert_int_equal(r->claims.tee, ATLS_TEE_AZURE);
    assert_int_equal(r->claims.hardware, ATLS_TEE_TDX);
    assert_int_equal(r->claims.tpm.ak_trust, ATLS_AK_REPORT);
    assert_string_equal(r->claims.tpm.vm_id, "some-vm");
    assert_int_equal(r->claims.tpm.banks[ATLS_TPM_SHA256].selected, 0xffffff);
    assert_true(atls_verdict_simulated(r));
    assert_int_equal(r->claims.tcb.status, ATLS_TCB_UP_TO_DATE);
    atls_verdict_free(r);
    /* The report's own data is no nonce. */
    expected.short_data[0] = 0x43;
    r = judge(GOOD, &expected);
    assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
    atls_verdict_free(r);
}

static void every_splice_is_noticed(void **state)
{
    (void)state;
    static const struct {
        fault f;
        const char *check;
    } cases[] = {
        {OTHER_REPORT_DATA, "tpm.hcl.td_report_data"},
        {OTHER_TD, "tpm.hcl.td_report"},
        {OTHER_RUNTIME, "tpm.hcl.runtime_data"},
        {NOT_ZERO, "tpm.hcl.runtime_data"},
        {NO_KEY, "tpm.hcl.ak"},
        {OTHER_SIGNER, "tpm.quote.signature"},
        {OTHER_AK_PUBLIC, "tpm.hcl.ak_public"},
        {OTHER_AK_CERT, "tpm.hcl.ak_cert"},
        {NO_TD_QUOTE, "tpm.hcl.td_quote"},
        {NO_HCL, "evidence.parts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_verdict *r = judge(cases[i].f, NULL);
        if (!has_failure(r, cases[i].check, ATLS_E_INVALID)) {
            fail_msg("%s\n%s", cases[i].check, atls_verdict_text(r, true));
        }
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
        atls_verdict_free(r);
    }
}

/* What policy asks of the hardware it asks of the hardware below a vTPM too. */
static void a_debug_td_below_is_refused(void **state)
{
    (void)state;
    atls_verdict *r = judge(DEBUG_TD, NULL);
    assert_int_equal(atls_verdict_code(r), ATLS_E_POLICY);
    atls_verdict_free(r);
}

/* --- on SNP --- */

static EVP_PKEY *vcek_key(const atls_sim_world *w)
{
    char *text = NULL;
    assert_int_equal(atls_sim_world_save(w, &text, NULL), ATLS_OK);
    json_t *saved = json_loads(text, 0, NULL);
    atls_free(text);
    BIO *bio = BIO_new_mem_buf(json_string_value(json_object_get(saved, "vcek")), -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    json_decref(saved);
    assert_non_null(key);
    return key;
}

static void put_little_endian(const BIGNUM *n, uint8_t *out)
{
    assert_int_equal(BN_bn2lebinpad(n, out, 72), 72);
}

/* The report as if it had been asked for at that VMPL, signed again. */
static void sign_report(const atls_sim_world *w, uint8_t *report, uint8_t vmpl)
{
    uint8_t der[256];
    size_t len = sizeof der;
    EVP_PKEY *key = vcek_key(w);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    report[0x30] = vmpl;
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA384", NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, report, 0x2a0), 1);
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_non_null(sig);
    put_little_endian(ECDSA_SIG_get0_r(sig), report + 0x2a0);
    put_little_endian(ECDSA_SIG_get0_s(sig), report + 0x2e8);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static atls_verifier *trusting_snp(const atls_sim_world *w, const atls_evidence_blob *snp)
{
    atls_verifier *v = atls_verifier_new();
    char *root = NULL;
    assert_int_equal(atls_sim_world_root(w, &root, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(root), NULL), ATLS_OK);
    atls_free(root);
    assert_string_equal(snp->parts[1].name, "certs");
    assert_int_equal(
        atls_verifier_add1_endorsement(v, (atls_buf){snp->parts[1].bytes, snp->parts[1].len}, NULL),
        ATLS_OK);
    return v;
}

static void a_report_of_the_guest_is_refused(void **state)
{
    (void)state;
    atls_sim_world *w = NULL;
    char runtime[1024];
    const size_t len = make_runtime(GOOD, runtime);
    const atls_buf piece = {(const uint8_t *)runtime, len};
    assert_int_equal(atls_sim_world_new("snp", NOW, &w, NULL), ATLS_OK);
    for (uint8_t vmpl = 0; vmpl < 2; vmpl++) {
        atls_sim_request request = {.variant = NULL};
        atls_evidence_blob snp = {0}, blob = {0};
        uint8_t hcl[4096];
        memset(request.data.wide, 0, sizeof request.data.wide);
        assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, request.data.wide, NULL), ATLS_OK);
        assert_int_equal(atls_sim_world_make(w, &request, &snp, NULL), ATLS_OK);
        sign_report(w, snp.parts[0].bytes, vmpl);
        make(GOOD, &blob);
        atls_verifier *v = trusting_snp(w, &snp);
        const size_t at = 5; /* behind quote, signature, pcrs and the names of the key */
        assert_string_equal(blob.parts[at].name, "hcl_report");
        memcpy(hcl, blob.parts[at].bytes, blob.parts[at].len);
        memcpy(hcl + 0x20, snp.parts[0].bytes, 1184);
        hcl[0x4c8] = 2;
        atls_evidence e = {.type = "azure", .parts_n = at + 1};
        for (size_t i = 0; i <= at; i++) {
            e.parts[i].name = blob.parts[i].name;
            e.parts[i].bytes = i == at ? (atls_buf){hcl, blob.parts[at].len}
                                       : (atls_buf){blob.parts[i].bytes, blob.parts[i].len};
        }
        for (int again = 0; again < 2; again++) { /* the second time from what was kept */
            atls_verdict *r = atls_verifier_check(v, &e, NULL, NOW, NULL);
            if (atls_verdict_code(r) != (vmpl == 0 ? ATLS_OK : ATLS_E_INVALID)) {
                fail_msg("%s", atls_verdict_text(r, true));
            }
            assert_int_equal(has_failure(r, "tpm.hcl.vmpl", ATLS_E_INVALID), vmpl != 0);
            assert_int_equal(r->claims.tee, vmpl == 0 ? ATLS_TEE_AZURE : ATLS_TEE_NONE);
            assert_true(again == 0 || atls_verdict_signatures(r) == 2);
            atls_verdict_free(r);
        }
        atls_verifier_free(v);
        atls_evidence_blob_clear(&snp);
        atls_evidence_blob_clear(&blob);
    }
    atls_sim_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_chain_is_accepted),
        cmocka_unit_test(every_splice_is_noticed),
        cmocka_unit_test(a_debug_td_below_is_refused),
        cmocka_unit_test(a_report_of_the_guest_is_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
