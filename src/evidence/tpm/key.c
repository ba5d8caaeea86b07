/* key.c: who vouches for the key that signed a quote, beside a hardware report: the caller gave it too, or a certificate
 * leads to a root of google or tpm. A key is not vouched for by being in the evidence. */
#include "evidence/tpm/quote.h"

#include <string.h>

#include "base/err.h"

static const atls_vouched_key *vouched_as(const atls_tpm_case *c, const atls_public_key *key)
{
    const atls_endorsements *e = &c->v->trust->endorsements;
    for (size_t i = 0; i < e->keys_n; i++) {
        const atls_vouched_key *k = e->keys[i];
        const bool same = key != NULL ? memcmp(atls_public_key_sha256(k->key),
                                               atls_public_key_sha256(key), 32) == 0
                                      : atls_tpm_given_key_is(&c->given, k->key);
        if (k->what == ATLS_VOUCHED_FOR_QUOTES && same) {
            return k;
        }
    }
    return NULL;
}

/* Where the evidence names no key: the one that the caller gave, if it is one. */
static const atls_vouched_key *only_vouched(const atls_tpm_case *c)
{
    const atls_endorsements *e = &c->v->trust->endorsements;
    const atls_vouched_key *only = NULL;
    for (size_t i = 0; i < e->keys_n; i++) {
        if (e->keys[i]->what == ATLS_VOUCHED_FOR_QUOTES) {
            if (only != NULL) {
                return NULL;
            }
            only = e->keys[i];
        }
    }
    return only;
}

static void take_vouched(atls_tpm_case *c, const atls_vouched_key *k)
{
    atls_ledger_ok_found(c->j.l, "tpm.ak.trust", atls_value_text("a key that the caller gave"));
    c->vouched = k;
    c->key = atls_public_key_up_ref(k->key);
    c->trust = ATLS_AK_VOUCHED;
    c->v->claims->custom_root = true;
}

/* The certificate's key is the one that signs, and the evidence names no other. */
static bool judge_same_key(const atls_tpm_case *c, const atls_public_key *key)
{
    return !c->has_given ||
           atls_judge(&c->j, "tpm.ak.differs", atls_tpm_given_key_is(&c->given, key),
                      ATLS_E_INVALID, "an ak_public that is not the key of ak_cert",
                      "one and the same key");
}

static void take_certificate(atls_tpm_case *c, const atls_tpm_ak_cert *cert)
{
    atls_claims *claims = c->v->claims;
    c->key = atls_public_key_up_ref(cert->key);
    if (!judge_same_key(c, cert->key) || !cert->good) {
        return;
    }
    atls_ledger_ok_found(c->j.l, "tpm.ak.trust", atls_value_text("a certificate to a root"));
    c->trust = ATLS_AK_CERTIFICATE;
    claims->simulated = claims->simulated || cert->simulated;
    claims->custom_root = claims->custom_root || cert->custom_root;
    if (claims->expires_s == 0 || cert->window.ends_s < claims->expires_s) {
        claims->expires_s = cert->window.ends_s;
    }
    memcpy(claims->tpm.gcp_instance_id, cert->instance_id, sizeof cert->instance_id);
}

/* A key that the caller gave needs no path; but the certificate beside it has to be that key's. */
static bool take_vouched_of_certificate(atls_tpm_case *c, atls_buf der)
{
    atls_cert *cert = NULL;
    atls_public_key *key = NULL;
    atls_code rc = atls_cert_parse(der, &cert, NULL);
    rc = rc == ATLS_OK ? atls_cert_public_key(cert, &key, NULL) : rc;
    atls_cert_free(cert);
    const atls_vouched_key *k = atls_judging_taken(&c->j, rc) ? vouched_as(c, key) : NULL;
    if (k != NULL && judge_same_key(c, key)) {
        take_vouched(c, k);
    }
    atls_public_key_free(key);
    return c->key != NULL;
}

static bool has_vouched(const atls_tpm_case *c)
{
    const atls_endorsements *e = &c->v->trust->endorsements;
    for (size_t i = 0; i < e->keys_n; i++) {
        if (e->keys[i]->what == ATLS_VOUCHED_FOR_QUOTES) {
            return true;
        }
    }
    return false;
}

static void judge_by_certificate(atls_tpm_case *c, atls_buf der)
{
    atls_tpm_ak_cert *cert = NULL;
    if (has_vouched(c) && take_vouched_of_certificate(c, der)) {
        return;
    }
    atls_tpm_ak_cert_judge(c->v->trust, der, c->v->when_s, &c->j, &cert);
    if (cert != NULL) {
        take_certificate(c, cert);
        atls_kept_free(cert);
    }
}

void atls_tpm_case_judge_key(atls_tpm_case *c)
{
    const atls_buf der = atls_evidence_part(c->v->evidence, "ak_cert");
    atls_err err = {0};
    if (der.ptr != NULL) {
        judge_by_certificate(c, der);
        return;
    }
    const atls_vouched_key *k = c->has_given ? vouched_as(c, NULL) : only_vouched(c);
    if (k != NULL) {
        take_vouched(c, k);
        return;
    }
    if (!c->has_given) {
        atls_ledger_fail(c->j.l, "tpm.ak.missing", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("ak_public or ak_cert"));
        return;
    }
    atls_ledger_fail(c->j.l, "tpm.ak.untrusted", ATLS_E_INVALID,
                     atls_value_text("a key that stands in the evidence alone"),
                     atls_value_text("the same key as endorsement, or its certificate"));
    if (!atls_judging_taken(&c->j, atls_tpm_given_key_decode(&c->given, &c->key, &err))) {
        atls_ledger_fail_err(c->j.l, &err);
    }
}
