#include "sim/snp_report.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/reader.h"
#include "base/writer.h"

#define REPORT_LEN 1184
#define SIGNED_LEN 672
#define R_AT       0x2a0
#define S_AT       0x2e8
#define NUMBER_LEN 48

static void put_le(uint8_t *at, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        at[i] = (uint8_t)(value % 256);
        value /= 256;
    }
}

/* The digest of "WORKLOAD/REGISTER", cut to len bytes. */
static bool put_digest(uint8_t *at, size_t len, const EVP_MD *md, const char *workload,
                       const char *name)
{
    char text[160];
    uint8_t digest[EVP_MAX_MD_SIZE];
    (void)snprintf(text, sizeof text, "%.100s/%s", workload, name);
    if (EVP_Digest(text, strlen(text), digest, NULL, md, NULL) != 1) {
        return false;
    }
    memcpy(at, digest, len);
    return true;
}

static bool put_guest(uint8_t *r, const atls_sim_request *request)
{
    const char *w = request->workload != NULL ? request->workload : "demo";
    memcpy(r + 0x050, request->data.wide, 64);
    memset(r + 0x160, 0xff, 32); /* no migration agent */
    return put_digest(r + 0x010, 16, EVP_sha256(), w, "family_id") &&
           put_digest(r + 0x020, 16, EVP_sha256(), w, "image_id") &&
           put_digest(r + 0x090, 48, EVP_sha384(), w, "measurement") &&
           put_digest(r + 0x0c0, 32, EVP_sha256(), w, "host_data") &&
           put_digest(r + 0x0e0, 48, EVP_sha384(), w, "id_key_digest") &&
           put_digest(r + 0x110, 48, EVP_sha384(), w, "author_key_digest") &&
           put_digest(r + 0x140, 32, EVP_sha256(), w, "report_id");
}

static void put_platform(uint8_t *r, const snp_variant *v, const snp_plan *plan)
{
    static const uint8_t cpuid[][3] = {{0x19, 1, 1}, {0x19, 0x11, 1}, {0x1a, 2, 1}};
    static const uint8_t firmware[] = {29, 55, 1};
    uint8_t tcb[8];
    uint8_t id[SNP_HW_ID_LEN];
    size_t id_len = 0;
    snp_tcb(v->product, tcb);
    snp_hw_id(v->product, id, &id_len);
    put_le(r + 0x040, 0x25, 8); /* SMT, ECC, aliases checked */
    put_le(r + 0x048, 1u + (plan->masked == 1 ? 2u : 0u) + (v->is_vlek ? 4u : 0u), 4);
    memcpy(r + 0x038, tcb, 8);
    memcpy(r + 0x180, tcb, 8);
    memcpy(r + 0x1e0, tcb, 8);
    memcpy(r + 0x1f0, tcb, 8);
    if (v->version >= 3) {
        memcpy(r + 0x188, cpuid[v->product], 3);
    }
    if (!v->is_vlek && plan->masked == 0) {
        memcpy(r + 0x1a0, id, id_len);
    }
    memcpy(r + 0x1e8, firmware, 3);
    memcpy(r + 0x1ec, firmware, 3);
    if (v->version >= 5) {
        put_le(r + 0x1f8, 0x3f, 8);
        put_le(r + 0x200, 0x3f, 8);
    }
}

/* AMD's form: r and s as little-endian numbers of 72 bytes each. */
static bool sign(EVP_PKEY *key, uint8_t *r)
{
    uint8_t der[128];
    size_t len = sizeof der;
    const uint8_t *p = der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ECDSA_SIG *sig = NULL;
    bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, der, &len, r, SIGNED_LEN) == 1 &&
              (sig = d2i_ECDSA_SIG(NULL, &p, (long)len)) != NULL &&
              BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), r + R_AT, NUMBER_LEN) == NUMBER_LEN &&
              BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), r + S_AT, NUMBER_LEN) == NUMBER_LEN;
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool snp_report_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                     const atls_sim_request *request, uint8_t out[SNP_REPORT_MAX], size_t *len)
{
    memset(out, 0, SNP_REPORT_MAX);
    put_le(out, v->version, 4);
    put_le(out + 0x004, 2, 4);
    put_le(out + 0x008, UINT64_C(0x3001f) + (request->debug ? UINT64_C(1) << 19 : 0), 8);
    put_le(out + 0x034, 1, 4);
    if (!put_guest(out, request)) {
        return false;
    }
    put_platform(out, v, plan);
    if (plan->signed_at >= 0) {
        memset(out + plan->signed_at, plan->signed_value, (size_t)plan->signed_n);
    }
    const bool vlek_signs = v->is_vlek != (plan->other_signer != 0);
    if (!sign(keys->key[vlek_signs ? SNP_VLEK : SNP_VCEK], out)) {
        return false;
    }
    if (plan->zero_signature) {
        memset(out + R_AT, 0, REPORT_LEN - R_AT);
    }
    if (plan->flipped_at >= 0) {
        out[plan->flipped_at] ^= (uint8_t)plan->flipped_bits;
    }
    *len = (size_t)(REPORT_LEN + plan->longer);
    return true;
}

