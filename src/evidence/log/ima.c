#include "evidence/log/ima.h"

#include "base/err.h"

#define SHA1_LEN      20
#define PCRS          24
#define ALGORITHM_MAX 16
#define DIGEST_MAX    64

/* Is it that text, of len bytes? */
/*@ requires valid_buf(b) && \valid_read(text + (0 .. len - 1));
    assigns \nothing; */
static bool is_text(atls_buf b, const char *text, size_t len)
{
    if (b.len != len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        if (b.ptr[i] != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

bool atls_ima_looks(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    const uint32_t pcr = atls_reader_u32le(&r);
    (void)atls_reader_view(&r, SHA1_LEN);
    const uint32_t len = atls_reader_u32le(&r);
    const atls_buf name = atls_reader_view(&r, 3);
    return atls_reader_ok(&r) && pcr < PCRS && len >= 3 && len <= ATLS_IMA_TEMPLATE_MAX &&
           is_text(name, "ima", 3);
}

/* How many bytes stand before the first of that value; b.len: it is not there. */
/*@ requires valid_buf(b);
    assigns \nothing;
    ensures 0 <= \result <= b.len; */
static size_t until(atls_buf b, uint8_t value)
{
    /*@ loop invariant 0 <= i <= b.len;
        loop assigns i;
        loop variant b.len - i; */
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] == value) {
            return i;
        }
    }
    return b.len;
}

/* d-ng: an algorithm's name, ":", NUL, the digest. */
/*@ requires valid_buf(field) && \valid(out);
    assigns out->algorithm, out->digest;
    ensures valid_buf(out->algorithm);
    ensures part_of(out->algorithm, field.ptr);
    ensures valid_buf(out->digest);
    ensures part_of(out->digest, field.ptr); */
static bool read_digest(atls_buf field, atls_ima_entry *out)
{
    const size_t colon = until(field, ':');
    atls_reader r = atls_reader_of(field);
    const atls_buf algorithm = atls_reader_view(&r, colon);
    const uint16_t end = atls_reader_u16be(&r);
    const bool ends = atls_reader_ok(&r) && end == ':' * 256u;
    const atls_buf digest = atls_reader_rest(&r);
    out->algorithm = algorithm;
    out->digest = digest;
    return ends && colon > 0 && colon <= ALGORITHM_MAX && digest.len > 0 &&
           digest.len <= DIGEST_MAX;
}

/* n-ng: a path and NUL. */
/*@ requires valid_buf(field) && \valid(out);
    assigns out->path;
    ensures valid_buf(out->path);
    ensures part_of(out->path, field.ptr); */
static bool read_path(atls_buf field, atls_ima_entry *out)
{
    const size_t len = until(field, 0);
    atls_reader r = atls_reader_of(field);
    const atls_buf path = atls_reader_view(&r, len);
    (void)atls_reader_u8(&r);
    out->path = path;
    return atls_reader_end(&r);
}

/* d-ng and n-ng; behind them ima-sig has a signature. */
/*@ requires valid_buf(data) && \valid(out);
    assigns out->algorithm, out->digest, out->path;
    ensures valid_buf(out->algorithm);
    ensures part_of(out->algorithm, data.ptr);
    ensures valid_buf(out->digest);
    ensures part_of(out->digest, data.ptr);
    ensures valid_buf(out->path);
    ensures part_of(out->path, data.ptr); */
static bool read_fields(atls_buf data, bool has_signature, atls_ima_entry *out)
{
    atls_reader r = atls_reader_of(data);
    const atls_buf digest = atls_reader_view(&r, atls_reader_u32le(&r));
    const atls_buf path = atls_reader_view(&r, atls_reader_u32le(&r));
    if (has_signature) {
        (void)atls_reader_view(&r, atls_reader_u32le(&r));
    }
    const bool filled = atls_reader_end(&r);
    const bool has_digest = read_digest(digest, out);
    const bool has_path = read_path(path, out);
    return filled && has_digest && has_path;
}

/* Up to the template's name. */
/*@ requires valid_reader(r) && \valid(e) && (err == \null || \valid(err)) && \separated(r, e, err);
    assigns *r, e->pcr, e->sha1, e->template_name, *err;
    ensures valid_reader(r);
    ensures forward{Pre, Post}(r);
    ensures \result == ATLS_OK ==> valid_buf(e->sha1);
    ensures \result == ATLS_OK ==> part_of(e->sha1, r->ptr);
    ensures \result == ATLS_OK ==> valid_buf(e->template_name);
    ensures \result == ATLS_OK ==> part_of(e->template_name, r->ptr); */
