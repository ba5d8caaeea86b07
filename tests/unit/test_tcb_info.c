/* TCB info of version 2 and 3: what is read, each member wrong alone, the limits, and all collateral there
 * is. The check is always tcb_info.format; the sentence has to name what is wrong. */
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

#define CHECK "tcb_info.format"

#define C0   "{\"svn\":0}"
#define C0X8 C0 "," C0 "," C0 "," C0 "," C0 "," C0 "," C0 "," C0
#define Z48                                                                                        \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define COMPS(first)                                                                               \
    "[{\"svn\":" first ",\"category\":\"BIOS\",\"type\":\"Early\\/Late\"}," C0X8 "," C0 "," C0     \
    "," C0 "," C0 "," C0 "," C0 "," C0 "]"
#define LEVEL(sgx, pce, tdx, status, more)                                                         \
    "{\"tcb\":{\"sgxtcbcomponents\":" COMPS(                                                       \
        sgx) ",\"pcesvn\":" pce                                                                    \
             ",\"tdxtcbcomponents\":" COMPS(                                                       \
                 tdx) "},"                                                                         \
                      "\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"" status "\"" more "}"
#define HEAD(id, version)                                                                          \
    "{\"id\":\"" id "\",\"version\":" version                                                      \
    ",\"issueDate\":\"2025-06-19T10:16:03Z\",\"nextUpdate\":\"2025-07-19T10:16:03Z\","             \
    "\"fmspc\":\"b0C06f000001\",\"pceId\":\"0203\",\"tcbType\":0,\"tcbEvaluationDataNumber\":17,"
#define MODULE(svns)                                                                               \
    "\"mrsigner\":\"" Z48                                                                          \
    "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"" svns
#define MODULE_LEVEL(svn, status)                                                                  \
    "{\"tcb\":{\"isvsvn\":" svn "},\"tcbDate\":\"2023-08-09T00:00:00Z\",\"tcbStatus\":\"" status   \
    "\"}"

static const char tdx_text[] =
    HEAD("TDX", "3") "\"tdxModule\":{" MODULE("") "},\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE(
        ",\"tcbLevels\":[" MODULE_LEVEL("2", "OutOfDate") "," MODULE_LEVEL(
            "4",
            "UpToDate") "]") "},"
                             "{\"id\":\"tdx_0a\"," MODULE(",\"tcbLevels\":[" MODULE_LEVEL(
                                 "7",
                                 "Revoked") "]") "}],"
                                                 "\"tcbLevels\":[" LEVEL("2", "5", "3", "OutOfDate", ",\"advisoryIDs\":[\"INTEL-SA-00106\",\"INTEL-SA-00115\"]") "," LEVEL(
                                                     "2", "11", "5", "UpToDate",
                                                     "") "," LEVEL("2", "11", "4",
                                                                   "SWHardeningNeeded",
                                                                   ",\"advisoryIDs\":[]") "," LEVEL("3",
                                                                                                    "1",
                                                                                                    "0",
                                                                                                    "Revoked",
                                                                                                    "") "]}";

static const char sgx_text[] = HEAD("SGX", "3") "\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\":" COMPS(
    "255") ",\"pcesvn\":65535},"
           "\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"ConfigurationAndSWHardeningNeeded\"}]}";

#define V2(a, b) "\"sgxtcbcomp" a "svn\":" b ","
static const char v2_text[] =
    "{\"version\":2,\"issueDate\":\"2025-06-19T10:16:03Z\",\"nextUpdate\":\"2025-07-19T10:16:03Z\",\"fmspc\":\"00606A000000\","
    "\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":15,\"tcbLevels\":[{\"tcb\":{" V2(
        "01", "1") V2("02", "2") V2("03",
                                    "3") V2("04",
                                            "4") V2("05",
                                                    "5") V2("06",
                                                            "6") V2("07",
                                                                    "7") V2("08",
                                                                            "8") V2("09",
                                                                                    "9") V2("10",
                                                                                            "10")
        V2("11", "11") V2("12", "12") V2("13", "13") V2("14", "14") V2("15", "15") V2(
            "16",
            "16") "\"pcesvn\":13,\"x\":0},\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}]}";

