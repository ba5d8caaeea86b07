/* event_list.h: the events of one log that extend registers, in order, whatever form the log had. */
#ifndef ATLS_EVIDENCE_LOG_EVENT_LIST_H
#define ATLS_EVIDENCE_LOG_EVENT_LIST_H

#include "claims/claims.h"
#include "crypto/digest.h"
#include "evidence/format.h"

#define ATLS_LOG_REGISTERS ATLS_TPM_PCRS

typedef struct atls_log_event {
    uint32_t index; /* PCR, or RTMR: below ATLS_LOG_REGISTERS */
    uint32_t type;
    const char *name;                /* static, or in space */
    atls_buf digest[ATLS_TPM_BANKS]; /* empty: it does not extend that bank */
    atls_buf data;                   /* into the log, or space */
    bool is_runtime;                 /* dstack's */
    bool is_bound; /* what extended the register was computed here, from name and data */
    bool is_ima;   /* digest is a file's, or there is none */
} atls_log_event;

typedef struct atls_event_list {
    atls_log_event *events;
    size_t n, cap;
    uint8_t *space;   /* what was decoded; NULL: nothing */
    uint8_t locality; /* of the start of PCR 0 */
} atls_event_list;

atls_hash atls_log_hash(unsigned bank); /* of ATLS_TPM_... */

ATLS_MUST_USE atls_code atls_event_list_add(atls_event_list *list, const atls_log_event *event,
                                            atls_err *err);
void atls_event_list_clear(atls_event_list *list);

/* A whole log of TCG records. td: a CCEL, whose MR index 1 to 4 are RTMR 0 to 3. Views into bytes. ATLS_E_INVALID:
 * those of tcg.h, "log.locality", "log.type" (a TPM's firmware register with an event of unknown type). */
ATLS_MUST_USE atls_code atls_event_list_from_tcg(atls_buf bytes, bool td, atls_event_list *out,
                                                 atls_err *err);

/* Is the event's data what its digest of that bank was computed from? ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_log_event_data_matches(const atls_log_event *event, unsigned bank,
                                                    bool *out, atls_err *err);

/* Copies the events of registers for which bank_of is a bank (not ATLS_TPM_BANKS) into out, which the anchor then owns
 * beside what it owned. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_event_list_publish(const atls_event_list *list,
                                                const unsigned bank_of[ATLS_LOG_REGISTERS],
                                                atls_event_claims *out, atls_anchor *anchor,
                                                atls_err *err);

#endif
