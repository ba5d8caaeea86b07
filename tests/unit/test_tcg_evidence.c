/* Tagged evidence: the worked examples, each rule wrong alone, every truncation, one byte more, and what peers take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/spki_pem.h"
#include "binding/tcg_evidence.h"

/* The P-256 key of RFC 6979, A.2.5. */
#define SPKI                                                                                       \
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"                                       \
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"                             \
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define SPKI_SHA256 "5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4"
#define SPKI_SHA384                                                                                \
    "1ad82c82f6e743bb08a013b7d2f99645c9ebf451b67367b9a2a2145f13f7e43c63e63173fb7412178f211ec55dae" \
    "9573"
#define KEY_NAME "6b7075626b65792d68617368" /* "pubkey-hash" */
#define ENTRY                                                                                      \
    "58248201"                                                                                     \
    "5820" SPKI_SHA256
#define CLAIMS  "a1" KEY_NAME ENTRY
#define NONCE32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NONCE   "656e6f6e6365" /* "nonce" */

typedef struct bytes {
    uint8_t ptr[4096];
    size_t len;
} bytes;

static bytes unhex(const char *text)
{
    bytes b = {0};
    assert_true(atls_hex_decode(text, strlen(text), b.ptr, sizeof b.ptr, &b.len));
    return b;
}

static atls_buf view(const bytes *b)
{
    return (atls_buf){b->ptr, b->len};
}

static void assert_hex(const uint8_t *found, size_t len, const char *wanted)
{
    bytes w = unhex(wanted);
    assert_int_equal(len, w.len);
    assert_memory_equal(found, w.ptr, len);
}

/* tag 60000, an array of 4 bytes of evidence and the claims. */
static bytes around(const char *claims_hex)
{
    bytes c = unhex(claims_hex);
    bytes b = unhex("d9ea60824401020304");
    assert_in_range(c.len, 24, 255);
    b.ptr[b.len++] = 0x58;
    b.ptr[b.len++] = (uint8_t)c.len;
    memcpy(b.ptr + b.len, c.ptr, c.len);
    b.len += c.len;
    return b;
}

static const char *refusal(const bytes *b)
{
    atls_tcg_evidence e;
    atls_err err = {0};
    atls_code rc = atls_tcg_parse(view(b), &e, &err);
    assert_int_equal(rc, err.code);
    assert_true(rc == ATLS_OK || (rc == ATLS_E_INVALID && err.msg[0] != '\0'));
    return rc == ATLS_OK ? "ok" : err.check;
}

/* --- the worked examples --- */

static void claims_of_the_examples(void **state)
{
    (void)state;
    static const struct {
        atls_hash hash;
        bool nonce;
        size_t len;
        const char *claims, *report_data;
    } cases[] = {
        {ATLS_SHA256, false, 51, CLAIMS,
         "85213ce12949cb86ef1f67882e060994601ff9b266d5099fe42334a4bfeff642"},
        {ATLS_SHA256, true, 91, "a2" KEY_NAME ENTRY NONCE "5820" NONCE32,
         "fb2ea6997d1d56344a6008cd5e132ad1fde3fce83c9d1ecca20fe6372e6ddba3"},
        {ATLS_SHA384, false, 67, "a1" KEY_NAME "583482075830" SPKI_SHA384,
         "6fab6c750dca9f2729448a696f2155cceab7a5aa8cd907176854ed7e071920a00ea01c8d44963469c0d71a01"
         "b008cbf1"},
    };
    bytes spki = unhex(SPKI);
    bytes nonce = unhex(NONCE32);
    const atls_tcg_claim more = {{(const uint8_t *)"nonce", 5}, view(&nonce)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *claims = NULL;
        size_t len = 0;
        uint8_t data[64];
        assert_int_equal(atls_tcg_claims_make(cases[i].hash, view(&spki), &more,
                                              cases[i].nonce ? 1 : 0, &claims, &len, NULL),
                         ATLS_OK);
        assert_int_equal(len, cases[i].len);
        assert_hex(claims, len, cases[i].claims);
        assert_int_equal(atls_tcg_report_data(cases[i].hash, (atls_buf){claims, len}, data, NULL),
                         ATLS_OK);
        size_t hash_len = atls_hash_len(cases[i].hash);
        assert_hex(data, hash_len, cases[i].report_data);
        for (size_t k = hash_len; k < 64; k++) {
            assert_int_equal(data[k], 0);
        }
        free(claims);
    }
}

