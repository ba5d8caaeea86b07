/* Tagged evidence: a refusal has a check id; what is taken has its views inside, names exactly one key, and made again in
 * shortest form is read as the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/tcg_evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void made_again(const atls_tcg_evidence *e, size_t size)
{
    uint8_t *again = NULL;
    size_t len = 0;
    atls_err err = {0};
    atls_tcg_evidence second;
    if (atls_tcg_make(e->tag, e->evidence, e->claims, &again, &len, &err) != ATLS_OK) {
        assert(strcmp(err.check, "tcg.make") == 0); /* peers could not read it */
        return;
    }
    assert(len <= size);
    assert(atls_tcg_parse((atls_buf){again, len}, &second, NULL) == ATLS_OK);
    assert(second.tag == e->tag && same(second.evidence, e->evidence) &&
           same(second.claims, e->claims) && same(second.key_digest, e->key_digest) &&
           second.custom_n == e->custom_n && second.has_nonce == e->has_nonce &&
           same(second.nonce, e->nonce));
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_tcg_evidence e;
    atls_err err = {0};
    const atls_code rc = atls_tcg_parse((atls_buf){data, size}, &e, &err);
    if (rc != ATLS_OK) {
        assert(rc == ATLS_E_INVALID && strncmp(err.check, "tcg.", 4) == 0 && err.msg[0] != '\0');
        return 0;
    }
    assert(e.claims.ptr >= data && e.claims.ptr + e.claims.len <= data + size);
    assert(e.evidence.len == 0 ||
           (e.evidence.ptr > data && e.evidence.ptr + e.evidence.len <= e.claims.ptr));
    assert(e.key_digest.len == atls_hash_len(e.key_hash));
    assert(e.custom_n <= ATLS_TCG_CLAIMS_MAX);
    for (size_t i = 0; i < e.custom_n; i++) {
        assert(e.custom[i].name.len > 0);
        for (size_t k = 0; k < i; k++) {
            assert(!same(e.custom[i].name, e.custom[k].name));
        }
    }
    made_again(&e, size);
    return 0;
}
