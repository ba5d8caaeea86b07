/* Constellation's documents: the worked examples byte for byte, each form read, and each thing wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/constellation_document.h"

/* P-256's base point, and the nonce 00 01 ... 1f (section 1.6). */
#define SPKI                                                                                       \
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d" \
    "812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

static uint8_t user_data[32], nonce[32];

static atls_buf text_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void expect_hex(const uint8_t found[32], const char *wanted)
{
    char hex[65];
    atls_hex_encode((atls_buf){found, 32}, hex);
    assert_string_equal(hex, wanted);
}

static int compute(void **state)
{
    (void)state;
    uint8_t spki[91];
    size_t len = 0;
    assert_true(atls_hex_decode(SPKI, strlen(SPKI), spki, sizeof spki, &len));
    assert_int_equal(len, 91);
    for (uint8_t i = 0; i < 32; i++) {
        nonce[i] = i;
    }
    assert_int_equal(atls_constellation_user_data((atls_buf){spki, len}, user_data, NULL), ATLS_OK);
    return 0;
}

static void what_is_bound(void **state)
{
    (void)state;
    uint8_t extra[32], tpm[32];
    expect_hex(user_data, "5cd252fb0ce8932436faf8ccd1040981b89ee4ad6b9fe9e2a2b7e71aacb27cd3");
    assert_int_equal(atls_constellation_extra_data(user_data, nonce, extra, NULL), ATLS_OK);
    expect_hex(extra, "e86b775dcebee43b455853d2dbd14e2056fe24487acaf82bed6eca7821a6605e");
    assert_int_equal(atls_constellation_tpm_nonce((atls_buf){NULL, 0}, extra, tpm, NULL), ATLS_OK);
    expect_hex(tpm, "973eb0ec75a76e97fedfb16df97e36e959b88871f95c9db67a6b42781f7ecee1");
    assert_int_equal(atls_constellation_tpm_nonce(text_of("{\"AkCert\":\"AA==\",\"CA\":\"AA==\"}"),
                                                  extra, tpm, NULL),
                     ATLS_OK);
    expect_hex(tpm, "019974b37bb06c49337d06980e83244cc1c72defeb56c76a7d06fe15783094a3");
}

/* --- documents --- */

#define USER  "XNJS+wzokyQ2+vjM0QQJgbie5K1rn+niorfnGqyyfNM="
#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define DUMMY "{\"UserData\":\"" USER "\",\"Nonce\":\"" NONCE "\"}"
#define TDX   "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" USER "\"}"
#define TPM(info)                                                                                           \
    "{\"Attestation\":{\"ak_pub\":\"YWs=\",\"quotes\":[{\"quote\":\"cTM4NA==\",\"raw_sig\":\"czM4NA==\","   \
    "\"pcrs\":{\"hash\":12,\"pcrs\":{\"0\":\"AAAA\"}}},{\"quote\":\"cQ==\",\"raw_sig\":\"cw==\",\"pcrs\":{" \
    "\"hash\":11,\"pcrs\":{\"0\":\"" ZEROS "\",\"10\":\"" USER "\",\"2\":\"" NONCE "\"}}}],"                \
    "\"event_log\":\"bG9n\",\"TeeAttestation\":null},\"InstanceInfo\":" info                                \
    ",\"UserData\":\"" USER "\"}"

static const atls_constellation_variant *variant(const char *name)
{
    const atls_constellation_variant *v = atls_constellation_variant_find(text_of(name));
    assert_non_null(v);
    return v;
}

static atls_code read_as(const char *name, const char *document, atls_carried *out, atls_err *err)
{
    return atls_constellation_document_read(variant(name), text_of(document), user_data, nonce, out,
                                            err);
}

static atls_buf part(const atls_carried *c, const char *name)
{
    for (size_t i = 0; i < c->evidence.parts_n; i++) {
        if (strcmp(c->evidence.parts[i].name, name) == 0) {
            return c->evidence.parts[i].bytes;
        }
    }
    return (atls_buf){NULL, 0};
}

static void expect_part(const atls_carried *c, const char *name, const char *content)
{
    const atls_buf found = part(c, name);
    assert_int_equal(found.len, strlen(content));
    assert_memory_equal(found.ptr, content, found.len);
}

static void a_dummy(void **state)
{
    (void)state;
    atls_carried c = {0};
    assert_int_equal(strlen(DUMMY), 114);
    assert_int_equal(read_as("dummy", DUMMY, &c, NULL), ATLS_OK);
    assert_string_equal(c.evidence.type, "dummy");
    assert_true(c.expected.has_nonce && c.expected.nonce_len == 32);
    expect_hex(c.expected.nonce,
               "e86b775dcebee43b455853d2dbd14e2056fe24487acaf82bed6eca7821a6605e");
    assert_int_equal(part(&c, "report_data").len, 64);
    assert_memory_equal(part(&c, "report_data").ptr, c.expected.nonce, 32);
    atls_carried_clear(&c);
}

