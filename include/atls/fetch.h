/* fetch.h: fills a store from origins over HTTP, in a thread of its own: what is asked for at once, what is held ahead of its
 * expiry. libatls-fetch. One fetch an item however many ask; only configured origins are asked. */
#ifndef ATLS_FETCH_H
#define ATLS_FETCH_H

#include <atls/store.h>

typedef struct atls_fetcher atls_fetcher;

/* The store is borrowed, and must outlive the fetcher. */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_new(atls_store *store, atls_fetcher **out,
                                                  atls_err *err);
ATLS_API void atls_fetcher_free(
    atls_fetcher *
        f); /* stops the thread; requests under way are dropped; who waits in _get is told so first */

/* --- settings, before atls_fetcher_start --- */

/* KIND=URL, in the order in which they are asked; at most 16:
 *   intel=https://api.trustedservices.intel.com          Intel's PCS, version 4 (the CRL of the root from
 *                                                        certificates.trustedservices.intel.com)
 *   pccs=https://HOST:8081                               a PCCS, or `atls collateral serve`; pccs=unix:PATH
 *   amd=https://kdsintf.amd.com                          AMD's KDS, or a mirror; amd=unix:PATH
 *   jwks:ISSUER=https://...                              the JWK set of that issuer of tokens
 * http:// only to loopback addresses, and never for JWK sets. ATLS_E_USAGE "fetch.origin". */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_add_origin(atls_fetcher *f, const char *origin,
                                                         atls_err *err);
/* The vendors' own services: intel= and amd= as above. */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_add_vendors(atls_fetcher *f, atls_err *err);
/* Others by name: "proxy" (URL), "ca" (file of certificates that origins' TLS is verified with, in place of the system's),
 * "api-key" (file; Intel's, for PCK certificates), "request-timeout" (seconds, 10), "total-timeout" (seconds for one item over all origins and
 * retries, 30), "refresh-ahead" (part of its life, in percent, that an item is renewed before its end: 25), "channel" (standard, early,
 * or a tcbEvaluationDataNumber: what is asked for in place of standard), "user-agent". ATLS_E_USAGE "fetch.option". */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_set_option(atls_fetcher *f, const char *name,
                                                         const char *value, atls_err *err);
/* A second level for a fleet: redis://[:PASSWORD@]HOST:PORT or redis+unix:PATH; several, separated by commas, are nodes of a cluster. What
 * comes from there is judged like everything; when it is away, nothing waits for it. ATLS_E_USAGE "fetch.shared". */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_set_shared(atls_fetcher *f, const char *url,
                                                         atls_err *err);
/* Lines for people and logs: {"event":"fetched","key":...}, one JSON object each; from the fetcher's thread. */
typedef void atls_fetch_log(void *arg, const char *line);
ATLS_API void atls_fetcher_set_log(atls_fetcher *f, atls_fetch_log *log, void *arg);

/* --- work --- */

ATLS_API ATLS_MUST_USE atls_code atls_fetcher_start(atls_fetcher *f, atls_err *err);
/* Waits (at most timeout_ms; 0: the total timeout) until each of these keys is held and in its time, or cannot be had. All there: ATLS_OK; else
 * why the first of them is not: ATLS_E_COLLATERAL "fetch....", or what was wrong with what came. Safe from many threads. */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_get(atls_fetcher *f, const atls_needs *needs,
                                                  uint32_t timeout_ms, atls_err *err);
/* The same, whatever the store has: asks the origins anew. */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_renew(atls_fetcher *f, const atls_needs *needs,
                                                    uint32_t timeout_ms, atls_err *err);
/* Renews everything that the store holds, or will be asked for, ahead of expiry from now on. Without this only what is asked for is fetched. */
ATLS_API void atls_fetcher_keep_fresh(atls_fetcher *f, bool keep);
/* Requests sent to origins since the start, answered or not. */
ATLS_API uint64_t atls_fetcher_requests(const atls_fetcher *f);

/* --- serving others, in the PCCS's and KDS's own paths --- */

#define ATLS_SERVED_HEADERS 4
typedef struct atls_served { /* an HTTP answer; freed with atls_served_clear */
    int status;
    const char *content_type; /* static */
    size_t headers_n;
    struct {
        const char *name; /* static */
        char *value;      /* malloc'ed */
    } headers[ATLS_SERVED_HEADERS];
    uint8_t *body; /* malloc'ed */
    size_t body_len;
} atls_served;
/* client: who asks, in any words that tell it from others (its address); NULL: not known. Each starts at most 16 fetches at a time, and
 * has its turn at an origin that wants a distance between requests, so that none keeps the others out.
 * Answers GET of path_and_query (as on the request line) from the fetcher's store, fetching what is missing (f's thread is at work). Never
 * fails but for lack of memory: what cannot be had is the status that a PCCS or KDS would give. */
ATLS_API ATLS_MUST_USE atls_code atls_fetcher_serve(atls_fetcher *f, const char *client,
                                                    const char *method, const char *path_and_query,
                                                    int64_t when_s, atls_served *out,
                                                    atls_err *err);
ATLS_API void atls_served_clear(atls_served *s);

#endif
