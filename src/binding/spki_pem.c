#include "binding/spki_pem.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "codec/base64.h"

#define BEGIN    "-----BEGIN PUBLIC KEY-----\n"
#define END      "-----END PUBLIC KEY-----\n"
#define COLUMNS  64
#define SPKI_MAX 65536

char *atls_spki_pem(atls_buf spki, size_t *len)
{
    char *text = spki.len <= SPKI_MAX ? atls_base64_encode(spki) : NULL;
    if (text == NULL) {
        return NULL;
    }
    const size_t chars = strlen(text);
    const size_t cap = sizeof BEGIN + sizeof END + chars + chars / COLUMNS + 1;
    char *pem = malloc(cap);
    if (pem == NULL) {
        free(text);
        return NULL;
    }
    atls_writer w = atls_writer_of((uint8_t *)pem, cap);
    atls_writer_text(&w, BEGIN);
    for (size_t at = 0; at < chars; at += COLUMNS) {
        const size_t n = chars - at < COLUMNS ? chars - at : COLUMNS;
        atls_writer_bytes(&w, (atls_buf){(const uint8_t *)text + at, n});
        atls_writer_u8(&w, '\n');
    }
    atls_writer_text(&w, END);
    atls_writer_u8(&w, 0);
    free(text);
    *len = atls_writer_done(&w).len;
    return pem;
}

atls_code atls_spki_pem_digest(atls_hash hash, atls_buf spki, uint8_t *out, atls_err *err)
{
    size_t len = 0;
    char *pem = atls_spki_pem(spki, &len);
    if (pem == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    const atls_buf piece = {(const uint8_t *)pem, len};
    atls_code rc = atls_digest(hash, &piece, 1, out, err);
    free(pem);
    return rc;
}
