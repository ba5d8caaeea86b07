/* registers.h: the signed fields that a policy can name, one table a TEE. */
#ifndef ATLS_POLICY_REGISTERS_H
#define ATLS_POLICY_REGISTERS_H

#include "claims/claims.h"

typedef enum atls_register_kind {
    ATLS_REGISTER_BYTES = 0, /* any-of list of hex */
    ATLS_REGISTER_EQUAL,     /* a number that must be equal */
    ATLS_REGISTER_MIN        /* a number that must not be lower */
} atls_register_kind;

typedef struct atls_register {
    const char *key;      /* in the policy: "mrtd" */
    const char *id;       /* check: "policy.tdx.mrtd" */
    const char *owner_id; /* check of it as an owner claim; NULL: it is none */
    atls_register_kind kind;
    size_t offset;  /* in claims->as of that TEE */
    size_t size;    /* bytes; numbers are uint16_t */
    bool needs_1_5; /* there in a TD report 1.5 only */
} atls_register;

/* The table of a TEE, and its length; NULL for a TEE that a policy cannot name yet. */
const atls_register *atls_registers(atls_tee tee, size_t *n);
/* NULL if there is no such register. */
const atls_register *atls_register_by_key(atls_tee tee, const char *key);

/* Its bytes in the claims, lent; {NULL, 0} when this evidence has no such field. */
atls_buf atls_register_bytes(const atls_register *reg, const atls_claims *claims);
uint16_t atls_register_number(const atls_register *reg, const atls_claims *claims);

#endif
