/* cocos.c: the dialect of Cocos: one exported authenticator of the server, asked for and sent in two frames at the start of
 * the TLS stream. The client is the verifier, the server the attester; the wire has no other direction. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "base/writer.h"
#include "binding/authenticator.h"
#include "binding/binding.h"
#include "binding/cocos_evidence.h"
#include "binding/cocos_frame.h"
#include "binding/cocos_payload.h"
#include "crypto/digest.h"
#include "crypto/tls_signature.h"

#define CONTEXT_LEN 32
#define OWN_REQUEST                                                                                \
    51 /* bytes of the request that we send: as the deployed clients', byte for byte */
#define RECORD                                                                                     \
    16384 /* what an attester's application may have sent right behind its authenticator */
#define REQUEST_TYPE   17 /* client_certificate_request: answered by the server */
#define SIGNATURE_ALGS 13

_Static_assert(ATLS_COCOS_REQUEST_MAX == ATLS_EA_REQUEST_MAX, "frame and message have one limit");
_Static_assert(ATLS_COCOS_AUTHENTICATOR_MAX == ATLS_EA_MAX, "frame and message have one limit");
_Static_assert(ATLS_COCOS_PAYLOAD_MAX == ATLS_EA_CMW_MAX, "payload and extension have one limit");

typedef enum stage { BEGUN = 0, ASKED, JUDGED, ATTESTING } stage;

/* What both sides make of the connection by themselves. */
typedef struct derived {
    uint8_t binder[48];
    size_t binder_len;
    uint8_t aik_pub_hash[48];
    uint8_t wide[64];   /* SHA-512(binder) */
    uint8_t narrow[32]; /* SHA-256(exported value) */
} derived;

typedef struct cocos { /* the state of a connection */
    stage stage;
    uint16_t cmw_type;
    bool padded; /* layout: the binder itself, zeros behind, where hardware has 64 bytes */
    bool
        tpm_binds; /* tpm: the binder itself is the qualifying data; otherwise a hash of the exported value */
    size_t frame_len; /* client: of the peer's frame, which is taken out after the verdict */
    bool same_key;    /* client: TLS leaf and authenticator have one key */
    derived own;      /* server: out of the request; all of it goes to the peer */
    uint8_t request[ATLS_EA_REQUEST_MAX]; /* client: ours; server: the peer's */
    size_t request_len;
} cocos;

static atls_code derive_from(atls_hash hash, atls_buf spki,
                             const uint8_t exported[ATLS_EA_EXPORTED_LEN], derived *out,
                             atls_err *err)
{
    ATLS_TRY(atls_ea_binder_of(hash, spki, exported, out->binder, err));
    out->binder_len = atls_hash_len(hash);
    const atls_buf binder = {out->binder, out->binder_len};
    const atls_buf value = {exported, ATLS_EA_EXPORTED_LEN};
    ATLS_TRY(atls_digest(hash, &spki, 1, out->aik_pub_hash, err));
    ATLS_TRY(atls_digest(ATLS_SHA512, &binder, 1, out->wide, err));
    return atls_digest(ATLS_SHA256, &value, 1, out->narrow, err);
}

static atls_code derive(const atls_link *link, atls_buf spki, atls_buf context, derived *out,
                        atls_err *err)
{
    uint8_t exported[ATLS_EA_EXPORTED_LEN];
    ATLS_TRY(atls_ea_export(&link->exporter, context, exported, err));
    atls_code rc = derive_from(link->exporter.hash, spki, exported, out, err);
    OPENSSL_cleanse(exported, sizeof exported);
    return rc;
}

static atls_buf frame_of(const atls_link *link, size_t len)
{
    return (atls_buf){link->in + ATLS_COCOS_HEADER, len};
}