static void text_of_the_key(void **state)
{
    (void)state;
    static const char wanted[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
        "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
        "-----END PUBLIC KEY-----\n";
    bytes spki = unhex(SPKI);
    size_t len = 0;
    char *pem = atls_spki_pem(view(&spki), &len);
    assert_non_null(pem);
    assert_int_equal(len, sizeof wanted);
    assert_memory_equal(pem, wanted, len);
    free(pem);
    uint8_t digest[32];
    assert_int_equal(atls_spki_pem_digest(ATLS_SHA256, view(&spki), digest, NULL), ATLS_OK);
    assert_hex(digest, 32, "65143445312c85c316a8a3d118766ce1b4c986a4d902f33329b7921c7108f263");
}

/* --- reading --- */

static void what_is_read(void **state)
{
    (void)state;
    bytes b = around("a4" KEY_NAME ENTRY "656b65795f30"
                     "41ff" NONCE "420708"
                     "656b65795f31"
                     "40");
    bytes spki = unhex(SPKI);
    atls_tcg_evidence e;
    assert_int_equal(atls_tcg_parse(view(&b), &e, NULL), ATLS_OK);
    assert_int_equal(e.tag, 60000);
    assert_int_equal(e.evidence.len, 4);
    assert_ptr_equal(e.evidence.ptr, b.ptr + 5);
    assert_ptr_equal(e.claims.ptr + e.claims.len, b.ptr + b.len);
    assert_int_equal(e.key_hash, ATLS_SHA256);
    assert_hex(e.key_digest.ptr, e.key_digest.len, SPKI_SHA256);
    assert_true(e.has_nonce);
    assert_hex(e.nonce.ptr, e.nonce.len, "0708");
    assert_int_equal(e.custom_n, 2);
    assert_memory_equal(e.custom[0].name.ptr, "key_0", 5);
    assert_hex(e.custom[0].value.ptr, e.custom[0].value.len, "ff");
    assert_int_equal(e.custom[1].value.len, 0);
    assert_int_equal(atls_tcg_check_key(&e, view(&spki), NULL), ATLS_OK);
    atls_err err = {0};
    spki.ptr[spki.len - 1] ^= 1;
    assert_int_equal(atls_tcg_check_key(&e, view(&spki), &err), ATLS_E_BINDING);
    assert_string_equal(err.check, "tcg.key");
}

#define ONES32 "0101010101010101010101010101010101010101010101010101010101010101"
#define ONES16 "01010101010101010101010101010101"

static void each_rule_alone(void **state)
{
    (void)state;
    static const struct {
        const char *what, *claims, *check;
    } cases[] = {
        {"as it should be", CLAIMS, "ok"},
        {"the number in two bytes",
         "a1" KEY_NAME "5825821801"
         "5820" ONES32,
         "ok"},
        {"the number in nine bytes",
         "a1" KEY_NAME "582c821b0000000000000001"
         "5820" ONES32,
         "ok"},
        {"a map head in two bytes", "b801" KEY_NAME ENTRY, "ok"},
        {"SHA-384", "a1" KEY_NAME "583482075830" ONES32 ONES16, "ok"},
        {"SHA-512", "a1" KEY_NAME "584482085840" ONES32 ONES32, "ok"},
        {"pubkey-hash last", "a2" NONCE "4101" KEY_NAME ENTRY, "ok"},
        {"SHA-256 too short", "a1" KEY_NAME "58238201581f" ONES16 "010101010101010101010101010101",
         "tcg.pubkey_hash"},
        {"SHA-384 with the length of SHA-256", "a1" KEY_NAME "582482075820" ONES32,
         "tcg.pubkey_hash"},
        {"an unknown algorithm", "a1" KEY_NAME "582482025820" ONES32, "tcg.pubkey_hash"},
        {"algorithm 0", "a1" KEY_NAME "582482005820" ONES32, "tcg.pubkey_hash"},
        {"an algorithm below zero", "a1" KEY_NAME "582482205820" ONES32, "tcg.pubkey_hash"},
        {"a hash that is text", "a1" KEY_NAME "582482017820" ONES32, "tcg.pubkey_hash"},
        {"three in the entry", "a1" KEY_NAME "582583015820" ONES32 "01", "tcg.pubkey_hash"},
        {"a byte behind the entry", "a1" KEY_NAME "582582015820" ONES32 "01", "tcg.pubkey_hash"},
        {"an entry that is no array", "a1" KEY_NAME "5820" ONES32, "tcg.pubkey_hash"},
        {"an empty entry",
         "a2" KEY_NAME "40"
         "6161"
         "50" ONES16,
         "tcg.pubkey_hash"},
        {"no pubkey-hash", "a1" NONCE "5820" ONES32, "tcg.pubkey_hash"},
        {"only a part of its name",
         "a1"
         "667075626b6579" ENTRY,
         "tcg.pubkey_hash"},
        {"its name in capitals",
         "a1"
         "6b5075626b65792d68617368" ENTRY,
         "tcg.pubkey_hash"},
        {"pubkey-hash twice", "a2" KEY_NAME ENTRY KEY_NAME ENTRY, "tcg.duplicate"},
        {"nonce twice", "a3" KEY_NAME ENTRY NONCE "4101" NONCE "4101", "tcg.duplicate"},
        {"another twice",
         "a3" KEY_NAME ENTRY "6161"
         "4101"
         "6161"
         "4102",
         "tcg.duplicate"},
        {"another twice, in another width",
         "a3" KEY_NAME ENTRY "6161"
         "4101"
         "780161"
         "4102",
         "tcg.duplicate"},
        {"a value that is text", "a2" KEY_NAME ENTRY NONCE "6101", "tcg.claims"},
        {"a value that is a number", "a2" KEY_NAME ENTRY NONCE "01", "tcg.claims"},
        {"pubkey-hash not wrapped in bytes", "a1" KEY_NAME "82015820" ONES32, "tcg.claims"},
        {"a name that is bytes",
         "a2" KEY_NAME ENTRY "4161"
         "4101",
         "tcg.claims"},
        {"a name that is a number",
         "a2" KEY_NAME ENTRY "01"
         "4101",
         "tcg.claims"},
        {"an empty name",
         "a2" KEY_NAME ENTRY "60"
         "4101",
         "tcg.claims"},
        {"a name that is not UTF-8",
         "a2" KEY_NAME ENTRY "61ff"
         "4101",
         "tcg.claims"},
        {"a map of indefinite length", "bf" KEY_NAME ENTRY "ff", "tcg.claims"},
        {"a value of indefinite length",
         "a2" KEY_NAME ENTRY "6161"
         "5f4101ff",
         "tcg.claims"},
        {"an array", "82" KEY_NAME ENTRY, "tcg.claims"},
        {"a pair less than said", "a2" KEY_NAME ENTRY, "tcg.claims"},
        {"a pair more than said", "a1" KEY_NAME ENTRY NONCE "4101", "tcg.claims"},
        {"a map of 2^63 pairs", "bb8000000000000000" KEY_NAME ENTRY, "tcg.claims"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes b = around(cases[i].claims);
        const char *found = refusal(&b);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].what, found);
        }
        assert_string_equal(found, cases[i].check);
    }
}

