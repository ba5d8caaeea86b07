/* pck_chain.h: the three certificates of an Intel platform: PCK certificate, its CA, and the root (spec 9.1). Signatures,
 * times and revocation are not judged here. */
#ifndef ATLS_TRUST_PCK_CHAIN_H
#define ATLS_TRUST_PCK_CHAIN_H

#include "trust/intel_cert.h"
#include "trust/root.h"

typedef struct atls_pck_chain { /* owned; NULL: there is none of that kind */
    atls_cert *root, *ca, *leaf;
} atls_pck_chain;

/* Exactly three certificates, in any order; false: something else. */
bool atls_pck_chain_take(const atls_judging *j, const atls_buf *ders, size_t n,
                         atls_pck_chain *out);
void atls_pck_chain_clear(atls_pck_chain *c);

/* One of each kind, and the root one that is trusted (NULL: it is not). */
bool atls_pck_chain_judge_roles(const atls_judging *j, const atls_pck_chain *p,
                                const atls_root *trusted);
/* Names, extensions and usages of all three, which are there. */
bool atls_pck_chain_judge_form(const atls_judging *j, const atls_pck_chain *p);

/* The certificate's own key; NULL: it has none on P-256. */
atls_key *atls_cert_key(const atls_judging *j, const atls_cert *cert);

#endif