/* The one frame that may come, when all of it is there. */
static atls_code take_frame(const atls_link *link, uint8_t type, bool *whole, size_t *len,
                            atls_err *err)
{
    uint32_t size = 0;
    *whole = false;
    if (link->in_len < ATLS_COCOS_HEADER) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_cocos_frame_parse(link->in, type, &size, err));
    *whole = link->in_len - ATLS_COCOS_HEADER >= size;
    *len = size;
    return ATLS_OK;
}

static atls_code send_frame(atls_link *link, uint8_t type, atls_buf payload, atls_err *err)
{
    uint8_t header[ATLS_COCOS_HEADER];
    atls_cocos_frame_write(type, (uint32_t)payload.len, header);
    ATLS_TRY(atls_link_send(link, (atls_buf){header, sizeof header}, err));
    return atls_link_send(link, payload, err);
}

/* --- options --- */

static bool is_one_of(const char *value, const char *a, const char *b)
{
    return strcmp(value, a) == 0 || strcmp(value, b) == 0;
}

static bool read_code_point(const char *text, uint16_t *out)
{
    char *end = NULL;
    const unsigned long value = strtoul(text, &end, 0);
    *out = (uint16_t)value;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= 0xffff;
}

static atls_code begin(atls_link *link, atls_err *err)
{
    cocos *c = link->state;
    const char *layout = atls_link_option(link, "layout", "sha512");
    const char *tpm = atls_link_option(link, "tpm", "exported");
    if (!is_one_of(layout, "sha512", "binder-padded") || !is_one_of(tpm, "exported", "binder") ||
        !read_code_point(atls_link_option(link, "extension", "0xff00"), &c->cmw_type)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "cocos.option",
                        "layout is sha512 or binder-padded, tpm is exported or binder, extension "
                        "is a number up to 0xffff");
    }
    if (link->role == ATLS_CLIENT ? !link->asks : !link->shows) {
        return ATLS_ERR(err, ATLS_E_USAGE, "cocos.direction",
                        "the server attests and the client verifies: this side has no %s",
                        link->role == ATLS_CLIENT ? "verifier" : "attester");
    }
    c->padded = strcmp(layout, "binder-padded") == 0;
    c->tpm_binds = strcmp(tpm, "binder") == 0;
    return ATLS_OK;
}

/* --- the client: asks, and judges --- */

/* Context, signature_algorithms with ecdsa_secp256r1_sha256 alone, cmw_attestation empty. */
static atls_code ask(atls_link *link, atls_err *err)
{
    cocos *c = link->state;
    uint8_t context[CONTEXT_LEN];
    ATLS_TRY(atls_link_random(link, context, sizeof context, err));
    atls_writer w = atls_writer_of(c->request, sizeof c->request);
    atls_writer_u8(&w, REQUEST_TYPE);
    atls_writer_u24be(&w, OWN_REQUEST - 4);
    atls_writer_u8(&w, CONTEXT_LEN);
    atls_writer_bytes(&w, (atls_buf){context, sizeof context});
    atls_writer_u16be(&w, 12); /* bytes of extensions */
    atls_writer_u16be(&w, SIGNATURE_ALGS);
    atls_writer_u16be(&w, 4);
    atls_writer_u16be(&w, 2);
    atls_writer_u16be(&w, ATLS_TLS_ECDSA_SECP256R1_SHA256);
    atls_writer_u16be(&w, c->cmw_type);
    atls_writer_u16be(&w, 0);
    c->request_len = w.len;
    return send_frame(link, ATLS_COCOS_REQUEST, atls_writer_done(&w), err);
}

