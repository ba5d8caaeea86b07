#include "unit/unix_server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static void need(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static void *run(void *arg)
{
    unix_server *s = arg;
    for (;;) {
        struct pollfd p[2] = {{.fd = s->listener, .events = POLLIN},
                              {.fd = s->stop[0], .events = POLLIN}};
        if (poll(p, 2, -1) < 0 || p[1].revents != 0) {
            return NULL;
        }
        int fd = accept(s->listener, NULL, NULL);
        if (fd >= 0) {
            struct timeval t = {.tv_sec = 5};
            (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
            s->serve(s->ctx, fd);
            (void)close(fd);
        }
    }
}

void unix_server_start(unix_server *s, void (*serve)(void *ctx, int fd), void *ctx)
{
    *s = (unix_server){.dir = "/tmp/atls-socket-XXXXXX", .serve = serve, .ctx = ctx};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    need(mkdtemp(s->dir) != NULL, "mkdtemp");
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->dir);
    memcpy(to.sun_path, s->path, strlen(s->path) + 1);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(s->listener >= 0 && bind(s->listener, (const struct sockaddr *)&to, sizeof to) == 0 &&
             listen(s->listener, 16) == 0 && pipe(s->stop) == 0,
         "listen");
    need(pthread_create(&s->thread, NULL, run, s) == 0, "pthread_create");
}

void unix_server_stop(unix_server *s)
{
    need(write(s->stop[1], "", 1) == 1, "write");
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
    (void)close(s->stop[0]);
    (void)close(s->stop[1]);
    (void)unlink(s->path);
    (void)rmdir(s->dir);
}

int server_read(int fd, void *out, size_t len)
{
    for (uint8_t *p = out; len > 0;) {
        ssize_t n = read(fd, p, len);
        if (n <= 0) {
            return 0;
        }
        p += n;
        len -= (size_t)n;
    }
    return 1;
}

int server_write(int fd, const void *bytes, size_t len)
{
    for (const uint8_t *p = bytes; len > 0;) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return 0;
        }
        p += n;
        len -= (size_t)n;
    }
    return 1;
}
