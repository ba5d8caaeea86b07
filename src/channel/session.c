/* session.c: the session as its user sees it. */
#include "channel/gather.h"
#include "channel/session.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/err.h"

/* --- birth and death --- */

static atls_code check_setup(const atls_config *c, const SSL *ssl, atls_role role, atls_err *err)
{
    if (c->verifier == NULL && c->attester == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.empty",
                        "neither a verifier nor an attester is set");
    }
    if (c->attester != NULL && c->leaf == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.identity",
                        "an attester needs an identity to attest");
    }
    if (c->attest_after_peer && (role != ATLS_SERVER || c->verifier == NULL)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "config.after_peer",
                        "only a server that asks for evidence may hold its own back");
    }
    if (!SSL_in_before(ssl) && SSL_is_server(ssl) != (role == ATLS_SERVER)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "tls.role",
                        "the SSL is not of the role that the session was given");
    }
    return ATLS_OK;
}

atls_code atls_session_new(const atls_config *c, SSL *ssl, atls_role role, uint64_t now_ms,
                           int64_t when_s, atls_session **out, atls_err *err)
{
    ATLS_TRY(check_setup(c, ssl, role, err));
    atls_session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    s->config = c;
    s->ssl = ssl;
    s->role = role;
    s->now_ms = now_ms;
    s->when_s = when_s;
    s->deadline_ms = now_ms > UINT64_MAX - c->timeout_ms ? UINT64_MAX : now_ms + c->timeout_ms;
    s->ask.answer_due = s->ask.stand_until = s->ask.again_at = UINT64_MAX;
    if (SSL_in_before(ssl)) {
        if (role == ATLS_SERVER) {
            SSL_set_accept_state(ssl);
        } else {
            SSL_set_connect_state(ssl);
        }
    }
    /* A peer that sends nothing but tickets must not keep us inside one call until the deadline is past. */
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    (void)SSL_set_num_tickets(ssl, 0); /* whatever the caller's context says */
    X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), (time_t)when_s);
    if (atls_config_has_dialects(c)) {
        atls_code rc = atls_dialect_new(s, err);
        if (rc != ATLS_OK) {
            atls_session_free(s);
            return rc;
        }
    }
    *out = s;
    return ATLS_OK;
}

void atls_session_free(atls_session *s)
{
    if (s == NULL) {
        return;
    }
    atls_frames_drop(s);
    atls_dialect_free(s);
    atls_job_clear(&s->job);
    atls_verdict_free(s->ask.verdict);
    atls_gather_free(s);
    free(s->ask.held);
    free(s->ask.held_attachment);
    free(s->answer.request);
    OPENSSL_free(s->tls_spki);
    EVP_PKEY_free(s->tls_key);
    OPENSSL_free(s->pki_name);
    OPENSSL_cleanse(s, sizeof *s);
    free(s);
}

atls_code atls_session_end(atls_session *s, atls_code code, atls_err *err)
{
    /* OpenSSL may hold a part of it: nothing can follow */
    bool half_written = s->out_first != NULL || atls_stream_waits(s);
    if (SSL_is_init_finished(s->ssl) && !s->tls_broken && !half_written) {
        ERR_clear_error();
        (void)!SSL_shutdown(s->ssl);
        ERR_clear_error();
    }
    atls_frames_drop(s);
    OPENSSL_cleanse(&s->keys, sizeof s->keys);
    s->has_keys[0] = s->has_keys[1] = false;
    s->stage = STAGE_ENDED;
    s->end = *err;
    s->end.code = code;
    return code;
}

atls_code atls_session_keys(atls_session *s, atls_ea_sender sender, atls_err *err)
{
    if (!s->has_keys[sender]) {
        ATLS_TRY(atls_ea_keys_derive_of(&s->exporter, sender, &s->keys, err));
        s->has_keys[sender] = true;
    }
    return ATLS_OK;
}

/* --- the pump --- */

static atls_code take_frame(atls_session *s, atls_err *err)
{
    atls_buf payload = {s->in.payload, s->in.len};
    switch (s->in.type) {
    case ATLS1_FRAME_REQUEST:
        return atls_answer_request(s, payload, err);
    case ATLS1_FRAME_AUTHENTICATOR:
        return atls_ask_authenticator(s, payload, err);
    case ATLS1_FRAME_ATTACHMENT:
        return atls_ask_attachment(s, payload, err);
    case ATLS1_FRAME_VERDICT:
        return atls_answer_verdict(s, payload, err);
    case ATLS1_FRAME_CLOSE:
        if (s->stage != STAGE_OPEN) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "session.lost",
                            "the peer closed before both verdicts");
        }
        s->close_read = true;
        return ATLS_OK;
    default:
        return ATLS_ERR(err, ATLS_E_INVALID, "frame.not_due", "a frame of type %u",
                        (unsigned)s->in.type);
    }
}

