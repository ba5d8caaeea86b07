#include "unit/fake_device.h"

#include <errno.h>
#include <string.h>

#define FD      500
#define TEXT_FD 501

int fake_errno(int number)
{
    errno = number;
    return -1;
}

static int os_open(void *self, const char *path, int flags)
{
    fake_device *d = self;
    (void)flags;
    if (d->text_path != NULL && strcmp(path, d->text_path) == 0) {
        d->read = 0;
        d->living++;
        return TEXT_FD;
    }
    if (strcmp(path, d->path) != 0) {
        return fake_errno(ENOENT);
    }
    if (d->open_errno != 0) {
        return fake_errno(d->open_errno);
    }
    d->living++;
    return FD;
}

static ssize_t os_read(void *self, int fd, void *out, size_t len)
{
    fake_device *d = self;
    if (fd != TEXT_FD) {
        return fake_errno(EINVAL);
    }
    size_t left = strlen(d->text) - d->read;
    size_t n = left < len ? left : len;
    n = n > 3 ? 3 : n;
    memcpy(out, d->text + d->read, n);
    d->read += n;
    return (ssize_t)n;
}

static ssize_t os_write(void *self, int fd, const void *bytes, size_t len)
{
    (void)self;
    (void)fd;
    (void)bytes;
    (void)len;
    return fake_errno(EBADF);
}

static int os_close(void *self, int fd)
{
    fake_device *d = self;
    d->living--;
    return fd == FD || fd == TEXT_FD ? 0 : fake_errno(EBADF);
}

static int os_dir(void *self, const char *path)
{
    (void)self;
    (void)path;
    return fake_errno(EPERM);
}

static int os_ioctl(void *self, int fd, unsigned long request, void *arg)
{
    fake_device *d = self;
    if (fd != FD) {
        return fake_errno(EBADF);
    }
    d->calls++;
    return d->ioctl(d, request, arg);
}

static int64_t os_now_ms(void *self)
{
    fake_device *d = self;
    return d->real_clock ? attest_os_libc.now_ms(NULL) : d->clock_ms;
}

static void os_sleep_ms(void *self, unsigned ms)
{
    fake_device *d = self;
    d->clock_ms += (int64_t)ms;
}

attest_os fake_device_os(fake_device *d)
{
    return (attest_os){
        .self = d,
        .open = os_open,
        .read = os_read,
        .write = os_write,
        .close = os_close,
        .mkdir = os_dir,
        .rmdir = os_dir,
        .ioctl = os_ioctl,
        .now_ms = os_now_ms,
        .sleep_ms = os_sleep_ms,
    };
}
