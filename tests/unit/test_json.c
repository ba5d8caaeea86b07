/* The JSON door: what gets in, what does not, and where things stand in the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "codec/json.h"
#include "codec/json_scan.h"

#define CHECK "test.json"
#define MAX   2000000

static atls_buf buf_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

/* A copy without slack behind it, so that the sanitizer sees a read too far. */
static atls_code parse_bytes(const void *bytes, size_t len, atls_err *err)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    json_t *json = NULL;
    atls_code rc = atls_json_parse((atls_buf){copy, len}, MAX, CHECK, &json, err);
    assert_true((rc == ATLS_OK) == (json != NULL));
    json_decref(json);
    free(copy);
    return rc;
}

static const char *const good[] = {
    "{}",
    "[]",
    " \t\r\n{ } \n",
    "{\"\":{}}",
    "[1,-1,0,-0,0.5,1e9,1E+9,1.25e-3,9223372036854775807,-9223372036854775808]",
    "[true,false,null,\"\",\"a\"]",
    "[[[[[[[[1]]]]]]]]",
    "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{}}}}}}}}",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00\"]",
    "[\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]",
    "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}",
};

/* jansson's own reader and writer, with plenty of memory, say what is right. */
static void trees_and_texts_are_those_of_jansson(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        json_t *ours = NULL;
        json_t *theirs = json_loads(good[i], 0, NULL);
        assert_int_equal(atls_json_parse(buf_of(good[i]), MAX, CHECK, &ours, NULL), ATLS_OK);
        assert_true(json_equal(ours, theirs));
        char *text = atls_json_write(ours, JSON_COMPACT);
        char *wanted = json_dumps(theirs, JSON_COMPACT);
        assert_non_null(text);
        assert_string_equal(text, wanted);
        free(text);
        free(wanted);
        json_decref(ours);
        json_decref(theirs);
    }
    assert_null(atls_json_write(NULL, JSON_COMPACT));
}

static void good_texts_are_taken_and_every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        atls_err err = {0};
        size_t len = strlen(good[i]);
        if (parse_bytes(good[i], len, &err) != ATLS_OK) {
            fail_msg("%s: %s", good[i], err.msg);
        }
        size_t needed = len;
        while (good[i][needed - 1] == ' ' || good[i][needed - 1] == '\n') {
            needed--;
        }
        for (size_t n = 0; n < needed; n++) {
            err = (atls_err){0};
            assert_int_equal(parse_bytes(good[i], n, &err), ATLS_E_INVALID);
            assert_string_equal(err.check, CHECK);
        }
    }
}

#define BAD(what, text, where, says)                                                               \
    {                                                                                              \
        what, text, sizeof(text) - 1, where, says                                                  \
    }

