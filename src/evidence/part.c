#include "evidence/format.h"

#include <string.h>

atls_buf atls_evidence_part(const atls_evidence *evidence, const char *name)
{
    for (size_t i = 0; i < evidence->parts_n; i++) {
        if (evidence->parts[i].name != NULL && strcmp(evidence->parts[i].name, name) == 0) {
            return evidence->parts[i].bytes;
        }
    }
    return (atls_buf){NULL, 0};
}

bool atls_evidence_judge_inner(const atls_verification *v, const atls_format *format,
                               const atls_evidence *inner)
{
    atls_verification own = *v;
    const size_t from = v->l->count;
    own.evidence = inner;
    format->verify(&own);
    return v->claims->tee == format->tee && atls_ledger_all_ok(v->l, from);
}
