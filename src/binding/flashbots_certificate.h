/* flashbots_certificate.h: the JSON document that Flashbots' certificates of 2026 carry where dstack's have a quote, in its
 * present form and in that before. */
#ifndef ATLS_BINDING_FLASHBOTS_CERTIFICATE_H
#define ATLS_BINDING_FLASHBOTS_CERTIFICATE_H

#include "binding/binding.h"

#define FLASHBOTS_DOCUMENT_MAX ((size_t)1 << 20)   /* bytes of text */
#define FLASHBOTS_QUOTE_MAX    ((size_t)256 << 10) /* bytes of evidence in it */

/* Sets type ("tdx" or "azure") and parts of out->evidence, in room of out's, which the caller clears after a failure too;
 * *none: it says that there is no evidence. ATLS_E_INVALID "flashbots.certificate.document", "flashbots.certificate.type",
 * "flashbots.azure". */
ATLS_MUST_USE atls_code flashbots_document_read(atls_buf text, atls_carried *out, bool *none,
                                                atls_err *err);

typedef struct flashbots_platform { /* what a document says beside the evidence */
    const char *type; /* of a TD: "self-hosted-tdx", "gcp-tdx", "dcap-tdx", "qemu-tdx" */
    uint64_t ram_bytes;
    uint32_t disks;
    bool older; /* the form before mid-2026 */
} flashbots_platform;
/* The document around our evidence: malloc'ed, with a NUL. ATLS_E_SYSTEM "flashbots.certificate.make": another type than TDX
 * or Azure's. */
ATLS_MUST_USE atls_code flashbots_document_write(const atls_evidence_blob *evidence,
                                                 const flashbots_platform *platform, char **text,
                                                 atls_err *err);

#endif
