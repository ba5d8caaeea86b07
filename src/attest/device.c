#include "attest/device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/err.h"

static bool is_nothing(int number)
{
    return number == ENOENT || number == ENOTDIR || number == ENXIO || number == ENODEV;
}

int attest_device_open(const attest_device *d, const char *check, atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    int fd = d->os->open(d->os->self, d->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int number = errno;
        (void)ATLS_ERR(err, ATLS_E_SYSTEM, check, "opening %s: %s%s", d->path,
                       attest_errno(number, text),
                       number == EACCES || number == EPERM
                           ? ": run as root, or give this user the device by a udev rule"
                           : "");
        errno = number;
    }
    return fd;
}

atls_code attest_device_init(const attest_want *want, const char *path, const char *usual,
                             const char *check, const char *hint, bool *absent, attest_device *out,
                             atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    path = path != NULL ? path : usual;
    if (strlen(path) >= ATTEST_DEVICE_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.option",
                        "the path of a device has %zu bytes, at most %zu", strlen(path),
                        ATTEST_DEVICE_MAX - 1);
    }
    attest_device d = {.os = want->os, .timeout_ms = want->timeout_ms};
    memcpy(d.path, path, strlen(path) + 1);
    int fd = attest_device_open(&d, check, err);
    if (fd < 0) {
        int number = errno;
        *absent = is_nothing(number);
        return *absent ? ATLS_ERR(err, ATLS_E_SYSTEM, check, "%s: %s: %s", path,
                                  attest_errno(number, text), hint)
                       : ATLS_E_SYSTEM;
    }
    (void)d.os->close(d.os->self, fd);
    *out = d;
    return ATLS_OK;
}
