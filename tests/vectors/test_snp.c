/* Every file of the SNP vectors judged as their manifest says: reports with their leaf as part, in a table and as
 * endorsement; negatives; certificate tables; chains and leaves. No revocation list of AMD's is among them: a good report
 * ends at "policy.crl" (code 3), everything else of it holds, and a policy that does without a list accepts it. Exit 77: the vectors are not there. */
#include "vector_files.h"

#include "base/hex.h"
#include "base/rfc3339.h"
#include "trust/amd_cert_table.h"
#include "trust/amd_leaf.h"
#include "verify/verdict.h"
#include <atls/atls.h>

#define FOLDER "sev-snp"

static unsigned wrong;
static unsigned judged;
static unsigned reports_accepted;

static bool expect(bool good, const char *file, const char *what)
{
    judged++;
    if (!good) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
    return good;
}

static atls_buf read_file(const char *name)
{
    size_t len = 0;
    uint8_t *bytes = vector_read(FOLDER, name, &len);
    return (atls_buf){bytes, bytes != NULL ? len : 0};
}

static void drop(atls_buf b)
{
    void *p;
    memcpy(&p, &b.ptr, sizeof p);
    free(p);
}

static int64_t time_of(const json_t *entry)
{
    int64_t t = 1780000000;
    const char *text = vector_text(entry, "time");
    if (text[0] != '\0') {
        (void)atls_time_parse(text, strlen(text), &t);
    }
    return t;
}

static atls_verdict *judge(const atls_verifier *v, atls_buf report, atls_buf vcek, atls_buf certs,
                           int64_t when_s)
{
    atls_evidence e = {.type = "snp", .parts_n = 1, .parts = {{"report", report}}};
    if (vcek.len > 0) {
        e.parts[e.parts_n].name = "vcek";
        e.parts[e.parts_n++].bytes = vcek;
    }
    if (certs.len > 0) {
        e.parts[e.parts_n].name = "certs";
        e.parts[e.parts_n++].bytes = certs;
    }
    return atls_verifier_check(v, &e, NULL, when_s, NULL);
}

static bool only_the_list_is_missing(const atls_verdict *r)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        const atls_entry *e = &r->ledger.entries[i];
        if (e->result != ATLS_CHECK_OK && strcmp(e->id, "policy.crl") != 0) {
            return false;
        }
    }
    return atls_verdict_code(r) == ATLS_E_COLLATERAL &&
           strcmp(atls_verdict_check(r), "policy.crl") == 0 && !atls_verdict_simulated(r) &&
           r->claims.tee == ATLS_TEE_SNP;
}

/* --- claims --- */

static bool is_hex(const json_t *expected, const char *name, const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];
    atls_hex_encode((atls_buf){bytes, len}, text);
    return strcmp(vector_text(expected, name), text) == 0;
}

static bool is_number(const json_t *expected, const char *name, uint64_t value)
{
    const json_t *n = json_object_get(expected, name);
    return json_is_string(n) ? strtoull(json_string_value(n), NULL, 16) == value
                             : (uint64_t)json_integer_value(n) == value;
}

static bool is_version(const json_t *expected, const char *name, const uint8_t v[3])
{
    char text[32];
    (void)snprintf(text, sizeof text, "%u.%u.%u", v[0], v[1], v[2]);
    return strcmp(vector_text(expected, name), text) == 0;
}

static bool is_tcb(const json_t *expected, const char *name, const atls_snp_tcb *t)
{
    const json_t *e = json_object_get(expected, name);
    return is_hex(e, "raw", t->raw, 8) && is_number(e, "bl", t->bootloader) &&
           is_number(e, "tee", t->tee) && is_number(e, "snp", t->snp) &&
           is_number(e, "ucode", t->microcode) &&
           t->has_fmc == (json_object_get(e, "fmc") != NULL) && is_number(e, "fmc", t->fmc);
}

