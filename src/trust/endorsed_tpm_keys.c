/* Keys of TPMs as endorsements: public areas, and public keys in PEM. The caller vouches for each as an AK: it is good
 * for quotes, and for nothing else. */
#include "trust/endorsements.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/pem.h"
#include "trust/tpm_key.h"

/* Takes the key. */
static atls_code add(atls_endorsements *e, atls_public_key *key, const atls_tpm_public *area,
                     atls_err *err)
{
    atls_vouched_key *vouched = calloc(1, sizeof *vouched);
    if (vouched == NULL) {
        atls_public_key_free(key);
        return ATLS_ERR_NOMEM(err);
    }
    vouched->what = ATLS_VOUCHED_FOR_QUOTES;
    vouched->key = key;
    vouched->has_attributes = area != NULL;
    if (area != NULL) {
        vouched->attributes = area->attributes;
        vouched->scheme = area->scheme;
        vouched->scheme_hash = area->scheme_hash;
    }
    return atls_endorsements_add_key(e, vouched, err);
}

static atls_code add_area(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    atls_tpm_public area;
    atls_public_key *key = NULL;
    ATLS_TRY(atls_tpm_public_parse(bytes, &area, err));
    ATLS_TRY(atls_tpm_public_key(&area, &key, err));
    return add(e, key, &area, err);
}

static bool are_pem_keys(atls_buf bytes)
{
    static const char begin[] = "-----BEGIN PUBLIC KEY-----";
    size_t i = 0;
    while (i < bytes.len && bytes.ptr[i] != '\0' && strchr(" \t\r\n", bytes.ptr[i]) != NULL) {
        i++;
    }
    return bytes.len - i >= sizeof begin - 1 && memcmp(bytes.ptr + i, begin, sizeof begin - 1) == 0;
}

static atls_code add_pem_keys(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    uint8_t *space = malloc(bytes.len);
    size_t used = 0;
    atls_code rc = space != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
    const size_t cap = bytes.len;
    while (rc == ATLS_OK && bytes.len > 0) {
        atls_buf der = {0};
        atls_public_key *key = NULL;
        if (!atls_pem_next(&bytes, "PUBLIC KEY", space, cap, &used, &der)) {
            rc = ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.pem",
                          "something else than public keys in PEM");
        } else {
            rc = atls_public_key_from_spki(der, &key, err);
        }
        if (rc == ATLS_OK) {
            rc = add(e, key, NULL, err);
        }
    }
    free(space);
    return rc;
}

const atls_endorsement_kind atls_endorsement_tpm_public = {"TPM public area",
                                                           atls_tpm_public_recognise, add_area};
const atls_endorsement_kind atls_endorsement_pem_keys = {"public keys in PEM", are_pem_keys,
                                                         add_pem_keys};
