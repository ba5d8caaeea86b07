/* One table says where each numbered field of a sevsnp.Report stands in the report (AMD 56860, table 23). */
#include "binding/sevsnp.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/protobuf.h"

#define CHAIN_EXTRAS 7 /* of a sevsnp.CertificateChain: a map of text to bytes */

#define FIELD_VERSION     1
#define FIELD_REPORT_DATA 11
#define FIELD_MEASUREMENT 12
#define FIELD_SIGNATURE   28
#define FIELD_CPUID       29
#define FIELDS            31
#define CPUID_AT          0x188 /* family, model, stepping: from version 3 on */

static const struct {
    size_t at, len;
    bool number; /* little endian there; otherwise bytes */
} places[FIELDS + 1] = {
    [FIELD_VERSION] = {0x000, 4, true},
    [2] = {0x004, 4, true},   /* guest_svn */
    [3] = {0x008, 8, true},   /* policy */
    [4] = {0x010, 16, false}, /* family_id */
    [5] = {0x020, 16, false}, /* image_id */
    [6] = {0x030, 4, true},   /* vmpl */
    [7] = {0x034, 4, true},   /* signature_algo */
    [8] = {0x038, 8, true},   /* current_tcb */
    [9] = {0x040, 8, true},   /* platform_info */
    [10] = {0x048, 4, true},  /* signer_info */
    [FIELD_REPORT_DATA] = {0x050, 64, false},
    [FIELD_MEASUREMENT] = {0x090, 48, false},
    [13] = {0x0c0, 32, false}, /* host_data */
    [14] = {0x0e0, 48, false}, /* id_key_digest */
    [15] = {0x110, 48, false}, /* author_key_digest */
    [16] = {0x140, 32, false}, /* report_id */
    [17] = {0x160, 32, false}, /* report_id_ma */
    [18] = {0x180, 8, true},   /* reported_tcb */
    [19] = {0x1a0, 64, false}, /* chip_id */
    [20] = {0x1e0, 8, true},   /* committed_tcb */
    [21] = {0x1e8, 1, true},   /* current_build */
    [22] = {0x1e9, 1, true},   /* current_minor */
    [23] = {0x1ea, 1, true},   /* current_major */
    [24] = {0x1ec, 1, true},   /* committed_build */
    [25] = {0x1ed, 1, true},   /* committed_minor */
    [26] = {0x1ee, 1, true},   /* committed_major */
    [27] = {0x1f0, 8, true},   /* launch_tcb */
    [FIELD_SIGNATURE] = {0x2a0, 512, false},
    [FIELD_CPUID] = {CPUID_AT, 3, true}, /* as CPUID(1).EAX has them */
    [30] = {0x1f8, 8, true},             /* launch_mit_vector */
    [31] = {0x200, 8, true},             /* current_mit_vector */
};

/* --- reading --- */

static atls_code twice(uint32_t number, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.twice",
                    "field %u of an SNP message comes a second time", (unsigned)number);
}

static bool put_number(uint8_t *at, size_t len, uint64_t value)
{
    for (size_t i = 0; i < len; i++) {
        at[i] = (uint8_t)(value % 256);
        value /= 256;
    }
    return value == 0;
}

static uint64_t get_number(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i > 0; i--) {
        value = value * 256 + at[i - 1];
    }
    return value;
}

/* EAX of CPUID(1): stepping 4 bits, model 4, family 4, 4 unused, extended model 4, extended family 8. */
static bool put_cpuid(uint8_t *at, uint64_t eax)
{
    const uint64_t family = eax / 0x100 % 16 + eax / 0x100000 % 256;
    at[0] = (uint8_t)(family % 256);
    at[1] = (uint8_t)(eax / 0x10000 % 16 * 16 + eax / 0x10 % 16);
    at[2] = (uint8_t)(eax % 16);
    return eax <= 0x0fffffff && eax / 0x1000 % 16 == 0 && family < 256;
}

static uint64_t get_cpuid(const uint8_t *at)
{
    const uint64_t extended = at[0] >= 15 ? at[0] - 15u : 0;
    const uint64_t family = at[0] >= 15 ? 15 : at[0];
    return extended * 0x100000 + at[1] / 16u * UINT64_C(0x10000) + family * 0x100 +
           at[1] % 16u * UINT64_C(0x10) + at[2] % 16u;
}

