/* replay.h: registers from events, and where a replay leaves the quoted value. */
#ifndef ATLS_EVIDENCE_LOG_REPLAY_H
#define ATLS_EVIDENCE_LOG_REPLAY_H

#include "evidence/log/event_list.h"

/* register := H(register || digest). */
ATLS_MUST_USE atls_code atls_register_extend(atls_hash hash, uint8_t *value, atls_buf digest,
                                             atls_err *err);

typedef enum atls_departure_kind {
    ATLS_DEPARTS_NOT = 0, /* the replay gives the quoted value */
    ATLS_DEPARTS_SOMEHOW, /* cannot be told */
    ATLS_DEPARTS_BEHIND, /* the register stood still behind event `at` (0: it was never extended) */
    ATLS_DEPARTS_EXTRA,  /* it fits without event `at` */
    ATLS_DEPARTS_SWAPPED, /* it fits with event `at` behind the next */
    ATLS_DEPARTS_DIGEST   /* it fits with event `at`'s digest computed from its data */
} atls_departure_kind;

typedef struct atls_departure {
    atls_departure_kind kind;
    size_t events;               /* of this register in this bank */
    size_t at;                   /* among them, from 1 */
    const atls_log_event *event; /* that one; NULL where there is none */
} atls_departure;

/* Replays one register of one bank against its quoted value. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_replay(const atls_event_list *list, uint32_t index, unsigned bank,
                                    bool td, const uint8_t *quoted, atls_departure *out,
                                    atls_err *err);

#endif
