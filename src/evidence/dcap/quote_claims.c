/* A quote's fields as claims. The caller has checked the signatures over them. */
#include "evidence/dcap/quote.h"

/*@ requires valid_buf(view) && \valid(out + (0 .. len - 1));
    assigns out[0 .. len - 1]; */
static void copy(atls_buf view, uint8_t *out, size_t len)
{
    atls_reader r = atls_reader_of(view);
    atls_reader_copy(&r, out, len);
}

/*@ requires \valid_read(report) && sound_sgx_report(*report) && \valid(out) && \valid(report_data + (0 .. 63));
    requires \separated(report, out, report_data + (0 .. 63));
    assigns *out, report_data[0 .. 63]; */
static void sgx_claims(const atls_sgx_report *report, atls_sgx_claims *out, uint8_t report_data[64])
{
    copy(report->report_data, report_data, 64);
    copy(report->cpusvn, out->cpusvn, sizeof out->cpusvn);
    out->miscselect = report->miscselect;
    copy(report->attributes, out->attributes, sizeof out->attributes);
    copy(report->mrenclave, out->mrenclave, sizeof out->mrenclave);
    copy(report->mrsigner, out->mrsigner, sizeof out->mrsigner);
    copy(report->configid, out->configid, sizeof out->configid);
    copy(report->isvextprodid, out->isvextprodid, sizeof out->isvextprodid);
    copy(report->isvfamilyid, out->isvfamilyid, sizeof out->isvfamilyid);
    out->isvprodid = report->isvprodid;
    out->isvsvn = report->isvsvn;
    out->configsvn = report->configsvn;
}

/*@ requires \valid_read(report) && sound_td_report(*report) && \valid(out) && \valid(report_data + (0 .. 63));
    requires \separated(report, out, report_data + (0 .. 63));
    assigns *out, report_data[0 .. 63]; */
static void tdx_claims(const atls_td_report *report, atls_tdx_claims *out, uint8_t report_data[64])
{
    copy(report->report_data, report_data, 64);
    copy(report->tee_tcb_svn, out->tee_tcb_svn, sizeof out->tee_tcb_svn);
    copy(report->mrseam, out->mrseam, sizeof out->mrseam);
    copy(report->mrsignerseam, out->mrsignerseam, sizeof out->mrsignerseam);
    copy(report->seam_attributes, out->seam_attributes, sizeof out->seam_attributes);
    copy(report->td_attributes, out->td_attributes, sizeof out->td_attributes);
    copy(report->xfam, out->xfam, sizeof out->xfam);
    copy(report->mrtd, out->mrtd, sizeof out->mrtd);
    copy(report->mrconfigid, out->mrconfigid, sizeof out->mrconfigid);
    copy(report->mrowner, out->mrowner, sizeof out->mrowner);
    copy(report->mrownerconfig, out->mrownerconfig, sizeof out->mrownerconfig);
    copy(report->rtmr[0], out->rtmr[0], sizeof out->rtmr[0]);
    copy(report->rtmr[1], out->rtmr[1], sizeof out->rtmr[1]);
    copy(report->rtmr[2], out->rtmr[2], sizeof out->rtmr[2]);
    copy(report->rtmr[3], out->rtmr[3], sizeof out->rtmr[3]);
    out->is_1_5 = report->is_1_5;
    copy(report->tee_tcb_svn2, out->tee_tcb_svn2, sizeof out->tee_tcb_svn2);
    copy(report->mrservicetd, out->mrservicetd, sizeof out->mrservicetd);
}

void atls_quote_claims(const atls_quote *q, atls_claims *out)
{
    out->report_data_len = sizeof out->report_data;
    if (q->is_tdx) {
        out->tee = ATLS_TEE_TDX;
        tdx_claims(&q->td, &out->as.tdx, out->report_data);
    } else {
        out->tee = ATLS_TEE_SGX;
        sgx_claims(&q->sgx, &out->as.sgx, out->report_data);
    }
}
