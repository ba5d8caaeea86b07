#include "binding/atlas_http.h"

#define STATUS_DIGITS 3u
#define HOST_MAX      255u

/* --- text --- */

/*@ assigns \nothing;
    ensures 'A' <= c <= 'Z' ? \result == c + 32 : \result == c; */
static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32u) : c;
}

/* Is it that text (in lower case), whatever its own case? */
/*@ requires valid_buf(b) && \valid_read(text + (0 .. len - 1));
    assigns \nothing;
    ensures \result ==> b.len == len; */
static bool is_word(atls_buf b, const char *text, size_t len)
{
    if (b.len != len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        if (lower(b.ptr[i]) != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

/* Is it that text, byte for byte? */
/*@ requires valid_buf(b) && \valid_read(text + (0 .. len - 1));
    assigns \nothing;
    ensures \result ==> b.len == len; */
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

/*@ requires \valid_read(text + (0 .. len - 1));
    assigns \nothing; */
static bool is_one_of(uint8_t c, const char *text, size_t len)
{
    /*@ loop invariant 0 <= i <= len;
        loop assigns i;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        if (c == (uint8_t)text[i]) {
            return true;
        }
    }
    return false;
}

/*@ assigns \nothing; */
static bool is_alphanumeric(uint8_t c)
{
    const uint8_t l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

/* RFC 9110, 5.6.2: a byte of a token. */
/*@ assigns \nothing; */
static bool in_token(uint8_t c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return is_alphanumeric(c) || is_one_of(c, others, sizeof others - 1);
}

/* What may stand in a line: no control characters but the tab. */
/*@ assigns \nothing;
    ensures \result ==> c != '\r' && c != '\n'; */
static bool in_line(uint8_t c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
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

/* --- lines --- */

size_t atls_http_head_end(atls_buf in, size_t from)
{
    const size_t back = from > 3 ? from - 3 : 0;
    if (in.len < 4) {
        return 0;
    }
    /*@ loop invariant back <= i && (i <= in.len - 3 || i == back);
        loop assigns i;
        loop variant in.len - i; */
    for (size_t i = back; i < in.len - 3; i++) {
        if (in.ptr[i] == '\r' && in.ptr[i + 1] == '\n' && in.ptr[i + 2] == '\r' &&
            in.ptr[i + 3] == '\n') {
            return i + 4;
        }
    }
    return 0;
}

/* The next line, without its CR LF; r fails when there is none. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && valid_buf(\result);
    ensures r->left <= \old(r->left) && (!r->failed ==> r->left < \old(r->left)); */
static atls_buf take_line(atls_reader *r)
{
    size_t len = 0;
    /*@ loop invariant 0 <= len <= r->left;
        loop assigns len;
        loop variant r->left - len; */
    while (len < r->left && in_line(r->ptr[len])) {
        len++;
    }
    const atls_buf line = atls_reader_view(r, len);
    const uint8_t cr = atls_reader_u8(r);
    const uint8_t lf = atls_reader_u8(r);
    if (cr != '\r' || lf != '\n') {
        atls_reader_fail(r);
    }
    return line;
}

/*@ requires valid_buf(b);
    assigns \nothing; */
static bool is_token(atls_buf b)
{
    /*@ loop invariant 0 <= i <= b.len;
        loop assigns i;
        loop variant b.len - i; */
    for (size_t i = 0; i < b.len; i++) {
        if (!in_token(b.ptr[i])) {
            return false;
        }
    }
    return b.len > 0;
}

/*@ assigns \nothing; */
static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
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

/* Without the blanks at both ends. */
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

/* NAME ":" VALUE, without the blanks around the value. */
/*@ requires valid_buf(line) && \valid(name) && \valid(value) && \separated(name, value);
    assigns *name, *value;
    ensures \result ==> valid_buf(*name) && valid_buf(*value); */
static bool split_field(atls_buf line, atls_buf *name, atls_buf *value)
{
    const size_t colon = until(line, ':');
    if (colon == line.len) {
        return false;
    }
    const atls_buf before = part(line, 0, colon);
    const atls_buf behind = trim(part(line, colon + 1, line.len - colon - 1));
    if (!is_token(before)) {
        return false;
    }
    *name = before;
    *value = behind;
    return true;
}

/* A plain decimal number without leading zeros, at most 9 digits. */
/*@ requires valid_buf(text) && \valid(out);
    assigns *out;
    ensures \result ==> *out <= 999999999; */
static bool read_number(atls_buf text, size_t *out)
{
    size_t v = 0;
    if (text.len == 0 || text.len > 9 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    /*@ loop invariant 0 <= i <= text.len;
        loop invariant i == 0 ==> v == 0;
        loop invariant i == 1 ==> v <= 9;
        loop invariant i == 2 ==> v <= 99;
        loop invariant i == 3 ==> v <= 999;
        loop invariant i == 4 ==> v <= 9999;
        loop invariant i == 5 ==> v <= 99999;
        loop invariant i == 6 ==> v <= 999999;
        loop invariant i == 7 ==> v <= 9999999;
        loop invariant i == 8 ==> v <= 99999999;
        loop invariant i == 9 ==> v <= 999999999;
        loop assigns i, v;
        loop variant text.len - i; */
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        v = v * 10 + (size_t)(text.ptr[i] - '0');
    }
    *out = v;
    return true;
}

/* --- fields --- */

typedef struct fields {
    size_t lengths, hosts;
    bool bad_length, coded;
    size_t body_len;
} fields;

static const char content_length[] = "content-length";
static const char transfer_encoding[] = "transfer-encoding";
static const char host_field[] = "host";

/*@ requires valid_buf(line) && \valid(f) && f->lengths < ATLS_HTTP_FIELDS_MAX && f->hosts < ATLS_HTTP_FIELDS_MAX;
    requires f->body_len <= 999999999;
    assigns *f;
    ensures f->lengths <= \old(f->lengths) + 1 && f->hosts <= \old(f->hosts) + 1 && f->body_len <= 999999999; */
static bool take_field(atls_buf line, fields *f)
{
    atls_buf name;
    atls_buf value;
    if (!split_field(line, &name, &value)) {
        return false;
    }
    if (is_word(name, content_length, sizeof content_length - 1)) {
        f->lengths++;
        size_t v = 0;
        if (read_number(value, &v)) {
            f->body_len = v;
        } else {
            f->bad_length = true;
        }
    } else if (is_word(name, transfer_encoding, sizeof transfer_encoding - 1)) {
        f->coded = true;
    } else if (is_word(name, host_field, sizeof host_field - 1)) {
        f->hosts++;
    }
    return true;
}

/* All header lines and the empty one, which is the last. */
/*@ requires valid_reader(r) && \valid(f) && \separated(r, f);
    assigns *r, *f;
    ensures valid_reader(r) && f->body_len <= 999999999; */
static atls_http_fault take_fields(atls_reader *r, fields *f)
{
    f->lengths = 0;
    f->hosts = 0;
    f->bad_length = false;
    f->coded = false;
    f->body_len = 0;
    /*@ loop invariant valid_reader(r) && 0 <= i <= ATLS_HTTP_FIELDS_MAX;
        loop invariant f->lengths <= i && f->hosts <= i && f->body_len <= 999999999;
        loop assigns i, *r, *f;
        loop variant ATLS_HTTP_FIELDS_MAX - i; */
    for (size_t i = 0; i < ATLS_HTTP_FIELDS_MAX; i++) {
        const atls_buf line = take_line(r);
        if (!atls_reader_ok(r)) {
            return ATLS_HTTP_FIELD;
        }
        if (line.len == 0) {
            return atls_reader_end(r) ? ATLS_HTTP_FINE : ATLS_HTTP_FIELD;
        }
        if (!take_field(line, f)) {
            return ATLS_HTTP_FIELD;
        }
    }
    return ATLS_HTTP_FIELD;
}

/*@ requires \valid_read(f);
    assigns \nothing;
    ensures \result == ATLS_HTTP_FINE ==> f->body_len <= ATLS_HTTP_BODY_MAX; */
static atls_http_fault judge_length(const fields *f)
{
    if (f->coded) {
        return ATLS_HTTP_CODING;
    }
    if (f->lengths == 0) {
        return ATLS_HTTP_NO_LENGTH;
    }
    if (f->lengths > 1 || f->bad_length) {
        return ATLS_HTTP_LENGTH;
    }
    return f->body_len <= ATLS_HTTP_BODY_MAX ? ATLS_HTTP_FINE : ATLS_HTTP_LARGE;
}

/* --- an answer --- */

/* "HTTP/1.1 200", and a reason behind a blank, or none. */
/*@ requires valid_buf(line) && \valid(status);
    assigns *status; */
static bool read_status_line(atls_buf line, unsigned *status)
{
    static const char version[] = "HTTP/1.1 ";
    atls_reader r = atls_reader_of(line);
    const atls_buf began = atls_reader_view(&r, sizeof version - 1);
    const atls_buf code = atls_reader_view(&r, STATUS_DIGITS);
    size_t v = 0;
    if (!atls_reader_ok(&r) || !is_text(began, version, sizeof version - 1) ||
        !read_number(code, &v)) {
        return false;
    }
    if (v < 100 || v > 999 || (r.left > 0 && r.ptr[0] != ' ')) {
        return false;
    }
    *status = (unsigned)v;
    return true;
}

atls_http_fault atls_http_response_head(atls_buf head, atls_http_head *out)
{
    fields f;
    atls_reader r = atls_reader_of(head);
    *out = (atls_http_head){0, 0};
    const atls_buf line = take_line(&r);
    if (!atls_reader_ok(&r) || !read_status_line(line, &out->status)) {
        return ATLS_HTTP_LINE;
    }
    const atls_http_fault fault = take_fields(&r, &f);
    if (fault != ATLS_HTTP_FINE) {
        return fault;
    }
    if (out->status != 200) {
        return ATLS_HTTP_STATUS;
    }
    out->body_len = f.body_len;
    return judge_length(&f);
}

/* --- a request --- */

/* METHOD " " TARGET " HTTP/1.1" */
/*@ requires valid_buf(line);
    assigns \nothing; */
static atls_http_fault judge_request_line(atls_buf line)
{
    static const char post[] = "POST";
    static const char tdx_quote[] = "/tdx_quote";
    static const char version[] = "HTTP/1.1";
    atls_reader r = atls_reader_of(line);
    const atls_buf method = atls_reader_view(&r, until(line, ' '));
    (void)atls_reader_u8(&r);
    const atls_buf rest = atls_reader_rest(&r);
    atls_reader of_rest = atls_reader_of(rest);
    const atls_buf target = atls_reader_view(&of_rest, until(rest, ' '));
    (void)atls_reader_u8(&of_rest);
    if (!atls_reader_ok(&r) || !atls_reader_ok(&of_rest) || method.len == 0 || target.len == 0) {
        return ATLS_HTTP_LINE;
    }
    if (!is_text(atls_reader_rest(&of_rest), version, sizeof version - 1)) {
        return ATLS_HTTP_LINE;
    }
    if (!is_text(target, tdx_quote, sizeof tdx_quote - 1)) {
        return ATLS_HTTP_TARGET;
    }
    return is_text(method, post, sizeof post - 1) ? ATLS_HTTP_FINE : ATLS_HTTP_METHOD;
}

atls_http_fault atls_http_request_head(atls_buf head, atls_http_head *out)
{
    fields f;
    atls_reader r = atls_reader_of(head);
    *out = (atls_http_head){0, 0};
    const atls_buf line = take_line(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_HTTP_LINE;
    }
    const atls_http_fault of_line = judge_request_line(line);
    if (of_line == ATLS_HTTP_LINE) {
        return of_line;
    }
    const atls_http_fault of_fields = take_fields(&r, &f);
    if (of_fields != ATLS_HTTP_FINE) {
        return of_fields;
    }
    if (f.hosts != 1) {
        return ATLS_HTTP_HOST;
    }
    if (of_line != ATLS_HTTP_FINE) {
        return of_line;
    }
    out->body_len = f.body_len;
    return judge_length(&f);
}

bool atls_http_host_fits(atls_buf host)
{
    static const char others[] = "._-:[]";
    if (host.len == 0 || host.len > HOST_MAX) {
        return false;
    }
    /*@ loop invariant 0 <= i <= host.len;
        loop assigns i;
        loop variant host.len - i; */
    for (size_t i = 0; i < host.len; i++) {
        if (!is_alphanumeric(host.ptr[i]) && !is_one_of(host.ptr[i], others, sizeof others - 1)) {
            return false;
        }
    }
    return true;
}