static void each_rule_of_the_outside(void **state)
{
    (void)state;
    static const struct {
        const char *what, *head, *tail, *check;
    } cases[] = {
        {"as it should be", "d9ea60824101", "", "ok"},
        {"the tag in nine bytes", "db000000000000ea60824101", "", "ok"},
        {"SNP", "da001a7504824101", "", "ok"},
        {"before the tag was registered", "da001a7501824101", "", "ok"},
        {"a TEE report", "d9ea61824101", "", "tcg.type"},
        {"a local report", "d9ea62824101", "", "tcg.type"},
        {"SEV", "da001a7505824101", "", "tcg.type"},
        {"CSV", "da001a7506824101", "", "tcg.type"},
        {"an unknown tag", "d9ea63824101", "", "tcg.type"},
        {"a tag of one byte", "d2824101", "", "tcg.type"},
        {"a number", "01", "", "tcg.encoding"},
        {"an array without tag", "824101", "", "tcg.encoding"},
        {"a bool", "f5", "", "tcg.encoding"},
        {"an array of three", "d9ea6083410141024101", "", "tcg.cbor"},
        {"an array of one", "d9ea6081", "", "tcg.cbor"},
        {"of indefinite length", "d9ea609f4101", "ff", "tcg.cbor"},
        {"two tags", "d9ea60d9ea60824101", "", "tcg.cbor"},
        {"evidence that is text", "d9ea60826101", "", "tcg.cbor"},
        {"a byte behind", "d9ea60824101", "00", "tcg.cbor"},
        {"a map", "d9ea60a14101", "", "tcg.cbor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s5833%s%s", cases[i].head, CLAIMS, cases[i].tail);
        bytes b = unhex(text);
        const char *found = refusal(&b);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].what, found);
        }
        assert_string_equal(found, cases[i].check);
    }
}

