/* spki_pem.h: a key as the text that Open Enclave and Intel's SGX SDK hash: PEM of OpenSSL's form, 64 columns, LF, and the
 * NUL behind it, which counts. */
#ifndef ATLS_BINDING_SPKI_PEM_H
#define ATLS_BINDING_SPKI_PEM_H

#include <atls/types.h>

#include "crypto/digest.h"

/* malloc'ed, the NUL counted in *len; the caller frees it. NULL: no memory, or a key of more than 64 KiB. */
char *atls_spki_pem(atls_buf spki, size_t *len);
/* Its hash. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_spki_pem_digest(atls_hash hash, atls_buf spki, uint8_t *out,
                                             atls_err *err);

#endif
