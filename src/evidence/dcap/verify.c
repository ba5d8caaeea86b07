/* verify.c: SGX and TDX quotes judged, in the order of spec 9: form, chain, collateral, quoting enclave,
 * module, quote, TCB. What holds for a whole platform comes from src/trust; what differs from quote to quote
 * is here. Attributes of the workload and the TCB status are for the policy. */
#include <string.h>

#include "base/err.h"
#include "evidence/dcap/quote.h"
#include "evidence/format.h"
#include "evidence/log/log.h"
#include "trust/intel_platform.h"
#include "trust/tcb_level.h"
#include "trust/trust.h"

#define TEE_TYPE_AT 4
#define VENDOR_AT   12
#define QE_ID_LEN   16 /* of the 20 bytes of user data */

typedef struct quote_case {
    atls_quote q;
    atls_intel_platform *p;
    const atls_tcb_info *info;        /* NULL unless signed and well formed */
    const atls_qe_identity *identity; /* likewise */
    const atls_judging *j;
} quote_case;

static bool check(const quote_case *c, const char *id, bool good, const char *found,
                  const char *wanted)
{
    return atls_judge(c->j, id, good, ATLS_E_INVALID, found, wanted);
}

static bool check_hex(const quote_case *c, const char *id, bool good, atls_buf found,
                      const uint8_t *wanted)
{
    if (good) {
        atls_ledger_ok(c->j->l, id);
    } else {
        atls_ledger_fail(c->j->l, id, ATLS_E_INVALID, atls_value_hex(found),
                         atls_value_hex((atls_buf){wanted, found.len}));
    }
    return good;
}

static bool same(atls_buf a, const uint8_t *b, size_t len)
{
    return a.len == len && memcmp(a.ptr, b, len) == 0;
}

/* --- the quoting enclave (spec 11) --- */

static bool masked_equal(atls_buf value, const uint8_t *mask, const uint8_t *wanted)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((value.ptr[i] & mask[i]) != wanted[i]) {
            return false;
        }
    }
    return true;
}

/* Nothing but this enclave of Intel's makes honest quotes: a mismatch voids every claim of the quote. */
static bool judge_quoting_enclave(const quote_case *c)
{
    const atls_qe_identity *id = c->identity;
    const atls_sgx_report *qe = &c->q.qe_report;
    if (id == NULL || c->p->attestation_key == NULL) {
        atls_ledger_skip(c->j->l, "qe_identity.mrsigner",
                         "the QE identity or the QE report does not hold");
        return true;
    }
    bool good =
        check(c, "qe_identity.id", id->id == (c->q.is_tdx ? ATLS_QE_ID_TD_QE : ATLS_QE_ID_QE),
              "the identity of another enclave", c->q.is_tdx ? "TD_QE" : "QE");
    good =
        check(c, "qe_identity.miscselect", (qe->miscselect & id->miscselect_mask) == id->miscselect,
              "another MISCSELECT", "the identity's") &&
        good;
    good = check_hex(c, "qe_identity.attributes",
                     masked_equal(qe->attributes, id->attributes_mask, id->attributes),
                     qe->attributes, id->attributes) &&
           good;
    good =
        check_hex(c, "qe_identity.mrsigner", same(qe->mrsigner, id->mrsigner, sizeof id->mrsigner),
                  qe->mrsigner, id->mrsigner) &&
        good;
    return check(c, "qe_identity.isvprodid", qe->isvprodid == id->isvprodid, "another ISVPRODID",
                 "the identity's") &&
           good;
}

/* --- TCB info against this platform and module (spec 9.4, 12) --- */

