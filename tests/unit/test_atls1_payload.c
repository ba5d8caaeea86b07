/* The payload of atls/1: there and back, and each way of not being the one form it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/atls1.h"
#include "codec/cbor.h"

#define SPACE 2048
#define TYPE_TDX                                                                                   \
    "6474797065"                                                                                   \
    "63746478"
#define QUOTE                                                                                      \
    "6571756f7465"                                                                                 \
    "42abcd"
#define EVENTS                                                                                     \
    "696576656e745f6c6f67"                                                                         \
    "41ee"
#define PATH                                                                                       \
    "6470617468"                                                                                   \
    "40"
#define SIZE                                                                                       \
    "6473697a65"                                                                                   \
    "01"
#define INDEX                                                                                      \
    "65696e646578"                                                                                 \
    "00"
#define A_LENGTH "716174746163686d656e745f6c656e677468"
#define A_SHA256 "716174746163686d656e745f736861323536"
#define HASH     "5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static atls_buf unhex(const char *hex, uint8_t *space)
{
    size_t len = 0;
    assert_true(atls_hex_decode(hex, strlen(hex), space, SPACE, &len));
    return (atls_buf){space, len};
}

/* The record around a map. */
static atls_buf wrap(atls_buf map, uint8_t *space)
{
    static const char media_type[] = ATLS1_MEDIA_TYPE;
    atls_writer w = atls_writer_of(space, SPACE);
    atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, 3);
    atls_cbor_write_string(&w, ATLS_CBOR_TEXT,
                           (atls_buf){(const uint8_t *)media_type, sizeof media_type - 1});
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, map);
    atls_cbor_write_head(&w, ATLS_CBOR_UINT, 4);
    return atls_writer_done(&w);
}

/* The check that refuses, or "ok"; a refusal leaves out as it was. */
static const char *judge(atls_buf cmw)
{
    atls1_payload p;
    memset(&p, 0x5a, sizeof p);
    const atls1_payload before = p;
    atls_err err = {0};
    if (atls1_payload_parse(cmw, &p, &err) == ATLS_OK) {
        return "ok";
    }
    assert_memory_equal(&p, &before, sizeof p);
    assert_int_equal(err.code, ATLS_E_INVALID);
    return err.check;
}

