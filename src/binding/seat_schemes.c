#include "binding/seat_schemes.h"

#include "base/err.h"

#define MECHANISM_EVIDENCE      0
#define MECHANISM_RESULT        1
#define ENCODING_CONTENT_FORMAT 0
#define ENCODING_MEDIA_TYPE     1
#define SCHEME_NAME_MAX         65535

/* A name of at least one byte behind its length. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_buf(\result);
    ensures !r->failed ==> \result.len >= 1; */
static atls_buf read_name(atls_reader *r)
{
    const atls_buf name = atls_reader_view(r, atls_reader_u16be(r));
    if (name.len == 0) {
        atls_reader_fail(r);
    }
    return name;
}

/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_buf(out->name); */
static void read_evidence_type(atls_reader *r, atls_seat_scheme *out)
{
    const uint8_t encoding = atls_reader_u8(r);
    out->name.ptr = NULL;
    out->name.len = 0;
    if (encoding == ENCODING_CONTENT_FORMAT) {
        out->kind = ATLS_SEAT_CONTENT_FORMAT;
        out->content_format = atls_reader_u16be(r);
    } else if (encoding == ENCODING_MEDIA_TYPE) {
        out->kind = ATLS_SEAT_MEDIA_TYPE;
        out->name = read_name(r);
    } else {
        atls_reader_fail(r);
    }
}

bool atls_seat_scheme_next(atls_reader *r, atls_seat_scheme *out)
{
    const uint8_t mechanism = atls_reader_u8(r);
    out->content_format = 0;
    if (mechanism == MECHANISM_EVIDENCE) {
        read_evidence_type(r, out);
    } else if (mechanism == MECHANISM_RESULT) {
        out->kind = ATLS_SEAT_RESULT;
        out->name = read_name(r);
    } else {
        atls_reader_fail(r);
    }
    return atls_reader_ok(r);
}

/* Does the list end where a scheme does? */
/*@ requires valid_buf(list);
    assigns \nothing; */
static bool is_list(atls_buf list)
{
    atls_reader r = atls_reader_of(list);
    atls_seat_scheme scheme = {ATLS_SEAT_CONTENT_FORMAT, 0, {NULL, 0}};
    /*@ loop invariant valid_reader(&r);
        loop assigns r, scheme;
        loop variant r.left; */
    while (!atls_reader_end(&r)) {
        if (!atls_seat_scheme_next(&r, &scheme)) {
            return false;
        }
    }
    return true;
}

atls_code atls_seat_offer_parse(atls_buf bytes, atls_seat_offer *out, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_buf server = atls_reader_view(&r, atls_reader_u16be(&r));
    const atls_buf client = atls_reader_view(&r, atls_reader_u16be(&r));
    if (!atls_reader_end(&r) || !is_list(server) || !is_list(client)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.schemes",
                        "the client's offer (%zu bytes) is not two lists of schemes that are known",
                        bytes.len);
    }
    if (server.len == 0 && client.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.schemes",
                        "the client's offer has no scheme in either list");
    }
    out->server = server;
    out->client = client;
    return ATLS_OK;
}

atls_code atls_seat_choice_parse(atls_buf bytes, atls_seat_scheme *out, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    atls_seat_scheme scheme = {ATLS_SEAT_CONTENT_FORMAT, 0, {NULL, 0}};
    if (!atls_seat_scheme_next(&r, &scheme) || !atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.choice",
                        "the server's choice (%zu bytes) is not one scheme that is known",
                        bytes.len);
    }
    *out = scheme;
    return ATLS_OK;
}

atls_code atls_seat_evidence_parse(atls_buf bytes, atls_buf *cmw, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_buf found = atls_reader_view(&r, atls_reader_u24be(&r));
    if (!atls_reader_end(&r) || found.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.evidence",
                        "%zu bytes that are not one CMW behind its length", bytes.len);
    }
    *cmw = found;
    return ATLS_OK;
}

bool atls_seat_scheme_equal(const atls_seat_scheme *a, const atls_seat_scheme *b)
{
    if (a->kind != b->kind || a->content_format != b->content_format ||
        a->name.len != b->name.len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= a->name.len;
        loop assigns i;
        loop variant a->name.len - i; */
    for (size_t i = 0; i < a->name.len; i++) {
        if (a->name.ptr[i] != b->name.ptr[i]) {
            return false;
        }
    }
    return true;
}

bool atls_seat_list_has(atls_buf list, const atls_seat_scheme *scheme)
{
    atls_reader r = atls_reader_of(list);
    atls_seat_scheme found = {ATLS_SEAT_CONTENT_FORMAT, 0, {NULL, 0}};
    /*@ loop invariant valid_reader(&r);
        loop assigns r, found;
        loop variant r.left; */
    while (!atls_reader_end(&r)) {
        if (!atls_seat_scheme_next(&r, &found)) {
            return false;
        }
        if (atls_seat_scheme_equal(&found, scheme)) {
            return true;
        }
    }
    return false;
}

void atls_seat_scheme_write(atls_writer *w, const atls_seat_scheme *scheme)
{
    atls_writer_u8(w, scheme->kind == ATLS_SEAT_RESULT ? MECHANISM_RESULT : MECHANISM_EVIDENCE);
    if (scheme->kind == ATLS_SEAT_CONTENT_FORMAT) {
        atls_writer_u8(w, ENCODING_CONTENT_FORMAT);
        atls_writer_u16be(w, scheme->content_format);
        return;
    }
    if (scheme->kind == ATLS_SEAT_MEDIA_TYPE) {
        atls_writer_u8(w, ENCODING_MEDIA_TYPE);
    }
    if (scheme->name.len == 0 || scheme->name.len > SCHEME_NAME_MAX) {
        w->failed = true;
        return;
    }
    atls_writer_u16be(w, (uint16_t)scheme->name.len);
    atls_writer_bytes(w, scheme->name);
}
