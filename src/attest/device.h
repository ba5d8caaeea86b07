/* device.h: what sources that are one device file have in common. */
#ifndef ATLS_ATTEST_DEVICE_H
#define ATLS_ATTEST_DEVICE_H

#include "attest/attester.h"

#define ATTEST_DEVICE_MAX ((size_t)128)

typedef struct attest_device {
    const attest_os *os;
    char path[ATTEST_DEVICE_MAX];
    uint32_t timeout_ms;
} attest_device;

/* The device at path, or at usual when that is NULL, if it can be opened. check names the failure; its sentence ends with
 * hint when nothing is there. */
atls_code attest_device_init(const attest_want *want, const char *path, const char *usual,
                             const char *check, const char *hint, bool *absent, attest_device *out,
                             atls_err *err);

/* A descriptor, or -1 with err filled. */
int attest_device_open(const attest_device *d, const char *check, atls_err *err);

#endif
