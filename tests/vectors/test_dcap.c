/* Every quote of the DCAP vectors judged through the library, as their manifest says: verdict, TCB status,
 * advisories, dates, error class, parsed fields, and the rules that are ours. The manifest's expectations
 * come from Intel's own library. Exit 77: the vectors are not there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "crypto/cert.h"
#include "evidence/dcap/quote.h"
#include "trust/pck.h"
#include "verify/verdict.h"
#include <atls/atls.h>

#define FILE_MAX (8u << 20)

/* Intel's name of an error, and the checks of ours that may notice it. Code 4, unless it says another. */
static const struct {
    const char *error;
    atls_code code;
    const char *checks; /* separated by spaces; a trailing '*' stands for any end */
} errors[] = {
    {"UNSUPPORTED_QUOTE_FORMAT", ATLS_E_INVALID, "quote.* evidence.unknown"},
    {"UNSUPPORTED_CERT_FORMAT", ATLS_E_INVALID, "pck.chain.format tcb_info.chain.format"},
    {"UNSUPPORTED_QE_CERTIFICATION_DATA_TYPE", ATLS_E_COLLATERAL, "pck.missing"},
    {"SGX_ROOT_CA_MISSING", ATLS_E_INVALID, "pck.chain.root"},
    {"SGX_INTERMEDIATE_CA_MISSING", ATLS_E_INVALID, "pck.chain.ca"},
    {"SGX_PCK_MISSING", ATLS_E_INVALID, "pck.chain.leaf"},
    {"SGX_PCK_INVALID_EXTENSIONS", ATLS_E_INVALID, "pck.chain.extensions pck.extension"},
    {"SGX_PCK_INVALID_ISSUER", ATLS_E_INVALID, "pck.leaf.issuer pck.leaf.signature"},
    {"SGX_INTERMEDIATE_CA_INVALID_ISSUER", ATLS_E_INVALID, "pck.ca.issuer pck.ca.signature"},
    {"SGX_PCK_CERT_CHAIN_UNTRUSTED", ATLS_E_INVALID, "pck.chain.root"},
    {"SGX_PCK_REVOKED", ATLS_E_INVALID, "pck.leaf.crl"},
    {"SGX_INTERMEDIATE_CA_REVOKED", ATLS_E_INVALID, "pck.ca.crl"},
    {"SGX_CRL_UNKNOWN_ISSUER", ATLS_E_INVALID, "root_crl.issuer pck_crl.issuer"},
    {"SGX_CRL_INVALID_SIGNATURE", ATLS_E_INVALID, "root_crl.signature pck_crl.signature"},
    {"SGX_CRL_INVALID_EXTENSIONS", ATLS_E_INVALID, "root_crl.extensions pck_crl.extensions"},
    {"SGX_TCB_SIGNING_CERT_MISSING", ATLS_E_INVALID, "tcb_info.chain.signer"},
    {"SGX_TCB_SIGNING_CERT_REVOKED", ATLS_E_INVALID, "tcb_info.chain.crl"},
    {"TCB_INFO_INVALID_SIGNATURE", ATLS_E_INVALID, "tcb_info.signature"},
    {"SGX_TCB_INFO_INVALID", ATLS_E_INVALID, "tcb_info.format"},
    {"SGX_TCB_INFO_UNSUPPORTED_FORMAT", ATLS_E_INVALID, "tcb_info.format"},
    {"SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE", ATLS_E_INVALID, "qe_identity.signature"},
    {"SGX_ENCLAVE_IDENTITY_INVALID", ATLS_E_INVALID, "qe_identity.format"},
    {"SGX_ENCLAVE_IDENTITY_UNSUPPORTED_FORMAT", ATLS_E_INVALID, "qe_identity.format"},
    {"SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION", ATLS_E_INVALID, "qe_identity.version"},
    {"TCB_INFO_MISMATCH", ATLS_E_INVALID, "tcb_info.tee tcb_info.fmspc tcb_info.pceid"},
    {"TDX_MODULE_MISMATCH", ATLS_E_INVALID, "tdx_module.*"},
    {"INVALID_QE_REPORT_SIGNATURE", ATLS_E_INVALID, "qe_report.signature"},
    {"INVALID_QE_REPORT_DATA", ATLS_E_INVALID, "qe_report.data"},
    {"QE_IDENTITY_MISMATCH", ATLS_E_INVALID,
     "qe_identity.id qe_identity.miscselect qe_identity.attributes qe_identity.mrsigner qe_identity.isvprodid"},
    {"INVALID_QUOTE_SIGNATURE", ATLS_E_INVALID, "quote.signature"},
    {"TCB_NOT_SUPPORTED", ATLS_E_POLICY, "tcb.level tcb.module_level tcb.qe_level"},
    {"SGX_PCK_CERT_CHAIN_EXPIRED", ATLS_E_COLLATERAL, "pck.chain.time"},
    {"SGX_CRL_EXPIRED", ATLS_E_COLLATERAL, "root_crl.time pck_crl.time"},
    {"SGX_SIGNING_CERT_CHAIN_EXPIRED", ATLS_E_COLLATERAL,
     "tcb_info.chain.time qe_identity.chain.time"},
    {"SGX_TCB_INFO_EXPIRED", ATLS_E_COLLATERAL, "tcb_info.time"},
    {"SGX_ENCLAVE_IDENTITY_EXPIRED", ATLS_E_COLLATERAL, "qe_identity.time"},
    /* what we object to though Intel does not */
    {"debug", ATLS_E_POLICY, "policy.debug"},
    {"reserved", ATLS_E_POLICY, "policy.reserved"},
    {"sept", ATLS_E_POLICY, "policy.sept"},
    {"service_td", ATLS_E_POLICY, "policy.service_td"},
    {"not_yet_valid", ATLS_E_COLLATERAL,
     "pck.chain.time tcb_info.chain.time qe_identity.chain.time root_crl.time pck_crl.time"},
    {"reject by default: issueDate in the future", ATLS_E_COLLATERAL,
     "tcb_info.time qe_identity.time"},
};

