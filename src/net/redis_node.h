/* redis_node.h: one Redis server: a command and its reply, within a time and a size, over hiredis. */
#ifndef ATLS_NET_REDIS_NODE_H
#define ATLS_NET_REDIS_NODE_H

#include <hiredis/hiredis.h>

#include <atls/types.h>

#define ATLS_REDIS_REPLY_MAX                                                                       \
    ((size_t)5 << 20) /* bytes that may wait unread: an item, and what is around it */

typedef struct atls_redis_node {
    char host[256];
    int port;                          /* 0: host is the path of a unix socket */
    char password[256];                /* "": none */
    redisContext *context;             /* NULL: not connected */
    redisReplyObjectFunctions objects; /* what replies are made of: no arrays */
} atls_redis_node;

/* Sends the words and waits for the reply, connecting first where need be; all of it within timeout_ms. NULL: the node is away, and why
 * stands in trouble; the connection is closed then. The caller frees the reply with freeReplyObject. */
redisReply *atls_redis_node_ask(atls_redis_node *node, int words_n, const char **words,
                                const size_t *lens, uint32_t timeout_ms, char *trouble, size_t cap);
void atls_redis_node_close(atls_redis_node *node);

#endif
