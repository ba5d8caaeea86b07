/* retry_after.h: for how long a server asks for peace (RFC 9110, 10.2.3). */
#ifndef ATLS_NET_RETRY_AFTER_H
#define ATLS_NET_RETRY_AFTER_H

#include <atls/types.h>

#define ATLS_RETRY_AFTER_MAX_S 3600u /* longer wishes count as this */

/* Seconds, or a date ("Sun, 06 Nov 1994 08:49:37 GMT"; the two forms that the standard calls obsolete are not read), which
 * is taken against when_s. 0: neither, or already over. */
uint32_t atls_retry_after_read(atls_buf value, int64_t when_s);

#endif
