/* Every file of the TPM vectors judged as their manifest says: quotes through the verifier with their keys, Google's with
 * its intermediate as anchor, spoilt ones by the check that must notice, reports of Azure's paravisor down to their key;
 * truncations of all of them. Exit 77: the vectors are not there. Event logs have a test of their own. */
#include "vector_files.h"

#include <openssl/evp.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "crypto/digest.h"
#include "evidence/tpm/hcl.h"
#include "evidence/tpm/hcl_runtime.h"
#include "trust/tpm_key.h"
#include "verify/verdict.h"
#include <atls/atls.h>

#define WHEN   1780272000 /* 2026-06-01, as the manifest has it for Google's */
#define ANCHOR "tpm_ek_intermediate_2.crt"

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

/* --- parts of one quote --- */

typedef struct parts {
    atls_evidence e;
    uint8_t *owned[ATLS_EVIDENCE_PARTS];
} parts;

static bool add_part(parts *p, const char *name, const char *file)
{
    size_t len = 0;
    uint8_t *bytes = vector_read("tpm", file, &len);
    const size_t i = p->e.parts_n;
    if (bytes == NULL) {
        return false;
    }
    p->owned[i] = bytes;
    p->e.parts[i].name = name;
    p->e.parts[i].bytes = (atls_buf){bytes, len};
    p->e.parts_n++;
    return true;
}

static void add_suffixed(parts *p, const char *name, const char *base, const char *suffix)
{
    char file[128];
    (void)snprintf(file, sizeof file, "%.100s%.20s", base, suffix);
    expect(add_part(p, name, file), file, "not there");
}

static void clear(parts *p)
{
    for (size_t i = 0; i < p->e.parts_n; i++) {
        free(p->owned[i]);
    }
    memset(p, 0, sizeof *p);
}

static atls_verifier *verifier_with(const char *endorsement, const char *root)
{
    atls_verifier *v = atls_verifier_new();
    size_t len = 0;
    uint8_t *bytes = endorsement != NULL ? vector_read("tpm", endorsement, &len) : NULL;
    atls_code rc =
        bytes != NULL ? atls_verifier_add1_endorsement(v, (atls_buf){bytes, len}, NULL) : ATLS_OK;
    expect(rc == ATLS_OK, endorsement != NULL ? endorsement : "", "as an endorsement");
    free(bytes);
    bytes = root != NULL ? vector_read("tpm", root, &len) : NULL;
    rc = bytes != NULL
             ? atls_verifier_set1_root(v, ATLS_FAMILY_GOOGLE, (atls_buf){bytes, len}, NULL)
             : ATLS_OK;
    expect(rc == ATLS_OK, root != NULL ? root : "", "as a root");
    free(bytes);
    return v;
}

static atls_verdict *judge(const atls_verifier *v, const atls_evidence *e)
{
    return atls_verifier_check(v, e, NULL, WHEN, NULL);
}

static void expect_verdict(const char *file, const atls_verifier *v, const atls_evidence *e,
                           atls_code code, const char *check)
{
    atls_verdict *r = judge(v, e);
    if (atls_verdict_code(r) != code || strcmp(atls_verdict_check(r), check) != 0) {
        char *text = atls_verdict_text(r, true);
        (void)printf("%s: %d %s, where %d %s is wanted\n%s\n", file, (int)atls_verdict_code(r),
                     atls_verdict_check(r), (int)code, check, text);
        atls_free(text);
    }
    expect(atls_verdict_code(r) == code && strcmp(atls_verdict_check(r), check) == 0, file,
           "another verdict");
    atls_verdict_free(r);
}

/* --- good quotes, and what was made of them --- */

static bool is_hex(const json_t *text, atls_buf bytes)
{
    uint8_t wanted[256];
    size_t len = 0;
    return json_is_string(text) &&
           atls_hex_decode(json_string_value(text), json_string_length(text), wanted, sizeof wanted,
                           &len) &&
           len == bytes.len && memcmp(wanted, bytes.ptr, len) == 0;
}

