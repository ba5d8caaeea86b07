/* item.h: one piece of collateral: its name (what it is for), and how name, chain and body are carried as bytes. */
#ifndef ATLS_TRUST_ITEM_H
#define ATLS_TRUST_ITEM_H

#include "base/reader.h"
#include "base/writer.h"
#include "trust/amd_product.h"
#include <atls/store.h>

typedef enum atls_item_kind {
    ATLS_ITEM_TCB_INFO = 0,
    ATLS_ITEM_QE_IDENTITY,
    ATLS_ITEM_PCK_CRL,
    ATLS_ITEM_ROOT_CRL,
    ATLS_ITEM_PCK_CERT,
    ATLS_ITEM_VCEK,
    ATLS_ITEM_AMD_CHAIN,
    ATLS_ITEM_AMD_CRL,
    ATLS_ITEM_JWKS,
    ATLS_ITEM_KINDS
} atls_item_kind;

typedef enum atls_item_channel {
    ATLS_CHANNEL_STANDARD = 0, /* enforced now */
    ATLS_CHANNEL_EARLY,        /* published, not yet enforced */
    ATLS_CHANNEL_NUMBER        /* of one tcbEvaluationDataNumber */
} atls_item_channel;

/* A parsed key; members that the kind has not are zero. */
typedef struct atls_item_name {
    atls_item_kind kind;
    bool is_tdx;               /* TCB info, QE identity */
    uint8_t fmspc[6];          /* TCB info */
    atls_item_channel channel; /* TCB info, QE identity */
    uint32_t number;
    bool is_processor; /* PCK CRL */
    uint8_t qeid[16], cpusvn[16], pcesvn[2],
        pceid[2];                   /* PCK certificate; as the service writes them, in hex */
    bool is_vlek;                   /* AMD's chain and CRL */
    atls_amd_product product;       /* AMD's */
    uint8_t hwid[64];               /* VCEK */
    size_t hwid_len;                /* 64; Turin 8 */
    uint8_t tcb[8];                 /* VCEK; as the product's reports have it */
    char issuer[ATLS_ITEM_KEY_LEN]; /* JWK set: decoded */
} atls_item_name;

/* The one spelling of each key: anything else is ATLS_E_USAGE "item.key". An issuer is printable ASCII; N is 1 to
 * 2^32 - 1 without leading zeros. */
ATLS_MUST_USE atls_code atls_item_name_parse(const char *key, atls_item_name *out, atls_err *err);
/* The reverse; a name of fields that make sense always fits. An issuer that is too long gives an empty key. */
void atls_item_name_format(const atls_item_name *name, char key[ATLS_ITEM_KEY_LEN]);
atls_family atls_item_family(
    atls_item_kind kind); /* whose roots it holds under; JWK sets: none asks */

/* As bytes, in the directory, a bundle and the second level:
 *   8  "ATLSITEM"   2  length of key with its NUL   4  length of chain   4  length of body   key  chain  body
 * little endian; nothing behind the body. */
#define ATLS_ITEM_HEADER_LEN 18
#define ATLS_ITEM_MAX_LEN                                                                          \
    (ATLS_ITEM_HEADER_LEN + ATLS_ITEM_KEY_LEN + ATLS_ITEM_CHAIN_MAX + ATLS_ITEM_BODY_MAX)
size_t atls_item_encoded_len(const atls_item *item);
void atls_item_encode(const atls_item *item, atls_writer *w); /* w fails past the maxima */
/* Views of bytes. The key is text of 1 to ATLS_ITEM_KEY_LEN - 1 printable characters, no space; whether it is a name is
 * not looked at. ATLS_E_INVALID "item.form". */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> valid_buf(out->chain) && valid_buf(out->body); */
ATLS_MUST_USE atls_code atls_item_decode(atls_buf bytes, atls_item *out, atls_err *err);

#endif
