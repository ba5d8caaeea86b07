/* Logs of simulated machines: honest ones are believed, and every fault of the table is refused by its own check, through
 * a verifier for a TD and against quoted PCRs for a TPM. */
#include "simulated.h"

#include <stdlib.h>

#include "evidence/log/log.h"
#include "sim/log.h"
#include <atls/inspect.h>

/* --- TDX, through the verifier --- */

static atls_verdict *verdict_of_part(bench *b, const char *log, const char *fault, const char *type)
{
    atls_attester *a = NULL;
    atls_evidence_blob blob = {0};
    const atls_report_data data = {{0x42}, {0}, NULL, 0};
    const atls_sim_quote q = {.type = type, .event_log = log, .fault = fault};
    assert_int_equal(atls_sim_attester_new(b->sim, &q, &a, NULL), ATLS_OK);
    assert_int_equal(a->attest(a->self, &data, &blob, NULL), ATLS_OK);
    atls_evidence e = {.parts_n = blob.parts_n, .type = blob.type};
    for (size_t i = 0; i < blob.parts_n; i++) {
        e.parts[i].name = blob.parts[i].name;
        e.parts[i].bytes = (atls_buf){blob.parts[i].bytes, blob.parts[i].len};
    }
    atls_verdict *r = atls_verifier_check(b->v, &e, NULL, NOW, NULL);
    assert_non_null(r);
    atls_evidence_blob_clear(&blob); /* nothing of the verdict may point into it */
    atls_attester_free(a);
    return r;
}

static const atls_event *find(const atls_event_claims *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->events[i].name, name) == 0) {
            return &c->events[i];
        }
    }
    return NULL;
}

static void test_td_logs_are_believed(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "tdx5"};
    for (size_t i = 0; i < 2; i++) {
        bench b = set_up(types[i], NULL, NULL);
        trust_all(&b);
        atls_verdict *r = verdict_of_part(&b, "ccel", NULL, types[i]);
        assert_true(atls_verdict_accepted(r));
        assert_int_equal(r->claims.log.n, 8);
        assert_int_equal(r->claims.log.replayed, 0x7);
        assert_int_equal(r->claims.log.differs, 0);
        const atls_event *e = find(&r->claims.log, "EV_EFI_VARIABLE_DRIVER_CONFIG");
        assert_non_null(e);
        assert_true(e->data_matches);
        assert_int_equal(e->index, 0);
        assert_int_equal(e->digest_len, 48);
        assert_int_equal(e->data.len, strlen("demo/secure-boot"));
        assert_memory_equal(e->data.ptr, "demo/secure-boot", e->data.len);
        e = find(&r->claims.log, "EV_EFI_BOOT_SERVICES_APPLICATION");
        assert_non_null(e);
        assert_false(e->data_matches); /* its digest is of a file */
        assert_false(e->after_separator);
        atls_verdict_free(r);

        r = verdict_of_part(&b, "dstack", NULL, types[i]);
        assert_true(atls_verdict_accepted(r));
        assert_int_equal(r->claims.log.replayed, 0xf);
        e = find(&r->claims.log, "compose-hash");
        assert_non_null(e);
        assert_true(e->is_runtime && e->data_matches && !e->after_ready);
        assert_memory_equal(e->data.ptr, "demo/compose-hash", e->data.len);
        e = find(&r->claims.log, "greeting");
        assert_true(e != NULL && e->is_runtime && e->after_ready);
        atls_verdict_free(r);
        tear_down(&b);
    }
}

static void test_td_faults_are_refused(void **state)
{
    (void)state;
    static const char *const logs[] = {"ccel", "dstack"};
    bench b = set_up("tdx", NULL, NULL);
    atls_sim_world_fault f;
    size_t judged = 0;
    trust_all(&b);
    for (size_t i = 0; atls_sim_log_fault_at(i, &f); i++) {
        for (size_t k = 0; k < 2; k++) {
            if (!sim_log_has_fault(logs[k], f.name)) {
                continue;
            }
            atls_verdict *r = verdict_of_part(&b, logs[k], f.name, "tdx");
            if (atls_verdict_code(r) != f.expected ||
                (f.check[0] != '\0' && !has_failure(r, f.check, f.expected))) {
                fail_msg("%s in %s: %d %s: %s", f.name, logs[k], (int)atls_verdict_code(r),
                         atls_verdict_check(r), atls_verdict_message(r));
            }
            judged++;
            atls_verdict_free(r);
        }
    }
    assert_true(judged >= 17);
    tear_down(&b);
}

