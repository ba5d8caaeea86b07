/* Shelves: what is found on them, what successive ones share, and what is left out. */
#include "unit/shelf_rig.h"

static atls_shelf_intel_name name_of(const shelf_rig *r, const char *key)
{
    atls_item_name item;
    atls_shelf_intel_name name = {0};
    assert_int_equal(atls_item_name_parse(key, &item, NULL), ATLS_OK);
    name.is_tdx = item.is_tdx;
    memcpy(name.fmspc, item.fmspc, sizeof name.fmspc);
    memcpy(name.root_sha256, r->root_sha256, sizeof name.root_sha256);
    return name;
}

static void intel_is_put_together_and_shared(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_SGX, NOW);
    rig_take(r, SIM_TDX, NOW);
    const atls_shelf_intel_name tdx = name_of(r, rig_item_of(r, "intel/tcb/tdx")->key);
    const atls_shelf_intel_name sgx = name_of(r, rig_item_of(r, "intel/tcb/sgx")->key);
    atls_shelf *first = rig_shelf(r, NULL);
    atls_shelf_intel *of_tdx = atls_shelf_intel_find(first, &tdx);
    assert_non_null(of_tdx);
    const atls_collateral *c = atls_shelf_intel_collateral(of_tdx);
    assert_true(c->tcb_info.readable && c->tcb_info_signature.readable &&
                c->tcb_info_chain.readable);
    assert_true(c->qe_identity.readable && c->pck_crl.readable && c->root_crl.readable);
    assert_true(c->has_hint && c->hint_tdx && c->hint_number > 0);
    assert_false(c->pck_chain.present);

    /* The other CA's list is not there: that part is absent, and the rest is the same. */
    atls_shelf_intel_name processor = tdx;
    processor.is_processor = true;
    c = atls_shelf_intel_collateral(atls_shelf_intel_find(first, &processor));
    assert_true(!c->pck_crl.present && c->tcb_info.readable && c->root_crl.readable);

    /* Nothing changed: all is shared. One item changed: what rests on it is new, the rest is shared. */
    atls_shelf *same = rig_shelf(r, first);
    assert_ptr_equal(atls_shelf_intel_find(same, &tdx), of_tdx);
    rig_item *qe = rig_item_of(r, "intel/qe/sgx");
    qe->facts.number++;
    atls_shelf *next = rig_shelf(r, same);
    assert_ptr_equal(atls_shelf_intel_find(next, &tdx), of_tdx);
    assert_ptr_not_equal(atls_shelf_intel_find(next, &sgx), atls_shelf_intel_find(same, &sgx));

    /* A list changed: whatever rests on it is new. */
    rig_item_of(r, "intel/rootcrl")->facts.issued_s++;
    atls_shelf *last = rig_shelf(r, next);
    assert_ptr_not_equal(atls_shelf_intel_find(last, &tdx), of_tdx);
    atls_shelf_free(first);
    atls_shelf_free(same);
    atls_shelf_free(next);
    assert_non_null(atls_shelf_intel_find(last, &tdx));
    atls_shelf_free(last);
    rig_close(r);
}

static void nothing_of_another_root_is_mixed_in(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    rig_item_of(r, "intel/rootcrl")->facts.root_sha256[0] ^= 1;
    atls_shelf_intel_name name = name_of(r, rig_item_of(r, "intel/tcb/tdx")->key);
    atls_shelf *shelf = rig_shelf(r, NULL);
    const atls_collateral *c = atls_shelf_intel_collateral(atls_shelf_intel_find(shelf, &name));
    assert_true(c->pck_crl.present && !c->root_crl.present);
    name.root_sha256[0] ^= 1;
    assert_null(atls_shelf_intel_find(shelf, &name));
    atls_shelf_free(shelf);
    rig_close(r);
}

static void what_is_not_for_verification_is_left_out(void **state)
{
    (void)state;
    static const char *const keys[] = {"intel/tcb/tdx/53494d000000/early",
                                       "intel/tcb/tdx/53494d000000/17",
                                       "intel/qe/tdx/early",
                                       "no key",
                                       "amd/crl/vcek/Milan",
                                       "amd/chain/vcek/Milan",
                                       "jwks/https%3a%2f%2fexample.org"};
    const atls_item_facts facts = {.expires_s = INT64_MAX};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const atls_item item = {keys[i], {NULL, 0}, text_buf("{}")};
        const atls_shelf_item handed = {&item, &facts, 0};
        atls_shelf *shelf = NULL;
        assert_int_equal(atls_shelf_make(&handed, 1, NULL, NULL, &shelf, NULL), ATLS_OK);
        assert_null(atls_shelf_find(shelf, keys[i], NULL, NULL));
        for (unsigned kind = 0; kind < ATLS_ITEM_KINDS; kind++) {
            assert_null(atls_shelf_at(shelf, (atls_item_kind)kind, 0, NULL));
        }
        atls_shelf_free(shelf);
    }
}

