/* intel_quote.h: of an Intel quote what a dialect must know to hand it on: whose it is, and where its report data stands.
 * The quote itself is judged by the verifier. */
#ifndef ATLS_BINDING_INTEL_QUOTE_H
#define ATLS_BINDING_INTEL_QUOTE_H

#include "base/reader.h"
#include <atls/types.h>

typedef struct atls_intel_quote {
    bool is_tdx;          /* otherwise SGX */
    atls_buf report_data; /* 64 bytes, a view into the quote */
} atls_intel_quote;

/* By the header: SGX is version 3 with an ECDSA key, or version 4 or 5 of TEE type 0; TDX is version 4 or 5 of TEE type
 * 0x81. ATLS_E_INVALID "carried.epid" (version 2, or 3 with key type 0), "carried.quote". */
/*@ requires valid_buf(quote) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> out->report_data.len == 64 && valid_buf(out->report_data); */
ATLS_MUST_USE atls_code atls_intel_quote_look(atls_buf quote, atls_intel_quote *out, atls_err *err);

#endif
