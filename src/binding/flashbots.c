/* flashbots.c: flashbots-ratls/1 as the attested TLS proxies of Flashbots speak it. The server sends its message first, the
 * client answers with its own when it has accepted that: always both, type "none" where there is no evidence. Nothing says
 * that a message was accepted but that the connection goes on. */
#include "binding/flashbots.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "binding/binding.h"
#include "binding/flashbots_azure.h"
#include "binding/flashbots_message.h"
#include "crypto/digest.h"

#define LABEL "EXPORTER-Channel-Binding" /* RFC 9266 */

typedef struct flashbots_state {
    unsigned turns; /* messages that are through: 0 to 2 */
    bool judging;   /* the peer's is out to be judged */
    bool sent;      /* ours had evidence, of this hash */
    uint8_t sent_sha256[32];
} flashbots_state;

/* --- what evidence has to say --- */

static bool enter(atls_buf *at, int wanted_tag, int wanted_form, atls_buf *content)
{
    const unsigned char *p = at->ptr;
    long len = 0;
    int tag = 0;
    int class = 0;
    if (at->len == 0 || at->len > INT32_MAX) {
        return false;
    }
    const int form = ASN1_get_object(&p, &len, &tag, &class, (long)at->len);
    ERR_clear_error();
    if (form != wanted_form || tag != wanted_tag || class != V_ASN1_UNIVERSAL) {
        return false;
    }
    *content = (atls_buf){p, (size_t)len};
    at->len -= (size_t)(p + len - at->ptr);
    at->ptr = p + len;
    return true;
}

bool flashbots_key_bits(atls_buf spki, atls_buf *bits)
{
    atls_buf inside;
    atls_buf algorithm;
    atls_buf content;
    if (!enter(&spki, V_ASN1_SEQUENCE, V_ASN1_CONSTRUCTED, &inside) || spki.len > 0 ||
        !enter(&inside, V_ASN1_SEQUENCE, V_ASN1_CONSTRUCTED, &algorithm) ||
        !enter(&inside, V_ASN1_BIT_STRING, 0, &content) || inside.len > 0 || content.len < 2 ||
        content.ptr[0] != 0) {
        return false;
    }
    *bits = (atls_buf){content.ptr + 1, content.len - 1};
    return true;
}

atls_code flashbots_report_data(atls_buf key_bits, const uint8_t exporter[32], uint8_t out[64],
                                atls_err *err)
{
    memset(out, 0, 32);
    if (key_bits.len > 0) {
        ATLS_TRY(atls_digest(ATLS_SHA256, &key_bits, 1, out, err));
    }
    memcpy(out + 32, exporter, 32);
    return ATLS_OK;
}

/* The key of the certificate that TLS showed for this side; a client shows one only when it was asked, and then signs. */
static atls_buf own_key_bits(const atls_link *link)
{
    const unsigned char *bits = NULL;
    int len = 0;
    int nid = 0;
    const X509 *leaf = SSL_get_certificate(link->ssl);
    bool shown = leaf != NULL &&
                 (link->role == ATLS_SERVER || SSL_get_signature_type_nid(link->ssl, &nid) == 1);
    if (!shown ||
        X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, X509_get_X509_PUBKEY(leaf)) != 1 ||
        len <= 0) {
        return (atls_buf){NULL, 0};
    }
    return (atls_buf){bits, (size_t)len};
}

static atls_code peer_key_bits(const atls_link *link, atls_buf *bits, atls_err *err)
{
    *bits = (atls_buf){NULL, 0};
    if (link->peer_spki.len > 0 && !flashbots_key_bits(link->peer_spki, bits)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.key",
                        "the peer's certificate has a key whose bits cannot be found");
    }
    return ATLS_OK;
}

static atls_code over(const atls_link *link, atls_buf key_bits, uint8_t out[64], atls_err *err)
{
    uint8_t exporter[32];
    if (!link->exporter.derive(link->exporter.self, LABEL, (atls_buf){NULL, 0}, exporter,
                               sizeof exporter)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "flashbots.exporter",
                        "the connection exports no keying material");
    }
    return flashbots_report_data(key_bits, exporter, out, err);
}

