/* tcg.h: records of a crypto-agile TCG event log, as a TPM's firmware and, as CCEL, a TD's writes it (TCG PC Client
 * Platform Firmware Profile, section 10; little-endian). What is read here is only laid out: nothing is believed. */
#ifndef ATLS_EVIDENCE_LOG_TCG_H
#define ATLS_EVIDENCE_LOG_TCG_H

#include "base/reader.h"
#include "claims/claims.h"

#define ATLS_TCG_ALGORITHMS_MAX 8
#define ATLS_TCG_EVENTS_MAX     65536
#define ATLS_TCG_DATA_MAX       1048576u /* bytes of one event */

#define ATLS_EV_NO_ACTION 3u
#define ATLS_EV_SEPARATOR 4u

typedef struct atls_tcg_algorithm {
    uint16_t id;  /* TPM_ALG_ID */
    uint16_t len; /* bytes of a digest, 1 to 64 */
} atls_tcg_algorithm;

/* A log being read. Views into the bytes that it was opened with. */
typedef struct atls_tcg_log {
    atls_reader left;
    uint32_t events; /* taken so far */
    uint32_t algorithms_n;
    atls_tcg_algorithm algorithms[ATLS_TCG_ALGORITHMS_MAX];
} atls_tcg_log;

typedef struct atls_tcg_event {
    uint32_t index; /* PCR; in a CCEL the MR index */
    uint32_t type;
    atls_buf digests; /* as they stand: atls_tcg_digest finds one */
    atls_buf data;
} atls_tcg_event;

/*@ predicate sound_tcg_log{L}(atls_tcg_log *log) = \valid(log) && sound_reader(log->left) &&
      log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX; */

/* Are these the bytes of such a log, crypto-agile or of the older form? */
/*@ requires valid_buf(bytes);
    assigns \nothing; */
bool atls_tcg_looks(atls_buf bytes);

/* Reads the first record, which names the algorithms. ATLS_E_INVALID: "log.legacy" (a log of SHA-1 digests only),
 * "log.algorithm", "log.format". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> sound_tcg_log(out); */
ATLS_MUST_USE atls_code atls_tcg_open(atls_buf bytes, atls_tcg_log *out, atls_err *err);

/* The next record; *more false (and out untouched) at the end: the last byte, or padding. ATLS_E_INVALID: "log.format",
 * "log.algorithm", "log.events". */
/*@ requires sound_tcg_log(log) && \valid(more) && \valid(out) && (err == \null || \valid(err));
    requires \separated(log, more, out, err);
    assigns *log, *more, *out, *err;
    ensures sound_tcg_log(log);
    ensures \result == ATLS_OK && *more ==> valid_buf(out->digests);
    ensures \result == ATLS_OK && *more ==> valid_buf(out->data); */
ATLS_MUST_USE atls_code atls_tcg_next(atls_tcg_log *log, bool *more, atls_tcg_event *out,
                                      atls_err *err);

/* An event's digest of a bank (ATLS_TPM_...); empty: it has none. digests: of an event of that log. */
/*@ requires \valid_read(log) && log->algorithms_n <= ATLS_TCG_ALGORITHMS_MAX && valid_buf(digests);
    assigns \nothing;
    ensures valid_buf(\result); */
atls_buf atls_tcg_digest(const atls_tcg_log *log, atls_buf digests, unsigned bank);

#endif
