/* os.h: what attesters ask of the operating system, as one struct: the ordinary code runs against a made-up kernel too.
 * Every function returns and sets errno as its namesake of libc does. */
#ifndef ATLS_ATTEST_OS_H
#define ATLS_ATTEST_OS_H

#include <sys/types.h>

#include <atls/types.h>

typedef struct attest_os {
    void *self;
    int (*open)(void *self, const char *path, int flags);
    ssize_t (*read)(void *self, int fd, void *out, size_t len);
    ssize_t (*write)(void *self, int fd, const void *bytes, size_t len);
    int (*close)(void *self, int fd);
    int (*mkdir)(void *self, const char *path);
    int (*rmdir)(void *self, const char *path);
    int (*ioctl)(void *self, int fd, unsigned long request, void *arg);
    int64_t (*now_ms)(void *self); /* on a clock that nobody sets */
    void (*sleep_ms)(void *self, unsigned ms);
} attest_os;

extern const attest_os attest_os_libc;

/* Reads to the end of the file, in as many pieces as it comes. 0 and *out (malloc'ed, with a NUL behind its *len bytes),
 * or an errno: EOVERFLOW past max, ENOMEM. A file that is read slowly, or that is a FIFO, never blocks in open. */
int attest_read_file(const attest_os *os, const char *path, size_t max, uint8_t **out, size_t *len);

/* All bytes in one write, then close; 0 or an errno (EIO: taken in part). A file is never made. */
int attest_write_file(const attest_os *os, const char *path, atls_buf bytes);

/* What errno says, in words. Returns space. */
#define ATTEST_ERRNO_TEXT 64
const char *attest_errno(int number, char space[ATTEST_ERRNO_TEXT]);

/* Waits 1, 2, 4 ... up to 200 ms for the nth time; false: the deadline would pass meanwhile. */
bool attest_wait(const attest_os *os, unsigned nth, int64_t deadline_ms);

#endif
