#include "evidence/dcap/report.h"

/* The len bytes at an offset of the report, empty when the report is. The offsets below are those of the
 * tables in spec 3. */
/*@ requires valid_buf(all);
    assigns \nothing;
    ensures offset + len <= all.len ==> \result.ptr == all.ptr + offset && \result.len == len;
    ensures offset + len > all.len ==> \result.len == 0; */
static atls_buf at(atls_buf all, size_t offset, size_t len)
{
    atls_reader r = atls_reader_of(all);
    (void)atls_reader_view(&r, offset);
    return atls_reader_view(&r, len);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static uint16_t u16_at(atls_buf all, size_t offset)
{
    atls_reader r = atls_reader_of(at(all, offset, 2));
    return atls_reader_u16le(&r);
}

/*@ requires valid_buf(all);
    assigns \nothing; */
static uint32_t u32_at(atls_buf all, size_t offset)
{
    atls_reader r = atls_reader_of(at(all, offset, 4));
    return atls_reader_u32le(&r);
}

atls_sgx_report atls_sgx_report_read(atls_reader *r)
{
    const atls_buf all = atls_reader_view(r, ATLS_SGX_REPORT_LEN);
    const atls_sgx_report report = {
        .all = all,
        .cpusvn = at(all, 0, 16),
        .miscselect = u32_at(all, 16),
        .isvextprodid = at(all, 32, 16),
        .attributes = at(all, 48, 16),
        .mrenclave = at(all, 64, 32),
        .mrsigner = at(all, 128, 32),
        .configid = at(all, 192, 64),
        .isvprodid = u16_at(all, 256),
        .isvsvn = u16_at(all, 258),
        .configsvn = u16_at(all, 260),
        .isvfamilyid = at(all, 304, 16),
        .report_data = at(all, 320, 64),
    };
    return report;
}

atls_td_report atls_td_report_read(atls_reader *r, bool is_1_5)
{
    const atls_buf all = atls_reader_view(r, is_1_5 ? ATLS_TD_REPORT_1_5_LEN : ATLS_TD_REPORT_LEN);
    const atls_buf none = {NULL, 0};
    const atls_td_report report = {
        .tee_tcb_svn = at(all, 0, 16),
        .mrseam = at(all, 16, 48),
        .mrsignerseam = at(all, 64, 48),
        .seam_attributes = at(all, 112, 8),
        .td_attributes = at(all, 120, 8),
        .xfam = at(all, 128, 8),
        .mrtd = at(all, 136, 48),
        .mrconfigid = at(all, 184, 48),
        .mrowner = at(all, 232, 48),
        .mrownerconfig = at(all, 280, 48),
        .rtmr = {at(all, 328, 48), at(all, 376, 48), at(all, 424, 48), at(all, 472, 48)},
        .report_data = at(all, 520, 64),
        .is_1_5 = is_1_5,
        .tee_tcb_svn2 = is_1_5 ? at(all, 584, 16) : none,
        .mrservicetd = is_1_5 ? at(all, 600, 48) : none,
    };
    return report;
}
