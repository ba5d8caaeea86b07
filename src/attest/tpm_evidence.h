/* tpm_evidence.h: a quote with all that a verifier needs beside it, as parts of a bundle. Sources "tpm" and "azure". */
#ifndef ATLS_ATTEST_TPM_EVIDENCE_H
#define ATLS_ATTEST_TPM_EVIDENCE_H

#include <pthread.h>

#include "attest/attester.h"
#include "attest/tpm_quote.h"

typedef struct tpm_source { /* what a source holds open: nothing of the TPM */
    const attest_os *os;
    tpm_settings settings;
    pthread_mutex_t turn; /* threads of this process take turns */
} tpm_source;

/* What else goes into the evidence while the TPM is ours; adds parts to the blob. */
typedef atls_code (*tpm_more)(tpm *t, const tpm_source *s, atls_evidence_blob *blob, atls_err *err);

/* ATLS_E_USAGE as tpm_settings_read, ATLS_E_SYSTEM "system.memory". */
ATLS_MUST_USE atls_code tpm_source_new(const attest_want *want, const char *default_ak,
                                       tpm_source **out, atls_err *err);
void tpm_source_free(void *self);
/* Is there a TPM? *absent: not even a device. look: what else must be there; may be NULL. */
ATLS_MUST_USE atls_code tpm_source_look(tpm_source *s, tpm_task look, void *arg, bool *absent,
                                        atls_err *err);
/* One turn: key, quote, PCRs, certificate, logs, and what more adds (NULL: nothing). */
ATLS_MUST_USE atls_code tpm_source_attest(tpm_source *s, const char *type,
                                          const atls_report_data *data, tpm_more more,
                                          atls_evidence_blob *out, atls_err *err);
/* A file as a part. ATLS_E_SYSTEM "attest.tpm.file". */
ATLS_MUST_USE atls_code tpm_add_file(const tpm_source *s, const char *path, const char *part,
                                     size_t max, atls_evidence_blob *blob, atls_err *err);

#endif
