#include "binding/flashbots_azure.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/reader.h"
#include "codec/base64.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "crypto/pem.h"

#define PCRS             24
#define PCR_LEN          32
#define SIGNATURE_MAX    1024
#define MESSAGE_MAX      2048
#define CERTIFICATE_MAX  ((size_t)16 << 10)
#define TPM_ALG_RSASSA   0x0014
#define TPM_ALG_SHA256   0x000b
#define CERTIFICATE_HEAD "-----BEGIN CERTIFICATE-----\n"
#define CERTIFICATE_FOOT "-----END CERTIFICATE-----\n"

/* --- reading --- */

static atls_code wrong(const char *member, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.azure",
                    "\"%s\" of the Azure document is not there, or not what it has to be", member);
}

/* URL-safe base64 with the padding that belongs to its length. */
static bool decode_padded(const json_t *text, uint8_t *out, size_t cap, size_t *len)
{
    const char *s = json_string_value(text);
    size_t n = json_string_length(text);
    size_t padding = 0;
    if (s == NULL || n == 0 || n % 4 != 0) {
        return false;
    }
    while (padding < 2 && s[n - 1 - padding] == '=') {
        padding++;
    }
    return atls_base64url_decode((atls_buf){(const uint8_t *)s, n - padding}, out, cap, len) &&
           *len > 0;
}

static atls_code take_base64(const json_t *root, const char *member, const char *part,
                             atls_carried *out, atls_err *err)
{
    const json_t *text = json_object_get(root, member);
    const size_t cap = json_string_length(text) / 4 * 3;
    size_t len = 0;
    if (cap == 0) {
        return wrong(member, err);
    }
    uint8_t *room = atls_carried_room(out, cap);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!decode_padded(text, room, cap, &len) ||
        !atls_carried_add(out, part, (atls_buf){room, len})) {
        return wrong(member, err);
    }
    return ATLS_OK;
}

/* An array of numbers, one a byte. */
static bool take_bytes(const json_t *array, uint8_t *out)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *number = json_array_get(array, i);
        const json_int_t v = json_integer_value(number);
        if (!json_is_integer(number) || v < 0 || v > 255) {
            return false;
        }
        out[i] = (uint8_t)v;
    }
    return true;
}

static atls_code take_array(const json_t *object, const char *member, const char *part, size_t max,
                            atls_carried *out, atls_err *err)
{
    const json_t *array = json_object_get(object, member);
    const size_t len = json_array_size(array);
    if (len == 0 || len > max) {
        return wrong(member, err);
    }
    uint8_t *room = atls_carried_room(out, len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!take_bytes(array, room) || !atls_carried_add(out, part, (atls_buf){room, len})) {
        return wrong(member, err);
    }
    return ATLS_OK;
}

static atls_code take_pcrs(const json_t *quote, atls_carried *out, atls_err *err)
{
    const json_t *pcrs = json_object_get(quote, "pcrs");
    if (json_array_size(pcrs) != PCRS) {
        return wrong("pcrs", err);
    }
    uint8_t *room = atls_carried_room(out, (size_t)PCRS * PCR_LEN);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    for (size_t i = 0; i < PCRS; i++) {
        const json_t *pcr = json_array_get(pcrs, i);
        if (json_array_size(pcr) != PCR_LEN || !take_bytes(pcr, room + i * PCR_LEN)) {
            return wrong("pcrs", err);
        }
    }
    return atls_carried_add(out, "pcrs", (atls_buf){room, (size_t)PCRS * PCR_LEN})
               ? ATLS_OK
               : wrong("pcrs", err);
}

/* The TPM keeps the certificate in a larger place, and some documents have all of that: zeros behind it. */
static bool cut_certificate(atls_buf *der)
{
    atls_reader r = atls_reader_of(*der);
    const uint8_t tag = atls_reader_u8(&r);
    const uint8_t form = atls_reader_u8(&r);
    const size_t len = atls_reader_u16be(&r);
    (void)atls_reader_view(&r, len);
    if (!atls_reader_ok(&r) || tag != 0x30 || form != 0x82) {
        return false;
    }
    const atls_buf behind = atls_reader_rest(&r);
    for (size_t i = 0; i < behind.len; i++) {
        if (behind.ptr[i] != 0) {
            return false;
        }
    }
    der->len -= behind.len;
    return true;
}