typedef struct entry {
    const json_t *json, *expect;
    const char *file;
    atls_buf quote;
    const atls_verdict *r;
    unsigned wrong;
} entry;

static void complain(entry *e, const char *fmt, ...) ATLS_PRINTF(2, 3);
static void complain(entry *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)printf("WRONG %s: ", e->file);
    (void)vprintf(fmt, ap);
    (void)printf("  [%d %s: %s]\n", (int)e->r->code, atls_verdict_check(e->r),
                 atls_verdict_message(e->r));
    va_end(ap);
    e->wrong++;
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool read_file(const char *base, const char *name, atls_buf *out)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/dcap/%s", base, name);
    FILE *f = fopen(path, "rb");
    uint8_t *space = f == NULL ? NULL : malloc(FILE_MAX);
    if (space == NULL) {
        return false;
    }
    *out = (atls_buf){space, fread(space, 1, FILE_MAX, f)};
    (void)fclose(f);
    return true;
}

static void drop_file(atls_buf b)
{
    void *p;
    memcpy(&p, &b.ptr, sizeof p);
    free(p);
}

/* --- what the ledger says --- */

static bool is_among(const char *id, const char *checks)
{
    while (*checks != '\0') {
        size_t len = strcspn(checks, " ");
        bool any_end = len > 0 && checks[len - 1] == '*';
        size_t fixed = any_end ? len - 1 : len;
        if (strncmp(id, checks, fixed) == 0 && (any_end || id[fixed] == '\0')) {
            return true;
        }
        checks += len + (checks[len] == ' ' ? 1 : 0);
    }
    return false;
}

/* Did one of the checks that stand for this error fail, with its code? */
static atls_code noticed(entry *e, const char *error)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(errors[i].error, error) != 0) {
            continue;
        }
        const atls_ledger *l = &e->r->ledger;
        for (size_t k = 0; k < l->count; k++) {
            if (l->entries[k].result == ATLS_CHECK_FAIL && l->entries[k].code == errors[i].code &&
                is_among(l->entries[k].id, errors[i].checks)) {
                return errors[i].code;
            }
        }
        complain(e, "%s was not noticed by %s", error, errors[i].checks);
        return errors[i].code;
    }
    complain(e, "no class is known for error %s", error);
    return ATLS_E_INVALID;
}

static bool failed_with(const atls_ledger *l, atls_code code)
{
    for (size_t k = 0; k < l->count; k++) {
        if (l->entries[k].result == ATLS_CHECK_FAIL && l->entries[k].code == code) {
            return true;
        }
    }
    return false;
}

/* --- status, advisories, dates --- */

static void check_status(entry *e)
{
    const char *wanted = text(e->expect, "status");
    const atls_tcb_claims *tcb = &e->r->claims.tcb;
    const char *found = tcb->known ? atls_tcb_status_name(tcb->status) : NULL;
    if (wanted == NULL ? found != NULL : found == NULL || strcmp(found, wanted) != 0) {
        complain(e, "status %s, where %s is wanted", found ? found : "none",
                 wanted ? wanted : "none");
    }
}

