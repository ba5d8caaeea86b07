/* demo_world.h: what the demonstration and the handshake benchmark play with, all of it in memory: a simulated
 * platform, a verifier that knows it and one workload, and the two ends of connections. */
#ifndef ATLS_APPS_DEMO_WORLD_H
#define ATLS_APPS_DEMO_WORLD_H

#include <atls/session.h>
#include <atls/sim.h>

#include "endpoint.h"

#define DEMO_WORKLOAD "demo"

typedef struct demo_world {
    atls_sim *sim;
    atls_verifier *verifier; /* accepts DEMO_WORKLOAD on this very platform, up to date */
} demo_world;

/* What is to be accepted. */
typedef struct demo_wanted {
    const char *tee;     /* "tdx" or "sgx" */
    const char *binding; /* the one that the policy accepts */
    bool logged;         /* evidence has dstack's event log, and RTMRs that are its own */
} demo_wanted;
atls_code demo_world_open(int64_t when_s, const demo_wanted *wanted, demo_world *out,
                          atls_err *err);
void demo_world_close(demo_world *w);

/* What an end of a connection speaks. */
typedef struct demo_binding {
    const char *name; /* NULL: atls/1 */
    char *const *options;
    size_t options_n;
} demo_binding;

/* One end of connections: borrowed verifier and attester (either may be NULL); show_key: with a key and certificate of
 * its own. Freed with demo_end_close, not endpoint_close: nothing in it is owned but context and configuration. */
atls_code demo_end_open(atls_role role, const demo_binding *binding, const atls_verifier *verifier,
                        const atls_attester *attester, bool show_key, endpoint *out, atls_err *err);
void demo_end_close(endpoint *e);

#endif
