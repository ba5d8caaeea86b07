/* Every signature scheme, limits, our own mistakes, and the binder. */
#include "unit/ea_rig.h"

/* --- all schemes, both directions --- */

static EVP_PKEY *make_key(uint16_t scheme)
{
    switch (scheme) {
    case ATLS_TLS_ECDSA_SECP256R1_SHA256:
        return EVP_EC_gen("P-256");
    case ATLS_TLS_ECDSA_SECP384R1_SHA384:
        return EVP_EC_gen("P-384");
    case ATLS_TLS_ED25519:
        return made_ed25519(7);
    default:
        return EVP_RSA_gen(2048);
    }
}

static void each_scheme_goes_there_and_back(void **state)
{
    (void)state;
    static const uint16_t offered[] = {ATLS_TLS_ECDSA_SECP256R1_SHA256,
                                       ATLS_TLS_ECDSA_SECP384R1_SHA384, ATLS_TLS_ED25519,
                                       ATLS_TLS_RSA_PSS_RSAE_SHA256};
    static const uint8_t context[32] = {1};
    fixed_exporter fixed;
    atls_exporter exporter = fixed_exporter_of(&fixed, ATLS_SHA384, 3);
    atls_ea_keys keys;
    assert_int_equal(atls_ea_keys_derive(&exporter, &keys, NULL), ATLS_OK);
    EVP_PKEY *signer = made_ed25519(1);
    for (size_t i = 0; i < 8; i++) {
        const uint16_t scheme = offered[i % 4];
        const atls_ea_sender side = i < 4 ? ATLS_EA_SERVER : ATLS_EA_CLIENT;
        uint8_t space[128];
        atls_buf raw;
        atls_ea_request q;
        assert_int_equal(atls_ea_request_build(side, (atls_buf){context, 32}, true, 0xff01, space,
                                               sizeof space, &raw, NULL),
                         ATLS_OK);
        assert_int_equal(atls_ea_request_parse(raw, side, 0xff01, &q, NULL), ATLS_OK);
        EVP_PKEY *key = make_key(scheme);
        X509 *chain[ATLS_EA_CHAIN_MAX];
        for (size_t k = 0; k < ATLS_EA_CHAIN_MAX; k++) {
            chain[k] = made_leaf(k == 0 ? key : signer, signer);
        }
        static const uint8_t cmw[ATLS_EA_CMW_MAX] = {0x82};
        uint8_t *bytes = NULL;
        size_t len = 0;
        assert_int_equal(atls_ea_build(&keys, &q, chain, ATLS_EA_CHAIN_MAX, key,
                                       (atls_buf){cmw, sizeof cmw}, 0xff01, &bytes, &len, NULL),
                         ATLS_OK);
        assert_true(len <= ATLS_EA_MAX);
        atls_ea ea;
        assert_int_equal(atls_ea_parse((atls_buf){bytes, len}, &q, 0xff01, &ea, NULL), ATLS_OK);
        assert_int_equal(atls_ea_verify(&keys, &q, &ea, NULL), ATLS_OK);
        assert_int_equal(ea.scheme, scheme);
        assert_int_equal(ea.chain_n, ATLS_EA_CHAIN_MAX);
        assert_int_equal(ea.cmw.len, sizeof cmw);
        /* Another extension number is another extension. */
        atls_err err = {0};
        assert_int_equal(atls_ea_parse((atls_buf){bytes, len}, &q, 0xff00, &ea, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "authenticator.extension");
        free(bytes);
        for (size_t k = 0; k < ATLS_EA_CHAIN_MAX; k++) {
            X509_free(chain[k]);
        }
        EVP_PKEY_free(key);
    }
    EVP_PKEY_free(signer);
}

static void flipped_bytes_are_noticed_under_each_scheme(void **state)
{
    (void)state;
    static const uint16_t schemes[] = {ATLS_TLS_ECDSA_SECP256R1_SHA256,
                                       ATLS_TLS_ECDSA_SECP384R1_SHA384,
                                       ATLS_TLS_RSA_PSS_RSAE_SHA256};
    connection c;
    open_connection(&c, &vectors[1], 0);
    EVP_PKEY *signer = made_ed25519(1);
    c.request.schemes_n = 0;
    for (size_t i = 0; i < 3; i++) {
        c.request.schemes[c.request.schemes_n++] = schemes[i];
    }
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = make_key(schemes[i]);
        X509 *leaf = made_leaf(key, signer);
        uint8_t *bytes = NULL;
        size_t len = 0;
        assert_int_equal(atls_ea_build(&c.keys, &c.request, &leaf, 1, key, c.cmw, ATLS_EA_CMW_TYPE,
                                       &bytes, &len, NULL),
                         ATLS_OK);
        assert_string_equal(judge(&c.keys, &c.request, (atls_buf){bytes, len}), "ok");
        for (size_t at = 0; at < len; at++) {
            bytes[at] ^= 0x10;
            assert_string_not_equal(judge(&c.keys, &c.request, (atls_buf){bytes, len}), "ok");
            bytes[at] ^= 0x10;
        }
        free(bytes);
        X509_free(leaf);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_free(signer);
    close_connection(&c);
}

/* --- limits and mistakes of our own side --- */

static void limits_hold_before_anything_is_read(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    uint8_t *big = calloc(1, ATLS_EA_MAX + 1);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){big, ATLS_EA_MAX + 1}),
                        "authenticator.size");
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){big, ATLS_EA_MAX}),
                        "authenticator.malformed");
    atls_ea_request q;
    atls_err err = {0};
    assert_int_equal(atls_ea_request_parse((atls_buf){big, ATLS_EA_REQUEST_MAX + 1}, ATLS_EA_SERVER,
                                           ATLS_EA_CMW_TYPE, &q, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "request.size");
    /* Seven certificates; and one of no bytes, or of 8 KiB and a byte. */
    static const entry one = {""};
    entry seven[7];
    for (size_t i = 0; i < 7; i++) {
        seven[i] = one;
    }
    uint8_t space[2 * SPACE];
    assert_string_equal(judge(&c.keys, &c.request, assemble(&c, seven, 7, ATLS_TLS_ED25519, space)),
                        "authenticator.chain");
    assert_string_equal(judge(&c.keys, &c.request, assemble(&c, seven, 6, ATLS_TLS_ED25519, space)),
                        "ok");
    static const size_t lengths[] = {0, 8193};
    for (size_t i = 0; i < 2; i++) {
        atls_writer w = atls_writer_of(big, ATLS_EA_MAX);
        atls_writer_u8(&w, 11);
        atls_writer_u24be(&w, (uint32_t)(1 + 16 + 3 + 3 + lengths[i] + 2));
        atls_writer_u8(&w, 16);
        atls_writer_bytes(&w, c.request.context);
        atls_writer_u24be(&w, (uint32_t)(3 + lengths[i] + 2));
        atls_writer_u24be(&w, (uint32_t)lengths[i]);
        atls_writer_zeros(&w, lengths[i] + 2);
        atls_writer_bytes(&w, (atls_buf){c.bytes + 277, c.len - 277});
        assert_string_equal(judge(&c.keys, &c.request, atls_writer_done(&w)),
                            "authenticator.chain");
    }
    free(big);
    close_connection(&c);
}

