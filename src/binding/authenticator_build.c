/* Making an authenticator, and the empty one that refuses (RFC 9261, sections 5 and 6). */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/err.h"
#include "base/writer.h"
#include "binding/authenticator_wire.h"
#include "crypto/leaf.h"
#include "crypto/tls_signature.h"

#define CERTIFICATE_VERIFY_MAX (HS_HEADER + 2 + 2 + ATLS_TLS_SIGNATURE_MAX)
#define FINISHED_MAX           (HS_HEADER + 48)

_Static_assert(HS_HEADER + 1 + 255 + 3 + ATLS_EA_CHAIN_MAX * (ATLS_LEAF_MAX + 5) + 6 +
                       ATLS_EA_CMW_MAX + CERTIFICATE_VERIFY_MAX + FINISHED_MAX <=
                   ATLS_EA_MAX,
               "what we build is within what a peer reads");

typedef struct encoded_chain {
    unsigned char *der[ATLS_EA_CHAIN_MAX];
    size_t len[ATLS_EA_CHAIN_MAX];
    size_t n, total; /* total: bytes of all */
} encoded_chain;

static void encoded_chain_clear(encoded_chain *c)
{
    for (size_t i = 0; i < c->n; i++) {
        OPENSSL_free(c->der[i]);
    }
    c->n = 0;
}

static atls_code encode_chain(X509 *const *chain, size_t n, encoded_chain *out, atls_err *err)
{
    encoded_chain c = {0};
    if (n == 0 || n > ATLS_EA_CHAIN_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.chain",
                        "a chain of %zu certificates, where 1 to %d are allowed", n,
                        ATLS_EA_CHAIN_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        int len = i2d_X509(chain[i], &c.der[i]);
        if (len <= 0 || len > ATLS_LEAF_MAX) {
            OPENSSL_free(len > 0 ? c.der[i] : NULL);
            encoded_chain_clear(&c);
            return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.chain",
                            "certificate %zu of the chain has %d bytes, where %d are allowed", i,
                            len, ATLS_LEAF_MAX);
        }
        c.len[i] = (size_t)len;
        c.total += (size_t)len;
        c.n++;
    }
    *out = c;
    return ATLS_OK;
}

static atls_code choose_scheme(const atls_ea_request *request, X509 *leaf, EVP_PKEY *key,
                               uint16_t *scheme, atls_err *err)
{
    EVP_PKEY *leaf_key = X509_get0_pubkey(leaf);
    if (leaf_key == NULL || EVP_PKEY_eq(leaf_key, key) != 1) {
        return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.key",
                        "the private key is not that of the leaf certificate");
    }
    for (size_t i = 0; i < request->schemes_n; i++) {
        if (atls_tls_scheme_fits(request->schemes[i], key)) {
            *scheme = request->schemes[i];
            return ATLS_OK;
        }
    }
    return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.no_scheme",
                    "the peer offers no signature scheme for our key");
}

/* What stands between the certificates of a Certificate message; the leaf's extensions are those of cmw. */
static void write_certificate(atls_writer *w, atls_buf context, const encoded_chain *chain,
                              atls_buf cmw, uint16_t cmw_type)
{
    const size_t extensions = cmw.len > 0 ? 4 + 2 + cmw.len : 0;
    const size_t list = chain->total + chain->n * 5 + extensions;
    atls_writer_u8(w, HS_CERTIFICATE);
    atls_writer_u24be(w, (uint32_t)(1 + context.len + 3 + list));
    atls_writer_u8(w, (uint8_t)context.len);
    atls_writer_bytes(w, context);
    atls_writer_u24be(w, (uint32_t)list);
    for (size_t i = 0; i < chain->n; i++) {
        atls_writer_u24be(w, (uint32_t)chain->len[i]);
        atls_writer_bytes(w, (atls_buf){chain->der[i], chain->len[i]});
        atls_writer_u16be(w, (uint16_t)(i == 0 ? extensions : 0));
        if (i == 0 && extensions > 0) {
            atls_writer_u16be(w, cmw_type);
            atls_writer_u16be(w, (uint16_t)(2 + cmw.len));
            atls_writer_u16be(w, (uint16_t)cmw.len);
            atls_writer_bytes(w, cmw);
        }
    }
}

static atls_code write_certificate_verify(atls_writer *w, const atls_transcript *transcript,
                                          uint16_t scheme, EVP_PKEY *key, atls_err *err)
{
    uint8_t tbs[EA_TBS_MAX];
    uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
    size_t tbs_len = 0;
    size_t len = 0;
    ATLS_TRY(atls_ea_to_be_signed(transcript, tbs, &tbs_len, err));
    ATLS_TRY(atls_tls_sign(scheme, key, (atls_buf){tbs, tbs_len}, signature, &len, err));
    atls_writer_u8(w, HS_CERTIFICATE_VERIFY);
    atls_writer_u24be(w, (uint32_t)(4 + len));
    atls_writer_u16be(w, scheme);
    atls_writer_u16be(w, (uint16_t)len);
    atls_writer_bytes(w, (atls_buf){signature, len});
    return ATLS_OK;
}

