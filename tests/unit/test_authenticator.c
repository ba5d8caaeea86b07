/* Exported authenticators: the two vectors byte for byte, and every way of being wrong that a message has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rsa.h>

#include "base/hex.h"
#include "base/writer.h"
#include "binding/authenticator.h"
#include "binding/authenticator_wire.h"
#include "crypto/tls_signature.h"

#include "unit/fixed_exporter.h"
#include "unit/made_keys.h"

#define SPACE 4096

/* The Ed25519 leaf of the vectors: seed 32 x 0x42, CN "atls test". */
static const char leaf_hex[] =
    "3081d4308187a003020102020101300506032b657030143112301006035504030c0961746c732074657374301e170d323530"
    "3130313030303030305a170d3335303130313030303030305a30143112301006035504030c0961746c732074657374302a30"
    "0506032b65700321002152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12300506032b65700341"
    "00b1868193327288a097b8ced626d7f8cf0beba66ce748e468f39dac0faf2b557c31b63f056cdf47eebaf373bba3b7fddbad"
    "e9df40f18fe017adcbbadaf327f70d";
static const char spki_hex[] =
    "302a300506032b65700321002152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12";
static const char cmw_hex[] = "83736170706c69636174696f6e2f6561742b63777444deadbeef04";

typedef struct vector {
    atls_hash hash;
    const char *context, *client_context, *server_context, *client_key, *server_key;
    const char *aik_hash, *binder, *binder_sha512;
    const char *request, *tbs_hash, *certificate_verify, *finished, *sha256, *empty;
    size_t len;
} vector;

static const vector vectors[] = {
    {
        .hash = ATLS_SHA256,
        .context = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        .server_context = "8d2f74c46d631190dea2da034f899fc24bb94d4fe3ec2abdbc22ef8bd2411573",
        .client_context = "ff40da3fedcb8bae1e95a0a4b331ac09366d51a5cad240e8ad00e470be478a71",
        .server_key = "6b818cdaca267c7c57f5c87971253bd90b28a6414e0df2373ddffdc56bb5c456",
        .client_key = "a97e482cf420c207e34bf54d03d85b5ccfea830f172405d10cdd60583df96446",
        .aik_hash = "9a82517f9af19416d98fdbcf193726b3a95c0b6fec1d51884bf3e1b739ba2ef4",
        .binder = "013bfe070087a1b8bc97aaf1791fb57e6ba7e594466066fb3bf4bfeba970b034",
        .binder_sha512 =
            "0db005872d067fc7243a06c7cf182d75b9686e2c7d60f24892fd8713a2ff7a2325a2e495484c4030a5e6df2f8338b21"
            "bfc6c58503236f4662dd6536df86e03fb",
        .request = "1100002110a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000e000d0006000404030807ff000000",
        .tbs_hash = "00df5419dfbc549442c4fcc40449379754b82e3e093c16e1d92faf1bc7bbd3e4",
        .certificate_verify =
            "0f00004408070040ca0ffa9fc1703af25a4bab215ea4e25177c87ddaf0de3f07c55a182143c8e529ceaa5e6755cff6e"
            "bf20a15959a3a3131278890f608f9dcfd7cf227f2bc5d4501",
        .finished = "140000201d0e6db9f3c691ee3f66459211508c183367c93aa6639397af8672625425ebec",
        .sha256 = "9721221ebe30182b72f9283de7f6377674e1007e00ecef43b9adea243ca32202",
        .empty = "14000020501814b7a47626dba788f581d2f2ae244acfbf7a9fad31df675bbc52b83243d4",
        .len = 385,
    },
    {
        .hash = ATLS_SHA384,
        .context = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
        .server_context =
            "54b355e72966d2f2ab9ddfafd65271fbd4eaff04f9cedb369ac7efc721751ffd92e50cd087d0f4459"
            "ad0ad3902e8b8de",
        .client_context =
            "e67ca215c3e32e882c8ceec2190e567b65f2d75a4e02b7ef0cffe6dad4da7eebed386f5dd34685f78"
            "375d6cd4eac7c67",
        .server_key =
            "bc139c8cc073ea27dc715745cf548d2cf5554f9898b0d25749c7020e0bd26b5e42805e2949790e07a0afa"
            "ef7a952ccf7",
        .client_key =
            "1e28695d6ebde143b8066acb42613b98b7920f55242975dab23a970c376adb0db2abaf32bc855344953d6"
            "8b0797b7a4f",
        .aik_hash =
            "a0e55518664467fa16ac11e6389ac90c8f3be991d1ce1b2741e532b52f56c1ab28ea1d0dc223a1dd9b34d7b8"
            "d6830474",
        .binder =
            "a055b467a1d39b20ed1ce4f1c73b8b77b6760d3f7f29361753f467e2722c1d9d3a5ed3c0fab179157e79152519e"
            "e8b04",
        .binder_sha512 =
            "4ce5a7923eccdd75cbcf678343085fee3dc54265fd1f08fe5a7af075cebfe3f35cc442b5e1a040ed2e46c0ab5da46c9"
            "cd68512e70fe1c515d872b34d9391aaef",
        .request =
            "1100003120a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf000e000d0006000"
            "404030807ff000000",
        .tbs_hash =
            "9aedc5d989dafe5dbadc448934135c04dcfa6b47c4f0751d2f716e09c7dd2af26b328d1d8c37a82f34cf96a9"
            "e5e0973f",
        .certificate_verify =
            "0f000044080700405ef0d1c05f0649ef8fe014207730779f1a8c9ee272a6fae4d643dd2c99a787b3b08c289a84c117b"
            "bbe24f30f7cd491e6358ae6e5f633c7a9e75adbd339a8e307",
        .finished =
            "140000304c70f45b64615f0e5c63b60fde291e3aae439987d4249156362964b54051e6cf841969f98040a5e4"
            "26902cc10c1fe67a",
        .sha256 = "1b7ea808b20f60be4e9f9f1710ce6f094e9b712bf4b631b5966b2edbfd9c1591",
        .empty =
            "14000030cef0d4d87d52a8858fb1af4559e592d58803cf667e0bd9d556dcd26f65c726b6c3cd44409c0d4b5690b3"
            "0525c4fb78df",
        .len = 417,
    },
};

