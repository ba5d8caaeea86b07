/* Enclave identities: what is read, each member wrong alone, and all collateral there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "trust/tcb_info.h"
#include "unit/edited_text.h"

#define FORMAT  "qe_identity.format"
#define VERSION "qe_identity.version"

#define LEVEL(svn, status)                                                                         \
    "{\"tcb\":{\"isvsvn\":" svn "},\"tcbDate\":\"2023-08-09T00:00:00Z\",\"tcbStatus\":\"" status   \
    "\"}"
#define MRSIGNER "0102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define LEVELS                                                                                     \
    "[" LEVEL("4", "OutOfDate") "," LEVEL("6", "UpToDate") "," LEVEL(                              \
        "6",                                                                                       \
        "Revoked") ",{\"tcb\":{\"isvsvn\":1},"                                                     \
                   "\"tcbDate\":\"2023-08-09T00:00:00Z\",\"tcbStatus\":\"ConfigurationNeeded\",\"advisoryIDs\":[\"INTEL-SA-00615\"]}]"

static const char good[] =
    "{\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"2025-06-19T10:16:03Z\",\"nextUpdate\":\"2025-07-19T10:16:03Z\","
    "\"tcbEvaluationDataNumber\":17,\"miscselect\":\"01000000\",\"miscselectMask\":\"FFfeFDFC\","
    "\"attributes\":\"11000000000000000000000000000000\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
    "\"mrsigner\":\"" MRSIGNER "\",\"isvprodid\":2,\"tcbLevels\":" LEVELS "}";

static atls_buf buf_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static atls_qe_identity *must_parse(atls_buf text)
{
    atls_qe_identity *identity = NULL;
    atls_err err = {0};
    if (atls_qe_identity_parse(text, &identity, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return identity;
}

static void must_refuse(atls_buf text, const char *what, const char *check, const char *says)
{
    atls_qe_identity *identity = NULL;
    atls_err err = {0};
    atls_code rc = atls_qe_identity_parse(text, &identity, &err);
    if (rc != ATLS_E_INVALID || identity != NULL || strcmp(err.check, check) != 0 ||
        strstr(err.msg, says) == NULL) {
        fail_msg("%s: code %d, check %s: %s", what, (int)rc, err.check != NULL ? err.check : "-",
                 err.msg);
    }
}

static void an_identity_is_read_in_file_order(void **state)
{
    (void)state;
    atls_qe_identity *identity = must_parse(buf_of(good));
    assert_int_equal(identity->id, ATLS_QE_ID_TD_QE);
    assert_int_equal(identity->issue_date_s, 1750328163);
    assert_int_equal(identity->next_update_s, 1752920163);
    assert_int_equal(identity->evaluation_number, 17);
    assert_int_equal(identity->miscselect, 1);
    assert_int_equal(identity->miscselect_mask, 0xfcfdfeffu);
    assert_int_equal(identity->attributes[0], 0x11);
    assert_int_equal(identity->attributes_mask[0], 0xfb);
    assert_int_equal(identity->attributes_mask[8], 0);
    for (uint8_t i = 0; i < 32; i++) {
        assert_int_equal(identity->mrsigner[i], i + 1);
    }
    assert_int_equal(identity->isvprodid, 2);
    assert_int_equal(identity->levels_n, 4);
    static const struct {
        uint32_t isvsvn;
        atls_tcb_status status;
    } want[] = {{4, ATLS_TCB_OUT_OF_DATE},
                {6, ATLS_TCB_UP_TO_DATE},
                {6, ATLS_TCB_REVOKED}, /* no sorting, so no question of equal keys */
                {1, ATLS_TCB_CONFIGURATION_NEEDED}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(identity->levels[i].isvsvn, want[i].isvsvn);
        assert_int_equal(identity->levels[i].status, want[i].status);
        assert_int_equal(identity->levels[i].date_s, 1691539200);
    }
    assert_int_equal(identity->levels[0].advisories.n, 0);
    assert_int_equal(identity->levels[3].advisories.n, 1);
    assert_string_equal(identity->levels[3].advisories.ids[0], "INTEL-SA-00615");
    atls_qe_identity_free(identity);
    atls_qe_identity_free(NULL);
}

