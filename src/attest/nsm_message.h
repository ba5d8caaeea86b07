/* nsm_message.h: what is said to the Nitro Security Module and what it answers, in CBOR. */
#ifndef ATLS_ATTEST_NSM_MESSAGE_H
#define ATLS_ATTEST_NSM_MESSAGE_H

#include <atls/attester.h>

#include "base/writer.h"

#define NSM_REQUEST_MAX    ((size_t)4096)
#define NSM_RESPONSE_MAX   ((size_t)12288)
#define NSM_PUBLIC_KEY_MAX ((size_t)1024)

/* {"Attestation": {"user_data": null, "nonce": the 64 bytes, "public_key": the SPKI or null}} */
void nsm_write_request(atls_writer *w, const atls_report_data *data);

/* The document in a response, which it points into; "attest.nsm.error" with the module's own name of the error,
 * "attest.nsm.response" for anything else. */
atls_code nsm_read_response(atls_buf response, atls_buf *document, atls_err *err);

#endif
