/* policy.h: what is accepted. JSON in, an immutable object out; its schema is docs/policy.schema.json. */
#ifndef ATLS_POLICY_H
#define ATLS_POLICY_H

#include <atls/types.h>

typedef struct atls_policy atls_policy;
struct atls_verdict; /* <atls/verifier.h> */

/* Parses a policy (at most 1 MiB). On failure *out is untouched, and err names line and column.
 * ATLS_E_USAGE for everything wrong in the text. The caller owns *out (reference counted). */
ATLS_API ATLS_MUST_USE atls_code atls_policy_parse(atls_buf json, atls_policy **out, atls_err *err);

/* Another reference; safe from any thread. Returns its argument. */
ATLS_API atls_policy *atls_policy_up_ref(const atls_policy *policy);
ATLS_API void atls_policy_free(atls_policy *policy);

/* SHA-256 of the policy text as parsed: what verdicts and audit records cite. */
ATLS_API void atls_policy_hash(const atls_policy *policy, uint8_t out[32]);

ATLS_API size_t atls_policy_workloads(const atls_policy *policy);
ATLS_API const char *atls_policy_workload_name(const atls_policy *policy, size_t i);

/* Warnings of `atls policy check`, one a call; NULL after the last. Lent: lives with the policy. */
ATLS_API const char *atls_policy_warning(const atls_policy *policy, size_t i);

/* What the policy accepts, in plain words; the caller frees it with atls_free. NULL: no memory. */
ATLS_API char *atls_policy_explain(const atls_policy *policy);

/* A policy out of evidence that is known to be good: n verdicts (1 to 64), all accepted. One workload a TEE, named
 * name (name-TEE if there are several); every value has a "why", and the workload's own says what was left open.
 * *out is its text, which the caller frees with atls_free. ATLS_E_USAGE: "learn.refused", "learn.evidence". */
ATLS_API ATLS_MUST_USE atls_code atls_policy_learn(const struct atls_verdict *const *verdicts,
                                                   size_t n, const char *name, char **out,
                                                   atls_err *err);

/* What b accepts that a did not, and the reverse, workload by workload (by name): one JSON object
 * {"equal":false,"differences":[{"workload":"web","what":"tdx","side":"b","accepts":"..."},...]}, side "a" or "b"
 * being the one that accepts it. Where the two cannot be compared exactly a difference is told rather than left
 * out. The caller frees it with atls_free; *equal: there is none. NULL: no memory. */
ATLS_API char *atls_policy_diff(const atls_policy *a, const atls_policy *b, bool *equal);
/* The same for people. */
ATLS_API char *atls_policy_diff_text(const atls_policy *a, const atls_policy *b, bool *equal);

/* Languages of others: "atlas", "dstack", "flashbots", "constellation"; NULL after the last. */
ATLS_API const char *atls_policy_language_name(size_t i);
/* A policy of theirs (at most 4 MiB) as ours, which atls_policy_parse takes; or ours, of one workload, as theirs. What the
 * other language cannot say is refused ("convert.lossy"), never left out. *notes: a line each of what differs in meaning
 * ("" if nothing). The caller frees both with atls_free. ATLS_E_USAGE "convert....". */
ATLS_API ATLS_MUST_USE atls_code atls_policy_convert_from(const char *language, atls_buf text, char **out, char **notes,
                                                          atls_err *err);
ATLS_API ATLS_MUST_USE atls_code atls_policy_convert_to(const char *language, atls_buf text, char **out, char **notes,
                                                        atls_err *err);

#endif