/* Structure, context, extensions, MAC, signature; then whose key it is. */
static atls_code read_authenticator(atls_link *link, atls_buf bytes, atls_ea_request *request,
                                    atls_ea *ea, atls_err *err)
{
    const cocos *c = link->state;
    atls_ea_keys keys = {0};
    ATLS_TRY(atls_ea_request_parse((atls_buf){c->request, c->request_len}, ATLS_EA_SERVER,
                                   c->cmw_type, request, err));
    ATLS_TRY(atls_ea_parse(bytes, request, c->cmw_type, ea, err));
    if (link->peer != NULL && atls_equal(ea->spki, link->peer_spki)) {
        ea->key = X509_get0_pubkey(link->peer);
    }
    ATLS_TRY(atls_ea_keys_derive_of(&link->exporter, ATLS_EA_SERVER, &keys, err));
    atls_code rc = atls_ea_verify(&keys, request, ea, err);
    OPENSSL_cleanse(&keys, sizeof keys);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (ea->empty || ea->cmw.len == 0) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence", "the peer %s",
                        ea->empty ? "refuses to show evidence"
                                  : "shows a certificate without evidence");
    }
    if (link->spki.len > 0 && atls_equal(ea->spki, link->spki)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.own_key",
                        "the peer's authenticator has our own key");
    }
    return ATLS_OK;
}

/* The words beside the evidence: if they are wrong, the sender is confused. If they are right, that proves nothing. */
static atls_code compare_words(const derived *d, const atls_cocos_payload *p, atls_err *err)
{
    if (!atls_equal(p->aik_pub_hash, (atls_buf){d->aik_pub_hash, d->binder_len})) {
        return ATLS_ERR(err, ATLS_E_BINDING, "cocos.aik_pub_hash",
                        "aik_pub_hash is not the hash of the authenticator's key");
    }
    if (!atls_equal(p->binding, (atls_buf){d->binder, d->binder_len})) {
        return ATLS_ERR(err, ATLS_E_BINDING, "cocos.binding",
                        "the binding is that of another connection or key");
    }
    return ATLS_OK;
}

/* Deployed attesters take the TPM's nonce; one without it takes the report data. */
static atls_code compare_nonce(const derived *d, atls_buf nonce, atls_err *err)
{
    if (atls_equal(nonce, (atls_buf){d->narrow, sizeof d->narrow}) ||
        atls_equal(nonce, (atls_buf){d->wide, sizeof d->wide})) {
        return ATLS_OK;
    }
    return ATLS_ERR(err, ATLS_E_BINDING, "cocos.nonce", "eat_nonce is that of another connection");
}

/* SHA3-512(SHA-512(binder) || TPMT_PUBLIC): with a vTPM beside it, the hardware's report covers the attestation key. */
static atls_code hardware_data(const derived *d, atls_buf ak_public, uint8_t out[64], atls_err *err)
{
    unsigned len = 64;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, EVP_sha3_512(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, d->wide, sizeof d->wide) == 1 &&
              EVP_DigestUpdate(ctx, ak_public.ptr, ak_public.len) == 1 &&
              EVP_DigestFinal_ex(ctx, out, &len) == 1 && len == 64;
    EVP_MD_CTX_free(ctx);
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_SYSTEM, "crypto.digest", "SHA3-512 is not available");
}

/* What the hardware must say, out of our own view of the connection. */
static atls_code expect(const cocos *c, const derived *d, const atls_cocos_evidence *e,
                        const char *type, atls_expected *out, atls_err *err)
{
    const bool is_tpm = strcmp(type, "tpm") == 0 || strcmp(type, "snp-tpm") == 0;
    if (is_tpm ? c->tpm_binds : c->padded) {
        out->has_nonce = true;
        out->nonce_len = d->binder_len;
        memcpy(out->nonce, d->binder, d->binder_len);
    } else {
        out->has_report_data = out->has_short_data = true;
        memcpy(out->report_data, d->wide, sizeof d->wide);
        memcpy(out->short_data, d->narrow, sizeof d->narrow);
    }
    if (strcmp(type, "snp-tpm") == 0) {
        out->has_hardware_data = true;
        return hardware_data(d, e->ak_public, out->hardware_data, err);
    }
    return ATLS_OK;
}