/* Decodes into space; the tests' hex is right. */
static atls_buf unhex(const char *hex, uint8_t *space)
{
    size_t len = 0;
    assert_true(atls_hex_decode(hex, strlen(hex), space, SPACE, &len));
    return (atls_buf){space, len};
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    char text[2 * SPACE + 1];
    assert_true(len <= SPACE);
    atls_hex_encode((atls_buf){bytes, len}, text);
    assert_string_equal(text, hex);
}

/* One connection in which the server answers the client's request, as in vector A or B. */
typedef struct connection {
    fixed_exporter fixed;
    atls_exporter exporter;
    atls_ea_keys keys;
    uint8_t request_space[SPACE], cmw_space[SPACE], leaf_space[SPACE];
    atls_ea_request request;
    atls_buf cmw, leaf_der;
    X509 *leaf;
    EVP_PKEY *key;
    uint8_t *bytes; /* the authenticator */
    size_t len;
} connection;

static void open_connection(connection *c, const vector *v, uint8_t first)
{
    memset(c, 0, sizeof *c);
    atls_err err = {0};
    c->exporter = fixed_exporter_of(&c->fixed, v->hash, first);
    assert_int_equal(atls_ea_keys_derive(&c->exporter, &c->keys, &err), ATLS_OK);
    assert_int_equal(atls_ea_request_parse(unhex(v->request, c->request_space), ATLS_EA_SERVER,
                                           ATLS_EA_CMW_TYPE, &c->request, &err),
                     ATLS_OK);
    c->cmw = unhex(cmw_hex, c->cmw_space);
    c->leaf_der = unhex(leaf_hex, c->leaf_space);
    const unsigned char *p = c->leaf_der.ptr;
    c->leaf = d2i_X509(NULL, &p, (long)c->leaf_der.len);
    c->key = made_ed25519(0x42);
    assert_non_null(c->leaf);
    assert_int_equal(atls_ea_build(&c->keys, &c->request, &c->leaf, 1, c->key, c->cmw,
                                   ATLS_EA_CMW_TYPE, &c->bytes, &c->len, &err),
                     ATLS_OK);
}

