/* dstack_event.h: an event of a dstack guest, as its attestations carry it, and how long each of its parts may be. */
#ifndef ATLS_BINDING_DSTACK_EVENT_H
#define ATLS_BINDING_DSTACK_EVENT_H

#include "base/reader.h"

#define ATLS_DSTACK_RUNTIME_TYPE 0x08000001u
#define ATLS_DSTACK_RUNTIME_IMR  3u

#define ATLS_DSTACK_LIST_MAX    2000u /* events of a list */
#define ATLS_DSTACK_DIGEST_MAX  64u
#define ATLS_DSTACK_EVENT_MAX   256u   /* bytes of a name */
#define ATLS_DSTACK_PAYLOAD_MAX 65536u /* bytes */

typedef struct atls_dstack_event {
    uint32_t imr;     /* 0 to 3; of a runtime event 3 */
    uint32_t type;    /* of a runtime event ATLS_DSTACK_RUNTIME_TYPE */
    uint32_t version; /* of what its digest is made of: 1 or 2 */
    atls_buf digest;  /* empty: left out, as for runtime events, whose digest can be computed */
    atls_buf name, payload; /* views */
} atls_dstack_event;

/*@ predicate valid_dstack_event(atls_dstack_event e) = valid_buf(e.digest) && valid_buf(e.name) && valid_buf(e.payload); */

#endif
