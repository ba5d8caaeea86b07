/* sim_up.c: `atls sim up`: a simulated platform's collateral service, in the paths of a PCCS and of AMD's KDS. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atls/fetch.h>
#include <atls/store.h>

#include "http_server.h"
#include "input.h"
#include "say.h"
#include "sim_up.h"

#define CONNECTIONS 256
#define IDLE_S      20
#define PATH_LEN    4096
#define ROOT_MAX    ((size_t)256 * 1024)

enum { DIR = 0x100, LISTEN };

static const flag own_flags[] = {
    {DIR, "dir", "DIR", "the platform, made by `atls sim pki`"},
    {LISTEN, "listen", "ADDR", "HOST:PORT of loopback, or unix:PATH (127.0.0.1:8081)"},
    {0, NULL, NULL, NULL},
};
static const flags up_flags = {
    "atls sim up --dir DIR [--listen ADDR]",
    "Serves a simulated platform's collateral as its vendor would, for --origin pccs=http://ADDR, to whoever\n"
    "trusts the simulator's root. Ends with SIGTERM.",
    {own_flags},
};

typedef struct simulated {
    atls_store *store;
    atls_fetcher *fetcher; /* without origins: it fetches nothing */
} simulated;

static atls_code read_file(const char *dir, const char *name, size_t max, input *out, atls_err *err)
{
    char path[PATH_LEN];
    const int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path) {
        return fill_err(err, ATLS_E_USAGE, "usage.argument", "the directory's name is too long");
    }
    return input_read(path, max, ATLS_E_USAGE, "collateral.size", out, err);
}

static atls_code take_roots(simulated *s, const char *dir, atls_err *err)
{
    input in = {0};
    atls_code rc = read_file(dir, "root.pem", ROOT_MAX, &in, err);
    rc = rc == ATLS_OK ? atls_store_insecure_trust_simulator(s->store, input_buf(&in), err) : rc;
    input_clear(&in);
    return rc;
}

static atls_code take_collateral(simulated *s, const char *dir, const char *name, int64_t when_s,
                                 atls_err *err)
{
    input in = {0};
    size_t taken = 0;
    atls_code rc = read_file(dir, name, INPUT_COLLATERAL_MAX, &in, err);
    rc = rc == ATLS_OK ? atls_store_take_json(s->store, input_buf(&in), name, when_s, &taken, err)
                       : rc;
    input_clear(&in);
    return rc;
}

static atls_code answer(void *arg, const char *client, const char *method, const char *path,
                        atls_served *out, atls_err *err)
{
    const simulated *s = arg;
    return atls_fetcher_serve(s->fetcher, client, method, path, (int64_t)time(NULL), out, err);
}

static atls_code up(simulated *s, const char *dir, const char *listen, atls_err *err)
{
    const int64_t when_s = (int64_t)time(NULL);
    const http_settings settings = {
        .connections = CONNECTIONS, .idle_s = IDLE_S, .answer = answer, .arg = s};
    http_block_signals();
    atls_code rc = atls_store_open(NULL, &s->store, err);
    rc = rc == ATLS_OK ? take_roots(s, dir, err) : rc;
    rc = rc == ATLS_OK ? take_collateral(s, dir, "collateral-tdx.json", when_s, err) : rc;
    rc = rc == ATLS_OK ? take_collateral(s, dir, "collateral-sgx.json", when_s, err) : rc;
    rc = rc == ATLS_OK ? atls_fetcher_new(s->store, &s->fetcher, err) : rc;
    rc = rc == ATLS_OK ? atls_fetcher_start(s->fetcher, err) : rc;
    return rc == ATLS_OK ? http_serve(listen, false, &settings, err) : rc;
}

int sim_up(int argc, char **argv)
{
    const char *dir = NULL;
    const char *listen = "127.0.0.1:8081";
    simulated s = {0};
    atls_err err = {0};
    int id;
    flags_begin();
    while ((id = flags_next(&up_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id == FLAGS_HELP ? 0 : ATLS_E_USAGE;
        }
        dir = id == DIR ? optarg : dir;
        listen = id == LISTEN ? optarg : listen;
    }
    if (dir == NULL || optind < argc) {
        return say_refusal(ATLS_E_USAGE, "usage.option", "wanted is: %s", up_flags.usage);
    }
    const atls_code rc = up(&s, dir, listen, &err);
    atls_fetcher_free(s.fetcher);
    atls_store_free(s.store);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
