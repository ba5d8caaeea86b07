/* The rules of fetching, against a made-up store and origins, as fast as they can be counted. */
#include "unit/keeper_double.h"

#define TCB   "intel/tcb/tdx/00a067110000"
#define CRL   "intel/rootcrl"
#define VCEK  "amd/vcek/Milan/00/0102"
#define CHAIN "amd/chain/vcek/Milan"
#define DAY   86400
#define NOW_S 1000000000
#define GOOD  "1000000000 1002592000" /* for 30 days */

typedef struct rig {
    atls_origin origins[4];
    size_t n;
    atls_keeper *k;
    uint64_t ms;
    int64_t s;
    atls_keeper_action a;
    uint64_t wake;
    uint64_t ticket;
    atls_err err;
} rig;

static void open_with(rig *r, const atls_keeper_settings *more)
{
    double_clear();
    the_double.chance = UINT32_MAX; /* the longest waits */
    atls_keeper_settings s = *more;
    static atls_origin origins[4]; /* a rig is returned by value */
    memcpy(origins, r->origins, sizeof origins);
    s.origins = origins;
    s.origins_n = r->n;
    s.total_ms = s.total_ms != 0 ? s.total_ms : 30000;
    s.refresh_percent = 25;
    s.random = double_random;
    s.log = double_log;
    r->k = atls_keeper_new(NULL, &s);
    assert_non_null(r->k);
    r->ms = 1000;
    r->s = NOW_S;
}

static rig open_two(void)
{
    rig r = {.n = 2,
             .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0),
                         double_origin("second", ATLS_ORIGIN_PCCS, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    return r;
}

static rig open_kds(void)
{
    rig r = {.n = 1, .origins = {double_origin("kds", ATLS_ORIGIN_AMD, 10000)}};
    open_with(&r, &(atls_keeper_settings){0});
    return r;
}

static void shut(rig *r)
{
    atls_keeper_free(r->k);
    double_clear();
}

static void want(rig *r, const char *key, bool force)
{
    assert_int_equal(atls_keeper_want(r->k, key, force, r->ms, r->s, &r->ticket, &r->err), ATLS_OK);
}

static bool next(rig *r)
{
    return atls_keeper_next(r->k, r->ms, r->s, &r->a, &r->wake);
}

/* The next thing to do is to ask this origin. */
static uint64_t asked(rig *r, const char *origin)
{
    assert_true(next(r));
    assert_int_equal(r->a.step, ATLS_STEP_ORIGIN);
    assert_string_equal(r->a.origin->name, origin);
    return r->a.id;
}

static void answer(rig *r, uint64_t id, long status, const char *headers, const char *body)
{
    atls_http_response response = {.status = status,
                                   .headers = {(const uint8_t *)headers, strlen(headers)},
                                   .body = {(const uint8_t *)body, strlen(body)}};
    atls_keeper_done(r->k, id, &response, NULL, r->ms, r->s);
}

static void silence(rig *r, uint64_t id)
{
    atls_err why = {.code = ATLS_E_COLLATERAL, .check = "fetch.connect", .msg = "nobody there"};
    atls_keeper_done(r->k, id, NULL, &why, r->ms, r->s);
}

static void pass(rig *r, uint64_t ms)
{
    r->ms += ms;
    r->s = NOW_S + (int64_t)(r->ms / 1000);
}

static void failed_with(rig *r, const char *key, const char *check)
{
    assert_int_equal(atls_keeper_look(r->k, key, r->ticket, &r->err), ATLS_KEEPER_FAILED);
    assert_string_equal(r->err.check, check);
}

static void is_held(rig *r, const char *key)
{
    assert_int_equal(atls_keeper_look(r->k, key, r->ticket, &r->err), ATLS_KEEPER_HELD);
}

static void many_waiters_make_one_request(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    uint64_t first = r.ticket;
    uint64_t id = asked(&r, "first");
    for (int i = 0; i < 100; i++) {
        want(&r, TCB, i % 2 == 0);
        assert_int_equal(r.ticket, first);
        assert_false(next(&r));
    }
    assert_int_equal(atls_keeper_look(r.k, TCB, first, &r.err), ATLS_KEEPER_PENDING);
    answer(&r, id, 200, "", GOOD);
    is_held(&r, TCB);
    assert_false(next(&r));
    assert_int_equal(r.wake, UINT64_MAX);
    want(&r, TCB, false);
    assert_int_equal(r.ticket, 0);
    is_held(&r, TCB);
    assert_false(next(&r));
    assert_int_equal(logged("\"event\":\"fetched\""), 1);
    want(&r, TCB, true); /* whatever the store has */
    answer(&r, asked(&r, "first"), 200, "", GOOD);
    is_held(&r, TCB);
    assert_int_equal(logged("\"event\":\"renewed\""), 1);
    assert_int_equal(logged("\"unchanged\":true"), 1);
    shut(&r);
}

static void an_answer_that_nobody_waits_for_changes_nothing(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    uint64_t id = asked(&r, "first");
    answer(&r, id, 200, "", GOOD);
    answer(&r, id, 200, "", "1000000001 1002592000");
    answer(&r, id + 7, 200, "", GOOD);
    assert_int_equal(the_double.taken, 1);
    shut(&r);
}

/* A sentence with what an origin sent in it, or cut within a character. */
static void a_line_of_the_log_tells_hostile_text(void **state)
{
    (void)state;
    rig r = open_two();
    const atls_err why = {
        .code = ATLS_E_COLLATERAL, .check = "fetch.connect", .msg = "\xff\"\xc3 came"};
    want(&r, TCB, false);
    atls_keeper_done(r.k, asked(&r, "first"), NULL, &why, r.ms, r.s);
    assert_int_equal(logged("\"message\":\"?\\\"? came\""), 1);
    shut(&r);
}

static void the_next_origin_is_asked_at_once(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *body;
    } troubles[] = {{500, ""},       {404, ""},    {429, ""}, {418, ""},
                    {200, "forged"}, {200, "5 6"}, {0, ""}};
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        rig r = open_two();
        want(&r, TCB, false);
        uint64_t id = asked(&r, "first");
        if (troubles[i].status == 0) {
            silence(&r, id);
        } else {
            answer(&r, id, troubles[i].status, "", troubles[i].body);
        }
        answer(&r, asked(&r, "second"), 200, "", GOOD);
        is_held(&r, TCB);
        assert_int_equal(the_double.unreachable_n, 0);
        shut(&r);
    }
}

