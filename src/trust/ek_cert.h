/* ek_cert.h: an EK certificate judged. See atls_ek_certificate_check. */
#ifndef ATLS_TRUST_EK_CERT_H
#define ATLS_TRUST_EK_CERT_H

#include "trust/tpm_path.h"
#include <atls/enroll.h>

ATLS_MUST_USE atls_code atls_ek_cert_judge(const atls_trust *trust, atls_buf der,
                                           const atls_buf *ek_public, int64_t when_s,
                                           atls_ek_identity *out, atls_err *err);

#endif