static void check_claims(const char *file, const json_t *x, const atls_claims *claims)
{
    const atls_snp_claims *s = &claims->as.snp;
    const uint8_t fms[3] = {s->family, s->model, s->stepping};
    const bool is_vlek = strcmp(vector_text(x, "signing_key"), "VLEK") == 0;
    expect(is_number(x, "version", s->version) && is_number(x, "guest_svn", s->guest_svn) &&
               is_number(x, "vmpl", s->vmpl) && is_number(x, "signer_info", s->signer_info),
           file, "numbers");
    expect(is_number(x, "policy", s->policy) && is_number(x, "platform_info", s->platform_info),
           file, "bits");
    expect(is_number(x, "launch_mit", s->launch_mit_vector) &&
               is_number(x, "current_mit", s->current_mit_vector),
           file, "mitigation vectors");
    expect(is_hex(x, "measurement", s->measurement, 48) &&
               is_hex(x, "host_data", s->host_data, 32) &&
               is_hex(x, "id_key_digest", s->id_key_digest, 48) &&
               is_hex(x, "report_id", s->report_id, 32) && is_hex(x, "chip_id", s->chip_id, 64) &&
               is_hex(x, "report_data", claims->report_data, 64),
           file, "bytes");
    expect(is_hex(x, "cpuid_fms", fms, 3), file, "CPUID");
    expect(is_tcb(x, "current_tcb", &s->current_tcb) &&
               is_tcb(x, "reported_tcb", &s->reported_tcb) &&
               is_tcb(x, "committed_tcb", &s->committed_tcb) &&
               is_tcb(x, "launch_tcb", &s->launch_tcb),
           file, "TCB versions");
    expect(is_version(x, "current_version", s->current_version) &&
               is_version(x, "committed_version", s->committed_version),
           file, "firmware versions");
    expect(strcmp(s->product, vector_text(x, "product")) == 0 && s->is_vlek == is_vlek &&
               strcmp(s->csp_id, vector_text(x, "csp_id")) == 0,
           file, "product and provider");
    expect(claims->platform.has_chip_id == !is_vlek && !s->reserved_set && !s->crl_checked, file,
           "what is known of the chip");
}

