/* /dev/nsm, and the CBOR that is spoken there. */
#include <errno.h>
#include <stdlib.h>

#include "attest/nsm.h"
#include "attest/nsm_message.h"
#include "base/writer.h"
#include "codec/cbor.h"
#include "unit/attest_rig.h"
#include "unit/fake_device.h"

static const atls_attest_options options = {.source = "nsm", .nsm_device = "/fake/nsm"};

typedef struct module {
    int number; /* every call fails so, the first `times` of them */
    unsigned times;
    const char *answer; /* instead of a document */
    size_t answer_len, says_len;
    uint8_t request[NSM_REQUEST_MAX];
    size_t request_len;
} module;

/* The module's document holds the request: nonce and key are in it. */
static int nsm_ioctl(fake_device *d, unsigned long request, void *arg)
{
    module *m = d->ctx;
    nsm_call *call = arg;
    if (request != NSM_CALL || call->response.iov_len != NSM_RESPONSE_MAX) {
        return fake_errno(ENOTTY);
    }
    if (m->times > 0) {
        m->times -= m->times != UINT32_MAX;
        return fake_errno(m->number);
    }
    m->request_len = call->request.iov_len;
    memcpy(m->request, call->request.iov_base, m->request_len);
    atls_writer w = atls_writer_of(call->response.iov_base, call->response.iov_len);
    if (m->answer != NULL) {
        atls_writer_bytes(&w, (atls_buf){(const uint8_t *)m->answer, m->answer_len});
    } else {
        atls_writer_text(&w, "\xa1\x6b"
                             "Attestation"
                             "\xa1\x68"
                             "document");
        atls_cbor_write_string(&w, ATLS_CBOR_BYTES, (atls_buf){m->request, m->request_len});
    }
    call->response.iov_len = m->says_len != 0 ? m->says_len : atls_writer_done(&w).len;
    return 0;
}

static fake_device device_of(module *m)
{
    return (fake_device){.path = "/fake/nsm", .ioctl = nsm_ioctl, .ctx = m};
}

static void a_document(void **state)
{
    (void)state;
    module m = {.number = EINTR, .times = 3};
    fake_device d = device_of(&m);
    attest_os os = fake_device_os(&d);
    atls_attester *a = open_over(&os, &options);
    assert_string_equal(a->name, "nitro");
    atls_evidence_blob blob = good(a, 0x21);
    assert_string_equal(blob.type, "nitro");
    assert_int_equal(blob.parts_n, 1);
    assert_string_equal(blob.parts[0].name, "document");
    assert_int_equal(blob.parts[0].len, m.request_len);
    static const char head[] = "\xa1\x6b"
                               "Attestation"
                               "\xa3\x69"
                               "user_data"
                               "\xf6\x65"
                               "nonce"
                               "\x58\x40";
    static const char tail[] = "\x6a"
                               "public_key"
                               "\xf6";
    assert_int_equal(m.request_len, sizeof head - 1 + 64 + sizeof tail - 1);
    assert_memory_equal(m.request, head, sizeof head - 1);
    assert_memory_equal(m.request + sizeof head - 1, data_of(0x21).wide, 64);
    assert_memory_equal(m.request + sizeof head - 1 + 64, tail, sizeof tail - 1);
    atls_evidence_blob_clear(&blob);
    atls_attester_free(a);
    assert_int_equal(d.living, 0);
}

static void keys(void **state)
{
    (void)state;
    module m = {0};
    fake_device d = device_of(&m);
    attest_os os = fake_device_os(&d);
    atls_attester *a = open_over(&os, &options);
    uint8_t key[NSM_PUBLIC_KEY_MAX + 1];
    memset(key, 0x5a, sizeof key);
    atls_report_data data = data_of(1);
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    data.spki = key;
    data.spki_len = NSM_PUBLIC_KEY_MAX;
    assert_int_equal(a->attest(a->self, &data, &blob, &err), ATLS_OK);
    assert_memory_equal(m.request + m.request_len - NSM_PUBLIC_KEY_MAX - 3, "\x59\x04\x00", 3);
    assert_memory_equal(m.request + m.request_len - NSM_PUBLIC_KEY_MAX, key, NSM_PUBLIC_KEY_MAX);
    atls_evidence_blob_clear(&blob);
    data.spki_len++;
    assert_int_equal(a->attest(a->self, &data, &blob, &err), ATLS_E_SYSTEM);
    assert_told(&err, "attest.nsm.public_key", "1025");
    atls_attester_free(a);
}