static atls_buf buf_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static atls_tcb_info *must_parse(atls_buf text)
{
    atls_tcb_info *info = NULL;
    atls_err err = {0};
    if (atls_tcb_info_parse(text, &info, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return info;
}

/* Refused, with this check, in a sentence that has `says` in it. */
static void must_refuse(atls_buf text, const char *what, const char *says)
{
    atls_tcb_info *info = NULL;
    atls_err err = {0};
    atls_code rc = atls_tcb_info_parse(text, &info, &err);
    if (rc != ATLS_E_INVALID || info != NULL || strcmp(err.check, CHECK) != 0 ||
        strstr(err.msg, says) == NULL) {
        fail_msg("%s: code %d, check %s: %s", what, (int)rc, err.check != NULL ? err.check : "-",
                 err.msg);
    }
}

static void tdx_is_read_and_sorted(void **state)
{
    (void)state;
    atls_tcb_info *info = must_parse(buf_of(tdx_text));
    assert_true(info->is_tdx);
    assert_int_equal(info->version, 3);
    assert_int_equal(info->issue_date_s, 1750328163);
    assert_int_equal(info->next_update_s, 1752920163);
    assert_memory_equal(info->fmspc, "\xb0\xc0\x6f\x00\x00\x01", 6);
    assert_memory_equal(info->pceid, "\x02\x03", 2);
    assert_int_equal(info->evaluation_number, 17);
    assert_int_equal(info->module_attributes_mask[7], 0xff);
    assert_int_equal(info->levels_n, 4);
    static const struct {
        uint8_t sgx0, tdx0;
        uint16_t pcesvn;
        atls_tcb_status status;
        size_t advisories;
    } want[] = {
        {3, 0, 1, ATLS_TCB_REVOKED, 0},
        {2, 5, 11, ATLS_TCB_UP_TO_DATE, 0},
        {2, 4, 11, ATLS_TCB_SW_HARDENING_NEEDED, 0},
        {2, 3, 5, ATLS_TCB_OUT_OF_DATE, 2},
    };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(info->levels[i].sgx[0], want[i].sgx0);
        assert_int_equal(info->levels[i].tdx[0], want[i].tdx0);
        assert_int_equal(info->levels[i].pcesvn, want[i].pcesvn);
        assert_int_equal(info->levels[i].status, want[i].status);
        assert_int_equal(info->levels[i].date_s, 1710288000);
        assert_int_equal(info->levels[i].advisories.n, want[i].advisories);
    }
    assert_string_equal(info->levels[3].advisories.ids[0], "INTEL-SA-00106");
    assert_string_equal(info->levels[3].advisories.ids[1], "INTEL-SA-00115");
    assert_int_equal(info->identities_n, 2);
    assert_int_equal(info->identities[0].version, 1);
    assert_int_equal(info->identities[0].levels_n, 2);
    assert_int_equal(info->identities[0].levels[0].isvsvn, 4);
    assert_int_equal(info->identities[0].levels[0].status, ATLS_TCB_UP_TO_DATE);
    assert_int_equal(info->identities[0].levels[1].isvsvn, 2);
    assert_int_equal(info->identities[1].version, 10);
    atls_tcb_info_free(info);
}

static void sgx_and_version_2_are_read(void **state)
{
    (void)state;
    atls_tcb_info *info = must_parse(buf_of(sgx_text));
    assert_false(info->is_tdx);
    assert_int_equal(info->levels[0].sgx[0], 255);
    assert_int_equal(info->levels[0].pcesvn, 65535);
    assert_int_equal(info->levels[0].status, ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED);
    assert_int_equal(info->identities_n, 0);
    atls_tcb_info_free(info);
    info = must_parse(buf_of(v2_text));
    assert_false(info->is_tdx);
    assert_int_equal(info->version, 2);
    for (uint8_t i = 0; i < 16; i++) {
        assert_int_equal(info->levels[0].sgx[i], i + 1);
    }
    assert_int_equal(info->levels[0].pcesvn, 13);
    atls_tcb_info_free(info);
    atls_tcb_info_free(NULL);
}

static void every_truncation_and_anything_behind_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {tdx_text, sgx_text, v2_text};
    for (size_t t = 0; t < 3; t++) {
        size_t len = strlen(texts[t]);
        for (size_t n = 0; n < len; n++) {
            uint8_t *copy = malloc(n > 0 ? n : 1);
            assert_non_null(copy);
            memcpy(copy, texts[t], n);
            must_refuse((atls_buf){copy, n}, "truncated", "line 1");
            free(copy);
        }
        char *more = malloc(len + 2);
        assert_non_null(more);
        memcpy(more, texts[t], len + 1);
        must_refuse((atls_buf){(uint8_t *)more, len + 1}, "NUL behind", "NUL");
        more[len] = '}';
        must_refuse((atls_buf){(uint8_t *)more, len + 1}, "brace behind", "text behind");
        more[len] = '\n';
        atls_tcb_info_free(must_parse((atls_buf){(uint8_t *)more, len + 1}));
        free(more);
    }
}

