#include "codec/json_scan.h"

#include <string.h>

#include "codec/json.h"

void atls_json_scan_init(atls_json_scan *scan, atls_buf text)
{
    *scan = (atls_json_scan){.text = text, .want = ATLS_JSON_WANT_TOP};
}

/* All looks at the text go through here: -1 behind its end. */
static int peek(const atls_json_scan *scan, size_t ahead)
{
    return ahead < scan->text.len - scan->at ? scan->text.ptr[scan->at + ahead] : -1;
}

static bool bad(atls_json_scan *scan, const char *problem)
{
    scan->problem = problem;
    return false;
}

static int hex_value(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind "\u"; -1 if they are not there. */
static int32_t code_unit(const atls_json_scan *scan, size_t ahead)
{
    int32_t unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_value(peek(scan, ahead + i));
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* At a backslash: goes past the escape and gives its code point. */
static bool take_escape(atls_json_scan *scan, uint32_t *code_point)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    int c = peek(scan, 1);
    if (c != 'u') {
        const char *letter = c > 0 ? strchr(letters, c) : NULL;
        if (letter == NULL) {
            return bad(scan, "unknown escape");
        }
        *code_point = (uint8_t)meanings[letter - letters];
        scan->at += 2;
        return true;
    }
    int32_t unit = code_unit(scan, 2);
    if (unit < 0) {
        return bad(scan, "\\u without four hexadecimal digits");
    }
    if (unit == 0) {
        return bad(scan, "NUL character in a string");
    }
    if (is_high_surrogate(unit)) {
        int32_t low = peek(scan, 6) == '\\' && peek(scan, 7) == 'u' ? code_unit(scan, 8) : -1;
        if (!is_low_surrogate(low)) {
            return bad(scan, "half of a surrogate pair");
        }
        *code_point = 0x10000u + (uint32_t)(unit - 0xd800) * 0x400u + (uint32_t)(low - 0xdc00);
        scan->at += 12;
        return true;
    }
    if (is_low_surrogate(unit)) {
        return bad(scan, "half of a surrogate pair");
    }
    *code_point = (uint32_t)unit;
    scan->at += 6;
    return true;
}

/* At a byte of 0x80 or more: goes past one character (RFC 3629, table of section 4). */
static bool take_multibyte(atls_json_scan *scan)
{
    int lead = peek(scan, 0);
    int low = 0x80;
    int high = 0xbf;
    size_t more;
    if (lead >= 0xc2 && lead <= 0xdf) {
        more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        more = 2;
        low = lead == 0xe0 ? 0xa0 : low;
        high = lead == 0xed ? 0x9f : high;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        more = 3;
        low = lead == 0xf0 ? 0x90 : low;
        high = lead == 0xf4 ? 0x8f : high;
    } else {
        return bad(scan, "not UTF-8");
    }
    for (size_t i = 1; i <= more; i++) {
        int c = peek(scan, i);
        if (c < low || c > high) {
            return bad(scan, "not UTF-8");
        }
        low = 0x80;
        high = 0xbf;
    }
    scan->at += more + 1;
    return true;
}

/* Are these 8 bytes ASCII characters that stand for themselves in a string? All at once: the top bit of a byte is set below
 * where it was (not ASCII), where less than 0x20 was taken from, or where a quote or backslash, made 0, had 1 taken from it. A
 * byte that has to borrow is such a one itself, so that no other byte's answer can be spoilt. */
static bool are_plain(const uint8_t *bytes)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t v;
    memcpy(&v, bytes, sizeof v);
    const uint64_t quotes = v ^ (each * '"');
    const uint64_t backslashes = v ^ (each * '\\');
    return ((v | (v - each * 0x20) | (quotes - each) | (backslashes - each)) & (each * 0x80)) == 0;
}

/* The ASCII characters that stand for themselves in a string, which are most of them. */
static void skip_plain(atls_json_scan *scan)
{
    const uint8_t *p = scan->text.ptr;
    size_t at = scan->at;
    while (scan->text.len - at >= 8 && are_plain(p + at)) {
        at += 8;
    }
    while (at < scan->text.len && p[at] >= 0x20 && p[at] < 0x80 && p[at] != '"' && p[at] != '\\') {
        at++;
    }
    scan->at = at;
}

static bool take_string(atls_json_scan *scan)
{
    scan->at++;
    for (;;) {
        skip_plain(scan);
        int c = peek(scan, 0);
        uint32_t code_point;
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c == '\\') {
            if (!take_escape(scan, &code_point)) {
                return false;
            }
        } else if (c >= 0x80) {
            if (!take_multibyte(scan)) {
                return false;
            }
        } else if (c < 0x20) {
            return bad(scan, c < 0    ? "the text ends inside a string"
                             : c == 0 ? "NUL byte"
                                      : "control character in a string");
        }
    }
}

