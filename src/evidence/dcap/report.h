/* report.h: the bodies that SGX and TDX sign: enclave report and TD report (spec 3). */
#ifndef ATLS_EVIDENCE_DCAP_REPORT_H
#define ATLS_EVIDENCE_DCAP_REPORT_H

#include "evidence/dcap/quote.h"

#define ATLS_SGX_REPORT_LEN    384
#define ATLS_TD_REPORT_LEN     584
#define ATLS_TD_REPORT_1_5_LEN 648

/* Read the next ATLS_..._LEN bytes of r into views. Reserved bytes are not looked at: newer hardware may
 * give them a meaning, and they are signed. When the bytes are not there r has failed, and *out is of no
 * use: ask atls_reader_ok(). */
void atls_sgx_report_read(atls_reader *r, atls_sgx_report *out);
void atls_td_report_read(atls_reader *r, bool is_1_5, atls_td_report *out);

#endif
