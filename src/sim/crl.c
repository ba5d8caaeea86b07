#include "sim/crl.h"

#include <openssl/rand.h>

#include "sim/name.h"

static bool set_times(X509_CRL *crl, const sim_crl_plan *p, int64_t when_s)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(when_s + p->from_s));
    ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)(when_s + p->until_s));
    bool ok = from != NULL && until != NULL && X509_CRL_set1_lastUpdate(crl, from) == 1 &&
              X509_CRL_set1_nextUpdate(crl, until) == 1;
    ASN1_TIME_free(until);
    ASN1_TIME_free(from);
    return ok;
}

static bool revoke(X509_CRL *crl, ASN1_INTEGER *serial, int64_t when_s)
{
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(when_s - SIM_HOUR));
    X509_REVOKED *entry = X509_REVOKED_new();
    bool ok = at != NULL && entry != NULL && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
              X509_REVOKED_set_revocationDate(entry, at) == 1 &&
              X509_CRL_add0_revoked(crl, entry) == 1;
    if (!ok) {
        X509_REVOKED_free(entry);
    }
    ASN1_TIME_free(at);
    return ok;
}

static bool revoke_others(X509_CRL *crl, int n, int64_t when_s)
{
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        uint8_t bytes[20];
        ASN1_INTEGER *serial = NULL;
        BIGNUM *number = NULL;
        ok = RAND_bytes(bytes, sizeof bytes) == 1;
        bytes[0] =
            (uint8_t)(1 +
                      bytes[0] % 0x3fu); /* never one that pki.c gives: those begin with 40 to 7f */
        ok = ok && (number = BN_bin2bn(bytes, sizeof bytes, NULL)) != NULL &&
             (serial = BN_to_ASN1_INTEGER(number, NULL)) != NULL && revoke(crl, serial, when_s);
        ASN1_INTEGER_free(serial);
        BN_free(number);
    }
    return ok;
}

static bool revoke_all(X509_CRL *crl, const sim_crl_plan *p, int64_t when_s, const sim_pki *pki)
{
    if (p->revokes == SIM_NOBODY) {
        return true;
    }
    if (p->revokes != SIM_PCK) {
        return revoke(crl, X509_get_serialNumber(pki->cert[p->revokes]), when_s);
    }
    bool ok = true;
    for (size_t i = 0; ok && i < SIM_LEVELS; i++) {
        ok = revoke(crl, X509_get_serialNumber(pki->pck[i]), when_s);
    }
    return ok;
}

static bool add_extensions(X509_CRL *crl, const sim_crl_plan *p, X509 *issuer)
{
    bool ok = true;
    if ((p->without & SIM_NO_CRL_NUMBER) == 0) {
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ok = number != NULL && ASN1_INTEGER_set(number, p->number > 0 ? p->number : 1) == 1 &&
             X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1;
        ASN1_INTEGER_free(number);
    }
    if (ok && (p->without & SIM_NO_AKI) == 0) {
        AUTHORITY_KEYID *aki = sim_key_id_of(issuer, p->wrong_aki != 0);
        ok = aki != NULL && X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0,
                                                  X509V3_ADD_DEFAULT) == 1;
        AUTHORITY_KEYID_free(aki);
    }
    return ok;
}

X509_CRL *sim_crl_make(const sim_crl_plan *plan, int64_t when_s, const sim_pki *pki)
{
    X509 *issuer = pki->cert[plan->issuer];
    X509_NAME *other = plan->issuer_cn == NULL ? NULL : sim_name(plan->issuer_cn, SIM_ORGANISATION);
    const X509_NAME *name = other != NULL ? other : X509_get_subject_name(issuer);
    X509_CRL *crl = X509_CRL_new();
    bool ok = crl != NULL && X509_CRL_set_version(crl, 1) == 1 &&
              X509_CRL_set_issuer_name(crl, name) == 1 && set_times(crl, plan, when_s) &&
              revoke_all(crl, plan, when_s, pki) && revoke_others(crl, plan->others, when_s) &&
              X509_CRL_sort(crl) == 1 && add_extensions(crl, plan, issuer) &&
              X509_CRL_sign(crl, sim_pki_signer(pki, plan->issuer, plan->signer), EVP_sha256()) > 0;
    X509_NAME_free(other);
    if (!ok) {
        X509_CRL_free(crl);
        return NULL;
    }
    return crl;
}
