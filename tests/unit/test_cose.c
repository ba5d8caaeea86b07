/* COSE_Sign1: which messages are taken, which refused and by which check; and what counts as a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "codec/cose.h"
#include "sim/cose.h"

#define ALL                                                                                        \
    (ATLS_COSE_ALLOW(ATLS_COSE_ES256) | ATLS_COSE_ALLOW(ATLS_COSE_ES384) |                         \
     ATLS_COSE_ALLOW(ATLS_COSE_ES512))
#define BYTES(s) ((atls_buf){(const uint8_t *)(s), sizeof(s) - 1})

static EVP_PKEY *keys[3];
static atls_public_key *public_keys[3];
static const char *const curves[] = {"P-256", "P-384", "P-521"};
static const char *const hashes[] = {"SHA2-256", "SHA2-384", "SHA2-512"};
static const atls_buf headers[] = {BYTES(SIM_COSE_ES256), BYTES(SIM_COSE_ES384),
                                   BYTES(SIM_COSE_ES512)};

static int make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t *spki = NULL;
        keys[i] = sim_key_new(curves[i]);
        int len = i2d_PUBKEY(keys[i], &spki);
        if (len <= 0 || atls_public_key_from_spki((atls_buf){spki, (size_t)len}, &public_keys[i],
                                                  NULL) != ATLS_OK) {
            return 1;
        }
        OPENSSL_free(spki);
    }
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY_free(keys[i]);
        atls_public_key_free(public_keys[i]);
    }
    return 0;
}

static sim_cose usual(size_t alg)
{
    return (sim_cose){.key = keys[alg],
                      .hash = hashes[alg],
                      .protected_header = headers[alg],
                      .payload = BYTES("what is said")};
}

static atls_buf made(const sim_cose *plan)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(sim_cose_make(plan, &bytes, &len, NULL), ATLS_OK);
    return (atls_buf){bytes, len};
}

static void drop(atls_buf bytes)
{
    uint8_t *p;
    memcpy(&p, &bytes.ptr, sizeof p);
    free(p);
}

static void each_algorithm_verifies_with_its_own_curve_only(void **state)
{
    (void)state;
    for (size_t alg = 0; alg < 3; alg++) {
        for (unsigned tagged = 0; tagged < 2; tagged++) {
            sim_cose plan = usual(alg);
            plan.tagged = tagged != 0;
            const atls_buf bytes = made(&plan);
            atls_cose_sign1 cose;
            assert_int_equal(atls_cose_sign1_parse(bytes, ALL, &cose, NULL), ATLS_OK);
            assert_int_equal(cose.alg, alg);
            assert_int_equal(cose.tagged, tagged);
            assert_int_equal(cose.payload.len, plan.payload.len);
            for (size_t k = 0; k < 3; k++) {
                assert_int_equal(atls_cose_sign1_verify(&cose, public_keys[k]), k == alg);
            }
            /* Another key of the same curve. */
            cose.payload.len--;
            assert_false(atls_cose_sign1_verify(&cose, public_keys[alg]));
            drop(bytes);
        }
    }
}

static void a_signature_is_r_and_s_and_nothing_else(void **state)
{
    (void)state;
    for (size_t alg = 0; alg < 3; alg++) {
        for (size_t wrong = 0; wrong < 3; wrong++) {
            sim_cose plan = usual(alg);
            plan.is_der = wrong == 0;
            plan.is_zero = wrong == 1;
            plan.is_wrong = wrong == 2;
            const atls_buf bytes = made(&plan);
            atls_cose_sign1 cose;
            assert_int_equal(atls_cose_sign1_parse(bytes, ALL, &cose, NULL), ATLS_OK);
            assert_false(atls_cose_sign1_verify(&cose, public_keys[alg]));
            drop(bytes);
        }
    }
    /* ES256 on P-384: a signature that is right in itself. */
    sim_cose plan = usual(1);
    plan.hash = hashes[0];
    plan.protected_header = headers[0];
    const atls_buf bytes = made(&plan);
    atls_cose_sign1 cose;
    assert_int_equal(atls_cose_sign1_parse(bytes, ALL, &cose, NULL), ATLS_OK);
    assert_false(atls_cose_sign1_verify(&cose, public_keys[1]));
    drop(bytes);
}