/* What to wait for when nothing can be done now. Output that waits comes before input: WANT_WRITE says both. */
static atls_code what_is_wanted(atls_session *s)
{
    if (atls_session_get0_job(s) != NULL) {
        return ATLS_WANT_JOB;
    }
    return s->out_first != NULL ? ATLS_WANT_WRITE : ATLS_WANT_READ;
}

static bool is_ready(const atls_job *job)
{
    return job != NULL && atls_job_look(job) == JOB_READY;
}

static void open_when_due(atls_session *s)
{
    if (s->stage == STAGE_EXCHANGE && atls_frames_gate_open(s)) {
        s->stage = STAGE_OPEN;
        SSL_set_mode(s->ssl, SSL_MODE_AUTO_RETRY); /* from here on as OpenSSL does by default */
    }
}

/* Moves what can be moved. ATLS_OK: the session has opened (from the exchange), or a data frame or the close
 * frame is at hand; ATLS_WANT_*: nothing more can be done now. */
static atls_code pump(atls_session *s, atls_err *err)
{
    bool exchange = s->stage == STAGE_EXCHANGE;
    for (;;) {
        ATLS_TRY(atls_ask_advance(s, err));
        ATLS_TRY(atls_answer_advance(s, err));
        atls_code rc = atls_frames_flush(s, err);
        if (rc != ATLS_OK && rc != ATLS_WANT_WRITE) {
            return rc;
        }
        open_when_due(s);
        if ((exchange && s->stage == STAGE_OPEN) || s->close_read) {
            return ATLS_OK;
        }
        if (is_ready(atls_session_get0_job(s)) && !s->job_told && !exchange) {
            s->job_told = true;
            return ATLS_WANT_JOB; /* told once before data, which could come without end */
        }
        rc = atls_frames_read(s, err);
        if (rc == ATLS_WANT_READ) {
            return what_is_wanted(s);
        }
        ATLS_TRY(rc);
        if (s->in.type == ATLS1_FRAME_DATA) {
            return ATLS_OK;
        }
        rc = take_frame(s, err);
        atls_frames_next(s);
        ATLS_TRY(rc);
    }
}

/* --- calls --- */

static bool is_failure(atls_code rc)
{
    return rc != ATLS_OK && rc < ATLS_WANT_READ;
}

/* Every failure beyond this point is the session's end. */
static atls_code leave(atls_session *s, atls_code rc, atls_err *mine, atls_err *err)
{
    if (is_failure(rc)) {
        (void)atls_session_end(s, rc, mine);
        if (err != NULL) {
            *err = s->end;
        }
    }
    return rc;
}

static atls_code ended(const atls_session *s, atls_err *err)
{
    if (err != NULL) {
        *err = s->end;
    }
    return s->end.code;
}

static atls_code handshake(atls_session *s, atls_err *err)
{
    ATLS_TRY(atls_life_tick(s, err));
    if (s->stage == STAGE_TLS) {
        ATLS_TRY(atls_tls_handshake(s, err));
        s->stage = STAGE_EXCHANGE;
        if (!atls_session_is_plain(s)) {
            ATLS_TRY(atls_ask_first(s, err));
        }
    }
    if (s->stage == STAGE_OPEN) {
        return ATLS_OK;
    }
    return atls_session_is_plain(s) ? atls_dialect_exchange(s, err) : pump(s, err);
}

atls_code atls_session_handshake(atls_session *s, atls_err *err)
{
    atls_err mine = {0};
    return s->stage == STAGE_ENDED ? ended(s, err) : leave(s, handshake(s, &mine), &mine, err);
}

static atls_code read_data(atls_session *s, uint8_t *out, size_t cap, size_t *done, atls_err *err)
{
    ATLS_TRY(atls_life_tick(s, err));
    if (s->close_read) {
        return ATLS_OK;
    }
    if (atls_session_is_plain(s)) {
        return atls_stream_read(s, out, cap, done, err);
    }
    ATLS_TRY(pump(s, err));
    if (s->close_read) {
        return ATLS_OK;
    }
    atls_code rc = atls_frames_read_data(s, out, cap, done, err);
    return rc == ATLS_WANT_READ ? what_is_wanted(s) : rc;
}

atls_code atls_session_read(atls_session *s, uint8_t *out, size_t cap, size_t *done, atls_err *err)
{
    atls_err mine = {0};
    *done = 0;
    if (s->stage == STAGE_ENDED) {
        return ended(s, err);
    }
    if (s->stage != STAGE_OPEN || cap == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.usage", "%s",
                        cap == 0 ? "no room to read into" : "the handshake is not over");
    }
    return leave(s, read_data(s, out, cap, done, &mine), &mine, err);
}

static atls_code advance(atls_session *s, atls_err *err)
{
    ATLS_TRY(atls_life_tick(s, err));
    return atls_session_is_plain(s) ? atls_stream_advance(s, err) : pump(s, err);
}

atls_code atls_session_advance(atls_session *s, atls_err *err)
{
    atls_err mine = {0};
    if (s->stage == STAGE_ENDED) {
        return ended(s, err);
    }
    if (s->stage != STAGE_OPEN) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.usage", "the handshake is not over");
    }
    return leave(s, advance(s, &mine), &mine, err);
}