static bool put_field(const atls_protobuf_field *f, uint8_t *report)
{
    const size_t at = places[f->number].at;
    const size_t len = places[f->number].len;
    if (places[f->number].number != (f->kind == ATLS_PROTOBUF_VARINT)) {
        return false;
    }
    if (f->number == FIELD_CPUID) {
        return put_cpuid(report + at, f->value);
    }
    if (f->kind == ATLS_PROTOBUF_VARINT) {
        return put_number(report + at, len, f->value);
    }
    if (f->kind != ATLS_PROTOBUF_BYTES || f->bytes.len != len) {
        return false;
    }
    memcpy(report + at, f->bytes.ptr, len);
    return true;
}

atls_code atls_sevsnp_report_parse(atls_buf message, uint8_t out[ATLS_SEVSNP_REPORT_LEN],
                                   atls_err *err)
{
    uint8_t report[ATLS_SEVSNP_REPORT_LEN] = {0};
    bool seen[FIELDS + 1] = {false};
    atls_reader r = atls_reader_of(message);
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            break;
        }
        if (f.number > FIELDS) {
            continue;
        }
        if (seen[f.number]) {
            return twice(f.number, err);
        }
        seen[f.number] = true;
        if (!put_field(&f, report)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.field",
                            "field %u of an SNP report does not fit into its %zu bytes",
                            (unsigned)f.number, places[f.number].len);
        }
    }
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.malformed", "no message of an SNP report");
    }
    if (!seen[FIELD_VERSION] || !seen[FIELD_REPORT_DATA] || !seen[FIELD_MEASUREMENT] ||
        !seen[FIELD_SIGNATURE]) {
        return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.missing",
                        "an SNP report without version, report data, measurement or signature");
    }
    memcpy(out, report, sizeof report);
    return ATLS_OK;
}

static const char crl_key[] = "00569ee4-e480-4fba-bbf4-45b629901180";

/* Fields of a message that are bytes: each of wanted at most once, others passed over. */
static atls_code take_bytes(atls_buf message, const uint32_t *wanted, size_t n, atls_buf *found,
                            atls_err *err)
{
    bool seen[8] = {false};
    atls_reader r = atls_reader_of(message);
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            break;
        }
        for (size_t i = 0; i < n; i++) {
            if (f.number != wanted[i]) {
                continue;
            }
            if (seen[i]) {
                return twice(f.number, err);
            }
            if (f.kind != ATLS_PROTOBUF_BYTES) {
                return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.field",
                                "field %u of an SNP attestation is no bytes", (unsigned)f.number);
            }
            seen[i] = true;
            found[i] = f.bytes;
        }
    }
    return atls_reader_end(&r) ? ATLS_OK
                               : ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.malformed",
                                          "no message of an SNP attestation");
}

static bool is_crl_key(atls_buf key)
{
    return key.len == sizeof crl_key - 1 && memcmp(key.ptr, crl_key, key.len) == 0;
}

/* An entry of a map is a message of key and value. */
static atls_code take_crl(atls_buf chain, atls_buf *crl, atls_err *err)
{
    static const uint32_t entry[] = {1, 2};
    bool seen = false;
    atls_reader r = atls_reader_of(chain);
    while (r.left > 0) {
        atls_protobuf_field f;
        atls_buf found[2] = {{NULL, 0}, {NULL, 0}};
        if (!atls_protobuf_next(&r, &f)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.malformed",
                            "no message of a certificate chain");
        }
        if (f.number != CHAIN_EXTRAS) {
            continue;
        }
        if (f.kind != ATLS_PROTOBUF_BYTES) {
            return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.field",
                            "the extras of a certificate chain are no map");
        }
        ATLS_TRY(take_bytes(f.bytes, entry, 2, found, err));
        if (!is_crl_key(found[0])) {
            continue;
        }
        if (seen) {
            return twice(f.number, err);
        }
        seen = true;
        *crl = found[1];
    }
    return ATLS_OK;
}

atls_code atls_sevsnp_parse(atls_buf message, atls_sevsnp *out, atls_err *err)
{
    static const uint32_t parts[] = {1, 2};       /* report, certificate_chain */
    static const uint32_t certs[] = {1, 6, 2, 3}; /* vcek_cert, vlek_cert, ask_cert, ark_cert */
    atls_buf part[2] = {{NULL, 0}, {NULL, 0}};
    atls_buf cert[4] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    atls_sevsnp s = {.vcek = {NULL, 0}};
    ATLS_TRY(take_bytes(message, parts, 2, part, err));
    ATLS_TRY(take_bytes(part[1], certs, 4, cert, err));
    ATLS_TRY(take_crl(part[1], &s.crl, err));
    ATLS_TRY(atls_sevsnp_report_parse(part[0], s.report, err));
    s.vcek = cert[0];
    s.vlek = cert[1];
    s.ask = cert[2];
    s.ark = cert[3];
    *out = s;
    return ATLS_OK;
}

