/* A bundle that is taken is written again and taken again as the same parts; a refusal has a check id. */
#include <assert.h>
#include <string.h>

#include <atls/bundle.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const atls_evidence *a, const atls_evidence *b)
{
    assert(strcmp(a->type, b->type) == 0 && a->parts_n == b->parts_n);
    for (size_t i = 0; i < a->parts_n; i++) {
        assert(strcmp(a->parts[i].name, b->parts[i].name) == 0);
        assert(a->parts[i].bytes.len == b->parts[i].bytes.len);
        assert(memcmp(a->parts[i].bytes.ptr, b->parts[i].bytes.ptr, a->parts[i].bytes.len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_bundle *first = NULL;
    atls_err err = {0};
    if (atls_bundle_parse((atls_buf){data, size}, &first, &err) != ATLS_OK) {
        assert(first == NULL && err.check != NULL && err.msg[0] != '\0');
        return 0;
    }
    char *text = NULL;
    atls_code rc = atls_bundle_write(atls_bundle_get0_evidence(first), &text, &err);
    assert(rc == ATLS_OK);
    atls_bundle *second = NULL;
    rc = atls_bundle_parse((atls_buf){(const uint8_t *)text, strlen(text)}, &second, &err);
    assert(rc == ATLS_OK);
    same(atls_bundle_get0_evidence(first), atls_bundle_get0_evidence(second));
    atls_free(text);
    atls_bundle_free(first);
    atls_bundle_free(second);
    return 0;
}
