#include "codec/msgpack.h"

static const atls_msgpack_item none = {ATLS_MSGPACK_NONE, 0, {NULL, 0}};

/*@ requires valid_reader(r) && kind != ATLS_MSGPACK_NONE;
    assigns \nothing;
    ensures valid_buf(\result.bytes) && (r->failed <==> \result.kind == ATLS_MSGPACK_NONE);
    ensures \result.kind == ATLS_MSGPACK_NONE || (\result.kind == kind && \result.value == value);
    ensures r->failed ==> \result.value == 0; */
static atls_msgpack_item of_value(const atls_reader *r, atls_msgpack_kind kind, uint64_t value)
{
    atls_msgpack_item item = none;
    if (atls_reader_ok(r)) {
        item.kind = kind;
        item.value = value;
    }
    return item;
}

/*@ requires valid_reader(r) && kind != ATLS_MSGPACK_NONE;
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result.bytes) && (r->failed <==> \result.kind == ATLS_MSGPACK_NONE);
    ensures \result.kind == ATLS_MSGPACK_NONE || \result.kind == kind; */
static atls_msgpack_item of_bytes(atls_reader *r, atls_msgpack_kind kind, size_t len)
{
    atls_msgpack_item item = none;
    const atls_buf bytes = atls_reader_view(r, len);
    if (atls_reader_ok(r)) {
        item.kind = kind;
        item.value = len;
        item.bytes = bytes;
    }
    return item;
}

/* A big-endian number of 1, 2, 4 or 8 bytes. */
/*@ requires valid_reader(r) && 0 <= width <= 3;
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures width <= 2 ==> \result <= 0xffffffff; */
static uint64_t number(atls_reader *r, unsigned width)
{
    if (width == 0) {
        return atls_reader_u8(r);
    }
    if (width == 1) {
        return atls_reader_u16be(r);
    }
    return width == 2 ? atls_reader_u32be(r) : atls_reader_u64be(r);
}

/* 0xc4 to 0xc6: bin; 0xc7 to 0xc9: ext; 0xca, 0xcb: floats. */
/*@ requires valid_reader(r) && 0xc4 <= tag <= 0xcb;
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result.bytes) && (r->failed <==> \result.kind == ATLS_MSGPACK_NONE);
    ensures \result.kind != ATLS_MSGPACK_ARRAY && \result.kind != ATLS_MSGPACK_MAP; */
static atls_msgpack_item blob(atls_reader *r, uint8_t tag)
{
    if (tag < 0xc7u) {
        const size_t len = (size_t)number(r, tag - 0xc4u);
        return of_bytes(r, ATLS_MSGPACK_BYTES, len);
    }
    if (tag < 0xcau) {
        const size_t len = (size_t)number(r, tag - 0xc7u);
        (void)atls_reader_u8(r); /* the type of the extension */
        return of_bytes(r, ATLS_MSGPACK_OTHER, len);
    }
    return of_bytes(r, ATLS_MSGPACK_OTHER, tag == 0xcau ? 4 : 8);
}

/* 0xcc to 0xcf: unsigned; 0xd0 to 0xd3: signed, of which the negative ones are not looked at. */
/*@ requires valid_reader(r) && 0xcc <= tag <= 0xd3;
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result.bytes) && (r->failed <==> \result.kind == ATLS_MSGPACK_NONE);
    ensures \result.kind != ATLS_MSGPACK_ARRAY && \result.kind != ATLS_MSGPACK_MAP; */
static atls_msgpack_item integer(atls_reader *r, uint8_t tag)
{
    static const uint64_t most[4] = {0x7fu, 0x7fffu, 0x7fffffffu, 0x7fffffffffffffffu};
    const unsigned width = tag % 4u;
    const uint64_t v = number(r, width);
    return of_value(r, tag >= 0xd0u && v > most[width] ? ATLS_MSGPACK_OTHER : ATLS_MSGPACK_UINT, v);
}

/* 0xd4 to 0xd8: ext of fixed length; 0xd9 to 0xdb: text; 0xdc, 0xdd: array; 0xde, 0xdf: map. */
/*@ requires valid_reader(r) && 0xd4 <= tag <= 0xdf;
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures valid_buf(\result.bytes) && (r->failed <==> \result.kind == ATLS_MSGPACK_NONE);
    ensures \result.kind == ATLS_MSGPACK_ARRAY || \result.kind == ATLS_MSGPACK_MAP ==> \result.value <= 0xffffffff; */
