/* An authenticator that is taken can be written again from what was read, as the same bytes; and it verifies twice
 * alike. The request and the keys are those of docs/atls-1.md, where the seeds come from too. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "binding/authenticator.h"

#include "../tests/unit/fixed_exporter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const atls_ea *ea, atls_buf context, atls_writer *w)
{
    size_t list = ea->cmw.len > 0 ? 6 + ea->cmw.len : 0;
    for (size_t i = 0; i < ea->chain_n; i++) {
        list += 3 + ea->chain[i].len + 2;
    }
    atls_writer_u8(w, 11);
    atls_writer_u24be(w, (uint32_t)(1 + context.len + 3 + list));
    atls_writer_u8(w, (uint8_t)context.len);
    atls_writer_bytes(w, context);
    atls_writer_u24be(w, (uint32_t)list);
    for (size_t i = 0; i < ea->chain_n; i++) {
        bool with_cmw = i == 0 && ea->cmw.len > 0;
        atls_writer_u24be(w, (uint32_t)ea->chain[i].len);
        atls_writer_bytes(w, ea->chain[i]);
        atls_writer_u16be(w, (uint16_t)(with_cmw ? 6 + ea->cmw.len : 0));
        if (with_cmw) {
            atls_writer_u16be(w, ATLS_EA_CMW_TYPE);
            atls_writer_u16be(w, (uint16_t)(2 + ea->cmw.len));
            atls_writer_u16be(w, (uint16_t)ea->cmw.len);
            atls_writer_bytes(w, ea->cmw);
        }
    }
    atls_writer_u8(w, 15);
    atls_writer_u24be(w, (uint32_t)(4 + ea->signature.len));
    atls_writer_u16be(w, ea->scheme);
    atls_writer_u16be(w, (uint16_t)ea->signature.len);
    atls_writer_bytes(w, ea->signature);
}

static void verify_twice(const atls_ea_request *request, const atls_ea *ea)
{
    fixed_exporter fixed;
    atls_exporter exporter = fixed_exporter_of(&fixed, ATLS_SHA384, 0);
    atls_ea_keys keys;
    atls_err err = {0}, again = {0};
    atls_code rc = atls_ea_keys_derive(&exporter, &keys, &err);
    assert(rc == ATLS_OK);
    rc = atls_ea_verify(&keys, request, ea, &err);
    atls_code second = atls_ea_verify(&keys, request, ea, &again);
    assert(rc == second && (rc == ATLS_OK || (rc == ATLS_E_BINDING && err.check == again.check)));
    keys.finished_key[ATLS_EA_SERVER][0] ^= 1; /* of another connection */
    second = atls_ea_verify(&keys, request, ea, &again);
    assert(second == ATLS_E_BINDING && strcmp(again.check, "authenticator.finished") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t context[32] = {0}, space[128];
    for (size_t i = 5; i < sizeof context; i++) {
        context[i] = (uint8_t)(0xa0 + i - 5);
    }
    atls_buf raw;
    atls_ea_request request;
    atls_err err = {0};
    atls_code rc = atls_ea_request_build(ATLS_EA_SERVER, (atls_buf){context, sizeof context}, true,
                                         ATLS_EA_CMW_TYPE, space, sizeof space, &raw, &err);
    assert(rc == ATLS_OK);
    rc = atls_ea_request_parse(raw, ATLS_EA_SERVER, ATLS_EA_CMW_TYPE, &request, &err);
    assert(rc == ATLS_OK);
    atls_ea ea;
    if (atls_ea_parse((atls_buf){data, size}, &request, ATLS_EA_CMW_TYPE, &ea, &err) != ATLS_OK) {
        assert(err.check != NULL && err.msg[0] != '\0');
        assert(err.code ==
               (strcmp(err.check, "authenticator.context") == 0 ? ATLS_E_BINDING : ATLS_E_INVALID));
        return 0;
    }
    if (!ea.empty) {
        uint8_t *again = malloc(size);
        assert(again != NULL);
        atls_writer w = atls_writer_of(again, size);
        write_again(&ea, request.context, &w);
        atls_writer_bytes(&w, ea.finished);
        assert(atls_writer_done(&w).len == size && memcmp(again, data, size) == 0);
        assert(ea.spki.ptr > ea.chain[0].ptr &&
               ea.spki.ptr + ea.spki.len < ea.chain[0].ptr + ea.chain[0].len);
        free(again);
    }
    verify_twice(&request, &ea);
    return 0;
}
