/* pck.h: Intel's SGX extension in a PCK certificate (OID 1.2.840.113741.1.13.1, spec 4.1). */
#ifndef ATLS_TRUST_PCK_H
#define ATLS_TRUST_PCK_H

#include "base/reader.h"
#include "claims/claims.h"
#include "trust/tcb_level.h"

typedef struct atls_pck_extension {
    uint8_t ppid[16];
    atls_pck_svn svn;
    uint8_t cpusvn[16];
    uint8_t pceid[2];
    uint8_t fmspc[6];
    uint8_t sgx_type;  /* 0 standard, 1 scalable, 2 scalable with integrity */
    bool has_platform; /* the rest is there: Platform CA */
    uint8_t instance_id[16];
    bool dynamic_platform, cached_keys, smt_enabled;
} atls_pck_extension;

/* A strict walk of fixed depth over the extension's value: definite lengths, each OID once, 5 or 7 and 18
 * pairs, nothing left over. ATLS_E_INVALID "pck.extension"; *out is set whole, and on success only. */
/*@ requires valid_buf(value) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_pck_extension_parse(atls_buf value, atls_pck_extension *out,
                                                 atls_err *err);

#endif
