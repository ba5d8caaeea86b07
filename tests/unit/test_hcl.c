/* The paravisor's report, laid out, and the key in its runtime data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "evidence/tpm/hcl.h"
#include "evidence/tpm/hcl_runtime.h"

/* A modulus of 2048 bits, all 0xa5. */
#define N                                                                                          \
    "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl" \
    "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl" \
    "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl" \
    "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpQ"
#define AK(n) "{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" n "\"}"

static const char good_json[] =
    "{\"keys\":[{\"kid\":\"HCLEkPub\"}," AK(N) "],\"vm-configuration\":{\"vmUniqueId\":\"VM\"}}";

#define ZEROS_BEHIND 7

static size_t make(const char *json, uint8_t out[4096])
{
    const uint32_t len = (uint32_t)strlen(json);
    atls_writer w = atls_writer_of(out, 4096);
    atls_writer_text(&w, "HCLA");
    atls_writer_u32le(&w, 2);
    atls_writer_u32le(&w, 0x4d4 + len);
    atls_writer_u32le(&w, 2);
    atls_writer_zeros(&w, 16 + ATLS_HCL_SNP_LEN);
    atls_writer_u32le(&w, 20 + len);
    atls_writer_u32le(&w, 1);
    atls_writer_u32le(&w, 4);
    atls_writer_u32le(&w, 1);
    atls_writer_u32le(&w, len);
    atls_writer_text(&w, json);
    atls_writer_zeros(&w, ZEROS_BEHIND);
    return atls_writer_done(&w).len;
}

static void every_length(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    atls_hcl h;
    const size_t len = make(good_json, bytes);
    for (size_t n = 0; n <= len; n++) {
        atls_err err = {0};
        const atls_code rc = atls_hcl_parse((atls_buf){bytes, n}, &h, &err);
        if (n >= len - ZEROS_BEHIND) {
            assert_int_equal(rc, ATLS_OK);
            assert_true(h.is_tdx && h.version == 2 && h.hash_type == 1);
            assert_int_equal(h.runtime.len, strlen(good_json));
            assert_memory_equal(h.runtime.ptr, good_json, h.runtime.len);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, "tpm.hcl.length");
        }
    }
    static const uint8_t large[ATLS_HCL_MAX_LEN + 1];
    atls_err err = {0};
    assert_int_equal(atls_hcl_parse((atls_buf){large, sizeof large}, &h, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.hcl.length");
}

static void every_field(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {0, 'h', "tpm.hcl.magic"},    {4, 0, "tpm.hcl.version"},     {4, 3, "tpm.hcl.version"},
        {0x0c, 1, "tpm.hcl.version"}, {0x4c4, 2, "tpm.hcl.version"}, {0x4c8, 3, "tpm.hcl.type"},
        {0x4cc, 0, "tpm.hcl.hash"},   {0x4cc, 4, "tpm.hcl.hash"},    {0x08, 1, "tpm.hcl.sizes"},
        {0x4c0, 1, "tpm.hcl.sizes"},  {0x4d0, 1, "tpm.hcl.sizes"},   {0x4d3, 1, "tpm.hcl.sizes"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[4096];
        atls_hcl h;
        atls_err err = {0};
        const size_t len = make(good_json, bytes);
        bytes[bad[i].at] = bad[i].value;
        assert_int_equal(atls_hcl_parse((atls_buf){bytes, len}, &h, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, bad[i].check);
    }
    uint8_t bytes[4096];
    atls_hcl h;
    atls_err err = {0};
    const size_t len = make(good_json, bytes);
    bytes[len - 1] = 1;
    assert_int_equal(atls_hcl_parse((atls_buf){bytes, len}, &h, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "tpm.hcl.trailing");
}

static void the_key_in_the_runtime_data(void **state)
{
    (void)state;
    static const struct {
        const char *json, *check;
    } cases[] = {
        {good_json, ""},
        {"{\"keys\":[" AK(N) "]}", ""},
        {"{\"keys\":[" AK(N) "]", "tpm.hcl.json"},
        {"{\"keys\":[" AK(N) "],\"keys\":[]}", "tpm.hcl.json"},
        {"{\"keys\":[" AK(N) "," AK(N) "]}", "tpm.hcl.ak"},
        {"{\"keys\":[{\"kid\":\"HCLEkPub\"}]}", "tpm.hcl.ak"},
        {"{}", "tpm.hcl.ak"},
        {"{\"keys\":[" AK("") "]}", "tpm.hcl.ak"},
        {"{\"keys\":[" AK("AQAB") "]}", "tpm.hcl.ak"},
        {"{\"keys\":[" AK(N "=") "]}", "tpm.hcl.ak"},
        {"{\"keys\":[" AK("+" N) "]}", "tpm.hcl.ak"},
        {"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"EC\"}]}", "tpm.hcl.ak"},
        {"{\"keys\":[" AK(N) "],\"vm-configuration\":{\"vmUniqueId\":7}}", "tpm.hcl.vm_id"},
        {"{\"keys\":[" AK(N) "],\"vm-configuration\":{\"vmUniqueId\":"
                             "\"0123456789012345678901234567890123456789\"}}",
         "tpm.hcl.vm_id"},
    };
    atls_kept_cache *cache = atls_kept_cache_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_hcl_runtime *r = NULL, *again = NULL;
        atls_err err = {0};
        const atls_buf json = {(const uint8_t *)cases[i].json, strlen(cases[i].json)};
        const atls_code rc = atls_hcl_runtime_get(cache, json, &r, &err);
        if (strcmp(rc == ATLS_OK ? "" : err.check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].json, rc == ATLS_OK ? "taken" : err.check);
        }
        if (rc == ATLS_OK) {
            assert_string_equal(r->vm_id, i == 0 ? "VM" : "");
            assert_int_equal(atls_public_key_size(r->ak), 256);
            assert_int_equal(atls_hcl_runtime_get(cache, json, &again, NULL), ATLS_OK);
            assert_ptr_equal(again, r);
            atls_kept_free(again);
        }
        atls_kept_free(r);
    }
    atls_kept_cache_free(cache);
}

#define ZEROS_63                                                                                   \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"   \
    "000000000000000000000000000000000000"

static void what_the_guest_gave_is_64_bytes_in_hex(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_there;
    } cases[] = {{"\"" ZEROS_63 "aB\"", true},
                 {"\"" ZEROS_63 "aBc\"", false},
                 {"\"" ZEROS_63 "\"", false},
                 {"\"" ZEROS_63 "0g\"", false},
                 {"\"" ZEROS_63 "0000\"", false},
                 {"\"\"", false},
                 {"171", false},
                 {"null", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[2000];
        atls_kept_cache *cache = atls_kept_cache_new();
        atls_hcl_runtime *r = NULL;
        const int len =
            snprintf(json, sizeof json, "{\"keys\":[" AK(N) "],\"user-data\":%s}", cases[i].value);
        assert_int_equal(
            atls_hcl_runtime_get(cache, (atls_buf){(uint8_t *)json, (size_t)len}, &r, NULL),
            ATLS_OK);
        assert_int_equal(r->has_user_data, cases[i].is_there);
        assert_true(!cases[i].is_there || r->user_data[63] == 0xab);
        atls_kept_free(r);
        atls_kept_cache_free(cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(every_field),
        cmocka_unit_test(the_key_in_the_runtime_data),
        cmocka_unit_test(what_the_guest_gave_is_64_bytes_in_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