static atls_code read_answer(atls_link *link, atls_buf bytes, atls_err *err)
{
    cocos *c = link->state;
    atls_ea_request request;
    atls_ea ea;
    atls_cocos_payload payload;
    atls_cocos_evidence evidence;
    derived d;
    ATLS_TRY(read_authenticator(link, bytes, &request, &ea, err));
    ATLS_TRY(derive(link, ea.spki, request.context, &d, err));
    ATLS_TRY(atls_cocos_payload_parse(ea.cmw, &link->carried, &payload, err));
    ATLS_TRY(compare_words(&d, &payload, err));
    ATLS_TRY(atls_cocos_evidence_parse(payload.evidence, &link->carried, &evidence, err));
    ATLS_TRY(compare_nonce(&d, evidence.nonce, err));
    c->same_key = atls_equal(ea.spki, link->peer_spki);
    return expect(c, &d, &evidence, link->carried.evidence.type, &link->carried.expected, err);
}

static atls_code client(atls_link *link, atls_step *next, atls_err *err)
{
    cocos *c = link->state;
    bool whole = false;
    size_t len = 0;
    *next = ATLS_STEP_READ;
    if (c->stage == BEGUN) {
        ATLS_TRY(ask(link, err));
        c->stage = ASKED;
        return ATLS_OK;
    }
    if (c->stage == ASKED) {
        ATLS_TRY(take_frame(link, ATLS_COCOS_AUTHENTICATOR, &whole, &len, err));
        if (whole) {
            ATLS_TRY(read_answer(link, frame_of(link, len), err));
            c->frame_len = ATLS_COCOS_HEADER + len;
            c->stage = JUDGED;
            *next = ATLS_STEP_JUDGE;
        }
        return ATLS_OK;
    }
    if (!c->same_key && (link->verdict == NULL || !atls_verdict_two_keys(link->verdict))) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.key",
                        "the authenticator's key is not that of the peer's TLS certificate");
    }
    atls_link_take(link, c->frame_len);
    *next = ATLS_STEP_DONE;
    return ATLS_OK;
}

/* --- the server: is asked, and attests --- */

static atls_code parse_request(const atls_link *link, atls_ea_request *out, atls_err *err)
{
    const cocos *c = link->state;
    return atls_ea_request_parse((atls_buf){c->request, c->request_len}, ATLS_EA_SERVER,
                                 c->cmw_type, out, err);
}

/* What a client sends before it has its answer is no application's data that anybody may believe. */
static atls_code nothing_behind(const atls_link *link, size_t len, atls_err *err)
{
    return link->in_len == len
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "cocos.early_data",
                          "%zu bytes of the peer before our authenticator", link->in_len - len);
}

static atls_code want_evidence(atls_link *link, const atls_ea_request *request, atls_err *err)
{
    cocos *c = link->state;
    derived *d = &c->own;
    ATLS_TRY(derive(link, link->spki, request->context, d, err));
    memcpy(link->wanted.wide, d->wide, sizeof d->wide);
    memcpy(link->wanted.narrow, d->narrow, sizeof d->narrow);
    if (c->padded) {
        memset(link->wanted.wide, 0, sizeof link->wanted.wide);
        memcpy(link->wanted.wide, d->binder, d->binder_len);
    }
    if (c->tpm_binds) {
        if (d->binder_len != sizeof link->wanted.narrow) {
            return ATLS_ERR(err, ATLS_E_USAGE, "cocos.tpm_binder",
                            "a binder of %zu bytes, where our attesters have room for %zu: ask for "
                            "a cipher suite with SHA-256",
                            d->binder_len, sizeof link->wanted.narrow);
        }
        memcpy(link->wanted.narrow, d->binder, d->binder_len);
    }
    link->wanted.spki = link->spki.ptr;
    link->wanted.spki_len = link->spki.len;
    return ATLS_OK;
}

