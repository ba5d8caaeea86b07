/* cose.h: COSE_Sign1 messages, right or wrong in any one respect, and well signed all the same. */
#ifndef ATLS_SIM_COSE_H
#define ATLS_SIM_COSE_H

#include <openssl/evp.h>

#include "base/writer.h"
#include <atls/types.h>

typedef struct sim_cose {
    EVP_PKEY *key;             /* EC */
    const char *hash;          /* "SHA2-384" */
    atls_buf protected_header; /* the encoded map */
    atls_buf unprotected;      /* likewise; empty: a map of nothing */
    atls_buf payload;
    bool tagged;
    bool is_detached;  /* nil in the payload's place */
    bool is_der;       /* the signature as X.509 has it */
    bool is_zero;      /* r and s zero */
    bool is_wrong;     /* one bit of the signature is another */
    bool has_trailing; /* one byte behind the message */
} sim_cose;

/* Protected headers with only an algorithm in them. */
#define SIM_COSE_ES256 "\xa1\x01\x26"
#define SIM_COSE_ES384 "\xa1\x01\x38\x22"
#define SIM_COSE_ES512 "\xa1\x01\x38\x23"

/* malloc'ed. */
ATLS_MUST_USE atls_code sim_cose_make(const sim_cose *cose, uint8_t **out, size_t *len,
                                      atls_err *err);

/* A new key on "P-256", "P-384" or "P-521"; and kept as PEM text (freed by the caller) and back. NULL: no memory, or not
 * a key. */
EVP_PKEY *sim_key_new(const char *curve);
char *sim_key_pem(EVP_PKEY *key);
EVP_PKEY *sim_key_from_pem(const char *pem);

#endif
