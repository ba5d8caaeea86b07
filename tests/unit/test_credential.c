/* Credentials: sealed here, opened by hand with the private key; KDFs against OpenSSL's own of the same standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>

#include "crypto/tpm_seal.h"
#include "sim/tpm_pki.h"
#include "tpm_bytes.h"
#include "trust/tpm_key.h"

#define EK_ATTRIBUTES 0x000300b2u /* the default template's */
#define WHEN          1760000000

static const uint8_t secret[32] = "thirty-two bytes of some secret";

/* --- public areas --- */

typedef struct area {
    EVP_PKEY *pkey;
    uint8_t bytes[512];
    size_t len;
    size_t size; /* of a coordinate; 0: RSA */
} area;

static void put_ec(EVP_PKEY *pkey, atls_writer *w, size_t *size)
{
    uint8_t point[133];
    size_t len = 0;
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len),
        1);
    *size = (len - 1) / 2;
    atls_writer_u16be(w, *size == 32 ? ATLS_TPM_ECC_P256 : ATLS_TPM_ECC_P384);
    atls_writer_u16be(w, ATLS_TPM_ALG_NULL);
    for (size_t i = 0; i < 2; i++) {
        atls_writer_u16be(w, (uint16_t)*size);
        atls_writer_bytes(w, (atls_buf){point + 1 + i * *size, *size});
    }
}

static area make_ek(const char *group, uint16_t name_alg, uint16_t cipher, uint16_t bits,
                    uint32_t attributes)
{
    area a = {.pkey = group != NULL ? EVP_EC_gen(group) : EVP_RSA_gen(2048)};
    atls_writer w = atls_writer_of(a.bytes, sizeof a.bytes);
    atls_writer_u16be(&w, group != NULL ? ATLS_TPM_ALG_ECC : ATLS_TPM_ALG_RSA);
    atls_writer_u16be(&w, name_alg);
    atls_writer_u32be(&w, attributes);
    atls_writer_u16be(&w, 32);
    atls_writer_zeros(&w, 32);
    atls_writer_u16be(&w, cipher);
    if (cipher != ATLS_TPM_ALG_NULL) {
        atls_writer_u16be(&w, bits);
        atls_writer_u16be(&w, ATLS_TPM_ALG_CFB);
    }
    atls_writer_u16be(&w, ATLS_TPM_ALG_NULL);
    if (group != NULL) {
        put_ec(a.pkey, &w, &a.size);
    } else {
        BIGNUM *n = NULL;
        uint8_t modulus[256];
        assert_int_equal(EVP_PKEY_get_bn_param(a.pkey, OSSL_PKEY_PARAM_RSA_N, &n), 1);
        assert_int_equal(BN_bn2binpad(n, modulus, 256), 256);
        BN_free(n);
        atls_writer_u16be(&w, 2048);
        atls_writer_u32be(&w, 0);
        atls_writer_u16be(&w, 256);
        atls_writer_bytes(&w, (atls_buf){modulus, 256});
    }
    a.len = atls_writer_done(&w).len;
    assert_true(a.len > 0);
    return a;
}

static size_t make_ak(uint32_t attributes, uint8_t out[512])
{
    static const uint8_t number[32] = {1};
    return tpm_ecc_area(attributes, ATLS_TPM_ECC_P256, ATLS_TPM_ALG_SHA256, (atls_buf){number, 32},
                        (atls_buf){number, 32}, out, 512);
}

/* --- opening, as the TPM does --- */

static size_t open_rsa(const area *ek, atls_buf sealed, uint8_t *seed)
{
    size_t len = 256;
    uint8_t out[256];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek->pkey, NULL);
    uint8_t *label = OPENSSL_memdup("IDENTITY", 9);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, 9), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, out, &len, sealed.ptr, sealed.len), 1);
    EVP_PKEY_CTX_free(ctx);
    assert_true(len <= 64);
    memcpy(seed, out, len);
    return len;
}

static EVP_PKEY *public_of(const area *ek, atls_buf x, atls_buf y)
{
    uint8_t point[133] = {4};
    memcpy(point + 1, x.ptr, x.len);
    memcpy(point + 1 + x.len, y.ptr, y.len);
    EVP_PKEY *peer = EVP_PKEY_new();
    assert_int_equal(EVP_PKEY_copy_parameters(peer, ek->pkey), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(peer, point, 1 + x.len + y.len), 1);
    return peer;
}

