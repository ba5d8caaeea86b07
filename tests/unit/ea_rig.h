/* ea_rig.h: the two deterministic vectors of exported authenticators, and a connection as they have it. */
#ifndef ATLS_TESTS_EA_RIG_H
#define ATLS_TESTS_EA_RIG_H

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
static inline atls_buf unhex(const char *hex, uint8_t *space)
{
    size_t len = 0;
    assert_true(atls_hex_decode(hex, strlen(hex), space, SPACE, &len));
    return (atls_buf){space, len};
}

static inline void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
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

static inline void open_connection(connection *c, const vector *v, uint8_t first)
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

static inline void close_connection(connection *c)
{
    X509_free(c->leaf);
    EVP_PKEY_free(c->key);
    free(c->bytes);
}

/* Parses and verifies; the check id of the refusal, "ok" or "empty" otherwise. A refusal leaves out untouched. */
static inline const char *judge(const atls_ea_keys *keys, const atls_ea_request *request,
                                atls_buf bytes)
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

/* What CertificateVerify signs, and what Finished says, by the library's own account. */
static inline void signed_bytes(const connection *c, atls_buf certificate, uint8_t tbs[EA_TBS_MAX],
                                size_t *len)
{
    atls_transcript t = {0};
    assert_int_equal(atls_ea_transcript(&c->keys, &c->request, certificate, &t, NULL), ATLS_OK);
    assert_int_equal(atls_ea_to_be_signed(&t, tbs, len, NULL), ATLS_OK);
    atls_transcript_clear(&t);
}

static inline void finished_mac(const connection *c, atls_buf certificate,
                                atls_buf certificate_verify, uint8_t mac[48])
{
    atls_transcript t = {0};
    assert_int_equal(atls_ea_transcript(&c->keys, &c->request, certificate, &t, NULL), ATLS_OK);
    assert_int_equal(atls_transcript_add(&t, certificate_verify, NULL), ATLS_OK);
    assert_int_equal(atls_ea_finished(&c->keys, &c->request, &t, mac, NULL), ATLS_OK);
    atls_transcript_clear(&t);
}

typedef struct entry {
    const char *extensions; /* hex */
} entry;

/* Writes an authenticator whose Certificate has these entries, each with the leaf of c. */
static inline atls_buf assemble(connection *c, const entry *entries, size_t n, uint16_t scheme,
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
    signed_bytes(c, (atls_buf){space, certificate_len}, tbs, &tbs_len);
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
    finished_mac(c, (atls_buf){space, certificate_len},
                 (atls_buf){space + certificate_len, w.len - certificate_len}, mac);
    atls_writer_u8(&w, 20);
    atls_writer_u24be(&w, (uint32_t)hash_len);
    atls_writer_bytes(&w, (atls_buf){mac, hash_len});
    assert_true(atls_writer_ok(&w));
    return atls_writer_done(&w);
}

#define CMW_EXTENSION "ff00001d001b83736170706c69636174696f6e2f6561742b63777444deadbeef04"

#endif