typedef struct edit {
    const char *what;
    const char *find;
    const char *replacement;
    const char *says;
} edit;

static void refuse_all(const char *text, const edit *edits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        atls_buf edited = edited_text(text, edits[i].find, edits[i].replacement);
        must_refuse(edited, edits[i].what, edits[i].says);
        free((void *)(uintptr_t)edited.ptr);
    }
}

#define DATES "YYYY-MM-DDThh:mm:ssZ"

static void each_top_member_wrong_alone(void **state)
{
    (void)state;
    static const edit edits[] = {
        {"no id", "\"id\":\"TDX\",", "", "\"id\" is missing"},
        {"id unknown", "\"id\":\"TDX\"", "\"id\":\"TDY\"", "\"id\": SGX or TDX"},
        {"id in lower case", "\"id\":\"TDX\"", "\"id\":\"tdx\"", "\"id\": SGX or TDX"},
        {"id empty", "\"id\":\"TDX\"", "\"id\":\"\"", "\"id\""},
        {"id a number", "\"id\":\"TDX\"", "\"id\":3", "\"id\": string"},
        {"id twice", "\"id\":\"TDX\"", "\"id\":\"TDX\",\"id\":\"TDX\"", "\"id\": stands twice"},
        {"id twice, escaped", "\"id\":\"TDX\"", "\"id\":\"TDX\",\"i\\u0064\":\"TDX\"",
         "\"id\": stands twice"},
        {"id SGX", "\"id\":\"TDX\"", "\"id\":\"SGX\"", "TDX module in TCB info for SGX"},
        {"no version", "\"version\":3,", "", "\"version\": is missing"},
        {"version 1", "\"version\":3", "\"version\":1", "\"version\": 1, where"},
        {"version 4", "\"version\":3", "\"version\":4", "\"version\": 4, where"},
        {"version 2", "\"version\":3", "\"version\":2", "id TDX in version 2"},
        {"version text", "\"version\":3", "\"version\":\"3\"", "\"version\": integer"},
        {"version real", "\"version\":3", "\"version\":3.0", "\"version\": integer"},
        {"version exponent", "\"version\":3", "\"version\":3e0", "\"version\": integer"},
        {"version negative", "\"version\":3", "\"version\":-3", "\"version\": integer"},
        {"version null", "\"version\":3", "\"version\":null", "\"version\": integer"},
        {"version beyond 32 bits", "\"version\":3", "\"version\":4294967299",
         "\"version\": integer"},
        {"no issueDate", "\"issueDate\":\"2025-06-19T10:16:03Z\",", "",
         "\"issueDate\": is missing"},
        {"issueDate with month 13", "2025-06-19T10:16:03Z", "2025-13-19T10:16:03Z",
         "\"issueDate\": date \"" DATES},
        {"issueDate with fraction", "2025-06-19T10:16:03Z", "2025-06-19T10:16:03.0Z",
         "\"issueDate\": date"},
        {"issueDate with offset", "2025-06-19T10:16:03Z", "2025-06-19T10:16:03+00:00",
         "\"issueDate\": date"},
        {"issueDate without zone", "2025-06-19T10:16:03Z", "2025-06-19T10:16:03",
         "\"issueDate\": date"},
        {"issueDate a number", "\"2025-06-19T10:16:03Z\"", "1750328163", "\"issueDate\": string"},
        {"no nextUpdate", "\"nextUpdate\":\"2025-07-19T10:16:03Z\",", "",
         "\"nextUpdate\": is missing"},
        {"nextUpdate of 30 February", "2025-07-19T10:16:03Z", "2025-02-30T10:16:03Z",
         "\"nextUpdate\": date"},
        {"no fmspc", "\"fmspc\":\"b0C06f000001\",", "", "\"fmspc\": is missing"},
        {"fmspc short", "b0C06f000001", "b0C06f0000", "\"fmspc\": 12 hex"},
        {"fmspc long", "b0C06f000001", "b0C06f00000102", "\"fmspc\": 12 hex"},
        {"fmspc odd", "b0C06f000001", "b0C06f00000", "\"fmspc\": 12 hex"},
        {"fmspc not hex", "b0C06f000001", "b0C06f00000g", "\"fmspc\": 12 hex"},
        {"fmspc with escape", "b0C06f000001", "b0C06f0000\\u0030\\u0031", "\"fmspc\": 12 hex"},
        {"fmspc null", "\"b0C06f000001\"", "null", "\"fmspc\": string"},
        {"no pceId", "\"pceId\":\"0203\",", "", "\"pceId\": is missing"},
        {"pceId short", "\"0203\"", "\"02\"", "\"pceId\": 4 hex"},
        {"pceId a number", "\"0203\"", "203", "\"pceId\": string"},
        {"no tcbType", "\"tcbType\":0,", "", "\"tcbType\": is missing"},
        {"tcbType 1", "\"tcbType\":0", "\"tcbType\":1", "\"tcbType\": integer of 0 to 0"},
        {"tcbType text", "\"tcbType\":0", "\"tcbType\":\"0\"", "\"tcbType\": integer"},
        {"no number", "\"tcbEvaluationDataNumber\":17,", "",
         "\"tcbEvaluationDataNumber\": is missing"},
        {"number negative", "Number\":17", "Number\":-1", "\"tcbEvaluationDataNumber\": integer"},
        {"number of 33 bits", "Number\":17", "Number\":4294967296",
         "\"tcbEvaluationDataNumber\": integer"},
        {"number of 80 bits", "Number\":17", "Number\":999999999999999999999999",
         "integer of 0 to 4294967295"},
        {"no tdxModule", "\"tdxModule\":{" MODULE("") "},", "", "\"tdxModule\" is missing for TDX"},
        {"tdxModule array", "\"tdxModule\":{" MODULE("") "}", "\"tdxModule\":[]",
         "\"tdxModule\": object"},
        {"tdxModule null", "\"tdxModule\":{" MODULE("") "}", "\"tdxModule\":null",
         "\"tdxModule\": object"},
        {"tdxModule without mrsigner", "\"mrsigner\":\"" Z48 "\",", "", "\"mrsigner\": is missing"},
        {"tdxModule mrsigner short", Z48, "00", "\"mrsigner\": 96 hex"},
        {"tdxModule without attributes", "\"attributes\":\"0000000000000000\",", "",
         "\"attributes\": is missing"},
        {"tdxModule attributes long", "\"0000000000000000\"", "\"000000000000000000\"",
         "\"attributes\": 16 hex"},
        {"tdxModule mask bad", "FFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFX",
         "\"attributesMask\": 16 hex"},
        {"tdxModule without mask", ",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"", "",
         "\"attributesMask\": is missing"},
        {"top an array", "{", "[{", "object wanted"},
        {"foreign member twice", "\"pceId\"", "\"new\":1,\"new\":2,\"pceId\"", "has already"},
        {"inner member twice, foreign", "\"pceId\"", "\"new\":[{\"a\":1,\"a\":2}],\"pceId\"",
         "has already"},
        {"nested too deep", "\"pceId\"", "\"new\":[[[[[[[[1]]]]]]]],\"pceId\"", "too deep"},
        {"foreign number too large", "\"pceId\"", "\"new\":1e999,\"pceId\"", "too large"},
        {"invalid UTF-8", "\"pceId\"", "\"new\":\"\xc0\x80\",\"pceId\"", "UTF-8"},
        {"comma missing", ",\"pceId\"", "\"pceId\"", "',' or '}' wanted"},
    };
    refuse_all(tdx_text, edits, sizeof edits / sizeof edits[0]);
    static const edit sgx_edits[] = {
        {"tdxModule for SGX", "\"pceId\"", "\"tdxModule\":{" MODULE("") "},\"pceId\"",
         "TDX module in TCB info for SGX"},
        {"identities for SGX", "\"pceId\"",
         "\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE(
             ",\"tcbLevels\":[" MODULE_LEVEL("2", "UpToDate") "]") "}],\"pceId\"",
         "TDX module in TCB info for SGX"},
        {"TDX without TDX components", "\"id\":\"SGX\"",
         "\"id\":\"TDX\",\"tdxModule\":{" MODULE("") "}", "\"tdxtcbcomponents\" are missing"},
        {"levels of version 3 in 2", "\"version\":3", "\"version\":2",
         "form of version 3, in version 2"},
    };
    refuse_all(sgx_text, sgx_edits, sizeof sgx_edits / sizeof sgx_edits[0]);
    static const edit v2_edits[] = {
        {"levels of version 2 in 3", "\"version\":2", "\"version\":3,\"id\":\"SGX\"",
         "form of version 2, in version 3"},
        {"a component missing", V2("07", "7"), "", "neither 16"},
        {"a component twice", V2("07", "7"), V2("07", "7") V2("07", "7"),
         "\"sgxtcbcomp07svn\": stands twice"},
        {"a component over 255", V2("16", "16"), V2("16", "259"),
         "\"sgxtcbcomp16svn\": integer of 0 to 255"},
        {"both forms", "\"pcesvn\":13", "\"pcesvn\":13,\"sgxtcbcomponents\":" COMPS("1"),
         "neither 16"},
        {"no pcesvn", "\"pcesvn\":13,", "", "\"pcesvn\": is missing"},
    };
    refuse_all(v2_text, v2_edits, sizeof v2_edits / sizeof v2_edits[0]);
}

