#include "codec/base64.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define NO_DIGIT 64u

/* From '+' to 'z': RFC 4648, table 1. */
static const uint8_t sextets['z' - '+' + 1] = {
    62, 64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64,
    64, 64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
    18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51};

static inline uint32_t sextet(uint8_t c)
{
    const unsigned place = (unsigned)c - '+'; /* what stands before '+' is far behind the table */
    return place < sizeof sextets ? sextets[place] : NO_DIGIT;
}

/* Four digits; false if one of them is none. */
static inline bool decode_group(const uint8_t text[4], uint8_t out[3])
{
    const uint32_t a = sextet(text[0]);
    const uint32_t b = sextet(text[1]);
    const uint32_t c = sextet(text[2]);
    const uint32_t d = sextet(text[3]);
    out[0] = (uint8_t)(a * 4u + b / 16u);
    out[1] = (uint8_t)(b * 16u + c / 4u);
    out[2] = (uint8_t)(c * 64u + d);
    return (a | b | c | d) < NO_DIGIT;
}

/* The last group, of which 1 or 2 characters are padding. Spare bits have to be zero (RFC 4648, 3.5). */
static bool decode_padded(const uint8_t text[4], size_t padding, uint8_t *out)
{
    uint8_t digits[4] = {text[0], text[1], padding == 2 ? 'A' : text[2], 'A'};
    uint8_t bytes[3];
    const bool good =
        decode_group(digits, bytes) && bytes[2] == 0 && (padding == 1 || bytes[1] == 0);
    memcpy(out, bytes, 3 - padding);
    OPENSSL_cleanse(digits, sizeof digits);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return good;
}

static size_t padding_of(atls_buf text)
{
    if (text.len == 0 || text.ptr[text.len - 1] != '=') {
        return 0;
    }
    return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

bool atls_base64_decode(atls_buf text, uint8_t *out, size_t cap, size_t *out_len)
{
    if (text.len % 4 != 0 || text.len > INT_MAX) {
        return false;
    }
    const size_t padding = padding_of(text);
    const size_t len = text.len / 4 * 3 - padding;
    const size_t whole = text.len / 4 - (padding > 0 ? 1 : 0);
    if (len > cap) {
        return false;
    }
    for (size_t i = 0; i < whole; i++) {
        if (!decode_group(text.ptr + 4 * i, out + 3 * i)) {
            return false;
        }
    }
    if (padding > 0 && !decode_padded(text.ptr + 4 * whole, padding, out + 3 * whole)) {
        return false;
    }
    *out_len = len;
    return true;
}

char *atls_base64_encode(atls_buf bytes)
{
    if (bytes.len > INT_MAX / 4 * 3 - 3) {
        return NULL;
    }
    size_t len = (bytes.len + 2) / 3 * 4;
    char *text = malloc(len + 1);
    if (text == NULL) {
        return NULL;
    }
    text[0] = '\0';
    if (bytes.len > 0) {
        (void)EVP_EncodeBlock((unsigned char *)text, bytes.ptr, (int)bytes.len);
    }
    return text;
}

void atls_base64_write(atls_writer *w, atls_buf bytes)
{
    enum { PIECE = 768 }; /* whole groups of three */
    unsigned char text[PIECE / 3 * 4 + 1];
    while (bytes.len > 0 && atls_writer_ok(w)) {
        const size_t n = bytes.len < PIECE ? bytes.len : PIECE;
        const int len = EVP_EncodeBlock(text, bytes.ptr, (int)n);
        atls_writer_bytes(w, (atls_buf){text, (size_t)len});
        bytes = (atls_buf){bytes.ptr + n, bytes.len - n};
    }
    OPENSSL_cleanse(text, sizeof text);
}
