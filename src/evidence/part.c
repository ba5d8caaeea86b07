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
