/* ima.h: entries of Linux' binary IMA list (binary_runtime_measurements), of a little-endian machine. What is read here
 * is only laid out: nothing is believed. */
#ifndef ATLS_EVIDENCE_LOG_IMA_H
#define ATLS_EVIDENCE_LOG_IMA_H

#include "base/reader.h"

#define ATLS_IMA_ENTRIES_MAX  65536
#define ATLS_IMA_TEMPLATE_MAX 255      /* bytes of a template's name */
#define ATLS_IMA_DATA_MAX     1048576u /* bytes of one entry */

/* Views into the list. */
typedef struct atls_ima_entry {
    uint32_t pcr;
    atls_buf sha1; /* 20 bytes: of data; all zero: a violation, of which nothing is measured */
    atls_buf template_name;
    atls_buf data;      /* what is hashed, for each bank, and extended */
    bool is_known;      /* ima-ng or ima-sig: the rest is there */
    atls_buf algorithm; /* "sha256" */
    atls_buf digest;    /* the file's, 1 to 64 bytes */
    atls_buf path;      /* without its NUL; there is none in it */
} atls_ima_entry;

/* Not promised: that algorithm, digest and path, which are parts of data, are valid too. They are, when they are read
 * (proved there); the provers lose it on the way out, and tests and the fuzz target look at it. */
/*@ predicate sound_ima_entry(atls_ima_entry e) = valid_buf(e.sha1) && valid_buf(e.template_name) && valid_buf(e.data);
    predicate sound_ima_fields(atls_ima_entry e) = valid_buf(e.algorithm) && valid_buf(e.digest) && valid_buf(e.path); */

/* Do the bytes begin like such a list: an entry whose template's name begins with "ima"? */
/*@ requires valid_buf(bytes);
    assigns \nothing; */
bool atls_ima_looks(atls_buf bytes);

/* The next entry; at the end of the list *more is false and out untouched. ATLS_E_INVALID: "log.ima.format",
 * "log.ima.template" (the old template "ima", whose entries have no length), "log.ima.event" (the fields of a known
 * template do not fit). */
/*@ requires valid_reader(list) && \valid(more) && \valid(out) && (err == \null || \valid(err));
    requires \separated(list, more, out, err);
    assigns *list, *more, *out, *err;
    ensures valid_reader(list);
    ensures \result == ATLS_OK && *more ==> sound_ima_entry(*out); */
ATLS_MUST_USE atls_code atls_ima_next(atls_reader *list, bool *more, atls_ima_entry *out,
                                      atls_err *err);

#endif
