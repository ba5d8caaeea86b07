/* exporter.h: the TLS exporter of a connection, as a function, so that bindings can be tested without TLS. */
#ifndef ATLS_BINDING_EXPORTER_H
#define ATLS_BINDING_EXPORTER_H

#include <atls/types.h>
#include "crypto/digest.h"

typedef struct atls_exporter {
    /* TLS-Exporter(label, context, len) into out; false when it cannot. */
    bool (*derive)(void *self, const char *label, atls_buf context, uint8_t *out, size_t len);
    void *self;
    atls_hash hash; /* of the negotiated cipher suite: ATLS_SHA256 or ATLS_SHA384 */
} atls_exporter;

#endif
