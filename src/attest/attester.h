/* attester.h: one source of evidence: a kernel interface, or a platform's own service. One file each, as a const
 * descriptor; the list stands in attesters.c. A source makes evidence and judges none. */
#ifndef ATLS_ATTEST_ATTESTER_H
#define ATLS_ATTEST_ATTESTER_H

#include <atls/attest.h>
#include <atls/attester.h>

#include "attest/os.h"

#define ATTEST_TYPES_MAX 3

/* Most bytes of one part; evidence itself must fit a frame of atls/1 (65,529 bytes), event logs an attachment. */
#define ATTEST_EVIDENCE_MAX  ((size_t)64 * 1024)
#define ATTEST_EVENT_LOG_MAX ((size_t)512 * 1024)

typedef struct attest_want {
    const attest_os *os;                /* outlives what is opened with it */
    const atls_attest_options *options; /* strings outlive it too */
    const char *type;                   /* wanted; NULL: any that the source makes */
    uint32_t timeout_ms;                /* options->timeout_ms, or the usual */
} attest_want;

typedef struct attest_opened {
    void *self;       /* for attest and free */
    const char *type; /* what it makes here: one of the source's types */
    bool
        absent; /* beside a failure: nothing of the kind is there (otherwise: there, but no good) */
} attest_opened;

typedef struct attest_source {
    const char *name;
    const char *types[ATTEST_TYPES_MAX + 1]; /* what it may make; NULL behind the last */
    /* Proves less than the others: `auto` takes it only if all others are absent, never because one of them fails. */
    bool last_resort;
    /* Looks whether the source is there and works, as far as can be told without evidence. Sets *opened on success;
     * opened->absent beside a failure. */
    atls_code (*open)(const attest_want *want, attest_opened *opened, atls_err *err);
    /* As atls_attester's: from many threads at once. out is set on success only. */
    atls_code (*attest)(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err);
    void (*free)(void *self);
} attest_source;

extern const attest_source attest_source_gramine;   /* an SGX enclave's files */
extern const attest_source attest_source_nsm;       /* a Nitro enclave's device */
extern const attest_source attest_source_dstack;    /* the agent in a dstack guest */
extern const attest_source attest_source_tsm;       /* configfs-tsm: TDX, SEV-SNP, Arm CCA */
extern const attest_source attest_source_tdx_guest; /* TDX device, and a quote service */
extern const attest_source attest_source_sev_guest; /* SEV-SNP device */
extern const attest_source attest_source_tpm;
extern const attest_source attest_source_azure; /* a vTPM whose key a hardware report covers */

/* A NULL-ended list: those that this build has, in the order in which they are tried. */
extern const attest_source *const attest_sources[];

/* atls_attester_open over another list. */
ATLS_MUST_USE atls_code attest_open_among(const attest_source *const *sources, const attest_os *os,
                                          const atls_attest_options *options, atls_attester **out,
                                          atls_err *err);
/* The same over another operating system. */
ATLS_MUST_USE atls_code attest_open(const attest_os *os, const atls_attest_options *options,
                                    atls_attester **out, atls_err *err);
bool attest_probe_at(const attest_os *os, const atls_attest_options *options, size_t i,
                     atls_attest_probe *out);

/* What options->snp_vmpl says; -1: nothing. ATLS_E_USAGE "attest.option" for what is no level. */
atls_code attest_vmpl(const atls_attest_options *options, int *out, atls_err *err);

/* Adds a part of len bytes at bytes, which the blob owns from then on; name has static storage. */
void attest_add_part(atls_evidence_blob *blob, const char *name, uint8_t *bytes, size_t len);
/* A blob of that type without parts. */
atls_evidence_blob attest_blob_of(const char *type);

/* What was made must carry what was asked for: an interface that several share can give another's. True if the first
 * part does (by the place of the field in SGX, TDX and SNP; anywhere in signed CBOR). */
bool attest_carries(const atls_evidence_blob *blob, const uint8_t report_data[64]);

#endif
