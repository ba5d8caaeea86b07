/* A policy that is taken says the same twice, and no policy takes what none can allow: a revoked platform, a
 * status that nobody determined, an enclave without INIT, a TD with unknown attributes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policy/appraise.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1751623200

static atls_claims good(atls_tee tee)
{
    static const char *const advisories[] = {"INTEL-SA-00615"};
    atls_claims c = {.tee = tee};
    c.tcb.known = true;
    c.tcb.status = ATLS_TCB_UP_TO_DATE;
    c.tcb.platform = (atls_tcb_level){true, ATLS_TCB_OUT_OF_DATE, NOW - 86400, advisories, 1};
    c.tcb.evaluation_number = UINT32_MAX;
    c.tcb.oldest_issue_s = NOW;
    if (tee == ATLS_TEE_SGX) {
        c.as.sgx.attributes[0] = 0x05;
    } else {
        c.as.tdx.td_attributes[3] = 0x10;
    }
    return c;
}

/* Fits or not; the ledger and the result must agree, and agree again. */
static bool fits(const atls_policy *p, const atls_claims *c)
{
    static atls_ledger l;
    atls_appraisal first;
    atls_appraisal second;
    atls_ledger_init(&l);
    atls_policy_appraise(p, c, NULL, NOW, &l, &first);
    assert(!l.overflow && l.count > 0);
    assert(first.fits == (atls_ledger_code(&l) == ATLS_OK));
    assert(first.fits == (first.workload != NULL));
    size_t count = l.count;
    atls_ledger_init(&l);
    atls_policy_appraise(p, c, NULL, NOW, &l, &second);
    assert(l.count == count && second.workload == first.workload);
    return first.fits;
}

static void never_takes_the_worst(const atls_policy *p)
{
    atls_claims c = good(ATLS_TEE_TDX);
    (void)fits(p, &c);
    c.tcb.status = ATLS_TCB_REVOKED;
    assert(!fits(p, &c));
    c.tcb.status = ATLS_TCB_NONE;
    assert(!fits(p, &c));
    c.tcb.status = ATLS_TCB_OUT_OF_DATE;
    (void)fits(p, &c);
    c.tcb.known = false;
    assert(!fits(p, &c));
    c = good(ATLS_TEE_TDX);
    c.as.tdx.td_attributes[0] = 0x02;
    assert(!fits(p, &c));
    c = good(ATLS_TEE_TDX);
    c.as.tdx.td_attributes[3] |= 0x20; /* migratable, and no migration TD to pin */
    assert(!fits(p, &c));
    c = good(ATLS_TEE_SGX);
    (void)fits(p, &c);
    c.as.sgx.attributes[0] = 0;
    assert(!fits(p, &c));
    c = (atls_claims){.tee = ATLS_TEE_SNP};
    (void)fits(p, &c);
    c.as.snp.policy = 1u << 18; /* a migration agent, and none to pin */
    assert(!fits(p, &c));
    static const atls_tee others[] = {ATLS_TEE_TPM, ATLS_TEE_NITRO, ATLS_TEE_CCA, ATLS_TEE_TOKEN,
                                      ATLS_TEE_NITROTPM};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        c = (atls_claims){.tee = others[i]};
        (void)fits(p, &c);
    }
    c = (atls_claims){.tee = ATLS_TEE_AZURE}; /* with no hardware below it */
    assert(!fits(p, &c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_policy *p = NULL;
    atls_policy *again = NULL;
    atls_err err = {0};
    atls_buf text = {data, size};
    if (atls_policy_parse(text, &p, &err) != ATLS_OK) {
        assert(p == NULL && err.code == ATLS_E_USAGE && strncmp(err.msg, "policy", 6) == 0);
        assert(strcmp(err.check, "policy.json") == 0 || strcmp(err.check, "policy.format") == 0);
        assert(strcmp(err.check, "policy.json") == 0 ||
               strncmp(err.msg, "policy line 0 ", 14) != 0);
        return 0;
    }
    assert(atls_policy_workloads(p) > 0 && atls_policy_workload_name(p, 0)[0] != '\0');
    assert(size <= ATLS_POLICY_MAX_LEN);
    atls_code rc = atls_policy_parse(text, &again, &err);
    assert(rc == ATLS_OK);
    char *a = atls_policy_explain(p);
    char *b = atls_policy_explain(again);
    assert(a != NULL && b != NULL && strcmp(a, b) == 0);
    free(a);
    free(b);
    atls_policy_free(again);
    never_takes_the_worst(p);
    atls_policy_free(p);
    return 0;
}
