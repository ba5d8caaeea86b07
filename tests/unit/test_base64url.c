#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "codec/base64url.h"

static bool decodes(const char *text, uint8_t *out, size_t cap, size_t *len)
{
    return atls_base64url_decode((atls_buf){(const uint8_t *)text, strlen(text)}, out, cap, len);
}

static void known_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes;
    } cases[] = {{"", ""},
                 {"Zg", "f"},
                 {"Zm8", "fo"},
                 {"Zm9v", "foo"},
                 {"Zm9vYg", "foob"},
                 {"Zm9vYmFy", "foobar"},
                 {"-_-_", "\xfb\xff\xbf"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[8];
        size_t len = 99;
        size_t wanted = strlen(cases[i].bytes);
        assert_true(decodes(cases[i].text, out, wanted, &len));
        assert_int_equal(len, wanted);
        assert_memory_equal(out, cases[i].bytes, len);
        assert_true(wanted == 0 || !decodes(cases[i].text, out, wanted - 1, &len));
        char *text = atls_base64url_encode((atls_buf){(const uint8_t *)cases[i].bytes, wanted});
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

static void what_is_not_the_one_text_of_its_bytes_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z",    "Zg==", "Zg=",  "Zm9vY", "Zh",   "Zm9",   "Z g",
                                      "Zg\n", " Zg",  "Zm+v", "Zm/v",  "Zm.v", "Z\x80", "Zm9vYx"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t out[8];
        size_t len;
        assert_false(decodes(bad[i], out, sizeof out, &len));
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[70];
    uint8_t out[70];
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < n; i++) {
            bytes[i] = (uint8_t)(i * 37 + n);
        }
        size_t len;
        char *text = atls_base64url_encode((atls_buf){bytes, n});
        assert_int_equal(strlen(text), (n * 8 + 5) / 6);
        assert_true(decodes(text, out, sizeof out, &len));
        assert_int_equal(len, n);
        assert_memory_equal(out, bytes, n);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts),
        cmocka_unit_test(what_is_not_the_one_text_of_its_bytes_is_refused),
        cmocka_unit_test(every_length_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
