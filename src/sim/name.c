#include "sim/name.h"

#include <stddef.h>

X509_NAME *sim_name(const char *cn, const char *organisation)
{
    const struct {
        const char *field, *value;
    } parts[] = {{"CN", cn}, {"O", organisation}, {"L", "Simulator"}, {"ST", "XX"}, {"C", "XX"}};
    X509_NAME *name = X509_NAME_new();
    for (size_t i = 0; name != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        if (X509_NAME_add_entry_by_txt(name, parts[i].field, MBSTRING_UTF8,
                                       (const unsigned char *)parts[i].value, -1, -1, 0) != 1) {
            X509_NAME_free(name);
            name = NULL;
        }
    }
    return name;
}

AUTHORITY_KEYID *sim_key_id_of(X509 *issuer, bool wrong)
{
    uint8_t
        id[EVP_MAX_MD_SIZE]; /* RFC 5280, 4.2.1.2, method 1: as in the issuer's own certificate */
    unsigned len = 0;
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
    if (aki == NULL || X509_pubkey_digest(issuer, EVP_sha1(), id, &len) != 1) {
        AUTHORITY_KEYID_free(aki);
        return NULL;
    }
    id[0] ^= wrong ? 1 : 0;
    aki->keyid = ASN1_OCTET_STRING_new();
    if (aki->keyid == NULL || ASN1_OCTET_STRING_set(aki->keyid, id, (int)len) != 1) {
        AUTHORITY_KEYID_free(aki);
        return NULL;
    }
    return aki;
}
