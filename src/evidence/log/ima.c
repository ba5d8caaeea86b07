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

/* d-ng: an algorithm's name, ":", NUL, the digest. n-ng: a path and NUL. Behind them ima-sig has a signature. */
/*@ requires valid_buf(out->data) && \valid(out);
    assigns out->algorithm, out->digest, out->path;
    ensures valid_buf(out->algorithm) && valid_buf(out->digest) && valid_buf(out->path); */
static bool read_fields(atls_ima_entry *out, bool has_signature)
{
    atls_reader r = atls_reader_of(out->data);
    const atls_buf digest = atls_reader_view(&r, atls_reader_u32le(&r));
    const atls_buf path = atls_reader_view(&r, atls_reader_u32le(&r));
    if (has_signature) {
        (void)atls_reader_view(&r, atls_reader_u32le(&r));
    }
    const size_t colon = until(digest, ':');
    atls_reader d = atls_reader_of(digest);
    out->algorithm = atls_reader_view(&d, colon);
    const uint16_t end = atls_reader_u16be(&d);
    out->digest = atls_reader_rest(&d);
    const size_t len = until(path, 0);
    atls_reader p = atls_reader_of(path);
    out->path = atls_reader_view(&p, len);
    (void)atls_reader_u8(&p);
    return atls_reader_end(&r) && atls_reader_end(&d) && atls_reader_end(&p) && end == ':' * 256u &&
           colon > 0 && colon <= ALGORITHM_MAX && out->digest.len > 0 &&
           out->digest.len <= DIGEST_MAX;
}

atls_code atls_ima_next(atls_reader *list, bool *more, atls_ima_entry *out, atls_err *err)
{
    static const atls_buf none;
    if (atls_reader_end(list)) {
        *more = false;
        return ATLS_OK;
    }
    atls_reader r = *list;
    atls_ima_entry e;
    e.pcr = atls_reader_u32le(&r);
    e.sha1 = atls_reader_view(&r, SHA1_LEN);
    const uint32_t name_len = atls_reader_u32le(&r);
    e.template_name = atls_reader_view(&r, name_len);
    if (!atls_reader_ok(&r) || e.pcr >= PCRS || name_len == 0 || name_len > ATLS_IMA_TEMPLATE_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.format",
                        "an entry of PCR %u with a template's name of %u bytes", (unsigned)e.pcr,
                        (unsigned)name_len);
    }
    if (is_text(e.template_name, "ima", 3)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.template",
                        "an entry of the old template \"ima\", where ima-ng or ima-sig is wanted");
    }
    const uint32_t size = atls_reader_u32le(&r);
    e.data = atls_reader_view(&r, size);
    if (!atls_reader_ok(&r) || size > ATLS_IMA_DATA_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.format",
                        "an entry of %u bytes, which does not fit in the list", (unsigned)size);
    }
    e.algorithm = none;
    e.digest = none;
    e.path = none;
    const bool is_signed = is_text(e.template_name, "ima-sig", 7);
    e.is_known = is_signed || is_text(e.template_name, "ima-ng", 6);
    if (e.is_known && !read_fields(&e, is_signed)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.event",
                        "an entry whose digest and path do not fill it");
    }
    *list = r;
    *more = true;
    *out = e;
    return ATLS_OK;
}
