#include "trust/endorsements.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/pem.h"
#include "trust/jwks.h"

void atls_endorsements_clear(atls_endorsements *e)
{
    for (size_t i = 0; i < e->certs_n; i++) {
        atls_cert_free(e->certs[i]);
    }
    for (size_t i = 0; i < e->crls_n; i++) {
        atls_crl_free(e->crls[i]);
    }
    for (size_t i = 0; i < e->keys_n; i++) {
        atls_public_key_free(e->keys[i]->key);
        free(e->keys[i]);
    }
    memset(e, 0, sizeof *e);
}

static atls_code no_room(const char *what, size_t max, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "endorsement.count", "more than %zu %s", max, what);
}

atls_code atls_endorsements_add_cert(atls_endorsements *e, atls_cert *cert, atls_err *err)
{
    if (e->certs_n == ATLS_ENDORSED_CERTS_MAX) {
        return no_room("certificates", ATLS_ENDORSED_CERTS_MAX, err);
    }
    e->certs[e->certs_n++] = atls_cert_up_ref(cert);
    return ATLS_OK;
}

atls_code atls_endorsements_add_crl(atls_endorsements *e, atls_crl *crl, atls_err *err)
{
    if (e->crls_n == ATLS_ENDORSED_CRLS_MAX) {
        return no_room("CRLs", ATLS_ENDORSED_CRLS_MAX, err);
    }
    e->crls[e->crls_n++] = atls_crl_up_ref(crl);
    return ATLS_OK;
}

atls_code atls_endorsements_add_key(atls_endorsements *e, atls_vouched_key *key, atls_err *err)
{
    if (e->keys_n == ATLS_VOUCHED_KEYS_MAX) {
        atls_public_key_free(key->key);
        free(key);
        return no_room("keys", ATLS_VOUCHED_KEYS_MAX, err);
    }
    e->keys[e->keys_n++] = key;
    return ATLS_OK;
}

/* Every kind there is, in plain sight. A DER CRL is looked for before a DER certificate. */
static const atls_endorsement_kind *const kinds[] = {
    &atls_endorsement_crl,         &atls_endorsement_cert_table, &atls_endorsement_certificates,
    &atls_endorsement_cca_anchors, &atls_endorsement_jwks,       &atls_endorsement_pem_keys,
    &atls_endorsement_tpm_public, /* by few bytes: behind all that is told by more */
};

static void drop_since(atls_endorsements *e, const atls_endorsements *before)
{
    while (e->certs_n > before->certs_n) {
        atls_cert_free(e->certs[--e->certs_n]);
    }
    while (e->crls_n > before->crls_n) {
        atls_crl_free(e->crls[--e->crls_n]);
    }
    while (e->keys_n > before->keys_n) {
        atls_vouched_key *key = e->keys[--e->keys_n];
        atls_public_key_free(key->key);
        free(key);
    }
}

static atls_code add_one(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i]->recognise(bytes)) {
            return kinds[i]->add(e, bytes, err);
        }
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "endorsement.unknown",
                    "neither certificates, a CRL, a key, nor anything else that vouches");
}

/* The bytes of the first block of a PEM text: all that stands before the next. */
static size_t block_len(atls_buf text)
{
    static const char begin[] = "-----BEGIN ";
    const size_t len = sizeof begin - 1;
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '-') {
        at++;
    }
    for (at++; at + len <= text.len; at++) {
        if (text.ptr[at] == '-' && memcmp(text.ptr + at, begin, len) == 0) {
            return at;
        }
    }
    return text.len;
}

/* Each block of a PEM text is a thing of its own: certificates, CRLs and keys stand in one file in any order. */
static atls_code add_each(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    if (!atls_pem_looks(bytes)) {
        return add_one(e, bytes, err);
    }
    while (bytes.len > 0) {
        const size_t len = block_len(bytes);
        ATLS_TRY(add_one(e, (atls_buf){bytes.ptr, len}, err));
        bytes.ptr += len;
        bytes.len -= len;
    }
    return ATLS_OK;
}

atls_code atls_endorsements_add(atls_endorsements *e, atls_buf bytes, atls_err *err)
{
    if (bytes.len == 0 || bytes.len > ATLS_ENDORSEMENT_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "endorsement.size",
                        "%zu bytes, where 1 to %zu are taken", bytes.len, ATLS_ENDORSEMENT_MAX_LEN);
    }
    const atls_endorsements before = {
        .certs_n = e->certs_n, .crls_n = e->crls_n, .keys_n = e->keys_n};
    const atls_code rc = add_each(e, bytes, err);
    if (rc != ATLS_OK) {
        drop_since(e, &before);
    }
    return rc;
}