static void each_level_member_wrong_alone(void **state)
{
    (void)state;
    static const edit edits[] = {
        {"levels missing", ",\"tcbLevels\":[{\"tcb\":{\"sgx", ",\"tcbLevelz\":[{\"tcb\":{\"sgx",
         "\"tcbLevels\": is missing"},
        {"levels an object", "\"tcbLevels\":[{\"tcb\":{\"sgx",
         "\"tcbLevels\":{\"a\":[{\"tcb\":{\"sgx", "\"tcbLevels\": array"},
        {"level a number", "\"tcbLevels\":[{\"tcb\":{\"sgx", "\"tcbLevels\":[1,{\"tcb\":{\"sgx",
         "\"tcbLevels\": object"},
        {"no tcb", "[{\"tcb\":{\"sgx", "[{\"tcbx\":{\"sgx", "\"tcb\": is missing"},
        {"no sgx components", "\"sgxtcbcomponents\":" COMPS("2") ",", "", "neither 16"},
        {"15 components", C0X8 "," C0 ",", C0X8 ",", "\"sgxtcbcomponents\": 15 components"},
        {"17 components", C0X8 "," C0 ",", C0X8 "," C0 "," C0 ",",
         "\"sgxtcbcomponents\": 17 components"},
        {"components empty", COMPS("2"), "[]", "\"sgxtcbcomponents\": 0 components"},
        {"component a number", C0X8, "0," C0 "," C0 "," C0 "," C0 "," C0 "," C0 "," C0,
         "object wanted"},
        {"component without svn", C0, "{\"category\":\"a\"}", "\"svn\": is missing"},
        {"svn 256", "\"svn\":2,", "\"svn\":256,", "\"svn\": integer of 0 to 255"},
        {"svn 259", "\"svn\":2,", "\"svn\":259,", "\"svn\": integer of 0 to 255"},
        {"svn negative", "\"svn\":2,", "\"svn\":-1,", "\"svn\": integer of 0 to 255"},
        {"svn minus zero", "\"svn\":2,", "\"svn\":-0,", "\"svn\": integer of 0 to 255"},
        {"svn real", "\"svn\":2,", "\"svn\":2.0,", "\"svn\": integer"},
        {"svn text", "\"svn\":2,", "\"svn\":\"2\",", "\"svn\": integer"},
        {"svn twice", "\"svn\":2,", "\"svn\":2,\"svn\":2,", "\"svn\": stands twice"},
        {"no pcesvn", "\"pcesvn\":5,", "", "\"pcesvn\": is missing"},
        {"pcesvn over 16 bits", "\"pcesvn\":5", "\"pcesvn\":65536",
         "\"pcesvn\": integer of 0 to 65535"},
        {"no tdx components", ",\"tdxtcbcomponents\":" COMPS("3"), "",
         "\"tdxtcbcomponents\" are missing"},
        {"tdx svn 256", "\"tdxtcbcomponents\":[{\"svn\":3", "\"tdxtcbcomponents\":[{\"svn\":256",
         "\"svn\": integer of 0 to 255"},
        {"no tcbDate", "\"tcbDate\":\"2024-03-13T00:00:00Z\",", "", "\"tcbDate\": is missing"},
        {"tcbDate without time", "2024-03-13T00:00:00Z", "2024-03-13", "\"tcbDate\": date"},
        {"tcbDate of 29 February 2023", "2024-03-13T00:00:00Z", "2023-02-29T00:00:00Z",
         "\"tcbDate\": date"},
        {"no tcbStatus", ",\"tcbStatus\":\"SWHardeningNeeded\"", "", "\"tcbStatus\": is missing"},
        {"tcbStatus unknown", "\"SWHardeningNeeded\"", "\"Fine\"", "\"tcbStatus\": unknown"},
        {"tcbStatus in lower case", "\"SWHardeningNeeded\"", "\"uptodate\"",
         "\"tcbStatus\": unknown"},
        {"tcbStatus a conclusion", "\"SWHardeningNeeded\"", "\"TDRelaunchAdvised\"",
         "\"tcbStatus\": unknown"},
        {"tcbStatus another conclusion", "\"SWHardeningNeeded\"",
         "\"TDRelaunchAdvisedConfigurationNeeded\"", "\"tcbStatus\": unknown"},
        {"tcbStatus null", "\"SWHardeningNeeded\"", "null", "\"tcbStatus\": string"},
        {"advisories a string", "[\"INTEL-SA-00106\",\"INTEL-SA-00115\"]", "\"INTEL-SA-00106\"",
         "\"advisoryIDs\": array"},
        {"advisory a number", "\"INTEL-SA-00106\"", "106", "\"advisoryIDs\": string"},
        {"advisory empty", "\"INTEL-SA-00106\"", "\"\"", "\"advisoryIDs\": string of 1 to 32"},
        {"advisory of 33 bytes", "\"INTEL-SA-00106\"", "\"INTEL-SA-000000000000000000000106\"",
         "\"advisoryIDs\": string of 1 to 32"},
        {"advisory with escape", "\"INTEL-SA-00106\"", "\"INTEL\\u002dSA\"",
         "\"advisoryIDs\": string of 1 to 32"},
        {"advisory with space", "\"INTEL-SA-00106\"", "\"INTEL SA\"", "\"advisoryIDs\": printable"},
        {"advisory beyond ASCII", "\"INTEL-SA-00106\"", "\"INTEL\xc3\xa9\"",
         "\"advisoryIDs\": printable"},
        {"level twice", "\"pcesvn\":11,\"tdxtcbcomponents\":[{\"svn\":4",
         "\"pcesvn\":11,\"tdxtcbcomponents\":[{\"svn\":5", "two levels of the same TCB"},
    };
    refuse_all(tdx_text, edits, sizeof edits / sizeof edits[0]);
    static const edit sgx_edits[] = {
        {"no level", sgx_text + sizeof HEAD("SGX", "3") - 1, "\"tcbLevels\":[]}", "no level"},
        {"levels null", sgx_text + sizeof HEAD("SGX", "3") - 1, "\"tcbLevels\":null}",
         "\"tcbLevels\": array"},
    };
    refuse_all(sgx_text, sgx_edits, 2);
}