static void a_rolled_back_item_sends_to_the_next_origin(void **state)
{
    (void)state;
    rig r = open_two();
    double_put(TCB, NOW_S - 50, NOW_S - 10); /* its time is over */
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 200, "", "999999000 1002592000");
    assert_int_equal(logged("collateral.rollback"), 1);
    assert_int_equal(logged("\"event\":\"refused\""), 1);
    answer(&r, asked(&r, "second"), 200, "", GOOD);
    is_held(&r, TCB);
    assert_int_equal(logged("\"event\":\"expired\""), 1);
    shut(&r);
}

static void what_was_refused_is_not_asked_for_again_in_the_same_job(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 404, "", "");
    answer(&r, asked(&r, "second"), 200, "", "forged");
    assert_false(next(&r));
    failed_with(&r, TCB, "tcb_info.signature"); /* more telling than absence */
    assert_int_equal(r.err.code, ATLS_E_INVALID);
    assert_int_equal(the_double.unreachable_n, 0);
    want(&r, TCB, false); /* remembered for some seconds */
    assert_false(next(&r));
    pass(&r, 5000);
    want(&r, TCB, false);
    (void)asked(&r, "first");
    shut(&r);
}

static void absence_is_remembered(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 404, "", "");
    answer(&r, asked(&r, "second"), 404, "", "");
    assert_false(next(&r));
    failed_with(&r, TCB, "fetch.absent");
    pass(&r, 299999);
    want(&r, TCB, false);
    assert_false(next(&r));
    failed_with(&r, TCB, "fetch.absent");
    pass(&r, 1);
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 404, "", "");
    answer(&r, asked(&r, "second"), 404, "", "");
    assert_false(next(&r));
    want(&r, TCB, true); /* asks anew nevertheless */
    answer(&r, asked(&r, "first"), 200, "", GOOD);
    is_held(&r, TCB);
    shut(&r);
}