/* --- writing --- */

void atls_sevsnp_report_write(atls_writer *w, const uint8_t report[ATLS_SEVSNP_REPORT_LEN])
{
    const bool has_cpuid = get_number(report, 4) >= 3;
    for (uint32_t n = 1; n <= FIELDS; n++) {
        const uint8_t *at = report + places[n].at;
        if (n == FIELD_CPUID) {
            atls_protobuf_write_uint(w, n, has_cpuid ? get_cpuid(at) : 0);
        } else if (places[n].number) {
            atls_protobuf_write_uint(w, n, get_number(at, places[n].len));
        } else {
            atls_protobuf_write_bytes(w, n, (atls_buf){at, places[n].len});
        }
    }
}

atls_code atls_sevsnp_crl_write(atls_writer *w, atls_buf crl, atls_err *err)
{
    if (crl.len == 0) {
        return ATLS_OK;
    }
    const size_t cap = crl.len + ATLS_SEVSNP_CRL_MORE;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer entry = atls_writer_of(space, cap);
    atls_protobuf_write_bytes(&entry, 1, (atls_buf){(const uint8_t *)crl_key, sizeof crl_key - 1});
    atls_protobuf_write_bytes(&entry, 2, crl);
    atls_protobuf_write_bytes(w, CHAIN_EXTRAS, atls_writer_done(&entry));
    free(space);
    return ATLS_OK;
}

/* --- the certificate table: GUID, offset, length; an entry of zeros; the certificates --- */

#define ENTRY_LEN 24
#define ENTRIES   4

static const uint8_t guids[ENTRIES][16] = {
    {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
     0xcd}, /* VCEK */
    {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
     0xa1}, /* VLEK */
    {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
     0x82}, /* ASK */
    {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
     0xea}, /* CRL */
};

size_t atls_sevsnp_table_len(const atls_sevsnp *s)
{
    const atls_buf certs[ENTRIES] = {s->vcek, s->vlek, s->ask, s->crl};
    size_t len = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        len += certs[i].len > 0 ? ENTRY_LEN + certs[i].len : 0;
    }
    return len > 0 ? len + ENTRY_LEN : 0;
}

void atls_sevsnp_table_write(atls_writer *w, const atls_sevsnp *s)
{
    const atls_buf certs[ENTRIES] = {s->vcek, s->vlek, s->ask, s->crl};
    size_t at = ENTRY_LEN;
    for (size_t i = 0; i < ENTRIES; i++) {
        at += certs[i].len > 0 ? ENTRY_LEN : 0;
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        if (certs[i].len > 0) {
            atls_writer_bytes(w, (atls_buf){guids[i], sizeof guids[i]});
            atls_writer_u32le(w, (uint32_t)at);
            atls_writer_u32le(w, (uint32_t)certs[i].len);
            at += certs[i].len;
        }
    }
    atls_writer_zeros(w, ENTRY_LEN);
    for (size_t i = 0; i < ENTRIES; i++) {
        atls_writer_bytes(w, certs[i]);
    }
}

bool atls_sevsnp_table_read(atls_buf table, atls_sevsnp *s)
{
    static const uint8_t end[16] = {0};
    atls_buf certs[ENTRIES] = {s->vcek, s->vlek, s->ask, s->crl};
    atls_reader r = atls_reader_of(table);
    while (r.left > 0) {
        const atls_buf guid = atls_reader_view(&r, sizeof end);
        const uint32_t at = atls_reader_u32le(&r);
        const uint32_t len = atls_reader_u32le(&r);
        if (!atls_reader_ok(&r)) {
            return false;
        }
        if (memcmp(guid.ptr, end, sizeof end) == 0) {
            s->vcek = certs[0];
            s->vlek = certs[1];
            s->ask = certs[2];
            s->crl = certs[3];
            return true;
        }
        atls_reader whole = atls_reader_of(table);
        (void)atls_reader_view(&whole, at);
        const atls_buf cert = atls_reader_view(&whole, len);
        if (!atls_reader_ok(&whole)) {
            return false;
        }
        for (size_t i = 0; i < ENTRIES; i++) {
            if (memcmp(guid.ptr, guids[i], sizeof end) == 0) {
                certs[i] = cert;
            }
        }
    }
    return false;
}