static void each_wrong_header_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        atls_buf protected_header, unprotected;
        const char *check;
    } cases[] = {
        {"no algorithm", BYTES(""), BYTES(""), "cose.alg"},
        {"no algorithm in a map of nothing", BYTES("\xa0"), BYTES(""), "cose.alg"},
        {"EdDSA", BYTES("\xa1\x01\x27"), BYTES(""), "cose.alg"},
        {"HMAC", BYTES("\xa1\x01\x05"), BYTES(""), "cose.alg"},
        {"an algorithm by name",
         BYTES("\xa1\x01\x65"
               "ES384"),
         BYTES(""), "cose.alg"},
        {"a private algorithm", BYTES("\xa1\x01\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), BYTES(""),
         "cose.alg"},
        {"-35 as a label's value only", BYTES("\xa1\x02\x38\x22"), BYTES(""), "cose.crit"},
        {"crit", BYTES("\xa2\x01\x38\x22\x02\x81\x04"), BYTES(""), "cose.crit"},
        {"crit in front", BYTES("\xa2\x02\x81\x04\x01\x38\x22"), BYTES(""), "cose.crit"},
        {"crit that is not signed", BYTES(SIM_COSE_ES384), BYTES("\xa1\x02\x81\x04"), "cose.crit"},
        {"algorithm that is not signed", BYTES(""), BYTES("\xa1\x01\x38\x22"),
         "cose.unprotected_alg"},
        {"algorithm in both", BYTES(SIM_COSE_ES384), BYTES("\xa1\x01\x38\x22"),
         "cose.unprotected_alg"},
        {"algorithm twice", BYTES("\xa2\x01\x38\x22\x01\x38\x22"), BYTES(""), "cose.cbor"},
        {"bytes behind the header", BYTES("\xa1\x01\x38\x22\x00"), BYTES(""), "cose.cbor"},
        {"a header that is an array", BYTES("\x81\x01"), BYTES(""), "cose.structure"},
        {"an unprotected header that is an array", BYTES(SIM_COSE_ES384), BYTES("\x80"),
         "cose.structure"},
        {"an unprotected header that is null", BYTES(SIM_COSE_ES384), BYTES("\xf6"),
         "cose.structure"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_cose plan = usual(1);
        plan.protected_header = cases[i].protected_header;
        plan.unprotected = cases[i].unprotected;
        const atls_buf bytes = made(&plan);
        atls_cose_sign1 cose;
        atls_err err = {0};
        if (atls_cose_sign1_parse(bytes, ALL, &cose, &err) != ATLS_E_INVALID ||
            strcmp(err.check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, err.check == NULL ? "taken" : err.check);
        }
        drop(bytes);
    }
}

static void what_others_state_in_headers_is_passed_over(void **state)
{
    (void)state;
    sim_cose plan = usual(1);
    plan.protected_header = BYTES("\xa2\x04\x81\x01\x01\x38\x22"); /* a key id that is odd */
    plan.unprotected = BYTES("\xa1\x04\x41\x00");
    const atls_buf bytes = made(&plan);
    atls_cose_sign1 cose;
    assert_int_equal(atls_cose_sign1_parse(bytes, ALL, &cose, NULL), ATLS_OK);
    assert_true(atls_cose_sign1_verify(&cose, public_keys[1]));
    drop(bytes);
}

static void only_the_caller_allows_algorithms(void **state)
{
    (void)state;
    for (size_t alg = 0; alg < 3; alg++) {
        const sim_cose plan = usual(alg);
        const atls_buf bytes = made(&plan);
        atls_cose_sign1 cose;
        atls_err err = {0};
        assert_int_equal(atls_cose_sign1_parse(bytes, ALL & ~ATLS_COSE_ALLOW(alg), &cose, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "cose.alg");
        assert_int_equal(atls_cose_sign1_parse(bytes, ATLS_COSE_ALLOW(alg), &cose, &err), ATLS_OK);
        drop(bytes);
    }
}

static void each_wrong_shape_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        atls_buf bytes;
        const char *check;
    } cases[] = {
        {"a map", BYTES("\xa0"), "cose.structure"},
        {"five", BYTES("\x85\x43\xa1\x01\x26\xa0\x40\x40\x40"), "cose.structure"},
        {"three", BYTES("\x83\x43\xa1\x01\x26\xa0\x40"), "cose.structure"},
        {"a header as text", BYTES("\x84\x60\xa0\x40\x40"), "cose.structure"},
        {"a signature as text", BYTES("\x84\x43\xa1\x01\x26\xa0\x40\x60"), "cose.structure"},
        {"a payload as text", BYTES("\x84\x43\xa1\x01\x26\xa0\x60\x40"), "cose.payload"},
        {"no payload", BYTES("\x84\x43\xa1\x01\x26\xa0\xf6\x40"), "cose.payload"},
        {"tag of COSE_Sign", BYTES("\xd8\x62\x84\x43\xa1\x01\x26\xa0\x40\x40"), "cose.structure"},
        {"two tags", BYTES("\xd2\xd2\x84\x43\xa1\x01\x26\xa0\x40\x40"), "cose.structure"},
        {"a byte behind it", BYTES("\x84\x43\xa1\x01\x26\xa0\x40\x40\x00"), "cose.cbor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        atls_cose_sign1 cose;
        atls_err err = {0};
        if (atls_cose_sign1_parse(cases[i].bytes, ALL, &cose, &err) != ATLS_E_INVALID ||
            strcmp(err.check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, err.check == NULL ? "taken" : err.check);
        }
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    const sim_cose plan = usual(1);
    const atls_buf bytes = made(&plan);
    for (size_t len = 0; len < bytes.len; len++) {
        atls_cose_sign1 cose;
        atls_err err = {0};
        assert_int_equal(atls_cose_sign1_parse((atls_buf){bytes.ptr, len}, ALL, &cose, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "cose.cbor");
    }
    drop(bytes);
}

static void a_cose_key_is_four_members(void **state)
{
    (void)state;
    uint8_t point[97];
    uint8_t space[160];
    size_t point_len = 0;
    EVP_PKEY_get_octet_string_param(keys[1], "encoded-pub-key", point, sizeof point, &point_len);
    assert_int_equal(point_len, 97);
    for (size_t wrong = 0; wrong < 8; wrong++) {
        atls_writer w = atls_writer_of(space, sizeof space);
        atls_cbor_write_head(&w, ATLS_CBOR_MAP, wrong == 1 ? 5 : 4);
        if (wrong == 1) { /* a member too many */
            atls_cbor_write_head(&w, ATLS_CBOR_UINT, 3);
            atls_cbor_write_head(&w, ATLS_CBOR_NEGATIVE, 34);
        }
        atls_cbor_write_head(&w, ATLS_CBOR_UINT, 1);
        atls_cbor_write_head(&w, ATLS_CBOR_UINT, wrong == 2 ? 1 : 2);
        atls_cbor_write_head(&w, ATLS_CBOR_NEGATIVE, 0);
        atls_cbor_write_head(&w, ATLS_CBOR_UINT, wrong == 3 ? 4 : wrong == 4 ? 1 : 2);
        for (size_t i = 0; i < 2; i++) {
            atls_cbor_write_head(&w, ATLS_CBOR_NEGATIVE, 1 + i + (wrong == 5 ? 1 : 0));
            atls_cbor_write_string(
                &w, wrong == 6 ? ATLS_CBOR_TEXT : ATLS_CBOR_BYTES,
                (atls_buf){wrong == 6 ? (const uint8_t *)"x" : point + 1 + 48 * i,
                           wrong == 6 ? 1 : 48});
        }
        if (wrong == 7) {
            space[w.len - 1] ^= 1; /* off the curve */
        }
        atls_public_key *key = NULL;
        atls_err err = {0};
        const atls_code rc = atls_cose_key_parse(atls_writer_done(&w), "cca.realm.rak", &key, &err);
        assert_int_equal(rc, wrong == 0 ? ATLS_OK : ATLS_E_INVALID);
        if (wrong == 0) {
            assert_int_equal(w.len, 107);
            assert_memory_equal(atls_public_key_sha256(key), atls_public_key_sha256(public_keys[1]),
                                32);
        } else {
            assert_string_equal(err.check, wrong == 7 ? "key.point" : "cca.realm.rak");
        }
        atls_public_key_free(key);
    }
}

static void algorithms_have_names(void **state)
{
    (void)state;
    assert_string_equal(atls_cose_alg_name(ATLS_COSE_ES256), "ES256");
    assert_string_equal(atls_cose_alg_name(ATLS_COSE_ES512), "ES512");
    assert_int_equal(atls_cose_alg_curve(ATLS_COSE_ES384), ATLS_KEY_P384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_verifies_with_its_own_curve_only),
        cmocka_unit_test(a_signature_is_r_and_s_and_nothing_else),
        cmocka_unit_test(each_wrong_header_is_refused),
        cmocka_unit_test(what_others_state_in_headers_is_passed_over),
        cmocka_unit_test(only_the_caller_allows_algorithms),
        cmocka_unit_test(each_wrong_shape_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_cose_key_is_four_members),
        cmocka_unit_test(algorithms_have_names),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
