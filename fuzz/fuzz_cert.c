/* Certificates, as DER or PEM: what is taken gives the same facts twice; a refusal has a check id. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/key.h"
#include "trust/intel_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(atls_buf der)
{
    atls_cert *a = NULL;
    atls_cert *b = NULL;
    atls_err err = {0};
    if (atls_cert_parse(der, &a, &err) != ATLS_OK) {
        assert(a == NULL && err.code == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
        return;
    }
    assert(atls_cert_parse(der, &b, NULL) == ATLS_OK);
    assert(a->der.len == der.len && memcmp(a->der.ptr, der.ptr, der.len) == 0);
    assert(a->serial_len <= sizeof a->serial && (a->serial_len == 0 || a->serial[0] != 0));
    assert(strlen(a->subject_cn) < sizeof a->subject_cn &&
           strlen(a->subject_o) < sizeof a->subject_o);
    assert(a->tbs.len < der.len && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0);
    assert(a->not_before_s == b->not_before_s && a->not_after_s == b->not_after_s &&
           a->is_ca == b->is_ca);
    assert(atls_same_bytes(a->subject, b->subject) &&
           atls_same_bytes(a->sgx_extension, b->sgx_extension));
    assert(atls_intel_cert_wrong(a) == atls_intel_cert_wrong(b) &&
           atls_issued_by(a, a) == atls_issued_by(b, b));
    atls_key *key = NULL;
    if (a->has_p256 && atls_key_p256(a->p256, &key, NULL) == ATLS_OK) {
        assert(atls_cert_signed_by(a, key) == atls_cert_signed_by(b, key));
        atls_key_free(key);
    }
    atls_public_key *public_key = NULL;
    if (atls_cert_public_key(a, &public_key, &err) == ATLS_OK) {
        assert(atls_same_bytes(atls_public_key_spki(public_key), a->spki));
        assert(atls_cert_signed_by_key(a, public_key) == atls_cert_signed_by_key(b, public_key));
        assert(a->sig_known || !atls_cert_signed_by_key(a, public_key));
        atls_public_key_free(public_key);
    } else {
        assert(err.code == ATLS_E_INVALID && public_key == NULL);
    }
    assert(atls_cert_extension(a, "2.5.29.19", NULL, NULL) == (a->has_basic_constraints ? 1 : 0));
    assert(a->unknown_critical || !a->unknown_critical_other);
    atls_cert_free(a);
    atls_cert_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    atls_err err = {0};
    uint8_t *space = malloc(size + 1);
    assert(space != NULL);
    if (atls_cert_split((atls_buf){data, size}, space, size, ders, ATLS_CHAIN_MAX, &n, &err) ==
        ATLS_OK) {
        assert(n >= 1 && n <= ATLS_CHAIN_MAX);
        for (size_t i = 0; i < n; i++) {
            one(ders[i]);
        }
    } else {
        assert(err.code == ATLS_E_INVALID && err.check != NULL && n == 0);
    }
    one((atls_buf){data, size});
    free(space);
    return 0;
}
