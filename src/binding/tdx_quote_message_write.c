#include "binding/tdx_quote_message.h"

#include <stdlib.h>

#include "base/err.h"
#include "binding/protobuf.h"
#include "binding/tdx_quote_places.h"

static uint64_t get_number(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i > 0; i--) {
        value = value * 256 + at[i - 1];
    }
    return value;
}

static bool write_message(const atls_tdx_quote *q, atls_tdx_message in, atls_writer *w);

static bool write_child(const atls_tdx_quote *q, const atls_tdx_place *p, atls_writer *w)
{
    const size_t cap =
        ATLS_TDX_FIXED_LEN + q->qe_data.len + q->chain.len + ATLS_TDX_QUOTE_MESSAGE_MORE;
    uint8_t *space = malloc(cap);
    atls_writer child = atls_writer_of(space, space != NULL ? cap : 0);
    const bool good = space != NULL && write_message(q, p->child, &child);
    if (good) {
        atls_protobuf_write_bytes(w, p->number, atls_writer_done(&child));
    }
    free(space);
    return good && atls_writer_ok(w);
}

static void write_bytes(const atls_tdx_place *p, atls_writer *w, atls_buf bytes)
{
    if (bytes.len > 0) {
        atls_protobuf_write_bytes(w, p->number, bytes);
    }
}

static bool write_place(const atls_tdx_quote *q, const atls_tdx_place *p, atls_writer *w)
{
    switch (p->shape) {
    case TDX_MESSAGE:
        return write_child(q, p, w);
    case TDX_NUMBER:
        atls_protobuf_write_uint(w, p->number, get_number(q->fixed + p->at, p->len));
        break;
    case TDX_PCK_TYPE:
        atls_protobuf_write_uint(w, p->number, q->pck_type);
        break;
    case TDX_PCK_SIZE:
        atls_protobuf_write_uint(w, p->number, q->pck_size);
        break;
    case TDX_QE_DATA_BYTES:
        write_bytes(p, w, q->qe_data);
        break;
    case TDX_CHAIN:
        write_bytes(p, w, q->chain);
        break;
    case TDX_EXTRA:
        write_bytes(p, w, q->extra);
        break;
    default:
        for (size_t i = 0; i < (p->shape == TDX_RTMR ? ATLS_TDX_RTMRS : 1); i++) {
            write_bytes(p, w, (atls_buf){q->fixed + p->at + i * p->len, p->len});
        }
        break;
    }
    return atls_writer_ok(w);
}

static bool write_message(const atls_tdx_quote *q, atls_tdx_message in, atls_writer *w)
{
    for (size_t i = 0; i < ATLS_TDX_PLACES; i++) {
        if (atls_tdx_places[i].in == in && !write_place(q, &atls_tdx_places[i], w)) {
            return false;
        }
    }
    return true;
}

atls_code atls_tdx_quote_message_write(atls_buf bytes, atls_writer *w, atls_err *err)
{
    atls_tdx_quote q = {.pck_type = 0};
    atls_reader r = atls_reader_of(bytes);
    atls_reader_copy(&r, q.fixed, sizeof q.fixed);
    q.qe_data = atls_reader_view(&r, (size_t)get_number(q.fixed + ATLS_TDX_QE_DATA_LEN_AT, 2));
    q.pck_type = atls_reader_u16le(&r);
    q.pck_size = atls_reader_u32le(&r);
    q.chain = atls_reader_view(&r, q.pck_size);
    q.extra = atls_reader_rest(&r);
    if (!atls_reader_ok(&r) || get_number(q.fixed, 2) != 4 || get_number(q.fixed + 764, 2) != 6) {
        return ATLS_ERR(err, ATLS_E_USAGE, "tdx_message.quote",
                        "no TDX quote of version 4 with a QE report and a TDX_PCK chain");
    }
    return write_message(&q, TDX_QUOTE, w) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}
