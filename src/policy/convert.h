/* convert.h: policies of others, read into ours and written out of it. One descriptor a language, listed in convert.c. */
#ifndef ATLS_POLICY_CONVERT_H
#define ATLS_POLICY_CONVERT_H

#include <jansson.h>

#include <atls/policy.h>

#include "base/text.h"

typedef struct atls_policy_language {
    const char *name; /* as in `atls policy convert --from NAME` */
    /* A policy of that language as a document of ours (a new reference), strict: what it cannot carry over is an error.
     * notes: one line each of what differs in meaning, or is taken from its defaults. ATLS_E_USAGE "convert....". */
    atls_code (*read)(atls_buf text, json_t **out, atls_text *notes, atls_err *err);
    /* One workload of ours (valid: it has been parsed as a policy) in that language. What the language cannot say is an
     * error "convert.lossy" that names the member, never left out: a policy does not get weaker on the way. NULL: only read. */
    atls_code (*write)(const json_t *workload, char **text, atls_text *notes, atls_err *err);
} atls_policy_language;

extern const atls_policy_language atls_policy_language_atlas;
extern const atls_policy_language atls_policy_language_dstack;
extern const atls_policy_language atls_policy_language_flashbots;
extern const atls_policy_language atls_policy_language_constellation;

#endif
