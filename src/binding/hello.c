#include "binding/hello.h"

#define HOST_NAME 0

/* Both extensions are one list behind its length. A reader over it, failed when there is anything else, or less. */
/*@ requires valid_buf(extension);
    assigns \nothing;
    ensures sound_reader(\result) && (\result.left == 0 || \base_addr(\result.ptr) == \base_addr(extension.ptr)); */
static atls_reader only_list(atls_buf extension)
{
    atls_reader r = atls_reader_of(extension);
    atls_reader list = atls_reader_sub(&r, atls_reader_u16be(&r));
    if (!atls_reader_end(&r)) {
        atls_reader_fail(&list);
    }
    return list;
}

bool atls_hello_server_name(atls_buf extension, atls_buf *name)
{
    atls_reader list = only_list(extension);
    const uint8_t type = atls_reader_u8(&list);
    const atls_buf host = atls_reader_view(&list, atls_reader_u16be(&list));
    const bool good = atls_reader_end(&list) && type == HOST_NAME && host.len > 0;
    name->ptr = good ? host.ptr : NULL;
    name->len = good ? host.len : 0;
    return good;
}

/*@ requires valid_buf(name);
    assigns \nothing; */
static bool is_atls(atls_buf name)
{
    return name.len >= 4 && name.ptr[0] == 'a' && name.ptr[1] == 't' && name.ptr[2] == 'l' &&
           name.ptr[3] == 's';
}

/* The first name of the list that is ours; {NULL, 0}: none is. The list fails when it is malformed. */
/*@ requires valid_reader(list);
    assigns *list;
    ensures valid_reader(list) && forward{Pre, Post}(list) && valid_buf(\result) && part_of(\result, list->ptr); */
static atls_buf find_atls(atls_reader *list)
{
    atls_buf found = {NULL, 0};
    /*@ loop invariant valid_reader(list) && forward{Pre, Here}(list) && valid_buf(found) && part_of(found, list->ptr);
        loop assigns *list, found;
        loop variant list->left; */
    while (list->left > 0) {
        const atls_buf one = atls_reader_view(list, atls_reader_u8(list));
        if (one.len == 0) {
            atls_reader_fail(list);
        } else if (found.len == 0 && is_atls(one)) {
            found = one;
        }
    }
    return found;
}

bool atls_hello_atls_protocol(atls_buf extension, atls_buf *name)
{
    atls_reader list = only_list(extension);
    name->ptr = NULL;
    name->len = 0;
    if (list.left == 0) {
        return false;
    }
    const atls_buf found = find_atls(&list);
    if (!atls_reader_ok(&list)) {
        return false;
    }
    *name = found;
    return true;
}
