/* The Azure document of Flashbots' peers: written and read back, older forms, each member wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/flashbots_azure.h"
#include "codec/json.h"

#define DER_LEN 300

/* A certificate as far as this file looks: a SEQUENCE of that length. */
static void add(atls_evidence_blob *b, const char *name, size_t len, uint8_t first)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(first + i * 7);
    }
    (void)snprintf(b->parts[b->parts_n].name, sizeof b->parts[0].name, "%s", name);
    b->parts[b->parts_n].bytes = bytes;
    b->parts[b->parts_n].len = len;
    b->parts_n++;
}

static atls_evidence_blob evidence(void)
{
    atls_evidence_blob b = {.type = "azure"};
    add(&b, "quote", 145, 0xff);
    add(&b, "signature", 256, 3);
    add(&b, "pcrs", 24 * 32, 9);
    add(&b, "ak_cert", DER_LEN, 0);
    const uint8_t head[] = {0x30, 0x82, (DER_LEN - 4) / 256, (DER_LEN - 4) % 256};
    memcpy(b.parts[3].bytes, head, sizeof head);
    add(&b, "hcl_report", 2601, 'H');
    add(&b, "td_quote", 5003, 4);
    return b;
}

static atls_buf text_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void same_parts(const atls_evidence_blob *b, const atls_carried *c)
{
    assert_string_equal(c->evidence.type, "azure");
    assert_int_equal(c->evidence.parts_n, b->parts_n);
    for (size_t i = 0; i < b->parts_n; i++) {
        size_t k = 0;
        while (k < c->evidence.parts_n &&
               strcmp(c->evidence.parts[k].name, b->parts[i].name) != 0) {
            k++;
        }
        assert_true(k < c->evidence.parts_n);
        assert_int_equal(c->evidence.parts[k].bytes.len, b->parts[i].len);
        assert_memory_equal(c->evidence.parts[k].bytes.ptr, b->parts[i].bytes, b->parts[i].len);
    }
}

static void written_and_read(void **state)
{
    (void)state;
    atls_evidence_blob b = evidence();
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(flashbots_azure_write(&b, &text, &len, NULL), ATLS_OK);
    assert_int_equal(len, strlen(text));
    const size_t quote = strcspn(text + 21, "\""); /* the URL-safe alphabet, with padding */
    assert_true(quote == 6672 && strcspn(text + 21, "+/") > quote && text[20 + quote] == '=');
    atls_carried c = {0};
    assert_int_equal(flashbots_azure_read(text_of(text), &c, NULL), ATLS_OK);
    same_parts(&b, &c);
    atls_carried_clear(&c);

    /* A TPMT_SIGNATURE of RSASSA with SHA-256 goes out as the bare signature. */
    uint8_t *framed = malloc(262);
    assert_non_null(framed);
    memcpy(framed, (const uint8_t[]){0, 0x14, 0, 0x0b, 1, 0}, 6);
    memcpy(framed + 6, b.parts[1].bytes, 256);
    uint8_t *bare = b.parts[1].bytes;
    char *again = NULL;
    b.parts[1].bytes = framed;
    b.parts[1].len = 262;
    assert_int_equal(flashbots_azure_write(&b, &again, &len, NULL), ATLS_OK);
    assert_string_equal(again, text);
    free(again);
    static const struct {
        size_t at;
        uint8_t value;
    } other[] = {{1, 0x16}, {3, 0x0c}, {5, 1}};
    for (size_t i = 0; i < 3; i++) { /* RSAPSS, SHA-384, another length */
        uint8_t kept = framed[other[i].at];
        framed[other[i].at] = other[i].value;
        atls_err err = {0};
        assert_int_equal(flashbots_azure_write(&b, &again, &len, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "flashbots.evidence");
        framed[other[i].at] = kept;
    }
    free(bare);
    free(text);
    atls_evidence_blob_clear(&b);
}

static void parts_that_peers_want(void **state)
{
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        atls_evidence_blob b = evidence();
        char *text = NULL;
        size_t len = 0;
        atls_err err = {0};
        if (i < 6) {
            b.parts[i].name[0] = 'x';
        } else {
            memcpy(b.type, "tpm", 4);
        }
        assert_int_equal(flashbots_azure_write(&b, &text, &len, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "flashbots.evidence");
        assert_null(text);
        atls_evidence_blob_clear(&b);
    }
    atls_evidence_blob b = evidence();
    char *text = NULL;
    size_t len = 0;
    b.parts[2].len -= 32; /* 23 PCRs */
    assert_int_equal(flashbots_azure_write(&b, &text, &len, NULL), ATLS_E_USAGE);
    b.parts[2].len += 32;
    free(b.parts[5].bytes);
    b.parts[5].bytes = calloc(1, 110000); /* more text than is allowed */
    b.parts[5].len = 110000;
    assert_int_equal(flashbots_azure_write(&b, &text, &len, NULL), ATLS_E_USAGE);
    atls_evidence_blob_clear(&b);
}

static json_t *document(void)
{
    atls_evidence_blob b = evidence();
    char *text = NULL;
    size_t len = 0;
    json_t *root = NULL;
    assert_int_equal(flashbots_azure_write(&b, &text, &len, NULL), ATLS_OK);
    assert_int_equal(atls_json_parse(text_of(text), FLASHBOTS_AZURE_MAX, "x", &root, NULL),
                     ATLS_OK);
    free(text);
    atls_evidence_blob_clear(&b);
    return root;
}

/* The check that refuses the document with the value at that path replaced (NULL: taken away); "ok". */
static const char *with(const char *const *path, const char *value)
{
    json_t *root = document();
    json_t *at = root;
    size_t i = 0;
    for (; path[i + 1] != NULL; i++) {
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(path[i]))
                               : json_object_get(at, path[i]);
        assert_non_null(at);
    }
    json_t *v = value != NULL ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (value == NULL) {
        assert_int_equal(json_object_del(at, path[i]), 0);
    } else if (json_is_array(at)) {
        assert_int_equal(json_array_set_new(at, (size_t)atoi(path[i]), v), 0);
    } else {
        assert_int_equal(json_object_set_new(at, path[i], v), 0);
    }
    char *text = json_dumps(root, JSON_COMPACT);
    atls_carried c = {0};
    atls_err err = {0};
    atls_code rc = flashbots_azure_read(text_of(text), &c, &err);
    atls_carried_clear(&c);
    assert_true(rc == ATLS_OK || rc == ATLS_E_INVALID);
    free(text);
    json_decref(root);
    return rc == ATLS_OK ? "ok" : err.check;
}

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

