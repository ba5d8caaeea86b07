/* swtpm.h: a TPM 2.0 of this test's own: a process, a private directory, sockets in it. Gone when the test is. */
#ifndef ATLS_TESTS_SWTPM_H
#define ATLS_TESTS_SWTPM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#include <atls/types.h>

typedef struct swtpm {
    char dir[64];
    char tcti[96]; /* as tpm2-tss takes it */
    pid_t pid;
} swtpm;

/* Says why not on stdout when the Debian package is not installed. */
bool swtpm_is_installed(void);
/* New, with no owner. with_certificates: swtpm_setup has put EK certificates in its NV memory, and left
 * the banks SHA-256 and SHA-384. Asserts. */
void swtpm_start(swtpm *t, bool with_certificates);
void swtpm_stop(swtpm *t);

/* What others than the attester do with a TPM. Each asserts. */
void swtpm_extend(const swtpm *t, unsigned pcr,
                  const char *text); /* all banks, with a digest of text */
void swtpm_take_ownership(const swtpm *t, const char *owner_auth, const char *endorsement_auth);
void swtpm_put_nv(const swtpm *t, uint32_t index, atls_buf bytes);
/* A primary signing key that is not restricted, kept at handle. */
void swtpm_keep_unrestricted(const swtpm *t, uint32_t handle);
/* Fills the memory for objects with what nobody flushes; swtpm_make_room flushes it. */
void swtpm_crowd(const swtpm *t);
void swtpm_make_room(const swtpm *t);
/* The value of a PCR in the SHA-256 bank. */
void swtpm_pcr(const swtpm *t, unsigned pcr, uint8_t out[32]);
/* How many objects and sessions are in its memory. */
size_t swtpm_objects(const swtpm *t);

#endif
