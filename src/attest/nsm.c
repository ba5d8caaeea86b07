/* nsm.c: the Nitro Security Module of an AWS Nitro enclave. Nonce and public key are part of what it signs. */
#include "attest/nsm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attest/device.h"
#include "attest/nsm_message.h"
#include "base/err.h"

static atls_code send_request(const attest_device *d, int fd, atls_buf request, uint8_t *response,
                              size_t *len, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    int64_t deadline = d->os->now_ms(d->os->self) + (int64_t)d->timeout_ms;
    for (unsigned n = 0;; n++) {
        uint8_t copy[NSM_REQUEST_MAX]; /* an iovec has no const */
        memcpy(copy, request.ptr, request.len);
        nsm_call call = {{copy, request.len}, {response, NSM_RESPONSE_MAX}};
        if (d->os->ioctl(d->os->self, fd, NSM_CALL, &call) == 0) {
            if (call.response.iov_len > NSM_RESPONSE_MAX) {
                return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.nsm.response",
                                "%s says that it wrote %zu bytes into %zu", d->path,
                                call.response.iov_len, NSM_RESPONSE_MAX);
            }
            *len = call.response.iov_len;
            return ATLS_OK;
        }
        int number = errno;
        bool passes = number == EINTR || number == EAGAIN || number == EBUSY;
        if (!passes || !attest_wait(d->os, n, deadline)) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.nsm.ioctl", "%s: %s%s", d->path,
                            attest_errno(number, text),
                            number == EMSGSIZE ? ": the request is too large"
                            : number == ENOTTY ? ": this device is no Nitro Security Module"
                                               : "");
        }
    }
}

static atls_code ask(const attest_device *d, int fd, const atls_report_data *data,
                     uint8_t *response, atls_evidence_blob *out, atls_err *err)
{
    uint8_t space[NSM_REQUEST_MAX];
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_buf document = {0};
    size_t len = 0;
    nsm_write_request(&w, data);
    ATLS_TRY(send_request(d, fd, atls_writer_done(&w), response, &len, err));
    ATLS_TRY(nsm_read_response((atls_buf){response, len}, &document, err));
    uint8_t *copy = malloc(document.len);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, document.ptr, document.len);
    *out = attest_blob_of("nitro");
    attest_add_part(out, "document", copy, document.len);
    return ATLS_OK;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const attest_device *d = self;
    if (data->spki_len > NSM_PUBLIC_KEY_MAX) {
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "attest.nsm.public_key",
            "a public key of %zu bytes, and a Nitro document has room for %zu: use a smaller "
            "key, P-256 for one",
            data->spki_len, NSM_PUBLIC_KEY_MAX);
    }
    uint8_t *response = calloc(1, NSM_RESPONSE_MAX);
    if (response == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    int fd = attest_device_open(d, "attest.nsm.device", err);
    atls_code rc = fd < 0 ? ATLS_E_SYSTEM : ask(d, fd, data, response, out, err);
    if (fd >= 0) {
        (void)d->os->close(d->os->self, fd);
    }
    free(response);
    return rc;
}

static atls_code open_nsm(const attest_want *want, attest_opened *opened, atls_err *err)
{
    attest_device *d = malloc(sizeof *d);
    if (d == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = attest_device_init(
        want, want->options->nsm_device, "/dev/nsm", "attest.nsm.device",
        "no Nitro enclave, or the kernel lacks the nsm driver", &opened->absent, d, err);
    if (rc != ATLS_OK) {
        free(d);
        return rc;
    }
    opened->self = d;
    opened->type = "nitro";
    return ATLS_OK;
}

const attest_source attest_source_nsm = {
    .name = "nsm",
    .types = {"nitro"},
    .open = open_nsm,
    .attest = attest,
    .free = free,
};
