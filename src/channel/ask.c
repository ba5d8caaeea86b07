/* ask.c: our half as the verifier: the request, the judging of what comes back, our verdict. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/err.h"
#include "channel/gather.h"
#include "channel/session.h"
#include "claims/evidence_parts.h"
#include "crypto/digest.h"

#define VERDICT_ACCEPTED 0
#define VERDICT_REFUSED  1

/* --- asking --- */

atls_code atls_ask_request(atls_session *s, atls_err *err)
{
    atls_ask *ask = &s->ask;
    uint8_t random[27];
    int filled = s->config->fill != NULL ? s->config->fill(random, sizeof random)
                                         : RAND_bytes(random, (int)sizeof random);
    if (filled != 1) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "system.random", "no random bytes for a context");
    }
    atls_buf raw = {NULL, 0};
    atls1_context((uint8_t)s->role, ask->round, random, ask->context);
    ATLS_TRY(atls_ea_request_build((atls_ea_sender)atls_other(s->role),
                                   (atls_buf){ask->context, sizeof ask->context}, true,
                                   ATLS_EA_CMW_TYPE, ask->request, sizeof ask->request, &raw, err));
    ask->request_len = raw.len;
    ask->state = ASK_REQUESTED;
    return atls_frames_queue(s, ATLS1_FRAME_REQUEST, raw, (atls_buf){NULL, 0}, err);
}

atls_code atls_ask_first(atls_session *s, atls_err *err)
{
    static const uint8_t nothing_asked[] = {VERDICT_ACCEPTED}; /* with an empty context */
    if (s->config->verifier != NULL) {
        return atls_ask_request(s, err);
    }
    s->ask.state = ASK_NOTHING;
    ATLS_TRY(atls_frames_queue(s, ATLS1_FRAME_VERDICT,
                               (atls_buf){nothing_asked, sizeof nothing_asked}, (atls_buf){NULL, 0},
                               err));
    s->ask.accept_at = s->queued;
    return ATLS_OK;
}

bool atls_ask_outstanding(const atls_session *s)
{
    return s->ask.state == ASK_REQUESTED || s->ask.state == ASK_ATTACHMENT ||
           s->ask.state == ASK_GATHERING;
}

static atls_code queue_verdict(atls_session *s, uint8_t verdict, atls_err *err)
{
    return atls_frames_queue(s, ATLS1_FRAME_VERDICT, (atls_buf){&verdict, 1},
                             (atls_buf){s->ask.context, sizeof s->ask.context}, err);
}

/* --- judging --- */

static bool same_bytes(atls_buf a, const uint8_t *b, size_t b_len)
{
    return b != NULL && a.len == b_len && memcmp(a.ptr, b, b_len) == 0;
}

/* Whose key is it? Never ours, and over the life of a connection always the same. */
static atls_code check_key(const atls_session *s, const atls_ea *ea, const uint8_t key_sha256[32],
                           atls_err *err)
{
    if (same_bytes(ea->spki, s->config->spki, s->config->spki_len)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.own_key",
                        "the peer's authenticator has our own key");
    }
    if (s->ask.accepted_n > 0 && CRYPTO_memcmp(key_sha256, s->ask.key_sha256, 32) != 0) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.peer_changed",
                        "the peer shows another key than in its attestation before");
    }
    return ATLS_OK;
}

/* The TLS leaf, where there is one, has the key of the authenticator's, unless the matched workload allows two. Our own
 * configuration's two_keys is about our side: it says nothing of what a peer may do. */
static atls_code check_tls_key(const atls_session *s, const atls_ea *ea, const atls_verdict *v,
                               atls_err *err)
{
    if (s->tls_spki == NULL || same_bytes(ea->spki, s->tls_spki, s->tls_spki_len) ||
        atls_verdict_two_keys(v)) {
        return ATLS_OK;
    }
    return ATLS_ERR(err, ATLS_E_BINDING, "session.key",
                    "the authenticator's key is not that of the peer's TLS certificate");
}

/* design 4.1: evidence equal to what we sent is refused; the role in the report data has prevented it already. */
static atls_code check_reflection(const atls_session *s, atls_buf cmw, atls_err *err)
{
    uint8_t sha256[32];
    if (!s->answer.shown) {
        return ATLS_OK;
    }
    ATLS_TRY(atls_digest(ATLS_SHA256, &cmw, 1, sha256, err));
    if (memcmp(sha256, s->answer.payload_sha256, sizeof sha256) == 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "session.reflection",
                        "the peer sent our own evidence back");
    }
    return ATLS_OK;
}

