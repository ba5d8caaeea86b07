/* An authenticator request that is taken fills its bytes exactly: cut, or with one byte more, it is none; and its fields
 * stand in it where they are said to. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/authenticator.h"
#include "crypto/tls_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(atls_buf raw, atls_ea_sender side)
{
    atls_ea_request q, again;
    atls_err err = {0};
    memset(&q, 0, sizeof q);
    memset(&again, 0, sizeof again);
    if (atls_ea_request_parse(raw, side, ATLS_EA_CMW_TYPE, &q, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
        return;
    }
    assert(raw.len <= ATLS_EA_REQUEST_MAX && q.raw.ptr == raw.ptr && q.raw.len == raw.len);
    assert(raw.ptr[0] == (side == ATLS_EA_SERVER ? 17 : 13) && q.answered_by == side);
    assert(q.context.ptr == raw.ptr + 5 && q.context.len == raw.ptr[4] && q.context.len >= 16);
    assert(q.schemes_n > 0 && q.schemes_n <= ATLS_EA_SCHEMES_MAX);
    for (size_t i = 0; i < q.schemes_n; i++) {
        assert(atls_tls_scheme_known(q.schemes[i]));
    }
    atls_code rc = atls_ea_request_parse(raw, side, ATLS_EA_CMW_TYPE, &again, &err);
    assert(rc == ATLS_OK && again.schemes_n == q.schemes_n && again.wants_cmw == q.wants_cmw);
    atls_buf other = {raw.ptr, raw.len - 1};
    rc = atls_ea_request_parse(other, side, ATLS_EA_CMW_TYPE, &again, &err);
    assert(rc == ATLS_E_INVALID);
    uint8_t *longer = calloc(1, raw.len + 1);
    assert(longer != NULL);
    memcpy(longer, raw.ptr, raw.len);
    rc = atls_ea_request_parse((atls_buf){longer, raw.len + 1}, side, ATLS_EA_CMW_TYPE, &again,
                               &err);
    assert(rc == ATLS_E_INVALID);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge((atls_buf){data, size}, ATLS_EA_SERVER);
    judge((atls_buf){data, size}, ATLS_EA_CLIENT);
    return 0;
}
