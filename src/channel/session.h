/* session.h: what a session is inside. Two independent exchanges run over one stream of frames:
 *
 *   ask     we request, the peer shows evidence, we judge and send our verdict
 *   answer  the peer requests, we show evidence, the peer judges and sends its verdict
 *
 * frames_io.c moves frames, ask.c and answer.c know the rules of their half, life.c the times,
 * session.c joins them. Every failure goes through atls_session_end, which is final. */
#ifndef ATLS_CHANNEL_SESSION_H
#define ATLS_CHANNEL_SESSION_H

#include <atls/session.h>

#include "binding/atls1.h"
#include "channel/config.h"
#include "channel/job.h"

#define ATLS_REQUEST_SPACE 128 /* our own request, bytes */

typedef enum atls_stage { STAGE_TLS = 0, STAGE_EXCHANGE, STAGE_OPEN, STAGE_ENDED } atls_stage;

typedef enum atls_ask_state {
    ASK_NOTHING = 0, /* no verifier: the peer is told so in the first frame */
    ASK_REQUESTED,   /* the answer is due */
    ASK_ATTACHMENT,  /* an authenticator has announced one, and waits for it */
    ASK_GATHERING,   /* all is there; collateral is being fetched before it is judged */
    ASK_ACCEPTED
} atls_ask_state;

typedef enum atls_answer_state {
    ANSWER_FIRST = 0, /* the peer's first frame is due */
    ANSWER_NOTHING,   /* the peer asks nothing */
    ANSWER_HELD,      /* requested; held back until the client is accepted (after-peer) */
    ANSWER_JOB,       /* the quote is being made */
    ANSWER_SHOWN,     /* our authenticator is out, the peer's verdict is due */
    ANSWER_ACCEPTED   /* the next request may come */
} atls_answer_state;

typedef struct atls_ask {
    atls_ask_state state;
    uint32_t round; /* of the outstanding request, or the last one */
    uint8_t context[ATLS1_CONTEXT_LEN];
    uint8_t request[ATLS_REQUEST_SPACE];
    size_t request_len;
    uint8_t *held; /* the authenticator that waits for its attachment, or for collateral */
    size_t held_len;
    uint8_t *held_attachment; /* likewise for collateral; NULL: there is none */
    size_t held_attachment_len;
    uint8_t attachment_sha256[32];
    uint32_t attachment_len;
    atls_verdict *verdict;
    uint8_t key_sha256[32]; /* of the SPKI that the last accepted authenticator showed */
    unsigned accepted_n;
    uint64_t accept_at;   /* end of our accept frame in the outgoing stream */
    uint64_t last_ms;     /* when the last verdict was sent: the next request keeps its distance */
    uint64_t answer_due;  /* the outstanding request's deadline; UINT64_MAX: none */
    uint64_t stand_until; /* the verdict's */
    uint64_t again_at;    /* when to ask again of our own accord */
    int64_t expires;      /* wall time behind stand_until */
} atls_ask;

typedef struct atls_answer {
    atls_answer_state state;
    bool accepted; /* the peer has accepted us, or asks nothing */
    uint32_t next_round;
    uint8_t *request; /* the peer's, as it was on the wire */
    size_t request_len;
    uint64_t request_ms; /* when the last one came */
    uint64_t shown_at;   /* end of our authenticator in the outgoing stream */
    uint8_t context[ATLS1_CONTEXT_LEN];
    bool shown; /* payload_sha256 is set */
    uint8_t payload_sha256[32];
} atls_answer;

typedef struct atls_frame_out {
    struct atls_frame_out *next;
    size_t len, sent;
    uint8_t bytes[]; /* header and payload */
} atls_frame_out;

typedef struct atls_frame_in {
    uint8_t header[ATLS1_FRAME_HEADER];
    size_t header_got;
    uint8_t type;      /* set once the header is whole */
    uint32_t len, got; /* of the payload */
    uint8_t *payload;  /* NULL for data, which goes straight to the caller */
} atls_frame_in;

#define ATLS_STREAM_CHUNK                                                                          \
    ((size_t)16384) /* bytes that may wait for room in plain streams: one record */