/* From our own view of the connection, never from anything beside the evidence. */
static atls_code expect_report_data(const atls_session *s, atls_buf spki, const atls1_payload *p,
                                    atls_expected *out, atls_err *err)
{
    uint8_t attester = (uint8_t)atls_other(s->role);
    uint8_t binder_bytes[48];
    ATLS_TRY(atls_ea_binder(&s->exporter, spki, (atls_buf){s->ask.context, sizeof s->ask.context},
                            binder_bytes, err));
    atls_buf binder = {binder_bytes, atls_hash_len(s->exporter.hash)};
    out->has_report_data = out->has_short_data = true;
    if (!p->batched) {
        out->spki = spki;
        ATLS_TRY(atls1_short_data(attester, binder, out->short_data, err));
        return atls1_report_data(attester, binder, out->report_data, err);
    }
    uint8_t leaf[32];
    uint8_t root[32];
    ATLS_TRY(atls1_leaf(attester, binder, leaf, err));
    ATLS_TRY(atls1_root(leaf, p->index, p->size, p->path, root, err));
    ATLS_TRY(atls1_batch_short_data(p->size, root, out->short_data, err));
    return atls1_batch_report_data(p->size, root, out->report_data, err);
}

static atls_code add_attachment(atls_evidence *evidence, atls_buf attachment, atls_err *err)
{
    static const char name[] = "event_log";
    const atls_evidence_type *type = atls_evidence_type_find(
        (atls_buf){(const uint8_t *)evidence->type, strlen(evidence->type)});
    for (size_t i = 0; i < evidence->parts_n; i++) {
        if (strcmp(evidence->parts[i].name, name) == 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "attachment.twice",
                            "an event log came both in the authenticator and as attachment");
        }
    }
    if (type == NULL || evidence->parts_n == ATLS_EVIDENCE_PARTS ||
        atls_evidence_type_part(type, (atls_buf){(const uint8_t *)name, sizeof name - 1}) ==
            ATLS_PARTS_OF_A_TYPE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "attachment.parts",
                        "evidence of type %s has no event log, or %d parts beside it",
                        evidence->type, ATLS_EVIDENCE_PARTS);
    }
    evidence->parts[evidence->parts_n].name = name;
    evidence->parts[evidence->parts_n].bytes = attachment;
    evidence->parts_n++;
    return ATLS_OK;
}

static atls_code verdict_failure(const atls_verdict *v, atls_err *err)
{
    return ATLS_ERR(err, atls_verdict_code(v), atls_verdict_check(v), "%s",
                    atls_verdict_message(v));
}

/* An accepted verdict still has to fit this connection, and the verdicts before it. */
static atls_code check_verdict(const atls_session *s, const atls_ea *ea, const atls_verdict *v,
                               atls_err *err)
{
    if (!atls_verdict_accepted(v)) {
        return verdict_failure(v, err);
    }
    ATLS_TRY(check_tls_key(s, ea, v, err));
    if (s->ask.accepted_n > 0 && !atls_verdict_same_peer(s->ask.verdict, v)) {
        return ATLS_ERR(
            err, ATLS_E_POLICY, "session.peer_changed",
            "the new evidence names another workload, family or platform than the one before");
    }
    return ATLS_OK;
}

/* A copy of its own; what stood there before is freed. */
static atls_code hold(uint8_t **held, size_t *held_len, atls_buf bytes, atls_err *err)
{
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, bytes.ptr, bytes.len);
    free(*held);
    *held = copy;
    *held_len = bytes.len;
    return ATLS_OK;
}

static void drop_held(atls_ask *ask)
{
    free(ask->held);
    free(ask->held_attachment);
    ask->held = ask->held_attachment = NULL;
    ask->held_len = ask->held_attachment_len = 0;
}

/* The same view of the copy, if it is one of the original. */
static void move_view(atls_buf *view, atls_buf from, const uint8_t *to)
{
    const uintptr_t at = (uintptr_t)view->ptr - (uintptr_t)from.ptr;
    if (view->len > 0 && at < from.len) {
        view->ptr = to + at;
    }
}

