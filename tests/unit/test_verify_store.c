/* Verifiers that see a store: what is on the shelf counts from the next verification on, whatever was kept of the last. */
#include "unit/shelf_rig.h"

#include "evidence/dcap/quote.h"
#include "trust/pck_item.h"

/* --- what is there is used, what is not is told --- */

static void an_empty_shelf_is_collateral_missing(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_refuses(r, NOW, ATLS_E_COLLATERAL, "collateral.missing");
    rig_close(r);
}

static void all_of_it_is_enough(void **state)
{
    (void)state;
    static const char *const types[] = {"tdx", "tdx5", "sgx"};
    for (size_t i = 0; i < 3; i++) {
        shelf_rig *r = rig_open(true);
        rig_quote(r, types[i], NULL);
        rig_take(r, i == 2 ? SIM_SGX : SIM_TDX, NOW);
        rig_raise(r, NOW);
        rig_publish(r);
        atls_verdict *cold = rig_check(r, NOW);
        atls_verdict *warm = rig_check(r, NOW);
        assert_true(atls_verdict_accepted(cold) && atls_verdict_accepted(warm));
        assert_int_equal(atls_verdict_signatures(cold), 9);
        assert_int_equal(atls_verdict_signatures(warm), 1);
        assert_int_equal(atls_verdict_expires(cold), atls_verdict_expires(warm));
        atls_verdict_free(cold);
        atls_verdict_free(warm);
        rig_close(r);
    }
}

static void each_missing_item_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *key, *check;
    } rows[] = {{"intel/tcb", "collateral.missing"},
                {"intel/qe", "qe_identity.missing"},
                {"intel/pckcrl", "pck_crl.missing"},
                {"intel/rootcrl", "root_crl.missing"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        shelf_rig *r = rig_open(true);
        rig_take(r, SIM_TDX, NOW);
        rig_publish(r);
        rig_accepts(r, NOW);
        rig_drop(r, rows[i].key); /* what was kept of the whole does not outlive it */
        rig_publish(r);
        rig_refuses(r, NOW, ATLS_E_COLLATERAL, rows[i].check);
        rig_close(r);
    }
}

/* --- what is replaced counts at once --- */

static void revoke_pck(sim_plan *p)
{
    p->pck_crl.revokes = SIM_PCK;
}

static void revoke_ca(sim_plan *p)
{
    p->root_crl.revokes = SIM_CA;
}

static void revoke_tcb_signing(sim_plan *p)
{
    p->root_crl.revokes = SIM_TCB_SIGNING;
}

static void all_out_of_date(sim_plan *p)
{
    p->tcb_info.status = "OutOfDate";
    p->tcb_info.evaluation_number++;
}

static void qe_out_of_date(sim_plan *p)
{
    p->qe_identity.status = "OutOfDate";
}

static const struct {
    const char *what;
    void (*change)(sim_plan *p);
    atls_code code;
    const char *check;
} changes[] = {
    {"PCK certificate revoked", revoke_pck, ATLS_E_INVALID, "pck.leaf.crl"},
    {"CA revoked", revoke_ca, ATLS_E_INVALID, "pck.ca.crl"},
    {"TCB signing revoked", revoke_tcb_signing, ATLS_E_INVALID, "tcb_info.chain.crl"},
    {"platform out of date", all_out_of_date, ATLS_E_POLICY, "tcb.status"},
    {"QE out of date", qe_out_of_date, ATLS_E_POLICY, "tcb.status"},
};

