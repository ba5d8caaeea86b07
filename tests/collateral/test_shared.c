/* The second level against Debian's redis-server: items, locks, a server that dies, lies, drips or floods, and a cluster. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "collateral/redis_server.h"
#include "net/shared.h"

#define WHEN_S 1760000000
#define KEY    "intel/pckcrl/platform"

static atls_buf bytes_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_item item_of(const char *key, const char *body)
{
    return (atls_item){.key = key, .chain = bytes_of("chain"), .body = bytes_of(body)};
}

static atls_item_status status_of(uint64_t number, int64_t issued_s)
{
    return (atls_item_status){.has_number = true,
                              .number = number,
                              .issued_s = issued_s,
                              .next_update_s = WHEN_S + 1000,
                              .expires_s = INT64_MAX};
}

static atls_shared *open_level(const char *url)
{
    atls_err err = {0};
    atls_shared *s = NULL;
    if (atls_shared_new(url, 200, &s, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    return s;
}

static void assert_found(atls_shared *s, const char *key, const char *body, uint64_t now_ms)
{
    atls_item item;
    assert_int_equal(atls_shared_get(s, key, 1000, now_ms, &item), ATLS_SHARED_FOUND);
    assert_string_equal(item.key, key);
    assert_int_equal(item.body.len, strlen(body));
    assert_memory_equal(item.body.ptr, body, item.body.len);
}

static redisReply *command(const redis_server *r, const char *words)
{
    redisContext *c = redisConnectUnix(r->socket);
    assert_true(c != NULL && c->err == 0);
    redisReply *reply = redisCommand(c, words);
    assert_non_null(reply);
    redisFree(c);
    return reply;
}

static void one_asks_the_others_wait(void **state)
{
    (void)state;
    redis_server r;
    redis_server_start(&r, 0, NULL);
    atls_shared *a = open_level(r.url);
    atls_shared *b = open_level(r.url);
    const atls_item item = item_of(KEY, "first");
    const atls_item_status status = status_of(7, WHEN_S);
    atls_item got;
    assert_int_equal(atls_shared_get(a, KEY, 60000, 0, &got), ATLS_SHARED_NONE);
    assert_int_equal(atls_shared_get(a, KEY, 60000, 0, &got),
                     ATLS_SHARED_NONE); /* it is still ours */
    assert_int_equal(atls_shared_get(b, KEY, 60000, 0, &got), ATLS_SHARED_WAIT);
    atls_shared_unlock(b, KEY, 0); /* not his */
    assert_int_equal(atls_shared_get(b, KEY, 60000, 0, &got), ATLS_SHARED_WAIT);
    assert_true(atls_shared_put(a, &item, &status, WHEN_S, 0));
    assert_found(b, KEY, "first", 0);
    /* Another key is not held up, and a lock ends by itself. */
    assert_int_equal(atls_shared_get(a, "intel/rootcrl", 50, 0, &got), ATLS_SHARED_NONE);
    assert_int_equal(atls_shared_get(b, "intel/rootcrl", 50, 0, &got), ATLS_SHARED_WAIT);
    nanosleep(&(struct timespec){.tv_nsec = 80000000}, NULL);
    assert_int_equal(atls_shared_get(b, "intel/rootcrl", 50, 0, &got), ATLS_SHARED_NONE);
    atls_shared_unlock(b, "intel/rootcrl", 0);
    assert_int_equal(atls_shared_get(a, "intel/rootcrl", 50, 0, &got), ATLS_SHARED_NONE);
    atls_shared_free(a);
    atls_shared_free(b);
    redis_server_stop(&r);
}