/* Once a judgement: what the job and the judging behind it look at is copied, as the frame's memory is not ours to keep. */
static atls_code gather_for(atls_session *s, atls_buf bytes, atls_buf attachment,
                            const atls_evidence *evidence, atls_err *err)
{
    atls_ask *ask = &s->ask;
    atls_evidence moved = *evidence;
    if (bytes.ptr != ask->held) {
        ATLS_TRY(hold(&ask->held, &ask->held_len, bytes, err));
    }
    if (attachment.ptr != NULL) {
        ATLS_TRY(hold(&ask->held_attachment, &ask->held_attachment_len, attachment, err));
    }
    for (size_t i = 0; i < moved.parts_n; i++) {
        move_view(&moved.parts[i].bytes, bytes, ask->held);
        move_view(&moved.parts[i].bytes, attachment, ask->held_attachment);
    }
    ATLS_TRY(atls_gather_start(s, &moved, err));
    ask->state = ASK_GATHERING;
    return ATLS_WANT_JOB;
}

/* The authenticator is genuine, and the peer's: now its evidence. The verdict is kept either way. */
static atls_code judge_evidence(atls_session *s, const atls_ea *ea, const atls1_payload *payload,
                                const atls_evidence *evidence, atls_err *err)
{
    atls_expected expected = {
        .binding = ATLS_BINDING_SESSION,
        .binding_name = atls_binding_atls1.name,
        .binding_line = atls_binding_atls1.line,
        .pki_name = s->pki_name,
    };
    ATLS_TRY(expect_report_data(s, ea->spki, payload, &expected, err));
    atls_verdict *v = atls_verifier_check(s->config->verifier, evidence, &expected, s->when_s, err);
    if (v == NULL) {
        return ATLS_E_SYSTEM;
    }
    atls_code rc = check_verdict(s, ea, v, err);
    if (atls_gather_may_help(s, rc, evidence)) {
        atls_verdict_free(v);
        return ATLS_WANT_JOB;
    }
    atls_verdict_free(s->ask.verdict);
    s->ask.verdict = v;
    return rc;
}

/* Sends our accept, and sets how long it stands. */
static atls_code accept_peer(atls_session *s, const uint8_t key_sha256[32], atls_err *err)
{
    atls_ask *ask = &s->ask;
    memcpy(ask->key_sha256, key_sha256, 32);
    ask->state = ASK_ACCEPTED;
    ask->accepted_n++;
    ask->round++;
    ATLS_TRY(queue_verdict(s, VERDICT_ACCEPTED, err));
    if (ask->accepted_n == 1) {
        ask->accept_at = s->queued;
    }
    atls_life_accepted(s);
    return ATLS_OK;
}

static atls_code wait_for_attachment(atls_session *s, atls_buf bytes, const atls1_payload *payload,
                                     atls_err *err)
{
    atls_ask *ask = &s->ask;
    if (payload->attachment_len == 0 || payload->attachment_len > ATLS1_ATTACHMENT_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "attachment.length",
                        "an attachment of %u bytes is announced, at most %d fit",
                        (unsigned)payload->attachment_len, ATLS1_ATTACHMENT_MAX);
    }
    ATLS_TRY(hold(&ask->held, &ask->held_len, bytes, err));
    memcpy(ask->attachment_sha256, payload->attachment_sha256, sizeof ask->attachment_sha256);
    ask->attachment_len = payload->attachment_len;
    ask->state = ASK_ATTACHMENT;
    return ATLS_OK;
}

/* specification 3.1 in its order: structure and context, MAC, signature, then key, payload, evidence.
 * attachment.ptr NULL: none has come yet. */
