/* origin.h: where items are fetched from, and how each is asked for there. No connection is made here. */
#ifndef ATLS_NET_ORIGIN_H
#define ATLS_NET_ORIGIN_H

#include <atls/fetch.h>

#define ATLS_ORIGINS_MAX 16
#define ATLS_URL_LEN     1024 /* with NUL */

typedef enum atls_origin_kind {
    ATLS_ORIGIN_INTEL = 0,
    ATLS_ORIGIN_PCCS,
    ATLS_ORIGIN_AMD,
    ATLS_ORIGIN_JWKS
} atls_origin_kind;

typedef struct atls_origin {
    atls_origin_kind kind;
    char base
        [512]; /* "https://host[:port][/path]", no slash at the end; over a unix socket "http://localhost" */
    char unix_path[108]; /* "": TCP */
    char issuer[256];    /* JWK sets: whose */
    char name[200];      /* for people: as it was given, without a password */
    uint32_t
        gap_ms; /* at least this between two requests: AMD's own KDS 10,000, others (mirrors too) 0 */
    bool is_pcs; /* Intel's own service: it has the CRL of the root elsewhere, and asks for a key */
} atls_origin;

/* KIND=URL of <atls/fetch.h>. ATLS_E_USAGE "fetch.origin". */
ATLS_MUST_USE atls_code atls_origin_parse(const char *text, atls_origin *out, atls_err *err);

/* One HTTP GET. Only for this origin, whatever the item is. */
typedef struct atls_http_request {
    char url[ATLS_URL_LEN];
    size_t body_max;    /* bytes; more is refused while it comes */
    bool needs_api_key; /* Intel's service gives PCK certificates only with one */
} atls_http_request;

/* Does this kind of origin have that item at all? */
bool atls_origin_serves(const atls_origin *origin, const char *key);
/* channel: what "standard" keys are asked for as ("standard", "early", or a number). ATLS_E_USAGE "item.key". */
ATLS_MUST_USE atls_code atls_origin_request(const atls_origin *origin, const char *key,
                                            const char *channel, atls_http_request *out,
                                            atls_err *err);

#endif
