/* bench_handshake.c: `atls bench handshake`: plain mutual TLS, attested, and attested less the cost of evidence. */
#include <getopt.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include <atls/atls.h>

#include "address.h"
#include "bench.h"
#include "demo_world.h"
#include "flags.h"
#include "input.h"
#include "measure.h"
#include "say.h"

#define SLICE_S     0.05
#define PAIR_BUFFER ((size_t)128 * 1024)
#define STEPS_MAX   200 /* turns of one handshake: more means that it hangs */
#define KEPT_MAX    64
#define HEAP_KEPT   (256 << 20) /* bytes */
#define SHA256_LEN  32

enum { BINDING = 0x100, BINDING_OPTION, MUTUAL, SECONDS, JSON };

static const flag own_flags[] = {
    {BINDING, "binding", "NAME", "a name of docs/dialects.md (atls/1)"},
    {BINDING_OPTION, "binding-option", "NAME=VALUE", "a setting of it"},
    {MUTUAL, "mutual", NULL, "the client is attested too"},
    {SECONDS, "seconds", "N", "how long to measure (5)"},
    {JSON, "json", NULL, "one JSON object"},
    {0, NULL, NULL, NULL},
};
static const flags bench_flags = {
    "atls bench handshake [options]",
    "Client and server in one thread, over memory: plain mutual TLS 1.3 beside attested connections\n"
    "with the simulator's evidence, each with one byte of data both ways.",
    {own_flags},
};

/* --- evidence: its making is timed, and some of it kept to time its judging --- */

typedef struct kept_quote {
    atls_evidence_blob blob;
    atls_report_data data;
} kept_quote;

typedef struct timed_attester {
    const atls_attester *inner;
    bool runtime_events; /* of the event log, those are all that the dialect carries */
    double making_s;
    size_t made;
    kept_quote kept[KEPT_MAX];
    size_t kept_n;
} timed_attester;

static void forget_quotes(timed_attester *t)
{
    for (size_t i = 0; i < t->kept_n; i++) {
        atls_evidence_blob_clear(&t->kept[i].blob);
    }
    t->kept_n = 0;
}

static atls_code attest_timed(void *self, const atls_report_data *data, atls_evidence_blob *out,
                              atls_err *err)
{
    timed_attester *t = self;
    double start = measure_cpu_s();
    atls_code rc = t->inner->attest(t->inner->self, data, out, err);
    t->making_s += measure_cpu_s() - start;
    t->made++;
    return rc;
}

/* dstack's certificates leave the events of the boot out: what no connection judges is not to be taken off its time. The
 * simulator writes them in front of those of RTMR 3. */
static void drop_boot_events(atls_evidence_blob *blob)
{
    static const char first[] = "{\"imr\":3,";
    const size_t first_len = sizeof first - 1;
    for (size_t p = 0; p < blob->parts_n; p++) {
        uint8_t *log = blob->parts[p].bytes;
        const size_t len = blob->parts[p].len;
        size_t at = 1;
        if (strcmp(blob->parts[p].name, "event_log") != 0) {
            continue;
        }
        while (at + first_len <= len && memcmp(log + at, first, first_len) != 0) {
            at++;
        }
        if (at + first_len <= len) {
            memmove(log + 1, log + at, len - at);
            blob->parts[p].len = len - at + 1;
        }
    }
}

