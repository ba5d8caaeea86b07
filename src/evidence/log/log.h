/* log.h: what formats of evidence ask of event logs.
 *
 * A log is what its bearer says. All its worth is that its events, replayed, give register values which hardware has
 * signed: so these are called only once the evidence's signatures have verified, with the values of that evidence.
 * Each writes its checks ("log....") into l, and into out the events of those registers that replay; out's bytes belong
 * to the anchor, which goes on owning what it owned before. A log that is malformed, or whose firmware registers replay
 * to other values, fails with ATLS_E_INVALID; docs/event-logs.md has the rules. */
#ifndef ATLS_EVIDENCE_LOG_LOG_H
#define ATLS_EVIDENCE_LOG_LOG_H

#include "claims/claims.h"
#include "evidence/format.h"

#define ATLS_LOG_LEN_MAX ((size_t)4 << 20) /* bytes of any log */

/* A TD's log, CCEL or dstack's JSON, told apart by their bytes, against RTMR 0 to 3 of the quote. */
void atls_log_judge_rtmrs(atls_buf log, const uint8_t rtmr[4][48], atls_ledger *l,
                          atls_event_claims *out, atls_anchor *anchor);

/* A TPM's firmware log against the quoted PCRs (selected says which). Events carry the digest of the first of SHA-256,
 * SHA-384 and SHA-512 that is both quoted and in the log: SHA-1 alone is replayed, but makes no event believed. */
void atls_log_judge_pcrs(atls_buf log, const atls_tpm_bank banks[ATLS_TPM_BANKS], atls_ledger *l,
                         atls_event_claims *out, atls_anchor *anchor);

/* Linux' binary IMA list against PCR 10: as many of its entries as give the quoted value, in the first bank of SHA-256,
 * SHA-384 and SHA-512 that is quoted. */
void atls_log_judge_ima(atls_buf log, const atls_tpm_bank banks[ATLS_TPM_BANKS], atls_ledger *l,
                        atls_event_claims *out, atls_anchor *anchor);

/* Parts event_log and ima_log, where there are any, against claims->tpm. Called last: without claims->tee they are not
 * looked at. */
void atls_log_judge_tpm(const atls_verification *v);

#endif
