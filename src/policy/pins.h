/* pins.h: the ids by which a policy can name a machine. What a vendor certified, or a key that is in one
 * machine only; masked and shared ids never match. */
#ifndef ATLS_POLICY_PINS_H
#define ATLS_POLICY_PINS_H

#include "claims/claims.h"

typedef enum atls_pin_kind {
    ATLS_PIN_BYTES = 0, /* hex, of exactly size bytes */
    ATLS_PIN_SERIAL,    /* hex of at most size bytes, without leading zeros */
    ATLS_PIN_CHIP,      /* hex of 64 bytes, or of Turin's 8 */
    ATLS_PIN_DECIMAL,   /* decimal text of a number of 8 bytes */
    ATLS_PIN_TEXT
} atls_pin_kind;

#define ATLS_PINS 9

typedef struct atls_pin {
    const char *key;   /* in `platforms`: "chip_id" */
    const char *id;    /* check: "policy.platform.chip_id" */
    const char *shown; /* to people: "chip id" */
    atls_pin_kind kind;
    size_t size;
    uint32_t tees; /* bit t: of evidence that has claims of atls_tee t */
} atls_pin;

/* i < ATLS_PINS. */
const atls_pin *atls_pin_at(size_t i);
bool atls_pin_by_key(const char *key, size_t *i);
/* Can evidence of this TEE (Azure's: of its layers) show that id? */
bool atls_pin_is_of(const atls_pin *pin, atls_tee tee);
/* What verified evidence shows; {NULL, 0}: none that counts. Lent from claims. */
atls_buf atls_pin_value(size_t i, const atls_claims *claims);

#endif
