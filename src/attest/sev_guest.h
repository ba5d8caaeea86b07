/* sev_guest.h: what /dev/sev-guest takes and gives (linux/sev-guest.h, uapi), in the machine's own byte order. */
#ifndef ATLS_ATTEST_SEV_GUEST_H
#define ATLS_ATTEST_SEV_GUEST_H

#include <stdint.h>

#define SEV_GET_REPORT     0xC0205300ul
#define SEV_GET_EXT_REPORT 0xC0205302ul

#define SEV_REPORT_LEN   0x4a0u
#define SEV_RESPONSE_LEN 4000u
#define SEV_REPORT_AT    0x20u         /* in the response */
#define SEV_CERTS_MAX    (16u * 1024u) /* the most that the kernel passes on; whole pages */

typedef struct sev_request {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t zeros[28];
} sev_request;

typedef struct sev_ext_request {
    sev_request data;
    uint64_t certs_address;
    uint32_t certs_len; /* room; what is needed when it was too little */
    uint32_t padding;
} sev_ext_request;

typedef struct sev_ioctl {
    uint8_t msg_version; /* 1 */
    uint8_t zeros[7];
    uint64_t request_address, response_address;
    uint32_t fw_error, vmm_error; /* EXITINFO2 */
} sev_ioctl;

enum { SEV_VMM_TOO_SMALL = 1, SEV_VMM_BUSY = 2 };

#endif