static void judge_tcb_info(const quote_case *c)
{
    const atls_tcb_info *info = c->info;
    const atls_pck_extension *ext = &c->p->extension;
    if (info == NULL || !c->p->holds) {
        atls_ledger_skip(c->j->l, "tcb_info.fmspc",
                         "the TCB info or the PCK certificate does not hold");
        return;
    }
    bool fits = info->is_tdx == c->q.is_tdx && (info->version != 2 || !c->q.is_tdx);
    check(c, "tcb_info.tee", fits, info->is_tdx ? "TDX" : "SGX", c->q.is_tdx ? "TDX" : "SGX");
    check_hex(c, "tcb_info.fmspc", memcmp(info->fmspc, ext->fmspc, sizeof ext->fmspc) == 0,
              (atls_buf){info->fmspc, sizeof info->fmspc}, ext->fmspc);
    check_hex(c, "tcb_info.pceid", memcmp(info->pceid, ext->pceid, sizeof ext->pceid) == 0,
              (atls_buf){info->pceid, sizeof info->pceid}, ext->pceid);
}

/* The mask plays no part: Intel's library wants SEAMATTRIBUTES zero and equal to what is expected. */
static bool zero_and_equal(atls_buf attributes, const uint8_t *wanted)
{
    uint8_t any = 0;
    for (size_t i = 0; i < attributes.len; i++) {
        any |= (uint8_t)(attributes.ptr[i] | wanted[i]);
    }
    return any == 0;
}

static void judge_module(const quote_case *c, bool signed_ok)
{
    if (!c->q.is_tdx) {
        return;
    }
    if (!signed_ok) {
        atls_ledger_skip(c->j->l, "tdx_module.identity", "the quote's signature does not verify");
        return;
    }
    const atls_tcb_info *info = c->info;
    if (info == NULL || !info->is_tdx) {
        atls_ledger_skip(c->j->l, "tdx_module.identity", "there is no TCB info for TDX");
        return;
    }
    const atls_td_report *td = &c->q.td;
    const atls_module_identity *module = NULL;
    bool found = atls_module_find(info, td->tee_tcb_svn.ptr, &module);
    if (!check(c, "tdx_module.identity", found, "a TDX module of unknown version",
               "one of the TCB info")) {
        return;
    }
    const uint8_t *mrsigner = module != NULL ? module->mrsigner : info->module_mrsigner;
    const uint8_t *attributes = module != NULL ? module->attributes : info->module_attributes;
    check_hex(c, "tdx_module.mrsigner", same(td->mrsignerseam, mrsigner, 48), td->mrsignerseam,
              mrsigner);
    check(c, "tdx_module.attributes", zero_and_equal(td->seam_attributes, attributes),
          "SEAMATTRIBUTES that are not zero", "zero");
}

/* --- TCB level (spec 10 to 15) --- */

static bool any_invalid(const atls_ledger *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->entries[i].result == ATLS_CHECK_FAIL && l->entries[i].code == ATLS_E_INVALID) {
            return true;
        }
    }
    return false;
}

static void judge_tcb(const quote_case *c, atls_tcb_claims *out)
{
    static const struct {
        const char *id, *found;
        atls_code code;
    } errors[] = {
        [ATLS_MATCH_OK] = {"tcb.level", NULL, ATLS_OK},
        [ATLS_MATCH_NO_LEVEL] = {"tcb.level", "a platform below every TCB level", ATLS_E_POLICY},
        [ATLS_MATCH_NO_MODULE_LEVEL] = {"tcb.module_level", "a TDX module below every level",
                                        ATLS_E_POLICY},
        [ATLS_MATCH_NO_QE_LEVEL] = {"tcb.qe_level", "a quoting enclave below every level",
                                    ATLS_E_POLICY},
        [ATLS_MATCH_NO_MODULE] = {"tdx_module.identity", "a TDX module of unknown version",
                                  ATLS_E_INVALID},
        [ATLS_MATCH_UNRECOGNIZED] = {"tcb.level", "a TCB status that is not known", ATLS_E_POLICY},
    };
    if (c->info == NULL || c->identity == NULL || c->p->attestation_key == NULL ||
        any_invalid(c->j->l)) {
        atls_ledger_skip(c->j->l, "tcb.level", "evidence or collateral does not hold");
        return;
    }
    atls_td_svn td = {0};
    if (c->q.is_tdx) {
        memcpy(td.tee_tcb_svn, c->q.td.tee_tcb_svn.ptr, sizeof td.tee_tcb_svn);
        td.is_1_5 = c->q.td.is_1_5;
        if (td.is_1_5) {
            memcpy(td.tee_tcb_svn2, c->q.td.tee_tcb_svn2.ptr, sizeof td.tee_tcb_svn2);
        }
    }
    atls_match_error e = atls_tcb_match(c->info, c->identity, &c->p->extension.svn,
                                        c->q.is_tdx ? &td : NULL, c->q.qe_report.isvsvn, out);
    (void)atls_judge(c->j, errors[e].id, e == ATLS_MATCH_OK, errors[e].code, errors[e].found,
                     "a level of the TCB info and QE identity");
}

