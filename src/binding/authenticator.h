/* authenticator.h: TLS Exported Authenticators (RFC 9261) with the cmw_attestation extension (expat).
 * Messages only: no IO, no evidence format, no policy. Limits are checked before anything is allocated. */
#ifndef ATLS_BINDING_AUTHENTICATOR_H
#define ATLS_BINDING_AUTHENTICATOR_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "binding/exporter.h"

#define ATLS_EA_CMW_TYPE 0xff00u      /* default code point of cmw_attestation (private use) */
#define ATLS_EA_REQUEST_MAX 4096      /* bytes */
#define ATLS_EA_MAX 131072            /* an authenticator, bytes */
#define ATLS_EA_CMW_MAX 65529
#define ATLS_EA_CHAIN_MAX 6
#define ATLS_EA_SCHEMES_MAX 16

typedef enum atls_ea_sender { ATLS_EA_CLIENT = 0, ATLS_EA_SERVER = 1 } atls_ea_sender;

typedef struct atls_ea_keys { /* secrets: cleanse after use */
    atls_hash hash;
    uint8_t handshake_context[2][48]; /* by sender of the authenticator */
    uint8_t finished_key[2][48];
} atls_ea_keys;
ATLS_MUST_USE atls_code atls_ea_keys_derive(const atls_exporter *exporter, atls_ea_keys *out, atls_err *err);
/* Those of one sender's authenticators alone; the other's in *out stay. */
ATLS_MUST_USE atls_code atls_ea_keys_derive_of(const atls_exporter *exporter, atls_ea_sender sender,
                                               atls_ea_keys *out, atls_err *err);

/* --- the request --- */
typedef struct atls_ea_request { /* views point into raw */
    atls_buf raw;              /* the whole handshake message */
    atls_ea_sender answered_by; /* SERVER: type 17; CLIENT: type 13 */
    atls_buf context;
    uint16_t schemes[ATLS_EA_SCHEMES_MAX]; /* those we know, in the peer's order */
    size_t schemes_n;
    bool wants_cmw;
} atls_ea_request;
/* Our request: signature_algorithms (ecdsa_secp256r1_sha256, secp384r1_sha384, ed25519, rsa_pss_rsae_sha256) and,
 * if wants_cmw, an empty cmw extension. Writes to space; *raw is the view of what was written. */
ATLS_MUST_USE atls_code atls_ea_request_build(atls_ea_sender answered_by, atls_buf context, bool wants_cmw,
                                              uint16_t cmw_type, uint8_t *space, size_t cap, atls_buf *raw,
                                              atls_err *err);
/* Check ids "request...."; a context shorter than 16 bytes is refused. */
ATLS_MUST_USE atls_code atls_ea_request_parse(atls_buf raw, atls_ea_sender answered_by, uint16_t cmw_type,
                                              atls_ea_request *out, atls_err *err);

/* --- the authenticator --- */
/* chain[0] is the leaf with key. cmw empty: no extension. *out is malloc'ed. */
ATLS_MUST_USE atls_code atls_ea_build(const atls_ea_keys *keys, const atls_ea_request *request,
                                      X509 *const *chain, size_t chain_n, EVP_PKEY *key, atls_buf cmw,
                                      uint16_t cmw_type, uint8_t **out, size_t *out_len, atls_err *err);
/* The empty authenticator: an authenticated refusal. space: at least 4 + 48 bytes. */
ATLS_MUST_USE atls_code atls_ea_build_empty(const atls_ea_keys *keys, const atls_ea_request *request,
                                            uint8_t *space, size_t cap, atls_buf *out, atls_err *err);

typedef struct atls_ea { /* views point into the authenticator's bytes */
    bool empty; /* the peer refused, and proved that it was it */
    atls_buf certificate, certificate_verify, finished; /* whole messages */
    atls_buf chain[ATLS_EA_CHAIN_MAX]; /* DER; [0] the leaf */
    size_t chain_n;
    atls_buf spki;      /* of the leaf, as it stands there */
    EVP_PKEY *key;      /* lent; NULL, which parsing leaves: decoded from spki. A caller who has the key of these very
                         * bytes decoded (TLS has, where both leaves have one key) may set it before atls_ea_verify */
    atls_buf cmw;       /* empty if none */
    uint16_t scheme;
    atls_buf signature;
} atls_ea;
/* Splits, and checks all of specification 3.1 up to the signature and the MAC: structure, context equal to the
 * request's, extensions offered, cmw in entry 0 and once, scheme offered. ids "authenticator....". */
ATLS_MUST_USE atls_code atls_ea_parse(atls_buf bytes, const atls_ea_request *request, uint16_t cmw_type,
                                      atls_ea *out, atls_err *err);
/* Finished (constant time) and then CertificateVerify. ATLS_E_BINDING: "authenticator.finished",
 * "authenticator.signature". For an empty one only Finished; the caller then looks at ea->empty. */
ATLS_MUST_USE atls_code atls_ea_verify(const atls_ea_keys *keys, const atls_ea_request *request,
                                       const atls_ea *ea, atls_err *err);

/* TLS-Exporter("Attestation", context, 32): a secret, to be cleansed. */
#define ATLS_EA_EXPORTED_LEN 32
ATLS_MUST_USE atls_code atls_ea_export(const atls_exporter *exporter, atls_buf context,
                                       uint8_t out[ATLS_EA_EXPORTED_LEN], atls_err *err);
/* binder = Hash(SPKI || that value); atls_hash_len(hash) bytes. */
ATLS_MUST_USE atls_code atls_ea_binder_of(atls_hash hash, atls_buf spki,
                                          const uint8_t exported[ATLS_EA_EXPORTED_LEN], uint8_t out[48],
                                          atls_err *err);
/* Both at once. */
ATLS_MUST_USE atls_code atls_ea_binder(const atls_exporter *exporter, atls_buf spki, atls_buf context,
                                       uint8_t out[48], atls_err *err);

#endif
