/* collateral_serve.c: `atls collateral serve`: a caching PCCS (version 4) and KDS for a rack or a cluster. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "collateral_commands.h"
#include "http_server.h"
#include "input.h"
#include "say.h"

#define PEM_MAX             ((size_t)256 * 1024)
#define CONNECTIONS_DEFAULT 256
#define IDLE_S              20

enum { LISTEN = 0x300, TLS_CERT, TLS_KEY, INSECURE_PLAIN, CONNECTIONS, IDLE, ONLY_ASKED, QUIET };

static const flag own_flags[] = {
    {LISTEN, "listen", "ADDR", "HOST:PORT or unix:PATH (127.0.0.1:8081); port 0: any free one"},
    {TLS_CERT, "tls-cert", "FILE", "its certificate and chain (PEM)"},
    {TLS_KEY, "tls-key", "FILE", "the certificate's private key (PEM)"},
    {INSECURE_PLAIN, "insecure-plain", NULL, "plain HTTP on addresses that others reach, too"},
    {CONNECTIONS, "connections", "N", "at a time (256, at most 1024)"},
    {IDLE, "idle", "SECONDS", "a request must have come, or an answer have gone, within them (20)"},
    {ONLY_ASKED, "only-asked", NULL, "do not renew ahead of expiry what nobody asks for"},
    {QUIET, "quiet", NULL, "no line a request and fetch on standard error"},
    {0, NULL, NULL, NULL},
};
static const flags serve_flags = {
    "atls collateral serve [options]",
    "Serves collateral to other hosts in the paths of Intel's PCCS (version 4) and AMD's KDS, from the store, fetching\n"
    "what is missing from the origins: many hosts, one question to the vendor. Ends with SIGTERM.",
    {own_flags, collateral_room_flags, collateral_fetch_flags},
};

typedef struct serving {
    collateral_room room;
    collateral_setup source;
    atls_fetcher *fetcher;
    const char *listen, *cert_file, *key_file;
    input cert, key;
    uint64_t connections, idle_s;
    bool plain, only_asked, quiet;
} serving;

static int take_option(serving *s, int id, char *arg)
{
    switch (id) {
    case LISTEN:
        s->listen = arg;
        return 0;
    case TLS_CERT:
        s->cert_file = arg;
        return 0;
    case TLS_KEY:
        s->key_file = arg;
        return 0;
    case INSECURE_PLAIN:
        s->plain = true;
        return 0;
    case CONNECTIONS:
        return input_number(arg, 1, HTTP_CONNECTIONS_MAX, &s->connections)
                   ? 0
                   : say_refusal(ATLS_E_USAGE, "usage.argument", "--connections wants 1 to %d",
                                 HTTP_CONNECTIONS_MAX);
    case IDLE:
        return input_number(arg, 1, 3600, &s->idle_s)
                   ? 0
                   : say_refusal(ATLS_E_USAGE, "usage.argument", "--idle wants 1 to 3600 seconds");
    case ONLY_ASKED:
        s->only_asked = true;
        return 0;
    case QUIET:
        s->quiet = true;
        return 0;
    default:
        return collateral_room_take(&s->room, id, arg) || collateral_setup_take(&s->source, id, arg)
                   ? 0
                   : ATLS_E_USAGE;
    }
}

static atls_code read_tls(serving *s, atls_err *err)
{
    if ((s->cert_file == NULL) != (s->key_file == NULL)) {
        return fill_err(err, ATLS_E_USAGE, "usage.option", "--tls-cert and --tls-key go together");
    }
    if (s->cert_file == NULL) {
        return ATLS_OK;
    }
    atls_code rc = input_read(s->cert_file, PEM_MAX, ATLS_E_USAGE, "usage.argument", &s->cert, err);
    return rc == ATLS_OK
               ? input_read(s->key_file, PEM_MAX, ATLS_E_USAGE, "usage.argument", &s->key, err)
               : rc;
}

static atls_code answer(void *arg, const char *client, const char *method, const char *path,
                        atls_served *out, atls_err *err)
{
    const serving *s = arg;
    return atls_fetcher_serve(s->fetcher, client, method, path, (int64_t)time(NULL), out, err);
}

static atls_code serve(serving *s, atls_err *err)
{
    const http_settings settings = {.cert_pem = (const char *)s->cert.bytes,
                                    .key_pem = (const char *)s->key.bytes,
                                    .connections = (unsigned)s->connections,
                                    .idle_s = (uint32_t)s->idle_s,
                                    .answer = answer,
                                    .arg = s,
                                    .quiet = s->quiet};
    atls_fetcher_keep_fresh(s->fetcher, !s->only_asked);
    return http_serve(s->listen, s->plain, &settings, err);
}

static atls_code run(serving *s, atls_err *err)
{
    http_block_signals();
    atls_code rc = read_tls(s, err);
    rc = rc == ATLS_OK ? collateral_room_open(&s->room, false, (int64_t)time(NULL), err) : rc;
    if (rc == ATLS_OK) {
        rc = collateral_fetcher_open(&s->source, s->room.store, s->quiet ? NULL : collateral_log,
                                     &s->fetcher, err);
    }
    rc = rc == ATLS_OK ? serve(s, err) : rc;
    atls_fetcher_free(s->fetcher);
    collateral_room_close(&s->room);
    input_clear(&s->cert);
    if (s->key.bytes != NULL) {
        OPENSSL_cleanse(s->key.bytes, s->key.len);
    }
    input_clear(&s->key);
    return rc;
}

int command_collateral_serve(int argc, char **argv)
{
    serving s = {.listen = "127.0.0.1:8081", .connections = CONNECTIONS_DEFAULT, .idle_s = IDLE_S};
    atls_err err = {0};
    int id;
    flags_begin();
    while ((id = flags_next(&serve_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP) {
            return 0;
        }
        if (id == FLAGS_WRONG || take_option(&s, id, optarg) != 0) {
            return ATLS_E_USAGE;
        }
    }
    if (optind < argc) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "%s: serve takes options only",
                           argv[optind]);
    }
    const atls_code rc = run(&s, &err);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
