/* flashbots-ratls/1: key bits and report data, and which evidence goes out under which name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "binding/binding.h"
#include "binding/flashbots.h"

/* K = 04 || 00 01 .. 3f. */
static void the_published_example(void **state)
{
    (void)state;
    uint8_t key[65] = {4};
    uint8_t exporter[32];
    uint8_t wide[64];
    char hex[129];
    for (size_t i = 0; i < 64; i++) {
        key[1 + i] = (uint8_t)i;
    }
    for (size_t i = 0; i < 32; i++) {
        exporter[i] = (uint8_t)(0x20 + i);
    }
    assert_int_equal(flashbots_report_data((atls_buf){key, sizeof key}, exporter, wide, NULL),
                     ATLS_OK);
    atls_hex_encode((atls_buf){wide, sizeof wide}, hex);
    assert_string_equal(hex, "6bcda99d58e5962b91d70f9c5d248e078f77df6a8b3d8c84f81f393911215828"
                             "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f");
    assert_int_equal(flashbots_report_data((atls_buf){NULL, 0}, exporter, wide, NULL), ATLS_OK);
    atls_hex_encode((atls_buf){wide, sizeof wide}, hex);
    assert_string_equal(hex, "0000000000000000000000000000000000000000000000000000000000000000"
                             "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f");
}

static atls_buf spki_of(EVP_PKEY *key, unsigned char **der)
{
    *der = NULL;
    int len = i2d_PUBKEY(key, der);
    assert_true(len > 0);
    return (atls_buf){*der, (size_t)len};
}

/* An EC point, an RSAPublicKey, Ed25519's 32 bytes: what OpenSSL holds of each key. */
static void the_bits_of_a_key(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    static const size_t lens[] = {65, 97, 270, 32};
    static const uint8_t first[] = {4, 4, 0x30, 0};
    for (size_t i = 0; i < 4; i++) {
        unsigned char *der;
        atls_buf spki = spki_of(keys[i], &der);
        atls_buf bits = {NULL, 0};
        assert_true(flashbots_key_bits(spki, &bits));
        assert_int_equal(bits.len, lens[i]);
        assert_true(i == 3 || bits.ptr[0] == first[i]);
        assert_ptr_equal(bits.ptr + bits.len, der + spki.len);
        X509_PUBKEY *again = NULL;
        const unsigned char *pk;
        int pk_len;
        assert_int_equal(X509_PUBKEY_set(&again, keys[i]), 1);
        assert_int_equal(X509_PUBKEY_get0_param(NULL, &pk, &pk_len, NULL, again), 1);
        assert_int_equal(pk_len, bits.len);
        assert_memory_equal(pk, bits.ptr, bits.len);
        X509_PUBKEY_free(again);

        for (size_t len = 0; len < spki.len; len++) {
            assert_false(flashbots_key_bits((atls_buf){der, len}, &bits));
        }
        unsigned char *longer = malloc(spki.len + 1);
        memcpy(longer, der, spki.len);
        longer[spki.len] = 0;
        assert_false(flashbots_key_bits((atls_buf){longer, spki.len + 1}, &bits));
        free(longer);
        OPENSSL_free(der);
        EVP_PKEY_free(keys[i]);
    }
}

static void bits_that_are_none(void **state)
{
    (void)state;
    static const struct {
        uint8_t der[10];
        size_t len;
    } bad[] = {
        {{0x30, 6, 0x30, 0, 3, 2, 1, 4}, 8}, /* unused bits */
        {{0x30, 5, 0x30, 0, 3, 1, 0}, 7},    /* no bits */
        {{0x30, 6, 0x30, 0, 4, 2, 0, 4}, 8}, /* an OCTET STRING */
        {{0x31, 6, 0x30, 0, 3, 2, 0, 4}, 8}, /* a SET */
        {{0x30, 6, 0x31, 0, 3, 2, 0, 4}, 8},
        {{0x30, 8, 0x30, 0, 3, 2, 0, 4, 5, 0}, 10},    /* more behind the bits */
        {{0x30, 0x80, 0x30, 0, 3, 2, 0, 4, 0, 0}, 10}, /* indefinite */
    };
    static const uint8_t good[] = {0x30, 6, 0x30, 0, 3, 2, 0, 4};
    atls_buf bits;
    assert_true(flashbots_key_bits((atls_buf){good, sizeof good}, &bits) && bits.len == 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(flashbots_key_bits((atls_buf){bad[i].der, bad[i].len}, &bits));
    }
}

/* --- our message, on a link made by hand: the evidence is there already --- */

static uint8_t *some(size_t len)
{
    uint8_t *bytes = calloc(1, len > 0 ? len : 1);
    assert_non_null(bytes);
    return bytes;
}