static const struct {
    const char *what;
    const char *text;
    size_t len;
    const char *where;
    const char *says;
} bad[] = {
    BAD("empty", "", "line 1, column 1:", "ends too early"),
    BAD("only space", " \n ", "line 2, column 2:", "ends too early"),
    BAD("top is a number", "1", "line 1, column 1:", "object or array"),
    BAD("top is a string", "\"a\"", "line 1, column 1:", "object or array"),
    BAD("byte order mark", "\xef\xbb\xbf{}", "line 1, column 1:", "object or array"),
    BAD("text behind", "{} x", "line 1, column 4:", "text behind"),
    BAD("second value behind", "{}{}", "line 1, column 3:", "text behind"),
    BAD("NUL behind", "{}\0", "line 1, column 3:", "NUL"),
    BAD("NUL before", "\0{}", "line 1, column 1:", "NUL"),
    BAD("NUL in a string", "[\"a\0b\"]", "line 1, column 4:", "NUL"),
    BAD("NUL in a name", "{\"a\0b\":1}", "line 1, column 4:", "NUL"),
    BAD("NUL for a value", "[\0]", "line 1, column 2:", "NUL"),
    BAD("NUL for a name", "{\0}", "line 1, column 2:", "NUL"),
    BAD("NUL for a comma", "[1\0]", "line 1, column 3:", "NUL"),
    BAD("NUL behind a number, which jansson skips", "[1\0,2]", "line 1, column 3:", "NUL"),
    BAD("NUL escaped", "[\"\\u0000\"]", "line 1, column 3:", "NUL"),
    BAD("NUL escaped in a name", "{\"\\u0000\":1}", "line 1, column 3:", "NUL"),
    BAD("nine arrays", "[[[[[[[[[1]]]]]]]]]", "line 1, column 9:", "too deep"),
    BAD("nine objects", "[[[[[[[[{}]]]]]]]]", "line 1, column 9:", "too deep"),
    BAD("duplicate name", "{\"a\":1,\n\"a\":2}", "line 2,", "has already"),
    BAD("duplicate name, escaped", "{\"a\":1,\"\\u0061\":2}", "line 1,", "has already"),
    BAD("duplicate name, deep", "{\"x\":[{\"a\":1,\"b\":2,\"a\":3}]}", "line 1,", "has already"),
    BAD("comma behind the last element", "[1,]", "line 1, column 4:", "value wanted"),
    BAD("comma behind the last member", "{\"a\":1,}", "line 1, column 8:", "member name wanted"),
    BAD("comma first", "[,1]", "line 1, column 2:", "value wanted"),
    BAD("two commas", "[1,,1]", "line 1, column 4:", "value wanted"),
    BAD("no comma", "[1 1]", "line 1, column 4:", "',' or ']' wanted"),
    BAD("no comma in an object", "{\"a\":1 \"b\":1}", "line 1, column 8:", "',' or '}' wanted"),
    BAD("no colon", "{\"a\" 1}", "line 1, column 6:", "':' wanted"),
    BAD("name without quotes", "{a:1}", "line 1, column 2:", "member name wanted"),
    BAD("name is a number", "{1:1}", "line 1, column 2:", "member name wanted"),
    BAD("name without value", "{\"a\":}", "line 1, column 6:", "value wanted"),
    BAD("wrong end of an array", "[1}", "line 1, column 3:", "',' or ']' wanted"),
    BAD("wrong end of an object", "{\"a\":1]", "line 1, column 7:", "',' or '}' wanted"),
    BAD("single quotes", "['a']", "line 1, column 2:", "value wanted"),
    BAD("comment", "[/**/]", "line 1, column 2:", "value wanted"),
    BAD("NaN", "[NaN]", "line 1, column 2:", "value wanted"),
    BAD("True", "[True]", "line 1, column 2:", "value wanted"),
    BAD("truer", "[truer]", "line 1, column 6:", "',' or ']' wanted"),
    BAD("nul", "[nul]", "line 1, column 2:", "value wanted"),
    BAD("plus", "[+1]", "line 1, column 2:", "value wanted"),
    BAD("leading zero", "[01]", "line 1, column 3:", "leading zero"),
    BAD("leading zero, negative", "[-01]", "line 1, column 4:", "leading zero"),
    BAD("minus alone", "[-]", "line 1, column 3:", "digit wanted"),
    BAD("point first", "[.5]", "line 1, column 2:", "value wanted"),
    BAD("point last", "[5.]", "line 1, column 4:", "digit wanted"),
    BAD("exponent empty", "[5e]", "line 1, column 4:", "digit wanted"),
    BAD("exponent sign alone", "[5e-]", "line 1, column 5:", "digit wanted"),
    BAD("hexadecimal", "[0x10]", "line 1, column 3:", "',' or ']' wanted"),
    BAD("integer of 65 bits", "[9223372036854775808]", "line 1,", "too large"),
    BAD("number beyond double", "[1e999]", "line 1,", "too large"),
    BAD("tab in a string", "[\"a\tb\"]", "line 1, column 4:", "control character"),
    BAD("newline in a string", "[\"a\nb\"]", "line 1, column 4:", "control character"),
    BAD("unknown escape", "[\"\\x41\"]", "line 1, column 3:", "unknown escape"),
    BAD("short \\u", "[\"\\u004\"]", "line 1, column 3:", "four hexadecimal"),
    BAD("lone high surrogate", "[\"\\ud83d\"]", "line 1, column 3:", "surrogate"),
    BAD("high surrogate, then a letter", "[\"\\ud83d\\u0041\"]", "line 1, column 3:", "surrogate"),
    BAD("two high surrogates", "[\"\\ud83d\\ud83d\"]", "line 1, column 3:", "surrogate"),
    BAD("lone low surrogate", "[\"\\ude00\"]", "line 1, column 3:", "surrogate"),
    BAD("UTF-8: continuation alone", "[\"\x80\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: overlong of two", "[\"\xc1\xbf\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: overlong of three", "[\"\xe0\x9f\xbf\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: overlong of four", "[\"\xf0\x8f\xbf\xbf\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: surrogate", "[\"\xed\xa0\x80\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: beyond U+10FFFF", "[\"\xf4\x90\x80\x80\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: lead byte F5", "[\"\xf5\x80\x80\x80\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8: cut by the quote", "[\"\xe2\x82\"]", "line 1, column 3:", "UTF-8"),
    BAD("UTF-8 outside a string", "[\xc3\xa9]", "line 1, column 2:", "value wanted"),
    BAD("column in characters", "[\"\xc3\xa9\xc3\xa9\" x]",
        "line 1, column 7:", "',' or ']' wanted"),
};

