/* EAR: EAT attestation results (draft-ietf-rats-ear), as Veraison and Trustee make them. */
#include <string.h>

#include "base/err.h"
#include "evidence/token/token.h"

/* From best to worst. None says nothing: worse than a word of praise, better than a warning. */
typedef enum tier { AFFIRMING = 0, NONE, WARNING, CONTRAINDICATED } tier;

static const char *const words[] = {[AFFIRMING] = "affirming",
                                    [NONE] = "none",
                                    [WARNING] = "warning",
                                    [CONTRAINDICATED] = "contraindicated"};

/* A status is a word, or the number that stands for it. */
static bool read_status(const json_t *value, tier *out)
{
    static const json_int_t numbers[] = {
        [AFFIRMING] = 2, [NONE] = 0, [WARNING] = 32, [CONTRAINDICATED] = 96};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((json_is_string(value) && strcmp(json_string_value(value), words[i]) == 0) ||
            (json_is_integer(value) && json_integer_value(value) == numbers[i])) {
            *out = (tier)i;
            return true;
        }
    }
    return false;
}

/* What one claim of a trustworthiness vector says; its sign tells no better from worse. 1 is a verifier at a loss, and
 * 0 no claim, which takes nothing away. */
static bool read_claim(const json_t *value, tier *out)
{
    json_int_t v = json_integer_value(value);
    if (!json_is_integer(value) || v < -128 || v > 127) {
        return false;
    }
    v = v < 0 ? -v : v;
    *out = v == 0   ? AFFIRMING
           : v == 1 ? NONE
           : v < 32 ? AFFIRMING
           : v < 96 ? WARNING
                    : CONTRAINDICATED;
    return true;
}

static atls_code malformed(const char *name, const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "token.ear.submods", "submodule %.60s: %s", name, what);
}

static atls_code judge_submodule(const char *name, const json_t *submodule, tier *out,
                                 atls_err *err)
{
    json_t *vector = json_object_get(submodule, "ear.trustworthiness-vector");
    tier worst = AFFIRMING;
    if (!read_status(json_object_get(submodule, "ear.status"), out)) {
        return malformed(name, "no ear.status of affirming, warning, contraindicated or none", err);
    }
    if (vector != NULL && !json_is_object(vector)) {
        return malformed(name, "a trustworthiness vector that is no object", err);
    }
    for (void *at = json_object_iter(vector); at != NULL; at = json_object_iter_next(vector, at)) {
        tier said = NONE;
        if (!read_claim(json_object_iter_value(at), &said)) {
            return malformed(name, "a trustworthiness vector with a value beyond -128 to 127", err);
        }
        worst = said > worst ? said : worst;
    }
    if (worst > *out) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.ear.vector",
                        "submodule %.60s has the status %s, though its vector implies %s", name,
                        words[*out], words[worst]);
    }
    return ATLS_OK;
}

static bool is_known_profile(const char *profile)
{
    static const char *const known[] = {"tag:github.com,2023:veraison/ear",
                                        "tag:github.com,2024:confidential-containers/Trustee"};
    static const char draft[] = "tag:ietf.org,2026:rats/ear#";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(profile, known[i]) == 0) {
            return true;
        }
    }
    return strncmp(profile, draft, sizeof draft - 1) == 0;
}

/* Has it what only an EAR has? A status that is there and not read would be passed over. */
static bool speaks_ear(json_t *all)
{
    json_t *submods = json_object_get(all, "submods");
    for (void *at = json_object_iter(all); at != NULL; at = json_object_iter_next(all, at)) {
        if (strncmp(json_object_iter_key(at), "ear.", 4) == 0) {
            return true;
        }
    }
    for (void *at = json_object_iter(submods); at != NULL;
         at = json_object_iter_next(submods, at)) {
        if (json_object_get(json_object_iter_value(at), "ear.status") != NULL) {
            return true;
        }
    }
    return false;
}

atls_code atls_token_read_ear(json_t *all, atls_token_claims *out, atls_err *err)
{
    const char *profile = json_string_value(json_object_get(all, "eat_profile"));
    if (profile == NULL || !is_known_profile(profile)) {
        return speaks_ear(all)
                   ? ATLS_ERR(err, ATLS_E_INVALID, "token.profile",
                              "claims of an EAR under the profile %.80s, which is not known",
                              profile != NULL ? profile : "(none)")
                   : ATLS_OK;
    }
    json_t *submods = json_object_get(all, "submods");
    tier worst = AFFIRMING;
    if (json_object_size(submods) == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "token.ear.submods", "an EAR without submodules");
    }
    const json_t *whole = json_object_get(all, "ear.status");
    if (whole != NULL && !read_status(whole, &worst)) {
        return malformed("(all)", "an ear.status that is none", err);
    }
    for (void *at = json_object_iter(submods); at != NULL;
         at = json_object_iter_next(submods, at)) {
        tier said = NONE;
        ATLS_TRY(judge_submodule(json_object_iter_key(at), json_object_iter_value(at), &said, err));
        worst = said > worst ? said : worst;
    }
    out->kind = ATLS_TOKEN_EAR;
    out->status = words[worst];
    return ATLS_OK;
}