static bool is_noted(const atls_verdict *r, const char *id)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        if (strcmp(r->ledger.entries[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* --- reports --- */

/* A table of one entry. */
static atls_buf table_with(atls_buf leaf, bool is_vlek, uint8_t space[8300])
{
    static const uint8_t guids[2][16] = {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad,
                                          0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd},
                                         {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa,
                                          0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1}};
    memset(space, 0, 48);
    memcpy(space, guids[is_vlek ? 1 : 0], 16);
    space[16] = 48;
    space[20] = (uint8_t)(leaf.len % 256);
    space[21] = (uint8_t)(leaf.len / 256);
    memcpy(space + 48, leaf.ptr, leaf.len);
    return (atls_buf){space, 48 + leaf.len};
}

/* With a policy that does without a list the report is accepted, all of it, unless its guest may be debugged. */
static void accept_without_a_list(const char *file, atls_buf report, atls_buf leaf, int64_t when_s)
{
    static const char text[] =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\",\"tees\":[\"snp\"],\"crl\":\"if-present\"}]}";
    atls_policy *policy = NULL;
    atls_verifier *v = atls_verifier_new();
    expect(atls_policy_parse((atls_buf){(const uint8_t *)text, sizeof text - 1}, &policy, NULL) ==
                   ATLS_OK &&
               atls_verifier_set1_policy(v, policy, NULL) == ATLS_OK,
           file, "a policy without a list");
    for (int warm = 0; warm < 2; warm++) {
        atls_verdict *r = judge(v, report, leaf, (atls_buf){NULL, 0}, when_s);
        const bool debug = r->claims.as.snp.policy / 0x80000 % 2 == 1;
        const bool accepted =
            atls_verdict_accepted(r) && strcmp(atls_verdict_workload(r), "any") == 0;
        const bool refused = atls_verdict_code(r) == ATLS_E_POLICY &&
                             strcmp(atls_verdict_check(r), "policy.debug") == 0;
        expect(debug ? refused : accepted, file, atls_verdict_message(r));
        expect(!atls_verdict_simulated(r) && !r->claims.custom_root, file, "AMD's own root");
        reports_accepted += accepted ? 1 : 0;
        atls_verdict_free(r);
    }
    atls_policy_free(policy);
    atls_verifier_free(v);
}

/* One bit in each byte of the report, and each truncation. */
static void no_other_bytes(const atls_verifier *v, const char *file, atls_buf report, atls_buf leaf,
                           int64_t when_s)
{
    uint8_t bytes[1184];
    memcpy(bytes, report.ptr, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        atls_verdict *r =
            judge(v, (atls_buf){bytes, sizeof bytes}, leaf, (atls_buf){NULL, 0}, when_s);
        expect(atls_verdict_code(r) == ATLS_E_INVALID && r->claims.tee == ATLS_TEE_NONE, file,
               "a changed bit, and taken");
        atls_verdict_free(r);
        bytes[i] ^= (uint8_t)(1u << i % 8);
        r = judge(v, (atls_buf){bytes, i}, leaf, (atls_buf){NULL, 0}, when_s);
        expect(atls_verdict_code(r) == ATLS_E_INVALID, file, "cut short, and taken");
        atls_verdict_free(r);
    }
}

static void judge_report(const json_t *entry, const char *file, atls_buf report)
{
    static const atls_buf none;
    const json_t *x = json_object_get(entry, "expect");
    const bool is_vlek = strcmp(vector_text(x, "signing_key"), "VLEK") == 0;
    const int64_t when_s = time_of(entry);
    char leaf_name[128];
    uint8_t space[8300];
    (void)snprintf(leaf_name, sizeof leaf_name, "%.*s%s",
                   (int)(strlen(file) - strlen(".report.bin")), file,
                   is_vlek ? ".vlek.der" : ".vcek.der");
    const atls_buf leaf = read_file(leaf_name);
    atls_verifier *v = atls_verifier_new();
    atls_verdict *r = judge(v, report, none, none, when_s);
    expect(strcmp(atls_verdict_check(r), "snp.leaf.missing") == 0 &&
               atls_verdict_code(r) == ATLS_E_COLLATERAL,
           file, "without a leaf");
    atls_verdict_free(r);
    for (int warm = 0; warm < 2; warm++) {
        r = judge(v, report, leaf, none, when_s);
        expect(only_the_list_is_missing(r), file, atls_verdict_message(r));
        expect(atls_verdict_signatures(r) == (warm ? 1 : 2), file, "signatures");
        check_claims(file, x, &r->claims);
        expect(is_noted(r, "snp.firmware.provisional") ==
                   json_is_true(json_object_get(x, "provisional_firmware")),
               file, "provisional firmware");
        atls_verdict_free(r);
    }
    accept_without_a_list(file, report, leaf, when_s);
    no_other_bytes(v, file, report, leaf, when_s);
    r = judge(v, report, none, table_with(leaf, is_vlek, space), when_s);
    expect(only_the_list_is_missing(r), file, "its leaf in a table");
    atls_verdict_free(r);
    expect(atls_verifier_add1_endorsement(v, leaf, NULL) == ATLS_OK, file,
           "its leaf as endorsement");
    r = judge(v, report, none, none, when_s);
    expect(only_the_list_is_missing(r), file, "its leaf as endorsement");
    atls_verdict_free(r);
    r = judge(v, report, leaf, none, when_s + (int64_t)40 * 365 * 86400);
    expect(atls_verdict_code(r) == ATLS_E_COLLATERAL &&
               strcmp(atls_verdict_check(r), "snp.leaf.time") == 0,
           file, "at a time when its chain is out of date");
    atls_verdict_free(r);
    atls_verifier_free(v);
    drop(leaf);
}

static void judge_negative(const json_t *entry, const char *file, atls_buf report)
{
    static const struct {
        const char *file, *check;
    } checks[] = {
        {"neg-flip-report-data.bin", "snp.report.signature"},
        {"neg-r-over-48.bin", "snp.report.tail"},
        {"neg-sig-zero.bin", "snp.report.signature"},
        {"neg-short.bin", "snp.report.size"},
        {"neg-sigalgo-2.bin", "snp.report.algorithm"},
        {"neg-version-1.bin", "snp.report.version"},
        {"neg-fake-ark-milan.extended.bin", "snp.ca.signature"},
    };
    const bool extended = report.len > 1184;
    atls_verifier *v = atls_verifier_new();
    const atls_buf leaf = extended ? (atls_buf){NULL, 0} : read_file("milan-v2-vcek.vcek.der");
    atls_verdict *r = judge(v, report, leaf, (atls_buf){NULL, 0}, time_of(entry));
    bool found = false;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (strcmp(checks[i].file, file) == 0) {
            found = true;
            expect(strcmp(atls_verdict_check(r), checks[i].check) == 0, file,
                   atls_verdict_message(r));
        }
    }
    expect(found, file, "a negative that this test does not know");
    expect(atls_verdict_code(r) == ATLS_E_INVALID, file, atls_verdict_message(r));
    atls_verdict_free(r);
    if (extended) { /* as endorsements, its certificates are no better */
        expect(atls_verifier_add1_endorsement(v, (atls_buf){report.ptr + 1184, report.len - 1184},
                                              NULL) == ATLS_OK,
               file, "its table as endorsement");
        r = judge(v, (atls_buf){report.ptr, 1184}, leaf, leaf, time_of(entry));
        expect(atls_verdict_code(r) == ATLS_E_INVALID, file, "its table as endorsement");
        atls_verdict_free(r);
    }
    atls_verifier_free(v);
    drop(leaf);
}

/* --- tables, certificates --- */

static size_t entry_len(const json_t *entries, const char *guid)
{
    size_t i;
    const json_t *e;
    json_array_foreach(entries, i, e)
    {
        if (strcmp(vector_text(e, "guid"), guid) == 0) {
            return (size_t)json_integer_value(json_object_get(e, "len"));
        }
    }
    return 0;
}

static void judge_table(const json_t *entry, const char *file, atls_buf bytes)
{
    const json_t *entries = json_object_get(json_object_get(entry, "expect"), "entries");
    atls_amd_cert_table t;
    atls_err err = {0};
    const atls_code rc = atls_amd_cert_table_parse(bytes, &t, &err);
    if (strcmp(vector_text(entry, "kind"), "cert-table-negative") == 0) {
        expect(rc == ATLS_E_INVALID && strcmp(err.check, "snp.table.entry") == 0, file, "taken");
        return;
    }
    if (expect(rc == ATLS_OK, file, err.msg)) {
        expect(t.n == json_array_size(entries), file, "number of entries");
        expect(t.entry[ATLS_AMD_VCEK].len ==
                       entry_len(entries, "63da758d-e664-4564-adc5-f4b93be8accd") &&
                   t.entry[ATLS_AMD_ASK].len ==
                       entry_len(entries, "4ab7b379-bbac-4fe4-a02f-05aef327c782") &&
                   t.entry[ATLS_AMD_ARK].len ==
                       entry_len(entries, "c0b406a4-a803-4952-9743-3fb6014cd0ae"),
               file, "lengths");
    }
}

/* "1.3.8" to the extension's bytes. */
static void check_extensions(const char *file, const json_t *wanted, const atls_cert *cert)
{
    const char *suffix;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)wanted, suffix, value)
    {
        char oid[64];
        char text[2 * 80 + 1] = "";
        atls_buf bytes = {NULL, 0};
        (void)snprintf(oid, sizeof oid, "1.3.6.1.4.1.3704.%s", suffix);
        bool there = atls_cert_extension(cert, oid, &bytes, NULL) == 1 && bytes.len <= 80;
        if (there) {
            atls_hex_encode(bytes, text);
        }
        expect(there && strcmp(text, json_string_value(value)) == 0, file, suffix);
    }
}