#define VCEKS 10000

/* Each of ten thousand is found, in whatever order they came, and no other is. */
static void many_vceks(void **state)
{
    (void)state;
    static char keys[VCEKS][ATLS_ITEM_KEY_LEN];
    static atls_item items[VCEKS];
    static atls_shelf_item handed[VCEKS];
    static uint8_t bodies[VCEKS][2];
    const atls_item_facts facts = {.expires_s = INT64_MAX};
    for (size_t i = 0; i < VCEKS; i++) {
        const size_t at = i * 7919 % VCEKS;
        atls_item_name name = {.kind = ATLS_ITEM_VCEK, .product = ATLS_AMD_MILAN, .hwid_len = 64};
        name.hwid[0] = bodies[i][0] = (uint8_t)(at / 256);
        name.hwid[63] = bodies[i][1] = (uint8_t)(at % 256);
        atls_item_name_format(&name, keys[i]);
        items[i] = (atls_item){keys[i], {NULL, 0}, {bodies[i], 2}};
        handed[i] = (atls_shelf_item){&items[i], &facts, (int64_t)i};
    }
    atls_shelf *shelf = NULL;
    atls_shelf *next = NULL;
    assert_int_equal(atls_shelf_make(handed, VCEKS, NULL, NULL, &shelf, NULL), ATLS_OK);
    assert_int_equal(atls_shelf_make(handed, VCEKS, NULL, shelf, &next, NULL), ATLS_OK);
    for (size_t i = 0; i < VCEKS; i++) {
        int64_t since_s = -1;
        const atls_shelf_held *found = atls_shelf_find(shelf, keys[i], NULL, &since_s);
        assert_non_null(found);
        assert_memory_equal(found->body.ptr, bodies[i], 2);
        assert_int_equal(since_s, (int64_t)i);
        assert_ptr_equal(atls_shelf_find(next, keys[i], NULL, NULL), found);
    }
    keys[0][sizeof "amd/vcek/Milan/" + 20] = 'f';
    assert_null(atls_shelf_find(shelf, keys[0], NULL, NULL));
    assert_null(atls_shelf_at(shelf, ATLS_ITEM_VCEK, VCEKS, NULL));
    atls_shelf_free(shelf);
    atls_shelf_free(next);
}

static void a_shelf_lives_as_long_as_it_is_looked_at(void **state)
{
    (void)state;
    shelf_rig *r = rig_open(true);
    atls_shelf *empty = atls_shelf_place_get(r->place);
    rig_take(r, SIM_TDX, NOW);
    const atls_shelf_intel_name name = name_of(r, rig_item_of(r, "intel/tcb/tdx")->key);
    rig_publish(r);
    atls_shelf *full = atls_shelf_place_get(r->place);
    assert_null(atls_shelf_intel_find(empty, &name));
    rig_drop_items(r);
    rig_publish(r);
    assert_non_null(atls_shelf_intel_find(full, &name));
    atls_shelf_free(empty);
    atls_shelf_free(full);
    rig_close(r);
}

static void since_is_of_each_part(void **state)
{
    (void)state;
    static const char *const keys[] = {"intel/tcb", "intel/qe", "intel/pckcrl", "intel/rootcrl"};
    shelf_rig *r = rig_open(true);
    rig_take(r, SIM_TDX, NOW);
    for (size_t i = 0; i < 4; i++) {
        rig_item_of(r, keys[i])->since_s = (int64_t)i + 1;
    }
    const atls_shelf_intel_name name = name_of(r, rig_item_of(r, "intel/tcb/tdx")->key);
    atls_shelf *shelf = rig_shelf(r, NULL);
    atls_intel_since since = {0};
    atls_shelf_intel_since(shelf, &name, &since);
    assert_int_equal(since.tcb_info_s, 1);
    assert_int_equal(since.qe_identity_s, 2);
    assert_int_equal(since.pck_crl_s, 3);
    assert_int_equal(since.root_crl_s, 4);
    atls_shelf_free(shelf);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intel_is_put_together_and_shared),
        cmocka_unit_test(nothing_of_another_root_is_mixed_in),
        cmocka_unit_test(what_is_not_for_verification_is_left_out),
        cmocka_unit_test(many_vceks),
        cmocka_unit_test(a_shelf_lives_as_long_as_it_is_looked_at),
        cmocka_unit_test(since_is_of_each_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