static void each_module_member_wrong_alone(void **state)
{
    (void)state;
    static const edit edits[] = {
        {"identities an object", "\"tdxModuleIdentities\":[",
         "\"tdxModuleIdentities\":{\"a\":1},\"x\":[", "\"tdxModuleIdentities\": array"},
        {"identities empty", "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":[],\"x\":[",
         "no identity"},
        {"identity a string", "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":[\"TDX_01\",",
         "\"tdxModuleIdentities\": object"},
        {"no id", "\"id\":\"TDX_01\",", "", "\"id\": is missing"},
        {"id a number", "\"TDX_01\"", "1", "\"id\": string"},
        {"no mrsigner", "\"id\":\"TDX_01\",\"mrsigner\":\"" Z48 "\",", "\"id\":\"TDX_01\",",
         "\"mrsigner\": is missing"},
        {"no attributes", "{\"id\":\"TDX_01\",\"mrsigner\":\"" Z48 "\",\"attributes\"",
         "{\"id\":\"TDX_01\",\"mrsigner\":\"" Z48 "\",\"attributez\"",
         "\"attributes\": is missing"},
        {"no levels", "FFFFFFFFFFFFFFFF\",\"tcbLevels\"", "FFFFFFFFFFFFFFFF\",\"tcbLevelz\"",
         "\"tcbLevels\": is missing"},
        {"levels empty",
         "\"tcbLevels\":[" MODULE_LEVEL("2", "OutOfDate") "," MODULE_LEVEL("4", "UpToDate") "]",
         "\"tcbLevels\":[]", "no level"},
        {"no isvsvn", "{\"isvsvn\":2}", "{}", "\"isvsvn\": is missing"},
        {"isvsvn negative", "{\"isvsvn\":2}", "{\"isvsvn\":-2}", "\"isvsvn\": integer"},
        {"tcb a number", "{\"isvsvn\":2}", "2", "\"tcb\": object"},
        {"no tcbDate", "\"tcbDate\":\"2023-08-09T00:00:00Z\",", "", "\"tcbDate\": is missing"},
        {"tcbDate bad", "2023-08-09T00:00:00Z", "2023-08-09T24:00:00Z", "\"tcbDate\": date"},
        {"no tcbStatus", "},\"tcbDate\":\"2023-08-09T00:00:00Z\",\"tcbStatus\":\"OutOfDate\"",
         "},\"tcbDate\":\"2023-08-09T00:00:00Z\"", "\"tcbStatus\": is missing"},
        {"isvsvn twice among levels", "{\"isvsvn\":2}", "{\"isvsvn\":4}",
         "two module levels of isvsvn 4"},
        {"identity twice", "\"tdx_0a\"", "\"tdx_01\"", "two identities of module TDX_01"},
    };
    refuse_all(tdx_text, edits, sizeof edits / sizeof edits[0]);
}

static void unusual_but_good_texts_are_taken(void **state)
{
    (void)state;
    static const edit edits[] = {
        {"foreign members", "\"pceId\"", "\"new\":{\"a\":[1,{\"b\":null}]},\"other\":1.5,\"pceId\"",
         NULL},
        {"foreign member of a level", "\"tcbDate\":\"2024", "\"note\":\"x\",\"tcbDate\":\"2024",
         NULL},
        {"module id that can never match", "\"TDX_01\"", "\"TDX_100\"", NULL},
        {"module status unknown", "\"tcbStatus\":\"OutOfDate\"", "\"tcbStatus\":\"Fine\"", NULL},
        {"escaped name", "\"pceId\"", "\"pc\\u0065Id\"", NULL},
        {"no identities", "\"tdxModuleIdentities\":[", "\"x\":[", NULL},
        {"space", "\"pceId\":", " \n\t\"pceId\" : ", NULL},
        {"advisory of 32 bytes", "INTEL-SA-00106", "INTEL-SA-00000000000000000000106", NULL},
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        atls_buf edited = edited_text(tdx_text, edits[i].find, edits[i].replacement);
        atls_tcb_info *info = must_parse(edited);
        if (i == 2) {
            assert_int_equal(info->identities_n, 1);
        } else if (i == 3) {
            assert_int_equal(info->identities[0].levels[1].status, ATLS_TCB_NONE);
        } else if (i == 5) {
            assert_int_equal(info->identities_n, 0);
            assert_null(info->identities);
        }
        atls_tcb_info_free(info);
        free((void *)(uintptr_t)edited.ptr);
    }
    /* TDX components mean nothing for SGX: two levels that differ there alone are the same. */
    atls_buf edited =
        edited_text(sgx_text, "\"pcesvn\":65535", "\"pcesvn\":1,\"tdxtcbcomponents\":" COMPS("9"));
    atls_tcb_info *info = must_parse(edited);
    assert_int_equal(info->levels[0].tdx[0], 0);
    atls_tcb_info_free(info);
    free((void *)(uintptr_t)edited.ptr);
}

/* n levels that differ in pcesvn, the last with m advisories. */
static atls_buf many_levels(size_t n, size_t m)
{
    size_t cap = 4096 + n * 1024 + m * 64;
    char *text = malloc(cap);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, cap, HEAD("SGX", "3") "\"tcbLevels\":[");
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(
            text + len, cap - len,
            "%s{\"tcb\":{\"sgxtcbcomponents\":" COMPS(
                "1") ",\"pcesvn\":%zu},"
                     "\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"UpToDate\"",
            i > 0 ? "," : "", i);
        for (size_t k = 0; i + 1 == n && k < m; k++) {
            len += (size_t)snprintf(text + len, cap - len, "%s\"a\"",
                                    k > 0 ? "," : ",\"advisoryIDs\":[");
        }
        len += (size_t)snprintf(text + len, cap - len, i + 1 == n && m > 0 ? "]}" : "}");
    }
    len += (size_t)snprintf(text + len, cap - len, "]}");
    assert_true(len < cap);
    return (atls_buf){(uint8_t *)text, len};
}

