#include "sim/signer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "base/err.h"
#include "crypto/digest.h"

#define DER_SIGNATURE_MAX 80 /* bytes: SEQUENCE of two INTEGERs of at most 33 octets is 72 */

struct sim_signer {
    EVP_PKEY *key;
    EVP_PKEY_CTX *ready;
    atomic_flag in_use; /* of ready; who finds it set works on a copy */
    uint8_t xy[64];
};

atls_code sim_signer_new(EVP_PKEY *key, sim_signer **out, atls_err *err)
{
    sim_signer *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atomic_flag_clear(&s->in_use);
    uint8_t point[65];
    size_t len = 0;
    if (EVP_PKEY_up_ref(key) == 1) {
        s->key = key;
    }
    bool ok = s->key != NULL &&
              EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                              &len) == 1 &&
              len == sizeof point && point[0] == 0x04;
    s->ready = ok ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    if (s->ready == NULL || EVP_PKEY_sign_init(s->ready) != 1) {
        sim_signer_free(s);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto",
                        "the private key is no P-256 key for signing");
    }
    memcpy(s->xy, point + 1, sizeof s->xy);
    *out = s;
    return ATLS_OK;
}

atls_code sim_signer_new_random(sim_signer **out, atls_err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "no P-256 key could be generated");
    }
    atls_code rc = sim_signer_new(key, out, err);
    EVP_PKEY_free(key);
    return rc;
}

void sim_signer_free(sim_signer *s)
{
    if (s != NULL) {
        EVP_PKEY_CTX_free(s->ready);
        EVP_PKEY_free(s->key);
        free(s);
    }
}

EVP_PKEY *sim_signer_get0_key(const sim_signer *s)
{
    return s->key;
}

void sim_signer_xy(const sim_signer *s, uint8_t xy[64])
{
    memcpy(xy, s->xy, sizeof s->xy);
}

static bool sign_der(sim_signer *s, const uint8_t digest[32], uint8_t der[DER_SIGNATURE_MAX],
                     size_t *len)
{
    if (!atomic_flag_test_and_set_explicit(&s->in_use, memory_order_acquire)) {
        bool ok = EVP_PKEY_sign(s->ready, der, len, digest, 32) == 1;
        atomic_flag_clear_explicit(&s->in_use, memory_order_release);
        return ok;
    }
    EVP_PKEY_CTX *own = EVP_PKEY_CTX_new(s->key, NULL);
    bool ok = own != NULL && EVP_PKEY_sign_init(own) == 1 &&
              EVP_PKEY_sign(own, der, len, digest, 32) == 1;
    EVP_PKEY_CTX_free(own);
    return ok;
}

atls_code sim_signer_sign(sim_signer *s, atls_buf bytes, uint8_t rs[64], atls_err *err)
{
    uint8_t digest[32];
    uint8_t der[DER_SIGNATURE_MAX];
    size_t len = sizeof der;
    ATLS_TRY(atls_digest(ATLS_SHA256, &bytes, 1, digest, err));
    const uint8_t *p = der;
    ECDSA_SIG *sig = NULL;
    bool ok = sign_der(s, digest, der, &len);
    ok = ok && (sig = d2i_ECDSA_SIG(NULL, &p, (long)len)) != NULL;
    ok = ok && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, 32) == 32 &&
         BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + 32, 32) == 32;
    ECDSA_SIG_free(sig);
    return ok ? ATLS_OK : ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "signing failed");
}
