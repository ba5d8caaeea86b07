/* ra_tls_knauth.c: certificates of the first RA-TLS (2018) and of those who took it over (dialect ra-tls-knauth), which are
 * verified and never made here: a bare quote, over SHA-256 of the RSA key as PKCS#1 has it. Reports of Intel's attestation
 * service (EPID), which these certificates had first, cannot be verified any more. */
#include <openssl/x509.h>

#include "base/err.h"
#include "binding/certificate.h"
#include "binding/intel_quote.h"
#include "crypto/digest.h"

static const uint8_t oid_2[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 2};
static const uint8_t oid_3[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 3};
static const uint8_t oid_4[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 4};
static const uint8_t oid_5[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 5};
static const uint8_t oid_6[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6};

static const atls_buf quote_oid = {oid_6, sizeof oid_6};
/* The quote's, and those of the attestation service; collateral (.7 to .13) is ignored, and so may not be critical. */
static const atls_buf oids[] = {{oid_6, sizeof oid_6},
                                {oid_2, sizeof oid_2},
                                {oid_3, sizeof oid_3},
                                {oid_4, sizeof oid_4},
                                {oid_5, sizeof oid_5}};
#define OIDS (sizeof oids / sizeof oids[0])

/* The content of the key's bit string: for RSA it is PKCS#1's RSAPublicKey. */
static atls_code hash_key(const atls_carrier *c, uint8_t out[32], atls_err *err)
{
    const unsigned char *key = NULL;
    int len = 0;
    X509_PUBKEY *spki = X509_get_X509_PUBKEY(c->x509);
    ASN1_OBJECT *algorithm = NULL;
    if (X509_PUBKEY_get0_param(&algorithm, &key, &len, NULL, spki) != 1 || len <= 0 ||
        OBJ_obj2nid(algorithm) != NID_rsaEncryption) {
        return ATLS_ERR(err, ATLS_E_INVALID, "knauth.key",
                        "the certificate's key is not RSA, which this dialect hashes as PKCS#1");
    }
    const atls_buf content = {key, (size_t)len};
    return atls_digest(ATLS_SHA256, &content, 1, out, err);
}

static atls_code read_certificate(const atls_carrier *c, const atls_binding_option *options,
                                  size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    (void)options;
    (void)options_n;
    atls_buf quote = {NULL, 0};
    atls_buf value = {NULL, 0};
    atls_expected expected = {.has_report_data = true};
    *found = true;
    if (atls_carrier_extension(c, quote_oid, &quote, NULL)) {
        atls_intel_quote look;
        ATLS_TRY(atls_intel_quote_look(quote, &look, err));
        ATLS_TRY(hash_key(c, expected.report_data, err));
        out->expected = expected;
        out->evidence = (atls_evidence){.type = look.is_tdx ? "tdx" : "sgx"};
        (void)atls_carried_add(out, "quote", quote);
        return ATLS_OK;
    }
    for (size_t i = 1; i < OIDS; i++) {
        if (atls_carrier_extension(c, oids[i], &value, NULL)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "knauth.epid",
                            "a report of Intel's attestation service (EPID), which ended in 2025: "
                            "nobody can say any more whether it holds");
        }
    }
    *found = false;
    return ATLS_OK;
}

const atls_binding atls_binding_ra_tls_knauth = {
    .name = "ra-tls-knauth",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = ATLS_BINDING_LINE_KEY,
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .verify_only = true,
    .alpn_optional = true,
    .tls12 = true,
    .in_certificate = true,
    .critical = oids,
    .critical_n = OIDS,
    .exchange = atls_certificate_exchange,
    .read_certificate = read_certificate,
};
