#include "unit/keeper_double.h"

#include "base/err.h"
#include "trust/item.h"

double_state the_double;

struct atls_held {
    atls_item_status status;
};

void double_clear(void)
{
    free(the_double.log);
    memset(&the_double, 0, sizeof the_double);
}

static atls_item_status *find(const char *key)
{
    for (size_t i = 0; i < the_double.n; i++) {
        if (strcmp(the_double.items[i].key, key) == 0) {
            return &the_double.items[i];
        }
    }
    return NULL;
}

void double_put(const char *key, int64_t issued_s, int64_t next_s)
{
    atls_item_status *s = find(key);
    if (s == NULL) {
        assert_true(the_double.n < DOUBLE_ITEMS);
        s = &the_double.items[the_double.n++];
    }
    memset(s, 0, sizeof *s);
    (void)snprintf(s->key, sizeof s->key, "%s", key);
    s->issued_s = issued_s;
    s->next_update_s = s->expires_s = next_s;
    (void)snprintf((char *)s->sha256, sizeof s->sha256, "%lld", (long long)issued_s);
}

void double_log(void *arg, const char *line)
{
    (void)arg;
    size_t len = strlen(line);
    char *more = realloc(the_double.log, the_double.log_len + len + 2);
    assert_non_null(more);
    the_double.log = more;
    memcpy(more + the_double.log_len, line, len);
    memcpy(more + the_double.log_len + len, "\n", 2);
    the_double.log_len += len + 1;
}

uint32_t double_random(void *arg, uint32_t below)
{
    (void)arg;
    return the_double.chance < below ? the_double.chance : below - 1;
}

size_t logged(const char *text)
{
    size_t n = 0;
    for (const char *at = the_double.log; at != NULL && (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

atls_origin double_origin(const char *name, atls_origin_kind kind, uint32_t gap_ms)
{
    atls_origin o = {.kind = kind, .gap_ms = gap_ms};
    (void)snprintf(o.name, sizeof o.name, "%s", name);
    return o;
}

/* --- the store --- */

atls_code __wrap_atls_store_take(atls_store *store, const atls_item *item, atls_item_source source,
                                 const char *from, int64_t when_s, atls_err *err);
bool __wrap_atls_store_get(const atls_store *store, const char *key, atls_held **out);
void __wrap_atls_held_status(const atls_held *held, atls_item_status *out);
void __wrap_atls_held_free(atls_held *held);
void __wrap_atls_held_item(const atls_held *held, atls_item *out);
bool __wrap_atls_store_at(const atls_store *store, size_t i, atls_item_status *out);
void __wrap_atls_store_set_reachable(atls_store *store, const char *key, bool reachable,
                                     int64_t when_s);
atls_code __wrap_atls_item_name_parse(const char *key, atls_item_name *out, atls_err *err);
bool __wrap_atls_origin_serves(const atls_origin *origin, const char *key);
atls_code __wrap_atls_origin_request(const atls_origin *origin, const char *key,
                                     const char *channel, atls_http_request *out, atls_err *err);
atls_code __wrap_atls_response_read(const atls_origin *origin, const char *key,
                                    const atls_http_response *response, int64_t when_s,
                                    atls_response_item *out, atls_response_hint *hint,
                                    atls_err *err);
void __wrap_atls_response_item_free(atls_response_item *item);

atls_code __wrap_atls_store_take(atls_store *store, const atls_item *item, atls_item_source source,
                                 const char *from, int64_t when_s, atls_err *err)
{
    (void)store;
    (void)from;
    long long issued = 0;
    long long next = 0;
    char body[64];
    assert_true(item->body.len < sizeof body);
    memcpy(body, item->body.ptr, item->body.len);
    body[item->body.len] = '\0';
    if (strcmp(body, "forged") == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcb_info.signature", "is wrong");
    }
    if (strcmp(body, "orphan") == 0 && item->chain.len == 0) {
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "snp.ca.missing", "has no ASK");
    }
    if (strcmp(body, "orphan") == 0) {
        assert_memory_equal(item->chain.ptr, "ASK", 3);
        (void)snprintf(body, sizeof body, "1000000000 2000000000");
    }
    bool full = strncmp(body, "full ", 5) == 0;
    assert_int_equal(sscanf(body + (full ? 5 : 0), "%lld %lld", &issued, &next), 2);
    const atls_item_status *s = find(item->key);
    if (s != NULL && issued < s->issued_s) {
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "collateral.rollback", "is older");
    }
    if (next <= when_s) {
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "item.expired", "is over");
    }
    double_put(item->key, issued, next);
    find(item->key)->source = source;
    find(item->key)->taken_s = when_s;
    the_double.taken++;
    return full ? ATLS_ERR(err, ATLS_E_SYSTEM, "store.write", "no space") : ATLS_OK;
}

