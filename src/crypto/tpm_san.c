#include "crypto/tpm_san.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "crypto/x509_field.h"

static void take(const X509_NAME_ENTRY *entry, const char *oid, char out[64])
{
    char text[64];
    const atls_buf value = atls_asn1_bytes(X509_NAME_ENTRY_get_data(entry));
    if (OBJ_obj2txt(text, sizeof text, X509_NAME_ENTRY_get_object(entry), 1) <= 0 ||
        strcmp(text, oid) != 0 || value.len >= 64) {
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        out[i] = value.ptr[i] >= ' ' && value.ptr[i] <= '~' ? (char)value.ptr[i] : '?';
    }
    out[value.len] = '\0';
}

bool atls_tpm_san_read(atls_buf value, atls_tpm_san *out)
{
    memset(out, 0, sizeof *out);
    GENERAL_NAMES *names = atls_x509_extension_value(value, ASN1_ITEM_rptr(GENERAL_NAMES));
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const int n = name->type == GEN_DIRNAME ? X509_NAME_entry_count(name->d.directoryName) : 0;
        for (int k = 0; k < n; k++) {
            const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name->d.directoryName, k);
            take(entry, "2.23.133.2.1", out->manufacturer);
            take(entry, "2.23.133.2.2", out->model);
            take(entry, "2.23.133.2.3", out->version);
        }
    }
    const bool good = names != NULL;
    GENERAL_NAMES_free(names);
    return good;
}
