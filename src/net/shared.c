#include "net/shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/err.h"
#include "base/hex.h"
#include "net/redis_node.h"
#include "trust/item.h"

#define NODES_MAX  16
#define SLOTS      16384
#define AWAY_MS    3000 /* in which a level that failed is not asked */
#define HOPS_MAX   3
#define STAMP_LEN  ((size_t)32) /* hex digits before an item: number, issue time: compared as text */
#define KEEP_S_MAX ((int64_t)400 * 86400)
#define TEXT_LEN   (ATLS_ITEM_KEY_LEN + 16)

struct atls_shared {
    atls_redis_node nodes[NODES_MAX];
    size_t nodes_n;
    uint8_t node_of[SLOTS]; /* learned from the cluster; at first all at the first node */
    uint32_t timeout_ms;
    uint64_t away_until_ms;
    char token[33];   /* who we are, in locks */
    redisReply *last; /* holds the views of the last item */
    char trouble[512];
};

/* Item and lock in one step. 1: the lock is ours; 0: another's. */
static const char get_script[] =
    "local v = redis.call('GET', KEYS[1]) if v then return v end "
    "if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end "
    "if redis.call('GET', KEYS[2]) == ARGV[1] then return 1 end return 0";
/* Never an older one over a newer one: the stamp in front is compared. */
static const char put_script[] =
    "local v = redis.call('GET', KEYS[1]) "
    "if not v or string.sub(v, 1, 32) <= string.sub(ARGV[1], 1, 32) then "
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end "
    "if redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('DEL', KEYS[2]) end return 1";
static const char unlock_script[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";

/* --- addresses --- */

static bool parse_port(const char *text, int *port)
{
    char *end = NULL;
    const long n = strtol(text, &end, 10);
    *port = (int)n;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && n >= 1 && n <= 65535;
}

/* HOST:PORT; an IPv6 address in brackets. */
static bool parse_address(const char *text, char *host, size_t cap, int *port)
{
    const char *colon = strrchr(text, ':');
    const char *from = text;
    if (colon == NULL || !parse_port(colon + 1, port)) {
        return false;
    }
    size_t len = (size_t)(colon - text);
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        from++;
        len -= 2;
    }
    if (len == 0 || len >= cap) {
        return false;
    }
    memcpy(host, from, len);
    host[len] = '\0';
    return true;
}

static bool parse_node(char *text, atls_redis_node *node)
{
    static const char tcp[] = "redis://";
    static const char path[] = "redis+unix:";
    if (strncmp(text, path, sizeof path - 1) == 0) {
        const char *at = text + sizeof path - 1;
        return at[0] == '/' &&
               snprintf(node->host, sizeof node->host, "%s", at) < (int)sizeof node->host;
    }
    if (strncmp(text, tcp, sizeof tcp - 1) != 0) {
        return false;
    }
    char *rest = text + sizeof tcp - 1;
    char *at = strrchr(rest, '@');
    if (at != NULL) {
        *at = '\0';
        if (rest[0] != ':' || rest[1] == '\0' ||
            snprintf(node->password, sizeof node->password, "%s", rest + 1) >=
                (int)sizeof node->password) {
            return false;
        }
        rest = at + 1;
    }
    return parse_address(rest, node->host, sizeof node->host, &node->port);
}

/* Not the text itself in what is said: a password may stand in it. */
static atls_code wrong_url(atls_err *err)
{
    return ATLS_ERR(
        err, ATLS_E_USAGE, "fetch.shared",
        "wanted is redis://[:PASSWORD@]HOST:PORT or redis+unix:/PATH; at most %d nodes of a cluster, "
        "separated by commas",
        NODES_MAX);
}

static atls_code parse_nodes(atls_shared *s, const char *url, atls_err *err)
{
    char *copy = strdup(url);
    char *state = NULL;
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    const size_t len = strlen(copy);
    bool good = true;
    for (char *one = strtok_r(copy, ",", &state); good && one != NULL;
         one = strtok_r(NULL, ",", &state)) {
        good = s->nodes_n < NODES_MAX && parse_node(one, &s->nodes[s->nodes_n]);
        s->nodes_n += good ? 1 : 0;
    }
    OPENSSL_cleanse(copy, len);
    free(copy);
    return good && s->nodes_n > 0 ? ATLS_OK : wrong_url(err);
}

