#include "evidence/tpm/hcl_runtime.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "evidence/tpm/hcl.h"

#define NUMBER_MAX 512 /* bytes of a modulus */

static void free_runtime(atls_kept *self)
{
    atls_hcl_runtime *r = (atls_hcl_runtime *)self;
    atls_public_key_free(r->ak);
    free(r);
}

static atls_code bad_ak(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.ak", "%s", what);
}

/* Base64 in the alphabet of JOSE, without padding (RFC 7515, 2). */
static bool read_number(const json_t *text, uint8_t *out, size_t *len)
{
    uint8_t usual[NUMBER_MAX * 4 / 3 + 8];
    const char *from = json_string_value(text);
    size_t n = from != NULL ? json_string_length(text) : 0;
    if (n == 0 || n > sizeof usual - 4) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (from[i] == '+' || from[i] == '/' || from[i] == '=') {
            return false;
        }
        usual[i] = (uint8_t)(from[i] == '-' ? '+' : from[i] == '_' ? '/' : from[i]);
    }
    while (n % 4 != 0) {
        usual[n++] = '=';
    }
    return atls_base64_decode((atls_buf){usual, n}, out, NUMBER_MAX, len);
}

static atls_code read_jwk(const json_t *jwk, atls_public_key **out, atls_err *err)
{
    uint8_t n[NUMBER_MAX], e[NUMBER_MAX];
    size_t n_len = 0, e_len = 0;
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    if (kty == NULL || strcmp(kty, "RSA") != 0 ||
        !read_number(json_object_get(jwk, "n"), n, &n_len) ||
        !read_number(json_object_get(jwk, "e"), e, &e_len)) {
        return bad_ak("HCLAkPub is no RSA key with n and e", err);
    }
    const atls_code rc = atls_public_key_rsa((atls_buf){n, n_len}, (atls_buf){e, e_len}, out, NULL);
    return rc == ATLS_E_SYSTEM ? ATLS_ERR_NOMEM(err)
           : rc != ATLS_OK     ? bad_ak("HCLAkPub is an RSA key that cannot be used", err)
                               : ATLS_OK;
}

/* By kid alone: old reports give the key other operations than it has. */
static atls_code read_ak(const json_t *root, atls_public_key **out, atls_err *err)
{
    const json_t *keys = json_object_get(root, "keys");
    const json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *jwk = json_array_get(keys, i);
        const char *kid = json_string_value(json_object_get(jwk, "kid"));
        if (kid != NULL && strcmp(kid, ATLS_HCL_AK) == 0) {
            if (found != NULL) {
                return bad_ak("the runtime data have two keys HCLAkPub", err);
            }
            found = jwk;
        }
    }
    return found != NULL ? read_jwk(found, out, err)
                         : bad_ak("the runtime data have no key HCLAkPub", err);
}

static atls_code read_vm_id(const json_t *root, char out[40], atls_err *err)
{
    const json_t *id = json_object_get(json_object_get(root, "vm-configuration"), "vmUniqueId");
    const char *text = json_string_value(id);
    if (id == NULL) {
        return ATLS_OK;
    }
    if (text == NULL || json_string_length(id) >= 40) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.hcl.vm_id", "a vmUniqueId that is no short text");
    }
    memcpy(out, text, json_string_length(id) + 1);
    return ATLS_OK;
}

/* What is not 64 bytes in hex is none: only who wants it asks for it. */
static void read_user_data(const json_t *root, atls_hcl_runtime *r)
{
    const json_t *data = json_object_get(root, "user-data");
    size_t len = 0;
    r->has_user_data = json_string_length(data) == 2 * sizeof r->user_data &&
                       atls_hex_decode(json_string_value(data), json_string_length(data),
                                       r->user_data, sizeof r->user_data, &len);
}

static atls_code decode(atls_buf json, atls_hcl_runtime *r, atls_err *err)
{
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(json, ATLS_HCL_MAX_LEN, "tpm.hcl.json", &root, err));
    atls_code rc = read_ak(root, &r->ak, err);
    rc = rc == ATLS_OK ? read_vm_id(root, r->vm_id, err) : rc;
    read_user_data(root, r);
    json_decref(root);
    return rc;
}

atls_code atls_hcl_runtime_get(atls_kept_cache *cache, atls_buf json, atls_hcl_runtime **out,
                               atls_err *err)
{
    static const char label[] = "azure runtime data";
    const atls_buf pieces[] = {{(const uint8_t *)label, sizeof label}, json};
    uint8_t key[32];
    ATLS_TRY(atls_digest(ATLS_SHA256, pieces, 2, key, err));
    atls_hcl_runtime *r = atls_kept_cache_get(cache, key);
    if (r == NULL) {
        r = calloc(1, sizeof *r);
        if (r == NULL) {
            return ATLS_ERR_NOMEM(err);
        }
        atls_kept_init(&r->kept, free_runtime);
        const atls_code rc = decode(json, r, err);
        if (rc != ATLS_OK) {
            atls_kept_free(r);
            return rc;
        }
        atls_kept_cache_put(cache, key, r);
    }
    *out = r;
    return ATLS_OK;
}
