/* Names for people: escaped, printable, and none where there is no name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/x509_name.h"

/* SEQUENCE { SET { SEQUENCE { 2.5.4.3, UTF8String "a\x1b,b" } } } */
static const uint8_t name[] = {0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55,
                               0x04, 0x03, 0x0c, 0x04, 'a',  0x1b, ',',  'b'};

static void control_characters_are_escaped(void **state)
{
    (void)state;
    char *text = atls_x509_name_text((atls_buf){name, sizeof name});
    assert_non_null(text);
    assert_string_equal(text, "CN=a\\1B\\,b");
    free(text);
}

static void what_is_no_name_gives_nothing(void **state)
{
    (void)state;
    uint8_t longer[sizeof name + 1] = {0};
    memcpy(longer, name, sizeof name);
    assert_null(atls_x509_name_text((atls_buf){longer, sizeof longer}));
    for (size_t n = 1; n < sizeof name; n++) {
        assert_null(atls_x509_name_text((atls_buf){name, n}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(what_is_no_name_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
