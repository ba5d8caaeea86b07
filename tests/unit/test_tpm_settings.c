/* What the options for a TPM say: keys, PCRs, authorization values; and how a TPM's response codes are read. No TPM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <tss2/tss2_common.h>

#include "attest/tpm_esys.h"
#include "attest/tpm_selection.h"
#include "attest/tpm_settings.h"

static void selections(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t banks;
        TPMI_ALG_HASH first;
        uint8_t bits[3];
        size_t n;
    } good[] = {
        {"sha256:0-15", 1, TPM2_ALG_SHA256, {0xFF, 0xFF, 0x00}, 16},
        {"sha256:7", 1, TPM2_ALG_SHA256, {0x80, 0x00, 0x00}, 1},
        {"sha1:23,0,9-10", 1, TPM2_ALG_SHA1, {0x01, 0x06, 0x80}, 4},
        {"sha384:00,07+sha256:1", 2, TPM2_ALG_SHA384, {0x81, 0x00, 0x00}, 3},
        {"sha1:0-23+sha256:0-23+sha384:0-23+sha512:0-23", 4, TPM2_ALG_SHA1, {255, 255, 255}, 96},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        TPML_PCR_SELECTION s = {0};
        atls_err err = {0};
        if (tpm_selection_read(good[i].text, &s, &err) != ATLS_OK) {
            fail_msg("%s: %s", good[i].text, err.msg);
        }
        assert_int_equal(s.count, good[i].banks);
        assert_int_equal(s.pcrSelections[0].hash, good[i].first);
        assert_int_equal(s.pcrSelections[0].sizeofSelect, 3);
        assert_memory_equal(s.pcrSelections[0].pcrSelect, good[i].bits, 3);
        assert_int_equal(tpm_selection_count(&s), good[i].n);
    }
}

static void what_selects_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "sha256",
                                      "sha256:",
                                      "sha256:24",
                                      "sha256:0,",
                                      "sha256:0,0",
                                      "sha256:5-3",
                                      "sha256:0-5,3",
                                      "md5:0",
                                      "sha256:0+sha256:1",
                                      "sha256:0+",
                                      "sha256:0 ",
                                      "sha256:-1",
                                      "sha256:1-",
                                      "sha256:100",
                                      "sha256:0sha384:0",
                                      "sha256:5-5",
                                      "SHA256:0",
                                      "sha256:0-15,24",
                                      "+sha256:0",
                                      ":0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        TPML_PCR_SELECTION s = {.count = 77};
        atls_err err = {0};
        if (tpm_selection_read(bad[i], &s, &err) != ATLS_E_USAGE) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_string_equal(err.check, "attest.tpm.pcrs");
        assert_int_equal(s.count, 77);
    }
}

/* As TPM2_PCR_Read answers: eight at a time, until nothing is left. */
static void selections_are_taken_apart(void **state)
{
    (void)state;
    TPML_PCR_SELECTION all;
    TPML_PCR_SELECTION first;
    TPML_PCR_SELECTION rest;
    TPML_PCR_SELECTION other;
    assert_int_equal(tpm_selection_read("sha256:0-9+sha384:0", &all, NULL), ATLS_OK);
    assert_int_equal(tpm_selection_read("sha256:0-7", &first, NULL), ATLS_OK);
    assert_int_equal(tpm_selection_read("sha256:8,9+sha384:0", &rest, NULL), ATLS_OK);
    assert_int_equal(tpm_selection_read("sha384:8,9+sha256:0", &other, NULL), ATLS_OK);
    tpm_selection_remove(&all, &first);
    assert_true(tpm_selection_equal(&all, &rest));
    assert_false(tpm_selection_equal(&all, &other)); /* other banks */
    assert_false(tpm_selection_equal(&all, &first));
    tpm_selection_remove(&all, &rest);
    assert_int_equal(tpm_selection_count(&all), 0);
    rest.pcrSelections[0].sizeofSelect = 2; /* fewer bytes, the same PCRs */
    assert_true(tpm_selection_equal(&rest, &rest));
    assert_string_equal(tpm_bank_name(TPM2_ALG_SHA512), "sha512");
    assert_null(tpm_bank_name(TPM2_ALG_NULL));
}

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        TPM2_HANDLE handle, template_index, cert_index;
        bool shaped, may_be_made;
    } good[] = {
        {"ecc", 0, 0, 0, true, false},
        {"rsa", 0, 0, 0, true, false},
        {"ecc@0x81010005", 0x81010005, 0, 0, true, true},
        {"0x81010005", 0x81010005, 0, 0, false, false},
        {"gcp", 0, 0x01C10003, 0x01C10002, false, false},
        {"gcp-rsa", 0, 0x01C10001, 0x01C10000, false, false},
        {"azure", 0x81000003, 0, 0x01C101D0, false, false},
        {NULL, 0x81000003, 0, 0x01C101D0, false, false}, /* the default given below */
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        tpm_settings s;
        atls_err err = {0};
        if (tpm_settings_read(&(atls_tpm_options){.ak = good[i].text}, "azure", &s, &err) !=
            ATLS_OK) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(s.ak.handle, good[i].handle);
        assert_int_equal(s.ak.template_index, good[i].template_index);
        assert_int_equal(s.ak.cert_index, good[i].cert_index);
        assert_int_equal(s.ak.shape != NULL, good[i].shaped);
        assert_int_equal(s.ak_may_be_made, good[i].may_be_made);
        assert_string_equal(s.tcti, "device:/dev/tpmrm0");
        tpm_settings_clear(&s);
    }
}