static void close_connection(connection *c)
{
    X509_free(c->leaf);
    EVP_PKEY_free(c->key);
    free(c->bytes);
}

/* Parses and verifies; the check id of the refusal, "ok" or "empty" otherwise. A refusal leaves out untouched. */
static const char *judge(const atls_ea_keys *keys, const atls_ea_request *request, atls_buf bytes)
{
    atls_err err = {0};
    atls_ea ea;
    memset(&ea, 0x5a, sizeof ea);
    const atls_ea before = ea;
    atls_code rc = atls_ea_parse(bytes, request, ATLS_EA_CMW_TYPE, &ea, &err);
    if (rc == ATLS_OK) {
        rc = atls_ea_verify(keys, request, &ea, &err);
    } else {
        assert_memory_equal(&ea, &before, sizeof ea);
    }
    if (rc == ATLS_OK) {
        return ea.empty ? "empty" : "ok";
    }
    assert_int_equal(err.code, rc);
    assert_non_null(err.check);
    assert_string_not_equal(err.msg, "");
    return err.check;
}

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
        assert_int_equal(
            atls_ea_to_be_signed(&c.keys, &c.request, ea.certificate, tbs, &tbs_len, NULL),
            ATLS_OK);
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
    assert_int_equal(atls_ea_to_be_signed(&c.keys, &c.request, ea.certificate, tbs, &tbs_len, NULL),
                     ATLS_OK);
    assert_int_equal(atls_tls_sign(ATLS_TLS_ED25519, thief, (atls_buf){tbs, tbs_len}, signature,
                                   &signature_len, NULL),
                     ATLS_OK);
    assert_int_equal(signature_len, ea.signature.len);
    memcpy(c.bytes + (ea.signature.ptr - c.bytes), signature, signature_len);
    uint8_t mac[48];
    assert_int_equal(
        atls_ea_finished(&c.keys, &c.request, ea.certificate, ea.certificate_verify, mac, NULL),
        ATLS_OK);
    memcpy(c.bytes + c.len - 32, mac, 32);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len}),
                        "authenticator.signature");
    EVP_PKEY_free(thief);
    close_connection(&c);
}

/* --- certificate messages that are wrong inside, with a right signature and a right MAC --- */

typedef struct entry {
    const char *extensions; /* hex */
} entry;

/* Writes an authenticator whose Certificate has these entries, each with the leaf of c. */
static atls_buf assemble(connection *c, const entry *entries, size_t n, uint16_t scheme,
                         uint8_t *space)
{
    uint8_t list[SPACE];
    uint8_t extensions[SPACE];
    atls_writer l = atls_writer_of(list, sizeof list);
    for (size_t i = 0; i < n; i++) {
        atls_writer_u24be(&l, (uint32_t)c->leaf_der.len);
        atls_writer_bytes(&l, c->leaf_der);
        atls_buf x = unhex(entries[i].extensions, extensions);
        atls_writer_u16be(&l, (uint16_t)x.len);
        atls_writer_bytes(&l, x);
    }
    atls_writer w = atls_writer_of(space, 2 * SPACE);
    atls_writer_u8(&w, 11);
    atls_writer_u24be(&w, (uint32_t)(1 + c->request.context.len + 3 + l.len));
    atls_writer_u8(&w, (uint8_t)c->request.context.len);
    atls_writer_bytes(&w, c->request.context);
    atls_writer_u24be(&w, (uint32_t)l.len);
    atls_writer_bytes(&w, atls_writer_done(&l));
    const size_t certificate_len = w.len;
    uint8_t tbs[EA_TBS_MAX];
    uint8_t signature[ATLS_TLS_SIGNATURE_MAX];
    size_t tbs_len = 0, signature_len = 0;
    assert_int_equal(atls_ea_to_be_signed(&c->keys, &c->request, (atls_buf){space, certificate_len},
                                          tbs, &tbs_len, NULL),
                     ATLS_OK);
    assert_int_equal(atls_tls_sign(ATLS_TLS_ED25519, c->key, (atls_buf){tbs, tbs_len}, signature,
                                   &signature_len, NULL),
                     ATLS_OK);
    atls_writer_u8(&w, 15);
    atls_writer_u24be(&w, (uint32_t)(4 + signature_len));
    atls_writer_u16be(&w, scheme);
    atls_writer_u16be(&w, (uint16_t)signature_len);
    atls_writer_bytes(&w, (atls_buf){signature, signature_len});
    uint8_t mac[48];
    const size_t hash_len = atls_hash_len(c->keys.hash);
    assert_int_equal(atls_ea_finished(&c->keys, &c->request, (atls_buf){space, certificate_len},
                                      (atls_buf){space + certificate_len, w.len - certificate_len},
                                      mac, NULL),
                     ATLS_OK);
    atls_writer_u8(&w, 20);
    atls_writer_u24be(&w, (uint32_t)hash_len);
    atls_writer_bytes(&w, (atls_buf){mac, hash_len});
    assert_true(atls_writer_ok(&w));
    return atls_writer_done(&w);
}

