/* binding.h: what a dialect of attested TLS is: one const descriptor, listed in bindings.c; nothing outside this folder
 * knows a dialect by name.
 *
 * A dialect knows how evidence is carried and what it must say about this very connection; it knows no evidence format's
 * inside and no policy. The channel owns the SSL, the time, the jobs, the verifier. It calls the dialect at fixed points;
 * the dialect answers what it needs next (atls_step), and is called again when that is there:
 *
 *   context    once per SSL_CTX: registers TLS extensions
 *   begin      before the handshake: nonces, SNI, ALPN of its own
 *   hello      server, in the ClientHello callback: a nonce that came in it; names of acceptable CAs
 *   show       when TLS asks for our certificate: EVIDENCE (over link->wanted), then DONE with link->made set
 *   exchange   after the handshake, until DONE: READ, EVIDENCE, JUDGE (link->carried)
 *   end        frees what the state owns
 *
 * Nothing here blocks. A failure is final: check id and sentence in err. */
#ifndef ATLS_BINDING_BINDING_H
#define ATLS_BINDING_BINDING_H

#include <openssl/ssl.h>

#include <atls/attester.h>
#include <atls/session.h>
#include <atls/verifier.h>

#include "binding/exporter.h"

typedef struct atls_binding atls_binding;
typedef struct atls_link atls_link;
struct atls_carrier;

typedef enum atls_step {
    ATLS_STEP_DONE = 0, /* nothing more: show: the certificate is made; exchange: data may flow */
    ATLS_STEP_READ,     /* exchange: more bytes of the peer, in link->in */
    ATLS_STEP_EVIDENCE, /* our evidence over link->wanted, in link->evidence (has_evidence) */
    ATLS_STEP_JUDGE     /* exchange: judge link->carried; called again only if it was accepted */
} atls_step;

/* Evidence as a dialect carried it, and what it must say about the connection. */
#define ATLS_CARRIED_OWNED 12
typedef struct atls_carried {
    atls_evidence evidence; /* views into the peer's bytes, or into what is owned */
    atls_expected
        expected; /* binding and binding_name are filled in by the channel; binding_line where it is NULL */
    void *owned[ATLS_CARRIED_OWNED]; /* malloc'ed, freed by atls_carried_clear */
    size_t owned_n;
} atls_carried;
void atls_carried_clear(atls_carried *c);
/* Room of len bytes (at least 1) that lives with c; NULL: no memory, or ATLS_CARRIED_OWNED pieces already. */
uint8_t *atls_carried_room(atls_carried *c, size_t len);
/* Adds a part; false when there are ATLS_EVIDENCE_PARTS. The view is not copied. */
bool atls_carried_add(atls_carried *c, const char *part, atls_buf bytes);

typedef struct atls_binding_option { /* "variant" = "azure-tdx" */
    const char *name, *value;
} atls_binding_option;

struct
    atls_link { /* one connection as its dialect sees it; everything lent by the channel unless said otherwise */
    const atls_binding *binding;
    void *state; /* the dialect's: binding->state_size bytes, zeroed */
    SSL *ssl;
    atls_role role;
    int64_t when_s;
    bool asks, shows; /* is evidence wanted of the peer; has this side an attester */
    const atls_binding_option *options;
    size_t options_n;
    int (*fill)(uint8_t *out, size_t len); /* random bytes: 1, like RAND_bytes; never NULL */

    /* This side's key: of the certificate that `show` makes, or of the one that TLS shows. */
    EVP_PKEY *key; /* NULL: none */
    X509 *leaf;    /* the identity's own certificate; NULL: none */
    atls_buf spki; /* of key, DER; empty: none */

    /* Since the end of the TLS handshake. */
    atls_exporter exporter;
    X509 *peer;         /* its TLS leaf; NULL: it showed none */
    atls_buf peer_der;  /* of it, byte for byte */
    atls_buf peer_spki; /* as it stands in it; empty: none */
    bool peer_self_signed; /* its signature is known to be by its own key: of these bytes it was checked before, or by
                            * exchange(), which says so here */
    bool peer_by_pki;   /* ordinary verification built a chain for it */

    /* Evidence of ours. */
    atls_report_data wanted; /* set by the dialect with ATLS_STEP_EVIDENCE */
    bool has_evidence;
    atls_evidence_blob
        evidence; /* the dialect clears it (atls_link_drop_evidence) before it asks for another */
    X509 *made;   /* show: the certificate for link->key; the channel frees it */
    X509 *blank;  /* show: a certificate of this dialect and key from an earlier connection, to be made anew
                   * (atls_certificate_plan); owned; taken by setting NULL */
    int64_t made_until_s; /* show: 0, or when another is due (binding->keeps_certificate) */

    atls_carried carried;        /* of the peer: filled by the dialect with ATLS_STEP_JUDGE */
    const atls_verdict *verdict; /* since the last JUDGE */

    /* Bytes of the exchange. What is left in `in` after DONE is the application's. */
    uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t out_len, out_sent;

    /* Evidence from inside a callback of OpenSSL that cannot be suspended (atls_link_attest). */
    atls_code (*attest)(atls_link *link, atls_err *err);
    atls_err *inside; /* where such a callback says why it failed; never NULL */
    void *channel;
};