static void options_that_are_wrong(void **state)
{
    (void)state;
    uint8_t auth[65] = {0};
    char tcti[257];
    memset(tcti, 'x', 256);
    tcti[256] = '\0';
    const struct {
        atls_tpm_options o;
        const char *check;
    } bad[] = {
        {{.ak = ""}, "attest.tpm.ak_name"},
        {{.ak = "dsa"}, "attest.tpm.ak_name"},
        {{.ak = "ecc@"}, "attest.tpm.ak_name"},
        {{.ak = "ecc@0x40000001"}, "attest.tpm.ak_name"},
        {{.ak = "ecc@0x82000000"}, "attest.tpm.ak_name"},
        {{.ak = "gcp@0x81010005"}, "attest.tpm.ak_name"},
        {{.ak = "0x8101000"}, "attest.tpm.ak_name"},
        {{.ak = "0x8101000g"}, "attest.tpm.ak_name"},
        {{.ak = "0x810100050"}, "attest.tpm.ak_name"},
        {{.ak = "0x-1010005"}, "attest.tpm.ak_name"},
        {{.pcrs = "all"}, "attest.tpm.pcrs"},
        {{.tcti = tcti}, "attest.tpm.tcti"},
        {{.owner_auth = {auth, sizeof auth}}, "attest.tpm.auth"},
        {{.endorsement_auth = {auth, sizeof auth}}, "attest.tpm.auth"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tpm_settings s;
        atls_err err = {0};
        assert_int_equal(tpm_settings_read(&bad[i].o, "ecc", &s, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, bad[i].check);
    }
}

/* The number of a handle, session or parameter, and the layer that hands a response on, do not change what it says. */
static void response_codes(void **state)
{
    (void)state;
    assert_true(tpm_rc_is(0x18B, TPM2_RC_HANDLE)); /* of the first handle */
    assert_true(tpm_rc_is(0x28B, TPM2_RC_HANDLE));
    assert_true(tpm_rc_is(0x1DF, TPM2_RC_INTEGRITY)); /* of the first parameter */
    assert_true(tpm_rc_is(0x9A2, TPM2_RC_BAD_AUTH));  /* of the first session */
    assert_true(tpm_rc_is(0x902, TPM2_RC_OBJECT_MEMORY));
    assert_true(tpm_rc_is(TSS2_RESMGR_TPM_RC_LAYER | 0x902u, TPM2_RC_OBJECT_MEMORY));
    assert_false(tpm_rc_is(0x903, TPM2_RC_OBJECT_MEMORY));
    assert_false(tpm_rc_is(TSS2_ESAPI_RC_LAYER | 0x902u, TPM2_RC_OBJECT_MEMORY));
    assert_false(tpm_rc_is(0, TPM2_RC_HANDLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selections),
        cmocka_unit_test(what_selects_nothing),
        cmocka_unit_test(selections_are_taken_apart),
        cmocka_unit_test(keys),
        cmocka_unit_test(options_that_are_wrong),
        cmocka_unit_test(response_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
