#include "crypto/google_instance.h"

#include <string.h>

#include <openssl/asn1t.h>

#include "crypto/x509_field.h"

#define INSTANCE_ID_AT 3

static bool read_id(const ASN1_TYPE *member, uint8_t out[8])
{
    uint64_t id = 0;
    if (member == NULL || ASN1_TYPE_get(member) != V_ASN1_INTEGER ||
        ASN1_INTEGER_get_uint64(&id, member->value.integer) != 1) {
        return false;
    }
    for (size_t i = 8; i-- > 0;) {
        out[i] = (uint8_t)(id % 256);
        id /= 256;
    }
    return true;
}

bool atls_google_instance_id(atls_buf value, uint8_t out[8])
{
    memset(out, 0, 8);
    ASN1_SEQUENCE_ANY *members =
        atls_x509_extension_value(value, ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY));
    const bool good = members != NULL && sk_ASN1_TYPE_num(members) > INSTANCE_ID_AT &&
                      read_id(sk_ASN1_TYPE_value(members, INSTANCE_ID_AT), out);
    sk_ASN1_TYPE_pop_free(members, ASN1_TYPE_free);
    return good;
}