static atls_code take_request(atls_link *link, size_t len, atls_err *err)
{
    cocos *c = link->state;
    atls_ea_request request;
    ATLS_TRY(nothing_behind(link, ATLS_COCOS_HEADER + len, err));
    memcpy(c->request, frame_of(link, len).ptr, len);
    c->request_len = len;
    atls_link_take(link, ATLS_COCOS_HEADER + len);
    ATLS_TRY(parse_request(link, &request, err));
    if (!request.wants_cmw) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.request",
                        "a request that does not offer cmw_attestation (extension 0x%04x)",
                        (unsigned)c->cmw_type);
    }
    bool fits = false;
    for (size_t i = 0; i < request.schemes_n; i++) {
        fits = fits || (link->key != NULL && atls_tls_scheme_fits(request.schemes[i], link->key));
    }
    if (!fits || link->leaf == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.no_scheme",
                        "the peer offers no signature scheme for our key");
    }
    return want_evidence(link, &request, err);
}

static atls_code make_payload(const atls_link *link, const derived *d, uint8_t **out,
                              size_t *out_len, atls_err *err)
{
    uint8_t *claims = NULL;
    size_t len = 0;
    ATLS_TRY(atls_cocos_evidence_write(&link->evidence, (atls_buf){d->narrow, sizeof d->narrow},
                                       &claims, &len, err));
    const atls_cocos_payload payload = {
        .evidence = {claims, len},
        .aik_pub_hash = {d->aik_pub_hash, d->binder_len},
        .binding = {d->binder, d->binder_len},
    };
    atls_code rc = atls_cocos_payload_write(&payload, out, out_len, err);
    free(claims);
    return rc;
}

static atls_code answer(atls_link *link, atls_err *err)
{
    const cocos *c = link->state;
    atls_ea_request request;
    atls_ea_keys keys = {0};
    uint8_t *payload = NULL;
    uint8_t *authenticator = NULL;
    size_t payload_len = 0;
    size_t len = 0;
    ATLS_TRY(nothing_behind(link, 0, err));
    ATLS_TRY(parse_request(link, &request, err));
    ATLS_TRY(atls_ea_keys_derive_of(&link->exporter, ATLS_EA_SERVER, &keys, err));
    atls_code rc = make_payload(link, &c->own, &payload, &payload_len, err);
    if (rc == ATLS_OK) {
        rc =
            atls_ea_build(&keys, &request, &link->leaf, 1, link->key,
                          (atls_buf){payload, payload_len}, c->cmw_type, &authenticator, &len, err);
    }
    if (rc == ATLS_OK) {
        rc = send_frame(link, ATLS_COCOS_AUTHENTICATOR, (atls_buf){authenticator, len}, err);
    }
    OPENSSL_cleanse(&keys, sizeof keys);
    free(payload);
    free(authenticator);
    return rc;
}

static atls_code server(atls_link *link, atls_step *next, atls_err *err)
{
    cocos *c = link->state;
    bool whole = false;
    size_t len = 0;
    if (c->stage == ATTESTING) {
        *next = link->has_evidence ? ATLS_STEP_DONE : ATLS_STEP_EVIDENCE;
        return link->has_evidence ? answer(link, err) : ATLS_OK;
    }
    *next = ATLS_STEP_READ;
    ATLS_TRY(take_frame(link, ATLS_COCOS_REQUEST, &whole, &len, err));
    if (whole) {
        ATLS_TRY(take_request(link, len, err));
        c->stage = ATTESTING;
        *next = ATLS_STEP_EVIDENCE;
    }
    return ATLS_OK;
}

static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    return link->role == ATLS_CLIENT ? client(link, next, err) : server(link, next, err);
}

const atls_binding atls_binding_cocos = {
    .name = "cocos",
    .kind = ATLS_BINDING_SESSION,
    .line = "session (exporter + key; a TPM's quote: exporter alone)",
    .shows = ATLS_SHOWS_SERVER,
    .alpn = {"h2", "http/1.1"},
    .alpn_optional = true,
    .options = {"extension", "layout", "tpm"},
    .in_max = ATLS_COCOS_HEADER + ATLS_COCOS_AUTHENTICATOR_MAX + RECORD,
    .state_size = sizeof(cocos),
    .begin = begin,
    .exchange = exchange,
};
