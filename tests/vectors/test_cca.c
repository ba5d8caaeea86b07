/* Every file of the CCA vectors judged as their manifest says: tokens through the verifier with their trust anchor, trust
 * anchors taken or refused, claim sets parsed; and every truncation of each. Exit 77: the vectors are not there. */
#include "vector_files.h"

#include "evidence/cca/claim_set.h"
#include "verify/verdict.h"
#include <atls/atls.h>

#define WHEN 1750000000

static unsigned wrong;
static unsigned judged;

static void expect(bool good, const char *file, const char *what)
{
    judged++;
    if (!good) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
}

static atls_verifier *verifier_with(const char *anchor, atls_code *rc)
{
    size_t len = 0;
    uint8_t *text = vector_read("cca", anchor, &len);
    atls_verifier *v = atls_verifier_new();
    *rc = text != NULL && v != NULL ? atls_verifier_add1_endorsement(v, (atls_buf){text, len}, NULL)
                                    : ATLS_E_SYSTEM;
    free(text);
    return v;
}

static atls_verdict *judge(const atls_verifier *v, atls_buf token)
{
    const atls_evidence e = {.parts_n = 1, .parts = {{NULL, token}}};
    return atls_verifier_check(v, &e, NULL, WHEN, NULL);
}

static void check_claims(const char *file, const json_t *expected, const atls_cca_claims *c)
{
    const json_t *lifecycle = json_object_get(expected, "lifecycle");
    const char *platform = vector_text(expected, "platform_profile");
    const json_t *realm = json_object_get(expected, "realm_profile");
    expect(lifecycle == NULL || json_integer_value(lifecycle) == c->lifecycle, file, "life cycle");
    expect(strcmp(platform, c->platform_profile) == 0, file, "platform profile");
    expect(json_is_string(realm)
               ? c->realm_profile != NULL && strcmp(json_string_value(realm), c->realm_profile) == 0
               : c->realm_profile == NULL,
           file, "realm profile");
}

static void judge_token(const json_t *entry, const char *file, atls_buf token)
{
    const json_t *expected = json_object_get(entry, "expect");
    const bool is_valid = strcmp(vector_text(expected, "verdict"), "valid") == 0;
    atls_code rc;
    atls_verifier *v = verifier_with(vector_text(expected, "trust_anchor"), &rc);
    expect(rc == ATLS_OK, file, "its trust anchor is refused");
    atls_verdict *r = judge(v, token);
    expect(atls_verdict_code(r) == (is_valid ? ATLS_OK : ATLS_E_INVALID), file,
           atls_verdict_message(r));
    expect(!atls_verdict_simulated(r), file, "simulated");
    if (is_valid) {
        check_claims(file, expected, &r->claims.as.cca);
    } else {
        expect(strcmp(atls_verdict_check(r), "cca.binding") == 0, file, atls_verdict_check(r));
    }
    atls_verdict_free(r);
    for (size_t n = 0; n < token.len; n++) {
        r = judge(v, (atls_buf){token.ptr, n});
        expect(atls_verdict_code(r) == ATLS_E_INVALID, file, "cut short, and taken");
        atls_verdict_free(r);
    }
    atls_verifier_free(v);
    v = atls_verifier_new();
    r = judge(v, token);
    expect(strcmp(atls_verdict_check(r), "cca.platform.trust_anchor") == 0 &&
               atls_verdict_code(r) == ATLS_E_INVALID,
           file, "without a trust anchor");
    atls_verdict_free(r);
    atls_verifier_free(v);
}

static void parse_claims(const char *file, atls_buf bytes)
{
    const bool is_realm = strncmp(file, "realm", 5) == 0;
    for (size_t n = 0; n <= bytes.len; n++) {
        atls_cca_realm realm;
        atls_cca_platform platform;
        const atls_buf cut = {bytes.ptr, n};
        const atls_code rc = is_realm ? atls_cca_realm_parse(cut, &realm, NULL)
                                      : atls_cca_platform_parse(cut, &platform, NULL);
        expect(rc == (n == bytes.len ? ATLS_OK : ATLS_E_INVALID), file, "as a claim set");
    }
}

static void judge_file(const json_t *entry)
{
    const char *file = vector_text(entry, "file");
    const char *kind = vector_text(entry, "kind");
    size_t len = 0;
    uint8_t *bytes = vector_read("cca", file, &len);
    expect(bytes != NULL, file, "not there");
    if (strcmp(kind, "cca-trust-anchor") == 0) {
        const bool bad =
            strcmp(vector_text(json_object_get(entry, "expect"), "verdict"), "reject") == 0;
        atls_code rc;
        atls_verifier_free(verifier_with(file, &rc));
        expect(rc == (bad ? ATLS_E_INVALID : ATLS_OK), file, "as a trust anchor");
    } else if (strcmp(kind, "cca-claims") == 0) {
        parse_claims(file, (atls_buf){bytes, len});
    } else {
        judge_token(entry, file, (atls_buf){bytes, len});
    }
    free(bytes);
}

int main(void)
{
    json_t *manifest = vector_manifest("cca");
    if (manifest == NULL) {
        (void)printf("skipped: no vectors (ATLS_VECTORS)\n");
        return 77;
    }
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        judge_file(json_array_get(manifest, i));
    }
    (void)printf("%zu files, %u comparisons, %u wrong\n", json_array_size(manifest), judged, wrong);
    json_decref(manifest);
    return wrong == 0 && judged > 0 ? 0 : 1;
}
