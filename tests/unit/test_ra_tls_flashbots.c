/* Flashbots' certificates of 2026: the documented example of what is hashed, and the document in both of its forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/certificate.h"
#include "binding/dstack_attestation.h"
#include "binding/flashbots_certificate.h"
#include "crypto/digest.h"

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

/* SPKI = "SPKI", 1700000000 to 1700000300, "example.test", of the specification. */
static void documented_hash(void **state)
{
    (void)state;
    static const atls_binding_option options[] = {{"name", "example.test"}, {"validity", "300"}};
    int64_t dates[2] = {0, 0};
    atls_link link = {.binding = &atls_binding_ra_tls_flashbots,
                      .state = dates,
                      .spki = text("SPKI"),
                      .options = options,
                      .options_n = 2,
                      .when_s = 1700000010};
    atls_step next = ATLS_STEP_DONE;
    char hex[129];
    assert_int_equal(atls_binding_ra_tls_flashbots.state_size, sizeof dates);
    assert_int_equal(atls_binding_ra_tls_flashbots.show(&link, &next, NULL), ATLS_OK);
    assert_int_equal(next, ATLS_STEP_EVIDENCE);
    assert_true(dates[0] == 1700000000 && dates[1] == 1700000300);
    atls_hex_encode((atls_buf){link.wanted.wide, 64}, hex);
    assert_string_equal(hex, "7242a5064701aaeb162859d1b164afd26cee79e04e81a11c4a49e7a261fb04c5"
                             "505034666a6e160a87dec58e13bdfce9249fff15d197be2ae9d002868000b876");
    assert_memory_equal(link.wanted.narrow, link.wanted.wide, 32);
}

