/* dstack.h: dstack's event log, a JSON array of {imr, event_type, digest, event, event_payload[, version, preimage]}.
 * Runtime events, of RTMR 3, are found by name: their digest is always computed from name and payload here, since newer
 * releases leave it out; one that is given must be the same. */
#ifndef ATLS_EVIDENCE_LOG_DSTACK_H
#define ATLS_EVIDENCE_LOG_DSTACK_H

#include "evidence/log/event_list.h"

#define ATLS_DSTACK_EVENTS_MAX 2000
#define ATLS_DSTACK_NAME_MAX   256 /* bytes */

/* Do the bytes begin like a JSON array? */
bool atls_dstack_looks(atls_buf bytes);

/* ATLS_E_INVALID: "log.json", "log.events", "log.event" (a member is missing or of another form), "log.name" (a runtime
 * event's name with ':', by which name and payload could be told apart in two ways), "log.digest" (a digest that is not
 * that of name and payload), "log.preimage" (version 2: not the canonical text of the event). */
ATLS_MUST_USE atls_code atls_event_list_from_dstack(atls_buf text, atls_event_list *out,
                                                    atls_err *err);

#endif