/* Buffers of the given sizes around a pubkey-hash of 36 bytes, claims of 15 more, and evidence: the rest is whatever was there. */
static bytes in_buffers(size_t entry, size_t claims, size_t whole)
{
    bytes b = unhex("d9ea6082440102030459");
    memset(b.ptr + b.len, 0x5a, sizeof b.ptr - b.len);
    b.ptr[b.len++] = (uint8_t)(claims / 256);
    b.ptr[b.len++] = (uint8_t)(claims % 256);
    const bytes head = unhex("a1" KEY_NAME "58");
    const bytes hash = unhex("82015820" SPKI_SHA256);
    memcpy(b.ptr + b.len, head.ptr, head.len);
    b.ptr[b.len + head.len] = (uint8_t)entry;
    memcpy(b.ptr + b.len + head.len + 1, hash.ptr, hash.len);
    b.len = whole;
    return b;
}

/* libcbor before 0.10 says how much it allocated (32 bytes, doubled until it fits), and attesters send that much. */
static void buffers_of_an_older_library(void **state)
{
    (void)state;
    static const struct {
        size_t entry, claims, whole;
        const char *check;
    } cases[] = {
        {64, 128, 256, "ok"},
        {36, 64, 128, "ok"},
        {36, 51, 64, "ok"},
        {36, 51, 128, "tcg.cbor"},
        {37, 128, 256, "tcg.pubkey_hash"},
        {63, 128, 256, "tcg.pubkey_hash"},
        {65, 128, 256, "tcg.pubkey_hash"},
        {128, 256, 512, "tcg.pubkey_hash"},
        {64, 80, 128, "tcg.claims"},
        {64, 127, 256, "tcg.claims"},
        {64, 129, 256, "tcg.claims"},
        {64, 256, 512, "tcg.claims"},
        {64, 128, 141, "tcg.cbor"},
        {64, 128, 255, "tcg.cbor"},
        {64, 128, 257, "tcg.cbor"},
        {64, 128, 512, "tcg.cbor"},
        {64, 128, 128, "tcg.cbor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bytes b = in_buffers(cases[i].entry, cases[i].claims, cases[i].whole);
        const char *found = refusal(&b);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%zu, %zu, %zu: %s\n", cases[i].entry, cases[i].claims, cases[i].whole,
                        found);
        }
        assert_string_equal(found, cases[i].check);
    }
    const bytes b = in_buffers(64, 128, 256);
    const bytes spki = unhex(SPKI);
    atls_tcg_evidence e;
    assert_int_equal(atls_tcg_parse(view(&b), &e, NULL), ATLS_OK);
    assert_int_equal(e.evidence.len, 4);
    assert_int_equal(e.claims.len, 128); /* and all of it is hashed */
    assert_int_equal(e.key_digest.len, 32);
    assert_int_equal(atls_tcg_check_key(&e, view(&spki), NULL), ATLS_OK);
}

