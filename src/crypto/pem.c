#include "crypto/pem.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>

#define LINE_BYTES 48u /* 64 characters */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void drop(atls_buf *text, size_t n)
{
    text->ptr += n;
    text->len -= n;
}

static void drop_space(atls_buf *text)
{
    while (text->len > 0 && is_space(text->ptr[0])) {
        drop(text, 1);
    }
}

static bool drop_word(atls_buf *text, const char *word)
{
    size_t len = strlen(word);
    if (text->len < len || memcmp(text->ptr, word, len) != 0) {
        return false;
    }
    drop(text, len);
    return true;
}

bool atls_pem_looks(atls_buf text)
{
    drop_space(&text);
    return drop_word(&text, "-----BEGIN ");
}

bool atls_pem_next(atls_buf *text, const char *label, uint8_t *buf, size_t cap, size_t *used,
                   atls_buf *der)
{
    atls_buf t = *text;
    drop_space(&t);
    if (!drop_word(&t, "-----BEGIN ") || !drop_word(&t, label) || !drop_word(&t, "-----")) {
        return false;
    }
    /* The base64 digits are gathered in place of the DER, which is shorter, and decoded there. */
    uint8_t *out = buf + *used;
    size_t room = cap - *used;
    size_t n = 0;
    while (t.len > 0 && t.ptr[0] != '-') {
        if (!is_space(t.ptr[0])) {
            if (n == room) {
                return false;
            }
            out[n++] = t.ptr[0];
        }
        drop(&t, 1);
    }
    if (!drop_word(&t, "-----END ") || !drop_word(&t, label) || !drop_word(&t, "-----") || n == 0 ||
        n % 4 != 0 || n > INT_MAX) {
        return false;
    }
    size_t pad = (out[n - 1] == '=' ? 1u : 0u) + (out[n - 2] == '=' ? 1u : 0u);
    bool stray = out[n - 2] == '=' && out[n - 1] != '=';
    if (stray || memchr(out, '=', n - pad) != NULL ||
        EVP_DecodeBlock(out, out, (int)n) != (int)(n / 4 * 3)) {
        return false;
    }
    *der = (atls_buf){out, n / 4 * 3 - pad};
    *used += der->len;
    drop_space(&t);
    if (t.len == 1 && t.ptr[0] == '\0') {
        drop(&t, 1);
    }
    *text = t;
    return true;
}

static void put(atls_writer *w, const char *text)
{
    atls_writer_bytes(w, (atls_buf){(const uint8_t *)text, strlen(text)});
}

void atls_pem_write(atls_writer *w, const char *label, atls_buf der)
{
    put(w, "-----BEGIN ");
    put(w, label);
    put(w, "-----\n");
    for (size_t at = 0; at < der.len; at += LINE_BYTES) {
        unsigned char line[LINE_BYTES / 3 * 4 + 1];
        const size_t n = der.len - at < LINE_BYTES ? der.len - at : LINE_BYTES;
        const int len = EVP_EncodeBlock(line, der.ptr + at, (int)n);
        atls_writer_bytes(w, (atls_buf){line, (size_t)len});
        put(w, "\n");
    }
    put(w, "-----END ");
    put(w, label);
    put(w, "-----\n");
}
