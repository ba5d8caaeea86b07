/* evidence_file.h: evidence as a person has it in a file: a bare quote, or a bundle. */
#ifndef ATLS_APPS_EVIDENCE_FILE_H
#define ATLS_APPS_EVIDENCE_FILE_H

#include <atls/bundle.h>
#include <atls/verifier.h>

#include "input.h"

typedef struct evidence_file {
    input in;
    atls_bundle *bundle; /* NULL: bare evidence */
    atls_evidence bare;
    bool is_certificate; /* one that carries evidence: all of in */
} evidence_file;

/* A name that --format takes, whether this release judges it or not. */
bool evidence_format_is_known(const char *format);

/* Reads FILE ("-": standard input) as format ("auto": by its bytes). ATLS_E_INVALID for what is too large, a
 * malformed bundle, and formats that this release does not judge. */
atls_code evidence_file_read(const char *path, const char *format, evidence_file *out,
                             atls_err *err);
/* The same, and takes certificates, too. */
atls_code evidence_file_read_any(const char *path, const char *format, evidence_file *out,
                                 atls_err *err);
const atls_evidence *evidence_file_get0(const evidence_file *file);
void evidence_file_clear(evidence_file *file);

#endif