/* --- claims --- */

static void platform_claims(const atls_intel_platform *p, atls_platform_claims *out)
{
    const atls_pck_extension *ext = &p->extension;
    if (!p->holds) {
        return;
    }
    out->has_fmspc = out->has_ppid = out->has_pck_serial = true;
    out->has_instance_id = ext->has_platform;
    memcpy(out->fmspc, ext->fmspc, sizeof out->fmspc);
    memcpy(out->pceid, ext->pceid, sizeof out->pceid);
    memcpy(out->ppid, ext->ppid, sizeof out->ppid);
    memcpy(out->instance_id, ext->instance_id, sizeof out->instance_id);
    memcpy(out->pck_serial, p->leaf->serial, sizeof out->pck_serial);
    out->pck_serial_len = p->leaf->serial_len;
}

static void collateral_claims(const atls_intel_platform *p, atls_tcb_claims *out)
{
    if (p->snapshot != NULL && p->earliest_expiration_s != INT64_MAX) {
        out->earliest_expiration_s = p->earliest_expiration_s;
        out->oldest_issue_s = p->snapshot->oldest_issue_s;
    }
}

/* --- the whole --- */

static void release_platform(void *object)
{
    atls_intel_platform_free(object);
}

/* A log is worth what hardware has signed: without that it is not looked at. */
static void judge_log(const atls_verification *v, bool is_tdx)
{
    const atls_buf log = atls_evidence_part(v->evidence, "event_log");
    if (log.ptr == NULL) {
        return;
    }
    if (v->claims->tee == ATLS_TEE_NONE) {
        atls_ledger_skip(v->l, "log.replay", "the quote does not hold");
    } else if (is_tdx) {
        atls_log_judge_rtmrs(log, v->claims->as.tdx.rtmr, v->l, &v->claims->log, v->anchor);
    } else {
        atls_ledger_ok_found(v->l, "log.replay",
                             atls_value_text("SGX has no register that a log could explain"));
    }
}

static atls_platform_evidence platform_part(const atls_quote *q, atls_buf stapled)
{
    atls_reader behind = atls_reader_of(q->signature_data);
    (void)atls_reader_view(&behind, q->signature.len);
    return (atls_platform_evidence){.is_tdx = q->is_tdx,
                                    .version = q->version,
                                    .bytes = atls_reader_rest(&behind),
                                    .certification_type = q->certification_type,
                                    .certification_data = q->certification_data,
                                    .qe_report = q->qe_report.all,
                                    .qe_report_signature = q->qe_report_signature,
                                    .attestation_key = q->attestation_key,
                                    .qe_auth_data = q->qe_auth_data,
                                    .qe_id = {q->user_data.ptr, QE_ID_LEN},
                                    .stapled = stapled};
}

