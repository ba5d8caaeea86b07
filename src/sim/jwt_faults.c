#include "sim/jwt.h"

#include <stdlib.h>
#include <string.h>

static void set(json_t *to, const char *name, json_t *value)
{
    (void)json_object_set_new(to, name, value);
}

/* --- headers --- */

static void alg_none(json_t *h)
{
    set(h, "alg", json_string("none"));
}
static void alg_hs256(json_t *h)
{
    set(h, "alg", json_string("HS256"));
}
static void alg_rs512(json_t *h)
{
    set(h, "alg", json_string("RS512"));
}
static void alg_lower(json_t *h)
{
    set(h, "alg", json_string("es256"));
}
static void alg_absent(json_t *h)
{
    (void)json_object_del(h, "alg");
}
static void crit(json_t *h)
{
    set(h, "crit", json_pack("[s]", "exp"));
}
static void unencoded(json_t *h)
{
    set(h, "b64", json_false());
}
static void kid_unknown(json_t *h)
{
    set(h, "kid", json_string("zzz"));
}
static void kid_absent(json_t *h)
{
    (void)json_object_del(h, "kid");
}
static void kid_number(json_t *h)
{
    set(h, "kid", json_integer(1));
}
static void kid_of_rsa(json_t *h)
{
    set(h, "kid", json_string("sim-rsa"));
}
static void jku(json_t *h)
{
    set(h, "jku", json_string("https://stranger.invalid/certs"));
}

/* --- claims every token may have --- */

static void long_claims(json_t *c, int64_t now_s)
{
    (void)now_s;
    char *text = calloc(1, (64u << 10) + 1);
    if (text != NULL) {
        memset(text, 'x', 64u << 10);
        set(c, "long", json_string(text));
    }
    free(text);
}
static void exp_past(json_t *c, int64_t now_s)
{
    set(c, "exp", json_integer(now_s - 61));
}
static void exp_within(json_t *c, int64_t now_s)
{
    set(c, "exp", json_integer(now_s - 30));
}
static void exp_float(json_t *c, int64_t now_s)
{
    set(c, "exp", json_real((double)now_s + 3600.75));
}
static void exp_absent(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(c, "exp");
}
static void exp_text(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "exp", json_string("tomorrow"));
}
static void exp_huge(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "exp", json_real(1e300));
}
static void nbf_future(json_t *c, int64_t now_s)
{
    set(c, "nbf", json_integer(now_s + 61));
}
static void iat_future(json_t *c, int64_t now_s)
{
    set(c, "iat", json_integer(now_s + 61));
}
static void iat_absent(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(c, "iat");
}
static void iss_number(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "iss", json_integer(7));
}
static void aud_number(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "aud", json_pack("[si]", "atls", 7));
}
static void nonce_number(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "eat_nonce", json_integer(7));
}

/* --- claims of the profiles --- */

