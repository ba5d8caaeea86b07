/* say.h: parts of a policy in plain words, for `explain` and `diff`. */
#ifndef ATLS_POLICY_SAY_H
#define ATLS_POLICY_SAY_H

#include "base/text.h"
#include "policy/policy.h"

/* Each writes one or more whole lines, the event only its words. */
void atls_policy_say_rule(atls_text *t, const atls_register_rule *rule);
void atls_policy_say_floor(atls_text *t, const atls_amd_floor *floor);
void atls_policy_say_event(atls_text *t, const atls_event_rule *event);

#endif
