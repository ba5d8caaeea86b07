/* Every fault of the simulated SNP platform, in every variant that it shows in, is noticed by its own check. */
#include "unit/snp_world.h"

static const char *const variants[] = {"milan", "milan-v2", "genoa", "turin", "vlek"};

static bool is_word_of(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = words; *p != '\0'; p += strcspn(p, " ") + (p[strcspn(p, " ")] == ' ')) {
        if (strcspn(p, " ") == len && memcmp(p, word, len) == 0) {
            return true;
        }
    }
    return words[0] == '\0';
}

static void print_failures(const atls_verdict *r)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        const atls_entry *e = &r->ledger.entries[i];
        if (e->result != ATLS_CHECK_OK) {
            print_error("    %s %d\n", e->id, (int)e->code);
        }
    }
}

static bool shows_as_told(const snp_rig *rig, const char *variant, const atls_sim_world_fault *f)
{
    atls_evidence_blob blob = snp_evidence(rig, variant, f->name);
    atls_verdict *r = snp_check(rig->v, &blob, 2, NOW);
    bool good = atls_verdict_code(r) == f->expected &&
                (f->expected == ATLS_OK || has_failure(r, f->check, f->expected));
    if (!good) {
        print_error("%s of %s: %d %s, where %d %s is told\n", f->name, variant,
                    (int)atls_verdict_code(r), atls_verdict_check(r), (int)f->expected, f->check);
        print_failures(r);
    }
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    return good;
}

static void every_fault_is_noticed_by_its_own_check(void **state)
{
    unsigned wrong = 0;
    unsigned seen = 0;
    atls_sim_world_fault f;
    for (size_t i = 0; atls_sim_world_fault_at("snp", i, &f); i++) {
        unsigned shown = 0;
        for (size_t k = 0; k < sizeof variants / sizeof variants[0]; k++) {
            if (is_word_of(f.variants, variants[k])) {
                wrong += shows_as_told(*state, variants[k], &f) ? 0 : 1;
                shown++;
            }
        }
        assert_true(shown > 0);
        seen++;
    }
    assert_true(seen > 100);
    assert_int_equal(wrong, 0);
}

/* No check of a report or a chain is without a fault that only it is told for. */
static void every_check_has_a_fault(void **state)
{
    (void)state;
    static const char *const checks[] = {
        "snp.report.size",    "snp.report.version",   "snp.report.algorithm",
        "snp.report.signer",  "snp.report.policy",    "snp.report.vmpl",
        "snp.report.tail",    "snp.report.signature", "snp.table.size",
        "snp.table.header",   "snp.table.entry",      "snp.table.twice",
        "snp.leaf.missing",   "snp.leaf.format",      "snp.leaf.name",
        "snp.leaf.issuer",    "snp.leaf.usage",       "snp.leaf.algorithm",
        "snp.leaf.key",       "snp.leaf.extensions",  "snp.leaf.product",
        "snp.leaf.signature", "snp.leaf.tcb",         "snp.leaf.time",
        "snp.ca.missing",     "snp.ca.key",           "snp.ca.usage",
        "snp.ca.algorithm",   "snp.ca.issuer",        "snp.ca.signature",
        "snp.ca.time",        "snp.ca.crl",           "snp.crl.format",
        "snp.crl.issuer",     "snp.crl.signature",    "snp.crl.time",
        "snp.product",        "snp.chip_id",          "snp.chip_id.mask",
        "snp.tcb.reported",   "snp.tcb.committed",    "snp.firmware.committed",
        "policy.crl",         "policy.debug",         "policy.migration_agent",
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        atls_sim_world_fault f;
        bool found = false;
        for (size_t k = 0; !found && atls_sim_world_fault_at("snp", k, &f); k++) {
            found = strcmp(f.check, checks[i]) == 0;
        }
        if (!found) {
            print_error("no fault for %s\n", checks[i]);
        }
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_noticed_by_its_own_check),
        cmocka_unit_test(every_check_has_a_fault),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