static void the_map_is_judged_member_by_member(void **state)
{
    (void)state;
    static const struct {
        const char *what, *map, *check;
    } cases[] = {
        {"good", "a2" TYPE_TDX QUOTE, "ok"},
        {"good, with an event log", "a3" TYPE_TDX QUOTE EVENTS, "ok"},
        {"good, batched", "a5" PATH SIZE TYPE_TDX INDEX QUOTE, "ok"},
        {"good, with attachment", "a4" TYPE_TDX QUOTE A_LENGTH "01" A_SHA256 HASH, "ok"},
        {"good, with everything",
         "a8" PATH SIZE TYPE_TDX INDEX QUOTE EVENTS A_LENGTH "1a00080000" A_SHA256 HASH, "ok"},
        {"a number of five bytes that fits in one",
         "a5" PATH SIZE TYPE_TDX "65696e646578"
         "1a00000000" QUOTE,
         "payload.cbor"},
        {"no bytes at all", "", "payload.cbor"},
        {"a byte behind the map", "a2" TYPE_TDX QUOTE "00", "payload.cbor"},
        {"one member too few", "a3" TYPE_TDX QUOTE, "payload.cbor"},
        {"one member too many", "a1" TYPE_TDX QUOTE, "payload.cbor"},
        {"map of indefinite length", "bf" TYPE_TDX QUOTE "ff", "payload.cbor"},
        {"count in two bytes", "b802" TYPE_TDX QUOTE, "payload.cbor"},
        {"length of a string in two bytes",
         "a2" TYPE_TDX "6571756f7465"
         "5802abcd",
         "payload.cbor"},
        {"quote in pieces",
         "a2" TYPE_TDX "6571756f7465"
         "5f41ab41cdff",
         "payload.cbor"},
        {"a tag",
         "a2" TYPE_TDX "6571756f7465"
         "c042abcd",
         "payload.cbor"},
        {"null",
         "a2" TYPE_TDX "6571756f7465"
         "f6",
         "payload.cbor"},
        {"an array instead of a map", "82" TYPE_TDX, "payload.member"},
        {"an empty map", "a0", "payload.type"},
        {"17 members", "b1" TYPE_TDX QUOTE, "payload.member"},
        {"2^64 - 1 members", "bbffffffffffffffff", "payload.member"},
        {"a number as name",
         "a3"
         "00"
         "00" TYPE_TDX QUOTE,
         "payload.member"},
        {"bytes as name",
         "a3"
         "4161"
         "00" TYPE_TDX QUOTE,
         "payload.member"},
        {"a map inside",
         "a2" TYPE_TDX "6571756f7465"
         "a0",
         "payload.member"},
        {"an array inside",
         "a2" TYPE_TDX "6571756f7465"
         "80",
         "payload.member"},
        {"quote before type", "a2" QUOTE TYPE_TDX, "payload.order"},
        {"size before path", "a5" SIZE PATH TYPE_TDX INDEX QUOTE, "payload.order"},
        {"quote twice", "a3" TYPE_TDX QUOTE QUOTE, "payload.duplicate"},
        {"type twice", "a3" TYPE_TDX TYPE_TDX QUOTE, "payload.duplicate"},
        {"no type", "a1" QUOTE, "payload.type"},
        {"an unknown type",
         "a2"
         "6474797065"
         "63746479" QUOTE,
         "payload.type"},
        {"type with a NUL",
         "a2"
         "6474797065"
         "6474647800" QUOTE,
         "payload.type"},
        {"type as bytes",
         "a2"
         "6474797065"
         "43746478" QUOTE,
         "payload.type"},
        {"an unknown member",
         "a3" TYPE_TDX "65686578616d"
         "41ee" QUOTE,
         "payload.member"},
        {"a part of another type",
         "a3" TYPE_TDX QUOTE "667265706f7274"
         "41ee",
         "payload.member"},
        {"quote as text",
         "a2" TYPE_TDX "6571756f7465"
         "626162",
         "payload.member"},
        {"quote as number",
         "a2" TYPE_TDX "6571756f7465"
         "07",
         "payload.member"},
        {"an empty quote",
         "a2" TYPE_TDX "6571756f7465"
         "40",
         "payload.member"},
        {"no quote", "a2" TYPE_TDX EVENTS, "payload.missing"},
        {"a type alone", "a1" TYPE_TDX, "payload.missing"},
        {"index alone", "a3" TYPE_TDX INDEX QUOTE, "payload.batch"},
        {"no path", "a4" SIZE TYPE_TDX INDEX QUOTE, "payload.batch"},
        {"no index", "a4" PATH SIZE TYPE_TDX QUOTE, "payload.batch"},
        {"no size", "a4" PATH TYPE_TDX INDEX QUOTE, "payload.batch"},
        {"index as bytes",
         "a5" PATH SIZE TYPE_TDX "65696e646578"
         "4100" QUOTE,
         "payload.batch"},
        {"index of 33 bits",
         "a5" PATH SIZE TYPE_TDX "65696e646578"
         "1b0000000100000000" QUOTE,
         "payload.batch"},
        {"size of 33 bits",
         "a5" PATH "6473697a65"
         "1b0000000100000001" TYPE_TDX INDEX QUOTE,
         "payload.batch"},
        {"path as text",
         "a5"
         "6470617468"
         "60" SIZE TYPE_TDX INDEX QUOTE,
         "payload.batch"},
        {"attachment without hash", "a3" TYPE_TDX QUOTE A_LENGTH "01", "payload.attachment"},
        {"attachment without length", "a3" TYPE_TDX QUOTE A_SHA256 HASH, "payload.attachment"},
        {"an empty attachment", "a4" TYPE_TDX QUOTE A_LENGTH "00" A_SHA256 HASH,
         "payload.attachment"},
        {"an attachment of 512 KiB and a byte",
         "a4" TYPE_TDX QUOTE A_LENGTH "1a00080001" A_SHA256 HASH, "payload.attachment"},
        {"a hash of 31 bytes",
         "a4" TYPE_TDX QUOTE A_LENGTH "01" A_SHA256
         "581f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
         "payload.attachment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t map[SPACE], space[SPACE];
        const char *check = judge(wrap(unhex(cases[i].map, map), space));
        if (strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
    }
}

static void the_record_is_judged(void **state)
{
    (void)state;
    uint8_t map_space[SPACE], space[SPACE];
    const atls_buf map = unhex("a2" TYPE_TDX QUOTE, map_space);
    static const struct {
        const char *what;
        unsigned count;
        const char *media_type;
        atls_cbor_kind value;
        unsigned kind;
        const char *check;
    } cases[] = {
        {"good", 3, ATLS1_MEDIA_TYPE, ATLS_CBOR_BYTES, 4, "ok"},
        {"without its kind", 2, ATLS1_MEDIA_TYPE, ATLS_CBOR_BYTES, 4, "payload.record"},
        {"four items", 4, ATLS1_MEDIA_TYPE, ATLS_CBOR_BYTES, 4, "payload.record"},
        {"another media type", 3, "application/eat+cwt", ATLS_CBOR_BYTES, 4, "payload.record"},
        {"media type in capitals", 3, "Application/vnd.atls.evidence+cbor", ATLS_CBOR_BYTES, 4,
         "payload.record"},
        {"value as text", 3, ATLS1_MEDIA_TYPE, ATLS_CBOR_TEXT, 4, "payload.record"},
        {"an attestation result", 3, ATLS1_MEDIA_TYPE, ATLS_CBOR_BYTES, 8, "payload.record"},
        {"evidence and result", 3, ATLS1_MEDIA_TYPE, ATLS_CBOR_BYTES, 12, "payload.record"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_writer w = atls_writer_of(space, sizeof space);
        atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, cases[i].count);
        atls_cbor_write_string(
            &w, ATLS_CBOR_TEXT,
            (atls_buf){(const uint8_t *)cases[i].media_type, strlen(cases[i].media_type)});
        atls_cbor_write_string(&w, cases[i].value, map);
        atls_cbor_write_head(&w, ATLS_CBOR_UINT, cases[i].kind);
        const char *check = judge(atls_writer_done(&w));
        if (strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
    }
    assert_string_equal(judge(map), "payload.record"); /* the map bare */
    assert_string_equal(judge((atls_buf){NULL, 0}), "payload.cbor");
}

static void every_truncation_and_one_byte_more_are_refused(void **state)
{
    (void)state;
    uint8_t map_space[SPACE], map_cut[SPACE], space[SPACE], outer[SPACE];
    const atls_buf map =
        unhex("a8" PATH SIZE TYPE_TDX INDEX QUOTE EVENTS A_LENGTH "01" A_SHA256 HASH, map_space);
    const atls_buf good = wrap(map, space);
    assert_string_equal(judge(good), "ok");
    for (size_t len = 0; len < good.len; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut + 1, good.ptr, len);
        assert_string_equal(judge((atls_buf){cut + 1, len}), "payload.cbor");
        free(cut);
    }
    for (size_t len = 0; len < map.len; len++) {
        memcpy(map_cut, map.ptr, len);
        assert_string_equal(judge(wrap((atls_buf){map_cut, len}, outer)), "payload.cbor");
    }
    memcpy(outer, good.ptr, good.len);
    outer[good.len] = 0;
    assert_string_equal(judge((atls_buf){outer, good.len + 1}), "payload.cbor");
    uint8_t *big = calloc(1, ATLS_EA_CMW_MAX + 1);
    assert_string_equal(judge((atls_buf){big, ATLS_EA_CMW_MAX + 1}), "payload.size");
    assert_string_equal(judge((atls_buf){big, ATLS_EA_CMW_MAX}), "payload.record");
    free(big);
}

/* Whatever is taken is in its one form: written again it gives the same bytes. */
static void flipped_bits_are_refused_or_kept(void **state)
{
    (void)state;
    uint8_t map[SPACE], space[SPACE];
    const atls_buf good = wrap(
        unhex("a8" PATH SIZE TYPE_TDX INDEX QUOTE EVENTS A_LENGTH "01" A_SHA256 HASH, map), space);
    for (size_t at = 0; at < good.len; at++) {
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            space[at] ^= (uint8_t)bit;
            atls1_payload p;
            if (atls1_payload_parse(good, &p, NULL) == ATLS_OK) {
                uint8_t *again = NULL;
                size_t len = 0;
                assert_int_equal(atls1_payload_encode(&p, &again, &len, NULL), ATLS_OK);
                assert_int_equal(len, good.len);
                assert_memory_equal(again, space, len);
                free(again);
            }
            space[at] ^= (uint8_t)bit;
        }
    }
}

static void evidence_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t quote[5000], log[300], path[64], hash[32];
    memset(quote, 1, sizeof quote);
    memset(log, 2, sizeof log);
    memset(path, 3, sizeof path);
    memset(hash, 4, sizeof hash);
    atls1_payload in = {.batched = true, .index = 2, .size = 3, .path = {path, 64}};
    in.evidence.type = "tdx";
    in.evidence.parts_n = 2; /* in another order than the verifier's */
    in.evidence.parts[0].name = "event_log";
    in.evidence.parts[0].bytes = (atls_buf){log, sizeof log};
    in.evidence.parts[1].name = "quote";
    in.evidence.parts[1].bytes = (atls_buf){quote, sizeof quote};
    in.has_attachment = true;
    in.attachment_len = ATLS1_ATTACHMENT_MAX;
    memcpy(in.attachment_sha256, hash, 32);
    uint8_t *cmw = NULL;
    size_t len = 0;
    assert_int_equal(atls1_payload_encode(&in, &cmw, &len, NULL), ATLS_OK);
    atls1_payload out;
    assert_int_equal(atls1_payload_parse((atls_buf){cmw, len}, &out, NULL), ATLS_OK);
    assert_string_equal(out.evidence.type, "tdx");
    assert_int_equal(out.evidence.parts_n, 2);
    assert_string_equal(out.evidence.parts[0].name, "quote");
    assert_int_equal(out.evidence.parts[0].bytes.len, sizeof quote);
    assert_memory_equal(out.evidence.parts[0].bytes.ptr, quote, sizeof quote);
    assert_string_equal(out.evidence.parts[1].name, "event_log");
    assert_memory_equal(out.evidence.parts[1].bytes.ptr, log, sizeof log);
    assert_true(out.batched && out.has_attachment);
    assert_int_equal(out.index, 2);
    assert_int_equal(out.size, 3);
    assert_int_equal(out.path.len, 64);
    assert_int_equal(out.attachment_len, ATLS1_ATTACHMENT_MAX);
    assert_memory_equal(out.attachment_sha256, hash, 32);
    free(cmw);
}

