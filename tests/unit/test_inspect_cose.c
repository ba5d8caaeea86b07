/* What people see of documents of AWS Nitro and tokens of Arm CCA, whole, broken and cut short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/atls.h>
#include <atls/sim.h>

static void make(const char *world, const char *variant, const char *fault, atls_evidence_blob *out)
{
    atls_sim_world *w = NULL;
    const atls_sim_request request = {.variant = variant, .fault = fault};
    assert_int_equal(atls_sim_world_new(world, 1760000000, &w, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_make(w, &request, out, NULL), ATLS_OK);
    atls_sim_world_free(w);
}

static void assert_shows(const char *world, const char *variant, const char *fault,
                         const char *const *wanted)
{
    atls_evidence_blob blob = {0};
    char *text = NULL;
    atls_err err = {0};
    make(world, variant, fault, &blob);
    if (atls_inspect((atls_buf){blob.parts[0].bytes, blob.parts[0].len}, false, &text, &err) !=
        ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    for (size_t i = 0; wanted[i] != NULL; i++) {
        if (strstr(text, wanted[i]) == NULL) {
            fail_msg("no \"%s\" in\n%s", wanted[i], text);
        }
    }
    atls_free(text);
    atls_evidence_blob_clear(&blob);
}

static void documents_of_nitro(void **state)
{
    (void)state;
    static const char *const enclave[] = {"AWS Nitro Enclaves",
                                          "i-0123456789abcdef0-enc0123456789abcdef",
                                          "2025-10-09T08:53:20Z",
                                          "0: enclave image",
                                          "8: signing certificate",
                                          "debug_mode: no",
                                          "user_data: not set",
                                          "ES384",
                                          "atls simulator",
                                          "keyCertSign",
                                          "digitalSignature",
                                          "no signature was checked",
                                          NULL};
    static const char *const debug[] = {"0: enclave image: zero", "debug_mode: yes", NULL};
    static const char *const tpm[] = {"AWS NitroTPM", "nitrotpm_pcrs", NULL};
    assert_shows("nitro", "plain", NULL, enclave);
    assert_shows("nitro", "tag18", "debug", debug);
    assert_shows("nitro", "nitrotpm", NULL, tpm);
    static const char *const broken[] = {"[cert.pem]", NULL};
    assert_shows("nitro", "plain", "zonal.certificate", broken);
}

static void tokens_of_cca(void **state)
{
    (void)state;
    static const char *const usual[] = {"Arm CCA token",
                                        "tag:arm.com,2023:cca_platform#1.0.0",
                                        "tag:arm.com,2023:realm#1.0.0",
                                        "lifecycle_state: secured",
                                        "type: RMM",
                                        "sha-512",
                                        "extensible_measurements",
                                        NULL};
    static const char *const legacy[] = {"none: the legacy form", "http://arm.com/CCA-SSD/1.0.0",
                                         NULL};
    static const char *const debug[] = {"recoverable platform RoT debug", NULL};
    static const char *const broken[] = {"[cca.platform.profile]", "initial_measurement", NULL};
    assert_shows("cca", NULL, NULL, usual);
    assert_shows("cca", "legacy", NULL, legacy);
    assert_shows("cca", "es256", "lifecycle.recoverable", debug);
    assert_shows("cca", NULL, "platform.profile", broken);
}

static void every_truncation_is_refused_or_shown(void **state)
{
    (void)state;
    static const char *const worlds[] = {"nitro", "cca"};
    for (size_t i = 0; i < 2; i++) {
        atls_evidence_blob blob = {0};
        make(worlds[i], NULL, NULL, &blob);
        for (size_t n = 0; n < blob.parts[0].len; n++) {
            char *text = NULL;
            atls_err err = {0};
            assert_int_equal(atls_inspect((atls_buf){blob.parts[0].bytes, n}, true, &text, &err),
                             ATLS_E_INVALID);
            assert_non_null(err.check);
        }
        atls_evidence_blob_clear(&blob);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_of_nitro),
        cmocka_unit_test(tokens_of_cca),
        cmocka_unit_test(every_truncation_is_refused_or_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
