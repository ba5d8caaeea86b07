/* answer.c: our half as the attester: the peer's request, our evidence, the peer's verdict on it. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/err.h"
#include "base/reader.h"
#include "channel/session.h"
#include "crypto/digest.h"

#define PAYLOAD_ROOM                                                                               \
    (ATLS_EA_CMW_MAX - 1024) /* bytes of parts that surely fit, beside names and heads */

/* --- the request --- */

/* Contexts never repeat: the requester's role, its round without gaps, and random bytes. */
static atls_code check_context(const atls_session *s, atls_buf context, atls_err *err)
{
    if (context.len != ATLS1_CONTEXT_LEN) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.context",
                        "a context of %zu bytes, where %d are wanted", context.len,
                        ATLS1_CONTEXT_LEN);
    }
    atls_reader r = atls_reader_of(context);
    uint8_t role = atls_reader_u8(&r);
    uint32_t round = atls_reader_u32be(&r);
    if (role != (uint8_t)atls_other(s->role)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.context",
                        "a context of role %u, where %u is wanted", (unsigned)role,
                        (unsigned)atls_other(s->role));
    }
    if (round != s->answer.next_round) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.context",
                        "a context of round %u, where %u is wanted", (unsigned)round,
                        (unsigned)s->answer.next_round);
    }
    return ATLS_OK;
}

static atls_code report_data(const atls_session *s, atls_report_data *out, atls_err *err)
{
    uint8_t binder_bytes[48];
    ATLS_TRY(atls_ea_binder(&s->exporter, (atls_buf){s->config->spki, s->config->spki_len},
                            (atls_buf){s->answer.context, sizeof s->answer.context}, binder_bytes,
                            err));
    const atls_buf binder = {binder_bytes, atls_hash_len(s->exporter.hash)};
    out->spki = s->config->spki;
    out->spki_len = s->config->spki_len;
    ATLS_TRY(atls1_short_data((uint8_t)s->role, binder, out->narrow, err));
    return atls1_report_data((uint8_t)s->role, binder, out->wide, err);
}

static atls_code parse_request(const atls_session *s, atls_ea_request *out, atls_err *err)
{
    return atls_ea_request_parse((atls_buf){s->answer.request, s->answer.request_len},
                                 (atls_ea_sender)s->role, ATLS_EA_CMW_TYPE, out, err);
}

static atls_code answer_empty(atls_session *s, atls_err *err)
{
    atls_ea_request request;
    uint8_t space[4 + 48];
    atls_buf raw = {NULL, 0};
    ATLS_TRY(parse_request(s, &request, err));
    ATLS_TRY(atls_session_keys(s, (atls_ea_sender)s->role, err));
    ATLS_TRY(atls_ea_build_empty(&s->keys, &request, space, sizeof space, &raw, err));
    ATLS_TRY(atls_frames_queue(s, ATLS1_FRAME_AUTHENTICATOR, raw, (atls_buf){NULL, 0}, err));
    s->answer.shown_at = s->queued;
    s->answer.state = ANSWER_SHOWN;
    return ATLS_OK;
}

static atls_code start_job(atls_session *s, atls_err *err)
{
    atls_report_data data;
    ATLS_TRY(report_data(s, &data, err));
    atls_job_prepare(&s->job, s->config->attester, &data);
    s->job_told = false;
    s->answer.state = ANSWER_JOB;
    return ATLS_OK;
}

atls_code atls_answer_request(atls_session *s, atls_buf bytes, atls_err *err)
{
    atls_answer *a = &s->answer;
    atls_ea_request request;
    ATLS_TRY(
        atls_ea_request_parse(bytes, (atls_ea_sender)s->role, ATLS_EA_CMW_TYPE, &request, err));
    ATLS_TRY(check_context(s, request.context, err));
    if (!request.wants_cmw) {
        return ATLS_ERR(err, ATLS_E_INVALID, "session.request",
                        "a request that does not ask for evidence");
    }
    /* A peer's clock, and a call that knows the time of its beginning only, may be some milliseconds apart from ours. */
    const uint32_t gap_ms = s->config->round_gap_ms - s->config->round_gap_ms / 16;
    if (a->next_round > 0 && s->now_ms - a->request_ms < gap_ms) {
        return ATLS_ERR(err, ATLS_E_INVALID, "session.rate",
                        "a request %u ms after the one before, at least %u are wanted",
                        (unsigned)(s->now_ms - a->request_ms), (unsigned)gap_ms);
    }
    uint8_t *copy = malloc(bytes.len);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, bytes.ptr, bytes.len);
    free(a->request);
    a->request = copy;
    a->request_len = bytes.len;
    memcpy(a->context, request.context.ptr, sizeof a->context);
    a->request_ms = s->now_ms;
    a->next_round++;
    if (s->close_sent) {
        return ATLS_OK;
    }
    if (s->config->attester == NULL) {
        return answer_empty(s, err);
    }
    a->state = ANSWER_HELD;
    return atls_answer_advance(s, err);
}

/* --- the authenticator --- */

static atls_code show(atls_session *s, atls_buf cmw, atls_err *err)
{
    atls_ea_request request;
    uint8_t *authenticator = NULL;
    size_t len = 0;
    ATLS_TRY(parse_request(s, &request, err));
    ATLS_TRY(atls_session_keys(s, (atls_ea_sender)s->role, err));
    if (s->config->verifier != NULL) { /* the peer could send it back */
        ATLS_TRY(atls_digest(ATLS_SHA256, &cmw, 1, s->answer.payload_sha256, err));
        s->answer.shown = true;
    }
    X509 *const chain[] = {s->config->leaf};
    ATLS_TRY(atls_ea_build(&s->keys, &request, chain, 1, s->config->key, cmw, ATLS_EA_CMW_TYPE,
                           &authenticator, &len, err));
    atls_code rc = atls_frames_queue(s, ATLS1_FRAME_AUTHENTICATOR, (atls_buf){authenticator, len},
                                     (atls_buf){NULL, 0}, err);
    s->answer.shown_at = s->queued;
    free(authenticator);
    return rc;
}

