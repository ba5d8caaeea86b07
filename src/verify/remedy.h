/* remedy.h: what a check is about, in a person's words, and what that person should do when it fails.
 * A table by check id; the longest prefix that ends at a dot (or the whole id) counts. */
#ifndef ATLS_VERIFY_REMEDY_H
#define ATLS_VERIFY_REMEDY_H

/* "platform TCB" for "tcb.status"; NULL when the table has no word for it. */
const char *atls_remedy_subject(const char *id);
/* What failed, where there is no such word: "AWS leaf certificate, key usage" for "nitro.leaf.key_usage"; the id itself when
 * that is not known either. */
#define ATLS_REMEDY_NAME_LEN 96 /* with NUL */
void atls_remedy_name(const char *id, char out[ATLS_REMEDY_NAME_LEN]);
/* A sentence; where the table has none, one that leads to docs/checks.md. */
const char *atls_remedy(const char *id);

#endif
