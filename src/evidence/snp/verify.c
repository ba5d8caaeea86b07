/* verify.c: SNP reports judged, in the order of spec 5: form, leaf and chain, revocation, what the leaf says of the
 * report, the signature, the order of TCB versions. Guest policy, VMPL, measurements, minimum versions, masked chips and
 * a missing revocation list are for the policy. */
#include <string.h>

#include "base/err.h"
#include "evidence/format.h"
#include "evidence/snp/report.h"
#include "trust/amd_chain.h"
#include "trust/trust.h"
#include "trust/vcek_item.h"

#define TURIN_ID_LEN 8
#define EXACT_FIT    3

typedef struct report_case {
    const atls_verification *v;
    const atls_judging *j;
    atls_buf bytes; /* of the report alone */
    atls_snp_report r;
    atls_amd_cert_table table;
    atls_amd_chain *chain;
} report_case;

static bool check(const report_case *c, const char *id, bool good, const char *found,
                  const char *wanted)
{
    return atls_judge(c->j, id, good, ATLS_E_INVALID, found, wanted);
}

static bool is_zero(const uint8_t *p, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= p[i];
    }
    return any == 0;
}

/* --- parts --- */

/* The report, and the table: a part of its own, or right behind the report as the kernel gives both. */
static bool take_parts(report_case *c)
{
    atls_err err = {0};
    c->bytes = atls_evidence_part(c->v->evidence, "report");
    atls_buf table = atls_evidence_part(c->v->evidence, "certs");
    if (c->bytes.ptr == NULL) {
        atls_ledger_fail(c->j->l, "evidence.parts", ATLS_E_INVALID, atls_value_none(),
                         atls_value_text("a part named report"));
        return false;
    }
    if (table.ptr == NULL && c->bytes.len > ATLS_SNP_REPORT_LEN) {
        atls_reader r = atls_reader_of(c->bytes);
        c->bytes = atls_reader_view(&r, ATLS_SNP_REPORT_LEN);
        table = atls_reader_rest(&r);
    }
    if (atls_snp_report_parse(c->bytes, &c->r, &err) != ATLS_OK) {
        atls_ledger_fail_err(c->j->l, &err);
        return false;
    }
    atls_ledger_ok(c->j->l, "snp.report.version");
    if (table.ptr != NULL && atls_amd_cert_table_parse(table, &c->table, &err) != ATLS_OK) {
        atls_ledger_fail_err(c->j->l, &err);
    }
    return true;
}

/* --- which leaf --- */

/* How well an endorsed certificate fits this report: 0 not at all, 1 by its name, 2 by chip too, 3 by TCB too. */
static unsigned fit(const report_case *c, const atls_cert *cert)
{
    const bool is_vlek = c->r.signing_key == ATLS_SNP_VLEK;
    atls_amd_leaf leaf;
    if (strcmp(cert->subject_cn, is_vlek ? "SEV-VLEK" : "SEV-VCEK") != 0 ||
        atls_amd_leaf_read(cert, is_vlek, &leaf, NULL) != ATLS_OK) {
        return 0;
    }
    const bool same_tcb = memcmp(leaf.tcb, c->r.reported_tcb.ptr, sizeof leaf.tcb) == 0;
    const bool same_chip = is_vlek || memcmp(leaf.hw_id, c->r.chip_id.ptr, sizeof leaf.hw_id) == 0;
    return 1 + (same_chip ? 1u : 0u) + (same_chip && same_tcb ? 1u : 0u);
}

static atls_buf endorsed_leaf(const report_case *c, unsigned *best_fit)
{
    const atls_endorsements *e = &c->v->trust->endorsements;
    atls_buf best = {NULL, 0};
    *best_fit = 0;
    for (size_t i = 0; i < e->certs_n; i++) {
        const unsigned f = fit(c, e->certs[i]);
        if (f > *best_fit) {
            *best_fit = f;
            best = e->certs[i]->der;
        }
    }
    return best;
}

