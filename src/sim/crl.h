/* crl.h: the root CRL and the PCK CRL. */
#ifndef ATLS_SIM_CRL_H
#define ATLS_SIM_CRL_H

#include <openssl/x509.h>

#include "sim/pki.h"

/* NULL when OpenSSL fails. */
X509_CRL *sim_crl_make(const sim_crl_plan *plan, int64_t when_s, const sim_pki *pki);

#endif