static bool exchange_goes_on(const atls_session *s)
{
    return atls_ask_outstanding(s) || s->answer.state == ANSWER_JOB ||
           s->answer.state == ANSWER_SHOWN;
}

static atls_code write_data(atls_session *s, const uint8_t *data, size_t len, size_t *done,
                            atls_err *err)
{
    ATLS_TRY(atls_life_tick(s, err));
    if (atls_session_is_plain(s)) {
        return atls_stream_write(s, data, len, done, err);
    }
    atls_code rc = atls_frames_flush(s, err);
    while (rc == ATLS_OK && *done < len) {
        size_t n = len - *done < ATLS1_DATA_MAX ? len - *done : ATLS1_DATA_MAX;
        ATLS_TRY(atls_frames_queue(s, ATLS1_FRAME_DATA, (atls_buf){data + *done, n},
                                   (atls_buf){NULL, 0}, err));
        *done += n;
        rc = atls_frames_flush(s, err);
    }
    if (is_failure(rc)) {
        return rc;
    }
    if (rc == ATLS_WANT_WRITE || exchange_goes_on(s)) {
        /* The peer may be waiting for us to read, as we wait for it: two large frames must not block each other. */
        atls_code read_rc = pump(s, err);
        s->job_told = false; /* a writer is not told of jobs: the next read tells */
        if (is_failure(read_rc)) {
            return read_rc;
        }
    }
    return *done > 0 ? ATLS_OK : ATLS_WANT_WRITE;
}

atls_code atls_session_write(atls_session *s, const uint8_t *data, size_t len, size_t *done,
                             atls_err *err)
{
    atls_err mine = {0};
    *done = 0;
    if (s->stage == STAGE_ENDED) {
        return ended(s, err);
    }
    if (s->stage != STAGE_OPEN || s->close_sent) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.usage", "%s",
                        s->close_sent ? "the session is shut down" : "the handshake is not over");
    }
    if (len == 0) {
        return ATLS_OK;
    }
    atls_code rc = leave(s, write_data(s, data, len, done, &mine), &mine, err);
    if (is_failure(rc)) {
        *done = 0;
    }
    return rc;
}

static atls_code shut_down(atls_session *s, atls_err *err)
{
    ATLS_TRY(atls_life_tick(s, err));
    bool plain = atls_session_is_plain(s); /* close_notify alone says it there */
    if (!s->close_sent && !plain) {
        ATLS_TRY(
            atls_frames_queue(s, ATLS1_FRAME_CLOSE, (atls_buf){NULL, 0}, (atls_buf){NULL, 0}, err));
    }
    s->close_sent = true;
    ATLS_TRY(plain ? atls_stream_flush(s, err) : atls_frames_flush(s, err));
    ERR_clear_error();
    int ret = SSL_shutdown(s->ssl);
    if (ret < 0) {
        atls_code rc = atls_tls_failure(s, ret, err);
        return rc == ATLS_WANT_READ ? ATLS_OK : rc; /* ours is out; the peer's may follow */
    }
    return ATLS_OK;
}

atls_code atls_session_shutdown(atls_session *s, atls_err *err)
{
    atls_err mine = {0};
    if (s->stage == STAGE_ENDED) {
        return ended(s, err);
    }
    if (s->stage != STAGE_OPEN) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.usage", "the handshake is not over");
    }
    return leave(s, shut_down(s, &mine), &mine, err);
}

/* --- looking --- */

void atls_session_set_time(atls_session *s, uint64_t now_ms, int64_t when_s)
{
    s->now_ms = now_ms > s->now_ms ? now_ms : s->now_ms; /* a monotonic clock does not go back */
    s->when_s = when_s;
}

atls_job *atls_session_get0_job(atls_session *s)
{
    const bool quote = atls_job_look(&s->job) == JOB_READY || atls_job_look(&s->job) == JOB_RUNNING;
    const bool gather = atls_gather_goes_on(s);
    if (gather && (!quote || is_ready(s->gather))) { /* one that nobody has taken yet comes first */
        return s->gather;
    }
    return quote ? &s->job : NULL;
}

bool atls_session_wants_write(const atls_session *s)
{
    return s->out_first != NULL || atls_stream_waits(s);
}

const char *atls_session_get0_binding(const atls_session *s)
{
    if (atls_session_is_plain(s)) {
        return s->dialect->link.binding->name;
    }
    bool settled = s->dialect == NULL || s->stage == STAGE_EXCHANGE || s->stage == STAGE_OPEN;
    return settled ? atls_binding_atls1.name : NULL;
}

const atls_verdict *atls_session_get0_verdict(const atls_session *s)
{
    return s->ask.verdict;
}

bool atls_session_peer_accepted(const atls_session *s)
{
    return s->answer.accepted;
}

unsigned atls_session_rounds(const atls_session *s)
{
    return s->ask.accepted_n;
}
