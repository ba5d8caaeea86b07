/* Certificates and CRLs as endorsements. */
#include "trust/endorsements.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/pem.h"

static bool is_der(atls_buf bytes)
{
    return bytes.len >= 4 && bytes.ptr[0] == 0x30 && bytes.ptr[1] >= 0x80 && bytes.ptr[1] <= 0x84;
}

static bool says(atls_buf bytes, const char *text)
{
    size_t i = 0;
    while (i < bytes.len && strchr(" \t\r\n", bytes.ptr[i]) != NULL && bytes.ptr[i] != '\0') {
        i++;
    }
    return bytes.len - i >= strlen(text) && memcmp(bytes.ptr + i, text, strlen(text)) == 0;
}

static bool is_crl(atls_buf bytes)
{
    return atls_crl_looks(bytes) || says(bytes, "-----BEGIN X509 CRL");
}

static atls_code add_crl(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    uint8_t *space = malloc(bytes.len);
    atls_buf der;
    atls_crl *crl = NULL;
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = atls_crl_decode(bytes, space, &der, err);
    if (rc == ATLS_OK) {
        rc = atls_crl_parse(der, &crl, err);
    }
    if (rc == ATLS_OK) {
        rc = atls_endorsements_add_crl(e, crl, err);
    }
    atls_crl_free(crl);
    free(space);
    return rc;
}

const atls_endorsement_kind atls_endorsement_crl = {"CRL", is_crl, add_crl};

static bool are_certificates(atls_buf bytes)
{
    return is_der(bytes) || says(bytes, "-----BEGIN CERTIFICATE");
}

static atls_code add_certificates(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    uint8_t *space = malloc(bytes.len);
    atls_buf *ders = calloc(ATLS_ENDORSED_CERTS_MAX, sizeof *ders);
    size_t n = 0;
    atls_code rc = space != NULL && ders != NULL ? atls_cert_split(bytes, space, bytes.len, ders,
                                                                   ATLS_ENDORSED_CERTS_MAX, &n, err)
                                                 : ATLS_ERR_NOMEM(err);
    for (size_t i = 0; rc == ATLS_OK && i < n; i++) {
        atls_cert *cert = NULL;
        rc = atls_cert_parse(ders[i], &cert, err);
        if (rc == ATLS_OK) {
            rc = atls_endorsements_add_cert(e, cert, err);
        }
        atls_cert_free(cert);
    }
    free(ders);
    free(space);
    return rc;
}

const atls_endorsement_kind atls_endorsement_certificates = {"certificates", are_certificates,
                                                             add_certificates};
