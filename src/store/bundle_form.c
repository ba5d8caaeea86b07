#include "store/bundle_form.h"

#include <string.h>

#include "base/err.h"
#include "crypto/digest.h"

#define VERSION   1
#define MAGIC_LEN 8
static const char magic[] = "ATLSCOLL";

bool atls_store_bundle_looks(atls_buf bytes)
{
    return bytes.len >= MAGIC_LEN && memcmp(bytes.ptr, magic, MAGIC_LEN) == 0;
}

void atls_store_bundle_write_head(atls_writer *w, int64_t made_s, uint32_t n)
{
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)magic, MAGIC_LEN});
    atls_writer_u16le(w, VERSION);
    atls_writer_u64le(w, made_s < 0 ? 0 : (uint64_t)made_s);
    atls_writer_u32le(w, n);
}

void atls_store_bundle_write_item(atls_writer *w, const atls_item *item)
{
    atls_writer_u32le(w, (uint32_t)atls_item_encoded_len(item));
    atls_item_encode(item, w);
}

static atls_code write_signature(atls_writer *w, const atls_file_key *key, atls_err *err)
{
    uint8_t sha256[32];
    uint8_t signature[ATLS_FILE_SIGNATURE_MAX];
    size_t len = 0;
    ATLS_TRY(atls_file_key_sha256(key, sha256, err));
    atls_writer_u8(w, (uint8_t)atls_file_key_scheme(key));
    atls_writer_bytes(w, (atls_buf){sha256, sizeof sha256});
    ATLS_TRY(atls_file_sign(key, (atls_buf){w->ptr, w->len}, signature, &len, err));
    atls_writer_u16le(w, (uint16_t)len);
    atls_writer_bytes(w, (atls_buf){signature, len});
    return ATLS_OK;
}

atls_code atls_store_bundle_write_tail(atls_writer *w, const atls_file_key *key, atls_err *err)
{
    uint8_t sha256[32];
    if (key != NULL) {
        ATLS_TRY(write_signature(w, key, err));
    } else {
        atls_writer_u8(w, ATLS_FILE_UNSIGNED);
    }
    const atls_buf all = {w->ptr, w->len};
    ATLS_TRY(atls_digest(ATLS_SHA256, &all, 1, sha256, err));
    atls_writer_bytes(w, (atls_buf){sha256, sizeof sha256});
    return w->failed ? ATLS_ERR(err, ATLS_E_SYSTEM, "store.bundle.size", "no room for the bundle")
                     : ATLS_OK;
}

atls_code atls_store_bundle_next(atls_reader *items, const char *before, atls_item *out,
                                 atls_err *err)
{
    const atls_buf bytes = atls_reader_view(items, atls_reader_u32le(items));
    if (!atls_reader_ok(items)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.bundle.form", "an item of the bundle is cut");
    }
    ATLS_TRY(atls_item_decode(bytes, out, err));
    if (strcmp(before, out->key) >= 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.bundle.form",
                        "the items of a bundle are not in the order of their keys, each once");
    }
    return ATLS_OK;
}
