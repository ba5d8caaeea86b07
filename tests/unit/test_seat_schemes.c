/* The extension of early attestation in each message: read, written, cut, and each field wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/seat_schemes.h"

#define TEXT(s)                                                                                    \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }
#define BYTES(s) ((atls_buf)TEXT(s))

static const atls_seat_scheme number = {ATLS_SEAT_CONTENT_FORMAT, 10003, {NULL, 0}};
static const atls_seat_scheme type = {ATLS_SEAT_MEDIA_TYPE, 0, TEXT("a/b")};
static const atls_seat_scheme result = {ATLS_SEAT_RESULT, 0, TEXT("v")};

/* The three of them: 4 + 7 + 4 bytes. */
#define THREE                                                                                      \
    "\0\0\x27\x13"                                                                                 \
    "\0\1\0\3a/b"                                                                                  \
    "\1\0\1v"

/* A copy of exactly these bytes, so that a sanitizer sees a step too far; freed with free_copy. */
static atls_buf copy_of(atls_buf bytes)
{
    uint8_t *p = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(p);
    memcpy(p, bytes.ptr, bytes.len);
    return (atls_buf){p, bytes.len};
}

static void free_copy(atls_buf bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

static const char *offer(atls_buf bytes)
{
    atls_err err = {0};
    atls_seat_offer out = {.client = {NULL, 77}};
    atls_buf exact = copy_of(bytes);
    atls_code rc = atls_seat_offer_parse(exact, &out, &err);
    free_copy(exact);
    assert_int_equal(err.code, rc);
    assert_true(rc == ATLS_OK || (rc == ATLS_E_INVALID && out.client.len == 77));
    return rc == ATLS_OK ? "ok" : err.check;
}

static const char *choice(atls_buf bytes)
{
    atls_err err = {0};
    atls_seat_scheme out;
    atls_buf exact = copy_of(bytes);
    atls_code rc = atls_seat_choice_parse(exact, &out, &err);
    free_copy(exact);
    assert_int_equal(err.code, rc);
    return rc == ATLS_OK ? "ok" : err.check;
}

static const char *evidence(atls_buf bytes)
{
    atls_err err = {0};
    atls_buf out;
    atls_buf exact = copy_of(bytes);
    atls_code rc = atls_seat_evidence_parse(exact, &out, &err);
    free_copy(exact);
    assert_int_equal(err.code, rc);
    return rc == ATLS_OK ? "ok" : err.check;
}

/* The example of the specification: server evidence as content format 10003, no attestation of the client. */
static void worked_example(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x00, 0x04, 0x00, 0x00, 0x27, 0x13, 0x00, 0x00};
    atls_seat_offer out;
    assert_int_equal(atls_seat_offer_parse((atls_buf){wire, sizeof wire}, &out, NULL), ATLS_OK);
    assert_int_equal(out.server.len, 4);
    assert_int_equal(out.client.len, 0);
    assert_true(atls_seat_list_has(out.server, &number));
    assert_false(atls_seat_list_has(out.client, &number));
    uint8_t again[8];
    atls_writer w = atls_writer_of(again, sizeof again);
    atls_writer_u16be(&w, 4);
    atls_seat_scheme_write(&w, &number);
    atls_writer_u16be(&w, 0);
    assert_int_equal(atls_writer_done(&w).len, sizeof wire);
    assert_memory_equal(again, wire, sizeof wire);
}

static void three_schemes(void **state)
{
    (void)state;
    const atls_buf list = BYTES(THREE);
    const atls_seat_scheme *const all[] = {&number, &type, &result};
    uint8_t space[64];
    atls_writer w = atls_writer_of(space, sizeof space);
    for (size_t i = 0; i < 3; i++) {
        assert_true(atls_seat_list_has(list, all[i]));
        atls_seat_scheme_write(&w, all[i]);
    }
    assert_int_equal(atls_writer_done(&w).len, list.len);
    assert_memory_equal(space, list.ptr, list.len);

    /* None of these is any of them. */
    const atls_seat_scheme others[] = {
        {ATLS_SEAT_CONTENT_FORMAT, 10004, {NULL, 0}}, {ATLS_SEAT_MEDIA_TYPE, 0, TEXT("a/c")},
        {ATLS_SEAT_MEDIA_TYPE, 0, TEXT("a/bc")},      {ATLS_SEAT_MEDIA_TYPE, 0, TEXT("v")},
        {ATLS_SEAT_RESULT, 0, TEXT("a/b")},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(atls_seat_list_has(list, &others[i]));
    }
}