/* --- our message --- */

static atls_code want_evidence(atls_link *link, atls_step *next, atls_err *err)
{
    memset(&link->wanted, 0, sizeof link->wanted);
    ATLS_TRY(over(link, own_key_bits(link), link->wanted.wide, err));
    memcpy(link->wanted.narrow, link->wanted.wide, sizeof link->wanted.narrow);
    *next = ATLS_STEP_EVIDENCE;
    return ATLS_OK;
}

/* The type by what our evidence is; the option says which of the three names of a quote. */
static bool type_of_evidence(const atls_link *link, flashbots_type *type)
{
    const bool azure = strcmp(link->evidence.type, "azure") == 0;
    const char *text = atls_link_option(link, "type", azure ? "azure-tdx" : "dcap-tdx");
    return (azure || strcmp(link->evidence.type, "tdx") == 0) &&
           flashbots_type_of((atls_buf){(const uint8_t *)text, strlen(text)}, type) &&
           *type != FLASHBOTS_NONE && (*type == FLASHBOTS_AZURE_TDX) == azure;
}

static atls_code send_message(atls_link *link, flashbots_type type, atls_buf attestation,
                              atls_err *err)
{
    const size_t room = FLASHBOTS_FRAME_ROOM(attestation.len);
    uint8_t *frame = malloc(room);
    if (frame == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(frame, room);
    flashbots_message_write(&w, type, attestation);
    atls_code rc = atls_writer_ok(&w)
                       ? atls_link_send(link, atls_writer_done(&w), err)
                       : ATLS_ERR(err, ATLS_E_USAGE, "flashbots.evidence",
                                  "%zu bytes of evidence, where a frame has room for at most %u",
                                  attestation.len, FLASHBOTS_FRAME_MAX - 14u);
    free(frame);
    return rc;
}

static atls_code send_evidence(atls_link *link, flashbots_state *state, atls_err *err)
{
    flashbots_type type = FLASHBOTS_NONE;
    char *text = NULL;
    size_t len = 0;
    atls_buf attestation = atls_link_part(link, "quote");
    if (!type_of_evidence(link, &type)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "flashbots.evidence",
                        "evidence of type \"%s\", which cannot be sent as \"%s\"",
                        link->evidence.type, atls_link_option(link, "type", "dcap-tdx"));
    }
    if (type == FLASHBOTS_AZURE_TDX) {
        ATLS_TRY(flashbots_azure_write(&link->evidence, &text, &len, err));
        attestation = (atls_buf){(const uint8_t *)text, len};
    }
    atls_code rc = atls_digest(ATLS_SHA256, &attestation, 1, state->sent_sha256, err);
    rc = rc == ATLS_OK ? send_message(link, type, attestation, err) : rc;
    free(text);
    state->sent = rc == ATLS_OK;
    return rc;
}

static atls_code send_ours(atls_link *link, atls_step *next, atls_err *err)
{
    flashbots_state *state = link->state;
    if (!link->shows) {
        return send_message(link, FLASHBOTS_NONE, (atls_buf){NULL, 0}, err);
    }
    if (!link->has_evidence) {
        return want_evidence(link, next, err);
    }
    return send_evidence(link, state, err);
}

/* --- the peer's --- */

/* A message of ours that comes back says nothing about the peer, nor does one by somebody with our key. */
static atls_code check_not_ours(const atls_link *link, atls_buf peer_bits, atls_buf attestation,
                                atls_err *err)
{
    const flashbots_state *state = link->state;
    uint8_t sha256[32];
    if (peer_bits.len > 0 && atls_equal(peer_bits, own_key_bits(link))) {
        return ATLS_ERR(err, ATLS_E_BINDING, "flashbots.reflection",
                        "the peer shows this side's own TLS key");
    }
    ATLS_TRY(atls_digest(ATLS_SHA256, &attestation, 1, sha256, err));
    if (state->sent && memcmp(sha256, state->sent_sha256, sizeof sha256) == 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "flashbots.reflection",
                        "the peer sends this side's own evidence");
    }
    return ATLS_OK;
}

