/* judging.h: where a check of the trust chain writes what it found. */
#ifndef ATLS_TRUST_JUDGING_H
#define ATLS_TRUST_JUDGING_H

#include "claims/ledger.h"
#include "crypto/cert.h"
#include "crypto/crl.h"

typedef struct atls_judging {
    atls_ledger *l;
    unsigned *signatures; /* verifications made, failed ones included */
} atls_judging;

/* Whether a call went well. If it failed on our side (no memory), the ledger learns that: what failed for that
 * reason says nothing about the evidence. */
bool atls_judging_taken(const atls_judging *j, atls_code rc);

/* Ok, or a failure with that code and these words; returns good. */
bool atls_judge(const atls_judging *j, const char *id, bool good, atls_code code, const char *found,
                const char *wanted);

/* Nothing when it is there; otherwise a failure of code 3: collateral is missing. Returns there. */
bool atls_judge_there(const atls_judging *j, const char *id, bool there, const char *wanted);

/* Ok or a failure for a signature, which it counts. key NULL: skipped, as nothing vouches for the key. */
bool atls_judge_cert_signature(const atls_judging *j, const char *id, const atls_cert *cert,
                               atls_key *key);
bool atls_judge_cert_signature_by(const atls_judging *j, const char *id, const atls_cert *cert,
                                  atls_public_key *key);
bool atls_judge_crl_signature_by(const atls_judging *j, const char *id, const atls_crl *crl,
                                 atls_public_key *key);
bool atls_judge_crl_signature(const atls_judging *j, const char *id, const atls_crl *crl,
                              atls_key *key);
bool atls_judge_rs(const atls_judging *j, const char *id, atls_key *key, atls_buf signed_bytes,
                   const uint8_t rs[64]);

/* The ids of a range of the ledger in which every check is ok, to be written again at a cached result. */
#define ATLS_REPLAY_MAX 80
typedef struct atls_replay {
    const char *ids[ATLS_REPLAY_MAX];
    size_t n;
} atls_replay;
/* False when a check since entry number from is not ok, or there are too many. */
bool atls_replay_record(atls_replay *r, const atls_ledger *l, size_t from);
void atls_replay_write(const atls_replay *r, atls_ledger *l);

#endif
