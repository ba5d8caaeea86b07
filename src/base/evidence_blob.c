#include <atls/attester.h>

#include <stdlib.h>
#include <string.h>

void atls_evidence_blob_clear(atls_evidence_blob *blob)
{
    for (size_t i = 0; i < sizeof blob->parts / sizeof blob->parts[0]; i++) {
        free(blob->parts[i].bytes);
    }
    memset(blob, 0, sizeof *blob);
}

void atls_attester_free(atls_attester *a)
{
    if (a == NULL) {
        return;
    }
    if (a->free != NULL) {
        a->free(a->self);
    }
    free(a);
}
