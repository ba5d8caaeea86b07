/* The binder of early attestation: the example of the specification byte for byte, both hashes against OpenSSL's own HKDF,
 * the transcript with and without HelloRetryRequest, and messages that are no transcript. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/hex.h"
#include "binding/seat_binder.h"

static void unhex(const char *text, uint8_t *out, size_t cap, size_t *len)
{
    assert_true(atls_hex_decode(text, strlen(text), out, cap, len));
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *wanted)
{
    char hex[129];
    atls_hex_encode((atls_buf){bytes, len}, hex);
    assert_string_equal(hex, wanted);
}

static const char spki_hex[] =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d8"
    "98c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

static void worked_example(void **state)
{
    (void)state;
    static const char text[] = "ClientHello...ServerHello example";
    const atls_buf piece = {(const uint8_t *)text, sizeof text - 1};
    uint8_t spki[91], value[64];
    size_t len = 0;
    unhex(spki_hex, spki, sizeof spki, &len);
    assert_int_equal(len, 91);
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, value, NULL), ATLS_OK);
    assert_hex(value, 32, "1907eabd9c889f0240a4e3a78f65f90aaa35a91bda5777ac91e5dbdae7624b86");
    assert_int_equal(atls_seat_base(ATLS_SHA256, value, value, NULL), ATLS_OK);
    assert_hex(value, 32, "53fe7c370f483265dd3ff477904f47cd94cd57d0c7502a36ef3ec4b14f94b2f2");
    assert_int_equal(atls_seat_binder(ATLS_SHA256, value, (atls_buf){spki, len}, value, NULL),
                     ATLS_OK);
    assert_hex(value, 32, "f10e5349240a03044ecda7556b26f61209ad89c86241902d233a218162559e61");

    atls_report_data data;
    assert_int_equal(atls_seat_report_data(ATLS_SHA256, value, &data, NULL), ATLS_OK);
    assert_memory_equal(data.wide, value, 32);
    for (size_t i = 32; i < 64; i++) {
        assert_int_equal(data.wide[i], 0);
    }
    assert_memory_equal(data.narrow, value, 32);
}

/* HKDF-Expand-Label by OpenSSL's KDF. */
static void expand(const char *hash, size_t len, const uint8_t *secret, const char *label,
                   const uint8_t *context, uint8_t *out)
{
    uint8_t info[128];
    size_t at = 0, n = strlen(label);
    info[at++] = 0;
    info[at++] = (uint8_t)len;
    info[at++] = (uint8_t)(6 + n);
    memcpy(info + at, "tls13 ", 6);
    memcpy(info + at + 6, label, n);
    at += 6 + n;
    info[at++] = (uint8_t)len;
    memcpy(info + at, context, len);
    at += len;
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    char name[8];
    strcpy(name, hash);
    uint8_t key[48];
    memcpy(key, secret, len);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                           OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, len),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, at),
                           OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void as_openssl_derives_it(void **state)
{
    (void)state;
    static const struct {
        atls_hash hash;
        const char *name;
        size_t len;
    } rows[] = {{ATLS_SHA256, "SHA256", 32}, {ATLS_SHA384, "SHA384", 48}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t transcript[48], key_hash[64], wanted[48], base[48], found[48];
        const uint8_t zeros[48] = {0};
        static const uint8_t spki[] = "a key";
        const atls_buf piece = {spki, sizeof spki};
        memset(transcript, 0x3c, sizeof transcript);
        expand(rows[i].name, rows[i].len, zeros, "attestation base", transcript, wanted);
        assert_int_equal(atls_seat_base(rows[i].hash, transcript, base, NULL), ATLS_OK);
        assert_memory_equal(base, wanted, rows[i].len);
        assert_int_equal(atls_digest(rows[i].hash, &piece, 1, key_hash, NULL), ATLS_OK);
        expand(rows[i].name, rows[i].len, base, "attestation", key_hash, wanted);
        assert_int_equal(atls_seat_binder(rows[i].hash, base, piece, found, NULL), ATLS_OK);
        assert_memory_equal(found, wanted, rows[i].len);

        atls_report_data data;
        assert_int_equal(atls_seat_report_data(rows[i].hash, found, &data, NULL), ATLS_OK);
        assert_memory_equal(data.wide, found, rows[i].len);
        assert_int_equal(data.wide[63], 0);
        if (rows[i].len == 48) {
            const atls_buf binder = {found, 48};
            assert_int_equal(atls_digest(ATLS_SHA256, &binder, 1, key_hash, NULL), ATLS_OK);
            assert_memory_equal(data.narrow, key_hash, 32);
        }
    }
}

