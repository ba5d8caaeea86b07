/* A year of a store that is kept fresh, in seconds: monthly issues, a recovery day, outages of 3 and of 40 days, a clock that goes
 * back and one that goes ahead. At every hour a platform is verified; the log that a user would have seen is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rfc3339.h"
#include "collateral/fake_origin.h"
#include "net/keeper.h"
#include "unit/sim_items.h"

#define HOUR 3600
#define DAY  86400
#define T0   INT64_C(1800000000)

static const char *const keys[] = {"intel/tcb/tdx/53494d000000", "intel/qe/tdx",
                                   "intel/pckcrl/platform", "intel/rootcrl"};
#define KEYS (sizeof keys / sizeof keys[0])

typedef struct year {
    fake_origin origin;
    atls_sim *sim;
    atls_store *store;
    atls_verifier *v;
    atls_keeper *k;
    uint8_t *quote;
    size_t quote_len;
    bool away; /* the origin */
    uint64_t ms;
    int64_t ahead_s; /* of the clock */
    uint32_t chance;
    char *log;
    size_t log_len;
    unsigned codes[7]; /* verdicts in the year, in hours */
} year;

static void keep_line(void *arg, const char *line)
{
    year *y = arg;
    const size_t len = strlen(line);
    char *more = realloc(y->log, y->log_len + len + 2);
    assert_non_null(more);
    y->log = more;
    memcpy(more + y->log_len, line, len);
    memcpy(more + y->log_len + len, "\n", 2);
    y->log_len += len + 1;
}

static uint32_t next_chance(void *arg, uint32_t below)
{
    year *y = arg;
    y->chance = y->chance * 1664525u + 1013904223u;
    return below > 0 ? (y->chance >> 8) % below : 0;
}

static int64_t day_of(int day)
{
    return T0 + (int64_t)day * DAY;
}

static int64_t true_time(const year *y)
{
    return T0 + (int64_t)(y->ms / 1000);
}

static int64_t clock_s(const year *y)
{
    return true_time(y) + y->ahead_s;
}

static void publish(year *y)
{
    for (size_t i = 0; i < KEYS; i++) {
        sim_item item;
        sim_item_from(y->sim, keys[i], &item);
        fake_origin_put(&y->origin, &item.item);
        sim_item_clear(&item);
    }
}

