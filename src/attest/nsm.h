/* nsm.h: what /dev/nsm takes (linux/nsm.h, uapi). */
#ifndef ATLS_ATTEST_NSM_H
#define ATLS_ATTEST_NSM_H

#include <stdint.h>
#include <sys/uio.h>

#define NSM_CALL 0xC0200A00ul

typedef struct nsm_call {
    struct iovec request, response; /* the driver sets response.iov_len to what it wrote */
} nsm_call;

#endif
