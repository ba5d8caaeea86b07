/* The order of the fields is that of part 2, 12.2.4 and the structures it names. */
#include "trust/tpm_public.h"

#include "base/err.h"

#define NAME_ALG_MAX_DIGEST 64

typedef struct algorithm { /* an algorithm and the hash that goes with it; 0: none */
    uint16_t id, hash;
    bool known;
} algorithm;

/* TPMT_SYM_DEF_OBJECT: NULL, or a cipher with its key's bits and mode. */
/*@ requires valid_reader(r) && \valid(out) && \separated(r, out);
    assigns *r, *out;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void read_symmetric(atls_reader *r, atls_tpm_public *out)
{
    out->symmetric = atls_reader_u16be(r);
    if (out->symmetric != ATLS_TPM_ALG_NULL) {
        out->symmetric_bits = atls_reader_u16be(r);
        out->symmetric_mode = atls_reader_u16be(r);
    }
}

/* TPMT_RSA_SCHEME or TPMT_ECC_SCHEME; those that nobody here can lay out are not known. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static algorithm read_scheme(atls_reader *r)
{
    algorithm a = {0};
    a.id = atls_reader_u16be(r);
    a.known = true;
    if (a.id == ATLS_TPM_ALG_NULL || a.id == ATLS_TPM_ALG_RSAES) {
        return a;
    }
    a.hash = atls_reader_u16be(r);
    if (a.id == ATLS_TPM_ALG_ECDAA) {
        (void)atls_reader_u16be(r); /* its count */
    }
    /* RSASSA to ECDAA, SM2, EC-Schnorr, ECMQV: all have a hash, and nothing more. */
    a.known = a.id >= ATLS_TPM_ALG_RSASSA && a.id <= 0x001d;
    return a;
}

/* TPMT_KDF_SCHEME: NULL, or a function with its hash. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static algorithm read_kdf(atls_reader *r)
{
    algorithm a = {0};
    a.id = atls_reader_u16be(r);
    a.known = a.id == ATLS_TPM_ALG_NULL || a.id == 0x0007 || (a.id >= 0x0020 && a.id <= 0x0022);
    if (a.id != ATLS_TPM_ALG_NULL) {
        a.hash = atls_reader_u16be(r);
    }
    return a;
}

/* Bytes with their size in front. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r) && valid_buf(\result); */
static atls_buf read_sized(atls_reader *r)
{
    return atls_reader_view(r, atls_reader_u16be(r));
}

/* Without the size that a TPM2B_PUBLIC has in front. No TPMT_PUBLIC begins with its own length: its type is 1 or 35, and
 * it is longer than either. */
/*@ requires valid_buf(bytes);
    assigns \nothing;
    ensures valid_buf(\result); */
static atls_buf without_size(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    const size_t size = atls_reader_u16be(&r);
    return atls_reader_ok(&r) && size == r.left ? atls_reader_rest(&r) : bytes;
}

/*@ requires \valid_read(p) && (err == \null || \valid(err)) && \separated(p, err);
    assigns *err; */
static atls_code check_values(const atls_tpm_public *p, algorithm scheme, algorithm kdf,
                              atls_err *err)
{
    if (p->name_alg < ATLS_TPM_ALG_SHA256 || p->name_alg > ATLS_TPM_ALG_SHA512) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.name_alg",
                        "name algorithm 0x%04x, where SHA-256, SHA-384 or SHA-512 is wanted",
                        (unsigned)p->name_alg);
    }
    if (p->symmetric != ATLS_TPM_ALG_NULL && p->symmetric != ATLS_TPM_ALG_AES) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.symmetric",
                        "symmetric algorithm 0x%04x, where AES or none is known",
                        (unsigned)p->symmetric);
    }
    if (!scheme.known) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.scheme",
                        "a key of scheme 0x%04x, which nobody here knows", (unsigned)scheme.id);
    }
    if (!kdf.known) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.kdf",
                        "a key derivation 0x%04x, which nobody here knows", (unsigned)kdf.id);
    }
    return ATLS_OK;
}

atls_code atls_tpm_public_parse(atls_buf bytes, atls_tpm_public *out, atls_err *err)
{
    if (bytes.len > ATLS_TPM_PUBLIC_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.length",
                        "a public area of %zu bytes, where at most %d are taken", bytes.len,
                        ATLS_TPM_PUBLIC_MAX_LEN);
    }
    atls_tpm_public p = {0};
    p.bytes = without_size(bytes);
    atls_reader r = atls_reader_of(p.bytes);
    p.type = atls_reader_u16be(&r);
    p.name_alg = atls_reader_u16be(&r);
    p.attributes = atls_reader_u32be(&r);
    p.auth_policy = read_sized(&r);
    if (atls_reader_ok(&r) && p.type != ATLS_TPM_ALG_RSA && p.type != ATLS_TPM_ALG_ECC) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.type",
                        "an object of type 0x%04x, where an RSA or ECC key is wanted",
                        (unsigned)p.type);
    }
    read_symmetric(&r, &p);
    const algorithm scheme = read_scheme(&r);
    algorithm kdf = {.known = true};
    if (p.type == ATLS_TPM_ALG_RSA) {
        p.key_bits = atls_reader_u16be(&r);
        p.exponent = atls_reader_u32be(&r);
        p.modulus = read_sized(&r);
    } else {
        p.curve = atls_reader_u16be(&r);
        kdf = read_kdf(&r);
        p.x = read_sized(&r);
        p.y = read_sized(&r);
    }
    if (!atls_reader_end(&r) || p.auth_policy.len > NAME_ALG_MAX_DIGEST) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.public.length",
                        "a public area of %zu bytes, which are not those of its fields", bytes.len);
    }
    ATLS_TRY(check_values(&p, scheme, kdf, err));
    p.scheme = scheme.id;
    p.scheme_hash = scheme.hash;
    p.kdf = kdf.id;
    p.kdf_hash = kdf.hash;
    *out = p;
    return ATLS_OK;
}

bool atls_tpm_public_recognise(atls_buf bytes)
{
    const atls_buf area = without_size(bytes);
    atls_reader r = atls_reader_of(area);
    const uint16_t type = atls_reader_u16be(&r);
    const uint16_t name_alg = atls_reader_u16be(&r);
    return atls_reader_ok(&r) && bytes.len <= ATLS_TPM_PUBLIC_MAX_LEN &&
           (type == ATLS_TPM_ALG_RSA || type == ATLS_TPM_ALG_ECC || area.len < bytes.len) &&
           name_alg >= ATLS_TPM_ALG_SHA1 && name_alg <= 0x0029;
}