/* Without the quote's signature a log is not looked at, and its events are not told. */
static void test_log_beside_a_bad_quote(void **state)
{
    (void)state;
    bench b = set_up("tdx", NULL, NULL);
    trust_all(&b);
    atls_verdict *r = verdict_of_part(&b, "dstack", "quote.signature", "tdx");
    assert_false(atls_verdict_accepted(r));
    assert_int_equal(r->claims.log.n, 0);
    assert_int_equal(r->claims.log.replayed, 0);
    atls_verdict_free(r);
    tear_down(&b);
}

static void test_sgx_has_no_registers(void **state)
{
    (void)state;
    bench b = set_up("sgx", NULL, NULL);
    trust_all(&b);
    atls_evidence e = {.parts_n = 2,
                       .parts = {{"quote", {b.quote, b.quote_len}}, {"event_log", text_buf("[]")}}};
    atls_verdict *r = atls_verifier_check(b.v, &e, NULL, NOW, NULL);
    assert_true(atls_verdict_accepted(r));
    assert_int_equal(r->claims.log.n, 0);
    atls_verdict_free(r);
    const atls_sim_quote q = {.type = "sgx", .event_log = "ccel"};
    atls_attester *a = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_attester_new(b.sim, &q, &a, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.event_log");
    tear_down(&b);
}

/* --- TPM, against banks --- */

typedef struct judgement {
    atls_ledger l;
    atls_event_claims log, ima;
    atls_anchor anchor;
} judgement;

static void judge(judgement *j, const char *fault, uint32_t banks_quoted)
{
    static atls_tpm_bank banks[ATLS_TPM_BANKS];
    uint8_t *log = NULL;
    uint8_t *ima = NULL;
    size_t log_len = 0;
    size_t ima_len = 0;
    const bool of_pcrs = sim_log_has_fault("pcrs", fault);
    memset(banks, 0, sizeof banks);
    memset(j, 0, sizeof *j);
    atls_ledger_init(&j->l);
    assert_int_equal(sim_log_pcrs("demo", of_pcrs ? fault : NULL, banks, &log, &log_len, NULL),
                     ATLS_OK);
    assert_int_equal(sim_log_ima("demo", of_pcrs ? NULL : fault, banks, &ima, &ima_len, NULL),
                     ATLS_OK);
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        banks[bank].selected = (banks_quoted >> bank) % 2 == 1 ? 0xffffff : 0;
    }
    atls_log_judge_pcrs((atls_buf){log, log_len}, banks, &j->l, &j->log, &j->anchor);
    atls_log_judge_ima((atls_buf){ima, ima_len}, banks, &j->l, &j->ima, &j->anchor);
    free(log); /* nothing told may point into them */
    free(ima);
}

static void done(judgement *j)
{
    if (j->anchor.release != NULL) {
        j->anchor.release(j->anchor.object);
    }
}

#define SHA1_BANK   (1u << ATLS_TPM_SHA1)
#define SHA256_BANK (1u << ATLS_TPM_SHA256)
#define SHA384_BANK (1u << ATLS_TPM_SHA384)

static void test_tpm_logs_are_believed(void **state)
{
    (void)state;
    judgement j;
    judge(&j, NULL, SHA1_BANK | SHA256_BANK | SHA384_BANK);
    assert_int_equal(atls_ledger_code(&j.l), ATLS_OK);
    assert_int_equal(j.log.replayed, 0xbff);
    assert_int_equal(j.log.n, 16);
    const atls_event *e = find(&j.log, "EV_S_CRTM_VERSION");
    assert_true(e != NULL && e->data_matches && e->digest_len == 32 && !e->after_separator);
    e = find(&j.log, "EV_EFI_BOOT_SERVICES_APPLICATION");
    assert_true(e != NULL && !e->data_matches && e->after_separator && e->index == 4);
    assert_int_equal(j.ima.replayed, 1u << 10);
    assert_int_equal(j.ima.n, 3);
    e = find(&j.ima, "/usr/bin/atls");
    assert_true(e != NULL && e->data_matches && e->digest_len == 32);
    done(&j);

    judge(&j, NULL, SHA384_BANK);
    assert_int_equal(find(&j.log, "EV_S_CRTM_VERSION")->digest_len, 48);
    done(&j);
}

static void test_sha1_alone_is_not_believed(void **state)
{
    (void)state;
    judgement j;
    judge(&j, NULL, SHA1_BANK);
    assert_int_equal(atls_ledger_code(&j.l), ATLS_OK);
    assert_int_equal(j.log.n, 0);
    assert_int_equal(j.log.replayed, 0);
    assert_int_equal(j.ima.n, 0);
    done(&j);
    judge(&j, "log.pcr_digest", SHA1_BANK); /* but a lie is a lie */
    assert_int_equal(atls_ledger_code(&j.l), ATLS_E_INVALID);
    done(&j);
    judge(&j, NULL, 0);
    assert_int_equal(atls_ledger_code(&j.l), ATLS_OK);
    assert_int_equal(j.log.n + j.ima.n, 0);
    done(&j);
}

