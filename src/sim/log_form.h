/* log_form.h: event logs as bytes: TCG records, dstack's JSON, an IMA list. */
#ifndef ATLS_SIM_LOG_FORM_H
#define ATLS_SIM_LOG_FORM_H

#include "base/writer.h"
#include "claims/claims.h"

#define SIM_LOG_MAX    16384 /* bytes of a log */
#define SIM_LOG_EVENTS 32

typedef struct sim_event {
    uint32_t index, type;
    uint8_t data[160];
    size_t data_len;
    uint8_t digest[ATLS_TPM_BANKS][64];
    char name[32]; /* dstack's; "" for others */
    unsigned version;
    char preimage[512];
    bool without_digest, without_type; /* of the JSON */
} sim_event;

typedef struct sim_events {
    sim_event all[SIM_LOG_EVENTS];
    size_t n;
} sim_events;

/* RFC 8785's text of a runtime event of version 2. */
void sim_log_preimage(const sim_event *e, char *out, size_t cap);

/* A fault of the form ("log.legacy", "log.algorithm", "log.locality", "log.cut") is made here; NULL: none. td: CCEL. */
void sim_log_put_tcg(const sim_events *events, bool td, const char *fault, atls_writer *w);
ATLS_MUST_USE atls_code sim_log_put_json(const sim_events *events, atls_writer *w, atls_err *err);

#endif