#define CMW_EXTENSION "ff00001d001b83736170706c69636174696f6e2f6561742b63777444deadbeef04"

static void what_stands_in_the_entries_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t n;
        entry entries[2];
        const char *check;
    } cases[] = {
        {"as it should be", 1, {{CMW_EXTENSION}}, "ok"},
        {"no evidence: for the caller to judge", 1, {{""}}, "ok"},
        {"a second certificate", 2, {{CMW_EXTENSION}, {""}}, "ok"},
        {"no certificate", 0, {{""}}, "authenticator.chain"},
        {"cmw in entry 1", 2, {{""}, {CMW_EXTENSION}}, "authenticator.cmw_place"},
        {"cmw in both entries", 2, {{CMW_EXTENSION}, {CMW_EXTENSION}}, "authenticator.cmw_place"},
        {"two cmw in entry 0", 1, {{CMW_EXTENSION CMW_EXTENSION}}, "authenticator.cmw_place"},
        {"a status request, not offered",
         1,
         {{"00050000" CMW_EXTENSION}},
         "authenticator.extension"},
        {"one not offered in entry 1",
         2,
         {{CMW_EXTENSION}, {"00120000"}},
         "authenticator.extension"},
        {"signature_algorithms has no place here",
         1,
         {{"000d000400020807"}},
         "authenticator.extension"},
        {"inner length one too large", 1, {{"ff000006000589010203"}}, "authenticator.cmw"},
        {"inner length one too small", 1, {{"ff000006000389010203"}}, "authenticator.cmw"},
        {"inner length missing", 1, {{"ff00000100"}}, "authenticator.cmw"},
        {"no inner length, no bytes", 1, {{"ff000000"}}, "authenticator.cmw"},
        {"empty evidence", 1, {{"ff0000020000"}}, "authenticator.cmw"},
        {"extension longer than its block", 1, {{"ff0000070004890102"}}, "authenticator.malformed"},
        {"half a header of an extension", 1, {{"ff00"}}, "authenticator.malformed"},
    };
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[2 * SPACE];
        atls_buf bytes = assemble(&c, cases[i].entries, cases[i].n, ATLS_TLS_ED25519, space);
        const char *check = judge(&c.keys, &c.request, bytes);
        if (strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
    }
    /* The same message, asked for without evidence. */
    uint8_t space[2 * SPACE];
    atls_buf bytes = assemble(&c, cases[0].entries, 1, ATLS_TLS_ED25519, space);
    c.request.wants_cmw = false;
    assert_string_equal(judge(&c.keys, &c.request, bytes), "authenticator.extension");
    close_connection(&c);
}