bool __wrap_atls_store_get(const atls_store *store, const char *key, atls_held **out)
{
    (void)store;
    const atls_item_status *s = find(key);
    if (s == NULL) {
        return false;
    }
    *out = malloc(sizeof **out);
    assert_non_null(*out);
    (*out)->status = *s;
    return true;
}

void __wrap_atls_held_status(const atls_held *held, atls_item_status *out)
{
    *out = held->status;
}

void __wrap_atls_held_item(const atls_held *held, atls_item *out)
{
    *out = (atls_item){.key = held->status.key, .body = {(const uint8_t *)"ASK", 3}};
}

void __wrap_atls_held_free(atls_held *held)
{
    free(held);
}

bool __wrap_atls_store_at(const atls_store *store, size_t i, atls_item_status *out)
{
    (void)store;
    if (i >= the_double.n) {
        return false;
    }
    *out = the_double.items[i];
    return true;
}

void __wrap_atls_store_set_reachable(atls_store *store, const char *key, bool reachable,
                                     int64_t when_s)
{
    (void)store;
    atls_item_status *s = find(key);
    if (s != NULL) {
        s->unreachable_since_s = reachable                     ? 0
                                 : s->unreachable_since_s != 0 ? s->unreachable_since_s
                                                               : when_s;
    }
    if (!reachable) {
        assert_true(the_double.unreachable_n < 64);
        (void)snprintf(the_double.unreachable[the_double.unreachable_n++], ATLS_ITEM_KEY_LEN, "%s",
                       key);
    }
}

/* --- origins --- */

atls_code __wrap_atls_item_name_parse(const char *key, atls_item_name *out, atls_err *err)
{
    memset(out, 0, sizeof *out);
    return strchr(key, '/') != NULL ? ATLS_OK
                                    : ATLS_ERR(err, ATLS_E_USAGE, "item.key", "no key: %s", key);
}

bool __wrap_atls_origin_serves(const atls_origin *origin, const char *key)
{
    return (strncmp(key, "amd/", 4) == 0) == (origin->kind == ATLS_ORIGIN_AMD);
}

atls_code __wrap_atls_origin_request(const atls_origin *origin, const char *key,
                                     const char *channel, atls_http_request *out, atls_err *err)
{
    (void)channel;
    if (strstr(key, "/unaskable") != NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "item.key", "cannot be asked for");
    }
    (void)snprintf(out->url, sizeof out->url, "%.100s/%.320s", origin->name, key);
    return ATLS_OK;
}

atls_code __wrap_atls_response_read(const atls_origin *origin, const char *key,
                                    const atls_http_response *response, int64_t when_s,
                                    atls_response_item *out, atls_response_hint *hint,
                                    atls_err *err)
{
    (void)when_s;
    memset(hint, 0, sizeof *hint);
    if (response->headers.len > 0) {
        char text[16] = "";
        memcpy(text, response->headers.ptr, response->headers.len);
        hint->retry_after_s = (uint32_t)atoi(text);
    }
    switch (response->status) {
    case 200:
        break;
    case 404:
        hint->absent = true;
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.absent", "%s has none", origin->name);
    case 429:
        hint->unreachable = true;
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.throttled", "%s is throttling",
                        origin->name);
    case 418:
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.content_type", "%s is a teapot",
                        origin->name);
    default:
        hint->unreachable = true;
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.status", "%s is ill", origin->name);
    }
    memset(out, 0, sizeof *out);
    (void)snprintf(out->key, sizeof out->key, "%s", key);
    out->space = malloc(response->body.len + 1);
    assert_non_null(out->space);
    memcpy(out->space, response->body.ptr, response->body.len);
    out->item = (atls_item){.key = out->key, .body = {out->space, response->body.len}};
    return ATLS_OK;
}

void __wrap_atls_response_item_free(atls_response_item *item)
{
    free(item->space);
}