static void limits_hold_exactly(void **state)
{
    (void)state;
    atls_buf text = many_levels(256, 64);
    atls_tcb_info *info = must_parse(text);
    assert_int_equal(info->levels_n, 256);
    assert_int_equal(info->levels[0].pcesvn, 255);
    assert_int_equal(info->levels[0].advisories.n, 64);
    assert_string_equal(info->levels[0].advisories.ids[63], "a");
    atls_tcb_info_free(info);
    free((void *)(uintptr_t)text.ptr);
    text = many_levels(257, 0);
    must_refuse(text, "257 levels", "more than 256");
    free((void *)(uintptr_t)text.ptr);
    text = many_levels(1, 65);
    must_refuse(text, "65 advisories", "more than 64");
    free((void *)(uintptr_t)text.ptr);

    char *big = malloc(1024 * 1024 + 1);
    assert_non_null(big);
    size_t len = strlen(sgx_text);
    memset(big, ' ', 1024 * 1024 + 1);
    memcpy(big, sgx_text, len);
    atls_tcb_info_free(must_parse((atls_buf){(uint8_t *)big, 1024 * 1024}));
    must_refuse((atls_buf){(uint8_t *)big, 1024 * 1024 + 1}, "over 1 MiB", "1048577 bytes");
    free(big);
}

