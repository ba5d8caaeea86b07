/* sevsnp_places.h: where each numbered field of a sevsnp.Report stands in the report (AMD 56860, table 23), for sevsnp.h: one
 * table for reading and writing. */
#ifndef ATLS_BINDING_SEVSNP_PLACES_H
#define ATLS_BINDING_SEVSNP_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#define SEVSNP_VERSION     1
#define SEVSNP_REPORT_DATA 11
#define SEVSNP_MEASUREMENT 12
#define SEVSNP_SIGNATURE   28
#define SEVSNP_CPUID       29
#define SEVSNP_FIELDS      31

#define SEVSNP_CHAIN_EXTRAS 7 /* of a sevsnp.CertificateChain: a map of text to bytes */
#define SEVSNP_CRL_KEY      "00569ee4-e480-4fba-bbf4-45b629901180" /* Contrast's, in that map */
#define SEVSNP_CRL_KEY_LEN  36

typedef struct atls_sevsnp_place {
    size_t at, len;
    bool number; /* little endian there; otherwise bytes */
} atls_sevsnp_place;

extern const atls_sevsnp_place atls_sevsnp_places[SEVSNP_FIELDS + 1];

#endif
