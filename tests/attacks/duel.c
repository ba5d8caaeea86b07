#include "attacks/duel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const rig_options mutual = {
    .client_shows = true, .client_asks = true, .server_shows = true, .server_asks = true};

void duel_new_with(duel *d, atls_role victim, const rig_options *o, const evil_options *e)
{
    rig_side_new(&d->victim, victim, o != NULL ? o : &mutual);
    evil_meet(&d->evil, victim == ATLS_CLIENT ? ATLS_SERVER : ATLS_CLIENT, e, &d->victim);
}

void duel_new(duel *d, atls_role victim)
{
    duel_new_with(d, victim, NULL, NULL);
    assert_true(d->evil.tls_done);
}

void duel_free(duel *d)
{
    evil_free(&d->evil);
    rig_side_free(&d->victim);
}

void duel_assert_ends(duel *d, atls_code code, const char *check)
{
    uint8_t b[64];
    size_t n = 0;
    for (int i = 0; i < 4 && d->victim.rc >= ATLS_WANT_READ; i++) {
        (void)rig_step(&d->victim);
    }
    for (int i = 0; i < 4 && (d->victim.rc == ATLS_OK || d->victim.rc >= ATLS_WANT_READ); i++) {
        (void)rig_read(&d->victim, b, sizeof b, &n);
        assert_int_equal(n, 0);
    }
    rig_assert_failed(&d->victim, code, check);
    const atls_verdict *v = atls_session_get0_verdict(d->victim.session);
    if (v != NULL && !atls_verdict_accepted(v)) { /* a refusal of ours: the ledger says the same */
        assert_string_equal(atls_verdict_check(v), check);
        assert_int_equal(atls_verdict_code(v), code);
    }
    assert_int_equal(rig_read(&d->victim, b, sizeof b, &n), code);
    assert_int_equal(atls_session_write(d->victim.session, b, 1, &n, &d->victim.err), code);
    assert_int_equal(n, 0);
    assert_int_equal(atls_session_deadline_ms(d->victim.session), UINT64_MAX);
}

void duel_until_shown(duel *d)
{
    evil_expect(&d->evil, &d->victim, ATLS1_FRAME_REQUEST);
    evil_ask(&d->evil, 0);
    evil_expect(&d->evil, &d->victim, ATLS1_FRAME_AUTHENTICATOR);
}
