/* evidence.c: evidence as a source gives it, before anybody judges it. */
#include <string.h>

#include "attest/attester.h"
#include "base/err.h"
#include "base/reader.h"

#define REPORT_DATA_LEN 64u

atls_evidence_blob attest_blob_of(const char *type)
{
    atls_evidence_blob blob = {0};
    size_t len = strlen(type);
    memcpy(blob.type, type, len < sizeof blob.type ? len : sizeof blob.type - 1);
    return blob;
}

void attest_add_part(atls_evidence_blob *blob, const char *name, uint8_t *bytes, size_t len)
{
    size_t name_len = strlen(name);
    char *to = blob->parts[blob->parts_n].name;
    memcpy(to, name,
           name_len < sizeof blob->parts[0].name ? name_len : sizeof blob->parts[0].name - 1);
    blob->parts[blob->parts_n].bytes = bytes;
    blob->parts[blob->parts_n].len = len;
    blob->parts_n++;
}

atls_code attest_vmpl(const atls_attest_options *options, int *out, atls_err *err)
{
    const char *vmpl = options->snp_vmpl;
    if (vmpl != NULL && (vmpl[0] < '0' || vmpl[0] > '3' || vmpl[1] != '\0')) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.option", "a VMPL is 0 to 3, and this is %.20s",
                        vmpl);
    }
    *out = vmpl != NULL ? vmpl[0] - '0' : -1;
    return ATLS_OK;
}

static bool stands_at(atls_buf evidence, size_t at, const uint8_t report_data[64])
{
    return evidence.len >= at + REPORT_DATA_LEN &&
           memcmp(evidence.ptr + at, report_data, REPORT_DATA_LEN) == 0;
}

static bool stands_somewhere(atls_buf evidence, const uint8_t report_data[64])
{
    for (size_t at = 0; at + REPORT_DATA_LEN <= evidence.len; at++) {
        if (stands_at(evidence, at, report_data)) {
            return true;
        }
    }
    return false;
}

/* Quote header 48 bytes; version 5 has 6 more before the body. The TD report has the field at 520, that of an enclave at
 * 320, the SNP report at 0x50. */
static bool in_quote(atls_buf quote, size_t at, const uint8_t report_data[64])
{
    atls_reader r = atls_reader_of(quote);
    size_t header = atls_reader_u16le(&r) == 5 ? 54 : 48;
    return stands_at(quote, header + at, report_data);
}

bool attest_carries(const atls_evidence_blob *blob, const uint8_t report_data[64])
{
    atls_buf first = {blob->parts[0].bytes, blob->parts[0].len};
    if (strcmp(blob->type, "tdx") == 0) {
        return in_quote(first, 520, report_data);
    }
    if (strcmp(blob->type, "sgx") == 0) {
        return in_quote(first, 320, report_data);
    }
    if (strcmp(blob->type, "snp") == 0) {
        return stands_at(first, 0x50, report_data);
    }
    if (strcmp(blob->type, "cca") == 0 || strcmp(blob->type, "nitro") == 0) {
        return stands_somewhere(first, report_data);
    }
    return true; /* a TPM's evidence carries a digest, in a structure of its own: its source looks itself */
}
