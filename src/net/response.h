/* response.h: an origin's answer, hostile bytes until judged, to an item or to what a person should know. */
#ifndef ATLS_NET_RESPONSE_H
#define ATLS_NET_RESPONSE_H

#include "net/origin.h"

#define ATLS_RESPONSE_BODY_MAX (2 * ATLS_ITEM_BODY_MAX + 16) /* bytes: a CRL as hex */

typedef struct atls_http_response {
    long status;      /* 0: there was none */
    atls_buf headers; /* of the last answer: lines as they came, with CRLF, at most 64 KiB */
    atls_buf body;    /* at most body_max */
} atls_http_response;

/* What an answer means beside the item. */
typedef struct atls_response_hint {
    bool
        absent; /* the origin knows that there is none (404, 410, 461, 462): remembered for a while */
    bool unreachable;       /* no answer, 5xx, 429: another origin or a later time may help */
    uint32_t retry_after_s; /* it asked for so much peace, at most 3600; 0: it said nothing */
} atls_response_hint;

/* *out: owned, not to be moved (its key is inside), freed with atls_response_item_free; key is the one asked for. Chains come out of headers (percent-encoded PEM;
 * names without regard to case), CRLs in PEM, DER or hex become DER. Other failures: code 3 with an id that says what happened
 * ("fetch.absent", "fetch.throttled", "fetch.server", "fetch.denied", "fetch.redirect", "fetch.status", "fetch.no_answer";
 * of an answer 200: "fetch.content_type", "fetch.chain", "fetch.body", "fetch.size"), the origin's name and what to
 * do in the sentence. when_s: for a Retry-After that is a date. */
typedef struct atls_response_item {
    atls_item item;
    char key[ATLS_ITEM_KEY_LEN];
    uint8_t *space;
} atls_response_item;
ATLS_MUST_USE atls_code atls_response_read(const atls_origin *origin, const char *key,
                                           const atls_http_response *response, int64_t when_s,
                                           atls_response_item *out, atls_response_hint *hint,
                                           atls_err *err);
void atls_response_item_free(atls_response_item *item);

#endif
