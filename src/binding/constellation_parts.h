/* constellation_parts.h: structures of evidence, put together as our parts have them, or taken apart as documents do. No
 * judgement; no field is invented. */
#ifndef ATLS_BINDING_CONSTELLATION_PARTS_H
#define ATLS_BINDING_CONSTELLATION_PARTS_H

#include "base/reader.h"
#include "base/writer.h"

#define ATLS_HCL_HEAD_LEN    0x4d4u /* bytes before the runtime data */
#define ATLS_HCL_RUNTIME_MAX 2860u  /* so that all of it has at most 4096 */
#define ATLS_HCL_REPORT_LEN  1184u

/* The paravisor's report of Azure (part hcl_report) around what a document has of it: an SNP report and the runtime data.
 * out has room for ATLS_HCL_HEAD_LEN + runtime.len bytes. False: they are not of such sizes. */
/*@ requires valid_buf(report) && valid_buf(runtime) && runtime.len <= ATLS_HCL_RUNTIME_MAX &&
      writable(out, ATLS_HCL_HEAD_LEN + runtime.len);
    assigns out[0 .. ATLS_HCL_HEAD_LEN + runtime.len - 1]; */
bool atls_hcl_write_snp(atls_buf report, atls_buf runtime, uint8_t *out);

/* The same around a TDX quote of version 4, the only one that a document has: the TDREPORT has the fields that the quote
 * repeats of it, and zeros elsewhere. Equal to the quote by being made of it, it proves nothing that the quote does not. */
/*@ requires valid_buf(quote) && valid_buf(runtime) && runtime.len <= ATLS_HCL_RUNTIME_MAX &&
      writable(out, ATLS_HCL_HEAD_LEN + runtime.len);
    assigns out[0 .. ATLS_HCL_HEAD_LEN + runtime.len - 1]; */
bool atls_hcl_write_tdx(atls_buf quote, atls_buf runtime, uint8_t *out);

/* Report and runtime data of such a part. False: it is not exactly as long as it says, zeros behind it aside. */
/*@ requires valid_buf(hcl) && \valid(report) && \valid(runtime) && \separated(report, runtime);
    assigns *report, *runtime;
    ensures \result ==> valid_buf(*report) && valid_buf(*runtime); */
bool atls_hcl_take_apart(atls_buf hcl, atls_buf *report, atls_buf *runtime);

/* The one bank that a quote (TPMS_ATTEST) selects, and its PCRs: bit i is PCR i. False: it is no quote, or selects PCRs of
 * several banks, or one above 23. */
/*@ requires valid_buf(attest) && \valid(bank) && \valid(pcrs) && \separated(bank, pcrs);
    assigns *bank, *pcrs; */
bool atls_quote_selection(atls_buf attest, uint16_t *bank, uint32_t *pcrs);

/* TPMT_PUBLIC of an ak_public part in binary, which may have its size in front. {NULL, 0}: PEM, or neither. */
/*@ requires valid_buf(given);
    assigns \nothing;
    ensures valid_buf(\result); */
atls_buf atls_public_area(atls_buf given);

#endif
