/* tdx_guest.h: what /dev/tdx_guest takes: GET_REPORT0 of Linux (linux/tdx-guest.h, uapi), GET_QUOTE of vendors' kernels. */
#ifndef ATLS_ATTEST_TDX_GUEST_H
#define ATLS_ATTEST_TDX_GUEST_H

#include <stdint.h>

#define TDX_GET_REPORT0 0xC4405401ul
#define TDX_GET_QUOTE_INTEL                                                                        \
    0x80105404ul /* _IOR('T', 4, 16 bytes); the buffer holds messages of the quote service */
#define TDX_GET_QUOTE_INTEL_W 0xC0105404ul /* _IOWR('T', 4, ...): the same */
#define TDX_GET_QUOTE_RAW                                                                          \
    0xC0105402ul /* _IOWR('T', 2, ...): a bare TD report in, a bare quote out */

#define TDX_QUOTE_BUFFER_LEN (16u * 1024u)
#define TDX_QUOTE_DATA_AT    24u

typedef struct tdx_report0 {
    uint8_t report_data[64];
    uint8_t tdreport[1024];
} tdx_report0;

typedef struct tdx_quote_call {
    uint64_t buffer, len;
} tdx_quote_call;

/* Status in a buffer: version u64, status u64, in_len u32, out_len u32, data. */
#define TDX_QUOTE_IN_FLIGHT  0xffffffffffffffffull
#define TDX_QUOTE_NO_SERVICE 0x8000000000000001ull

#endif