static void judge_leaf(const json_t *entry, const char *file, atls_buf der)
{
    const json_t *x = json_object_get(entry, "expect");
    atls_cert *cert = NULL;
    atls_amd_leaf leaf;
    atls_err err = {0};
    const bool is_vlek = strcmp(vector_text(entry, "kind"), "vlek") == 0;
    if (!expect(atls_cert_parse(der, &cert, &err) == ATLS_OK, file, err.msg)) {
        return;
    }
    if (expect(atls_amd_leaf_read(cert, is_vlek, &leaf, &err) == ATLS_OK, file, err.msg)) {
        const char *product = vector_text(x, "product_name_ext");
        expect(product[0] == '\0' || atls_amd_product_by_name(product) == leaf.product, file,
               "product");
        expect(leaf.hw_id_len == (is_vlek                          ? 0u
                                  : leaf.product == ATLS_AMD_TURIN ? 8u
                                                                   : 64u),
               file, "hwID");
    }
    check_extensions(file, json_object_get(x, "extensions_hex"), cert);
    atls_cert_free(cert);
}

/* ASK (or ASVK), then ARK: taken as roots of the user's own they verify reports as the pinned ones do. */
static void judge_chain(const json_t *entry, const char *file, atls_buf pem)
{
    const json_t *certs = json_object_get(json_object_get(entry, "expect"), "certs");
    uint8_t *space = malloc(pem.len);
    atls_buf ders[4];
    size_t n = 0;
    expect(atls_cert_split(pem, space, pem.len, ders, 4, &n, NULL) == ATLS_OK &&
               n == json_array_size(certs) && n == 2,
           file, "two certificates");
    atls_cert *cert[2] = {NULL, NULL};
    for (size_t i = 0; i < 2 && i < n; i++) {
        expect(atls_cert_parse(ders[i], &cert[i], NULL) == ATLS_OK &&
                   is_hex(json_array_get(certs, i), "sha256", cert[i]->sha256, 32),
               file, "SHA-256");
    }
    atls_public_key *ark = NULL;
    expect(atls_cert_public_key(cert[1], &ark, NULL) == ATLS_OK &&
               atls_cert_signed_by_key(cert[0], ark) && atls_cert_signed_by_key(cert[1], ark) &&
               cert[0]->sig_scheme == ATLS_RSA_PSS && cert[0]->sig_hash == ATLS_SHA384,
           file, "signatures");
    atls_verifier *v = atls_verifier_new();
    expect(atls_verifier_set1_root(v, ATLS_FAMILY_AMD, ders[1], NULL) == ATLS_OK, file, "as root");
    if (strcmp(file, "milan-vcek-chain.pem") == 0) {
        const atls_buf report = read_file("milan-v3-vcek.report.bin");
        const atls_buf leaf = read_file("milan-v3-vcek.vcek.der");
        atls_verdict *r = judge(v, report, leaf, (atls_buf){NULL, 0}, 1780000000);
        expect(only_the_list_is_missing(r) && r->claims.custom_root, file, atls_verdict_message(r));
        atls_verdict_free(r);
        drop(report);
        drop(leaf);
    }
    atls_verifier_free(v);
    atls_public_key_free(ark);
    atls_cert_free(cert[0]);
    atls_cert_free(cert[1]);
    free(space);
}

