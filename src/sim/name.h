/* name.h: distinguished names in the form of Intel's, with the simulator's mark. */
#ifndef ATLS_SIM_NAME_H
#define ATLS_SIM_NAME_H

#include <stdbool.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* CN, O, L, ST, C in that order; NULL: no memory. */
X509_NAME *sim_name(const char *cn, const char *organisation);

/* An authority key identifier that names issuer's subject key identifier (wrong: another one). */
AUTHORITY_KEYID *sim_key_id_of(X509 *issuer, bool wrong);

#endif
