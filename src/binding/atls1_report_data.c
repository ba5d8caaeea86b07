/* What an attester of atls/1 has signed: the connection, its key and its role in 64 bytes; and the context of a
 * request, which keeps rounds and roles apart. */
#include "binding/atls1.h"

#include <string.h>

#include "base/err.h"
#include "base/writer.h"

void atls1_context(uint8_t requester, uint32_t round, const uint8_t random[27],
                   uint8_t out[ATLS1_CONTEXT_LEN])
{
    atls_writer w = atls_writer_of(out, ATLS1_CONTEXT_LEN);
    atls_writer_u8(&w, requester);
    atls_writer_u32be(&w, round);
    atls_writer_bytes(&w, (atls_buf){random, 27});
}

/* A binder is a hash of the cipher suite: fixed lengths, so that no two inputs hash the same bytes. */
static atls_code check_input(uint8_t attester_role, atls_buf binder, atls_err *err)
{
    if (attester_role > 1 || (binder.len != 32 && binder.len != 48)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "report_data.input",
                        "role %u and a binder of %zu bytes, where 0 or 1 and 32 or 48 are wanted",
                        (unsigned)attester_role, binder.len);
    }
    return ATLS_OK;
}

static atls_code report_data(atls_hash hash, uint8_t attester_role, atls_buf binder, uint8_t *out,
                             atls_err *err)
{
    static const uint8_t label[] = "atls/1 report data"; /* its NUL is part of the input */
    ATLS_TRY(check_input(attester_role, binder, err));
    const atls_buf pieces[] = {{label, sizeof label}, {&attester_role, 1}, binder};
    return atls_digest(hash, pieces, 3, out, err);
}

atls_code atls1_report_data(uint8_t attester_role, atls_buf binder, uint8_t out[64], atls_err *err)
{
    return report_data(ATLS_SHA512, attester_role, binder, out, err);
}

atls_code atls1_short_data(uint8_t attester_role, atls_buf binder, uint8_t out[32], atls_err *err)
{
    return report_data(ATLS_SHA256, attester_role, binder, out, err);
}

atls_code atls1_leaf(uint8_t attester_role, atls_buf binder, uint8_t out[32], atls_err *err)
{
    ATLS_TRY(check_input(attester_role, binder, err));
    const uint8_t head[] = {0x00, attester_role};
    const atls_buf pieces[] = {{head, sizeof head}, binder};
    return atls_digest(ATLS_SHA256, pieces, 2, out, err);
}

static atls_code batch_data(atls_hash hash, uint32_t size, const uint8_t root[32], uint8_t *out,
                            atls_err *err)
{
    static const uint8_t label[] = "atls/1 batch"; /* its NUL is part of the input */
    if (size == 0 || size > ATLS1_BATCH_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "batch.size",
                        "a batch of %lu, where 1 to %d are allowed", (unsigned long)size,
                        ATLS1_BATCH_MAX);
    }
    uint8_t number[4];
    atls_writer w = atls_writer_of(number, sizeof number);
    atls_writer_u32be(&w, size);
    const atls_buf pieces[] = {{label, sizeof label}, atls_writer_done(&w), {root, 32}};
    return atls_digest(hash, pieces, 3, out, err);
}

atls_code atls1_batch_report_data(uint32_t size, const uint8_t root[32], uint8_t out[64],
                                  atls_err *err)
{
    return batch_data(ATLS_SHA512, size, root, out, err);
}

atls_code atls1_batch_short_data(uint32_t size, const uint8_t root[32], uint8_t out[32],
                                 atls_err *err)
{
    return batch_data(ATLS_SHA256, size, root, out, err);
}
