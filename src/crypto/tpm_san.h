/* tpm_san.h: what the subject alternative name of a TPM's certificate says of the TPM (TCG EK Credential Profile, 3.1.2). */
#ifndef ATLS_CRYPTO_TPM_SAN_H
#define ATLS_CRYPTO_TPM_SAN_H

#include <atls/types.h>

typedef struct atls_tpm_san {
    char manufacturer[64], model[64], version[64]; /* printable ASCII; "" if it does not say */
} atls_tpm_san;

/* Out of the extension's value. False, and all "": it cannot be decoded. */
bool atls_tpm_san_read(atls_buf value, atls_tpm_san *out);

#endif
