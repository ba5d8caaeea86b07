/* One field of a message, where the others do not matter. */
#include "binding/protobuf.h"

atls_protobuf_search atls_protobuf_find(atls_buf message, uint32_t number, atls_buf *out)
{
    atls_buf found = {NULL, 0};
    bool seen = false;
    atls_reader r = atls_reader_of(message);
    /*@ loop invariant valid_reader(&r) && (r.left == 0 || \base_addr(r.ptr) == \base_addr(message.ptr));
        loop invariant valid_buf(found) && part_of(found, message.ptr) && (!seen ==> found.len == 0);
        loop assigns r, found, seen;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return ATLS_PROTOBUF_MALFORMED;
        }
        if (f.number == number) {
            if (seen) {
                return ATLS_PROTOBUF_TWICE;
            }
            if (f.kind != ATLS_PROTOBUF_BYTES) {
                return ATLS_PROTOBUF_NO_BYTES;
            }
            found = f.bytes;
            seen = true;
        }
    }
    /*@ assert outlives_r: found.len == 0 || \base_addr(found.ptr) != \base_addr(&r); */
    *out = found;
    return seen ? ATLS_PROTOBUF_FOUND : ATLS_PROTOBUF_ABSENT;
}
