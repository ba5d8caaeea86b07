/* registers.h: the signed fields that a policy can name, one table a TEE. */
#ifndef ATLS_POLICY_REGISTERS_H
#define ATLS_POLICY_REGISTERS_H

#include "claims/claims.h"

typedef enum atls_register_kind {
    ATLS_REGISTER_BYTES = 0,  /* any-of list of hex, of exactly size bytes */
    ATLS_REGISTER_DIGEST,     /* any-of list of hex: 32, 48 or 64 bytes */
    ATLS_REGISTER_TEXT,       /* any-of list of texts */
    ATLS_REGISTER_EQUAL,      /* a number that must be equal */
    ATLS_REGISTER_MIN,        /* a number that must not be lower */
    ATLS_REGISTER_MAX,        /* a number that must not be higher */
    ATLS_REGISTER_BITS_SET,   /* a mask: all these bits are set */
    ATLS_REGISTER_BITS_CLEAR, /* a mask: all these bits are clear */
    ATLS_REGISTER_TRUE,       /* a flag that must be set */
    ATLS_REGISTER_COMPONENTS, /* CCA: the platform's software */
    ATLS_REGISTER_NAMED,      /* token: measurements, each by its name */
    ATLS_REGISTER_CLAIMS      /* token: claims, each by a JSON pointer */
} atls_register_kind;

/* Where its value is, and whether this evidence has it. */
typedef enum atls_register_place {
    ATLS_PLACE_FIELD = 0, /* at offset, always */
    ATLS_PLACE_TD_1_5,    /* at offset, in a TD report 1.5 */
    ATLS_PLACE_SNP_V5,    /* at offset, in a report of version 5 */
    ATLS_PLACE_PCR,       /* a TPM's: bank and index */
    ATLS_PLACE_DOCUMENT,  /* PCR of a Nitro or NitroTPM document: index */
    ATLS_PLACE_RIM,
    ATLS_PLACE_REM,     /* index */
    ATLS_PLACE_ARRAY,   /* text at offset */
    ATLS_PLACE_POINTER, /* pointer to text at offset; may be NULL */
    ATLS_PLACE_AUDIENCES,
    ATLS_PLACE_AK_TRUST,
    ATLS_PLACE_TOKEN_KIND,
    ATLS_PLACE_ATTESTED
} atls_register_place;

typedef struct atls_register {
    const char
        *group; /* the object around it in a set: "sha256"; NULL: it stands in the set itself */
    const char *key;       /* in the policy: "mrtd" */
    const char *id;        /* check: "policy.tdx.mrtd" */
    const char *owner_id;  /* check of it as an owner claim; NULL: it is none */
    const char *owner_key; /* its name there; NULL: key */
    atls_register_kind kind;
    atls_register_place place;
    uint8_t bank, index;
    size_t offset;   /* in the claims */
    size_t size;     /* bytes; of a number 1, 2, 4 or 8 */
    const char *why; /* what it is, for whoever reads a learned policy */
} atls_register;

/* The table of a TEE, and its length; NULL for none. */
const atls_register *atls_registers(atls_tee tee, size_t *n);
/* group NULL: of the set itself. NULL if there is no such register. */
const atls_register *atls_register_by_key(atls_tee tee, const char *group, const char *key);
/* Its name in `owner`; NULL when it is no owner claim. */
const char *atls_register_owner_key(const atls_register *reg);
bool atls_register_is_number(const atls_register *reg);

/* Its bytes in the claims, lent; {NULL, 0} when this evidence has no such field. */
atls_buf atls_register_bytes(const atls_register *reg, const atls_claims *claims);
/* False when this evidence has no such field. Flags are 0 or 1. */
bool atls_register_number(const atls_register *reg, const atls_claims *claims, uint64_t *out);
/* The text number i of it (audiences are several); NULL after the last. */
const char *atls_register_text(const atls_register *reg, const atls_claims *claims, size_t i);

/* "plain", "ear", "maa", "ita", "confidential-space"; NULL after the last. */
const char *atls_token_kind_name(size_t kind);
/* "vouched", "certificate", "report"; NULL after the last. Number 0 is "none". */
const char *atls_ak_trust_name(size_t trust);

#endif
