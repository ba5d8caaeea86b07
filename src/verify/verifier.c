/* verifier.c: the waist of the house: evidence in, a verdict out. */
#include <atls/verifier.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "claims/evidence_parts.h"
#include "trust/trust.h"
#include "verify/verdict.h"

#define EVIDENCE_MAX_LEN (128u << 10)

/* Every format there is, in plain sight. */
static const atls_format *const formats[] = {&atls_format_tdx, &atls_format_sgx};

struct atls_verifier {
    atls_trust *trust;
    atls_policy *policy;
};

atls_verifier *atls_verifier_new(void)
{
    atls_verifier *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return NULL;
    }
    v->trust = atls_trust_new();
    v->policy = atls_policy_builtin();
    if (v->trust == NULL || v->policy == NULL) {
        atls_verifier_free(v);
        return NULL;
    }
    return v;
}

void atls_verifier_free(atls_verifier *v)
{
    if (v != NULL) {
        atls_trust_free(v->trust);
        atls_policy_free(v->policy);
        free(v);
    }
}

atls_code atls_verifier_set1_policy(atls_verifier *v, const atls_policy *policy, atls_err *err)
{
    if (policy == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "verifier.policy", "no policy was given");
    }
    atls_policy_free(v->policy);
    v->policy = atls_policy_up_ref(policy);
    return ATLS_OK;
}

atls_code atls_verifier_add1_collateral(atls_verifier *v, const atls_collateral *collateral,
                                        atls_err *err)
{
    return atls_trust_add1_collateral(v->trust, collateral, err);
}

atls_code atls_verifier_set1_root(atls_verifier *v, atls_family family, atls_buf certs,
                                  atls_err *err)
{
    return atls_trust_set1_root(v->trust, family, certs, err);
}

atls_code atls_verifier_insecure_trust_simulator(atls_verifier *v, atls_buf certs, atls_err *err)
{
    return atls_trust_add1_simulator(v->trust, certs, err);
}

void atls_verifier_drop_caches(atls_verifier *v)
{
    atls_trust_drop_caches(v->trust);
}

/* --- one verification --- */

static atls_buf text_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, s == NULL ? 0 : strlen(s)};
}

/* Which part of the type this is; only the one that is judged may go without a name, and then comes first. */
static size_t place_of(const atls_evidence *evidence, size_t i, const atls_evidence_type *type)
{
    const char *name = evidence->parts[i].name;
    return name == NULL && i == 0 ? 0 : atls_evidence_type_part(type, text_of(name));
}

/* The part that is judged; NULL when it is not there. */
static const atls_buf *main_part(const atls_evidence *evidence, const atls_format *format)
{
    const atls_evidence_type *type = atls_evidence_type_find(text_of(format->name));
    for (size_t i = 0; i < evidence->parts_n; i++) {
        if (place_of(evidence, i, type) == 0) {
            return &evidence->parts[i].bytes;
        }
    }
    return NULL;
}

static const atls_format *format_of(const atls_evidence *evidence)
{
    size_t n = sizeof formats / sizeof formats[0];
    for (size_t i = 0; i < n; i++) {
        const atls_buf *part = main_part(evidence, formats[i]);
        bool fits = evidence->type != NULL ? strcmp(evidence->type, formats[i]->name) == 0
                                           : part != NULL && formats[i]->recognise(*part);
        if (fits) {
            return formats[i];
        }
    }
    return NULL;
}

static bool fits_count(const atls_evidence *evidence, atls_ledger *l)
{
    if (evidence == NULL || evidence->parts_n == 0 || evidence->parts_n > ATLS_EVIDENCE_PARTS) {
        atls_ledger_fail(l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("evidence of 1 to 8 parts"));
        return false;
    }
    return true;
}

/* Parts that nobody knows, or one of two, could carry what nobody judges: neither is passed over. */
static bool fits_format(const atls_evidence *evidence, const atls_format *format, atls_ledger *l)
{
    const atls_evidence_type *type = atls_evidence_type_find(text_of(format->name));
    bool taken[ATLS_PARTS_OF_A_TYPE + 1] = {[ATLS_PARTS_OF_A_TYPE] = true};
    for (size_t i = 0; i < evidence->parts_n; i++) {
        size_t place = place_of(evidence, i, type);
        if (taken[place]) {
            atls_ledger_fail(l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                             atls_value_text("parts that this type has, each at most once"));
            return false;
        }
        taken[place] = true;
    }
    /* The other parts (event logs) are not signed and have limits of their own. */
    const atls_buf *part = main_part(evidence, format);
    if (part != NULL && part->len > EVIDENCE_MAX_LEN) {
        atls_ledger_fail(l, "evidence.size", ATLS_E_INVALID, atls_value_uint(part->len),
                         atls_value_text("at most 131072 bytes"));
        return false;
    }
    return true;
}

