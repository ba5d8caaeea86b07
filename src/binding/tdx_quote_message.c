/* One table says where each numbered field of a tdx.QuoteV4 stands in the quote. */
#include "binding/tdx_quote_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/protobuf.h"

/* Header, TD report, size, signature, key, certification data's head, QE report and its signature, size of QE data. */
#define FIXED_LEN      1220u
#define BODY_AT        48u
#define SIZE_AT        632u
#define SIGNATURE_AT   636u
#define QE_REPORT_AT   770u
#define QE_DATA_LEN_AT 1218u
#define RTMRS          4

typedef enum message {
    QUOTE,
    HEADER,
    BODY,
    SIGNED,
    CERTIFICATION,
    QE_CERTIFICATION,
    QE_REPORT,
    QE_DATA,
    PCK,
    NONE
} message;

typedef enum shape {
    NUMBER,
    BYTES,
    RTMR,
    MESSAGE,
    QE_DATA_BYTES,
    PCK_TYPE,
    PCK_SIZE,
    CHAIN,
    EXTRA
} shape;

typedef struct place {
    message in;
    uint32_t number;
    shape shape;
    message child; /* of MESSAGE */
    size_t at, len;
} place;

static const place places[] = {
    {QUOTE, 1, MESSAGE, HEADER, 0, 0},
    {QUOTE, 2, MESSAGE, BODY, 0, 0},
    {QUOTE, 3, NUMBER, NONE, SIZE_AT, 4},
    {QUOTE, 4, MESSAGE, SIGNED, 0, 0},
    {QUOTE, 5, EXTRA, NONE, 0, 0},
    {HEADER, 1, NUMBER, NONE, 0, 2},  /* version */
    {HEADER, 2, NUMBER, NONE, 2, 2},  /* kind of key */
    {HEADER, 3, NUMBER, NONE, 4, 4},  /* TEE */
    {HEADER, 4, BYTES, NONE, 10, 2},  /* qe_svn */
    {HEADER, 5, BYTES, NONE, 8, 2},   /* pce_svn */
    {HEADER, 6, BYTES, NONE, 12, 16}, /* vendor */
    {HEADER, 7, BYTES, NONE, 28, 20}, /* user data */
    {BODY, 1, BYTES, NONE, BODY_AT, 16},
    {BODY, 2, BYTES, NONE, BODY_AT + 16, 48},
    {BODY, 3, BYTES, NONE, BODY_AT + 64, 48},
    {BODY, 4, BYTES, NONE, BODY_AT + 112, 8},
    {BODY, 5, BYTES, NONE, BODY_AT + 120, 8},
    {BODY, 6, BYTES, NONE, BODY_AT + 128, 8},
    {BODY, 7, BYTES, NONE, BODY_AT + 136, 48},
    {BODY, 8, BYTES, NONE, BODY_AT + 184, 48},
    {BODY, 9, BYTES, NONE, BODY_AT + 232, 48},
    {BODY, 10, BYTES, NONE, BODY_AT + 280, 48},
    {BODY, 11, RTMR, NONE, BODY_AT + 328, 48},
    {BODY, 12, BYTES, NONE, BODY_AT + 520, 64},
    {SIGNED, 1, BYTES, NONE, SIGNATURE_AT, 64},
    {SIGNED, 2, BYTES, NONE, SIGNATURE_AT + 64, 64},
    {SIGNED, 3, MESSAGE, CERTIFICATION, 0, 0},
    {CERTIFICATION, 1, NUMBER, NONE, 764, 2},
    {CERTIFICATION, 2, NUMBER, NONE, 766, 4},
    {CERTIFICATION, 3, MESSAGE, QE_CERTIFICATION, 0, 0},
    {QE_CERTIFICATION, 1, MESSAGE, QE_REPORT, 0, 0},
    {QE_CERTIFICATION, 2, BYTES, NONE, QE_REPORT_AT + 384, 64},
    {QE_CERTIFICATION, 3, MESSAGE, QE_DATA, 0, 0},
    {QE_CERTIFICATION, 4, MESSAGE, PCK, 0, 0},
    {QE_REPORT, 1, BYTES, NONE, QE_REPORT_AT, 16},
    {QE_REPORT, 2, NUMBER, NONE, QE_REPORT_AT + 16, 4},
    {QE_REPORT, 3, BYTES, NONE, QE_REPORT_AT + 20, 28},
    {QE_REPORT, 4, BYTES, NONE, QE_REPORT_AT + 48, 16},
    {QE_REPORT, 5, BYTES, NONE, QE_REPORT_AT + 64, 32},
    {QE_REPORT, 6, BYTES, NONE, QE_REPORT_AT + 96, 32},
    {QE_REPORT, 7, BYTES, NONE, QE_REPORT_AT + 128, 32},
    {QE_REPORT, 8, BYTES, NONE, QE_REPORT_AT + 160, 96},
    {QE_REPORT, 9, NUMBER, NONE, QE_REPORT_AT + 256, 2},
    {QE_REPORT, 10, NUMBER, NONE, QE_REPORT_AT + 258, 2},
    {QE_REPORT, 11, BYTES, NONE, QE_REPORT_AT + 260, 60},
    {QE_REPORT, 12, BYTES, NONE, QE_REPORT_AT + 320, 64},
    {QE_DATA, 1, NUMBER, NONE, QE_DATA_LEN_AT, 2},
    {QE_DATA, 2, QE_DATA_BYTES, NONE, 0, 0},
    {PCK, 1, PCK_TYPE, NONE, 0, 2},
    {PCK, 2, PCK_SIZE, NONE, 0, 4},
    {PCK, 3, CHAIN, NONE, 0, 0},
};
#define PLACES (sizeof places / sizeof places[0])

