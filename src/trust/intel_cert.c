#include "trust/intel_cert.h"

#include <string.h>

const atls_crl_ids atls_root_crl_ids = {"root_crl.missing", "root_crl.format", "root_crl.issuer",
                                        "root_crl.extensions", "root_crl.signature"};
const atls_crl_ids atls_pck_crl_ids = {"pck_crl.missing", "pck_crl.format", "pck_crl.issuer",
                                       "pck_crl.extensions", "pck_crl.signature"};
const atls_window atls_window_all = {INT64_MIN, INT64_MAX};

bool atls_same_bytes(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool atls_self_issued(const atls_cert *cert)
{
    return atls_same_bytes(cert->subject, cert->issuer);
}

const char *atls_intel_cert_wrong(const atls_cert *cert)
{
    if (!cert->has_aki || !cert->has_ski || !cert->has_key_usage || !cert->has_basic_constraints ||
        !cert->has_crl_dp) {
        return "one of the five extensions is missing that Intel's certificates have";
    }
    if (cert->unknown_critical) {
        return "an unknown critical extension";
    }
    if (!cert->has_p256 || !cert->signed_ecdsa_sha256) {
        return "another algorithm than ECDSA on P-256 with SHA-256";
    }
    return NULL;
}

static bool same_key_id(atls_buf aki, atls_buf ski)
{
    return aki.len > 0 && atls_same_bytes(aki, ski);
}

bool atls_issued_by(const atls_cert *cert, const atls_cert *issuer)
{
    return atls_same_bytes(cert->issuer, issuer->subject) && same_key_id(cert->aki, issuer->ski);
}

bool atls_may_sign_certs(const atls_cert *ca)
{
    return ca->is_ca && ca->ku_cert_sign && ca->ku_crl_sign;
}

bool atls_judge_crl(const atls_judging *j, const atls_crl_ids *ids, const atls_crl *crl,
                    const atls_cert *issuer, atls_key *key)
{
    bool named = atls_judge(j, ids->issuer, atls_same_bytes(crl->issuer, issuer->subject),
                            ATLS_E_INVALID, "a list of another issuer", issuer->subject_cn);
    bool whole = crl->has_number && crl->has_aki && same_key_id(crl->aki, issuer->ski) &&
                 !crl->unknown_critical && crl->next_update_s != INT64_MIN;
    whole = atls_judge(
        j, ids->extensions, whole, ATLS_E_INVALID,
        "a list without number, next update or its issuer's key identifier, or a partial one",
        "a whole one");
    return atls_judge_crl_signature(j, ids->signature, crl, key) && named && whole;
}

bool atls_judge_revocation(const atls_judging *j, const char *id, const atls_crl *crl,
                           const atls_cert *cert)
{
    if (crl == NULL) {
        atls_ledger_skip(j->l, id, "there is no revocation list to rely on");
        return false;
    }
    if (atls_crl_lists(crl, cert->serial, cert->serial_len)) {
        atls_ledger_fail(j->l, id, ATLS_E_INVALID,
                         atls_value_hex((atls_buf){cert->serial, cert->serial_len}),
                         atls_value_text("a certificate that is not revoked"));
        return false;
    }
    atls_ledger_ok(j->l, id);
    return true;
}

void atls_window_narrow(atls_window *w, int64_t begins_s, int64_t ends_s)
{
    if (begins_s > w->begins_s) {
        w->begins_s = begins_s;
    }
    if (ends_s < w->ends_s) {
        w->ends_s = ends_s;
    }
}

void atls_window_narrow_cert(atls_window *w, const atls_cert *cert)
{
    if (cert != NULL) {
        atls_window_narrow(w, cert->not_before_s, cert->not_after_s);
    }
}

bool atls_judge_window(atls_ledger *l, const char *id, const atls_window *w, int64_t when_s)
{
    if (when_s > w->ends_s) {
        atls_ledger_fail(l, id, ATLS_E_COLLATERAL, atls_value_time(w->ends_s),
                         atls_value_text("an end of validity that is not past"));
        return false;
    }
    if (when_s < w->begins_s) {
        atls_ledger_fail(l, id, ATLS_E_COLLATERAL, atls_value_time(w->begins_s),
                         atls_value_text("a begin of validity that is not ahead"));
        return false;
    }
    atls_ledger_ok(l, id);
    return true;
}
