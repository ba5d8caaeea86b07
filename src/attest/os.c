#include "attest/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE      ((size_t)4096)
#define LONGEST_MS 200u

static int libc_open(void *self, const char *path, int flags)
{
    (void)self;
    return open(path, flags);
}

static ssize_t libc_read(void *self, int fd, void *out, size_t len)
{
    (void)self;
    return read(fd, out, len);
}

static ssize_t libc_write(void *self, int fd, const void *bytes, size_t len)
{
    (void)self;
    return write(fd, bytes, len);
}

static int libc_close(void *self, int fd)
{
    (void)self;
    return close(fd);
}

static int libc_mkdir(void *self, const char *path)
{
    (void)self;
    return mkdir(path, 0700);
}

static int libc_rmdir(void *self, const char *path)
{
    (void)self;
    return rmdir(path);
}

static int libc_ioctl(void *self, int fd, unsigned long request, void *arg)
{
    (void)self;
    return ioctl(fd, request, arg);
}

static int64_t libc_now_ms(void *self)
{
    (void)self;
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC, &t) == 0
               ? (int64_t)t.tv_sec * 1000 + (int64_t)(t.tv_nsec / 1000000)
               : 0;
}

static void libc_sleep_ms(void *self, unsigned ms)
{
    (void)self;
    struct timespec t = {.tv_sec = ms / 1000u, .tv_nsec = (long)(ms % 1000u) * 1000000};
    (void)nanosleep(&t, NULL); /* a signal may end it: the caller looks at the clock */
}

const attest_os attest_os_libc = {
    .open = libc_open,
    .read = libc_read,
    .write = libc_write,
    .close = libc_close,
    .mkdir = libc_mkdir,
    .rmdir = libc_rmdir,
    .ioctl = libc_ioctl,
    .now_ms = libc_now_ms,
    .sleep_ms = libc_sleep_ms,
};

/* One byte more than allowed tells a file that is too long. */
static int read_on(const attest_os *os, int fd, size_t max, uint8_t **bytes, size_t *len)
{
    size_t cap = 0;
    for (;;) {
        if (*len + 1 >= cap) {
            cap += PIECE;
            uint8_t *more = realloc(*bytes, cap);
            if (more == NULL) {
                return ENOMEM;
            }
            *bytes = more;
        }
        ssize_t n = os->read(os->self, fd, *bytes + *len, cap - *len - 1);
        if (n < 0) {
            return errno;
        }
        if (n == 0) {
            (*bytes)[*len] = 0;
            return 0;
        }
        *len += (size_t)n;
        if (*len > max) {
            return EOVERFLOW;
        }
    }
}

int attest_read_file(const attest_os *os, const char *path, size_t max, uint8_t **out, size_t *len)
{
    int fd = os->open(os->self, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return errno;
    }
    uint8_t *bytes = NULL;
    size_t n = 0;
    int failed = read_on(os, fd, max, &bytes, &n);
    (void)os->close(os->self, fd);
    if (failed != 0) {
        free(bytes);
        return failed;
    }
    *out = bytes;
    *len = n;
    return 0;
}

int attest_write_file(const attest_os *os, const char *path, atls_buf bytes)
{
    int fd = os->open(os->self, path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return errno;
    }
    ssize_t n = os->write(os->self, fd, bytes.ptr, bytes.len);
    int failed = n < 0 ? errno : (size_t)n != bytes.len ? EIO : 0;
    if (os->close(os->self, fd) != 0 && failed == 0) {
        failed = errno;
    }
    return failed;
}

const char *attest_errno(int number, char space[ATTEST_ERRNO_TEXT])
{
    if (strerror_r(number, space, ATTEST_ERRNO_TEXT) != 0) {
        memcpy(space, "error", sizeof "error");
    }
    return space;
}

bool attest_wait(const attest_os *os, unsigned nth, int64_t deadline_ms)
{
    unsigned ms = nth < 8 ? 1u << nth : LONGEST_MS;
    if (os->now_ms(os->self) + (int64_t)ms >= deadline_ms) {
        return false;
    }
    os->sleep_ms(os->self, ms);
    return true;
}