static size_t open_ecc(const area *ek, atls_buf sealed, atls_hash hash, uint8_t *seed)
{
    uint8_t z[66], own[133];
    size_t len = sizeof z, own_len = 0;
    atls_reader r = atls_reader_of(sealed);
    const atls_buf x = atls_reader_view(&r, atls_reader_u16be(&r));
    const atls_buf y = atls_reader_view(&r, atls_reader_u16be(&r));
    assert_true(atls_reader_end(&r) && x.len == ek->size && y.len == ek->size);
    EVP_PKEY *peer = public_of(ek, x, y);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek->pkey, NULL);
    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, z, &len), 1);
    assert_int_equal(EVP_PKEY_get_octet_string_param(ek->pkey, OSSL_PKEY_PARAM_PUB_KEY, own,
                                                     sizeof own, &own_len),
                     1);
    assert_int_equal(atls_tpm_kdfe(hash, (atls_buf){z, len}, "IDENTITY", x,
                                   (atls_buf){own + 1, ek->size}, seed, NULL),
                     ATLS_OK);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return atls_hash_len(hash);
}

static void assert_opens(const area *ek, atls_hash hash, unsigned bits, atls_buf name,
                         const atls_credential *c, atls_buf wanted)
{
    uint8_t seed[64], key[32], mac_key[64], mac[64], plain[64];
    atls_reader s = atls_reader_of((atls_buf){c->seed, c->seed_len});
    const atls_buf sealed = atls_reader_view(&s, atls_reader_u16be(&s));
    assert_true(atls_reader_end(&s));
    const size_t n = ek->size == 0 ? open_rsa(ek, sealed, seed) : open_ecc(ek, sealed, hash, seed);
    assert_int_equal(n, atls_hash_len(hash));
    atls_reader b = atls_reader_of((atls_buf){c->blob, c->blob_len});
    assert_int_equal(atls_reader_u16be(&b), c->blob_len - 2);
    const atls_buf integrity = atls_reader_view(&b, atls_reader_u16be(&b));
    const atls_buf identity = atls_reader_rest(&b);
    const atls_buf none = {NULL, 0}, key_seed = {seed, n};
    assert_int_equal(
        atls_tpm_kdfa(hash, key_seed, "INTEGRITY", none, none, (uint32_t)n * 8, mac_key, NULL),
        ATLS_OK);
    const atls_buf covered[] = {identity, name};
    assert_int_equal(atls_hmac(hash, (atls_buf){mac_key, n}, covered, 2, mac, NULL), ATLS_OK);
    assert_true(atls_equal(integrity, (atls_buf){mac, n}));
    assert_int_equal(atls_tpm_kdfa(hash, key_seed, "STORAGE", name, none, bits, key, NULL),
                     ATLS_OK);
    static const uint8_t iv[16];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    assert_int_equal(EVP_DecryptInit_ex2(ctx,
                                         bits == 128 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128(),
                                         key, iv, NULL),
                     1);
    assert_int_equal(EVP_DecryptUpdate(ctx, plain, &len, identity.ptr, (int)identity.len), 1);
    EVP_CIPHER_CTX_free(ctx);
    assert_int_equal(plain[0] * 256 + plain[1], wanted.len);
    assert_memory_equal(plain + 2, wanted.ptr, wanted.len);
}

static void sealed_secrets_can_be_opened(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        uint16_t name_alg, bits;
        atls_hash hash;
        size_t secret_len;
    } cases[] = {{NULL, ATLS_TPM_ALG_SHA256, 128, ATLS_SHA256, 32},
                 {"P-256", ATLS_TPM_ALG_SHA256, 128, ATLS_SHA256, 1},
                 {"P-384", ATLS_TPM_ALG_SHA384, 256, ATLS_SHA384, 32}};
    uint8_t ak[512], name[66];
    size_t name_len = 0;
    const atls_buf ak_bytes = {ak, make_ak(TPM_AK_ATTRIBUTES, ak)};
    assert_int_equal(atls_tpm_name(ak_bytes, name, &name_len, NULL), ATLS_OK);
    for (size_t i = 0; i < 3; i++) {
        area ek = make_ek(cases[i].group, cases[i].name_alg, ATLS_TPM_ALG_AES, cases[i].bits,
                          EK_ATTRIBUTES);
        atls_credential c, again;
        atls_err err = {0};
        const atls_buf wanted = {secret, cases[i].secret_len};
        if (atls_credential_make((atls_buf){ek.bytes, ek.len}, ak_bytes, wanted, NULL, &c, &err) !=
            ATLS_OK) {
            fail_msg("%s", err.msg);
        }
        assert_opens(&ek, cases[i].hash, cases[i].bits, (atls_buf){name, name_len}, &c, wanted);
        assert_int_equal(atls_credential_make((atls_buf){ek.bytes, ek.len}, ak_bytes, wanted, NULL,
                                              &again, NULL),
                         ATLS_OK);
        assert_memory_not_equal(c.seed, again.seed, c.seed_len);
        EVP_PKEY_free(ek.pkey);
    }
}

