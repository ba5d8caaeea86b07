/* Certificates of Open Enclave and EGo: made here with a simulator's quotes, read, and judged by the verifier; the four
 * OIDs, both hashes of a report, the custom claims of evidence. */
#include "simulated.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/hex.h"
#include "binding/certificate.h"
#include "crypto/digest.h"

static const uint8_t old_report_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x0a, 0x01, 0x01};
static const uint8_t report_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x69, 0x01};
static const uint8_t old_evidence_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x0a, 0x01, 0x02};
static const uint8_t evidence_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x69, 0x02};
static const atls_buf oids[] = {
    {old_report_oid, 9}, {report_oid, 9}, {old_evidence_oid, 9}, {evidence_oid, 9}};
enum { OLD_REPORT, REPORT, OLD_EVIDENCE, EVIDENCE };

/* The key of RFC 6979, A.2.5. */
static EVP_PKEY *known_key(void)
{
    static const char private[] =
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    static const char public[] =
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    uint8_t point[65];
    size_t len = 0;
    BIGNUM *d = NULL;
    assert_true(atls_hex_decode(public, sizeof public - 1, point, sizeof point, &len));
    assert_int_not_equal(BN_hex2bn(&d, private), 0);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d);
    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, len);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    BN_free(d);
    return key;
}

/* PEM as OpenSSL writes it, the NUL counted. */
static size_t pem_of(EVP_PKEY *key, uint8_t out[2048])
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    long len = BIO_get_mem_data(bio, &text);
    assert_true(len > 0 && len < 2047);
    memcpy(out, text, (size_t)len);
    out[len] = 0;
    BIO_free(bio);
    return (size_t)len + 1;
}

static void digest_of(const uint8_t *bytes, size_t len, uint8_t out[64])
{
    const atls_buf piece = {bytes, len};
    memset(out, 0, 64);
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, out, NULL), ATLS_OK);
}

static void hash_of_der(EVP_PKEY *key, uint8_t out[64])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    assert_true(len > 0);
    digest_of(der, (size_t)len, out);
    OPENSSL_free(der);
}

static void hash_of_pem(EVP_PKEY *key, uint8_t out[64])
{
    uint8_t pem[2048];
    digest_of(pem, pem_of(key, pem), out);
}

/* An extension of that kind around a quote over data; claims: of evidence. malloc'ed. */
static atls_certificate_extension extension(const atls_sim *sim, int kind, const char *type,
                                            const uint8_t data[64], atls_buf claims)
{
    static const uint8_t format[16] = {0xa3, 0xa2, 0x1e, 0x87, 0x1b, 0x4d, 0x40, 0x14,
                                       0xb7, 0x0a, 0xa1, 0x25, 0xd2, 0xfb, 0xcd, 0x8c};
    atls_sim_quote q = {.type = type};
    uint8_t *quote = NULL;
    size_t len = 0;
    memcpy(q.report_data, data, 64);
    assert_int_equal(atls_sim_make_quote(sim, &q, &quote, &len, NULL), ATLS_OK);
    const size_t head = kind >= OLD_EVIDENCE ? 32 : 16;
    uint8_t *value = calloc(1, head + len + claims.len);
    assert_non_null(value);
    if (kind >= OLD_EVIDENCE) {
        value[0] = 3;
        memcpy(value + 4, format, 16);
    } else {
        value[0] = 1;
        value[4] = 2;
    }
    const size_t size = len + claims.len;
    value[head - 8] = (uint8_t)(size % 256);
    value[head - 7] = (uint8_t)(size / 256);
    memcpy(value + head, quote, len);
    if (claims.len > 0) {
        memcpy(value + head + len, claims.ptr, claims.len);
    }
    atls_free(quote);
    return (atls_certificate_extension){oids[kind], {value, head + size}};
}

typedef struct judged {
    atls_code rc;      /* of reading */
    const char *check; /* that refused; of the verdict: its deciding check */
    bool found;
} judged;

