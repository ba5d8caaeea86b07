/* The files of Flashbots' peers, as their manifest says: quotes and Azure documents with the collateral of their day, the
 * report of a paravisor, measurements files there and back. Exit 77: the vectors are not there, or no PyYAML. */
#include "vector_files.h"

#include <sys/wait.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "binding/flashbots_azure.h"
#include "evidence/tpm/hcl.h"
#include "verify/verdict.h"
#include <atls/atls.h>

static unsigned wrong;
static unsigned judged;

static void expect(bool good, const char *file, const char *what)
{
    judged++;
    if (!good) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
}

/* --- YAML, by way of Python --- */

/* malloc'ed, with a NUL; NULL: no such file, or no PyYAML (*missing). */
static char *json_of_yaml(const char *file, bool *missing)
{
    const char *source = getenv("ATLS_SOURCE_ROOT");
    const char *base = getenv("ATLS_VECTORS");
    char command[3072];
    (void)snprintf(command, sizeof command,
                   "python3 '%s/tests/vectors/yaml_to_json.py' '%s/dstack/%s'",
                   source != NULL ? source : ".", base != NULL ? base : ".", file);
    FILE *pipe = popen(command, "r");
    char *text = pipe != NULL ? malloc(VECTOR_FILE_MAX + 1) : NULL;
    if (text == NULL) {
        return NULL;
    }
    text[fread(text, 1, VECTOR_FILE_MAX, pipe)] = '\0';
    const int status = pclose(pipe);
    *missing = *missing || (WIFEXITED(status) && WEXITSTATUS(status) == 77);
    if (status != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool no_yaml;

static atls_buf text_of(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

/* --- verdicts --- */

/* What peers ask: genuine evidence, of whatever TCB status. */
static const char any_status[] =
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\",\"tees\":[\"tdx\",\"azure\"],\"tcb\":{\"statuses\":"
    "[\"UpToDate\",\"SWHardeningNeeded\",\"ConfigurationNeeded\",\"ConfigurationAndSWHardeningNeeded\","
    "\"OutOfDate\",\"OutOfDateConfigurationNeeded\"]%s}}]}";

static atls_verifier *verifier_with(const char *collateral_file, const char *root_file,
                                    const char *advisories)
{
    atls_verifier *v = atls_verifier_new();
    char policy[2048];
    atls_policy *p = NULL;
    atls_collateral *c = NULL;
    char *json = json_of_yaml(collateral_file, &no_yaml);
    (void)snprintf(policy, sizeof policy, any_status, advisories);
    bool good = v != NULL && atls_policy_parse(text_of(policy), &p, NULL) == ATLS_OK &&
                atls_verifier_set1_policy(v, p, NULL) == ATLS_OK;
    expect(good, collateral_file, "the policy");
    good = json != NULL && atls_collateral_parse(text_of(json), &c, NULL) == ATLS_OK &&
           atls_verifier_add1_collateral(v, c, NULL) == ATLS_OK;
    expect(good || no_yaml, collateral_file, "as collateral");
    if (root_file != NULL) {
        size_t len = 0;
        uint8_t *root = vector_read("dstack", root_file, &len);
        expect(atls_verifier_set1_root(v, ATLS_FAMILY_INTEL, (atls_buf){root, len}, NULL) ==
                   ATLS_OK,
               root_file, "as root");
        free(root);
    }
    atls_collateral_free(c);
    atls_policy_free(p);
    free(json);
    return v;
}

static atls_verdict *expect_verdict(const char *file, const atls_verifier *v,
                                    const atls_evidence *e, const atls_expected *x, int64_t when_s,
                                    atls_code code, const char *check)
{
    atls_verdict *r = atls_verifier_check(v, e, x, when_s, NULL);
    const bool good = atls_verdict_code(r) == code && strcmp(atls_verdict_check(r), check) == 0;
    if (!good) {
        char *text = atls_verdict_text(r, true);
        (void)printf("%s: %d %s, where %d %s is wanted\n%s\n", file, (int)atls_verdict_code(r),
                     atls_verdict_check(r), (int)code, check, text);
        atls_free(text);
    }
    expect(good, file, "another verdict");
    return r;
}

static int64_t time_of(const json_t *entry)
{
    int64_t when_s = 0;
    expect(atls_time_parse(vector_text(entry, "time"), strlen(vector_text(entry, "time")), &when_s),
           vector_text(entry, "file"), "no time");
    return when_s;
}

/* --- quotes --- */

static void expect_claims(const char *file, const json_t *wanted, const atls_verdict *r)
{
    static const char *const names[] = {"mrtd", "report_data"};
    char name[8];
    char *text = atls_verdict_json(r);
    json_t *verdict = json_loads(text, 0, NULL);
    const json_t *claims = json_object_get(verdict, "claims");
    for (size_t i = 0; i < 2; i++) {
        expect(strcmp(vector_text(claims, names[i]), vector_text(wanted, names[i])) == 0, file,
               names[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        const char *rtmr = json_string_value(json_array_get(json_object_get(wanted, "rtmr"), i));
        (void)snprintf(name, sizeof name, "rtmr%zu", i);
        expect(rtmr != NULL && strcmp(vector_text(claims, name), rtmr) == 0, file, name);
    }
    json_decref(verdict);
    atls_free(text);
}

static void judge_quote(const json_t *entry, const char *collateral, const char *advisories,
                        atls_code code, const char *check)
{
    const char *file = vector_text(entry, "file");
    size_t len = 0;
    uint8_t *quote = vector_read("dstack", file, &len);
    const atls_evidence e = {.type = "tdx", .parts_n = 1, .parts = {{"quote", {quote, len}}}};
    atls_verifier *v = verifier_with(collateral, NULL, advisories);
    atls_verdict *r = expect_verdict(file, v, &e, NULL, time_of(entry), code, check);
    if (code == ATLS_OK) {
        expect_claims(file, json_object_get(entry, "expect"), r);
    }
    atls_verdict_free(r);
    atls_verifier_free(v);
    free(quote);
}

/* --- Azure --- */

/* The 64 bytes that the machine was asked to carry stand as hex in the runtime data. */
static bool user_data_of(const atls_evidence *e, uint8_t out[64])
{
    static const char name[] = "\"user-data\":\"";
    for (size_t i = 0; i < e->parts_n; i++) {
        const atls_buf part = e->parts[i].bytes;
        atls_hcl hcl;
        size_t len = 0;
        if (strcmp(e->parts[i].name, "hcl_report") != 0 ||
            atls_hcl_parse(part, &hcl, NULL) != ATLS_OK) {
            continue;
        }
        for (size_t at = 0; at + sizeof name + 128 < hcl.runtime.len; at++) {
            const char *text = (const char *)hcl.runtime.ptr + at;
            if (memcmp(text, name, sizeof name - 1) == 0) {
                return atls_hex_decode(text + sizeof name - 1, 128, out, 64, &len);
            }
        }
    }
    return false;
}

static void judge_document(const json_t *entry, const char *collateral, const char *advisories)
{
    const char *file = vector_text(entry, "file");
    char *json = json_of_yaml(file, &no_yaml);
    uint8_t data[64];
    atls_carried c = {0};
    atls_err err = {0};
    if (json == NULL) {
        expect(no_yaml, file, "no document");
        return;
    }
    const atls_code rc = flashbots_azure_read(text_of(json), &c, &err);
    expect(rc == ATLS_OK, file, err.msg);
    expect(user_data_of(&c.evidence, data), file, "no user-data");
    atls_verifier *v = verifier_with(collateral, NULL, advisories);
    const int64_t when_s = time_of(entry);
    flashbots_azure_expect(data, &c.expected);
    c.expected.binding = ATLS_BINDING_SESSION;
    atls_verdict_free(expect_verdict(file, v, &c.evidence, &c.expected, when_s, ATLS_OK, ""));
    data[63] ^= 1; /* the exporter's half: the runtime data alone has it */
    flashbots_azure_expect(data, &c.expected);
    atls_verdict_free(expect_verdict(file, v, &c.evidence, &c.expected, when_s, ATLS_E_BINDING,
                                     "binding.user_data"));
    data[63] ^= 1;
    c.expected.nonce[31] ^= 1; /* the vTPM's */
    memcpy(c.expected.user_data, data, sizeof data);
    atls_verdict_free(
        expect_verdict(file, v, &c.evidence, &c.expected, when_s, ATLS_E_BINDING, "binding.nonce"));
    atls_verifier_free(v);
    atls_carried_clear(&c);
    free(json);
}

static void judge_report(const char *file, const json_t *expected)
{
    size_t len = 0;
    atls_hcl hcl;
    uint8_t *bytes = vector_read("dstack", file, &len);
    expect(len == (size_t)json_integer_value(json_object_get(expected, "size")), file, "its size");
    expect(atls_hcl_parse((atls_buf){bytes, len}, &hcl, NULL) == ATLS_OK, file, "an HCL report");
    free(bytes);
}

/* Its MRTD is that of the quote from there: bytes 184 to 232. */
static void judge_firmware(const char *file)
{
    char *json = json_of_yaml(file, &no_yaml);
    json_t *firmware = json != NULL ? json_loads(json, 0, NULL) : NULL;
    const char *text = vector_text(firmware, "mrtd");
    uint8_t mrtd[48] = {0};
    size_t quote_len = 0;
    size_t len = 0;
    uint8_t *quote = vector_read("dstack", "flashbots-gcp-tdx-quote.bin", &quote_len);
    expect(no_yaml || (atls_hex_decode(text, strlen(text), mrtd, sizeof mrtd, &len) &&
                       quote_len > 232 && memcmp(quote + 184, mrtd, 48) == 0),
           file, "another MRTD");
    free(quote);
    json_decref(firmware);
    free(json);
}

/* --- measurements --- */

/* Each workload written alone and read again is the same. */
static void there_and_back(const char *file, const json_t *workload)
{
    char *theirs = NULL;
    char *ours = NULL;
    char *notes = NULL;
    char *again = NULL;
    json_t *policy = json_pack("{s:i, s:[O]}", "atls_policy", 1, "workloads", workload);
    char *text = json_dumps(policy, 0);
    atls_err err = {0};
    bool good =
        atls_policy_convert_to("flashbots", text_of(text), &theirs, &notes, &err) == ATLS_OK &&
        atls_policy_convert_from("flashbots", text_of(theirs), &ours, &again, &err) == ATLS_OK;
    json_t *back = good ? json_loads(ours, 0, NULL) : NULL;
    expect(good && json_equal(back, policy), file, "there and back");
    json_decref(back);
    json_decref(policy);
    free(text);
    atls_free(theirs);
    atls_free(ours);
    atls_free(notes);
    atls_free(again);
}

static void judge_measurements(const char *file, size_t records)
{
    size_t len = 0;
    uint8_t *text = vector_read("dstack", file, &len);
    char *out = NULL;
    char *notes = NULL;
    atls_err err = {0};
    atls_code rc = atls_policy_convert_from("flashbots", (atls_buf){text, len}, &out, &notes, &err);
    expect(rc == ATLS_OK, file, err.msg);
    json_t *policy = rc == ATLS_OK ? json_loads(out, 0, NULL) : NULL;
    const json_t *workloads = json_object_get(policy, "workloads");
    expect(json_array_size(workloads) == records, file, "another number of records");
    for (size_t i = 0; i < json_array_size(workloads); i++) {
        there_and_back(file, json_array_get(workloads, i));
    }
    json_decref(policy);
    atls_free(out);
    atls_free(notes);
    free(text);
}

/* --- all of them --- */

static bool is(const char *file, const char *name)
{
    return strcmp(file, name) == 0;
}

static bool judge(const json_t *entry)
{
    const char *file = vector_text(entry, "file");
    const json_t *expected = json_object_get(entry, "expect");
    if (is(file, "flashbots-dcap-tdx-quote.bin")) {
        judge_quote(entry, "flashbots-dcap-tdx-collateral.yaml", "", ATLS_OK, "");
    } else if (is(file, "flashbots-gcp-tdx-quote.bin")) {
        judge_quote(entry, "flashbots-gcp-tdx-collateral.yaml", "", ATLS_OK, "");
    } else if (is(file, "flashbots-azure-outdated-quote.bin")) {
        judge_quote(entry, "flashbots-azure-outdated-collateral.yaml", "", ATLS_E_POLICY,
                    "tcb.level");
    } else if (is(file, "flashbots-azure-tdx-evidence.yaml")) {
        judge_document(entry, "flashbots-azure-tdx-collateral.yaml", "");
    } else if (is(file, "flashbots-azure-tdx-evidence-ak-intermediates.yaml")) {
        judge_document(entry, "flashbots-azure-tdx-collateral-ak-intermediates.yaml", "");
    } else if (is(file, "flashbots-azure-hclreport.bin")) {
        judge_report(file, expected);
    } else if (is(file, "flashbots-gcp-tdx-firmware.yaml")) {
        judge_firmware(file);
    } else if (is(file, "flashbots-mock-dcap-collateral.yaml")) {
        /* Its chains have no certificate between root and leaf, which Intel's have: no quote under it is accepted. */
        atls_verifier_free(verifier_with(file, "flashbots-mock-root-ca.der", ""));
    } else if (is(file, "flashbots-measurements-any.json")) {
        judge_measurements(file, 1);
    } else if (strstr(file, "measurements") != NULL) {
        judge_measurements(file, (size_t)json_integer_value(json_object_get(expected, "records")));
    } else {
        return false;
    }
    return true;
}

int main(void)
{
    json_t *manifest = vector_manifest("dstack");
    size_t files = 0;
    if (manifest == NULL) {
        (void)printf("no vectors at $ATLS_VECTORS/dstack\n");
        return 77;
    }
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        const json_t *entry = json_array_get(manifest, i);
        if (strncmp(vector_text(entry, "file"), "flashbots-", 10) == 0) {
            files += judge(entry) ? 1u : 0u;
        }
    }
    json_decref(manifest);
    if (no_yaml) {
        (void)printf("no PyYAML: python3-yaml\n");
        return 77;
    }
    expect(files == 11, "MANIFEST.json", "files that are not there");
    (void)printf("%zu files, %u expectations, %u wrong\n", files, judged, wrong);
    return wrong == 0 ? 0 : 1;
}