static void a_td(void **state)
{
    (void)state;
    atls_carried c = {0};
    assert_int_equal(read_as("qemu-tdx", TDX, &c, NULL), ATLS_OK);
    assert_string_equal(c.evidence.type, "tdx");
    expect_part(&c, "quote", "quote");
    expect_hex(c.expected.nonce,
               "e86b775dcebee43b455853d2dbd14e2056fe24487acaf82bed6eca7821a6605e");
    atls_carried_clear(&c);
}

/* The quote of SHA-256, though one of another bank stands before it; PCRs by number, though Go sorts them as text. */
static void a_tpm(void **state)
{
    (void)state;
    static const char *const names[] = {"qemu-vtpm", "gcp-sev-es", "aws-nitro-tpm"};
    for (size_t i = 0; i < 3; i++) {
        atls_carried c = {0};
        assert_int_equal(read_as(names[i], TPM("null"), &c, NULL), ATLS_OK);
        assert_string_equal(c.evidence.type, "tpm");
        expect_part(&c, "quote", "q");
        expect_part(&c, "signature", "s");
        expect_part(&c, "ak_public", "ak");
        expect_part(&c, "event_log", "log");
        const atls_buf pcrs = part(&c, "pcrs");
        assert_int_equal(pcrs.len, 96);
        assert_memory_equal(pcrs.ptr + 32, nonce, 32);
        assert_memory_equal(pcrs.ptr + 64, user_data, 32);
        expect_hex(c.expected.nonce,
                   "973eb0ec75a76e97fedfb16df97e36e959b88871f95c9db67a6b42781f7ecee1");
        atls_carried_clear(&c);
    }
    atls_carried c = {0};
    assert_int_equal(read_as("azure-trustedlaunch",
                             TPM("\"eyJBa0NlcnQiOiJBQT09IiwiQ0EiOiJBQT09In0=\""), &c, NULL),
                     ATLS_OK);
    expect_hex(c.expected.nonce,
               "019974b37bb06c49337d06980e83244cc1c72defeb56c76a7d06fe15783094a3");
    assert_int_equal(part(&c, "ak_cert").len, 1);
    atls_carried_clear(&c);
}

