/* constellation_write.c: evidence of ours as Constellation's documents have it: no white space, members in the order of Go's
 * structures. */
#include "binding/constellation_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/err.h"
#include "base/text.h"
#include "binding/constellation_parts.h"
#include "binding/sevsnp.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/pem.h"

#define BANK_SHA256   0x000b
#define GO_SHA256     "11"
#define DOCUMENT_MORE 4096u

static atls_code unfit(const atls_constellation_variant *variant, const char *why, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "constellation.evidence",
                    "our evidence cannot be shown as %s: %s", variant->name, why);
}

/* --- values --- */

/* null when there are no bytes, as Go writes it; NULL: no memory. */
static json_t *base64(atls_buf bytes)
{
    if (bytes.len == 0) {
        return json_null();
    }
    char *text = atls_base64_encode(bytes);
    json_t *made = text != NULL ? json_string(text) : NULL;
    free(text);
    return made;
}

static bool put(json_t *object, const char *name, atls_buf bytes)
{
    return json_object_set_new(object, name, base64(bytes)) == 0;
}

static atls_code write_out(json_t *made, bool good, char **out, atls_err *err)
{
    char *text = good ? atls_json_write(made, JSON_COMPACT) : NULL;
    json_decref(made);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *out = text;
    return ATLS_OK;
}

/* --- InstanceInfo --- */

/* A certificate part as PEM: the first one, and those behind it. *text owns what they view. */
static bool as_pem(atls_buf part, BIO *bio, atls_buf *first, atls_buf *chain)
{
    static const char begin[] = "-----BEGIN";
    *first = *chain = (atls_buf){NULL, 0};
    if (part.len == 0) {
        return true;
    }
    if (atls_pem_looks(part)
            ? BIO_write(bio, part.ptr, (int)part.len) <= 0
            : PEM_write_bio(bio, "CERTIFICATE", "", part.ptr, (long)part.len) <= 0) {
        return false;
    }
    char *at = NULL;
    const long len = BIO_get_mem_data(bio, &at);
    size_t cut = (size_t)len;
    for (size_t i = sizeof begin; i + sizeof begin <= (size_t)len; i++) {
        if (memcmp(at + i, begin, sizeof begin - 1) == 0) {
            cut = i;
            break;
        }
    }
    *first = (atls_buf){(const uint8_t *)at, cut};
    *chain = (atls_buf){(const uint8_t *)at + cut, (size_t)len - cut};
    return true;
}

/* ReportSigner and CertChain: of the part that is the leaf, or of the host's table. */
static bool put_chain(json_t *made, const atls_link *link)
{
    atls_sevsnp s = {.vcek = {NULL, 0}};
    const atls_buf part = atls_link_part(link, "vcek");
    atls_buf leaf, issuer, none;
    BIO *first = BIO_new(BIO_s_mem());
    BIO *second = BIO_new(BIO_s_mem());
    (void)atls_sevsnp_table_read(atls_link_part(link, "certs"), &s);
    bool good = first != NULL && second != NULL;
    if (good && part.len > 0) {
        good = as_pem(part, first, &leaf, &issuer);
    } else if (good) {
        good = as_pem(s.vcek.len > 0 ? s.vcek : s.vlek, first, &leaf, &none) &&
               as_pem(s.ask, second, &issuer, &none);
    }
    good = good && put(made, "ReportSigner", leaf) && put(made, "CertChain", issuer);
    BIO_free(first);
    BIO_free(second);
    return good;
}

/* Of an SNP report. azure: of the paravisor's runtime data; given: Google's own member; both NULL: null. */
static atls_code snp_info(const atls_link *link, atls_buf report, const atls_buf *runtime,
                          const char *given, char **out, atls_err *err)
{
    json_t *made = json_object();
    json_t *google = json_null();
    bool good = made != NULL && put_chain(made, link) && put(made, "AttestationReport", report);
    if (good && runtime != NULL) {
        good = json_object_set_new(made, "Azure",
                                   json_pack("{soso}", "RuntimeData", base64(*runtime), "MAAToken",
                                             json_string(""))) == 0;
    } else {
        good = good && json_object_set_new(made, "Azure", json_null()) == 0;
    }
    if (given != NULL) {
        const atls_code rc = atls_json_parse((atls_buf){(const uint8_t *)given, strlen(given)},
                                             4096, "constellation.instance_info", &google, err);
        if (rc != ATLS_OK) {
            json_decref(made);
            return rc;
        }
    }
    good = json_object_set_new(made, "GCP", google) == 0 && good;
    return write_out(made, good, out, err);
}

