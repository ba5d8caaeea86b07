/* rfc3339.h: times as text. Inside atls a time is int64_t seconds since 1970-01-01T00:00:00Z. */
#ifndef ATLS_BASE_RFC3339_H
#define ATLS_BASE_RFC3339_H

#include <atls/types.h>

/* Exactly "YYYY-MM-DDThh:mm:ssZ" (20 characters), a real date of the years 1970 to 9999: the form in
 * Intel's collateral. False otherwise. */
bool atls_time_parse(const char *text, size_t len, int64_t *out);

#define ATLS_TIME_TEXT_LEN 21
/* The same form out, with NUL. Times outside the years 1970 to 9999 print as "-". */
void atls_time_format(int64_t time_s, char out[ATLS_TIME_TEXT_LEN]);

#endif
