/* Keys of collateral have one spelling, and an item as bytes comes back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/item.h"

#define QEID   "00112233445566778899aabbccddeeff"
#define HWID64 QEID QEID QEID QEID

static const struct {
    const char *key;
    atls_item_kind kind;
    atls_family family;
} good[] = {
    {"intel/tcb/sgx/00606a000000", ATLS_ITEM_TCB_INFO, ATLS_FAMILY_INTEL},
    {"intel/tcb/tdx/00806f050000/early", ATLS_ITEM_TCB_INFO, ATLS_FAMILY_INTEL},
    {"intel/tcb/tdx/00806f050000/17", ATLS_ITEM_TCB_INFO, ATLS_FAMILY_INTEL},
    {"intel/tcb/tdx/00806f050000/4294967295", ATLS_ITEM_TCB_INFO, ATLS_FAMILY_INTEL},
    {"intel/qe/sgx", ATLS_ITEM_QE_IDENTITY, ATLS_FAMILY_INTEL},
    {"intel/qe/tdx/early", ATLS_ITEM_QE_IDENTITY, ATLS_FAMILY_INTEL},
    {"intel/qe/tdx/1", ATLS_ITEM_QE_IDENTITY, ATLS_FAMILY_INTEL},
    {"intel/pckcrl/platform", ATLS_ITEM_PCK_CRL, ATLS_FAMILY_INTEL},
    {"intel/pckcrl/processor", ATLS_ITEM_PCK_CRL, ATLS_FAMILY_INTEL},
    {"intel/rootcrl", ATLS_ITEM_ROOT_CRL, ATLS_FAMILY_INTEL},
    {"intel/pck/" QEID "/" QEID "/0d00/0000", ATLS_ITEM_PCK_CERT, ATLS_FAMILY_INTEL},
    {"amd/vcek/Milan/" HWID64 "/0400000000000ad1", ATLS_ITEM_VCEK, ATLS_FAMILY_AMD},
    {"amd/vcek/Genoa/" HWID64 "/0400000000000ad1", ATLS_ITEM_VCEK, ATLS_FAMILY_AMD},
    {"amd/vcek/Turin/0011223344556677/0400000000000ad1", ATLS_ITEM_VCEK, ATLS_FAMILY_AMD},
    {"amd/chain/vcek/Milan", ATLS_ITEM_AMD_CHAIN, ATLS_FAMILY_AMD},
    {"amd/chain/vlek/Turin", ATLS_ITEM_AMD_CHAIN, ATLS_FAMILY_AMD},
    {"amd/crl/vcek/Genoa", ATLS_ITEM_AMD_CRL, ATLS_FAMILY_AMD},
    {"amd/crl/vlek/Genoa", ATLS_ITEM_AMD_CRL, ATLS_FAMILY_AMD},
    {"jwks/https%3a%2f%2fattest.example%3a8443%2fa-b_c.d~e", ATLS_ITEM_JWKS, ATLS_FAMILY_INTEL},
};

static void keys_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        atls_item_name name;
        char key[ATLS_ITEM_KEY_LEN];
        atls_code rc = atls_item_name_parse(good[i].key, &name, NULL);
        assert_int_equal(rc, ATLS_OK);
        assert_int_equal(name.kind, good[i].kind);
        assert_int_equal(atls_item_family(name.kind), good[i].family);
        atls_item_name_format(&name, key);
        assert_string_equal(key, good[i].key);
    }
}

static void members_are_what_the_key_says(void **state)
{
    (void)state;
    atls_item_name n;
    assert_int_equal(atls_item_name_parse("intel/tcb/tdx/00806f050000/17", &n, NULL), ATLS_OK);
    assert_true(n.is_tdx && n.channel == ATLS_CHANNEL_NUMBER && n.number == 17);
    assert_memory_equal(n.fmspc, "\x00\x80\x6f\x05\x00\x00", 6);
    assert_int_equal(atls_item_name_parse("intel/qe/sgx/early", &n, NULL), ATLS_OK);
    assert_true(!n.is_tdx && n.channel == ATLS_CHANNEL_EARLY && n.number == 0);
    assert_int_equal(atls_item_name_parse("intel/pckcrl/processor", &n, NULL), ATLS_OK);
    assert_true(n.is_processor);
    assert_int_equal(atls_item_name_parse("intel/pck/" QEID "/" QEID "/0d01/0203", &n, NULL),
                     ATLS_OK);
    assert_memory_equal(n.pcesvn, "\x0d\x01", 2);
    assert_memory_equal(n.pceid, "\x02\x03", 2);
    assert_int_equal(n.qeid[15], 0xff);
    assert_int_equal(n.cpusvn[1], 0x11);
    assert_int_equal(
        atls_item_name_parse("amd/vcek/Turin/0011223344556677/0400000000000ad1", &n, NULL),
        ATLS_OK);
    assert_true(n.product == ATLS_AMD_TURIN && n.hwid_len == 8 && n.hwid[7] == 0x77);
    assert_int_equal(n.tcb[7], 0xd1);
    assert_int_equal(atls_item_name_parse("amd/crl/vlek/Genoa", &n, NULL), ATLS_OK);
    assert_true(n.is_vlek && n.product == ATLS_AMD_GENOA);
    assert_int_equal(atls_item_name_parse("jwks/https%3a%2f%2fa.b", &n, NULL), ATLS_OK);
    assert_string_equal(n.issuer, "https://a.b");
}

static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "intel",
        "intel/",
        "intel/other",
        "Intel/rootcrl",
        "intel/rootcrl/",
        "intel/rootcrl/x",
        "/intel/rootcrl",
        "intel//rootcrl",
        "intel/tcb/tdx",
        "intel/tcb/tdx/",
        "intel/tcb/tpm/00806f050000",
        "intel/tcb/tdx/00806F050000",
        "intel/tcb/tdx/00806f0500",
        "intel/tcb/tdx/00806f05000000",
        "intel/tcb/tdx/00806f05000g",
        "intel/tcb/tdx/00806f050000/",
        "intel/tcb/tdx/00806f050000/standard",
        "intel/tcb/tdx/00806f050000/0",
        "intel/tcb/tdx/00806f050000/017",
        "intel/tcb/tdx/00806f050000/+17",
        "intel/tcb/tdx/00806f050000/4294967296",
        "intel/tcb/tdx/00806f050000/18446744073709551633",
        "intel/tcb/tdx/00806f050000/early/",
        "intel/tcb/tdx/00806f050000/early/17",
        "intel/qe/",
        "intel/qe/sgx/late",
        "intel/pckcrl/root",
        "intel/pckcrl",
        "intel/pck/" QEID "/" QEID "/0d00",
        "intel/pck/" QEID "/" QEID "/0d00/0000/00",
        "intel/pck/" QEID QEID "/" QEID "/0d00/0000",
        "amd/vcek/Milan-B0/" HWID64 "/0400000000000ad1",
        "amd/vcek/milan/" HWID64 "/0400000000000ad1",
        "amd/vcek/Venice/0011223344556677/0400000000000ad1",
        "amd/vcek/Milan/0011223344556677/0400000000000ad1",
        "amd/vcek/Turin/" HWID64 "/0400000000000ad1",
        "amd/vcek/Turin/0011223344556677/04000000000ad1",
        "amd/chain/asvk/Milan",
        "amd/crl/vcek",
        "amd/crl/vcek/Milan/",
        "jwks/",
        "jwks/https://a.b",
        "jwks/https%3A%2F%2Fa.b",
        "jwks/%61",
        "jwks/a%",
        "jwks/a%3",
        "jwks/a%zz",
        "jwks/a%00b",
        "jwks/a%20b",
        "jwks/a%0ab",
        "jwks/a%ffb",
        "jwks/a/b",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_item_name name;
        atls_err err = {0};
        assert_int_equal(atls_item_name_parse(bad[i], &name, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "item.key");
    }
}

static void the_longest_issuer(void **state)
{
    (void)state;
    char key[ATLS_ITEM_KEY_LEN + 1];
    atls_item_name name;
    memset(key, 'a', sizeof key);
    memcpy(key, "jwks/", 5);
    key[ATLS_ITEM_KEY_LEN] = '\0';
    assert_int_equal(atls_item_name_parse(key, &name, NULL), ATLS_E_USAGE);
    key[ATLS_ITEM_KEY_LEN - 1] = '\0';
    assert_int_equal(atls_item_name_parse(key, &name, NULL), ATLS_OK);
    memset(name.issuer, '/', 200); /* three characters each: too long as a key */
    atls_item_name_format(&name, key);
    assert_string_equal(key, "");
}

