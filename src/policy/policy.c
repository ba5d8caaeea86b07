#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct atls_policy_block {
    struct atls_policy_block *next;
    max_align_t bytes[];
};

atls_policy *atls_policy_new(void)
{
    atls_policy *p = calloc(1, sizeof *p);
    if (p != NULL) {
        atomic_init(&p->refs, 1);
    }
    return p;
}

void *atls_policy_keep(atls_policy *policy, size_t n, size_t size)
{
    if (size != 0 && n > (SIZE_MAX - sizeof(struct atls_policy_block)) / size) {
        return NULL;
    }
    struct atls_policy_block *b = calloc(1, sizeof *b + n * size);
    if (b == NULL) {
        return NULL;
    }
    b->next = policy->blocks;
    policy->blocks = b;
    return b->bytes;
}

char *atls_policy_keep_text(atls_policy *policy, const char *text)
{
    size_t len = strlen(text);
    char *copy = atls_policy_keep(policy, len + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
    }
    return copy;
}

atls_policy *atls_policy_up_ref(const atls_policy *policy)
{
    /* The count is no part of what a policy says: the only thing that changes in a const one. */
    atls_policy *p = (atls_policy *)(uintptr_t)policy;
    if (p != NULL) {
        atomic_fetch_add(&p->refs, 1);
    }
    return p;
}

void atls_policy_free(atls_policy *policy)
{
    if (policy == NULL || atomic_fetch_sub(&policy->refs, 1) != 1) {
        return;
    }
    struct atls_policy_block *b = policy->blocks;
    while (b != NULL) {
        struct atls_policy_block *next = b->next;
        free(b);
        b = next;
    }
    free(policy);
}

void atls_policy_hash(const atls_policy *policy, uint8_t out[32])
{
    memcpy(out, policy->hash, sizeof policy->hash);
}

size_t atls_policy_workloads(const atls_policy *policy)
{
    return policy->workloads_n;
}

const char *atls_policy_workload_name(const atls_policy *policy, size_t i)
{
    return i < policy->workloads_n ? policy->workloads[i].name : NULL;
}

const char *atls_policy_warning(const atls_policy *policy, size_t i)
{
    return i < policy->warnings_n ? policy->warnings[i] : NULL;
}

static const char *const bindings[] = {
    "atls/1",
    "cocos",
    "atlas",
    "flashbots",
    "seat-early",
    "constellation",
    "contrast",
    "ra-tls",
    "ra-tls-gramine",
    "ra-tls-oe",
    "ra-tls-dstack",
    "ra-tls-knauth",
    "ra-tls-sdk",
    "ra-tls-cmw",
    "ra-tls-flashbots",
    ATLS_POLICY_EVIDENCE_ALONE,
};

const char *atls_policy_binding_name(size_t i)
{
    return i < sizeof bindings / sizeof bindings[0] ? bindings[i] : NULL;
}

bool atls_policy_binding_by_name(const char *name, size_t *i)
{
    for (size_t k = 0; k < sizeof bindings / sizeof bindings[0]; k++) {
        if (strcmp(bindings[k], name) == 0) {
            *i = k;
            return true;
        }
    }
    return false;
}