/* The value of an option, fallback when it is not set. */
const char *atls_link_option(const atls_link *link, const char *name, const char *fallback);
/* Forgets the first n bytes of in. */
void atls_link_take(atls_link *link, size_t n);
/* Queues bytes for the peer (copied); at most ATLS_LINK_OUT_MAX wait. */
#define ATLS_LINK_OUT_MAX (2u << 20)
ATLS_MUST_USE atls_code atls_link_send(atls_link *link, atls_buf bytes, atls_err *err);
void atls_link_drop_evidence(atls_link *link);
/* The part of our evidence of that name; {NULL, 0}: not there. */
atls_buf atls_link_part(const atls_link *link, const char *name);
ATLS_MUST_USE atls_code atls_link_random(const atls_link *link, uint8_t *out, size_t len,
                                         atls_err *err);

/* The line of every dialect whose evidence is about the certificate's key alone. */
#define ATLS_BINDING_LINE_KEY                                                                      \
    "key only: whoever has a copy of the certificate's key can relay, and evidence may be old"

#define ATLS_BINDING_ALPN_MAX    4
#define ATLS_BINDING_OPTIONS_MAX 6

enum { ATLS_SHOWS_CLIENT = 1, ATLS_SHOWS_SERVER = 2 }; /* bits of atls_binding.shows */

struct atls_binding {
    const char *name;       /* as in policy, flags, logs */
    atls_binding_kind kind; /* what equal report data means */
    const char
        *line; /* for people, behind "bound to": true for this dialect, and what is not proved */
    unsigned shows; /* which roles can show evidence */
    const char
        *alpn[ATLS_BINDING_ALPN_MAX + 1]; /* offered and taken, best first; NULL behind the last */
    bool alpn_optional;                   /* it goes on, too, when no ALPN name was agreed */
    bool own_alpn; /* begin() offers names by itself; the server asks takes_alpn() */
    bool tls12;    /* deployed peers need TLS 1.2: allowed where the option "tls12" says yes */
    bool alone; /* a client that may speak it offers no other dialect beside it (SNI, extensions) */
    bool verify_only;    /* we judge it, and do not make it */
    bool attests_inside; /* calls link->attest from inside OpenSSL's callbacks */
    bool in_certificate; /* evidence is in the peer's TLS certificate: a client must show one */
    bool
        makes_certificate; /* show() makes our TLS certificate; otherwise the identity's is shown */
    bool keeps_certificate; /* and it may serve for more connections, until made_until_s */
    const char *options[ATLS_BINDING_OPTIONS_MAX + 1]; /* names known; NULL behind the last */
    const atls_buf
        *critical; /* contents of OIDs of its extensions, which may be critical in a certificate */
    size_t critical_n;
    size_t in_max; /* bytes of the peer that may wait in `in` before DONE */
    size_t state_size;

    bool (*takes_alpn)(atls_buf name);
    atls_code (*context)(SSL_CTX *ctx, atls_role role, const atls_binding_option *options,
                         size_t options_n, atls_err *err);
    atls_code (*begin)(atls_link *link, atls_err *err);
    atls_code (*hello)(atls_link *link, atls_err *err);
    atls_code (*show)(atls_link *link, atls_step *next, atls_err *err);
    atls_code (*exchange)(atls_link *link, atls_step *next, atls_err *err);
    void (*end)(atls_link *link);
    /* The evidence in a certificate (certificate.h) and what it must say about that certificate: no chain, no date, no
     * signature of the certificate itself. *found false: it has no evidence of this dialect. Views point into the
     * certificate's bytes or into out->owned. */
    atls_code (*read_certificate)(const struct atls_carrier *certificate,
                                  const atls_binding_option *options, size_t options_n,
                                  atls_carried *out, bool *found, atls_err *err);
};

/* The value of an option in a list; fallback when it is not there. */
const char *atls_binding_option_of(const atls_binding_option *options, size_t n, const char *name,
                                   const char *fallback);

/* Every dialect there is, in plain sight; NULL behind the last. The first is atls/1, which the channel speaks by itself. */
const atls_binding *atls_binding_at(size_t i);
const atls_binding *atls_binding_find(atls_buf name); /* NULL: not known */
bool atls_binding_has_option(const atls_binding *binding, const char *name);
bool atls_binding_takes(const atls_binding *binding, atls_buf alpn_name);

/* The link of an SSL, for callbacks of OpenSSL; NULL: none. Set by the channel. */
atls_link *atls_link_of(const SSL *ssl);
ATLS_MUST_USE bool atls_link_attach(SSL *ssl, atls_link *link);

extern const atls_binding atls_binding_atls1;
extern const atls_binding atls_binding_atlas;
extern const atls_binding atls_binding_cocos;
extern const atls_binding atls_binding_constellation;
extern const atls_binding atls_binding_contrast;
extern const atls_binding atls_binding_flashbots;
extern const atls_binding atls_binding_ra_tls;
extern const atls_binding atls_binding_ra_tls_cmw;
extern const atls_binding atls_binding_ra_tls_dstack;
extern const atls_binding atls_binding_ra_tls_flashbots;
extern const atls_binding atls_binding_ra_tls_gramine;
extern const atls_binding atls_binding_ra_tls_knauth;
extern const atls_binding atls_binding_ra_tls_oe;
extern const atls_binding atls_binding_ra_tls_sdk;
extern const atls_binding atls_binding_seat_early;

#endif