static json_t *submodule(json_t *c, const char *name)
{
    return json_object_get(json_object_get(c, "submods"), name);
}
static void ear_profile(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "eat_profile", json_string("tag:example.invalid,2030:ear"));
}
static void ear_no_profile(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(c, "eat_profile");
}
static void ear_no_submods(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "submods", json_object());
}
static void ear_no_status(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(submodule(c, "gpu"), "ear.status");
}
static void ear_bad_vector(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(json_object_get(submodule(c, "cpu"), "ear.trustworthiness-vector"), "hardware",
        json_integer(300));
}
static void ear_better(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(json_object_get(submodule(c, "gpu"), "ear.trustworthiness-vector"), "hardware",
        json_integer(-97));
}
static void ear_contraindicated(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(submodule(c, "gpu"), "ear.status", json_string("contraindicated"));
}
static void ear_none(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(submodule(c, "cpu"), "ear.status", json_integer(0));
}
static void ear_warning(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(submodule(c, "cpu"), "ear.status", json_integer(32));
}
static void ear_numbers(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(submodule(c, "cpu"), "ear.status", json_integer(2));
}
static void maa_outer(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(c, "x-ms-isolation-tee");
}
static void maa_compliance(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(json_object_get(c, "x-ms-isolation-tee"), "x-ms-compliance-status");
}
static void maa_asked(json_t *c, int64_t now_s)
{
    (void)now_s;
    json_t *payload = json_object_get(json_object_get(c, "x-ms-runtime"), "client-payload");
    (void)json_object_set(c, "nonce", json_object_get(payload, "nonce"));
    (void)json_object_set(c, "eat_nonce", json_object_get(payload, "nonce"));
    (void)json_object_del(c, "x-ms-runtime");
}
static void maa_shape(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "x-ms-isolation-tee", json_string("sevsnpvm"));
}
static void ita_unmatched(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "policy_ids_unmatched", json_pack("[s]", "a policy"));
}
static void ita_two(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "sgx", json_pack("{ss}", "attester_type", "SGX"));
}
static void ita_debug(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "tdx_is_debuggable", json_string("no"));
}
static void space_debug(json_t *c, int64_t now_s)
{
    (void)now_s;
    set(c, "dbgstat", json_string("enabled"));
}
static void space_no_debug(json_t *c, int64_t now_s)
{
    (void)now_s;
    (void)json_object_del(c, "dbgstat");
}

#define EC     "es256 es384 ear"
#define P256   "es256 ear"
#define DATED  "rs256 ps384 es256 es384 maa ita confidential-space"
#define SPARE  "rs256 ps384 es256 ear maa ita confidential-space"
#define SPACE  "confidential-space"
#define PLAINS "rs256 ps384 es256 es384"