static void each_defect_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_err err = {0};
        assert_int_equal(parse_bytes(bad[i].text, bad[i].len, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, CHECK);
        if (strstr(err.msg, bad[i].where) == NULL || strstr(err.msg, bad[i].says) == NULL) {
            fail_msg("%s: says '%s'", bad[i].what, err.msg);
        }
    }
}

static void size_is_checked_first(void **state)
{
    (void)state;
    json_t *json = NULL;
    atls_err err = {0};
    assert_int_equal(atls_json_parse(buf_of("[\"abc\"]"), 7, CHECK, &json, &err), ATLS_OK);
    json_decref(json);
    json = NULL;
    assert_int_equal(atls_json_parse(buf_of("[\"abc\"]"), 6, CHECK, &json, &err), ATLS_E_INVALID);
    assert_null(json);
    assert_non_null(strstr(err.msg, "7 bytes"));
    assert_int_equal(atls_json_parse(buf_of("[\"abc\"]"), 6, CHECK, &json, NULL), ATLS_E_INVALID);
}

static void number_of_values_is_limited(void **state)
{
    (void)state;
    size_t elements = ATLS_JSON_VALUES_MAX - 1; /* the array itself is a value too */
    char *text = malloc(2 * elements + 4);
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 0; i < elements; i++) {
        text[1 + 2 * i] = '1';
        text[2 + 2 * i] = ',';
    }
    text[2 * elements] = ']';
    assert_int_equal(parse_bytes(text, 2 * elements + 1, NULL), ATLS_OK);
    memcpy(text + 2 * elements, ",1]", 3);
    atls_err err = {0};
    assert_int_equal(parse_bytes(text, 2 * elements + 3, &err), ATLS_E_INVALID);
    assert_non_null(strstr(err.msg, "too many values"));
    free(text);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void a_hundred_thousand_levels_cost_nothing(void **state)
{
    (void)state;
    static const char *const opening[] = {"[", "{\"a\":"};
    for (size_t k = 0; k < 2; k++) {
        size_t unit = strlen(opening[k]);
        char *text = malloc(unit * 100000);
        assert_non_null(text);
        for (size_t i = 0; i < 100000; i++) {
            memcpy(text + i * unit, opening[k], unit);
        }
        int64_t start = now_us();
        atls_err err = {0};
        assert_int_equal(parse_bytes(text, unit * 100000, &err), ATLS_E_INVALID);
        assert_true(now_us() - start < 50000);
        assert_non_null(strstr(err.msg, "too deep"));
        free(text);
    }
}

static void depth_does_not_add_up_over_siblings(void **state)
{
    (void)state;
    atls_err err = {0};
    const char *text = "[[[[1]]],[[[[]]]],{\"a\":{\"b\":[]}},[[[]]],{\"a\":[{}]}]";
    assert_int_equal(parse_bytes(text, strlen(text), &err), ATLS_OK);
}

static void member_bytes_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
        const char *value; /* NULL: no such member */
    } rows[] = {
        {"{\"tcbInfo\":{\"a\":1},\"signature\":\"00\"}", "tcbInfo", "{\"a\":1}"},
        {"{\"tcbInfo\":{\"a\":1},\"signature\":\"00\"}", "signature", "\"00\""},
        {"{ \"tcbInfo\" :\n { \"a\" : [ 1 , { } ] } \n , \"b\" : 2 }", "tcbInfo",
         "{ \"a\" : [ 1 , { } ] }"},
        {"{\"x\":\"\\\"tcbInfo\\\":{}}\",\"tcbInfo\":{\"}\":\"{\\\\\"}}", "tcbInfo",
         "{\"}\":\"{\\\\\"}"},
        {"{\"x\":{\"tcbInfo\":1},\"y\":[{\"tcbInfo\":2}],\"tcbInfo\":3}", "tcbInfo", "3"},
        {"{\"\\u0074cbInf\\u006F\":null}", "tcbInfo", "null"},
        {"{\"x\":\"tcbInfo\",\"tcbInfo\":-1.5e3 }", "tcbInfo", "-1.5e3"},
        {"{\"tcbInfo\":[[[]]]}", "tcbInfo", "[[[]]]"},
        {"{\"tcbInfo\":true}", "tcbInfo", "true"},
        {"{\"\\ud83d\\ude00\":1}", "\xf0\x9f\x98\x80", "1"},
        {"{\"\\u00e9\\u20ac\":1}", "\xc3\xa9\xe2\x82\xac", "1"},
        {"{\"\":1}", "", "1"},
        {"{\"tcbInf\":1,\"tcbInfo2\":1,\"TcbInfo\":1}", "tcbInfo", NULL},
        {"{\"x\":{\"tcbInfo\":1}}", "tcbInfo", NULL},
        {"{}", "tcbInfo", NULL},
        {"[\"tcbInfo\",1]", "tcbInfo", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse_bytes(rows[i].text, strlen(rows[i].text), NULL), ATLS_OK);
        atls_buf value = {NULL, 0};
        bool found = atls_json_member_bytes(buf_of(rows[i].text), rows[i].name, &value);
        assert_int_equal(found, rows[i].value != NULL);
        if (found) {
            assert_int_equal(value.len, strlen(rows[i].value));
            assert_memory_equal(value.ptr, rows[i].value, value.len);
        }
    }
    atls_buf value = {NULL, 0};
    assert_false(
        atls_json_member_bytes(buf_of("{\"a\":[1,"), "a", &value)); /* never parsed: still safe */
    assert_false(atls_json_member_bytes(buf_of(""), "a", &value));
}

