/* Certificates of deployed peers, read as the manifest says: key, claims, quote, and whether the quote's report data is what
 * the certificate asks for. Signatures of quotes are judged elsewhere. Exit 77: the vectors are not there. */
#include "vector_files.h"

#include <openssl/pem.h>

#include "base/hex.h"
#include "binding/binding.h"
#include "binding/certificate.h"
#include "binding/intel_quote.h"
#include "binding/ra_tls.h"
#include "binding/tcg_evidence.h"

#define FOLDER "ra-tls"

static unsigned wrong, judged;

static void expect(bool good, const char *file, const char *what)
{
    judged++;
    if (!good) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
}

static bool is_hash(atls_buf bytes, const char *hex)
{
    uint8_t digest[32];
    char found[65];
    if (atls_digest(ATLS_SHA256, &bytes, 1, digest, NULL) != ATLS_OK) {
        return false;
    }
    atls_hex_encode((atls_buf){digest, sizeof digest}, found);
    return strcmp(found, hex) == 0;
}

/* The DER of the one certificate in a PEM file. OPENSSL_malloc'ed. */
static atls_buf der_of(const char *file)
{
    size_t len = 0;
    unsigned char *der = NULL;
    uint8_t *text = vector_read(FOLDER, file, &len);
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    int der_len = x != NULL ? i2d_X509(x, &der) : 0;
    X509_free(x);
    BIO_free(bio);
    free(text);
    return (atls_buf){der, der_len > 0 ? (size_t)der_len : 0};
}

/* What a dialect says: "bound", "unbound" (other report data), the check that refuses, "none". */
static const char *read_as(const atls_binding *b, const atls_carrier *c, atls_carried *out)
{
    atls_err err = {0};
    atls_intel_quote q;
    bool found = false;
    if (b->read_certificate(c, NULL, 0, out, &found, &err) != ATLS_OK) {
        return err.check;
    }
    if (!found) {
        return "none";
    }
    if (atls_intel_quote_look(out->evidence.parts[0].bytes, &q, NULL) != ATLS_OK ||
        !out->expected.has_report_data) {
        return "no quote";
    }
    return memcmp(q.report_data.ptr, out->expected.report_data, 64) == 0 ? "bound" : "unbound";
}

static const struct {
    const char *file;
    const char *found[4]; /* by ra-tls, ra-tls-gramine, ra-tls-sdk, ra-tls-cmw */
} answers[] = {
    {"gramine-cert.pem", {"bound", "bound", "bound", "none"}},
    {"intel-sgxsdk-cert.pem", {"bound", "bound", "bound", "none"}},
    {"rats-tls-cert.pem", {"bound", "bound", "bound", "none"}},
    {"rats-tls-classic-1337-rsa-a.pem", {"none", "none", "none", "none"}},
    {"rats-tls-classic-1337-rsa-b.pem", {"none", "none", "none", "none"}},
    {"worked-example-unbound.pem", {"unbound", "unbound", "unbound", "none"}},
    {"claims-without-pubkey-hash.pem",
     {"tcg.pubkey_hash", "tcg.pubkey_hash", "tcg.pubkey_hash", "none"}},
};

static void check_answers(const char *file, const atls_carrier *c)
{
    static const atls_binding *const bindings[] = {
        &atls_binding_ra_tls, &atls_binding_ra_tls_gramine, &atls_binding_ra_tls_sdk,
        &atls_binding_ra_tls_cmw};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        for (size_t k = 0; strcmp(answers[i].file, file) == 0 && k < 4; k++) {
            atls_carried out = {0};
            const char *found = read_as(bindings[k], c, &out);
            if (strcmp(found, answers[i].found[k]) != 0) {
                (void)printf("%s finds: %s\n", bindings[k]->name, found);
            }
            expect(strcmp(found, answers[i].found[k]) == 0, file, bindings[k]->name);
            atls_carried_clear(&out);
        }
    }
}

/* "key_0=value_0\0" of the manifest, where the value ends with a NUL. */
static bool has_claim(const atls_tcg_evidence *e, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL) {
        return strcmp(text, "pubkey-hash") == 0;
    }
    const size_t name_len = (size_t)(equals - text);
    const size_t value_len = strlen(equals + 1) - 1; /* "\0" is one byte */
    for (size_t i = 0; i < e->custom_n; i++) {
        const atls_tcg_claim *c = &e->custom[i];
        if (c->name.len == name_len && memcmp(c->name.ptr, text, name_len) == 0) {
            return c->value.len == value_len &&
                   memcmp(c->value.ptr, equals + 1, value_len - 1) == 0 &&
                   c->value.ptr[value_len - 1] == 0;
        }
    }
    return false;
}

