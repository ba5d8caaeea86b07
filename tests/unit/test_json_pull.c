/* Pulling values out of a text: each reader's good and bad values, names, order, and failures that stick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "codec/json_pull.h"

#define CHECK "test.pull"

static const char *const names[] = {"a", "b"};

static atls_buf buf_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

typedef enum reader { UINT, STRING, HEX, TIME, SKIP } reader;

/* Reads {"a":VALUE,"b":VALUE} where both are read alike; returns the last number or length. */
static atls_code read_members(const char *text, reader with, uint64_t *last, atls_err *err)
{
    atls_json_pull pull;
    atls_json_members members;
    uint8_t bytes[2];
    atls_json_pull_init(&pull, buf_of(text), 200, CHECK, err);
    atls_json_pull_object(&pull, &members, names, 2, 1);
    *last = 0;
    while (atls_json_pull_member(&pull, &members) >= 0) {
        switch (with) {
        case UINT:
            *last = atls_json_pull_uint(&pull, 300);
            break;
        case STRING:
            *last = atls_json_pull_string(&pull, 4).len;
            break;
        case HEX:
            atls_json_pull_hex(&pull, bytes, 2);
            *last = bytes[0] * 256u + bytes[1];
            break;
        case TIME:
            *last = (uint64_t)atls_json_pull_time(&pull);
            break;
        case SKIP:
            atls_json_pull_skip(&pull);
            break;
        }
    }
    return atls_json_pull_finish(&pull);
}

static void each_reader_takes_its_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        reader with;
        uint64_t last;
    } rows[] = {
        {"{\"a\":0}", UINT, 0},
        {"{\"a\":300}", UINT, 300},
        {"{\"b\":7,\"a\":8}", UINT, 8},
        {"{\"a\":1,\"c\":-1.5,\"b\":2}", UINT, 2},
        {"{\"a\":\"x\"}", STRING, 1},
        {"{\"a\":\"\xc3\xa9\xc3\xa9\"}", STRING, 4},
        {"{\"a\":\"00Ff\"}", HEX, 255},
        {"{\"a\":\"1970-01-01T00:01:00Z\"}", TIME, 60},
        {"{\"a\":null,\"b\":[{\"x\":{\"y\":[]}}]}", SKIP, 0},
        {"\n{ \"a\" : {} } \n", SKIP, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_err err = {0};
        uint64_t last;
        if (read_members(rows[i].text, rows[i].with, &last, &err) != ATLS_OK) {
            fail_msg("%s: %s", rows[i].text, err.msg);
        }
        assert_int_equal(last, rows[i].last);
    }
}