typedef struct quote {
    uint8_t fixed[FIXED_LEN];
    atls_buf qe_data, chain, extra; /* behind it, with these two before the chain: */
    uint32_t pck_type, pck_size;
    size_t rtmrs;
    bool seen[PLACES];
} quote;

/* --- reading --- */

static atls_code bad_field(const place *p, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.field",
                    "field %u of part %d of a TDX quote does not fit into its place",
                    (unsigned)p->number, (int)p->in);
}

static bool put_number(uint8_t *at, size_t len, uint64_t value)
{
    for (size_t i = 0; i < len; i++) {
        at[i] = (uint8_t)(value % 256);
        value /= 256;
    }
    return value == 0;
}

static bool put(quote *q, const place *p, const atls_protobuf_field *f)
{
    const bool number = p->shape == NUMBER || p->shape == PCK_TYPE || p->shape == PCK_SIZE;
    if (f->kind != (number ? ATLS_PROTOBUF_VARINT : ATLS_PROTOBUF_BYTES)) {
        return false;
    }
    switch (p->shape) {
    case NUMBER:
        return put_number(q->fixed + p->at, p->len, f->value);
    case PCK_TYPE:
        q->pck_type = (uint32_t)f->value;
        return f->value <= UINT16_MAX;
    case PCK_SIZE:
        q->pck_size = (uint32_t)f->value;
        return f->value <= UINT32_MAX;
    case QE_DATA_BYTES:
        q->qe_data = f->bytes;
        return true;
    case CHAIN:
        q->chain = f->bytes;
        return true;
    case EXTRA:
        q->extra = f->bytes;
        return true;
    case RTMR:
        if (q->rtmrs == RTMRS || f->bytes.len != p->len) {
            return false;
        }
        memcpy(q->fixed + p->at + q->rtmrs++ * p->len, f->bytes.ptr, p->len);
        return true;
    default:
        if (f->bytes.len != p->len) {
            return false;
        }
        memcpy(q->fixed + p->at, f->bytes.ptr, p->len);
        return true;
    }
}

static size_t find(message in, uint32_t number)
{
    size_t i = 0;
    while (i < PLACES && (places[i].in != in || places[i].number != number)) {
        i++;
    }
    return i;
}

/* As deep as the table: a message is in none of its own kind. */
static atls_code read_message(quote *q, message in, atls_buf bytes, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.malformed",
                            "no message of a TDX quote");
        }
        const size_t i = find(in, f.number);
        if (i == PLACES) {
            continue;
        }
        if (q->seen[i] && places[i].shape != RTMR) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.twice",
                            "field %u of part %d of a TDX quote comes a second time",
                            (unsigned)f.number, (int)in);
        }
        q->seen[i] = true;
        if (places[i].shape != MESSAGE) {
            if (!put(q, &places[i], &f)) {
                return bad_field(&places[i], err);
            }
        } else if (f.kind != ATLS_PROTOBUF_BYTES) {
            return bad_field(&places[i], err);
        } else {
            ATLS_TRY(read_message(q, places[i].child, f.bytes, err));
        }
    }
    return ATLS_OK;
}

