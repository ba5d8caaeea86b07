/* Public areas: laid out, as keys, by name, and as endorsements. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tpm_bytes.h"
#include "trust/endorsements.h"
#include "trust/tpm_key.h"

typedef struct made {
    EVP_PKEY *pkey;
    uint8_t point[1 + 2 * 66];
    size_t size;
} made;

static made make_ec(const char *group)
{
    made m = {.pkey = EVP_EC_gen(group)};
    size_t len = 0;
    assert_int_equal(EVP_PKEY_get_octet_string_param(m.pkey, OSSL_PKEY_PARAM_PUB_KEY, m.point,
                                                     sizeof m.point, &len),
                     1);
    m.size = (len - 1) / 2;
    return m;
}

static size_t ecc_area(const made *m, uint16_t curve, uint8_t out[512])
{
    return tpm_ecc_area(TPM_AK_ATTRIBUTES, curve, ATLS_TPM_ALG_SHA256,
                        (atls_buf){m->point + 1, m->size},
                        (atls_buf){m->point + 1 + m->size, m->size}, out, 512);
}

static void every_curve_and_rsa_become_keys(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        uint16_t curve;
    } curves[] = {
        {"P-256", ATLS_TPM_ECC_P256}, {"P-384", ATLS_TPM_ECC_P384}, {"P-521", ATLS_TPM_ECC_P521}};
    made other = make_ec("P-256");
    for (size_t i = 0; i < 3; i++) {
        made m = make_ec(curves[i].group);
        uint8_t bytes[512], other_bytes[512];
        atls_tpm_public p, stranger;
        atls_public_key *key = NULL;
        size_t len = ecc_area(&m, curves[i].curve, bytes);
        assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, NULL), ATLS_OK);
        assert_int_equal(p.attributes, TPM_AK_ATTRIBUTES);
        assert_int_equal(p.scheme, ATLS_TPM_ALG_ECDSA);
        assert_int_equal(p.scheme_hash, ATLS_TPM_ALG_SHA256);
        assert_int_equal(atls_tpm_public_key(&p, &key, NULL), ATLS_OK);
        assert_true(atls_tpm_public_is(&p, key));
        len = ecc_area(&other, ATLS_TPM_ECC_P256, other_bytes);
        assert_int_equal(atls_tpm_public_parse((atls_buf){other_bytes, len}, &stranger, NULL),
                         ATLS_OK);
        assert_false(atls_tpm_public_is(&stranger, key));
        atls_public_key_free(key);
        EVP_PKEY_free(m.pkey);
    }
    EVP_PKEY_free(other.pkey);
    static const uint32_t exponents[] = {0, 65537, 0x80000001u, 0x00800001u};
    for (size_t i = 0; i < 4; i++) {
        uint8_t n[256], bytes[512];
        atls_tpm_public p, q;
        atls_public_key *key = NULL;
        memset(n, 0xa5, sizeof n);
        size_t len = tpm_rsa_area(TPM_AK_ATTRIBUTES, ATLS_TPM_ALG_RSASSA, exponents[i],
                                  (atls_buf){n, sizeof n}, bytes, sizeof bytes);
        assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, NULL), ATLS_OK);
        assert_int_equal(atls_tpm_public_key(&p, &key, NULL), ATLS_OK);
        assert_true(atls_tpm_public_is(&p, key));
        q = p;
        q.exponent = 65539;
        assert_false(atls_tpm_public_is(&q, key));
        q = p;
        q.modulus.len--;
        assert_false(atls_tpm_public_is(&q, key));
        atls_public_key_free(key);
    }
}

static void keys_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    made m = make_ec("P-256");
    uint8_t bytes[512], n[128];
    atls_tpm_public p;
    atls_public_key *key = NULL;
    atls_err err = {0};
    size_t len = ecc_area(&m, 0x0010 /* BN_P256 */, bytes);
    assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, &err), ATLS_OK);
    assert_int_equal(atls_tpm_public_key(&p, &key, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.public.curve");
    m.point[5] ^= 1;
    len = ecc_area(&m, ATLS_TPM_ECC_P256, bytes);
    assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, &err), ATLS_OK);
    assert_int_equal(atls_tpm_public_key(&p, &key, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "key.point");
    memset(n, 0xa5, sizeof n);
    len = tpm_rsa_area(TPM_AK_ATTRIBUTES, ATLS_TPM_ALG_RSASSA, 0, (atls_buf){n, sizeof n}, bytes,
                       sizeof bytes);
    assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, &err), ATLS_OK);
    assert_int_equal(atls_tpm_public_key(&p, &key, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "key.rsa");
    EVP_PKEY_free(m.pkey);
}

