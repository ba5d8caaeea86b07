/* A store in memory: what it takes, what it refuses, and what its readers see. */
#include "unit/store_rig.h"

#include "store/store.h"

static int open_vendor(void **state)
{
    static vendor v;
    vendor_open(&v);
    *state = &v;
    return 0;
}

static int close_vendor(void **state)
{
    vendor_close(*state);
    return 0;
}

static void what_was_taken_is_there(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    atls_item_status status;
    atls_held *held = NULL;
    assert_false(atls_store_get(s, TCB, &held));
    assert_false(atls_store_at(s, 0, &status));
    assert_int_equal(atls_store_clock_floor(s), 0);
    assert_taken(s, &tcb, NOW);
    assert_true(holds(s, &tcb));
    assert_true(atls_store_at(s, 0, &status));
    assert_false(atls_store_at(s, 1, &status));
    assert_string_equal(status.key, TCB);
    assert_true(status.has_number && status.number == 17);
    assert_int_equal(status.issued_s, NOW - SIM_HOUR);
    assert_int_equal(status.next_update_s, NOW + 30 * SIM_DAY);
    assert_int_equal(status.taken_s, NOW);
    assert_int_equal(status.source, ATLS_ITEM_FETCHED);
    assert_string_equal(status.from, "https://vendor.example");
    assert_true(status.simulated);
    assert_int_equal(status.unreachable_since_s, 0);
    assert_int_equal(atls_store_clock_floor(s), NOW - SIM_HOUR);
    made_free(&tcb);
    atls_store_free(s);
}

/* An item stays as it was for whoever holds it, whatever the store takes meanwhile. */
static void a_held_item_outlives_its_replacement(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made first = vendor_tcb(v, 1, NOW, 17);
    made second = vendor_tcb(v, 1, NOW + SIM_DAY, 18);
    atls_held *held = NULL;
    atls_item item;
    assert_taken(s, &first, NOW);
    assert_true(atls_store_get(s, TCB, &held));
    assert_taken(s, &second, NOW + SIM_DAY);
    assert_true(holds(s, &second));
    atls_held_item(held, &item);
    assert_int_equal(item.body.len, first.item.body.len);
    assert_memory_equal(item.body.ptr, first.item.body.ptr, item.body.len);
    atls_store_free(s);
    atls_held_free(held);
    made_free(&first);
    made_free(&second);
}

static void items_stand_in_the_order_of_their_keys(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    char before[ATLS_ITEM_KEY_LEN] = "";
    atls_item_status status;
    for (unsigned i = 0; i < 100; i++) {
        made m = vendor_tcb(v, i * 37u % 100u, NOW, 17);
        assert_taken(s, &m, NOW);
        made_free(&m);
    }
    assert_int_equal(count_of(s), 100);
    for (size_t i = 0; atls_store_at(s, i, &status); i++) {
        assert_true(strcmp(before, status.key) < 0);
        memcpy(before, status.key, sizeof before);
    }
    atls_store_free(s);
}

static void the_same_again_changes_nothing(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    atls_item_status status;
    assert_taken(s, &tcb, NOW);
    assert_taken(s, &tcb, NOW + 100);
    assert_true(status_of(s, TCB, &status));
    assert_int_equal(status.taken_s, NOW);
    made_free(&tcb);
    atls_store_free(s);
}

/* An older number, and the same number issued earlier; both are in their time. */
static void going_back_is_refused(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made now = vendor_tcb(v, 1, NOW, 17);
    made lower = vendor_tcb(v, 1, NOW + SIM_HOUR, 16);
    made older = vendor_tcb(v, 1, NOW - SIM_DAY, 17);
    made crl = vendor_root_crl(v, NOW);
    made old_crl = vendor_root_crl(v, NOW - SIM_DAY);
    assert_taken(s, &now, NOW);
    assert_taken(s, &crl, NOW);
    assert_not_taken(store_take(s, &lower, NOW + SIM_HOUR, err), ATLS_E_COLLATERAL,
                     "collateral.rollback");
    assert_not_taken(store_take(s, &older, NOW, err), ATLS_E_COLLATERAL, "collateral.rollback");
    assert_not_taken(store_take(s, &old_crl, NOW, err), ATLS_E_COLLATERAL, "collateral.rollback");
    assert_true(holds(s, &now) && holds(s, &crl));
    made_free(&now);
    made_free(&lower);
    made_free(&older);
    made_free(&crl);
    made_free(&old_crl);
    atls_store_free(s);
}

