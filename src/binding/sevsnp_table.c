/* The certificate table of an SNP host: GUID, offset, length; an entry of zeros; the certificates. */
#include <string.h>

#include "binding/sevsnp.h"

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
