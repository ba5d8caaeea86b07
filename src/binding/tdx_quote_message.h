/* tdx_quote_message.h: the message of go-tdx-guest (tdx.QuoteV4), in which Go programs carry a TDX quote field by field: back
 * to the quote's bytes, which Intel's quoting enclave signed, and from them to a message. Nothing is judged here: where a size
 * in it is wrong, the bytes are no quote. */
#ifndef ATLS_BINDING_TDX_QUOTE_MESSAGE_H
#define ATLS_BINDING_TDX_QUOTE_MESSAGE_H

#include "base/reader.h"
#include "base/writer.h"

/* A quote is at most so much longer than its message: numbers that are zero are left out there. */
#define ATLS_TDX_QUOTE_MORE 64
/* And a message so much longer than its quote. */
#define ATLS_TDX_QUOTE_MESSAGE_MORE 512

/* All of a tdx.QuoteV4 into w. ATLS_E_INVALID "tdx_message.malformed" (no such message), "tdx_message.twice" (a field comes
 * again), "tdx_message.field" (of another kind, length or range than its place in the quote), "tdx_message.missing".
 * Unknown fields are passed over. */
/*@ requires valid_buf(message) && valid_writer(w) && (err == \null || \valid(err));
    requires \separated(w, err) && \separated(err, w->ptr + (0 .. w->cap - 1));
    assigns *w, w->ptr[0 .. w->cap - 1], *err; */
ATLS_MUST_USE atls_code atls_tdx_quote_message_parse(atls_buf message, atls_writer *w,
                                                     atls_err *err);

/* A quote of version 4 as a message, in the order of the numbers, as Go writes it. ATLS_E_USAGE "tdx_message.quote": it is
 * none, or its certification data are not of a QE report and its PCK chain. */
ATLS_MUST_USE atls_code atls_tdx_quote_message_write(atls_buf quote, atls_writer *w, atls_err *err);

#endif
