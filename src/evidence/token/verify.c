/* One token judged: form, key, signature, claims, times, and whom it is of and for. */
#include "evidence/format.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"
#include "evidence/token/token.h"
#include "trust/judging.h"
#include "trust/trust.h"
#include "trust/view.h"

#define LEEWAY_S 60 /* contract, --leeway */

/* A JSON object in base64url begins with '{' and a quote or white space; behind it are two dots. */
static bool recognise(atls_buf token)
{
    size_t dots = 0;
    if (token.len < 5 || token.ptr[0] != 'e' || (token.ptr[1] != 'y' && token.ptr[1] != 'w')) {
        return false;
    }
    for (size_t i = 0; i < token.len; i++) {
        dots += token.ptr[i] == '.' ? 1 : 0;
    }
    return dots == 2;
}

typedef struct judging {
    const atls_verification *v;
    atls_judging j;
    atls_token_facts *facts;
    atls_token_claims claims;
    int64_t nbf_s;
    const atls_shelf_held *
        set; /* of its issuer, and the only keys it may be signed with; NULL: the caller's own are */
} judging;

/* A step that says itself what is wrong. */
static bool step(const judging *g, const char *id, atls_code rc, const atls_err *err)
{
    if (atls_judging_taken(&g->j, rc)) {
        atls_ledger_ok(g->v->l, id);
        return true;
    }
    if (rc != ATLS_E_SYSTEM) {
        atls_ledger_fail_err(g->v->l, err);
    }
    return false;
}

static void skip_rest(const judging *g, const char *because)
{
    static const char *const ids[] = {"token.claims", "token.exp", "token.nbf", "token.iat"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        atls_ledger_skip(g->v->l, ids[i], because);
    }
}

/* --- times --- */

static int64_t leeway_of(const atls_expected *expected)
{
    return expected->has_leeway ? (int64_t)expected->leeway_s : LEEWAY_S;
}

static void judge_time(const judging *g, const char *id, bool good, int64_t found_s,
                       const char *wanted)
{
    atls_ledger_check(g->v->l, id, good, ATLS_E_BINDING, atls_value_time(found_s),
                      atls_value_text(wanted));
}

static bool has_iat(const atls_token_claims *c)
{
    return json_object_get(c->all, "iat") != NULL;
}

