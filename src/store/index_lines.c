#include "store/index_entry.h"

#include <string.h> /* strlen, in contracts */

#include "base/err.h"

#define HEX_SHA256 64

#define SOURCES 4
static const char *const sources[SOURCES] = {"fetched", "stapled", "imported", "shared"};

static bool is_printable(uint8_t c)
{
    return c >= ' ' && c <= '~';
}

/* Is that word next? Then r is behind it; otherwise r has failed. */
/*@ requires valid_reader(r) && valid_read_string(word) && \separated(r, word);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void expect(atls_reader *r, const char *word)
{
    /*@ loop invariant 0 <= i <= strlen(word) && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r;
        loop variant strlen(word) - i; */
    for (size_t i = 0; word[i] != '\0'; i++) {
        if (atls_reader_u8(r) != (uint8_t)word[i]) {
            atls_reader_fail(r);
        }
    }
}

/* Printable characters up to the end of the line, which is taken too, with NUL to out. Longer: r has failed. */
/*@ requires valid_reader(r) && cap > 0 && \valid(out + (0 .. cap - 1)) && \separated(r, out + (0 .. cap - 1));
    assigns *r, out[0 .. cap - 1];
    ensures valid_reader(r) && forward{Pre, Post}(r) && 0 <= \result < cap && out[\result] == 0; */
static size_t rest_of_line(atls_reader *r, char *out, size_t cap)
{
    size_t n = 0;
    uint8_t c = atls_reader_u8(r);
    /*@ loop invariant 0 <= n < cap && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns n, c, *r, out[0 .. cap - 1];
        loop variant cap - n; */
    while (n + 1 < cap && is_printable(c)) {
        out[n++] = (char)c;
        c = atls_reader_u8(r);
    }
    if (c != '\n') {
        atls_reader_fail(r);
    }
    out[n] = '\0';
    return n;
}

/* 16 for anything but a lower-case digit. */
/*@ assigns \nothing;
    ensures 0 <= \result <= 16; */
static unsigned digit(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)c - '0';
    }
    return c >= 'a' && c <= 'f' ? (unsigned)c - 'a' + 10u : 16u;
}

/*@ requires valid_reader(r) && \valid(out + (0 .. 31)) && \separated(r, out + (0 .. 31));
    assigns *r, out[0 .. 31];
    ensures valid_reader(r); */
static void read_sha256(atls_reader *r, uint8_t out[32])
{
    char text[HEX_SHA256 + 1];
    if (rest_of_line(r, text, sizeof text) != HEX_SHA256) {
        atls_reader_fail(r);
        return;
    }
    /*@ loop invariant 0 <= i <= 32 && valid_reader(r);
        loop assigns i, *r, out[0 .. 31];
        loop variant 32 - i; */
    for (size_t i = 0; i < 32; i++) {
        const unsigned high = digit(text[2 * i]);
        const unsigned low = digit(text[2 * i + 1]);
        if (high > 15 || low > 15) {
            atls_reader_fail(r);
            return;
        }
        out[i] = (uint8_t)(high * 16u + low);
    }
}

/* Decimal, without zeros in front. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && 0 <= \result <= ATLS_INDEX_TIME_MAX; */
static int64_t read_time(atls_reader *r)
{
    char text[13];
    const size_t len = rest_of_line(r, text, sizeof text);
    int64_t value = 0;
    if (len == 0 || (len > 1 && text[0] == '0')) {
        atls_reader_fail(r);
        return 0;
    }
    /*@ loop invariant 0 <= i <= len && 0 <= value <= ATLS_INDEX_TIME_MAX && valid_reader(r);
        loop assigns i, value, *r;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        const unsigned d = digit(text[i]);
        if (d > 9 || value > (ATLS_INDEX_TIME_MAX - (int64_t)d) / 10) {
            atls_reader_fail(r);
            return 0;
        }
        value = value * 10 + (int64_t)d;
    }
    return value;
}

/*@ requires valid_read_string(a) && valid_read_string(b);
    assigns \nothing; */
static bool same_text(const char *a, const char *b)
{
    size_t i = 0;
    /*@ loop invariant 0 <= i <= strlen(a) && i <= strlen(b);
        loop assigns i;
        loop variant strlen(a) - i; */
    while (a[i] != '\0' && a[i] == b[i]) {
        i++;
    }
    return a[i] == b[i];
}

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static atls_item_source read_source(atls_reader *r)
{
    char text[16];
    (void)rest_of_line(r, text, sizeof text);
    /*@ loop invariant 0 <= i <= SOURCES && valid_reader(r);
        loop assigns i;
        loop variant SOURCES - i; */
    for (unsigned i = 0; i < SOURCES; i++) {
        if (same_text(text, sources[i])) {
            return (atls_item_source)i;
        }
    }
    atls_reader_fail(r);
    return ATLS_ITEM_SHARED;
}

/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, out->key[0 .. ATLS_ITEM_KEY_LEN - 1];
    ensures valid_reader(r); */
static void read_key(atls_reader *r, atls_index_entry *out)
{
    const size_t len = rest_of_line(r, out->key, sizeof out->key);
    if (len == 0) {
        atls_reader_fail(r);
    }
    /*@ loop invariant 0 <= i <= len && valid_reader(r);
        loop assigns i, *r;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        if (out->key[i] == ' ') {
            atls_reader_fail(r);
        }
    }
}

atls_code atls_index_lines_read(atls_buf text, atls_index_entry *out, atls_err *err)
{
    atls_reader r = atls_reader_of(text);
    atls_index_entry e = {0};
    expect(&r, "atls-item 1\nkey ");
    read_key(&r, &e);
    expect(&r, "object ");
    read_sha256(&r, e.sha256);
    expect(&r, "source ");
    e.source = read_source(&r);
    expect(&r, "taken ");
    e.taken_s = read_time(&r);
    expect(&r, "unreachable ");
    e.unreachable_since_s = read_time(&r);
    expect(&r, "from ");
    (void)rest_of_line(&r, e.from, sizeof e.from);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.index",
                        "an entry of the index is not as this version writes it");
    }
    *out = e;
    return ATLS_OK;
}

/* --- out --- */

static void put(atls_writer *w, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        atls_writer_u8(w, (uint8_t)text[i]);
    }
}

static void put_hex(atls_writer *w, const uint8_t sha256[32])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        atls_writer_u8(w, (uint8_t)digits[sha256[i] / 16]);
        atls_writer_u8(w, (uint8_t)digits[sha256[i] % 16]);
    }
}

static void put_time(atls_writer *w, int64_t time_s)
{
    char text[24];
    size_t at = sizeof text - 1;
    int64_t left = time_s < 0 || time_s > ATLS_INDEX_TIME_MAX ? 0 : time_s;
    text[at] = '\0';
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    put(w, text + at);
}

void atls_index_lines_write(const atls_index_entry *entry, atls_writer *w)
{
    put(w, "atls-item 1\nkey ");
    put(w, entry->key);
    put(w, "\nobject ");
    put_hex(w, entry->sha256);
    put(w, "\nsource ");
    put(w, sources[(unsigned)entry->source < SOURCES ? (unsigned)entry->source : SOURCES - 1]);
    put(w, "\ntaken ");
    put_time(w, entry->taken_s);
    put(w, "\nunreachable ");
    put_time(w, entry->unreachable_since_s);
    put(w, "\nfrom ");
    put(w, entry->from);
    put(w, "\n");
}
