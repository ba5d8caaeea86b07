/* signer.h: a P-256 private key that signs often: its context is made once, and shared by threads. */
#ifndef ATLS_SIM_SIGNER_H
#define ATLS_SIM_SIGNER_H

#include <openssl/evp.h>

#include <atls/types.h>

typedef struct sim_signer sim_signer;

/* Takes a reference of key. */
ATLS_MUST_USE atls_code sim_signer_new(EVP_PKEY *key, sim_signer **out, atls_err *err);
ATLS_MUST_USE atls_code sim_signer_new_random(sim_signer **out, atls_err *err);
void sim_signer_free(sim_signer *s);
EVP_PKEY *sim_signer_get0_key(const sim_signer *s);
void sim_signer_xy(const sim_signer *s, uint8_t xy[64]); /* the public point, big endian */

/* r||s over the SHA-256 of bytes. Safe from many threads at once. */
ATLS_MUST_USE atls_code sim_signer_sign(sim_signer *s, atls_buf bytes, uint8_t rs[64],
                                        atls_err *err);

#endif