/* --- the table --- */

#define HEADER_LEN 24

static const uint8_t vcek_guid[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                      0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t vlek_guid[16] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                      0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
static const uint8_t ask_guid[16] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                     0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
static const uint8_t crl_guid[16] = {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d,
                                     0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea};
static const uint8_t other_guid[16] = {0xff};

typedef struct table {
    uint8_t *bytes;
    size_t header, end, n; /* where the next entry and the next content go */
} table;

static void put_entry(table *t, const uint8_t guid[16], uint64_t offset, uint64_t len)
{
    uint8_t *at = t->bytes + t->header;
    memcpy(at, guid, 16);
    put_le(at + 16, offset, 4);
    put_le(at + 20, len, 4);
    t->header += HEADER_LEN;
    t->n++;
}

static void put_content(table *t, const uint8_t guid[16], const uint8_t *content, size_t len)
{
    put_entry(t, guid, t->end, len);
    memcpy(t->bytes + t->end, content, len);
    t->end += len;
}

static bool put_pem(table *t, const uint8_t guid[16], const snp_bytes *der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool ok = bio != NULL && PEM_write_bio(bio, "CERTIFICATE", "", der->ptr, (long)der->len) > 0;
    if (ok) {
        const long len = BIO_get_mem_data(bio, &text);
        put_content(t, guid, (const uint8_t *)text, (size_t)len);
    }
    BIO_free(bio);
    return ok;
}

/* One wrong entry, by name. */
static void put_wrong(table *t, snp_table_change how)
{
    static const uint8_t one[1] = {0x30};
    switch (how) {
    case SNP_TABLE_MANY:
        while (t->n < 33) {
            const uint8_t guid[16] = {0xfe, (uint8_t)t->n};
            put_content(t, guid, one, 1);
        }
        break;
    case SNP_TABLE_TWICE:
        put_content(t, ask_guid, one, 1);
        break;
    case SNP_TABLE_TWICE_UNKNOWN:
        put_content(t, other_guid, one, 1);
        put_content(t, other_guid, one, 1);
        break;
    case SNP_TABLE_INTO_HEADER:
        put_entry(t, other_guid, HEADER_LEN, 8);
        break;
    case SNP_TABLE_BEHIND_END:
        put_entry(t, other_guid, t->end, 1);
        break;
    case SNP_TABLE_WRAPS:
        put_entry(t, other_guid, 0xffffff00u, 0x200);
        break;
    case SNP_TABLE_CERT_LARGE:
        put_entry(t, vlek_guid, t->end, 8193);
        memset(t->bytes + t->end, 0x30, 8193);
        t->end += 8193;
        break;
    default:
        break;
    }
}

bool snp_table_make(const snp_variant *v, const snp_plan *plan, const snp_bytes *leaf,
                    const snp_bytes *ca, const snp_bytes *crl, uint8_t *out, size_t *len)
{
    const snp_table_change how = (snp_table_change)plan->table_change;
    const uint8_t *leaf_guid = v->is_vlek ? vlek_guid : vcek_guid;
    table t = {out, 0, (how == SNP_TABLE_MANY ? 40 : 8) * HEADER_LEN, 0};
    memset(out, 0, SNP_TABLE_MAX);
    if (how == SNP_TABLE_PEM) {
        if (!put_pem(&t, leaf_guid, leaf) || !put_pem(&t, ask_guid, ca)) {
            return false;
        }
    } else {
        if (leaf->len > 0) {
            put_content(&t, leaf_guid, leaf->ptr, leaf->len);
        }
        if (ca->len > 0) {
            put_content(&t, ask_guid, ca->ptr, ca->len);
        }
    }
    if (crl->len > 0) {
        put_content(&t, crl_guid, crl->ptr, crl->len);
    }
    put_wrong(&t, how);
    *len = how == SNP_TABLE_NO_END   ? t.header
           : how == SNP_TABLE_LARGE  ? (size_t)65537
           : how == SNP_TABLE_PADDED ? (t.end / 4096 + 1) * 4096
                                     : t.end;
    return true;
}

atls_buf snp_table_entry(atls_buf bytes, snp_entry which)
{
    static const uint8_t *const guids[] = {vcek_guid, ask_guid, crl_guid};
    atls_reader r = atls_reader_of(bytes);
    for (;;) {
        const atls_buf guid = atls_reader_view(&r, sizeof vcek_guid);
        const uint32_t offset = atls_reader_u32le(&r);
        const uint32_t len = atls_reader_u32le(&r);
        if (!atls_reader_ok(&r) || offset == 0) {
            return (atls_buf){NULL, 0};
        }
        if (memcmp(guid.ptr, guids[which], guid.len) == 0) {
            atls_reader at = atls_reader_of(bytes);
            (void)atls_reader_view(&at, offset);
            return atls_reader_view(&at, len);
        }
    }
}
