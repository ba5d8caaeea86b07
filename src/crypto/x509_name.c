#include "crypto/x509_name.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

char *atls_x509_name_text(atls_buf der)
{
    const unsigned char *p = der.ptr;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.len);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (name != NULL && p == der.ptr + der.len && bio != NULL &&
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) > 0) {
        char *lent = NULL;
        long len = BIO_get_mem_data(bio, &lent);
        text = len > 0 ? strndup(lent, (size_t)len) : NULL;
    }
    BIO_free(bio);
    X509_NAME_free(name);
    ERR_clear_error();
    return text;
}
