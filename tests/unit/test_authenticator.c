/* Exported authenticators: the two vectors byte for byte, and what changes on the way. */
#include "unit/ea_rig.h"

static void vectors_come_out_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const vector *v = &vectors[i];
        const size_t hash_len = atls_hash_len(v->hash);
        connection c;
        open_connection(&c, v, 0);
        assert_hex(c.keys.handshake_context[ATLS_EA_CLIENT], hash_len, v->client_context);
        assert_hex(c.keys.handshake_context[ATLS_EA_SERVER], hash_len, v->server_context);
        assert_hex(c.keys.finished_key[ATLS_EA_CLIENT], hash_len, v->client_key);
        assert_hex(c.keys.finished_key[ATLS_EA_SERVER], hash_len, v->server_key);
        assert_hex(c.request.context.ptr, c.request.context.len, v->context);
        assert_true(c.request.wants_cmw);
        assert_int_equal(c.request.schemes_n, 2);
        assert_int_equal(c.request.schemes[0], 0x0403);
        assert_int_equal(c.request.schemes[1], 0x0807);

        assert_int_equal(c.len, v->len);
        uint8_t digest[64];
        atls_buf whole = {c.bytes, c.len};
        assert_int_equal(atls_digest(ATLS_SHA256, &whole, 1, digest, NULL), ATLS_OK);
        assert_hex(digest, 32, v->sha256);

        atls_ea ea;
        assert_int_equal(atls_ea_parse(whole, &c.request, ATLS_EA_CMW_TYPE, &ea, NULL), ATLS_OK);
        assert_int_equal(atls_ea_verify(&c.keys, &c.request, &ea, NULL), ATLS_OK);
        assert_false(ea.empty);
        assert_hex(ea.certificate_verify.ptr, ea.certificate_verify.len, v->certificate_verify);
        assert_hex(ea.finished.ptr, ea.finished.len, v->finished);
        assert_int_equal(ea.chain_n, 1);
        assert_hex(ea.chain[0].ptr, ea.chain[0].len, leaf_hex);
        assert_hex(ea.spki.ptr, ea.spki.len, spki_hex);
        assert_hex(ea.cmw.ptr, ea.cmw.len, cmw_hex);
        assert_int_equal(ea.scheme, ATLS_TLS_ED25519);
        assert_true(ea.spki.ptr > c.bytes &&
                    ea.spki.ptr < c.bytes + c.len); /* as it stands there */

        uint8_t tbs[EA_TBS_MAX];
        size_t tbs_len = 0;
        signed_bytes(&c, ea.certificate, tbs, &tbs_len);
        assert_int_equal(tbs_len, 87 + hash_len);
        assert_hex(tbs + 87, hash_len, v->tbs_hash);

        uint8_t binder[48];
        assert_int_equal(atls_digest(v->hash, &ea.spki, 1, digest, NULL), ATLS_OK);
        assert_hex(digest, hash_len, v->aik_hash);
        assert_int_equal(atls_ea_binder(&c.exporter, ea.spki, c.request.context, binder, NULL),
                         ATLS_OK);
        assert_hex(binder, hash_len, v->binder);
        atls_buf b = {binder, hash_len};
        assert_int_equal(atls_digest(ATLS_SHA512, &b, 1, digest, NULL), ATLS_OK);
        assert_hex(digest, 64, v->binder_sha512);

        uint8_t space[52];
        atls_buf empty;
        assert_int_equal(
            atls_ea_build_empty(&c.keys, &c.request, space, sizeof space, &empty, NULL), ATLS_OK);
        assert_hex(empty.ptr, empty.len, v->empty);
        assert_string_equal(judge(&c.keys, &c.request, empty), "empty");
        close_connection(&c);
    }
}

static void any_flipped_bit_of_an_authenticator_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        connection c;
        open_connection(&c, &vectors[i], 0);
        for (size_t at = 0; at < c.len; at++) {
            for (unsigned bit = 1; bit < 256; bit *= 2) {
                c.bytes[at] ^= (uint8_t)bit;
                const char *check = judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len});
                assert_string_not_equal(check, "ok");
                assert_string_not_equal(check, "empty");
                c.bytes[at] ^= (uint8_t)bit;
            }
        }
        assert_string_equal(judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len}), "ok");
        close_connection(&c);
    }
}