static atls_code judge(atls_session *s, atls_buf bytes, atls_buf attachment, atls_err *err)
{
    atls_ea_request request;
    atls_ea ea;
    ATLS_TRY(atls_ea_request_parse((atls_buf){s->ask.request, s->ask.request_len},
                                   (atls_ea_sender)atls_other(s->role), ATLS_EA_CMW_TYPE, &request,
                                   err));
    ATLS_TRY(atls_ea_parse(bytes, &request, ATLS_EA_CMW_TYPE, &ea, err));
    if (same_bytes(ea.spki, s->tls_spki, s->tls_spki_len)) {
        ea.key = s->tls_key;
    }
    if (attachment.ptr == NULL) { /* otherwise these very bytes have passed it */
        ATLS_TRY(atls_session_keys(s, (atls_ea_sender)atls_other(s->role), err));
        ATLS_TRY(atls_ea_verify(&s->keys, &request, &ea, err));
    }
    if (ea.empty || ea.cmw.len == 0) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence", "the peer %s",
                        ea.empty ? "refuses to show evidence"
                                 : "shows a certificate without evidence");
    }
    uint8_t key_sha256[32];
    ATLS_TRY(atls_digest(ATLS_SHA256, &ea.spki, 1, key_sha256, err));
    ATLS_TRY(check_key(s, &ea, key_sha256, err));
    ATLS_TRY(check_reflection(s, ea.cmw, err));
    atls1_payload payload;
    ATLS_TRY(atls1_payload_parse(ea.cmw, &payload, err));
    if (payload.has_attachment && attachment.ptr == NULL) {
        return wait_for_attachment(s, bytes, &payload, err);
    }
    atls_evidence evidence = payload.evidence;
    if (attachment.ptr != NULL) {
        ATLS_TRY(add_attachment(&evidence, attachment, err));
    }
    atls_code rc = judge_evidence(s, &ea, &payload, &evidence, err);
    if (rc == ATLS_WANT_JOB) {
        return gather_for(s, bytes, attachment, &evidence, err);
    }
    ATLS_TRY(rc);
    return accept_peer(s, key_sha256, err);
}

/* A verdict that says accepted must not be what is left of a peer that was refused. */
void atls_ask_keep_refusal(atls_session *s, atls_code code, const atls_err *err)
{
    bool about_peer = code >= ATLS_E_COLLATERAL && code <= ATLS_E_BINDING;
    if (s->ask.verdict != NULL && !atls_verdict_accepted(s->ask.verdict)) {
        return; /* it says more */
    }
    atls_verdict_free(s->ask.verdict);
    s->ask.verdict = about_peer ? atls_verdict_refusal(err, s->when_s) : NULL;
}

/* A peer that we refuse is told so, but not why. Data that waits is not sent any more. */
static atls_code refuse(atls_session *s, atls_code code, const atls_err *err)
{
    bool data_waits = s->stage == STAGE_OPEN && s->out_first != NULL;
    atls_ask_keep_refusal(s, code, err);
    if (!data_waits && queue_verdict(s, VERDICT_REFUSED, NULL) == ATLS_OK) {
        (void)!atls_frames_flush(s, NULL); /* best effort: the refusal stands either way */
    }
    return code;
}

/* rc of judge(): what was held is dropped unless it is still needed. */
static atls_code judged(atls_session *s, atls_code rc, atls_err *err)
{
    if (s->ask.state == ASK_ATTACHMENT || s->ask.state == ASK_GATHERING) {
        if (rc == ATLS_OK || rc == ATLS_WANT_JOB) {
            return ATLS_OK; /* the frame has been taken */
        }
    }
    drop_held(&s->ask);
    return rc == ATLS_OK ? ATLS_OK : refuse(s, rc, err);
}

atls_code atls_ask_authenticator(atls_session *s, atls_buf bytes, atls_err *err)
{
    return judged(s, judge(s, bytes, (atls_buf){NULL, 0}, err), err);
}

atls_code atls_ask_attachment(atls_session *s, atls_buf bytes, atls_err *err)
{
    uint8_t sha256[32];
    ATLS_TRY(atls_digest(ATLS_SHA256, &bytes, 1, sha256, err));
    atls_code rc = ATLS_OK;
    if (memcmp(sha256, s->ask.attachment_sha256, sizeof sha256) != 0) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "attachment.hash",
                      "the attachment is not the one that the authenticator announced");
    } else {
        rc = judge(s, (atls_buf){s->ask.held, s->ask.held_len}, bytes, err);
    }
    return judged(s, rc, err);
}

atls_code atls_ask_advance(atls_session *s, atls_err *err)
{
    if (s->ask.state != ASK_GATHERING || atls_gather_goes_on(s)) {
        return ATLS_OK;
    }
    atls_ask *ask = &s->ask;
    atls_code rc = judge(s, (atls_buf){ask->held, ask->held_len},
                         (atls_buf){ask->held_attachment, ask->held_attachment_len}, err);
    atls_gather_free(s);
    drop_held(ask);
    return rc == ATLS_OK ? ATLS_OK : refuse(s, rc, err);
}
