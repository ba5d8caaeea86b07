/* atlas_http.h: the heads of the one HTTP/1.1 request and the one answer that Atlas sends inside a TLS connection. Bytes
 * in, bytes out; strict: CR LF ends a line, Content-Length is there exactly once, and there is no chunked body. */
#ifndef ATLS_BINDING_ATLAS_HTTP_H
#define ATLS_BINDING_ATLAS_HTTP_H

#include "base/reader.h"
#include "base/writer.h"

#define ATLS_HTTP_HEAD_MAX   16384u   /* bytes, with the empty line */
#define ATLS_HTTP_BODY_MAX   1048576u /* bytes */
#define ATLS_HTTP_FIELDS_MAX 100u     /* header lines */

typedef enum atls_http_fault {
    ATLS_HTTP_FINE = 0,
    ATLS_HTTP_LINE,      /* the first line is not HTTP/1.1's */
    ATLS_HTTP_STATUS,    /* an answer: its status is not 200 */
    ATLS_HTTP_METHOD,    /* a request: not POST */
    ATLS_HTTP_TARGET,    /* a request: not /tdx_quote */
    ATLS_HTTP_FIELD,     /* a header line that is none, or too many of them */
    ATLS_HTTP_HOST,      /* a request: no Host, or two */
    ATLS_HTTP_NO_LENGTH, /* no Content-Length */
    ATLS_HTTP_LENGTH,    /* two of them, or one that is no plain number */
    ATLS_HTTP_CODING,    /* Transfer-Encoding */
    ATLS_HTTP_LARGE      /* the body would be longer than ATLS_HTTP_BODY_MAX */
} atls_http_fault;

typedef struct atls_http_head {
    unsigned status; /* of an answer: 100 to 999; 0: none was read */
    size_t body_len;
} atls_http_head;

/* Length of the head at the start of in, its empty line included; 0: not all of it is there. The first `from` bytes were
 * looked at before. */
/*@ requires valid_buf(in) && in.len <= ATLS_HTTP_HEAD_MAX + ATLS_HTTP_BODY_MAX;
    assigns \nothing;
    ensures \result == 0 || 4 <= \result <= in.len; */
size_t atls_http_head_end(atls_buf in, size_t from);

/* Reads a whole head (of that length). *out is what was read; a fault says what is wrong first. */
/*@ requires valid_buf(head) && \valid(out);
    assigns *out;
    ensures \result == ATLS_HTTP_FINE ==> out->status == 200 && out->body_len <= ATLS_HTTP_BODY_MAX; */
atls_http_fault atls_http_response_head(atls_buf head, atls_http_head *out);

/*@ requires valid_buf(head) && \valid(out);
    assigns *out;
    ensures \result == ATLS_HTTP_FINE ==> out->body_len <= ATLS_HTTP_BODY_MAX; */
atls_http_fault atls_http_request_head(atls_buf head, atls_http_head *out);

/* May this text stand behind "Host: "? A name, an address, with or without a port: 1 to 255 bytes. */
/*@ requires valid_buf(host);
    assigns \nothing; */
bool atls_http_host_fits(atls_buf host);

/* Head and body of the request, byte for byte as Atlas's own client writes them. */
void atls_http_put_request(atls_writer *w, atls_buf host, atls_buf body);

/* Head of an answer. closing: the connection ends with it. status: 200, 400, 404, 405, 422; another is 400. */
void atls_http_put_response_head(atls_writer *w, unsigned status, size_t body_len, bool closing);

#endif
