/* fake_device.h: a device file that is a function of the test. */
#ifndef ATLS_TESTS_FAKE_DEVICE_H
#define ATLS_TESTS_FAKE_DEVICE_H

#include "attest/os.h"

typedef struct fake_device {
    const char *path;
    int open_errno;                                                        /* every open fails so */
    int (*ioctl)(struct fake_device *d, unsigned long request, void *arg); /* as ioctl */
    void *ctx;
    const char *text_path, *text; /* beside it, one readable file; NULL: none */
    unsigned calls;
    int64_t clock_ms; /* passes only in sleep_ms */
    bool real_clock;
    /* of its own */
    int living;
    size_t read;
} fake_device;

attest_os fake_device_os(fake_device *d);
int fake_errno(int number); /* sets errno; -1 */

#endif