static void check_level(entry *e)
{
    const atls_tcb_level *level = &e->r->claims.tcb.platform;
    const json_t *wanted = json_object_get(e->expect, "advisory_ids");
    if (json_is_array(wanted) && e->r->claims.tcb.known) {
        bool same = json_array_size(wanted) == level->advisories_n;
        for (size_t i = 0; same && i < level->advisories_n; i++) {
            same = strcmp(level->advisories[i], json_string_value(json_array_get(wanted, i))) == 0;
        }
        if (!same) {
            complain(e, "%zu advisories, where %zu others are wanted", level->advisories_n,
                     json_array_size(wanted));
        }
    }
    const char *date = text(json_object_get(e->expect, "platform_level"), "tcbDate");
    if (date != NULL && e->r->claims.tcb.known) {
        char found[ATLS_TIME_TEXT_LEN];
        atls_time_format(level->date_s, found);
        if (strcmp(found, date) != 0) {
            complain(e, "tcbDate %s, where %s is wanted", found, date);
        }
        const char *status = text(json_object_get(e->expect, "platform_level"), "tcbStatus");
        if (strcmp(status, atls_tcb_status_name(level->status)) != 0) {
            complain(e, "level %s, where %s is wanted", atls_tcb_status_name(level->status),
                     status);
        }
    }
}

static void check_expiration(entry *e)
{
    const char *date = text(e->expect, "earliest_expiration");
    int64_t found = e->r->claims.tcb.earliest_expiration_s;
    const json_t *expired = json_object_get(e->expect, "collateral_expired");
    if (date == NULL || !e->r->claims.tcb.known) {
        return;
    }
    char printed[ATLS_TIME_TEXT_LEN];
    atls_time_format(found, printed);
    if (strcmp(printed, date) != 0) {
        complain(e, "earliest expiration %s, where %s is wanted", printed, date);
    }
    /* Intel's flag is also set by a CRL that is not valid yet. */
    bool is_expired = found <= e->r->at_s || text(e->expect, "error") != NULL;
    if (json_is_boolean(expired) && json_is_true(expired) != is_expired) {
        complain(e, "collateral_expired is wrong");
    }
}

/* --- fields --- */

static void check_hex(entry *e, const json_t *fields, const char *name, atls_buf found)
{
    const char *wanted = text(fields, name);
    char hex[256];
    if (wanted == NULL || found.len > 100) {
        return;
    }
    atls_hex_encode(found, hex);
    if (strcmp(hex, wanted) != 0) {
        complain(e, "field %s is %s, where %s is wanted", name, hex, wanted);
    }
}

static void check_uint(entry *e, const json_t *fields, const char *name, uint64_t found)
{
    const json_t *wanted = json_object_get(fields, name);
    if (json_is_integer(wanted) && (uint64_t)json_integer_value(wanted) != found) {
        complain(e, "field %s is %llu, where %lld is wanted", name, (unsigned long long)found,
                 (long long)json_integer_value(wanted));
    }
}

static void check_body(entry *e, const json_t *f, const atls_quote *q)
{
    if (q->is_tdx) {
        const struct {
            const char *name;
            atls_buf found;
        } td[] = {{"tee_tcb_svn", q->td.tee_tcb_svn},
                  {"mrseam", q->td.mrseam},
                  {"mrsignerseam", q->td.mrsignerseam},
                  {"seamattributes", q->td.seam_attributes},
                  {"tdattributes", q->td.td_attributes},
                  {"xfam", q->td.xfam},
                  {"mrtd", q->td.mrtd},
                  {"mrconfigid", q->td.mrconfigid},
                  {"mrowner", q->td.mrowner},
                  {"mrownerconfig", q->td.mrownerconfig},
                  {"rtmr0", q->td.rtmr[0]},
                  {"rtmr1", q->td.rtmr[1]},
                  {"rtmr2", q->td.rtmr[2]},
                  {"rtmr3", q->td.rtmr[3]},
                  {"report_data", q->td.report_data},
                  {"tee_tcb_svn2", q->td.tee_tcb_svn2},
                  {"mrservicetd", q->td.mrservicetd}};
        for (size_t i = 0; i < sizeof td / sizeof td[0]; i++) {
            check_hex(e, f, td[i].name, td[i].found);
        }
        return;
    }
    check_hex(e, f, "cpusvn", q->sgx.cpusvn);
    check_hex(e, f, "attributes", q->sgx.attributes);
    check_hex(e, f, "mrenclave", q->sgx.mrenclave);
    check_hex(e, f, "mrsigner", q->sgx.mrsigner);
    check_hex(e, f, "report_data", q->sgx.report_data);
    check_uint(e, f, "miscselect", q->sgx.miscselect);
    check_uint(e, f, "isvprodid", q->sgx.isvprodid);
    check_uint(e, f, "isvsvn", q->sgx.isvsvn);
}

