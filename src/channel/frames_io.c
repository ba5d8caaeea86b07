/* frames_io.c: frames through SSL_read and SSL_write. One SSL_write a frame, so that a data frame is one TLS
 * record; nothing is allocated before type, length and turn are checked. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/err.h"
#include "channel/session.h"

/* --- out --- */

atls_code atls_frames_queue(atls_session *s, uint8_t type, atls_buf a, atls_buf b, atls_err *err)
{
    size_t len = a.len + b.len;
    if (s->close_sent) {
        return ATLS_OK; /* nothing follows our close frame: a round that was under way ends unanswered */
    }
    if (len > atls1_frame_limit(type)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "frame.too_large",
                        "a frame of type %u with %zu bytes, at most %u fit", (unsigned)type, len,
                        (unsigned)atls1_frame_limit(type));
    }
    atls_frame_out *f = malloc(sizeof *f + ATLS1_FRAME_HEADER + len);
    if (f == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *f = (atls_frame_out){.len = ATLS1_FRAME_HEADER + len};
    atls1_frame_header_write(type, (uint32_t)len, f->bytes);
    if (a.len > 0) {
        memcpy(f->bytes + ATLS1_FRAME_HEADER, a.ptr, a.len);
    }
    if (b.len > 0) {
        memcpy(f->bytes + ATLS1_FRAME_HEADER + a.len, b.ptr, b.len);
    }
    if (s->out_last != NULL) {
        s->out_last->next = f;
    } else {
        s->out_first = f;
    }
    s->out_last = f;
    s->queued += f->len;
    return ATLS_OK;
}

static void written(atls_session *s, size_t n)
{
    atls_frame_out *f = s->out_first;
    f->sent += n;
    s->written += n;
    if (f->sent < f->len) {
        return;
    }
    s->out_first = f->next;
    if (f->next == NULL) {
        s->out_last = NULL;
    }
    free(f);
}

atls_code atls_frames_flush(atls_session *s, atls_err *err)
{
    while (s->out_first != NULL) {
        atls_frame_out *f = s->out_first;
        size_t n = 0;
        ERR_clear_error();
        int ret = SSL_write_ex(s->ssl, f->bytes + f->sent, f->len - f->sent, &n);
        if (ret != 1) {
            atls_code rc = atls_tls_failure(s, ret, err);
            return rc == ATLS_WANT_READ ? ATLS_WANT_WRITE : rc;
        }
        written(s, n);
    }
    return ATLS_OK;
}

/* --- in --- */

/* design 4.1: data read before our own accept was sent, or before the peer's was read, is not due. */
bool atls_frames_gate_open(const atls_session *s)
{
    bool we_accept = s->ask.state == ASK_NOTHING || s->ask.accepted_n > 0;
    return we_accept && s->written >= s->ask.accept_at && s->answer.accepted;
}

/* Is a frame of this type due? Told from the header alone, so that what is not due costs no memory. */
static bool frame_due(const atls_session *s, uint8_t type)
{
    bool first = s->answer.state == ANSWER_FIRST;
    switch (type) {
    case ATLS1_FRAME_REQUEST:
        return first || s->answer.state == ANSWER_ACCEPTED;
    case ATLS1_FRAME_AUTHENTICATOR:
        return !first && s->ask.state == ASK_REQUESTED;
    case ATLS1_FRAME_ATTACHMENT:
        return s->ask.state == ASK_ATTACHMENT;
    case ATLS1_FRAME_VERDICT:
        /* Who accepts what cannot have come could ask again and again, and never read. */
        return first || (s->answer.state == ANSWER_SHOWN && s->written >= s->answer.shown_at);
    case ATLS1_FRAME_DATA:
        return atls_frames_gate_open(s);
    case ATLS1_FRAME_CLOSE:
        return !first;
    default:
        return false;
    }
}

static atls_code header_done(atls_session *s, atls_err *err)
{
    atls_frame_in *in = &s->in;
    ATLS_TRY(atls1_frame_header_parse(in->header, &in->type, &in->len, err));
    if (!frame_due(s, in->type)) {
        return in->type == ATLS1_FRAME_DATA
                   ? ATLS_ERR(err, ATLS_E_INVALID, "frame.early_data",
                              "the peer sent data before both verdicts")
                   : ATLS_ERR(err, ATLS_E_INVALID, "frame.not_due",
                              "a frame of type %u came out of turn", (unsigned)in->type);
    }
    if (in->type == ATLS1_FRAME_ATTACHMENT && in->len != s->ask.attachment_len) {
        return ATLS_ERR(err, ATLS_E_INVALID, "attachment.length",
                        "an attachment of %u bytes, %u were announced", (unsigned)in->len,
                        (unsigned)s->ask.attachment_len);
    }
    if (in->len == 0 && in->type != ATLS1_FRAME_CLOSE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "frame.length", "a frame of type %u is empty",
                        (unsigned)in->type);
    }
    if (in->type != ATLS1_FRAME_DATA && in->len > 0) {
        in->payload = malloc(in->len);
        if (in->payload == NULL) {
            return ATLS_ERR_NOMEM(err);
        }
    }
    return ATLS_OK;
}

static atls_code tls_read(atls_session *s, uint8_t *out, size_t cap, size_t *n, atls_err *err)
{
    ERR_clear_error();
    int ret = SSL_read_ex(s->ssl, out, cap, n);
    if (ret == 1) {
        return ATLS_OK;
    }
    atls_code rc = atls_tls_failure(s, ret, err);
    return rc == ATLS_WANT_WRITE ? ATLS_WANT_READ : rc;
}

atls_code atls_frames_read(atls_session *s, atls_err *err)
{
    atls_frame_in *in = &s->in;
    size_t n = 0;
    while (in->header_got < ATLS1_FRAME_HEADER) {
        ATLS_TRY(
            tls_read(s, in->header + in->header_got, ATLS1_FRAME_HEADER - in->header_got, &n, err));
        in->header_got += n;
        if (in->header_got == ATLS1_FRAME_HEADER) {
            ATLS_TRY(header_done(s, err));
        }
    }
    while (in->type != ATLS1_FRAME_DATA && in->got < in->len) {
        ATLS_TRY(tls_read(s, in->payload + in->got, in->len - in->got, &n, err));
        in->got += (uint32_t)n;
    }
    return ATLS_OK;
}

atls_code atls_frames_read_data(atls_session *s, uint8_t *out, size_t cap, size_t *done,
                                atls_err *err)
{
    atls_frame_in *in = &s->in;
    size_t left = in->len - in->got;
    size_t n = 0;
    ATLS_TRY(tls_read(s, out, cap < left ? cap : left, &n, err));
    in->got += (uint32_t)n;
    if (in->got == in->len) {
        atls_frames_next(s);
    }
    *done = n;
    return ATLS_OK;
}

void atls_frames_next(atls_session *s)
{
    free(s->in.payload);
    memset(&s->in, 0, sizeof s->in);
}

void atls_frames_drop(atls_session *s)
{
    atls_frames_next(s);
    while (s->out_first != NULL) {
        atls_frame_out *next = s->out_first->next;
        free(s->out_first);
        s->out_first = next;
    }
    s->out_last = NULL;
}
