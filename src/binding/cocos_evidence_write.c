/* Our evidence as a verifier of Cocos reads it. */
#include "binding/cocos_evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/constellation_parts.h"
#include "binding/go_attestation.h"
#include "binding/sevsnp.h"
#include "codec/cbor.h"

#define HEADS_MAX 128 /* the map beside nonce and report */

static atls_buf part(const atls_evidence_blob *e, const char *name)
{
    for (size_t i = 0; i < e->parts_n; i++) {
        if (strcmp(e->parts[i].name, name) == 0) {
            return (atls_buf){e->parts[i].bytes, e->parts[i].len};
        }
    }
    return (atls_buf){NULL, 0};
}

static atls_code cannot(const atls_evidence_blob *e, const char *why, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "cocos.made", "evidence of type %s %s", e->type, why);
}

static void write_text(atls_writer *w, const char *text)
{
    atls_cbor_write_string(w, ATLS_CBOR_TEXT, (atls_buf){(const uint8_t *)text, strlen(text)});
}

static atls_code write_claims(const char *platform, atls_buf nonce, atls_buf report, uint8_t **out,
                              size_t *out_len, atls_err *err)
{
    const size_t cap = HEADS_MAX + nonce.len + report.len;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    atls_cbor_write_head(&w, ATLS_CBOR_MAP, 3);
    atls_cbor_write_head(&w, ATLS_CBOR_UINT, 10);
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, nonce);
    write_text(&w, "raw_report");
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, report);
    write_text(&w, "platform_type");
    write_text(&w, platform);
    *out = space;
    *out_len = w.len;
    return ATLS_OK;
}

/* attest.Attestation: for SNP, too: it is what the deployed verifier reads. */
static atls_code write_message(const char *platform, const atls_evidence_blob *e,
                               const atls_go_making *m, atls_buf nonce, uint8_t **out,
                               size_t *out_len, atls_err *err)
{
    uint8_t *space = malloc(3 * atls_go_attestation_room(m));
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    const atls_buf message = atls_go_attestation_write(m, space);
    atls_code rc = message.len == 0 ? cannot(e, "whose parts do not fit each other", err)
                                    : write_claims(platform, nonce, message, out, out_len, err);
    free(space);
    return rc;
}

static atls_code write_snp(const atls_evidence_blob *e, atls_buf nonce, uint8_t **out,
                           size_t *out_len, atls_err *err)
{
    atls_sevsnp s = {.vcek = {NULL, 0}};
    const atls_buf report = part(e, "report");
    const atls_buf table = part(e, "certs");
    const atls_buf vcek = part(e, "vcek");
    if (report.len != ATLS_SEVSNP_REPORT_LEN ||
        (table.len > 0 && !atls_sevsnp_table_read(table, &s))) {
        return cannot(e, "without a report of 1184 bytes, or with no certificate table", err);
    }
    s.vcek = vcek.len > 0 ? vcek : s.vcek;
    const atls_go_making m = {.snp = report.ptr, .vcek = s.vcek, .vlek = s.vlek, .ask = s.ask};
    return write_message("SNP", e, &m, nonce, out, out_len, err);
}

static atls_code write_tpm(const atls_evidence_blob *e, atls_buf nonce, uint8_t **out,
                           size_t *out_len, atls_err *err)
{
    atls_go_making m = {
        .ak_public = atls_public_area(part(e, "ak_public")),
        .ak_cert = part(e, "ak_cert"),
        .event_log = part(e, "event_log"),
        .attest = part(e, "quote"),
        .signature = part(e, "signature"),
        .pcrs = part(e, "pcrs"),
    };
    if (m.ak_public.len == 0 || m.signature.len == 0 ||
        !atls_quote_selection(m.attest, &m.bank, &m.selection)) {
        return cannot(e, "without its key's public area, or over PCRs of several banks", err);
    }
    return write_message("vTPM", e, &m, nonce, out, out_len, err);
}

atls_code atls_cocos_evidence_write(const atls_evidence_blob *evidence, atls_buf nonce,
                                    uint8_t **out, size_t *out_len, atls_err *err)
{
    if (strcmp(evidence->type, "tdx") == 0 && part(evidence, "quote").len > 0) {
        return write_claims("TDX", nonce, part(evidence, "quote"), out, out_len, err);
    }
    if (strcmp(evidence->type, "snp") == 0) {
        return write_snp(evidence, nonce, out, out_len, err);
    }
    if (strcmp(evidence->type, "tpm") == 0) {
        return write_tpm(evidence, nonce, out, out_len, err);
    }
    return cannot(evidence, "has no place in this dialect: tdx, snp and tpm have", err);
}
