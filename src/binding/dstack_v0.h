/* dstack_v0.h: the first version of dstack's attestation, a SCALE structure: 00, the platform with its quote, runtime events,
 * report data, configuration. Only taken apart here: nothing is believed. */
#ifndef ATLS_BINDING_DSTACK_V0_H
#define ATLS_BINDING_DSTACK_V0_H

#include "binding/dstack_event.h"

typedef enum atls_dstack_platform { /* as numbered on the wire */
                                    ATLS_DSTACK_TDX = 0,
                                    ATLS_DSTACK_GCP_TDX,
                                    ATLS_DSTACK_NITRO_ENCLAVE,
                                    ATLS_DSTACK_SEV_SNP,
                                    ATLS_DSTACK_NITRO_TPM
} atls_dstack_platform;

#define ATLS_DSTACK_ATTESTATION_MAX ((size_t)1 << 20) /* bytes of a whole attestation */
#define ATLS_DSTACK_QUOTE_MAX                                                                      \
    524288u /* bytes of a quote, document or report; Flashbots' JSON is long */
#define ATLS_DSTACK_CERTS_MAX    8u
#define ATLS_DSTACK_CERT_MAX     65536u /* bytes */
#define ATLS_DSTACK_CONFIG_MAX   262144u
#define ATLS_DSTACK_REPORT_DATA  64u
#define ATLS_DSTACK_TPM_LIST_MAX 4096u /* PCRs, or events, of the TPM of a platform */

/* Views into the attestation. */
typedef struct atls_dstack_v0 {
    atls_dstack_platform platform;
    atls_buf quote;  /* TDX: the quote; Nitro: the document; SNP: the report */
    atls_reader log; /* TDX: the events, for atls_dstack_v0_log_event */
    uint32_t log_n;
    atls_buf certs[ATLS_DSTACK_CERTS_MAX]; /* SNP */
    uint32_t certs_n;
    atls_buf mr_config;  /* SNP: a text */
    atls_reader runtime; /* for atls_dstack_v0_runtime_event */
    uint32_t runtime_n;
    atls_buf report_data; /* 64 bytes */
    atls_buf config;      /* a text */
} atls_dstack_v0;

/* One event; fails the reader when it is too long in a part, or its register is above 3. */
/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_dstack_event(*out); */
void atls_dstack_v0_log_event(atls_reader *r, atls_dstack_event *out);

/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_dstack_event(*out); */
void atls_dstack_v0_runtime_event(atls_reader *r, atls_dstack_event *out);

/* All of the bytes. ATLS_E_INVALID "dstack.attestation.format": which part does not fit; "dstack.attestation.platform": one
 * that is not known. All events have been read once. Not promised below: that the views are valid, which they are when they are read (proved
 * there); the provers lose it on the way out, and the fuzz target looks at it. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_dstack_v0_read(atls_buf bytes, atls_dstack_v0 *out, atls_err *err);

#endif
