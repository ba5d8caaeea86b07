/* root.h: the roots of one family of evidence. A root counts for its own family only. */
#ifndef ATLS_TRUST_ROOT_H
#define ATLS_TRUST_ROOT_H

#include "crypto/cert.h"
#include <atls/types.h>

#define ATLS_ROOTS_MAX 16
/* Organisation in the certificates of a simulated platform. */
#define ATLS_SIMULATOR_O "atls simulator"

typedef struct atls_root {
    uint8_t sha256[32]; /* of the whole certificate: the identity of a root */
    atls_key *key;
    bool custom;    /* given by the user in place of the vendor's */
    bool simulated; /* whatever option brought it in */
    bool beside;    /* trusted beside the others, and not replaced with them */
} atls_root;

typedef struct atls_root_set {
    atls_root roots[ATLS_ROOTS_MAX];
    size_t n;
} atls_root_set;

/* Intel SGX Root CA, pinned. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_root_set_intel(atls_root_set *set, atls_err *err);

/* Adds the self-signed P-256 certificates in PEM or DER. beside: a simulator's, in addition to what there is;
 * otherwise they replace all that was not added so. On failure the set is as it was. ATLS_E_USAGE
 * "root.certificate" / "root.count". */
ATLS_MUST_USE atls_code atls_root_set_add(atls_root_set *set, atls_buf certs, bool beside,
                                          atls_err *err);
void atls_root_set_clear(atls_root_set *set);

/* The root that this certificate is; NULL if it is none of them. One that was given twice is a simulator's if
 * either said so. */
const atls_root *atls_root_find(const atls_root_set *set, const atls_cert *cert);

/* Has the user put roots in the vendor's place? */
bool atls_root_set_replaced(const atls_root_set *set);

#endif