static void an_older_one_replaces_nothing(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        int64_t issued_s;
        const char *body, *then;
    } turns[] = {
        {7, WHEN_S, "seven", "seven"},           {6, WHEN_S + 5, "six", "seven"},
        {7, WHEN_S - 1, "older seven", "seven"}, {7, WHEN_S + 1, "newer seven", "newer seven"},
        {10, WHEN_S - 9, "ten", "ten"}, /* by number first, and as numbers */
    };
    redis_server r;
    redis_server_start(&r, 0, NULL);
    atls_shared *s = open_level(r.url);
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        const atls_item item = item_of(KEY, turns[i].body);
        const atls_item_status status = status_of(turns[i].number, turns[i].issued_s);
        assert_true(atls_shared_put(s, &item, &status, WHEN_S, 0));
        assert_found(s, KEY, turns[i].then, 0);
    }
    redisReply *ttl = command(&r, "TTL atls:{" KEY "}:item");
    assert_in_range(ttl->integer, 990, 1000); /* forgotten with its next update */
    freeReplyObject(ttl);
    atls_shared_free(s);
    redis_server_stop(&r);
}

static void key_sets_are_never_there(void **state)
{
    (void)state;
    redis_server r;
    redis_server_start(&r, 0, NULL);
    atls_shared *s = open_level(r.url);
    const atls_item item = item_of("jwks/https%3A%2F%2Fissuer.test", "{}");
    const atls_item_status status = status_of(0, WHEN_S);
    atls_item got;
    assert_true(atls_shared_put(s, &item, &status, WHEN_S, 0));
    assert_int_equal(atls_shared_get(s, item.key, 1000, 0, &got), ATLS_SHARED_NONE);
    redisReply *size = command(&r, "DBSIZE");
    assert_int_equal(size->integer, 0);
    freeReplyObject(size);
    atls_shared_free(s);
    redis_server_stop(&r);
}

static void what_is_no_item_is_nothing(void **state)
{
    (void)state;
    static const char *const lies[] = {
        "SET atls:{" KEY "}:item garbage",
        "SET atls:{" KEY "}:item 00000000000000000000000000000000",
        "SET atls:{" KEY "}:item 00000000000000000000000000000000ATLSITEM",
    };
    redis_server r;
    redis_server_start(&r, 0, NULL);
    atls_shared *s = open_level(r.url);
    atls_item got;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        freeReplyObject(command(&r, lies[i]));
        assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_NONE);
        assert_string_not_equal(atls_shared_trouble(s), "");
    }
    /* An item of another key under this one. */
    const atls_item other = item_of("intel/rootcrl", "other");
    const atls_item_status status = status_of(1, WHEN_S);
    assert_true(atls_shared_put(s, &other, &status, WHEN_S, 0));
    freeReplyObject(command(&r, "RENAME atls:{intel/rootcrl}:item atls:{" KEY "}:item"));
    assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_NONE);
    /* Not even a string. */
    freeReplyObject(command(&r, "DEL atls:{" KEY "}:item"));
    freeReplyObject(command(&r, "LPUSH atls:{" KEY "}:item x"));
    assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_AWAY);
    atls_shared_free(s);
    redis_server_stop(&r);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_dead_server_holds_nobody_up(void **state)
{
    (void)state;
    redis_server r;
    redis_server_start(&r, 0, NULL);
    atls_shared *s = open_level(r.url);
    const atls_item item = item_of(KEY, "body");
    const atls_item_status status = status_of(1, WHEN_S);
    atls_item got;
    assert_true(atls_shared_put(s, &item, &status, WHEN_S, 0));
    redis_server_kill(&r);
    const double began = seconds();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(atls_shared_get(s, KEY, 1000, 1000, &got), ATLS_SHARED_AWAY);
        assert_false(atls_shared_put(s, &item, &status, WHEN_S, 1000));
    }
    assert_true(seconds() - began < 1.0);
    assert_string_not_equal(atls_shared_trouble(s), "");
    redis_server_restart(&r);
    assert_int_equal(atls_shared_get(s, KEY, 1000, 2000, &got),
                     ATLS_SHARED_AWAY); /* left alone for a while */
    assert_int_equal(atls_shared_get(s, KEY, 1000, 60000, &got), ATLS_SHARED_NONE);
    assert_true(atls_shared_put(s, &item, &status, WHEN_S, 60000));
    assert_found(s, KEY, "body", 60000);
    /* It goes and comes while nobody asks: one attempt on the dead connection, one on a new one. */
    redis_server_kill(&r);
    redis_server_restart(&r);
    assert_int_equal(atls_shared_get(s, KEY, 1000, 60000, &got), ATLS_SHARED_NONE);
    atls_shared_free(s);
    redis_server_stop(&r);
}

