/* session.h: attested TLS over an OpenSSL SSL* of the caller: `atls/1`, or another dialect where it is named.
 *
 * Sans-IO: the SSL* has whatever BIOs the caller gave it; nothing here blocks, reads a clock of its own
 * (atls_session_set_time) or starts a thread. */
#ifndef ATLS_SESSION_H
#define ATLS_SESSION_H

#include <openssl/ssl.h>

#include <atls/attester.h>
#include <atls/store.h>
#include <atls/verifier.h>

typedef struct atls_config atls_config;
typedef struct atls_session atls_session;
typedef struct atls_job atls_job;
typedef enum atls_role { ATLS_CLIENT = 0, ATLS_SERVER = 1 } atls_role;

/* --- configuration: shared by sessions and threads; not changed after the first session --- */
ATLS_API atls_config *atls_config_new(void);
ATLS_API void atls_config_free(atls_config *c);
/* The verifier and attester are borrowed: they must outlive the configuration. Either may be absent:
 * without a verifier nothing is asked of the peer, without an attester its request is answered with an
 * empty authenticator (refusal). One of them must be set. */
ATLS_API void atls_config_set0_verifier(atls_config *c, const atls_verifier *v);
ATLS_API void atls_config_set0_attester(atls_config *c, const atls_attester *a);
/* Where what a verification lacks comes from, before a peer's evidence is judged: first out of the evidence itself (stapled,
 * as far as it holds), then by get(arg, ...), which is atls_fetcher_get's like and may block: both are a job. Whether
 * it succeeds or not the evidence is judged then, and the verdict says what was missing. store and arg are borrowed; the store is the one
 * that the verifier is attached to. get may be NULL. */
ATLS_API void atls_config_set0_store(atls_config *c, atls_store *store, atls_get_collateral *get, void *arg);
/* Key and leaf certificate of this side's authenticators (copied by reference). If the SSL* shows a
 * certificate too, it has this same key, unless two_keys is set here and the peer's policy allows it. */
ATLS_API ATLS_MUST_USE atls_code atls_config_set1_identity(atls_config *c, X509 *leaf, EVP_PKEY *key,
                                                           atls_err *err);
/* The identity's certificate, lent; NULL: there is none. */
ATLS_API const X509 *atls_config_get0_leaf(const atls_config *c);
/* The same with a new P-256 key and a certificate for it, signed by itself: what vouches for the key is the
 * evidence. when_s: seconds since 1970, for the certificate's dates. */
ATLS_API ATLS_MUST_USE atls_code atls_config_make_identity(atls_config *c, int64_t when_s, atls_err *err);
/* This side's TLS certificate has another key than the identity, which then is not shown in TLS. Whether the peer may
 * do so is said by the policy of the matched workload (`two_keys`), not here. */
ATLS_API void atls_config_set_two_keys(atls_config *c, bool two_keys);
ATLS_API void atls_config_set_attest_after_peer(atls_config *c, bool after_peer); /* server only */
ATLS_API void atls_config_set_timeout_ms(atls_config *c, uint32_t ms); /* TLS to verdicts; 0: 10 s */
/* Between two requests of one direction; 0: 1 s. A peer that asks more often is refused: same on both ends. */
ATLS_API void atls_config_set_round_gap_ms(atls_config *c, uint32_t ms);
/* One or more of "atls/1" (the default), "atls/1+h2", "atls/1+http/1.1", separated by commas, best first. */
ATLS_API ATLS_MUST_USE atls_code atls_config_set_alpn(atls_config *c, const char *names, atls_err *err);
/* Dialects, best first, separated by commas: names of docs/dialects.md; the default is "atls/1" alone. Of those that ALPN
 * cannot tell apart one is taken only ("config.bindings"). A client offers what it was given and nothing beside it; a server
 * takes the first that the ClientHello's ALPN names, and ends the handshake (alert 120) when none fits. */
ATLS_API ATLS_MUST_USE atls_code atls_config_set_bindings(atls_config *c, const char *names, atls_err *err);
/* A setting of a dialect ("variant", "azure-tdx"), for all of the named ones that know it; docs/dialects.md lists them.
 * Call it after atls_config_set_bindings. ATLS_E_USAGE "config.option" when none knows it. */
ATLS_API ATLS_MUST_USE atls_code atls_config_set_option(atls_config *c, const char *name, const char *value, atls_err *err);
/* Names of all dialects, in the order of docs/dialects.md; NULL after the last. */
ATLS_API const char *atls_binding_name(size_t i);
/* Random bytes for contexts; NULL: OpenSSL's RAND_bytes. For tests. */
ATLS_API void atls_config_set_random(atls_config *c, int (*fill)(uint8_t *out, size_t len));