typedef struct given { /* randomness that the test chooses, or none */
    uint8_t byte;
    bool fails;
} given;

static atls_code give(void *self, uint8_t *out, size_t len, atls_err *err)
{
    (void)err;
    const given *g = self;
    memset(out, g->byte, len);
    return g->fails ? ATLS_E_SYSTEM : ATLS_OK;
}

static void randomness_is_what_is_given(void **state)
{
    (void)state;
    given g = {0x5a, false};
    const atls_random random = {give, &g};
    uint8_t ak[512];
    const atls_buf ak_bytes = {ak, make_ak(TPM_AK_ATTRIBUTES, ak)};
    area ek = make_ek("P-256", ATLS_TPM_ALG_SHA256, ATLS_TPM_ALG_AES, 128, EK_ATTRIBUTES);
    atls_credential c, again;
    const atls_buf ek_bytes = {ek.bytes, ek.len}, wanted = {secret, 32};
    assert_int_equal(atls_credential_make(ek_bytes, ak_bytes, wanted, &random, &c, NULL), ATLS_OK);
    assert_int_equal(atls_credential_make(ek_bytes, ak_bytes, wanted, &random, &again, NULL),
                     ATLS_OK);
    assert_memory_equal(c.seed, again.seed, c.seed_len);
    assert_memory_equal(c.blob, again.blob, c.blob_len);
    g.fails = true;
    assert_int_equal(atls_credential_make(ek_bytes, ak_bytes, wanted, &random, &c, NULL),
                     ATLS_E_SYSTEM);
    EVP_PKEY_free(ek.pkey);
}

