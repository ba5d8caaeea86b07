/* The container is read here, and written in item_write.c: proofs/run.sh proves this file. */
#include "trust/item.h"

#include "base/err.h"

#define MAGIC_LEN 8

static const char magic[MAGIC_LEN + 1] = "ATLSITEM";

/*@ requires readable(b.ptr, b.len);
    assigns \nothing; */
static bool is_magic(atls_buf b)
{
    if (b.len != MAGIC_LEN) {
        return false;
    }
    /*@ loop invariant 0 <= i <= 8;
        loop assigns i;
        loop variant 8 - i; */
    for (size_t i = 0; i < MAGIC_LEN; i++) {
        if (b.ptr[i] != (uint8_t)magic[i]) {
            return false;
        }
    }
    return true;
}

/* Printable characters, and one NUL at the end. */
/*@ requires valid_buf(key);
    assigns \nothing;
    ensures \result ==> key.len >= 2 && key.ptr[key.len - 1] == 0; */
static bool is_key(atls_buf key)
{
    if (key.len < 2 || key.ptr[key.len - 1] != 0) {
        return false;
    }
    /*@ loop invariant 0 <= i <= key.len - 1;
        loop assigns i;
        loop variant key.len - i; */
    for (size_t i = 0; i < key.len - 1; i++) {
        if (key.ptr[i] <= 0x20 || key.ptr[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

atls_code atls_item_decode(atls_buf bytes, atls_item *out, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    const atls_buf begin = atls_reader_view(&r, MAGIC_LEN);
    const size_t key_len = atls_reader_u16le(&r);
    const size_t chain_len = atls_reader_u32le(&r);
    const size_t body_len = atls_reader_u32le(&r);
    if (!atls_reader_ok(&r) || !is_magic(begin)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form", "not an item: it begins otherwise");
    }
    if (key_len > ATLS_ITEM_KEY_LEN || chain_len > ATLS_ITEM_CHAIN_MAX ||
        body_len > ATLS_ITEM_BODY_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form",
                        "an item with a key, chain or body longer than there are");
    }
    const atls_buf key = atls_reader_view(&r, key_len);
    const atls_buf chain = atls_reader_view(&r, chain_len);
    const atls_buf body = atls_reader_view(&r, body_len);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form",
                        "an item that is not as long as its parts");
    }
    if (!is_key(key)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form", "an item whose key is no text");
    }
    out->key = (const char *)key.ptr;
    out->chain = chain;
    out->body = body;
    return ATLS_OK;
}
