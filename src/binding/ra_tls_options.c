#include "binding/ra_tls_options.h"

#include <string.h>

#include "base/err.h"
#include "base/hex.h"

#define VALIDITY_DEFAULT 86400
#define VALIDITY_MIN     60
#define VALIDITY_MAX     31536000
#define NAME_MAX_LEN     64

static atls_code wrong(const char *name, const char *wanted, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "ra_tls.option", "option %s: %s", name, wanted);
}

static bool read_yes(const char *text, bool *out)
{
    *out = strcmp(text, "yes") == 0;
    return *out || strcmp(text, "no") == 0;
}

static bool read_seconds(const char *text, int64_t *out)
{
    int64_t n = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 8) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        n = n * 10 + (text[i] - '0');
    }
    *out = n;
    return n >= VALIDITY_MIN && n <= VALIDITY_MAX;
}

static bool read_hash(const char *text, atls_ra_tls_hash *out)
{
    *out = strcmp(text, "sha256") == 0   ? ATLS_RA_TLS_SHA256
           : strcmp(text, "sha384") == 0 ? ATLS_RA_TLS_SHA384
                                         : ATLS_RA_TLS_ANY_HASH;
    return *out != ATLS_RA_TLS_ANY_HASH || strcmp(text, "any") == 0;
}

/* NAME=HEX,NAME=HEX */
static bool read_claims(const char *text, atls_ra_tls_options *out)
{
    size_t used = 0;
    while (*text != '\0') {
        const char *equals = strchr(text, '=');
        const size_t name_len = equals != NULL ? (size_t)(equals - text) : 0;
        if (out->claims_n == ATLS_RA_TLS_CLAIMS_MAX || name_len == 0 || name_len > NAME_MAX_LEN ||
            memchr(text, ',', name_len) != NULL) {
            return false;
        }
        const size_t hex_len = strcspn(equals + 1, ",");
        size_t len = 0;
        if (!atls_hex_decode(equals + 1, hex_len, out->space + used, sizeof out->space - used,
                             &len)) {
            return false;
        }
        out->claims[out->claims_n++] =
            (atls_tcg_claim){{(const uint8_t *)text, name_len}, {out->space + used, len}};
        used += len;
        text = equals + 1 + hex_len;
        if (*text == ',' && *++text == '\0') {
            return false;
        }
    }
    return true;
}

atls_code atls_ra_tls_options_read(const atls_binding_option *options, size_t options_n,
                                   atls_ra_tls_options *out, atls_err *err)
{
    const char *nonce = atls_binding_option_of(options, options_n, "nonce", NULL);
    const char *validity = atls_binding_option_of(options, options_n, "validity", NULL);
    memset(out, 0, sizeof *out);
    out->validity_s = VALIDITY_DEFAULT;
    if (!read_hash(atls_binding_option_of(options, options_n, "hash", "any"), &out->hash)) {
        return wrong("hash", "sha256, sha384 or any", err);
    }
    out->has_nonce = nonce != NULL;
    if (nonce != NULL &&
        (!atls_hex_decode(nonce, strlen(nonce), out->nonce, sizeof out->nonce, &out->nonce_len) ||
         out->nonce_len == 0)) {
        return wrong("nonce", "1 to 64 bytes in hex", err);
    }
    if (validity != NULL && !read_seconds(validity, &out->validity_s)) {
        return wrong("validity", "60 to 31536000 seconds", err);
    }
    if (!read_yes(atls_binding_option_of(options, options_n, "endorsements", "no"),
                  &out->endorsements)) {
        return wrong("endorsements", "yes or no", err);
    }
    if (!read_yes(atls_binding_option_of(options, options_n, "old_tag", "no"), &out->old_tag)) {
        return wrong("old_tag", "yes or no", err);
    }
    if (!read_claims(atls_binding_option_of(options, options_n, "claims", ""), out)) {
        return wrong("claims", "NAME=HEX, at most 8 of them, commas between", err);
    }
    return ATLS_OK;
}
