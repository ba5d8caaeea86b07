#include "codec/base64url.h"

#include <stdlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 0 to 63; 64 for a character that is none. */
static uint32_t sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a') + 26;
    }
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0') + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : 64;
}

bool atls_base64url_decode(atls_buf text, uint8_t *out, size_t cap, size_t *out_len)
{
    size_t tail = text.len % 4;
    size_t len = text.len / 4 * 3 + (tail == 0 ? 0 : tail - 1);
    if (tail == 1 || len > cap) {
        return false;
    }
    uint32_t bits = 0;
    unsigned have = 0; /* 0, 2, 4 or 6 bits wait in bits */
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t six = sextet(text.ptr[i]);
        if (six > 63) {
            return false;
        }
        bits = bits * 64u + six;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
            bits &= (1u << have) - 1u;
        }
    }
    if (bits != 0) { /* RFC 4648, 3.5: one value, one text */
        return false;
    }
    *out_len = n;
    return true;
}

char *atls_base64url_encode(atls_buf bytes)
{
    if (bytes.len > SIZE_MAX / 2) {
        return NULL;
    }
    char *text = malloc((bytes.len + 2) / 3 * 4 + 1);
    if (text == NULL) {
        return NULL;
    }
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits * 256u + bytes.ptr[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            text[n++] = alphabet[bits >> have];
            bits &= (1u << have) - 1u;
        }
    }
    if (have > 0) {
        text[n++] = alphabet[bits << (6 - have)];
    }
    text[n] = '\0';
    return text;
}