static void lengths(void **state)
{
    (void)state;
    made m = make_ec("P-256");
    uint8_t bytes[513] = {0}, sized[515];
    atls_tpm_public p;
    const size_t good = ecc_area(&m, ATLS_TPM_ECC_P256, bytes);
    for (size_t len = 0; len <= good + 1; len++) {
        atls_err err = {0};
        if (len != good) {
            assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, &err),
                             ATLS_E_INVALID);
            /* A type of 35 and 35 bytes behind it: as if that were a size. */
            assert_string_equal(err.check, len == 37 ? "tpm.public.type" : "tpm.public.length");
        }
    }
    sized[0] = 0;
    sized[1] = (uint8_t)good;
    memcpy(sized + 2, bytes, good);
    assert_int_equal(atls_tpm_public_parse((atls_buf){sized, good + 2}, &p, NULL), ATLS_OK);
    assert_ptr_equal(p.bytes.ptr, sized + 2);
    static const uint8_t large[ATLS_TPM_PUBLIC_MAX_LEN + 1];
    atls_err err = {0};
    assert_int_equal(atls_tpm_public_parse((atls_buf){large, sizeof large}, &p, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.public.length");
    EVP_PKEY_free(m.pkey);
}

static void fields(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"a keyed hash", 1, 0x08, "tpm.public.type"},
        {"a symmetric key", 1, 0x25, "tpm.public.type"},
        {"a name by SHA-1", 3, 0x04, "tpm.public.name_alg"},
        {"a name by SM3", 3, 0x12, "tpm.public.name_alg"},
        {"a policy longer than the area", 8, 1, "tpm.public.length"},
        {"HMAC as scheme", 13, 0x05, "tpm.public.scheme"},
        {"a KDF that nobody knows", 19, 0x33, "tpm.public.length"},
    };
    made m = make_ec("P-256");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[512];
        atls_tpm_public p;
        atls_err err = {0};
        const size_t len = ecc_area(&m, ATLS_TPM_ECC_P256, bytes);
        bytes[bad[i].at] = bad[i].value;
        assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, &err), ATLS_E_INVALID);
        if (strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s, where %s is wanted", bad[i].what, err.check, bad[i].check);
        }
    }
    EVP_PKEY_free(m.pkey);
}

/* Algorithms with something behind them: laid out right, and then told by name. */
static void algorithms(void **state)
{
    (void)state;
    static const struct {
        uint16_t symmetric, kdf;
        const char *check;
    } cases[] = {{ATLS_TPM_ALG_AES, ATLS_TPM_ALG_NULL, NULL},
                 {0x0013, ATLS_TPM_ALG_NULL, "tpm.public.symmetric"},
                 {ATLS_TPM_ALG_NULL, 0x0020, NULL},
                 {ATLS_TPM_ALG_NULL, 0x0033, "tpm.public.kdf"}};
    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[128];
        atls_writer w = atls_writer_of(bytes, sizeof bytes);
        atls_tpm_public p;
        atls_err err = {0};
        atls_writer_u16be(&w, ATLS_TPM_ALG_ECC);
        atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
        atls_writer_u32be(&w, TPM_AK_ATTRIBUTES);
        atls_writer_u16be(&w, 0);
        atls_writer_u16be(&w, cases[i].symmetric);
        if (cases[i].symmetric != ATLS_TPM_ALG_NULL) {
            atls_writer_u16be(&w, 128);
            atls_writer_u16be(&w, ATLS_TPM_ALG_CFB);
        }
        atls_writer_u16be(&w, ATLS_TPM_ALG_NULL);
        atls_writer_u16be(&w, ATLS_TPM_ECC_P256);
        atls_writer_u16be(&w, cases[i].kdf);
        if (cases[i].kdf != ATLS_TPM_ALG_NULL) {
            atls_writer_u16be(&w, ATLS_TPM_ALG_SHA256);
        }
        atls_writer_zeros(&w, 4);
        const atls_code rc = atls_tpm_public_parse(atls_writer_done(&w), &p, &err);
        if (cases[i].check == NULL) {
            assert_int_equal(rc, ATLS_OK);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, cases[i].check);
        }
    }
}