static void retries_wait_longer_each_time_and_end_with_the_total_time(void **state)
{
    (void)state;
    static const uint64_t longest[] = {500, 1000, 2000, 4000, 8000, 8000};
    for (uint32_t chance = 0; chance < 2; chance++) {
        rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
        open_with(&r, &(atls_keeper_settings){0});
        the_double.chance = chance == 0 ? 0 : UINT32_MAX;
        want(&r, TCB, false);
        uint64_t waited = 0;
        for (size_t i = 0;; i++) {
            uint64_t id = asked(&r, "first");
            assert_int_equal(r.a.timeout_ms, 30000 - waited);
            silence(&r, id);
            assert_false(next(&r));
            if (r.wake == UINT64_MAX) {
                break;
            }
            uint64_t most = longest[i < 5 ? i : 5];
            assert_int_equal(r.wake - r.ms, chance == 0 ? most / 2 : most);
            waited += r.wake - r.ms;
            assert_true(waited < 30000);
            pass(&r, r.wake - r.ms);
        }
        assert_true(waited > 20000);
        failed_with(&r, TCB, "fetch.connect");
        assert_int_equal(the_double.unreachable_n, 1);
        assert_int_equal(logged("\"event\":\"unreachable\""), 1);
        assert_int_equal(logged("\"event\":\"failed\""), 1);
        assert_true(logged("\"event\":\"retry\"") >= 5);
        pass(&r, 5000);
        want(&r, TCB, false);
        answer(&r, asked(&r, "first"), 200, "", GOOD);
        is_held(&r, TCB);
        assert_int_equal(logged("\"event\":\"recovered\""), 1);
        shut(&r);
    }
}

static void an_item_waits_no_longer_than_its_total_time(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    uint64_t id = asked(&r, "first");
    pass(&r, 30000);
    assert_false(next(&r));
    silence(&r, id);
    assert_false(next(&r)); /* the second is not asked any more */
    failed_with(&r, TCB, "fetch.connect");
    shut(&r);
}

static void one_that_failed_is_asked_after_the_others(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    silence(&r, asked(&r, "first"));
    answer(&r, asked(&r, "second"), 200, "", GOOD);
    want(&r, CRL, false);
    answer(&r, asked(&r, "second"), 500, "", "");
    silence(&r, asked(&r, "first")); /* both failed a moment ago: better than nobody */
    pass(&r, 10000);
    want(&r, "intel/qe/tdx", false);
    (void)next(&r);
    assert_string_equal(r.a.origin->name, "first");
    shut(&r);
}

static void an_origin_is_left_in_peace_as_long_as_it_asked(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 429, "12", "");
    assert_int_equal(logged("\"event\":\"throttled\""), 1);
    want(&r, CRL, false);
    assert_false(next(&r));
    pass(&r, 11999);
    assert_false(next(&r));
    assert_int_equal(r.wake, r.ms + 1);
    pass(&r, 1);
    answer(&r, asked(&r, "first"), 200, "", GOOD);
    answer(&r, asked(&r, "first"), 503, "3600", "");
    assert_false(next(&r)); /* so long nobody waits */
    failed_with(&r, CRL, "fetch.status");
    want(&r, "intel/qe/tdx", false);
    assert_false(next(&r));
    failed_with(&r, "intel/qe/tdx", "fetch.throttled");
    assert_non_null(strstr(r.err.msg, "3600 s"));
    shut(&r);
}

static void others_of_its_kind_are_asked_while_one_wants_peace(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 429, "3600", "");
    answer(&r, asked(&r, "second"), 500, "", "");
    assert_false(next(&r));
    pass(&r, r.wake - r.ms);
    answer(&r, asked(&r, "second"), 200, "", GOOD); /* again, not the first one */
    is_held(&r, TCB);
    shut(&r);
}

