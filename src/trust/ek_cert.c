#include "trust/ek_cert.h"

#include <string.h>

#include "base/err.h"
#include "crypto/tpm_san.h"
#include "trust/tpm_key.h"

#define EKU_EK "2.23.133.8.1"

static atls_code say_end(atls_tpm_path_end end, atls_err *err)
{
    static const struct {
        const char *id, *found;
        atls_code code;
    } ends[ATLS_TPM_PATH_ENDS] = {
        [ATLS_TPM_PATH_FOUND] = {"tpm.ek.signature", "", ATLS_OK},
        [ATLS_TPM_PATH_TIME] = {"tpm.ek.time", "a certificate out of its time", ATLS_E_COLLATERAL},
        [ATLS_TPM_PATH_MISSING] = {"tpm.ek.missing", "no certificate of an issuer",
                                   ATLS_E_COLLATERAL},
        [ATLS_TPM_PATH_ROOT] = {"tpm.ek.root", "a root that nobody here trusts", ATLS_E_INVALID},
        [ATLS_TPM_PATH_ISSUER] = {"tpm.ek.issuer", "an issuer that may not issue it",
                                  ATLS_E_INVALID},
        [ATLS_TPM_PATH_EXTENSION] = {"tpm.ek.extension",
                                     "a critical extension or an algorithm that nobody knows",
                                     ATLS_E_INVALID},
        [ATLS_TPM_PATH_SIGNATURE] = {"tpm.ek.signature", "a signature that does not verify",
                                     ATLS_E_INVALID},
        [ATLS_TPM_PATH_NO_MEMORY] = {"system.memory", "no memory", ATLS_E_SYSTEM},
    };
    if (end == ATLS_TPM_PATH_FOUND) {
        return ATLS_OK;
    }
    return ATLS_ERR(err, ends[end].code, ends[end].id,
                    "%s, where a path to a TPM maker's root is wanted", ends[end].found);
}

/* Whose key it is, and that it is an EK's by purpose. */
static atls_code check_leaf(const atls_cert *cert, const atls_buf *ek_public, atls_public_key *key,
                            atls_err *err)
{
    atls_tpm_public area;
    if (cert->is_ca || (cert->eku.len > 0 && !atls_cert_has_eku(cert, EKU_EK))) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.ek.usage",
                        "a certificate that is not for endorsement keys (%s)", EKU_EK);
    }
    if (ek_public == NULL) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_tpm_public_parse(*ek_public, &area, err));
    return atls_tpm_public_is(&area, key)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "tpm.ek.differs",
                          "the EK's public area is not of the key in its certificate");
}

static atls_code judge(const atls_trust *trust, const atls_cert *cert, const atls_buf *ek_public,
                       int64_t when_s, atls_ek_identity *out, atls_err *err)
{
    static const atls_family families[] = {ATLS_FAMILY_TPM};
    atls_public_key *key = NULL;
    atls_tpm_path path = {0};
    atls_tpm_san san = {0};
    unsigned signatures = 0;
    ATLS_TRY(atls_cert_public_key(cert, &key, err));
    atls_code rc = check_leaf(cert, ek_public, key, err);
    if (rc == ATLS_OK) {
        rc = say_end(atls_tpm_path_find(trust, families, 1, cert, when_s, &signatures, &path), err);
    }
    if (rc == ATLS_OK && cert->san.len > 0 && !atls_tpm_san_read(cert->san, &san)) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "tpm.ek.san",
                      "a subject alternative name that cannot be decoded");
    }
    if (rc == ATLS_OK) {
        memset(out, 0, sizeof *out);
        memcpy(out->spki_sha256, atls_public_key_sha256(key), sizeof out->spki_sha256);
        memcpy(out->manufacturer, san.manufacturer, sizeof out->manufacturer);
        memcpy(out->model, san.model, sizeof out->model);
        memcpy(out->version, san.version, sizeof out->version);
        out->simulated = path.root->simulated;
        out->custom_root = path.root->custom;
    }
    atls_public_key_free(key);
    return rc;
}

atls_code atls_ek_cert_judge(const atls_trust *trust, atls_buf der, const atls_buf *ek_public,
                             int64_t when_s, atls_ek_identity *out, atls_err *err)
{
    atls_cert *cert = NULL;
    ATLS_TRY(atls_cert_parse(der, &cert, err));
    const atls_code rc = judge(trust, cert, ek_public, when_s, out, err);
    atls_cert_free(cert);
    return rc;
}