atls_code atls_shared_new(const char *url, uint32_t timeout_ms, atls_shared **out, atls_err *err)
{
    uint8_t random[16];
    atls_shared *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    s->timeout_ms = timeout_ms;
    atls_code rc =
        RAND_bytes(random, sizeof random) == 1
            ? parse_nodes(s, url, err)
            : ATLS_ERR(err, ATLS_E_SYSTEM, "system.random", "no random bytes for a lock");
    atls_hex_encode((atls_buf){random, sizeof random}, s->token);
    if (rc != ATLS_OK) {
        atls_shared_free(s);
        return rc;
    }
    *out = s;
    return ATLS_OK;
}

void atls_shared_free(atls_shared *s)
{
    if (s == NULL) {
        return;
    }
    freeReplyObject(s->last);
    for (size_t i = 0; i < s->nodes_n; i++) {
        atls_redis_node_close(&s->nodes[i]);
    }
    OPENSSL_cleanse(s, sizeof *s);
    free(s);
}

/* --- a cluster --- */

/* CRC-16/XMODEM of what stands in braces: Redis Cluster's specification. */
static unsigned slot_of(const char *key)
{
    unsigned crc = 0;
    for (; *key != '\0'; key++) {
        crc ^= (unsigned)(unsigned char)*key * 256u;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000u) != 0 ? (crc * 2u ^ 0x1021u) & 0xffffu : crc * 2u & 0xffffu;
        }
    }
    return crc % SLOTS;
}

/* "MOVED 3999 127.0.0.1:6381": whose the slot is now, if that is one of the nodes that were named. */
static bool follow(atls_shared *s, const char *error, unsigned slot, size_t *node)
{
    char host[256];
    int port = 0;
    const char *address = strrchr(error, ' ');
    if (address == NULL || !parse_address(address + 1, host, sizeof host, &port)) {
        return false;
    }
    for (size_t i = 0; i < s->nodes_n; i++) {
        if (s->nodes[i].port == port && strcasecmp(s->nodes[i].host, host) == 0) {
            *node = i;
            s->node_of[slot] = (uint8_t)i;
            return true;
        }
    }
    (void)snprintf(s->trouble, sizeof s->trouble,
                   "%.200s:%d is not among the nodes that were named", host, port);
    return false;
}

static bool moved(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_ERROR &&
           strncmp(reply->str, "MOVED ", 6) == 0;
}

/* NULL: away, and for a while. */
static redisReply *ask(atls_shared *s, const char *key, int words_n, const char **words,
                       uint64_t now_ms, const size_t *lens)
{
    if (now_ms < s->away_until_ms) {
        return NULL;
    }
    const unsigned slot = slot_of(key);
    size_t node = s->node_of[slot];
    redisReply *reply = NULL;
    for (int hop = 0; hop < HOPS_MAX; hop++) {
        freeReplyObject(reply);
        reply = atls_redis_node_ask(&s->nodes[node], words_n, words, lens, s->timeout_ms,
                                    s->trouble, sizeof s->trouble);
        if (!moved(reply)) {
            break;
        }
        if (!follow(s, reply->str, slot, &node)) {
            break;
        }
    }
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        if (!moved(reply)) {
            (void)snprintf(s->trouble, sizeof s->trouble, "%.300s", reply->str);
        }
        freeReplyObject(reply);
        reply = NULL;
    }
    if (reply == NULL) {
        s->away_until_ms = now_ms + AWAY_MS;
    } else {
        s->trouble[0] = '\0';
    }
    return reply;
}

/* --- items --- */

static bool is_shared(const char *key)
{
    atls_item_name name;
    return atls_item_name_parse(key, &name, NULL) == ATLS_OK && name.kind != ATLS_ITEM_JWKS;
}

/* Of an item and its lock: the tag in braces keeps both on one node. */
static void names_of(const char *key, char item[TEXT_LEN], char lock[TEXT_LEN])
{
    (void)snprintf(item, TEXT_LEN, "atls:{%s}:item", key);
    (void)snprintf(lock, TEXT_LEN, "atls:{%s}:lock", key);
}

#define WORDS_MAX 8
static redisReply *eval(atls_shared *s, const char *key, const char *script, int keys_n,
                        const char **arguments, const size_t *argument_lens, int n, uint64_t now_ms)
{
    const char *words[WORDS_MAX] = {"EVAL", script, keys_n == 1 ? "1" : "2"};
    size_t lens[WORDS_MAX] = {4, strlen(script), 1};
    for (int i = 0; i < n; i++) {
        words[3 + i] = arguments[i];
        lens[3 + i] = argument_lens[i];
    }
    return ask(s, key, 3 + n, words, now_ms, lens);
}