static void a_scheme_must_be_offered_and_fit_the_key(void **state)
{
    (void)state;
    static const struct {
        uint16_t scheme;
        const char *check;
    } cases[] = {
        {ATLS_TLS_ED25519, "ok"},
        {ATLS_TLS_ECDSA_SECP256R1_SHA256,
         "authenticator.scheme"}, /* offered, and not for this key */
        {ATLS_TLS_ECDSA_SECP384R1_SHA384, "authenticator.scheme"}, /* not offered */
        {ATLS_TLS_RSA_PSS_RSAE_SHA256, "authenticator.scheme"},
        {0x0401, "authenticator.scheme"}, /* PKCS#1 v1.5 */
        {0x0203, "authenticator.scheme"}, /* SHA-1 */
        {0x0000, "authenticator.scheme"},
    };
    static const entry good = {CMW_EXTENSION};
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[2 * SPACE];
        atls_buf bytes = assemble(&c, &good, 1, cases[i].scheme, space);
        assert_string_equal(judge(&c.keys, &c.request, bytes), cases[i].check);
    }
    /* Ed25519 is right for the key, and was not offered. */
    c.request.schemes_n = 1;
    uint8_t space[2 * SPACE];
    atls_buf bytes = assemble(&c, &good, 1, ATLS_TLS_ED25519, space);
    assert_string_equal(judge(&c.keys, &c.request, bytes), "authenticator.scheme");
    close_connection(&c);
}

/* Where the outer structure is wrong: byte `at` of vector A becomes value. */
static void the_structure_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } cases[] = {
        {"first message is no Certificate", 0, 8, "authenticator.malformed"},
        {"second message is no CertificateVerify", 277, 11, "authenticator.malformed"},
        {"third message is no Finished", 349, 15, "authenticator.malformed"},
        {"length of the first message", 3, 0x10, "authenticator.malformed"},
        {"length of 16 MiB", 1, 0xff, "authenticator.malformed"},
        {"context one longer", 4, 0x11, "authenticator.malformed"},
        {"list one shorter", 23, 0xfc, "authenticator.malformed"},
        {"certificate one longer", 26, 0xd8, "authenticator.malformed"},
        {"signature one shorter", 284, 0x3f, "authenticator.malformed"},
        {"signature without bytes", 284, 0, "authenticator.malformed"},
        {"leaf is no SEQUENCE", 27, 0x31, "leaf.malformed"},
        {"key of the leaf is Ed448", 27 + 105, 0x71, "leaf.key"},
    };
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t good = c.bytes[cases[i].at];
        c.bytes[cases[i].at] = cases[i].value;
        const char *check = judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len});
        if (good == cases[i].value || strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
        c.bytes[cases[i].at] = good;
    }
    close_connection(&c);
}

static void an_empty_authenticator_refuses_and_a_forged_one_fails(void **state)
{
    (void)state;
    connection c, d;
    open_connection(&c, &vectors[1], 0);
    open_connection(&d, &vectors[1], 7);
    uint8_t space[52];
    atls_buf empty;
    assert_int_equal(atls_ea_build_empty(&c.keys, &c.request, space, sizeof space, &empty, NULL),
                     ATLS_OK);
    assert_string_equal(judge(&c.keys, &c.request, empty), "empty");
    assert_string_equal(judge(&d.keys, &d.request, empty), "authenticator.finished");
    for (size_t at = 4; at < empty.len; at++) {
        space[at] ^= 0x80;
        assert_string_equal(judge(&c.keys, &c.request, empty), "authenticator.finished");
        space[at] ^= 0x80;
    }
    /* The MAC of a SHA-256 connection is 16 bytes shorter: refused, not compared in part. */
    uint8_t cut[36] = {0x14, 0, 0, 0x20};
    memcpy(cut + 4, space + 4, 32);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){cut, sizeof cut}),
                        "authenticator.finished");
    /* And the Finished of a full one is none of an empty one. */
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){c.bytes + c.len - 52, 52}),
                        "authenticator.finished");
    atls_err err = {0};
    assert_int_equal(atls_ea_build_empty(&c.keys, &c.request, space, 51, &empty, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "authenticator.space");
    close_connection(&c);
    close_connection(&d);
}

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

/* --- requests --- */

