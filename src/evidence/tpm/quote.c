#include "evidence/tpm/quote.h"

#include <string.h>

#include "base/err.h"

/* --- reading --- */

static bool has_parts(const atls_verification *v)
{
    static const char *const needed[] = {"quote", "signature", "pcrs"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (atls_evidence_part(v->evidence, needed[i]).ptr == NULL) {
            atls_ledger_fail(v->l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                             atls_value_text("parts named quote, signature and pcrs"));
            return false;
        }
    }
    return true;
}

bool atls_tpm_case_read(const atls_verification *v, atls_tpm_case *out)
{
    atls_err err = {0};
    out->v = v;
    out->j = (atls_judging){v->l, v->signatures};
    if (!has_parts(v)) {
        return false;
    }
    const atls_buf ak = atls_evidence_part(v->evidence, "ak_public");
    out->pcrs = atls_evidence_part(v->evidence, "pcrs");
    out->has_given = ak.ptr != NULL;
    atls_code rc =
        atls_tpm_attest_parse(atls_evidence_part(v->evidence, "quote"), &out->attest, &err);
    if (rc == ATLS_OK) {
        rc = atls_tpm_signature_parse(atls_evidence_part(v->evidence, "signature"), &out->signature,
                                      &err);
    }
    if (rc == ATLS_OK && out->has_given) {
        rc = atls_tpm_given_key_parse(ak, &out->given, &err);
    }
    if (!atls_judging_taken(&out->j, rc)) {
        atls_ledger_fail_err(v->l, &err);
        return false;
    }
    atls_ledger_ok(v->l, "tpm.attest.type");
    return true;
}

void atls_tpm_case_clear(atls_tpm_case *c)
{
    atls_public_key_free(c->key);
    c->key = NULL;
}

/* --- the key --- */

static void judge_attributes(const atls_tpm_case *c)
{
    static const char id[] = "tpm.ak.attributes";
    const bool vouched = c->vouched != NULL && c->vouched->has_attributes;
    const char *wrong = vouched ? atls_tpm_ak_wrong(c->vouched->attributes) : NULL;
    if (wrong == NULL && c->has_given && c->given.has_area) {
        wrong = atls_tpm_ak_wrong(c->given.area.attributes);
    }
    if (wrong != NULL) {
        atls_ledger_fail(c->j.l, id, ATLS_E_INVALID, atls_value_text(wrong),
                         atls_value_text("restricted, sign, fixedTPM, fixedParent, "
                                         "sensitiveDataOrigin, and not decrypt"));
    } else if (vouched) {
        atls_ledger_ok(c->j.l, id);
    } else if (c->has_given && c->given.has_area) {
        atls_ledger_ok_found(c->j.l, id, atls_value_text("as the evidence says of its own key"));
    } else {
        atls_ledger_ok_found(c->j.l, id,
                             atls_value_text("not known: the key came without a public area"));
    }
}

/* RSASSA and RSAPSS of one key are not the same: a key that declares one scheme makes no other. */
static void judge_scheme(const atls_tpm_case *c)
{
    uint16_t scheme = 0, hash = 0;
    if (c->vouched != NULL && c->vouched->has_attributes) {
        scheme = c->vouched->scheme;
        hash = c->vouched->scheme_hash;
    } else if (c->has_given && c->given.has_area) {
        scheme = c->given.area.scheme;
        hash = c->given.area.scheme_hash;
    } else {
        return;
    }
    (void)atls_judge(&c->j, "tpm.ak.scheme",
                     scheme == c->signature.scheme && hash == c->signature.hash, ATLS_E_INVALID,
                     "a signature of another scheme or hash", "those that the key declares");
}

/* --- the signature --- */

static bool verifies(const atls_tpm_case *c)
{
    const atls_tpm_signature *s = &c->signature;
    atls_hash hash = ATLS_SHA256;
    if (!atls_tpm_hash(s->hash, &hash)) {
        return false;
    }
    if (s->scheme == ATLS_TPM_ALG_ECDSA) {
        return atls_public_key_verify_rs(c->key, hash, &c->attest.bytes, 1, s->r, s->s);
    }
    return atls_public_key_verify(
        c->key, s->scheme == ATLS_TPM_ALG_RSASSA ? ATLS_RSA_PKCS1 : ATLS_RSA_PSS_ANY_SALT, hash,
        &c->attest.bytes, 1, s->rsa);
}

static bool judge_signature(const atls_tpm_case *c)
{
    static const char id[] = "tpm.quote.signature";
    if (c->key == NULL) {
        atls_ledger_skip(c->j.l, id, "the key that signed is not known");
        return false;
    }
    (*c->j.signatures)++;
    return atls_judge(&c->j, id, verifies(c), ATLS_E_INVALID, "a signature that does not verify",
                      "one of the attestation key");
}

/* --- the PCRs --- */