/* What is no item, or another's, is as good as nothing. */
static bool take_item(const redisReply *reply, const char *key, atls_item *item)
{
    return reply->len > STAMP_LEN &&
           atls_item_decode(
               (atls_buf){(const uint8_t *)reply->str + STAMP_LEN, reply->len - STAMP_LEN}, item,
               NULL) == ATLS_OK &&
           strcmp(item->key, key) == 0;
}

atls_shared_result atls_shared_get(atls_shared *s, const char *key, uint32_t lock_ms,
                                   uint64_t now_ms, atls_item *item)
{
    char item_name[TEXT_LEN];
    char lock_name[TEXT_LEN];
    char ms[16];
    freeReplyObject(s->last);
    s->last = NULL;
    if (!is_shared(key)) {
        return ATLS_SHARED_NONE;
    }
    names_of(key, item_name, lock_name);
    (void)snprintf(ms, sizeof ms, "%" PRIu32, lock_ms > 0 ? lock_ms : 1);
    const char *arguments[] = {item_name, lock_name, s->token, ms};
    const size_t lens[] = {strlen(item_name), strlen(lock_name), strlen(s->token), strlen(ms)};
    redisReply *reply = eval(s, key, get_script, 2, arguments, lens, 4, now_ms);
    if (reply == NULL) {
        return ATLS_SHARED_AWAY;
    }
    if (reply->type == REDIS_REPLY_INTEGER) {
        const bool ours = reply->integer == 1;
        freeReplyObject(reply);
        return ours ? ATLS_SHARED_NONE : ATLS_SHARED_WAIT;
    }
    if (reply->type != REDIS_REPLY_STRING || !take_item(reply, key, item)) {
        (void)snprintf(s->trouble, sizeof s->trouble,
                       "what stands there for %.200s is no such item", key);
        freeReplyObject(reply);
        return ATLS_SHARED_NONE;
    }
    s->last = reply;
    return ATLS_SHARED_FOUND;
}

static int64_t keep_s(const atls_item_status *status, int64_t when_s)
{
    const int64_t end =
        status->next_update_s < status->expires_s ? status->next_update_s : status->expires_s;
    const int64_t left = end == INT64_MAX ? KEEP_S_MAX : end - when_s;
    return left < 1 ? 1 : left < KEEP_S_MAX ? left : KEEP_S_MAX;
}

bool atls_shared_put(atls_shared *s, const atls_item *item, const atls_item_status *status,
                     int64_t when_s, uint64_t now_ms)
{
    char item_name[TEXT_LEN];
    char lock_name[TEXT_LEN];
    char seconds[24];
    const size_t len = STAMP_LEN + atls_item_encoded_len(item);
    if (!is_shared(item->key)) {
        return true;
    }
    uint8_t *value = malloc(len + 1);
    if (value == NULL) {
        return false;
    }
    (void)snprintf((char *)value, len + 1, "%016" PRIx64 "%016" PRIx64,
                   status->has_number ? status->number : 0,
                   (uint64_t)(status->issued_s > 0 ? status->issued_s : 0));
    atls_writer w = atls_writer_of(value + STAMP_LEN, len - STAMP_LEN);
    atls_item_encode(item, &w);
    names_of(item->key, item_name, lock_name);
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, keep_s(status, when_s));
    const char *arguments[] = {item_name, lock_name, (const char *)value, seconds, s->token};
    const size_t lens[] = {strlen(item_name), strlen(lock_name), len, strlen(seconds),
                           strlen(s->token)};
    redisReply *reply =
        atls_writer_ok(&w) ? eval(s, item->key, put_script, 2, arguments, lens, 5, now_ms) : NULL;
    const bool good = reply != NULL;
    freeReplyObject(reply);
    free(value);
    return good;
}

void atls_shared_unlock(atls_shared *s, const char *key, uint64_t now_ms)
{
    char item_name[TEXT_LEN];
    char lock_name[TEXT_LEN];
    if (!is_shared(key)) {
        return;
    }
    names_of(key, item_name, lock_name);
    const char *arguments[] = {lock_name, s->token};
    const size_t lens[] = {strlen(lock_name), strlen(s->token)};
    freeReplyObject(eval(s, key, unlock_script, 1, arguments, lens, 2, now_ms));
}

const char *atls_shared_trouble(const atls_shared *s)
{
    return s->trouble;
}
