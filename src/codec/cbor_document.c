#include "codec/cbor_document.h"

#include <string.h>

#include "base/err.h"

/* A map, array or tag whose items are being read. */
typedef struct level {
    bool is_map;
    bool wants_value; /* map: the key has been read */
    uint64_t left;    /* items; of a map: pairs */
    size_t keys_n;
    struct {
        atls_cbor_kind kind;
        uint64_t value;
        atls_buf bytes;
    } keys[ATLS_CBOR_PAIRS_MAX];
} level;

typedef struct walk {
    level levels[ATLS_CBOR_DEPTH_MAX];
    size_t depth;
} walk;

/* The bytes of one character: 0 when it is none. RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
static size_t utf8_length(atls_buf text)
{
    static const struct {
        uint8_t from, to, second_from, second_to, len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const size_t len = forms[i].len;
        if (text.ptr[0] < forms[i].from || text.ptr[0] > forms[i].to) {
            continue;
        }
        if (len > text.len ||
            (len > 1 && (text.ptr[1] < forms[i].second_from || text.ptr[1] > forms[i].second_to))) {
            return 0;
        }
        for (size_t k = 2; k < len; k++) {
            if (text.ptr[k] < 0x80 || text.ptr[k] > 0xbf) {
                return 0;
            }
        }
        return len;
    }
    return 0;
}

bool atls_utf8_valid(atls_buf text)
{
    while (text.len > 0) {
        const size_t len = utf8_length(text);
        if (len == 0) {
            return false;
        }
        text = (atls_buf){text.ptr + len, text.len - len};
    }
    return true;
}

bool atls_cbor_is_text(const atls_cbor_item *item, const char *text)
{
    return item->kind == ATLS_CBOR_TEXT && item->bytes.len == strlen(text) &&
           memcmp(item->bytes.ptr, text, item->bytes.len) == 0;
}

bool atls_cbor_skip(atls_reader *r, atls_buf *encoded)
{
    const uint8_t *from = r->ptr;
    const size_t had = r->left;
    for (uint64_t wanted = 1; wanted > 0; wanted--) {
        atls_cbor_item item;
        if (!atls_cbor_any(r, &item)) {
            return false;
        }
        const bool nests = item.kind == ATLS_CBOR_ARRAY || item.kind == ATLS_CBOR_MAP;
        if (nests && item.value > r->left) { /* each needs a byte */
            atls_reader_fail(r);
            return false;
        }
        wanted += item.kind == ATLS_CBOR_MAP     ? 2 * item.value
                  : item.kind == ATLS_CBOR_ARRAY ? item.value
                  : item.kind == ATLS_CBOR_TAG   ? 1
                                                 : 0;
    }
    *encoded = (atls_buf){from, had - r->left};
    return true;
}

/* NULL, or what is wrong with the key. */
static const char *take_key(level *l, const atls_cbor_item *key)
{
    if (key->kind != ATLS_CBOR_UINT && key->kind != ATLS_CBOR_NEGATIVE &&
        key->kind != ATLS_CBOR_TEXT && key->kind != ATLS_CBOR_BYTES) {
        return "a map key that is neither integer, text nor bytes";
    }
    for (size_t i = 0; i < l->keys_n; i++) {
        if (l->keys[i].kind == key->kind && l->keys[i].value == key->value &&
            (key->bytes.len == 0 ||
             memcmp(l->keys[i].bytes.ptr, key->bytes.ptr, key->bytes.len) == 0)) {
            return "a map with the same key twice";
        }
    }
    l->keys[l->keys_n].kind = key->kind;
    l->keys[l->keys_n].value = key->value; /* of strings: their length */
    l->keys[l->keys_n].bytes = key->bytes;
    l->keys_n++;
    l->wants_value = true;
    return NULL;
}

/* An item of the innermost level is complete; and with it, perhaps, the level itself. */
static void complete(walk *w)
{
    while (w->depth > 0) {
        level *l = &w->levels[w->depth - 1];
        l->wants_value = false;
        if (--l->left > 0) {
            return;
        }
        w->depth--;
    }
}

/* NULL, or why the item may not be opened. */
static const char *open_level(walk *w, const atls_cbor_item *item, size_t bytes_left)
{
    const uint64_t count = item->kind == ATLS_CBOR_TAG ? 1 : item->value;
    if (item->kind == ATLS_CBOR_MAP && count > ATLS_CBOR_PAIRS_MAX) {
        return "a map of more than 64 pairs";
    }
    if (count > bytes_left) {
        return "it ends before its last item";
    }
    if (count == 0) {
        complete(w);
        return NULL;
    }
    if (w->depth == ATLS_CBOR_DEPTH_MAX) {
        return "it nests deeper than 8 levels";
    }
    level *l = &w->levels[w->depth++];
    l->is_map = item->kind == ATLS_CBOR_MAP;
    l->wants_value = false;
    l->left = count;
    l->keys_n = 0;
    return NULL;
}

static const char *take(walk *w, const atls_cbor_item *item, size_t bytes_left)
{
    level *in = w->depth > 0 ? &w->levels[w->depth - 1] : NULL;
    if (item->kind == ATLS_CBOR_TEXT && !atls_utf8_valid(item->bytes)) {
        return "text that is not UTF-8";
    }
    if (in != NULL && in->is_map && !in->wants_value) {
        return take_key(in, item);
    }
    if (item->kind == ATLS_CBOR_ARRAY || item->kind == ATLS_CBOR_MAP ||
        item->kind == ATLS_CBOR_TAG) {
        return open_level(w, item, bytes_left);
    }
    complete(w);
    return NULL;
}

atls_code atls_cbor_document_check(atls_buf bytes, const char *check, atls_err *err)
{
    if (bytes.len == 0 || bytes.len > ATLS_CBOR_DOCUMENT_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "%zu bytes of CBOR, where 1 to %d are taken",
                        bytes.len, ATLS_CBOR_DOCUMENT_MAX);
    }
    walk w;
    w.depth = 0;
    atls_reader r = atls_reader_of(bytes);
    do {
        atls_cbor_item item;
        const size_t at = bytes.len - r.left;
        const char *wrong = atls_cbor_any(&r, &item)
                                ? take(&w, &item, r.left)
                                : "not CBOR, cut short, or of indefinite length";
        if (wrong != NULL) {
            return ATLS_ERR(err, ATLS_E_INVALID, check, "CBOR, byte %zu: %s", at, wrong);
        }
    } while (w.depth > 0);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "%zu bytes after the end of the CBOR", r.left);
    }
    return ATLS_OK;
}