/* The shelf's VCEK of exactly this chip and TCB. Version 2 of the report does not tell the product: no two have the same. */
static atls_buf shelved_leaf(const report_case *c)
{
    const atls_amd_product told =
        c->r.has_cpuid ? atls_amd_product_by_cpuid(c->r.family, c->r.model) : ATLS_AMD_UNKNOWN;
    for (unsigned product = ATLS_AMD_MILAN; product <= ATLS_AMD_TURIN; product++) {
        atls_item_name name;
        char key[ATLS_ITEM_KEY_LEN];
        if ((c->r.has_cpuid && product != told) ||
            !atls_vcek_item_name((atls_amd_product)product, c->r.chip_id, c->r.reported_tcb,
                                 &name)) {
            continue;
        }
        atls_item_name_format(&name, key);
        const atls_shelf_held *held = atls_shelf_find(
            c->v->view->shelf, key, atls_trust_roots(c->v->trust, ATLS_FAMILY_AMD), NULL);
        if (held != NULL) {
            return held->body;
        }
    }
    return (atls_buf){NULL, 0};
}

/* The part, the table's slot for the key that the report names, or of an endorsement and the shelf's what fits better. */
static atls_buf find_leaf(const report_case *c)
{
    const atls_buf part = atls_evidence_part(c->v->evidence, "vcek");
    if (part.ptr != NULL) {
        return part;
    }
    const atls_buf slot =
        c->table.entry[c->r.signing_key == ATLS_SNP_VLEK ? ATLS_AMD_VLEK : ATLS_AMD_VCEK];
    if (slot.len > 0) {
        return slot;
    }
    unsigned endorsed_fit;
    const atls_buf endorsed = endorsed_leaf(c, &endorsed_fit);
    const bool may_be_shelved =
        c->v->view->shelf != NULL && endorsed_fit < EXACT_FIT && c->r.signing_key == ATLS_SNP_VCEK;
    const atls_buf shelved = may_be_shelved ? shelved_leaf(c) : (atls_buf){NULL, 0};
    return shelved.len > 0 ? shelved : endorsed;
}

/* --- what the leaf says of the report --- */

/* By CPUID; version 2 has none, and only tells Turin's short chip ids from the others. */
static bool fits_product(const report_case *c, atls_amd_product product)
{
    if (c->r.has_cpuid) {
        return atls_amd_product_by_cpuid(c->r.family, c->r.model) == product;
    }
    const uint8_t *id = c->r.chip_id.ptr;
    if (is_zero(id, c->r.chip_id.len)) {
        return true;
    }
    return is_zero(id + TURIN_ID_LEN, c->r.chip_id.len - TURIN_ID_LEN) ==
           (product == ATLS_AMD_TURIN);
}

static void judge_product(const report_case *c)
{
    const atls_amd_product product = c->chain->facts.product;
    const char *found =
        c->r.has_cpuid ? atls_amd_product_name(atls_amd_product_by_cpuid(c->r.family, c->r.model))
                       : "a chip id of another product";
    (void)check(c, "snp.product", fits_product(c, product), found, atls_amd_product_name(product));
}

static void judge_leaf_tcb(const report_case *c)
{
    const atls_amd_leaf *leaf = &c->chain->facts;
    const atls_buf reported = c->r.reported_tcb;
    if (memcmp(leaf->tcb, reported.ptr, sizeof leaf->tcb) == 0) {
        atls_ledger_ok(c->j->l, "snp.leaf.tcb");
    } else {
        atls_ledger_fail(c->j->l, "snp.leaf.tcb", ATLS_E_INVALID,
                         atls_value_hex((atls_buf){leaf->tcb, sizeof leaf->tcb}),
                         atls_value_hex(reported));
    }
}

/* A chip that masks its id must say so; the VCEK still proves some chip of AMD's. A VLEK is of a provider. */
static void judge_chip_id(const report_case *c)
{
    const atls_amd_leaf *leaf = &c->chain->facts;
    const atls_buf id = c->r.chip_id;
    if (c->chain->is_vlek) {
        return;
    }
    if (is_zero(id.ptr, id.len)) {
        (void)check(c, "snp.chip_id.mask", c->r.signer_info / ATLS_SNP_MASK_CHIP_KEY % 2 == 1,
                    "a chip id of zeros in a report that is not masked", "MASK_CHIP_KEY set");
        return;
    }
    if (memcmp(id.ptr, leaf->hw_id, sizeof leaf->hw_id) == 0) {
        atls_ledger_ok(c->j->l, "snp.chip_id");
    } else {
        atls_ledger_fail(c->j->l, "snp.chip_id", ATLS_E_INVALID, atls_value_hex(id),
                         atls_value_hex((atls_buf){leaf->hw_id, sizeof leaf->hw_id}));
    }
}