/* Quotes like those of the handshakes just measured, over report data never seen before. */
static atls_code keep_quotes(timed_attester *t, uint64_t *counter, atls_err *err)
{
    forget_quotes(t);
    for (size_t i = 0; i < KEPT_MAX; i++) {
        kept_quote *k = &t->kept[i];
        memset(&k->data, 0, sizeof k->data);
        memset(k->data.wide, 0x62, sizeof k->data.wide);
        memcpy(k->data.wide, counter, sizeof *counter);
        (*counter)++;
        atls_code rc = t->inner->attest(t->inner->self, &k->data, &k->blob, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        if (t->runtime_events) {
            drop_boot_events(&k->blob);
        }
        t->kept_n = i + 1;
    }
    return ATLS_OK;
}

/* Judges one of them as a session does; adds the CPU seconds of it to *total_s. */
static atls_code judge_kept(const atls_verifier *v, const char *binding, const kept_quote *k,
                            double *total_s, atls_err *err)
{
    atls_evidence evidence = {.type = k->blob.type, .parts_n = k->blob.parts_n};
    for (size_t p = 0; p < k->blob.parts_n; p++) {
        evidence.parts[p].name = k->blob.parts[p].name;
        evidence.parts[p].bytes = (atls_buf){k->blob.parts[p].bytes, k->blob.parts[p].len};
    }
    atls_expected expected = {
        .has_report_data = true, .binding = ATLS_BINDING_SESSION, .binding_name = binding};
    memcpy(expected.report_data, k->data.wide, sizeof expected.report_data);
    int64_t when_s = (int64_t)time(NULL);
    double start = measure_cpu_s();
    atls_verdict *verdict = atls_verifier_check(v, &evidence, &expected, when_s, err);
    bool accepted = verdict != NULL && atls_verdict_accepted(verdict);
    atls_verdict_free(verdict);
    *total_s += measure_cpu_s() - start;
    return accepted
               ? ATLS_OK
               : fill_err(err, ATLS_E_SYSTEM, "bench.evidence", "the simulator's quote is refused");
}

/* --- two ends over memory --- */

typedef struct ends {
    endpoint client, server;
    bool attested;
    bool mutual;   /* both are attested */
    size_t opened; /* connections so far */
} ends;

typedef struct pair {
    SSL *client, *server;
    atls_session *client_session, *server_session; /* NULL: plain */
} pair;

static void pair_close(pair *p)
{
    atls_session_free(p->client_session);
    atls_session_free(p->server_session);
    SSL_free(p->client);
    SSL_free(p->server);
}

static atls_code pair_open(const ends *e, pair *out, atls_err *err)
{
    pair p = {.client = SSL_new(e->client.ctx), .server = SSL_new(e->server.ctx)};
    BIO *client_bio = NULL;
    BIO *server_bio = NULL;
    if (p.client == NULL || p.server == NULL ||
        BIO_new_bio_pair(&client_bio, PAIR_BUFFER, &server_bio, PAIR_BUFFER) != 1) {
        pair_close(&p);
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    SSL_set_bio(p.client, client_bio, client_bio);
    SSL_set_bio(p.server, server_bio, server_bio);
    SSL_set_connect_state(p.client);
    SSL_set_accept_state(p.server);
    atls_code rc = ATLS_OK;
    if (e->attested) {
        uint64_t now_ms = clock_ms();
        int64_t when_s = (int64_t)time(NULL);
        rc = atls_session_new(e->client.config, p.client, ATLS_CLIENT, now_ms, when_s,
                              &p.client_session, err);
        rc = rc != ATLS_OK ? rc
                           : atls_session_new(e->server.config, p.server, ATLS_SERVER, now_ms,
                                              when_s, &p.server_session, err);
    }
    if (rc != ATLS_OK) {
        pair_close(&p);
        return rc;
    }
    *out = p;
    return ATLS_OK;
}

/* Plain TLS in the session's terms, so that one loop turns both. */
static atls_code plain_result(SSL *ssl, int ret, atls_err *err)
{
    int why = ret > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, ret);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        return ATLS_WANT_READ;
    }
    if (why != SSL_ERROR_NONE) {
        ERR_clear_error();
        return fill_err(err, ATLS_E_SYSTEM, "bench.tls", "the plain handshake fails");
    }
    return ATLS_OK;
}

typedef enum phase { HANDSHAKE, WRITE, READ, DONE } phase;

/* One call for one end; *at moves on when its phase is through. */
static atls_code turn(SSL *ssl, atls_session *session, phase *at, atls_err *err)
{
    uint8_t byte = 'x';
    size_t done = 0;
    atls_code rc = ATLS_OK;
    switch (*at) {
    case HANDSHAKE:
        rc = session != NULL ? atls_session_handshake(session, err)
                             : plain_result(ssl, SSL_do_handshake(ssl), err);
        break;
    case WRITE:
        rc = session != NULL ? atls_session_write(session, &byte, 1, &done, err)
                             : plain_result(ssl, SSL_write_ex(ssl, &byte, 1, &done), err);
        break;
    case READ:
        rc = session != NULL ? atls_session_read(session, &byte, 1, &done, err)
                             : plain_result(ssl, SSL_read_ex(ssl, &byte, 1, &done), err);
        break;
    case DONE:
        return ATLS_OK;
    }
    if (rc == ATLS_WANT_JOB) {
        atls_job_run(atls_session_get0_job(session));
    }
    if (rc == ATLS_OK) {
        *at = (phase)(*at + 1);
    }
    return rc == ATLS_WANT_READ || rc == ATLS_WANT_WRITE || rc == ATLS_WANT_JOB ? ATLS_OK : rc;
}

