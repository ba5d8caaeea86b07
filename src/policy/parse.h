/* parse.h: the tools of the policy parser: a place in the text, tables of keys, and typed values.
 *
 * Every refusal is ATLS_E_USAGE "policy.format" and names line and column. */
#ifndef ATLS_POLICY_PARSE_H
#define ATLS_POLICY_PARSE_H

#include "base/text.h"
#include "codec/json.h"
#include "policy/policy.h"

typedef struct atls_policy_parser {
    atls_buf text;
    atls_json_step steps[ATLS_JSON_DEPTH_MAX]; /* from the top to the value that is being read */
    size_t steps_n;
    atls_policy *policy;
    atls_err *err;
} atls_policy_parser;

/* A member that an object may have: the table is the parser, and the schema's test reads it too. */
typedef struct atls_policy_key {
    const char *name;
    atls_code (*parse)(atls_policy_parser *p, json_t *value, void *target);
    bool is_required;
} atls_policy_key;

typedef struct atls_policy_object {
    const char *name; /* "workload": as under $defs of the schema */
    const atls_policy_key *keys;
    size_t keys_n;
} atls_policy_object;

/* The objects of a policy (each may have "why" too, which nobody judges), but for the register sets (atls_registers); NULL after the last. */
const atls_policy_object *atls_policy_object_at(size_t i);

void atls_policy_enter(atls_policy_parser *p, const char *name);
void atls_policy_enter_element(atls_policy_parser *p, size_t index);
void atls_policy_leave(atls_policy_parser *p);

/* Refuses the value that is being read, or the member (its name). fmt is the sentence. */
atls_code atls_policy_refuse(atls_policy_parser *p, const char *fmt, ...) ATLS_PRINTF(2, 3);
atls_code atls_policy_refuse_member(atls_policy_parser *p, const char *fmt, ...) ATLS_PRINTF(2, 3);
/* "unknown WHAT "word"; did you mean ...?", at the member when at_member. */
atls_code atls_policy_refuse_unknown(atls_policy_parser *p, bool at_member, const char *what,
                                     const char *word, const char *const *known, size_t known_n);

/* "why" of an object: a text, or an object that has a text for members of it. */
atls_code atls_policy_parse_why(atls_policy_parser *p, json_t *value, const json_t *object);
atls_code atls_policy_parse_object(atls_policy_parser *p, json_t *value,
                                   const atls_policy_object *object, void *target);

/* Typed values. Strings: 1 to ATLS_POLICY_TEXT_MAX printable ASCII characters. */
atls_code atls_policy_parse_string(atls_policy_parser *p, json_t *value, const char **out);
atls_code atls_policy_parse_bool(atls_policy_parser *p, json_t *value, bool *out);
atls_code atls_policy_parse_number(atls_policy_parser *p, json_t *value, uint32_t min, uint32_t max,
                                   uint32_t *out);
/* A number, or text of it in hex: "0x1f". */
atls_code atls_policy_parse_u64(atls_policy_parser *p, json_t *value, uint64_t max, uint64_t *out);
/* Hex text of at least one set bit: "0x20". */
atls_code atls_policy_parse_mask(atls_policy_parser *p, json_t *value, uint64_t *out);
/* One word, which must be known. */
atls_code atls_policy_parse_word(atls_policy_parser *p, json_t *value, const char *what,
                                 const char *const *known, size_t known_n, size_t *i);
/* A list of at least min and at most ATLS_POLICY_VALUES_MAX elements; *n is its length. */
atls_code atls_policy_parse_list(atls_policy_parser *p, json_t *value, size_t min, size_t *n);
/* Hex of exactly size bytes. not_zero: an all-zero value is refused, since it names nothing. */
atls_code atls_policy_parse_any_of(atls_policy_parser *p, json_t *value, size_t size, bool not_zero,
                                   atls_any_of *out);
/* Hex of at most max bytes, leading zeros taken off (a serial number). */
atls_code atls_policy_parse_serials(atls_policy_parser *p, json_t *value, size_t max,
                                    atls_any_of *out);
/* Hex of 1 to max (at most 255) bytes; is_digest: of 32, 48 or 64. */
atls_code atls_policy_parse_varied(atls_policy_parser *p, json_t *value, size_t max, bool is_digest,
                                   bool not_zero, atls_any_of *out);
/* Texts; known (may be NULL): those that are taken. */
atls_code atls_policy_parse_texts(atls_policy_parser *p, json_t *value, const char *what,
                                  const char *const *known, size_t known_n, atls_any_of *out);
/* Fills wanted, from the values. */
atls_code atls_policy_describe(atls_policy_parser *p, atls_any_of *any);
/* t's text, kept with the policy; t is empty afterwards. */
atls_code atls_policy_keep_written(atls_policy_parser *p, atls_text *t, const char **out);
/* "2026-03-31" (its last second, UTC) or "2026-03-31T12:00:00Z". */
atls_code atls_policy_parse_until(atls_policy_parser *p, json_t *value, int64_t *out);

/* The parts of a workload that have files of their own; target is the workload. */
atls_code atls_policy_parse_amd(atls_policy_parser *p, json_t *value, void *target);
atls_code atls_policy_parse_events(atls_policy_parser *p, json_t *value, void *target);
atls_code atls_policy_parse_replay(atls_policy_parser *p, json_t *value, void *target);
atls_code atls_policy_parse_platforms(atls_policy_parser *p, json_t *value, void *target);
/* A register's list of components, of named measurements, or of claims. */
atls_code atls_policy_parse_components(atls_policy_parser *p, json_t *value,
                                       atls_register_rule *out);
atls_code atls_policy_parse_named(atls_policy_parser *p, json_t *value, atls_register_rule *out);
atls_code atls_policy_parse_claims(atls_policy_parser *p, json_t *value, atls_register_rule *out);
extern const atls_policy_object atls_policy_amd_object, atls_policy_floor_object,
    atls_policy_components_object, atls_policy_event_object, atls_policy_component_object,
    atls_policy_claim_object;

/* A register set, or a list of alternatives; and the owner object of a workload. */
atls_code atls_policy_parse_sets(atls_policy_parser *p, json_t *value, atls_tee tee,
                                 atls_workload *w);
atls_code atls_policy_parse_owner(atls_policy_parser *p, json_t *value, atls_workload *w);
/* What registers of one workload must have beside each other. */
atls_code atls_policy_check_registers(atls_policy_parser *p, const atls_workload *w);

#endif
