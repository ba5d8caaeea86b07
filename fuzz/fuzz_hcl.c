/* A paravisor's report that is taken is covered by its parts, with zeros behind; a refusal has a check id of its own. */
#include <assert.h>
#include <string.h>

#include "evidence/tpm/hcl.h"
#include "evidence/tpm/hcl_runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void runtime(const atls_hcl *hcl)
{
    atls_kept_cache *cache = atls_kept_cache_new();
    atls_hcl_runtime *first = NULL, *again = NULL;
    atls_err err = {0};
    assert(cache != NULL);
    if (atls_hcl_runtime_get(cache, hcl->runtime, &first, &err) == ATLS_OK) {
        assert(first->ak != NULL && atls_public_key_kind(first->ak) == ATLS_KEY_RSA);
        assert(strlen(first->vm_id) < sizeof first->vm_id);
        const atls_code rc = atls_hcl_runtime_get(cache, hcl->runtime, &again, &err);
        assert(rc == ATLS_OK && again == first);
        atls_kept_free(again);
        atls_kept_free(first);
    } else {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "tpm.hcl.", 8) == 0);
    }
    atls_kept_cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_hcl h, again;
    atls_err err = {0};
    if (atls_hcl_parse((atls_buf){data, size}, &h, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "tpm.hcl.", 8) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(h.version >= 1 && h.version <= 2 && h.hash_type >= 1 && h.hash_type <= 3);
    assert(h.report.ptr == data + 0x20 && h.report.len == ATLS_HCL_SNP_LEN);
    assert(h.runtime.ptr == data + 0x4d4 && h.runtime.ptr + h.runtime.len <= data + size);
    const size_t end = 0x4d4 + h.runtime.len;
    for (size_t i = end; i < size; i++) {
        assert(data[i] == 0);
    }
    atls_code rc = atls_hcl_parse((atls_buf){data, end}, &again, &err);
    assert(rc == ATLS_OK && again.runtime.len == h.runtime.len);
    rc = atls_hcl_parse((atls_buf){data, end - 1}, &again, &err);
    assert(rc == ATLS_E_INVALID);
    const atls_td_report_fields td = atls_hcl_td_report(h.report);
    assert(td.report_data.ptr == h.report.ptr + 128 && td.rtmr[3].ptr == h.report.ptr + 864);
    runtime(&h);
    return 0;
}
