#include "binding/cocos_evidence.h"

#include <string.h>

#include "base/err.h"
#include "binding/go_attestation.h"
#include "binding/intel_quote.h"
#include "binding/sevsnp.h"
#include "codec/cose.h"

#define LABEL_NONCE 10
#define NONCE_MIN   8
#define TPM_SHA256  11
#define TPM_SHA384  12
#define TPM_SHA512  13

/* --- the claims --- */

typedef struct claims {
    atls_cbor_item nonce, platform, report;
} claims;

static atls_code take_claim(const atls_cbor_item *key, const atls_cbor_item *value, claims *c,
                            atls_err *err)
{
    const bool is_nonce = key->kind == ATLS_CBOR_UINT && key->value == LABEL_NONCE;
    const bool is_platform = atls_cbor_is_text(key, "platform_type");
    const bool is_report = atls_cbor_is_text(key, "raw_report");
    const char *name = is_nonce ? "eat_nonce" : is_platform ? "platform_type" : "raw_report";
    atls_cbor_item *place = is_nonce ? &c->nonce : is_platform ? &c->platform : &c->report;
    if (!is_nonce && !is_platform && !is_report) {
        return ATLS_OK; /* RFC 9711 and Cocos number some differently: none of them is used */
    }
    if (place->kind != ATLS_CBOR_NONE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.claims.twice", "%s stands there twice", name);
    }
    if (value->kind != (is_platform ? ATLS_CBOR_TEXT : ATLS_CBOR_BYTES) &&
        value->kind != ATLS_CBOR_NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.claims.member", "%s is no %s", name,
                        is_platform ? "text" : "byte string");
    }
    *place = *value;
    return ATLS_OK;
}

static atls_code not_cbor(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "cocos.claims.cbor",
                    "the evidence is no CBOR map of claims, with or without COSE_Sign1");
}

/* Not the whole document is checked (cbor_document.h): a map of all PCRs of three banks is more than that takes. */
static atls_code read_claims(atls_buf bytes, claims *out, atls_err *err)
{
    claims c = {.nonce.kind = ATLS_CBOR_NONE};
    atls_cbor_item map;
    atls_reader r = atls_reader_of(bytes);
    if (!atls_cbor_any(&r, &map) || map.kind != ATLS_CBOR_MAP ||
        map.value > ATLS_COCOS_CLAIMS_MAX) {
        return not_cbor(err);
    }
    for (uint64_t i = 0; i < map.value; i++) {
        atls_cbor_item key;
        atls_cbor_item value = {ATLS_CBOR_NONE, 0, {NULL, 0}, {NULL, 0}};
        atls_buf encoded;
        bool ok = atls_cbor_any(&r, &key);
        atls_reader at = r;
        ok = ok && atls_cbor_skip(&r, &encoded) && atls_cbor_any(&at, &value);
        if (!ok || (key.kind != ATLS_CBOR_UINT && key.kind != ATLS_CBOR_TEXT)) {
            return not_cbor(err);
        }
        ATLS_TRY(take_claim(&key, &value, &c, err));
    }
    if (!atls_reader_end(&r)) {
        return not_cbor(err);
    }
    *out = c;
    return ATLS_OK;
}

/* --- reports --- */

static atls_code other_report(const char *platform, const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "cocos.report", "platform %s, but the report %s", platform,
                    what);
}

static atls_code too_many(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "cocos.report", "more parts than evidence can have");
}

static atls_code add(atls_carried *out, const char *part, atls_buf bytes, atls_err *err)
{
    return bytes.len == 0 || atls_carried_add(out, part, bytes) ? ATLS_OK : too_many(err);
}

static atls_code read_tdx(atls_buf report, atls_carried *out, atls_cocos_evidence *info,
                          atls_err *err)
{
    atls_intel_quote quote;
    ATLS_TRY(atls_intel_quote_look(report, &quote, err));
    if (!quote.is_tdx) {
        return other_report(info->platform, "is SGX's", err);
    }
    out->evidence.type = "tdx";
    return add(out, "quote", report, err);
}

static atls_code add_snp(const atls_sevsnp *s, const char *part, atls_carried *out, atls_err *err)
{
    const size_t table_len = atls_sevsnp_table_len(s);
    uint8_t *report = atls_carried_room(out, sizeof s->report);
    uint8_t *table = table_len == 0 ? NULL : atls_carried_room(out, table_len);
    if (report == NULL || (table_len > 0 && table == NULL)) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(report, s->report, sizeof s->report);
    atls_writer w = atls_writer_of(table, table_len);
    if (table_len > 0) {
        atls_sevsnp_table_write(&w, s);
    }
    ATLS_TRY(add(out, part, (atls_buf){report, sizeof s->report}, err));
    return add(out, "certs", atls_writer_done(&w), err);
}

/* attest.Attestation with the SNP report in it, sevsnp.Attestation alone, or the report's own bytes. The first two are told
 * apart by the number under which only the first has a report. */
