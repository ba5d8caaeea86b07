/* A peer that is met for the first time: what its verification lacks is got in a job, and its evidence judged again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/store.h>

#include "e2e/rig.h"

/* Where collateral comes from here: the simulator's own, when asked. */
typedef struct origin {
    atls_store *store;
    unsigned asked;
    bool away;
    char key[ATLS_ITEM_KEY_LEN]; /* the first that was asked for last */
} origin;

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void fill(atls_store *store)
{
    atls_err err = {0};
    char *json = NULL;
    size_t taken = 0;
    assert_int_equal(atls_sim_collateral(rig_sim(), "tdx", &json, &err), ATLS_OK);
    assert_int_equal(
        atls_store_take_json(store, text_buf(json), "origin", RIG_WHEN_S, &taken, &err), ATLS_OK);
    assert_true(taken > 0);
    atls_free(json);
}

static atls_code get(void *arg, const atls_needs *needs, uint32_t timeout_ms, atls_err *err)
{
    origin *o = arg;
    assert_true(needs->n > 0);
    assert_in_range(timeout_ms, 1, 10000);
    memcpy(o->key, needs->keys[0], sizeof o->key);
    o->asked++;
    if (o->away) {
        *err = (atls_err){.code = ATLS_E_COLLATERAL, .check = "fetch.unreachable"};
        return ATLS_E_COLLATERAL;
    }
    fill(o->store);
    return ATLS_OK;
}

static atls_store *new_store(void)
{
    atls_err err = {0};
    atls_store *store = NULL;
    char *root = NULL;
    assert_int_equal(atls_store_open(NULL, &store, &err), ATLS_OK);
    assert_int_equal(atls_sim_root(rig_sim(), &root, &err), ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(store, text_buf(root), &err), ATLS_OK);
    atls_free(root);
    return store;
}

static void attach(atls_verifier *v, void *arg)
{
    const origin *o = arg;
    atls_err err = {0};
    assert_int_equal(atls_verifier_set0_store(v, o->store, true, &err), ATLS_OK);
}

static void use_store(atls_config *c, atls_role role, void *arg)
{
    origin *o = arg;
    (void)role;
    atls_config_set0_store(c, o->store, get, o);
}

/* The dialects that carry evidence of TDX, each with what the simulator needs for it. */
static const char *const dialects[] = {NULL,        "ra-tls",        "ra-tls-cmw",
                                       "flashbots", "constellation", "seat-early"};

static rig_options options_for(const char *binding, origin *o)
{
    return (rig_options){
        .client_asks = true,
        .server_shows = true,
        .no_collateral = true,
        .bindings = binding,
        .client_trust = attach,
        .client_trust_arg = o,
        .configure = use_store,
        .configure_arg = o,
    };
}

static void got_once_and_then_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        origin o = {.store = new_store()};
        rig_options with = options_for(dialects[i], &o);
        for (int turn = 0; turn < 2; turn++) {
            rig r;
            rig_new(&r, &with);
            rig_open(&r);
            assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
            assert_int_equal(o.asked, 1);
            rig_send(&r.client, &r.server, (const uint8_t *)"secret", 6);
            rig_free(&r);
        }
        atls_store_free(o.store);
    }
}

/* Nobody can give it: the verdict says what was missing, and no byte of data flows. */
static void not_to_be_had(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        origin o = {.store = new_store(), .away = true};
        rig_options with = options_for(dialects[i], &o);
        rig r;
        rig_new(&r, &with);
        rig_handshake(&r);
        assert_int_equal(o.asked, 1);
        assert_int_equal(r.client.rc, ATLS_E_COLLATERAL);
        assert_memory_equal(o.key, "intel/", 6);
        const atls_verdict *v = atls_session_get0_verdict(r.client.session);
        assert_non_null(v);
        assert_false(atls_verdict_accepted(v));
        assert_int_equal(atls_verdict_code(v), ATLS_E_COLLATERAL);
        rig_free(&r);
        atls_store_free(o.store);
    }
}

/* Both sides at once: each has a quote to make and collateral to get. */
static void mutual(void **state)
{
    (void)state;
    origin o = {.store = new_store()};
    rig_options with = options_for(NULL, &o);
    with.client_shows = with.server_asks = true;
    with.server_trust = attach;
    with.server_trust_arg = &o;
    rig r;
    rig_new(&r, &with);
    rig_open(&r);
    assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
    assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.server.session)));
    rig_send(&r.server, &r.client, (const uint8_t *)"secret", 6);
    rig_free(&r);
    atls_store_free(o.store);
}