#define BYTES(text) text, sizeof text - 1

static void failures(void **state)
{
    (void)state;
    static const struct {
        module m;
        const char *check, *word;
    } rows[] = {
        {{.number = EMSGSIZE, .times = UINT32_MAX}, "attest.nsm.ioctl", "too large"},
        {{.number = ENOTTY, .times = UINT32_MAX}, "attest.nsm.ioctl", "no Nitro"},
        {{.number = EBUSY, .times = UINT32_MAX}, "attest.nsm.ioctl", "busy"},
        {{0,
          0,
          BYTES("\xa1\x65"
                "Error"
                "\x6c"
                "InputTooLarg"),
          0,
          {0},
          0},
         "attest.nsm.error",
         "not known"},
        {{0,
          0,
          BYTES("\xa1\x65"
                "Error"
                "\x6d"
                "InputTooLarge"),
          0,
          {0},
          0},
         "attest.nsm.error",
         "InputTooLarge"},
        {{0,
          0,
          BYTES("\xa1\x65"
                "Error"
                "\x6d"
                "InternalError"),
          0,
          {0},
          0},
         "attest.nsm.error",
         "InternalError"},
        {{0,
          0,
          BYTES("\xa1\x6b"
                "Attestation"
                "\xa1\x68"
                "document"
                "\x40"),
          0,
          {0},
          0},
         "attest.nsm.response",
         "no document"},
        {{0,
          0,
          BYTES("\x6b"
                "DescribeNSM"),
          0,
          {0},
          0},
         "attest.nsm.response",
         "no document"},
        {{.says_len = NSM_RESPONSE_MAX + 1}, "attest.nsm.response", "12289"},
        {{0,
          0,
          BYTES("\xa1\x6b"
                "Attestation"
                "\xa1\x68"
                "document"
                "\x41x"),
          0,
          {0},
          0},
         "attest.report_data",
         "other report data"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        module m = rows[i].m;
        fake_device d = device_of(&m);
        attest_os os = fake_device_os(&d);
        atls_attester *a = open_over(&os, &options);
        assert_attest_fails(a, rows[i].check, rows[i].word);
        atls_attester_free(a);
        assert_int_equal(d.living, 0);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    static const char whole[] = "\xa1\x6b"
                                "Attestation"
                                "\xa1\x68"
                                "document"
                                "\x44"
                                "abcd"
                                "\x00";
    atls_buf document = {0};
    for (size_t len = 0; len < sizeof whole; len++) { /* the last one has a byte too many */
        uint8_t *exact = malloc(len > 0 ? len : 1);
        assert_non_null(exact);
        memcpy(exact, whole, len);
        atls_err err = {0};
        atls_code rc = nsm_read_response((atls_buf){exact, len}, &document, &err);
        if (len == sizeof whole - 2) {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(document.len, 4);
            assert_memory_equal(document.ptr, "abcd", 4);
        } else {
            assert_int_equal(rc, ATLS_E_SYSTEM);
            assert_string_equal(err.check, "attest.nsm.response");
        }
        free(exact);
    }
}

static void no_device(void **state)
{
    (void)state;
    module m = {0};
    fake_device d = device_of(&m);
    attest_os os = fake_device_os(&d);
    d.open_errno = EACCES;
    assert_not_there(&os, &options, "attest.nsm.device", "udev", false);
    d.open_errno = ENXIO;
    assert_not_there(&os, &options, "attest.nsm.device", "no Nitro enclave", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document),       cmocka_unit_test(keys),      cmocka_unit_test(failures),
        cmocka_unit_test(every_truncation), cmocka_unit_test(no_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
