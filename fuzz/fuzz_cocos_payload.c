/* The JSON of Cocos: a refusal has a check id; what is taken, written and read again, says the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/cocos_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_carried c = {0};
    atls_carried d = {0};
    atls_cocos_payload p = {.has_results = false};
    atls_cocos_payload q = {.has_results = false};
    atls_err err = {0};
    const atls_code rc = atls_cocos_payload_parse((atls_buf){data, size}, &c, &p, &err);
    assert(atls_cocos_payload_parse((atls_buf){data, size}, &d, &q, NULL) == rc);
    if (rc != ATLS_OK) {
        assert(strncmp(err.check, "cocos.payload.", 14) == 0 && err.msg[0] != '\0');
        assert(p.evidence.ptr == NULL);
    } else {
        uint8_t *json = NULL;
        size_t len = 0;
        assert(p.evidence.len > 0 && p.binding.len > 0 && p.aik_pub_hash.len > 0);
        assert(same(p.evidence, q.evidence) && same(p.binding, q.binding));
        if (atls_cocos_payload_write(&p, &json, &len, &err) == ATLS_OK) {
            atls_carried_clear(&d);
            assert(atls_cocos_payload_parse((atls_buf){json, len}, &d, &q, NULL) == ATLS_OK);
            assert(same(p.evidence, q.evidence) && same(p.binding, q.binding) &&
                   same(p.aik_pub_hash, q.aik_pub_hash));
        } else {
            assert(strcmp(err.check, "cocos.payload.size") == 0);
        }
        free(json);
    }
    atls_carried_clear(&c);
    atls_carried_clear(&d);
    return 0;
}
