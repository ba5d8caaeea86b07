/* event_type.h: what the TCG's event types are called, and which of them say what they hash. */
#ifndef ATLS_EVIDENCE_LOG_EVENT_TYPE_H
#define ATLS_EVIDENCE_LOG_EVENT_TYPE_H

#include <atls/types.h>

#define ATLS_EV_DSTACK                0x08000001u /* dstack's runtime events: no type of the TCG */
#define ATLS_EV_HCRTM                 0x80000010u
#define ATLS_EV_PLATFORM_CONFIG_FLAGS 10u

/* "EV_SEPARATOR"; NULL: no type that is known. */
const char *atls_event_type_name(uint32_t type);
/* Is the digest of this type, by definition, that of the event's data? Whether it is must be seen. */
bool atls_event_type_hashes_data(uint32_t type);

#endif
