/* intel_cert.h: what Intel's certificates and CRLs have in common, and the rules for one link of a chain
 * (specs 4, 8 and 9.1). Times are not judged here: they are looked at anew at each use. */
#ifndef ATLS_TRUST_INTEL_CERT_H
#define ATLS_TRUST_INTEL_CERT_H

#include "trust/judging.h"

bool atls_same_bytes(atls_buf a, atls_buf b);
bool atls_self_issued(const atls_cert *cert);

/* The five extensions that Intel's library demands, none that is critical and unknown, P-256, and
 * ecdsa-with-SHA256. NULL, or what is wrong. */
const char *atls_intel_cert_wrong(const atls_cert *cert);

/* Is issuer's subject the issuer of cert, and its key identifier the authority's? */
bool atls_issued_by(const atls_cert *cert, const atls_cert *issuer);
bool atls_may_sign_certs(const atls_cert *ca); /* CA, keyCertSign, cRLSign */

typedef struct atls_crl_ids { /* "root_crl.missing", ... */
    const char *missing, *format, *issuer, *extensions, *signature;
} atls_crl_ids;
extern const atls_crl_ids atls_root_crl_ids, atls_pck_crl_ids;

/* Does crl come from issuer, whose key is vouched for? NULL key: its signature is skipped. */
bool atls_judge_crl(const atls_judging *j, const atls_crl_ids *ids, const atls_crl *crl,
                    const atls_cert *issuer, atls_key *key);

/* Is cert not in the list? crl NULL (missing, or not good): skipped. */
bool atls_judge_revocation(const atls_judging *j, const char *id, const atls_crl *crl,
                           const atls_cert *cert);

/* Widens [*earliest_s, *latest_s]: the last begin and the first end of what a verdict rests on. */
typedef struct atls_window {
    int64_t begins_s, ends_s; /* good from begins_s to ends_s, both included */
} atls_window;
extern const atls_window atls_window_all;
void atls_window_narrow(atls_window *w, int64_t begins_s, int64_t ends_s);
void atls_window_narrow_cert(atls_window *w, const atls_cert *cert);
/* Code 3 outside it. */
bool atls_judge_window(atls_ledger *l, const char *id, const atls_window *w, int64_t when_s);

#endif