static atls_code carry_quote(atls_carried *carried, atls_buf quote, atls_err *err)
{
    uint8_t *room = atls_carried_room(carried, quote.len);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (quote.len > 0) {
        memcpy(room, quote.ptr, quote.len);
    }
    carried->evidence.type = "tdx";
    return atls_carried_add(carried, "quote", (atls_buf){room, quote.len}) ? ATLS_OK
                                                                           : ATLS_ERR_NOMEM(err);
}

static atls_code carry(atls_link *link, const flashbots_message *m, atls_err *err)
{
    atls_carried *carried = &link->carried;
    atls_buf bits;
    uint8_t report_data[64];
    ATLS_TRY(peer_key_bits(link, &bits, err));
    ATLS_TRY(check_not_ours(link, bits, m->attestation, err));
    ATLS_TRY(over(link, bits, report_data, err));
    if (m->type == FLASHBOTS_AZURE_TDX) {
        ATLS_TRY(flashbots_azure_read(m->attestation, carried, err));
        flashbots_azure_expect(report_data, &carried->expected);
    } else {
        ATLS_TRY(carry_quote(carried, m->attestation, err));
        carried->expected.has_report_data = true;
        memcpy(carried->expected.report_data, report_data, sizeof report_data);
    }
    if (bits.len == 0) {
        carried->expected.binding_line =
            "session (exporter; the peer showed no key; no role, no nonce)";
    }
    return ATLS_OK;
}

static atls_code read_message(atls_link *link, atls_buf body, atls_err *err)
{
    flashbots_message m;
    ATLS_TRY(flashbots_message_parse(body, &m, err));
    if (m.type == FLASHBOTS_NONE) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the peer sends a message of type \"none\", where evidence is wanted");
    }
    return carry(link, &m, err);
}

static atls_code take_theirs(atls_link *link, atls_step *next, atls_err *err)
{
    flashbots_state *state = link->state;
    atls_buf body;
    if (state->judging) { /* called again: it was accepted */
        state->judging = false;
        return ATLS_OK;
    }
    atls_code rc = flashbots_frame_parse((atls_buf){link->in, link->in_len}, &body, err);
    if (rc == ATLS_WANT_READ) {
        *next = ATLS_STEP_READ;
        return ATLS_OK;
    }
    ATLS_TRY(rc);
    if (link->asks) { /* otherwise it says nothing to us, whatever it is */
        ATLS_TRY(read_message(link, body, err));
        *next = ATLS_STEP_JUDGE;
        state->judging = true;
    }
    atls_link_take(link, FLASHBOTS_FRAME_HEAD + body.len);
    return ATLS_OK;
}

static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    flashbots_state *state = link->state;
    *next = ATLS_STEP_DONE;
    while (state->turns < 2) {
        const bool ours = (state->turns == 0) == (link->role == ATLS_SERVER);
        ATLS_TRY(ours ? send_ours(link, next, err) : take_theirs(link, next, err));
        if (*next != ATLS_STEP_DONE) {
            return ATLS_OK;
        }
        state->turns++;
    }
    return ATLS_OK;
}

const atls_binding atls_binding_flashbots = {
    .name = "flashbots",
    .kind = ATLS_BINDING_SESSION,
    .line = "session (exporter + key; no role, no nonce)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn = {"flashbots-ratls/1+h2", "flashbots-ratls/1+http/1.1", "flashbots-ratls/1"},
    .options = {"type"},
    .in_max = FLASHBOTS_FRAME_HEAD + FLASHBOTS_FRAME_MAX,
    .state_size = sizeof(flashbots_state),
    .exchange = exchange,
};
