/* Policies of Atlas and of dstack, read and written: post-handshake.md 1.9 to 1.11, 2.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/policy.h>

#include "base/hex.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "policy/compose_hash.h"

#define H32 "07a2388c7a6a1b6a646d443f1517990a4ec294471d63146cda9d56972765051d"
#define H48                                                                                        \
    "0f787c3877f3e95095d5a4d13dd0fe0233803b30120d8469866719dc28f519ce021fe1e53459121e7a5a4443147185a8"
#define BOOT                                                                                       \
    "{\"mrtd\":\"" H48 "\",\"rtmr0\":\"" H48 "\",\"rtmr1\":\"" H48 "\",\"rtmr2\":\"" H48 "\"}"
#define RUNTIME "\"expected_bootchain\":" BOOT ",\"os_image_hash\":\"" H32 "\""
#define COMPOSE                                                                                    \
    "\"app_compose\":{\"runner\":\"docker-compose\",\"docker_compose_file\":\"services: {}\",\"name\":\"demo\"}"

static atls_buf buf(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void compose_hashes(void **state)
{
    (void)state;
    static const struct {
        const char *json, *hash;
    } table[] = {
        {"[{\"runner\":\"docker-compose\",\"docker_compose_file\":\"services: {}\",\"name\":\"demo\"}]",
         "ed83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34"},
        {"[{\"docker_compose_file\":\"services: {}\",\"name\":\"demo\",\"runner\":\"docker-compose\"}]",
         "eba812aec814185de666f49ba48080613a80e3ff141b72bd324f53e195b3295b"},
        {"[ { \"runner\" : \"docker-compose\" ,\n\"docker_compose_file\":\"services: {}\",\"name\":\"demo\"} ]",
         "ed83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34"},
        {"[\"{\\\"runner\\\":\\\"docker-compose\\\",\\\"docker_compose_file\\\":\\\"services: {}\\\",\\\"name\\\":\\\"demo\\\"}\"]",
         "ed83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34"},
        {"[\"ED83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34\"]",
         "ed83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        json_t *root = NULL;
        char hex[65];
        char *text = NULL;
        assert_int_equal(atls_json_parse(buf(table[i].json), 4096, "t.t", &root, NULL), ATLS_OK);
        assert_int_equal(atls_compose_hash(json_array_get(root, 0), hex, &text, NULL), ATLS_OK);
        assert_string_equal(hex, table[i].hash);
        free(text);
        json_decref(root);
    }
}

static void how_texts_are_written(void **state)
{
    (void)state;
    static const char json[] =
        "[{\"b\":{},\"a\":[],\"\\u0001\\u001F\\u0008\\t\\n\\u000c\\r\\\"\\\\\\/\\u007f\\u00e9\":"
        "[-7,0,9223372036854775807,true,false,null,{\"z\":1,\"y\":2}]}]";
    static const char wanted[] =
        "{\"b\":{},\"a\":[],\"\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\xc3\xa9\":"
        "[-7,0,9223372036854775807,true,false,null,{\"z\":1,\"y\":2}]}";
    json_t *root = NULL;
    char *text = NULL;
    atls_err err = {0};
    assert_int_equal(atls_json_parse(buf(json), 4096, "t.t", &root, &err), ATLS_OK);
    assert_int_equal(atls_compose_text(json_array_get(root, 0), &text, &err), ATLS_OK);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(root);
    assert_int_equal(atls_json_parse(buf("{\"a\":[1.0]}"), 4096, "t.t", &root, &err), ATLS_OK);
    assert_int_equal(atls_compose_text(root, &text, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "convert.compose");
    json_decref(root);
}

/* theirs -> ours -> theirs -> ours: both of ours are equal. */
static void round_trip(const char *language, const char *theirs)
{
    char *ours[2];
    char *notes = NULL;
    char *again = NULL;
    atls_err err = {0};
    for (int i = 0; i < 2; i++) {
        const atls_code rc = atls_policy_convert_from(language, buf(i == 0 ? theirs : again),
                                                      &ours[i], &notes, &err);
        if (rc != ATLS_OK) {
            fail_msg("%s: %s: %s", language, err.check, err.msg);
        }
        free(notes);
        free(again);
        again = NULL;
        if (i == 0) {
            if (atls_policy_convert_to(language, buf(ours[0]), &again, &notes, &err) != ATLS_OK) {
                fail_msg("%s: %s: %s\n%s", language, err.check, err.msg, ours[0]);
            }
            free(notes);
        }
    }
    assert_string_equal(ours[0], ours[1]);
    free(ours[0]);
    free(ours[1]);
}

