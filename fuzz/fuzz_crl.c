/* Revocation lists in their three encodings: serial numbers come out sorted and are found; twice is the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(atls_buf der)
{
    atls_crl *a = NULL;
    atls_crl *b = NULL;
    atls_err err = {0};
    if (atls_crl_parse(der, &a, &err) != ATLS_OK) {
        assert(a == NULL && err.code == ATLS_E_INVALID && err.check != NULL && err.msg[0] != '\0');
        return;
    }
    assert(atls_crl_parse(der, &b, NULL) == ATLS_OK);
    assert(a->serials_n == b->serials_n && a->number == b->number && a->has_aki == b->has_aki);
    assert(a->this_update_s == b->this_update_s && a->next_update_s == b->next_update_s);
    for (size_t i = 0; i < a->serials_n; i++) {
        const struct atls_crl_serial *s = &a->serials[i];
        assert(s->len <= sizeof s->bytes && (s->len == 0 || s->bytes[0] != 0));
        assert(i == 0 || a->serials[i - 1].len <= s->len);
        assert(atls_crl_lists(b, s->bytes, s->len));
    }
    atls_crl_free(a);
    atls_crl_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_err err = {0};
    uint8_t *space = malloc(size + 1);
    assert(space != NULL);
    atls_buf der = {NULL, 0};
    if (atls_crl_decode((atls_buf){data, size}, space, &der, &err) == ATLS_OK) {
        assert(der.len <= size && (der.ptr == data || der.ptr == space));
        one(der);
    } else {
        assert(err.code == ATLS_E_INVALID && err.check != NULL && der.ptr == NULL);
    }
    free(space);
    return 0;
}
