#include <string.h>

#include "trust/item.h"

size_t atls_item_encoded_len(const atls_item *item)
{
    return ATLS_ITEM_HEADER_LEN + strlen(item->key) + 1 + item->chain.len + item->body.len;
}

void atls_item_encode(const atls_item *item, atls_writer *w)
{
    const size_t key_len = strlen(item->key) + 1;
    if (key_len > ATLS_ITEM_KEY_LEN || item->chain.len > ATLS_ITEM_CHAIN_MAX ||
        item->body.len > ATLS_ITEM_BODY_MAX) {
        w->failed = true;
        return;
    }
    atls_writer_text(w, "ATLSITEM");
    atls_writer_u16le(w, (uint16_t)key_len);
    atls_writer_u32le(w, (uint32_t)item->chain.len);
    atls_writer_u32le(w, (uint32_t)item->body.len);
    atls_writer_text(w, item->key);
    atls_writer_u8(w, 0);
    atls_writer_bytes(w, item->chain);
    atls_writer_bytes(w, item->body);
}
