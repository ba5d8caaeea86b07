/* Floors that are taken encode to the bytes they came from. As a hash guards the text, the bytes are also read as all
 * before a right hash. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/digest.h"
#include "trust/floors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const uint8_t *text, size_t len)
{
    atls_floors *f = NULL;
    atls_err err = {0};
    if (atls_floors_decode((atls_buf){text, len}, &f, &err) != ATLS_OK) {
        assert(f == NULL && err.code == ATLS_E_INVALID && strcmp(err.check, "floors.form") == 0);
        return;
    }
    char *again = NULL;
    size_t again_len = 0;
    bool changed = true;
    atls_floors *copy = atls_floors_copy(f);
    atls_code rc = atls_floors_encode(f, &again, &again_len, &err);
    assert(rc == ATLS_OK && again_len == len && memcmp(again, text, len) == 0);
    rc = atls_floors_merge(copy, f, &changed, &err);
    assert(rc == ATLS_OK && !changed);
    free(again);
    atls_floors_free(copy);
    atls_floors_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf piece = {data, size};
    uint8_t digest[32];
    char hex[65];
    char last[80];
    judge(data, size);
    uint8_t *hashed = malloc(size + sizeof last);
    if (hashed != NULL && atls_digest(ATLS_SHA256, &piece, 1, digest, NULL) == ATLS_OK) {
        atls_hex_encode((atls_buf){digest, sizeof digest}, hex);
        const int len = snprintf(last, sizeof last, "sha256 %s\n", hex);
        if (size > 0) {
            memcpy(hashed, data, size);
        }
        memcpy(hashed + size, last, (size_t)len);
        judge(hashed, size + (size_t)len);
    }
    free(hashed);
    return 0;
}
