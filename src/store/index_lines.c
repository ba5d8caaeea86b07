#include "store/index_entry.h"

#include "base/err.h"

#define HEX_SHA256 64

static const char word_head[] = "atls-item 1\nkey ";
static const char word_object[] = "object ";
static const char word_source[] = "source ";
static const char word_taken[] = "taken ";
static const char word_unreachable[] = "unreachable ";
static const char word_from[] = "from ";

#define SOURCES    4
#define SOURCE_CAP 16
static const char sources[SOURCES][SOURCE_CAP] = {"fetched", "stapled", "imported", "shared"};

static bool is_printable(uint8_t c)
{
    return c >= ' ' && c <= '~';
}

/* Are those bytes next? Then r is behind them; otherwise r has failed. */
/*@ requires valid_reader(r) && \valid_read(word + (0 .. len - 1));
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void expect(atls_reader *r, const char *word, size_t len)
{
    /*@ loop invariant 0 <= i <= len && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r;
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
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

/*@ requires \valid_read(a + (0 .. SOURCE_CAP - 1)) && \valid_read(b + (0 .. SOURCE_CAP - 1));
    assigns \nothing; */
static bool same_text(const char *a, const char *b)
{
    /*@ loop invariant 0 <= i <= SOURCE_CAP;
        loop assigns i;
        loop variant SOURCE_CAP - i; */
    for (size_t i = 0; i < SOURCE_CAP; i++) {
        if (a[i] != b[i]) {
            return false;
        }
        if (a[i] == '\0') {
            return true;
        }
    }
    return false;
}

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static atls_item_source read_source(atls_reader *r)
{
    char text[SOURCE_CAP];
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
    expect(&r, word_head, sizeof word_head - 1);
    read_key(&r, &e);
    expect(&r, word_object, sizeof word_object - 1);
    read_sha256(&r, e.sha256);
    expect(&r, word_source, sizeof word_source - 1);
    e.source = read_source(&r);
    expect(&r, word_taken, sizeof word_taken - 1);
    e.taken_s = read_time(&r);
    expect(&r, word_unreachable, sizeof word_unreachable - 1);
    e.unreachable_since_s = read_time(&r);
    expect(&r, word_from, sizeof word_from - 1);
    (void)rest_of_line(&r, e.from, sizeof e.from);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.index",
                        "an entry of the index is not as this version writes it");
    }
    *out = e;
    return ATLS_OK;
}