static void what_does_not_hold_is_refused(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    made jwks = made_of("jwks/https%3a%2f%2fissuer.example", "", store_text("{\"keys\":[]}"));
    atls_item odd = tcb.item;
    assert_not_taken(store_take(s, &tcb, NOW + 31 * SIM_DAY, err), ATLS_E_COLLATERAL,
                     "item.expired");
    assert_not_taken(store_take(s, &tcb, NOW - SIM_DAY, err), ATLS_E_COLLATERAL, "item.future");
    odd.key = "intel/tcb/tdx/53494d000002";
    assert_not_taken(atls_store_take(s, &odd, ATLS_ITEM_FETCHED, NULL, NOW, err), ATLS_E_INVALID,
                     "item.name");
    odd.key = "intel/tcb/tdx/53494D000001";
    assert_not_taken(atls_store_take(s, &odd, ATLS_ITEM_FETCHED, NULL, NOW, err), ATLS_E_USAGE,
                     "item.key");
    tcb.body[tcb.item.body.len / 2] ^= 1;
    atls_err why = {0};
    assert_int_equal(store_take(s, &tcb, NOW, &why), ATLS_E_INVALID);
    for (int source = ATLS_ITEM_STAPLED; source <= ATLS_ITEM_SHARED; source++) {
        assert_not_taken(atls_store_take(s, &jwks.item, (atls_item_source)source, NULL, NOW, err),
                         ATLS_E_INVALID, "store.jwks");
    }
    odd = (atls_item){TCB, {NULL, 0}, {(const uint8_t *)tcb.body, ATLS_ITEM_BODY_MAX + 1}};
    assert_not_taken(atls_store_take(s, &odd, ATLS_ITEM_FETCHED, NULL, NOW, err), ATLS_E_INVALID,
                     "item.form");
    assert_int_equal(count_of(s), 0);
    made_free(&tcb);
    made_free(&jwks);
    atls_store_free(s);
}

static void another_vendors_is_refused(void **state)
{
    const vendor *v = *state;
    vendor other;
    vendor_open(&other);
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(&other, 1, NOW, 17);
    atls_err why = {0};
    assert_int_equal(store_take(s, &tcb, NOW, &why), ATLS_E_INVALID);
    assert_non_null(why.check);
    assert_int_equal(count_of(s), 0);
    /* The vendor's own root may be given in place of the pinned one, too. */
    assert_int_equal(atls_store_set1_root(s, ATLS_FAMILY_INTEL, store_text(other.root), NULL),
                     ATLS_OK);
    assert_taken(s, &tcb, NOW);
    assert_not_taken(atls_store_set1_root(s, (atls_family)99, store_text(other.root), err),
                     ATLS_E_USAGE, "root.family");
    made_free(&tcb);
    atls_store_free(s);
    vendor_close(&other);
}

/* Whoever sends evidence chooses what is stapled to it: perhaps what Intel publishes early. */
static void what_strangers_staple_bars_nothing(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made early = vendor_tcb(v, 1, NOW, 18);
    made now = vendor_tcb(v, 1, NOW, 17);
    made crl = vendor_root_crl(v, NOW);
    made old_crl = vendor_root_crl(v, NOW - SIM_DAY);
    assert_int_equal(atls_store_take(s, &early.item, ATLS_ITEM_STAPLED, NULL, NOW, NULL), ATLS_OK);
    assert_true(holds(s, &early)); /* it is all there is */
    assert_taken(s, &now, NOW);    /* and gives way to what the origin says */
    assert_true(holds(s, &now));
    assert_int_equal(atls_store_take(s, &early.item, ATLS_ITEM_STAPLED, NULL, NOW, NULL), ATLS_OK);
    assert_true(holds(s, &now));
    /* The same bytes from the origin count as the origin's. */
    assert_taken(s, &early, NOW);
    assert_true(holds(s, &early));
    assert_not_taken(store_take(s, &now, NOW, err), ATLS_E_COLLATERAL, "collateral.rollback");
    /* Of CRLs there is one series only. */
    atls_item_status status;
    assert_int_equal(atls_store_take(s, &crl.item, ATLS_ITEM_STAPLED, NULL, NOW, NULL), ATLS_OK);
    assert_true(status_of(s, "intel/rootcrl", &status));
    assert_int_equal(status.source, ATLS_ITEM_STAPLED);
    assert_taken(s, &crl, NOW); /* confirmed by its origin */
    assert_true(status_of(s, "intel/rootcrl", &status));
    assert_int_equal(status.source, ATLS_ITEM_FETCHED);
    assert_not_taken(store_take(s, &old_crl, NOW, err), ATLS_E_COLLATERAL, "collateral.rollback");
    made_free(&early);
    made_free(&now);
    made_free(&crl);
    made_free(&old_crl);
    atls_store_free(s);
}

static void silence_of_origins_is_told(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    made next = vendor_tcb(v, 1, NOW + SIM_DAY, 17);
    atls_item_status status;
    atls_store_set_reachable(s, TCB, false, NOW); /* not there: fine */
    assert_taken(s, &tcb, NOW);
    atls_store_set_reachable(s, TCB, false, NOW + 10);
    atls_store_set_reachable(s, TCB, false, NOW + 20);
    assert_true(status_of(s, TCB, &status));
    assert_int_equal(status.unreachable_since_s, NOW + 10);
    /* A newer one from elsewhere says nothing of the origin; one from the origin does. */
    assert_int_equal(atls_store_take(s, &next.item, ATLS_ITEM_SHARED, NULL, NOW + SIM_DAY, NULL),
                     ATLS_OK);
    assert_true(status_of(s, TCB, &status));
    assert_int_equal(status.unreachable_since_s, NOW + 10);
    atls_store_set_reachable(s, TCB, true, NOW + SIM_DAY);
    assert_true(status_of(s, TCB, &status));
    assert_int_equal(status.unreachable_since_s, 0);
    made_free(&tcb);
    made_free(&next);
    atls_store_free(s);
}