static void locate_follows_paths(void **state)
{
    (void)state;
    static const char text[] = "{\n"
                               "  \"workloads\": [\n"
                               "    {\"name\": \"a\"},\n"
                               "    {\"tdx\": {\"mrtd\": [\"00\", [7]]},\n"
                               "     \"\xc3\xa9\": \"\xc3\xa9\", \"t\": 1}\n"
                               "  ],\n"
                               "  \"x.y\": 5\n"
                               "}\n";
    static const struct {
        const char *path;
        size_t line, column; /* 0: nowhere */
    } rows[] = {
        {"", 1, 1},
        {"workloads", 2, 16},
        {"workloads[0]", 3, 5},
        {"workloads[0].name", 3, 14},
        {"workloads[1].tdx.mrtd", 4, 22},
        {"workloads[1].tdx.mrtd[0]", 4, 23},
        {"workloads[1].tdx.mrtd[1][0]", 4, 30},
        {"workloads[1].t", 5, 21},
        {"workloads[2]", 0, 0},
        {"workloads[1].tdx.mrtd[2]", 0, 0},
        {"workloads.name", 0, 0},
        {"workloads[0][0]", 0, 0},
        {"workloads[0].name.x", 0, 0},
        {"nothing", 0, 0},
        {"[0]", 0, 0},
        {"workloads[", 0, 0},
        {"workloads[]", 0, 0},
        {"workloads[0", 0, 0},
        {"workloads[0]name", 0, 0},
        {"workloads[99999999999999999999999]", 0, 0},
        {".workloads", 0, 0},
        {"workloads.", 0, 0},
        {"a.b.c.d.e.f.g.h.i", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t line = 99;
        size_t column = 99;
        bool found = atls_json_locate(buf_of(text), rows[i].path, &line, &column);
        if (found != (rows[i].line > 0) || line != rows[i].line || column != rows[i].column) {
            fail_msg("%s: %zu:%zu", rows[i].path, line, column);
        }
    }
    size_t line;
    size_t column;
    const atls_json_step dotted = {.name = "x.y", .name_len = 3};
    assert_true(atls_json_locate_steps(buf_of(text), &dotted, 1, &line, &column));
    assert_int_equal(line, 7);
    assert_int_equal(column, 10);
}

static void scanner_stays_where_it_failed(void **state)
{
    (void)state;
    atls_json_scan scan;
    atls_json_scan_init(&scan, buf_of("[1 2]"));
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_ARRAY);
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_NUMBER);
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_BAD);
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_BAD);
    atls_json_scan_init(&scan, buf_of("[]"));
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_ARRAY);
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_ARRAY_END);
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_DONE);
    assert_int_equal(atls_json_scan_next(&scan).kind, ATLS_JSON_DONE);
}

/* Every byte in every place of a string that is longer than a machine word: only ASCII that stands for itself is taken. */
static void in_each_place_of_a_string_only_plain_bytes_are_taken(void **state)
{
    (void)state;
    for (size_t place = 0; place < 20; place++) {
        for (unsigned c = 0; c < 256; c++) {
            char text[24] = "[\"aaaaaaaaaaaaaaaaaaaa\"]";
            atls_err err;
            text[2 + place] = (char)c;
            const bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            assert_int_equal(parse_bytes(text, sizeof text, &err),
                             plain ? ATLS_OK : ATLS_E_INVALID);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_taken_and_every_truncation_is_refused),
        cmocka_unit_test(trees_and_texts_are_those_of_jansson),
        cmocka_unit_test(each_defect_is_refused_with_its_place),
        cmocka_unit_test(size_is_checked_first),
        cmocka_unit_test(number_of_values_is_limited),
        cmocka_unit_test(a_hundred_thousand_levels_cost_nothing),
        cmocka_unit_test(depth_does_not_add_up_over_siblings),
        cmocka_unit_test(member_bytes_are_exact),
        cmocka_unit_test(locate_follows_paths),
        cmocka_unit_test(scanner_stays_where_it_failed),
        cmocka_unit_test(in_each_place_of_a_string_only_plain_bytes_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
