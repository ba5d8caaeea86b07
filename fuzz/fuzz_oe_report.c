/* A report or evidence of Open Enclave that is taken is laid out without a gap: header, quote, claims; report data inside the
 * quote; one byte less or more is refused. A refusal has a check id of its form. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/oe_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef atls_code parse(atls_buf bytes, atls_oe_report *out, atls_err *err);

static void one(parse *p, const char *prefix, size_t header, const uint8_t *data, size_t size)
{
    atls_oe_report report;
    atls_oe_report again;
    atls_err err = {0};
    if (p((atls_buf){data, size}, &report, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && err.msg[0] != '\0');
        assert(strncmp(err.check, prefix, strlen(prefix)) == 0);
        return;
    }
    assert(report.quote.ptr == data + header);
    assert(header + report.quote.len + report.claims.len == size);
    assert(report.claims.len == 0 || report.claims.ptr == report.quote.ptr + report.quote.len);
    assert(report.report_data.len == 64 && report.report_data.ptr >= report.quote.ptr + 368);
    assert((size_t)(report.report_data.ptr - report.quote.ptr) + 64 < report.quote.len);
    assert(p((atls_buf){data, size - 1}, &again, NULL) == ATLS_E_INVALID);
    uint8_t *longer = calloc(1, size + 1);
    if (longer != NULL) {
        memcpy(longer, data, size);
        assert(p((atls_buf){longer, size + 1}, &again, NULL) == ATLS_E_INVALID);
        free(longer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one(atls_oe_report_parse, "oe_report.", ATLS_OE_REPORT_HEADER, data, size);
    one(atls_oe_evidence_parse, "oe_evidence.", ATLS_OE_EVIDENCE_HEADER, data, size);
    return 0;
}