static const struct {
    uint16_t alg;
    size_t bank, len;
} banks[] = {{ATLS_TPM_ALG_SHA1, ATLS_TPM_SHA1, 20},
             {ATLS_TPM_ALG_SHA256, ATLS_TPM_SHA256, 32},
             {ATLS_TPM_ALG_SHA384, ATLS_TPM_SHA384, 48},
             {ATLS_TPM_ALG_SHA512, ATLS_TPM_SHA512, 64}};
#define BANKS (sizeof banks / sizeof banks[0])

/* The place in banks; BANKS: none that anybody knows. */
static size_t bank_of(uint16_t alg)
{
    size_t i = 0;
    while (i < BANKS && banks[i].alg != alg) {
        i++;
    }
    return i;
}

/* An empty selection vouches for nothing, and yet has a valid digest (CVE-2022-0317). */
static const char *selection_wrong(const atls_tpm_attest *a)
{
    bool any = false;
    for (size_t i = 0; i < a->selections_n; i++) {
        const atls_tpm_selection *s = &a->selections[i];
        any = any || s->pcrs != 0;
        if (s->pcrs != 0 && bank_of(s->hash) == BANKS) {
            return "PCRs of a bank that nobody here knows";
        }
        for (size_t k = 0; k < i; k++) {
            if (a->selections[k].hash == s->hash) {
                return "a bank that is selected twice";
            }
        }
    }
    return any ? NULL : "no PCR at all";
}

/* The values, to their places by the signed selection. False: there are fewer or more of them. */
static bool place_values(const atls_tpm_case *c, atls_tpm_bank out[ATLS_TPM_BANKS])
{
    atls_reader r = atls_reader_of(c->pcrs);
    for (size_t i = 0; i < c->attest.selections_n; i++) {
        const atls_tpm_selection *s = &c->attest.selections[i];
        const size_t bank = bank_of(s->hash);
        uint32_t left = s->pcrs;
        for (size_t pcr = 0; pcr < ATLS_TPM_PCRS; pcr++) {
            if (left % 2 == 1) {
                atls_reader_copy(&r, out[banks[bank].bank].value[pcr], banks[bank].len);
                out[banks[bank].bank].selected |= UINT32_C(1) << pcr;
            }
            left /= 2;
        }
    }
    return atls_reader_end(&r);
}

static bool judge_pcrs(const atls_tpm_case *c, atls_tpm_bank out[ATLS_TPM_BANKS])
{
    const char *wrong = selection_wrong(&c->attest);
    if (!atls_judge(&c->j, "tpm.pcrs.selection", wrong == NULL, ATLS_E_INVALID, wrong,
                    "a selection of at least one PCR, each bank once")) {
        return false;
    }
    if (!atls_judge(&c->j, "tpm.pcrs.length", place_values(c, out), ATLS_E_INVALID,
                    "fewer or more bytes of values than the signed selection has",
                    "one value for each PCR of the selection")) {
        return false;
    }
    uint8_t digest[ATLS_HASH_MAX];
    atls_hash hash = ATLS_SHA256;
    const bool hashed = atls_tpm_hash(c->signature.hash, &hash) &&
                        atls_judging_taken(&c->j, atls_digest(hash, &c->pcrs, 1, digest, NULL));
    const bool same =
        hashed && atls_equal((atls_buf){digest, atls_hash_len(hash)}, c->attest.pcr_digest);
    if (same) {
        atls_ledger_ok(c->j.l, "tpm.pcrs.digest");
    } else {
        atls_ledger_fail(c->j.l, "tpm.pcrs.digest", ATLS_E_INVALID,
                         atls_value_hex((atls_buf){digest, hashed ? atls_hash_len(hash) : 0}),
                         atls_value_hex(c->attest.pcr_digest));
    }
    return same;
}

/* --- the whole --- */

static void take_claims(const atls_tpm_case *c, atls_tpm_claims *out)
{
    const atls_tpm_attest *a = &c->attest;
    if (a->qualifying_data.len > 0 && a->qualifying_data.len <= sizeof out->qualifying_data) {
        memcpy(out->qualifying_data, a->qualifying_data.ptr, a->qualifying_data.len);
        out->qualifying_data_len = a->qualifying_data.len;
    }
    out->firmware_version = a->firmware_version;
    out->clock_ms = a->clock_ms;
    out->reset_count = a->reset_count;
    out->restart_count = a->restart_count;
    out->safe = a->safe;
    out->ak_trust = c->trust;
    memcpy(out->ak_spki_sha256, atls_public_key_sha256(c->key), sizeof out->ak_spki_sha256);
}

bool atls_tpm_case_judge(const atls_tpm_case *c, atls_tpm_claims *out)
{
    const size_t from = c->j.l->count;
    judge_attributes(c);
    judge_scheme(c);
    if (!judge_signature(c)) {
        atls_ledger_skip(c->j.l, "tpm.pcrs.digest", "the quote's signature does not verify");
        return false;
    }
    if (!judge_pcrs(c, out->banks) || !atls_ledger_all_ok(c->j.l, from) ||
        c->trust == ATLS_AK_NONE) {
        memset(out->banks, 0, sizeof out->banks);
        return false;
    }
    take_claims(c, out);
    return true;
}
