/* An answer: the first byte chooses item and origin, the second the status, then the head up to an empty line, then the body. A
 * refusal has an id and a sentence; an item has the key that was asked for and keeps to its limits; twice gives the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *origin, *key;
} asked[] = {
    {"intel=https://api.trustedservices.intel.com", "intel/tcb/tdx/00906ea10000"},
    {"pccs=https://p.example", "intel/qe/sgx"},
    {"pccs=https://p.example", "intel/pckcrl/platform"},
    {"intel=https://api.trustedservices.intel.com", "intel/rootcrl"},
    {"pccs=https://p.example",
     "intel/pck/000102030405060708090a0b0c0d0e0f/101112131415161718191a1b1c1d1e1f/0b00/0100"},
    {"amd=https://kdsintf.amd.com", "amd/vcek/Turin/0102030405060708/0101010400000051"},
    {"amd=https://kdsintf.amd.com", "amd/chain/vcek/Milan"},
    {"amd=https://kdsintf.amd.com", "amd/crl/vlek/Milan"},
    {"jwks:https://a.example=https://k.example", "jwks/https%3a%2f%2fa.example"},
};
static const long statuses[] = {200, 200, 200, 200, 404, 410, 429, 500, 301, 403, 461, 0};

static atls_http_response split(const uint8_t *data, size_t size, long status)
{
    size_t end = 0;
    while (end + 1 < size && !(data[end] == '\n' && data[end + 1] == '\n')) {
        end++;
    }
    const size_t behind = end + 2 < size ? end + 2 : size;
    return (atls_http_response){status, {data, behind}, {data + behind, size - behind}};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const size_t which = data[0] % (sizeof asked / sizeof asked[0]);
    const long status = statuses[data[1] % (sizeof statuses / sizeof statuses[0])];
    const atls_http_response r = split(data + 2, size - 2, status);
    const char *key = asked[which].key;
    atls_origin origin;
    atls_response_item item = {.space = NULL};
    atls_response_item again = {.space = NULL};
    atls_response_hint hint;
    atls_response_hint same;
    atls_err err = {0};
    if (atls_origin_parse(asked[which].origin, &origin, NULL) != ATLS_OK) {
        abort();
    }
    const atls_code rc = atls_response_read(&origin, key, &r, 784111777, &item, &hint, &err);
    const atls_code second = atls_response_read(&origin, key, &r, 784111777, &again, &same, NULL);
    assert(rc == second && hint.absent == same.absent && hint.unreachable == same.unreachable &&
           hint.retry_after_s == same.retry_after_s && hint.retry_after_s <= 3600);
    if (rc != ATLS_OK) {
        assert(rc == ATLS_E_COLLATERAL && strncmp(err.check, "fetch.", 6) == 0 &&
               strlen(err.msg) > 20 && item.space == NULL);
        return 0;
    }
    assert(status == 200 && strcmp(item.item.key, key) == 0 && !hint.absent && !hint.unreachable);
    assert(item.item.chain.len <= ATLS_ITEM_CHAIN_MAX && item.item.body.len > 0 &&
           item.item.body.len <= ATLS_ITEM_BODY_MAX);
    assert(item.item.body.len <= r.body.len ||
           which == 4); /* a PCK certificate takes its chain in */
    assert(item.item.chain.len == again.item.chain.len &&
           item.item.body.len == again.item.body.len &&
           memcmp(item.item.body.ptr, again.item.body.ptr, item.item.body.len) == 0);
    atls_response_item_free(&item);
    atls_response_item_free(&again);
    return 0;
}