static void keys_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    uint8_t ak[512], loose[512];
    const atls_buf ak_bytes = {ak, make_ak(TPM_AK_ATTRIBUTES, ak)};
    const atls_buf loose_ak = {loose, make_ak(TPM_AK_ATTRIBUTES & ~ATLS_TPM_RESTRICTED, loose)};
    const atls_buf wanted = {secret, 32};
    atls_credential c;
    atls_err err = {0};
    area ek = make_ek("P-256", ATLS_TPM_ALG_SHA256, ATLS_TPM_ALG_AES, 128, EK_ATTRIBUTES);
    const atls_buf ek_bytes = {ek.bytes, ek.len};
    assert_int_equal(atls_credential_make(ek_bytes, loose_ak, wanted, NULL, &c, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "credential.ak");
    for (size_t len = 0; len <= 33; len += 33) {
        assert_int_equal(
            atls_credential_make(ek_bytes, ak_bytes, (atls_buf){secret, len}, NULL, &c, &err),
            ATLS_E_USAGE);
        assert_string_equal(err.check, "credential.secret");
    }
    /* An AK is no EK, and neither is a key without a cipher. */
    assert_int_equal(atls_credential_make(ak_bytes, ak_bytes, wanted, NULL, &c, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "credential.ek");
    EVP_PKEY_free(ek.pkey);
    ek = make_ek("P-256", ATLS_TPM_ALG_SHA256, ATLS_TPM_ALG_NULL, 0, EK_ATTRIBUTES);
    assert_int_equal(
        atls_credential_make((atls_buf){ek.bytes, ek.len}, ak_bytes, wanted, NULL, &c, &err),
        ATLS_E_INVALID);
    assert_string_equal(err.check, "credential.ek");
    EVP_PKEY_free(ek.pkey);
}

/* --- KDFs: KDFa is SP 800-108's in counter mode, KDFe SP 800-56C's --- */

static void kdfs_are_those_of_the_standards(void **state)
{
    (void)state;
    uint8_t key[32], u[20], v[32], ours[48], theirs[48], context[52];
    char mode[] = "counter", mac[] = "HMAC", digest[] = "SHA256", label[] = "STORAGE";
    memset(key, 1, sizeof key);
    memset(u, 2, sizeof u);
    memset(v, 3, sizeof v);
    memcpy(context, u, sizeof u);
    memcpy(context + sizeof u, v, sizeof v);
    const atls_buf kb = {key, sizeof key}, ub = {u, sizeof u}, vb = {v, sizeof v};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, label, strlen(label)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, context, sizeof context),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    assert_int_equal(EVP_KDF_derive(ctx, theirs, 48, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    assert_int_equal(atls_tpm_kdfa(ATLS_SHA256, kb, label, ub, vb, 384, ours, NULL), ATLS_OK);
    assert_memory_equal(ours, theirs, 48);

    uint8_t info[sizeof label + sizeof context];
    memcpy(info, label, sizeof label);
    memcpy(info + sizeof label, context, sizeof context);
    OSSL_PARAM single[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info),
        OSSL_PARAM_construct_end()};
    kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
    ctx = EVP_KDF_CTX_new(kdf);
    assert_int_equal(EVP_KDF_derive(ctx, theirs, 32, single), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    assert_int_equal(atls_tpm_kdfe(ATLS_SHA256, kb, label, ub, vb, ours, NULL), ATLS_OK);
    assert_memory_equal(ours, theirs, 32);
}

/* --- EK certificates --- */

typedef struct der {
    unsigned char *bytes;
    size_t len;
} der;

static der der_of(X509 *cert)
{
    der d = {0};
    const int len = i2d_X509(cert, &d.bytes);
    assert_true(len > 0);
    d.len = (size_t)len;
    return d;
}

#define SAN                                                                                        \
    "critical,DER:3045A443304131163014060567810502010C0B69643A3437344634463437310F300D060567810502020C047654504D31163014060567810502030C0B69643A3230313630353131"

static void ek_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *what, *eku, *san, *check;
        bool is_ca, other_signer, late, other_issuer, unknown, self_signed;
    } cases[] = {
        {"good", "2.23.133.8.1", SAN, "", false},
        {"no purpose", NULL, SAN, "", false},
        {"another purpose", "2.23.133.8.3", SAN, "tpm.ek.usage", false},
        {"a CA", "2.23.133.8.1", SAN, "tpm.ek.usage", true},
        {"forged", "2.23.133.8.1", SAN, "tpm.ek.signature", false, true},
        {"late", "2.23.133.8.1", SAN, "tpm.ek.time", false, false, true},
        {"foreign", "2.23.133.8.1", SAN, "tpm.ek.missing", false, false, false, true},
        {"unknown", "2.23.133.8.1", NULL, "tpm.ek.extension", false, false, false, false, true},
        {"of nobody", "2.23.133.8.1", SAN, "tpm.ek.root", false, false, false, false, false, true},
        {"a broken name", "2.23.133.8.1", "critical,DER:0500", "tpm.ek.san", false},
    };
    EVP_PKEY *root_key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
    area ek = make_ek("P-256", ATLS_TPM_ALG_SHA256, ATLS_TPM_ALG_AES, 128, EK_ATTRIBUTES);
    area stranger = make_ek("P-256", ATLS_TPM_ALG_SHA256, ATLS_TPM_ALG_AES, 128, EK_ATTRIBUTES);
    sim_tpm_cert ca = {.cn = "TPM maker",
                       .key_usage = "critical,keyCertSign",
                       .is_ca = true,
                       .from_s = WHEN - 9,
                       .until_s = WHEN + 9,
                       .key = root_key,
                       .signer = root_key};
    X509 *root = sim_tpm_cert_make(&ca);
    ca.cn = "Another maker";
    ca.key = ca.signer = other_key;
    X509 *other = sim_tpm_cert_make(&ca);
    atls_verifier *v = atls_verifier_new();
    der r = der_of(root);
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_TPM, (atls_buf){r.bytes, r.len}, NULL),
                     ATLS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const sim_tpm_cert plan = {.cn = "EK",
                                   .key_usage = "critical,keyAgreement",
                                   .eku = cases[i].eku,
                                   .is_ca = cases[i].is_ca,
                                   .oid = cases[i].unknown ? "1.3.6.1.4.1.99999.1" : "2.5.29.17",
                                   .value = cases[i].unknown ? "critical,DER:0500" : cases[i].san,
                                   .from_s = WHEN - 9,
                                   .until_s = cases[i].late ? WHEN - 1 : WHEN + 9,
                                   .key = ek.pkey,
                                   .issuer = cases[i].self_signed    ? NULL
                                             : cases[i].other_issuer ? other
                                                                     : root,
                                   .signer = cases[i].self_signed    ? ek.pkey
                                             : cases[i].other_signer ? other_key
                                                                     : root_key};
        X509 *cert = sim_tpm_cert_make(&plan);
        assert_non_null(cert);
        der d = der_of(cert);
        atls_ek_identity id;
        atls_err err = {0};
        const atls_buf bytes = {d.bytes, d.len}, area_bytes = {ek.bytes, ek.len},
                       foreign = {stranger.bytes, stranger.len};
        const atls_code rc = atls_ek_certificate_check(v, bytes, &area_bytes, WHEN, &id, &err);
        if (strcmp(cases[i].check, rc == ATLS_OK ? "" : err.check) != 0) {
            fail_msg("%s: %s", cases[i].what, rc == ATLS_OK ? "accepted" : err.check);
        }
        if (i == 0) {
            assert_string_equal(id.manufacturer, "id:474F4F47");
            assert_string_equal(id.model, "vTPM");
            assert_string_equal(id.version, "id:20160511");
            assert_true(id.simulated && id.custom_root);
            assert_int_equal(atls_ek_certificate_check(v, bytes, &foreign, WHEN, &id, &err),
                             ATLS_E_INVALID);
            assert_string_equal(err.check, "tpm.ek.differs");
            /* With the default template in its place. */
            uint8_t ak[512];
            atls_credential c;
            const atls_buf ak_bytes = {ak, make_ak(TPM_AK_ATTRIBUTES, ak)};
            assert_int_equal(
                atls_credential_make(bytes, ak_bytes, (atls_buf){secret, 32}, NULL, &c, &err),
                ATLS_OK);
            uint8_t name[66];
            size_t name_len = 0;
            assert_int_equal(atls_tpm_name(ak_bytes, name, &name_len, NULL), ATLS_OK);
            assert_opens(&ek, ATLS_SHA256, 128, (atls_buf){name, name_len}, &c,
                         (atls_buf){secret, 32});
        }
        OPENSSL_free(d.bytes);
        X509_free(cert);
    }
    /* An issuer that is no CA. */
    const sim_tpm_cert no_ca = {.cn = "No CA",
                                .key_usage = "critical,digitalSignature",
                                .from_s = WHEN - 9,
                                .until_s = WHEN + 9,
                                .key = other_key,
                                .issuer = root,
                                .signer = root_key};
    X509 *middle = sim_tpm_cert_make(&no_ca);
    der m = der_of(middle);
    assert_int_equal(atls_verifier_add1_endorsement(v, (atls_buf){m.bytes, m.len}, NULL), ATLS_OK);
    const sim_tpm_cert below = {.cn = "EK",
                                .key_usage = "critical,keyAgreement",
                                .from_s = WHEN - 9,
                                .until_s = WHEN + 9,
                                .key = ek.pkey,
                                .issuer = middle,
                                .signer = other_key};
    X509 *leaf = sim_tpm_cert_make(&below);
    der d = der_of(leaf);
    atls_ek_identity id;
    atls_err err = {0};
    assert_int_equal(
        atls_ek_certificate_check(v, (atls_buf){d.bytes, d.len}, NULL, WHEN, &id, &err),
        ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.ek.issuer");
    OPENSSL_free(d.bytes);
    OPENSSL_free(m.bytes);
    OPENSSL_free(r.bytes);
    X509_free(leaf);
    X509_free(middle);
    X509_free(root);
    X509_free(other);
    EVP_PKEY_free(ek.pkey);
    EVP_PKEY_free(stranger.pkey);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(other_key);
    atls_verifier_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_secrets_can_be_opened),
        cmocka_unit_test(randomness_is_what_is_given),
        cmocka_unit_test(keys_that_do_not_fit_are_refused),
        cmocka_unit_test(kdfs_are_those_of_the_standards),
        cmocka_unit_test(ek_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