static bool take_digits(atls_json_scan *scan)
{
    size_t start = scan->at;
    while (peek(scan, 0) >= '0' && peek(scan, 0) <= '9') {
        scan->at++;
    }
    return scan->at > start || bad(scan, "digit wanted");
}

static bool take_number(atls_json_scan *scan)
{
    if (peek(scan, 0) == '-') {
        scan->at++;
    }
    if (peek(scan, 0) == '0') {
        scan->at++;
        if (peek(scan, 0) >= '0' && peek(scan, 0) <= '9') {
            return bad(scan, "number with a leading zero");
        }
    } else if (!take_digits(scan)) {
        return false;
    }
    if (peek(scan, 0) == '.') {
        scan->at++;
        if (!take_digits(scan)) {
            return false;
        }
    }
    if (peek(scan, 0) == 'e' || peek(scan, 0) == 'E') {
        scan->at++;
        if (peek(scan, 0) == '+' || peek(scan, 0) == '-') {
            scan->at++;
        }
        return take_digits(scan);
    }
    return true;
}

static bool take_word(atls_json_scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = 0;
        while (words[i][n] != '\0' && peek(scan, n) == words[i][n]) {
            n++;
        }
        if (words[i][n] == '\0') {
            scan->at += n;
            return true;
        }
    }
    return bad(scan, peek(scan, 0) == 0 ? "NUL byte" : "value wanted");
}

static void after_value(atls_json_scan *scan)
{
    scan->want = scan->depth == 0 ? ATLS_JSON_WANT_NOTHING : ATLS_JSON_WANT_COMMA_OR_END;
}

static bool in_object(const atls_json_scan *scan)
{
    return (scan->objects >> (scan->depth - 1)) % 2 == 1;
}

static bool open_container(atls_json_scan *scan, bool is_object)
{
    if (scan->depth == ATLS_JSON_DEPTH_MAX) {
        return bad(scan, "nested too deep");
    }
    uint32_t bit = (uint32_t)1 << scan->depth;
    scan->objects = is_object ? scan->objects | bit : scan->objects & ~bit;
    scan->want = is_object ? ATLS_JSON_WANT_NAME_OR_END : ATLS_JSON_WANT_VALUE_OR_END;
    scan->depth++;
    scan->at++;
    return true;
}

static bool take_value(atls_json_scan *scan, atls_json_token *token)
{
    int c = peek(scan, 0);
    scan->values++;
    if (c == '{' || c == '[') {
        token->kind = c == '{' ? ATLS_JSON_OBJECT : ATLS_JSON_ARRAY;
        return open_container(scan, c == '{');
    }
    if (scan->want == ATLS_JSON_WANT_TOP) {
        return bad(scan, c == 0 ? "NUL byte" : "object or array wanted");
    }
    bool taken;
    if (c == '"') {
        token->kind = ATLS_JSON_STRING;
        taken = take_string(scan);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        token->kind = ATLS_JSON_NUMBER;
        taken = take_number(scan);
    } else {
        token->kind = ATLS_JSON_WORD;
        taken = take_word(scan);
    }
    after_value(scan);
    return taken;
}

static void skip_space(atls_json_scan *scan)
{
    for (;;) {
        int c = peek(scan, 0);
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return;
        }
        scan->at++;
    }
}

static bool take_name(atls_json_scan *scan, atls_json_token *token)
{
    token->kind = ATLS_JSON_NAME;
    if (peek(scan, 0) != '"') {
        return bad(scan, peek(scan, 0) == 0 ? "NUL byte" : "member name wanted");
    }
    if (!take_string(scan)) {
        return false;
    }
    token->end = scan->at;
    skip_space(scan);
    if (peek(scan, 0) != ':') {
        return bad(scan, "':' wanted");
    }
    scan->at++;
    scan->want = ATLS_JSON_WANT_VALUE;
    return true;
}

static bool close_container(atls_json_scan *scan, atls_json_token *token)
{
    token->kind = in_object(scan) ? ATLS_JSON_OBJECT_END : ATLS_JSON_ARRAY_END;
    scan->depth--;
    token->depth = scan->depth;
    scan->at++;
    after_value(scan);
    return true;
}

