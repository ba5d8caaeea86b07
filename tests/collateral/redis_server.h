/* redis_server.h: Debian's redis-server, started by a test in a directory of its own, and ended with it. */
#ifndef ATLS_TESTS_REDIS_SERVER_H
#define ATLS_TESTS_REDIS_SERVER_H

#include <sys/types.h>

typedef struct redis_server {
    char dir[64];
    char socket[96];
    char url[128]; /* redis+unix:... */
    int port;      /* 0: the unix socket alone */
    pid_t pid;     /* 0: not running */
} redis_server;

/* more: words of redis-server's command line, NULL-terminated; NULL: none. Asserts that it answers. */
void redis_server_start(redis_server *r, int port, const char *const *more);
void redis_server_restart(redis_server *r); /* after a kill; empty */
void redis_server_kill(redis_server *r);    /* SIGKILL */
void redis_server_stop(redis_server *r);    /* and removes the directory */
int redis_free_port(void);

#endif
