/* Collateral: unwrapped, then judged under Intel's root, which signed none of it: never good, never a crash,
 * each failure with an id and a code, and twice the same. */
#include <assert.h>
#include <string.h>

#include "trust/intel_snapshot.h"
#include "trust/trust.h"
#include "trust/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const atls_collateral *c, const atls_root_set *roots, atls_ledger *l)
{
    unsigned signatures = 0;
    atls_judging j = {l, &signatures};
    atls_intel_snapshot *s = NULL;
    atls_ledger_init(l);
    atls_code rc = atls_intel_snapshot_make(&j, c, &roots->roots[0], NULL, &s, NULL);
    assert(rc == ATLS_OK && s != NULL);
    assert(!s->good && s->tcb_info == NULL && s->qe_identity == NULL);
    const atls_intel_since since = {0};
    atls_lateness late = {0, INT64_MAX};
    atls_intel_snapshot_judge_times(s, 1790000000, &since, l, &late);
    assert(late.late_s == 0);
    assert(signatures <= 8 && atls_ledger_code(l) != ATLS_OK && !l->overflow);
    atls_intel_snapshot_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_collateral *c = NULL;
    atls_err err = {0};
    if (atls_collateral_parse((atls_buf){data, size}, &c, &err) != ATLS_OK) {
        assert(c == NULL && err.code == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
        return 0;
    }
    atls_root_set roots = {.n = 0};
    assert(atls_root_set_pinned(&roots, ATLS_FAMILY_INTEL, NULL) == ATLS_OK);
    static atls_ledger first;
    static atls_ledger second;
    judge(c, &roots, &first);
    judge(c, &roots, &second);
    assert(first.count == second.count);
    for (size_t i = 0; i < first.count; i++) {
        assert(strcmp(first.entries[i].id, second.entries[i].id) == 0);
        assert(first.entries[i].result == second.entries[i].result);
        assert(first.entries[i].code == second.entries[i].code);
    }
    atls_root_set_clear(&roots);
    atls_collateral_free(c);
    return 0;
}
