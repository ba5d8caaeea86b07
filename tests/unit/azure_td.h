/* azure_td.h: a confidential VM of Azure on TDX: the vTPM and the runtime data of the world "azure", whose SNP report gives
 * way to the TDREPORT of a simulated TD, with the quote made of it beside. */
#ifndef ATLS_TESTS_AZURE_TD_H
#define ATLS_TESTS_AZURE_TD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/attester.h>
#include <atls/sim.h>

#include "crypto/digest.h"

#define AZURE_TD_REPORT_AT  32u
#define AZURE_TD_TYPE_AT    1224u /* of the report: 2 SNP, 4 TDX */
#define AZURE_TD_RUNTIME_AT 1236u

typedef struct azure_td {
    const atls_attester *vm; /* of the world "azure" */
    atls_sim *intel;
    bool other_user_data; /* in the runtime data than the session's */
} azure_td;

/* The quote's body, at the places that a TDREPORT has for it. */
static inline void azure_td_report(const uint8_t *quote, const uint8_t report_data[64],
                                   uint8_t *out)
{
    const uint8_t *body = quote + 48;
    memset(out, 0, 1184);
    memcpy(out + 128, report_data, 64);
    memcpy(out + 512, body + 120, 16);  /* attributes, XFAM */
    memcpy(out + 528, body + 136, 48);  /* MRTD */
    memcpy(out + 576, body + 184, 144); /* MRCONFIGID, MROWNER, MROWNERCONFIG */
    memcpy(out + 720, body + 328, 192); /* RTMRs */
}

static inline atls_code azure_td_attest(void *self, const atls_report_data *data,
                                        atls_evidence_blob *out, atls_err *err)
{
    const azure_td *td = self;
    atls_sim_quote ask = {.type = "tdx"};
    uint8_t *quote = NULL;
    size_t len = 0;
    atls_report_data asked = *data;
    asked.wide[63] ^= td->other_user_data ? 1 : 0; /* user-data; the vTPM signs narrow */
    const atls_code rc = td->vm->attest(td->vm->self, &asked, out, err);
    assert_int_equal(rc, ATLS_OK);
    for (size_t i = 0; i < out->parts_n; i++) {
        if (strcmp(out->parts[i].name, "hcl_report") == 0) {
            uint8_t *hcl = out->parts[i].bytes;
            const atls_buf runtime = {hcl + AZURE_TD_RUNTIME_AT,
                                      out->parts[i].len - AZURE_TD_RUNTIME_AT};
            assert_int_equal(atls_digest(ATLS_SHA256, &runtime, 1, ask.report_data, NULL), ATLS_OK);
            assert_int_equal(atls_sim_make_quote(td->intel, &ask, &quote, &len, NULL), ATLS_OK);
            azure_td_report(quote, ask.report_data, hcl + AZURE_TD_REPORT_AT);
            hcl[AZURE_TD_TYPE_AT] = 4;
        }
    }
    assert_non_null(quote);
    for (size_t i = 0; i < out->parts_n; i++) {
        if (strcmp(out->parts[i].name, "vcek") == 0) {
            free(out->parts[i].bytes);
            memcpy(out->parts[i].name, "td_quote", sizeof "td_quote");
            out->parts[i].bytes = malloc(len);
            assert_non_null(out->parts[i].bytes);
            memcpy(out->parts[i].bytes, quote, len);
            out->parts[i].len = len;
        }
    }
    atls_free(quote);
    return ATLS_OK;
}

#endif