/* --- servers that are none --- */

typedef struct liar {
    int listener;
    int port;
    bool drips;
} liar;

static void *lie(void *arg)
{
    const liar *l = arg;
    static const char endless[] = "$1000000000\r\n";
    char block[65536];
    memset(block, 'x', sizeof block);
    int fd = accept(l->listener, NULL, NULL);
    ssize_t n = send(fd, endless, sizeof endless - 1, MSG_NOSIGNAL);
    while (n > 0) {
        n = send(fd, block, l->drips ? 1 : sizeof block, MSG_NOSIGNAL);
        if (l->drips) {
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
    }
    close(fd);
    return NULL;
}

static void a_server_that_never_ends_is_left(void **state)
{
    (void)state;
    for (int drips = 0; drips < 2; drips++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        liar l = {.listener = socket(AF_INET, SOCK_STREAM, 0), .drips = drips == 1};
        assert_int_equal(bind(l.listener, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(listen(l.listener, 4), 0);
        assert_int_equal(getsockname(l.listener, (struct sockaddr *)&a, &len), 0);
        char url[64];
        (void)snprintf(url, sizeof url, "redis://127.0.0.1:%d", ntohs(a.sin_port));
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, lie, &l), 0);
        atls_shared *s = open_level(url);
        atls_item got;
        const double began = seconds();
        assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_AWAY);
        assert_true(seconds() - began < 2.0);
        atls_shared_free(s);
        pthread_join(thread, NULL);
        close(l.listener);
    }
}

static void *send_many_small_objects(void *arg)
{
    const liar *l = arg;
    static const char many[] = "*10000000\r\n";
    char block[65536];
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = ":1\r\n"[i % 4];
    }
    int fd = accept(l->listener, NULL, NULL);
    ssize_t n = send(fd, many, sizeof many - 1, MSG_NOSIGNAL);
    while (n > 0) {
        n = send(fd, block, sizeof block, MSG_NOSIGNAL);
    }
    close(fd);
    return NULL;
}

static long peak_kib(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return u.ru_maxrss;
}

/* Each four bytes of it would be an object in memory; nothing that we ask is answered with an array. */
static void an_array_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    liar l = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(l.listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(l.listener, 4), 0);
    assert_int_equal(getsockname(l.listener, (struct sockaddr *)&a, &len), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%d", ntohs(a.sin_port));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_many_small_objects, &l), 0);
    atls_shared *s = open_level(url);
    atls_item got;
    const long before = peak_kib();
    assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_AWAY);
    assert_true(peak_kib() - before < 4096);
    assert_non_null(strstr(atls_shared_trouble(s), "not asked for"));
    atls_shared_free(s);
    pthread_join(thread, NULL);
    close(l.listener);
}

static void passwords_and_addresses(void **state)
{
    (void)state;
    static const char *const locked[] = {"--requirepass", "opensesame", NULL};
    redis_server r;
    char url[128];
    atls_item got;
    redis_server_start(&r, redis_free_port(), locked);
    (void)snprintf(url, sizeof url, "redis://:opensesame@127.0.0.1:%d", r.port);
    atls_shared *s = open_level(url);
    assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_NONE);
    atls_shared_free(s);
    (void)snprintf(url, sizeof url, "redis://:wrong@127.0.0.1:%d", r.port);
    s = open_level(url);
    assert_int_equal(atls_shared_get(s, KEY, 1000, 0, &got), ATLS_SHARED_AWAY);
    assert_null(strstr(atls_shared_trouble(s), "wrong@")); /* no password in what is logged */
    atls_shared_free(s);
    redis_server_stop(&r);

    static const char *const bad[] = {"",
                                      "redis:127.0.0.1:1",
                                      "redis://127.0.0.1",
                                      "redis://127.0.0.1:0",
                                      "redis://127.0.0.1:65536",
                                      "redis://127.0.0.1:x",
                                      "redis://user@127.0.0.1:6379",
                                      "redis://:@127.0.0.1:6379",
                                      "redis://:6379",
                                      "redis+unix:relative",
                                      "rediss://127.0.0.1:6379",
                                      "http://127.0.0.1:6379",
                                      "redis://127.0.0.1:1,nonsense"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_err err = {0};
        s = NULL;
        assert_int_equal(atls_shared_new(bad[i], 100, &s, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "fetch.shared");
        assert_null(s);
    }
}

