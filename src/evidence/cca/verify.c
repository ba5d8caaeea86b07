/* verify.c: Arm CCA tokens judged: form, the platform's signature by a key that the caller vouches for, the realm's by
 * the key that it claims, and that the platform vouches for that very key. The life cycle and what was measured are for
 * the policy. */
#include <stdlib.h>
#include <string.h>

#include "evidence/cca/claim_set.h"
#include "evidence/format.h"
#include "trust/cca_anchors.h"
#include "trust/judging.h"
#include "trust/trust.h"

#define PLATFORM_ALGS                                                                              \
    (ATLS_COSE_ALLOW(ATLS_COSE_ES256) | ATLS_COSE_ALLOW(ATLS_COSE_ES384) |                         \
     ATLS_COSE_ALLOW(ATLS_COSE_ES512))
#define REALM_ALGS ATLS_COSE_ALLOW(ATLS_COSE_ES384)

typedef struct token_case {
    const atls_judging *j;
    atls_cose_sign1 platform_cose, realm_cose;
    atls_cca_platform platform;
    atls_cca_realm realm;
} token_case;

static bool check(const token_case *c, const char *id, bool good, const char *found,
                  const char *wanted)
{
    return atls_judge(c->j, id, good, ATLS_E_INVALID, found, wanted);
}

/* --- form --- */

static atls_code parse(atls_buf token, token_case *c, atls_err *err)
{
    atls_buf platform;
    atls_buf realm;
    atls_code rc = atls_cca_token_parse(token, &platform, &realm, err);
    if (rc == ATLS_OK) {
        rc = atls_cose_sign1_parse(platform, PLATFORM_ALGS, &c->platform_cose, err);
    }
    if (rc == ATLS_OK) {
        rc = atls_cose_sign1_parse(realm, REALM_ALGS, &c->realm_cose, err);
    }
    if (rc == ATLS_OK) {
        rc = atls_cca_platform_parse(c->platform_cose.payload, &c->platform, err);
    }
    return rc == ATLS_OK ? atls_cca_realm_parse(c->realm_cose.payload, &c->realm, err) : rc;
}

/* --- signatures --- */

static bool judge_platform(const token_case *c, const struct atls_trust *trust, atls_claims *claims)
{
    static const char id[] = "cca.platform.signature";
    atls_public_key *key = atls_cca_anchor_find(&trust->endorsements, c->platform.instance_id,
                                                c->platform.implementation_id);
    if (!check(c, "cca.platform.trust_anchor", key != NULL,
               "a platform whose key nobody vouches for",
               "a CCA trust anchor with its instance and implementation id, as endorsement")) {
        atls_ledger_skip(c->j->l, id, "the platform's key is not vouched for");
        return false;
    }
    claims->custom_root = true;
    if (!check(c, "cca.platform.alg",
               atls_public_key_kind(key) == atls_cose_alg_curve(c->platform_cose.alg),
               atls_cose_alg_name(c->platform_cose.alg),
               "the algorithm of the platform key's curve")) {
        atls_ledger_skip(c->j->l, id, "the algorithm is not one of the platform's key");
        return false;
    }
    (*c->j->signatures)++;
    return check(c, id, atls_cose_sign1_verify(&c->platform_cose, key),
                 "a signature that does not verify", "a valid one");
}

static bool judge_realm(const token_case *c)
{
    static const char id[] = "cca.realm.signature";
    atls_public_key *key = NULL;
    atls_err err = {0};
    if (!atls_judging_taken(c->j, atls_cca_realm_key(&c->realm, &key, &err))) {
        atls_ledger_fail_err(c->j->l, &err);
        atls_ledger_skip(c->j->l, id, "the realm's key is none");
        return false;
    }
    (*c->j->signatures)++;
    const bool good = check(c, id, atls_cose_sign1_verify(&c->realm_cose, key),
                            "a signature that does not verify", "a valid one");
    atls_public_key_free(key);
    return good;
}

/* Over the bytes of the claim, whatever form the key has there. */
static bool judge_binding(const token_case *c, bool signed_ok)
{
    static const char id[] = "cca.binding";
    if (!signed_ok) {
        atls_ledger_skip(c->j->l, id, "a signature does not verify");
        return false;
    }
    uint8_t digest[ATLS_HASH_MAX];
    const atls_buf wanted = {digest, atls_hash_len(c->realm.rak_hash)};
    const atls_buf found = c->platform.challenge;
    const bool taken =
        atls_judging_taken(c->j, atls_digest(c->realm.rak_hash, &c->realm.rak, 1, digest, NULL));
    return atls_ledger_check(c->j->l, id, taken && atls_equal(found, wanted), ATLS_E_INVALID,
                             atls_value_hex(found),
                             taken ? atls_value_hex(wanted) : atls_value_none());
}