static void judge_quote(const quote_case *c, const atls_verification *v)
{
    atls_claims *claims = v->claims;
    atls_lateness late = {0, INT64_MAX};
    atls_intel_platform_judge_times(c->p, v->view, v->when_s, c->j->l, &late);
    atls_intel_platform_judge_floors(c->p, v->view, c->j->l);
    claims->late_s = late.late_s;
    claims->lasting_s = late.lasting_s;
    judge_tcb_info(c);
    bool qe_good = judge_quoting_enclave(c);
    bool signed_ok = atls_judge_rs(c->j, "quote.signature", c->p->attestation_key,
                                   c->q.signed_range, c->q.signature.ptr);
    judge_module(c, signed_ok);
    claims->simulated = c->p->simulated;
    claims->custom_root = claims->custom_root || c->p->custom_root;
    if (signed_ok) { /* a PCK certificate is public: alone it does not say where the quote was made */
        platform_claims(c->p, &claims->platform);
    }
    judge_tcb(c, &claims->tcb);
    collateral_claims(c->p, &claims->tcb);
    if (signed_ok && qe_good) {
        atls_quote_claims(&c->q, claims);
    }
}

static void verify(const atls_verification *v, bool is_tdx)
{
    const struct atls_trust *trust = v->trust;
    atls_ledger *l = v->l;
    atls_claims *claims = v->claims;
    atls_judging j = {l, v->signatures};
    quote_case c = {.j = &j};
    atls_err err = {0};
    atls_buf quote;
    claims->custom_root =
        atls_root_set_replaced(atls_trust_roots(trust, ATLS_FAMILY_INTEL)); /* of a refusal too */
    quote = atls_evidence_part(v->evidence, "quote");
    if (quote.ptr == NULL) {
        atls_ledger_fail(l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a part named quote"));
        return;
    }
    if (atls_quote_parse(quote, &c.q, &err) != ATLS_OK) {
        atls_ledger_fail_err(l, &err);
        return;
    }
    if (!check(&c, "quote.format", c.q.is_tdx == is_tdx,
               c.q.is_tdx ? "a TDX quote" : "an SGX quote",
               is_tdx ? "a TDX quote" : "an SGX quote")) {
        return;
    }
    atls_platform_evidence part =
        platform_part(&c.q, atls_evidence_part(v->evidence, "collateral"));
    if (!atls_judging_taken(&j,
                            atls_intel_platform_judge(trust, v->view, &part, &j, &c.p, &err))) {
        atls_ledger_fail_err(l, &err);
        return;
    }
    *v->anchor = (atls_anchor){c.p, release_platform};
    if (c.p->snapshot != NULL) {
        c.info = c.p->snapshot->tcb_info;
        c.identity = c.p->snapshot->qe_identity;
    }
    judge_quote(&c, v);
    judge_log(v, is_tdx);
}

static void verify_sgx(const atls_verification *v)
{
    verify(v, false);
}

static void verify_tdx(const atls_verification *v)
{
    verify(v, true);
}

/* By the vendor id, so that a quote of an unknown version is told as that, and not as unknown bytes. */
static bool looks_like_quote(atls_buf bytes, uint32_t *tee_type)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    atls_reader r = atls_reader_of(bytes);
    (void)atls_reader_view(&r, TEE_TYPE_AT);
    *tee_type = atls_reader_u32le(&r);
    (void)atls_reader_view(&r, VENDOR_AT - TEE_TYPE_AT - 4);
    return same(atls_reader_view(&r, sizeof vendor), vendor, sizeof vendor);
}

static bool recognise_sgx(atls_buf bytes)
{
    uint32_t tee_type = 0;
    return looks_like_quote(bytes, &tee_type) && tee_type != 0x81;
}

static bool recognise_tdx(atls_buf bytes)
{
    uint32_t tee_type = 0;
    return looks_like_quote(bytes, &tee_type) && tee_type == 0x81;
}

const atls_format atls_format_sgx = {"sgx", ATLS_TEE_SGX, recognise_sgx, verify_sgx};
const atls_format atls_format_tdx = {"tdx", ATLS_TEE_TDX, recognise_tdx, verify_tdx};
