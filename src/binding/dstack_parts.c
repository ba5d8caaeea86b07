/* dstack_parts.c: dstack's attestation as parts of evidence of ours. */
#include "binding/dstack_attestation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/writer.h"
#include "crypto/digest.h"
#include "crypto/pem.h"

#define LOG_MAX    ((size_t)4 << 20) /* bytes of text */
#define EVENT_MORE 256u

/* --- the log as JSON --- */

/* The content of a string by RFC 8785, 3.2.2.2; what is not ASCII stands as it is. */
static void add_string(atls_writer *w, atls_buf s)
{
    static const char names[] = "\bb\ff\nn\rr\tt";
    for (size_t i = 0; i < s.len; i++) {
        const uint8_t c = s.ptr[i];
        const char *at = c != 0 && c < 0x20 ? strchr(names, c) : NULL;
        char escape[8];
        if (c == '"' || c == '\\') {
            atls_writer_u8(w, '\\');
            atls_writer_u8(w, c);
        } else if (at != NULL) {
            atls_writer_u8(w, '\\');
            atls_writer_u8(w, (uint8_t)at[1]);
        } else if (c < 0x20) {
            (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
            atls_writer_text(w, escape);
        } else {
            atls_writer_u8(w, c);
        }
    }
}

static void add_number(atls_writer *w, uint32_t v)
{
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%" PRIu32, v);
    atls_writer_text(w, digits);
}

/* The text that is hashed for version 2 takes no more: a character of a name is escaped into 6. */
static size_t preimage_room(const atls_dstack_event *e)
{
    return 6 * e->name.len + 2 * e->payload.len + 64;
}

static void add_preimage(atls_writer *w, const atls_dstack_event *e)
{
    atls_writer_text(w, "{\"name\":\"");
    add_string(w, e->name);
    atls_writer_text(w, "\",\"payload\":\"");
    atls_hex_write(w, e->payload);
    atls_writer_text(w, "\",\"type\":");
    add_number(w, e->type);
    atls_writer_text(w, "}");
}

/* Of version 2 the text that was hashed, and its hash, must stand in the log. */
static atls_code add_version_2(atls_writer *w, const atls_dstack_event *e, atls_err *err)
{
    uint8_t hash[ATLS_HASH_MAX];
    const size_t room = preimage_room(e);
    uint8_t *space = malloc(room);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer preimage = atls_writer_of(space, room);
    add_preimage(&preimage, e);
    const atls_buf piece = atls_writer_done(&preimage);
    atls_code rc = atls_digest(ATLS_SHA384, &piece, 1, hash, err);
    if (rc == ATLS_OK) {
        atls_writer_text(w, ",\"version\":2,\"digest\":\"");
        atls_hex_write(w, (atls_buf){hash, 48});
        atls_writer_text(w, "\",\"preimage\":\"");
        atls_hex_write(w, piece);
        atls_writer_text(w, "\"");
    }
    free(space);
    return rc;
}

static atls_code add_event(atls_writer *w, const atls_dstack_event *e, bool runtime, atls_err *err)
{
    atls_writer_text(w, w->len > 1 ? ",{\"imr\":" : "{\"imr\":");
    add_number(w, e->imr);
    atls_writer_text(w, ",\"event_type\":");
    add_number(w, e->type);
    atls_writer_text(w, ",\"event\":\"");
    add_string(w, e->name);
    atls_writer_text(w, "\",\"event_payload\":\"");
    atls_hex_write(w, e->payload);
    atls_writer_text(w, "\"");
    if (runtime && e->version == 2) {
        ATLS_TRY(add_version_2(w, e, err));
    } else {
        atls_writer_text(w, ",\"digest\":\"");
        atls_hex_write(w, runtime ? (atls_buf){NULL, 0} : e->digest);
        atls_writer_text(w, "\"");
    }
    atls_writer_text(w, "}");
    return ATLS_OK;
}

/* What the text takes at most, LOG_MAX at most; the names and numbers of an event take less than EVENT_MORE. */
static size_t log_room(const atls_dstack_attestation *a)
{
    size_t room = 8;
    for (size_t i = 0; i < a->log_n; i++) {
        room += EVENT_MORE + preimage_room(&a->log[i]) + 2 * a->log[i].digest.len;
    }
    for (size_t i = 0; i < a->runtime_n; i++) {
        room += EVENT_MORE + 3 * preimage_room(&a->runtime[i]);
    }
    return room < LOG_MAX ? room : LOG_MAX;
}

static atls_code write_log(const atls_dstack_attestation *a, atls_writer *w, atls_err *err)
{
    atls_writer_text(w, "[");
    for (size_t i = 0; i < a->log_n; i++) {
        if (a->log[i].imr != ATLS_DSTACK_RUNTIME_IMR) {
            ATLS_TRY(add_event(w, &a->log[i], false, err));
        }
    }
    for (size_t i = 0; i < a->runtime_n; i++) {
        ATLS_TRY(add_event(w, &a->runtime[i], true, err));
    }
    atls_writer_text(w, "]");
    atls_writer_u8(w, 0);
    return atls_writer_ok(w) ? ATLS_OK
                             : ATLS_ERR(err, ATLS_E_INVALID, "dstack.attestation.events",
                                        "the events of dstack's attestation are more than %zu "
                                        "bytes as JSON",
                                        LOG_MAX);
}

atls_code atls_dstack_log_json(const atls_dstack_attestation *a, char **out, atls_err *err)
{
    const size_t room = log_room(a);
    uint8_t *space = malloc(room);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, room);
    const atls_code rc = write_log(a, &w, err);
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    *out = (char *)space;
    return ATLS_OK;
}

