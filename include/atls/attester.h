/* attester.h: where evidence comes from. A caller may bring an attester of its own. */
#ifndef ATLS_ATTESTER_H
#define ATLS_ATTESTER_H

#include <atls/types.h>

/* Evidence made: the bundle's type and parts, owned by this struct until atls_evidence_blob_clear. */
typedef struct atls_evidence_blob {
    char type[16];
    size_t parts_n;
    struct {
        char name[16];
        uint8_t *bytes; /* malloc'ed */
        size_t len;
    } parts[10];
} atls_evidence_blob;
ATLS_API void atls_evidence_blob_clear(atls_evidence_blob *blob);

/* What evidence is to carry, in each shape that hardware has room for. */
typedef struct atls_report_data {
    uint8_t wide[64];    /* SGX, TDX, SNP, CCA: the whole field; Nitro: the nonce */
    uint8_t narrow[32];  /* a TPM's qualifying data; hex of it in a token's nonce */
    const uint8_t *spki; /* Nitro: the public key; borrowed for the call; NULL: none */
    size_t spki_len;
} atls_report_data;

typedef struct atls_attester {
    const char *name; /* "sim", "tdx", ... */
    void *self;
    /* Makes evidence over the report data. May take seconds; may be called from any thread,
     * and from several at once. On success the caller owns *out. */
    atls_code (*attest)(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err);
    void (*free)(void *self); /* may be NULL */
} atls_attester;
/* Of those that this library made; NULL is fine. */
ATLS_API void atls_attester_free(atls_attester *a);

#endif
