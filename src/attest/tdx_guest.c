/* tdx_guest.c: /dev/tdx_guest gives a TD report, which only a service on the host can turn into a quote: over vsock
 * where /etc/tdx-attest.conf names its port, otherwise through a vendor kernel's own request. */
#include "attest/tdx_guest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attest/device.h"
#include "attest/qgs.h"
#include "attest/qgs_message.h"
#include "base/err.h"

#define USUAL_CONF "/etc/tdx-attest.conf"

static_assert(sizeof(tdx_report0) == 1088 && sizeof(tdx_quote_call) == 16,
              "as the kernel has them");

typedef struct tdx_guest {
    attest_device device;
    qgs_address qgs;       /* family 0: none */
    unsigned long request; /* of this kernel for quotes; 0: none */
} tdx_guest;

/* What a kernel does with a request that it knows is to look at the address given, and there is none: EFAULT. ENOTTY:
 * it does not know it. */
static unsigned long find_request(const attest_device *d, int fd)
{
    static const unsigned long known[] = {TDX_GET_QUOTE_INTEL, TDX_GET_QUOTE_INTEL_W,
                                          TDX_GET_QUOTE_RAW};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (d->os->ioctl(d->os->self, fd, known[i], NULL) != 0 && errno == EFAULT) {
            return known[i];
        }
    }
    return 0;
}

static atls_code take_report(const attest_device *d, int fd, const uint8_t report_data[64],
                             tdx_report0 *out, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    int number = EINTR;
    memset(out, 0, sizeof *out);
    memcpy(out->report_data, report_data, 64);
    for (int i = 0; i < 8 && number == EINTR; i++) {
        number = d->os->ioctl(d->os->self, fd, TDX_GET_REPORT0, out) == 0 ? 0 : errno;
    }
    return number == 0 ? ATLS_OK
                       : ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tdx_guest.report",
                                  "%s gives no TD report: %s", d->path, attest_errno(number, text));
}

static atls_code new_blob(atls_buf quote, atls_evidence_blob *out, atls_err *err)
{
    uint8_t *copy = quote.len > 0 ? malloc(quote.len) : NULL;
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, quote.ptr, quote.len);
    *out = attest_blob_of("tdx");
    attest_add_part(out, "quote", copy, quote.len);
    return ATLS_OK;
}

/* --- through the service --- */

static atls_code quote_by_service(const tdx_guest *t, const tdx_report0 *report, int64_t deadline,
                                  atls_evidence_blob *out, atls_err *err)
{
    uint8_t space[QGS_REQUEST_LEN];
    uint8_t *response = NULL;
    size_t len = 0;
    atls_buf quote = {0};
    atls_writer w = atls_writer_of(space, sizeof space);
    qgs_write_request(&w, (atls_buf){report->tdreport, sizeof report->tdreport});
    ATLS_TRY(qgs_ask(t->device.os, &t->qgs, atls_writer_done(&w), deadline, &response, &len, err));
    atls_code rc = qgs_read_response((atls_buf){response, len}, &quote, err);
    if (rc == ATLS_OK) {
        rc = new_blob(quote, out, err);
    }
    free(response);
    return rc;
}

/* --- through the kernel --- */

static void fill_buffer(const tdx_guest *t, const tdx_report0 *report, uint8_t *buffer)
{
    atls_buf tdreport = {report->tdreport, sizeof report->tdreport};
    bool raw = t->request == TDX_GET_QUOTE_RAW;
    atls_writer w = atls_writer_of(buffer, TDX_QUOTE_BUFFER_LEN);
    atls_writer_u64le(&w, 1); /* version */
    atls_writer_u64le(&w, 0); /* status */
    atls_writer_u32le(&w, raw ? QGS_TDREPORT_LEN : QGS_REQUEST_LEN);
    atls_writer_u32le(&w, 0); /* out_len */
    if (raw) {
        atls_writer_bytes(&w, tdreport);
    } else {
        qgs_write_request(&w, tdreport);
    }
}

static atls_code read_buffer(const tdx_guest *t, const uint8_t *buffer, atls_evidence_blob *out,
                             bool *busy, atls_err *err)
{
    atls_reader r = atls_reader_of((atls_buf){buffer, TDX_QUOTE_BUFFER_LEN});
    (void)atls_reader_u64le(&r); /* version */
    uint64_t status = atls_reader_u64le(&r);
    (void)atls_reader_u32le(&r); /* in_len */
    uint32_t len = atls_reader_u32le(&r);
    if (status != 0) {
        *busy = status == TDX_QUOTE_IN_FLIGHT;
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tdx_guest.quote",
                        "%s: the host %s (status 0x%llx)", t->device.path,
                        *busy                            ? "is still making the quote"
                        : status == TDX_QUOTE_NO_SERVICE ? "has no quote service running"
                                                         : "failed to make the quote",
                        (unsigned long long)status);
    }
    atls_buf quote = atls_reader_view(&r, len);
    if (t->request != TDX_GET_QUOTE_RAW) {
        atls_reader m = atls_reader_of(quote);
        uint32_t size = atls_reader_u32be(&m);
        atls_buf message = atls_reader_view(&m, size);
        quote.len = 0;
        if (atls_reader_end(&m)) {
            ATLS_TRY(qgs_read_response(message, &quote, err));
        }
    }
    if (quote.len == 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tdx_guest.quote",
                        "%s: the host says %lu bytes, which hold no quote", t->device.path,
                        (unsigned long)len);
    }
    return new_blob(quote, out, err);
}

