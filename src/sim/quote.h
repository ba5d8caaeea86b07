/* quote.h: SGX and TDX quotes of a simulator, made once and then signed for each report data. */
#ifndef ATLS_SIM_QUOTE_H
#define ATLS_SIM_QUOTE_H

#include "sim/faults.h"
#include "sim/state.h"
#include <atls/sim.h>

/* A quote but for its report data and signature; immutable. */
typedef struct sim_quote {
    uint8_t *bytes;
    size_t len;
    size_t report_data_at;
    size_t signed_len;
    size_t signature_at;
    const sim_fault *fault;
    bool has_zero_signature; /* a fault too */
    sim_signer *signer;      /* lent by the simulator, or own_signer */
    sim_signer *own_signer;
    const char *tee; /* "tdx", "sgx": static */
    uint8_t *log;    /* part event_log; NULL: none */
    size_t log_len;
} sim_quote;

/* q's strings are not needed afterwards. */
ATLS_MUST_USE atls_code sim_quote_prepare(const atls_sim *sim, const atls_sim_quote *q,
                                          sim_quote *out, atls_err *err);
void sim_quote_clear(sim_quote *q);

/* A signed copy with this report data: malloc'ed, q->len bytes. Safe from many threads at once. */
ATLS_MUST_USE atls_code sim_quote_sign(const sim_quote *q, const uint8_t report_data[64],
                                       uint8_t **out, atls_err *err);

#endif
