#include "codec/base64.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The length of what stands there, or false. EVP_DecodeBlock trims white space, and takes spare bits that
 * are set and '=' that stands inside: RFC 4648, sections 3.3 to 3.5, so everything is looked at first. */
static bool decoded_len(atls_buf text, size_t *len, size_t *padding)
{
    if (text.len % 4 != 0 || text.len > INT_MAX) {
        return false;
    }
    size_t digits = text.len;
    while (digits > 0 && text.len - digits < 2 && text.ptr[digits - 1] == '=') {
        digits--;
    }
    for (size_t i = 0; i < digits; i++) {
        if (sextet(text.ptr[i]) < 0) {
            return false;
        }
    }
    *padding = text.len - digits;
    static const int spare[] = {1, 4, 16};
    if (digits > 0 && sextet(text.ptr[digits - 1]) % spare[*padding] != 0) {
        return false;
    }
    *len = text.len / 4 * 3 - *padding;
    return true;
}

bool atls_base64_decode(atls_buf text, uint8_t *out, size_t cap, size_t *out_len)
{
    size_t len;
    size_t padding;
    if (!decoded_len(text, &len, &padding) || len > cap) {
        return false;
    }
    /* EVP_DecodeBlock writes whole groups, padding as zero bytes: the last group goes through a block of
     * its own, so that nothing is written behind out[len). */
    size_t whole = padding > 0 ? text.len - 4 : text.len;
    if (whole > 0 && EVP_DecodeBlock(out, text.ptr, (int)whole) != (int)(whole / 4 * 3)) {
        return false;
    }
    if (padding > 0) {
        uint8_t last[3];
        if (EVP_DecodeBlock(last, text.ptr + whole, 4) != 3) {
            return false;
        }
        memcpy(out + whole / 4 * 3, last, 3 - padding);
        OPENSSL_cleanse(last, sizeof last);
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