static void check_claims(const char *file, const json_t *expected, const atls_claims *claims)
{
    const atls_tpm_claims *t = &claims->tpm;
    const json_t *clock = json_object_get(expected, "clock");
    const json_t *selection = json_object_get(expected, "pcr_selection");
    static const struct {
        const char *name;
        size_t bank;
    } banks[] = {{"sha256", ATLS_TPM_SHA256}, {"sha384", ATLS_TPM_SHA384}};
    expect(claims->tee == ATLS_TEE_TPM, file, "no claims");
    expect(is_hex(json_object_get(expected, "qualifying_data"),
                  (atls_buf){t->qualifying_data, t->qualifying_data_len}),
           file, "qualifying data");
    if (clock != NULL) {
        expect(t->clock_ms == (uint64_t)json_integer_value(clock), file, "clock");
        expect(t->reset_count ==
                   (uint32_t)json_integer_value(json_object_get(expected, "reset_count")),
               file, "reset count");
    }
    for (size_t i = 0; i < json_array_size(selection); i++) {
        const json_t *one = json_array_get(selection, i);
        const json_t *pcrs = json_object_get(one, "pcrs");
        uint32_t mask = 0;
        for (size_t k = 0; k < json_array_size(pcrs); k++) {
            mask |= UINT32_C(1) << json_integer_value(json_array_get(pcrs, k));
        }
        for (size_t b = 0; b < 2; b++) {
            if (strcmp(vector_text(one, "bank"), banks[b].name) == 0) {
                expect(t->banks[banks[b].bank].selected == mask, file, "selection");
            }
        }
    }
}

/* Every truncation of every part, and one byte more: refused, whatever noticed it. */
static void spoil(const char *file, const atls_verifier *v, const atls_evidence *good)
{
    for (size_t p = 0; p < good->parts_n; p++) {
        const atls_buf whole = good->parts[p].bytes;
        uint8_t *longer = calloc(1, whole.len + 1);
        memcpy(longer, whole.ptr, whole.len);
        atls_evidence e = *good;
        const bool is_hcl = strcmp(e.parts[p].name, "hcl_report") == 0;
        const size_t hcl_end = is_hcl ? 0x4d4u + longer[0x4d0] + 256u * longer[0x4d1] : 0;
        for (size_t n = 1; n <= whole.len + 1; n++) {
            if (n == whole.len || (is_hcl && n >= hcl_end)) {
                continue; /* zeros behind a paravisor's report mean nothing */
            }
            e.parts[p].bytes = (atls_buf){longer, n};
            atls_verdict *r = judge(v, &e);
            expect(atls_verdict_code(r) == ATLS_E_INVALID, file, "cut short or longer, and taken");
            atls_verdict_free(r);
        }
        free(longer);
    }
}

static void judge_quote(const json_t *expected, const char *file)
{
    parts p = {.e.type = "tpm"};
    char base[100] = "";
    const bool is_google = strncmp(file, "gcp-", 4) == 0;
    (void)snprintf(base, sizeof base, "%.*s", (int)(strlen(file) - 4), file);
    add_suffixed(&p, "quote", base, ".msg");
    add_suffixed(&p, "signature", base, ".sig");
    add_suffixed(&p, "pcrs", base, ".pcrs");
    add_suffixed(&p, "ak_public", is_google ? "gcp-nonce9009" : base,
                 is_google ? ".ak.tpmt" : ".ak.tpm2b");
    char own[128];
    (void)snprintf(own, sizeof own, "%.100s.ak.tpm2b", base);
    atls_verifier *nobody = verifier_with(NULL, NULL);
    expect_verdict(file, nobody, &p.e, ATLS_E_INVALID, "tpm.ak.untrusted");
    if (is_google) {
        add_suffixed(&p, "ak_cert", "gcp-nonce9009", ".akcert.der");
        expect_verdict(file, nobody, &p.e, ATLS_E_COLLATERAL, "tpm.ak_cert.missing");
    }
    atls_verifier *v = is_google ? verifier_with(NULL, ANCHOR) : verifier_with(own, NULL);
    atls_verdict *r = judge(v, &p.e);
    expect(atls_verdict_accepted(r), file, atls_verdict_message(r));
    check_claims(file, expected, &r->claims);
    if (is_google) {
        uint8_t any = 0;
        for (size_t i = 0; i < 8; i++) {
            any |= r->claims.tpm.gcp_instance_id[i];
        }
        expect(any != 0, file, "no instance id");
        expect(r->claims.tpm.ak_trust == ATLS_AK_CERTIFICATE, file, "not by its certificate");
    }
    atls_verdict_free(r);
    spoil(file, v, &p.e);
    if (is_google) { /* its log replays to each of the three banks; SHA-1 alone makes no event believed */
        add_suffixed(&p, "event_log", "gcp-nonce9009", ".eventlog.bin");
        r = judge(v, &p.e);
        expect(atls_verdict_accepted(r), file, atls_verdict_message(r));
        expect((r->claims.log.n > 0) == (strstr(file, "sha1") == NULL), file, "events of its log");
        expect(r->claims.log.differs == 0, file, "its log does not replay");
        atls_verdict_free(r);
    }
    atls_verifier_free(v);
    atls_verifier_free(nobody);
    clear(&p);
}

