#include "collateral/redis_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#define WORDS_MAX 24

static const char *const *extra; /* of the server being started */

int redis_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
                getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    close(fd);
    return ntohs(a.sin_port);
}

static void run(const redis_server *r)
{
    char port[16];
    (void)snprintf(port, sizeof port, "%d", r->port);
    const char *words[WORDS_MAX] = {
        "redis-server", "--port",       port,     "--bind",    "127.0.0.1",
        "--unixsocket", r->socket,      "--save", "",          "--dir",
        r->dir,         "--appendonly", "no",     "--logfile", "/dev/null"};
    size_t n = 0;
    while (words[n] != NULL) {
        n++;
    }
    for (size_t i = 0; extra != NULL && extra[i] != NULL && n < WORDS_MAX - 1; i++) {
        words[n++] = extra[i];
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* it never outlives the test */
    (void)!freopen("/dev/null", "w", stdout);
    execvp(words[0], (char *const *)(void *)words);
    _exit(127);
}

static bool answers(const redis_server *r)
{
    redisContext *c = redisConnectUnix(r->socket);
    redisReply *reply = c != NULL && c->err == 0 ? redisCommand(c, "PING") : NULL;
    const bool good = reply != NULL;
    freeReplyObject(reply);
    redisFree(c);
    return good;
}

void redis_server_restart(redis_server *r)
{
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0) {
        run(r);
    }
    for (int i = 0; i < 500 && !answers(r); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_true(answers(r));
}

void redis_server_start(redis_server *r, int port, const char *const *more)
{
    *r = (redis_server){.port = port};
    (void)snprintf(r->dir, sizeof r->dir, "/tmp/atls-redis-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    (void)snprintf(r->socket, sizeof r->socket, "%s/socket", r->dir);
    (void)snprintf(r->url, sizeof r->url, "redis+unix:%s", r->socket);
    extra = more;
    redis_server_restart(r);
}

void redis_server_kill(redis_server *r)
{
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        (void)waitpid(r->pid, NULL, 0);
    }
    r->pid = 0;
}

void redis_server_stop(redis_server *r)
{
    char path[128];
    redis_server_kill(r);
    (void)unlink(r->socket);
    (void)snprintf(path, sizeof path, "%s/nodes.conf", r->dir);
    (void)unlink(path);
    (void)rmdir(r->dir);
}