/* Numbers are left out when they are zero, and bytes when there are none. */
static bool complete(const quote *q)
{
    for (size_t i = 0; i < PLACES; i++) {
        if ((places[i].shape == BYTES || places[i].shape == RTMR) && !q->seen[i]) {
            return false;
        }
    }
    return q->rtmrs == RTMRS;
}

atls_code atls_tdx_quote_message_parse(atls_buf bytes, atls_writer *w, atls_err *err)
{
    quote q = {.pck_type = 0};
    ATLS_TRY(read_message(&q, QUOTE, bytes, err));
    if (!complete(&q)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.missing",
                        "a TDX quote without one of its fields");
    }
    atls_writer_bytes(w, (atls_buf){q.fixed, sizeof q.fixed});
    atls_writer_bytes(w, q.qe_data);
    atls_writer_u16le(w, (uint16_t)q.pck_type);
    atls_writer_u32le(w, q.pck_size);
    atls_writer_bytes(w, q.chain);
    atls_writer_bytes(w, q.extra);
    return atls_writer_ok(w) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* --- writing --- */

static uint64_t get_number(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i > 0; i--) {
        value = value * 256 + at[i - 1];
    }
    return value;
}

static bool write_message(const quote *q, message in, atls_writer *w);

static bool write_child(const quote *q, const place *p, atls_writer *w)
{
    const size_t cap = FIXED_LEN + q->qe_data.len + q->chain.len + ATLS_TDX_QUOTE_MESSAGE_MORE;
    uint8_t *space = malloc(cap);
    atls_writer child = atls_writer_of(space, space != NULL ? cap : 0);
    const bool good = space != NULL && write_message(q, p->child, &child);
    if (good) {
        atls_protobuf_write_bytes(w, p->number, atls_writer_done(&child));
    }
    free(space);
    return good && atls_writer_ok(w);
}

static void write_bytes(const place *p, atls_writer *w, atls_buf bytes)
{
    if (bytes.len > 0) {
        atls_protobuf_write_bytes(w, p->number, bytes);
    }
}

static bool write_place(const quote *q, const place *p, atls_writer *w)
{
    switch (p->shape) {
    case MESSAGE:
        return write_child(q, p, w);
    case NUMBER:
        atls_protobuf_write_uint(w, p->number, get_number(q->fixed + p->at, p->len));
        break;
    case PCK_TYPE:
        atls_protobuf_write_uint(w, p->number, q->pck_type);
        break;
    case PCK_SIZE:
        atls_protobuf_write_uint(w, p->number, q->pck_size);
        break;
    case QE_DATA_BYTES:
        write_bytes(p, w, q->qe_data);
        break;
    case CHAIN:
        write_bytes(p, w, q->chain);
        break;
    case EXTRA:
        write_bytes(p, w, q->extra);
        break;
    default:
        for (size_t i = 0; i < (p->shape == RTMR ? RTMRS : 1); i++) {
            write_bytes(p, w, (atls_buf){q->fixed + p->at + i * p->len, p->len});
        }
        break;
    }
    return atls_writer_ok(w);
}

static bool write_message(const quote *q, message in, atls_writer *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (places[i].in == in && !write_place(q, &places[i], w)) {
            return false;
        }
    }
    return true;
}

atls_code atls_tdx_quote_message_write(atls_buf bytes, atls_writer *w, atls_err *err)
{
    quote q = {.pck_type = 0};
    atls_reader r = atls_reader_of(bytes);
    atls_reader_copy(&r, q.fixed, sizeof q.fixed);
    q.qe_data = atls_reader_view(&r, (size_t)get_number(q.fixed + QE_DATA_LEN_AT, 2));
    q.pck_type = atls_reader_u16le(&r);
    q.pck_size = atls_reader_u32le(&r);
    q.chain = atls_reader_view(&r, q.pck_size);
    q.extra = atls_reader_rest(&r);
    if (!atls_reader_ok(&r) || get_number(q.fixed, 2) != 4 || get_number(q.fixed + 764, 2) != 6) {
        return ATLS_ERR(err, ATLS_E_USAGE, "tdx_message.quote",
                        "no TDX quote of version 4 with a QE report and a PCK chain");
    }
    return write_message(&q, QUOTE, w) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}
