/* A report that is taken has all its fields inside its 1184 bytes, and no other length is one; a refusal has a report's
 * check id. */
#include <assert.h>
#include <string.h>

#include "evidence/snp/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_snp_report r;
    atls_snp_report again;
    atls_err err = {0};
    if (atls_snp_report_parse((atls_buf){data, size}, &r, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "snp.report.", 11) == 0 &&
               err.msg[0] != '\0');
        return 0;
    }
    assert(size == ATLS_SNP_REPORT_LEN && atls_snp_report_looks((atls_buf){data, size}, false));
    assert(r.signed_range.ptr == data && r.signed_range.len == ATLS_SNP_SIGNED_LEN);
    assert(r.report_data.ptr == data + 0x50 && r.chip_id.ptr == data + 0x1a0);
    assert(r.r.ptr == data + 0x2a0 && r.s.ptr == data + 0x2e8 && r.s.len == 48);
    assert(r.version >= 2 && r.version <= 5 && r.has_cpuid == (r.version >= 3));
    assert(data[0x2d0] == 0 && data[0x49f] == 0);
    assert(atls_snp_report_parse((atls_buf){data, size - 1}, &again, &err) == ATLS_E_INVALID);
    return 0;
}