static void claims_that_are_text(void **state)
{
    (void)state;
    bytes b = unhex("d9ea60824101"
                    "7833" CLAIMS);
    assert_string_equal(refusal(&b), "tcg.cbor");
}

static void one_wrapping_is_peeled(void **state)
{
    (void)state;
    static const struct {
        const char *what, *head, *tail, *check;
    } cases[] = {
        {"OCTET STRING", "043a", "", "ok"},
        {"SEQUENCE of OCTET STRING", "303c043a", "", "ok"},
        {"OCTET STRING twice", "043c043a", "", "tcg.encoding"},
        {"SEQUENCE twice", "303e303c043a", "", "tcg.encoding"},
        {"SEQUENCE alone", "303a", "", "tcg.encoding"},
        {"OCTET STRING with a byte behind", "043a", "00", "tcg.encoding"},
        {"SEQUENCE with a byte behind", "303c043a", "00", "tcg.encoding"},
        {"OCTET STRING that is longer", "043b", "", "tcg.encoding"},
        {"UTF8String", "0c3a", "", "tcg.encoding"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        /* 58 bytes: tag, array, two bytes of evidence, claims */
        (void)snprintf(text, sizeof text, "%sd9ea6082405833%s%s", cases[i].head, CLAIMS,
                       cases[i].tail);
        bytes b = unhex(text);
        const char *found = refusal(&b);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].what, found);
        }
        assert_string_equal(found, cases[i].check);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    bytes b = around("a2" KEY_NAME ENTRY NONCE "5820" ONES32);
    bytes less = b;
    for (less.len = 0; less.len < b.len; less.len++) {
        assert_string_not_equal(refusal(&less), "ok");
    }
    assert_string_equal(refusal(&b), "ok");
    b.ptr[b.len++] = 0;
    assert_string_equal(refusal(&b), "tcg.cbor");
}

