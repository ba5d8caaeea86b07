/* report.h: the bodies that SGX and TDX sign: enclave report and TD report (spec 3). */
#ifndef ATLS_EVIDENCE_DCAP_REPORT_H
#define ATLS_EVIDENCE_DCAP_REPORT_H

#include "evidence/dcap/quote.h"

#define ATLS_SGX_REPORT_LEN    384
#define ATLS_TD_REPORT_LEN     584
#define ATLS_TD_REPORT_1_5_LEN 648

/* The next ATLS_..._LEN bytes of r as views. Reserved bytes are not looked at: newer hardware may give them a
 * meaning, and they are signed. When the bytes are not there r has failed and the result is of no use: ask
 * atls_reader_ok(). */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, ATLS_SGX_REPORT_LEN);
    ensures !r->failed ==> sound_sgx_report(\result) && \result.all.ptr == \old(r->ptr); */
atls_sgx_report atls_sgx_report_read(atls_reader *r);

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && takes{Pre, Post}(r, is_1_5 ? ATLS_TD_REPORT_1_5_LEN : ATLS_TD_REPORT_LEN);
    ensures !r->failed ==> sound_td_report(\result) && \result.tee_tcb_svn.ptr == \old(r->ptr); */
atls_td_report atls_td_report_read(atls_reader *r, bool is_1_5);

#endif
