/* /dev/sev-guest, as the driver behaves. */
#include <errno.h>
#include <stdlib.h>

#include "attest/cert_table.h"
#include "attest/sev_guest.h"
#include "unit/attest_rig.h"
#include "unit/fake_device.h"

static const atls_attest_options options = {.source = "sev-guest", .sev_device = "/fake/sev-guest"};

/* What firmware and hypervisor do. */
typedef struct platform {
    bool certs;         /* the host has some */
    uint32_t too_small; /* so much room is wanted */
    unsigned busy;      /* so many calls */
    bool no_ext;
    int number; /* every report fails so */
    uint32_t fw_error, status, size, vmpl;
} platform;

static void put_u32(uint8_t *out, uint32_t v)
{
    for (int i = 0; i < 4; i++, v /= 256) {
        out[i] = (uint8_t)(v % 256);
    }
}

static int sev_ioctl_of(fake_device *d, unsigned long request, void *arg)
{
    platform *p = d->ctx;
    sev_ioctl *io = arg;
    bool ext = request == SEV_GET_EXT_REPORT;
    sev_ext_request *r = (sev_ext_request *)(uintptr_t)io->request_address;
    uint8_t *response = (uint8_t *)(uintptr_t)io->response_address;
    if (io->msg_version != 1 || (!ext && request != SEV_GET_REPORT) || (ext && p->no_ext)) {
        return fake_errno(ENOTTY);
    }
    if (p->busy > 0) {
        p->busy -= p->busy != UINT32_MAX;
        io->vmm_error = SEV_VMM_BUSY;
        return fake_errno(EIO);
    }
    if (ext && p->too_small > 0) {
        r->certs_len = p->too_small;
        io->vmm_error = SEV_VMM_TOO_SMALL;
        return fake_errno(EIO);
    }
    if (p->number != 0) {
        io->fw_error = p->fw_error;
        return fake_errno(p->number);
    }
    if (ext && p->certs) {
        uint8_t *certs = (uint8_t *)(uintptr_t)r->certs_address;
        certs[0] = 0x63;
        put_u32(certs + 16, 48);
        put_u32(certs + 20, 5);
        memset(certs + 48, 0x30, 5);
    }
    p->vmpl = r->data.vmpl;
    put_u32(response, p->status);
    put_u32(response + 4, p->size != 0 ? p->size : SEV_REPORT_LEN);
    memset(response + SEV_REPORT_AT, 0xab, SEV_REPORT_LEN);
    memcpy(response + SEV_REPORT_AT + 0x50, r->data.user_data, 64);
    return 0;
}

static fake_device device_of(platform *p)
{
    return (fake_device){.path = "/fake/sev-guest", .ioctl = sev_ioctl_of, .ctx = p};
}

static void assert_report(const platform *plan, const atls_attest_options *o, size_t parts,
                          unsigned calls)
{
    platform p = *plan;
    fake_device d = device_of(&p);
    attest_os os = fake_device_os(&d);
    atls_attester *a = open_over(&os, o);
    assert_string_equal(a->name, "snp");
    atls_evidence_blob blob = good(a, 6);
    assert_string_equal(blob.type, "snp");
    assert_int_equal(blob.parts_n, parts);
    assert_string_equal(blob.parts[0].name, "report");
    assert_int_equal(blob.parts[0].len, SEV_REPORT_LEN);
    assert_memory_equal(blob.parts[0].bytes + 0x50, data_of(6).wide, 64);
    if (parts > 1) {
        assert_string_equal(blob.parts[1].name, "certs");
        assert_int_equal(blob.parts[1].len, 53);
    }
    assert_int_equal(d.calls, calls);
    assert_int_equal(p.vmpl, o->snp_vmpl != NULL ? (uint32_t)(o->snp_vmpl[0] - '0') : 0);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
    assert_int_equal(d.living, 0);
}

static void reports(void **state)
{
    (void)state;
    atls_attest_options higher = options;
    higher.snp_vmpl = "2";
    assert_report(&(platform){.certs = true}, &options, 2, 1);
    assert_report(&(platform){0}, &options, 1, 1);
    assert_report(&(platform){.certs = true, .too_small = 65536}, &options, 1, 2);
    assert_report(&(platform){.certs = true, .no_ext = true}, &options, 1, 2);
    assert_report(&(platform){.certs = true, .busy = 12}, &options, 2, 13);
    assert_report(&(platform){.certs = true}, &higher, 2, 1);
}

static void failures(void **state)
{
    (void)state;
    static const struct {
        platform p;
        const char *check, *word;
    } rows[] = {
        {{.busy = UINT32_MAX}, "attest.sev_guest.busy", "30000 ms"},
        {{.number = EIO, .fw_error = 0x17}, "attest.sev_guest.report", "0x17"},
        {{.number = EINVAL}, "attest.sev_guest.report", "nvalid"},
        {{.status = 0x16}, "attest.sev_guest.response", "VMPL"},
        {{.size = 1183}, "attest.sev_guest.response", "1183"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        platform p = rows[i].p;
        fake_device d = device_of(&p);
        attest_os os = fake_device_os(&d);
        atls_attester *a = open_over(&os, &options);
        assert_attest_fails(a, rows[i].check, rows[i].word);
        atls_attester_free(a);
        assert_int_equal(d.living, 0);
    }
}

static void device_gone(void **state)
{
    (void)state;
    platform p = {0};
    fake_device d = device_of(&p);
    attest_os os = fake_device_os(&d);
    atls_attester *a = open_over(&os, &options);
    d.open_errno = EACCES;
    assert_attest_fails(a, "attest.sev_guest.device", "udev");
    atls_attester_free(a);
    assert_not_there(&os, &options, "attest.sev_guest.device", "run as root", false);
    d.path = "/elsewhere";
    assert_not_there(&os, &options, "attest.sev_guest.device", "not loaded", true);
}

/* --- how far a table goes --- */

static size_t table_len(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1); /* so that a sanitizer sees the end */
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    size_t n = attest_cert_table_len((atls_buf){exact, len});
    free(exact);
    return n;
}

static void tables(void **state)
{
    (void)state;
    uint8_t t[200] = {[0] = 1, [16] = 72, [20] = 10, [24] = 2, [40] = 82, [44] = 30};
    assert_int_equal(table_len(t, sizeof t), 112);
    t[16] = 150; /* the first behind the second */
    assert_int_equal(table_len(t, sizeof t), 160);
    t[44] = 119; /* past the end */
    assert_int_equal(table_len(t, sizeof t), sizeof t);
    t[43] = 0xff;
    assert_int_equal(table_len(t, sizeof t), sizeof t);
    memset(t, 0, sizeof t);
    t[0] = 1; /* one that lies among the entries, and one of no bytes: the entries stay */
    t[20] = 5;
    assert_int_equal(table_len(t, sizeof t), 48);
    t[20] = 0;
    assert_int_equal(table_len(t, sizeof t), 48);
    memset(t, 0, sizeof t);
    assert_int_equal(table_len(t, sizeof t), 0);
    assert_int_equal(table_len(t, 0), 0);
    t[0] = 1; /* no end */
    for (size_t n = 1; n < 48; n++) {
        assert_int_equal(table_len(t, n), n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports),
        cmocka_unit_test(failures),
        cmocka_unit_test(device_gone),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
