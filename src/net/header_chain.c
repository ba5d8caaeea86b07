#include "net/header_chain.h"

/*@ assigns \nothing;
    ensures 'A' <= c <= 'Z' ? \result == c + 32 : \result == c; */
static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32u) : c;
}

/*@ assigns \nothing; */
static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
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

/* len bytes of b, from there on; {NULL, 0}: they are not there. */
/*@ requires valid_buf(b);
    assigns \nothing;
    ensures valid_buf(\result); */
static atls_buf part(atls_buf b, size_t from, size_t len)
{
    atls_reader r = atls_reader_of(b);
    (void)atls_reader_view(&r, from);
    return atls_reader_view(&r, len);
}

/* Without the blanks, and a CR, at both ends. */
/*@ requires valid_buf(b);
    assigns \nothing;
    ensures valid_buf(\result); */
static atls_buf trim(atls_buf b)
{
    size_t end = b.len;
    size_t start = 0;
    /*@ loop invariant 0 <= end <= b.len;
        loop assigns end;
        loop variant end; */
    while (end > 0 && is_blank(b.ptr[end - 1])) {
        end--;
    }
    /*@ loop invariant 0 <= start <= end;
        loop assigns start;
        loop variant end - start; */
    while (start < end && is_blank(b.ptr[start])) {
        start++;
    }
    return part(b, start, end - start);
}

/* Is it that name (in lower case), whatever its own case? */
/*@ requires valid_buf(b) && \valid_read(name + (0 .. len - 1));
    assigns \nothing; */
static bool is_name(atls_buf b, const char *name, size_t len)
{
    if (b.len != len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        if (lower(b.ptr[i]) != (uint8_t)name[i]) {
            return false;
        }
    }
    return true;
}

/*@ requires valid_buf(a) && valid_buf(b);
    assigns \nothing; */
static bool is_same(atls_buf a, atls_buf b)
{
    if (a.len != b.len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= a.len;
        loop assigns i;
        loop variant a.len - i; */
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return false;
        }
    }
    return true;
}

/* The next line, without its LF; the rest, where there is none. */
/*@ requires valid_reader(r) && r->left > 0;
    assigns *r;
    ensures valid_reader(r) && valid_buf(\result) && r->left < \old(r->left); */
static atls_buf take_line(atls_reader *r)
{
    size_t len = 0;
    /*@ loop invariant 0 <= len <= r->left;
        loop assigns len;
        loop variant r->left - len; */
    while (len < r->left && r->ptr[len] != '\n') {
        len++;
    }
    if (len == r->left) {
        return atls_reader_rest(r);
    }
    const atls_buf line = atls_reader_view(r, len);
    (void)atls_reader_u8(r);
    return line;
}

atls_header_found atls_header_find(atls_buf headers, const char *name, size_t len, atls_buf *value)
{
    atls_header_found found = ATLS_HEADER_NONE;
    atls_reader r = atls_reader_of(headers);
    *value = (atls_buf){NULL, 0};
    if (headers.len > ATLS_HTTP_HEADERS_MAX) {
        return ATLS_HEADER_NONE;
    }
    /*@ loop invariant sound_reader(r) && valid_buf(*value);
        loop invariant found == ATLS_HEADER_NONE ==> value->len == 0;
        loop assigns r, found, *value;
        loop variant r.left; */
    while (r.left > 0) {
        const atls_buf line = take_line(&r);
        const size_t colon = until(line, ':');
        if (colon == line.len || !is_name(part(line, 0, colon), name, len)) {
            continue;
        }
        const atls_buf here = trim(part(line, colon + 1, line.len - colon - 1));
        if (found == ATLS_HEADER_NONE) {
            found = ATLS_HEADER_ONE;
            *value = here;
        } else if (!is_same(*value, here)) {
            found = ATLS_HEADER_TWICE;
        }
    }
    return found;
}

/* 16: it is no digit. */
/*@ assigns \nothing;
    ensures 0 <= \result <= 16; */
static unsigned digit(uint8_t c)
{
    const uint8_t l = lower(c);
    if (l >= '0' && l <= '9') {
        return l - 48u;
    }
    return l >= 'a' && l <= 'f' ? l - 87u : 16u;
}

/* What PEM text has in it. */
/*@ assigns \nothing; */
static bool is_text(uint8_t c)
{
    return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
}

bool atls_percent_decode(atls_buf value, atls_writer *w)
{
    atls_reader r = atls_reader_of(value);
    /*@ loop invariant sound_reader(r) && valid_writer(w);
        loop invariant r.left > 0 ==> \base_addr(r.ptr) == \base_addr(value.ptr);
        loop assigns r, *w, w->ptr[0 .. w->cap - 1];
        loop variant r.left; */
    while (r.left > 0) {
        uint8_t c = atls_reader_u8(&r);
        if (c == '%') {
            const unsigned high = digit(atls_reader_u8(&r));
            const unsigned low = digit(atls_reader_u8(&r));
            if (high > 15 || low > 15) {
                w->failed = true;
                return false;
            }
            c = (uint8_t)(high * 16u + low);
        }
        if (!is_text(c)) {
            w->failed = true;
            return false;
        }
        atls_writer_u8(w, c);
    }
    return atls_writer_ok(w);
}

/*@ assigns \nothing; */
static bool is_unreserved(uint8_t c)
{
    const uint8_t l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

/*@ requires v <= 15;
    assigns \nothing; */
static uint8_t hex_digit(unsigned v)
{
    return (uint8_t)(v < 10 ? v + 48u : v + 55u);
}

void atls_percent_encode(atls_buf text, atls_writer *w)
{
    atls_reader r = atls_reader_of(text);
    /*@ loop invariant sound_reader(r) && valid_writer(w);
        loop assigns r, *w, w->ptr[0 .. w->cap - 1];
        loop variant r.left; */
    while (r.left > 0) {
        const uint8_t c = atls_reader_u8(&r);
        if (is_unreserved(c)) {
            atls_writer_u8(w, c);
        } else {
            atls_writer_u8(w, '%');
            atls_writer_u8(w, hex_digit(c / 16u));
            atls_writer_u8(w, hex_digit(c % 16u));
        }
    }
}
