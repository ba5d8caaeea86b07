/* Any bytes as evidence, before a verifier with Intel's root and no collateral: always refused, with a
 * reason, and the same twice. */
#include <assert.h>
#include <string.h>

#include <atls/atls.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_verifier *v = atls_verifier_new();
    assert(v != NULL);
    atls_evidence e = {.parts_n = 1, .parts = {{NULL, {data, size}}}};
    atls_expected x = {.has_report_data = true, .binding = ATLS_BINDING_SESSION};
    atls_verdict *a = atls_verifier_check(v, &e, &x, 1790000000, NULL);
    atls_verdict *b = atls_verifier_check(v, &e, &x, 1790000000, NULL);
    assert(a != NULL && b != NULL);
    assert(!atls_verdict_accepted(a) && atls_verdict_code(a) != ATLS_OK);
    assert(atls_verdict_check(a)[0] != '\0' && atls_verdict_message(a)[0] != '\0');
    assert(strcmp(atls_verdict_check(a), atls_verdict_check(b)) == 0);
    assert(strcmp(atls_verdict_message(a), atls_verdict_message(b)) == 0);
    assert(atls_verdict_code(a) == atls_verdict_code(b) &&
           strcmp(atls_verdict_binding(a), "none") == 0);
    atls_verdict_free(a);
    atls_verdict_free(b);
    atls_verifier_free(v);
    return 0;
}
