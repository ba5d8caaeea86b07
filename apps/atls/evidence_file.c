#include "evidence_file.h"

#include <string.h>

#include "say.h"

static const char *const judged_formats[] = {"sgx", "tdx"};
static const char *const later_formats[] = {"snp", "tpm", "nitro", "cca", "jwt"};

static bool among(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_judged(const char *format)
{
    return among(format, judged_formats, sizeof judged_formats / sizeof judged_formats[0]);
}

static bool is_later(const char *format)
{
    return among(format, later_formats, sizeof later_formats / sizeof later_formats[0]);
}

bool evidence_format_is_known(const char *format)
{
    return is_judged(format) || is_later(format) || strcmp(format, "auto") == 0 ||
           strcmp(format, "cert") == 0 || strcmp(format, "bundle") == 0;
}

static bool begins_with(atls_buf bytes, const char *text)
{
    size_t n = strlen(text);
    return bytes.len >= n && memcmp(bytes.ptr, text, n) == 0;
}

/* What `auto` sees: a JSON object is a bundle; PEM, or a DER SEQUENCE of long form, a certificate. */
static const char *guess(atls_buf bytes)
{
    size_t i = 0;
    while (i < bytes.len && strchr(" \t\r\n", bytes.ptr[i]) != NULL && bytes.ptr[i] != '\0') {
        i++;
    }
    const atls_buf rest = {bytes.ptr + i, bytes.len - i};
    if (begins_with(rest, "{")) {
        return "bundle";
    }
    if (begins_with(rest, "-----BEGIN CERTIFICATE") || begins_with(bytes, "\x30\x82")) {
        return "cert";
    }
    return NULL; /* the verifier recognises bare evidence by its bytes */
}

atls_code evidence_file_read(const char *path, const char *format, evidence_file *out,
                             atls_err *err)
{
    evidence_file file = {0};
    atls_code rc =
        input_read(path, INPUT_EVIDENCE_MAX, ATLS_E_INVALID, "evidence.size", &file.in, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    const char *kind = strcmp(format, "auto") == 0 ? guess(input_buf(&file.in)) : format;
    if (kind != NULL && strcmp(kind, "cert") == 0) {
        rc = fill_err(err, ATLS_E_INVALID, "evidence.format",
                      "certificates that carry evidence are not judged by this release");
    } else if (kind != NULL && is_later(kind)) {
        rc = fill_err(err, ATLS_E_INVALID, "evidence.format",
                      "evidence of format %s is not judged by this release", kind);
    } else if (kind != NULL && strcmp(kind, "bundle") == 0) {
        rc = atls_bundle_parse(input_buf(&file.in), &file.bundle, err);
    } else {
        file.bare.type = kind;
        file.bare.parts_n = 1;
        file.bare.parts[0].name = "quote";
        file.bare.parts[0].bytes = input_buf(&file.in);
    }
    if (rc != ATLS_OK) {
        evidence_file_clear(&file);
        return rc;
    }
    *out = file;
    return ATLS_OK;
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