/* What is sent with evidence of that type and length under that option; the check that refuses. */
static const char *sent(const char *type, size_t len, const char *option, const char *begins)
{
    uint8_t state[128] = {0};
    const atls_binding_option options[] = {{"type", option}};
    atls_link link = {.binding = &atls_binding_flashbots,
                      .state = state,
                      .role = ATLS_SERVER,
                      .shows = true,
                      .options = options,
                      .options_n = option != NULL ? 1 : 0,
                      .has_evidence = true};
    atls_step next = ATLS_STEP_DONE;
    atls_err err = {0};
    assert_true(atls_binding_flashbots.state_size <= sizeof state);
    (void)snprintf(link.evidence.type, sizeof link.evidence.type, "%s", type);
    link.evidence.parts_n = 1;
    memcpy(link.evidence.parts[0].name, "quote", 6);
    link.evidence.parts[0].bytes = some(len);
    link.evidence.parts[0].len = len;
    atls_code rc = atls_binding_flashbots.exchange(&link, &next, &err);
    atls_link_drop_evidence(&link);
    if (rc == ATLS_OK) {
        assert_int_equal(next, ATLS_STEP_READ);
        assert_memory_equal(link.out + 5, begins, strlen(begins));
    } else {
        assert_int_equal(rc, ATLS_E_USAGE);
        assert_int_equal(link.out_len, 0);
    }
    free(link.out);
    return rc == ATLS_OK ? "ok" : err.check;
}

static void which_evidence_under_which_name(void **state)
{
    (void)state;
    assert_string_equal(sent("tdx", 100, NULL, "dcap-tdx"), "ok");
    assert_string_equal(sent("tdx", 100, "gcp-tdx", "gcp-tdx"), "ok");
    assert_string_equal(sent("tdx", 100, "qemu-tdx", "qemu-tdx"), "ok");
    assert_string_equal(sent("tdx", 65523, NULL, "dcap-tdx"), "ok"); /* a full frame */
    assert_string_equal(sent("tdx", 65524, NULL, ""), "flashbots.evidence");
    assert_string_equal(sent("tdx", 100, "azure-tdx", ""), "flashbots.evidence");
    assert_string_equal(sent("tdx", 100, "none", ""), "flashbots.evidence");
    assert_string_equal(sent("tdx", 100, "tdx", ""), "flashbots.evidence");
    assert_string_equal(sent("sgx", 100, NULL, ""), "flashbots.evidence");
    assert_string_equal(sent("snp", 100, NULL, ""), "flashbots.evidence");
    assert_string_equal(sent("azure", 100, NULL, ""), "flashbots.evidence"); /* parts are missing */
    assert_string_equal(sent("azure", 100, "dcap-tdx", ""), "flashbots.evidence");
}

static bool no_exporter(void *self, const char *label, atls_buf context, uint8_t *out, size_t len)
{
    (void)self;
    (void)out;
    assert_string_equal(label, "EXPORTER-Channel-Binding");
    assert_int_equal(context.len, 0);
    assert_int_equal(len, 32);
    return false;
}

/* A client that is told dcap-tdx evidence by a peer with such a key, on a connection that exports nothing. */
static void a_connection_that_gives_nothing(void **state)
{
    (void)state;
    static const uint8_t key[] = {0x30, 6, 0x30, 0, 3, 2, 0, 4};
    static const uint8_t odd[] = {0x30, 6, 0x30, 0, 3, 2, 1, 4};
    static const char frame[] = "\0\0\0\x0b\x20"
                                "dcap-tdx\x04q";
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    for (int i = 0; i < 2; i++) {
        uint8_t own[128] = {0};
        atls_link link = {.binding = &atls_binding_flashbots,
                          .state = own,
                          .ssl = ssl,
                          .asks = true,
                          .exporter = {.derive = no_exporter},
                          .peer_spki = {i == 0 ? key : odd, sizeof key},
                          .in = (uint8_t *)some(sizeof frame - 1),
                          .in_len = sizeof frame - 1};
        memcpy(link.in, frame, sizeof frame - 1);
        atls_step next = ATLS_STEP_DONE;
        atls_err err = {0};
        atls_code rc = atls_binding_flashbots.exchange(&link, &next, &err);
        assert_int_equal(rc, i == 0 ? ATLS_E_SYSTEM : ATLS_E_INVALID);
        assert_string_equal(err.check, i == 0 ? "flashbots.exporter" : "flashbots.key");
        atls_carried_clear(&link.carried);
        free(link.in);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example),
        cmocka_unit_test(the_bits_of_a_key),
        cmocka_unit_test(bits_that_are_none),
        cmocka_unit_test(which_evidence_under_which_name),
        cmocka_unit_test(a_connection_that_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
