/* ra_tls_cmw.c: evidence in a conceptual message wrapper (RFC 9999) in the certificate. The wrapper binds no key: what is
 * wrapped must be tagged evidence, whose claims do. */
#include "binding/ra_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "binding/cmw.h"

#define MEDIA_TYPE   "application/vnd.atls.tcg-evidence+cbor"
#define DER_UTF8     0x0c
#define DER_OCTETS   0x04
#define DER_HEAD_MAX 4

/* --- reading --- */

/* CMW ::= CHOICE { json UTF8String, cbor OCTET STRING } */
static atls_code unwrap(atls_buf value, atls_carried *out, atls_buf *evidence, atls_err *err)
{
    atls_buf bytes;
    atls_cmw cmw;
    const bool is_json = atls_der_content(value, DER_UTF8, &bytes);
    if (!is_json && !atls_der_content(value, DER_OCTETS, &bytes)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.der",
                        "the extension is neither one UTF8String nor one OCTET STRING");
    }
    uint8_t *space = atls_carried_room(out, bytes.len);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    ATLS_TRY(atls_cmw_parse(bytes, space, &cmw, err));
    if (is_json != (cmw.form == ATLS_CMW_JSON)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.der", "%s",
                        is_json ? "CBOR in a UTF8String" : "JSON in an OCTET STRING");
    }
    if (cmw.media_type.len != strlen(MEDIA_TYPE) ||
        memcmp(cmw.media_type.ptr, MEDIA_TYPE, cmw.media_type.len) != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.type",
                        "a message of another type than " MEDIA_TYPE);
    }
    if (cmw.ind != 0 && cmw.ind != ATLS_CMW_IND_OF_EVIDENCE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.type",
                        "indicator %u, where 4 says evidence and nothing else", (unsigned)cmw.ind);
    }
    *evidence = cmw.value;
    return ATLS_OK;
}

static atls_code read_certificate(const atls_carrier *c, const atls_binding_option *options,
                                  size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    atls_buf value;
    atls_buf evidence;
    bool there = false;
    ATLS_TRY(atls_ra_tls_extension(c, ATLS_RA_TLS_CMW, out, &value, &there, err));
    if (there) {
        ATLS_TRY(unwrap(value, out, &evidence, err));
        ATLS_TRY(atls_ra_tls_carry(c, evidence, options, options_n, out, err));
    }
    *found = there;
    return ATLS_OK;
}

/* --- making --- */

static atls_code certify(atls_link *link, atls_buf cmw, atls_err *err)
{
    uint8_t *der = malloc(DER_HEAD_MAX + cmw.len);
    if (der == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    /* never shorter than 256 bytes: atls_tcg_make sees to that */
    atls_writer w = atls_writer_of(der, DER_HEAD_MAX + cmw.len);
    atls_writer_u8(&w, DER_OCTETS);
    atls_writer_u8(&w, 0x82);
    atls_writer_u16be(&w, (uint16_t)cmw.len);
    atls_writer_bytes(&w, cmw);
    atls_ra_tls_plan plan = {
        .common_name = "RATS-TLS",
        .extensions = {{atls_ra_tls_oids[ATLS_RA_TLS_CMW], atls_writer_done(&w)}},
        .extensions_n = 1,
    };
    atls_code rc = atls_ra_tls_certify(link, &plan, err);
    free(der);
    return rc;
}

static atls_code make(atls_link *link, atls_err *err)
{
    uint8_t *tagged = NULL;
    uint8_t *cmw = NULL;
    size_t len = 0;
    size_t cmw_len = 0;
    ATLS_TRY(atls_ra_tls_tagged(link, &tagged, &len, err));
    atls_code rc = atls_cmw_make(MEDIA_TYPE, (atls_buf){tagged, len}, ATLS_CMW_IND_OF_EVIDENCE,
                                 &cmw, &cmw_len, err);
    rc = rc == ATLS_OK ? certify(link, (atls_buf){cmw, cmw_len}, err) : rc;
    free(tagged);
    free(cmw);
    return rc;
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    if (!link->has_evidence) {
        ATLS_TRY(atls_ra_tls_want(link, err));
        *next = ATLS_STEP_EVIDENCE;
        return ATLS_OK;
    }
    ATLS_TRY(make(link, err));
    *next = ATLS_STEP_DONE;
    return ATLS_OK;
}

const atls_binding atls_binding_ra_tls_cmw = {
    .name = "ra-tls-cmw",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = ATLS_BINDING_LINE_KEY,
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .tls12 = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .options = {"hash", "nonce", "validity", "claims", "endorsements", "old_tag"},
    .critical = atls_ra_tls_oids,
    .critical_n = ATLS_RA_TLS_OIDS,
    .state_size = sizeof(atls_ra_tls_state),
    .context = atls_ra_tls_context,
    .show = show,
    .exchange = atls_certificate_exchange,
    .end = atls_ra_tls_end,
    .read_certificate = read_certificate,
};
