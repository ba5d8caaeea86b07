#include "attest/cert_table.h"

#define GUID_LEN 16u

/*@ requires valid_buf(guid);
    assigns \nothing; */
static bool is_zero(atls_buf guid)
{
    /*@ loop invariant 0 <= i <= guid.len;
        loop assigns i;
        loop variant guid.len - i; */
    for (size_t i = 0; i < guid.len; i++) {
        if (guid.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Entries of GUID, offset and length, up to a zero one. */
size_t attest_cert_table_len(atls_buf table)
{
    size_t end = 0;
    atls_reader r = atls_reader_of(table);
    /*@ loop invariant valid_reader(&r) && r.left <= table.len && end <= table.len;
        loop assigns r, end;
        loop variant r.left; */
    while (r.left > 0) {
        atls_buf guid = atls_reader_view(&r, GUID_LEN);
        size_t offset = atls_reader_u32le(&r);
        size_t len = atls_reader_u32le(&r);
        if (atls_reader_ok(&r) && is_zero(guid)) {
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