static void a_change_counts_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        for (int live = 0; live < 2; live++) {
            shelf_rig *r = rig_open(live == 1);
            rig_take(r, SIM_TDX, NOW);
            rig_raise(r, NOW);
            rig_publish(r);
            rig_accepts(r, NOW);
            rig_accepts(r, NOW);
            changes[i].change(&r->plan);
            rig_take(r, SIM_TDX, NOW + 60);
            rig_raise(r, NOW + 60);
            rig_publish(r);
            print_message("%s\n", changes[i].what);
            rig_refuses(r, NOW + 60, changes[i].code, changes[i].check);
            rig_refuses(r, NOW + 60, changes[i].code, changes[i].check);
            sim_plan_default(&r->plan);
            rig_take(r, SIM_TDX, NOW + 120);
            rig_publish(r);
            if (changes[i].change != all_out_of_date) { /* a lower number would be a rollback */
                rig_accepts(r, NOW + 120);
            }
            rig_close(r);
        }
    }
}

/* A change elsewhere costs nothing. */
static void another_platforms_item_changes_nothing(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_publish(r);
    rig_accepts(r, NOW);
    rig_take(r, SIM_SGX, NOW); /* CRLs are made anew, too: those count */
    rig_publish(r);
    rig_accepts(r, NOW);
    const rig_item *info = rig_item_of(r, "intel/tcb/tdx");
    (void)rig_put(r, "intel/tcb/tdx/ffffffffffff", rig_copy(info->chain.ptr, info->chain.len),
                  rig_copy(info->body.ptr, info->body.len), &info->facts);
    rig_publish(r);
    atls_verdict *verdict = rig_check(r, NOW);
    assert_true(atls_verdict_accepted(verdict));
    assert_int_equal(atls_verdict_signatures(verdict), 1);
    atls_verdict_free(verdict);
    rig_close(r);
}

/* Items of a root that this verifier does not trust are none of its business. */
static void items_of_another_root(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    for (size_t i = 0; i < r->items_n; i++) {
        r->items[i].facts.root_sha256[0] ^= 1;
    }
    rig_publish(r);
    rig_refuses(r, NOW, ATLS_E_COLLATERAL, "collateral.missing");
    rig_close(r);
}

/* --- quotes that name their platform only --- */

static void put_pck(shelf_rig *r, size_t level)
{
    atls_quote q;
    atls_item_name name;
    char key[ATLS_ITEM_KEY_LEN];
    char pem[16384];
    const atls_item_facts facts = {.next_update_s = INT64_MAX, .expires_s = INT64_MAX};
    assert_int_equal(atls_quote_parse((atls_buf){r->quote, r->quote_len}, &q, NULL), ATLS_OK);
    assert_true(atls_pck_item_name(q.certification_type, q.certification_data,
                                   (atls_buf){q.user_data.ptr, 16}, &name));
    atls_item_name_format(&name, key);
    const int len = snprintf(pem, sizeof pem, "%s%s%s", r->sim->platforms[level].pck_pem,
                             r->sim->ca_pem, r->sim->chain_root_pem);
    assert_true(len > 0 && (size_t)len < sizeof pem);
    (void)rig_put(r, key, (atls_buf){NULL, 0}, rig_copy(pem, (size_t)len), &facts);
}

static void a_platform_that_is_only_named(void **state)
{
    (void)state;
    static const char *const faults[] = {"quote.type_1", "quote.type_2", "quote.type_3"};
    for (size_t i = 0; i < 3; i++) {
        shelf_rig *r = rig_open(true);
        rig_quote(r, "tdx", faults[i]);
        rig_take(r, SIM_TDX, NOW);
        rig_publish(r);
        rig_refuses(r, NOW, ATLS_E_COLLATERAL, "pck.missing");
        put_pck(r, 0);
        rig_publish(r);
        rig_accepts(r, NOW);
        rig_accepts(r, NOW);
        put_pck(r, 1); /* the certificate of another TCB: what was kept does not hide it */
        rig_publish(r);
        rig_refuses(r, NOW, ATLS_E_INVALID, "qe_report.signature");
        put_pck(r, 0);
        rig_publish(r);
        rig_accepts(r, NOW);
        rig_drop(r, "intel/pck/");
        rig_publish(r);
        rig_refuses(r, NOW, ATLS_E_COLLATERAL, "pck.missing");
        rig_close(r);
    }
}

/* --- the verifier's own beside the shelf's --- */

