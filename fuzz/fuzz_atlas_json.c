/* Atlas's documents: what is taken is a quote and a log, which our writer writes so that they are read again; what is
 * refused has a name, and leaves nothing behind. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/atlas_http.h"
#include "binding/atlas_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_request(atls_buf body)
{
    uint8_t nonce[ATLS_ATLAS_NONCE_LEN];
    uint8_t again[ATLS_ATLAS_NONCE_LEN];
    char text[ATLS_ATLAS_REQUEST_LEN + 1];
    atls_err err = {0};
    if (atls_atlas_read_request(body, nonce, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strcmp(err.check, "atlas.json") == 0);
        return;
    }
    atls_atlas_request_body(nonce, text);
    assert(strlen(text) == ATLS_ATLAS_REQUEST_LEN);
    const atls_code rc = atls_atlas_read_request(
        (atls_buf){(const uint8_t *)text, ATLS_ATLAS_REQUEST_LEN}, again, &err);
    assert(rc == ATLS_OK && memcmp(nonce, again, sizeof nonce) == 0);
}

static void write_again(const atls_carried *c)
{
    atls_carried again = {0};
    atls_err err = {0};
    char *text = NULL;
    const atls_atlas_answer a = {
        c->evidence.parts[0].bytes, c->evidence.parts[1].bytes, {NULL, 0}, 0};
    if (atls_atlas_write_answer(&a, &text, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_SYSTEM && strcmp(err.check, "atlas.evidence") == 0);
        return;
    }
    const atls_code rc =
        atls_atlas_read_answer((atls_buf){(const uint8_t *)text, strlen(text)}, &again, &err);
    assert(rc == ATLS_OK && again.evidence.parts[0].bytes.len == a.quote.len);
    assert(memcmp(again.evidence.parts[0].bytes.ptr, a.quote.ptr, a.quote.len) == 0);
    atls_carried_clear(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf body = {data, size};
    atls_carried c = {0};
    atls_err err = {0};
    judge_request(body);
    if (atls_atlas_read_answer(body, &c, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "atlas.", 6) == 0);
        assert(err.msg[0] != '\0' && c.owned_n == 0 && c.evidence.parts_n == 0);
        return 0;
    }
    assert(c.evidence.parts_n == 2 && strcmp(c.evidence.type, "tdx") == 0);
    assert(c.evidence.parts[0].bytes.len > 0 && 2 * c.evidence.parts[0].bytes.len < size);
    write_again(&c);
    atls_carried_clear(&c);
    return 0;
}
