#include "binding/hello.h"

#define HOST_NAME 0

bool atls_hello_server_name(atls_buf extension, atls_buf *name)
{
    atls_reader r = atls_reader_of(extension);
    atls_reader list = atls_reader_sub(&r, atls_reader_u16be(&r));
    const uint8_t type = atls_reader_u8(&list);
    const atls_buf host = atls_reader_view(&list, atls_reader_u16be(&list));
    *name = (atls_buf){NULL, 0};
    if (!atls_reader_end(&r) || !atls_reader_end(&list) || type != HOST_NAME || host.len == 0) {
        return false;
    }
    *name = host;
    return true;
}

/*@ requires valid_buf(name);
    assigns \nothing; */
static bool is_atls(atls_buf name)
{
    return name.len >= 4 && name.ptr[0] == 'a' && name.ptr[1] == 't' && name.ptr[2] == 'l' &&
           name.ptr[3] == 's';
}

bool atls_hello_atls_protocol(atls_buf extension, atls_buf *name)
{
    atls_reader r = atls_reader_of(extension);
    atls_reader list = atls_reader_sub(&r, atls_reader_u16be(&r));
    atls_buf found = {NULL, 0};
    *name = found;
    if (!atls_reader_end(&r) || list.left == 0) {
        return false;
    }
    /*@ loop invariant valid_reader(&list) && valid_buf(found);
        loop assigns list, found;
        loop variant list.left; */
    while (list.left > 0) {
        const atls_buf one = atls_reader_view(&list, atls_reader_u8(&list));
        if (one.len == 0) {
            return false;
        }
        if (found.len == 0 && is_atls(one)) {
            found = one;
        }
    }
    *name = found;
    return true;
}
