/* amd_cert_table.h: the certificates that a host hands to an SNP guest beside the report (AMD 56421, GHCB: SNP extended
 * guest request): a header of GUIDs, offsets and lengths, and the bytes they point at. Where they come from does not
 * matter: each is judged, and none is a root. */
#ifndef ATLS_TRUST_AMD_CERT_TABLE_H
#define ATLS_TRUST_AMD_CERT_TABLE_H

#include "base/reader.h"
#include <atls/types.h>

#define ATLS_AMD_TABLE_MAX_LEN     65536
#define ATLS_AMD_TABLE_MAX_ENTRIES 32
#define ATLS_AMD_TABLE_MAX_CERT    8192 /* bytes of a certificate, as DER or PEM */

typedef enum atls_amd_entry {
    ATLS_AMD_VCEK = 0,
    ATLS_AMD_VLEK,
    ATLS_AMD_ASK, /* ASVK, too */
    ATLS_AMD_ARK,
    ATLS_AMD_CRL,
    ATLS_AMD_PLATFORM_INFO, /* Google's */
    ATLS_AMD_ENTRIES
} atls_amd_entry;

typedef struct atls_amd_cert_table {  /* views point into the table's bytes */
    atls_buf entry[ATLS_AMD_ENTRIES]; /* {NULL, 0}: not there, or empty */
    size_t n;                         /* entries, those with an unknown GUID among them */
} atls_amd_cert_table;

/* No bytes are an empty table; bytes behind what the entries use (padding of a page) are passed over.
 * ATLS_E_INVALID "snp.table.size", "snp.table.header" (it does not end, or has too many entries), "snp.table.entry"
 * (not inside the table and behind its header, or too large), "snp.table.twice" (one GUID, known or not, for two
 * entries); *out is set whole, and on success only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_amd_cert_table_parse(atls_buf bytes, atls_amd_cert_table *out,
                                                  atls_err *err);

/* Does it begin with a GUID that is known here? */
/*@ requires valid_buf(bytes);
    assigns \nothing; */
bool atls_amd_cert_table_looks(atls_buf bytes);

#endif
