/* ra_tls_oe.c: certificates of Open Enclave and EGo (dialect ra-tls-oe), which are verified and never made here.
 *
 * Two forms of extension, each under two OIDs. A report binds SHA-256 of the public key: of its PEM text with the NUL (Open
 * Enclave) or of its DER (EGo). Evidence binds SHA-256 of custom claims, which must be that PEM text with its NUL. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/certificate.h"
#include "binding/oe_report.h"
#include "binding/spki_pem.h"
#include "crypto/digest.h"

static const uint8_t old_report_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x0a, 0x01, 0x01};
static const uint8_t report_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x69, 0x01};
static const uint8_t old_evidence_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x0a, 0x01, 0x02};
static const uint8_t evidence_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x69, 0x02};

/* In the order in which Open Enclave's verifier looks for them: the first that is there decides. */
static const atls_buf oids[] = {
    {old_report_oid, sizeof old_report_oid},
    {report_oid, sizeof report_oid},
    {old_evidence_oid, sizeof old_evidence_oid},
    {evidence_oid, sizeof evidence_oid},
};
#define OIDS              (sizeof oids / sizeof oids[0])
#define FIRST_OF_EVIDENCE 2

/* Of the two hashes that a report may carry that one which it does carry; Open Enclave's when neither: the verifier compares
 * again, once it knows that the quote is genuine. */
static atls_code expect_key(atls_buf spki, atls_buf pem, const atls_oe_report *report,
                            atls_expected *out, atls_err *err)
{
    uint8_t of_der[64] = {0};
    ATLS_TRY(atls_digest(ATLS_SHA256, &spki, 1, of_der, err));
    ATLS_TRY(atls_digest(ATLS_SHA256, &pem, 1, out->report_data, err));
    if (atls_equal(report->report_data, (atls_buf){of_der, sizeof of_der})) {
        memcpy(out->report_data, of_der, sizeof of_der);
    }
    out->has_report_data = true;
    return ATLS_OK;
}

static atls_code expect_claims(atls_buf pem, const atls_oe_report *report, atls_expected *out,
                               atls_err *err)
{
    if (!atls_equal(report->claims, pem)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "oe_evidence.claims",
                        "the custom claims (%zu bytes) are not the certificate's public key in PEM "
                        "with its NUL (%zu bytes)",
                        report->claims.len, pem.len);
    }
    ATLS_TRY(atls_digest(ATLS_SHA256, &report->claims, 1, out->report_data, err));
    out->has_report_data = true;
    return ATLS_OK;
}

static atls_code read_extension(const atls_carrier *c, atls_buf value, bool is_evidence,
                                atls_carried *out, atls_err *err)
{
    atls_oe_report report = {0};
    atls_expected expected = {0};
    size_t len = 0;
    ATLS_TRY(is_evidence ? atls_oe_evidence_parse(value, &report, err)
                         : atls_oe_report_parse(value, &report, err));
    char *text = atls_spki_pem(c->spki, &len);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    const atls_buf pem = {(const uint8_t *)text, len};
    atls_code rc = is_evidence ? expect_claims(pem, &report, &expected, err)
                               : expect_key(c->spki, pem, &report, &expected, err);
    free(text);
    ATLS_TRY(rc);
    out->expected = expected;
    out->evidence = (atls_evidence){.type = report.is_tdx ? "tdx" : "sgx"};
    (void)atls_carried_add(out, "quote", report.quote);
    return ATLS_OK;
}

static atls_code read_certificate(const atls_carrier *c, const atls_binding_option *options,
                                  size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    atls_buf value = {NULL, 0};
    size_t i = 0;
    (void)options;
    (void)options_n;
    while (i < OIDS && !atls_carrier_extension(c, oids[i], &value, NULL)) {
        i++;
    }
    *found = i < OIDS;
    return *found ? read_extension(c, value, i >= FIRST_OF_EVIDENCE, out, err) : ATLS_OK;
}

const atls_binding atls_binding_ra_tls_oe = {
    .name = "ra-tls-oe",
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