/* Sets what `atls/1` needs on a context: TLS 1.3 only, suites, ALPN, no tickets, no cache, no early data,
 * SSL_MODE_NO_AUTO_CHAIN, peer certificate asked for. Call it once per SSL_CTX before SSL_new, after loading
 * CAs: with CAs, or with SSL_VERIFY_PEER set, ordinary verification stays in force, and the name it proved
 * (SSL_set1_host's, else the first DNS name of the leaf) goes to the verifier; otherwise any certificate will
 * do, and evidence vouches for its key. A context without a certificate shows the identity's. c must outlive ctx. */
ATLS_API ATLS_MUST_USE atls_code atls_config_apply(const atls_config *c, SSL_CTX *ctx, atls_role role,
                                                   atls_err *err);

/* --- a session --- */
/* ssl is borrowed and must outlive the session. now_ms: a monotonic clock that goes on in suspend
 * (CLOCK_BOOTTIME); when_s: wall time for verification. */
ATLS_API ATLS_MUST_USE atls_code atls_session_new(const atls_config *c, SSL *ssl, atls_role role,
                                                  uint64_t now_ms, int64_t when_s, atls_session **out,
                                                  atls_err *err);
ATLS_API void atls_session_free(atls_session *s);
/* Tell the session what time it is, before each call. */
ATLS_API void atls_session_set_time(atls_session *s, uint64_t now_ms, int64_t when_s);
/* The next time at which a call is needed even without IO (UINT64_MAX: none). */
ATLS_API uint64_t atls_session_deadline_ms(const atls_session *s);

/* TLS handshake, requests, authenticators, verdicts. ATLS_OK when data may flow both ways; otherwise what to wait
 * for before the next call: ATLS_WANT_READ bytes of the peer; ATLS_WANT_WRITE room for ours, or bytes of the peer
 * (wait for both, or two large frames may block each other); ATLS_WANT_JOB the end of the job, or bytes of the
 * peer. A failure ends the session for good. */
ATLS_API ATLS_MUST_USE atls_code atls_session_handshake(atls_session *s, atls_err *err);
/* Is output waiting for room? Then wait for room as well, whatever the last call asked for. */
ATLS_API bool atls_session_wants_write(const atls_session *s);
/* Data. *done: bytes moved; a write that took a part is ATLS_OK. ATLS_WANT_* as above, also while a
 * re-attestation goes on beneath; only _read reports jobs, and it is _read that keeps the session alive: who
 * never reads does not see the peer's frames.
 * _read with ATLS_OK and *done == 0: the peer closed (frame 5); truncation is ATLS_E_SYSTEM. */
ATLS_API ATLS_MUST_USE atls_code atls_session_read(atls_session *s, uint8_t *out, size_t cap, size_t *done,
                                                   atls_err *err);
ATLS_API ATLS_MUST_USE atls_code atls_session_write(atls_session *s, const uint8_t *data, size_t len,
                                                    size_t *done, atls_err *err);
/* What _read does, without taking data: for who has no room for any now. ATLS_OK: data, or the peer's close, is next,
 * and only _read goes past it; call again at the deadline, so that the session ends when its verdict does.
 * ATLS_WANT_* as above. */
ATLS_API ATLS_MUST_USE atls_code atls_session_advance(atls_session *s, atls_err *err);
/* Asks the peer for new evidence, in the next call, at most once a round gap. ATLS_E_USAGE while one request is
 * outstanding. */
ATLS_API ATLS_MUST_USE atls_code atls_session_reattest(atls_session *s, atls_err *err);
/* Sends frame 5 and close_notify; ATLS_OK when both are out. Reading may go on; a request of the peer is not
 * answered any more. Before closing a socket, read until it ends: bytes left in it would reset the peer's. */
ATLS_API ATLS_MUST_USE atls_code atls_session_shutdown(atls_session *s, atls_err *err);

/* The job behind ATLS_WANT_JOB (getting a quote, or collateral), NULL when there is none. Run it here or in any thread, then
 * call again; there may be a second one by then. It runs once: a second call returns at once. The session must not be freed while it runs. */
ATLS_API atls_job *atls_session_get0_job(atls_session *s);
ATLS_API void atls_job_run(atls_job *job);

/* Our verdict over the peer (the latest), NULL before there is one or when nothing was asked. Lent until the next
 * call that reads, which may bring a newer one. */
ATLS_API const atls_verdict *atls_session_get0_verdict(const atls_session *s);
/* The dialect spoken: its name, NULL before it is known; and the line about what binds evidence in it. Static. */
ATLS_API const char *atls_session_get0_binding(const atls_session *s);
ATLS_API bool atls_session_peer_accepted(const atls_session *s); /* the peer's word about us */
ATLS_API unsigned atls_session_rounds(const atls_session *s);    /* attestations of the peer so far */

#endif