static void give_own(shelf_rig *r, int64_t when_s)
{
    char *json = rig_say(r, SIM_TDX, when_s);
    atls_collateral *c = NULL;
    assert_int_equal(atls_collateral_parse(text_buf(json), &c, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_add1_collateral(r->v, c, NULL), ATLS_OK);
    atls_collateral_free(c);
    free(json);
}

static uint32_t number_seen(const shelf_rig *r)
{
    atls_verdict *verdict = rig_check(r, NOW + 60);
    const uint32_t number = verdict->claims.tcb.evaluation_number;
    atls_verdict_free(verdict);
    return number;
}

static void the_higher_number_counts(void **state)
{
    (void)state;
    for (int own_is_newer = 0; own_is_newer < 2; own_is_newer++) {
        shelf_rig *r = rig_open(true);
        r->plan.tcb_info.evaluation_number = r->plan.qe_identity.evaluation_number =
            own_is_newer ? 30 : 20;
        give_own(r, NOW);
        assert_int_equal(number_seen(r), own_is_newer ? 30 : 20);
        r->plan.tcb_info.evaluation_number = r->plan.qe_identity.evaluation_number = 25;
        rig_take(r, SIM_TDX, NOW);
        rig_publish(r);
        assert_int_equal(number_seen(r), own_is_newer ? 30 : 25);
        assert_int_equal(number_seen(r), own_is_newer ? 30 : 25);
        rig_close(r);
    }
}

/* Of one number the newer issue date; of one date the shelf's, which is the one that is replaced when something is revoked. */
static void of_one_number_the_newer_counts(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(false);
    rig_take(r, SIM_TDX, NOW);
    rig_publish(r);
    r->plan.tcb_info.status = "OutOfDate";
    give_own(r, NOW);
    rig_accepts(r, NOW + 60);
    give_own(r, NOW + 30);
    rig_refuses(r, NOW + 60, ATLS_E_POLICY, "tcb.status");
    sim_plan_default(&r->plan);
    rig_take(r, SIM_TDX, NOW + 40);
    rig_publish(r);
    rig_accepts(r, NOW + 60);
    rig_close(r);
}

/* --- floors and the clock --- */

static void older_than_the_floor_is_a_rollback(void **state)
{
    (void)state;
    static const char *const keys[] = {"intel/tcb", "intel/qe", "intel/pckcrl", "intel/rootcrl"};
    for (size_t i = 0; i < 4; i++) {
        shelf_rig *r = rig_open(true);
        rig_take(r, SIM_TDX, NOW);
        give_own(r, NOW);
        rig_item *item = rig_item_of(r, keys[i]);
        bool changed = false;
        item->facts.issued_s += 60;
        assert_int_equal(atls_floors_raise(r->floors, item->key, &item->facts, NOW, &changed, NULL),
                         ATLS_OK);
        rig_drop_items(r); /* the file's is all there is, and is below what was seen */
        rig_publish(r);
        rig_refuses(r, NOW, ATLS_E_COLLATERAL, "collateral.rollback");
        rig_refuses(r, NOW, ATLS_E_COLLATERAL, "collateral.rollback");
        atls_verifier_set0_shelf_place(r->v, r->place, false);
        rig_accepts(r, NOW); /* as of another time older collateral may be meant */
        rig_close(r);
    }
}

/* What a peer brings along is held against the same floors. */
static void stapled_collateral_has_floors_too(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    char *json = rig_say(r, SIM_TDX, NOW);
    const atls_evidence e = {
        .parts_n = 2,
        .parts = {{"quote", {r->quote, r->quote_len}}, {"collateral", text_buf(json)}}};
    rig_raise(r, NOW);
    const atls_item_facts seen = rig_item_of(r, "intel/tcb")->facts;
    rig_drop_items(r);
    rig_publish(r);
    atls_verdict *v = atls_verifier_check(r->v, &e, NULL, NOW, NULL);
    assert_true(atls_verdict_accepted(v));
    atls_verdict_free(v);
    atls_item_facts above = seen;
    bool changed = false;
    above.number++;
    assert_int_equal(
        atls_floors_raise(r->floors, "intel/tcb/tdx/53494d000000", &above, NOW, &changed, NULL),
        ATLS_OK);
    rig_publish(r);
    v = atls_verifier_check(r->v, &e, NULL, NOW, NULL);
    assert_int_equal(atls_verdict_code(v), ATLS_E_COLLATERAL);
    assert_string_equal(atls_verdict_check(v), "collateral.rollback");
    atls_verdict_free(v);
    free(json);
    rig_close(r);
}

static void a_floor_is_of_one_root(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_publish(r);
    for (size_t i = 0; i < r->items_n; i++) {
        bool changed = false;
        atls_item_facts facts = r->items[i].facts;
        facts.root_sha256[0] ^= 1;
        facts.number += 10;
        assert_int_equal(atls_floors_raise(r->floors, r->items[i].key, &facts, NOW, &changed, NULL),
                         ATLS_OK);
    }
    rig_publish(r);
    rig_accepts(r, NOW);
    rig_close(r);
}

static void a_clock_before_the_floor_is_refused(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_raise(r, NOW);
    rig_publish(r);
    const int64_t floor = atls_floors_clock(r->floors);
    assert_true(floor > 0);
    rig_accepts(r, floor);
    atls_verdict *verdict = rig_check(r, floor - 300); /* five minutes are allowed */
    assert_false(has_failure(verdict, "clock.before_floor", ATLS_E_COLLATERAL));
    atls_verdict_free(verdict);
    verdict = rig_check(r, floor - 301);
    assert_int_equal(atls_verdict_code(verdict), ATLS_E_COLLATERAL);
    assert_string_equal(verdict->ledger.entries[0].id, "clock.before_floor");
    assert_non_null(strstr(atls_verdict_message(verdict), "collateral signed then has been seen"));
    atls_verdict_free(verdict);
    atls_verifier_set0_shelf_place(r->v, r->place, false);
    verdict = rig_check(r, floor - 301);
    assert_false(has_failure(verdict, "clock.before_floor", ATLS_E_COLLATERAL));
    atls_verdict_free(verdict);
    rig_close(r);
}

/* --- grace --- */

static int64_t end_of(shelf_rig *r)
{
    int64_t end = INT64_MAX;
    for (size_t i = 0; i < r->items_n; i++) {
        const int64_t at = r->items[i].facts.next_update_s;
        end = at < end ? at : end;
    }
    return end;
}

static void unreachable_since(shelf_rig *r, int64_t since_s)
{
    for (size_t i = 0; i < r->items_n; i++) {
        r->items[i].since_s = since_s;
    }
    rig_publish(r);
}

static void late_collateral_is_for_the_policy(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_publish(r);
    rig_accepts(r, NOW);
    const int64_t end = end_of(r);
    rig_accepts(r, end);
    rig_refuses(r, end + 1, ATLS_E_COLLATERAL, "tcb_info.time"); /* its origin may answer */
    unreachable_since(r, end - DAY);
    rig_refuses(r, end + 1, ATLS_E_COLLATERAL, "policy.collateral_grace"); /* there is no grace */
    rig_policy(r, "tdx", ",\"tcb\":{\"collateral_grace_days\":2}");
    rig_accepts(r, end + 1);
    rig_refuses(r, end + 2 * DAY + 1, ATLS_E_COLLATERAL, "policy.collateral_grace");
    atls_verdict *verdict = rig_check(r, end + DAY);
    assert_true(atls_verdict_accepted(verdict));
    assert_int_equal(atls_verdict_expires(verdict), end + 2 * DAY);
    char *text = atls_verdict_text(verdict, true);
    assert_non_null(strstr(text, "collateral in grace: 1 day past"));
    assert_non_null(strstr(text, "its origin does not answer since"));
    atls_free(text);
    text = atls_verdict_json(verdict);
    assert_non_null(strstr(text, "\"collateral_grace\""));
    atls_free(text);
    atls_verdict_free(verdict);
    unreachable_since(r, 0); /* it answers again, and nothing new came */
    rig_refuses(r, end + 1, ATLS_E_COLLATERAL, "tcb_info.time");
    unreachable_since(r, end + DAY); /* not yet silent at that time */
    rig_refuses(r, end + 1, ATLS_E_COLLATERAL, "tcb_info.time");
    rig_close(r);
}

/* Each item for itself: one that is late, and whose origin answers, is refused. */
static void grace_is_of_one_item(void **state)
{
    (void)state;
    static const struct {
        const char *key, *check;
    } rows[] = {{"intel/tcb", "tcb_info.time"},
                {"intel/qe", "qe_identity.time"},
                {"intel/pckcrl", "pck_crl.time"},
                {"intel/rootcrl", "root_crl.time"}};
    for (size_t i = 0; i < 4; i++) {
        shelf_rig *r = rig_open(true);
        rig_take(r, SIM_TDX, NOW);
        int64_t end = 0;
        for (size_t k = 0; k < r->items_n; k++) {
            const int64_t at = r->items[k].facts.next_update_s;
            end = at > end ? at : end;
        }
        rig_policy(r, "tdx", ",\"tcb\":{\"collateral_grace_days\":90}");
        unreachable_since(r, NOW);
        if (end + 1 - end_of(r) <= 90 * DAY) {
            rig_accepts(r, end + 1);
        }
        rig_item_of(r, rows[i].key)->since_s = 0;
        rig_publish(r);
        rig_refuses(r, end + 1, ATLS_E_COLLATERAL, rows[i].check);
        rig_close(r);
    }
}

static void not_yet_valid_is_never_excused(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_policy(r, "tdx", ",\"tcb\":{\"collateral_grace_days\":90}");
    unreachable_since(r, 1);
    rig_refuses(r, NOW - 2 * 3600, ATLS_E_COLLATERAL, "tcb_info.time");
    rig_refuses(r, NOW + 20 * (int64_t)365 * DAY, ATLS_E_COLLATERAL, "pck.chain.time");
    rig_drop(r, "intel/pckcrl");
    rig_publish(r);
    rig_refuses(r, NOW, ATLS_E_COLLATERAL, "pck_crl.missing");
    rig_close(r);
}

/* A file of the caller's has no origin: it is not excused, whatever the shelf says of its own. */
static void own_collateral_is_never_excused(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_policy(r, "tdx", ",\"tcb\":{\"collateral_grace_days\":90}");
    unreachable_since(r, NOW);
    const int64_t end = end_of(r);
    rig_accepts(r, end + 1);
    give_own(r, NOW + 30); /* newer than the shelf's */
    rig_refuses(r, end + 31, ATLS_E_COLLATERAL, "tcb_info.time");
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_shelf_is_collateral_missing),
        cmocka_unit_test(all_of_it_is_enough),
        cmocka_unit_test(each_missing_item_is_told),
        cmocka_unit_test(a_change_counts_at_once),
        cmocka_unit_test(another_platforms_item_changes_nothing),
        cmocka_unit_test(items_of_another_root),
        cmocka_unit_test(a_platform_that_is_only_named),
        cmocka_unit_test(the_higher_number_counts),
        cmocka_unit_test(of_one_number_the_newer_counts),
        cmocka_unit_test(older_than_the_floor_is_a_rollback),
        cmocka_unit_test(stapled_collateral_has_floors_too),
        cmocka_unit_test(a_floor_is_of_one_root),
        cmocka_unit_test(a_clock_before_the_floor_is_refused),
        cmocka_unit_test(late_collateral_is_for_the_policy),
        cmocka_unit_test(grace_is_of_one_item),
        cmocka_unit_test(not_yet_valid_is_never_excused),
        cmocka_unit_test(own_collateral_is_never_excused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