/* An EAR has no end; it says when it was made, and how old is too old is the policy's. */
static bool is_dated(const judging *g)
{
    const atls_token_claims *c = &g->claims;
    if (c->kind == ATLS_TOKEN_EAR && !has_iat(c)) {
        atls_ledger_fail(g->v->l, "token.iat.missing", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a token that says when it was made"));
        return false;
    }
    if (c->kind != ATLS_TOKEN_EAR && !c->has_exp) {
        atls_ledger_fail(g->v->l, "token.exp.missing", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a token that says when it ends"));
        return false;
    }
    return true;
}

/* RFC 7519, 4.1.4 to 4.1.6. The leeway is put to the token's times, which are bounded; the clock may say anything. */
static void judge_times(const judging *g)
{
    const atls_token_claims *c = &g->claims;
    int64_t leeway_s = leeway_of(g->v->expected);
    int64_t now_s = g->v->when_s;
    if (c->has_exp) {
        judge_time(g, "token.exp", c->exp_s + leeway_s > now_s, c->exp_s,
                   "a token that has not ended");
    }
    if (g->nbf_s != INT64_MIN) {
        judge_time(g, "token.nbf", g->nbf_s - leeway_s <= now_s, g->nbf_s,
                   "a token that is valid already");
    }
    if (has_iat(c)) {
        judge_time(g, "token.iat", c->iat_s - leeway_s <= now_s, c->iat_s,
                   "a token that was not made in the future");
    }
}

/* --- whom it is of, and for --- */

static bool is_for(const atls_token_claims *c, const char *audience)
{
    for (size_t i = 0; i < c->audiences_n; i++) {
        if (strcmp(c->audiences[i], audience) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_parties(const judging *g)
{
    const atls_expected *expected = g->v->expected;
    const atls_token_claims *c = &g->claims;
    atls_ledger *l = g->v->l;
    if (expected->issuer != NULL) {
        atls_ledger_check(
            l, "token.issuer", strcmp(c->issuer, expected->issuer) == 0, ATLS_E_BINDING,
            c->issuer[0] != '\0' ? atls_value_note(l, c->issuer) : atls_value_text("none"),
            atls_value_note(l, expected->issuer));
    }
    if (expected->audience != NULL) {
        atls_ledger_check(l, "token.audience", is_for(c, expected->audience), ATLS_E_BINDING,
                          c->audiences_n > 0 ? atls_value_note(l, c->audiences[0])
                                             : atls_value_text("none"),
                          atls_value_note(l, expected->audience));
    }
}

/* --- the whole --- */

static void release(void *object)
{
    atls_token_facts *facts = object;
    json_decref(facts->all);
    free(facts);
}

/* The key set that the store has of exactly this issuer, in its time; NULL: none. */
static atls_code find_set(const judging *g, const atls_jws *jws, const atls_shelf_held **set,
                          atls_err *err)
{
    const atls_shelf *shelf = g->v->view->shelf;
    atls_item_name name = {.kind = ATLS_ITEM_JWKS};
    char key[ATLS_ITEM_KEY_LEN] = "";
    char issuer[ATLS_TOKEN_ISSUER_LEN];
    *set = NULL;
    if (shelf == NULL) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_token_issuer(jws->payload, issuer, err));
    if (issuer[0] == '\0') {
        return ATLS_OK;
    }
    memcpy(name.issuer, issuer, strlen(issuer) + 1);
    atls_item_name_format(&name, key);
    const atls_shelf_held *held = atls_shelf_find(shelf, key, NULL, NULL);
    if (held != NULL && strcmp(held->name.issuer, issuer) == 0 &&
        g->v->when_s <= held->facts.expires_s) {
        *set = held;
    }
    return ATLS_OK;
}

/* The caller's own keys are good for any token; where none of them is meant, the store's of its issuer. */
static atls_code find_key(judging *g, const atls_jws *jws, atls_public_key **key, atls_err *err)
{
    const atls_code rc = atls_token_key(&g->v->trust->endorsements, jws, key, err);
    if (rc == ATLS_OK || rc == ATLS_E_SYSTEM || strcmp(err->check, "token.key.ambiguous") == 0) {
        return rc;
    }
    const atls_shelf_held *set;
    atls_err own = *err;
    ATLS_TRY(find_set(g, jws, &set, err));
    if (set == NULL) {
        *err = own;
        return rc;
    }
    g->set = set;
    return atls_token_key(set->keys, jws, key, err);
}

static bool judge_signature(judging *g, const atls_jws *jws)
{
    atls_err err = {0};
    atls_public_key *key = NULL;
    if (!step(g, "token.key", find_key(g, jws, &key, &err), &err)) {
        atls_ledger_skip(g->v->l, "token.signature", "no key that could have signed it is known");
        return false;
    }
    (*g->v->signatures)++;
    return atls_judge(&g->j, "token.signature", atls_jws_signed_by(jws, key), ATLS_E_INVALID,
                      "a signature that does not verify", "a valid one");
}

/* Reads the claims of a token whose signature verified. */
static bool read_claims(judging *g, atls_buf payload)
{
    atls_err err = {0};
    atls_code rc = atls_json_parse(payload, ATLS_JWS_MAX_LEN, "token.claims", &g->facts->all, &err);
    rc = rc != ATLS_OK ? rc : atls_token_read(g->facts, &g->claims, &g->nbf_s, &err);
    return step(g, "token.claims", rc, &err);
}

static void judge_token(judging *g, const atls_jws *jws)
{
    const atls_verification *v = g->v;
    if (!judge_signature(g, jws)) {
        skip_rest(g, "nothing vouches for what it says");
        return;
    }
    g->facts = calloc(1, sizeof *g->facts);
    if (g->facts == NULL) {
        atls_ledger_no_memory(v->l);
        return;
    }
    *v->anchor = (atls_anchor){g->facts, release};
    if (!read_claims(g, jws->payload) || !is_dated(g)) {
        return;
    }
    if (g->set != NULL && strcmp(g->set->name.issuer, g->claims.issuer) != 0) {
        atls_ledger_fail(v->l, "token.issuer", ATLS_E_INVALID, atls_value_text("another issuer"),
                         atls_value_text("the one whose keys were used"));
        return;
    }
    v->claims->tee = ATLS_TEE_TOKEN;
    v->claims->as.token = g->claims;
    v->claims->simulated = strcmp(g->claims.issuer, ATLS_TOKEN_SIMULATOR) == 0;
    /* Until then it is accepted: with the leeway, or a verdict would be over before it is reached. */
    v->claims->expires_s = g->claims.has_exp ? g->claims.exp_s + leeway_of(v->expected) : 0;
    judge_times(g);
    judge_parties(g);
}

static void verify(const atls_verification *v)
{
    judging g = {.v = v, .j = {v->l, v->signatures}};
    atls_jws jws = {.space = NULL};
    atls_err err = {0};
    v->claims->custom_root = true; /* the caller's key, whatever comes out */
    if (!step(&g, "token.format",
              atls_jws_parse(atls_evidence_part(v->evidence, "token"), &jws, &err), &err)) {
        return;
    }
    judge_token(&g, &jws);
    atls_jws_clear(&jws);
}

const atls_format atls_format_jwt = {
    .name = "jwt", .tee = ATLS_TEE_TOKEN, .recognise = recognise, .verify = verify};
