/* endpoint.h: one side of attested TLS as the command line describes it: whom it trusts, who it is, what evidence it
 * shows. connect and proxy share these options. */
#ifndef ATLS_APPS_ENDPOINT_H
#define ATLS_APPS_ENDPOINT_H

#include <atls/session.h>

#include "evidence_source.h"
#include "flags.h"
#include "verifier_setup.h"

#define ENDPOINT_OPTIONS 16

typedef struct endpoint_setup {
    verifier_setup verifier;
    evidence_source source;          /* type NULL: this side shows no evidence */
    const char *cert, *key;          /* PEM files; NULL: a key of its own for this run */
    const char *ca;                  /* NULL: the peer's certificate needs no chain */
    const char *server_name;         /* NULL: the host that is connected to */
    const char *bindings;            /* NULL: atls/1 */
    char *options[ENDPOINT_OPTIONS]; /* of the bindings: "NAME=VALUE" */
    size_t options_n;
    uint32_t timeout_ms; /* connecting, and TLS to verdicts */
} endpoint_setup;

typedef struct endpoint {
    verifier_kit kit; /* verifier NULL: nothing is asked of the peer */
    atls_config *config;
    SSL_CTX *ctx;
    const char *server_name;
    bool pki;
} endpoint;

extern const flag endpoint_flags[];

/* Taken (FLAGS_END), wrong and said (FLAGS_WRONG), or not one of endpoint_flags (0). */
int endpoint_setup_take(endpoint_setup *setup, int id, char *arg);

/* Makes the side `role` of the setup, which must outlive it; ask: is evidence wanted of the peer? */
atls_code endpoint_open(endpoint_setup *setup, atls_role role, bool ask, endpoint *out,
                        atls_err *err);
/* The dialects that a configuration speaks, and their settings. */
atls_code endpoint_set_bindings(atls_config *c, const char *bindings, char *const *options,
                                size_t options_n, atls_err *err);
void endpoint_close(endpoint *e, endpoint_setup *setup);

#endif
