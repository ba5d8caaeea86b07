/* convert_terms.h: what readers and writers of dstack's and Atlas's policies share: strict members, hex, and the terms of
 * ours that both speak about. A failure is ATLS_E_USAGE: "convert.member" (one that is not known, or missing),
 * "convert.value" (one of another form), "convert.lossy" (one of ours that the other language cannot say). */
#ifndef ATLS_POLICY_CONVERT_TERMS_H
#define ATLS_POLICY_CONVERT_TERMS_H

#include <jansson.h>

#include "base/text.h"

/* A text of theirs (at most 4 MiB). ATLS_E_USAGE "convert.json". The caller json_decref()s *out. */
ATLS_MUST_USE atls_code convert_parse(atls_buf text, json_t **out, atls_err *err);
/* Every member's name is one of those (NULL behind the last). what: the object, for the sentence. */
ATLS_MUST_USE atls_code convert_known(const json_t *object, const char *what,
                                      const char *const *names, atls_err *err);
/* The same for an object of ours: "why", "description" pass; another is "convert.lossy". */
ATLS_MUST_USE atls_code convert_sayable(const json_t *object, const char *what,
                                        const char *const *names, atls_err *err);
ATLS_MUST_USE atls_code convert_bad_value(const char *what, const char *wanted, atls_err *err);
ATLS_MUST_USE atls_code convert_lossy(const char *what, const char *why, atls_err *err);

/* Lower-case hex of that many bytes; prefix: "0x" may stand before it, and either case. */
bool convert_is_hex(const json_t *v, size_t bytes, bool prefix);
/* Its digits as a new text, lower case, without prefix; NULL: no memory. */
json_t *convert_digits(const json_t *v);

/* {"mrtd": ..., "rtmr0": ..., "rtmr1": ..., "rtmr2": ...} of theirs as a set of ours, and back: the one value of each. */
ATLS_MUST_USE atls_code convert_boot_in(const json_t *theirs, const char *what, json_t **out,
                                        atls_err *err);
ATLS_MUST_USE atls_code convert_boot_out(const json_t *set, json_t **out, atls_err *err);

/* Statuses: those that ours knows; "Revoked" and unknown ones are left out, with a note (that accepts less). */
ATLS_MUST_USE atls_code convert_statuses_in(const json_t *theirs, const char *what,
                                            const char *const *vocabulary, json_t **out,
                                            atls_text *notes, atls_err *err);

/* {"name": name, "payload": list}: takes list over. NULL: no memory. */
json_t *convert_event(const char *name, json_t *list);
/* The workload's event of that name: payloads, an array; NULL: there is none. */
const json_t *convert_payloads(const json_t *workload, const char *name);
/* Sets a member; takes value over; failure (also of making value) sticks in *good. */
void convert_put(json_t *object, const char *name, json_t *value, bool *good);
void convert_append(json_t *list, json_t *value, bool *good);

#endif