/* The intermediate is an endorsement, and no anchor, until the caller says so. */
static void judge_anchors(void)
{
    parts p = {.e.type = "tpm"};
    const char *base = "gcp-nonce9009-sha256";
    add_suffixed(&p, "quote", base, ".msg");
    add_suffixed(&p, "signature", base, ".sig");
    add_suffixed(&p, "pcrs", base, ".pcrs");
    add_suffixed(&p, "ak_cert", "gcp-nonce9009", ".akcert.der");
    atls_verifier *v = verifier_with(ANCHOR, NULL);
    expect_verdict(ANCHOR, v, &p.e, ATLS_E_COLLATERAL, "tpm.ak_cert.missing");
    atls_verifier_free(v);
    v = verifier_with(NULL, "tpm_ek_intermediate_3.crt");
    expect_verdict("another anchor", v, &p.e, ATLS_E_COLLATERAL, "tpm.ak_cert.missing");
    atls_verifier_free(v);
    v = verifier_with("gcp-nonce9009.ak.tpmt", NULL);
    expect_verdict("a vouched key", v, &p.e, ATLS_OK, "");
    atls_verifier_free(v);
    clear(&p);
    /* The new intermediate hangs under the pinned root. */
    parts c = {.e.type = "tpm"};
    v = verifier_with("gcp_ek_ak_ca_intermediate_v3.crt", NULL);
    atls_verifier_free(v);
    v = verifier_with(NULL, "gcp_ek_ak_ca_root.crt");
    atls_verifier_free(v);
    clear(&c);
}

static void judge_negative(const char *file)
{
    static const struct {
        const char *file, *check;
    } expected[] = {{"neg-magic.msg", "tpm.attest.magic"},
                    {"neg-type-certify.msg", "tpm.attest.type"},
                    {"neg-truncated.msg", "tpm.attest.length"},
                    {"neg-trailing.msg", "tpm.attest.length"},
                    {"neg-pcr-order.pcrs", "tpm.pcrs.digest"}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (strcmp(expected[i].file, file) != 0) {
            continue;
        }
        const bool is_quote = strstr(file, ".msg") != NULL;
        parts p = {.e.type = "tpm"};
        expect(add_part(&p, "quote", is_quote ? file : "swtpm-ecc256.msg"), file, "not there");
        add_suffixed(&p, "signature", "swtpm-ecc256", ".sig");
        expect(add_part(&p, "pcrs", is_quote ? "swtpm-ecc256.pcrs" : file), file, "not there");
        atls_verifier *v = verifier_with("swtpm-ecc256.ak.tpm2b", NULL);
        expect_verdict(file, v, &p.e, ATLS_E_INVALID, expected[i].check);
        atls_verifier_free(v);
        clear(&p);
    }
}

/* --- public areas --- */

static void judge_area(const json_t *expected, const char *file)
{
    size_t len = 0, name_len = 0;
    uint8_t *bytes = vector_read("tpm", file, &len);
    uint8_t name[ATLS_TPM_NAME_MAX];
    atls_tpm_public area;
    expect(bytes != NULL && atls_tpm_public_parse((atls_buf){bytes, len}, &area, NULL) == ATLS_OK,
           file, "not taken");
    expect(atls_tpm_ak_wrong(area.attributes) == NULL, file, "its attributes");
    expect(atls_tpm_public_name(&area, name, &name_len, NULL) == ATLS_OK, file, "no name");
    const json_t *wanted = json_object_get(expected, "name");
    expect(wanted == NULL || is_hex(wanted, (atls_buf){name, name_len}), file, "its name");
    for (size_t n = 0; n < len; n++) {
        expect(atls_tpm_public_parse((atls_buf){bytes, n}, &area, NULL) == ATLS_E_INVALID, file,
               "cut short, and taken");
    }
    free(bytes);
}

/* --- Azure --- */

