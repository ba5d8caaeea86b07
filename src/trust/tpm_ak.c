#include "trust/tpm_ak.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/google_instance.h"

static const atls_family families[] = {ATLS_FAMILY_GOOGLE, ATLS_FAMILY_TPM};

static void free_cert(atls_kept *self)
{
    atls_tpm_ak_cert *c = (atls_tpm_ak_cert *)self;
    atls_public_key_free(c->key);
    free(c);
}

/* --- Google's extension --- */

static bool read_instance(const atls_cert *cert, uint8_t out[8])
{
    atls_buf value = {0};
    /* A certificate need not name an instance. */
    return atls_cert_extension(cert, ATLS_GOOGLE_INSTANCE_OID, &value, NULL) == 0 ||
           atls_google_instance_id(value, out);
}

/* --- the certificate --- */

static bool judge_path_end(const atls_judging *j, atls_tpm_path_end end)
{
    static const struct {
        const char *id, *found;
        atls_code code;
    } ends[ATLS_TPM_PATH_ENDS] = {
        [ATLS_TPM_PATH_FOUND] = {"tpm.ak_cert.signature", NULL, ATLS_OK},
        [ATLS_TPM_PATH_TIME] = {"tpm.ak_cert.time", "a certificate out of its time",
                                ATLS_E_COLLATERAL},
        [ATLS_TPM_PATH_MISSING] = {"tpm.ak_cert.missing", "no certificate of an issuer",
                                   ATLS_E_COLLATERAL},
        [ATLS_TPM_PATH_ROOT] = {"tpm.ak_cert.root", "a root that nobody here trusts",
                                ATLS_E_INVALID},
        [ATLS_TPM_PATH_ISSUER] = {"tpm.ak_cert.issuer", "an issuer that may not issue it",
                                  ATLS_E_INVALID},
        [ATLS_TPM_PATH_EXTENSION] = {"tpm.ak_cert.extension",
                                     "a critical extension or an algorithm that nobody knows",
                                     ATLS_E_INVALID},
        [ATLS_TPM_PATH_SIGNATURE] = {"tpm.ak_cert.signature", "a signature that does not verify",
                                     ATLS_E_INVALID},
        [ATLS_TPM_PATH_NO_MEMORY] = {"tpm.ak_cert.signature", "no memory", ATLS_E_INVALID},
    };
    (void)atls_judging_taken(j, end == ATLS_TPM_PATH_NO_MEMORY ? ATLS_E_SYSTEM : ATLS_OK);
    return atls_judge(j, ends[end].id, end == ATLS_TPM_PATH_FOUND, ends[end].code, ends[end].found,
                      "a path to a root of google or tpm");
}

static bool judge_leaf(const atls_judging *j, const atls_cert *cert)
{
    const bool may_sign = !cert->is_ca && (!cert->has_key_usage || cert->ku_digital_signature);
    return atls_judge(j, "tpm.ak_cert.usage", may_sign, ATLS_E_INVALID,
                      cert->is_ca ? "a CA" : "a key that is not for signing",
                      "a key for digital signatures, and no CA");
}

static void judge_cert(const atls_trust *trust, const atls_cert *cert, int64_t when_s,
                       const atls_judging *j, atls_tpm_ak_cert *c)
{
    atls_tpm_path path = {0};
    bool good = judge_leaf(j, cert);
    const atls_tpm_path_end end = atls_tpm_path_find(
        trust, families, sizeof families / sizeof families[0], cert, when_s, j->signatures, &path);
    if (end == ATLS_TPM_PATH_FOUND) {
        atls_ledger_ok(j->l, "tpm.ak_cert.time");
    }
    good = judge_path_end(j, end) && good;
    if (path.root == NULL) {
        return;
    }
    c->is_google = path.family == ATLS_FAMILY_GOOGLE;
    if (c->is_google) {
        good = atls_judge(j, "tpm.ak_cert.instance", read_instance(cert, c->instance_id),
                          ATLS_E_INVALID, "an extension that cannot be decoded",
                          "Google's of an instance") &&
               good;
    }
    c->simulated = path.root->simulated;
    c->custom_root = path.root->custom;
    c->window = path.window;
    c->good = good;
}

static atls_code decode(atls_buf der, atls_cert **cert, atls_tpm_ak_cert **out, atls_err *err)
{
    atls_tpm_ak_cert *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_kept_init(&c->kept, free_cert);
    atls_code rc = atls_cert_parse(der, cert, err);
    rc = rc == ATLS_OK ? atls_cert_public_key(*cert, &c->key, err) : rc;
    if (rc != ATLS_OK) {
        atls_cert_free(*cert);
        *cert = NULL;
        atls_kept_free(c);
        return rc;
    }
    *out = c;
    return ATLS_OK;
}

static void replay(const atls_tpm_ak_cert *c, const atls_judging *j)
{
    atls_ledger_ok(j->l, "tpm.ak_cert.usage");
    atls_ledger_ok(j->l, "tpm.ak_cert.time");
    atls_ledger_ok(j->l, "tpm.ak_cert.signature");
    if (c->is_google) {
        atls_ledger_ok(j->l, "tpm.ak_cert.instance");
    }
}

void atls_tpm_ak_cert_judge(const atls_trust *trust, atls_buf der, int64_t when_s,
                            const atls_judging *j, atls_tpm_ak_cert **out)
{
    static const char label[] = "tpm ak certificate";
    const atls_buf pieces[] = {{(const uint8_t *)label, sizeof label}, der};
    uint8_t key[32];
    atls_cert *cert = NULL;
    atls_tpm_ak_cert *c = NULL;
    atls_err err = {0};
    *out = NULL;
    if (!atls_judging_taken(j, atls_digest(ATLS_SHA256, pieces, 2, key, &err))) {
        atls_ledger_fail_err(j->l, &err);
        return;
    }
    c = atls_kept_cache_get(trust->kept, key);
    if (c != NULL && c->window.begins_s <= when_s && when_s <= c->window.ends_s) {
        replay(c, j);
        *out = c;
        return;
    }
    atls_kept_free(c);
    if (!atls_judging_taken(j, decode(der, &cert, &c, &err))) {
        atls_ledger_fail_err(j->l, &err);
        return;
    }
    judge_cert(trust, cert, when_s, j, c);
    atls_cert_free(cert);
    if (c->good) {
        atls_kept_cache_put(trust->kept, key, c);
    }
    *out = c;
}
