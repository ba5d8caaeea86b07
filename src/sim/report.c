#include "sim/report.h"

#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "crypto/digest.h"
#include "sim/tcb_text.h"

/* Hash of "NAME/REGISTER": docs/simulator.md promises it, so that policies can be written by hand. */
static atls_code measure(atls_hash hash, const char *name, const char *reg, uint8_t *out,
                         atls_err *err)
{
    const atls_buf pieces[] = {{(const uint8_t *)name, strlen(name)},
                               {(const uint8_t *)"/", 1},
                               {(const uint8_t *)reg, strlen(reg)}};
    return atls_digest(hash, pieces, 3, out, err);
}

/* SGX report layout: intel-dcap 3.1. */
static void put_sgx(const uint8_t cpusvn[16], uint8_t flags, const uint8_t mrenclave[32],
                    const uint8_t mrsigner[32], uint16_t isvprodid, uint16_t isvsvn,
                    uint8_t out[SIM_SGX_REPORT_LEN])
{
    atls_writer w = atls_writer_of(out, SIM_SGX_REPORT_LEN);
    atls_writer_bytes(&w, (atls_buf){cpusvn, 16});
    atls_writer_zeros(&w, 4 + 12 + 16); /* MISCSELECT, reserved, ISVEXTPRODID */
    atls_writer_u64le(&w, flags);
    atls_writer_u64le(&w, 0xe7); /* XFRM */
    atls_writer_bytes(&w, (atls_buf){mrenclave, 32});
    atls_writer_zeros(&w, 32);
    atls_writer_bytes(&w, (atls_buf){mrsigner, 32});
    atls_writer_zeros(&w, 32 + 64); /* reserved, CONFIGID */
    atls_writer_u16le(&w, isvprodid);
    atls_writer_u16le(&w, isvsvn);
    atls_writer_zeros(&w, 2 + 42 + 16 + 64); /* CONFIGSVN, reserved, ISVFAMILYID, REPORTDATA */
}

atls_code sim_sgx_report(const char *workload, const sim_level *level, bool debug,
                         uint8_t out[SIM_SGX_REPORT_LEN], atls_err *err)
{
    uint8_t cpusvn[16];
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    sim_level_components((size_t)level->pck, cpusvn);
    ATLS_TRY(measure(ATLS_SHA256, workload, "mrenclave", mrenclave, err));
    ATLS_TRY(measure(ATLS_SHA256, workload, "mrsigner", mrsigner, err));
    put_sgx(cpusvn, debug ? 0x07 : 0x05, mrenclave, mrsigner, 1, 1, out);
    return ATLS_OK;
}

atls_code sim_qe_report(sim_tee tee, const uint8_t xy[64], atls_buf auth_data,
                        uint8_t out[SIM_SGX_REPORT_LEN], atls_err *err)
{
    uint8_t cpusvn[16];
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    sim_level_components(0, cpusvn);
    sim_qe_mrsigner(mrsigner);
    ATLS_TRY(
        measure(ATLS_SHA256, SIM_ORGANISATION, tee == SIM_TDX ? "td_qe" : "qe", mrenclave, err));
    put_sgx(cpusvn, SIM_QE_FLAGS, mrenclave, mrsigner, sim_qe_isvprodid(tee), SIM_QE_CURRENT, out);
    const atls_buf vouched[] = {{xy, 64}, auth_data};
    return atls_digest(ATLS_SHA256, vouched, 2, out + SIM_SGX_REPORT_DATA, err);
}

/* TD report layout: intel-dcap 3.2. */
atls_code sim_td_report(const char *workload, const sim_level *level, bool debug, bool is_1_5,
                        uint8_t out[SIM_TD_REPORT_1_5], atls_err *err)
{
    static const char *const registers[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    const uint8_t svn[16] = {level->module_svn, SIM_MODULE_VERSION, level->seam_svn};
    const uint8_t running[16] = {SIM_MODULE_CURRENT, SIM_MODULE_VERSION, sim_level_seam_svn(0)};
    uint8_t mrseam[48];
    uint8_t mrtd[48];
    ATLS_TRY(measure(ATLS_SHA384, SIM_ORGANISATION, "mrseam", mrseam, err));
    ATLS_TRY(measure(ATLS_SHA384, workload, "mrtd", mrtd, err));
    atls_writer w = atls_writer_of(out, SIM_TD_REPORT_1_5);
    atls_writer_bytes(&w, (atls_buf){svn, sizeof svn});
    atls_writer_bytes(&w, (atls_buf){mrseam, sizeof mrseam});
    atls_writer_zeros(&w, 48 + 8);                             /* MRSIGNERSEAM, SEAMATTRIBUTES */
    atls_writer_u64le(&w, (debug ? 0x01u : 0u) + 0x10000000u); /* SEPT_VE_DISABLE */
    atls_writer_u64le(&w, 0x000602e7);                         /* XFAM */
    atls_writer_bytes(&w, (atls_buf){mrtd, sizeof mrtd});
    atls_writer_zeros(&w, 3 * 48); /* MRCONFIGID, MROWNER, MROWNERCONFIG */
    for (size_t i = 0; i < 4; i++) {
        uint8_t rtmr[48];
        ATLS_TRY(measure(ATLS_SHA384, workload, registers[i], rtmr, err));
        atls_writer_bytes(&w, (atls_buf){rtmr, sizeof rtmr});
    }
    atls_writer_zeros(&w, 64);
    if (is_1_5) {
        atls_writer_bytes(&w, (atls_buf){running, sizeof running});
        atls_writer_zeros(&w, 48); /* MRSERVICETD */
    }
    return ATLS_OK;
}
