/* Every token of the JWT vectors judged as their manifest says: with its key set, at its time, for its issuer, audience
 * and nonce; each refusal by the check that its reason names. Exit 77: the vectors are not there. */
#include "vector_files.h"

#include "base/rfc3339.h"
#include "verify/verdict.h"
#include <atls/atls.h>

#define EAR_WHEN 1680000000 /* behind nbf of the newest */

static unsigned wrong;
static unsigned judged;

static const struct {
    const char *reason, *check;
    atls_code code;
} reasons[] = {
    {"exp 61 s ago", "token.exp", ATLS_E_BINDING},
    {"nbf 61 s ahead", "token.nbf", ATLS_E_BINDING},
    {"no exp", "token.exp.missing", ATLS_E_INVALID},
    {"issuer by prefix", "token.issuer", ATLS_E_BINDING},
    {"audience", "token.audience", ATLS_E_BINDING},
    {"nonce", "binding.nonce_text", ATLS_E_BINDING},
    {"alg none", "token.alg", ATLS_E_INVALID},
    {"unknown kid", "token.key.kid", ATLS_E_INVALID},
    {"key taken from the header", "token.signature", ATLS_E_INVALID},
    {"jku must not be fetched; signature under the wrong key", "token.signature", ATLS_E_INVALID},
    {"ES256 with an RSA kid", "token.key.alg", ATLS_E_INVALID},
    {"unknown crit", "token.crit", ATLS_E_INVALID},
    {"HS256 keyed with the RSA public key PEM", "token.alg", ATLS_E_INVALID},
    {"duplicate member exp", "token.claims", ATLS_E_INVALID},
};

static void expect(bool good, const char *file, const char *what)
{
    judged++;
    if (!good) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
}

static atls_verifier *verifier_with(const char *keys)
{
    size_t len = 0;
    uint8_t *text = keys[0] != '\0' ? vector_read("jwt", keys, &len) : NULL;
    atls_verifier *v = atls_verifier_new();
    expect(v != NULL && (text == NULL ||
                         atls_verifier_add1_endorsement(v, (atls_buf){text, len}, NULL) == ATLS_OK),
           keys, "is refused");
    free(text);
    return v;
}

static const char *text_or_null(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static atls_verdict *judge(const atls_verifier *v, atls_buf token, const json_t *policy,
                           int64_t when_s)
{
    const atls_evidence e = {.parts_n = 1, .parts = {{NULL, token}}};
    const json_t *leeway = json_object_get(policy, "leeway_s");
    const atls_expected expected = {.issuer = text_or_null(policy, "iss"),
                                    .audience = text_or_null(policy, "aud"),
                                    .nonce_text = text_or_null(policy, "nonce"),
                                    .has_leeway = leeway != NULL,
                                    .leeway_s = (uint32_t)json_integer_value(leeway)};
    return atls_verifier_check(v, &e, &expected, when_s, NULL);
}

static void expect_refused(const atls_verdict *r, const char *file, const char *reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i].reason, reason) == 0) {
            /* Signed with a key of the header and no kid: the only key of that kind in the set did not sign it. */
            expect(atls_verdict_code(r) == reasons[i].code &&
                       strcmp(atls_verdict_check(r), reasons[i].check) == 0,
                   file, atls_verdict_message(r));
            return;
        }
    }
    expect(false, file, "a reason that this test does not know");
}

static void judge_file(const json_t *entry)
{
    const char *file = vector_text(entry, "file");
    const json_t *expected = json_object_get(entry, "expect");
    const char *verdict = vector_text(expected, "verdict");
    const char *keys = vector_text(expected, "jwks");
    int64_t when_s = EAR_WHEN;
    size_t len = 0;
    if (strcmp(vector_text(entry, "kind"), "jwt") != 0) {
        atls_verifier_free(verifier_with(file)); /* a key or a set of them */
        return;
    }
    uint8_t *bytes = vector_read("jwt", file, &len);
    const char *time = vector_text(entry, "time");
    expect(bytes != NULL, file, "not there");
    expect(time[0] == '\0' || atls_time_parse(time, strlen(time), &when_s), file, "its time");
    bool is_ear = strstr(verdict, "ear-pkey") != NULL || strstr(verdict, "pinned") != NULL;
    atls_verifier *v = verifier_with(is_ear ? "ear-pkey.jwk" : keys);
    atls_verdict *r = judge(v, (atls_buf){bytes, len}, json_object_get(expected, "policy"), when_s);
    if (strncmp(verdict, "valid", 5) == 0) {
        expect(atls_verdict_accepted(r), file, atls_verdict_message(r));
        expect(!is_ear || (r->claims.as.token.kind == ATLS_TOKEN_EAR &&
                           strcmp(r->claims.as.token.status, "affirming") == 0),
               file, "is no affirming EAR");
        expect(!atls_verdict_simulated(r), file, "simulated");
    } else if (strcmp(verdict, "structure only") == 0) {
        expect(strcmp(atls_verdict_check(r), "token.key.missing") == 0, file,
               atls_verdict_message(r));
    } else {
        expect_refused(r, file, vector_text(expected, "reason"));
    }
    atls_verdict_free(r);
    atls_verifier_free(v);
    v = verifier_with("");
    r = judge(v, (atls_buf){bytes, len}, NULL, when_s);
    expect(!atls_verdict_accepted(r), file, "accepted without any key");
    atls_verdict_free(r);
    atls_verifier_free(v);
    free(bytes);
}

int main(void)
{
    json_t *manifest = vector_manifest("jwt");
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
