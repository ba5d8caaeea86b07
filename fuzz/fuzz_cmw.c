/* Wrappers: a refusal has a check id; a record that is taken, made again, is read as the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/cmw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void made_again(const atls_cmw *c)
{
    char type[257];
    uint8_t *again = NULL;
    size_t len = 0;
    atls_cmw second;
    assert(c->media_type.len < sizeof type);
    memcpy(type, c->media_type.ptr, c->media_type.len);
    type[c->media_type.len] = '\0';
    atls_code rc = atls_cmw_make(type, c->value, c->ind, &again, &len, NULL);
    assert(rc == ATLS_OK);
    if (len <= ATLS_CMW_MAX_LEN) {
        assert(atls_cmw_parse((atls_buf){again, len}, NULL, &second, NULL) == ATLS_OK);
        assert(second.form == ATLS_CMW_RECORD && same(second.media_type, c->media_type) &&
               same(second.value, c->value) && second.ind == c->ind);
    }
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *space = malloc(size > 0 ? size : 1); /* exactly as much as promised */
    atls_cmw c;
    atls_err err = {0};
    const atls_code rc = atls_cmw_parse((atls_buf){data, size}, space, &c, &err);
    if (rc != ATLS_OK) {
        assert(rc == ATLS_E_INVALID && strncmp(err.check, "cmw.", 4) == 0 && err.msg[0] != '\0');
    } else {
        assert(c.content_format <= 65535 && (c.media_type.len == 0 || c.content_format == 0));
        assert(c.value.len < size);
        if (c.media_type.len > 0) {
            made_again(&c);
        }
    }
    free(space);
    return 0;
}
