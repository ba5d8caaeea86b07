#include "base/hex.h"

void atls_hex_encode(atls_buf bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.ptr[i] / 16u];
        out[2 * i + 1] = digits[bytes.ptr[i] % 16u];
    }
    out[2 * bytes.len] = '\0';
}

void atls_hex_write(atls_writer *w, atls_buf bytes)
{
    char piece[2 * 64 + 1];
    for (size_t at = 0; at < bytes.len; at += 64) {
        const size_t n = bytes.len - at < 64 ? bytes.len - at : 64;
        atls_hex_encode((atls_buf){bytes.ptr + at, n}, piece);
        atls_writer_bytes(w, (atls_buf){(const uint8_t *)piece, 2 * n});
    }
}

#define NO_DIGIT 16u

/* From '0' to 'f'. */
static const uint8_t digit_values['f' - '0' + 1] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  16, 16, 16, 16, 16, 16, 16, 10, 11,
    12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 10, 11, 12, 13, 14, 15};

static inline unsigned digit_value(char c)
{
    const unsigned place =
        (unsigned)(uint8_t)c - '0'; /* what stands before '0' is far behind the table */
    return place < sizeof digit_values ? digit_values[place] : NO_DIGIT;
}

bool atls_hex_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
    if (len % 2 != 0 || len / 2 > cap) {
        return false;
    }
    for (size_t i = 0; i < len / 2; i++) {
        const unsigned high = digit_value(text[2 * i]);
        const unsigned low = digit_value(text[2 * i + 1]);
        if ((high | low) >= NO_DIGIT) {
            return false;
        }
        out[i] = (uint8_t)(high * 16u + low);
    }
    *out_len = len / 2;
    return true;
}
