/* Endorsements: a refusal has a check id; what is taken is collateral's JSON, and made again gives the same text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/tcg_endorsements.h"
#include <atls/verifier.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *json = NULL;
    atls_err err = {0};
    const atls_code rc = atls_tcg_endorsements_read((atls_buf){data, size}, &json, &err);
    if (rc != ATLS_OK) {
        assert(rc == ATLS_E_INVALID && strcmp(err.check, "tcg.endorsements") == 0 &&
               err.msg[0] != '\0' && json == NULL);
        return 0;
    }
    const atls_buf text = {(const uint8_t *)json, strlen(json)};
    atls_collateral *c = NULL;
    assert(atls_collateral_parse(text, &c, NULL) == ATLS_OK);
    atls_collateral_free(c);

    uint8_t *again = NULL;
    size_t len = 0;
    char *second = NULL;
    assert(atls_tcg_endorsements_make(text, &again, &len, &err) == ATLS_OK);
    assert(atls_tcg_endorsements_read((atls_buf){again, len}, &second, NULL) == ATLS_OK);
    assert(strcmp(json, second) == 0);
    free(second);
    free(again);
    free(json);
    return 0;
}