static bool is_certificate(const json_t *pem, uint8_t *room, atls_buf *der)
{
    atls_buf text = {(const uint8_t *)json_string_value(pem), json_string_length(pem)};
    size_t used = 0;
    return text.ptr != NULL &&
           atls_pem_next(&text, "CERTIFICATE", room, CERTIFICATE_MAX, &used, der) &&
           text.len == 0 && cut_certificate(der);
}

static atls_code take_certificates(const json_t *tpm, atls_carried *out, atls_err *err)
{
    static const char member[] = "ak_intermediate_certificates_pem";
    const json_t *above = json_object_get(tpm, member); /* older documents have none */
    atls_buf der;
    uint8_t *room = atls_carried_room(out, CERTIFICATE_MAX);
    uint8_t *spare = atls_carried_room(out, CERTIFICATE_MAX);
    if (room == NULL || spare == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!is_certificate(json_object_get(tpm, "ak_certificate_pem"), room, &der) ||
        !atls_carried_add(out, "ak_cert", der)) {
        return wrong("ak_certificate_pem", err);
    }
    if (above != NULL &&
        (!json_is_array(above) || json_array_size(above) > FLASHBOTS_AZURE_INTERMEDIATE)) {
        return wrong(member, err);
    }
    for (size_t i = 0; i < json_array_size(above); i++) {
        if (!is_certificate(json_array_get(above, i), spare, &der)) {
            return wrong(member, err);
        }
    }
    return ATLS_OK;
}

static atls_code take_parts(const json_t *root, atls_carried *out, atls_err *err)
{
    const json_t *tpm = json_object_get(root, "tpm_attestation");
    const json_t *quote = json_object_get(tpm, "quote");
    const json_t *log = json_object_get(tpm, "event_log");
    out->evidence.type = "azure";
    ATLS_TRY(take_array(quote, "message", "quote", MESSAGE_MAX, out, err));
    ATLS_TRY(take_array(quote, "signature", "signature", SIGNATURE_MAX, out, err));
    ATLS_TRY(take_pcrs(quote, out, err));
    ATLS_TRY(take_certificates(tpm, out, err));
    ATLS_TRY(take_base64(root, "hcl_report_base64", "hcl_report", out, err));
    ATLS_TRY(take_base64(root, "tdx_quote_base64", "td_quote", out, err));
    if (!json_is_array(log)) {
        return wrong("event_log", err);
    }
    return json_array_size(log) == 0
               ? ATLS_OK
               : take_array(tpm, "event_log", "event_log", FLASHBOTS_AZURE_MAX, out, err);
}

atls_code flashbots_azure_read(atls_buf text, atls_carried *out, atls_err *err)
{
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(text, FLASHBOTS_AZURE_MAX, "flashbots.azure", &root, err));
    atls_code rc = take_parts(root, out, err);
    json_decref(root);
    return rc;
}

void flashbots_azure_expect(const uint8_t report_data[64], atls_expected *expected)
{
    expected->has_user_data = true;
    memcpy(expected->user_data, report_data, sizeof expected->user_data);
    expected->has_nonce = true;
    expected->nonce_len = 32;
    memcpy(expected->nonce, report_data, expected->nonce_len);
}

/* --- writing --- */

static atls_buf part_of(const atls_evidence_blob *e, const char *name)
{
    for (size_t i = 0; i < e->parts_n; i++) {
        if (strcmp(e->parts[i].name, name) == 0) {
            return (atls_buf){e->parts[i].bytes, e->parts[i].len};
        }
    }
    return (atls_buf){NULL, 0};
}

/* Peers want the RSA signature alone: out of a TPMT_SIGNATURE of RSASSA with SHA-256. */
static bool bare_signature(atls_buf *signature)
{
    atls_reader r = atls_reader_of(*signature);
    if (signature->len == 256 || signature->len == 384 || signature->len == 512) {
        return true;
    }
    const uint16_t scheme = atls_reader_u16be(&r);
    const uint16_t hash = atls_reader_u16be(&r);
    const atls_buf bare = atls_reader_view(&r, atls_reader_u16be(&r));
    *signature = bare;
    return atls_reader_end(&r) && scheme == TPM_ALG_RSASSA && hash == TPM_ALG_SHA256;
}

