/* qgs_message.h: the messages of Intel's Quote Generation Service (QGS): little endian, each behind its own size, which
 * is big endian. */
#ifndef ATLS_ATTEST_QGS_MESSAGE_H
#define ATLS_ATTEST_QGS_MESSAGE_H

#include <atls/types.h>

#include "base/reader.h"
#include "base/writer.h"

#define QGS_TDREPORT_LEN 1024u
#define QGS_SIZE_LEN     4u /* of what stands before a message */
#define QGS_REQUEST_LEN  (QGS_SIZE_LEN + 16u + 8u + QGS_TDREPORT_LEN)
#define QGS_MESSAGE_MAX  (128u * 1024u)

/* A request for a quote over a TD report of QGS_TDREPORT_LEN bytes, its size before it: QGS_REQUEST_LEN bytes. */
/*@ requires valid_writer(w) && valid_buf(tdreport) && \separated(w->ptr + (0 .. w->cap - 1), tdreport.ptr + (0 .. tdreport.len - 1), w);
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
void qgs_write_request(atls_writer *w, atls_buf tdreport);

/* The quote in a response without the size before it, which it points into. "attest.qgs.error" with the service's own
 * code, "attest.qgs.response" for what is no such response. */
/*@ requires valid_buf(message);
    requires \valid(quote);
    requires (err == \null || \valid(err)) && \separated(quote, err);
    assigns *quote, *err;
    ensures \result == 0 ==> valid_buf(*quote) && part_of(*quote, message.ptr) && quote->len <= message.len; */
atls_code qgs_read_response(atls_buf message, atls_buf *quote, atls_err *err);

#endif
