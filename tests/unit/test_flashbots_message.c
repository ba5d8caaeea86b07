/* Frames and messages of flashbots-ratls/1: the published examples, every truncation, each field wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/flashbots_message.h"

static const char *const texts[] = {"none", "dcap-tdx", "gcp-tdx", "qemu-tdx", "azure-tdx"};

static void types_by_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        flashbots_type found = FLASHBOTS_NONE;
        atls_buf text = flashbots_type_text((flashbots_type)i);
        assert_int_equal(text.len, strlen(texts[i]));
        assert_string_equal((const char *)text.ptr, texts[i]);
        assert_true(flashbots_type_of(text, &found));
        assert_int_equal(found, i);
        text.len--;
        assert_false(flashbots_type_of(text, &found));
    }
    flashbots_type found;
    assert_false(flashbots_type_of((atls_buf){(const uint8_t *)"Dcap-tdx", 8}, &found));
    assert_false(flashbots_type_of((atls_buf){NULL, 0}, &found));
}

static void the_frame_of_none(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0, 0, 0, 6, 0x10, 'n', 'o', 'n', 'e', 0};
    uint8_t made[FLASHBOTS_FRAME_ROOM(0)];
    atls_writer w = atls_writer_of(made, sizeof made);
    flashbots_message_write(&w, FLASHBOTS_NONE, (atls_buf){NULL, 0});
    assert_true(atls_writer_ok(&w) && w.len == sizeof wire);
    assert_memory_equal(made, wire, sizeof wire);

    atls_buf body;
    flashbots_message m;
    for (size_t len = 0; len < sizeof wire; len++) {
        assert_int_equal(flashbots_frame_parse((atls_buf){wire, len}, &body, NULL), ATLS_WANT_READ);
    }
    assert_int_equal(flashbots_frame_parse((atls_buf){wire, sizeof wire}, &body, NULL), ATLS_OK);
    assert_true(body.ptr == wire + 4 && body.len == 6);
    assert_int_equal(flashbots_message_parse(body, &m, NULL), ATLS_OK);
    assert_int_equal(m.type, FLASHBOTS_NONE);
    assert_int_equal(m.attestation.len, 0);
}

/* 00 00 13 99 | 20 dcap-tdx | 39 4e | 04 00 02 00 81 ..: a quote of 5006 bytes. */
static void the_frame_of_a_quote(void **state)
{
    (void)state;
    static const uint8_t head[] = {0,   0,   0x13, 0x99, 0x20, 'd', 'c', 'a', 'p', '-',
                                   't', 'd', 'x',  0x39, 0x4e, 4,   0,   2,   0,   0x81};
    enum { QUOTE = 5006, FRAME = 4 + 9 + 2 + QUOTE };
    uint8_t *quote = calloc(1, QUOTE);
    uint8_t *made = malloc(FLASHBOTS_FRAME_ROOM(QUOTE) + 1);
    assert_true(quote != NULL && made != NULL);
    memcpy(quote, head + 15, 5);
    atls_writer w = atls_writer_of(made, FLASHBOTS_FRAME_ROOM(QUOTE));
    flashbots_message_write(&w, FLASHBOTS_DCAP_TDX, (atls_buf){quote, QUOTE});
    assert_true(atls_writer_ok(&w) && w.len == FRAME);
    assert_memory_equal(made, head, sizeof head);

    atls_buf body;
    flashbots_message m = {FLASHBOTS_NONE, {NULL, 0}};
    made[FRAME] = 'G'; /* the application's, right behind */
    assert_int_equal(flashbots_frame_parse((atls_buf){made, FRAME + 1}, &body, NULL), ATLS_OK);
    assert_int_equal(body.len, FRAME - 4);
    for (size_t len = 0; len < body.len; len++) {
        atls_err err = {0};
        assert_int_equal(flashbots_message_parse((atls_buf){body.ptr, len}, &m, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "flashbots.message");
    }
    assert_int_equal(flashbots_message_parse(body, &m, NULL), ATLS_OK);
    assert_int_equal(m.type, FLASHBOTS_DCAP_TDX);
    assert_int_equal(m.attestation.len, QUOTE);
    assert_memory_equal(m.attestation.ptr, quote, QUOTE);
    free(quote);
    free(made);
}

static void each_field_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *what, *check;
        const char *bytes;
        size_t len;
    } bad[] = {
        {"nothing", "flashbots.message", "", 0},
        {"no evidence field", "flashbots.message", "\x10none", 5},
        {"a length that is not the shortest", "flashbots.message", "\x11\0none\0", 7},
        {"a length in four bytes", "flashbots.message", "\x10none\x02\0\0\0", 9},
        {"the long form of lengths", "flashbots.message", "\x03\x04\0\0\0none\0", 10},
        {"an empty type", "flashbots.type", "\0\0", 2},
        {"another type", "flashbots.type", "\x0csnp\0", 5},
        {"a type in capitals", "flashbots.type", "\x10NONE\0", 6},
        {"a type with a NUL", "flashbots.type", "\x14none\0\0", 7},
        {"none with evidence", "flashbots.none", "\x10none\x04x", 7},
        {"a byte behind none", "flashbots.trailing", "\x10none\0\0", 7},
        {"a byte behind evidence", "flashbots.trailing",
         "\x20"
         "dcap-tdx\x04xy",
         12},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        flashbots_message m;
        atls_err err = {0};
        atls_code rc = flashbots_message_parse(
            (atls_buf){(const uint8_t *)bad[i].bytes, bad[i].len}, &m, &err);
        if (rc != ATLS_E_INVALID || strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %d %s", bad[i].what, (int)rc, err.check);
        }
    }
}