static atls_msgpack_item longer(atls_reader *r, uint8_t tag)
{
    static const size_t fixed[5] = {2, 3, 5, 9, 17}; /* the type and 1, 2, 4, 8, 16 bytes */
    if (tag <= 0xd8u) {
        return of_bytes(r, ATLS_MSGPACK_OTHER, fixed[tag - 0xd4u]);
    }
    if (tag <= 0xdbu) {
        const size_t len = (size_t)number(r, tag - 0xd9u);
        return of_bytes(r, ATLS_MSGPACK_TEXT, len);
    }
    const uint64_t n = number(r, tag % 2u + 1u);
    return of_value(r, tag <= 0xddu ? ATLS_MSGPACK_ARRAY : ATLS_MSGPACK_MAP, n);
}

atls_msgpack_item atls_msgpack_next(atls_reader *r)
{
    const uint8_t tag = atls_reader_u8(r);
    if (!atls_reader_ok(r) || tag == 0xc1u) { /* c1 is never used */
        atls_reader_fail(r);
        return none;
    }
    if (tag <= 0x7fu) {
        return of_value(r, ATLS_MSGPACK_UINT, tag);
    }
    if (tag <= 0x8fu) {
        return of_value(r, ATLS_MSGPACK_MAP, tag - 0x80u);
    }
    if (tag <= 0x9fu) {
        return of_value(r, ATLS_MSGPACK_ARRAY, tag - 0x90u);
    }
    if (tag <= 0xbfu) {
        return of_bytes(r, ATLS_MSGPACK_TEXT, tag - 0xa0u);
    }
    if (tag <= 0xc3u || tag >= 0xe0u) { /* nil, false, true; negative numbers of one byte */
        return of_value(r, ATLS_MSGPACK_OTHER, 0);
    }
    if (tag <= 0xcbu) {
        return blob(r, tag);
    }
    return tag <= 0xd3u ? integer(r, tag) : longer(r, tag);
}

/* What follows the head of an array or a map before it is whole. */
/*@ requires item->kind == ATLS_MSGPACK_ARRAY || item->kind == ATLS_MSGPACK_MAP ==> item->value <= 0xffffffff;
    requires \valid_read(item);
    assigns \nothing;
    ensures \result <= 0x1fffffffe; */
static uint64_t values_in(const atls_msgpack_item *item)
{
    if (item->kind == ATLS_MSGPACK_ARRAY) {
        return item->value;
    }
    return item->kind == ATLS_MSGPACK_MAP ? 2 * item->value : 0;
}

atls_buf atls_msgpack_value(atls_reader *r)
{
    const size_t before = r->left;
    const atls_buf nothing = {NULL, 0};
    uint64_t wanted = 1; /* values still to come: each takes a byte at least */
    atls_reader at = *r;
    /*@ loop invariant valid_reader(&at) && at.left <= before;
        loop invariant wanted <= at.left || at.failed || wanted == 1;
        loop invariant wanted == 0 ==> at.failed || at.left < before;
        loop assigns wanted, at;
        loop variant at.left + (at.failed || wanted == 0 ? 0 : 1); */
    while (wanted > 0 && atls_reader_ok(&at)) {
        const atls_msgpack_item item = atls_msgpack_next(&at);
        const uint64_t more = values_in(&item);
        wanted--;
        if (more > at.left || wanted > at.left - more) {
            atls_reader_fail(&at);
        } else {
            wanted += more;
        }
    }
    if (!atls_reader_ok(&at)) {
        atls_reader_fail(r);
        return nothing;
    }
    return atls_reader_view(r, before - at.left);
}

atls_msgpack_item atls_msgpack_expect(atls_reader *r, atls_msgpack_kind kind, uint32_t max)
{
    const atls_msgpack_item item = atls_msgpack_next(r);
    if (!atls_reader_ok(r) || item.kind != kind || item.value > max || item.bytes.len > max) {
        atls_reader_fail(r);
        return none;
    }
    return item;
}

/* The numbers below 256 that stand in front in their usual forms (the byte itself; cc and the byte), at most n: how many, and
 * in *used the bytes they take. Which form it is decides no branch: of signatures it cannot be guessed. */
/*@ requires valid_buf(bytes) && \valid(space + (0 .. n - 1)) && \valid(used);
    requires \separated(used, space + (0 .. n - 1));
    assigns *used, space[0 .. n - 1];
    ensures 0 <= \result <= n && 0 <= *used <= bytes.len; */
