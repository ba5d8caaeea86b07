/* No memory while texts are read and written: policy, collateral, bundle. */
#include "unit/torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atls/atls.h>
#include <atls/sim.h>

#include "trust/collateral.h"
#include "unit/failing_alloc.h"

#define WHEN_S 1790000000 /* 2026-09-21 */
#define B16    "00112233445566778899aabbccddeeff"
#define B48    B16 B16 B16
#define C16    "8899aabbccddeeff0011223344556677"
#define C48    C16 C16 C16

static const char policy_text[] =
    "{\"atls_policy\":1,\"description\":\"all kinds\",\"workloads\":[{\"name\":\"web\","
    "\"description\":\"front\",\"tees\":[\"sgx\",\"tdx\"],"
    "\"sgx\":{\"mrenclave\":[\"" B16 B16 "\"],\"isvsvn_min\":2,\"attributes\":[\"" B16 "\"]},"
    "\"tdx\":[{\"mrtd\":[\"" B48 "\"],\"rtmr0\":[\"" B48 "\"]},{\"mrtd\":[\"" C48 "\"]}],"
    "\"tcb\":{\"statuses\":[\"UpToDate\",\"SWHardeningNeeded\"],\"grace_days\":30,"
    "\"advisories_allowed\":[{\"id\":\"INTEL-SA-00615\",\"until\":\"2026-01-31\"},{\"id\":\"X\"}]},"
    "\"platforms\":{\"ppid\":[\"" B16 "\"],\"pck_serial\":[\"00aB01\",\"01\"],"
    "\"instance_id\":[\"" B16 "\"]},\"fmspc\":[\"00806f050000\"],"
    "\"owner\":{\"mrconfigid\":[\"" B48 "\"],\"mrsigner\":[\"" B16 B16 "\"]},"
    "\"allow\":{\"debug\":true,\"service_td\":[\"" B48 "\"]},"
    "\"pki\":{\"names\":[\"a.example\",\"b.example\"]},\"bindings\":[\"atls/1\",\"ra-tls\"],"
    "\"max_evidence_age_s\":3600,\"reattest_s\":300},{\"name\":\"db\",\"tees\":[\"tdx\"]}]}";

static const char bundle_text[] =
    "{\"atls_evidence\":1,\"type\":\"tdx\",\"quote\":\"AAEC\",\"event_log\":\"/w==\"}";

typedef struct job {
    const char *text;
    atls_policy *policy;
    atls_collateral *collateral;
    atls_bundle *bundle;
    char *out;
} job;

static atls_buf bytes_of(const job *j)
{
    return (atls_buf){(const uint8_t *)j->text, strlen(j->text)};
}

static void drop(void *self)
{
    job *j = self;
    atls_policy_free(j->policy);
    atls_collateral_free(j->collateral);
    atls_bundle_free(j->bundle);
    atls_free(j->out);
    *j = (job){.text = j->text};
}

/* What a call leaves at *out when it fails is nothing. */
static void assert_untouched(atls_code rc, const void *out)
{
    assert_true((rc == ATLS_OK) == (out != NULL));
}

static atls_code parse_policy(void *self, atls_err *err)
{
    job *j = self;
    atls_code rc = atls_policy_parse(bytes_of(j), &j->policy, err);
    assert_untouched(rc, j->policy);
    return rc;
}

/* All that was taken, through the words that explain it, and the warnings. */
static char *explained(void *self)
{
    const job *j = self;
    char *words = atls_policy_explain(j->policy);
    assert_non_null(words);
    size_t len = strlen(words);
    for (size_t i = 0; atls_policy_warning(j->policy, i) != NULL; i++) {
        const char *warning = atls_policy_warning(j->policy, i);
        words = realloc(words, len + strlen(warning) + 1);
        assert_non_null(words);
        strcpy(words + len, warning);
        len += strlen(warning);
    }
    return words;
}

static void policy_parse(void **state)
{
    (void)state;
    job j = {.text = policy_text};
    torture_all(&(torture){"policy parse", &j, NULL, parse_policy, explained, drop});
}

static void prepare_policy(void *self)
{
    job *j = self;
    assert_int_equal(atls_policy_parse(bytes_of(j), &j->policy, NULL), ATLS_OK);
}

static atls_code null_is_no_memory(const char *out, atls_err *err)
{
    if (out == NULL) {
        *err = (atls_err){.code = ATLS_E_SYSTEM, .check = "system.memory"};
    }
    return out == NULL ? ATLS_E_SYSTEM : ATLS_OK;
}

static atls_code explain_policy(void *self, atls_err *err)
{
    job *j = self;
    j->out = atls_policy_explain(j->policy);
    return null_is_no_memory(j->out, err);
}

static char *copy_out(void *self)
{
    return strdup(((const job *)self)->out);
}

static void policy_explain(void **state)
{
    (void)state;
    job j = {.text = policy_text};
    torture_all(&(torture){"policy explain", &j, prepare_policy, explain_policy, copy_out, drop});
}

static atls_code parse_collateral(void *self, atls_err *err)
{
    job *j = self;
    atls_code rc = atls_collateral_parse(bytes_of(j), &j->collateral, err);
    assert_untouched(rc, j->collateral);
    return rc;
}

/* What a verifier chooses it by, and what there is. */
static char *outlined(void *self)
{
    const atls_collateral *c = ((const job *)self)->collateral;
    char text[64];
    (void)snprintf(text, sizeof text, "%d %d %02x%02x %zu %zu %zu", c->has_hint, c->hint_tdx,
                   c->hint_fmspc[0], c->hint_fmspc[5], c->tcb_info.bytes.len, c->pck_crl.bytes.len,
                   c->tcb_info_chain.n);
    return strdup(text);
}

static void collateral_parse(void **state)
{
    (void)state;
    atls_sim *sim = NULL;
    char *text = NULL;
    assert_int_equal(atls_sim_new(WHEN_S, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_collateral(sim, "tdx", &text, NULL), ATLS_OK);
    job j = {.text = text};
    torture_all(&(torture){"collateral parse", &j, NULL, parse_collateral, outlined, drop});
    atls_free(text);
    atls_sim_free(sim);
}

static atls_code parse_bundle(void *self, atls_err *err)
{
    job *j = self;
    atls_code rc = atls_bundle_parse(bytes_of(j), &j->bundle, err);
    assert_untouched(rc, j->bundle);
    return rc;
}

static char *written_again(void *self)
{
    const job *j = self;
    char *text = NULL;
    assert_int_equal(atls_bundle_write(atls_bundle_get0_evidence(j->bundle), &text, NULL), ATLS_OK);
    return text;
}

static void bundle_parse(void **state)
{
    (void)state;
    job j = {.text = bundle_text};
    torture_all(&(torture){"bundle parse", &j, NULL, parse_bundle, written_again, drop});
}

static void prepare_bundle(void *self)
{
    job *j = self;
    assert_int_equal(atls_bundle_parse(bytes_of(j), &j->bundle, NULL), ATLS_OK);
}

static atls_code write_bundle(void *self, atls_err *err)
{
    job *j = self;
    atls_code rc = atls_bundle_write(atls_bundle_get0_evidence(j->bundle), &j->out, err);
    assert_untouched(rc, j->out);
    return rc;
}

static void bundle_write(void **state)
{
    (void)state;
    job j = {.text = bundle_text};
    torture_all(&(torture){"bundle write", &j, prepare_bundle, write_bundle, copy_out, drop});
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policy_parse),     cmocka_unit_test(policy_explain),
        cmocka_unit_test(collateral_parse), cmocka_unit_test(bundle_parse),
        cmocka_unit_test(bundle_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
