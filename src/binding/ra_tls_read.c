/* ra_tls_read.c: the evidence in a certificate, and what it must say about that certificate. */
#include "binding/ra_tls.h"

#include <string.h>

#include "base/err.h"
#include "binding/intel_quote.h"
#include "binding/ra_tls_options.h"
#include "binding/tcg_endorsements.h"

static const uint8_t oid_tcg[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
static const uint8_t oid_endorsements[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x02};
static const uint8_t oid_cmw[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x23};
/* An OID whose content begins with another OID's tag and length: so Gramine writes it. */
static const uint8_t oid_gramine[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                      0xf8, 0x4d, 0x8a, 0x39, 0x06};
static const uint8_t oid_sdk[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

const atls_buf atls_ra_tls_oids[] = {
    [ATLS_RA_TLS_TCG] = {oid_tcg, sizeof oid_tcg},
    [ATLS_RA_TLS_ENDORSEMENTS] = {oid_endorsements, sizeof oid_endorsements},
    [ATLS_RA_TLS_CMW] = {oid_cmw, sizeof oid_cmw},
    [ATLS_RA_TLS_GRAMINE] = {oid_gramine, sizeof oid_gramine},
    [ATLS_RA_TLS_SDK] = {oid_sdk, sizeof oid_sdk},
};

atls_code atls_ra_tls_extension(const atls_carrier *c, int which, atls_carried *out,
                                atls_buf *value, bool *found, atls_err *err)
{
    atls_buf lent;
    *found = atls_carrier_extension(c, atls_ra_tls_oids[which], &lent, NULL);
    if (!*found) {
        return ATLS_OK;
    }
    uint8_t *room = atls_carried_room(out, lent.len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (lent.len > 0) {
        memcpy(room, lent.ptr, lent.len);
    }
    *value = (atls_buf){room, lent.len};
    return ATLS_OK;
}

/* --- which report data --- */

static bool same(const uint8_t *a, atls_buf b)
{
    return b.len == 64 && memcmp(a, b.ptr, 64) == 0;
}

/* Intel's SDK hashes a TD's claims with SHA-384, all others with SHA-256. What the quote says chooses between the two; it
 * is compared again once the quote's signature has been verified. */
static atls_code expect(const atls_tcg_evidence *e, const atls_intel_quote *q,
                        const atls_ra_tls_options *o, atls_expected *x, atls_err *err)
{
    uint8_t wide[64];
    ATLS_TRY(atls_tcg_report_data(ATLS_SHA384, e->claims, wide, err));
    ATLS_TRY(atls_tcg_report_data(ATLS_SHA256, e->claims, x->report_data, err));
    const bool may = q != NULL && q->is_tdx && o->hash != ATLS_RA_TLS_SHA256;
    if (may && (o->hash == ATLS_RA_TLS_SHA384 || same(wide, q->report_data))) {
        memcpy(x->report_data, wide, sizeof wide);
    }
    x->has_report_data = true;
    return ATLS_OK;
}

/* --- tagged evidence --- */

static atls_code check_nonce(const atls_tcg_evidence *e, const atls_ra_tls_options *o,
                             atls_err *err)
{
    if (o->has_nonce &&
        (e == NULL || !e->has_nonce || !atls_equal(e->nonce, (atls_buf){o->nonce, o->nonce_len}))) {
        return ATLS_ERR(err, ATLS_E_BINDING, "tcg.nonce",
                        e != NULL && e->has_nonce ? "another nonce than the one that was asked for"
                                                  : "no nonce, where one was asked for");
    }
    return ATLS_OK;
}

static bool carry_part(atls_carried *out, const char *type, const char *part, atls_buf bytes)
{
    out->evidence.type = type;
    return atls_carried_add(out, part, bytes);
}

static atls_code carry_evidence(const atls_tcg_evidence *e, const atls_ra_tls_options *o,
                                atls_carried *out, atls_err *err)
{
    atls_intel_quote q;
    if (e->tag == ATLS_TCG_TAG_SNP) {
        ATLS_TRY(expect(e, NULL, o, &out->expected, err));
        return carry_part(out, "snp", "report", e->evidence) ? ATLS_OK : ATLS_ERR_NOMEM(err);
    }
    if (e->tag == ATLS_TCG_TAG_INTEL_OLD && !o->old_tag) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.type",
                        "CBOR tag 0x1a7501 of 2023, which is taken where option old_tag says yes");
    }
    ATLS_TRY(atls_intel_quote_look(e->evidence, &q, err));
    ATLS_TRY(expect(e, &q, o, &out->expected, err));
    return carry_part(out, q.is_tdx ? "tdx" : "sgx", "quote", e->evidence) ? ATLS_OK
                                                                           : ATLS_ERR_NOMEM(err);
}

static atls_code carry_endorsements(const atls_carrier *c, atls_carried *out, atls_err *err)
{
    atls_buf value;
    char *json = NULL;
    if (!atls_carrier_extension(c, atls_ra_tls_oids[ATLS_RA_TLS_ENDORSEMENTS], &value, NULL)) {
        return ATLS_OK;
    }
    if (strcmp(out->evidence.type, "snp") == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.endorsements",
                        "the endorsements: Intel's, beside evidence of SEV-SNP");
    }
    ATLS_TRY(atls_tcg_endorsements_read(value, &json, err));
    if (out->owned_n == ATLS_CARRIED_OWNED) {
        atls_free(json);
        return ATLS_ERR_NOMEM(err);
    }
    out->owned[out->owned_n++] = json;
    return atls_carried_add(out, "collateral", (atls_buf){(const uint8_t *)json, strlen(json)})
               ? ATLS_OK
               : ATLS_ERR_NOMEM(err);
}

atls_code atls_ra_tls_carry(const atls_carrier *c, atls_buf value,
                            const atls_binding_option *options, size_t options_n, atls_carried *out,
                            atls_err *err)
{
    atls_ra_tls_options o;
    atls_tcg_evidence e;
    ATLS_TRY(atls_ra_tls_options_read(options, options_n, &o, err));
    ATLS_TRY(atls_tcg_parse(value, &e, err));
    ATLS_TRY(atls_tcg_check_key(&e, c->spki, err));
    ATLS_TRY(check_nonce(&e, &o, err));
    ATLS_TRY(carry_evidence(&e, &o, out, err));
    return carry_endorsements(c, out, err);
}

/* --- a quote alone --- */

atls_code atls_ra_tls_carry_bare(atls_buf quote, bool is_tdx, atls_buf digest,
                                 const atls_binding_option *options, size_t options_n,
                                 atls_carried *out, atls_err *err)
{
    atls_ra_tls_options o;
    ATLS_TRY(atls_ra_tls_options_read(options, options_n, &o, err));
    ATLS_TRY(check_nonce(NULL, &o, err));
    memset(out->expected.report_data, 0, sizeof out->expected.report_data);
    memcpy(out->expected.report_data, digest.ptr, digest.len);
    out->expected.has_report_data = true;
    return carry_part(out, is_tdx ? "tdx" : "sgx", "quote", quote) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}