/* --- parts --- */

static atls_code add_copy(atls_carried *out, const char *part, atls_buf bytes, atls_err *err)
{
    uint8_t *room = atls_carried_room(out, bytes.len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (bytes.len > 0) {
        memcpy(room, bytes.ptr, bytes.len);
    }
    return atls_carried_add(out, part, (atls_buf){room, bytes.len})
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "dstack.attestation.format",
                          "more parts than evidence may have");
}

static atls_code add_tdx(const atls_dstack_attestation *a, atls_carried *out, atls_err *err)
{
    char *log = NULL;
    ATLS_TRY(add_copy(out, "quote", a->quote, err));
    ATLS_TRY(atls_dstack_log_json(a, &log, err));
    atls_code rc = add_copy(out, "event_log", (atls_buf){(const uint8_t *)log, strlen(log)}, err);
    free(log);
    return rc;
}

/* By our own reader of PEM: OpenSSL's asks the terminal for a passphrase where the peer's block says that it is encrypted. */
static X509 *decode(atls_buf cert)
{
    uint8_t *space = malloc(cert.len + 1);
    atls_buf der = cert;
    size_t used = 0;
    X509 *x = NULL;
    if (space != NULL && cert.len > 0 &&
        (cert.ptr[0] == 0x30 ||
         atls_pem_next(&cert, "CERTIFICATE", space, cert.len, &used, &der))) {
        const unsigned char *at = der.ptr;
        x = d2i_X509(NULL, &at, (long)der.len);
    }
    free(space);
    ERR_clear_error();
    return x;
}

/* Of a chain the leaf's key signed the report. It is the one whose subject is nobody's issuer: what it is worth is judged
 * with the report. */
static bool is_leaf(const atls_buf *certs, size_t n, size_t i)
{
    X509 *own = decode(certs[i]);
    bool leaf = own != NULL;
    for (size_t k = 0; leaf && k < n; k++) {
        X509 *other = decode(certs[k]);
        leaf = other != NULL &&
               X509_NAME_cmp(X509_get_issuer_name(other), X509_get_subject_name(own)) != 0;
        X509_free(other);
    }
    X509_free(own);
    return leaf;
}

static atls_code add_snp(const atls_dstack_attestation *a, atls_carried *out, atls_err *err)
{
    ATLS_TRY(add_copy(out, "report", a->quote, err));
    const uint8_t first = a->certs_n == 1 && a->certs[0].len > 0 ? a->certs[0].ptr[0] : 0x30;
    if (first != 0x30 && first != '-') {
        return add_copy(out, "certs", a->certs[0], err);
    }
    for (size_t i = 0; i < a->certs_n; i++) {
        if (is_leaf(a->certs, a->certs_n, i)) {
            return add_copy(out, "vcek", a->certs[i], err);
        }
    }
    return a->certs_n == 0
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "dstack.attestation.certs",
                          "no certificate of the chain in dstack's attestation is a leaf");
}

atls_code atls_dstack_to_evidence(const atls_dstack_attestation *a, atls_carried *out,
                                  atls_err *err)
{
    switch (a->platform) {
    case ATLS_DSTACK_TDX:
    case ATLS_DSTACK_GCP_TDX:
        out->evidence.type = "tdx";
        return add_tdx(a, out, err);
    case ATLS_DSTACK_SEV_SNP:
        out->evidence.type = "snp";
        return add_snp(a, out, err);
    case ATLS_DSTACK_NITRO_ENCLAVE:
    case ATLS_DSTACK_NITRO_TPM:
        break;
    }
    out->evidence.type = "nitro";
    return add_copy(out, "document", a->quote, err);
}