static const char dstack[] =
    "{\"osImages\":[\"0x" H32 "\"],\"bootchain\":[" BOOT "],\"apps\":{"
    "\"0x3763bc34552cf3a27ff71ad5f7a90471562a1a2d\":{\"composeHashes\":[\"0x" H32 "\"],"
    "\"devices\":[],\"allowAnyDevice\":true}}}";

static void round_trips(void **state)
{
    (void)state;
    round_trip("atlas", "{\"type\":\"dstack_tdx\"," RUNTIME "," COMPOSE "}");
    round_trip("atlas",
               "{\"type\":\"dstack_tdx\"," RUNTIME "," COMPOSE
               ",\"allowed_tcb_status\":[\"UpToDate\",\"OutOfDate\"],\"grace_period\":864000}");
    round_trip("atlas",
               "{\"type\":\"dstack_tdx\",\"disable_runtime_verification\":true,"
               "\"allowed_tcb_status\":[\"UpToDate\",\"SWHardeningNeeded\",\"OutOfDate\"]}");
    round_trip("dstack", dstack);
}

static void what_becomes_of_atlas(void **state)
{
    (void)state;
    static const char theirs[] =
        "{\"type\":\"dstack_tdx\"," RUNTIME "," COMPOSE
        ",\"allowed_tcb_status\":[\"UpToDate\",\"OutOfDate\",\"Revoked\"],"
        "\"grace_period\":172801,\"pccs_url\":null,\"cache_collateral\":true}";
    static const char *const wanted[] = {
        "\"ed83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34\"",
        "\"os-image-hash\"",
        "\"rtmr2\"",
        "\"grace_days\": 2",
        "\"bindings\"",
        "\"atlas\"",
    };
    char *ours = NULL;
    char *notes = NULL;
    atls_err err = {0};
    assert_int_equal(atls_policy_convert_from("atlas", buf(theirs), &ours, &notes, &err), ATLS_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_non_null(strstr(ours, wanted[i]));
    }
    assert_null(strstr(ours, "Revoked"));
    assert_non_null(strstr(notes, "Revoked"));
    assert_non_null(strstr(notes, "grace_period"));
    assert_non_null(strstr(notes, "pccs_url"));
    free(ours);
    free(notes);
}

static void refused_from(const char *language, const char *theirs, const char *check)
{
    char *ours = NULL;
    char *notes = NULL;
    atls_err err = {0};
    if (atls_policy_convert_from(language, buf(theirs), &ours, &notes, &err) != ATLS_E_USAGE) {
        fail_msg("%s is taken: %s", language, theirs);
    }
    print_message("%s: %s\n", theirs, err.msg);
    assert_string_equal(err.check, check);
}

static void what_atlas_may_not_say(void **state)
{
    (void)state;
#define ATLAS(rest) "{\"type\":\"dstack_tdx\"," rest "}"
    static const char *const table[][2] = {
        {"[]", "convert.value"},
        {"{", "convert.json"},
        {"{}", "convert.value"},
        {"{\"type\":\"other\"}", "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"type\":\"dstack_tdx\""), "convert.json"},
        {ATLAS(RUNTIME "," COMPOSE ",\"grace_perod\":1"), "convert.member"},
        {ATLAS(RUNTIME), "convert.value"},
        {ATLAS(COMPOSE), "convert.member"},
        {ATLAS("\"os_image_hash\":\"" H32 "\"," COMPOSE), "convert.member"},
        {ATLAS("\"expected_bootchain\":" BOOT "," COMPOSE), "convert.member"},
        {ATLAS("\"expected_bootchain\":{\"mrtd\":\"" H48 "\"},\"os_image_hash\":\"" H32
               "\"," COMPOSE),
         "convert.value"},
        {ATLAS("\"expected_bootchain\":" BOOT ",\"os_image_hash\":\"AA\"," COMPOSE),
         "convert.value"},
        {ATLAS(RUNTIME ",\"app_compose\":{\"a\":1.5}"), "convert.compose"},
        {ATLAS(RUNTIME "," COMPOSE ",\"allowed_tcb_status\":[]"), "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"allowed_tcb_status\":[\"Revoked\"]"), "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"allowed_tcb_status\":[7]"), "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"allowed_tcb_status\":\"UpToDate\""), "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"grace_period\":86400"), "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":0"),
         "convert.value"},
        {ATLAS(RUNTIME "," COMPOSE ",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":-1"),
         "convert.value"},
        {ATLAS("\"disable_runtime_verification\":\"yes\""), "convert.value"},
        {ATLAS("\"disable_runtime_verification\":true,\"pccs_url\":7"), "convert.value"},
        {ATLAS("\"disable_runtime_verification\":true,\"cache_collateral\":7"), "convert.value"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        refused_from("atlas", table[i][0], table[i][1]);
    }
}