static atls_code read_head(atls_reader *r, atls_ima_entry *e, atls_err *err)
{
    e->pcr = atls_reader_u32le(r);
    e->sha1 = atls_reader_view(r, SHA1_LEN);
    const uint32_t name_len = atls_reader_u32le(r);
    /*@ assert valid_reader(r) && forward{Pre, Here}(r) && part_of(e->sha1, r->ptr); */
    e->template_name = atls_reader_view(r, name_len);
    if (!atls_reader_ok(r) || e->pcr >= PCRS || name_len == 0 || name_len > ATLS_IMA_TEMPLATE_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.format",
                        "an entry of PCR %u with a template's name of %u bytes", (unsigned)e->pcr,
                        (unsigned)name_len);
    }
    if (is_text(e->template_name, "ima", 3)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.template",
                        "an entry of the old template \"ima\", where ima-ng or ima-sig is wanted");
    }
    return ATLS_OK;
}

/* What is hashed, with its length in front. */
/*@ requires valid_reader(r) && \valid(data) && (err == \null || \valid(err)) && \separated(r, data, err);
    assigns *r, *data, *err;
    ensures valid_reader(r);
    ensures forward{Pre, Post}(r);
    ensures \result == ATLS_OK ==> valid_buf(*data);
    ensures \result == ATLS_OK ==> part_of(*data, r->ptr); */
static atls_code read_data(atls_reader *r, atls_buf *data, atls_err *err)
{
    const uint32_t size = atls_reader_u32le(r);
    *data = atls_reader_view(r, size);
    if (!atls_reader_ok(r) || size > ATLS_IMA_DATA_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.format",
                        "an entry of %u bytes, which does not fit in the list", (unsigned)size);
    }
    return ATLS_OK;
}

/*@ requires valid_buf(e->template_name) && valid_buf(e->data);
    requires \valid(e) && (err == \null || \valid(err)) && \separated(e, err);
    assigns e->is_known, e->algorithm, e->digest, e->path, *err;
    ensures \result == ATLS_OK ==> valid_buf(e->algorithm);
    ensures \result == ATLS_OK ==> part_of(e->algorithm, e->data.ptr);
    ensures \result == ATLS_OK ==> valid_buf(e->digest);
    ensures \result == ATLS_OK ==> part_of(e->digest, e->data.ptr);
    ensures \result == ATLS_OK ==> valid_buf(e->path);
    ensures \result == ATLS_OK ==> part_of(e->path, e->data.ptr); */
static atls_code read_known(atls_ima_entry *e, atls_err *err)
{
    static const atls_buf none;
    const bool is_signed = is_text(e->template_name, "ima-sig", 7);
    e->is_known = is_signed || is_text(e->template_name, "ima-ng", 6);
    if (!e->is_known) {
        e->algorithm = none;
        e->digest = none;
        e->path = none;
        return ATLS_OK;
    }
    if (!read_fields(e->data, is_signed, e)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.event",
                        "an entry whose digest and path do not fill it");
    }
    return ATLS_OK;
}

/*@ requires valid_reader(list) && \valid(out) && (err == \null || \valid(err)) && \separated(list, out, err);
    assigns *list, *out, *err;
    ensures valid_reader(list);
    ensures \result == ATLS_OK ==> valid_buf(out->sha1);
    ensures \result == ATLS_OK ==> valid_buf(out->template_name);
    ensures \result == ATLS_OK ==> valid_buf(out->data); */
static atls_code take_entry(atls_reader *list, atls_ima_entry *out, atls_err *err)
{
    atls_reader r = *list;
    atls_ima_entry e;
    ATLS_TRY(read_head(&r, &e, err));
    ATLS_TRY(read_data(&r, &e.data, err));
    /*@ assert sound_reader(r) && \base_addr(r.ptr) == \base_addr(\at(list->ptr, Pre)); */
    ATLS_TRY(read_known(&e, err));
    /*@ assert sound_ima_fields(e); */
    *list = r;
    *out = e;
    return ATLS_OK;
}

atls_code atls_ima_next(atls_reader *list, bool *more, atls_ima_entry *out, atls_err *err)
{
    if (atls_reader_end(list)) {
        *more = false;
        return ATLS_OK;
    }
    ATLS_TRY(take_entry(list, out, err));
    *more = true;
    return ATLS_OK;
}
