/* view.h: what one verification sees of a store, from its begin to its end; and what only a store can tell: that a thing is
 * older than what was seen before, and that a thing is late because its origin does not answer. */
#ifndef ATLS_TRUST_VIEW_H
#define ATLS_TRUST_VIEW_H

#include "trust/intel_cert.h"
#include "trust/shelf.h"

#define ATLS_LATE_MAX_S ((int64_t)90 * 86400) /* no policy excuses more */

typedef struct atls_view {
    const atls_shelf *shelf; /* NULL: no store is attached */
    bool live;               /* the time is the clock's: floors count */
} atls_view;

/* Collateral that is past its next update, and relied on for now: only a policy with grace accepts it. */
typedef struct atls_lateness {
    int64_t late_s;    /* by how much, the most of all; 0: none is */
    int64_t lasting_s; /* the first end among what is not late */
} atls_lateness;

/* For what has a next update (never for a certificate): as atls_judge_window; but past its end it is ok, and late, if its
 * origins are unreachable, since_s being before when_s (0: they are not). */
bool atls_judge_update(atls_ledger *l, const char *id, const atls_window *w, int64_t when_s,
                       int64_t since_s, atls_lateness *late);

/* Is it at or above the floor of its name and root? Otherwise, for a live view, *err is "collateral.rollback". */
bool atls_view_above_floor(const atls_view *view, const atls_item_name *name,
                           const atls_item_facts *facts, atls_err *err);
/* The same into the ledger, where only a failure is written. */
void atls_judge_floor(const atls_view *view, const atls_item_name *name,
                      const atls_item_facts *facts, atls_ledger *l);

/* "clock.before_floor": a live view, and a time from before what was signed already. Writes only a failure. */
void atls_judge_clock(const atls_view *view, int64_t when_s, atls_ledger *l);

#endif
