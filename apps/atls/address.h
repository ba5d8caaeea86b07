/* address.h: HOST:PORT, [V6]:PORT and unix:PATH as sockets. All of them non-blocking and close-on-exec. */
#ifndef ATLS_APPS_ADDRESS_H
#define ATLS_APPS_ADDRESS_H

#include <atls/types.h>

#define ADDRESS_HOST_LEN 256

typedef struct address {
    char host[ADDRESS_HOST_LEN]; /* or the path */
    char port[8];
    bool is_unix;
} address;

/* ATLS_E_USAGE, "usage.address", for anything else. */
atls_code address_parse(const char *text, address *out, atls_err *err);

/* Connects, trying every address of the name, in timeout_ms for all. ATLS_E_SYSTEM, "net.connect". */
atls_code address_connect(const address *a, uint32_t timeout_ms, int *fd, atls_err *err);

/* Listens; port 0 takes a free one, which *port then tells (may be NULL). ATLS_E_SYSTEM, "net.listen". */
atls_code address_listen(const address *a, int *fd, uint16_t *port, atls_err *err);

/* Waits for the next connection. Passing troubles (too many files) are waited out; ATLS_E_SYSTEM, "net.accept",
 * when the listener is of no use any more. */
atls_code address_accept(int listener, int *fd, atls_err *err);

/* Monotonic milliseconds that go on in suspend. */
uint64_t clock_ms(void);

#endif
