/* Claim sets that are taken have every claim in its size; a refusal has a check id of its own; a token of any bytes ends
 * in a verdict, never an accepted one; trust anchors are taken whole or not at all. */
#include <assert.h>
#include <string.h>

#include "evidence/cca/claim_set.h"
#include "trust/cca_anchors.h"
#include "verify/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const atls_err *err)
{
    assert(err->code == ATLS_E_INVALID && strncmp(err->check, "cca.", 4) == 0 &&
           err->msg[0] != '\0');
}

static bool is_hash_len(size_t len)
{
    return len == 32 || len == 48 || len == 64;
}

static void check_platform(atls_buf bytes)
{
    atls_cca_platform p;
    atls_err err = {0};
    if (atls_cca_platform_parse(bytes, &p, &err) != ATLS_OK) {
        refused(&err);
        return;
    }
    assert(is_hash_len(p.challenge.len) && p.implementation_id.len == 32 &&
           p.instance_id.len == 33);
    assert(p.lifecycle <= ATLS_CCA_LIFECYCLE_MAX && p.components_n > 0 &&
           p.components_n <= ATLS_CCA_COMPONENTS_MAX);
    for (size_t i = 0; i < p.components_n; i++) {
        assert(p.components[i].measurement.len > 0 && p.components[i].signer_id.len > 0);
    }
}

static void check_realm(atls_buf bytes)
{
    atls_cca_realm r;
    atls_public_key *key = NULL;
    atls_err err = {0};
    if (atls_cca_realm_parse(bytes, &r, &err) != ATLS_OK) {
        refused(&err);
        return;
    }
    assert(r.challenge.len == 64 && r.personalization.len == 64 && is_hash_len(r.rim.len));
    assert(is_hash_len(r.rem[0].len) && is_hash_len(r.rem[3].len) && r.rak.len > 0);
    if (atls_cca_realm_key(&r, &key, &err) == ATLS_OK) {
        assert(atls_public_key_kind(key) == ATLS_KEY_P384);
        atls_public_key_free(key);
    } else {
        refused(&err);
    }
}

static void check_anchors(atls_buf bytes)
{
    atls_endorsements e = {.certs_n = 0};
    atls_err err = {0};
    if (!atls_endorsement_cca_anchors.recognise(bytes)) {
        return;
    }
    if (atls_endorsements_add(&e, bytes, &err) == ATLS_OK) {
        assert(e.keys_n > 0 && e.keys[0]->has_ids && e.keys[0]->what == ATLS_VOUCHED_FOR_CCA);
    } else {
        assert(e.keys_n == 0 && strncmp(err.check, "endorsement.", 12) == 0);
    }
    atls_endorsements_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_verifier *v;
    const atls_buf bytes = {data, size};
    atls_buf platform;
    atls_buf realm;
    atls_cose_sign1 cose;
    atls_err err = {0};
    if (v == NULL) {
        v = atls_verifier_new();
    }
    check_platform(bytes);
    check_realm(bytes);
    check_anchors(bytes);
    if (atls_cca_token_parse(bytes, &platform, &realm, &err) != ATLS_OK) {
        refused(&err);
    } else {
        const unsigned algs = ATLS_COSE_ALLOW(ATLS_COSE_ES256) | ATLS_COSE_ALLOW(ATLS_COSE_ES384);
        if (atls_cose_sign1_parse(platform, algs, &cose, NULL) == ATLS_OK) {
            check_platform(cose.payload);
        }
        if (atls_cose_sign1_parse(realm, algs, &cose, NULL) == ATLS_OK) {
            check_realm(cose.payload);
        }
    }
    const atls_evidence e = {.type = "cca", .parts_n = 1, .parts = {{"token", bytes}}};
    atls_verdict *r = v != NULL ? atls_verifier_check(v, &e, NULL, 1760000000, NULL) : NULL;
    if (r != NULL) {
        assert(atls_verdict_code(r) == ATLS_E_INVALID && atls_verdict_check(r)[0] != '\0');
    }
    atls_verdict_free(r);
    return 0;
}
