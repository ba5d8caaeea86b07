/* enrol.h: a software TPM's key enrolled by credential activation, both sides in one process. */
#ifndef ATLS_TESTS_ENROL_H
#define ATLS_TESTS_ENROL_H

#include <atls/enroll.h>
#include <atls/tpm.h>

#include "e2e/swtpm.h"

typedef struct enrolled {
    atls_tpm_keys keys;
    atls_ek_identity ek;
} enrolled;

/* A verifier that knows the CA which certified this TPM's endorsement keys. */
atls_verifier *enrolling_verifier(const swtpm *t);
/* The whole of it, for the key that the options name (NULL: "ecc"): asserts that the EK certificate holds and that the
 * secret comes back. */
void enrol(const swtpm *t, const char *ak, enrolled *out);
void enrolled_clear(enrolled *e);
/* The verifier believes quotes of this key from now on. */
void enrolled_trust(atls_verifier *v, const enrolled *e);

#endif
