/* No memory while an authenticator is built, parsed and verified. */
#include "unit/torture.h"

#include "unit/ea_rig.h"
#include "unit/failing_alloc.h"

typedef struct job {
    connection c;
    uint8_t *bytes;
    size_t len;
    atls_ea ea;
} job;

static atls_code build(void *self, atls_err *err)
{
    job *j = self;
    return atls_ea_build(&j->c.keys, &j->c.request, &j->c.leaf, 1, j->c.key, j->c.cmw,
                         ATLS_EA_CMW_TYPE, &j->bytes, &j->len, err);
}

static void drop_bytes(void *self)
{
    job *j = self;
    free(j->bytes);
    j->bytes = NULL;
}

static char *built(void *self)
{
    const job *j = self;
    char *hex = malloc(2 * j->len + 1);
    assert_non_null(hex);
    atls_hex_encode((atls_buf){j->bytes, j->len}, hex);
    return hex;
}

static atls_code derive(void *self, atls_err *err)
{
    job *j = self;
    return atls_ea_keys_derive(&j->c.exporter, &j->c.keys, err);
}

static char *derived(void *self)
{
    const job *j = self;
    char *hex = malloc(2 * sizeof j->c.keys + 1);
    assert_non_null(hex);
    atls_hex_encode((atls_buf){(const uint8_t *)&j->c.keys, sizeof j->c.keys}, hex);
    return hex;
}

static atls_code judge_it(void *self, atls_err *err)
{
    job *j = self;
    j->ea = (atls_ea){0};
    atls_code rc = atls_ea_parse((atls_buf){j->c.bytes, j->c.len}, &j->c.request, ATLS_EA_CMW_TYPE,
                                 &j->ea, err);
    return rc == ATLS_OK ? atls_ea_verify(&j->c.keys, &j->c.request, &j->ea, err) : rc;
}

static char *judged(void *self)
{
    const job *j = self;
    assert_false(j->ea.empty);
    char *hex = malloc(2 * j->ea.cmw.len + 1);
    assert_non_null(hex);
    atls_hex_encode(j->ea.cmw, hex);
    return hex;
}

static void authenticator(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        job j = {0};
        open_connection(&j.c, &vectors[i], 0);
        torture_all(&(torture){"authenticator keys", &j, NULL, derive, derived, NULL});
        torture_all(&(torture){"authenticator build", &j, NULL, build, built, drop_bytes});
        torture_all(&(torture){"authenticator judged", &j, NULL, judge_it, judged, NULL});
        close_connection(&j.c);
    }
}

/* Two forged ones: whatever fails, they are not taken. */
static void forged(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t at = 1; at <= 2; at++) {
        c.bytes[c.len - 40 * at] ^= 1; /* in the signature */
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            alloc_fail(ALLOC_OPENSSL, n, false);
            const char *verdict = judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len});
            failed = alloc_calm();
            assert_string_not_equal(verdict, "ok");
            assert_string_not_equal(verdict, "empty");
        }
    }
    close_connection(&c);
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authenticator),
        cmocka_unit_test(forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