typedef struct atls_dialect { /* a session in another dialect than atls/1 */
    atls_link link;
    bool attached;           /* the SSL knows the link: callbacks find it */
    bool chosen;             /* link.binding is settled, its state is there */
    bool reading;            /* the exchange waits for bytes */
    bool done;               /* the exchange is over */
    bool judging;            /* what is carried waits for collateral */
    bool key_is_new;         /* link.key belongs to this link */
    bool given_up;           /* while evidence was made inside the handshake */
    bool is_renewing;        /* we were told to make the certificate that is kept */
    const char *alpn;        /* server: the name to select; NULL: none */
    atls_err inside;         /* why a callback of OpenSSL failed; check NULL: none did */
    uint8_t peer_sha256[32]; /* of it, or of nothing; set where a certificate serves many times */
    uint8_t *peer_der;       /* of its leaf, OPENSSL_malloc'ed */
    uint8_t waiting[ATLS_STREAM_CHUNK]; /* plain data taken from the caller, not yet written */
    size_t waiting_from, waiting_to;
} atls_dialect;

struct atls_session {
    const atls_config *config;
    SSL *ssl;
    atls_role role;
    atls_stage stage;
    uint64_t now_ms;
    int64_t when_s;
    uint64_t deadline_ms; /* TLS handshake to verdicts */
    atls_err end;         /* why it ended */
    bool close_sent, close_read;
    bool tls_broken; /* OpenSSL has reported a fatal error: no more calls for this SSL */
    bool job_told;   /* WANT_JOB was returned for the present job */

    atls_exporter exporter;
    atls_ea_keys keys;
    bool has_keys[2];  /* by sender of the authenticator */
    uint8_t *tls_spki; /* of the peer's TLS leaf; NULL: it showed none */
    size_t tls_spki_len;
    EVP_PKEY *tls_key; /* the same key, as TLS has decoded it */
    char *pki_name;
    bool pki_verified; /* ordinary verification built a chain for the leaf */

    atls_frame_in in;
    atls_frame_out *out_first, *out_last;
    uint64_t queued, written; /* bytes of frames, since the start */

    atls_ask ask;
    atls_answer answer;
    atls_job job;          /* for a quote */
    atls_job *gather;      /* for collateral; NULL: none is under way (gather.h) */
    bool gather_keeps;     /* it is for what was stapled, of a peer that is accepted anyway */
    atls_dialect *dialect; /* NULL: this configuration speaks atls/1 alone */
};

/* Is it another dialect than atls/1 that is spoken? Known since the end of the TLS handshake. */
static inline bool atls_session_is_plain(const atls_session *s)
{
    return s->dialect != NULL && s->dialect->chosen;
}

/* --- session.c --- */
/* Ends the session for good: what waits is dropped, err and code are kept for every later call. Returns code. */
atls_code atls_session_end(atls_session *s, atls_code code, atls_err *err);
/* The keys of all authenticators of this connection; derived once. */
ATLS_MUST_USE atls_code atls_session_keys(atls_session *s, atls_ea_sender sender, atls_err *err);
static inline atls_role atls_other(atls_role role)
{
    return role == ATLS_CLIENT ? ATLS_SERVER : ATLS_CLIENT;
}

/* --- frames_io.c --- */
ATLS_MUST_USE atls_code atls_frames_queue(atls_session *s, uint8_t type, atls_buf a, atls_buf b,
                                          atls_err *err);
/* Writes what waits: ATLS_OK when nothing is left. */
ATLS_MUST_USE atls_code atls_frames_flush(atls_session *s, atls_err *err);
/* Reads on. ATLS_OK: s->in is a whole frame, or the header of a data frame whose bytes are to be read with
 * atls_frames_read_data. The payload stays until atls_frames_next. */
ATLS_MUST_USE atls_code atls_frames_read(atls_session *s, atls_err *err);
ATLS_MUST_USE atls_code atls_frames_read_data(atls_session *s, uint8_t *out, size_t cap,
                                              size_t *done, atls_err *err);