static void every_truncation_and_anything_behind_is_refused(void **state)
{
    (void)state;
    size_t len = strlen(good);
    for (size_t n = 0; n < len; n++) {
        uint8_t *copy = malloc(n > 0 ? n : 1);
        assert_non_null(copy);
        memcpy(copy, good, n);
        must_refuse((atls_buf){copy, n}, "truncated", FORMAT, "line 1");
        free(copy);
    }
    must_refuse((atls_buf){(const uint8_t *)good, len + 1}, "NUL behind", FORMAT, "NUL");
    char *big = malloc(1024 * 1024 + 1);
    assert_non_null(big);
    memset(big, ' ', 1024 * 1024 + 1);
    memcpy(big, good, len);
    atls_qe_identity_free(must_parse((atls_buf){(uint8_t *)big, 1024 * 1024}));
    must_refuse((atls_buf){(uint8_t *)big, 1024 * 1024 + 1}, "over 1 MiB", FORMAT, "1048577 bytes");
    big[len] = '1';
    must_refuse((atls_buf){(uint8_t *)big, len + 1}, "digit behind", FORMAT, "text behind");
    free(big);
}

static void each_member_missing_or_twice(void **state)
{
    (void)state;
    static const char *const names[] = {
        "id",         "version",        "issueDate",  "nextUpdate",     "tcbEvaluationDataNumber",
        "miscselect", "miscselectMask", "attributes", "attributesMask", "mrsigner",
        "isvprodid",  "tcbLevels"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char find[64];
        char other[64];
        char says[64];
        (void)snprintf(find, sizeof find, "\"%s\":", names[i]);
        (void)snprintf(other, sizeof other, "\"%s_\":", names[i]);
        (void)snprintf(says, sizeof says, "\"%s\": is missing", names[i]);
        atls_buf edited = edited_text(good, find, other);
        must_refuse(edited, names[i], FORMAT, says);
        free((void *)(uintptr_t)edited.ptr);
        json_t *whole = json_loads(good, 0, NULL);
        char *value = json_dumps(json_object_get(whole, names[i]), JSON_ENCODE_ANY | JSON_COMPACT);
        assert_non_null(value);
        char *member = malloc(strlen(value) + 160);
        assert_non_null(member);
        (void)snprintf(member, strlen(value) + 160, "%s%s,%s", find, value, find);
        (void)snprintf(says, sizeof says, "\"%s\": stands twice", names[i]);
        edited = edited_text(good, find, member);
        must_refuse(edited, names[i], FORMAT, says);
        free((void *)(uintptr_t)edited.ptr);
        free(member);
        free(value);
        json_decref(whole);
    }
}

