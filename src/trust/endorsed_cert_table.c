/* A certificate table as an endorsement: its leaf, ASK and list of revocations. An ARK in it is passed over: it is a
 * root only if it is one of the verifier's. */
#include "trust/endorsements.h"

#include <stdlib.h>

#include "base/err.h"
#include "trust/amd_cert_table.h"

#define CERTS_MAX 8

static atls_code add_certificates(atls_endorsements *e, atls_buf bytes, uint8_t *space,
                                  atls_err *err)
{
    atls_buf ders[CERTS_MAX];
    size_t n = 0;
    ATLS_TRY(atls_cert_split(bytes, space, bytes.len, ders, CERTS_MAX, &n, err));
    for (size_t i = 0; i < n; i++) {
        atls_cert *cert = NULL;
        ATLS_TRY(atls_cert_parse(ders[i], &cert, err));
        const atls_code rc = atls_endorsements_add_cert(e, cert, err);
        atls_cert_free(cert);
        ATLS_TRY(rc);
    }
    return ATLS_OK;
}

static atls_code add_list(atls_endorsements *e, atls_buf bytes, uint8_t *space, atls_err *err)
{
    atls_buf der;
    atls_crl *crl = NULL;
    ATLS_TRY(atls_crl_decode(bytes, space, &der, err));
    ATLS_TRY(atls_crl_parse(der, &crl, err));
    const atls_code rc = atls_endorsements_add_crl(e, crl, err);
    atls_crl_free(crl);
    return rc;
}

static atls_code add(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    atls_amd_cert_table table;
    ATLS_TRY(atls_amd_cert_table_parse(bytes, &table, err));
    uint8_t *space = malloc(bytes.len);
    atls_code rc = space != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
    for (unsigned i = ATLS_AMD_VCEK; rc == ATLS_OK && i <= ATLS_AMD_ASK; i++) {
        if (table.entry[i].len > 0) {
            rc = add_certificates(e, table.entry[i], space, err);
        }
    }
    if (rc == ATLS_OK && table.entry[ATLS_AMD_CRL].len > 0) {
        rc = add_list(e, table.entry[ATLS_AMD_CRL], space, err);
    }
    free(space);
    return rc;
}

const atls_endorsement_kind atls_endorsement_cert_table = {"certificate table",
                                                           atls_amd_cert_table_looks, add};
