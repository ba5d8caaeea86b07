/* google_instance.h: the extension by which Google's certificates of vTPMs name an instance (1.3.6.1.4.1.11129.2.1.21). */
#ifndef ATLS_CRYPTO_GOOGLE_INSTANCE_H
#define ATLS_CRYPTO_GOOGLE_INSTANCE_H

#include <atls/types.h>

#define ATLS_GOOGLE_INSTANCE_OID "1.3.6.1.4.1.11129.2.1.21"

/* The instance id, big endian, out of the extension's value: a SEQUENCE of zone, project number, project id, instance id
 * and more. False, and out zero: it cannot be decoded, or the id does not fit. */
bool atls_google_instance_id(atls_buf value, uint8_t out[8]);

#endif
