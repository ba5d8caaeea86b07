#include "net/header_chain.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32u) : c;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* How many bytes stand before the first of that value; b.len: it is not there. */
static size_t until(atls_buf b, uint8_t value)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] == value) {
            return i;
        }
    }
    return b.len;
}

/* len bytes of b, from there on; {NULL, 0}: they are not there. */
static atls_buf part(atls_buf b, size_t from, size_t len)
{
    atls_reader r = atls_reader_of(b);
    (void)atls_reader_view(&r, from);
    return atls_reader_view(&r, len);
}

/* Without the blanks, and a CR, at both ends. */
static atls_buf trim(atls_buf b)
{
    size_t end = b.len;
    size_t start = 0;
    while (end > 0 && is_blank(b.ptr[end - 1])) {
        end--;
    }
    while (start < end && is_blank(b.ptr[start])) {
        start++;
    }
    return part(b, start, end - start);
}

/* Is it that name (in lower case), whatever its own case? */
static bool is_name(atls_buf b, const char *name, size_t len)
{
    if (b.len != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (lower(b.ptr[i]) != (uint8_t)name[i]) {
            return false;
        }
    }
    return true;
}

static bool is_same(atls_buf a, atls_buf b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return false;
        }
    }
    return true;
}

/* The next line, without its LF; the rest, where there is none. */
static atls_buf take_line(atls_reader *r)
{
    size_t len = 0;
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
static unsigned digit(uint8_t c)
{
    const uint8_t l = lower(c);
    if (l >= '0' && l <= '9') {
        return l - 48u;
    }
    return l >= 'a' && l <= 'f' ? l - 87u : 16u;
}

/* What PEM text has in it. */
static bool is_text(uint8_t c)
{
    return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
}

bool atls_percent_decode(atls_buf value, atls_writer *w)
{
    atls_reader r = atls_reader_of(value);
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

static bool is_unreserved(uint8_t c)
{
    const uint8_t l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static uint8_t hex_digit(unsigned v)
{
    return (uint8_t)(v < 10 ? v + 48u : v + 55u);
}

void atls_percent_encode(atls_buf text, atls_writer *w)
{
    atls_reader r = atls_reader_of(text);
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
