/* The claims of Cocos, with the messages of Go programs in them: a refusal has a check id; what is taken has a type and its
 * parts, and twice is the same. */
#include <assert.h>
#include <string.h>

#include "binding/cocos_evidence.h"
#include "claims/evidence_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_carried c = {0};
    atls_carried d = {0};
    atls_cocos_evidence e = {.platform = NULL};
    atls_cocos_evidence f = {.platform = NULL};
    atls_err err = {0};
    const atls_code rc = atls_cocos_evidence_parse((atls_buf){data, size}, &c, &e, &err);
    assert(atls_cocos_evidence_parse((atls_buf){data, size}, &d, &f, NULL) == rc);
    if (rc != ATLS_OK) {
        assert(err.code == rc && err.check != NULL && strchr(err.check, '.') != NULL);
        assert(err.msg[0] != '\0' && e.platform == NULL);
    } else {
        const atls_evidence_type *type = atls_evidence_type_find(
            (atls_buf){(const uint8_t *)c.evidence.type, strlen(c.evidence.type)});
        assert(type != NULL && e.nonce.len >= 8 && c.evidence.parts_n >= type->needed);
        assert(c.evidence.parts_n == d.evidence.parts_n);
        for (size_t i = 0; i < c.evidence.parts_n; i++) {
            const atls_buf a = c.evidence.parts[i].bytes;
            const atls_buf b = d.evidence.parts[i].bytes;
            const char *name = c.evidence.parts[i].name;
            assert(a.len > 0 && a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0);
            assert(atls_evidence_type_part(type, (atls_buf){(const uint8_t *)name, strlen(name)}) <
                   ATLS_PARTS_OF_A_TYPE);
        }
    }
    atls_carried_clear(&c);
    atls_carried_clear(&d);
    return 0;
}