static void test_tpm_faults_are_refused(void **state)
{
    (void)state;
    atls_sim_world_fault f;
    size_t judged = 0;
    for (size_t i = 0; atls_sim_log_fault_at(i, &f); i++) {
        if (!sim_log_has_fault("pcrs", f.name) && !sim_log_has_fault("ima", f.name)) {
            continue;
        }
        judgement j;
        judge(&j, f.name, SHA256_BANK | SHA384_BANK);
        bool noticed = f.check[0] == '\0';
        for (size_t k = 0; k < j.l.count; k++) {
            const atls_entry *e = &j.l.entries[k];
            noticed = noticed || (e->result == ATLS_CHECK_FAIL && strcmp(e->id, f.check) == 0);
        }
        if (atls_ledger_code(&j.l) != f.expected || !noticed) {
            fail_msg("%s: code %d", f.name, (int)atls_ledger_code(&j.l));
        }
        judged++;
        done(&j);
    }
    assert_true(judged >= 14);
}

static void test_what_runs_on_is_only_noted(void **state)
{
    (void)state;
    judgement j;
    judge(&j, "log.pcr_extended", SHA256_BANK);
    assert_int_equal(j.log.differs, 1u << 11);
    assert_int_equal(j.log.replayed, 0x3ff);
    for (size_t i = 0; i < j.log.n; i++) {
        assert_int_not_equal(j.log.events[i].index, 11);
    }
    done(&j);
    judge(&j, "log.ima_later", SHA256_BANK);
    assert_int_equal(j.ima.n, 3);
    assert_null(find(&j.ima, "/usr/bin/late"));
    done(&j);
}

/* Each log for the eye: by its bytes alone, and whole. */
static void test_logs_are_shown(void **state)
{
    (void)state;
    static const struct {
        const char *variant, *words[3];
    } cases[] = {
        {"ccel", {"TCG event log", "EV_EFI_VARIABLE_DRIVER_CONFIG", "recomputed: yes"}},
        {"dstack", {"dstack's event log", "compose-hash", "demo/compose-hash"}},
        {"pcrs", {"TCG event log", "EV_NO_ACTION", "EV_IPL"}},
        {"ima", {"IMA list", "/usr/bin/atls", "sha256"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static atls_tpm_bank banks[ATLS_TPM_BANKS];
        uint8_t rtmr[4][48];
        uint8_t *log = NULL;
        size_t len = 0;
        char *text = NULL;
        atls_code rc = i < 2 ? sim_log_rtmrs(cases[i].variant, "demo", NULL, NULL, rtmr, &log, &len, NULL)
                       : i == 2 ? sim_log_pcrs("demo", NULL, banks, &log, &len, NULL)
                                : sim_log_ima("demo", NULL, banks, &log, &len, NULL);
        assert_int_equal(rc, ATLS_OK);
        assert_int_equal(atls_inspect((atls_buf){log, len}, false, &text, NULL), ATLS_OK);
        for (size_t k = 0; k < 3; k++) {
            if (strstr(text, cases[i].words[k]) == NULL) {
                fail_msg("%s is not in\n%s", cases[i].words[k], text);
            }
        }
        atls_free(text);
        free(log);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const uint8_t rtmr[4][48];
    static const atls_tpm_bank banks[ATLS_TPM_BANKS];
    static uint8_t large[ATLS_LOG_LEN_MAX + 1];
    static const size_t sizes[] = {0, sizeof large};
    for (size_t i = 0; i < 2; i++) {
        judgement j = {0};
        atls_log_judge_rtmrs((atls_buf){large, sizes[i]}, rtmr, &j.l, &j.log, &j.anchor);
        atls_log_judge_pcrs((atls_buf){large, sizes[i]}, banks, &j.l, &j.log, &j.anchor);
        atls_log_judge_ima((atls_buf){large, sizes[i]}, banks, &j.l, &j.ima, &j.anchor);
        assert_int_equal(j.l.count, 3);
        for (size_t k = 0; k < 3; k++) {
            assert_string_equal(j.l.entries[k].id, "log.size");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_td_logs_are_believed),
        cmocka_unit_test(test_td_faults_are_refused),
        cmocka_unit_test(test_log_beside_a_bad_quote),
        cmocka_unit_test(test_sgx_has_no_registers),
        cmocka_unit_test(test_tpm_logs_are_believed),
        cmocka_unit_test(test_sha1_alone_is_not_believed),
        cmocka_unit_test(test_tpm_faults_are_refused),
        cmocka_unit_test(test_what_runs_on_is_only_noted),
        cmocka_unit_test(test_logs_are_shown),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