static uint32_t usual_numbers(atls_buf bytes, uint8_t *space, uint32_t n, size_t *used)
{
    size_t at = 0;
    uint32_t i = 0;
    /*@ loop invariant 0 <= i <= n && 0 <= at <= bytes.len;
        loop assigns i, at, space[0 .. n - 1];
        loop variant n - i; */
    while (i < n && at < bytes.len) {
        const uint8_t first = bytes.ptr[at];
        const size_t skipped = first == 0xccu ? 1 : 0;
        if ((first > 0x7fu && skipped == 0) || bytes.len - at <= skipped) {
            break;
        }
        space[i] = bytes.ptr[at + skipped];
        at += skipped + 1;
        i++;
    }
    *used = at;
    return i;
}

/* n numbers below 256 in any form; fails r where there are not as many. */
/*@ requires valid_reader(r) && \valid(space + (0 .. n - 1)) && \separated(r, space + (0 .. n - 1));
    assigns *r, space[0 .. n - 1];
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void numbers(atls_reader *r, uint8_t *space, uint32_t n)
{
    uint32_t i = 0;
    /*@ loop invariant 0 <= i <= n && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r, space[0 .. n - 1];
        loop variant n - i; */
    while (i < n && atls_reader_ok(r)) {
        size_t used = 0;
        atls_reader look = *r;
        const atls_buf rest = atls_reader_rest(&look);
        i += usual_numbers(rest, space + i, n - i, &used);
        (void)atls_reader_view(r, used);
        if (i < n) {
            const atls_msgpack_item one = atls_msgpack_expect(r, ATLS_MSGPACK_UINT, 255);
            space[i] = (uint8_t)one.value;
            i++;
        }
    }
}

atls_buf atls_msgpack_byte_vector(atls_reader *r, uint8_t *space, uint32_t max)
{
    const atls_buf nothing = {NULL, 0};
    atls_buf all = nothing;
    const atls_msgpack_item item = atls_msgpack_next(r);
    if (item.kind == ATLS_MSGPACK_BYTES && item.bytes.len <= max) {
        return item.bytes;
    }
    if (item.kind != ATLS_MSGPACK_ARRAY || item.value > max) {
        atls_reader_fail(r);
        return nothing;
    }
    const uint32_t n = (uint32_t)item.value;
    numbers(r, space, n);
    if (n > 0 && atls_reader_ok(r)) {
        all.ptr = space;
        all.len = n;
    }
    return all;
}

/*@ requires valid_buf(a) && valid_buf(b);
    assigns \nothing; */
static bool same(atls_buf a, atls_buf b)
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

/* Where name stands among names; n: nowhere. */
/*@ requires valid_buf(name) && \valid_read(names + (0 .. n - 1));
    requires \forall integer k; 0 <= k < n ==> valid_buf(names[k]);
    assigns \nothing;
    ensures 0 <= \result <= n; */
static size_t place_of(atls_buf name, const atls_buf *names, size_t n)
{
    /*@ loop invariant 0 <= i <= n;
        loop assigns i;
        loop variant n - i; */
    for (size_t i = 0; i < n; i++) {
        if (same(name, names[i])) {
            return i;
        }
    }
    return n;
}

bool atls_msgpack_members(atls_buf bytes, const atls_buf *names, size_t n, atls_buf *values)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_buf nothing = {NULL, 0};
    const atls_msgpack_item map =
        atls_msgpack_expect(&r, ATLS_MSGPACK_MAP, ATLS_MSGPACK_MEMBERS_MAX);
    const uint32_t pairs = (uint32_t)map.value;
    /*@ loop invariant 0 <= i <= n;
        loop assigns i, values[0 .. n - 1];
        loop variant n - i; */
    for (size_t i = 0; i < n; i++) {
        values[i] = nothing;
    }
    /*@ loop invariant 0 <= i <= pairs && valid_reader(&r);
        loop assigns i, r, values[0 .. n - 1];
        loop variant pairs - i; */
    for (uint32_t i = 0; i < pairs; i++) {
        const atls_msgpack_item name = atls_msgpack_expect(&r, ATLS_MSGPACK_TEXT, UINT32_MAX);
        const atls_buf value = atls_msgpack_value(&r);
        if (!atls_reader_ok(&r)) {
            return false;
        }
        const size_t at = place_of(name.bytes, names, n);
        if (at < n && values[at].len > 0) {
            return false;
        }
        if (at < n) {
            values[at] = value;
        }
    }
    return atls_reader_end(&r);
}
