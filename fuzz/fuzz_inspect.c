/* Whatever the bytes: a refusal has a check id, and what is shown is the same twice and one line as JSON. */
#include <assert.h>
#include <string.h>

#include <atls/inspect.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_buf bytes = {data, size};
    for (int json = 0; json < 2; json++) {
        char *first = NULL;
        char *second = NULL;
        atls_err err = {0};
        atls_code rc = atls_inspect(bytes, json == 1, &first, &err);
        atls_code again = atls_inspect(bytes, json == 1, &second, NULL);
        assert(rc == again);
        if (rc != ATLS_OK) {
            assert(first == NULL && err.check != NULL && err.msg[0] != '\0');
            continue;
        }
        assert(strcmp(first, second) == 0);
        assert(json == 0 || strchr(first, '\n') == NULL);
        atls_free(first);
        atls_free(second);
    }
    return 0;
}