static json_t *number_array(atls_buf bytes)
{
    json_t *array = json_array();
    for (size_t i = 0; i < bytes.len; i++) {
        if (json_array_append_new(array, json_integer(bytes.ptr[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *pcr_arrays(atls_buf pcrs)
{
    json_t *array = json_array();
    for (size_t i = 0; i < PCRS; i++) {
        const atls_buf pcr = {pcrs.ptr + i * PCR_LEN, PCR_LEN};
        if (json_array_append_new(array, number_array(pcr)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *padded_text(atls_buf bytes)
{
    char *text = atls_base64_encode(bytes);
    json_t *out = NULL;
    if (text != NULL) {
        for (char *c = text; *c != '\0'; c++) {
            *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
        }
        out = json_string(text);
    }
    free(text);
    return out;
}

static json_t *pem_text(atls_buf der)
{
    char *base64 = atls_base64_encode(der);
    const size_t len = base64 != NULL ? strlen(base64) : 0;
    const size_t room = sizeof CERTIFICATE_HEAD + sizeof CERTIFICATE_FOOT + len + len / 64 + 2;
    char *pem = base64 != NULL ? malloc(room) : NULL;
    json_t *out = NULL;
    if (pem != NULL) {
        size_t n = sizeof CERTIFICATE_HEAD - 1;
        memcpy(pem, CERTIFICATE_HEAD, n);
        for (size_t i = 0; i < len; i += 64) {
            const size_t line = len - i < 64 ? len - i : 64;
            memcpy(pem + n, base64 + i, line);
            n += line;
            pem[n++] = '\n';
        }
        memcpy(pem + n, CERTIFICATE_FOOT, sizeof CERTIFICATE_FOOT);
        out = json_string(pem);
    }
    free(pem);
    free(base64);
    return out;
}

static json_t *document(const atls_evidence_blob *e, atls_buf signature)
{
    return json_pack("{s:o, s:o, s:{s:o, s:[], s:{s:o, s:o, s:o}, s:[], s:n}}", "tdx_quote_base64",
                     padded_text(part_of(e, "td_quote")), "hcl_report_base64",
                     padded_text(part_of(e, "hcl_report")), "tpm_attestation", "ak_certificate_pem",
                     pem_text(part_of(e, "ak_cert")), "ak_intermediate_certificates_pem", "quote",
                     "signature", number_array(signature), "message",
                     number_array(part_of(e, "quote")), "pcrs", pcr_arrays(part_of(e, "pcrs")),
                     "event_log", "instance_info");
}

static const char *missing(const atls_evidence_blob *e)
{
    static const char *const needed[] = {"quote", "signature", "ak_cert", "hcl_report", "td_quote"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const size_t len = part_of(e, needed[i]).len;
        if (len == 0 || len > FLASHBOTS_AZURE_MAX) {
            return needed[i];
        }
    }
    return part_of(e, "pcrs").len == (size_t)PCRS * PCR_LEN ? NULL : "pcrs";
}

atls_code flashbots_azure_write(const atls_evidence_blob *evidence, char **text, size_t *len,
                                atls_err *err)
{
    atls_buf signature = part_of(evidence, "signature");
    const char *part = strcmp(evidence->type, "azure") == 0 ? missing(evidence) : "type azure";
    part = part == NULL && !bare_signature(&signature) ? "signature" : part;
    if (part != NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "flashbots.evidence",
                        "evidence of an Azure TDX machine for a peer needs td_quote, hcl_report, "
                        "ak_cert and an RSASSA quote of all 24 PCRs of SHA-256: \"%s\" is not so",
                        part);
    }
    json_t *root = document(evidence, signature);
    char *made = root != NULL ? atls_json_write(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (made == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *len = strlen(made);
    if (*len > FLASHBOTS_AZURE_MAX) {
        free(made);
        return ATLS_ERR(err, ATLS_E_USAGE, "flashbots.evidence",
                        "the Azure document would be longer than %zu bytes", FLASHBOTS_AZURE_MAX);
    }
    *text = made;
    return ATLS_OK;
}
