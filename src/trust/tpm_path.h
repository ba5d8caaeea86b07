/* tpm_path.h: from a TPM's certificate (of an AK or an EK) to a root, through certificates that the caller endorsed.
 *
 * Nothing is fetched. Of each link: the issuer's name, byte for byte, and key identifiers where both have one; the
 * issuer is a CA that may sign certificates, its path length; no critical extension that nobody here knows (a critical
 * subject alternative name and extended key usage are known: TPM certificates have them); a signature by a known
 * algorithm. Any anchor ends the path, an intermediate certificate too. Revocation is not looked at: Google's and the
 * manufacturers' lists are fetched from the network and are not among endorsements. */
#ifndef ATLS_TRUST_TPM_PATH_H
#define ATLS_TRUST_TPM_PATH_H

#include "trust/intel_cert.h"
#include "trust/trust.h"

typedef enum atls_tpm_path_end {
    ATLS_TPM_PATH_FOUND = 0,
    ATLS_TPM_PATH_TIME,    /* there is one, and a certificate in it is out of its time */
    ATLS_TPM_PATH_MISSING, /* an issuer is not there */
    ATLS_TPM_PATH_ROOT, /* it ends at a certificate signed by itself that is no root of these families */
    ATLS_TPM_PATH_ISSUER, /* a certificate with the issuer's name may not issue this one */
    ATLS_TPM_PATH_EXTENSION, /* a critical extension that nobody knows, or an unknown signature algorithm */
    ATLS_TPM_PATH_SIGNATURE, /* the issuer has not signed it */
    ATLS_TPM_PATH_NO_MEMORY,
    ATLS_TPM_PATH_ENDS
} atls_tpm_path_end;

typedef struct atls_tpm_path {
    const atls_root *root; /* lent by trust; FOUND and TIME */
    atls_family family;    /* that it is a root of */
    atls_window window;    /* in which all of the path is valid; FOUND and TIME */
} atls_tpm_path;

/* The path to a root of one of the families, valid at when_s if there is such a one. *signatures grows by the
 * verifications made. */
atls_tpm_path_end atls_tpm_path_find(const atls_trust *trust, const atls_family *families,
                                     size_t families_n, const atls_cert *leaf, int64_t when_s,
                                     unsigned *signatures, atls_tpm_path *out);

#endif
