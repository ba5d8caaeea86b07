/* The settings of a fetcher, and what it says before and without a start. What it does is in tests/collateral. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atls/fetch.h>

typedef struct rig {
    atls_store *store;
    atls_fetcher *f;
    atls_err err;
} rig;

static rig open_rig(void)
{
    rig r = {0};
    assert_int_equal(atls_store_open(NULL, &r.store, &r.err), ATLS_OK);
    assert_int_equal(atls_fetcher_new(r.store, &r.f, &r.err), ATLS_OK);
    return r;
}

static void close_rig(rig *r)
{
    atls_fetcher_free(r->f);
    atls_store_free(r->store);
}

static void options_take_their_values_only(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool good;
    } table[] = {
        {"request-timeout", "10", true},
        {"request-timeout", "0", false},
        {"request-timeout", "3601", false},
        {"request-timeout", "-1", false},
        {"request-timeout", "1s", false},
        {"request-timeout", "", false},
        {"request-timeout", "99999999999999999999", false},
        {"total-timeout", "3600", true},
        {"total-timeout", "x", false},
        {"refresh-ahead", "1", true},
        {"refresh-ahead", "90", true},
        {"refresh-ahead", "0", false},
        {"refresh-ahead", "91", false},
        {"channel", "standard", true},
        {"channel", "early", true},
        {"channel", "17", true},
        {"channel", "017", false},
        {"channel", "late", false},
        {"channel", "", false},
        {"proxy", "http://127.0.0.1:3128", true},
        {"proxy", "", false},
        {"proxy", "a\r\nb", false},
        {"user-agent", "mine/1", true},
        {"user-agent", "mine\r\nX: 1", false},
        {"ca", "/nonexistent/ca.pem", false},
        {"api-key", "/nonexistent/key", false},
        {"colour", "red", false},
    };
    rig r = open_rig();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        atls_code rc = atls_fetcher_set_option(r.f, table[i].name, table[i].value, &r.err);
        if (rc != (table[i].good ? ATLS_OK : ATLS_E_USAGE)) {
            fail_msg("%s=%s: %d", table[i].name, table[i].value, (int)rc);
        }
        if (!table[i].good) {
            assert_string_equal(r.err.check, "fetch.option");
        }
    }
    close_rig(&r);
}

static void an_api_key_is_one_plain_line_of_a_file(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } table[] = {{"0123abcd\n", true}, {"0123abcd\r\n", true}, {"0123abcd", true}, {"", false},
                 {"\n", false},        {"a b\n", false},       {"a\tb\n", false}};
    rig r = open_rig();
    char path[] = "/tmp/atls-key-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    for (size_t i = 0; i <= sizeof table / sizeof table[0]; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        bool good = false;
        if (i < sizeof table / sizeof table[0]) {
            (void)fputs(table[i].text, file);
            good = table[i].good;
        } else { /* too long */
            for (int n = 0; n < 257; n++) {
                (void)fputc('a', file);
            }
        }
        (void)fclose(file);
        assert_int_equal(atls_fetcher_set_option(r.f, "api-key", path, &r.err),
                         good ? ATLS_OK : ATLS_E_USAGE);
    }
    assert_int_equal(atls_fetcher_set_option(r.f, "ca", path, &r.err), ATLS_OK);
    (void)unlink(path);
    close_rig(&r);
}

static void there_is_an_order_of_calls(void **state)
{
    (void)state;
    rig r = open_rig();
    atls_needs needs = {.n = 1, .keys = {"intel/rootcrl"}};
    assert_int_equal(atls_fetcher_get(r.f, &needs, 10, &r.err), ATLS_E_USAGE);
    assert_string_equal(r.err.check, "fetch.started");
    assert_int_equal(atls_fetcher_add_vendors(r.f, &r.err), ATLS_OK);
    for (int i = 2; i < 16; i++) {
        assert_int_equal(atls_fetcher_add_origin(r.f, "pccs=unix:/tmp/none", &r.err), ATLS_OK);
    }
    assert_int_equal(atls_fetcher_add_origin(r.f, "pccs=unix:/tmp/none", &r.err), ATLS_E_USAGE);
    assert_string_equal(r.err.check, "fetch.origin");
    assert_int_equal(atls_fetcher_set_shared(r.f, "http://x", &r.err), ATLS_E_USAGE);
    assert_string_equal(r.err.check, "fetch.shared");
    assert_int_equal(atls_fetcher_start(r.f, &r.err), ATLS_OK);
    assert_int_equal(atls_fetcher_start(r.f, &r.err), ATLS_E_USAGE);
    assert_string_equal(r.err.check, "fetch.started");
    assert_int_equal(atls_fetcher_set_option(r.f, "channel", "early", &r.err), ATLS_E_USAGE);
    assert_int_equal(atls_fetcher_add_origin(r.f, "pccs=unix:/tmp/none", &r.err), ATLS_E_USAGE);
    assert_int_equal(atls_fetcher_set_shared(r.f, "redis://127.0.0.1:1", &r.err), ATLS_E_USAGE);
    assert_int_equal(atls_fetcher_requests(r.f), 0);
    needs = (atls_needs){0}; /* nothing: all of it is there */
    assert_int_equal(atls_fetcher_get(r.f, &needs, 10, &r.err), ATLS_OK);
    close_rig(&r);
}

static void without_an_origin_it_says_so(void **state)
{
    (void)state;
    rig r = open_rig();
    assert_int_equal(atls_fetcher_add_origin(r.f, "amd=unix:/tmp/none", &r.err), ATLS_OK);
    assert_int_equal(atls_fetcher_start(r.f, &r.err), ATLS_OK);
    atls_needs needs = {.n = 1, .keys = {"intel/rootcrl"}};
    assert_int_equal(atls_fetcher_get(r.f, &needs, 5000, &r.err), ATLS_E_COLLATERAL);
    assert_string_equal(r.err.check, "fetch.no_origin");
    (void)snprintf(needs.keys[0], sizeof needs.keys[0], "what");
    assert_int_equal(atls_fetcher_get(r.f, &needs, 5000, &r.err), ATLS_E_USAGE);
    assert_string_equal(r.err.check, "item.key");
    close_rig(&r);
}

static void a_wait_ends_in_its_time(void **state)
{
    (void)state;
    rig r = open_rig();
    assert_int_equal(atls_fetcher_add_origin(r.f, "amd=unix:/tmp/none", &r.err), ATLS_OK);
    assert_int_equal(atls_fetcher_start(r.f, &r.err), ATLS_OK);
    atls_needs needs = {.n = 1, .keys = {"amd/chain/vcek/Milan"}};
    assert_int_equal(atls_fetcher_get(r.f, &needs, 300, &r.err), ATLS_E_COLLATERAL);
    assert_string_equal(r.err.check, "fetch.connect"); /* what has gone wrong so far */
    assert_true(atls_fetcher_requests(r.f) >= 1);
    atls_fetcher_keep_fresh(r.f, true);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_take_their_values_only),
        cmocka_unit_test(an_api_key_is_one_plain_line_of_a_file),
        cmocka_unit_test(there_is_an_order_of_calls),
        cmocka_unit_test(without_an_origin_it_says_so),
        cmocka_unit_test(a_wait_ends_in_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