static void documents(void **state)
{
    (void)state;
    static const struct {
        const char *document, *wanted;
    } cases[] = {
        {"{\"attestation_evidence\":null}", "none"},
        {"{\"attestation_type\":\"none\",\"attestation\":[]}", "none"},
        {"{\"attestation_evidence\":{\"quote\":\"cXVvdGU=\",\"platform\":{\"attestation_type\":"
         "\"gcp-tdx\",\"ram_bytes\":1,\"num_disks\":2,\"acpi\":{\"loader\":\"\"},\"new\":1}}}",
         "tdx"},
        {"{\"attestation_evidence\":{\"quote\":\"cXVvdGU=\",\"platform\":{\"attestation_type\":"
         "\"self-hosted-tdx\"}}}",
         "tdx"},
        {"{\"attestation_type\":\"dcap-tdx\",\"attestation\":[113,117,111,116,101]}", "tdx"},
        {"{ \"attestation\" : [ 113 , 117,111,116,101 ], \"attestation_type\":\"qemu-tdx\"}",
         "tdx"},
        {"{\"attestation_type\":\"sev\",\"attestation\":[1]}", "flashbots.certificate.type"},
        {"{\"attestation_type\":\"none\",\"attestation\":[1]}", "flashbots.certificate.type"},
        {"{\"attestation_type\":\"dcap-tdx\",\"attestation\":[]}",
         "flashbots.certificate.document"},
        {"{\"attestation_type\":\"dcap-tdx\",\"attestation\":[256]}",
         "flashbots.certificate.document"},
        {"{\"attestation_type\":\"dcap-tdx\",\"attestation\":[-1]}",
         "flashbots.certificate.document"},
        {"{\"attestation_type\":\"dcap-tdx\"}", "flashbots.certificate.document"},
        {"{\"attestation_evidence\":1}", "flashbots.certificate.document"},
        {"{\"attestation_evidence\":{}}", "flashbots.certificate.document"},
        {"{\"attestation_evidence\":{\"quote\":\"cXVvdGU\",\"platform\":{\"attestation_type\":"
         "\"gcp-tdx\"}}}",
         "flashbots.certificate.document"},
        {"{\"attestation_evidence\":{\"quote\":\"e30=\",\"platform\":{\"attestation_type\":"
         "\"azure-tdx\"}}}",
         "flashbots.azure"},
        {"[]", "flashbots.certificate.document"},
        {"", "flashbots.certificate.document"},
        {"{}x", "flashbots.certificate.document"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_carried c = {0};
        atls_err err = {0};
        bool none = false;
        atls_code rc = flashbots_document_read(text(cases[i].document), &c, &none, &err);
        const char *got = rc != ATLS_OK ? err.check : none ? "none" : c.evidence.type;
        assert_string_equal(got, cases[i].wanted);
        if (rc == ATLS_OK && !none) {
            assert_true(atls_equal(c.evidence.parts[0].bytes, text("quote")));
        }
        atls_carried_clear(&c);
    }
}

static void both_forms_written(void **state)
{
    (void)state;
    static uint8_t quote[] = {4, 0, 2, 255};
    atls_evidence_blob b = {.type = "tdx", .parts_n = 1, .parts = {{"quote", quote, sizeof quote}}};
    char *out = NULL;
    flashbots_platform p = {.type = "self-hosted-tdx", .ram_bytes = 1024, .disks = 2};
    assert_int_equal(flashbots_document_write(&b, &p, &out, NULL), ATLS_OK);
    assert_string_equal(out, "{\"attestation_evidence\":{\"quote\":\"BAAC/w==\",\"platform\":{"
                             "\"attestation_type\":\"self-hosted-tdx\",\"ram_bytes\":1024,"
                             "\"num_disks\":2,\"acpi\":null}}}");
    free(out);
    p = (flashbots_platform){.type = "dcap-tdx", .older = true};
    assert_int_equal(flashbots_document_write(&b, &p, &out, NULL), ATLS_OK);
    assert_string_equal(out, "{\"attestation_type\":\"dcap-tdx\",\"attestation\":[4,0,2,255]}");
    free(out);
    atls_err err = {0};
    strcpy(b.type, "snp");
    assert_int_equal(flashbots_document_write(&b, &p, &out, &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "flashbots.certificate.make");
}

/* --- in certificates --- */

typedef struct shape {
    const char *cn, *second_cn;
    unsigned oid;    /* its last arc */
    bool bare;       /* without the inner OCTET STRING */
    bool raw;        /* the document itself, not in an attestation */
    bool with_event; /* of a dstack guest */
    int64_t late_s;  /* the hash is over another end */
    const char *wanted;
} shape;

static size_t content_of(const shape *s, EVP_PKEY *key, uint8_t *out, size_t cap)
{
    static const char document[] = "{\"attestation_type\":\"dcap-tdx\",\"attestation\":[1]}";
    unsigned char *spki = NULL;
    uint8_t hash[ATLS_HASH_MAX];
    uint8_t dates[16];
    uint8_t inner[512];
    int len = i2d_PUBKEY(key, &spki);
    atls_writer d = atls_writer_of(dates, sizeof dates);
    atls_writer_u64be(&d, 1700000000);
    atls_writer_u64be(&d, (uint64_t)(1700000300 + s->late_s));
    const atls_buf pieces[] = {{spki, (size_t)len}, {dates, 16}, text(s->cn != NULL ? s->cn : "")};
    assert_int_equal(atls_digest(ATLS_SHA512, pieces, 3, hash, NULL), ATLS_OK);
    OPENSSL_free(spki);
    atls_dstack_event event = {.version = 1, .name = text("app-id")};
    const atls_dstack_attestation a = {.quote = text(document),
                                       .runtime = &event,
                                       .runtime_n = s->with_event ? 1 : 0,
                                       .report_data = {hash, 64}};
    atls_writer w = atls_writer_of(inner, sizeof inner);
    if (s->raw) {
        atls_writer_bytes(&w, text(document));
    } else {
        assert_true(atls_dstack_write_v0(&a, &w));
    }
    atls_writer o = atls_writer_of(out, cap);
    if (!s->bare) {
        atls_writer_u8(&o, 0x04);
        if (w.len > 127) {
            atls_writer_u8(&o, 0x81);
        }
        atls_writer_u8(&o, (uint8_t)w.len);
    }
    atls_writer_bytes(&o, atls_writer_done(&w));
    return atls_writer_done(&o).len;
}

static void certificates(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {"example.test", NULL, 8, false, false, false, 0, "tdx"},
        {"example.test", NULL, 1, false, true, false, 0, "tdx"},
        {"example.test", NULL, 2, false, true, false, 0, "none"},
        {NULL, NULL, 8, false, false, false, 0, "flashbots.certificate.name"},
        {"example.test", "two.test", 8, false, false, false, 0, "flashbots.certificate.name"},
        {"example.test", NULL, 8, true, false, false, 0, "flashbots.certificate.extension"},
        {"example.test", NULL, 8, false, true, false, 0, "dstack.attestation.format"},
        {"example.test", NULL, 8, false, false, true, 0, "flashbots.certificate.document"},
        {"example.test", NULL, 8, false, false, false, 1, "flashbots.certificate.report_data"},
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const shape *s = &shapes[i];
        const uint8_t oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                               0x83, 0xe7, 0x3d, 0x01, (uint8_t)s->oid};
        uint8_t content[512];
        const atls_certificate_extension ext = {
            {oid, sizeof oid}, {content, content_of(s, key, content, sizeof content)}};
        const atls_certificate_plan plan = {.common_name = s->cn,
                                            .organization = "o",
                                            .not_before_s = 1700000000,
                                            .not_after_s = 1700000300,
                                            .extensions = &ext,
                                            .extensions_n = 1};
        X509 *x = NULL;
        assert_int_equal(atls_certificate_make(&plan, key, &x, NULL), ATLS_OK);
        if (s->second_cn != NULL) {
            X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                       (const unsigned char *)s->second_cn, -1, -1, 0);
            assert_true(X509_sign(x, key, EVP_sha256()) > 0);
        }
        unsigned char *der = NULL;
        int len = i2d_X509(x, &der);
        atls_carrier carrier;
        atls_carried c = {0};
        atls_err err = {0};
        bool found = false;
        assert_int_equal(atls_carrier_parse((atls_buf){der, (size_t)len}, &carrier, NULL), ATLS_OK);
        atls_code rc =
            atls_binding_ra_tls_flashbots.read_certificate(&carrier, NULL, 0, &c, &found, &err);
        assert_string_equal(rc != ATLS_OK ? err.check
                            : found       ? c.evidence.type
                                          : "none",
                            s->wanted);
        assert_int_equal(c.expected.has_report_data, rc == ATLS_OK && found);
        atls_carried_clear(&c);
        atls_carrier_clear(&carrier);
        OPENSSL_free(der);
        X509_free(x);
    }
    EVP_PKEY_free(key);
}

static void options_are_read(void **state)
{
    (void)state;
    static const atls_binding_option bad[] = {
        {"validity", "90"}, {"validity", "86401"}, {"validity", "x"},       {"type", "azure-tdx"},
        {"form", "2027"},   {"ram-bytes", "-1"},   {"disks", "4294967296"}, {"name", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t dates[2];
        atls_link link = {.state = dates, .options = &bad[i], .options_n = 1, .spki = text("x")};
        atls_step next;
        atls_err err = {0};
        assert_int_equal(atls_binding_ra_tls_flashbots.show(&link, &next, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "flashbots.certificate.option");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_hash),    cmocka_unit_test(documents),
        cmocka_unit_test(both_forms_written), cmocka_unit_test(certificates),
        cmocka_unit_test(options_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