static void our_request_is_these_bytes(void **state)
{
    (void)state;
    static const uint8_t context[16] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                        0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};
    uint8_t space[300];
    atls_buf raw;
    assert_int_equal(atls_ea_request_build(ATLS_EA_SERVER, (atls_buf){context, 16}, true, 0xff00,
                                           space, sizeof space, &raw, NULL),
                     ATLS_OK);
    assert_hex(
        raw.ptr, raw.len,
        "1100002510a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0012000d000a00080403050308070804ff000000");
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, 16}, false, 0xff00,
                                           space, sizeof space, &raw, NULL),
                     ATLS_OK);
    assert_hex(raw.ptr, raw.len,
               "0d00002110a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000e000d000a00080403050308070804");
    atls_err err = {0};
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, 16}, false, 0xff00,
                                           space, raw.len - 1, &raw, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "request.space");
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, 15}, false, 0xff00,
                                           space, sizeof space, &raw, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "request.context");
    uint8_t longest[256] = {0};
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){longest, 256}, false, 0xff00,
                                           space, sizeof space, &raw, &err),
                     ATLS_E_USAGE);
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){longest, 255}, true, 0xff00,
                                           space, sizeof space, &raw, &err),
                     ATLS_OK);
    atls_ea_request q;
    assert_int_equal(atls_ea_request_parse(raw, ATLS_EA_CLIENT, 0xff00, &q, &err), ATLS_OK);
    assert_int_equal(q.context.len, 255);
}

#define CONTEXT "10a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static void what_stands_in_a_request_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
        atls_ea_sender answered_by;
        const char *check; /* NULL: taken */
    } cases[] = {
        {"good", "11000021" CONTEXT "000e000d0006000404030807ff000000", ATLS_EA_SERVER, NULL},
        {"good, of a server", "0d000021" CONTEXT "000e000d0006000404030807ff000000", ATLS_EA_CLIENT,
         NULL},
        {"type 13 to a server", "0d000021" CONTEXT "000e000d0006000404030807ff000000",
         ATLS_EA_SERVER, "request.type"},
        {"type 17 to a client", "11000021" CONTEXT "000e000d0006000404030807ff000000",
         ATLS_EA_CLIENT, "request.type"},
        {"a trailing byte", "11000021" CONTEXT "000e000d0006000404030807ff00000000", ATLS_EA_SERVER,
         "request.malformed"},
        {"a trailing byte inside", "11000022" CONTEXT "000e000d0006000404030807ff00000000",
         ATLS_EA_SERVER, "request.malformed"},
        {"extensions one short", "11000021" CONTEXT "000d000d0006000404030807ff000000",
         ATLS_EA_SERVER, "request.malformed"},
        {"extension longer than the block", "11000021" CONTEXT "000e000d0006000404030807ff000001",
         ATLS_EA_SERVER, "request.malformed"},
        {"context of 15 bytes",
         "110000200fa0a1a2a3a4a5a6a7a8a9aaabacadae000e000d0006000404030807ff000000", ATLS_EA_SERVER,
         "request.context"},
        {"no context", "1100001100000e000d0006000404030807ff000000", ATLS_EA_SERVER,
         "request.context"},
        {"no signature_algorithms", "11000017" CONTEXT "0004ff000000", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"no extension at all", "11000013" CONTEXT "0000", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"an empty list", "11000019" CONTEXT "0006000d00020000", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"an odd list", "1100001c" CONTEXT "0009000d00050003040308", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"a list longer than its extension", "1100001b" CONTEXT "0008000d000400040403",
         ATLS_EA_SERVER, "request.signature_algorithms"},
        {"a list shorter than its extension", "1100001d" CONTEXT "000a000d0006000204030807",
         ATLS_EA_SERVER, "request.signature_algorithms"},
        {"no scheme we know", "1100001b" CONTEXT "0008000d000400020401", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"signature_algorithms twice", "11000023" CONTEXT "0010000d000400020403000d000400020403",
         ATLS_EA_SERVER, "request.extension"},
        {"cmw twice", "11000023" CONTEXT "0010000d000400020403ff000000ff000000", ATLS_EA_SERVER,
         "request.extension"},
        {"an unknown one twice", "11000023" CONTEXT "0010000d0004000204030a0a00000a0a0000",
         ATLS_EA_SERVER, "request.extension"},
        {"server_name to a client", "0d00001f" CONTEXT "000c000d00040002040300000000",
         ATLS_EA_CLIENT, "request.extension"},
        {"server_name to a server", "1100001f" CONTEXT "000c000d00040002040300000000",
         ATLS_EA_SERVER, NULL},
        {"cmw with a byte", "11000020" CONTEXT "000d000d000400020403ff00000100", ATLS_EA_SERVER,
         "request.cmw"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[SPACE];
        atls_ea_request q;
        atls_err err = {0};
        atls_code rc = atls_ea_request_parse(unhex(cases[i].hex, space), cases[i].answered_by,
                                             0xff00, &q, &err);
        const char *check = rc == ATLS_OK ? NULL : err.check;
        if ((check == NULL) != (cases[i].check == NULL) ||
            (check != NULL && strcmp(check, cases[i].check) != 0)) {
            fail_msg("%s: %s", cases[i].what, check == NULL ? "taken" : check);
        }
    }
}

