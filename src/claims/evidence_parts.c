#include "claims/evidence_parts.h"

#include <string.h>

/* The order is that in which parts are handed to a verifier, whatever their order where they came from. */
static const atls_evidence_type types[] = {
    {"sgx", 1, {"quote", "event_log", "collateral"}},
    {"tdx", 1, {"quote", "event_log", "collateral"}},
    {"snp", 1, {"report", "certs", "vcek"}},
    {"nitro", 1, {"document"}},
    {"cca", 1, {"token"}},
    {"jwt", 1, {"token"}},
    {"dummy", 1, {"report_data"}}, /* for tests: 1 to 64 bytes that nobody signed */
    {"tpm", 3, {"quote", "signature", "pcrs", "ak_public", "ak_cert", "event_log", "ima_log"}},
    {"azure",
     3,
     {"quote", "signature", "pcrs", "ak_public", "ak_cert", "event_log", "ima_log", "hcl_report",
      "vcek", "td_quote"}},
    /* A vTPM's quote and the SNP report of the machine around it (Google, AWS). */
    {"snp-tpm",
     4,
     {"quote", "signature", "pcrs", "snp_report", "ak_public", "ak_cert", "event_log", "ima_log",
      "certs", "vcek"}},
};

static bool is_named(const char *name, atls_buf text)
{
    return strlen(name) == text.len && memcmp(name, text.ptr, text.len) == 0;
}

const atls_evidence_type *atls_evidence_type_find(atls_buf name)
{
    for (size_t i = 0; name.len > 0 && i < sizeof types / sizeof types[0]; i++) {
        if (is_named(types[i].name, name)) {
            return &types[i];
        }
    }
    return NULL;
}

size_t atls_evidence_type_part(const atls_evidence_type *type, atls_buf name)
{
    for (size_t i = 0; name.len > 0 && type->parts[i] != NULL; i++) {
        if (is_named(type->parts[i], name)) {
            return i;
        }
    }
    return ATLS_PARTS_OF_A_TYPE;
}