/* May data flow? Our accept has been written, and the peer's has been read. */
bool atls_frames_gate_open(const atls_session *s);
void atls_frames_next(atls_session *s);
void atls_frames_drop(atls_session *s); /* everything that waits, in and out */

/* --- ask.c --- */
ATLS_MUST_USE atls_code atls_ask_first(atls_session *s, atls_err *err);   /* our first frame */
ATLS_MUST_USE atls_code atls_ask_request(atls_session *s, atls_err *err); /* the next round */
ATLS_MUST_USE atls_code atls_ask_authenticator(atls_session *s, atls_buf bytes, atls_err *err);
ATLS_MUST_USE atls_code atls_ask_attachment(atls_session *s, atls_buf bytes, atls_err *err);
/* Judges what was held for want of collateral, if that has come or cannot be had. */
ATLS_MUST_USE atls_code atls_ask_advance(atls_session *s, atls_err *err);
bool atls_ask_outstanding(const atls_session *s);

/* --- answer.c --- */
ATLS_MUST_USE atls_code atls_answer_request(atls_session *s, atls_buf bytes, atls_err *err);
ATLS_MUST_USE atls_code atls_answer_verdict(atls_session *s, atls_buf bytes, atls_err *err);
/* What can be done without a frame: start a held job, turn a finished one into an authenticator. */
ATLS_MUST_USE atls_code atls_answer_advance(atls_session *s, atls_err *err);

/* What is left of a peer that was refused: its own verdict, or one made of the error. */
void atls_ask_keep_refusal(atls_session *s, atls_code code, const atls_err *err);

/* --- dialect.c: up to the end of the TLS handshake --- */
ATLS_MUST_USE atls_code atls_dialect_new(atls_session *s, atls_err *err);
void atls_dialect_free(atls_session *s);
/* Callbacks of a context: the ClientHello; the certificate that TLS asks us for (arg: the session). */
int atls_dialect_hello(SSL *ssl, int *alert, void *arg);
int atls_dialect_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                      const unsigned char *in, unsigned int in_len, void *arg);
/* Which one it is, by the ALPN name that was agreed. */
ATLS_MUST_USE atls_code atls_dialect_resolve(atls_session *s, atls_err *err);
/* What the dialect may know now that TLS is done. */
ATLS_MUST_USE atls_code atls_dialect_handshaken(atls_session *s, atls_err *err);
/* Takes a finished job's evidence; ATLS_WANT_JOB while it is not finished. */
ATLS_MUST_USE atls_code atls_dialect_take_evidence(atls_session *s, atls_err *err);
ATLS_MUST_USE atls_code atls_dialect_start_job(atls_session *s, atls_err *err);

/* --- exchange.c: evidence over the open TLS connection --- */
ATLS_MUST_USE atls_code atls_dialect_exchange(atls_session *s, atls_err *err);

/* --- stream.c: data as TLS carries it --- */
ATLS_MUST_USE atls_code atls_stream_flush(atls_session *s, atls_err *err);
ATLS_MUST_USE atls_code atls_stream_read(atls_session *s, uint8_t *out, size_t cap, size_t *done,
                                         atls_err *err);
ATLS_MUST_USE atls_code atls_stream_write(atls_session *s, const uint8_t *data, size_t len,
                                          size_t *done, atls_err *err);
ATLS_MUST_USE atls_code atls_stream_advance(atls_session *s, atls_err *err);
bool atls_stream_waits(const atls_session *s); /* for room */

/* --- life.c --- */
/* Looks at the clock: ends what is overdue, asks again when it is time. */
ATLS_MUST_USE atls_code atls_life_tick(atls_session *s, atls_err *err);
void atls_life_accepted(atls_session *s); /* a new verdict stands: sets its times */

/* --- tls.c --- */
ATLS_MUST_USE atls_code atls_tls_handshake(atls_session *s, atls_err *err);
/* What an SSL_* call that returned ret without success means. */
ATLS_MUST_USE atls_code atls_tls_failure(atls_session *s, int ret, atls_err *err);

#endif