static bool take_token(atls_json_scan *scan, atls_json_token *token)
{
    skip_space(scan);
    if (scan->want == ATLS_JSON_WANT_COMMA_OR_END && peek(scan, 0) == ',') {
        scan->at++;
        skip_space(scan);
        scan->want = in_object(scan) ? ATLS_JSON_WANT_NAME : ATLS_JSON_WANT_VALUE;
    }
    token->start = scan->at;
    token->depth = scan->depth;
    int c = peek(scan, 0);
    if (scan->want == ATLS_JSON_WANT_NOTHING) {
        token->kind = ATLS_JSON_DONE;
        return c < 0 || bad(scan, c == 0 ? "NUL byte" : "text behind the value");
    }
    if (c < 0) {
        return bad(scan, "the text ends too early");
    }
    switch (scan->want) {
    case ATLS_JSON_WANT_NAME_OR_END:
        return c == '}' ? close_container(scan, token) : take_name(scan, token);
    case ATLS_JSON_WANT_NAME:
        return take_name(scan, token);
    case ATLS_JSON_WANT_VALUE_OR_END:
        return c == ']' ? close_container(scan, token) : take_value(scan, token);
    case ATLS_JSON_WANT_COMMA_OR_END:
        if (c == (in_object(scan) ? '}' : ']')) {
            return close_container(scan, token);
        }
        return bad(scan, c == 0            ? "NUL byte"
                         : in_object(scan) ? "',' or '}' wanted"
                                           : "',' or ']' wanted");
    default:
        return take_value(scan, token);
    }
}

atls_json_token atls_json_scan_next(atls_json_scan *scan)
{
    atls_json_token token = {0};
    if (scan->problem != NULL || !take_token(scan, &token)) {
        return (atls_json_token){.kind = ATLS_JSON_BAD, .start = scan->at, .end = scan->at};
    }
    if (token.kind != ATLS_JSON_NAME) {
        token.end = scan->at;
    }
    return token;
}

atls_json_token atls_json_scan_whole(atls_json_scan *scan, atls_json_token token)
{
    if (token.kind != ATLS_JSON_OBJECT && token.kind != ATLS_JSON_ARRAY) {
        return token;
    }
    atls_json_token t;
    do {
        t = atls_json_scan_next(scan);
        if (t.kind == ATLS_JSON_BAD) {
            return t;
        }
    } while (t.depth != token.depth);
    token.end = t.end;
    return token;
}

bool atls_json_scan_at_array_end(atls_json_scan *scan)
{
    skip_space(scan);
    return peek(scan, 0) == ']' &&
           (scan->want == ATLS_JSON_WANT_VALUE_OR_END ||
            (scan->want == ATLS_JSON_WANT_COMMA_OR_END && !in_object(scan)));
}

void atls_json_position(atls_buf text, size_t at, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (text.ptr[i] / 64 != 2) { /* not the inside of a UTF-8 character */
            (*column)++;
        }
    }
}

/* Writes a code point as UTF-8 and returns the number of bytes. */
static size_t put_utf8(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 + c % 0x40);
        c /= 0x40;
    }
    out[0] = (uint8_t)(lead[n] + c);
    return n;
}

bool atls_json_token_says(atls_buf text, atls_json_token token, const char *name, size_t name_len)
{
    if ((token.kind != ATLS_JSON_NAME && token.kind != ATLS_JSON_STRING) ||
        token.end - token.start < 2 || token.end > text.len) {
        return false;
    }
    /* An escape is longer than what it stands for. */
    const uint8_t *raw = text.ptr + token.start + 1;
    size_t raw_len = token.end - token.start - 2;
    if (raw_len < name_len || (name_len > 0 && raw[0] != '\\' && raw[0] != (uint8_t)name[0])) {
        return false;
    }
    if (memchr(raw, '\\', raw_len) == NULL) {
        return raw_len == name_len && memcmp(raw, name, name_len) == 0;
    }
    atls_json_scan scan = {.text = {text.ptr, token.end - 1}, .at = token.start + 1};
    size_t used = 0;
    while (scan.at < scan.text.len) {
        uint8_t bytes[4];
        size_t n = 1;
        if (peek(&scan, 0) == '\\') {
            uint32_t code_point;
            if (!take_escape(&scan, &code_point)) {
                return false;
            }
            n = put_utf8(code_point, bytes);
        } else {
            bytes[0] = (uint8_t)peek(&scan, 0);
            scan.at++;
        }
        if (n > name_len - used || memcmp(name + used, bytes, n) != 0) {
            return false;
        }
        used += n;
    }
    return used == name_len;
}

size_t atls_json_token_text(atls_buf text, atls_json_token token, uint8_t *out)
{
    if ((token.kind != ATLS_JSON_NAME && token.kind != ATLS_JSON_STRING) ||
        token.end - token.start < 2 || token.end > text.len) {
        return 0;
    }
    atls_json_scan scan = {.text = {text.ptr, token.end - 1}, .at = token.start + 1};
    size_t len = 0;
    while (scan.at < scan.text.len) {
        const uint8_t *from = text.ptr + scan.at;
        const uint8_t *escape = memchr(from, '\\', scan.text.len - scan.at);
        const size_t n = escape != NULL ? (size_t)(escape - from) : scan.text.len - scan.at;
        uint32_t code_point;
        memcpy(out + len, from, n);
        len += n;
        scan.at += n;
        if (escape != NULL && !take_escape(&scan, &code_point)) {
            return 0;
        }
        len += escape != NULL ? put_utf8(code_point, out + len) : 0;
    }
    return len;
}