static void each_member_wrong(void **state)
{
    (void)state;
    static const char bad[] = "flashbots.azure";
    const char *const *const needed[] = {
        PATH("tdx_quote_base64"),
        PATH("hcl_report_base64"),
        PATH("tpm_attestation"),
        PATH("tpm_attestation", "ak_certificate_pem"),
        PATH("tpm_attestation", "quote"),
        PATH("tpm_attestation", "quote", "signature"),
        PATH("tpm_attestation", "quote", "message"),
        PATH("tpm_attestation", "quote", "pcrs"),
        PATH("tpm_attestation", "event_log"),
    };
    static const char *const values[] = {NULL,    "null", "7",     "\"\"", "\"a*==\"",
                                         "[256]", "[-1]", "[1.5]", "{}",   "[[1]]"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            assert_string_equal(with(needed[i], values[k]), bad);
        }
    }
    const char *const *above = PATH("tpm_attestation", "ak_intermediate_certificates_pem");
    assert_string_equal(with(above, NULL), "ok"); /* older documents */
    assert_string_equal(with(above, "null"), bad);
    assert_string_equal(with(above, "[\"x\"]"), bad);
    assert_string_equal(with(above, "[\"x\",1,2,3,4,5,6,7,8]"), bad);
    assert_string_equal(with(PATH("tpm_attestation", "instance_info"), "{\"a\":[1]}"), "ok");
    assert_string_equal(with(PATH("tpm_attestation", "instance_info"), NULL), "ok");
    assert_string_equal(with(PATH("tpm_attestation", "event_log"), "[1,2]"), "ok");
    assert_string_equal(with(PATH("more"), "[1,2]"), "ok"); /* members that are not known */
    assert_string_equal(with(PATH("tpm_attestation", "quote", "pcrs", "5"), "[1]"), bad);
    assert_string_equal(with(PATH("tpm_attestation", "quote", "pcrs", "5", "31"), "256"), bad);
    assert_string_equal(with(PATH("tdx_quote_base64"), "\"AAA\""), bad); /* no padding */
    assert_string_equal(with(PATH("tdx_quote_base64"), "\"AAA=\""), "ok");
    assert_string_equal(with(PATH("tdx_quote_base64"), "\"A===\""), bad);
    assert_string_equal(with(PATH("tdx_quote_base64"), "\"AAAA=\""), bad);
    assert_string_equal(with(PATH("tdx_quote_base64"), "\"AAA+\""), bad); /* the other alphabet */
    assert_string_equal(with(PATH("tdx_quote_base64"), "\"AAA_\""), "ok");
}

/* 30 82 00 02 05 00 and zeros behind: as the TPM keeps it. */
static void a_certificate_in_a_larger_place(void **state)
{
    (void)state;
#define PEM(base64) "\"-----BEGIN CERTIFICATE-----\\n" base64 "\\n-----END CERTIFICATE-----\\n\""
    const char *const *cert = PATH("tpm_attestation", "ak_certificate_pem");
    assert_string_equal(with(cert, PEM("MIIAAgUA")), "ok");
    assert_string_equal(with(cert, PEM("MIIAAgUAAAAA")), "ok");
    assert_string_equal(with(cert, PEM("MIIAAgUAAAAB")), "flashbots.azure");
    assert_string_equal(with(cert, PEM("MIIAAwUA")), "flashbots.azure");
    assert_string_equal(with(cert, PEM("MAIFAA==")), "flashbots.azure");
    assert_string_equal(
        with(PATH("tpm_attestation", "ak_intermediate_certificates_pem"), "[" PEM("MIIAAgUA") "]"),
        "ok");
}

static void truncations(void **state)
{
    (void)state;
    atls_evidence_blob b = evidence();
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(flashbots_azure_write(&b, &text, &len, NULL), ATLS_OK);
    for (size_t cut = 0; cut < len; cut += 1 + cut / 16) {
        atls_carried c = {0};
        atls_err err = {0};
        assert_int_equal(flashbots_azure_read((atls_buf){(uint8_t *)text, cut}, &c, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "flashbots.azure");
        atls_carried_clear(&c);
    }
    free(text);
    atls_evidence_blob_clear(&b);
}

static void what_it_has_to_say(void **state)
{
    (void)state;
    uint8_t data[64];
    atls_expected e = {0};
    memset(data, 7, 32);
    memset(data + 32, 8, 32);
    flashbots_azure_expect(data, &e);
    assert_true(e.has_user_data && e.has_nonce && !e.has_report_data);
    assert_memory_equal(e.user_data, data, 64);
    assert_int_equal(e.nonce_len, 32);
    assert_memory_equal(e.nonce, data, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),  cmocka_unit_test(parts_that_peers_want),
        cmocka_unit_test(each_member_wrong), cmocka_unit_test(a_certificate_in_a_larger_place),
        cmocka_unit_test(truncations),       cmocka_unit_test(what_it_has_to_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
