/* endorsements.h: what the caller gives beside the evidence (contract, --endorsement): certificates and CRLs, which are
 * judged in each verification and are never roots, and raw keys, which the caller vouches for: each for one kind of
 * evidence only. */
#ifndef ATLS_TRUST_ENDORSEMENTS_H
#define ATLS_TRUST_ENDORSEMENTS_H

#include "crypto/cert.h"
#include "crypto/crl.h"
#include "crypto/public_key.h"

#define ATLS_ENDORSEMENT_MAX_LEN ((size_t)4 << 20) /* bytes */
#define ATLS_ENDORSED_CERTS_MAX  256
#define ATLS_ENDORSED_CRLS_MAX   32
#define ATLS_VOUCHED_KEYS_MAX    1024

typedef enum atls_vouched_for {
    ATLS_VOUCHED_FOR_QUOTES = 0, /* a TPM's AK */
    ATLS_VOUCHED_FOR_TOKENS,     /* a JWK */
    ATLS_VOUCHED_FOR_CCA         /* a CPAK */
} atls_vouched_for;

typedef struct atls_vouched_key {
    atls_vouched_for what;
    atls_public_key *key;
    char kid[256];       /* tokens; "": none */
    char alg[16];        /* tokens: "RS256", ...; "": none */
    bool has_attributes; /* quotes: it came as a public area, with these object attributes */
    uint32_t attributes;
    uint16_t scheme, scheme_hash; /* likewise: TPM_ALG_IDs */
    bool has_ids;                 /* CCA */
    uint8_t instance_id[33];
    uint8_t implementation_id[32];
} atls_vouched_key;

typedef struct atls_endorsements {
    atls_cert *certs[ATLS_ENDORSED_CERTS_MAX];
    size_t certs_n;
    atls_crl *crls[ATLS_ENDORSED_CRLS_MAX];
    size_t crls_n;
    atls_vouched_key *keys[ATLS_VOUCHED_KEYS_MAX]; /* owned */
    size_t keys_n;
} atls_endorsements;

void atls_endorsements_clear(atls_endorsements *e);

/* Recognises bytes, and adds all that is in them, or nothing. A PEM text may mix certificates, CRLs and public keys.
 * ATLS_E_INVALID "endorsement.unknown" / ".size" / ".count",
 * or the id of the decoder that refused. */
ATLS_MUST_USE atls_code atls_endorsements_add(atls_endorsements *e, atls_buf bytes, atls_err *err);

/* For the decoders. The first two take a reference, the last takes what it is given (and frees it when there is no
 * room). ATLS_E_INVALID "endorsement.count". */
ATLS_MUST_USE atls_code atls_endorsements_add_cert(atls_endorsements *e, atls_cert *cert,
                                                   atls_err *err);
ATLS_MUST_USE atls_code atls_endorsements_add_crl(atls_endorsements *e, atls_crl *crl,
                                                  atls_err *err);
ATLS_MUST_USE atls_code atls_endorsements_add_key(atls_endorsements *e, atls_vouched_key *key,
                                                  atls_err *err);

/* One kind of endorsement. The list stands in endorsements.c; the first that recognises the bytes decodes them. */
typedef struct atls_endorsement_kind {
    const char *name; /* "certificates" */
    bool (*recognise)(atls_buf bytes);
    atls_code (*add)(atls_endorsements *e, atls_buf bytes, atls_err *err);
} atls_endorsement_kind;

extern const atls_endorsement_kind atls_endorsement_certificates;
extern const atls_endorsement_kind atls_endorsement_cca_anchors;
extern const atls_endorsement_kind atls_endorsement_crl;
extern const atls_endorsement_kind atls_endorsement_cert_table;
extern const atls_endorsement_kind atls_endorsement_pem_keys;
extern const atls_endorsement_kind atls_endorsement_tpm_public;

#endif