/* --- the container --- */

static const atls_item sample = {
    "intel/rootcrl",
    {(const uint8_t *)"the chain", 9},
    {(const uint8_t *)"the body", 8},
};

static size_t encode(const atls_item *item, uint8_t *space, size_t cap)
{
    atls_writer w = atls_writer_of(space, cap);
    atls_item_encode(item, &w);
    return atls_writer_done(&w).len;
}

/* From memory that ends where the bytes do. */
static atls_code decode(const uint8_t *bytes, size_t len, atls_item *out, atls_err *err)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, bytes, len);
    atls_code rc = atls_item_decode((atls_buf){exact, len}, out, err);
    free(exact);
    return rc;
}

static void items_come_back(void **state)
{
    (void)state;
    uint8_t space[128];
    const atls_item samples[] = {sample, {"k", {NULL, 0}, {NULL, 0}}};
    for (size_t i = 0; i < 2; i++) {
        atls_item out;
        size_t len = encode(&samples[i], space, sizeof space);
        assert_int_equal(len, atls_item_encoded_len(&samples[i]));
        assert_int_equal(atls_item_decode((atls_buf){space, len}, &out, NULL), ATLS_OK);
        assert_string_equal(out.key, samples[i].key);
        assert_int_equal(out.chain.len, samples[i].chain.len);
        assert_int_equal(out.body.len, samples[i].body.len);
        if (i == 0) {
            assert_memory_equal(space, "ATLSITEM\x0e\0\x09\0\0\0\x08\0\0\0", 18);
            assert_memory_equal(out.chain.ptr, "the chain", 9);
            assert_memory_equal(out.body.ptr, "the body", 8);
        }
        assert_int_equal(encode(&samples[i], space, len - 1), 0);
    }
}

