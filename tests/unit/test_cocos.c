/* The dialect's beginnings on a hand-made link: settings, directions, the hashes of the specification's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "binding/binding.h"
#include "crypto/digest.h"

#include "unit/ea_rig.h"

static atls_code begin(atls_role role, bool asks, bool shows, const char *name, const char *value,
                       atls_err *err)
{
    const atls_binding_option option = {name, value};
    void *state = calloc(1, atls_binding_cocos.state_size);
    assert_non_null(state);
    atls_link link = {.binding = &atls_binding_cocos,
                      .state = state,
                      .role = role,
                      .asks = asks,
                      .shows = shows,
                      .options = &option,
                      .options_n = name == NULL ? 0 : 1};
    *err = (atls_err){0};
    const atls_code rc = atls_binding_cocos.begin(&link, err);
    free(state);
    return rc;
}

static void settings(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool good;
    } rows[] = {
        {NULL, NULL, true},
        {"layout", "sha512", true},
        {"layout", "binder-padded", true},
        {"layout", "binder", false},
        {"layout", "", false},
        {"tpm", "exported", true},
        {"tpm", "binder", true},
        {"tpm", "key", false},
        {"extension", "0xff00", true},
        {"extension", "65535", true},
        {"extension", "0x10000", false},
        {"extension", "-1", false},
        {"extension", "", false},
        {"extension", "0xff00 ", false},
        {"extension", "cmw", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_err err;
        const atls_code rc = begin(ATLS_CLIENT, true, false, rows[i].name, rows[i].value, &err);
        assert_int_equal(rc, rows[i].good ? ATLS_OK : ATLS_E_USAGE);
        if (!rows[i].good) {
            assert_string_equal(err.check, "cocos.option");
        }
        if (rows[i].name != NULL) {
            assert_true(atls_binding_has_option(&atls_binding_cocos, rows[i].name));
        }
    }
}

static void directions(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        for (int asks = 0; asks < 2; asks++) {
            for (int shows = 0; shows < 2; shows++) {
                atls_err err;
                const bool good = role == ATLS_CLIENT ? asks == 1 : shows == 1;
                assert_int_equal(begin((atls_role)role, asks == 1, shows == 1, NULL, NULL, &err),
                                 good ? ATLS_OK : ATLS_E_USAGE);
                if (!good) {
                    assert_string_equal(err.check, "cocos.direction");
                }
            }
        }
    }
    assert_int_equal(atls_binding_cocos.shows, ATLS_SHOWS_SERVER);
}

/* What the server wants of its hardware for the requests of the vectors: SHA-512(binder), SHA-256(exported value). */
static void vectors_of_the_specification(void **state)
{
    (void)state;
    static const char *const exported[] = {
        "dae466c995d75335dde19b18eda4b3854eb42c923a71076cad15bbd6ae2ddcc0",
        "f5790d05ae84495e682cd1747354d2f27b1a0772a669db300b1d75d9a106f345"};
    for (size_t i = 0; i < 2; i++) {
        static connection c;
        uint8_t in[512];
        uint8_t space[SPACE];
        uint8_t hash[32];
        atls_err err = {0};
        atls_step next = ATLS_STEP_DONE;
        open_connection(&c, &vectors[i], 0);
        void *memory = calloc(1, atls_binding_cocos.state_size);
        uint8_t spki[SPACE];
        atls_link link = {.binding = &atls_binding_cocos,
                          .state = memory,
                          .role = ATLS_SERVER,
                          .shows = true,
                          .key = c.key,
                          .leaf = c.leaf,
                          .spki = unhex(spki_hex, spki),
                          .exporter = c.exporter,
                          .in = in,
                          .in_len = 5 + c.request.raw.len};
        memcpy(in, "\x01\x00\x00\x00", 4);
        in[4] = (uint8_t)c.request.raw.len;
        memcpy(in + 5, c.request.raw.ptr, c.request.raw.len);
        assert_int_equal(atls_binding_cocos.begin(&link, &err), ATLS_OK);
        assert_int_equal(atls_binding_cocos.exchange(&link, &next, &err), ATLS_OK);
        assert_int_equal(next, ATLS_STEP_EVIDENCE);
        assert_hex(link.wanted.wide, 64, vectors[i].binder_sha512);
        const atls_buf value = unhex(exported[i], space);
        assert_int_equal(atls_digest(ATLS_SHA256, &value, 1, hash, &err), ATLS_OK);
        assert_memory_equal(link.wanted.narrow, hash, 32);
        assert_int_equal(link.in_len, 0);
        free(memory);
        close_connection(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings),
        cmocka_unit_test(directions),
        cmocka_unit_test(vectors_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