/* As Go reads JSON: any case, members that are not known, line ends in base64; and what nobody should send: one name twice. */
static void as_go_reads(void **state)
{
    (void)state;
    atls_carried c = {0};
    atls_err err = {0};
    assert_int_equal(read_as("qemu-tdx",
                             "{\"more\":[1],\"rawquote\":\"cXVv\\r\\ndGU=\",\"USERDATA\":\"" USER
                             "\"}",
                             &c, &err),
                     ATLS_OK);
    expect_part(&c, "quote", "quote");
    atls_carried_clear(&c);
    assert_int_equal(read_as("qemu-tdx",
                             "{\"RawQuote\":\"AA==\",\"rawQuote\":\"cXVvdGU=\",\"UserData\":\"" USER
                             "\"}",
                             &c, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "constellation.member");
}

/* A copy with `from` replaced by `to`, once. */
static char *edited(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    char *out = calloc(1, strlen(text) + strlen(to) + 1);
    memcpy(out, text, (size_t)(at - text));
    strcat(out, to);
    strcat(out, at + strlen(from));
    return out;
}

static void each_thing_wrong_alone(void **state)
{
    (void)state;
    static const struct {
        const char *variant, *document, *from, *to, *check;
    } rows[] = {
        {"dummy", DUMMY, "\"Nonce\":\"AAE", "\"Nonce\":\"AAF", "constellation.nonce"},
        {"dummy", DUMMY, "\"Nonce\":\"" NONCE "\"", "\"Nonce\":\"\"", "constellation.nonce"},
        {"dummy", DUMMY, "\"Nonce\":\"" NONCE "\"", "\"Nonce\":null", "constellation.nonce"},
        {"dummy", DUMMY, "XNJS", "XNJT", "constellation.user_data"},
        {"qemu-tdx", TDX, USER, ZEROS, "constellation.user_data"},
        {"qemu-tdx", TDX, "\"UserData\"", "\"Userdate\"", "constellation.user_data"},
        {"qemu-tdx", TDX, "\"cXVvdGU=\"", "null", "constellation.member"},
        {"qemu-tdx", TDX, "cXVvdGU=", "cXVvdGU", "constellation.member"},
        {"qemu-tdx", TDX, "\"cXVvdGU=\"", "7", "constellation.member"},
        {"qemu-tdx", TDX, "}", "}}", "constellation.json"},
        {"qemu-vtpm", TPM("null"), USER "\"}", ZEROS "\"}", "constellation.user_data"},
        {"qemu-vtpm", TPM("null"), "\"hash\":11", "\"hash\":13", "constellation.quote"},
        {"qemu-vtpm", TPM("null"), "\"hash\":11", "\"hash\":\"11\"", "constellation.quote"},
        {"qemu-vtpm", TPM("null"), "\"quotes\"", "\"quote5\"", "constellation.quote"},
        {"qemu-vtpm", TPM("null"), "\"quotes\":[", "\"quotes\":[null,", "constellation.member"},
        {"qemu-vtpm", TPM("null"), "\"cw==\"", "null", "constellation.member"},
        {"qemu-vtpm", TPM("null"), "\"YWs=\"", "\"\"", "constellation.member"},
        {"qemu-vtpm", TPM("null"), "\"10\"", "\"24\"", "constellation.pcrs"},
        {"qemu-vtpm", TPM("null"), "\"10\"", "\"010\"", "constellation.pcrs"},
        {"qemu-vtpm", TPM("null"), "\"10\"", "\"02\"", "constellation.pcrs"},
        {"qemu-vtpm", TPM("null"), "\"10\"", "\"x\"", "constellation.pcrs"},
        {"qemu-vtpm", TPM("null"), "\"10\"", "\"\"", "constellation.pcrs"},
        {"qemu-vtpm", TPM("null"), ZEROS, "AAAA", "constellation.pcrs"},
        {"qemu-vtpm", TPM("null"), "\"Attestation\":{", "\"Attestation\":null,\"x\":{",
         "constellation.member"},
        {"azure-sev-snp", TPM("null"), "", "", "constellation.instance_info"},
        {"azure-sev-snp", TPM("\"e30=\""), "", "", "constellation.instance_info"},
        {"azure-tdx", TPM("\"e30=\""), "", "", "constellation.instance_info"},
        /* {"AttestationReport":"AA==","RuntimeData":"AA=="}: too short */
        {"azure-tdx",
         TPM("\"eyJBdHRlc3RhdGlvblJlcG9ydCI6IkFBPT0iLCJSdW50aW1lRGF0YSI6IkFBPT0ifQ==\""), "", "",
         "constellation.instance_info"},
        {"azure-trustedlaunch", TPM("\"e30=\""), "", "", "constellation.instance_info"},
        {"gcp-sev-snp", TPM("\"e30=\""), "", "", "constellation.instance_info"},
        /* {"AttestationReport":"AA==","ReportSigner":"AA=="} */
        {"aws-sev-snp",
         TPM("\"eyJBdHRlc3RhdGlvblJlcG9ydCI6IkFBPT0iLCJSZXBvcnRTaWduZXIiOiJBQT09In0=\""), "", "",
         "constellation.certificate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *document = edited(rows[i].document, rows[i].from, rows[i].to);
        atls_carried c = {0};
        atls_err err = {0};
        if (read_as(rows[i].variant, document, &c, &err) == ATLS_OK ||
            strcmp(err.check, rows[i].check) != 0) {
            fail_msg("row %zu: %s, where %s is wanted", i, err.check, rows[i].check);
        }
        assert_int_equal(c.owned_n, 0);
        free(document);
    }
}

static void truncations_and_more(void **state)
{
    (void)state;
    static const char *const documents[][2] = {
        {"dummy", DUMMY}, {"qemu-tdx", TDX}, {"qemu-vtpm", TPM("null")}};
    for (size_t i = 0; i < 3; i++) {
        const atls_buf whole = text_of(documents[i][1]);
        for (size_t cut = 0; cut < whole.len; cut++) {
            atls_carried c = {0};
            atls_err err = {0};
            assert_int_equal(atls_constellation_document_read(variant(documents[i][0]),
                                                              (atls_buf){whole.ptr, cut}, user_data,
                                                              nonce, &c, &err),
                             ATLS_E_INVALID);
            assert_string_equal(err.check, "constellation.json");
        }
        char *more = edited(documents[i][1], "", "x");
        atls_carried c = {0};
        assert_int_equal(read_as(documents[i][0], more, &c, NULL), ATLS_E_INVALID);
        free(more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_bound),
        cmocka_unit_test(a_dummy),
        cmocka_unit_test(a_td),
        cmocka_unit_test(a_tpm),
        cmocka_unit_test(as_go_reads),
        cmocka_unit_test(each_thing_wrong_alone),
        cmocka_unit_test(truncations_and_more),
    };
    return cmocka_run_group_tests(tests, compute, NULL);
}