int main(void)
{
    static const struct {
        const char *kind;
        void (*judge)(const json_t *entry, const char *file, atls_buf bytes);
    } kinds[] = {
        {"snp-report", judge_report},
        {"snp-report-negative", judge_negative},
        {"snp-extended-report-negative", judge_negative},
        {"cert-table", judge_table},
        {"cert-table-negative", judge_table},
        {"vcek", judge_leaf},
        {"vlek", judge_leaf},
        {"ca-chain", judge_chain},
    };
    json_t *manifest = vector_manifest(FOLDER);
    size_t i;
    const json_t *entry;
    if (manifest == NULL) {
        (void)printf("the SNP vectors are not there (ATLS_VECTORS): nothing was checked\n");
        return 77;
    }
    json_array_foreach(manifest, i, entry)
    {
        const char *file = vector_text(entry, "file");
        const atls_buf bytes = read_file(file);
        bool known = false;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            if (strcmp(kinds[k].kind, vector_text(entry, "kind")) == 0) {
                known = true;
                kinds[k].judge(entry, file, bytes);
            }
        }
        expect(known && bytes.ptr != NULL, file, "a kind that this test does not know, or no file");
        drop(bytes);
    }
    (void)printf("%zu files, %u reports accepted, %u expectations, %u wrong\n",
                 json_array_size(manifest), reports_accepted / 2, judged, wrong);
    json_decref(manifest);
    return wrong == 0 && judged > 1000 && reports_accepted > 4 ? 0 : 1;
}
