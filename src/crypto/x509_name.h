/* x509_name.h: a distinguished name for people. */
#ifndef ATLS_CRYPTO_X509_NAME_H
#define ATLS_CRYPTO_X509_NAME_H

#include <atls/types.h>

/* The name (DER) as RFC 4514 writes it, printable ASCII only; malloc'ed. NULL: not a name, or no memory. */
char *atls_x509_name_text(atls_buf der);

/* The value of its one attribute of that type ("CN", "O") as printable ASCII, with NUL. False, and "": not a name, none
 * or several of them, not printable, or cap bytes are too few. */
bool atls_x509_name_one(atls_buf der, const char *type, char *out, size_t cap);

#endif
