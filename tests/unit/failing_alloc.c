#include "unit/failing_alloc.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

/* The names are the linker's. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);

static struct {
    bool armed, and_on, failed;
    alloc_kind kind;
    size_t nth;
    size_t count[ALLOC_KINDS];
    long living;
} state;

static bool fails(alloc_kind kind)
{
    if (!state.armed) {
        return false;
    }
    size_t n = ++state.count[kind];
    bool now =
        kind == state.kind && state.nth != 0 && (n == state.nth || (state.and_on && n > state.nth));
    state.failed |= now;
    return now;
}

static void *counted(void *p)
{
    state.living += p != NULL;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return fails(ALLOC_OURS) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(ALLOC_OURS) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (fails(ALLOC_OURS)) {
        return NULL;
    }
    return p == NULL ? counted(__real_realloc(p, size)) : __real_realloc(p, size);
}

char *__wrap_strndup(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    char *copy = __wrap_malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

void __wrap_free(void *p)
{
    state.living -= p != NULL;
    __real_free(p);
}

static void *json_malloc(size_t size)
{
    return fails(ALLOC_JSON) ? NULL : counted(__real_malloc(size));
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 || fails(ALLOC_OPENSSL) ? NULL : __real_malloc(size);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    __real_free(p);
}

static void *openssl_realloc(void *p, size_t size, const char *file, int line)
{
    if (size == 0) {
        openssl_free(p, file, line);
        return NULL;
    }
    return fails(ALLOC_OPENSSL) ? NULL : __real_realloc(p, size);
}

bool alloc_take_over(void)
{
    json_set_alloc_funcs(json_malloc, __wrap_free);
    return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

void alloc_fail(alloc_kind kind, size_t n, bool and_on)
{
    memset(state.count, 0, sizeof state.count);
    state.kind = kind;
    state.nth = n;
    state.and_on = and_on;
    state.failed = false;
    state.armed = true;
}

bool alloc_calm(void)
{
    state.armed = false;
    return state.failed;
}

size_t alloc_count(alloc_kind kind)
{
    return state.count[kind];
}

long alloc_living(void)
{
    return state.living;
}