static void what_is_not_written(void **state)
{
    (void)state;
    uint8_t space[16];
    atls_writer w = atls_writer_of(space, sizeof space);
    const atls_seat_scheme nameless = {ATLS_SEAT_MEDIA_TYPE, 0, {NULL, 0}};
    atls_seat_scheme_write(&w, &nameless);
    assert_false(atls_writer_ok(&w));
    static uint8_t name[65536];
    const atls_seat_scheme longest = {ATLS_SEAT_RESULT, 0, {name, sizeof name}};
    w = atls_writer_of(space, sizeof space);
    atls_seat_scheme_write(&w, &longest);
    assert_false(atls_writer_ok(&w));
}

static void offers(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        atls_buf bytes;
        const char *check;
    } rows[] = {
        {"both lists", TEXT("\0\x0f" THREE "\0\4\0\0\x27\x13"), "ok"},
        {"the client's alone", TEXT("\0\0\0\4\0\0\x27\x13"), "ok"},
        {"nothing in either", TEXT("\0\0\0\0"), "seat_early.schemes"},
        {"a byte behind", TEXT("\0\4\0\0\x27\x13\0\0\0"), "seat_early.schemes"},
        {"a list cut by its length", TEXT("\0\3\0\0\x27\0\0"), "seat_early.schemes"},
        {"a list with half a scheme behind", TEXT("\0\5\0\0\x27\x13\0\0\0"), "seat_early.schemes"},
        {"a mechanism that is not known", TEXT("\0\4\2\0\x27\x13\0\0"), "seat_early.schemes"},
        {"an encoding that is not known", TEXT("\0\4\0\2\x27\x13\0\0"), "seat_early.schemes"},
        {"an empty media type", TEXT("\0\4\0\1\0\0\0\0"), "seat_early.schemes"},
        {"an empty verifier", TEXT("\0\3\1\0\0\0\0"), "seat_early.schemes"},
        {"a media type beyond the list", TEXT("\0\6\0\1\0\3ab\0\0"), "seat_early.schemes"},
        {"wrong in the client's list", TEXT("\0\0\0\4\0\2\x27\x13"), "seat_early.schemes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].what);
        assert_string_equal(offer(rows[i].bytes), rows[i].check);
    }
    for (size_t cut = 0; cut < rows[0].bytes.len; cut++) {
        assert_string_equal(offer((atls_buf){rows[0].bytes.ptr, cut}), "seat_early.schemes");
    }
}

static void choices(void **state)
{
    (void)state;
    static const atls_buf good[] = {TEXT("\0\0\x27\x13"), TEXT("\0\1\0\3a/b"), TEXT("\1\0\1v")};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(choice(good[i]), "ok");
        for (size_t cut = 0; cut < good[i].len; cut++) {
            assert_string_equal(choice((atls_buf){good[i].ptr, cut}), "seat_early.choice");
        }
        uint8_t longer[16] = {0};
        memcpy(longer, good[i].ptr, good[i].len);
        assert_string_equal(choice((atls_buf){longer, good[i].len + 1}), "seat_early.choice");
    }
    assert_string_equal(choice(BYTES("\2\0\x27\x13")), "seat_early.choice");
    assert_string_equal(choice(BYTES("\0\2\x27\x13")), "seat_early.choice");
    assert_string_equal(choice(BYTES("\0\1\0\0")), "seat_early.choice");
}

static void evidences(void **state)
{
    (void)state;
    static const atls_buf good = TEXT("\0\0\3cmw");
    atls_buf cmw = {NULL, 0};
    assert_int_equal(atls_seat_evidence_parse(good, &cmw, NULL), ATLS_OK);
    assert_ptr_equal(cmw.ptr, good.ptr + 3);
    assert_int_equal(cmw.len, 3);
    for (size_t cut = 0; cut < good.len; cut++) {
        assert_string_equal(evidence((atls_buf){good.ptr, cut}), "seat_early.evidence");
    }
    assert_string_equal(evidence(BYTES("\0\0\3cmw!")), "seat_early.evidence");
    assert_string_equal(evidence(BYTES("\0\0\0")), "seat_early.evidence");
    assert_string_equal(evidence(BYTES("\1\0\3cmw")), "seat_early.evidence");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example),
        cmocka_unit_test(three_schemes),
        cmocka_unit_test(what_is_not_written),
        cmocka_unit_test(offers),
        cmocka_unit_test(choices),
        cmocka_unit_test(evidences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