/* A certificate of the key with these extensions: read by the dialect, its evidence judged by the verifier. */
static judged judge(const bench *b, EVP_PKEY *key, const atls_certificate_extension *list, size_t n)
{
    const atls_certificate_plan plan = {.common_name = "Open Enclave SDK",
                                        .organization = "OESDK TLS",
                                        .country = "US",
                                        .not_before_s = 1556668800,
                                        .not_after_s = NOW + 86400,
                                        .extensions = list,
                                        .extensions_n = n};
    X509 *x = NULL;
    unsigned char *der = NULL;
    atls_carrier c;
    atls_carried carried = {0};
    atls_err err = {0};
    judged j = {0};
    assert_int_equal(atls_certificate_make(&plan, key, &x, NULL), ATLS_OK);
    int len = i2d_X509(x, &der);
    assert_int_equal(atls_carrier_of(x, (atls_buf){der, (size_t)len}, &c, NULL), ATLS_OK);
    assert_int_equal(atls_carrier_check(&c, NOW, atls_binding_ra_tls_oe.critical,
                                        atls_binding_ra_tls_oe.critical_n, NULL),
                     ATLS_OK);
    j.rc = atls_binding_ra_tls_oe.read_certificate(&c, NULL, 0, &carried, &j.found, &err);
    j.check = err.check;
    if (j.rc == ATLS_OK && j.found) {
        carried.expected.binding = atls_binding_ra_tls_oe.kind;
        carried.expected.binding_name = atls_binding_ra_tls_oe.name;
        carried.expected.binding_line = atls_binding_ra_tls_oe.line;
        atls_verdict *r =
            atls_verifier_check(b->v, &carried.evidence, &carried.expected, NOW, NULL);
        assert_non_null(r);
        j.check = "ok";
        atls_check_line line;
        for (size_t i = 0; atls_verdict_check_at(r, i, &line); i++) {
            if (strcmp(line.id, "binding.report_data") == 0) {
                j.check =
                    strcmp(line.result, "ok") == 0 && atls_verdict_accepted(r) ? "ok" : line.id;
            }
        }
        if (strcmp(j.check, "ok") == 0) {
            assert_true(atls_verdict_accepted(r));
            assert_string_equal(atls_verdict_binding(r), "key");
        }
        atls_verdict_free(r);
    }
    atls_carried_clear(&carried);
    atls_carrier_clear(&c);
    OPENSSL_free(der);
    X509_free(x);
    return j;
}

static judged judge_one(const bench *b, EVP_PKEY *key, int kind, const uint8_t data[64],
                        atls_buf claims)
{
    atls_certificate_extension e = extension(b->sim, kind, "sgx", data, claims);
    judged j = judge(b, key, &e, 1);
    free((void *)(uintptr_t)e.value.ptr);
    return j;
}

static bench trusting(void)
{
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    return b;
}

static const atls_buf none = {NULL, 0};

static void both_hashes_of_a_report(void **state)
{
    (void)state;
    bench b = trusting();
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)};
    for (size_t k = 0; k < 3; k++) {
        for (int kind = OLD_REPORT; kind <= REPORT; kind++) {
            uint8_t data[64];
            hash_of_pem(keys[k], data);
            assert_string_equal(judge_one(&b, keys[k], kind, data, none).check, "ok");
            data[32] = 1; /* the other half is zeros */
            assert_string_equal(judge_one(&b, keys[k], kind, data, none).check,
                                "binding.report_data");
            hash_of_der(keys[k], data);
            assert_string_equal(judge_one(&b, keys[k], kind, data, none).check, "ok");
            data[63] = 1;
            assert_string_equal(judge_one(&b, keys[k], kind, data, none).check,
                                "binding.report_data");
            hash_of_der(keys[(k + 1) % 3], data); /* another's */
            assert_string_equal(judge_one(&b, keys[k], kind, data, none).check,
                                "binding.report_data");
            memset(data, 0, sizeof data);
            assert_string_equal(judge_one(&b, keys[k], kind, data, none).check,
                                "binding.report_data");
        }
        /* The PEM text without its NUL is no binding of this dialect. */
        uint8_t pem[2048], data[64];
        digest_of(pem, pem_of(keys[k], pem) - 1, data);
        assert_string_equal(judge_one(&b, keys[k], REPORT, data, none).check,
                            "binding.report_data");
    }
    for (size_t k = 0; k < 3; k++) {
        EVP_PKEY_free(keys[k]);
    }
    tear_down(&b);
}