static void check_pck_extension(entry *e, const json_t *f, const atls_cert *leaf)
{
    atls_pck_extension ext;
    if (text(f, "fmspc") == NULL) {
        return;
    }
    if (atls_pck_extension_parse(leaf->sgx_extension, &ext, NULL) != ATLS_OK) {
        complain(e, "the PCK extension cannot be read");
        return;
    }
    check_hex(e, f, "pck_serial", (atls_buf){leaf->serial, leaf->serial_len});
    check_hex(e, f, "fmspc", (atls_buf){ext.fmspc, sizeof ext.fmspc});
    check_hex(e, f, "pck_cpusvn", (atls_buf){ext.cpusvn, sizeof ext.cpusvn});
    check_hex(e, f, "pck_comp", (atls_buf){ext.svn.sgx, sizeof ext.svn.sgx});
    check_hex(e, f, "ppid", (atls_buf){ext.ppid, sizeof ext.ppid});
    check_uint(e, f, "pck_pcesvn", ext.svn.pcesvn);
}

static void check_pck(entry *e, const json_t *f, const atls_quote *q)
{
    static uint8_t space[65536];
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    if (q->certification_type != 5 || atls_cert_split(q->certification_data, space, sizeof space,
                                                      ders, ATLS_CHAIN_MAX, &n, NULL) != ATLS_OK) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        atls_cert *cert = NULL;
        if (atls_cert_parse(ders[i], &cert, NULL) != ATLS_OK) {
            complain(e, "certificate %zu cannot be read", i);
        } else if (strcmp(cert->subject_cn, "Intel SGX PCK Certificate") == 0) {
            check_pck_extension(e, f, cert);
        } else if (strstr(cert->subject_cn, "PCK") != NULL && text(f, "pck_issuer") != NULL &&
                   strcmp(cert->subject_cn, text(f, "pck_issuer")) != 0) {
            complain(e, "issuer %s", cert->subject_cn);
        }
        atls_cert_free(cert);
    }
}

static void check_fields(entry *e)
{
    const json_t *f = json_object_get(e->json, "fields");
    atls_quote q;
    if (!json_is_object(f) || atls_quote_parse(e->quote, &q, NULL) != ATLS_OK) {
        return;
    }
    check_uint(e, f, "version", q.version);
    check_uint(e, f, "att_key_type", q.key_type);
    check_uint(e, f, "tee_type", q.tee_type);
    check_hex(e, f, "qe_vendor", q.qe_vendor);
    check_hex(e, f, "user_data", q.user_data);
    check_uint(e, f, "trailing", q.trailing);
    check_uint(e, f, "qe_auth_len", q.qe_auth_data.len);
    check_hex(e, f, "qe_mrsigner", q.qe_report.mrsigner);
    check_uint(e, f, "qe_isvsvn", q.qe_report.isvsvn);
    check_uint(e, f, "qe_isvprodid", q.qe_report.isvprodid);
    check_hex(e, f, "qe_attr", q.qe_report.attributes);
    check_uint(e, f, "cert_type", q.certification_type);
    check_uint(e, f, "cert_size", q.certification_data.len);
    check_body(e, f, &q);
    check_pck(e, f, &q);
}

/* --- one entry --- */

/* Nothing fails but what the manifest tells, and the code is the one that follows from it. */
static void check_verdict(entry *e)
{
    const char *verdict = text(e->expect, "verdict");
    const char *error = text(e->expect, "error");
    const char *status = text(e->expect, "status");
    bool present[ATLS_E_BINDING + 1] = {false};
    if (error != NULL) {
        present[noticed(e, error)] = true;
    }
    if (text(e->json, "project") != NULL) {
        present[noticed(e, text(e->json, "project"))] = true;
    }
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(e->json, "attribute_policy"), i, name)
    {
        present[noticed(e, json_string_value(name))] = true;
    }
    if (status != NULL && strcmp(status, "UpToDate") != 0) {
        present[ATLS_E_POLICY] = true;
    }
    atls_code wanted = present[ATLS_E_INVALID]      ? ATLS_E_INVALID
                       : present[ATLS_E_POLICY]     ? ATLS_E_POLICY
                       : present[ATLS_E_COLLATERAL] ? ATLS_E_COLLATERAL
                                                    : ATLS_OK;
    if (e->r->code != wanted || e->r->accepted != (wanted == ATLS_OK)) {
        complain(e, "code %d for verdict %s, where %d is wanted", (int)e->r->code, verdict,
                 (int)wanted);
    }
    for (atls_code code = ATLS_E_COLLATERAL; code <= ATLS_E_BINDING; code++) {
        if (strcmp(verdict, "error") != 0 && !present[code] && failed_with(&e->r->ledger, code)) {
            complain(e, "a check failed with code %d that nobody expected", (int)code);
        }
    }
}