/* A hello of 100 bytes. */
static void add(atls_seat_hellos *h, uint8_t type, uint8_t fill, bool retry)
{
    static const uint8_t begins[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                     0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                     0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                     0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    uint8_t bytes[100];
    memset(bytes, fill, sizeof bytes);
    bytes[0] = type;
    if (retry) {
        memcpy(bytes + 6, begins, sizeof begins);
    }
    atls_seat_hellos_add(h, (atls_buf){bytes, sizeof bytes});
}

static void hellos(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *
            messages; /* C: ClientHello, S: ServerHello, R: HelloRetryRequest, x: another message */
        bool good;
    } rows[] = {
        {"nothing", "", false},
        {"a ClientHello alone", "C", false},
        {"both", "CS", true},
        {"both, and what follows them", "CSxx", true},
        {"another message before", "xCS", true},
        {"a retry alone", "CR", false},
        {"half of a second try", "CRC", false},
        {"two tries", "CRCS", true},
        {"two retries", "CRCR", false},
        {"a ServerHello first", "SC", false},
        {"two ClientHellos", "CC", false},
        {"two ServerHellos", "CSS", false},
        {"a second handshake", "CSCS", false},
        {"three tries", "CRCSCS", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_seat_hellos h = {.n = 0};
        atls_err err = {0};
        uint8_t out[48];
        print_message("%s\n", rows[i].what);
        for (const char *m = rows[i].messages; *m != '\0'; m++) {
            add(&h, *m == 'C' ? 1 : *m == 'x' ? 8 : 2, (uint8_t)*m, *m == 'R');
        }
        atls_code rc = atls_seat_transcript(&h, ATLS_SHA384, out, &err);
        assert_int_equal(rc, rows[i].good ? ATLS_OK : ATLS_E_SYSTEM);
        if (!rows[i].good) {
            assert_string_equal(err.check, "seat_early.transcript");
        }
        atls_seat_hellos_clear(&h);
        assert_int_equal(h.n, 0);
    }
    atls_seat_hellos h = {.n = 0};
    static const uint8_t huge[ATLS_SEAT_MESSAGES_MAX + 1] = {1};
    atls_seat_hellos_add(&h, (atls_buf){huge, sizeof huge});
    assert_true(h.broken);
    atls_seat_hellos_clear(&h);
}

static void transcripts(void **state)
{
    (void)state;
    atls_seat_hellos h = {.n = 0};
    uint8_t found[48], wanted[64], all[400], first[64];
    add(&h, 1, 0xc1, false);
    add(&h, 2, 0x51, false);
    memcpy(all, h.at[0].bytes, 100);
    memcpy(all + 100, h.at[1].bytes, 100);
    atls_buf whole = {all, 200};
    assert_int_equal(atls_digest(ATLS_SHA256, &whole, 1, wanted, NULL), ATLS_OK);
    assert_int_equal(atls_seat_transcript(&h, ATLS_SHA256, found, NULL), ATLS_OK);
    assert_memory_equal(found, wanted, 32);
    atls_seat_hellos_clear(&h);

    add(&h, 1, 0xc1, false);
    add(&h, 2, 0x51, true);
    add(&h, 1, 0xc2, false);
    add(&h, 2, 0x52, false);
    const atls_buf hello = {h.at[0].bytes, 100};
    assert_int_equal(atls_digest(ATLS_SHA384, &hello, 1, first, NULL), ATLS_OK);
    all[0] = 0xfe;
    all[1] = all[2] = 0;
    all[3] = 48;
    memcpy(all + 4, first, 48);
    for (size_t i = 1; i < 4; i++) {
        memcpy(all + 52 + (i - 1) * 100, h.at[i].bytes, 100);
    }
    whole.len = 352;
    assert_int_equal(atls_digest(ATLS_SHA384, &whole, 1, wanted, NULL), ATLS_OK);
    assert_int_equal(atls_seat_transcript(&h, ATLS_SHA384, found, NULL), ATLS_OK);
    assert_memory_equal(found, wanted, 48);
    atls_seat_hellos_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example),
        cmocka_unit_test(as_openssl_derives_it),
        cmocka_unit_test(hellos),
        cmocka_unit_test(transcripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