static void issue(year *y, uint32_t number, const char *change)
{
    atls_err err;
    if (atls_sim_reissue(y->sim, true_time(y), number, change, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    publish(y);
}

static void open_year(year *y)
{
    static const atls_origin origins[] = {{.kind = ATLS_ORIGIN_PCCS,
                                           .base = "http://localhost",
                                           .name = "pccs=https://pccs.example"}};
    atls_err err;
    char *root = NULL;
    memset(y, 0, sizeof *y);
    fake_origin_open(&y->origin);
    assert_int_equal(atls_sim_new(T0, NULL, &y->sim, &err), ATLS_OK);
    publish(y);
    assert_int_equal(atls_store_open(NULL, &y->store, &err), ATLS_OK);
    assert_int_equal(atls_sim_root(y->sim, &root, &err), ATLS_OK);
    const atls_buf certs = {(const uint8_t *)root, strlen(root)};
    y->v = atls_verifier_new();
    assert_int_equal(atls_store_insecure_trust_simulator(y->store, certs, &err), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(y->v, certs, &err), ATLS_OK);
    assert_int_equal(atls_verifier_set0_store(y->v, y->store, true, &err), ATLS_OK);
    atls_free(root);
    const atls_sim_quote q = {.type = "tdx"};
    assert_int_equal(atls_sim_make_quote(y->sim, &q, &y->quote, &y->quote_len, &err), ATLS_OK);
    atls_keeper_settings s = {.origins = origins,
                              .origins_n = 1,
                              .total_ms = 30000,
                              .refresh_percent = 25,
                              .channel = "standard",
                              .random = next_chance,
                              .log = keep_line,
                              .arg = y};
    y->k = atls_keeper_new(y->store, &s);
    assert_non_null(y->k);
    atls_keeper_keep_fresh(y->k, true);
}

static void close_year(year *y)
{
    atls_keeper_free(y->k);
    atls_verifier_free(y->v);
    atls_store_free(y->store);
    atls_sim_free(y->sim);
    fake_origin_close(&y->origin);
    atls_free(y->quote);
    free(y->log);
}

/* Does what the keeper says until that moment. */
static void run_until(year *y, uint64_t end_ms)
{
    atls_keeper_action a;
    atls_http_response response;
    const atls_err silence = {.code = ATLS_E_COLLATERAL,
                              .check = "fetch.connect",
                              .msg = "pccs.example cannot be reached"};
    for (;;) {
        uint64_t wake = 0;
        while (atls_keeper_next(y->k, y->ms, clock_s(y), &a, &wake)) {
            fake_origin_answer(&y->origin, a.key, &response);
            atls_keeper_done(y->k, a.id, y->away ? NULL : &response, &silence, y->ms, clock_s(y));
        }
        if (wake >= end_ms) {
            y->ms = end_ms;
            return;
        }
        y->ms = wake > y->ms ? wake : y->ms + 1;
    }
}

static int64_t first_end(const year *y, uint64_t *tcb_number)
{
    int64_t end = INT64_MAX;
    for (size_t i = 0; i < KEYS; i++) {
        atls_held *held = NULL;
        atls_item_status s;
        assert_true(atls_store_get(y->store, keys[i], &held));
        atls_held_status(held, &s);
        atls_held_free(held);
        end = s.expires_s < end ? s.expires_s : end;
        *tcb_number = i == 0 ? s.number : *tcb_number;
    }
    return end;
}

/* What this hour's verification must say, and does. */
static atls_code verify(year *y)
{
    uint64_t number = 0;
    atls_err err;
    const atls_evidence evidence = {
        .type = "tdx", .parts_n = 1, .parts = {{"quote", {y->quote, y->quote_len}}}};
    const int64_t end = first_end(y, &number);
    atls_verdict *r = atls_verifier_check(y->v, &evidence, NULL, clock_s(y), &err);
    assert_non_null(r);
    const atls_code code = atls_verdict_code(r);
    const char *check = atls_verdict_check(r);
    if (y->ahead_s < 0) {
        assert_string_equal(check, "clock.before_floor");
        assert_int_equal(code, ATLS_E_COLLATERAL);
    } else {
        const atls_code want = number == 18       ? ATLS_E_POLICY
                               : end < clock_s(y) ? ATLS_E_COLLATERAL
                                                  : ATLS_OK;
        if (code != want) {
            char *text = atls_verdict_text(r, false);
            fail_msg("day %d: %d (%s), wanted %d\n%s", (int)(y->ms / 1000 / DAY), (int)code, check,
                     (int)want, text);
        }
    }
    if (code == ATLS_E_POLICY) {
        assert_string_equal(check, "tcb.status");
    }
    y->codes[code]++;
    atls_verdict_free(r);
    return code;
}

static unsigned logged_between(const year *y, int first, int last, const char *event,
                               const char *key)
{
    char from[ATLS_TIME_TEXT_LEN + 8];
    char until[ATLS_TIME_TEXT_LEN + 8];
    char event_text[64];
    unsigned n = 0;
    atls_time_format(day_of(first), from);
    atls_time_format(day_of(last), until);
    (void)snprintf(event_text, sizeof event_text, "\"event\":\"%s\"", event);
    for (const char *line = y->log; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        char one[1024];
        (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        const char *when = strstr(one, "\"when\":\"");
        assert_non_null(when);
        n += strncmp(when + 8, from, 20) >= 0 && strncmp(when + 8, until, 20) < 0 &&
             strstr(one, event_text) != NULL && strstr(one, key) != NULL;
    }
    return n;
}

/* What happens in the world at the beginning of that hour. */
static void happen(year *y, int day, int hour)
{
    static uint32_t number;
    number = day == 0 && hour == 0 ? 17 : number;
    const bool recovery = day == 150 && hour == 0;
    if (recovery || (day == 170 && hour == 0)) { /* on day 170 all machines have their update */
        number++;
        issue(y, number, recovery ? "recovery" : NULL);
    } else if (day > 0 && day % 20 == 0 && hour == 0) {
        issue(y, number, number == 18 ? "recovery" : NULL);
    }
    y->away = (day >= 62 && day < 65) || (day >= 200 && day < 240);
    y->ahead_s = day == 300 && hour < 6 ? -40 * DAY : day == 320 && hour < 6 ? 60 * DAY : 0;
}

static void a_year_passes(void **state)
{
    (void)state;
    year y;
    atls_err err;
    uint64_t ticket = 0;
    unsigned bad_in_outage = 0;
    unsigned bad_otherwise = 0;
    unsigned policy_days = 0;
    open_year(&y);
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(atls_keeper_want(y.k, keys[i], false, y.ms, clock_s(&y), &ticket, &err),
                         ATLS_OK);
    }
    for (int hour = 0; hour < 365 * 24; hour++) {
        const int day = hour / 24;
        happen(&y, day, hour % 24);
        run_until(&y, (uint64_t)hour * HOUR * 1000 + 600000); /* ten minutes into it */
        const atls_code code = verify(&y);
        const bool clock_wrong = y.ahead_s != 0;
        bad_in_outage += code == ATLS_E_COLLATERAL && day >= 200 && day <= 240;
        bad_otherwise += code == ATLS_E_COLLATERAL && !(day >= 200 && day <= 240) && !clock_wrong;
        policy_days += code == ATLS_E_POLICY;
        if (day == 241 || day == 66) {
            assert_int_equal(code, ATLS_OK);
        }
        if (clock_wrong) {
            assert_int_equal(code, ATLS_E_COLLATERAL);
        }
        run_until(&y, ((uint64_t)hour + 1) * HOUR * 1000);
    }
    (void)fputs(y.log, stdout);
    (void)printf("verdicts, in hours: accepted %u, collateral %u, policy %u\n", y.codes[0],
                 y.codes[3], y.codes[5]);
    assert_int_equal(bad_otherwise, 0);
    assert_in_range(bad_in_outage, 5 * 24, 40 * 24);
    assert_in_range(policy_days, 24,
                    30 * 24); /* noticed when Intel's old word ends, at the latest */
    assert_int_equal(logged_between(&y, 0, 1, "fetched", "intel/"), KEYS);
    assert_true(logged_between(&y, 10, 60, "renewed", keys[0]) >= 1);
    assert_int_equal(logged_between(&y, 200, 240, "unreachable", "pccs.example"), 1);
    assert_int_equal(logged_between(&y, 240, 241, "recovered", "pccs.example"), 1);
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(logged_between(&y, 200, 240, "expired", keys[i]), 1);
        assert_int_equal(logged_between(&y, 240, 241, "renewed", keys[i]), 1);
        assert_in_range(logged_between(&y, 200, 240, "failed", keys[i]), 1, 41);
        assert_true(logged_between(&y, 380, 382, "refused", keys[i]) >=
                    1); /* the clock ahead: too old for it */
    }
    assert_true(atomic_load(&y.origin.asked) < 8000); /* most in the outage */
    close_year(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_year_passes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
