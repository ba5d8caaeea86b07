/* exchange.c: what a dialect does over the open TLS connection, step by step, until data may flow. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/err.h"
#include "channel/gather.h"
#include "channel/session.h"
#include "channel/shown.h"
#include "crypto/digest.h"

#define READ_CHUNK ((size_t)16384)

/* --- bytes --- */

static atls_code flush(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    while (link->out_sent < link->out_len) {
        size_t n = 0;
        ERR_clear_error();
        int ret =
            SSL_write_ex(s->ssl, link->out + link->out_sent, link->out_len - link->out_sent, &n);
        if (ret != 1) {
            atls_code rc = atls_tls_failure(s, ret, err);
            return rc == ATLS_WANT_READ ? ATLS_WANT_WRITE : rc;
        }
        link->out_sent += n;
    }
    free(link->out);
    link->out = NULL;
    link->out_len = link->out_sent = 0;
    return ATLS_OK;
}

/* More of the peer's bytes, up to the dialect's own limit; ATLS_OK: some came. */
static atls_code read_more(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    size_t limit = link->binding->in_max;
    size_t room = link->in_len < limit ? limit - link->in_len : 0;
    room = room < READ_CHUNK ? room : READ_CHUNK;
    if (room == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "session.input",
                        "the peer's message goes past %zu bytes", limit);
    }
    uint8_t *more = realloc(link->in, link->in_len + room);
    if (more == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    link->in = more;
    size_t n = 0;
    ERR_clear_error();
    int ret = SSL_read_ex(s->ssl, link->in + link->in_len, room, &n);
    if (ret != 1) {
        return atls_tls_failure(s, ret, err);
    }
    link->in_len += n;
    return ATLS_OK;
}

/* --- judging --- */

static bool is_signed(const char *part)
{
    return strcmp(part, "quote") == 0 || strcmp(part, "report") == 0;
}

/* Of the evidence, not of the certificate: whoever has its key can make another around the same evidence. And of what hardware
 * signed alone, where it is known: anybody can write the rest (collateral, logs) in another way. */
static atls_code digest_of(const atls_evidence *e, uint8_t out[32], atls_err *err)
{
    atls_buf parts[ATLS_EVIDENCE_PARTS];
    size_t n = 0;
    for (size_t i = 0; i < e->parts_n; i++) {
        if (is_signed(e->parts[i].name)) {
            parts[n++] = e->parts[i].bytes;
        }
    }
    for (size_t i = 0; n == 0 && i < e->parts_n; i++) {
        parts[i] = e->parts[i].bytes;
    }
    return atls_digest(ATLS_SHA256, parts, n > 0 ? n : e->parts_n, out, err);
}

/* The verdict on what is carried; NULL: no memory. What is accepted is remembered, and nothing else: junk must not push out
 * what is known to be old. */
static atls_verdict *check(atls_session *s, atls_err *err)
{
    const atls_link *link = &s->dialect->link;
    atls_expected *expected = &s->dialect->link.carried.expected;
    const bool alone = link->binding->kind == ATLS_BINDING_KEY_ONLY;
    uint8_t sha256[32] = {0};
    if (alone) {
        if (digest_of(&link->carried.evidence, sha256, err) != ATLS_OK) {
            return NULL;
        }
        expected->has_since = true;
        expected->since_s = atls_shown_first_seen(s->config->shown, sha256, s->when_s);
    }
    atls_verdict *v =
        atls_verifier_check(s->config->verifier, &link->carried.evidence, expected, s->when_s, err);
    if (alone && v != NULL && atls_verdict_accepted(v)) {
        atls_shown_remember(s->config->shown, sha256, s->when_s);
        if (link->peer_self_signed) {
            atls_shown_learn_signature(s->config->shown, s->dialect->peer_sha256);
        }
    }
    return v;
}