static void what_a_peer_would_refuse_is_not_written(void **state)
{
    (void)state;
    static uint8_t large[70000];
    const struct {
        const char *what;
        atls_evidence_blob blob;
        const char *check;
    } cases[] = {
        {"good", {"tdx", 1, {{"quote", large, 5000}}}, "ok"},
        {"the largest", {"sgx", 1, {{"quote", large, 65529 - 60}}}, "ok"},
        {"one byte larger", {"sgx", 1, {{"quote", large, 65529 - 59}}}, "payload.size"},
        {"much larger", {"sgx", 1, {{"quote", large, sizeof large}}}, "payload.size"},
        {"too large together",
         {"sgx", 2, {{"quote", large, 40000}, {"event_log", large, 40000}}},
         "payload.size"},
        {"unknown type", {"sim", 1, {{"quote", large, 1}}}, "payload.type"},
        {"no type", {"", 1, {{"quote", large, 1}}}, "payload.type"},
        {"no parts", {"tdx", 0, {{"", NULL, 0}}}, "payload.missing"},
        {"an empty part", {"tdx", 1, {{"quote", large, 0}}}, "payload.member"},
        {"a part of another type", {"tdx", 1, {{"report", large, 1}}}, "payload.member"},
        {"a member's name", {"tdx", 1, {{"type", large, 1}}}, "payload.duplicate"},
        {"a part twice",
         {"tdx", 2, {{"quote", large, 1}, {"quote", large, 1}}},
         "payload.duplicate"},
        {"eleven parts", {"tdx", 11, {{"quote", large, 1}}}, "payload.member"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *out = NULL;
        size_t len = 0;
        atls_err err = {0};
        atls_code rc = atls1_payload_build(&cases[i].blob, &out, &len, &err);
        const char *check = rc == ATLS_OK ? "ok" : err.check;
        if (strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
        if (rc == ATLS_OK) {
            assert_true(len <= ATLS_EA_CMW_MAX);
            assert_string_equal(judge((atls_buf){out, len}), "ok");
        } else {
            assert_int_equal(rc, ATLS_E_USAGE);
            assert_int_equal(err.code, ATLS_E_USAGE);
            assert_null(out);
        }
        free(out);
    }
    /* Parts without name or type, and a batch that no peer reads. */
    atls1_payload p = {0};
    uint8_t *out = NULL;
    size_t len = 0;
    atls_err err = {0};
    assert_int_equal(atls1_payload_encode(&p, &out, &len, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "payload.type");
    p.evidence.type = "tdx";
    p.evidence.parts_n = 1;
    p.evidence.parts[0].bytes = (atls_buf){large, 1};
    assert_int_equal(atls1_payload_encode(&p, &out, &len, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "payload.member");
    p.evidence.parts[0].name = "quote";
    p.batched = true;
    p.path = (atls_buf){large, ATLS1_PATH_MAX + 1};
    assert_int_equal(atls1_payload_encode(&p, &out, &len, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "payload.batch");
    p.path.len = ATLS1_PATH_MAX;
    assert_int_equal(atls1_payload_encode(&p, &out, &len, &err), ATLS_OK);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_is_judged_member_by_member),
        cmocka_unit_test(the_record_is_judged),
        cmocka_unit_test(every_truncation_and_one_byte_more_are_refused),
        cmocka_unit_test(flipped_bits_are_refused_or_kept),
        cmocka_unit_test(evidence_goes_there_and_back),
        cmocka_unit_test(what_a_peer_would_refuse_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