static void kds_is_asked_once_in_ten_seconds_in_order(void **state)
{
    (void)state;
    rig r = open_kds();
    const char *keys[] = {"amd/vcek/Milan/00/01", "amd/vcek/Milan/00/02", "amd/vcek/Milan/00/03",
                          "amd/vcek/Milan/00/04"};
    for (size_t i = 0; i < 4; i++) {
        want(&r, keys[i], false);
    }
    for (size_t i = 0; i < 3; i++) {
        uint64_t id = asked(&r, "kds");
        assert_string_equal(r.a.key, keys[i]);
        answer(&r, id, 200, "", "1000000000 2000000000");
        assert_false(next(&r));
        if (i < 2) {
            assert_int_equal(r.wake, r.ms + 10000);
            pass(&r, 9999);
            assert_false(next(&r));
            pass(&r, 1);
        }
    }
    assert_false(next(&r)); /* the fourth is not due before its time is over */
    failed_with(&r, keys[3], "fetch.throttled");
    assert_int_equal(the_double.unreachable_n, 0); /* that is no outage */
    pass(&r, 10000);
    want(&r, keys[3], false);
    answer(&r, asked(&r, "kds"), 200, "", "1000000000 2000000000");
    is_held(&r, keys[3]);
    shut(&r);
}

static void want_for(rig *r, uint32_t client, const char *key)
{
    assert_int_equal(atls_keeper_want_for(r->k, client, key, r->ms, r->s, &r->ticket, &r->err),
                     ATLS_OK);
}

/* One stranger asks for all that it may; the others have their turns all the same, and what all need comes first. */
static void nobody_keeps_the_others_from_kds(void **state)
{
    (void)state;
    static const char *const turns[] = {"amd/vcek/Milan/00/01", "amd/crl/vcek/Milan",
                                        "amd/vcek/Milan/77/01"};
    rig r = open_kds();
    char key[64];
    for (unsigned i = 1; i <= ATLS_KEEPER_CLIENT_JOBS; i++) {
        (void)snprintf(key, sizeof key, "amd/vcek/Milan/00/%02x", i);
        want_for(&r, 7, key);
    }
    assert_int_equal(
        atls_keeper_want_for(r.k, 7, "amd/vcek/Milan/00/99", r.ms, r.s, &r.ticket, &r.err),
        ATLS_E_COLLATERAL);
    assert_string_equal(r.err.check, "fetch.busy");
    answer(&r, asked(&r, "kds"), 404, "", "");
    assert_string_equal(r.a.key, turns[0]);
    assert_false(next(&r));
    want_for(&r, 9, turns[2]);
    want_for(&r, 7, turns[1]);
    for (size_t i = 1; i < 3; i++) {
        pass(&r, 10000);
        answer(&r, asked(&r, "kds"), 200, "", "1000000000 2000000000");
        assert_string_equal(r.a.key, turns[i]);
        assert_false(next(&r));
    }
    is_held(&r, turns[1]);
    shut(&r);
}

