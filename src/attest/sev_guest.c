/* sev_guest.c: /dev/sev-guest, for kernels without configfs-tsm (before 6.7): the report, and with it the certificates
 * that the host has been given for this chip. */
#include "attest/sev_guest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attest/cert_table.h"
#include "attest/device.h"
#include "base/err.h"
#include "base/reader.h"

static_assert(sizeof(sev_request) == 96 && sizeof(sev_ext_request) == 112 &&
                  sizeof(sev_ioctl) == 32,
              "as the kernel has them");

typedef struct sev_guest {
    attest_device device;
    uint32_t vmpl;
} sev_guest;

/* One exchange's memory. */
typedef struct exchange {
    sev_ext_request request;
    uint8_t response[SEV_RESPONSE_LEN];
    uint8_t certs[SEV_CERTS_MAX];
    sev_ioctl io;
} exchange;

/* 0, or an errno; x->io tells what firmware and hypervisor said. */
static int call(const sev_guest *g, int fd, exchange *x, const uint8_t report_data[64],
                bool with_certs)
{
    memset(x, 0, sizeof *x);
    memcpy(x->request.data.user_data, report_data, 64);
    x->request.data.vmpl = g->vmpl;
    x->request.certs_address = (uint64_t)(uintptr_t)x->certs;
    x->request.certs_len = SEV_CERTS_MAX;
    x->io.msg_version = 1;
    x->io.request_address = (uint64_t)(uintptr_t)&x->request;
    x->io.response_address = (uint64_t)(uintptr_t)x->response;
    const attest_os *os = g->device.os;
    int rc = os->ioctl(os->self, fd, with_certs ? SEV_GET_EXT_REPORT : SEV_GET_REPORT, &x->io);
    return rc == 0 ? 0 : errno != 0 ? errno : EIO;
}

static bool is_busy(int number, const exchange *x)
{
    return x->io.vmm_error == SEV_VMM_BUSY || number == EAGAIN || number == EBUSY ||
           number == EINTR;
}

static int call_until(const sev_guest *g, int fd, exchange *x, const uint8_t report_data[64],
                      bool with_certs, int64_t deadline)
{
    int number = call(g, fd, x, report_data, with_certs);
    for (unsigned n = 0;
         number != 0 && is_busy(number, x) && attest_wait(g->device.os, n, deadline); n++) {
        number = call(g, fd, x, report_data, with_certs);
    }
    return number;
}

static atls_code copy_part(atls_evidence_blob *blob, const char *name, atls_buf bytes,
                           atls_err *err)
{
    uint8_t *copy = malloc(bytes.len);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, bytes.ptr, bytes.len);
    attest_add_part(blob, name, copy, bytes.len);
    return ATLS_OK;
}

static atls_code take_response(const attest_device *d, const exchange *x, bool with_certs,
                               atls_evidence_blob *out, atls_err *err)
{
    atls_reader r = atls_reader_of((atls_buf){x->response, sizeof x->response});
    uint32_t status = atls_reader_u32le(&r);
    uint32_t size = atls_reader_u32le(&r);
    if (status != 0 || size != SEV_REPORT_LEN) {
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "attest.sev_guest.response",
            "%s: the firmware says status 0x%x and a report of %u bytes, where 0 and %u are "
            "wanted%s",
            d->path, (unsigned)status, (unsigned)size, SEV_REPORT_LEN,
            status == 0x16 ? ": no such VMPL for this guest" : "");
    }
    atls_evidence_blob blob = attest_blob_of("snp");
    atls_buf certs = {x->certs, with_certs ? sizeof x->certs : 0};
    certs.len = attest_cert_table_len(certs);
    atls_code rc =
        copy_part(&blob, "report", (atls_buf){x->response + SEV_REPORT_AT, SEV_REPORT_LEN}, err);
    if (rc == ATLS_OK && certs.len > 0) {
        rc = copy_part(&blob, "certs", certs, err);
    }
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(&blob);
        return rc;
    }
    *out = blob;
    return ATLS_OK;
}

static atls_code ask(const sev_guest *g, int fd, const uint8_t report_data[64],
                     atls_evidence_blob *out, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    const attest_device *d = &g->device;
    exchange *x = malloc(sizeof *x);
    if (x == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    int64_t deadline = d->os->now_ms(d->os->self) + (int64_t)d->timeout_ms;
    bool with_certs = true;
    int number = call_until(g, fd, x, report_data, true, deadline);
    if (number != 0 && !is_busy(number, x)) {
        /* Certificates are a convenience: no room for them, or a host that has none to give, is no reason to have no
         * report. */
        with_certs = false;
        number = call_until(g, fd, x, report_data, false, deadline);
    }
    atls_code rc =
        number == 0 ? take_response(d, x, with_certs, out, err)
        : is_busy(number, x)
            ? ATLS_ERR(err, ATLS_E_SYSTEM, "attest.sev_guest.busy",
                       "%s: the hypervisor was busy for all of %lu ms: ask less often, or later",
                       d->path, (unsigned long)d->timeout_ms)
            : ATLS_ERR(
                  err, ATLS_E_SYSTEM, "attest.sev_guest.report",
                  "%s: %s (firmware error 0x%x, hypervisor error 0x%x): ask who runs the host; a "
                  "guest above VMPL 0 must name its level",
                  d->path, attest_errno(number, text), (unsigned)x->io.fw_error,
                  (unsigned)x->io.vmm_error);
    free(x);
    return rc;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const sev_guest *g = self;
    const attest_device *d = &g->device;
    int fd = attest_device_open(d, "attest.sev_guest.device", err);
    if (fd < 0) {
        return ATLS_E_SYSTEM;
    }
    atls_code rc = ask(g, fd, data->wide, out, err);
    (void)d->os->close(d->os->self, fd);
    return rc;
}

static atls_code open_sev_guest(const attest_want *want, attest_opened *opened, atls_err *err)
{
    sev_guest *g = malloc(sizeof *g);
    if (g == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    int vmpl = -1;
    atls_code rc = attest_vmpl(want->options, &vmpl, err);
    if (rc == ATLS_OK) {
        rc = attest_device_init(want, want->options->sev_device, "/dev/sev-guest",
                                "attest.sev_guest.device",
                                "no SEV-SNP guest, or the module sev-guest is not loaded",
                                &opened->absent, &g->device, err);
    }
    if (rc != ATLS_OK) {
        free(g);
        return rc;
    }
    g->vmpl = vmpl >= 0 ? (uint32_t)vmpl : 0;
    opened->self = g;
    opened->type = "snp";
    return ATLS_OK;
}

const attest_source attest_source_sev_guest = {
    .name = "sev-guest",
    .types = {"snp"},
    .open = open_sev_guest,
    .attest = attest,
    .free = free,
};
