/* atlas_json.h: the two JSON documents of Atlas: the nonce that is asked with, and the quote that is answered. */
#ifndef ATLS_BINDING_ATLAS_JSON_H
#define ATLS_BINDING_ATLAS_JSON_H

#include "binding/binding.h"

#define ATLS_ATLAS_NONCE_LEN   32
#define ATLS_ATLAS_REQUEST_LEN 80 /* bytes of the request's body */
#define ATLS_ATLAS_EVENTS_MAX  2000

/* {"nonce_hex":"..."}, without NUL. */
void atls_atlas_request_body(const uint8_t nonce[ATLS_ATLAS_NONCE_LEN],
                             char out[ATLS_ATLAS_REQUEST_LEN + 1]);
/* Other members are ignored. ATLS_E_INVALID "atlas.json". */
ATLS_MUST_USE atls_code atls_atlas_read_request(atls_buf body, uint8_t nonce[ATLS_ATLAS_NONCE_LEN],
                                                atls_err *err);

/* quote.quote (hex) and quote.event_log (a text that holds JSON) as evidence of type "tdx"; every other member is ignored,
 * none of them is authenticated. *out is empty before. ATLS_E_INVALID "atlas.json", "atlas.quote". */
ATLS_MUST_USE atls_code atls_atlas_read_answer(atls_buf body, atls_carried *out, atls_err *err);

typedef struct atls_atlas_answer {
    atls_buf quote, event_log; /* of our evidence; the log is dstack's JSON */
    atls_buf report_data;
    int64_t when_s;
} atls_atlas_answer;
/* The text, with NUL; the caller frees it. Digests that newer dstack releases leave out of runtime events are filled in:
 * Atlas's client replays them as they stand. ATLS_E_SYSTEM "atlas.evidence". */
ATLS_MUST_USE atls_code atls_atlas_write_answer(const atls_atlas_answer *a, char **out,
                                                atls_err *err);

#endif
