#include "evidence_file.h"

#include <string.h>

#include "say.h"

static bool is_evidence(const char *format)
{
    static const char *const names[] = {"sgx", "tdx", "snp", "tpm", "nitro", "cca", "jwt", "dummy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(format, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool evidence_format_is_known(const char *format)
{
    return is_evidence(format) || strcmp(format, "auto") == 0 || strcmp(format, "cert") == 0 ||
           strcmp(format, "bundle") == 0;
}

static bool begins_with(atls_buf bytes, const char *text)
{
    size_t n = strlen(text);
    return bytes.len >= n && memcmp(bytes.ptr, text, n) == 0;
}

static atls_buf without_space(atls_buf bytes)
{
    static const char space[] = " \t\r\n";
    while (bytes.len > 0 && bytes.ptr[0] != '\0' && strchr(space, bytes.ptr[0]) != NULL) {
        bytes.ptr++;
        bytes.len--;
    }
    while (bytes.len > 0 && bytes.ptr[bytes.len - 1] != '\0' &&
           strchr(space, bytes.ptr[bytes.len - 1]) != NULL) {
        bytes.len--;
    }
    return bytes;
}

/* What `auto` sees: a JSON object is a bundle; PEM, or a DER SEQUENCE of long form, a certificate. NULL: the verifier
 * recognises bare evidence by its bytes. */
static const char *guess(atls_buf bytes)
{
    if (begins_with(without_space(bytes), "{")) {
        return "bundle";
    }
    if (begins_with(without_space(bytes), "-----BEGIN CERTIFICATE") ||
        begins_with(bytes, "\x30\x82")) {
        return "cert";
    }
    return begins_with(without_space(bytes), "ey") ? "jwt" : NULL;
}

/* A bundle, which must be of that type if one was named: a vTPM's comes with the hardware's report, too. */
static atls_code read_bundle(evidence_file *file, const char *format, atls_err *err)
{
    atls_code rc = atls_bundle_parse(input_buf(&file->in), &file->bundle, err);
    if (rc != ATLS_OK || !is_evidence(format)) {
        return rc;
    }
    const char *type = atls_bundle_get0_evidence(file->bundle)->type;
    bool of_tpm = strcmp(type, "azure") == 0 || strcmp(type, "snp-tpm") == 0;
    bool fits = strcmp(type, format) == 0 || (strcmp(format, "tpm") == 0 && of_tpm);
    return fits ? ATLS_OK
                : fill_err(err, ATLS_E_INVALID, "evidence.format",
                           "a bundle of type %s, where %s is wanted", type, format);
}

static atls_code take_bare(evidence_file *file, const char *kind, atls_err *err)
{
    if (kind != NULL && strcmp(kind, "tpm") == 0) {
        return fill_err(err, ATLS_E_INVALID, "evidence.format",
                        "a TPM's quote has several parts: give them as a bundle");
    }
    file->bare.type = kind;
    file->bare.parts_n = 1;
    file->bare.parts[0].bytes = input_buf(&file->in);
    if (kind != NULL && strcmp(kind, "jwt") == 0) { /* text, which editors end with a line */
        file->bare.parts[0].bytes = without_space(input_buf(&file->in));
    }
    return ATLS_OK;
}

atls_code evidence_file_read_any(const char *path, const char *format, evidence_file *out,
                                 atls_err *err)
{
    evidence_file file = {0};
    atls_code rc =
        input_read(path, INPUT_EVIDENCE_MAX, ATLS_E_INVALID, "evidence.size", &file.in, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    const char *seen = guess(input_buf(&file.in));
    bool is_bundle = seen != NULL && strcmp(seen, "bundle") == 0;
    const char *kind = strcmp(format, "auto") == 0 ? seen : format;
    if (kind != NULL && strcmp(kind, "cert") == 0) {
        file.is_certificate = true;
    } else if (is_bundle || (kind != NULL && strcmp(kind, "bundle") == 0)) {
        rc = read_bundle(&file, format, err);
    } else {
        rc = take_bare(&file, kind, err);
    }
    if (rc != ATLS_OK) {
        evidence_file_clear(&file);
        return rc;
    }
    *out = file;
    return ATLS_OK;
}

atls_code evidence_file_read(const char *path, const char *format, evidence_file *out,
                             atls_err *err)
{
    evidence_file file = {0};
    atls_code rc = evidence_file_read_any(path, format, &file, err);
    if (rc == ATLS_OK && file.is_certificate) {
        evidence_file_clear(&file);
        rc = fill_err(err, ATLS_E_INVALID, "evidence.format",
                      "a certificate, where the evidence alone is wanted");
    }
    if (rc == ATLS_OK) {
        *out = file;
    }
    return rc;
}

const atls_evidence *evidence_file_get0(const evidence_file *file)
{
    return file->bundle != NULL ? atls_bundle_get0_evidence(file->bundle) : &file->bare;
}

void evidence_file_clear(evidence_file *file)
{
    atls_bundle_free(file->bundle);
    input_clear(&file->in);
    *file = (evidence_file){0};
}