static atls_code azure_info(const atls_constellation_variant *variant, const atls_link *link,
                            char **out, atls_err *err)
{
    const bool is_tdx = variant->form == ATLS_CONSTELLATION_AZURE_TDX;
    const atls_buf quote = atls_link_part(link, "td_quote");
    atls_buf report, runtime;
    if (!atls_hcl_take_apart(atls_link_part(link, "hcl_report"), &report, &runtime) ||
        is_tdx != (quote.len > 0)) {
        return unfit(variant, "no report of Azure's paravisor, or of the other hardware", err);
    }
    if (!is_tdx) {
        return snp_info(link, report, &runtime, NULL, out, err);
    }
    json_t *made = json_object();
    const bool good =
        made != NULL && put(made, "AttestationReport", quote) && put(made, "RuntimeData", runtime);
    return write_out(made, good, out, err);
}

static atls_code ak_cert_info(const atls_constellation_variant *variant, const atls_link *link,
                              char **out, atls_err *err)
{
    const atls_buf cert = atls_link_part(link, "ak_cert");
    if (cert.len == 0) {
        return unfit(variant, "there is no certificate of the attestation key", err);
    }
    json_t *made = json_object();
    const bool good = made != NULL && put(made, "AkCert", cert) &&
                      json_object_set_new(made, "CA", json_null()) == 0;
    return write_out(made, good, out, err);
}

atls_code atls_constellation_instance_info(const atls_constellation_variant *variant,
                                           const atls_link *link, const char *given, uint8_t **out,
                                           size_t *len, atls_err *err)
{
    char *text = NULL;
    atls_code rc = ATLS_OK;
    switch (variant->form) {
    case ATLS_CONSTELLATION_AZURE_SNP:
    case ATLS_CONSTELLATION_AZURE_TDX:
        rc = azure_info(variant, link, &text, err);
        break;
    case ATLS_CONSTELLATION_GCP_SNP:
    case ATLS_CONSTELLATION_AWS_SNP:
        rc = snp_info(link, atls_link_part(link, "snp_report"), NULL, given, &text, err);
        break;
    case ATLS_CONSTELLATION_AK_CERT:
        rc = ak_cert_info(variant, link, &text, err);
        break;
    default:
        text = given != NULL ? strdup(given) : calloc(1, 1);
        rc = text != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
        break;
    }
    ATLS_TRY(rc);
    *out = (uint8_t *)text;
    *len = strlen(text);
    return ATLS_OK;
}

/* --- the document: written straight out, because most of it is one long quote --- */

static void put_base64(atls_writer *d, atls_buf bytes)
{
    if (bytes.len == 0) {
        atls_writer_text(d, "null");
        return;
    }
    atls_writer_text(d, "\"");
    atls_base64_write(d, bytes);
    atls_writer_text(d, "\"");
}

/* before: all that stands between the last value and this one. */
static void put_bytes(atls_writer *d, const char *before, atls_buf bytes)
{
    atls_writer_text(d, before);
    put_base64(d, bytes);
}

/* A signature with its header, which an RSA one may come without. */
static void put_signature(atls_writer *d, const char *before, atls_buf bytes)
{
    uint8_t whole[6 + 512] = {0x00, 0x14, 0x00, 0x0b};
    if (bytes.len != 256 && bytes.len != 384 && bytes.len != 512) {
        put_bytes(d, before, bytes);
        return;
    }
    whole[4] = (uint8_t)(bytes.len / 256);
    whole[5] = (uint8_t)(bytes.len % 256);
    memcpy(whole + 6, bytes.ptr, bytes.len);
    put_bytes(d, before, (atls_buf){whole, 6 + bytes.len});
}

static bool is_selected(uint32_t selected, unsigned pcr)
{
    return selected / (UINT32_C(1) << pcr) % 2 == 1;
}

/* False: its value is not there. */
static bool put_pcr(atls_writer *d, bool *first, unsigned pcr, uint32_t selected, atls_buf values)
{
    char name[8];
    size_t at = 0;
    for (unsigned i = 0; i < pcr; i++) {
        at += is_selected(selected, i) ? 32 : 0;
    }
    if (!is_selected(selected, pcr)) {
        return true;
    }
    if (at + 32 > values.len) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%s\"%u\":", *first ? "" : ",", pcr);
    *first = false;
    put_bytes(d, name, (atls_buf){values.ptr + at, 32});
    return true;
}

