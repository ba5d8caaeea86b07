#include "evidence/dcap/report.h"

void atls_sgx_report_read(atls_reader *r, atls_sgx_report *out)
{
    out->all = atls_reader_view(r, ATLS_SGX_REPORT_LEN);
    atls_reader body = atls_reader_of(out->all);
    out->cpusvn = atls_reader_view(&body, 16);
    out->miscselect = atls_reader_u32le(&body);
    (void)atls_reader_view(&body, 12);
    out->isvextprodid = atls_reader_view(&body, 16);
    out->attributes = atls_reader_view(&body, 16);
    out->mrenclave = atls_reader_view(&body, 32);
    (void)atls_reader_view(&body, 32);
    out->mrsigner = atls_reader_view(&body, 32);
    (void)atls_reader_view(&body, 32);
    out->configid = atls_reader_view(&body, 64);
    out->isvprodid = atls_reader_u16le(&body);
    out->isvsvn = atls_reader_u16le(&body);
    out->configsvn = atls_reader_u16le(&body);
    (void)atls_reader_view(&body, 42);
    out->isvfamilyid = atls_reader_view(&body, 16);
    out->report_data = atls_reader_view(&body, 64);
}

void atls_td_report_read(atls_reader *r, bool is_1_5, atls_td_report *out)
{
    out->tee_tcb_svn = atls_reader_view(r, 16);
    out->mrseam = atls_reader_view(r, 48);
    out->mrsignerseam = atls_reader_view(r, 48);
    out->seam_attributes = atls_reader_view(r, 8);
    out->td_attributes = atls_reader_view(r, 8);
    out->xfam = atls_reader_view(r, 8);
    out->mrtd = atls_reader_view(r, 48);
    out->mrconfigid = atls_reader_view(r, 48);
    out->mrowner = atls_reader_view(r, 48);
    out->mrownerconfig = atls_reader_view(r, 48);
    out->rtmr[0] = atls_reader_view(r, 48);
    out->rtmr[1] = atls_reader_view(r, 48);
    out->rtmr[2] = atls_reader_view(r, 48);
    out->rtmr[3] = atls_reader_view(r, 48);
    out->report_data = atls_reader_view(r, 64);
    out->is_1_5 = is_1_5;
    out->tee_tcb_svn2 = atls_reader_view(r, is_1_5 ? 16 : 0);
    out->mrservicetd = atls_reader_view(r, is_1_5 ? 48 : 0);
}
