/* An extension that is taken is one for OpenSSL's decoder too, with as many members, and exactly as long. */
#include <assert.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/objects.h>

#include "trust/pck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The elements of a SEQUENCE that takes all the bytes. */
static ASN1_SEQUENCE_ANY *elements(const uint8_t *data, size_t size)
{
    const unsigned char *at = data;
    ASN1_SEQUENCE_ANY *list = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)size);
    assert(list != NULL && at == data + size);
    return list;
}

static void is_pair(const ASN1_TYPE *member, const atls_pck_extension *x)
{
    assert(ASN1_TYPE_get(member) == V_ASN1_SEQUENCE);
    const ASN1_STRING *bytes = member->value.sequence;
    ASN1_SEQUENCE_ANY *pair =
        elements(ASN1_STRING_get0_data(bytes), (size_t)ASN1_STRING_length(bytes));
    assert(sk_ASN1_TYPE_num(pair) == 2);
    const ASN1_TYPE *oid = sk_ASN1_TYPE_value(pair, 0);
    const ASN1_TYPE *value = sk_ASN1_TYPE_value(pair, 1);
    assert(ASN1_TYPE_get(oid) == V_ASN1_OBJECT);
    char name[64];
    assert(OBJ_obj2txt(name, sizeof name, oid->value.object, 1) > 0);
    if (strcmp(name, "1.2.840.113741.1.13.1.4") == 0) {
        assert(ASN1_TYPE_get(value) == V_ASN1_OCTET_STRING);
        const ASN1_STRING *fmspc = value->value.octet_string;
        assert(ASN1_STRING_length(fmspc) == (int)sizeof x->fmspc);
        assert(memcmp(ASN1_STRING_get0_data(fmspc), x->fmspc, sizeof x->fmspc) == 0);
    }
    sk_ASN1_TYPE_pop_free(pair, ASN1_TYPE_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_pck_extension x, again;
    atls_err err = {0};
    memset(&x, 0, sizeof x);
    if (atls_pck_extension_parse((atls_buf){data, size}, &x, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strcmp(err.check, "pck.extension") == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(x.sgx_type <= 2);
    ASN1_SEQUENCE_ANY *list = elements(data, size);
    assert(sk_ASN1_TYPE_num(list) == (x.has_platform ? 7 : 5));
    for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
        is_pair(sk_ASN1_TYPE_value(list, i), &x);
    }
    sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);

    atls_code rc = atls_pck_extension_parse((atls_buf){data, size - 1}, &again, &err);
    assert(rc == ATLS_E_INVALID);
    rc = atls_pck_extension_parse((atls_buf){data, size}, &again, &err);
    assert(rc == ATLS_OK && memcmp(&x.svn, &again.svn, sizeof x.svn) == 0);
    return 0;
}
