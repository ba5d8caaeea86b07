/* bundle_form.h: the bytes of an air-gap bundle. Numbers are little endian.
 *
 *   8   "ATLSCOLL"
 *   2   version, 1
 *   8   when it was made, seconds since 1970
 *   4   number of items, at most 65,536
 *       each: 4 its length, and the item as item.h encodes it; in the order of their keys, none twice
 *   1   how it is signed (atls_file_scheme); 0: not
 *       if it is: 32 SHA-256 of the public key (SubjectPublicKeyInfo), 2 length of the signature, the signature over all
 *       before its length
 *   32  SHA-256 of all before: notices accidents, vouches for nothing */
#ifndef ATLS_STORE_BUNDLE_FORM_H
#define ATLS_STORE_BUNDLE_FORM_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/file_signature.h"
#include "trust/item.h"

#define ATLS_STORE_BUNDLE_MAX_LEN   ((size_t)256 << 20) /* bytes */
#define ATLS_STORE_BUNDLE_MAX_ITEMS 65536
#define ATLS_STORE_BUNDLE_HEAD_LEN  22 /* before the items */
#define ATLS_STORE_BUNDLE_TAIL_MAX  (1 + 32 + 2 + ATLS_FILE_SIGNATURE_MAX + 32)

typedef struct atls_store_bundle_form { /* views point into the bundle */
    int64_t made_s;
    uint32_t n;
    atls_buf items; /* n times: 4 bytes of length, an item */
    atls_file_scheme scheme;
    uint8_t key_sha256[32]; /* zero: not signed */
    atls_buf signed_part, signature;
    atls_buf summed; /* what the checksum is of */
    uint8_t checksum[32];
} atls_store_bundle_form;

/* The frame alone: neither items nor checksum nor signature are judged. ATLS_E_INVALID "store.bundle.form",
 * "store.bundle.size"; *out is set whole, and on success only. */
/*@ requires valid_buf(bytes) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err; */
ATLS_MUST_USE atls_code atls_store_bundle_parse(atls_buf bytes, atls_store_bundle_form *out,
                                                atls_err *err);

/* The next item of form.items; its key is above the one before ("" at first). ATLS_E_INVALID "store.bundle.form",
 * "item.form". */
ATLS_MUST_USE atls_code atls_store_bundle_next(atls_reader *items, const char *before,
                                               atls_item *out, atls_err *err);

void atls_store_bundle_write_head(atls_writer *w, int64_t made_s, uint32_t n);
void atls_store_bundle_write_item(atls_writer *w, const atls_item *item);
/* Signature, if there is a key, and checksum, behind all that w has. */
ATLS_MUST_USE atls_code atls_store_bundle_write_tail(atls_writer *w, const atls_file_key *key,
                                                     atls_err *err);

#endif
