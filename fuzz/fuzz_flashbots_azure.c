/* A document that is taken has the parts that the verifier wants, inside memory of its own, and is written and read again
 * with the same parts; what is refused has its check id, and leaks nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/flashbots_azure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_parts(const atls_evidence *e, atls_evidence_blob *out)
{
    memcpy(out->type, "azure", 6);
    for (size_t i = 0; i < e->parts_n; i++) {
        const atls_buf bytes = e->parts[i].bytes;
        assert(bytes.len > 0 && strlen(e->parts[i].name) < sizeof out->parts[i].name);
        out->parts[i].bytes = malloc(bytes.len);
        assert(out->parts[i].bytes != NULL);
        memcpy(out->parts[i].bytes, bytes.ptr, bytes.len);
        out->parts[i].len = bytes.len;
        memcpy(out->parts[i].name, e->parts[i].name, strlen(e->parts[i].name) + 1);
    }
    out->parts_n = e->parts_n;
}

/* Signatures that are not bare ones are not written; an event log is left out. */
static void write_again(const atls_carried *c)
{
    atls_evidence_blob blob = {.parts_n = 0};
    atls_carried again = {0};
    char *text = NULL;
    size_t len = 0;
    copy_parts(&c->evidence, &blob);
    if (flashbots_azure_write(&blob, &text, &len, NULL) == ATLS_OK) {
        assert(flashbots_azure_read((atls_buf){(uint8_t *)text, len}, &again, NULL) == ATLS_OK);
        assert(again.evidence.parts_n >= 6);
        for (size_t i = 0; i < 6; i++) {
            const atls_buf one = again.evidence.parts[i].bytes;
            const atls_buf other = c->evidence.parts[i].bytes;
            assert(i == 1 || (one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0));
        }
        free(text);
    }
    atls_carried_clear(&again);
    atls_evidence_blob_clear(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_carried c = {0};
    atls_err err = {0};
    atls_code rc = flashbots_azure_read((atls_buf){data, size}, &c, &err);
    if (rc == ATLS_OK) {
        assert(strcmp(c.evidence.type, "azure") == 0);
        assert(c.evidence.parts_n == 6 || c.evidence.parts_n == 7);
        assert(!c.expected.has_report_data && !c.expected.has_nonce);
        write_again(&c);
    } else {
        assert(rc == ATLS_E_INVALID && strcmp(err.check, "flashbots.azure") == 0);
        assert(err.msg[0] != '\0');
    }
    atls_carried_clear(&c);
    return 0;
}