static void a_request_of_many_extensions_or_schemes_is_bounded(void **state)
{
    (void)state;
    for (unsigned n = 62; n <= 64; n++) {
        uint8_t space[SPACE];
        atls_writer w = atls_writer_of(space, sizeof space);
        const size_t extensions = n * 4u + 4 + 2 + 80;
        atls_writer_u8(&w, 17);
        atls_writer_u24be(&w, (uint32_t)(1 + 16 + 2 + extensions));
        atls_writer_u8(&w, 16);
        atls_writer_zeros(&w, 16);
        atls_writer_u16be(&w, (uint16_t)extensions);
        atls_writer_u16be(&w, 13);
        atls_writer_u16be(&w, 82);
        atls_writer_u16be(&w, 80);
        for (size_t i = 0; i < 20; i++) { /* the same two, over and over */
            atls_writer_u16be(&w, 0x0807);
            atls_writer_u16be(&w, 0x0403);
        }
        for (unsigned i = 0; i < n; i++) {
            atls_writer_u16be(&w, (uint16_t)(1000 + i));
            atls_writer_u16be(&w, 0);
        }
        atls_ea_request q;
        atls_err err = {0};
        atls_code rc =
            atls_ea_request_parse(atls_writer_done(&w), ATLS_EA_SERVER, 0xff00, &q, &err);
        if (n == 64) { /* with signature_algorithms 65 */
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, "request.extension");
        } else {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(q.schemes_n, 2);
            assert_int_equal(q.schemes[0], 0x0807);
            assert_false(q.wants_cmw);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_out_byte_for_byte),
        cmocka_unit_test(any_flipped_bit_of_an_authenticator_is_noticed),
        cmocka_unit_test(any_flipped_bit_of_a_request_is_noticed),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_trailing_byte_is_refused),
        cmocka_unit_test(a_re_encoded_request_is_noticed),
        cmocka_unit_test(an_authenticator_of_another_connection_is_refused),
        cmocka_unit_test(client_labels_do_not_serve_a_server),
        cmocka_unit_test(another_context_is_refused),
        cmocka_unit_test(a_signature_of_another_key_is_refused),
        cmocka_unit_test(what_stands_in_the_entries_is_checked),
        cmocka_unit_test(a_scheme_must_be_offered_and_fit_the_key),
        cmocka_unit_test(the_structure_is_checked),
        cmocka_unit_test(an_empty_authenticator_refuses_and_a_forged_one_fails),
        cmocka_unit_test(each_scheme_goes_there_and_back),
        cmocka_unit_test(flipped_bytes_are_noticed_under_each_scheme),
        cmocka_unit_test(limits_hold_before_anything_is_read),
        cmocka_unit_test(our_own_mistakes_have_names),
        cmocka_unit_test(an_exporter_that_fails_stops_everything),
        cmocka_unit_test(the_binder_covers_key_connection_and_context),
        cmocka_unit_test(our_request_is_these_bytes),
        cmocka_unit_test(what_stands_in_a_request_is_checked),
        cmocka_unit_test(a_request_of_many_extensions_or_schemes_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
