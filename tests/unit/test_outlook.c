/* TCB recovery, seen before it is enforced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <atls/outlook.h>
#include <atls/sim.h>

#define NOW_S 1790000000 /* 2026-09-21 */

typedef struct scene {
    atls_sim *sim;
    atls_store *store;
    uint8_t *quote;
    size_t quote_len;
    char fmspc[13];
} scene;

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_store *new_store(const atls_sim *sim)
{
    atls_store *store = NULL;
    char *root = NULL;
    assert_int_equal(atls_store_open(NULL, &store, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(store, text_buf(root), NULL), ATLS_OK);
    atls_free(root);
    return store;
}

static void take_all(atls_store *store, const atls_sim *sim, const char *tee)
{
    atls_err err = {0};
    char *json = NULL;
    size_t taken = 0;
    assert_int_equal(atls_sim_collateral(sim, tee, &json, NULL), ATLS_OK);
    if (atls_store_take_json(store, text_buf(json), "vendor", NOW_S, &taken, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_free(json);
}

/* What the vendor gives out now, as its early set. */
static void take_early(atls_store *store, const atls_sim *sim, const char *tee)
{
    atls_store *other = new_store(sim);
    atls_item_status status;
    take_all(other, sim, tee);
    for (size_t i = 0; atls_store_at(other, i, &status); i++) {
        atls_held *held = NULL;
        atls_item item;
        atls_err err = {0};
        char key[ATLS_ITEM_KEY_LEN + 8];
        if (strncmp(status.key, "intel/tcb/", 10) != 0 &&
            strncmp(status.key, "intel/qe/", 9) != 0) {
            continue;
        }
        assert_true(atls_store_get(other, status.key, &held));
        atls_held_item(held, &item);
        (void)snprintf(key, sizeof key, "%s/early", item.key);
        item.key = key;
        if (atls_store_take(store, &item, ATLS_ITEM_FETCHED, "vendor", NOW_S, &err) != ATLS_OK) {
            fail_msg("%s: %s", err.check, err.msg);
        }
        atls_held_free(held);
    }
    atls_store_free(other);
}

static void open_scene(scene *s, const char *tee, const char *change)
{
    const atls_sim_quote quote = {.type = tee};
    atls_item_status status;
    memset(s, 0, sizeof *s);
    assert_int_equal(atls_sim_new(NOW_S, NULL, &s->sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_make_quote(s->sim, &quote, &s->quote, &s->quote_len, NULL), ATLS_OK);
    s->store = new_store(s->sim);
    take_all(s->store, s->sim, tee);
    for (size_t i = 0; atls_store_at(s->store, i, &status); i++) {
        if (strncmp(status.key, "intel/tcb/", 10) == 0) {
            memcpy(s->fmspc, status.key + 14, 13);
        }
    }
    assert_int_equal(atls_sim_reissue(s->sim, NOW_S + 60, 40, change, NULL), ATLS_OK);
}

static void close_scene(scene *s)
{
    atls_free(s->quote);
    atls_store_free(s->store);
    atls_sim_free(s->sim);
}

static atls_evidence evidence_of(const scene *s)
{
    return (atls_evidence){.parts_n = 1, .parts[0] = {"quote", {s->quote, s->quote_len}}};
}

static void a_recovery_is_seen_before_it_comes(void **state)
{
    (void)state;
    static const char *const tees[] = {"tdx", "sgx"};
    for (size_t i = 0; i < 2; i++) {
        scene s;
        atls_outlook o;
        atls_err err = {0};
        open_scene(&s, tees[i], "recovery");
        take_early(s.store, s.sim, tees[i]);
        const atls_evidence quote = evidence_of(&s);
        if (atls_store_outlook(s.store, &quote, &o, &err) != ATLS_OK) {
            fail_msg("%s: %s", err.check, err.msg);
        }
        assert_string_equal(o.tee, tees[i]);
        assert_string_equal(o.fmspc, s.fmspc);
        assert_int_equal(strlen(o.platform), 32);
        assert_string_equal(o.now, "UpToDate");
        assert_string_equal(o.early, "OutOfDate");
        assert_true(o.will_fail);
        assert_int_equal(o.early_number, 40);
        assert_true(o.now_number < 40 && o.not_before_s > NOW_S);
        assert_true(o.shortfalls_n > 0);
        for (size_t k = 0; k < o.shortfalls_n; k++) {
            assert_true(o.shortfalls[k].is < o.shortfalls[k].needs);
            assert_true(o.shortfalls[k].component[0] != '\0' && o.shortfalls[k].remedy[0] != '\0');
        }
        /* Whoever has done all there is to do today will fall short, too. */
        atls_outlook kind;
        assert_int_equal(atls_store_outlook_fmspc(s.store, i == 0, s.fmspc, &kind, NULL), ATLS_OK);
        assert_true(kind.will_fail && kind.shortfalls_n > 0);
        assert_string_equal(kind.platform, "");
        close_scene(&s);
    }
}

static void without_a_change_all_stays(void **state)
{
    (void)state;
    scene s;
    atls_outlook o;
    open_scene(&s, "tdx", NULL);
    take_early(s.store, s.sim, "tdx");
    const atls_evidence quote = evidence_of(&s);
    assert_int_equal(atls_store_outlook(s.store, &quote, &o, NULL), ATLS_OK);
    assert_string_equal(o.now, "UpToDate");
    assert_string_equal(o.early, "UpToDate");
    assert_false(o.will_fail);
    assert_int_equal(o.shortfalls_n, 0);
    assert_string_equal(o.advisories, "");
    close_scene(&s);
}

static void what_is_not_there_is_named(void **state)
{
    (void)state;
    scene s;
    atls_outlook o;
    atls_err err = {0};
    open_scene(&s, "tdx", "recovery");
    const atls_evidence quote = evidence_of(&s);
    assert_int_equal(atls_store_outlook(s.store, &quote, &o, &err), ATLS_E_COLLATERAL);
    assert_string_equal(err.check, "outlook.missing");
    assert_non_null(strstr(err.msg, "/early"));
    assert_int_equal(atls_store_outlook_fmspc(s.store, true, "000000000000", &o, &err),
                     ATLS_E_COLLATERAL);
    assert_string_equal(err.check, "outlook.missing");
    static const char *const bad[] = {"", "00", "zz0000000000", "00000000000000"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(atls_store_outlook_fmspc(s.store, true, bad[i], &o, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "outlook.fmspc");
    }
    /* Every truncation: a quote that is none, or one whose certificates are cut. */
    for (size_t len = 0; len < s.quote_len; len += 7) {
        const atls_evidence cut = {.parts_n = 1, .parts[0] = {"quote", {s.quote, len}}};
        assert_int_equal(atls_store_outlook(s.store, &cut, &o, &err), ATLS_E_INVALID);
    }
    const atls_evidence none = {.parts_n = 0};
    assert_int_equal(atls_store_outlook(s.store, &none, &o, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "outlook.evidence");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recovery_is_seen_before_it_comes),
        cmocka_unit_test(without_a_change_all_stays),
        cmocka_unit_test(what_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