static void sizes_and_counts(void **state)
{
    (void)state;
    atls_tcg_evidence e;
    atls_err err = {0};
    static uint8_t large[ATLS_TCG_MAX_LEN + 1];
    assert_int_equal(atls_tcg_parse((atls_buf){large, sizeof large}, &e, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tcg.size");
    assert_int_equal(atls_tcg_parse((atls_buf){NULL, 0}, &e, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tcg.size");

    /* 32 claims beside pubkey-hash and nonce are taken, 33 not. */
    bytes spki = unhex(SPKI);
    atls_tcg_claim more[ATLS_TCG_CLAIMS_MAX];
    uint8_t names[ATLS_TCG_CLAIMS_MAX];
    for (size_t i = 0; i < ATLS_TCG_CLAIMS_MAX; i++) {
        names[i] = (uint8_t)('A' + i);
        more[i] = (atls_tcg_claim){{names + i, 1}, {names, 1}};
    }
    uint8_t *claims = NULL, *made = NULL;
    size_t len = 0, made_len = 0;
    assert_int_equal(atls_tcg_claims_make(ATLS_SHA256, view(&spki), more, ATLS_TCG_CLAIMS_MAX,
                                          &claims, &len, NULL),
                     ATLS_OK);
    static const uint8_t evidence[200];
    assert_int_equal(atls_tcg_make(ATLS_TCG_TAG_INTEL, (atls_buf){evidence, sizeof evidence},
                                   (atls_buf){claims, len}, &made, &made_len, NULL),
                     ATLS_OK);
    assert_int_equal(atls_tcg_parse((atls_buf){made, made_len}, &e, NULL), ATLS_OK);
    assert_int_equal(e.custom_n, ATLS_TCG_CLAIMS_MAX);
    free(made);

    uint8_t *grown = calloc(1, len + 4);
    memcpy(grown, claims, len);
    memcpy(grown + len, "\x61\x20\x41\x01", 4);
    grown[1]++; /* b8 21 -> b8 22: 34 pairs, 33 beside pubkey-hash */
    assert_int_equal(atls_tcg_make(ATLS_TCG_TAG_INTEL, (atls_buf){evidence, sizeof evidence},
                                   (atls_buf){grown, len + 4}, &made, &made_len, NULL),
                     ATLS_OK);
    assert_int_equal(atls_tcg_parse((atls_buf){made, made_len}, &e, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tcg.claims");
    free(made);
    free(grown);
    free(claims);
}

/* --- what may be made --- */

static void what_peers_take(void **state)
{
    (void)state;
    static const uint8_t space[8193];
    static const struct {
        size_t evidence, claims;
        atls_code code;
    } cases[] = {
        {8192, 51, ATLS_E_USAGE}, /* the extension is too long */
        {8132, 51, ATLS_OK},      /* 8192 together */
        {8133, 51, ATLS_E_USAGE},  {8193, 0, ATLS_E_USAGE},
        {196, 51, ATLS_E_USAGE},   {197, 51, ATLS_OK}, /* 256 together */
        {300, 8193, ATLS_E_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *out = NULL;
        size_t len = 0;
        atls_err err = {0};
        assert_int_equal(atls_tcg_make(ATLS_TCG_TAG_INTEL, (atls_buf){space, cases[i].evidence},
                                       (atls_buf){space, cases[i].claims}, &out, &len, &err),
                         cases[i].code);
        if (cases[i].code == ATLS_OK) {
            assert_true(len == 256 || len == 8192);
            assert_memory_equal(out, "\xd9\xea\x60\x82", 4);
        } else {
            assert_string_equal(err.check, "tcg.make");
        }
        free(out);
    }
}

static void names_that_may_not_be_claimed(void **state)
{
    (void)state;
    bytes spki = unhex(SPKI);
    const atls_buf a = {(const uint8_t *)"a", 1};
    const atls_buf own = {(const uint8_t *)"pubkey-hash", 11};
    const atls_tcg_claim cases[][2] = {
        {{a, a}, {a, a}}, {{own, a}, {a, a}}, {{{NULL, 0}, a}, {a, a}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *out = NULL;
        size_t len = 0;
        atls_err err = {0};
        assert_int_equal(
            atls_tcg_claims_make(ATLS_SHA256, view(&spki), cases[i], 2, &out, &len, &err),
            ATLS_E_USAGE);
        assert_string_equal(err.check, "tcg.make");
        assert_null(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_of_the_examples),
        cmocka_unit_test(text_of_the_key),
        cmocka_unit_test(what_is_read),
        cmocka_unit_test(each_rule_alone),
        cmocka_unit_test(each_rule_of_the_outside),
        cmocka_unit_test(buffers_of_an_older_library),
        cmocka_unit_test(claims_that_are_text),
        cmocka_unit_test(one_wrapping_is_peeled),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(sizes_and_counts),
        cmocka_unit_test(what_peers_take),
        cmocka_unit_test(names_that_may_not_be_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
