/* azure.c: a confidential VM of Azure, link by link (spec 4): the hardware report (SNP, or a TDX quote made of the
 * TDREPORT) -> the hash of the runtime data -> the vTPM's key in them -> that key's quote of PCRs. Fresh is the quote
 * alone; the report says which paravisor runs, and the PCRs which guest. Parts of two machines do not fit: each link has
 * a check of its own. */
#include <string.h>

#include "base/err.h"
#include "evidence/log/log.h"
#include "evidence/tpm/hcl.h"
#include "evidence/tpm/hcl_runtime.h"
#include "evidence/tpm/quote.h"

typedef struct azure_case {
    atls_tpm_case tpm;
    atls_hcl hcl;
    atls_td_report_fields td; /* when hcl.is_tdx */
    atls_buf report_data;     /* of the HCL's report */
    atls_hcl_runtime *runtime;
} azure_case;

#define SNP_REPORT_DATA_AT 0x50

static bool check(const azure_case *c, const char *id, bool good, const char *found,
                  const char *wanted)
{
    return atls_judge(&c->tpm.j, id, good, ATLS_E_INVALID, found, wanted);
}

/* --- parts --- */

static bool take_hcl(azure_case *c)
{
    atls_err err = {0};
    const atls_verification *v = c->tpm.v;
    const atls_buf bytes = atls_evidence_part(v->evidence, "hcl_report");
    if (bytes.ptr == NULL) {
        atls_ledger_fail(v->l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a part named hcl_report"));
        return false;
    }
    if (!atls_judging_taken(&c->tpm.j, atls_hcl_parse(bytes, &c->hcl, &err))) {
        atls_ledger_fail_err(v->l, &err);
        return false;
    }
    atls_ledger_ok(v->l, "tpm.hcl.type");
    if (c->hcl.is_tdx) {
        c->td = atls_hcl_td_report(c->hcl.report);
        c->report_data = c->td.report_data;
    } else {
        atls_reader r = atls_reader_of(c->hcl.report);
        (void)atls_reader_view(&r, SNP_REPORT_DATA_AT);
        c->report_data = atls_reader_view(&r, 64);
    }
    return true;
}

/* --- the hardware report, by the family that knows it --- */

static bool judge_snp(const azure_case *c)
{
    const atls_claims *claims = c->tpm.v->claims;
    const atls_buf vcek = atls_evidence_part(c->tpm.v->evidence, "vcek");
    atls_evidence e = {.type = "snp", .parts_n = 1, .parts = {{"report", c->hcl.report}}};
    if (vcek.ptr != NULL) {
        e.parts[e.parts_n].name = "vcek";
        e.parts[e.parts_n++].bytes = vcek;
    }
    const bool good = atls_evidence_judge_inner(c->tpm.v, &atls_format_snp, &e);
    if (claims->tee != ATLS_TEE_SNP) {
        return false;
    }
    /* VMPL 0 is the paravisor: a report that the guest asked for could cover any key. */
    return check(c, "tpm.hcl.vmpl", claims->as.snp.vmpl == 0, "a report of another VMPL",
                 "one of VMPL 0") &&
           good;
}

static bool same(atls_buf a, const uint8_t *b)
{
    return a.len > 0 && memcmp(a.ptr, b, a.len) == 0;
}

static bool judge_tdx(const azure_case *c)
{
    const atls_claims *claims = c->tpm.v->claims;
    const atls_tdx_claims *q = &claims->as.tdx;
    const atls_td_report_fields *td = &c->td;
    const atls_buf quote = atls_evidence_part(c->tpm.v->evidence, "td_quote");
    if (!check(c, "tpm.hcl.td_quote", quote.ptr != NULL, "no part td_quote",
               "the quote made of the TDREPORT")) {
        return false;
    }
    const atls_evidence e = {.type = "tdx", .parts_n = 1, .parts = {{"quote", quote}}};
    bool good = atls_evidence_judge_inner(c->tpm.v, &atls_format_tdx, &e);
    if (claims->tee != ATLS_TEE_TDX) {
        return false;
    }
    good = check(c, "tpm.hcl.td_report_data", same(td->report_data, claims->report_data),
                 "a quote over other data than the TDREPORT's", "one over the same data") &&
           good;
    bool equal = same(td->attributes, q->td_attributes) && same(td->xfam, q->xfam) &&
                 same(td->mrtd, q->mrtd) && same(td->mrconfigid, q->mrconfigid) &&
                 same(td->mrowner, q->mrowner) && same(td->mrownerconfig, q->mrownerconfig);
    for (size_t i = 0; i < 4; i++) {
        equal = same(td->rtmr[i], q->rtmr[i]) && equal;
    }
    return check(c, "tpm.hcl.td_report", equal, "a quote of another TD than the TDREPORT's",
                 "one of the same TD") &&
           good;
}

/* --- from the report to the key --- */

/* All of the 64 bytes: hash, and zeros behind it. */
static bool judge_runtime(const azure_case *c)
{
    static const atls_hash hashes[] = {ATLS_SHA256, ATLS_SHA384, ATLS_SHA512};
    uint8_t wanted[64] = {0};
    const bool hashed = atls_judging_taken(
        &c->tpm.j, atls_digest(hashes[c->hcl.hash_type - 1], &c->hcl.runtime, 1, wanted, NULL));
    const bool good = hashed && atls_equal(c->report_data, (atls_buf){wanted, sizeof wanted});
    if (good) {
        atls_ledger_ok(c->tpm.j.l, "tpm.hcl.runtime_data");
    } else {
        atls_ledger_fail(c->tpm.j.l, "tpm.hcl.runtime_data", ATLS_E_INVALID,
                         atls_value_hex(c->report_data),
                         atls_value_hex((atls_buf){wanted, sizeof wanted}));
    }
    return good;
}

static bool take_runtime(azure_case *c)
{
    atls_err err = {0};
    if (!atls_judging_taken(&c->tpm.j, atls_hcl_runtime_get(c->tpm.v->trust->kept, c->hcl.runtime,
                                                            &c->runtime, &err))) {
        atls_ledger_fail_err(c->tpm.j.l, &err);
        return false;
    }
    c->tpm.key = atls_public_key_up_ref(c->runtime->ak);
    return true;
}

/* What else the evidence says of its key has to be about this key. */
static bool judge_other_names(const azure_case *c)
{
    const atls_buf der = atls_evidence_part(c->tpm.v->evidence, "ak_cert");
    bool good = !c->tpm.has_given ||
                check(c, "tpm.hcl.ak_public", atls_tpm_given_key_is(&c->tpm.given, c->runtime->ak),
                      "an ak_public that the report does not cover", "the key HCLAkPub");
    if (der.ptr == NULL) {
        return good;
    }
    atls_cert *cert = NULL;
    const atls_code rc = atls_cert_parse(der, &cert, NULL);
    const bool same_key = atls_judging_taken(&c->tpm.j, rc) &&
                          atls_equal(cert->spki, atls_public_key_spki(c->runtime->ak));
    atls_cert_free(cert);
    return check(c, "tpm.hcl.ak_cert", same_key,
                 "an ak_cert of a key that the report does not cover",
                 "a certificate of the key HCLAkPub") &&
           good;
}

/* --- the whole --- */

static void judge(azure_case *c)
{
    const atls_verification *v = c->tpm.v;
    atls_claims *claims = v->claims;
    const bool is_tdx = c->hcl.is_tdx;
    bool good = is_tdx ? judge_tdx(c) : judge_snp(c);
    good = judge_runtime(c) && good;
    good = take_runtime(c) && good;
    if (c->runtime != NULL) {
        good = judge_other_names(c) && good;
    }
    if (good) {
        atls_ledger_ok_found(v->l, "tpm.ak.trust", atls_value_text("a hardware report covers it"));
        c->tpm.trust = ATLS_AK_REPORT;
    }
    claims->tee = ATLS_TEE_NONE; /* the hardware's word alone is none about the guest */
    claims->simulated =
        claims->simulated || c->tpm.attest.firmware_version == ATLS_TPM_SIMULATED_FIRMWARE;
    if (atls_tpm_case_judge(&c->tpm, &claims->tpm)) {
        claims->tee = ATLS_TEE_AZURE;
        claims->hardware = is_tdx ? ATLS_TEE_TDX : ATLS_TEE_SNP;
        memcpy(claims->tpm.vm_id, c->runtime->vm_id, sizeof claims->tpm.vm_id);
        claims->tpm.has_user_data = c->runtime->has_user_data;
        memcpy(claims->tpm.user_data, c->runtime->user_data, sizeof claims->tpm.user_data);
    }
}

static void verify_azure(const atls_verification *v)
{
    azure_case c = {0};
    if (atls_tpm_case_read(v, &c.tpm) && take_hcl(&c)) {
        judge(&c);
        atls_log_judge_tpm(v);
    }
    atls_kept_free(c.runtime);
    atls_tpm_case_clear(&c.tpm);
}

/* Its quote is a TPM's: only its type tells it from that of a TPM alone. */
static bool recognise_azure(atls_buf bytes)
{
    (void)bytes;
    return false;
}

const atls_format atls_format_azure = {"azure", ATLS_TEE_AZURE, recognise_azure, verify_azure};