static void check_claims(entry *e)
{
    if (e->r->accepted && (e->r->claims.tee == ATLS_TEE_NONE || !e->r->claims.tcb.known)) {
        complain(e, "accepted without claims");
    }
    if (e->r->claims.simulated) {
        complain(e, "called simulated");
    }
    if (e->r->claims.custom_root != (strcmp(text(e->json, "root"), "intel") != 0) &&
        e->r->accepted) {
        complain(e, "the root is told wrongly");
    }
}

/* Cold and warm must not differ. */
static void check_again(entry *e, const atls_verifier *v, const atls_evidence *evidence)
{
    atls_verdict *again = atls_verifier_check(v, evidence, NULL, e->r->at_s, NULL);
    if (again == NULL || again->code != e->r->code || again->ledger.count != e->r->ledger.count ||
        again->claims.tcb.status != e->r->claims.tcb.status) {
        complain(e, "a second verification differs");
    } else if (e->r->accepted && (e->r->signatures > 10 || again->signatures != 1)) {
        /* Nine; and one more for a text that was re-indented after signing. */
        complain(e, "%u and %u signatures, where 9 and 1 are needed", e->r->signatures,
                 again->signatures);
    }
    atls_verdict_free(again);
}

static atls_verifier *verifier_for(const char *base, const json_t *json)
{
    atls_verifier *v = atls_verifier_new();
    atls_buf bytes;
    atls_collateral *c = NULL;
    atls_err err = {0};
    if (v == NULL || !read_file(base, text(json, "collateral"), &bytes)) {
        return NULL;
    }
    if (atls_collateral_parse(bytes, &c, &err) != ATLS_OK ||
        atls_verifier_add1_collateral(v, c, &err) != ATLS_OK) {
        (void)printf("%s: %s\n", err.check, err.msg);
        return NULL;
    }
    atls_collateral_free(c);
    drop_file(bytes);
    if (strcmp(text(json, "root"), "intel") != 0) {
        if (!read_file(base, text(json, "root"), &bytes) ||
            atls_verifier_set1_root(v, ATLS_FAMILY_INTEL, bytes, &err) != ATLS_OK) {
            return NULL;
        }
        drop_file(bytes);
    }
    return v;
}

static unsigned judge(const char *base, const json_t *json)
{
    entry e = {.json = json, .expect = json_object_get(json, "expect"), .file = text(json, "file")};
    atls_verifier *v = verifier_for(base, json);
    int64_t when_s = 0;
    if (v == NULL || !read_file(base, e.file, &e.quote) ||
        !atls_time_parse(text(json, "time"), strlen(text(json, "time")), &when_s)) {
        (void)printf("WRONG %s: the entry cannot be set up\n", e.file);
        return 1;
    }
    atls_evidence evidence = {.parts_n = 1, .parts = {{"quote", e.quote}}};
    atls_verdict *r = atls_verifier_check(v, &evidence, NULL, when_s, NULL);
    e.r = r;
    check_verdict(&e);
    check_status(&e);
    check_level(&e);
    check_expiration(&e);
    check_fields(&e);
    check_claims(&e);
    check_again(&e, v, &evidence);
    atls_verdict_free(r);
    atls_verifier_free(v);
    drop_file(e.quote);
    return e.wrong;
}

int main(void)
{
    const char *base = getenv("ATLS_VECTORS");
    atls_buf bytes;
    if (base == NULL || !read_file(base, "MANIFEST.json", &bytes)) {
        (void)printf("the DCAP vectors are not there (ATLS_VECTORS=%s): nothing was checked\n",
                     base == NULL ? "" : base);
        return 77;
    }
    json_error_t error;
    json_t *manifest = json_loadb((const char *)bytes.ptr, bytes.len, 0, &error);
    unsigned wrong = 0;
    unsigned n = 0;
    size_t i;
    json_t *json;
    json_array_foreach(json_object_get(manifest, "vectors"), i, json)
    {
        if (strncmp(text(json, "kind"), "dcap-quote", 10) == 0) {
            n++;
            wrong += judge(base, json);
        }
    }
    json_decref(manifest);
    drop_file(bytes);
    (void)printf("%u quotes judged, %u things wrong\n", n, wrong);
    return n > 0 && wrong == 0 ? 0 : 1;
}