static atls_code call_once(const tdx_guest *t, int fd, const tdx_report0 *report, uint8_t *buffer,
                           atls_evidence_blob *out, bool *busy, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    const attest_device *d = &t->device;
    tdx_quote_call call = {(uint64_t)(uintptr_t)buffer, TDX_QUOTE_BUFFER_LEN};
    memset(buffer, 0, TDX_QUOTE_BUFFER_LEN);
    fill_buffer(t, report, buffer);
    *busy = false;
    if (d->os->ioctl(d->os->self, fd, t->request, &call) == 0) {
        return read_buffer(t, buffer, out, busy, err);
    }
    int number = errno;
    *busy = number == EBUSY || number == EINTR || number == EAGAIN;
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tdx_guest.quote", "%s gives no quote: %s", d->path,
                    attest_errno(number, text));
}

static atls_code quote_by_kernel(const tdx_guest *t, int fd, const tdx_report0 *report,
                                 int64_t deadline, atls_evidence_blob *out, atls_err *err)
{
    uint8_t *buffer = malloc(TDX_QUOTE_BUFFER_LEN);
    if (buffer == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    bool busy = false;
    atls_code rc = call_once(t, fd, report, buffer, out, &busy, err);
    for (unsigned n = 0; rc != ATLS_OK && busy && attest_wait(t->device.os, n, deadline); n++) {
        rc = call_once(t, fd, report, buffer, out, &busy, err);
    }
    free(buffer);
    return rc;
}

static atls_code make(const tdx_guest *t, int fd, const uint8_t report_data[64],
                      atls_evidence_blob *out, atls_err *err)
{
    const attest_device *d = &t->device;
    int64_t deadline = d->os->now_ms(d->os->self) + (int64_t)d->timeout_ms;
    tdx_report0 report;
    ATLS_TRY(take_report(d, fd, report_data, &report, err));
    if (t->qgs.family == 0) {
        return quote_by_kernel(t, fd, &report, deadline, out, err);
    }
    atls_err why = {0};
    atls_code rc = quote_by_service(t, &report, deadline, out, &why);
    if (rc != ATLS_OK && t->request != 0 && strcmp(why.check, "attest.qgs.connect") == 0) {
        return quote_by_kernel(t, fd, &report, deadline, out, err);
    }
    if (rc != ATLS_OK && err != NULL) {
        *err = why;
    }
    return rc;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const tdx_guest *t = self;
    int fd = attest_device_open(&t->device, "attest.tdx_guest.device", err);
    if (fd < 0) {
        return ATLS_E_SYSTEM;
    }
    atls_code rc = make(t, fd, data->wide, out, err);
    (void)t->device.os->close(t->device.os->self, fd);
    return rc;
}

/* --- opening --- */

static atls_code find_service(const attest_want *want, tdx_guest *t, const char *conf,
                              atls_err *err)
{
    uint8_t *text = NULL;
    size_t len = 0;
    if (want->options->tdx_qgs != NULL) {
        return qgs_parse_address(want->options->tdx_qgs, &t->qgs, err);
    }
    /* No file, or one that cannot be read, names no port: the kernel's own way is left. */
    if (attest_read_file(want->os, conf, QGS_CONF_MAX, &text, &len) == 0) {
        uint32_t port = qgs_conf_port((atls_buf){text, len});
        free(text);
        if (port != 0) {
            t->qgs = qgs_host_address(port);
        }
    }
    return ATLS_OK;
}

static atls_code look(const attest_want *want, tdx_guest *t, bool *absent, atls_err *err)
{
    const char *conf = want->options->tdx_conf != NULL ? want->options->tdx_conf : USUAL_CONF;
    ATLS_TRY(attest_device_init(
        want, want->options->tdx_device, "/dev/tdx_guest", "attest.tdx_guest.device",
        "no TDX guest, or the module tdx-guest is not loaded", absent, &t->device, err));
    ATLS_TRY(find_service(want, t, conf, err));
    int fd = attest_device_open(&t->device, "attest.tdx_guest.device", err);
    if (fd < 0) {
        return ATLS_E_SYSTEM;
    }
    t->request = find_request(&t->device, fd);
    (void)want->os->close(want->os->self, fd);
    return t->qgs.family != 0 || t->request != 0
               ? ATLS_OK
               : ATLS_ERR(
                     err, ATLS_E_SYSTEM, "attest.tdx_guest.service",
                     "%s is there, but this kernel makes no quotes by it and %.60s names no port of "
                     "a quote service: use a kernel of 6.7 or later",
                     t->device.path, conf);
}

static atls_code open_tdx_guest(const attest_want *want, attest_opened *opened, atls_err *err)
{
    tdx_guest *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = look(want, t, &opened->absent, err);
    if (rc != ATLS_OK) {
        free(t);
        return rc;
    }
    opened->self = t;
    opened->type = "tdx";
    return ATLS_OK;
}

const attest_source attest_source_tdx_guest = {
    .name = "tdx-guest",
    .types = {"tdx"},
    .open = open_tdx_guest,
    .attest = attest,
    .free = free,
};