/* Names sorted as text: 0, 1, 10, 11, ..., 2, 20, ... */
static bool put_pcrs(atls_writer *d, uint32_t selected, atls_buf values)
{
    bool is_first = true;
    bool good = true;
    atls_writer_text(d, "{");
    for (unsigned first = 0; good && first < 10; first++) {
        good = put_pcr(d, &is_first, first, selected, values);
        for (unsigned second = 0; good && first > 0 && second < 10; second++) {
            const unsigned pcr = 10 * first + second;
            good = pcr > 23 || put_pcr(d, &is_first, pcr, selected, values);
        }
    }
    atls_writer_text(d, "}");
    return good;
}

static atls_code put_attestation(const atls_constellation_variant *variant, const atls_link *link,
                                 atls_writer *d, atls_err *err)
{
    uint16_t bank = 0;
    uint32_t selected = 0;
    const atls_buf area = atls_public_area(atls_link_part(link, "ak_public"));
    const atls_buf quote = atls_link_part(link, "quote");
    const atls_buf log = atls_link_part(link, "event_log");
    const bool names_cert =
        variant->form == ATLS_CONSTELLATION_TPM || variant->form == ATLS_CONSTELLATION_GCP_SNP;
    const atls_buf cert = names_cert ? atls_link_part(link, "ak_cert") : (atls_buf){NULL, 0};
    if (!atls_quote_selection(quote, &bank, &selected) || bank != BANK_SHA256) {
        return unfit(variant, "the quote is not of PCRs in the bank of SHA-256 alone", err);
    }
    if (area.len == 0) {
        return unfit(variant, "there is no ak_public in the TPM's own form", err);
    }
    put_bytes(d, "{\"ak_pub\":", area);
    put_bytes(d, ",\"quotes\":[{\"quote\":", quote);
    put_signature(d, ",\"raw_sig\":", atls_link_part(link, "signature"));
    atls_writer_text(d, ",\"pcrs\":{\"hash\":" GO_SHA256 ",\"pcrs\":");
    if (!put_pcrs(d, selected, atls_link_part(link, "pcrs"))) {
        return unfit(variant, "the quote selects more PCRs than there are values of", err);
    }
    atls_writer_text(d, "}}]");
    if (log.len > 0) {
        put_bytes(d, ",\"event_log\":", log);
    }
    if (cert.len > 0) {
        put_bytes(d, ",\"ak_cert\":", cert);
    }
    atls_writer_text(d, ",\"TeeAttestation\":null}");
    return ATLS_OK;
}

static atls_code put_document(const atls_constellation_variant *variant, const atls_link *link,
                              atls_buf info, atls_buf user, atls_buf nonce, atls_writer *d,
                              atls_err *err)
{
    switch (variant->form) {
    case ATLS_CONSTELLATION_DUMMY:
        put_bytes(d, "{\"UserData\":", user);
        put_bytes(d, ",\"Nonce\":", nonce);
        break;
    case ATLS_CONSTELLATION_TDX:
        put_bytes(d, "{\"RawQuote\":", atls_link_part(link, "quote"));
        put_bytes(d, ",\"UserData\":", user);
        break;
    default:
        atls_writer_text(d, "{\"Attestation\":");
        ATLS_TRY(put_attestation(variant, link, d, err));
        put_bytes(d, ",\"InstanceInfo\":", info);
        put_bytes(d, ",\"UserData\":", user);
        break;
    }
    atls_writer_text(d, "}");
    atls_writer_u8(d, 0);
    return atls_writer_ok(d) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* Base64 takes 4 bytes for 3; names, 24 PCRs and the rest take less than DOCUMENT_MORE. */
static size_t room_for(const atls_link *link, atls_buf info)
{
    size_t room = DOCUMENT_MORE + 2 * info.len;
    for (size_t i = 0; i < link->evidence.parts_n; i++) {
        room += 2 * link->evidence.parts[i].len;
    }
    return room;
}

atls_code atls_constellation_document_write(const atls_constellation_variant *variant,
                                            const atls_link *link, atls_buf instance_info,
                                            const uint8_t user_data[32], const uint8_t nonce[32],
                                            char **out, atls_err *err)
{
    if (strcmp(link->evidence.type, variant->type) != 0) {
        return unfit(variant, "it is of another type", err);
    }
    const size_t room = room_for(link, instance_info);
    uint8_t *space = malloc(room);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer d = atls_writer_of(space, room);
    const atls_code rc = put_document(variant, link, instance_info, (atls_buf){user_data, 32},
                                      (atls_buf){nonce, 32}, &d, err);
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    *out = (char *)space;
    return ATLS_OK;
}
