/* evidence_parts.h: the types of evidence, and which parts each has (contract, `bundle`). The same names stand
 * in JSON bundles and in the payload of atls/1. */
#ifndef ATLS_CLAIMS_EVIDENCE_PARTS_H
#define ATLS_CLAIMS_EVIDENCE_PARTS_H

#include <atls/types.h>

#define ATLS_PARTS_OF_A_TYPE 10
typedef struct atls_evidence_type {
    const char *name;
    size_t needed;                               /* so many of the first parts must be there */
    const char *parts[ATLS_PARTS_OF_A_TYPE + 1]; /* NULL behind the last */
} atls_evidence_type;

/* NULL when there is no such type. name need not end with NUL. */
const atls_evidence_type *atls_evidence_type_find(atls_buf name);
/* The place of a part among parts; ATLS_PARTS_OF_A_TYPE when the type has no such part. */
size_t atls_evidence_type_part(const atls_evidence_type *type, atls_buf name);

#endif
