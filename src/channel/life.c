/* life.c: how long things may take and how long a verdict stands, on the caller's monotonic clock. */
#include "base/err.h"
#include "channel/session.h"

#define NEVER UINT64_MAX

static uint64_t later(uint64_t now, uint64_t ms)
{
    return ms > NEVER - now ? NEVER : now + ms;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t ms_until(int64_t expires, int64_t when_s)
{
    if (expires <= when_s) {
        return 0;
    }
    uint64_t seconds = (uint64_t)expires - (uint64_t)when_s;
    return seconds > NEVER / 1000 ? NEVER : seconds * 1000;
}

void atls_life_accepted(atls_session *s)
{
    atls_ask *ask = &s->ask;
    int64_t expires = atls_verdict_expires(ask->verdict);
    uint32_t interval_s = atls_verdict_reattest_s(ask->verdict);
    bool fresh = ask->accepted_n == 1 || expires > ask->expires;
    ask->last_ms = s->now_ms;
    ask->answer_due = NEVER;
    ask->stand_until = NEVER;
    ask->again_at = NEVER;
    if (expires != INT64_MAX) {
        uint64_t remains = ms_until(expires, s->when_s);
        uint64_t lead = sooner(remains / 2, 2 * (uint64_t)s->config->timeout_ms);
        ask->stand_until = later(s->now_ms, remains);
        /* What new evidence did not prolong, asking once more will not either. */
        ask->again_at = fresh ? later(s->now_ms, remains - lead) : NEVER;
    }
    if (interval_s > 0) {
        ask->again_at = sooner(ask->again_at, later(s->now_ms, (uint64_t)interval_s * 1000));
    }
    if (atls_session_is_plain(s) && ask->again_at != NEVER) {
        /* Nobody can be asked again here: what the policy wants holds all the same, and the connection ends instead. */
        uint64_t interval_end =
            interval_s > 0 ? later(s->now_ms, (uint64_t)interval_s * 1000) : NEVER;
        ask->stand_until = sooner(ask->stand_until, interval_end);
        ask->again_at = NEVER;
    }
    ask->expires = expires;
}

static bool may_ask(const atls_session *s)
{
    return s->stage == STAGE_OPEN && s->ask.state == ASK_ACCEPTED && !s->close_sent &&
           !s->close_read;
}

/* The next request keeps its distance from our last verdict: the peer counts from our last request, which
 * reached it earlier, so that no delay on the way can make it see two requests too close. */
static uint64_t next_request_ms(const atls_session *s)
{
    uint64_t earliest = later(s->ask.last_ms, s->config->round_gap_ms);
    return s->ask.again_at > earliest ? s->ask.again_at : earliest;
}

atls_code atls_life_tick(atls_session *s, atls_err *err)
{
    atls_ask *ask = &s->ask;
    if (s->stage < STAGE_OPEN && s->now_ms >= s->deadline_ms) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "session.deadline", "no verdicts within %u ms",
                        (unsigned)s->config->timeout_ms);
    }
    if (ask->accepted_n > 0 && s->now_ms >= ask->stand_until) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.expired",
                        "the verdict on the peer has reached its age limit without new evidence");
    }
    if (s->stage == STAGE_OPEN && atls_ask_outstanding(s) && !s->close_read &&
        s->now_ms >= ask->answer_due) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "session.deadline", "no new evidence within %u ms",
                        (unsigned)s->config->timeout_ms);
    }
    if (may_ask(s) && ask->again_at != NEVER && s->now_ms >= next_request_ms(s)) {
        ask->again_at = NEVER;
        ask->answer_due = later(s->now_ms, s->config->timeout_ms);
        return atls_ask_request(s, err);
    }
    return ATLS_OK;
}

uint64_t atls_session_deadline_ms(const atls_session *s)
{
    if (s->stage == STAGE_ENDED) {
        return NEVER;
    }
    uint64_t at = s->ask.accepted_n > 0 ? s->ask.stand_until : NEVER;
    if (s->stage < STAGE_OPEN) {
        return sooner(at, s->deadline_ms);
    }
    if (atls_ask_outstanding(s) && !s->close_read) {
        return sooner(at, s->ask.answer_due);
    }
    if (may_ask(s) && s->ask.again_at != NEVER) {
        at = sooner(at, next_request_ms(s));
    }
    return at;
}

atls_code atls_session_reattest(atls_session *s, atls_err *err)
{
    if (atls_session_is_plain(s)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.reattest",
                        "%s attests once a connection: open a new one",
                        s->dialect->link.binding->name);
    }
    if (s->stage != STAGE_OPEN || s->ask.state == ASK_NOTHING) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.reattest", "%s",
                        s->stage != STAGE_OPEN ? "the session is not open"
                                               : "there is no verifier to ask for");
    }
    if (!may_ask(s)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.reattest", "%s",
                        atls_ask_outstanding(s) ? "a request is outstanding"
                                                : "the session is closing");
    }
    s->ask.again_at = s->now_ms; /* the next call sends it, when its distance is kept */
    return ATLS_OK;
}
