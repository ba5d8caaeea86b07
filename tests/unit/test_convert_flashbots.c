/* measurements.json of Flashbots' peers: every form read, what has no place refused by name, round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <atls/policy.h>

#define D8  "0123456789abcdef"
#define D32 D8 D8 D8 D8
#define D48 D32 D8 D8
#define Z48                                                                                        \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"         \
    "000000000000"

static atls_buf text_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

/* The policy made of that text, parsed; notes may be NULL. */
static json_t *policy_of(const char *text, char **notes)
{
    char *out = NULL;
    char *said = NULL;
    atls_err err = {0};
    if (atls_policy_convert_from("flashbots", text_of(text), &out, &said, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    json_t *policy = json_loads(out, 0, NULL);
    assert_non_null(policy);
    atls_free(out);
    if (notes != NULL) {
        *notes = said;
    } else {
        atls_free(said);
    }
    return policy;
}

static json_t *workload_at(const json_t *policy, size_t i)
{
    return json_array_get(json_object_get(policy, "workloads"), i);
}

static void is_json(const json_t *found, const char *wanted)
{
    json_t *w = json_loads(wanted, 0, NULL);
    assert_non_null(w);
    if (!json_equal(found, w)) {
        char *text = json_dumps(found, 0);
        fail_msg("%s", text);
    }
    json_decref(w);
}

#define COUNTS "\"bindings\":[\"flashbots\",\"evidence-alone\"]"
#define NO_SNP                                                                                     \
    "\"snp\":{\"vmpl\":3,\"why\":\"azure-tdx is on TDX alone: Azure's SNP reports have VMPL 0\"}"

static void records(void **state)
{
    (void)state;
    char *notes = NULL;
    json_t *p =
        policy_of("[{\"measurement_id\":\"a\",\"attestation_type\":\"dcap-tdx\",\"measurements\":"
                  "{\"0\":{\"expected\":\"" D48 "\"},\"4\":{\"expected_any\":[\"" D48 "\",\"" Z48
                  "\"]},\"RTMR1\":{\"expected\":\"" D48 "\"}}},"
                  "{\"attestation_type\":\"azure-tdx\",\"measurements\":{\"4\":{\"expected\":"
                  "\"" D32 "\"},\"PCR23\":{\"expected\":\"" D32 "\"}}},"
                  "{\"measurement_id\":\"a\",\"attestation_type\":\"gcp-tdx\"}]",
                  &notes);
    assert_int_equal(json_array_size(json_object_get(p, "workloads")), 3);
    is_json(workload_at(p, 0),
            "{\"name\":\"a\",\"tees\":[\"tdx\"]," COUNTS ",\"tdx\":{\"mrtd\":[\"" D48
            "\"],\"rtmr3\":[\"" D48 "\",\"" Z48 "\"],\"rtmr1\":[\"" D48 "\"]}}");
    is_json(workload_at(p, 1), "{\"name\":\"record-2\",\"tees\":[\"azure\"]," COUNTS "," NO_SNP
                               ",\"tpm\":{\"sha256\":{\"4\":[\"" D32 "\"],\"23\":[\"" D32 "\"]}}}");
    is_json(workload_at(p, 2), "{\"name\":\"record-3\",\"tees\":[\"tdx\"]," COUNTS "}");
    assert_non_null(strstr(notes, "record 3 names no measurements"));
    assert_non_null(strstr(notes, "record 3 is called \"record-3\""));
    assert_non_null(strstr(notes, "TCB status"));
    atls_free(notes);
    json_decref(p);
}

static void other_forms(void **state)
{
    (void)state;
    json_t *p = policy_of("{\"attestation_type\":\"qemu-tdx\",\"measurements\":{\"mrtd\":"
                          "{\"expected\":\"" D48 "\"}}}",
                          NULL);
    is_json(workload_at(p, 0), "{\"name\":\"record-1\",\"tees\":[\"tdx\"]," COUNTS
                               ",\"tdx\":{\"mrtd\":[\"" D48 "\"]}}");
    json_decref(p);
    p = policy_of("{\"image-1\":{\"4\":{\"expected\":\"" D32
                  "\"}},\"image-2\":{\"11\":{\"expected\":"
                  "\"" D32 "\"}}}",
                  NULL);
    is_json(workload_at(p, 1), "{\"name\":\"image-2\",\"tees\":[\"azure\"]," COUNTS "," NO_SNP
                               ",\"tpm\":{\"sha256\":{\"11\":[\"" D32 "\"]}}}");
    json_decref(p);
    p = policy_of(
        "[{\"measurement_id\":null,\"attestation_type\":\"dcap-tdx\",\"measurements\":{}}]", NULL);
    is_json(workload_at(p, 0), "{\"name\":\"record-1\",\"tees\":[\"tdx\"]," COUNTS "}");
    json_decref(p);
}

#define TDX(more)       "[{\"attestation_type\":\"dcap-tdx\"" more "}]"
#define REG(name, rule) TDX(",\"measurements\":{\"" name "\":" rule "}")

static void what_has_no_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", ""},
        {"[", ""},
        {"[]", "no record"},
        {"{}", "no record"},
        {"[7]", "an object"},
        {"[{\"a\":1,\"a\":2}]", ""},
        {"[{\"attestation_type\":\"none\"}]", "without evidence"},
        {"[{\"attestation_type\":\"sev-snp\"}]", "are known"},
        {"[{\"attestation_type\":7}]", "as text"},
        {"[{\"measurements\":{}}]", "as text"},
        {TDX(",\"dcap_image_hashes\":{}"), "hashes of an image"},
        {"{\"kind\":\"portable\"}", "hashes of an image"},
        {TDX(",\"more\":1"), "not known"},
        {TDX(",\"measurement_id\":7"), "a text"},
        {TDX(",\"measurements\":[]"), "an object of registers"},
        {"{\"image\":[]}", "an object of registers"},
        {REG("5", "{\"expected\":\"" D48 "\"}"), "no register"},
        {REG("00", "{\"expected\":\"" D48 "\"}"), "no register"},
        {REG("", "{\"expected\":\"" D48 "\"}"), "no register"},
        {REG("pcr4", "{\"expected\":\"" D48 "\"}"), "no register"},
        {REG("-1", "{\"expected\":\"" D48 "\"}"), "no register"},
        {REG("0", "{}"), "exactly one"},
        {REG("0", "7"), "exactly one"},
        {REG("0", "{\"expected\":\"" D48 "\",\"expected_any\":[\"" D48 "\"]}"), "exactly one"},
        {REG("0", "{\"expect\":\"" D48 "\"}"), "exactly one"},
        {REG("0", "{\"expected_any\":[]}"), "at least one"},
        {REG("0", "{\"expected_any\":\"" D48 "\"}"), "at least one"},
        {REG("0", "{\"expected\":\"" D32 "\"}"), "48 bytes"},
        {REG("0", "{\"expected\":\"0x" D48 "\"}"), "48 bytes"},
        {REG("0", "{\"expected\":7}"), "48 bytes"},
        {TDX(",\"measurements\":{\"0\":{\"expected\":\"" D48 "\"},\"mrtd\":{\"expected\":\"" D48
             "\"}}"),
         "twice"},
        {"[{\"attestation_type\":\"azure-tdx\",\"measurements\":{\"24\":{\"expected\":\"" D32
         "\"}}}]",
         "no register"},
        {"[{\"attestation_type\":\"azure-tdx\",\"measurements\":{\"4\":{\"expected\":\"" D48
         "\"}}}]",
         "32 bytes"},
        {"[{\"measurement_id\":\"record-2\",\"attestation_type\":\"dcap-tdx\"},"
         "{\"attestation_type\":\"dcap-tdx\"}]",
         "twice"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *out = NULL;
        char *notes = NULL;
        atls_err err = {0};
        atls_code rc =
            atls_policy_convert_from("flashbots", text_of(bad[i].text), &out, &notes, &err);
        if (rc != ATLS_E_USAGE || strcmp(err.check, "convert.flashbots") != 0 ||
            strstr(err.msg, bad[i].says) == NULL) {
            fail_msg("%s: %d %s %s", bad[i].text, (int)rc, err.check, err.msg);
        }
        assert_null(out);
    }
}

/* Ours, of one workload with these members, in their words; the check that refuses. */
static const char *written(const char *members, char **out)
{
    char text[2048];
    char *notes = NULL;
    atls_err err = {0};
    (void)snprintf(text, sizeof text, "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",%s}]}",
                   members);
    *out = NULL;
    atls_code rc = atls_policy_convert_to("flashbots", text_of(text), out, &notes, &err);
    atls_free(notes);
    if (rc != ATLS_OK) {
        assert_int_equal(rc, ATLS_E_USAGE);
        return err.check;
    }
    return "ok";
}

