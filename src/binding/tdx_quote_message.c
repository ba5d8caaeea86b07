/* The table of tdx_quote_places.h says where each numbered field stands. A field is put there only if it fits into the quote,
 * whatever the table says: that is what the proof leans on. */
#include "binding/tdx_quote_message.h"

#include "base/err.h"
#include "binding/protobuf.h"
#include "binding/tdx_quote_places.h"

/* What is read so far. */
typedef struct reading {
    const uint8_t *all; /* the message: the views are in it */
    atls_tdx_quote quote;
    size_t rtmrs;
    uint8_t seen[ATLS_TDX_PLACES]; /* 1: the field was there */
} reading;

/*@ predicate view_of(atls_buf b, uint8_t *all) = valid_buf(b) && part_of(b, all);
    predicate sound_reading{L}(reading *q) = view_of(q->quote.qe_data, q->all) && view_of(q->quote.chain, q->all) &&
      view_of(q->quote.extra, q->all) && q->rtmrs <= ATLS_TDX_RTMRS; */

/*@ requires \valid_read(p) && (err == \null || \valid(err));
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code bad_field(const atls_tdx_place *p, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.field",
                    "field %u of part %d of a TDX quote does not fit into its place",
                    (unsigned)p->number, (int)p->in);
}

/* Little-endian, in len bytes. */
/*@ requires \valid(fixed + (0 .. ATLS_TDX_FIXED_LEN - 1));
    assigns fixed[0 .. ATLS_TDX_FIXED_LEN - 1]; */
static bool put_number(uint8_t *fixed, size_t at, size_t len, uint64_t value)
{
    if (at > ATLS_TDX_FIXED_LEN || len > ATLS_TDX_FIXED_LEN - at) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, value, fixed[0 .. ATLS_TDX_FIXED_LEN - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        fixed[at + i] = (uint8_t)(value % 256u);
        value /= 256u;
    }
    return value == 0;
}

/*@ requires \valid(fixed + (0 .. ATLS_TDX_FIXED_LEN - 1)) && valid_buf(bytes);
    assigns fixed[0 .. ATLS_TDX_FIXED_LEN - 1]; */