static void check_tagged(const char *file, const json_t *want, atls_buf value,
                         const atls_carrier *c)
{
    atls_tcg_evidence e;
    size_t i;
    json_t *claim;
    const json_t *claims = json_object_get(want, "claims");
    const json_t *quote_len = json_object_get(want, "quote_len");
    const json_t *ext_len = json_object_get(want, "evidence_ext_len");
    if (atls_tcg_parse(value, &e, NULL) != ATLS_OK) {
        return; /* what check_answers expects of it is judged there */
    }
    expect(atls_tcg_check_key(&e, c->spki, NULL) == ATLS_OK, file, "pubkey-hash");
    expect(quote_len == NULL || e.evidence.len == (size_t)json_integer_value(quote_len), file,
           "quote_len");
    expect(ext_len == NULL || value.len == (size_t)json_integer_value(ext_len), file,
           "evidence_ext_len");
    if (json_object_get(want, "claims_sha256") != NULL) {
        expect(is_hash(e.claims, vector_text(want, "claims_sha256")), file, "claims_sha256");
    }
    if (json_object_get(want, "extnvalue_sha256") != NULL) {
        expect(is_hash(value, vector_text(want, "extnvalue_sha256")), file, "extnvalue_sha256");
    }
    expect(claims == NULL || e.custom_n + 1 == json_array_size(claims), file, "count of claims");
    json_array_foreach(claims, i, claim)
    {
        expect(has_claim(&e, json_string_value(claim)), file, json_string_value(claim));
    }
    /* Made again of its parts it is the same: these peers write the shortest form. */
    uint8_t *again = NULL;
    size_t len = 0;
    expect(atls_tcg_make(e.tag, e.evidence, e.claims, &again, &len, NULL) == ATLS_OK &&
               len == value.len && memcmp(again, value.ptr, len) == 0,
           file, "made again");
    free(again);
    uint8_t *claims_again = NULL;
    expect(atls_tcg_claims_make(e.key_hash, c->spki, e.custom, e.custom_n, &claims_again, &len,
                                NULL) == ATLS_OK &&
               len == e.claims.len && memcmp(claims_again, e.claims.ptr, len) == 0,
           file, "claims made again");
    free(claims_again);
}

static void check_file(const char *file, const json_t *want)
{
    atls_buf der = der_of(file);
    atls_carrier c;
    atls_err err = {0};
    if (atls_carrier_parse(der, &c, &err) != ATLS_OK) {
        expect(false, file, err.msg);
        OPENSSL_free((void *)(uintptr_t)der.ptr);
        return;
    }
    if (json_object_get(want, "spki_sha256") != NULL) {
        expect(is_hash(c.spki, vector_text(want, "spki_sha256")), file, "spki_sha256");
    }
    if (json_object_get(want, "spki_sha256_must_not_be_used") != NULL) {
        expect(is_hash(c.spki, vector_text(want, "spki_sha256_must_not_be_used")), file, "spki");
    }
    /* All are self-signed, and their dates include the manifest's time but for one. */
    expect(atls_carrier_check(&c, c.not_before_s, NULL, 0, NULL) == ATLS_OK, file, "signature");
    check_answers(file, &c);
    atls_buf value;
    if (atls_carrier_extension(&c, atls_ra_tls_oids[ATLS_RA_TLS_TCG], &value, NULL)) {
        check_tagged(file, want, value, &c);
    }
    if (strcmp(file, "gramine-cert.pem") == 0) { /* and its second quote alone */
        atls_intel_quote q;
        expect(atls_carrier_extension(&c, atls_ra_tls_oids[ATLS_RA_TLS_GRAMINE], &value, NULL) &&
                   atls_intel_quote_look(value, &q, NULL) == ATLS_OK,
               file, "Gramine's own extension");
        uint8_t digest[64] = {0};
        expect(atls_digest(ATLS_SHA256, &c.spki, 1, digest, NULL) == ATLS_OK &&
                   memcmp(q.report_data.ptr, digest, 64) == 0,
               file, "Gramine's own binding");
    }
    atls_carrier_clear(&c);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
}

int main(void)
{
    json_t *list = vector_manifest(FOLDER);
    size_t i;
    json_t *vector;
    if (list == NULL) {
        puts("skipped: no vectors (ATLS_VECTORS)");
        return 77;
    }
    json_array_foreach(json_object_get(list, "vectors"), i, vector)
    {
        check_file(vector_text(vector, "file"), json_object_get(vector, "expect"));
    }
    json_decref(list);
    (void)printf("%u judged, %u wrong\n", judged, wrong);
    return wrong == 0 && judged > 30 ? 0 : 1;
}
