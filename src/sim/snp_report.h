/* snp_report.h: a simulated report, and the certificate table that goes with it. */
#ifndef ATLS_SIM_SNP_REPORT_H
#define ATLS_SIM_SNP_REPORT_H

#include "sim/snp_cert.h"

#define SNP_REPORT_MAX 1200
#define SNP_TABLE_MAX  ((size_t)80 * 1024)

/* False: no memory, or OpenSSL would not. */
bool snp_report_make(const snp_keys *keys, const snp_variant *v, const snp_plan *plan,
                     const atls_sim_request *request, uint8_t out[SNP_REPORT_MAX], size_t *len);

/* A table of leaf, ASK and CRL (each may be missing); out has SNP_TABLE_MAX bytes. */
bool snp_table_make(const snp_variant *v, const snp_plan *plan, const snp_bytes *leaf,
                    const snp_bytes *ca, const snp_bytes *crl, uint8_t *out, size_t *len);

typedef enum snp_entry { SNP_ENTRY_VCEK = 0, SNP_ENTRY_CA, SNP_ENTRY_CRL } snp_entry;
/* What such a table has; {NULL, 0}: nothing of that kind. */
atls_buf snp_table_entry(atls_buf bytes, snp_entry which);

#endif