/* --- claims --- */

/* What the claims point to. Every string of the token has a head of at least a byte there, in whose place its NUL
 * stands here: so there is room for all of them. */
typedef struct kept_claims {
    atls_cca_component components[ATLS_CCA_COMPONENTS_MAX];
    size_t used;
    uint8_t bytes[];
} kept_claims;

static atls_buf keep(kept_claims *k, atls_buf bytes)
{
    uint8_t *to = k->bytes + k->used;
    if (bytes.len > 0) {
        memcpy(to, bytes.ptr, bytes.len);
    }
    to[bytes.len] = '\0';
    k->used += bytes.len + 1;
    return (atls_buf){to, bytes.len};
}

/* NULL for a claim that is not there. */
static const char *keep_text(kept_claims *k, atls_buf text)
{
    return text.len == 0 ? NULL : (const char *)keep(k, text).ptr;
}

static bool is_simulated(atls_buf implementation_id)
{
    static const uint8_t mark[32] = ATLS_SIMULATOR_O;
    return memcmp(implementation_id.ptr, mark, sizeof mark) == 0;
}

static void platform_claims(const atls_cca_platform *p, kept_claims *k, atls_cca_claims *out)
{
    out->platform_profile = keep_text(k, p->profile);
    out->verification_service = keep_text(k, p->verification_service);
    out->config = keep(k, p->config);
    out->lifecycle = p->lifecycle;
    memcpy(out->implementation_id, p->implementation_id.ptr, sizeof out->implementation_id);
    memcpy(out->instance_id, p->instance_id.ptr, sizeof out->instance_id);
    for (size_t i = 0; i < p->components_n; i++) {
        k->components[i] = (atls_cca_component){
            .type = keep_text(k, p->components[i].type),
            .version = keep_text(k, p->components[i].version),
            .measurement = keep(k, p->components[i].measurement),
            .signer_id = keep(k, p->components[i].signer_id),
        };
    }
    out->components = k->components;
    out->components_n = p->components_n;
}

static void realm_claims(const atls_cca_realm *r, kept_claims *k, atls_claims *claims)
{
    atls_cca_claims *out = &claims->as.cca;
    out->realm_profile = keep_text(k, r->profile);
    memcpy(out->personalization, r->personalization.ptr, sizeof out->personalization);
    memcpy(out->rim, r->rim.ptr, r->rim.len);
    out->rim_len = r->rim.len;
    for (size_t i = 0; i < 4; i++) {
        memcpy(out->rem[i], r->rem[i].ptr, r->rem[i].len);
        out->rem_len[i] = r->rem[i].len;
    }
    memcpy(claims->report_data, r->challenge.ptr, ATLS_CCA_CHALLENGE_LEN);
    claims->report_data_len = ATLS_CCA_CHALLENGE_LEN;
}

static bool fill_claims(const token_case *c, size_t token_len, const atls_verification *v)
{
    kept_claims *k = calloc(1, sizeof *k + token_len);
    if (k == NULL) {
        atls_ledger_no_memory(v->l);
        return false;
    }
    platform_claims(&c->platform, k, &v->claims->as.cca);
    realm_claims(&c->realm, k, v->claims);
    v->claims->simulated = is_simulated(c->platform.implementation_id);
    v->claims->tee = ATLS_TEE_CCA;
    *v->anchor = (atls_anchor){k, free};
    return true;
}

/* --- the whole --- */

static void verify(const atls_verification *v)
{
    const atls_judging j = {v->l, v->signatures};
    const atls_buf token = atls_evidence_part(v->evidence, "token");
    token_case c = {.j = &j};
    atls_err err = {0};
    if (token.ptr == NULL) {
        atls_ledger_fail(v->l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a part named token"));
        return;
    }
    if (!atls_judging_taken(&j, parse(token, &c, &err))) {
        atls_ledger_fail_err(v->l, &err);
        return;
    }
    atls_ledger_ok(v->l, "cca.cbor");
    const bool platform_ok = judge_platform(&c, v->trust, v->claims);
    const bool realm_ok = judge_realm(&c);
    if (judge_binding(&c, platform_ok && realm_ok)) {
        (void)fill_claims(&c, token.len, v);
    }
}

static bool recognise(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    atls_cbor_item tag;
    return atls_cbor_any(&r, &tag) && tag.kind == ATLS_CBOR_TAG && tag.value == 399;
}

const atls_format atls_format_cca = {"cca", ATLS_TEE_CCA, recognise, verify};
