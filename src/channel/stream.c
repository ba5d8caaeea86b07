/* stream.c: data as TLS carries it, for dialects without frames of their own. What SSL_write did not take is kept, so that a
 * caller need not come back with the same bytes. */
#include <string.h>

#include <openssl/err.h>

#include "base/err.h"
#include "channel/session.h"

bool atls_stream_waits(const atls_session *s)
{
    const atls_dialect *d = s->dialect;
    return d != NULL && (d->waiting_from < d->waiting_to || d->link.out_sent < d->link.out_len);
}

/* --- out --- */

atls_code atls_stream_flush(atls_session *s, atls_err *err)
{
    atls_dialect *d = s->dialect;
    while (d->waiting_from < d->waiting_to) {
        size_t n = 0;
        ERR_clear_error();
        int ret =
            SSL_write_ex(s->ssl, d->waiting + d->waiting_from, d->waiting_to - d->waiting_from, &n);
        if (ret != 1) {
            atls_code rc = atls_tls_failure(s, ret, err);
            return rc == ATLS_WANT_READ ? ATLS_WANT_WRITE : rc;
        }
        d->waiting_from += n;
    }
    OPENSSL_cleanse(d->waiting, d->waiting_to);
    d->waiting_from = d->waiting_to = 0;
    return ATLS_OK;
}

atls_code atls_stream_write(atls_session *s, const uint8_t *data, size_t len, size_t *done,
                            atls_err *err)
{
    atls_dialect *d = s->dialect;
    atls_code rc = atls_stream_flush(s, err);
    while (rc == ATLS_OK && *done < len) {
        size_t n = len - *done < sizeof d->waiting ? len - *done : sizeof d->waiting;
        memcpy(d->waiting, data + *done, n);
        d->waiting_to = n;
        *done += n; /* ours now, written or not */
        rc = atls_stream_flush(s, err);
    }
    return rc == ATLS_WANT_WRITE && *done > 0 ? ATLS_OK : rc;
}

/* --- in --- */

/* The peer's end in order; anything else that is no data is for the caller. */
static bool is_close(atls_session *s, int ret)
{
    return SSL_get_error(s->ssl, ret) == SSL_ERROR_ZERO_RETURN;
}

static atls_code nothing_read(atls_session *s, int ret, atls_err *err)
{
    if (is_close(s, ret)) {
        s->close_read = true;
        return ATLS_OK;
    }
    atls_code rc = atls_tls_failure(s, ret, err);
    return rc == ATLS_WANT_READ && atls_stream_waits(s) ? ATLS_WANT_WRITE : rc;
}

atls_code atls_stream_read(atls_session *s, uint8_t *out, size_t cap, size_t *done, atls_err *err)
{
    atls_link *link = &s->dialect->link;
    atls_code rc = atls_stream_flush(s, err);
    if (rc != ATLS_OK && rc != ATLS_WANT_WRITE) {
        return rc;
    }
    if (link->in_len > 0) { /* came behind the exchange */
        *done = link->in_len < cap ? link->in_len : cap;
        memcpy(out, link->in, *done);
        atls_link_take(link, *done);
        return ATLS_OK;
    }
    ERR_clear_error();
    int ret = SSL_read_ex(s->ssl, out, cap, done);
    return ret == 1 ? ATLS_OK : nothing_read(s, ret, err);
}

atls_code atls_stream_advance(atls_session *s, atls_err *err)
{
    uint8_t byte;
    size_t n = 0;
    atls_code rc = atls_stream_flush(s, err);
    if (rc != ATLS_OK && rc != ATLS_WANT_WRITE) {
        return rc;
    }
    if (s->close_read || s->dialect->link.in_len > 0) {
        return ATLS_OK;
    }
    ERR_clear_error();
    int ret = SSL_peek_ex(s->ssl, &byte, 1, &n);
    return ret == 1 ? ATLS_OK : nothing_read(s, ret, err);
}
