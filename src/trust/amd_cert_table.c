/* The table's header is read whole before an entry is looked at; offsets and lengths are added up in 64 bits. */
#include "trust/amd_cert_table.h"

#include "base/err.h"

#define GUID_LEN   16
#define HEADER_LEN 24 /* of one entry: GUID, offset, length */

static const uint8_t guids[ATLS_AMD_ENTRIES][GUID_LEN] = {
    {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
     0xcd},
    {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
     0xa1},
    {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
     0x82},
    {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
     0xae},
    {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
     0xea},
    {0xec, 0xae, 0x0c, 0x0f, 0x95, 0x02, 0x43, 0xb1, 0xaf, 0xa2, 0x0a, 0xe2, 0xe0, 0xd5, 0x65,
     0xb6},
};

typedef struct place {
    atls_buf guid;
    uint32_t offset, length;
} place;

typedef struct header {
    place places[ATLS_AMD_TABLE_MAX_ENTRIES];
    size_t n;
} header;

/*@ predicate valid_places(place *p, integer n) = \forall integer k; 0 <= k < n ==> readable(p[k].guid.ptr, 16) && p[k].guid.len == 16;
*/

/*@ requires \valid_read(a + (0 .. 15)) && \valid_read(b + (0 .. 15));
    assigns \nothing; */
static bool same_guid(const uint8_t *a, const uint8_t *b)
{
    /*@ loop invariant 0 <= i <= 16;
        loop assigns i;
        loop variant 16 - i; */
    for (size_t i = 0; i < GUID_LEN; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* ATLS_AMD_ENTRIES: none that is known. */
/*@ requires \valid_read(guid + (0 .. 15));
    assigns \nothing;
    ensures 0 <= \result <= 6; */
static unsigned kind_of(const uint8_t *guid)
{
    /*@ loop invariant 0 <= i <= 6;
        loop assigns i;
        loop variant 6 - i; */
    for (unsigned i = 0; i < ATLS_AMD_ENTRIES; i++) {
        if (same_guid(guid, guids[i])) {
            return i;
        }
    }
    return ATLS_AMD_ENTRIES;
}

/* 24 zero bytes end the header. */
/*@ requires \valid_read(p) && readable(p->guid.ptr, 16);
    assigns \nothing; */
static bool is_end(const place *p)
{
    static const uint8_t zero[GUID_LEN] = {0};
    return p->offset == 0 && p->length == 0 && same_guid(p->guid.ptr, zero);
}

/* False: the header does not end. */
/*@ requires valid_reader(r) && \valid(h) && \separated(r, h) && h->n == 0;
    assigns *r, *h;
    ensures \result ==> h->n <= 32 && valid_places(&h->places[0], h->n); */
static bool read_header(atls_reader *r, header *h)
{
    place p;
    /*@ loop invariant 0 <= n <= 33 && h->n <= 32 && h->n == n && valid_reader(r) && valid_places(&h->places[0], h->n);
        loop assigns n, p, *r, *h;
        loop variant 33 - n; */
    for (size_t n = 0; n <= ATLS_AMD_TABLE_MAX_ENTRIES; n++) {
        p.guid = atls_reader_view(r, GUID_LEN);
        p.offset = atls_reader_u32le(r);
        p.length = atls_reader_u32le(r);
        if (!atls_reader_ok(r)) {
            return false;
        }
        if (is_end(&p)) {
            return true;
        }
        if (n == ATLS_AMD_TABLE_MAX_ENTRIES) {
            return false;
        }
        h->places[n] = p;
        h->n = n + 1;
    }
    return false;
}

/* The GUID of an entry is that of one before it? */
/*@ requires \valid_read(h) && i < h->n <= 32 && valid_places(&h->places[0], h->n);
    assigns \nothing; */
static bool is_repeated(const header *h, size_t i)
{
    /*@ loop invariant 0 <= k <= i;
        loop assigns k;
        loop variant i - k; */
    for (size_t k = 0; k < i; k++) {
        if (same_guid(h->places[k].guid.ptr, h->places[i].guid.ptr)) {
            return true;
        }
    }
    return false;
}

/*@ requires \valid_read(p);
    assigns \nothing;
    ensures \result ==> p->length == 0 || p->offset + p->length <= len; */
static bool is_inside(const place *p, unsigned kind, size_t header_len, size_t len)
{
    const uint64_t end = (uint64_t)p->offset + p->length;
    const size_t most = kind < ATLS_AMD_CRL ? ATLS_AMD_TABLE_MAX_CERT : ATLS_AMD_TABLE_MAX_LEN;
    return p->length == 0 || (p->offset >= header_len && end <= len && p->length <= most);
}

/*@ requires valid_buf(bytes) && \valid_read(p);
    assigns \nothing; */
static atls_buf content(atls_buf bytes, const place *p)
{
    atls_reader r = atls_reader_of(bytes);
    (void)atls_reader_view(&r, p->offset);
    return atls_reader_view(&r, p->length);
}

atls_code atls_amd_cert_table_parse(atls_buf bytes, atls_amd_cert_table *out, atls_err *err)
{
    atls_amd_cert_table t = {0};
    header h;
    if (bytes.len > ATLS_AMD_TABLE_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "snp.table.size",
                        "a certificate table of %zu bytes, where at most %d are taken", bytes.len,
                        ATLS_AMD_TABLE_MAX_LEN);
    }
    if (bytes.len == 0) {
        *out = t;
        return ATLS_OK;
    }
    h.n = 0;
    atls_reader r = atls_reader_of(bytes);
    if (!read_header(&r, &h)) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "snp.table.header",
            "a certificate table whose header does not end, or has more than %d entries",
            ATLS_AMD_TABLE_MAX_ENTRIES);
    }
    const size_t header_len = (h.n + 1) * HEADER_LEN;
    /*@ loop invariant 0 <= i <= h.n;
        loop assigns i, t, *err;
        loop variant h.n - i; */
    for (size_t i = 0; i < h.n; i++) {
        const place p = h.places[i];
        const unsigned kind = kind_of(p.guid.ptr);
        if (is_repeated(&h, i)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "snp.table.twice",
                            "entry %zu of the certificate table has the GUID of one before it",
                            i + 1);
        }
        if (!is_inside(&p, kind, header_len, bytes.len)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "snp.table.entry",
                            "entry %zu of the certificate table: %u bytes at %u, which do not lie "
                            "behind its header and inside its %zu bytes, or are too many",
                            i + 1, (unsigned)p.length, (unsigned)p.offset, bytes.len);
        }
        if (kind < ATLS_AMD_ENTRIES && p.length > 0) {
            t.entry[kind] = content(bytes, &p);
        }
    }
    t.n = h.n;
    *out = t;
    return ATLS_OK;
}

bool atls_amd_cert_table_looks(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_buf guid = atls_reader_view(&r, GUID_LEN);
    return atls_reader_ok(&r) && kind_of(guid.ptr) < ATLS_AMD_ENTRIES;
}
