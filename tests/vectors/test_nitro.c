/* Every document of the Nitro vectors judged as its manifest says, as of its own time: verdict, fields, the check that
 * notices; cold and warm, cut short at every byte, and out of its time. Exit 77: the vectors are not there. */
#include "vector_files.h"

#include "base/hex.h"
#include "base/rfc3339.h"
#include "verify/verdict.h"
#include <atls/atls.h>

static unsigned wrong;
static unsigned judged;

static const struct {
    const char *file, *check;
} noticed[] = {
    {"neg-bad-signature.cbor", "nitro.document.signature"},
    {"neg-der-signature.cbor", "nitro.document.signature"},
    {"neg-trailing-byte.cbor", "cose.cbor"},
    {"neg-alg-es256.cbor", "cose.alg"},
    {"neg-unprotected-alg.cbor", "cose.unprotected_alg"},
    {"neg-attacker-root.cbor", "nitro.chain.root"},
    {"neg-leaf-not-issued.cbor", "nitro.leaf.issuer"},
};

static void expect(bool good, const char *file, const char *what)
{
    judged++;
    if (!good) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
}

static atls_verdict *judge(const atls_verifier *v, atls_buf document, int64_t when_s)
{
    const atls_evidence e = {.parts_n = 1, .parts = {{NULL, document}}};
    return atls_verifier_check(v, &e, NULL, when_s, NULL);
}

static bool same_hex(const json_t *expected, bool has, atls_buf found)
{
    char hex[2 * 1024 + 1];
    if (!json_is_string(expected) || found.len > 1024) {
        return !has;
    }
    atls_hex_encode(found, hex);
    return has && strcmp(hex, json_string_value(expected)) == 0;
}

static void check_claims(const char *file, const json_t *expected, const atls_nitro_claims *c)
{
    const json_t *pcrs = json_object_get(expected, "pcrs");
    expect(strcmp(c->module_id, vector_text(expected, "module_id")) == 0, file, "module_id");
    expect((json_int_t)c->timestamp_ms ==
               json_integer_value(json_object_get(expected, "timestamp_ms")),
           file, "timestamp");
    expect(c->is_debug == json_is_true(json_object_get(expected, "debug_mode")), file, "debug");
    for (unsigned i = 0; i < 32; i++) {
        char index[4];
        (void)snprintf(index, sizeof index, "%u", i);
        expect(same_hex(json_object_get(pcrs, index), (c->pcrs >> i) % 2 != 0,
                        (atls_buf){c->pcr[i], c->pcr_len[i]}),
               file, "a PCR");
    }
    expect(same_hex(json_object_get(expected, "nonce"), c->has_nonce, c->nonce), file, "nonce");
    expect(same_hex(json_object_get(expected, "user_data"), c->has_user_data, c->user_data), file,
           "user_data");
    expect(same_hex(json_object_get(expected, "public_key"), c->has_public_key, c->public_key),
           file, "public_key");
}

static void judge_valid(const atls_verifier *v, const json_t *expected, const char *file,
                        atls_buf bytes, int64_t when_s)
{
    const bool is_debug = json_is_true(json_object_get(expected, "debug_mode"));
    atls_verdict *r = NULL;
    for (int warm = 0; warm < 2; warm++) {
        atls_verdict_free(r);
        r = judge(v, bytes, when_s);
        expect(atls_verdict_code(r) == (is_debug ? ATLS_E_POLICY : ATLS_OK), file,
               atls_verdict_message(r));
        expect(!is_debug || strcmp(atls_verdict_check(r), "policy.debug") == 0, file, "debug");
        expect(warm == 0 || atls_verdict_signatures(r) == 2, file, "signatures of a warm verdict");
    }
    expect(r->claims.tee == ATLS_TEE_NITRO && !r->claims.simulated && !r->claims.custom_root, file,
           "claims");
    if (json_object_get(expected, "module_id") != NULL) {
        check_claims(file, expected, &r->claims.as.nitro);
    }
    atls_verdict_free(r);
    /* A certificate out of its time is 3, warm as it is. */
    r = judge(v, bytes, when_s + 86400 * 365);
    expect(is_debug || (atls_verdict_code(r) == ATLS_E_COLLATERAL &&
                        strcmp(atls_verdict_check(r), "nitro.regional.time") == 0),
           file, "a year later");
    atls_verdict_free(r);
    r = judge(v, bytes, when_s - 86400);
    expect(is_debug || (atls_verdict_code(r) == ATLS_E_BINDING &&
                        strcmp(atls_verdict_check(r), "nitro.document.time") == 0),
           file, "a day before: the document is of the future, whatever its certificates are");
    atls_verdict_free(r);
}

static void judge_bad(const atls_verifier *v, const char *file, atls_buf bytes, int64_t when_s)
{
    atls_verdict *r = judge(v, bytes, when_s);
    const char *wanted = "";
    for (size_t i = 0; i < sizeof noticed / sizeof *noticed; i++) {
        wanted = strcmp(noticed[i].file, file) == 0 ? noticed[i].check : wanted;
    }
    expect(atls_verdict_code(r) == ATLS_E_INVALID, file, atls_verdict_message(r));
    expect(strcmp(atls_verdict_check(r), wanted) == 0, file, atls_verdict_check(r));
    expect(r->claims.tee == ATLS_TEE_NONE, file, "claims of what is not signed");
    atls_verdict_free(r);
}

static void judge_file(const atls_verifier *v, const json_t *entry)
{
    const char *file = vector_text(entry, "file");
    const char *time = vector_text(entry, "time");
    const json_t *expected = json_object_get(entry, "expect");
    size_t len = 0;
    int64_t when_s = 0;
    uint8_t *bytes = vector_read("nitro", file, &len);
    expect(bytes != NULL, file, "not there");
    if (strcmp(vector_text(entry, "kind"), "root") == 0) {
        atls_verifier *other = atls_verifier_new();
        expect(atls_verifier_set1_root(other, ATLS_FAMILY_AWS, (atls_buf){bytes, len}, NULL) ==
                   ATLS_OK,
               file, "as a root");
        atls_verifier_free(other);
        free(bytes);
        return;
    }
    expect(atls_time_parse(time, strlen(time), &when_s), file, "its time");
    if (strcmp(vector_text(expected, "verdict"), "valid") == 0) {
        judge_valid(v, expected, file, (atls_buf){bytes, len}, when_s);
    } else {
        judge_bad(v, file, (atls_buf){bytes, len}, when_s);
    }
    /* without its last byte, this one is genuine */
    const size_t longest = strcmp(file, "neg-trailing-byte.cbor") == 0 ? len - 1 : len;
    for (size_t n = 0; n < longest; n++) {
        atls_verdict *r = judge(v, (atls_buf){bytes, n}, when_s);
        expect(atls_verdict_code(r) == ATLS_E_INVALID, file, "cut short, and taken");
        atls_verdict_free(r);
    }
    free(bytes);
}

int main(void)
{
    json_t *manifest = vector_manifest("nitro");
    if (manifest == NULL) {
        (void)printf("skipped: no vectors (ATLS_VECTORS)\n");
        return 77;
    }
    atls_verifier *v = atls_verifier_new();
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        judge_file(v, json_array_get(manifest, i));
    }
    (void)printf("%zu files, %u comparisons, %u wrong\n", json_array_size(manifest), judged, wrong);
    atls_verifier_free(v);
    json_decref(manifest);
    return wrong == 0 && judged > 0 ? 0 : 1;
}
