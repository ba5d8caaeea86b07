/* root.h: the roots of one family of evidence. A root counts for its own family only. */
#ifndef ATLS_TRUST_ROOT_H
#define ATLS_TRUST_ROOT_H

#include "crypto/cert.h"
#include <atls/types.h>
#include <atls/verifier.h>

#define ATLS_FAMILIES  (ATLS_FAMILY_CCA + 1)
#define ATLS_ROOTS_MAX 24 /* of a family; all simulated worlds together have less */
/* Organisation in the certificates of a simulated platform. */
#define ATLS_SIMULATOR_O "atls simulator"

typedef struct atls_root {
    uint8_t sha256[32];      /* of the whole certificate: the identity of a root */
    uint8_t spki_sha256[32]; /* of its key */
    char subject_cn[128];
    int64_t not_before_s, not_after_s;
    atls_public_key *public_key;
    atls_key *key;   /* Intel's only: the same key, quicker to verify with */
    atls_cert *cert; /* NULL: pinned, of which only key and facts are carried */
    bool custom;     /* given by the user in place of the vendor's */
    bool simulated;  /* whatever option brought it in */
    bool beside;     /* trusted beside the others, and not replaced with them */
} atls_root;

typedef struct atls_root_set {
    atls_root roots[ATLS_ROOTS_MAX];
    size_t n;
} atls_root_set;

/* The vendor's root certificates of that family into an empty set: Intel SGX Root CA; ARK-Milan, -Genoa, -Turin; AWS
 * Nitro Enclaves; Google's EK/AK CA Root; none for the others. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_root_set_pinned(atls_root_set *set, atls_family family, atls_err *err);

/* Adds the certificates in PEM or DER. Intel's have to be self-signed with a key on P-256 and SHA-256; AMD's, AWS's and
 * CCA's self-signed; of Google and TPMs any certificate may be an anchor, an intermediate one too. beside: a
 * simulator's, in addition to what there is; otherwise they replace all that was not added so. On failure the set is as
 * it was. ATLS_E_USAGE "root.certificate" / "root.count". */
ATLS_MUST_USE atls_code atls_root_set_add(atls_root_set *set, atls_family family, atls_buf certs,
                                          bool beside, atls_err *err);
/* Adds simulators' certificates beside what there is, each to the family that its subject's OU names: "amd", "aws",
 * "google", "tpm"; without OU "intel". All or none. ATLS_E_USAGE as above, and "root.family" for another OU. */
ATLS_MUST_USE atls_code atls_root_sets_add_simulators(atls_root_set sets[ATLS_FAMILIES],
                                                      atls_buf certs, atls_err *err);
void atls_root_set_clear(atls_root_set *set);

/* The root that this certificate is; NULL if it is none of them. One that was given twice is a simulator's if
 * either said so. */
const atls_root *atls_root_find(const atls_root_set *set, const atls_cert *cert);
const atls_root *atls_root_find_sha256(const atls_root_set *set, const uint8_t sha256[32]);

/* Has the user put roots in the vendor's place? */
bool atls_root_set_replaced(const atls_root_set *set);

#endif