static void needs_are_reduced_to_what_is_missing(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    atls_needs needs = {.n = 3, .keys = {"intel/rootcrl", TCB, "intel/qe/tdx"}};
    assert_taken(s, &tcb, NOW);
    atls_store_reduce_needs(s, &needs, NOW);
    assert_int_equal(needs.n, 2);
    assert_string_equal(needs.keys[0], "intel/rootcrl");
    assert_string_equal(needs.keys[1], "intel/qe/tdx");
    needs = (atls_needs){.n = 1, .keys = {TCB}};
    atls_store_reduce_needs(s, &needs, NOW + 31 * SIM_DAY);
    assert_int_equal(needs.n, 1);
    atls_store_reduce_needs(s, &needs, NOW);
    assert_int_equal(needs.n, 0);
    made_free(&tcb);
    atls_store_free(s);
}

/* Nothing in a set of keys says how long it holds: it ends, unless its origin says the same again. */
static void a_jwk_set_ends_unless_it_is_renewed(void **state)
{
    const vendor *v = *state;
    static const char key[] = "jwks/https%3a%2f%2fissuer.example";
    made jwks = made_of(key, "",
                        store_text("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                                   "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
                                   "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}"));
    atls_store *s = store_open(v, NULL);
    atls_item_status status;
    atls_needs needs = {.n = 1, .keys = {"jwks/https%3a%2f%2fissuer.example"}};
    assert_taken(s, &jwks, NOW);
    assert_taken(s, &jwks, NOW + 10);
    assert_true(status_of(s, key, &status));
    assert_int_equal(status.taken_s, NOW);
    assert_int_equal(status.expires_s, NOW + 7 * SIM_DAY);
    assert_taken(s, &jwks, NOW + SIM_DAY);
    assert_true(status_of(s, key, &status));
    assert_int_equal(status.taken_s, NOW + SIM_DAY);
    atls_store_reduce_needs(s, &needs, NOW + 8 * SIM_DAY);
    assert_int_equal(needs.n, 0);
    needs.n = 1;
    atls_store_reduce_needs(s, &needs, NOW + 8 * SIM_DAY + 1);
    assert_int_equal(needs.n, 1);
    made_free(&jwks);
    atls_store_free(s);
}

/* What is held already can be renewed for ever; what is new and of no platform cannot be put anywhere. */
static void a_full_store_renews_what_it_has(void **state)
{
    const vendor *v = *state;
    atls_store *s = store_open(v, NULL);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    made next = vendor_tcb(v, 1, NOW + SIM_DAY, 18);
    made other = vendor_tcb(v, 2, NOW, 17);
    s->items_max = 1;
    assert_taken(s, &tcb, NOW);
    assert_not_taken(store_take(s, &other, NOW, err), ATLS_E_SYSTEM, "store.full");
    assert_taken(s, &next, NOW + SIM_DAY);
    assert_true(holds(s, &next));
    assert_int_equal(count_of(s), 1);
    made_free(&tcb);
    made_free(&next);
    made_free(&other);
    atls_store_free(s);
}

/* Where a simulator is trusted beside the vendor, its numbers do not keep the vendor's items out. */
static void a_simulators_is_older_than_any_vendors(void **state)
{
    (void)state;
    const atls_item_facts sim = {.simulated = true, .number = 900, .issued_s = NOW};
    const atls_item_facts real = {.number = 1, .issued_s = NOW - SIM_DAY};
    assert_true(atls_store_is_older(&sim, &real));
    assert_false(atls_store_is_older(&real, &sim));
    assert_false(atls_store_is_older(&sim, &sim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_is_there),
        cmocka_unit_test(a_held_item_outlives_its_replacement),
        cmocka_unit_test(items_stand_in_the_order_of_their_keys),
        cmocka_unit_test(the_same_again_changes_nothing),
        cmocka_unit_test(going_back_is_refused),
        cmocka_unit_test(what_does_not_hold_is_refused),
        cmocka_unit_test(another_vendors_is_refused),
        cmocka_unit_test(what_strangers_staple_bars_nothing),
        cmocka_unit_test(silence_of_origins_is_told),
        cmocka_unit_test(needs_are_reduced_to_what_is_missing),
        cmocka_unit_test(a_jwk_set_ends_unless_it_is_renewed),
        cmocka_unit_test(a_full_store_renews_what_it_has),
        cmocka_unit_test(a_simulators_is_older_than_any_vendors),
    };
    return cmocka_run_group_tests(tests, open_vendor, close_vendor);
}