/* The whole signed field, a shorter value padded with zeros at its end. */
static bool field_equals(const atls_claims *claims, const uint8_t *value, size_t len)
{
    uint8_t padded[64] = {0};
    if (len == 0 || len > sizeof padded || claims->report_data_len != sizeof padded) {
        return false;
    }
    memcpy(padded, value, len);
    return memcmp(padded, claims->report_data, sizeof padded) == 0;
}

static void judge_field(atls_verdict *r, const char *id, const uint8_t *value, size_t len)
{
    const atls_claims *claims = &r->claims;
    if (claims->tee == ATLS_TEE_NONE) {
        atls_ledger_skip(&r->ledger, id, "the evidence's signatures did not verify");
    } else if (field_equals(claims, value, len)) {
        atls_ledger_ok(&r->ledger, id);
    } else {
        atls_ledger_fail(&r->ledger, id, ATLS_E_BINDING,
                         atls_value_hex((atls_buf){claims->report_data, claims->report_data_len}),
                         atls_value_hex((atls_buf){value, len <= 64 ? len : 64}));
    }
}

/* What the verifier's own side of the connection knows, against the field that the hardware signed. */
static void judge_binding(atls_verdict *r, const atls_expected *expected)
{
    r->freshness = "none";
    if (expected == NULL) {
        return;
    }
    size_t from = r->ledger.count;
    if (expected->has_report_data) {
        judge_field(r, "binding.report_data", expected->report_data, sizeof expected->report_data);
    }
    if (expected->has_nonce) {
        judge_field(r, "binding.nonce", expected->nonce, expected->nonce_len);
    }
    if (expected->binding != ATLS_BINDING_NONE && !expected->has_report_data &&
        !expected->has_nonce) {
        atls_ledger_fail(&r->ledger, "binding.expected", ATLS_E_BINDING, atls_value_none(),
                         atls_value_text("report data or a nonce to compare with"));
    }
    if (r->ledger.count == from || !atls_ledger_all_ok(&r->ledger, from)) {
        return;
    }
    r->binding = expected->binding;
    r->freshness =
        expected->binding == ATLS_BINDING_SESSION || expected->binding == ATLS_BINDING_HANDSHAKE
            ? "this connection"
        : expected->has_nonce ? "nonce"
                              : "none";
}

static void judge(const atls_verifier *v, const atls_evidence *evidence,
                  const atls_expected *expected, atls_verdict *r)
{
    if (!fits_count(evidence, &r->ledger)) {
        return;
    }
    const atls_format *format = format_of(evidence);
    if (format == NULL) {
        atls_ledger_fail(&r->ledger, "evidence.unknown", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("evidence of a known format"));
        return;
    }
    r->format = format->name;
    if (!fits_format(evidence, format, &r->ledger)) {
        return;
    }
    format->verify(v->trust, evidence, r->at_s, &r->ledger, &r->claims, &r->anchor, &r->signatures);
    judge_binding(r, expected);
    if (r->claims.tee != ATLS_TEE_NONE) {
        atls_policy_appraise(v->policy, &r->claims, expected, r->at_s, &r->ledger, &r->appraisal);
    }
}

atls_verdict *atls_verifier_check(const atls_verifier *v, const atls_evidence *evidence,
                                  const atls_expected *expected, int64_t when_s, atls_err *err)
{
    atls_verdict *r = atls_verdict_new();
    if (r == NULL) {
        (void)ATLS_ERR_NOMEM(err);
        return NULL;
    }
    r->at_s = when_s;
    r->format = "unknown";
    r->freshness = "none";
    r->policy = atls_policy_up_ref(v->policy);
    judge(v, evidence, expected, r);
    if (r->ledger.no_memory) { /* our trouble, and no word about the peer */
        atls_verdict_free(r);
        (void)ATLS_ERR_NOMEM(err);
        return NULL;
    }
    atls_verdict_conclude(r);
    return r;
}