static void the_longest_frame(void **state)
{
    (void)state;
    static const uint8_t longer[] = {0, 1, 0, 1};
    enum { ROOM = 70000, MOST = FLASHBOTS_FRAME_MAX - 9 - 4 };
    uint8_t *bytes = calloc(1, ROOM);
    uint8_t *made = malloc(ROOM);
    assert_true(bytes != NULL && made != NULL);
    atls_buf body;
    atls_err err = {0};
    flashbots_message m;
    atls_writer w = atls_writer_of(made, ROOM);
    flashbots_message_write(&w, FLASHBOTS_DCAP_TDX, (atls_buf){bytes, MOST});
    assert_true(atls_writer_ok(&w) && w.len == FLASHBOTS_FRAME_MAX + 4);
    assert_int_equal(flashbots_frame_parse((atls_buf){made, w.len}, &body, &err), ATLS_OK);
    assert_int_equal(flashbots_message_parse(body, &m, &err), ATLS_OK);
    assert_int_equal(m.attestation.len, MOST);

    static const size_t too_much[] = {MOST + 1, ROOM, (size_t)1 << 30, SIZE_MAX};
    for (size_t i = 0; i < 4; i++) {
        w = atls_writer_of(made, ROOM);
        flashbots_message_write(&w, FLASHBOTS_DCAP_TDX, (atls_buf){bytes, too_much[i]});
        assert_false(atls_writer_ok(&w));
        assert_int_equal(w.len, 0);
    }
    w = atls_writer_of(made, 30);
    flashbots_message_write(&w, FLASHBOTS_DCAP_TDX, (atls_buf){bytes, 20});
    assert_false(atls_writer_ok(&w));
    /* Said as soon as the length is there, whatever follows. */
    assert_int_equal(flashbots_frame_parse((atls_buf){longer, 4}, &body, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "flashbots.frame");
    free(bytes);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_by_text),        cmocka_unit_test(the_frame_of_none),
        cmocka_unit_test(the_frame_of_a_quote), cmocka_unit_test(each_field_wrong),
        cmocka_unit_test(the_longest_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
