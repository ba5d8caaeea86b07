#include "net/redis_node.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void atls_redis_node_close(atls_redis_node *node)
{
    redisFree(node->context);
    node->context = NULL;
}

/* Says so and closes. why may stand in the connection: it is copied first. Always false. */
static bool leave(atls_redis_node *node, const char *why, char *trouble, size_t cap)
{
    if (node->port != 0) {
        (void)snprintf(trouble, cap, "%.200s:%d: %.128s", node->host, node->port, why);
    } else {
        (void)snprintf(trouble, cap, "%.200s: %.128s", node->host, why);
    }
    atls_redis_node_close(node);
    return false;
}

static bool wait_for(const redisContext *c, short what, uint64_t due_ms)
{
    const uint64_t now_ms = clock_ms();
    struct pollfd p = {.fd = c->fd, .events = what};
    return now_ms < due_ms && poll(&p, 1, (int)(due_ms - now_ms)) == 1;
}

/* One command over an open connection. NULL: why. A server that sends without end, or byte by byte, is left. */
static redisReply *talk(redisContext *c, int words_n, const char **words, const size_t *lens,
                        uint64_t due_ms, const char **why)
{
    void *reply = NULL;
    int written = 0;
    *why = "no answer in time";
    if (redisAppendCommandArgv(c, words_n, words, lens) != REDIS_OK) {
        *why = "out of memory";
        return NULL;
    }
    while (!written) {
        if (!wait_for(c, POLLOUT, due_ms)) {
            return NULL;
        }
        if (redisBufferWrite(c, &written) != REDIS_OK) {
            *why = c->errstr;
            return NULL;
        }
    }
    for (;;) {
        if (redisGetReplyFromReader(c, &reply) != REDIS_OK) {
            *why = c->err == REDIS_ERR_OOM ? "a reply that was not asked for" : c->errstr;
            return NULL;
        }
        if (reply != NULL) {
            return reply;
        }
        if (c->reader->len - c->reader->pos > ATLS_REDIS_REPLY_MAX) {
            *why = "a reply that is too long";
            return NULL;
        }
        if (!wait_for(c, POLLIN, due_ms)) {
            return NULL;
        }
        if (redisBufferRead(c) != REDIS_OK) {
            *why = c->errstr;
            return NULL;
        }
    }
}

#if HIREDIS_MAJOR >= 1
typedef size_t array_len;
#else
typedef int array_len;
#endif

/* Nothing that we ask is answered with an array; one of many small objects would cost far more memory than bytes. */
static void *make_no_array(const redisReadTask *task, array_len n)
{
    (void)task;
    (void)n;
    return NULL;
}

static redisContext *dial(const atls_redis_node *node, uint64_t due_ms)
{
    const uint64_t now_ms = clock_ms();
    const uint64_t left = due_ms > now_ms ? due_ms - now_ms : 1;
    const struct timeval t = {.tv_sec = (time_t)(left / 1000),
                              .tv_usec = (suseconds_t)(left % 1000 * 1000)};
    return node->port != 0 ? redisConnectWithTimeout(node->host, node->port, t)
                           : redisConnectUnixWithTimeout(node->host, t);
}

/* Connected and let in. */
static bool open_node(atls_redis_node *node, uint64_t due_ms, char *trouble, size_t cap)
{
    if (node->context != NULL) {
        return true;
    }
    node->context = dial(node, due_ms);
    if (node->context == NULL || node->context->err != 0) {
        return leave(node, node->context != NULL ? node->context->errstr : "out of memory", trouble,
                     cap);
    }
    node->objects = *node->context->reader->fn;
    node->objects.createArray = make_no_array;
    node->context->reader->fn = &node->objects;
    if (node->password[0] == '\0') {
        return true;
    }
    const char *words[] = {"AUTH", node->password};
    const size_t lens[] = {4, strlen(node->password)};
    const char *why;
    redisReply *reply = talk(node->context, 2, words, lens, due_ms, &why);
    const bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL && !good) {
        why = "the password is refused";
    }
    if (!good) {
        (void)leave(node, why, trouble, cap);
    }
    freeReplyObject(reply);
    return good;
}

redisReply *atls_redis_node_ask(atls_redis_node *node, int words_n, const char **words,
                                const size_t *lens, uint32_t timeout_ms, char *trouble, size_t cap)
{
    const uint64_t due_ms = clock_ms() + timeout_ms;
    const char *why;
    /* A connection that was left idle may have been closed by the other end: that costs one attempt. */
    for (int attempt = 0;; attempt++) {
        const bool was_open = node->context != NULL;
        if (!open_node(node, due_ms, trouble, cap)) {
            return NULL;
        }
        redisReply *reply = talk(node->context, words_n, words, lens, due_ms, &why);
        if (reply != NULL) {
            return reply;
        }
        const bool closed =
            node->context->err == REDIS_ERR_EOF || node->context->err == REDIS_ERR_IO;
        (void)leave(node, why, trouble, cap);
        if (!was_open || !closed || attempt > 0) {
            return NULL;
        }
    }
}
