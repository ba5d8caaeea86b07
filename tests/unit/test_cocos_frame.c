/* The two frames of Cocos, and every header that is none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/cocos_frame.h"

static const struct {
    const char *what, *header;
    uint8_t wanted;
    const char *check; /* NULL: good */
    uint32_t len;
} headers[] = {
    {"a request of one byte", "0100000001", 1, NULL, 1},
    {"the longest request taken", "0100001000", 1, NULL, 4096},
    {"a request of a byte more", "0100001001", 1, "cocos.frame.length", 0},
    {"the longest authenticator taken", "0200020000", 2, NULL, 131072},
    {"an authenticator of a byte more", "0200020001", 2, "cocos.frame.length", 0},
    {"16 MiB", "0201000000", 2, "cocos.frame.length", 0},
    {"16 MiB and a byte", "0201000001", 2, "cocos.frame.length", 0},
    {"4 GiB", "02ffffffff", 2, "cocos.frame.length", 0},
    {"nothing in it", "0200000000", 2, "cocos.frame.length", 0},
    {"type 0", "0000000010", 1, "cocos.frame.type", 0},
    {"type 3", "0300000010", 2, "cocos.frame.type", 0},
    {"type 255", "ff00000010", 1, "cocos.frame.type", 0},
    {"a request where an authenticator is due", "0100000010", 2, "cocos.frame.type", 0},
    {"an authenticator where a request is due", "0200000010", 1, "cocos.frame.type", 0},
};

static void each_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        uint8_t bytes[ATLS_COCOS_HEADER];
        uint8_t again[ATLS_COCOS_HEADER];
        size_t n = 0;
        uint32_t len = 77;
        atls_err err = {0};
        print_message("%s\n", headers[i].what);
        assert_true(atls_hex_decode(headers[i].header, 10, bytes, sizeof bytes, &n));
        atls_code rc = atls_cocos_frame_parse(bytes, headers[i].wanted, &len, &err);
        if (headers[i].check == NULL) {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(len, headers[i].len);
            atls_cocos_frame_write(headers[i].wanted, len, again);
            assert_memory_equal(again, bytes, sizeof bytes);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, headers[i].check);
            assert_int_equal(len, 77);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_header)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
