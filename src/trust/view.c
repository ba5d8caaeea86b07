#include "trust/view.h"

#include <stdio.h>

#include "base/rfc3339.h"

#define DAY_S          86400
#define CLOCK_LEEWAY_S 300

/* --- late --- */

static bool is_excused(const atls_window *w, int64_t when_s, int64_t since_s)
{
    return when_s > w->ends_s && when_s >= w->begins_s && w->ends_s > INT64_MIN + ATLS_LATE_MAX_S &&
           when_s - ATLS_LATE_MAX_S <= w->ends_s && since_s > 0 && since_s <= when_s;
}

static void say_late(atls_ledger *l, const char *id, int64_t ends_s, int64_t when_s,
                     int64_t since_s)
{
    char end[ATLS_TIME_TEXT_LEN];
    char since[ATLS_TIME_TEXT_LEN];
    char text[160];
    atls_time_format(ends_s, end);
    atls_time_format(since_s, since);
    const long long days = (when_s - ends_s) / DAY_S;
    (void)snprintf(text, sizeof text,
                   "expired %s, %lld day%s ago; its origin does not answer since %s", end, days,
                   days == 1 ? "" : "s", since);
    atls_ledger_ok_found(l, id, atls_value_note(l, text));
}

bool atls_judge_update(atls_ledger *l, const char *id, const atls_window *w, int64_t when_s,
                       int64_t since_s, atls_lateness *late)
{
    if (!is_excused(w, when_s, since_s)) {
        if (w->ends_s < late->lasting_s) {
            late->lasting_s = w->ends_s;
        }
        return atls_judge_window(l, id, w, when_s);
    }
    say_late(l, id, w->ends_s, when_s, since_s);
    if (when_s - w->ends_s > late->late_s) {
        late->late_s = when_s - w->ends_s;
    }
    return true;
}

/* --- floors --- */

bool atls_view_above_floor(const atls_view *view, const atls_item_name *name,
                           const atls_item_facts *facts, atls_err *err)
{
    char key[ATLS_ITEM_KEY_LEN];
    if (view->shelf == NULL || !view->live) {
        return true;
    }
    atls_item_name_format(name, key);
    return atls_floors_check(atls_shelf_floors(view->shelf), key, facts, err) == ATLS_OK;
}

void atls_judge_floor(const atls_view *view, const atls_item_name *name,
                      const atls_item_facts *facts, atls_ledger *l)
{
    atls_err err = {0};
    if (!atls_view_above_floor(view, name, facts, &err)) {
        atls_ledger_fail_err(l, &err);
    }
}

void atls_judge_clock(const atls_view *view, int64_t when_s, atls_ledger *l)
{
    const int64_t floor_s =
        view->shelf != NULL && view->live ? atls_floors_clock(atls_shelf_floors(view->shelf)) : 0;
    if (floor_s > 0 && when_s < floor_s - CLOCK_LEEWAY_S) {
        char text[96];
        char floor[ATLS_TIME_TEXT_LEN];
        atls_time_format(floor_s, floor);
        (void)snprintf(text, sizeof text, "%s or later: collateral signed then has been seen",
                       floor);
        atls_ledger_fail(l, "clock.before_floor", ATLS_E_COLLATERAL, atls_value_time(when_s),
                         atls_value_note(l, text));
    }
}
