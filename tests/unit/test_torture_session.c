/* No memory somewhere in a whole connection: TLS, mutual attestation, data both ways, both ask again, closing. No side
 * ends open with a verdict that the good run does not have, and whose memory failed says so. */
#include "unit/torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/text.h"
#include "e2e/rig.h"
#include "unit/failing_alloc.h"

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

typedef struct job {
    rig r;
    bool whole; /* all steps were taken, on both sides */
} job;

static void before(void *self)
{
    job *j = self;
    ERR_clear_error();
    rig_new(&j->r, &mutual);
    j->whole = false;
}

static void after(void *self)
{
    rig_free(&((job *)self)->r);
}

static bool over(const rig_side *side)
{
    return side->rc >= ATLS_E_USAGE && side->rc <= ATLS_E_BINDING;
}

static bool accepts(const rig_side *side)
{
    const atls_verdict *v = atls_session_get0_verdict(side->session);
    return v != NULL && atls_verdict_accepted(v);
}

/* Four bytes from one side to the other; false when a side fails. None arrives at one that has not accepted. */
static bool carry(rig_side *from, rig_side *to)
{
    static const uint8_t ping[4] = "ping";
    size_t sent = 0;
    size_t got = 0;
    for (int i = 0; got < 4 && i < 100; i++) {
        uint8_t bytes[4];
        size_t n = 0;
        from->rc = sent == 4
                       ? atls_session_read(from->session, bytes, 4, &n, &from->err)
                       : atls_session_write(from->session, ping + sent, 4 - sent, &n, &from->err);
        sent += from->rc == ATLS_OK ? n : 0;
        n = 0;
        if (over(from) || (rig_read(to, bytes, 4, &n) != ATLS_OK && over(to))) {
            return false;
        }
        if (n > 0) {
            assert_true(accepts(to));
            assert_memory_equal(bytes, ping + got, n);
        }
        got += n;
    }
    return got == 4;
}

static bool ask_again(rig *r)
{
    rig_clock(r, 1000);
    r->client.rc = atls_session_reattest(r->client.session, &r->client.err);
    r->server.rc = atls_session_reattest(r->server.session, &r->server.err);
    for (int i = 0; i < 20 && !over(&r->client) && !over(&r->server); i++) {
        uint8_t none = 0;
        size_t n = 0;
        (void)rig_read(&r->client, &none, 1, &n);
        (void)rig_read(&r->server, &none, 1, &n);
    }
    return !over(&r->client) && !over(&r->server) && atls_session_rounds(r->client.session) == 2 &&
           atls_session_rounds(r->server.session) == 2;
}

/* The last call of a side that has failed repeats its failure: no way back to data. */
static void assert_stays_over(rig_side *side)
{
    uint8_t byte = 0;
    size_t n = 0;
    atls_err err = {0};
    assert_true(over(side));
    assert_int_equal(atls_session_read(side->session, &byte, 1, &n, &err), side->rc);
    assert_int_equal(n, 0);
}

static atls_code outcome(job *j, atls_err *err)
{
    rig_side *sides[] = {&j->r.client, &j->r.server};
    atls_code rc = j->whole ? ATLS_OK : ATLS_WANT_READ; /* a standstill without a reason is wrong */
    for (size_t i = 0; i < 2; i++) {
        if (over(sides[i]) && rc != ATLS_E_SYSTEM) {
            rc = sides[i]->rc;
            *err = sides[i]->err;
        }
    }
    return rc;
}

static atls_code run(void *self, atls_err *err)
{
    job *j = self;
    rig *r = &j->r;
    rig_handshake(r);
    j->whole = r->client.rc == ATLS_OK && r->server.rc == ATLS_OK &&
               carry(&r->client, &r->server) && carry(&r->server, &r->client) && ask_again(r) &&
               carry(&r->client, &r->server);
    return outcome(j, err);
}

static void describe(atls_text *t, const rig_side *side)
{
    const atls_verdict *v = atls_session_get0_verdict(side->session);
    assert_non_null(v);
    atls_text_add(t, "%u %d %d %s %s %s %d;", atls_session_rounds(side->session),
                  atls_session_peer_accepted(side->session), atls_verdict_accepted(v),
                  atls_verdict_binding(v), atls_verdict_freshness(v), atls_verdict_identity(v),
                  (int)atls_verdict_code(v));
    for (size_t i = 0; i < atls_verdict_checks(v); i++) {
        atls_check_line line;
        assert_true(atls_verdict_check_at(v, i, &line));
        atls_text_add(t, " %s=%s", line.id, line.result);
    }
}

static char *both_verdicts(void *self)
{
    const job *j = self;
    atls_text t = atls_text_of(65536);
    describe(&t, &j->r.client);
    describe(&t, &j->r.server);
    return atls_text_take(&t);
}

static void a_failed_side_stays_over(void *self)
{
    job *j = self;
    rig_side *sides[] = {&j->r.client, &j->r.server};
    for (size_t i = 0; i < 2; i++) {
        if (over(sides[i])) {
            assert_stays_over(sides[i]);
        }
    }
    after(self);
}

static void a_whole_session(void **state)
{
    (void)state;
    job j = {0};
    torture_all(&(torture){"session", &j, before, run, both_verdicts, a_failed_side_stays_over});
    rig_sim_free();
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
