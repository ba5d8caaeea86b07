#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct sink {
    char *ptr;
    size_t len, cap;
    bool failed;
} sink;

static bool make_room(sink *s, size_t more)
{
    if (s->failed || more >= SIZE_MAX / 4 - s->len) {
        s->failed = true;
        return false;
    }
    if (s->len + more + 1 > s->cap) {
        size_t cap = 2 * (s->len + more) + 256;
        char *ptr = realloc(s->ptr, cap);
        s->failed = ptr == NULL;
        if (ptr != NULL) {
            s->ptr = ptr;
            s->cap = cap;
        }
    }
    return !s->failed;
}

/* jansson 2.14 goes on after some failures of its callback: what was lost is remembered here. */
static int take(const char *bytes, size_t len, void *self)
{
    sink *s = self;
    if (!make_room(s, len)) {
        return -1;
    }
    memcpy(s->ptr + s->len, bytes, len);
    s->len += len;
    s->ptr[s->len] = '\0';
    return 0;
}

char *atls_json_write(const json_t *json, size_t flags)
{
    sink s = {0};
    if (json == NULL || json_dump_callback(json, take, &s, flags) != 0 || s.failed) {
        free(s.ptr);
        return NULL;
    }
    return s.ptr;
}
