/* link.c: what every dialect does with its side of a connection. */
#include "binding/binding.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* --- evidence as it came --- */

void atls_carried_clear(atls_carried *c)
{
    for (size_t i = 0; i < c->owned_n; i++) {
        free(c->owned[i]);
    }
    memset(c, 0, sizeof *c);
}

uint8_t *atls_carried_room(atls_carried *c, size_t len)
{
    if (c->owned_n == ATLS_CARRIED_OWNED) {
        return NULL;
    }
    uint8_t *room = malloc(len > 0 ? len : 1);
    if (room != NULL) {
        c->owned[c->owned_n++] = room;
    }
    return room;
}

bool atls_carried_add(atls_carried *c, const char *part, atls_buf bytes)
{
    if (c->evidence.parts_n == ATLS_EVIDENCE_PARTS) {
        return false;
    }
    c->evidence.parts[c->evidence.parts_n].name = part;
    c->evidence.parts[c->evidence.parts_n].bytes = bytes;
    c->evidence.parts_n++;
    return true;
}

/* --- options --- */

const char *atls_binding_option_of(const atls_binding_option *options, size_t n, const char *name,
                                   const char *fallback)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return options[i].value;
        }
    }
    return fallback;
}

const char *atls_link_option(const atls_link *link, const char *name, const char *fallback)
{
    return atls_binding_option_of(link->options, link->options_n, name, fallback);
}

/* --- bytes --- */

void atls_link_take(atls_link *link, size_t n)
{
    n = n < link->in_len ? n : link->in_len;
    if (n < link->in_len) {
        memmove(link->in, link->in + n, link->in_len - n);
    }
    link->in_len -= n;
}

atls_code atls_link_send(atls_link *link, atls_buf bytes, atls_err *err)
{
    if (bytes.len > ATLS_LINK_OUT_MAX - link->out_len) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "session.output",
                        "%zu bytes for the peer, beside %zu that wait; at most %u fit", bytes.len,
                        link->out_len, ATLS_LINK_OUT_MAX);
    }
    if (bytes.len == 0) {
        return ATLS_OK;
    }
    uint8_t *more = realloc(link->out, link->out_len + bytes.len);
    if (more == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(more + link->out_len, bytes.ptr, bytes.len);
    link->out = more;
    link->out_len += bytes.len;
    return ATLS_OK;
}

/* --- evidence of ours --- */

void atls_link_drop_evidence(atls_link *link)
{
    atls_evidence_blob_clear(&link->evidence);
    memset(&link->evidence, 0, sizeof link->evidence);
    link->has_evidence = false;
}

atls_buf atls_link_part(const atls_link *link, const char *name)
{
    for (size_t i = 0; i < link->evidence.parts_n; i++) {
        if (strcmp(link->evidence.parts[i].name, name) == 0) {
            return (atls_buf){link->evidence.parts[i].bytes, link->evidence.parts[i].len};
        }
    }
    return (atls_buf){NULL, 0};
}

atls_code atls_link_random(const atls_link *link, uint8_t *out, size_t len, atls_err *err)
{
    return link->fill(out, len) == 1
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_SYSTEM, "system.random", "no random bytes");
}

/* --- from the SSL to its link: callbacks for TLS extensions are told the SSL alone --- */

static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static int ssl_index = -1; /* OpenSSL's; asked for once, never changed after */

static void ask_for_index(void)
{
    ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

atls_link *atls_link_of(const SSL *ssl)
{
    (void)pthread_once(&index_once, ask_for_index);
    return ssl_index < 0 ? NULL : SSL_get_ex_data(ssl, ssl_index);
}

bool atls_link_attach(SSL *ssl, atls_link *link)
{
    (void)pthread_once(&index_once, ask_for_index);
    return ssl_index >= 0 && SSL_set_ex_data(ssl, ssl_index, link) == 1;
}
