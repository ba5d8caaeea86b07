/* Trust anchors of Arm CCA as Veraison writes them: which are taken, and each way to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/sim.h>

#include "trust/cca_anchors.h"

static char *anchors; /* two, of a simulated platform */

static int make_anchors(void **state)
{
    (void)state;
    atls_sim_world *w = NULL;
    int bad = atls_sim_world_new("cca", 0, &w, NULL) != ATLS_OK ||
              atls_sim_world_endorsement(w, &anchors, NULL) != ATLS_OK;
    atls_sim_world_free(w);
    return bad;
}

static int drop_anchors(void **state)
{
    (void)state;
    atls_free(anchors);
    return 0;
}

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void anchors_are_found_by_both_ids(void **state)
{
    (void)state;
    atls_endorsements e = {.certs_n = 0};
    assert_int_equal(atls_endorsements_add(&e, text_buf(anchors), NULL), ATLS_OK);
    assert_int_equal(e.keys_n, 2);
    for (size_t i = 0; i < 2; i++) {
        atls_vouched_key *key = e.keys[i];
        const atls_buf instance = {key->instance_id, sizeof key->instance_id};
        const atls_buf implementation = {key->implementation_id, sizeof key->implementation_id};
        assert_int_equal(key->what, ATLS_VOUCHED_FOR_CCA);
        assert_ptr_equal(atls_cca_anchor_find(&e, instance, implementation), key->key);
        uint8_t other[33] = {0};
        memcpy(other, implementation.ptr, implementation.len);
        other[31] ^= 1;
        assert_null(atls_cca_anchor_find(&e, instance, (atls_buf){other, 32}));
        memcpy(other, instance.ptr, instance.len);
        other[32] ^= 1;
        assert_null(atls_cca_anchor_find(&e, (atls_buf){other, 33}, implementation));
        key->what = ATLS_VOUCHED_FOR_TOKENS; /* a key for something else is none for a platform */
        assert_null(atls_cca_anchor_find(&e, instance, implementation));
        key->what = ATLS_VOUCHED_FOR_CCA;
    }
    /* The same again changes nothing. */
    assert_int_equal(atls_endorsements_add(&e, text_buf(anchors), NULL), ATLS_OK);
    assert_int_equal(e.keys_n, 2);
    atls_endorsements_clear(&e);
}

/* The first place of old becomes new, which is as long. */
static char *edited(const char *old, const char *new)
{
    char *copy = strdup(anchors);
    char *at = strstr(copy, old);
    assert_non_null(at);
    assert_int_equal(strlen(old), strlen(new));
    memcpy(at, new, strlen(new));
    return copy;
}

static void each_wrong_anchor_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *old, *new, *check;
    } cases[] = {
        {"no instance id", "\"instance-id\"", "\"instance-if\"", "endorsement.cca"},
        {"no implementation id", "\"implementation-id\"", "\"implementation-if\"",
         "endorsement.cca"},
        {"not hexadecimal", "6174", "zz74", "endorsement.cca"},
        {"no key", "\"pkey\"", "\"pkex\"", "endorsement.cca_key"},
        {"another kind of key", "\"EC\"", "\"OK\"", "endorsement.cca_key"},
        {"another curve", "\"P-384\"", "\"P-385\"", "endorsement.cca_key"},
        {"coordinates of another curve", "\"P-384\"", "\"P-256\"", "endorsement.cca_key"},
        {"no x", "\"x\"", "\"u\"", "endorsement.cca_key"},
        {"a private key", "\"kty\": \"EC\",", "\"d\":0,\"k\":1,", "endorsement.cca_key"},
        {"text behind it", "]", " ", "endorsement.cca"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        atls_endorsements e = {.certs_n = 0};
        atls_err err = {0};
        char *text = edited(cases[i].old, cases[i].new);
        if (atls_endorsements_add(&e, text_buf(text), &err) != ATLS_E_INVALID ||
            strcmp(err.check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, err.check == NULL ? "taken" : err.check);
        }
        assert_int_equal(e.keys_n, 0);
        free(text);
    }
}

#define ANCHOR(x)                                                                                  \
    "[{\"instance-id\":"                                                                           \
    "\"010202020202020202020202020202020202020202020202020202020202020202\","                      \
    "\"implementation-id\":"                                                                       \
    "\"0000000000000000000000000000000000000000000000000000000000000000\","                        \
    "\"pkey\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" x "\",\"y\":\"" Y "\"}}]"
/* The base point of P-256. */
#define X "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
#define Y "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"

static void a_point_has_to_be_on_its_curve(void **state)
{
    (void)state;
    atls_endorsements e = {.certs_n = 0};
    atls_err err = {0};
    assert_int_equal(atls_endorsements_add(&e, text_buf(ANCHOR(X)), &err), ATLS_OK);
    assert_int_equal(atls_endorsements_add(
                         &e, text_buf(ANCHOR("bxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY")), &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "endorsement.cca_key");
    /* base64 of another alphabet, with padding, or of another length */
    static const char *const bad[] = {ANCHOR("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY="),
                                      ANCHOR("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYw+Y"),
                                      ANCHOR(""), ANCHOR("axfR")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(atls_endorsements_add(&e, text_buf(bad[i]), &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "endorsement.cca_key");
    }
    assert_int_equal(e.keys_n, 1);
    atls_endorsements_clear(&e);
}

static void one_platform_has_one_key(void **state)
{
    (void)state;
    atls_endorsements e = {.certs_n = 0};
    atls_err err = {0};
    char text[2048];
    (void)snprintf(text, sizeof text, "%s", ANCHOR(X));
    assert_int_equal(atls_endorsements_add(&e, text_buf(text), &err), ATLS_OK);
    /* -G: y is p - y. */
    char *y = strstr(text, Y);
    memcpy(y, "sBy9HAHlgGVxGBS1g_Bh6dQxzKmUzqExNEm_l8hArgo", strlen(Y));
    assert_int_equal(atls_endorsements_add(&e, text_buf(text), &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "endorsement.cca_twice");
    atls_endorsements_clear(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchors_are_found_by_both_ids),
        cmocka_unit_test(each_wrong_anchor_is_refused),
        cmocka_unit_test(a_point_has_to_be_on_its_curve),
        cmocka_unit_test(one_platform_has_one_key),
    };
    return cmocka_run_group_tests(tests, make_anchors, drop_anchors);
}