static void the_name_is_the_hash_of_the_area(void **state)
{
    (void)state;
    made m = make_ec("P-256");
    uint8_t bytes[512], name[ATLS_TPM_NAME_MAX], wanted[32];
    atls_tpm_public p;
    size_t n = 0;
    const size_t len = ecc_area(&m, ATLS_TPM_ECC_P256, bytes);
    assert_int_equal(atls_tpm_public_parse((atls_buf){bytes, len}, &p, NULL), ATLS_OK);
    assert_int_equal(atls_tpm_public_name(&p, name, &n, NULL), ATLS_OK);
    assert_int_equal(EVP_Digest(bytes, len, wanted, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(n, 34);
    assert_int_equal(name[0] * 256 + name[1], ATLS_TPM_ALG_SHA256);
    assert_memory_equal(name + 2, wanted, 32);
    EVP_PKEY_free(m.pkey);
}

static void each_attribute_matters(void **state)
{
    (void)state;
    static const uint32_t needed[] = {ATLS_TPM_FIXED_TPM, ATLS_TPM_FIXED_PARENT,
                                      ATLS_TPM_SENSITIVE_DATA_ORIGIN, ATLS_TPM_RESTRICTED,
                                      ATLS_TPM_SIGN};
    assert_null(atls_tpm_ak_wrong(TPM_AK_ATTRIBUTES));
    for (size_t i = 0; i < 5; i++) {
        assert_non_null(atls_tpm_ak_wrong(TPM_AK_ATTRIBUTES & ~needed[i]));
    }
    assert_non_null(atls_tpm_ak_wrong(TPM_AK_ATTRIBUTES | ATLS_TPM_DECRYPT));
}

static void endorsements_are_recognised(void **state)
{
    (void)state;
    made m = make_ec("P-256");
    uint8_t bytes[512], sized[514];
    atls_endorsements e = {0};
    atls_err err = {0};
    const size_t len = ecc_area(&m, ATLS_TPM_ECC_P256, bytes);
    assert_int_equal(atls_endorsements_add(&e, (atls_buf){bytes, len}, &err), ATLS_OK);
    sized[0] = 0;
    sized[1] = (uint8_t)len;
    memcpy(sized + 2, bytes, len);
    assert_int_equal(atls_endorsements_add(&e, (atls_buf){sized, len + 2}, &err), ATLS_OK);
    BIO *pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(pem, m.pkey), 1);
    assert_int_equal(PEM_write_bio_PUBKEY(pem, m.pkey), 1);
    char *text = NULL;
    const size_t text_len = (size_t)BIO_get_mem_data(pem, &text);
    const atls_buf pem_bytes = {(const uint8_t *)text, text_len};
    assert_int_equal(atls_endorsements_add(&e, pem_bytes, &err), ATLS_OK);
    assert_int_equal(e.keys_n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(e.keys[i]->what, ATLS_VOUCHED_FOR_QUOTES);
        assert_memory_equal(atls_public_key_sha256(e.keys[i]->key),
                            atls_public_key_sha256(e.keys[0]->key), 32);
        assert_int_equal(e.keys[i]->has_attributes, i < 2);
    }
    /* One of two damaged: none is taken. */
    assert_int_equal(atls_endorsements_add(&e, (atls_buf){pem_bytes.ptr, text_len - 9}, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.public.pem");
    assert_int_equal(e.keys_n, 4);
    atls_tpm_given_key given;
    assert_int_equal(atls_tpm_given_key_parse(pem_bytes, &given, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.public.pem"); /* two, where one was asked for */
    assert_int_equal(
        atls_tpm_given_key_parse((atls_buf){pem_bytes.ptr, text_len / 2}, &given, &err), ATLS_OK);
    assert_false(given.has_area);
    assert_true(atls_tpm_given_key_is(&given, e.keys[0]->key));
    BIO_free(pem);
    atls_endorsements_clear(&e);
    EVP_PKEY_free(m.pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_curve_and_rsa_become_keys),
        cmocka_unit_test(keys_that_cannot_be_used_are_refused),
        cmocka_unit_test(lengths),
        cmocka_unit_test(fields),
        cmocka_unit_test(algorithms),
        cmocka_unit_test(the_name_is_the_hash_of_the_area),
        cmocka_unit_test(each_attribute_matters),
        cmocka_unit_test(endorsements_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