static bool put_bytes(uint8_t *fixed, size_t at, size_t len, atls_buf bytes)
{
    if (at > ATLS_TDX_FIXED_LEN || len > ATLS_TDX_FIXED_LEN - at || bytes.len != len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, fixed[0 .. ATLS_TDX_FIXED_LEN - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        fixed[at + i] = bytes.ptr[i];
    }
    return true;
}

/*@ requires \valid(q) && \valid_read(p) && \separated(q, p) && sound_reading(q);
    assigns q->quote.pck_type, q->quote.pck_size, q->quote.fixed[0 .. ATLS_TDX_FIXED_LEN - 1];
    ensures sound_reading(q); */
static bool take_number(reading *q, const atls_tdx_place *p, uint64_t value)
{
    if (p->shape == TDX_PCK_TYPE) {
        q->quote.pck_type = (uint32_t)(value % 65536u);
        return value <= UINT16_MAX;
    }
    if (p->shape == TDX_PCK_SIZE) {
        q->quote.pck_size = (uint32_t)(value % 4294967296u);
        return value <= UINT32_MAX;
    }
    return put_number(q->quote.fixed, p->at, p->len, value);
}

/* The next of the RTMRs, which are all at one place. */
/*@ requires \valid(q) && valid_buf(bytes) && sound_reading(q);
    assigns q->rtmrs, q->quote.fixed[0 .. ATLS_TDX_FIXED_LEN - 1];
    ensures sound_reading(q); */
static bool take_rtmr(reading *q, size_t at, size_t len, atls_buf bytes)
{
    if (q->rtmrs >= ATLS_TDX_RTMRS || at > ATLS_TDX_FIXED_LEN || len > ATLS_TDX_FIXED_LEN) {
        return false;
    }
    const size_t n = q->rtmrs;
    q->rtmrs = n + 1;
    return put_bytes(q->quote.fixed, at + n * len, len, bytes);
}

/* What has no place of a fixed length: a view. */
/*@ requires \valid(q) && view_of(bytes, q->all) && sound_reading(q);
    assigns q->quote.qe_data, q->quote.chain, q->quote.extra;
    ensures sound_reading(q); */
static bool take_view(reading *q, atls_tdx_shape shape, atls_buf bytes)
{
    if (shape == TDX_QE_DATA_BYTES) {
        q->quote.qe_data = bytes;
    } else if (shape == TDX_CHAIN) {
        q->quote.chain = bytes;
    } else if (shape == TDX_EXTRA) {
        q->quote.extra = bytes;
    } else {
        return false;
    }
    return true;
}

/*@ requires \valid(q) && \valid_read(p) && \separated(q, p) && view_of(bytes, q->all) && sound_reading(q);
    assigns *q;
    ensures sound_reading(q) && q->all == \old(q->all); */
static bool take_bytes(reading *q, const atls_tdx_place *p, atls_buf bytes)
{
    if (p->shape == TDX_RTMR) {
        return take_rtmr(q, p->at, p->len, bytes);
    }
    if (p->shape == TDX_BYTES) {
        return put_bytes(q->quote.fixed, p->at, p->len, bytes);
    }
    return take_view(q, p->shape, bytes);
}

/*@ requires \valid(q) && \valid_read(p) && \separated(q, p) && \valid_read(f) && \separated(q, f);
    requires view_of(f->bytes, q->all) && sound_reading(q);
    assigns *q;
    ensures sound_reading(q) && q->all == \old(q->all); */
static bool take(reading *q, const atls_tdx_place *p, const atls_protobuf_field *f)
{
    if (p->shape == TDX_NUMBER || p->shape == TDX_PCK_TYPE || p->shape == TDX_PCK_SIZE) {
        return f->kind == ATLS_PROTOBUF_VARINT && take_number(q, p, f->value);
    }
    return f->kind == ATLS_PROTOBUF_BYTES && take_bytes(q, p, f->bytes);
}

/* ATLS_TDX_PLACES: there is no such field. */
/*@ assigns \nothing;
    ensures 0 <= \result <= ATLS_TDX_PLACES; */
static size_t find(atls_tdx_message in, uint32_t number)
{
    size_t i = 0;
    /*@ loop invariant 0 <= i <= ATLS_TDX_PLACES;
        loop assigns i;
        loop variant ATLS_TDX_PLACES - i; */
    while (i < ATLS_TDX_PLACES &&
           (atls_tdx_places[i].in != in || atls_tdx_places[i].number != number)) {
        i++;
    }
    return i;
}

/* A field comes once, but for the RTMRs. */
/*@ requires \valid(q) && sound_reading(q) && 0 <= i < ATLS_TDX_PLACES && (err == \null || \valid(err));
    requires \separated(q, err) && \separated(q, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    assigns q->seen[i], *err;
    ensures sound_reading(q); */
static atls_code note(reading *q, size_t i, atls_err *err)
{
    if (q->seen[i] != 0 && atls_tdx_places[i].shape != TDX_RTMR) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.twice",
                        "field %u of part %d of a TDX quote comes a second time",
                        (unsigned)atls_tdx_places[i].number, (int)atls_tdx_places[i].in);
    }
    q->seen[i] = 1;
    return ATLS_OK;
}

static atls_code read_message(reading *q, atls_tdx_message in, atls_buf bytes, atls_err *err);

/*@ requires \valid(q) && sound_reading(q) && 0 <= i < ATLS_TDX_PLACES && (err == \null || \valid(err));
    requires \valid_read(f) && view_of(f->bytes, q->all) && \separated(q, f) && \separated(f, err);
    requires \separated(q, err) && \separated(q, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(err, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    assigns *q, *err;
    ensures sound_reading(q) && q->all == \old(q->all); */
static atls_code read_field(reading *q, size_t i, const atls_protobuf_field *f, atls_err *err)
{
    const atls_tdx_place *p = &atls_tdx_places[i];
    ATLS_TRY(note(q, i, err));
    if (p->shape == TDX_MESSAGE && f->kind == ATLS_PROTOBUF_BYTES) {
        return read_message(q, p->child, f->bytes, err);
    }
    return take(q, p, f) ? ATLS_OK : bad_field(p, err);
}

/*@ predicate within{L}(atls_reader *r, uint8_t *all) = r->left == 0 || \base_addr(r->ptr) == \base_addr(all); */

/*@ requires \valid(q) && sound_reading(q) && valid_reader(r) && within(r, q->all) && (err == \null || \valid(err));
    requires \separated(q, r) && \separated(err, r) && \separated(r, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(q, err) && \separated(q, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(err, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    assigns *r, *q, *err;
    ensures sound_reading(q) && q->all == \old(q->all) && valid_reader(r) && within(r, q->all);
    ensures \old(r->left) > 0 && \result == ATLS_OK ==> r->left < \old(r->left); */