static void ours_in_their_words(void **state)
{
    (void)state;
    static const struct {
        const char *members, *wanted; /* NULL: lossy */
    } cases[] = {
        {"\"tees\":[\"tdx\"]", "[{\"measurement_id\":\"a\",\"attestation_type\":\"dcap-tdx\"}]"},
        {"\"tees\":[\"tdx\"],\"why\":\"x\",\"description\":\"y\"," COUNTS
         ",\"tdx\":{\"mrtd\":[\"" D48 "\"],\"rtmr3\":[\"" D48 "\",\"" Z48 "\"],\"why\":\"z\"}",
         "[{\"measurement_id\":\"a\",\"attestation_type\":\"dcap-tdx\",\"measurements\":{\"0\":{"
         "\"expected_any\":[\"" D48 "\"]},\"4\":{\"expected_any\":[\"" D48 "\",\"" Z48 "\"]}}}]"},
        {"\"tees\":[\"tdx\"],\"tdx\":[{\"mrtd\":[\"" D48 "\"]},{\"rtmr0\":[\"" D48 "\"]}]",
         "[{\"measurement_id\":\"a\",\"attestation_type\":\"dcap-tdx\",\"measurements\":{\"0\":{"
         "\"expected_any\":[\"" D48 "\"]}}},{\"measurement_id\":\"a\",\"attestation_type\":"
         "\"dcap-tdx\",\"measurements\":{\"1\":{\"expected_any\":[\"" D48 "\"]}}}]"},
        {"\"tees\":[\"azure\"],\"snp\":{\"vmpl\":3},\"tpm\":{\"sha256\":{\"11\":[\"" D32 "\"]}}",
         "[{\"measurement_id\":\"a\",\"attestation_type\":\"azure-tdx\",\"measurements\":{\"11\":{"
         "\"expected_any\":[\"" D32 "\"]}}}]"},
        {"\"tees\":[\"azure\"],\"snp\":{\"vmpl\":3}",
         "[{\"measurement_id\":\"a\",\"attestation_type\":\"azure-tdx\"}]"},
        {"\"tees\":[\"azure\"],\"tpm\":{\"sha256\":{\"11\":[\"" D32 "\"]}}", NULL},
        {"\"tees\":[\"azure\"],\"snp\":{\"vmpl\":0}", NULL},
        {"\"tees\":[\"azure\"],\"snp\":{\"vmpl\":3},\"tpm\":{\"sha256\":{\"11\":[\"" D32
         "\"]},\"safe\":true}",
         NULL},
        {"\"tees\":[\"azure\"],\"snp\":{\"vmpl\":3},\"tpm\":{\"sha384\":{\"11\":[\"" D48 "\"]}}",
         NULL},
        {"\"tees\":[\"azure\"],\"snp\":{\"vmpl\":3},\"tdx\":{\"mrtd\":[\"" D48 "\"]}", NULL},
        {"\"tees\":[\"snp\"]", NULL},
        {"\"tees\":[\"tdx\",\"azure\"]", NULL},
        {"\"tees\":[\"tdx\"],\"tdx\":{\"mrconfigid\":[\"" D48 "\"]}", NULL},
        {"\"tees\":[\"tdx\"],\"tcb\":{\"statuses\":[\"UpToDate\"]}", NULL},
        {"\"tees\":[\"tdx\"],\"allow\":{\"debug\":true}", NULL},
        {"\"tees\":[\"tdx\"],\"bindings\":[\"atls/1\"]", NULL},
        {"\"tees\":[\"tdx\"],\"bindings\":[\"flashbots\",\"atlas\"]", NULL},
        {"\"tees\":[\"tdx\"],\"bindings\":[\"evidence-alone\"]", NULL},
        {"\"tees\":[\"tdx\"],\"fmspc\":[\"00806f050000\"]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *out = NULL;
        const char *check = written(cases[i].members, &out);
        if (cases[i].wanted == NULL) {
            if (strcmp(check, "convert.lossy") != 0) {
                fail_msg("%s: %s", cases[i].members, check);
            }
            assert_null(out);
            continue;
        }
        if (strcmp(check, "ok") != 0) {
            fail_msg("%s: %s", cases[i].members, check);
        }
        json_t *found = json_loads(out, 0, NULL);
        is_json(found, cases[i].wanted);
        json_decref(found);
        /* And back: the same demands. */
        json_t *back = policy_of(out, NULL);
        assert_int_equal(json_array_size(json_object_get(back, "workloads")), i == 2 ? 2 : 1);
        json_decref(back);
        atls_free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(other_forms),
        cmocka_unit_test(what_has_no_place),
        cmocka_unit_test(ours_in_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
