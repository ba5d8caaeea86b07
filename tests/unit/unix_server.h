/* unix_server.h: a service on a unix socket, in a thread: one connection after another is given to a function. */
#ifndef ATLS_TESTS_UNIX_SERVER_H
#define ATLS_TESTS_UNIX_SERVER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef struct unix_server {
    char dir[64];
    char path[80];
    void (*serve)(void *ctx,
                  int fd); /* fd is closed afterwards; reads and writes give up after 5 s */
    void *ctx;
    int listener;
    int stop[2];
    pthread_t thread;
} unix_server;

void unix_server_start(unix_server *s, void (*serve)(void *ctx, int fd), void *ctx);
void unix_server_stop(unix_server *s);

/* All or nothing. */
int server_read(int fd, void *out, size_t len);
int server_write(int fd, const void *bytes, size_t len);

#endif