static atls_code next_field(reading *q, atls_tdx_message in, atls_reader *r, atls_err *err)
{
    atls_protobuf_field f;
    if (!atls_protobuf_next(r, &f)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.malformed", "no message of a TDX quote");
    }
    const size_t i = find(in, f.number);
    return i < ATLS_TDX_PLACES ? read_field(q, i, &f, err) : ATLS_OK;
}

/*@ requires \valid(q) && sound_reading(q) && valid_reader(r) && within(r, q->all) && (err == \null || \valid(err));
    requires \separated(q, r) && \separated(err, r) && \separated(r, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(q, err) && \separated(q, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(err, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    assigns *r, *q, *err;
    ensures sound_reading(q) && q->all == \old(q->all); */
static atls_code next_fields(reading *q, atls_tdx_message in, atls_reader *r, atls_err *err)
{
    /*@ loop invariant valid_reader(r) && within(r, q->all);
        loop invariant sound_reading(q) && q->all == \at(q->all, Pre);
        loop assigns *r, *q, *err;
        loop variant r->left; */
    while (r->left > 0) {
        ATLS_TRY(next_field(q, in, r, err));
    }
    return ATLS_OK;
}

/* As deep as the table: a message is in none of its own kind, and shorter than the one it is in. */
/*@ requires \valid(q) && view_of(bytes, q->all) && sound_reading(q) && (err == \null || \valid(err));
    requires \separated(q, err) && \separated(q, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(err, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    assigns *q, *err;
    ensures sound_reading(q) && q->all == \old(q->all); */
static atls_code read_message(reading *q, atls_tdx_message in, atls_buf bytes, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_code rc = next_fields(q, in, &r, err);
    /* The views outlive r: they are not in it. */
    /*@ assert \base_addr(q->all) != \base_addr(&r); */
    /*@ assert q->quote.qe_data.len == 0 || \base_addr(q->quote.qe_data.ptr) != \base_addr(&r); */
    /*@ assert q->quote.chain.len == 0 || \base_addr(q->quote.chain.ptr) != \base_addr(&r); */
    /*@ assert q->quote.extra.len == 0 || \base_addr(q->quote.extra.ptr) != \base_addr(&r); */
    return rc;
}

/* Numbers are left out when they are zero, and bytes when there are none. */
/*@ requires \valid_read(q);
    assigns \nothing; */
static bool complete(const reading *q)
{
    /*@ loop invariant 0 <= i <= ATLS_TDX_PLACES;
        loop assigns i;
        loop variant ATLS_TDX_PLACES - i; */
    for (size_t i = 0; i < ATLS_TDX_PLACES; i++) {
        const atls_tdx_shape shape = atls_tdx_places[i].shape;
        if ((shape == TDX_BYTES || shape == TDX_RTMR) && q->seen[i] == 0) {
            return false;
        }
    }
    return q->rtmrs == ATLS_TDX_RTMRS;
}

/*@ requires valid_writer(w) && \valid_read(q) && valid_buf(q->qe_data) && valid_buf(q->chain) && valid_buf(q->extra);
    requires \separated(q, w) && \separated(q, w->ptr + (0 .. w->cap - 1));
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w); */
static void put_quote(atls_writer *w, const atls_tdx_quote *q)
{
    const atls_buf fixed = {q->fixed, ATLS_TDX_FIXED_LEN};
    atls_writer_bytes(w, fixed);
    atls_writer_bytes(w, q->qe_data);
    atls_writer_u16le(w, (uint16_t)(q->pck_type % 65536u));
    atls_writer_u32le(w, q->pck_size);
    atls_writer_bytes(w, q->chain);
    atls_writer_bytes(w, q->extra);
}

/*@ requires \valid(q) && view_of(bytes, q->all) && sound_reading(q) && (err == \null || \valid(err));
    requires \separated(q, err) && \separated(q, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    requires \separated(err, atls_tdx_places + (0 .. ATLS_TDX_PLACES - 1));
    assigns *q, *err;
    ensures sound_reading(q); */
static atls_code read_quote(reading *q, atls_buf bytes, atls_err *err)
{
    ATLS_TRY(read_message(q, TDX_QUOTE, bytes, err));
    if (!complete(q)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tdx_message.missing",
                        "a TDX quote without one of its fields");
    }
    return ATLS_OK;
}

atls_code atls_tdx_quote_message_parse(atls_buf bytes, atls_writer *w, atls_err *err)
{
    reading q = {.all = bytes.ptr};
    ATLS_TRY(read_quote(&q, bytes, err));
    put_quote(w, &q.quote);
    return atls_writer_ok(w) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}