static const struct {
    const char *what;
    const char *find;
    const char *replacement;
    const char *check;
    const char *says;
} bad[] = {
    {"id unknown", "\"TD_QE\"", "\"PCE\"", FORMAT, "QE, TD_QE or QVE"},
    {"id in lower case", "\"TD_QE\"", "\"td_qe\"", FORMAT, "QE, TD_QE or QVE"},
    {"id a number", "\"TD_QE\"", "2", FORMAT, "\"id\": string"},
    {"version 1", "\"version\":2", "\"version\":1", VERSION, "1, where 2"},
    {"version 3", "\"version\":2", "\"version\":3", VERSION, "3, where 2"},
    {"version text", "\"version\":2", "\"version\":\"2\"", FORMAT, "\"version\": integer"},
    {"version real", "\"version\":2", "\"version\":2.0", FORMAT, "\"version\": integer"},
    {"version negative", "\"version\":2", "\"version\":-2", FORMAT, "\"version\": integer"},
    {"version beyond 32 bits", "\"version\":2", "\"version\":4294967298", FORMAT,
     "\"version\": integer"},
    {"issueDate bad", "2025-06-19T10:16:03Z", "2025-06-19 10:16:03Z", FORMAT,
     "\"issueDate\": date"},
    {"nextUpdate bad", "2025-07-19T10:16:03Z", "2025-07-19T10:16:60Z", FORMAT,
     "\"nextUpdate\": date"},
    {"nextUpdate a number", "\"2025-07-19T10:16:03Z\"", "1", FORMAT, "\"nextUpdate\": string"},
    {"number negative", "Number\":17", "Number\":-17", FORMAT,
     "\"tcbEvaluationDataNumber\": integer"},
    {"miscselect short", "\"01000000\"", "\"010000\"", FORMAT, "\"miscselect\": 8 hex"},
    {"miscselect long", "\"01000000\"", "\"0100000000\"", FORMAT, "\"miscselect\": 8 hex"},
    {"miscselect a number", "\"01000000\"", "1000000", FORMAT, "\"miscselect\": string"},
    {"miscselectMask not hex", "FFfeFDFC", "FFfeFDF ", FORMAT, "\"miscselectMask\": 8 hex"},
    {"attributes short", "\"1100000000000000", "\"11000000000000", FORMAT,
     "\"attributes\": 32 hex"},
    {"attributesMask long", "\"FBFF", "\"FBFFFF", FORMAT, "\"attributesMask\": 32 hex"},
    {"mrsigner short", MRSIGNER, "00", FORMAT, "\"mrsigner\": 64 hex"},
    {"isvprodid over 16 bits", "\"isvprodid\":2", "\"isvprodid\":65536", FORMAT,
     "integer of 0 to 65535"},
    {"isvprodid negative", "\"isvprodid\":2", "\"isvprodid\":-2", FORMAT, "\"isvprodid\": integer"},
    {"levels empty", LEVELS, "[]", FORMAT, "no level"},
    {"levels an object", LEVELS, "{}", FORMAT, "\"tcbLevels\": array"},
    {"level null", LEVELS, "[null]", FORMAT, "\"tcbLevels\": object"},
    {"isvsvn of 33 bits", "{\"isvsvn\":4}", "{\"isvsvn\":4294967296}", FORMAT,
     "\"isvsvn\": integer"},
    {"isvsvn missing", "{\"isvsvn\":4}", "{}", FORMAT, "\"isvsvn\": is missing"},
    {"tcb missing", "{\"tcb\"", "{\"tcbx\"", FORMAT, "\"tcb\": is missing"},
    {"tcbDate missing", "\"tcbDate\":\"2023-08-09T00:00:00Z\",", "", FORMAT,
     "\"tcbDate\": is missing"},
    {"tcbDate bad", "2023-08-09T00:00:00Z", "2023-08-09", FORMAT, "\"tcbDate\": date"},
    {"tcbStatus missing", ",\"tcbStatus\":\"OutOfDate\"", "", FORMAT, "\"tcbStatus\": is missing"},
    {"tcbStatus unknown", "\"OutOfDate\"", "\"Fine\"", FORMAT, "status that a quoting enclave"},
    {"tcbStatus SWHardeningNeeded", "\"OutOfDate\"", "\"SWHardeningNeeded\"", FORMAT,
     "status that"},
    {"tcbStatus both", "\"OutOfDate\"", "\"ConfigurationAndSWHardeningNeeded\"", FORMAT,
     "status that"},
    {"tcbStatus a conclusion", "\"OutOfDate\"", "\"TDRelaunchAdvised\"", FORMAT, "status that"},
    {"advisories null", "[\"INTEL-SA-00615\"]", "null", FORMAT, "\"advisoryIDs\": array"},
    {"advisory of 33 bytes", "INTEL-SA-00615", "INTEL-SA-000000000000000000000615", FORMAT,
     "1 to 32 bytes"},
    {"foreign member twice", "\"mrsigner\"", "\"x\":1,\"x\":1,\"mrsigner\"", FORMAT, "has already"},
    {"too deep", "\"mrsigner\"", "\"x\":[[[[[[[[]]]]]]]],\"mrsigner\"", FORMAT, "too deep"},
    {"not UTF-8", "\"mrsigner\"", "\"x\":\"\xff\",\"mrsigner\"", FORMAT, "UTF-8"},
    {"NUL inside", "\"mrsigner\"", "\"x\":\"\\u0000\",\"mrsigner\"", FORMAT, "NUL"},
};

