/* Fields of Protocol Buffers: what protobuf's own documents give as examples, and every way to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "binding/protobuf.h"

static bool next(const char *bytes, size_t len, atls_protobuf_field *f, size_t *left)
{
    atls_reader r = atls_reader_of((atls_buf){(const uint8_t *)bytes, len});
    bool ok = atls_protobuf_next(&r, f);
    assert_int_equal(ok, atls_reader_ok(&r));
    *left = r.left;
    return ok;
}

/* The examples of protobuf.dev/programming-guides/encoding. */
static void examples(void **state)
{
    (void)state;
    atls_protobuf_field f;
    size_t left = 0;
    assert_true(next("\x08\x96\x01", 3, &f, &left));
    assert_int_equal(f.number, 1);
    assert_int_equal(f.kind, ATLS_PROTOBUF_VARINT);
    assert_int_equal(f.value, 150);
    assert_int_equal(left, 0);
    assert_true(next("\x12\x07testing\x00", 10, &f, &left));
    assert_int_equal(f.number, 2);
    assert_int_equal(f.kind, ATLS_PROTOBUF_BYTES);
    assert_memory_equal(f.bytes.ptr, "testing", 7);
    assert_int_equal(f.bytes.len, 7);
    assert_int_equal(left, 1);
    assert_true(next("\x19\x01\x02\x03\x04\x05\x06\x07\x08", 9, &f, &left));
    assert_int_equal(f.kind, ATLS_PROTOBUF_FIXED64);
    assert_true(f.value == UINT64_C(0x0807060504030201));
    assert_true(next("\x1d\x01\x02\x03\x04", 5, &f, &left));
    assert_int_equal(f.kind, ATLS_PROTOBUF_FIXED32);
    assert_int_equal(f.value, 0x04030201);
}

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    bool good;
    uint64_t value;
} varints[] = {
    {"0", "\x08\x00", 2, true, 0},
    {"0 in two bytes", "\x08\x80\x00", 3, true, 0},
    {"127", "\x08\x7f", 2, true, 127},
    {"128", "\x08\x80\x01", 3, true, 128},
    {"2^63", "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, true, UINT64_C(1) << 63},
    {"2^64-1", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, true, UINT64_MAX},
    {"2^64", "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 11, false, 0},
    {"a tenth byte of seven bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, false, 0},
    {"eleven bytes", "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, false, 0},
    {"cut", "\x08\x80", 2, false, 0},
    {"no value", "\x08", 1, false, 0},
    {"field 0", "\x00\x01", 2, false, 0},
    {"the last field number", "\xf8\xff\xff\xff\x0f\x05", 6, true, 5},
    {"a number of 30 bits", "\x80\x80\x80\x80\x10\x05", 6, false, 0},
    {"a group", "\x0b\x0c", 2, false, 0},
    {"the end of a group", "\x0c", 1, false, 0},
    {"kind 6", "\x0e\x01", 2, false, 0},
    {"kind 7", "\x0f\x01", 2, false, 0},
    {"bytes that are not there", "\x0a\x02\x41", 3, false, 0},
    {"a length of 2^64-1", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, false, 0},
    {"64 bits cut", "\x09\x01\x02\x03\x04\x05\x06\x07", 8, false, 0},
    {"32 bits cut", "\x0d\x01\x02\x03", 4, false, 0},
    {"nothing", "", 0, false, 0},
};

static void each_varint(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof varints / sizeof varints[0]; i++) {
        atls_protobuf_field f;
        size_t left = 1;
        print_message("%s\n", varints[i].what);
        assert_int_equal(next(varints[i].bytes, varints[i].len, &f, &left), varints[i].good);
        assert_int_equal(left, 0);
        assert_true(f.value == varints[i].value);
        assert_int_equal(f.number == 0, !varints[i].good);
    }
}

static void written_is_read(void **state)
{
    (void)state;
    static const uint64_t values[] = {1, 127, 128, 16383, 16384, UINT64_C(1) << 56, UINT64_MAX};
    uint8_t space[64];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        atls_writer w = atls_writer_of(space, sizeof space);
        atls_protobuf_field f;
        atls_protobuf_write_uint(&w, 3, 0);
        assert_int_equal(w.len, 0);
        atls_protobuf_write_key(&w, 2, 0);
        assert_int_equal(w.len, 2);
        atls_protobuf_write_uint(&w, ATLS_PROTOBUF_NUMBER_MAX, values[i]);
        atls_protobuf_write_bytes(&w, 16, (atls_buf){(const uint8_t *)"abc", 3});
        atls_protobuf_write_bytes(&w, 17, (atls_buf){NULL, 0});
        atls_reader r = atls_reader_of(atls_writer_done(&w));
        assert_true(atls_protobuf_next(&r, &f));
        assert_true(f.number == 2 && f.value == 0);
        assert_true(atls_protobuf_next(&r, &f));
        assert_true(f.number == ATLS_PROTOBUF_NUMBER_MAX && f.value == values[i]);
        assert_true(atls_protobuf_next(&r, &f));
        assert_true(f.number == 16 && f.bytes.len == 3);
        assert_true(atls_protobuf_next(&r, &f));
        assert_true(f.number == 17 && f.bytes.len == 0);
        assert_true(atls_reader_end(&r));
    }
}

static void no_room(void **state)
{
    (void)state;
    uint8_t space[8];
    for (size_t cap = 0; cap < 6; cap++) {
        atls_writer w = atls_writer_of(space, cap);
        atls_protobuf_write_bytes(&w, 16, (atls_buf){(const uint8_t *)"abc", 3});
        assert_false(atls_writer_ok(&w));
    }
}

static const struct {
    const char *what, *message;
    size_t len;
    atls_protobuf_search found; /* of field 2 */
    size_t n;
} searches[] = {
    {"nothing", "", 0, ATLS_PROTOBUF_ABSENT, 0},
    {"another field", "\x0a\x01x", 3, ATLS_PROTOBUF_ABSENT, 0},
    {"the field between others", "\x0a\x01x\x12\x02yz\x18\x05", 9, ATLS_PROTOBUF_FOUND, 2},
    {"empty, but there", "\x12\x00", 2, ATLS_PROTOBUF_FOUND, 0},
    {"twice", "\x12\x00\x12\x00", 4, ATLS_PROTOBUF_TWICE, 9},
    {"a number", "\x10\x01", 2, ATLS_PROTOBUF_NO_BYTES, 9},
    {"cut behind the field", "\x12\x01y\x0a\x05", 5, ATLS_PROTOBUF_MALFORMED, 9},
};

static void each_search(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++) {
        print_message("%s\n", searches[i].what);
        const atls_buf m = {(const uint8_t *)searches[i].message, searches[i].len};
        atls_buf out = {NULL, 9};
        assert_int_equal(atls_protobuf_find(m, 2, &out), searches[i].found);
        assert_int_equal(out.len, searches[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),        cmocka_unit_test(each_varint),
        cmocka_unit_test(written_is_read), cmocka_unit_test(no_room),
        cmocka_unit_test(each_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