/* The attester answers a request with one bit flipped on its way; we judge by the one we sent. */
static void any_flipped_bit_of_a_request_is_noticed(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[1], 0);
    uint8_t space[SPACE];
    unsigned answered = 0;
    for (size_t at = 0; at < c.request.raw.len; at++) {
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            memcpy(space, c.request.raw.ptr, c.request.raw.len);
            space[at] ^= (uint8_t)bit;
            atls_ea_request seen;
            atls_err err = {0};
            if (atls_ea_request_parse((atls_buf){space, c.request.raw.len}, ATLS_EA_SERVER,
                                      ATLS_EA_CMW_TYPE, &seen, &err) != ATLS_OK) {
                assert_non_null(err.check);
                continue;
            }
            uint8_t *bytes = NULL;
            size_t len = 0;
            atls_buf cmw = seen.wants_cmw ? c.cmw : (atls_buf){NULL, 0};
            if (atls_ea_build(&c.keys, &seen, &c.leaf, 1, c.key, cmw, ATLS_EA_CMW_TYPE, &bytes,
                              &len, &err) != ATLS_OK) {
                assert_string_equal(err.check, "authenticator.no_scheme");
                continue;
            }
            answered++;
            const char *check = judge(&c.keys, &c.request, (atls_buf){bytes, len});
            assert_true(strcmp(check, "authenticator.context") == 0 ||
                        strcmp(check, "authenticator.finished") == 0);
            free(bytes);
        }
    }
    assert_true(answered > 8 * 32); /* at least each bit of the context */
    close_connection(&c);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[1], 0);
    for (size_t len = 0; len < c.len; len++) {
        /* A copy of its own size: a read behind the end is one behind the allocation. */
        uint8_t *cut = malloc(len + 1);
        memcpy(cut + 1, c.bytes, len);
        assert_string_equal(judge(&c.keys, &c.request, (atls_buf){cut + 1, len}),
                            "authenticator.malformed");
        free(cut);
    }
    for (size_t len = 0; len < c.request.raw.len; len++) {
        atls_ea_request q;
        atls_err err = {0};
        assert_int_equal(atls_ea_request_parse((atls_buf){c.request.raw.ptr, len}, ATLS_EA_SERVER,
                                               ATLS_EA_CMW_TYPE, &q, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "request.malformed");
    }
    uint8_t space[52];
    atls_buf empty;
    assert_int_equal(atls_ea_build_empty(&c.keys, &c.request, space, sizeof space, &empty, NULL),
                     ATLS_OK);
    for (size_t len = 0; len < empty.len; len++) {
        assert_string_equal(judge(&c.keys, &c.request, (atls_buf){empty.ptr, len}),
                            "authenticator.malformed");
    }
    close_connection(&c);
}

static void a_trailing_byte_is_refused(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    uint8_t *longer = calloc(1, c.len + 1);
    memcpy(longer, c.bytes, c.len);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){longer, c.len + 1}),
                        "authenticator.malformed");
    uint8_t space[64] = {0};
    atls_buf empty;
    assert_int_equal(atls_ea_build_empty(&c.keys, &c.request, space, sizeof space, &empty, NULL),
                     ATLS_OK);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){space, empty.len + 1}),
                        "authenticator.malformed");
    free(longer);
    close_connection(&c);
}

/* Same meaning, other bytes: the transcript covers what was on the wire. */
static void a_re_encoded_request_is_noticed(void **state)
{
    (void)state;
    static const char *const equivalents[] = {
        /* the two extensions the other way round */
        "1100002110a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000eff000000000d0006000404030807",
        /* one more, which is ignored */
        "1100002510a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0012000d0006000404030807ff0000000a0a0000",
        /* a scheme nobody knows, which is passed over */
        "1100002310a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0010000d00080006040308070808ff000000",
    };
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof equivalents / sizeof equivalents[0]; i++) {
        uint8_t space[SPACE];
        atls_ea_request other;
        assert_int_equal(atls_ea_request_parse(unhex(equivalents[i], space), ATLS_EA_SERVER,
                                               ATLS_EA_CMW_TYPE, &other, NULL),
                         ATLS_OK);
        assert_int_equal(other.schemes_n, c.request.schemes_n);
        assert_true(other.wants_cmw);
        uint8_t *bytes = NULL;
        size_t len = 0;
        assert_int_equal(atls_ea_build(&c.keys, &other, &c.leaf, 1, c.key, c.cmw, ATLS_EA_CMW_TYPE,
                                       &bytes, &len, NULL),
                         ATLS_OK);
        assert_string_equal(judge(&c.keys, &other, (atls_buf){bytes, len}), "ok");
        assert_string_equal(judge(&c.keys, &c.request, (atls_buf){bytes, len}),
                            "authenticator.finished");
        free(bytes);
    }
    close_connection(&c);
}