static void every_truncation_and_one_more(void **state)
{
    (void)state;
    uint8_t space[128] = {0};
    atls_item out;
    size_t len = encode(&sample, space, sizeof space);
    for (size_t cut = 0; cut <= len + 1; cut++) {
        atls_err err = {0};
        if (cut == len) {
            continue;
        }
        assert_int_equal(decode(space, cut, &out, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "item.form");
    }
}

static void each_field_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } bad[] = {
        {"another begin", 0, 'a'},
        {"another end of the begin", 7, 'N'},
        {"no key", 8, 0},
        {"a key of nothing but NUL", 8, 1},
        {"a key that ends before its NUL", 8, 13},
        {"a key longer than any", 9, 2},
        {"a chain longer than any", 13, 1},
        {"a body longer than any", 17, 1},
        {"a chain that ends elsewhere", 10, 8},
        {"a body that ends elsewhere", 14, 9},
        {"a NUL in the key", 18, 0},
        {"a space in the key", 19, ' '},
        {"a character past ASCII in the key", 20, 0x80},
        {"a control character in the key", 20, 0x7f},
        {"a key without NUL", 31, 'x'},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t space[128];
        atls_item out;
        atls_err err = {0};
        size_t len = encode(&sample, space, sizeof space);
        space[bad[i].at] = bad[i].value;
        assert_int_equal(decode(space, len, &out, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "item.form");
    }
}

static void maxima(void **state)
{
    (void)state;
    const size_t most = ATLS_ITEM_MAX_LEN + 8;
    uint8_t *space = malloc(most);
    uint8_t *zeros = calloc(1, ATLS_ITEM_BODY_MAX + 1);
    char key[ATLS_ITEM_KEY_LEN + 1];
    memset(key, 'k', sizeof key);
    key[ATLS_ITEM_KEY_LEN - 1] = '\0';
    atls_item item = {key, {zeros, ATLS_ITEM_CHAIN_MAX}, {zeros, ATLS_ITEM_BODY_MAX}};
    atls_item out;
    assert_int_equal(encode(&item, space, most), ATLS_ITEM_MAX_LEN);
    assert_int_equal(decode(space, ATLS_ITEM_MAX_LEN, &out, NULL), ATLS_OK);
    item.body.len++;
    assert_int_equal(encode(&item, space, most), 0);
    item.body.len--;
    item.chain.len++;
    assert_int_equal(encode(&item, space, most), 0);
    item.chain.len--;
    key[ATLS_ITEM_KEY_LEN - 1] = 'k';
    key[ATLS_ITEM_KEY_LEN] = '\0';
    assert_int_equal(encode(&item, space, most), 0);
    free(zeros);
    free(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back),
        cmocka_unit_test(members_are_what_the_key_says),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(the_longest_issuer),
        cmocka_unit_test(items_come_back),
        cmocka_unit_test(every_truncation_and_one_more),
        cmocka_unit_test(each_field_wrong),
        cmocka_unit_test(maxima),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