static void judge_hcl(const char *folder, const json_t *expected, const char *file)
{
    size_t len = 0;
    uint8_t *bytes = vector_read(folder, file, &len);
    atls_hcl hcl;
    atls_hcl_runtime *runtime = NULL;
    atls_kept_cache *cache = atls_kept_cache_new();
    uint8_t hash[64] = {0};
    expect(bytes != NULL && atls_hcl_parse((atls_buf){bytes, len}, &hcl, NULL) == ATLS_OK, file,
           "not taken");
    expect(atls_digest(ATLS_SHA256, &hcl.runtime, 1, hash, NULL) == ATLS_OK, file, "no hash");
    const uint8_t *report_data = hcl.report.ptr + (hcl.is_tdx ? 128 : 0x50);
    expect(memcmp(report_data, hash, 64) == 0, file, "the report does not cover the runtime data");
    expect(atls_hcl_runtime_get(cache, hcl.runtime, &runtime, NULL) == ATLS_OK, file,
           "no key HCLAkPub");
    const json_t *vm = json_object_get(expected, "vm_configuration");
    if (runtime != NULL && vm != NULL) {
        expect(strcmp(runtime->vm_id, vector_text(vm, "vmUniqueId")) == 0, file, "vmUniqueId");
    }
    const size_t end = (size_t)(hcl.runtime.ptr - bytes) + hcl.runtime.len;
    for (size_t n = 0; n < end; n++) {
        expect(atls_hcl_parse((atls_buf){bytes, n}, &hcl, NULL) == ATLS_E_INVALID, file,
               "cut short, and taken");
    }
    atls_kept_free(runtime);
    atls_kept_cache_free(cache);
    free(bytes);
}

static void judge_azure(const char *base)
{
    parts p = {.e.type = "azure"};
    static const char policy_text[] =
        "{\"atls_policy\":1,\"workloads\":[{\"name\":\"any\",\"tees\":[\"azure\"],"
        "\"crl\":\"if-present\"}]}";
    add_suffixed(&p, "quote", base, ".msg");
    add_suffixed(&p, "signature", base, ".sig");
    add_suffixed(&p, "pcrs", base, ".pcrs");
    add_suffixed(&p, "hcl_report", base, ".hcl.bin");
    add_suffixed(&p, "vcek", base, ".vcek.der");
    atls_verifier *v = verifier_with(NULL, NULL);
    expect_verdict(base, v, &p.e, ATLS_E_COLLATERAL, "policy.crl");
    atls_policy *policy = NULL;
    atls_err err = {0};
    const atls_code rc = atls_policy_parse(
        (atls_buf){(const uint8_t *)policy_text, sizeof policy_text - 1}, &policy, &err);
    expect(rc == ATLS_OK, base, err.msg);
    if (rc == ATLS_OK) {
        expect(atls_verifier_set1_policy(v, policy, NULL) == ATLS_OK, base, "no policy");
        expect_verdict(base, v, &p.e, ATLS_OK, "");
        atls_policy_free(policy);
    }
    spoil(base, v, &p.e);
    /* Quote and key of one machine, report of the other. */
    const bool is_genoa = strstr(base, "genoa") != NULL;
    const char *other = is_genoa ? "azure-snp-v1" : "azure-snp-genoa";
    parts q = {.e.type = "azure"};
    add_suffixed(&q, "quote", base, ".msg");
    add_suffixed(&q, "signature", base, ".sig");
    add_suffixed(&q, "pcrs", base, ".pcrs");
    add_suffixed(&q, "hcl_report", other, ".hcl.bin");
    add_suffixed(&q, "vcek", other, ".vcek.der");
    expect_verdict("two machines", v, &q.e, ATLS_E_INVALID, "tpm.quote.signature");
    clear(&q);
    clear(&p);
    atls_verifier_free(v);
}

static void judge_entry(const json_t *entry)
{
    const json_t *expected = json_object_get(entry, "expect");
    const char *file = vector_text(entry, "file");
    const char *kind = vector_text(entry, "kind");
    if (strcmp(kind, "tpms-attest") == 0 && json_object_get(expected, "verdict") != NULL) {
        judge_quote(expected, file);
    } else if (strcmp(kind, "tpm-negative") == 0) {
        judge_negative(file);
    } else if (strcmp(kind, "tpm2b-public") == 0 || strcmp(kind, "tpmt-public") == 0) {
        judge_area(expected, file);
    } else if (strcmp(kind, "azure-hcl-report") == 0) {
        judge_hcl("tpm", expected, file);
    }
}

int main(void)
{
    json_t *manifest = vector_manifest("tpm");
    if (manifest == NULL) {
        (void)printf("skipped: no vectors (ATLS_VECTORS)\n");
        return 77;
    }
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        judge_entry(json_array_get(manifest, i));
    }
    judge_anchors();
    judge_hcl("dstack", NULL, "flashbots-azure-hclreport.bin");
    judge_azure("azure-snp-v1");
    judge_azure("azure-snp-genoa");
    (void)printf("%zu files, %u comparisons, %u wrong\n", json_array_size(manifest), judged, wrong);
    json_decref(manifest);
    return wrong == 0 && judged > 0 ? 0 : 1;
}
