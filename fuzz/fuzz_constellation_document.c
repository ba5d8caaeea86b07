/* A document that is taken has a type and named parts of it, something fresh to compare, and is read alike twice; a refusal has
 * a check id of its own. The first byte says which variant. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/constellation_document.h"
#include "claims/evidence_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const atls_carried *a, const atls_carried *b)
{
    assert(a->evidence.parts_n == b->evidence.parts_n);
    for (size_t i = 0; i < a->evidence.parts_n; i++) {
        const atls_buf x = a->evidence.parts[i].bytes;
        const atls_buf y = b->evidence.parts[i].bytes;
        assert(x.len == y.len && memcmp(x.ptr, y.ptr, x.len) == 0);
    }
    assert(memcmp(a->expected.nonce, b->expected.nonce, 32) == 0);
}

/* What is in the document of the key and the nonce is checked before all else: here it is as it should be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t user_data[32] = {0};
    uint8_t nonce[32] = {0};
    atls_carried c = {0}, again = {0};
    atls_err err = {0};
    const atls_constellation_variant *v =
        size > 0 ? atls_constellation_variant_at(data[0] % 10) : NULL;
    if (v == NULL) {
        return 0;
    }
    const atls_buf document = {data + 1, size - 1};
    const atls_code rc = atls_constellation_document_read(v, document, user_data, nonce, &c, &err);
    if (rc != ATLS_OK) {
        assert((rc == ATLS_E_INVALID || rc == ATLS_E_BINDING) && err.msg[0] != '\0');
        assert(strncmp(err.check, "constellation.", 14) == 0 && c.owned_n == 0);
        return 0;
    }
    const atls_buf name = {(const uint8_t *)v->type, strlen(v->type)};
    const atls_evidence_type *type = atls_evidence_type_find(name);
    assert(type != NULL && strcmp(c.evidence.type, v->type) == 0);
    assert(c.expected.has_nonce && c.expected.nonce_len == 32);
    for (size_t i = 0; i < c.evidence.parts_n; i++) {
        const char *part = c.evidence.parts[i].name;
        assert(c.evidence.parts[i].bytes.len > 0);
        assert(atls_evidence_type_part(type, (atls_buf){(const uint8_t *)part, strlen(part)}) <
               ATLS_PARTS_OF_A_TYPE);
    }
    const atls_code twice =
        atls_constellation_document_read(v, document, user_data, nonce, &again, &err);
    assert(twice == ATLS_OK);
    compare(&c, &again);
    atls_carried_clear(&c);
    atls_carried_clear(&again);
    return 0;
}