/* One connection: handshake, attestation, a byte each way. */
static atls_code connect_op(void *arg, atls_err *err)
{
    ends *e = arg;
    pair p = {0};
    e->opened++;
    atls_code rc = pair_open(e, &p, err);
    phase client = HANDSHAKE;
    phase server = HANDSHAKE;
    for (int i = 0; rc == ATLS_OK && (client != DONE || server != DONE); i++) {
        if (i == STEPS_MAX) {
            rc = fill_err(err, ATLS_E_SYSTEM, "bench.hang", "a connection in memory does not end");
            break;
        }
        rc = turn(p.client, p.client_session, &client, err);
        rc = rc != ATLS_OK ? rc : turn(p.server, p.server_session, &server, err);
    }
    pair_close(&p);
    return rc;
}

/* --- set-up --- */

/* Most dialects take the simulator's plain TDX quotes; these do not. */
static demo_wanted wanted_of(const char *binding)
{
    static const demo_wanted others[] = {
        {"sgx", "ra-tls-gramine", false},
        {"sgx", "ra-tls-sdk", false},
        {"tdx", "atlas", true},
        {"tdx", "ra-tls-dstack", true},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i].binding, binding) == 0) {
            return others[i];
        }
    }
    return (demo_wanted){"tdx", binding, false};
}

