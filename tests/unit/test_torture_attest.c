/* No memory while evidence is made: every source that a double stands in for, from opening to the blob. */
#include "unit/torture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/attester.h"
#include "attest/dstack_reply.h"
#include "attest/nsm.h"
#include "attest/sev_guest.h"
#include "attest/tdx_guest.h"
#include "unit/failing_alloc.h"
#include "unit/fake_device.h"
#include "unit/fake_tsm.h"

typedef struct job {
    attest_os os;
    atls_attest_options options;
    atls_evidence_blob blob;
    fake_tsm *kernel;
    fake_device device;
} job;

static atls_code make(void *self, atls_err *err)
{
    job *j = self;
    atls_attester *a = NULL;
    atls_report_data data = {.wide = {1, 2, 3}};
    atls_code rc = attest_open(&j->os, &j->options, &a, err);
    if (rc == ATLS_OK) {
        rc = a->attest(a->self, &data, &j->blob, err);
    }
    atls_attester_free(a);
    return rc;
}

/* Types, names and sizes of the parts. */
static char *outlined(void *self)
{
    const atls_evidence_blob *b = &((const job *)self)->blob;
    char *text = calloc(1, 128);
    assert_non_null(text);
    (void)snprintf(text, 128, "%s %zu %s %zu %s %zu", b->type, b->parts_n, b->parts[0].name,
                   b->parts[0].len, b->parts[1].name, b->parts[1].len);
    return text;
}

static void drop(void *self)
{
    job *j = self;
    atls_evidence_blob_clear(&j->blob);
    assert_int_equal(j->kernel != NULL ? fake_tsm_left(j->kernel) : 0, 0);
    assert_int_equal(j->device.living, 0);
}

static void tsm(void **state)
{
    (void)state;
    static const uint8_t table[4096] = {[0] = 9, [16] = 48, [20] = 5, [48] = 1};
    job j = {.options = {.source = "tsm", .tsm_dir = FAKE_TSM_DIR}};
    j.kernel = fake_tsm_new(&(fake_tsm_plan){.provider = "sev_guest",
                                             .aux = table,
                                             .aux_len = sizeof table,
                                             .floor = 1,
                                             .frozen = true});
    j.os = fake_tsm_os(j.kernel);
    torture_all(&(torture){"configfs-tsm", &j, NULL, make, outlined, drop});
    fake_tsm_free(j.kernel);
}

static int sev(fake_device *d, unsigned long request, void *arg)
{
    (void)d;
    (void)request;
    const sev_ioctl *io = arg;
    const sev_ext_request *r = (const sev_ext_request *)(uintptr_t)io->request_address;
    uint8_t *response = (uint8_t *)(uintptr_t)io->response_address;
    uint8_t *certs = (uint8_t *)(uintptr_t)r->certs_address;
    response[4] = SEV_REPORT_LEN % 256;
    response[5] = SEV_REPORT_LEN / 256;
    memcpy(response + SEV_REPORT_AT + 0x50, r->data.user_data, 64);
    certs[0] = 9;
    certs[16] = 48;
    certs[20] = 5;
    return 0;
}

static int nsm(fake_device *d, unsigned long request, void *arg)
{
    (void)d;
    (void)request;
    nsm_call *call = arg;
    static const char head[] = "\xa1\x6b"
                               "Attestation"
                               "\xa1\x68"
                               "document"
                               "\x58\x40";
    uint8_t *out = call->response.iov_base;
    memcpy(out, head, sizeof head - 1);
    memset(out + sizeof head - 1, 0, 64);
    memcpy(out + sizeof head - 1, "\1\2\3", 3);
    call->response.iov_len = sizeof head - 1 + 64;
    return 0;
}

static int tdx(fake_device *d, unsigned long request, void *arg)
{
    (void)d;
    if (request == TDX_GET_REPORT0) {
        return 0;
    }
    if (request != TDX_GET_QUOTE_RAW) {
        return fake_errno(ENOTTY);
    }
    if (arg == NULL) {
        return fake_errno(EFAULT);
    }
    const tdx_quote_call *call = arg;
    uint8_t *buffer = (uint8_t *)(uintptr_t)call->buffer;
    memset(buffer + TDX_QUOTE_DATA_AT, 0, 1024);
    buffer[TDX_QUOTE_DATA_AT] = 4;
    memcpy(buffer + TDX_QUOTE_DATA_AT + 568, "\1\2\3", 3);
    buffer[21] = 4; /* 1,024 bytes */
    return 0;
}

static void device(const char *name, int (*answer)(fake_device *, unsigned long, void *))
{
    job j = {.options = {.source = name,
                         .sev_device = "/fake",
                         .nsm_device = "/fake",
                         .tdx_device = "/fake",
                         .tdx_conf = "/none"},
             .device = {.path = "/fake", .ioctl = answer}};
    j.os = fake_device_os(&j.device);
    torture_all(&(torture){name, &j, NULL, make, outlined, drop});
}

static void devices(void **state)
{
    (void)state;
    device("sev-guest", sev);
    device("nsm", nsm);
    device("tdx-guest", tdx);
}

static atls_code read_reply(void *self, atls_err *err)
{
    static const char text[] = "{\"quote\":\"04000200\",\"event_log\":\"[]\",\"vm_config\":\"{}\"}";
    job *j = self;
    return dstack_read_reply(200, (atls_buf){(const uint8_t *)text, sizeof text - 1}, &j->blob,
                             err);
}

static void dstack(void **state)
{
    (void)state;
    job j = {.kernel = NULL};
    torture_all(&(torture){"dstack's reply", &j, NULL, read_reply, outlined, drop});
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tsm),
        cmocka_unit_test(devices),
        cmocka_unit_test(dstack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
