#include "attest/cert_table.h"

#include <string.h>

#include "base/reader.h"

#define GUID_LEN 16u

static bool is_end(atls_buf guid)
{
    static const uint8_t zeros[GUID_LEN];
    return guid.len == GUID_LEN && memcmp(guid.ptr, zeros, GUID_LEN) == 0;
}

/* Entries of GUID, offset and length, up to a zero one. */
size_t attest_cert_table_len(atls_buf table)
{
    size_t end = 0;
    atls_reader r = atls_reader_of(table);
    while (atls_reader_ok(&r)) {
        atls_buf guid = atls_reader_view(&r, GUID_LEN);
        size_t offset = atls_reader_u32le(&r);
        size_t len = atls_reader_u32le(&r);
        if (is_end(guid) && atls_reader_ok(&r)) {
            size_t entries = table.len - r.left; /* with the zero one, which stays */
            return end == 0 ? 0 : end > entries ? end : entries;
        }
        if (!atls_reader_ok(&r) || len > table.len || offset > table.len - len) {
            break;
        }
        end = offset + len > end ? offset + len : end;
        end = end > 0 ? end : 1;
    }
    return table.len;
}