static void each_reader_refuses_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        reader with;
        const char *says;
    } rows[] = {
        {"{\"a\":301}", UINT, "line 1, column 6: \"a\": integer of 0 to 300 wanted"},
        {"{\"a\":1000000000000000000000000000000}", UINT, "\"a\": integer of 0 to 300 wanted"},
        {"{\"a\":-1}", UINT, "\"a\": integer"},
        {"{\"a\":-0}", UINT, "\"a\": integer"},
        {"{\"a\":1.0}", UINT, "\"a\": integer"},
        {"{\"a\":1e2}", UINT, "\"a\": integer"},
        {"{\"a\":\"1\"}", UINT, "\"a\": integer"},
        {"{\"a\":true}", UINT, "\"a\": integer"},
        {"{\"a\":[1]}", UINT, "\"a\": integer"},
        {"{\"a\":01}", UINT, "leading zero"},
        {"{\"a\":\"\"}", STRING, "\"a\": string of 1 to 4 bytes"},
        {"{\"a\":\"12345\"}", STRING, "\"a\": string of 1 to 4 bytes"},
        {"{\"a\":\"\\n\"}", STRING, "\"a\": string of 1 to 4 bytes"},
        {"{\"a\":1}", STRING, "\"a\": string wanted"},
        {"{\"a\":\"00f\"}", HEX, "\"a\": 4 hexadecimal"},
        {"{\"a\":\"00\"}", HEX, "\"a\": 4 hexadecimal"},
        {"{\"a\":\"000000\"}", HEX, "\"a\": 4 hexadecimal"},
        {"{\"a\":\"00fg\"}", HEX, "\"a\": 4 hexadecimal"},
        {"{\"a\":0}", HEX, "\"a\": string wanted"},
        {"{\"a\":\"1970-01-01T00:01:00\"}", TIME, "\"a\": date"},
        {"{\"a\":60}", TIME, "\"a\": string wanted"},
        {"{\"b\":1}", UINT, "\"a\": is missing"},
        {"{}", UINT, "\"a\": is missing"},
        {"{\"a\":1,\n\"a\":1}", UINT, "line 2, column 1: \"a\": stands twice"},
        {"{\"a\":1,\"\\u0061\":1}", UINT, "\"a\": stands twice"},
        {"{\"a\":1,\"c\":1,\"c\":1}", UINT, "has already"},
        {"{\"a\":{\"c\":1,\"c\":1}}", SKIP, "has already"},
        {"{\"a\":[1,]}", SKIP, "value wanted"},
        {"{\"a\":[[[[[[[[1]]]]]]]]}", SKIP, "too deep"},
        {"{\"a\":1}}", UINT, "text behind"},
        {"{\"a\":1} {}", UINT, "text behind"},
        {"{\"a\":1", UINT, "ends too early"},
        {"[1]", UINT, "object wanted"},
        {"1", UINT, "object or array wanted"},
        {"", UINT, "ends too early"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_err err = {0};
        uint64_t last;
        assert_int_equal(read_members(rows[i].text, rows[i].with, &last, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, CHECK);
        if (strstr(err.msg, rows[i].says) == NULL) {
            fail_msg("%s: says '%s'", rows[i].text, err.msg);
        }
    }
}

static void size_is_checked_first(void **state)
{
    (void)state;
    atls_json_pull pull;
    atls_err err = {0};
    atls_json_pull_init(&pull, buf_of("[1]"), 2, CHECK, &err);
    assert_false(atls_json_pull_ok(&pull));
    atls_json_pull_array(&pull);
    assert_false(atls_json_pull_element(&pull));
    assert_int_equal(atls_json_pull_finish(&pull), ATLS_E_INVALID);
    assert_non_null(strstr(err.msg, "3 bytes"));
}

static void arrays_are_walked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        bool good;
    } rows[] = {
        {"[]", 0, true},     {"[ ]", 0, true},    {"[1]", 1, true},   {"[ 1 , 2 ,3 ]", 3, true},
        {"[1,]", 2, false},  {"[1 2]", 2, false}, {"[1", 2, false},   {"[", 1, false},
        {"[1,2}", 3, false}, {"{}", 0, false},    {"[1]]", 1, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_json_pull pull;
        size_t n = 0;
        atls_json_pull_init(&pull, buf_of(rows[i].text), 200, CHECK, NULL);
        atls_json_pull_array(&pull);
        while (atls_json_pull_element(&pull)) {
            (void)atls_json_pull_uint(&pull, 9);
            n++;
        }
        assert_int_equal(n, rows[i].n);
        assert_int_equal(atls_json_pull_finish(&pull), rows[i].good ? ATLS_OK : ATLS_E_INVALID);
    }
}

static void first_failure_sticks(void **state)
{
    (void)state;
    atls_json_pull pull;
    atls_err err = {0};
    atls_json_pull_init(&pull, buf_of("[1,2,\"x\"]"), 200, CHECK, &err);
    atls_json_pull_array(&pull);
    atls_json_pull_fail(&pull, "number %d", 1);
    atls_json_pull_fail(&pull, "number %d", 2);
    assert_string_equal(err.msg, "line 1, column 1: number 1");
    assert_int_equal(atls_json_pull_uint(&pull, 9), 0);
    assert_int_equal(atls_json_pull_string(&pull, 9).len, 0);
    assert_int_equal(atls_json_pull_time(&pull), 0);
    uint8_t bytes[2] = {1, 1};
    atls_json_pull_hex(&pull, bytes, 2);
    assert_int_equal(bytes[0] + bytes[1], 0);
    assert_int_equal(atls_json_pull_finish(&pull), ATLS_E_INVALID);
    assert_string_equal(err.msg, "line 1, column 1: number 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reader_takes_its_values),
        cmocka_unit_test(each_reader_refuses_the_rest),
        cmocka_unit_test(size_is_checked_first),
        cmocka_unit_test(arrays_are_walked),
        cmocka_unit_test(first_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
