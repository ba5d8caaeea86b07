/* dstack_attestation.h: dstack's versioned attestation, of version 0 (SCALE) or 1 (MessagePack), read into one form, made
 * into parts of evidence, and written (version 0). What is in it is believed by nobody until the evidence is judged: an
 * event counts when RTMR 3 of the quote replays. */
#ifndef ATLS_BINDING_DSTACK_ATTESTATION_H
#define ATLS_BINDING_DSTACK_ATTESTATION_H

#include "base/writer.h"
#include "binding/binding.h"
#include "binding/dstack_v0.h"

/* Views into the attestation, or into what is owned. */
typedef struct atls_dstack_attestation {
    unsigned version; /* 0 or 1 */
    atls_dstack_platform platform;
    atls_buf quote; /* TDX: the quote; Nitro: the document; SNP: the report */
    atls_buf certs[ATLS_DSTACK_CERTS_MAX]; /* SNP: DER, PEM, or one certificate table */
    size_t certs_n;
    atls_buf mr_config;     /* SNP: what HOST_DATA is a hash of */
    atls_dstack_event *log; /* TDX: of all registers, as far as they were not left out */
    size_t log_n;
    atls_dstack_event *runtime; /* those of RTMR 3, or of a TPM's PCR 14 */
    size_t runtime_n;
    atls_buf report_data; /* 64 bytes */
    atls_buf config;
    bool has_payload; /* version 1, dstack-pod: the report data is a hash of it */
    atls_buf payload;
    void *owned[2], *decoded; /* malloc'ed: lists of events; vectors */
} atls_dstack_attestation;

/* All of the bytes. ATLS_E_INVALID "dstack.attestation.format", "dstack.attestation.platform",
 * "dstack.attestation.events" (the log's runtime events are not those that stand beside it). */
ATLS_MUST_USE atls_code atls_dstack_attestation_read(atls_buf bytes, atls_dstack_attestation *out,
                                                     atls_err *err);
void atls_dstack_attestation_clear(atls_dstack_attestation *a);
/* Version 1 alone (dstack_v1.c). */
ATLS_MUST_USE atls_code atls_dstack_v1_read(atls_buf bytes, atls_dstack_attestation *out,
                                            atls_err *err);

/* --- into evidence of ours (dstack_parts.c) --- */
/* Type and parts: TDX (of Google's the TPM is not looked at) with the log as dstack's JSON, SNP, Nitro. Copies. */
ATLS_MUST_USE atls_code atls_dstack_to_evidence(const atls_dstack_attestation *a, atls_carried *out,
                                                atls_err *err);
/* dstack's JSON log: the log's boot events, then the runtime events, their digests left out (version 2: computed). The
 * caller frees *out. */
ATLS_MUST_USE atls_code atls_dstack_log_json(const atls_dstack_attestation *a, char **out,
                                             atls_err *err);
/* The payload of the one system event of that name: in front of "system-ready", and the only one in all of the log. */
bool atls_dstack_system_event(const atls_dstack_attestation *a, const char *name,
                              atls_buf *payload);

/* --- out of evidence of ours (dstack_make.c) --- */
/* A TDX quote and dstack's log as JSON, as older certificates carry them; without report data. Of boot events only those
 * of ACPI data are kept. ATLS_E_INVALID "dstack.event_log". */
ATLS_MUST_USE atls_code atls_dstack_from_log(atls_buf quote, atls_buf log,
                                             atls_dstack_attestation *out, atls_err *err);
/* As dstack embeds it in certificates: of boot events only those of ACPI data; version 0, or 1 when an event is of version
 * 2. The caller frees *out. ATLS_E_SYSTEM "dstack.make": evidence of another type, or a log that this form cannot carry. */
ATLS_MUST_USE atls_code atls_dstack_make(const atls_evidence_blob *evidence,
                                         const uint8_t report_data[64], uint8_t **out, size_t *len,
                                         atls_err *err);
/* Version 0 of what was read; space has room for what was read and 16 bytes. False: it does not fit, or has what this
 * version has no place for. */
bool atls_dstack_write_v0(const atls_dstack_attestation *a, atls_writer *w);

/* Version 1, of TDX alone. */
bool atls_dstack_write_v1(const atls_dstack_attestation *a, atls_writer *w);

#endif
