/* verifier.c: the waist of the house: evidence in, a verdict out. */
#include <atls/verifier.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "claims/evidence_parts.h"
#include "trust/ek_cert.h"
#include "trust/trust.h"
#include "trust/view.h"
#include "verify/binding.h"
#include "verify/verify.h"

#define EVIDENCE_MAX_LEN (128u << 10)

/* Every format there is, in plain sight. */
static const atls_format *const formats[] = {
    &atls_format_tdx,   &atls_format_sgx,   &atls_format_snp,   &atls_format_cca,
    &atls_format_nitro, &atls_format_tpm,   &atls_format_azure, &atls_format_snp_tpm,
    &atls_format_jwt,   &atls_format_dummy,
};

struct atls_verifier {
    atls_trust *trust;
    atls_policy *policy;
    const atls_shelf_place *place; /* of a store; lent; NULL: none is attached */
    bool live;
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

atls_code atls_verifier_add1_endorsement(atls_verifier *v, atls_buf bytes, atls_err *err)
{
    return atls_trust_add1_endorsement(v->trust, bytes, err);
}

atls_code atls_verifier_insecure_trust_simulator(atls_verifier *v, atls_buf certs, atls_err *err)
{
    return atls_trust_add1_simulator(v->trust, certs, err);
}

void atls_verifier_insecure_accept_dummy(atls_verifier *v)
{
    v->trust->takes_dummy = true;
}

atls_code atls_ek_certificate_check(const atls_verifier *v, atls_buf der, const atls_buf *ek_public,
                                    int64_t when_s, atls_ek_identity *out, atls_err *err)
{
    return atls_ek_cert_judge(v->trust, der, ek_public, when_s, out, err);
}

void atls_verifier_set0_shelf_place(atls_verifier *v, const atls_shelf_place *place, bool live)
{
    v->place = place;
    v->live = live;
    atls_trust_drop_caches(v->trust);
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

static const char *main_name(const atls_format *format)
{
    return atls_evidence_type_find(text_of(format->name))->parts[0];
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

const atls_format *atls_evidence_named(const atls_evidence *evidence, atls_evidence *named)
{
    const atls_format *format = format_of(evidence);
    if (format != NULL) {
        *named = *evidence;
        named->type = format->name;
        named->parts[0].name =
            named->parts[0].name == NULL ? main_name(format) : named->parts[0].name;
    }
    return format;
}

static bool fits_count(const atls_evidence *evidence, atls_ledger *l)
{
    if (evidence == NULL || evidence->parts_n == 0 || evidence->parts_n > ATLS_EVIDENCE_PARTS) {
        atls_ledger_fail(l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("evidence of 1 to 10 parts"));
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

void atls_verification_judge(const atls_verifier *v, const atls_evidence *evidence,
                             const atls_expected *expected, atls_verdict *r)
{
    if (!fits_count(evidence, &r->ledger)) {
        return;
    }
    atls_evidence named;
    const atls_format *format = atls_evidence_named(evidence, &named);
    if (format == NULL) {
        atls_ledger_fail(&r->ledger, "evidence.unknown", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("evidence of a known format"));
        return;
    }
    r->format = format->name;
    if (!fits_format(evidence, format, &r->ledger)) {
        return;
    }
    static const atls_expected nothing;
    const atls_view view = {r->shelf, r->live};
    format->verify(&(atls_verification){.trust = v->trust,
                                        .view = &view,
                                        .evidence = &named,
                                        .expected = expected != NULL ? expected : &nothing,
                                        .when_s = r->at_s,
                                        .l = &r->ledger,
                                        .claims = &r->claims,
                                        .anchor = &r->anchor,
                                        .signatures = &r->signatures});
    if (r->claims.hardware == ATLS_TEE_NONE) {
        r->claims.hardware = r->claims.tee;
    }
    r->freshness = "none";
    atls_judge_binding(&r->claims, expected, &r->ledger, &r->binding, &r->freshness);
    if (expected != NULL) {
        r->binding_line = expected->binding_line;
        r->has_since = expected->has_since;
        r->since_s = expected->since_s;
    }
    if (r->claims.tee != ATLS_TEE_NONE) {
        atls_policy_appraise(v->policy, &r->claims, expected, r->at_s, &r->ledger, &r->appraisal);
    }
}

atls_verdict *atls_verification_begin(const atls_verifier *v, int64_t when_s, atls_err *err)
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
    if (v->place != NULL) {
        r->shelf = atls_shelf_place_get(v->place);
        r->live = v->live;
        atls_judge_clock(&(atls_view){r->shelf, r->live}, when_s, &r->ledger);
    }
    return r;
}

atls_verdict *atls_verification_end(atls_verdict *r, atls_err *err)
{
    if (r->ledger.no_memory) { /* our trouble, and no word about the peer */
        atls_verdict_free(r);
        (void)ATLS_ERR_NOMEM(err);
        return NULL;
    }
    atls_shelf_free(r->shelf);
    r->shelf = NULL;
    atls_verdict_conclude(r);
    return r;
}

atls_verdict *atls_verifier_check(const atls_verifier *v, const atls_evidence *evidence,
                                  const atls_expected *expected, int64_t when_s, atls_err *err)
{
    atls_verdict *r = atls_verification_begin(v, when_s, err);
    if (r == NULL) {
        return NULL;
    }
    atls_verification_judge(v, evidence, expected, r);
    return atls_verification_end(r, err);
}