/* The job is nobody's until it is run: meanwhile the session waits, and its deadline holds. */
static void waits_for_the_job(void **state)
{
    (void)state;
    origin o = {.store = new_store()};
    rig_options with = options_for(NULL, &o);
    rig r;
    rig_new(&r, &with);
    r.client.hold_jobs = true;
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_WANT_JOB);
    assert_int_equal(o.asked, 0);
    atls_job *job = atls_session_get0_job(r.client.session);
    assert_non_null(job);
    atls_job_run(job);
    atls_job_run(job); /* once */
    assert_int_equal(o.asked, 1);
    rig_open(&r);
    rig_free(&r);

    origin late = {.store = new_store()};
    with = options_for(NULL, &late);
    rig_new(&r, &with);
    r.client.hold_jobs = true;
    rig_handshake(&r);
    rig_clock(&r, 10001);
    assert_int_equal(rig_step(&r.client), ATLS_E_SYSTEM);
    rig_assert_failed(&r.client, ATLS_E_SYSTEM, "session.deadline");
    rig_free(&r);
    atls_store_free(late.store);
    atls_store_free(o.store);
}

/* A CCEL as firmware leaves it: unused room behind the events, which is all ones. */
static atls_code with_room(void *self, const atls_report_data *data, atls_evidence_blob *out,
                           atls_err *err)
{
    const atls_attester *inner = self;
    atls_code rc = inner->attest(inner->self, data, out, err);
    for (size_t i = 0; rc == ATLS_OK && i < out->parts_n; i++) {
        if (strcmp(out->parts[i].name, "event_log") == 0) {
            uint8_t *roomy = malloc(100000);
            assert_non_null(roomy);
            memset(roomy, 0xff, 100000);
            memcpy(roomy, out->parts[i].bytes, out->parts[i].len);
            free(out->parts[i].bytes);
            out->parts[i].bytes = roomy;
            out->parts[i].len = 100000;
        }
    }
    return rc;
}

/* A log too long for the authenticator comes after it: both are held until there is collateral. */
static void with_an_attachment(void **state)
{
    (void)state;
    origin o = {.store = new_store()};
    const atls_sim_quote logged = {.event_log = "ccel"};
    rig_options with = options_for(NULL, &o);
    with.server_quote = &logged;
    rig r;
    rig_new(&r, &with);
    atls_attester roomy = {.name = "roomy", .self = r.server.attester, .attest = with_room};
    atls_config_set0_attester(r.server.config, &roomy);
    rig_open(&r);
    assert_int_equal(o.asked, 1);
    assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
    rig_free(&r);
    atls_store_free(o.store);
}

/* An attester that sends its own store's collateral with its evidence. */
typedef struct stapler {
    const atls_attester *inner;
    const atls_store *store;
    unsigned stapled;
} stapler;

static atls_code with_collateral(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                 atls_err *err)
{
    stapler *s = self;
    const atls_code rc = s->inner->attest(s->inner->self, data, out, err);
    s->stapled += rc == ATLS_OK && atls_store_staple(s->store, RIG_WHEN_S, out) ? 1 : 0;
    return rc;
}

static void use_store_alone(atls_config *c, atls_role role, void *arg)
{
    const origin *o = arg;
    (void)role;
    atls_config_set0_store(c, o->store, NULL, NULL);
}

/* A client without any origin: what the first peer staples is kept, and serves for the next one, who staples nothing. */
static void stapled_and_then_held(void **state)
{
    (void)state;
    origin client = {.store = new_store()};
    atls_store *servers = new_store();
    atls_item_status status;
    rig r;
    rig_options with = options_for(NULL, &client);
    with.configure = use_store_alone;
    rig_new(&r, &with);
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_E_COLLATERAL); /* nothing stapled, nothing held */
    rig_free(&r);

    fill(servers);
    rig_new(&r, &with);
    stapler s = {.inner = r.server.attester, .store = servers};
    const atls_attester stapling = {.name = "stapling", .self = &s, .attest = with_collateral};
    atls_config_set0_attester(r.server.config, &stapling);
    rig_open(&r);
    assert_int_equal(s.stapled, 1);
    assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
    rig_free(&r);
    for (size_t i = 0; i < 4; i++) {
        assert_true(atls_store_at(client.store, i, &status));
        assert_int_equal(status.source, ATLS_ITEM_STAPLED);
    }

    rig_new(&r, &with);
    rig_open(&r);
    assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.client.session)));
    rig_send(&r.server, &r.client, (const uint8_t *)"secret", 6);
    rig_free(&r);
    assert_int_equal(client.asked, 0);
    atls_store_free(servers);
    atls_store_free(client.store);
}

/* A refusal for another reason is no reason to ask anybody for anything. */
static void nothing_is_got_for_what_is_refused_anyway(void **state)
{
    (void)state;
    origin o = {.store = new_store()};
    fill(o.store);
    const atls_sim_quote debug = {.debug = true};
    rig_options with = options_for(NULL, &o);
    with.server_quote = &debug;
    rig r;
    rig_new(&r, &with);
    rig_handshake(&r);
    assert_int_equal(r.client.rc, ATLS_E_POLICY);
    assert_int_equal(o.asked, 0);
    rig_free(&r);
    atls_store_free(o.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(got_once_and_then_held),
        cmocka_unit_test(not_to_be_had),
        cmocka_unit_test(mutual),
        cmocka_unit_test(waits_for_the_job),
        cmocka_unit_test(with_an_attachment),
        cmocka_unit_test(stapled_and_then_held),
        cmocka_unit_test(nothing_is_got_for_what_is_refused_anyway),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_sim_free();
    return failed;
}