static void our_own_mistakes_have_names(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    EVP_PKEY *other = made_ed25519(9);
    EVP_PKEY *p521 = EVP_EC_gen("P-521");
    X509 *p521_leaf = made_leaf(p521, c.key);
    X509 *chain[7] = {c.leaf, c.leaf, c.leaf, c.leaf, c.leaf, c.leaf, c.leaf};
    static const uint8_t large[ATLS_EA_CMW_MAX + 1] = {0};
    atls_ea_request silent = c.request;
    silent.wants_cmw = false;
    const struct {
        const atls_ea_request *request;
        X509 *const *chain;
        size_t n;
        EVP_PKEY *key;
        atls_buf cmw;
        const char *check;
    } cases[] = {
        {&c.request, chain, 0, c.key, c.cmw, "authenticator.chain"},
        {&c.request, chain, 7, c.key, c.cmw, "authenticator.chain"},
        {&c.request, chain, 1, other, c.cmw, "authenticator.key"},
        {&c.request, &p521_leaf, 1, p521, c.cmw, "authenticator.no_scheme"},
        {&c.request, chain, 1, c.key, {large, sizeof large}, "authenticator.cmw"},
        {&silent, chain, 1, c.key, c.cmw, "authenticator.cmw"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *bytes = NULL;
        size_t len = 0;
        atls_err err = {0};
        assert_int_equal(atls_ea_build(&c.keys, cases[i].request, cases[i].chain, cases[i].n,
                                       cases[i].key, cases[i].cmw, ATLS_EA_CMW_TYPE, &bytes, &len,
                                       &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, cases[i].check);
        assert_null(bytes);
    }
    X509_free(p521_leaf);
    EVP_PKEY_free(p521);
    EVP_PKEY_free(other);
    close_connection(&c);
}

static bool derive_nothing(void *self, const char *label, atls_buf context, uint8_t *out,
                           size_t len)
{
    (void)self, (void)label, (void)context, (void)out, (void)len;
    return false;
}

static void an_exporter_that_fails_stops_everything(void **state)
{
    (void)state;
    atls_exporter exporter = {derive_nothing, NULL, ATLS_SHA256};
    atls_ea_keys keys;
    uint8_t binder[48];
    atls_err err = {0};
    assert_int_equal(atls_ea_keys_derive(&exporter, &keys, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "exporter.derive");
    err = (atls_err){0};
    const atls_buf none = {NULL, 0};
    assert_int_equal(atls_ea_binder(&exporter, none, none, binder, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "exporter.derive");
    fixed_exporter fixed;
    exporter = fixed_exporter_of(&fixed, ATLS_SHA256, 0);
    exporter.hash = ATLS_SHA512; /* no cipher suite of TLS 1.3 has it */
    assert_int_equal(atls_ea_keys_derive(&exporter, &keys, &err), ATLS_E_SYSTEM);
    assert_int_equal(atls_ea_binder(&exporter, none, none, binder, &err), ATLS_E_SYSTEM);
}

static void the_binder_covers_key_connection_and_context(void **state)
{
    (void)state;
    fixed_exporter a, b;
    atls_exporter one = fixed_exporter_of(&a, ATLS_SHA256, 0);
    atls_exporter two = fixed_exporter_of(&b, ATLS_SHA256, 1);
    static const uint8_t bytes[] = {1, 2, 3, 4};
    const atls_buf x = {bytes, 3}, y = {bytes + 1, 3};
    uint8_t base[48], other[48];
    assert_int_equal(atls_ea_binder(&one, x, y, base, NULL), ATLS_OK);
    assert_int_equal(atls_ea_binder(&one, y, y, other, NULL), ATLS_OK);
    assert_memory_not_equal(base, other, 32);
    assert_int_equal(atls_ea_binder(&one, x, x, other, NULL), ATLS_OK);
    assert_memory_not_equal(base, other, 32);
    assert_int_equal(atls_ea_binder(&two, x, y, other, NULL), ATLS_OK);
    assert_memory_not_equal(base, other, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_goes_there_and_back),
        cmocka_unit_test(flipped_bytes_are_noticed_under_each_scheme),
        cmocka_unit_test(limits_hold_before_anything_is_read),
        cmocka_unit_test(our_own_mistakes_have_names),
        cmocka_unit_test(an_exporter_that_fails_stops_everything),
        cmocka_unit_test(the_binder_covers_key_connection_and_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
