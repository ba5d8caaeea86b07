#include "trust/judging.h"

#include "crypto/digest.h"

bool atls_judging_taken(const atls_judging *j, atls_code rc)
{
    if (rc == ATLS_E_SYSTEM) {
        atls_ledger_no_memory(j->l);
    }
    return rc == ATLS_OK;
}

bool atls_judge(const atls_judging *j, const char *id, bool good, atls_code code, const char *found,
                const char *wanted)
{
    if (good) {
        atls_ledger_ok(j->l, id);
    } else {
        atls_ledger_fail(j->l, id, code, found == NULL ? atls_value_none() : atls_value_text(found),
                         wanted == NULL ? atls_value_none() : atls_value_text(wanted));
    }
    return good;
}

bool atls_judge_there(const atls_judging *j, const char *id, bool there, const char *wanted)
{
    if (!there) {
        atls_ledger_fail(j->l, id, ATLS_E_COLLATERAL, atls_value_none(), atls_value_text(wanted));
    }
    return there;
}

static bool judge_signature(const atls_judging *j, const char *id, bool good)
{
    (*j->signatures)++;
    return atls_judge(j, id, good, ATLS_E_INVALID, "a signature that does not verify",
                      "a valid one");
}

bool atls_judge_cert_signature(const atls_judging *j, const char *id, const atls_cert *cert,
                               atls_key *key)
{
    if (key == NULL) {
        atls_ledger_skip(j->l, id, "the issuer's key is not vouched for");
        return false;
    }
    return judge_signature(j, id, atls_cert_signed_by(cert, key));
}

bool atls_judge_crl_signature(const atls_judging *j, const char *id, const atls_crl *crl,
                              atls_key *key)
{
    if (key == NULL) {
        atls_ledger_skip(j->l, id, "the issuer's key is not vouched for");
        return false;
    }
    return judge_signature(j, id, atls_crl_signed_by(crl, key));
}

bool atls_judge_cert_signature_by(const atls_judging *j, const char *id, const atls_cert *cert,
                                  atls_public_key *key)
{
    if (key == NULL) {
        atls_ledger_skip(j->l, id, "the issuer's key is not vouched for");
        return false;
    }
    return judge_signature(j, id, atls_cert_signed_by_key(cert, key));
}

bool atls_judge_crl_signature_by(const atls_judging *j, const char *id, const atls_crl *crl,
                                 atls_public_key *key)
{
    if (key == NULL) {
        atls_ledger_skip(j->l, id, "the issuer's key is not vouched for");
        return false;
    }
    return judge_signature(j, id, atls_crl_signed_by_key(crl, key));
}

bool atls_judge_rs(const atls_judging *j, const char *id, atls_key *key, atls_buf signed_bytes,
                   const uint8_t rs[64])
{
    if (key == NULL) {
        atls_ledger_skip(j->l, id, "the signer's key is not vouched for");
        return false;
    }
    uint8_t digest[32];
    return judge_signature(
        j, id,
        atls_judging_taken(j, atls_digest(ATLS_SHA256, &signed_bytes, 1, digest, NULL)) &&
            atls_key_verify_rs(key, digest, rs));
}

bool atls_replay_record(atls_replay *r, const atls_ledger *l, size_t from)
{
    if (!atls_ledger_all_ok(l, from) || l->count - from > ATLS_REPLAY_MAX) {
        return false;
    }
    r->n = 0;
    for (size_t i = from; i < l->count; i++) {
        r->ids[r->n++] = l->entries[i].id;
    }
    return true;
}

void atls_replay_write(const atls_replay *r, atls_ledger *l)
{
    for (size_t i = 0; i < r->n; i++) {
        atls_ledger_ok(l, r->ids[i]);
    }
}
