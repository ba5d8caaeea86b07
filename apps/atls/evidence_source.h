/* evidence_source.h: --attest TYPE and what belongs to it: where this program's own evidence comes from. */
#ifndef ATLS_APPS_EVIDENCE_SOURCE_H
#define ATLS_APPS_EVIDENCE_SOURCE_H

#include <atls/attester.h>
#include <atls/sim.h>

#include "sim_dir.h"

typedef struct evidence_source {
    const char *type;    /* NULL: no evidence */
    const char *sim_dir; /* for type sim */
    atls_sim_quote quote;
    sim_source sim;
    const atls_attester *attester; /* lent by the source behind it */
} evidence_source;

/* Opens what type names. ATLS_E_USAGE for a type that this build has not, or a missing --sim. */
atls_code evidence_source_open(evidence_source *source, atls_err *err);
void evidence_source_close(evidence_source *source);

#endif