static atls_code read_snp(atls_buf report, atls_carried *out, atls_cocos_evidence *info,
                          atls_err *err)
{
    atls_sevsnp s = {.vcek = {NULL, 0}};
    atls_go_attestation a;
    out->evidence.type = "snp";
    if (report.len == ATLS_SEVSNP_REPORT_LEN && report.ptr[0] >= 2 && report.ptr[0] <= 5 &&
        report.ptr[1] == 0 && report.ptr[2] == 0 && report.ptr[3] == 0) {
        return add(out, "report", report, err); /* a version, which is no field of a message */
    }
    if (atls_go_attestation_parse(report, &a, NULL) != ATLS_OK || !a.has_snp) {
        ATLS_TRY(atls_sevsnp_parse(report, &s, err));
    } else if (a.quotes_n > 0 || a.has_tdx) {
        return other_report(info->platform, "has a TPM's quote or a TDX quote beside it", err);
    } else {
        ATLS_TRY(atls_sevsnp_parse(a.snp, &s, err));
    }
    return add_snp(&s, "report", out, err);
}

/* The quote over the strongest of the banks that go-tpm-tools puts first: SHA-256, which all TPMs have. */
static const atls_go_quote *choose_quote(const atls_go_attestation *a)
{
    static const uint16_t order[] = {TPM_SHA256, TPM_SHA384, TPM_SHA512};
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        for (size_t i = 0; i < a->quotes_n; i++) {
            if (a->quotes[i].bank == order[k]) {
                return &a->quotes[i];
            }
        }
    }
    return NULL;
}

static atls_code read_tpm(atls_buf report, bool with_snp, atls_carried *out,
                          atls_cocos_evidence *info, atls_err *err)
{
    atls_go_attestation a;
    ATLS_TRY(atls_go_attestation_parse(report, &a, err));
    const atls_go_quote *q = choose_quote(&a);
    if (q == NULL || a.ak_public.len == 0) {
        return other_report(info->platform, "has no quote of a SHA-2 bank, or no key", err);
    }
    if (a.has_tdx || a.has_snp != with_snp) {
        return other_report(info->platform,
                            with_snp ? "has no SNP report" : "has a hardware report beside it",
                            err);
    }
    size_t len = 0;
    uint8_t *pcrs = atls_carried_room(out, ATLS_GO_PCRS_MAX);
    if (pcrs == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(atls_go_pcrs(q, pcrs, &len, err));
    out->evidence.type = with_snp ? "snp-tpm" : "tpm";
    info->ak_public = a.ak_public;
    ATLS_TRY(add(out, "quote", q->attest, err));
    ATLS_TRY(add(out, "signature", q->signature, err));
    ATLS_TRY(add(out, "pcrs", (atls_buf){pcrs, len}, err));
    if (with_snp) {
        atls_sevsnp s;
        ATLS_TRY(atls_sevsnp_parse(a.snp, &s, err));
        ATLS_TRY(add_snp(&s, "snp_report", out, err));
    }
    ATLS_TRY(add(out, "ak_public", a.ak_public, err));
    ATLS_TRY(add(out, "ak_cert", a.ak_cert, err));
    return add(out, "event_log", a.event_log, err);
}

static const char *const platforms[] = {"TDX", "SNP", "vTPM", "SNP-vTPM", "Azure"};

static atls_code read_report(atls_buf report, atls_carried *out, atls_cocos_evidence *info,
                             atls_err *err)
{
    if (info->platform == platforms[0]) {
        return read_tdx(report, out, info, err);
    }
    if (info->platform == platforms[1]) {
        return read_snp(report, out, info, err);
    }
    if (info->platform != platforms[4]) {
        return read_tpm(report, info->platform == platforms[3], out, info, err);
    }
    return ATLS_ERR(err, ATLS_E_BINDING, "cocos.azure",
                    "evidence of Azure without the runtime data that its hardware report covers: "
                    "nothing ties it to this connection");
}

atls_code atls_cocos_evidence_parse(atls_buf bytes, atls_carried *out, atls_cocos_evidence *info,
                                    atls_err *err)
{
    claims c;
    atls_cocos_evidence found = {.platform = NULL};
    if (bytes.len > 0 && bytes.ptr[0] == 0xd2) { /* tag 18 */
        atls_cose_sign1 cose;
        ATLS_TRY(atls_cose_sign1_parse(bytes, ATLS_COSE_ALLOW(ATLS_COSE_ES256), &cose, err));
        bytes = cose.payload;
    }
    ATLS_TRY(read_claims(bytes, &c, err));
    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++) {
        if (atls_cbor_is_text(&c.platform, platforms[i])) {
            found.platform = platforms[i];
        }
    }
    if (found.platform == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.claims.platform",
                        "a platform that is none of TDX, SNP, vTPM, SNP-vTPM and Azure");
    }
    if (c.nonce.bytes.len < NONCE_MIN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.claims.nonce",
                        "an eat_nonce of %zu bytes, where at least %d are wanted",
                        c.nonce.bytes.len, NONCE_MIN);
    }
    if (c.report.bytes.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.claims.report", "claims without a raw report");
    }
    found.nonce = c.nonce.bytes;
    ATLS_TRY(read_report(c.report.bytes, out, &found, err));
    *info = found;
    return ATLS_OK;
}