static atls_code judge(atls_session *s, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    atls_expected *expected = &link->carried.expected;
    if (s->config->verifier == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.empty", "there is no verifier to judge with");
    }
    expected->binding = link->binding->kind;
    expected->binding_name = link->binding->name;
    if (expected->binding_line == NULL) { /* a dialect may know of less in this connection */
        expected->binding_line = link->binding->line;
    }
    expected->pki_name = s->pki_name;
    if (atls_gather_goes_on(s)) {
        return ATLS_WANT_JOB;
    }
    atls_verdict *v = check(s, err);
    if (v != NULL && atls_gather_may_help(s, atls_verdict_code(v), &link->carried.evidence)) {
        atls_verdict_free(v);
        ATLS_TRY(atls_gather_start(s, &link->carried.evidence, err));
        s->dialect->judging = true; /* again, when the job is done */
        return ATLS_WANT_JOB;
    }
    s->dialect->judging = false;
    atls_gather_free(s);
    atls_carried_clear(&link->carried);
    if (v == NULL) {
        return ATLS_E_SYSTEM;
    }
    link->verdict = NULL;
    atls_verdict_free(s->ask.verdict);
    s->ask.verdict = v;
    if (!atls_verdict_accepted(v)) {
        return ATLS_ERR(err, atls_verdict_code(v), atls_verdict_check(v), "%s",
                        atls_verdict_message(v));
    }
    s->ask.state = ASK_ACCEPTED;
    s->ask.accepted_n++;
    atls_life_accepted(s);
    link->verdict = v;
    return ATLS_OK;
}

/* --- steps --- */

static atls_code open_session(atls_session *s, atls_err *err)
{
    if (s->config->verifier != NULL && s->ask.accepted_n == 0) {
        /* Whatever a dialect says: who asks for evidence does not go on without a verdict on it. */
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence", "the peer shows no evidence");
    }
    s->stage = STAGE_OPEN;
    atls_link_drop_evidence(&s->dialect->link);
    SSL_clear_mode(s->ssl, SSL_MODE_ASYNC);
    SSL_set_mode(s->ssl, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE |
                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ATLS_OK;
}

static atls_code step(atls_session *s, atls_step *next, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    if (atls_job_look(&s->job) != JOB_NONE) {
        ATLS_TRY(atls_dialect_take_evidence(s, err));
    }
    *next = ATLS_STEP_DONE;
    link->when_s = s->when_s;
    return link->binding->exchange != NULL ? link->binding->exchange(link, next, err) : ATLS_OK;
}

/* Writes what waits. While there is no room for it the peer is read from: two large messages must not block each other. */
static atls_code write_out(atls_session *s, atls_err *err)
{
    const atls_link *link = &s->dialect->link;
    for (;;) {
        atls_code rc = flush(s, err);
        if (rc != ATLS_WANT_WRITE || link->in_len >= link->binding->in_max) {
            return rc;
        }
        rc = read_more(s, err);
        if (rc != ATLS_OK) {
            return rc == ATLS_WANT_READ ? ATLS_WANT_WRITE : rc;
        }
    }
}

static atls_code take_steps(atls_session *s, atls_err *err)
{
    for (;;) {
        atls_step next;
        ATLS_TRY(write_out(s, err));
        if (s->dialect->done) {
            return open_session(s, err);
        }
        if (s->dialect->judging) {
            ATLS_TRY(judge(s, err));
        }
        if (s->dialect->reading) {
            ATLS_TRY(read_more(s, err));
            s->dialect->reading = false;
        }
        atls_code rc = step(s, &next, err);
        if (rc != ATLS_OK) { /* what the dialect tells the peer about it, as far as there is room */
            atls_err ignored;
            (void)flush(s, &ignored);
            return rc;
        }
        switch (next) {
        case ATLS_STEP_DONE:
            s->dialect->done = true;
            break;
        case ATLS_STEP_READ:
            s->dialect->reading = true;
            break;
        case ATLS_STEP_EVIDENCE:
            ATLS_TRY(atls_dialect_start_job(s, err));
            break;
        case ATLS_STEP_JUDGE:
            ATLS_TRY(judge(s, err));
            break;
        }
    }
}

atls_code atls_dialect_exchange(atls_session *s, atls_err *err)
{
    atls_code rc = take_steps(s, err);
    if (rc != ATLS_OK && rc < ATLS_WANT_READ) {
        atls_ask_keep_refusal(s, rc, err);
    }
    return rc;
}