static void a_vcek_brings_its_chain(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("mirror", ATLS_ORIGIN_AMD, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    want(&r, VCEK, false);
    answer(&r, asked(&r, "mirror"), 200, "", "orphan");
    uint64_t chain = asked(&r, "mirror"); /* nobody had asked for it */
    assert_string_equal(r.a.key, CHAIN);
    assert_false(next(&r));
    answer(&r, chain, 200, "", "1000000000 2000000000");
    pass(&r, 50);
    answer(&r, asked(&r, "mirror"), 200, "", "orphan");
    is_held(&r, VCEK);
    shut(&r);
}

static void a_vcek_waits_for_a_chain_that_is_wanted_too(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("mirror", ATLS_ORIGIN_AMD, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    want(&r, CHAIN, false);
    want(&r, VCEK, false);
    uint64_t chain = asked(&r, "mirror");
    assert_string_equal(r.a.key, CHAIN);
    assert_false(next(&r));
    answer(&r, chain, 404, "", ""); /* then without it: AMD's own are known */
    assert_false(next(&r));
    pass(&r, 50);
    answer(&r, asked(&r, "mirror"), 200, "", "orphan");
    assert_false(next(&r));
    failed_with(&r, VCEK, "snp.ca.missing");
    shut(&r);
}

static void no_more_than_eight_requests_to_an_origin_at_once(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    char key[64];
    uint64_t id = 0;
    for (int i = 0; i < 12; i++) {
        (void)snprintf(key, sizeof key, "intel/tcb/tdx/%012x", i);
        want(&r, key, false);
    }
    for (int i = 0; i < 8; i++) {
        id = asked(&r, "first");
    }
    assert_false(next(&r));
    answer(&r, id, 200, "", GOOD);
    (void)asked(&r, "first");
    assert_false(next(&r));
    shut(&r);
}

static void without_an_origin_of_its_kind_it_is_told_at_once(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, CHAIN, false);
    assert_false(next(&r));
    failed_with(&r, CHAIN, "fetch.no_origin");
    assert_int_equal(the_double.unreachable_n, 0); /* a wrong configuration earns no grace */
    want(&r, "intel/unaskable", false);
    assert_false(next(&r));
    failed_with(&r, "intel/unaskable", "item.key");
    assert_int_equal(atls_keeper_want(r.k, "nonsense", false, r.ms, r.s, &r.ticket, &r.err),
                     ATLS_E_USAGE);
    assert_string_equal(r.err.check, "item.key");
    shut(&r);
}

static void there_is_a_limit_to_what_is_taken_on(void **state)
{
    (void)state;
    rig r = open_two();
    char key[64];
    atls_code rc = ATLS_OK;
    int i = 0;
    for (; rc == ATLS_OK; i++) {
        (void)snprintf(key, sizeof key, "intel/tcb/tdx/%012x", i);
        rc = atls_keeper_want(r.k, key, false, r.ms, r.s, &r.ticket, &r.err);
    }
    assert_int_equal(i, 2048 + 1);
    assert_int_equal(rc, ATLS_E_COLLATERAL);
    assert_string_equal(r.err.check, "fetch.busy");
    /* Hostile keys, wave after wave, are forgotten. */
    for (int wave = 0; wave < 20; wave++) {
        pass(&r, 70000);
        assert_false(next(&r));
        for (int n = 0; n < 2048; n++) {
            (void)snprintf(key, sizeof key, "intel/tcb/sgx/%012x", 5000 * wave + n);
            want(&r, key, false);
        }
    }
    shut(&r);
}

/* As many keys that nobody has as are remembered, within a second: another is taken on soon after. */
static void strangers_keys_do_not_keep_others_out(void **state)
{
    (void)state;
    rig r = open_kds();
    char key[64];
    for (unsigned i = 0; i < 16384; i++) {
        (void)snprintf(key, sizeof key, "intel/tcb/sgx/%012x", i);
        want(&r, key, false);
        if (i % 1024 == 1023) {
            pass(&r, 60);
            assert_false(next(&r));
        }
    }
    pass(&r, 3000);
    want(&r, VCEK, false);
    answer(&r, asked(&r, "kds"), 200, "", "1000000000 2000000000");
    is_held(&r, VCEK);
    shut(&r);
}

static void a_directory_that_cannot_be_written_keeps_nobody_waiting(void **state)
{
    (void)state;
    rig r = open_two();
    want(&r, TCB, false);
    answer(&r, asked(&r, "first"), 200, "", "full " GOOD);
    is_held(&r, TCB);
    assert_int_equal(logged("store.write"), 1);
    shut(&r);
}

/* --- renewal --- */

static int64_t first_renewal(rig *r)
{
    for (int i = 0; i < 100000; i++) {
        if (next(r)) {
            return r->s;
        }
        assert_true(r->wake > r->ms && r->wake != UINT64_MAX);
        pass(r, r->wake - r->ms);
    }
    return 0;
}

static void what_is_held_is_renewed_in_the_last_quarter_and_a_bit(void **state)
{
    (void)state;
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (int i = 0; i < 40; i++) {
        rig r = open_two();
        char key[64];
        (void)snprintf(key, sizeof key, "intel/tcb/tdx/%012x", i * 7919);
        double_put(key, NOW_S, NOW_S + 30 * DAY);
        atls_keeper_keep_fresh(r.k, true);
        int64_t at = first_renewal(&r) - NOW_S;
        least = at < least ? at : least;
        most = at > most ? at : most;
        want(&r, key, false); /* the old one serves meanwhile */
        assert_int_equal(r.ticket, 0);
        shut(&r);
    }
    assert_true(least >= 30 * DAY * 3 / 4 - 30 * DAY / 16 - 600);
    assert_true(most <= 30 * DAY * 3 / 4 + 600);
    assert_true(most - least > DAY / 2); /* not all hosts at once */
}

static void a_renewal_that_fails_is_tried_again_and_told_once(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    double_put(TCB, NOW_S, NOW_S + 30 * DAY);
    atls_keeper_keep_fresh(r.k, true);
    int64_t began = first_renewal(&r);
    unsigned requests = 1;
    while (r.s < began + DAY / 2) { /* an outage of half a day */
        silence(&r, r.a.id);
        (void)first_renewal(&r);
        requests++;
    }
    assert_in_range(requests, 12, 40);
    assert_int_equal(logged("\"event\":\"failed\""), 1);
    assert_int_equal(logged("\"event\":\"unreachable\""), 1);
    assert_true(the_double.items[0].unreachable_since_s >= began);
    char body[64];
    (void)snprintf(body, sizeof body, "%lld %lld", (long long)r.s, (long long)r.s + 30 * DAY);
    answer(&r, r.a.id, 200, "", body);
    assert_int_equal(logged("\"event\":\"renewed\""), 1);
    assert_int_equal(logged("\"event\":\"recovered\""), 1);
    assert_int_equal(the_double.items[0].unreachable_since_s, 0);
    int64_t taken = r.s;
    assert_true(first_renewal(&r) > taken + 20 * DAY);
    shut(&r);
}

static void an_origin_without_a_newer_one_is_not_asked_all_the_time(void **state)
{
    (void)state;
    rig r = open_two();
    double_put(TCB, NOW_S, NOW_S + 30 * DAY);
    atls_keeper_keep_fresh(r.k, true);
    unsigned requests = 0;
    while (first_renewal(&r) < NOW_S + 30 * DAY - 3600) {
        answer(&r, r.a.id, 200, "", GOOD);
        requests++;
    }
    assert_in_range(requests, 7, 60);
    shut(&r);
}

static void an_end_is_told_once(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    double_put(TCB, NOW_S - 40 * DAY, NOW_S - 10 * DAY);
    atls_keeper_keep_fresh(r.k, true);
    for (int i = 0; i < 10; i++) {
        (void)first_renewal(&r);
        answer(&r, r.a.id, 200, "", "999000000 999500000"); /* a cache that has stopped */
    }
    assert_int_equal(logged("\"event\":\"expired\""), 1);
    assert_int_equal(logged("\"event\":\"failed\""), 1);
    shut(&r);
}

static void a_vcek_never_changes_and_a_jwk_set_often_may(void **state)
{
    (void)state;
    rig r = {.n = 2,
             .origins = {double_origin("kds", ATLS_ORIGIN_AMD, 10000),
                         double_origin("issuer", ATLS_ORIGIN_JWKS, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    double_put(VCEK, NOW_S - 100 * DAY, NOW_S + DAY);
    atls_keeper_keep_fresh(r.k, true);
    for (int i = 0; i < 400; i++) {
        assert_false(next(&r));
        pass(&r, r.wake - r.ms);
    }
    double_put("jwks/https%3A%2F%2Fa", 0, INT64_MAX);
    the_double.items[1].taken_s = r.s;
    int64_t at = r.s;
    assert_in_range(first_renewal(&r) - at, 2000, 3600 + 600);
    assert_string_equal(r.a.key, "jwks/https%3A%2F%2Fa");
    shut(&r);
}

/* A stranger may have stapled what is published early, or a list from before a revocation: its origin is asked soon, not when that
 * ends. */
static void what_strangers_chose_is_renewed_at_once(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    double_put(TCB, NOW_S, NOW_S + 30 * DAY);
    the_double.items[0].source = ATLS_ITEM_STAPLED;
    atls_keeper_keep_fresh(r.k, true);
    assert_in_range(first_renewal(&r) - NOW_S, 0, 700);
    assert_string_equal(r.a.key, TCB);
    shut(&r);
}

static void what_was_wanted_is_asked_for_again_until_it_is_there(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    atls_keeper_keep_fresh(r.k, true);
    want(&r, TCB, false);
    for (int i = 0; i < 40; i++) {
        (void)first_renewal(&r);
        assert_string_equal(r.a.key, TCB);
        silence(&r, r.a.id);
    }
    assert_true(r.s > NOW_S + 3600);
    uint64_t ticket = r.ticket;
    want(&r, TCB, false); /* somebody waits again: now, not when the next try is due */
    assert_true(r.ticket >= ticket);
    pass(&r, 5000);
    want(&r, TCB, false);
    (void)first_renewal(&r);
    char body[64];
    (void)snprintf(body, sizeof body, "%lld %lld", (long long)r.s, (long long)r.s + 30 * DAY);
    answer(&r, r.a.id, 200, "", body);
    is_held(&r, TCB);
    shut(&r);
}

static void a_clock_that_goes_back_stops_no_renewal(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){0});
    double_put(TCB, NOW_S - 29 * DAY, NOW_S + DAY);
    atls_keeper_keep_fresh(r.k, true);
    int64_t far = r.s + 400 * DAY;
    assert_true(atls_keeper_next(r.k, r.ms, far, &r.a, &r.wake));
    atls_err why = {.code = ATLS_E_COLLATERAL, .check = "fetch.connect", .msg = "nobody there"};
    atls_keeper_done(r.k, r.a.id, NULL, &why, r.ms + 40000, far);
    pass(&r, 40000);
    assert_false(atls_keeper_next(r.k, r.ms, far, &r.a, &r.wake)); /* its time is over */
    assert_true(first_renewal(&r) < NOW_S + 3600);
    shut(&r);
}

/* --- the second level --- */

static rig open_fleet(void)
{
    rig r = {.n = 1, .origins = {double_origin("first", ATLS_ORIGIN_INTEL, 0)}};
    open_with(&r, &(atls_keeper_settings){.has_shared = true});
    return r;
}

static uint64_t shared_asked(rig *r)
{
    assert_true(next(r));
    assert_int_equal(r->a.step, ATLS_STEP_SHARED);
    return r->a.id;
}

static const atls_item shared_item = {.key = TCB, .body = {(const uint8_t *)GOOD, sizeof GOOD - 1}};

static void what_the_fleet_has_is_not_fetched(void **state)
{
    (void)state;
    rig r = open_fleet();
    want(&r, TCB, false);
    uint64_t id = shared_asked(&r);
    atls_keeper_done_shared(r.k, id, NULL, true, r.ms, r.s); /* another host is at it */
    assert_false(next(&r));
    assert_in_range(r.wake - r.ms, 200, 300);
    pass(&r, r.wake - r.ms);
    id = shared_asked(&r);
    atls_keeper_done_shared(r.k, id, &shared_item, false, r.ms, r.s);
    is_held(&r, TCB);
    assert_int_equal(the_double.items[0].source, ATLS_ITEM_SHARED);
    assert_false(next(&r));
    assert_int_equal(logged("\"origin\":\"shared\""), 1);
    shut(&r);
}

static void what_the_fleet_has_not_is_fetched_and_shared(void **state)
{
    (void)state;
    rig r = open_fleet();
    want(&r, TCB, false);
    atls_keeper_done_shared(r.k, shared_asked(&r), NULL, false, r.ms, r.s);
    answer(&r, asked(&r, "first"), 200, "", GOOD);
    assert_true(next(&r));
    assert_int_equal(r.a.step, ATLS_STEP_SHARE);
    assert_string_equal(r.a.key, TCB);
    assert_false(next(&r));
    want(&r, CRL, false);
    atls_keeper_done_shared(r.k, shared_asked(&r), NULL, false, r.ms, r.s);
    answer(&r, asked(&r, "first"), 404, "", "");
    assert_false(next(&r));
    assert_int_equal(r.wake, r.ms); /* at once: others wait for us */
    assert_true(next(&r));
    assert_int_equal(r.a.step, ATLS_STEP_UNLOCK);
    assert_string_equal(r.a.key, CRL);
    shut(&r);
}

static void another_host_is_not_waited_for_without_end(void **state)
{
    (void)state;
    rig r = open_fleet();
    want(&r, TCB, false);
    while (next(&r) && r.a.step == ATLS_STEP_SHARED) {
        atls_keeper_done_shared(r.k, r.a.id, NULL, true, r.ms, r.s);
        pass(&r, 300);
    }
    assert_int_equal(r.a.step, ATLS_STEP_ORIGIN);
    assert_in_range(r.ms, 1000 + 10000, 1000 + 10600);
    shut(&r);
}

static void what_comes_from_the_fleet_is_judged(void **state)
{
    (void)state;
    rig r = open_fleet();
    want(&r, TCB, false);
    atls_item forged = {.key = TCB, .body = {(const uint8_t *)"forged", 6}};
    atls_keeper_done_shared(r.k, shared_asked(&r), &forged, false, r.ms, r.s);
    assert_int_equal(logged("\"event\":\"refused\""), 1);
    answer(&r, asked(&r, "first"), 200, "", GOOD);
    want(&r, CRL, false);
    atls_item other = shared_item; /* of another key */
    assert_true(next(&r));         /* what was fetched is shared */
    atls_keeper_done_shared(r.k, shared_asked(&r), &other, false, r.ms, r.s);
    (void)asked(&r, "first");
    shut(&r);
}

static void a_jwk_set_is_never_asked_of_the_fleet(void **state)
{
    (void)state;
    rig r = {.n = 1, .origins = {double_origin("issuer", ATLS_ORIGIN_JWKS, 0)}};
    open_with(&r, &(atls_keeper_settings){.has_shared = true});
    want(&r, "jwks/https%3A%2F%2Fa", false);
    answer(&r, asked(&r, "issuer"), 200, "", GOOD);
    assert_false(next(&r)); /* nor shared */
    shut(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_waiters_make_one_request),
        cmocka_unit_test(an_answer_that_nobody_waits_for_changes_nothing),
        cmocka_unit_test(a_line_of_the_log_tells_hostile_text),
        cmocka_unit_test(the_next_origin_is_asked_at_once),
        cmocka_unit_test(a_rolled_back_item_sends_to_the_next_origin),
        cmocka_unit_test(what_was_refused_is_not_asked_for_again_in_the_same_job),
        cmocka_unit_test(absence_is_remembered),
        cmocka_unit_test(retries_wait_longer_each_time_and_end_with_the_total_time),
        cmocka_unit_test(an_item_waits_no_longer_than_its_total_time),
        cmocka_unit_test(one_that_failed_is_asked_after_the_others),
        cmocka_unit_test(an_origin_is_left_in_peace_as_long_as_it_asked),
        cmocka_unit_test(others_of_its_kind_are_asked_while_one_wants_peace),
        cmocka_unit_test(kds_is_asked_once_in_ten_seconds_in_order),
        cmocka_unit_test(nobody_keeps_the_others_from_kds),
        cmocka_unit_test(strangers_keys_do_not_keep_others_out),
        cmocka_unit_test(a_vcek_brings_its_chain),
        cmocka_unit_test(a_vcek_waits_for_a_chain_that_is_wanted_too),
        cmocka_unit_test(no_more_than_eight_requests_to_an_origin_at_once),
        cmocka_unit_test(without_an_origin_of_its_kind_it_is_told_at_once),
        cmocka_unit_test(there_is_a_limit_to_what_is_taken_on),
        cmocka_unit_test(a_directory_that_cannot_be_written_keeps_nobody_waiting),
        cmocka_unit_test(what_is_held_is_renewed_in_the_last_quarter_and_a_bit),
        cmocka_unit_test(a_renewal_that_fails_is_tried_again_and_told_once),
        cmocka_unit_test(an_origin_without_a_newer_one_is_not_asked_all_the_time),
        cmocka_unit_test(an_end_is_told_once),
        cmocka_unit_test(a_vcek_never_changes_and_a_jwk_set_often_may),
        cmocka_unit_test(what_strangers_chose_is_renewed_at_once),
        cmocka_unit_test(what_was_wanted_is_asked_for_again_until_it_is_there),
        cmocka_unit_test(a_clock_that_goes_back_stops_no_renewal),
        cmocka_unit_test(what_the_fleet_has_is_not_fetched),
        cmocka_unit_test(what_the_fleet_has_not_is_fetched_and_shared),
        cmocka_unit_test(another_host_is_not_waited_for_without_end),
        cmocka_unit_test(what_comes_from_the_fleet_is_judged),
        cmocka_unit_test(a_jwk_set_is_never_asked_of_the_fleet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