/* An event log that names the server's certificate, as Atlas wants it. */
static bool name_certificate(const endpoint *server, char hex[2 * SHA256_LEN + 1])
{
    uint8_t sha256[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (X509_digest(SSL_CTX_get0_certificate(server->ctx), EVP_sha256(), sha256, &len) != 1) {
        return false;
    }
    for (unsigned i = 0; i < len; i++) {
        (void)snprintf(hex + (size_t)2 * i, 3, "%02x", sha256[i]);
    }
    return true;
}

static int accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* Mutual TLS in every case: both ends show a P-256 certificate, and neither looks for a chain. */
static void ask_certificates(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
}

/* The same settings as the attested end (TLS 1.3, suites, groups, no tickets, no chain), without ALPN. */
static atls_code plain_end_open(atls_role role, const endpoint *like, endpoint *out, atls_err *err)
{
    endpoint e = {.ctx =
                      SSL_CTX_new(role == ATLS_CLIENT ? TLS_client_method() : TLS_server_method())};
    bool good = e.ctx != NULL && SSL_CTX_set_min_proto_version(e.ctx, TLS1_3_VERSION) == 1 &&
                SSL_CTX_set1_groups_list(e.ctx, "X25519:P-256:P-384") == 1 &&
                SSL_CTX_set_num_tickets(e.ctx, 0) == 1 &&
                SSL_CTX_use_certificate(e.ctx, SSL_CTX_get0_certificate(like->ctx)) == 1 &&
                SSL_CTX_use_PrivateKey(e.ctx, SSL_CTX_get0_privatekey(like->ctx)) == 1;
    if (!good) {
        SSL_CTX_free(e.ctx);
        ERR_clear_error();
        return fill_err(err, ATLS_E_SYSTEM, "tls.setup", "OpenSSL refuses the plain settings");
    }
    SSL_CTX_set_session_cache_mode(e.ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(e.ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(e.ctx, SSL_MODE_NO_AUTO_CHAIN);
    ask_certificates(e.ctx);
    *out = e;
    return ATLS_OK;
}

static atls_code attested_ends_open(const demo_world *w, const demo_binding *binding,
                                    const atls_attester *attester, bool mutual, ends *out,
                                    atls_err *err)
{
    ends e = {.attested = true, .mutual = mutual};
    atls_code rc = demo_end_open(ATLS_SERVER, binding, mutual ? w->verifier : NULL, attester, true,
                                 &e.server, err);
    rc = rc != ATLS_OK ? rc
                       : demo_end_open(ATLS_CLIENT, binding, w->verifier, mutual ? attester : NULL,
                                       true, &e.client, err);
    if (rc == ATLS_OK && !mutual) {
        ask_certificates(e.server.ctx); /* the client shows a certificate all the same */
    }
    *out = e;
    return rc;
}

static void ends_close(ends *e)
{
    demo_end_close(&e->client);
    demo_end_close(&e->server);
}

/* --- measuring --- */

typedef struct result {
    measure plain_s, attested_s, no_evidence_s; /* CPU seconds of one connection, both ends */
} result;

/* CPU seconds of judging a quote right behind a connection, as in a session: with the processor's caches full of TLS, and
 * not of the quote before. */
static atls_code time_judging(const demo_world *w, const char *binding, const timed_attester *t,
                              ends *plain, double *per_check_s, atls_err *err)
{
    double total_s = 0;
    for (size_t i = 0; i < t->kept_n; i++) {
        atls_code rc = connect_op(plain, err);
        rc = rc != ATLS_OK ? rc : judge_kept(w->verifier, binding, &t->kept[i], &total_s, err);
        if (rc != ATLS_OK) {
            return rc;
        }
    }
    *per_check_s = total_s / (double)t->kept_n;
    return ATLS_OK;
}

static atls_code measure_round(const demo_world *w, const char *binding, timed_attester *t,
                               ends *plain, ends *attested, uint64_t *counter, result *m,
                               atls_err *err)
{
    double plain_s = 0;
    double attested_s = 0;
    double judging_s = 0;
    atls_code rc = measure_slice(connect_op, plain, SLICE_S, &plain_s, err);
    t->making_s = 0;
    attested->opened = 0;
    rc = rc != ATLS_OK ? rc : measure_slice(connect_op, attested, SLICE_S, &attested_s, err);
    /* Of one connection: a certificate that is kept needs evidence once in a while. */
    double making_s = attested->opened > 0 ? t->making_s / (double)attested->opened : 0;
    rc = rc != ATLS_OK ? rc : keep_quotes(t, counter, err);
    rc = rc != ATLS_OK ? rc : time_judging(w, binding, t, plain, &judging_s, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    double attestations = attested->mutual ? 2 : 1;
    measure_add(&m->plain_s, plain_s);
    measure_add(&m->attested_s, attested_s);
    measure_add(&m->no_evidence_s, attested_s - making_s - attestations * judging_s);
    return ATLS_OK;
}

static void print_result(const result *m, const char *binding, bool mutual, bool json)
{
    double plain = 1 / measure_median(&m->plain_s);
    double attested = 1 / measure_median(&m->attested_s);
    double no_evidence = 1 / measure_median(&m->no_evidence_s);
    double overhead = plain / no_evidence - 1;
    if (json) {
        printf("{\"binding\":\"%s\",\"mutual\":%s,\"plain_per_s\":%.1f,\"attested_per_s\":%.1f,"
               "\"no_evidence_per_s\":%.1f,\"overhead\":%.3f}\n",
               binding, mutual ? "true" : "false", plain, attested, no_evidence, overhead);
        return;
    }
    printf("handshakes in a CPU second, client and server together (%s, %s):\n", binding,
           mutual ? "both sides attested" : "server attested");
    printf("  plain mutual TLS         %8.1f\n", plain);
    printf("  attested                 %8.1f   (a simulated quote made and judged)\n", attested);
    printf("  attested, less evidence  %8.1f   (%.1f %% more than plain)\n", no_evidence,
           overhead * 100);
}

typedef struct request {
    bool mutual, json;
    double seconds;
    const char *binding;
    char *options[ENDPOINT_OPTIONS];
    size_t options_n;
} request;

static int parse(int argc, char **argv, request *r)
{
    flags_begin();
    int id;
    uint64_t seconds = 0;
    while ((id = flags_next(&bench_flags, argc, argv)) != FLAGS_END) {
        switch (id) {
        case BINDING:
            r->binding = optarg;
            break;
        case BINDING_OPTION:
            if (r->options_n == ENDPOINT_OPTIONS || strchr(optarg, '=') == NULL) {
                (void)say_refusal(ATLS_E_USAGE, "usage.argument",
                                  "--binding-option wants NAME=VALUE, at most 16 times");
                return FLAGS_WRONG;
            }
            r->options[r->options_n++] = optarg;
            break;
        case MUTUAL:
            r->mutual = true;
            break;
        case SECONDS:
            if (!input_number(optarg, 1, 3600, &seconds)) {
                (void)say_refusal(ATLS_E_USAGE, "usage.argument", "--seconds wants 1 to 3600");
                return FLAGS_WRONG;
            }
            r->seconds = (double)seconds;
            break;
        case JSON:
            r->json = true;
            break;
        default:
            return id;
        }
    }
    if (optind != argc) {
        (void)say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", bench_flags.usage);
        return FLAGS_WRONG;
    }
    return FLAGS_END;
}

/* The simulator's attester, once it is known whose certificate its event log names. */
static atls_code open_attester(const demo_world *w, const demo_wanted *wanted, const ends *e,
                               char hex[2 * SHA256_LEN + 1], atls_attester **out, atls_err *err)
{
    atls_sim_quote quote = {.type = wanted->tee, .workload = DEMO_WORKLOAD};
    if (wanted->logged) {
        if (!name_certificate(&e->server, hex)) {
            return fill_err(err, ATLS_E_SYSTEM, "crypto.sha384", "SHA-2 is not available");
        }
        quote.event_log = "dstack";
        quote.certificate_event = hex;
    }
    return atls_sim_attester_new(w->sim, &quote, out, err);
}

/* glibc hands the heap's end back to the kernel when much of it is free, and fetches it again for the next connection. What
 * happens to lie at the end decides whether plain or attested connections pay for that: up to 0.05 of difference. */
static void keep_freed_memory(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
#endif
}

static atls_code run(const request *r, const demo_world *w, const demo_wanted *wanted,
                     timed_attester *t, result *m, atls_err *err)
{
    keep_freed_memory();
    const atls_attester attester = {.name = "sim", .self = t, .attest = attest_timed};
    char certificate[2 * SHA256_LEN + 1] = {0};
    atls_attester *sim = NULL;
    ends attested = {0};
    ends plain = {0};
    uint64_t counter = 0;
    const demo_binding binding = {r->binding, r->options, r->options_n};
    atls_code rc = attested_ends_open(w, &binding, &attester, r->mutual, &attested, err);
    rc = rc != ATLS_OK ? rc : open_attester(w, wanted, &attested, certificate, &sim, err);
    t->inner = sim;
    t->runtime_events = strcmp(r->binding, "ra-tls-dstack") == 0;
    rc = rc != ATLS_OK ? rc : plain_end_open(ATLS_SERVER, &attested.server, &plain.server, err);
    rc = rc != ATLS_OK ? rc : plain_end_open(ATLS_CLIENT, &attested.client, &plain.client, err);
    rc = rc != ATLS_OK ? rc : connect_op(&plain, err);
    rc = rc != ATLS_OK ? rc : connect_op(&attested, err); /* caches are warm from here on */
    double until = measure_wall_s() + r->seconds;
    do {
        rc = rc != ATLS_OK ? rc
                           : measure_round(w, r->binding, t, &plain, &attested, &counter, m, err);
    } while (rc == ATLS_OK && measure_wall_s() < until);
    forget_quotes(t);
    ends_close(&plain);
    ends_close(&attested);
    atls_attester_free(sim);
    return rc;
}

int bench_handshake(int argc, char **argv)
{
    request r = {.seconds = 5, .binding = "atls/1"};
    int parsed = parse(argc, argv, &r);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }
    atls_err err = {0};
    demo_world w = {0};
    const demo_wanted wanted = wanted_of(r.binding);
    timed_attester *t = calloc(1, sizeof *t);
    result *m = calloc(1, sizeof *m);
    atls_code rc = t != NULL && m != NULL
                       ? demo_world_open((int64_t)time(NULL), &wanted, &w, &err)
                       : fill_err(&err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    rc = rc != ATLS_OK ? rc : run(&r, &w, &wanted, t, m, &err);
    if (rc == ATLS_OK) {
        print_result(m, r.binding, r.mutual, r.json);
    }
    demo_world_close(&w);
    free(t);
    free(m);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