static void what_dstack_may_not_say(void **state)
{
    (void)state;
#define APP  "\"3763bc34552cf3a27ff71ad5f7a90471562a1a2d\""
#define HEAD "{\"osImages\":[\"" H32 "\"],\"bootchain\":[" BOOT "],"
    static const char *const table[][2] = {
        {"{\"osImages\":[\"" H32 "\"],\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"]}}}",
         "convert.member"}, /* no bootchain */
        {HEAD "\"apps\":{}}", "convert.value"},
        {HEAD "\"apps\":{\"ab\":{\"composeHashes\":[\"" H32 "\"]}}}", "convert.value"},
        {HEAD "\"apps\":{" APP ":{\"allowAnyDevice\":true,\"composeHashes\":[]}}}",
         "convert.value"},
        {HEAD "\"apps\":{" APP ":{\"allowAnyDevice\":true,\"composeHashes\":[\"00\"]}}}",
         "convert.value"},
        {HEAD "\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"],\"devices\":[\"0x00\"]}}}",
         "convert.lossy"},
        {HEAD "\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"],\"devices\":[]}}}",
         "convert.lossy"}, /* that is no machine, and not any */
        {HEAD "\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"]}}}", "convert.lossy"},
        {HEAD "\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"],\"allowAnyDevice\":false}}}",
         "convert.lossy"},
        {HEAD "\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"],\"allowAnyDevice\":1}}}",
         "convert.value"},
        {HEAD "\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"],\"more\":1}}}", "convert.member"},
        {HEAD "\"allowAnyApp\":true,\"apps\":{" APP ":{\"composeHashes\":[\"" H32 "\"]}}}",
         "convert.member"},
        {HEAD "\"allowedTcbStatuses\":[\"snp-verified-basic-policy\"],\"apps\":{" APP
              ":{\"allowAnyDevice\":true,\"composeHashes\":[\"" H32 "\"]}}}",
         "convert.value"},
        {HEAD "\"allowedAdvisoryIds\":[1],\"apps\":{" APP
              ":{\"allowAnyDevice\":true,\"composeHashes\":[\"" H32 "\"]}}}",
         "convert.value"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        refused_from("dstack", table[i][0], table[i][1]);
    }
}

static void what_ours_says_and_theirs_cannot(void **state)
{
    (void)state;
#define OURS(rest) "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"]" rest "}]}"
#define SET                                                                                        \
    "\"tdx\":{\"mrtd\":[\"" H48 "\"],\"rtmr0\":[\"" H48 "\"],\"rtmr1\":[\"" H48                    \
    "\"],\"rtmr2\":[\"" H48 "\"]}"
    static const char *const table[] = {
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"sgx\"]}]}",
        OURS(",\"pki\":{\"names\":[\"a\"]}"),
        OURS(",\"allow\":[\"debug\"]"),
        OURS(",\"platform_may_move\":true"),
        OURS(",\"tcb\":{\"min_evaluation_number\":7}"),
        OURS(",\"bindings\":[\"atls/1\"]"),
        OURS("," SET),
        OURS(",\"tdx\":{\"mrtd\":[\"" H48 "\"]}"),
        OURS("," SET ",\"events\":[{\"name\":\"instance-id\",\"payload\":[\"00\"]}]"),
        OURS("," SET ",\"events\":[{\"name\":\"compose-hash\",\"payload\":[\"" H32 "\"]},"
             "{\"name\":\"os-image-hash\",\"payload\":[\"" H32 "\"]}]"),
        OURS("," SET ",\"events\":[{\"name\":\"os-image-hash\",\"payload\":[\"" H32
             "\"],\"required\":false}]"),
    };
    static const char *const languages[] = {"atlas", "dstack"};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            char *theirs = NULL;
            char *notes = NULL;
            atls_err err = {0};
            const bool ours_is_wrong = strstr(table[i], "\"allow\"") != NULL;
            if (k == 1 && strstr(table[i], "atls/1") != NULL) {
                continue;
            }
            print_message("%s: %s\n", languages[k], table[i]);
            assert_int_equal(
                atls_policy_convert_to(languages[k], buf(table[i]), &theirs, &notes, &err),
                ATLS_E_USAGE);
            if (!ours_is_wrong) {
                assert_string_equal(err.check, "convert.lossy");
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compose_hashes),
        cmocka_unit_test(how_texts_are_written),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(what_becomes_of_atlas),
        cmocka_unit_test(what_atlas_may_not_say),
        cmocka_unit_test(what_dstack_may_not_say),
        cmocka_unit_test(what_ours_says_and_theirs_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