/* name, variants, code and check of the verdict, what it is; changes of header, claims, text */
#define FAULTS(F)                                                                                  \
    F("format.padding", "", ATLS_E_INVALID, "token.format", "its end is padded", NULL, NULL,       \
      PADDING)                                                                                     \
    F("format.newline", "", ATLS_E_INVALID, "token.format", "a line ends behind it", NULL, NULL,   \
      NEWLINE)                                                                                     \
    F("format.segments", "", ATLS_E_INVALID, "token.format", "four segments", NULL, NULL, FOUR)    \
    F("format.spare_bits", SPARE, ATLS_E_INVALID, "token.format",                                  \
      "the last character says more than it has to", NULL, NULL, SPARE_BITS)                       \
    F("size", "", ATLS_E_INVALID, "token.size", "longer than 64 KiB", NULL, long_claims, ASIS)     \
    F("header.twice", "", ATLS_E_INVALID, "token.header", "a member of the header twice", NULL,    \
      NULL, TWICE_HEADER)                                                                          \
    F("alg.none", "", ATLS_E_INVALID, "token.alg", "unsigned, and says so", alg_none, NULL,        \
      NO_SIGNATURE)                                                                                \
    F("alg.hs256", "", ATLS_E_INVALID, "token.alg", "a MAC keyed with the issuer's public key",    \
      alg_hs256, NULL, HMAC)                                                                       \
    F("alg.rs512", "", ATLS_E_INVALID, "token.alg", "an algorithm that is not taken", alg_rs512,   \
      NULL, ASIS)                                                                                  \
    F("alg.case", "", ATLS_E_INVALID, "token.alg", "an algorithm in small letters", alg_lower,     \
      NULL, ASIS)                                                                                  \
    F("alg.absent", "", ATLS_E_INVALID, "token.alg", "no algorithm", alg_absent, NULL, ASIS)       \
    F("crit", "", ATLS_E_INVALID, "token.crit", "an extension that must be understood", crit,      \
      NULL, ASIS)                                                                                  \
    F("b64", "", ATLS_E_INVALID, "token.crit", "a payload that is not encoded", unencoded, NULL,   \
      ASIS)                                                                                        \
    F("kid.number", "", ATLS_E_INVALID, "token.kid", "a kid that is no text", kid_number, NULL,    \
      ASIS)                                                                                        \
    F("kid.unknown", "", ATLS_E_INVALID, "token.key.kid", "a kid that nobody gave", kid_unknown,   \
      NULL, ASIS)                                                                                  \
    F("kid.absent", P256, ATLS_E_INVALID, "token.key.ambiguous",                                   \
      "no kid, where two keys could have signed it", kid_absent, NULL, ASIS)                       \
    F("kid.absent_clear", "rs256 ps384 es384 maa ita " SPACE, ATLS_OK, "",                         \
      "no kid, where one key could have signed it", kid_absent, NULL, ASIS)                        \
    F("kid.other", EC, ATLS_E_INVALID, "token.key.alg", "the kid of a key of another kind",        \
      kid_of_rsa, NULL, ASIS)                                                                      \
    F("jku", EC, ATLS_E_INVALID, "token.signature",                                                \
      "signed by a stranger, whose key the header shows and whose keys it links to", jku, NULL,    \
      STRANGER)                                                                                    \
    F("signature.bit", "", ATLS_E_INVALID, "token.signature",                                      \
      "one bit of the signature is another", NULL, NULL, BIT)                                      \
    F("signature.empty", "", ATLS_E_INVALID, "token.signature", "no signature", NULL, NULL,        \
      NO_SIGNATURE)                                                                                \
    F("signature.payload", "", ATLS_E_INVALID, "token.signature",                                  \
      "other claims than those signed", NULL, NULL, PAYLOAD)                                       \
    F("signature.der", EC, ATLS_E_INVALID, "token.signature", "a signature as X.509 has it", NULL, \
      NULL, DER)                                                                                   \
    F("signature.zero", EC, ATLS_E_INVALID, "token.signature", "r and s are zero", NULL, NULL,     \
      ZERO)                                                                                        \
    F("signature.salt", "ps384 ita", ATLS_E_INVALID, "token.signature",                            \
      "a salt shorter than the hash", NULL, NULL, SALT)                                            \
    F("claims.twice", "", ATLS_E_INVALID, "token.claims", "the issuer stands twice", NULL, NULL,   \
      TWICE_CLAIM)                                                                                 \
    F("claims.exp", "", ATLS_E_INVALID, "token.claims", "exp is no time", NULL, exp_text, ASIS)    \
    F("claims.exp_huge", "", ATLS_E_INVALID, "token.claims", "exp is beyond all time", NULL,       \
      exp_huge, ASIS)                                                                              \
    F("claims.iss", "", ATLS_E_INVALID, "token.claims", "the issuer is no text", NULL, iss_number, \
      ASIS)                                                                                        \
    F("claims.aud", "", ATLS_E_INVALID, "token.claims", "an audience is no text", NULL,            \
      aud_number, ASIS)                                                                            \
    F("claims.nonce", "", ATLS_E_INVALID, "token.claims", "the nonce is no text", NULL,            \
      nonce_number, ASIS)                                                                          \
    F("exp.past", "", ATLS_E_BINDING, "token.exp", "ended 61 seconds ago", NULL, exp_past, ASIS)   \
    F("exp.leeway", "", ATLS_OK, "", "ended 30 seconds ago", NULL, exp_within, ASIS)               \
    F("exp.float", "", ATLS_OK, "", "ends at a fraction of a second", NULL, exp_float, ASIS)       \
    F("exp.absent", DATED, ATLS_E_INVALID, "token.exp.missing", "never ends", NULL, exp_absent,    \
      ASIS)                                                                                        \
    F("nbf.future", "", ATLS_E_BINDING, "token.nbf", "valid in 61 seconds", NULL, nbf_future,      \
      ASIS)                                                                                        \
    F("iat.future", "", ATLS_E_BINDING, "token.iat", "made in 61 seconds", NULL, iat_future, ASIS) \
    F("iat.absent", "ear", ATLS_E_INVALID, "token.iat.missing", "an EAR without its time", NULL,   \
      iat_absent, ASIS)                                                                            \
    F("iat.absent_dated", PLAINS, ATLS_OK, "", "not said when it was made", NULL, iat_absent,      \
      ASIS)                                                                                        \
    F("ear.profile", "ear", ATLS_E_INVALID, "token.profile", "an EAR of an unknown profile", NULL, \
      ear_profile, ASIS)                                                                           \
    F("ear.no_profile", "ear", ATLS_E_INVALID, "token.profile", "an EAR that does not say so",     \
      NULL, ear_no_profile, ASIS)                                                                  \
    F("ear.no_submods", "ear", ATLS_E_INVALID, "token.ear.submods", "no submodules", NULL,         \
      ear_no_submods, ASIS)                                                                        \
    F("ear.no_status", "ear", ATLS_E_INVALID, "token.ear.submods", "a submodule without status",   \
      NULL, ear_no_status, ASIS)                                                                   \
    F("ear.bad_vector", "ear", ATLS_E_INVALID, "token.ear.submods", "a claim beyond its range",    \
      NULL, ear_bad_vector, ASIS)                                                                  \
    F("ear.better", "ear", ATLS_E_INVALID, "token.ear.vector", "a status better than its vector",  \
      NULL, ear_better, ASIS)                                                                      \
    F("ear.contraindicated", "ear", ATLS_E_POLICY, "policy.status",                                \
      "one of two submodules is contraindicated", NULL, ear_contraindicated, ASIS)                 \
    F("ear.warning", "ear", ATLS_E_POLICY, "policy.status",                                        \
      "one of two submodules has a warning, as a number", NULL, ear_warning, ASIS)                 \
    F("ear.none", "ear", ATLS_E_POLICY, "policy.status",                                           \
      "nothing is said about one of two submodules", NULL, ear_none, ASIS)                         \
    F("ear.numbers", "ear", ATLS_OK, "", "a status as a number", NULL, ear_numbers, ASIS)          \
    F("maa.outer", "maa", ATLS_E_POLICY, "policy.status",                                          \
      "a virtual machine, and no word of a TEE", NULL, maa_outer, ASIS)                            \
    F("maa.compliance", "maa", ATLS_E_POLICY, "policy.status",                                     \
      "a TEE that is not called compliant", NULL, maa_compliance, ASIS)                            \
    F("maa.asked_nonce", "maa", ATLS_OK, "",                                                       \
      "the nonce is that of whoever asked for the token, and not the TEE's: good for no binding",  \
      NULL, maa_asked, ASIS)                                                                       \
    F("maa.shape", "maa", ATLS_E_INVALID, "token.profile", "the TEE's values are no object", NULL, \
      maa_shape, ASIS)                                                                             \
    F("ita.unmatched", "ita", ATLS_E_POLICY, "policy.status",                                      \
      "a policy of the issuer's did not match", NULL, ita_unmatched, ASIS)                         \
    F("ita.two", "ita", ATLS_E_INVALID, "token.profile", "claims of two TEEs", NULL, ita_two,      \
      ASIS)                                                                                        \
    F("ita.debug", "ita", ATLS_E_POLICY, "policy.debug", "debug is neither true nor false", NULL,  \
      ita_debug, ASIS)                                                                             \
    F("space.debug", SPACE, ATLS_E_POLICY, "policy.debug", "a debug image", NULL, space_debug,     \
      ASIS)                                                                                        \
    F("space.no_dbgstat", SPACE, ATLS_E_INVALID, "token.profile",                                  \
      "not said whether it is a debug image", NULL, space_no_debug, ASIS)

#define TOLD(name, variants, code, check, what, header, claims, change)                            \
    {name, what, variants, code, check},
#define EDIT(name, variants, code, check, what, header, claims, change)                            \
    {header, claims, SIM_JWT_##change},

const atls_sim_world_fault sim_jwt_faults[] = {FAULTS(TOLD)};
const sim_jwt_edit sim_jwt_edits[] = {FAULTS(EDIT)};
const size_t sim_jwt_faults_n = sizeof sim_jwt_faults / sizeof sim_jwt_faults[0];
