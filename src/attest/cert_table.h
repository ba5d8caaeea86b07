/* cert_table.h: the certificates that an SNP host hands out with a report (GHCB, 4.1.8.1): how far they go. */
#ifndef ATLS_ATTEST_CERT_TABLE_H
#define ATLS_ATTEST_CERT_TABLE_H

#include "base/reader.h"

/* The kernel gives whole pages, zeros behind. The bytes of the table without them; 0: it holds no certificate. A table
 * that is not well-formed is left as it is: whoever verifies it will say what is wrong. */
/*@ requires valid_buf(table);
    assigns \nothing;
    ensures \result <= table.len; */
size_t attest_cert_table_len(atls_buf table);

#endif