/* --- signature and TCB --- */

static bool judge_signature(const report_case *c)
{
    if (c->chain == NULL || c->chain->key == NULL) {
        atls_ledger_skip(c->j->l, "snp.report.signature", "nothing vouches for the leaf's key");
        return false;
    }
    uint8_t r[48];
    uint8_t s[48];
    for (size_t i = 0; i < sizeof r; i++) { /* AMD writes numbers the other way round */
        r[i] = c->r.r.ptr[sizeof r - 1 - i];
        s[i] = c->r.s.ptr[sizeof s - 1 - i];
    }
    (*c->j->signatures)++;
    const bool good = atls_public_key_verify_rs(c->chain->key, ATLS_SHA384, &c->r.signed_range, 1,
                                                (atls_buf){r, sizeof r}, (atls_buf){s, sizeof s});
    return check(c, "snp.report.signature", good, "a signature that does not verify",
                 "a valid one");
}

static uint32_t version_number(atls_buf v) /* build, minor, major */
{
    return v.ptr[2] * 65536u + v.ptr[1] * 256u + v.ptr[0];
}

/* Only this order is promised: REPORTED may be above COMMITTED, and LAUNCH anywhere. */
static void judge_order(const report_case *c, const atls_snp_claims *s)
{
    const char *above = atls_amd_tcb_above(&s->reported_tcb, &s->current_tcb);
    (void)check(c, "snp.tcb.reported", above == NULL, above, "REPORTED_TCB not above CURRENT_TCB");
    above = atls_amd_tcb_above(&s->committed_tcb, &s->current_tcb);
    (void)check(c, "snp.tcb.committed", above == NULL, above,
                "COMMITTED_TCB not above CURRENT_TCB");
    (void)check(c, "snp.firmware.committed",
                version_number(c->r.committed_version) <= version_number(c->r.current_version),
                "a committed firmware above the current one", "one not above it");
    if (memcmp(s->committed_tcb.raw, s->current_tcb.raw, sizeof s->current_tcb.raw) != 0 ||
        version_number(c->r.committed_version) != version_number(c->r.current_version)) {
        atls_ledger_ok_found(
            c->j->l, "snp.firmware.provisional",
            atls_value_text("provisional firmware: the host may go back to the committed one"));
    }
}

static void note_reserved(const report_case *c)
{
    if (c->r.reserved_set) {
        atls_ledger_ok_found(
            c->j->l, "snp.report.reserved",
            atls_value_text("reserved bytes or bits of the signed part are not zero"));
    }
}

/* --- claims --- */

static void copy(uint8_t *to, atls_buf from)
{
    memcpy(to, from.ptr, from.len);
}

static void copy_version(uint8_t to[3], atls_buf v)
{
    for (size_t i = 0; i < 3; i++) {
        to[i] = v.ptr[2 - i];
    }
}

static void take_numbers(const atls_snp_report *r, atls_snp_claims *s)
{
    s->version = r->version;
    s->guest_svn = r->guest_svn;
    s->vmpl = r->vmpl;
    s->signer_info = r->signer_info;
    s->policy = r->policy;
    s->platform_info = r->platform_info;
    s->has_cpuid = r->has_cpuid;
    if (r->has_cpuid) {
        s->family = r->family;
        s->model = r->model;
        s->stepping = r->stepping;
    }
    s->launch_mit_vector = r->launch_mit_vector;
    s->current_mit_vector = r->current_mit_vector;
    s->reserved_set = r->reserved_set;
    copy_version(s->current_version, r->current_version);
    copy_version(s->committed_version, r->committed_version);
}