static void each_member_wrong_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_buf edited = edited_text(good, bad[i].find, bad[i].replacement);
        must_refuse(edited, bad[i].what, bad[i].check, bad[i].says);
        free((void *)(uintptr_t)edited.ptr);
    }
}

static void each_id_and_status_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *find;
        const char *replacement;
        atls_qe_id id;
        atls_tcb_status status;
    } rows[] = {
        {"\"TD_QE\"", "\"QE\"", ATLS_QE_ID_QE, ATLS_TCB_OUT_OF_DATE},
        {"\"TD_QE\"", "\"QVE\"", ATLS_QE_ID_QVE, ATLS_TCB_OUT_OF_DATE},
        {"\"OutOfDate\"", "\"UpToDate\"", ATLS_QE_ID_TD_QE, ATLS_TCB_UP_TO_DATE},
        {"\"OutOfDate\"", "\"Revoked\"", ATLS_QE_ID_TD_QE, ATLS_TCB_REVOKED},
        {"\"OutOfDate\"", "\"ConfigurationNeeded\"", ATLS_QE_ID_TD_QE,
         ATLS_TCB_CONFIGURATION_NEEDED},
        {"\"OutOfDate\"", "\"OutOfDateConfigurationNeeded\"", ATLS_QE_ID_TD_QE,
         ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED},
        {"\"mrsigner\"", "\"new\":{\"a\":1},\"mrsigner\"", ATLS_QE_ID_TD_QE, ATLS_TCB_OUT_OF_DATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_buf edited = edited_text(good, rows[i].find, rows[i].replacement);
        atls_qe_identity *identity = must_parse(edited);
        assert_int_equal(identity->id, rows[i].id);
        assert_int_equal(identity->levels[0].status, rows[i].status);
        atls_qe_identity_free(identity);
        free((void *)(uintptr_t)edited.ptr);
    }
}

static json_t *load(const char *folder, const char *file)
{
    char path[1024];
    assert_true(snprintf(path, sizeof path, "%s/dcap/%s", folder, file) < (int)sizeof path);
    return json_load_file(path, 0, NULL);
}

/* Every identity of the vectors: refused here exactly where Intel's library finds fault with the form. */
static void vectors_agree_about_the_form(void **state)
{
    (void)state;
    const char *folder = getenv("ATLS_VECTORS");
    json_t *manifest = folder != NULL ? load(folder, "MANIFEST.json") : NULL;
    if (manifest == NULL) {
        print_message("no vectors in ATLS_VECTORS: skipped\n");
        skip();
    }
    size_t i;
    json_t *vector;
    size_t formats = 0;
    size_t versions = 0;
    size_t taken = 0;
    json_array_foreach(json_object_get(manifest, "vectors"), i, vector)
    {
        const char *file = json_string_value(json_object_get(vector, "collateral"));
        if (file == NULL) {
            continue;
        }
        json_t *collateral = load(folder, file);
        assert_non_null(collateral);
        const char *verdict = json_string_value(json_object_get(
            json_object_get(json_object_get(vector, "expect"), "qvl"), "qe_identity"));
        atls_buf text = buf_of(json_string_value(json_object_get(collateral, "qe_identity")));
        if (verdict != NULL && strcmp(verdict, "SGX_ENCLAVE_IDENTITY_INVALID") == 0) {
            must_refuse(text, file, FORMAT, "");
            formats++;
        } else if (verdict != NULL &&
                   strcmp(verdict, "SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION") == 0) {
            must_refuse(text, file, VERSION, "");
            versions++;
        } else {
            atls_qe_identity_free(must_parse(text));
            taken++;
        }
        json_decref(collateral);
    }
    json_decref(manifest);
    assert_true(taken >= 100 && formats >= 1 && versions >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_read_in_file_order),
        cmocka_unit_test(every_truncation_and_anything_behind_is_refused),
        cmocka_unit_test(each_member_missing_or_twice),
        cmocka_unit_test(each_member_wrong_alone),
        cmocka_unit_test(each_id_and_status_is_read),
        cmocka_unit_test(vectors_agree_about_the_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
