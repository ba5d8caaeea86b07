/* serve.c: a request of another host answered from the store, which the fetcher fills when it must. */
#include <string.h>

#include "net/fetcher.h"
#include "net/pccs_answer.h"

static atls_code answer_held(const atls_fetcher *f, const atls_pccs_request *q, const atls_err *why,
                             atls_served *out, atls_err *err)
{
    atls_held *held = NULL;
    atls_item item;
    atls_err wrong = {
        .code = ATLS_E_COLLATERAL, .check = "served.item", .msg = "the item is not there any more"};
    if (why != NULL || !atls_store_get(f->store, q->key, &held)) {
        return atls_pccs_refuse(q, 0, why != NULL ? why : &wrong, out, err);
    }
    atls_held_item(held, &item);
    atls_code rc = atls_pccs_answer(q, &item, out, &wrong);
    atls_held_free(held);
    if (rc != ATLS_OK) {
        rc = atls_pccs_refuse(q, 0, &wrong, out, err);
    }
    return rc;
}

/* FNV-1a; never 0, which is ourselves. */
static uint32_t number_of(const char *client)
{
    uint32_t h = 2166136261u;
    for (; client != NULL && *client != '\0'; client++) {
        h = (h ^ (uint8_t)*client) * 16777619u;
    }
    return h != 0 ? h : 1;
}

atls_code atls_fetcher_serve(atls_fetcher *f, const char *client, const char *method,
                             const char *path_and_query, int64_t when_s, atls_served *out,
                             atls_err *err)
{
    atls_pccs_request q;
    atls_needs needs = {.n = 1};
    atls_err why = {.code = ATLS_OK};
    const int status = atls_pccs_request_read(method, path_and_query, &q);
    if (status != 200) {
        return atls_pccs_refuse(NULL, status, NULL, out, err);
    }
    memcpy(needs.keys[0], q.key, sizeof q.key);
    atls_store_reduce_needs(f->store, &needs, when_s);
    const atls_code rc =
        needs.n == 0 ? ATLS_OK : fetcher_get_for(f, number_of(client), &needs, &why);
    return answer_held(f, &q, rc == ATLS_OK ? NULL : &why, out, err);
}