/* --- a cluster of two --- */

static void await_cluster(const redis_server *r)
{
    bool good = false;
    for (int i = 0; i < 1000 && !good; i++) {
        redisReply *info = command(r, "CLUSTER INFO");
        good = strstr(info->str, "cluster_state:ok") != NULL;
        freeReplyObject(info);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_true(good);
}

static void two_nodes_share_the_slots(void **state)
{
    (void)state;
    static const char *const clustered[] = {"--cluster-enabled", "yes", "--cluster-node-timeout",
                                            "2000", NULL};
    static const char *const keys[] = {KEY,
                                       "intel/rootcrl",
                                       "intel/qe/tdx",
                                       "intel/qe/sgx",
                                       "amd/crl/vcek/Milan",
                                       "amd/crl/vlek/Genoa"};
    redis_server r[2];
    char words[128];
    char urls[256];
    int used[2] = {0};
    for (int i = 0; i < 2; i++) {
        redis_server_start(&r[i], 20000 + (int)(getpid() % 10000) + 7 * i,
                           clustered); /* + 10000 is the cluster's own port */
        (void)snprintf(words, sizeof words, "CLUSTER ADDSLOTSRANGE %d %d", i == 0 ? 0 : 8192,
                       i == 0 ? 8191 : 16383);
        redisReply *reply = command(&r[i], words);
        assert_int_equal(reply->type, REDIS_REPLY_STATUS);
        freeReplyObject(reply);
    }
    (void)snprintf(words, sizeof words, "CLUSTER MEET 127.0.0.1 %d", r[1].port);
    freeReplyObject(command(&r[0], words));
    await_cluster(&r[0]);
    await_cluster(&r[1]);
    (void)snprintf(urls, sizeof urls, "redis://127.0.0.1:%d,redis://127.0.0.1:%d", r[0].port,
                   r[1].port);
    atls_shared *s = open_level(urls);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const atls_item item = item_of(keys[i], keys[i]);
        const atls_item_status status = status_of(1, WHEN_S);
        atls_item got;
        assert_int_equal(atls_shared_get(s, keys[i], 1000, 0, &got), ATLS_SHARED_NONE);
        assert_true(atls_shared_put(s, &item, &status, WHEN_S, 0));
        assert_found(s, keys[i], keys[i], 0);
    }
    for (int i = 0; i < 2; i++) {
        redisReply *size = command(&r[i], "DBSIZE");
        used[i] = (int)size->integer;
        freeReplyObject(size);
    }
    assert_true(used[0] > 0 && used[1] > 0);
    assert_int_equal(used[0] + used[1], sizeof keys / sizeof keys[0]);
    atls_shared_free(s);
    /* A node that nobody named is not followed. */
    (void)snprintf(urls, sizeof urls, "redis://127.0.0.1:%d", r[0].port);
    s = open_level(urls);
    size_t refused = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        atls_item got;
        if (atls_shared_get(s, keys[i], 1000, 10000 * i, &got) == ATLS_SHARED_AWAY) {
            assert_non_null(strstr(atls_shared_trouble(s), "not among the nodes"));
            refused++;
        }
    }
    assert_int_equal(refused, used[1]);
    atls_shared_free(s);
    redis_server_stop(&r[0]);
    redis_server_stop(&r[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_asks_the_others_wait),
        cmocka_unit_test(an_older_one_replaces_nothing),
        cmocka_unit_test(key_sets_are_never_there),
        cmocka_unit_test(what_is_no_item_is_nothing),
        cmocka_unit_test(a_dead_server_holds_nobody_up),
        cmocka_unit_test(a_server_that_never_ends_is_left),
        cmocka_unit_test(an_array_is_refused_at_its_first_byte),
        cmocka_unit_test(passwords_and_addresses),
        cmocka_unit_test(two_nodes_share_the_slots),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