static void take_claims(const report_case *c, atls_snp_claims *s)
{
    const atls_snp_report *r = &c->r;
    const atls_amd_product product = c->chain->facts.product;
    take_numbers(r, s);
    copy(s->family_id, r->family_id);
    copy(s->image_id, r->image_id);
    copy(s->measurement, r->measurement);
    copy(s->host_data, r->host_data);
    copy(s->id_key_digest, r->id_key_digest);
    copy(s->author_key_digest, r->author_key_digest);
    copy(s->report_id, r->report_id);
    copy(s->report_id_ma, r->report_id_ma);
    copy(s->chip_id, r->chip_id);
    s->current_tcb = atls_amd_tcb(r->current_tcb.ptr, product);
    s->reported_tcb = atls_amd_tcb(r->reported_tcb.ptr, product);
    s->committed_tcb = atls_amd_tcb(r->committed_tcb.ptr, product);
    s->launch_tcb = atls_amd_tcb(r->launch_tcb.ptr, product);
    memcpy(s->product, atls_amd_product_name(product), strlen(atls_amd_product_name(product)) + 1);
    s->is_vlek = c->chain->is_vlek;
    memcpy(s->csp_id, c->chain->facts.csp_id, sizeof s->csp_id);
    s->chip_id_masked = is_zero(r->chip_id.ptr, r->chip_id.len);
}

/* The leaf's key signed the report, so all that it says is AMD's word. */
static void conclude(const report_case *c, bool crl_checked, int64_t expires_s)
{
    atls_claims *claims = c->v->claims;
    const atls_amd_leaf *leaf = &c->chain->facts;
    take_claims(c, &claims->as.snp);
    claims->as.snp.crl_checked = crl_checked;
    claims->tee = ATLS_TEE_SNP;
    copy(claims->report_data, c->r.report_data);
    claims->report_data_len = c->r.report_data.len;
    claims->expires_s = expires_s;
    claims->platform.has_chip_id = leaf->has_hw_id && !claims->as.snp.chip_id_masked &&
                                   memcmp(leaf->hw_id, c->r.chip_id.ptr, sizeof leaf->hw_id) == 0;
    judge_order(c, &claims->as.snp);
    note_reserved(c);
}

/* --- the whole --- */

static int64_t first_end(const atls_amd_chain *chain)
{
    atls_window w = chain->leaf_window;
    atls_window_narrow(&w, chain->ca_window.begins_s, chain->ca_window.ends_s);
    atls_window_narrow(&w, chain->root_window.begins_s, chain->root_window.ends_s);
    return w.ends_s;
}

static void judge_report(report_case *c)
{
    atls_amd_crl_result crl = {.expires_s = first_end(c->chain)};
    c->v->claims->simulated = c->v->claims->simulated || c->chain->simulated;
    c->v->claims->custom_root = c->v->claims->custom_root || c->chain->custom_root;
    atls_amd_chain_judge_times(c->chain, c->v->when_s, c->j->l);
    atls_amd_crl_judge(c->v->trust, c->v->view, c->chain, &c->table, c->v->when_s, c->j, &crl);
    c->v->claims->late_s = crl.late_s;
    c->v->claims->lasting_s = crl.expires_s;
    if (c->chain->has_facts) {
        judge_product(c);
        judge_leaf_tcb(c);
        judge_chip_id(c);
    }
    if (judge_signature(c)) {
        conclude(c, crl.checked, crl.expires_s);
    }
}

static void verify(const atls_verification *v)
{
    const atls_judging j = {v->l, v->signatures};
    report_case c = {.v = v, .j = &j};
    atls_err err = {0};
    v->claims->custom_root = v->claims->custom_root ||
                             atls_root_set_replaced(atls_trust_roots(v->trust, ATLS_FAMILY_AMD));
    if (!take_parts(&c)) {
        return;
    }
    const atls_buf leaf = find_leaf(&c);
    if (!atls_judge_there(
            &j, "snp.leaf.missing", leaf.len > 0,
            c.r.signing_key == ATLS_SNP_VLEK
                ? "the VLEK that signed the report: in the certificate table, or as an endorsement"
                : "the VCEK of this chip and TCB: with the evidence, or as an endorsement")) {
        atls_ledger_skip(v->l, "snp.report.signature", "there is no leaf to check it with");
        return;
    }
    if (!atls_judging_taken(&j, atls_amd_chain_judge(v->trust, v->view, leaf,
                                                     c.r.signing_key == ATLS_SNP_VLEK, &c.table, &j,
                                                     &c.chain, &err))) {
        atls_ledger_fail_err(v->l, &err);
        return;
    }
    judge_report(&c);
    atls_kept_free(c.chain);
}

static bool recognise(atls_buf bytes)
{
    return atls_snp_report_looks(bytes, true);
}

const atls_format atls_format_snp = {"snp", ATLS_TEE_SNP, recognise, verify};