static atls_code write_finished(atls_writer *w, const atls_ea_keys *keys,
                                const atls_ea_request *request, const atls_transcript *transcript,
                                atls_err *err)
{
    uint8_t mac[48];
    const size_t len = atls_hash_len(keys->hash);
    ATLS_TRY(atls_ea_finished(keys, request, transcript, mac, err));
    atls_writer_u8(w, HS_FINISHED);
    atls_writer_u24be(w, (uint32_t)len);
    atls_writer_bytes(w, (atls_buf){mac, len});
    return ATLS_OK;
}

/* Behind the Certificate message, which w has already. */
static atls_code write_proofs(atls_writer *w, const atls_ea_keys *keys,
                              const atls_ea_request *request, uint16_t scheme, EVP_PKEY *key,
                              atls_err *err)
{
    const size_t certificate_len = w->len;
    atls_transcript transcript = {0};
    ATLS_TRY(atls_ea_transcript(keys, request, atls_writer_done(w), &transcript, err));
    atls_code rc = write_certificate_verify(w, &transcript, scheme, key, err);
    if (rc == ATLS_OK) {
        const atls_buf certificate_verify = {w->ptr + certificate_len, w->len - certificate_len};
        rc = atls_transcript_add(&transcript, certificate_verify, err);
    }
    if (rc == ATLS_OK) {
        rc = write_finished(w, keys, request, &transcript, err);
    }
    atls_transcript_clear(&transcript);
    return rc;
}

static atls_code write_authenticator(atls_writer *w, const atls_ea_keys *keys,
                                     const atls_ea_request *request, const encoded_chain *chain,
                                     uint16_t scheme, EVP_PKEY *key, atls_buf cmw,
                                     uint16_t cmw_type, atls_err *err)
{
    write_certificate(w, request->context, chain, cmw, cmw_type);
    ATLS_TRY(write_proofs(w, keys, request, scheme, key, err));
    return atls_writer_ok(w) ? ATLS_OK
                             : ATLS_ERR(err, ATLS_E_SYSTEM, "authenticator.space",
                                        "the authenticator is longer than was reckoned");
}

atls_code atls_ea_build(const atls_ea_keys *keys, const atls_ea_request *request,
                        X509 *const *chain, size_t chain_n, EVP_PKEY *key, atls_buf cmw,
                        uint16_t cmw_type, uint8_t **out, size_t *out_len, atls_err *err)
{
    if (cmw.len > ATLS_EA_CMW_MAX || (cmw.len > 0 && !request->wants_cmw)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.cmw",
                        "evidence of %zu bytes, where %d fit and the peer must have asked for it",
                        cmw.len, ATLS_EA_CMW_MAX);
    }
    encoded_chain der = {0};
    uint16_t scheme = 0;
    ATLS_TRY(encode_chain(chain, chain_n, &der, err));
    atls_code rc = choose_scheme(request, chain[0], key, &scheme, err);
    uint8_t *space = NULL;
    if (rc == ATLS_OK) {
        const size_t cap = HS_HEADER + 1 + request->context.len + 3 + der.total + der.n * 5 + 6 +
                           cmw.len + CERTIFICATE_VERIFY_MAX + FINISHED_MAX;
        space = malloc(cap);
        rc = space == NULL ? ATLS_ERR_NOMEM(err) : ATLS_OK;
        atls_writer w = atls_writer_of(space, cap);
        if (rc == ATLS_OK) {
            rc = write_authenticator(&w, keys, request, &der, scheme, key, cmw, cmw_type, err);
        }
        if (rc == ATLS_OK) {
            *out = space;
            *out_len = w.len;
            space = NULL;
        }
    }
    free(space);
    encoded_chain_clear(&der);
    return rc;
}

atls_code atls_ea_build_empty(const atls_ea_keys *keys, const atls_ea_request *request,
                              uint8_t *space, size_t cap, atls_buf *out, atls_err *err)
{
    uint8_t cert0[EA_CERT0_MAX];
    const atls_buf certificate = atls_ea_empty_certificate(request->context, cert0);
    atls_writer w = atls_writer_of(space, cap);
    atls_transcript transcript = {0};
    ATLS_TRY(atls_ea_transcript(keys, request, certificate, &transcript, err));
    atls_code rc = write_finished(&w, keys, request, &transcript, err);
    atls_transcript_clear(&transcript);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (!atls_writer_ok(&w)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "authenticator.space",
                        "%zu bytes are too few for an empty authenticator", cap);
    }
    *out = atls_writer_done(&w);
    return ATLS_OK;
}
