/* claim_set.h: what the two tokens of Arm CCA say (draft-ffm-rats-cca-token): parsed, and nothing judged. Views point
 * into the bytes. */
#ifndef ATLS_EVIDENCE_CCA_CLAIM_SET_H
#define ATLS_EVIDENCE_CCA_CLAIM_SET_H

#include "codec/cose.h"
#include "crypto/digest.h"

#define ATLS_CCA_COMPONENTS_MAX 32
#define ATLS_CCA_TEXT_MAX       1024 /* bytes */
#define ATLS_CCA_CHALLENGE_LEN  64
#define ATLS_CCA_LIFECYCLE_MAX  0x60ff

typedef struct atls_cca_platform_component {
    atls_buf type, version, hash_alg; /* text; empty: absent */
    atls_buf measurement, signer_id;  /* 1 to 64 bytes */
} atls_cca_platform_component;

typedef struct atls_cca_platform {
    atls_buf profile;
    atls_buf challenge;                      /* 32, 48 or 64 bytes: a hash of the RAK */
    atls_buf implementation_id, instance_id; /* 32 and 33 bytes */
    atls_buf config;
    uint32_t lifecycle;
    atls_buf verification_service; /* empty: absent */
    atls_cca_platform_component components[ATLS_CCA_COMPONENTS_MAX];
    size_t components_n;
} atls_cca_platform;

typedef struct atls_cca_realm {
    atls_buf profile;                    /* empty: absent, the legacy form */
    atls_buf challenge, personalization; /* 64 bytes each */
    atls_buf rim, rem[4];                /* 32, 48 or 64 bytes each */
    atls_buf rak;                        /* as claimed: a point, or with a profile a COSE_Key */
    atls_hash rak_hash;
} atls_cca_realm;

/* Each claim has a check id of its own: "cca.platform.lifecycle", ...; ATLS_E_INVALID. Claims that are not known are
 * passed over. */
ATLS_MUST_USE atls_code atls_cca_platform_parse(atls_buf bytes, atls_cca_platform *out,
                                                atls_err *err);
ATLS_MUST_USE atls_code atls_cca_realm_parse(atls_buf bytes, atls_cca_realm *out, atls_err *err);

/* The RAK: P-384, on its curve. "cca.realm.rak". The caller frees *out. */
ATLS_MUST_USE atls_code atls_cca_realm_key(const atls_cca_realm *realm, atls_public_key **out,
                                           atls_err *err);

/* The wrapper: tag 399 over a map of exactly the two. "cca.cbor", "cca.tag", "cca.unknown", "cca.platform.missing",
 * "cca.realm.missing". */
ATLS_MUST_USE atls_code atls_cca_token_parse(atls_buf bytes, atls_buf *platform, atls_buf *realm,
                                             atls_err *err);

#endif