/* The attester's evidence as a payload. An event log that does not fit is announced, and follows in a frame of its
 * own: *attachment is set then. Views point into the job's evidence. */
static void make_payload(const atls_evidence_blob *blob, atls1_payload *out, atls_buf *attachment)
{
    size_t total = 0;
    *out = (atls1_payload){.evidence.type = blob->type};
    *attachment = (atls_buf){NULL, 0};
    for (size_t i = 0; i < blob->parts_n; i++) {
        total += blob->parts[i].len;
    }
    for (size_t i = 0; i < blob->parts_n && i < ATLS_EVIDENCE_PARTS; i++) {
        atls_buf part = {blob->parts[i].bytes, blob->parts[i].len};
        if (i > 0 && total > PAYLOAD_ROOM && part.len <= ATLS1_ATTACHMENT_MAX &&
            strcmp(blob->parts[i].name, "event_log") == 0) {
            *attachment = part;
            continue;
        }
        out->evidence.parts[out->evidence.parts_n].name = blob->parts[i].name;
        out->evidence.parts[out->evidence.parts_n].bytes = part;
        out->evidence.parts_n++;
    }
}

static atls_code show_evidence(atls_session *s, const atls_evidence_blob *blob, atls_err *err)
{
    atls1_payload payload;
    atls_buf attachment;
    uint8_t *cmw = NULL;
    size_t len = 0;
    make_payload(blob, &payload, &attachment);
    if (attachment.len > 0) {
        payload.has_attachment = true;
        payload.attachment_len = (uint32_t)attachment.len;
        ATLS_TRY(atls_digest(ATLS_SHA256, &attachment, 1, payload.attachment_sha256, err));
    }
    ATLS_TRY(atls1_payload_encode(&payload, &cmw, &len, err));
    atls_code rc = show(s, (atls_buf){cmw, len}, err);
    free(cmw);
    if (rc == ATLS_OK && attachment.len > 0) {
        rc = atls_frames_queue(s, ATLS1_FRAME_ATTACHMENT, attachment, (atls_buf){NULL, 0}, err);
        s->answer.shown_at = s->queued; /* no verdict is due before all of it has been written */
    }
    return rc;
}

/* An authenticated refusal tells the peer at once; our own caller gets the reason. */
static atls_code attester_failed(atls_session *s, atls_err *err)
{
    atls_code rc = s->job.code < ATLS_WANT_READ ? s->job.code : ATLS_E_SYSTEM;
    if (answer_empty(s, err) == ATLS_OK) {
        (void)!atls_frames_flush(s, err);
    }
    if (s->job.err.check == NULL) {
        return ATLS_ERR(err, rc, "attester.failed", "the attester \"%s\" made no evidence",
                        s->job.attester->name);
    }
    *err = s->job.err;
    err->code = rc;
    return rc;
}

static atls_code finish_job(atls_session *s, atls_err *err)
{
    atls_code rc =
        s->job.code == ATLS_OK ? show_evidence(s, &s->job.evidence, err) : attester_failed(s, err);
    if (rc == ATLS_OK) {
        s->answer.state = ANSWER_SHOWN;
    }
    atls_job_clear(&s->job);
    return rc;
}

atls_code atls_answer_advance(atls_session *s, atls_err *err)
{
    if (s->answer.state == ANSWER_HELD) {
        bool wait = s->config->attest_after_peer && s->ask.accepted_n == 0;
        return wait ? ATLS_OK : start_job(s, err);
    }
    if (s->answer.state == ANSWER_JOB && atls_job_look(&s->job) == JOB_DONE) {
        return finish_job(s, err);
    }
    return ATLS_OK;
}

/* --- the peer's verdict --- */

static atls_code nothing_asked(atls_session *s, uint8_t verdict, atls_buf context, atls_err *err)
{
    if (verdict != 0 || context.len != 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.verdict_context",
                        "a verdict on an authenticator that was never sent");
    }
    if (s->config->verifier == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "session.nothing_asked",
                        "neither side asks for evidence");
    }
    s->answer.state = ANSWER_NOTHING;
    s->answer.accepted = true;
    return ATLS_OK;
}

atls_code atls_answer_verdict(atls_session *s, atls_buf bytes, atls_err *err)
{
    atls_answer *a = &s->answer;
    atls_reader r = atls_reader_of(bytes);
    uint8_t verdict = atls_reader_u8(&r);
    atls_buf context = atls_reader_rest(&r);
    if (verdict > 1) {
        return ATLS_ERR(err, ATLS_E_INVALID, "session.verdict_value",
                        "a verdict of %u, where 0 or 1 is wanted", (unsigned)verdict);
    }
    if (a->state == ANSWER_FIRST) {
        return nothing_asked(s, verdict, context, err);
    }
    if (context.len != sizeof a->context ||
        CRYPTO_memcmp(context.ptr, a->context, sizeof a->context) != 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.verdict_context",
                        "a verdict that names no authenticator of ours");
    }
    if (verdict != 0) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.refused", "the peer refuses our evidence");
    }
    a->state = ANSWER_ACCEPTED;
    a->accepted = true;
    free(a->request);
    a->request = NULL;
    a->request_len = 0;
    return ATLS_OK;
}
