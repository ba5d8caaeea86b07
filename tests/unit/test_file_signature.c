/* An operator's signatures over files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/digest.h"
#include "crypto/file_signature.h"

typedef enum form { PRIVATE, PUBLIC, LOCKED } form;

static char *pem_of(EVP_PKEY *key, form f)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *lent = NULL;
    char password[] = "secret";
    int ok = f == PUBLIC    ? PEM_write_bio_PUBKEY(bio, key)
             : f == PRIVATE ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                            : PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), password,
                                                            6, NULL, NULL);
    assert_int_equal(ok, 1);
    const long len = BIO_get_mem_data(bio, &lent);
    char *pem = strndup(lent, (size_t)len);
    BIO_free(bio);
    return pem;
}

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static EVP_PKEY *made(size_t i)
{
    switch (i) {
    case 0:
        return EVP_EC_gen("P-256");
    case 1:
        return EVP_EC_gen("P-384");
    case 2:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case 3:
        return EVP_EC_gen("P-521");
    default:
        return EVP_RSA_gen(2048);
    }
}

static void a_signature_is_of_its_key_and_message(void **state)
{
    (void)state;
    static const atls_file_scheme schemes[] = {ATLS_FILE_ECDSA_P256_SHA256,
                                               ATLS_FILE_ECDSA_P384_SHA384, ATLS_FILE_ED25519};
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *pkey = made(i);
        char *private_pem = pem_of(pkey, PRIVATE);
        char *public_pem = pem_of(pkey, PUBLIC);
        atls_file_key *own = NULL;
        atls_file_key *theirs = NULL;
        uint8_t a[32];
        uint8_t b[32];
        uint8_t sig[ATLS_FILE_SIGNATURE_MAX];
        size_t len = 0;
        assert_int_equal(atls_file_key_private(text(private_pem), &own, NULL), ATLS_OK);
        assert_int_equal(atls_file_key_public(text(public_pem), &theirs, NULL), ATLS_OK);
        assert_int_equal(atls_file_key_scheme(own), schemes[i]);
        assert_int_equal(atls_file_key_scheme(theirs), schemes[i]);
        assert_int_equal(atls_file_key_sha256(own, a, NULL), ATLS_OK);
        assert_int_equal(atls_file_key_sha256(theirs, b, NULL), ATLS_OK);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(atls_file_sign(own, text("a bundle"), sig, &len, NULL), ATLS_OK);
        assert_true(atls_file_verify(theirs, text("a bundle"), (atls_buf){sig, len}));
        assert_false(atls_file_verify(theirs, text("a bundlf"), (atls_buf){sig, len}));
        assert_false(atls_file_verify(theirs, text("a bundle"), (atls_buf){sig, len - 1}));
        assert_false(atls_file_verify(theirs, text("a bundle"), (atls_buf){NULL, 0}));
        sig[len - 1] ^= 1;
        assert_false(atls_file_verify(theirs, text("a bundle"), (atls_buf){sig, len}));
        atls_file_key_free(own);
        atls_file_key_free(theirs);
        free(private_pem);
        free(public_pem);
        EVP_PKEY_free(pkey);
    }
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        EVP_PKEY *pkey = made(i);
        char *private_pem = pem_of(pkey, i < 3 ? LOCKED : PRIVATE);
        char *public_pem = pem_of(pkey, PUBLIC);
        atls_file_key *key = NULL;
        atls_err err = {0};
        assert_int_equal(atls_file_key_private(text(private_pem), &key, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "file_key.private");
        err = (atls_err){0};
        assert_int_equal(atls_file_key_public(text(i < 3 ? private_pem : public_pem), &key, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "file_key.public");
        assert_null(key);
        free(private_pem);
        free(public_pem);
        EVP_PKEY_free(pkey);
    }
    static const char long_text[ATLS_FILE_KEY_MAX + 1];
    atls_file_key *key = NULL;
    assert_int_equal(
        atls_file_key_private((atls_buf){(const uint8_t *)long_text, sizeof long_text}, &key, NULL),
        ATLS_E_USAGE);
    assert_int_equal(
        atls_file_key_public((atls_buf){(const uint8_t *)long_text, sizeof long_text}, &key, NULL),
        ATLS_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_of_its_key_and_message),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
