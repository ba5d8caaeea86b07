#include "store/index_entry.h"

#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "crypto/digest.h"

/* "sha256 ", 64 digits, a newline */
#define LAST_WORD     "sha256 "
#define LAST_WORD_LEN 7
#define LAST_LINE_LEN (LAST_WORD_LEN + 64 + 1)
#define PLAIN_MAX     200 /* characters of a key that stands in its file's name as it is */

static atls_code last_line(atls_buf lines, char out[LAST_LINE_LEN + 1], atls_err *err)
{
    uint8_t sha256[32];
    ATLS_TRY(atls_digest(ATLS_SHA256, &lines, 1, sha256, err));
    memcpy(out, LAST_WORD, LAST_WORD_LEN);
    atls_hex_encode((atls_buf){sha256, sizeof sha256}, out + LAST_WORD_LEN);
    memcpy(out + LAST_LINE_LEN - 1, "\n", 2);
    return ATLS_OK;
}

atls_code atls_index_entry_read(atls_buf text, atls_index_entry *out, atls_err *err)
{
    if (text.len < LAST_LINE_LEN || text.len > ATLS_INDEX_ENTRY_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.index",
                        "an entry of the index has %zu bytes: %d to %d are possible", text.len,
                        LAST_LINE_LEN, ATLS_INDEX_ENTRY_MAX);
    }
    atls_reader r = atls_reader_of(text);
    const atls_buf lines = atls_reader_view(&r, text.len - LAST_LINE_LEN);
    const atls_buf last = atls_reader_rest(&r);
    char wanted[LAST_LINE_LEN + 1];
    ATLS_TRY(last_line(lines, wanted, err));
    if (memcmp(last.ptr, wanted, LAST_LINE_LEN) != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "store.index",
                        "an entry of the index does not fit its own checksum: it is damaged");
    }
    return atls_index_lines_read(lines, out, err);
}

atls_code atls_index_entry_write(const atls_index_entry *entry, atls_writer *w, atls_err *err)
{
    const size_t from = w->len;
    atls_index_lines_write(entry, w);
    if (w->failed) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "store.write", "no room for an entry of the index");
    }
    char last[LAST_LINE_LEN + 1];
    ATLS_TRY(last_line((atls_buf){w->ptr + from, w->len - from}, last, err));
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)last, LAST_LINE_LEN});
    return w->failed
               ? ATLS_ERR(err, ATLS_E_SYSTEM, "store.write", "no room for an entry of the index")
               : ATLS_OK;
}

atls_code atls_index_name(const char *key, char out[ATLS_INDEX_NAME_LEN], atls_err *err)
{
    const size_t len = strlen(key);
    if (len > PLAIN_MAX) {
        const atls_buf text = {(const uint8_t *)key, len};
        uint8_t sha256[32];
        ATLS_TRY(atls_digest(ATLS_SHA256, &text, 1, sha256, err));
        out[0] = '+';
        atls_hex_encode((atls_buf){sha256, sizeof sha256}, out + 1);
        return ATLS_OK;
    }
    for (size_t i = 0; i <= len; i++) {
        out[i] = key[i] == '/' ? '+' : key[i];
    }
    return ATLS_OK;
}