static void claims_of_evidence(void **state)
{
    (void)state;
    bench b = trusting();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    for (int kind = OLD_EVIDENCE; kind <= EVIDENCE; kind++) {
        uint8_t pem[2048], data[64];
        size_t len = pem_of(key, pem);
        digest_of(pem, len, data);
        assert_string_equal(judge_one(&b, key, kind, data, (atls_buf){pem, len}).check, "ok");
        data[40] = 1;
        assert_string_equal(judge_one(&b, key, kind, data, (atls_buf){pem, len}).check,
                            "binding.report_data");
        memset(data, 0x11, 32);
        data[40] = 0;
        assert_string_equal(judge_one(&b, key, kind, data, (atls_buf){pem, len}).check,
                            "binding.report_data");

        /* Claims that the quote covers, but which are not this certificate's key. */
        digest_of(pem, len - 1, data);
        judged j = judge_one(&b, key, kind, data, (atls_buf){pem, len - 1});
        assert_int_equal(j.rc, ATLS_E_BINDING);
        assert_string_equal(j.check, "oe_evidence.claims");
        digest_of(pem, 0, data);
        assert_string_equal(judge_one(&b, key, kind, data, none).check, "oe_evidence.claims");
        len = pem_of(other, pem);
        digest_of(pem, len, data);
        assert_string_equal(judge_one(&b, key, kind, data, (atls_buf){pem, len}).check,
                            "oe_evidence.claims");

        /* What binds a report does not bind evidence. */
        hash_of_der(key, data);
        len = pem_of(key, pem);
        assert_string_equal(judge_one(&b, key, kind, data, (atls_buf){pem, len}).check,
                            "binding.report_data");
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    tear_down(&b);
}

/* The first OID that is there decides, wherever it stands, and nothing behind it is tried. */
static void order_of_oids(void **state)
{
    (void)state;
    bench b = trusting();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    uint8_t good[64], bad[64] = {1};
    hash_of_pem(key, good);
    uint8_t pem[2048];
    const atls_buf claims = {pem, pem_of(key, pem)};
    for (int first = OLD_REPORT; first <= EVIDENCE; first++) {
        for (int second = first + 1; second <= EVIDENCE; second++) {
            for (int wrong = 0; wrong < 2; wrong++) {
                atls_certificate_extension e[2] = {
                    extension(b.sim, second, "sgx", wrong == 1 ? bad : good,
                              second >= OLD_EVIDENCE ? claims : none),
                    extension(b.sim, first, "sgx", wrong == 0 ? bad : good,
                              first >= OLD_EVIDENCE ? claims : none)};
                assert_string_equal(judge(&b, key, e, 2).check,
                                    wrong == 0 ? "binding.report_data" : "ok");
                free((void *)(uintptr_t)e[0].value.ptr);
                free((void *)(uintptr_t)e[1].value.ptr);
            }
        }
    }
    judged j = judge(&b, key, NULL, 0);
    assert_int_equal(j.rc, ATLS_OK);
    assert_false(j.found);
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void malformed_extensions(void **state)
{
    (void)state;
    bench b = trusting();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    static const uint8_t junk[] = {1, 0, 0, 0, 2, 0, 0, 0};
    for (int kind = OLD_REPORT; kind <= EVIDENCE; kind++) {
        atls_certificate_extension e = {oids[kind], {junk, sizeof junk}};
        judged j = judge(&b, key, &e, 1);
        assert_int_equal(j.rc, ATLS_E_INVALID);
        assert_string_equal(j.check,
                            kind < OLD_EVIDENCE ? "oe_report.length" : "oe_evidence.length");
    }
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void worked_example(void **state)
{
    (void)state;
    static const char of_pem[] = "65143445312c85c316a8a3d118766ce1b4c986a4d902f33329b7921c7108f263";
    static const char of_der[] = "5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4";
    bench b = trusting();
    EVP_PKEY *key = known_key();
    const char *const hashes[] = {of_pem, of_der};
    for (size_t i = 0; i < 2; i++) {
        uint8_t data[64] = {0};
        size_t len = 0;
        assert_true(atls_hex_decode(hashes[i], 64, data, sizeof data, &len));
        assert_string_equal(judge_one(&b, key, REPORT, data, none).check, "ok");
    }
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void a_td_s_quote(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    static const char *const types[] = {"tdx", "tdx5"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t data[64], pem[2048];
        hash_of_pem(key, data);
        atls_certificate_extension e =
            extension(b.sim, EVIDENCE, types[i], data, (atls_buf){pem, pem_of(key, pem)});
        assert_string_equal(judge(&b, key, &e, 1).check, "ok");
        free((void *)(uintptr_t)e.value.ptr);
    }
    EVP_PKEY_free(key);
    tear_down(&b);
}

static void never_made(void **state)
{
    (void)state;
    assert_true(atls_binding_ra_tls_oe.verify_only && atls_binding_ra_tls_oe.in_certificate);
    assert_false(atls_binding_ra_tls_oe.makes_certificate);
    assert_null(atls_binding_ra_tls_oe.show);
    assert_ptr_equal(atls_binding_find(text_buf("ra-tls-oe")), &atls_binding_ra_tls_oe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_hashes_of_a_report),
        cmocka_unit_test(claims_of_evidence),
        cmocka_unit_test(order_of_oids),
        cmocka_unit_test(malformed_extensions),
        cmocka_unit_test(worked_example),
        cmocka_unit_test(a_td_s_quote),
        cmocka_unit_test(never_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
