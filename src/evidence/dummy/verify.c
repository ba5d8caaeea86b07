/* verify.c: evidence of test peers: report data, and nothing that vouches for them. Refused, unless the caller said in so
 * many words that it takes it; known by its name alone, so that no bytes of a peer turn into it. */
#include <string.h>

#include "evidence/format.h"
#include "trust/trust.h"

static void verify(const atls_verification *v)
{
    const atls_buf data = atls_evidence_part(v->evidence, "report_data");
    atls_claims *claims = v->claims;
    if (!v->trust->takes_dummy) {
        atls_ledger_fail(v->l, "dummy.refused", ATLS_E_INVALID,
                         atls_value_text("evidence for tests, which anybody can write down"),
                         atls_value_text("evidence of hardware"));
        return;
    }
    claims->simulated = true;
    if (data.len == 0 || data.len > sizeof claims->report_data) {
        atls_ledger_fail(v->l, "dummy.length", ATLS_E_INVALID, atls_value_uint(data.len),
                         atls_value_text("report data of 1 to 64 bytes"));
        return;
    }
    atls_ledger_ok_found(v->l, "dummy.unsigned",
                         atls_value_text("taken as told: nobody signed it, and it proves nothing"));
    claims->tee = ATLS_TEE_DUMMY;
    memcpy(claims->report_data, data.ptr, data.len);
    claims->report_data_len = sizeof claims->report_data;
}

static bool recognise(atls_buf bytes)
{
    (void)bytes;
    return false;
}

const atls_format atls_format_dummy = {"dummy", ATLS_TEE_DUMMY, recognise, verify};