static void an_authenticator_of_another_connection_is_refused(void **state)
{
    (void)state;
    connection c, d;
    open_connection(&c, &vectors[0], 0);
    open_connection(&d, &vectors[0], 1);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){d.bytes, d.len}),
                        "authenticator.finished");
    assert_string_equal(judge(&d.keys, &d.request, (atls_buf){c.bytes, c.len}),
                        "authenticator.finished");
    /* Same connection, other hash: SHA-384 keys over a SHA-256 authenticator. */
    connection e;
    open_connection(&e, &vectors[1], 0);
    assert_string_equal(judge(&e.keys, &c.request, (atls_buf){c.bytes, c.len}),
                        "authenticator.finished");
    close_connection(&c);
    close_connection(&d);
    close_connection(&e);
}

static void client_labels_do_not_serve_a_server(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    atls_ea_keys wrong = c.keys;
    memcpy(wrong.handshake_context[ATLS_EA_SERVER], c.keys.handshake_context[ATLS_EA_CLIENT], 48);
    memcpy(wrong.finished_key[ATLS_EA_SERVER], c.keys.finished_key[ATLS_EA_CLIENT], 48);
    uint8_t *bytes = NULL;
    size_t len = 0;
    assert_int_equal(atls_ea_build(&wrong, &c.request, &c.leaf, 1, c.key, c.cmw, ATLS_EA_CMW_TYPE,
                                   &bytes, &len, NULL),
                     ATLS_OK);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){bytes, len}),
                        "authenticator.finished");
    free(bytes);
    close_connection(&c);
}

static void another_context_is_refused(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    uint8_t space[SPACE];
    memcpy(space, c.request.raw.ptr, c.request.raw.len);
    space[5] ^= 1;
    atls_ea_request other;
    assert_int_equal(atls_ea_request_parse((atls_buf){space, c.request.raw.len}, ATLS_EA_SERVER,
                                           ATLS_EA_CMW_TYPE, &other, NULL),
                     ATLS_OK);
    assert_string_equal(judge(&c.keys, &other, (atls_buf){c.bytes, c.len}),
                        "authenticator.context");
    close_connection(&c);
}

/* The MAC is right, since the thief shares the connection; the key of the leaf is not his. */
static void a_signature_of_another_key_is_refused(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    atls_ea ea;
    assert_int_equal(
        atls_ea_parse((atls_buf){c.bytes, c.len}, &c.request, ATLS_EA_CMW_TYPE, &ea, NULL),
        ATLS_OK);
    EVP_PKEY *thief = made_ed25519(0x43);
    uint8_t tbs[EA_TBS_MAX];
    uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
    size_t tbs_len = 0, signature_len = 0;
    signed_bytes(&c, ea.certificate, tbs, &tbs_len);
    assert_int_equal(atls_tls_sign(ATLS_TLS_ED25519, thief, (atls_buf){tbs, tbs_len}, signature,
                                   &signature_len, NULL),
                     ATLS_OK);
    assert_int_equal(signature_len, ea.signature.len);
    memcpy(c.bytes + (ea.signature.ptr - c.bytes), signature, signature_len);
    uint8_t mac[48];
    finished_mac(&c, ea.certificate, ea.certificate_verify, mac);
    memcpy(c.bytes + c.len - 32, mac, 32);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len}),
                        "authenticator.signature");
    EVP_PKEY_free(thief);
    close_connection(&c);
}

/* A caller's decoded key is used, and nothing is believed for it: another one than the leaf's verifies nothing. */
static void a_lent_key_is_the_one_that_verifies(void **state)
{
    (void)state;
    connection c;
    open_connection(&c, &vectors[0], 0);
    EVP_PKEY *other = made_ed25519(0x43);
    atls_ea ea;
    atls_err err = {0};
    assert_int_equal(
        atls_ea_parse((atls_buf){c.bytes, c.len}, &c.request, ATLS_EA_CMW_TYPE, &ea, NULL),
        ATLS_OK);
    assert_null(ea.key);
    ea.key = c.key;
    assert_int_equal(atls_ea_verify(&c.keys, &c.request, &ea, NULL), ATLS_OK);
    ea.key = other;
    assert_int_equal(atls_ea_verify(&c.keys, &c.request, &ea, &err), ATLS_E_BINDING);
    assert_string_equal(err.check, "authenticator.signature");
    EVP_PKEY_free(other);
    close_connection(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_out_byte_for_byte),
        cmocka_unit_test(a_lent_key_is_the_one_that_verifies),
        cmocka_unit_test(any_flipped_bit_of_an_authenticator_is_noticed),
        cmocka_unit_test(any_flipped_bit_of_a_request_is_noticed),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_trailing_byte_is_refused),
        cmocka_unit_test(a_re_encoded_request_is_noticed),
        cmocka_unit_test(an_authenticator_of_another_connection_is_refused),
        cmocka_unit_test(client_labels_do_not_serve_a_server),
        cmocka_unit_test(another_context_is_refused),
        cmocka_unit_test(a_signature_of_another_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