static json_t *load(const char *folder, const char *file)
{
    char path[1024];
    assert_true(snprintf(path, sizeof path, "%s/dcap/%s", folder, file) < (int)sizeof path);
    return json_load_file(path, 0, NULL);
}

/* Every TCB info of the vectors: refused here exactly where Intel's library finds fault with the form. */
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
    size_t good = 0;
    size_t bad = 0;
    json_array_foreach(json_object_get(manifest, "vectors"), i, vector)
    {
        const char *file = json_string_value(json_object_get(vector, "collateral"));
        if (file == NULL) {
            continue;
        }
        json_t *collateral = load(folder, file);
        assert_non_null(collateral);
        const char *verdict = json_string_value(
            json_object_get(json_object_get(json_object_get(vector, "expect"), "qvl"), "tcb_info"));
        bool is_bad = verdict != NULL && (strcmp(verdict, "SGX_TCB_INFO_INVALID") == 0 ||
                                          strcmp(verdict, "SGX_TCB_INFO_UNSUPPORTED_FORMAT") == 0);
        atls_buf text = buf_of(json_string_value(json_object_get(collateral, "tcb_info")));
        if (is_bad) {
            must_refuse(text, file, "");
            bad++;
        } else {
            atls_tcb_info_free(must_parse(text));
            good++;
        }
        json_decref(collateral);
    }
    json_decref(manifest);
    assert_true(good >= 100 && bad >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tdx_is_read_and_sorted),
        cmocka_unit_test(sgx_and_version_2_are_read),
        cmocka_unit_test(every_truncation_and_anything_behind_is_refused),
        cmocka_unit_test(each_top_member_wrong_alone),
        cmocka_unit_test(each_level_member_wrong_alone),
        cmocka_unit_test(each_module_member_wrong_alone),
        cmocka_unit_test(unusual_but_good_texts_are_taken),
        cmocka_unit_test(limits_hold_exactly),
        cmocka_unit_test(vectors_agree_about_the_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
