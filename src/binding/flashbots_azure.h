/* flashbots_azure.h: evidence of a confidential VM on Azure (TDX) as Flashbots' peers write it: one JSON object, here and in the
 * certificates of 2026. What it must say about 64 bytes of report data: the runtime data's user-data are those bytes, the
 * TPM's qualifying data the first 32 of them. */
#ifndef ATLS_BINDING_FLASHBOTS_AZURE_H
#define ATLS_BINDING_FLASHBOTS_AZURE_H

#include "binding/binding.h"

#define FLASHBOTS_AZURE_MAX          ((size_t)128 << 10) /* bytes of text */
#define FLASHBOTS_AZURE_INTERMEDIATE 8                   /* certificates above the AK's, at most */

/* Sets type ("azure") and parts of out->evidence, in room of out's; the caller clears out after a failure, too. Members that
 * are not known are ignored. Certificates above the AK's are looked at only in their form: what vouches for the AK is the
 * hardware's report. ATLS_E_INVALID "flashbots.azure". */
ATLS_MUST_USE atls_code flashbots_azure_read(atls_buf text, atls_carried *out, atls_err *err);

/* Sets what evidence of type azure has to say about the 64 bytes of report data. */
void flashbots_azure_expect(const uint8_t report_data[64], atls_expected *expected);

/* The text out of our evidence of type azure on TDX: malloc'ed, with a NUL that *len does not count. ATLS_E_USAGE
 * "flashbots.evidence": it lacks a part that peers want (td_quote, ak_cert, all 24 PCRs of SHA-256), or is too long. */
ATLS_MUST_USE atls_code flashbots_azure_write(const atls_evidence_blob *evidence, char **text,
                                              size_t *len, atls_err *err);

#endif
