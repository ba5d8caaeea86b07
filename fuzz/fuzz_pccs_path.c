/* Path and query of a request: what is understood is a key in its one spelling, which asked for at an origin of that kind is
 * understood as the same key; twice gives the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/origin.h"
#include "net/pccs_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_again(const atls_pccs_request *q)
{
    atls_origin origin;
    atls_http_request r;
    atls_pccs_request back;
    if (atls_origin_parse(strncmp(q->key, "amd/", 4) == 0 ? "amd=unix:/s" : "pccs=unix:/s", &origin,
                          NULL) != ATLS_OK) {
        abort();
    }
    assert(atls_origin_serves(&origin, q->key));
    assert(atls_origin_request(&origin, q->key, "standard", &r, NULL) == ATLS_OK);
    assert(atls_pccs_request_read("GET", r.url + strlen(origin.base), &back) == 200);
    assert(strcmp(back.key, q->key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_pccs_request q;
    atls_pccs_request again;
    atls_item_name name;
    char *path = malloc(size + 1);
    if (path == NULL) {
        abort();
    }
    memcpy(path, data, size);
    path[size] = '\0';
    const int status = atls_pccs_request_read("GET", path, &q);
    assert(atls_pccs_request_read("GET", path, &again) == status);
    assert(atls_pccs_request_read("POST", path, &again) == 405);
    assert(status == 200 || status == 400 || status == 404);
    if (status == 200) {
        assert(strlen(path) <= ATLS_PCCS_PATH_MAX && path[0] == '/');
        assert(atls_item_name_parse(q.key, &name, NULL) == ATLS_OK);
        ask_again(&q);
    }
    free(path);
    return 0;
}
