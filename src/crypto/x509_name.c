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

static bool take_text(const ASN1_STRING *value, char *out, size_t cap)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    const int len = ASN1_STRING_length(value);
    if (len <= 0 || (size_t)len >= cap) {
        return false;
    }
    for (int i = 0; i < len; i++) {
        if (bytes[i] < 0x20 || bytes[i] > 0x7e) {
            return false;
        }
    }
    memcpy(out, bytes, (size_t)len);
    out[len] = '\0';
    return true;
}

bool atls_x509_name_one(atls_buf der, const char *type, char *out, size_t cap)
{
    const unsigned char *p = der.ptr;
    const int nid = OBJ_sn2nid(type);
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.len);
    int at = -1;
    out[0] = '\0';
    bool is = name != NULL && p == der.ptr + der.len &&
              (at = X509_NAME_get_index_by_NID(name, nid, -1)) >= 0 &&
              X509_NAME_get_index_by_NID(name, nid, at) < 0 &&
              take_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), out, cap);
    X509_NAME_free(name);
    ERR_clear_error();
    return is;
}
