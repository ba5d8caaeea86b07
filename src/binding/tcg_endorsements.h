/* tcg_endorsements.h: the endorsements extension of RA-TLS (2.23.133.5.4.2): Intel's collateral beside a quote, as rats-tls
 * and Open Enclave lay it out. What it says is judged like collateral from anywhere else. */
#ifndef ATLS_BINDING_TCG_ENDORSEMENTS_H
#define ATLS_BINDING_TCG_ENDORSEMENTS_H

#include <atls/types.h>

#define ATLS_TCG_ENDORSEMENTS_MAX (1u << 20) /* bytes */

/* The content of extnValue as the contract's collateral JSON, NUL behind it; the caller frees it. Collateral of version 3.0
 * or 3.1; CRLs in DER, hex or PEM. ATLS_E_INVALID "tcg.endorsements". */
ATLS_MUST_USE atls_code atls_tcg_endorsements_read(atls_buf value, char **json, atls_err *err);

/* The reverse: version 3.1, CRLs in DER, texts with their NUL. malloc'ed. ATLS_E_USAGE "tcg.make" when a member is not
 * there, or not what it should be; ATLS_E_INVALID when json is none. */
ATLS_MUST_USE atls_code atls_tcg_endorsements_make(atls_buf json, uint8_t **out, size_t *len,
                                                   atls_err *err);

#endif
