/* A payload that is taken has all that is judged, within its limits; a refusal has a check id of its own; a document of
 * any bytes ends in a verdict, never an accepted one. */
#include <assert.h>
#include <string.h>

#include "codec/cose.h"
#include "evidence/nitro/document.h"
#include "verify/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_payload(atls_buf payload)
{
    atls_nitro_document d;
    atls_err err = {0};
    if (atls_nitro_document_parse(payload, &d, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "nitro.", 6) == 0 &&
               err.msg[0] != '\0');
        return;
    }
    assert(payload.len <= ATLS_NITRO_PAYLOAD_MAX && d.timestamp_ms > 0 && d.pcrs != 0);
    assert(d.module_id.len > 0 && memchr(d.module_id.ptr, 0, d.module_id.len) == NULL);
    assert(d.certificate.len > 0 && d.certificate.len <= ATLS_NITRO_CERTIFICATE_MAX);
    assert(d.bundle_n > 0 && d.bundle_n <= ATLS_NITRO_BUNDLE_MAX);
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        assert((d.pcr[i] != NULL) == ((d.pcrs >> i) % 2 != 0));
    }
    assert(d.is_tpm || d.pcr[0] != NULL);
    assert(d.nonce.len <= ATLS_NITRO_FIELD_MAX && d.user_data.len <= ATLS_NITRO_FIELD_MAX &&
           d.public_key.len <= ATLS_NITRO_FIELD_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_verifier *v;
    if (v == NULL) {
        v = atls_verifier_new();
    }
    const atls_evidence e = {.type = "nitro", .parts_n = 1, .parts = {{"document", {data, size}}}};
    check_payload((atls_buf){data, size});
    (void)atls_nitro_document_looks((atls_buf){data, size});
    atls_cose_sign1 cose;
    if (atls_cose_sign1_parse((atls_buf){data, size}, ATLS_COSE_ALLOW(ATLS_COSE_ES384), &cose,
                              NULL) == ATLS_OK) {
        check_payload(cose.payload);
    }
    atls_verdict *r = v != NULL ? atls_verifier_check(v, &e, NULL, 1760000000, NULL) : NULL;
    if (r != NULL) {
        assert(atls_verdict_code(r) == ATLS_E_INVALID && atls_verdict_check(r)[0] != '\0');
        assert(r->claims.tee == ATLS_TEE_NONE);
    }
    atls_verdict_free(r);
    return 0;
}
