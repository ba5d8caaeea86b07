#include "evidence/tpm/signature.h"

#include "base/err.h"

#define COORDINATE_MAX 80 /* bytes of r or s: P-521 with some zeros in front */
#define RSA_MAX        512

/*@ assigns \nothing; */
static bool is_bare(size_t len)
{
    return len == 256 || len == 384 || len == 512;
}

/*@ requires \valid_read(s) && (err == \null || \valid(err)) && \separated(s, err);
    assigns *err; */
static atls_code check_values(const atls_tpm_signature *s, atls_err *err)
{
    if (s->scheme != ATLS_TPM_ALG_RSASSA && s->scheme != ATLS_TPM_ALG_RSAPSS &&
        s->scheme != ATLS_TPM_ALG_ECDSA) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.signature.scheme",
                        "signature scheme 0x%04x, where RSASSA, RSAPSS or ECDSA is wanted",
                        (unsigned)s->scheme);
    }
    if (s->hash < ATLS_TPM_ALG_SHA256 || s->hash > ATLS_TPM_ALG_SHA512) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.signature.hash",
                        "a signature with hash 0x%04x, where SHA-256, SHA-384 or SHA-512 is wanted",
                        (unsigned)s->hash);
    }
    if (s->rsa.len > RSA_MAX || s->r.len > COORDINATE_MAX || s->s.len > COORDINATE_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.signature.length",
                        "a signature longer than any key makes");
    }
    return ATLS_OK;
}

atls_code atls_tpm_signature_parse(atls_buf bytes, atls_tpm_signature *out, atls_err *err)
{
    atls_tpm_signature s = {0};
    if (is_bare(bytes.len)) {
        s.scheme = ATLS_TPM_ALG_RSASSA;
        s.hash = ATLS_TPM_ALG_SHA256;
        s.is_bare = true;
        s.rsa = bytes;
        *out = s;
        return ATLS_OK;
    }
    atls_reader r = atls_reader_of(bytes);
    s.scheme = atls_reader_u16be(&r);
    s.hash = atls_reader_u16be(&r);
    const bool has_head = atls_reader_ok(&r);
    if (s.scheme == ATLS_TPM_ALG_ECDSA) {
        s.r = atls_reader_view(&r, atls_reader_u16be(&r));
        s.s = atls_reader_view(&r, atls_reader_u16be(&r));
    } else {
        s.rsa = atls_reader_view(&r, atls_reader_u16be(&r));
    }
    if (has_head) {
        ATLS_TRY(check_values(&s, err));
    }
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.signature.length",
                        "a signature of %zu bytes, which are not those of its fields", bytes.len);
    }
    *out = s;
    return ATLS_OK;
}
