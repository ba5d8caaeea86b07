/* atls1.h: what atls/1 adds to exported authenticators (docs/atls-1.md): contexts, report data, the evidence
 * payload, batches, frames. */
#ifndef ATLS_BINDING_ATLS1_H
#define ATLS_BINDING_ATLS1_H

#include <atls/attester.h>
#include <atls/verifier.h>

#include "binding/authenticator.h"

#define ATLS1_CONTEXT_LEN 32
/* role of the requester || u32be round || 27 random bytes. role: 0 client, 1 server. */
void atls1_context(uint8_t requester, uint32_t round, const uint8_t random[27], uint8_t out[ATLS1_CONTEXT_LEN]);

/* --- report data --- */
/* SHA-512("atls/1 report data" || 0 || role || binder): role 0 when the attester is the TLS client. */
ATLS_MUST_USE atls_code atls1_report_data(uint8_t attester_role, atls_buf binder, uint8_t out[64], atls_err *err);
/* SHA-256 of the same input: for a TPM's qualifying data and a token's nonce. */
ATLS_MUST_USE atls_code atls1_short_data(uint8_t attester_role, atls_buf binder, uint8_t out[32], atls_err *err);
/* Merkle tree (RFC 9162, 2.1): leaf = SHA-256(0 || role || binder), node = SHA-256(1 || left || right). */
ATLS_MUST_USE atls_code atls1_leaf(uint8_t attester_role, atls_buf binder, uint8_t out[32], atls_err *err);
/* Root from leaf, index, size (1..65536) and path; ATLS_E_INVALID "batch.path" when path has not exactly the
 * length that index and size give. */
ATLS_MUST_USE atls_code atls1_root(const uint8_t leaf[32], uint32_t index, uint32_t size, atls_buf path,
                                   uint8_t out[32], atls_err *err);
/* The attester's side: the tree over the leaves of one quote. Leaves are atls1_leaf() values of sessions of
 * this process, which computed the binders themselves; never bytes from outside (design: quote oracle). */
#define ATLS1_BATCH_MAX 65536
#define ATLS1_PATH_MAX (16 * 32) /* bytes: 16 levels */
typedef struct atls1_tree atls1_tree;
ATLS_MUST_USE atls_code atls1_tree_new(const uint8_t (*leaves)[32], uint32_t size, atls1_tree **out,
                                       atls_err *err);
void atls1_tree_free(atls1_tree *tree);
const uint8_t *atls1_tree_get0_root(const atls1_tree *tree); /* 32 bytes */
/* Writes the path of leaf index, and returns its length in bytes (0 for a tree of one leaf). index < size. */
size_t atls1_tree_path(const atls1_tree *tree, uint32_t index, uint8_t out[ATLS1_PATH_MAX]);
/* SHA-512("atls/1 batch" || 0 || u32be size || root). */
ATLS_MUST_USE atls_code atls1_batch_report_data(uint32_t size, const uint8_t root[32], uint8_t out[64],
                                                atls_err *err);

/* SHA-256 of the same input. */
ATLS_MUST_USE atls_code atls1_batch_short_data(uint32_t size, const uint8_t root[32], uint8_t out[32],
                                               atls_err *err);

/* --- payload: the CMW record [media type, bytes, 4] around a deterministic CBOR map --- */
#define ATLS1_MEDIA_TYPE "application/vnd.atls.evidence+cbor"
typedef struct atls1_payload { /* views point into the CMW; names are static */
    atls_evidence evidence;    /* parts in the order of claims/evidence_parts.h */
    bool batched;
    uint32_t index, size;
    atls_buf path;
    bool has_attachment; /* frame 6 follows */
    uint8_t attachment_sha256[32];
    uint32_t attachment_len;
} atls1_payload;
/* *out is malloc'ed, at most ATLS_EA_CMW_MAX bytes. ATLS_E_USAGE "payload....", the same ids as below. */
ATLS_MUST_USE atls_code atls1_payload_encode(const atls1_payload *payload, uint8_t **out, size_t *out_len,
                                             atls_err *err);
/* The same for evidence as an attester makes it, without batch and attachment. */
ATLS_MUST_USE atls_code atls1_payload_build(const atls_evidence_blob *evidence, uint8_t **out, size_t *out_len,
                                            atls_err *err);
/* Deterministic CBOR only (RFC 8949, 4.2.1), no unknown member, no duplicate. ATLS_E_INVALID "payload....".
 * Of the batch only its members are judged here; atls1_root judges what they say. */
ATLS_MUST_USE atls_code atls1_payload_parse(atls_buf cmw, atls1_payload *out, atls_err *err);

/* --- frames: u8 type, u32be length, payload --- */
#define ATLS1_FRAME_HEADER 5
enum {
    ATLS1_FRAME_REQUEST = 1,
    ATLS1_FRAME_AUTHENTICATOR = 2,
    ATLS1_FRAME_VERDICT = 3,
    ATLS1_FRAME_DATA = 4,
    ATLS1_FRAME_CLOSE = 5,
    ATLS1_FRAME_ATTACHMENT = 6
};
#define ATLS1_DATA_MAX 16379
#define ATLS1_ATTACHMENT_MAX 524288
/* The limit of a type; 0 for a type that does not exist (CLOSE has the limit 0 too: it is empty). */
uint32_t atls1_frame_limit(uint8_t type);
/* Checks type and length before anything is allocated: "frame.type", "frame.length". */
ATLS_MUST_USE atls_code atls1_frame_header_parse(const uint8_t header[ATLS1_FRAME_HEADER], uint8_t *type,
                                                 uint32_t *len, atls_err *err);
void atls1_frame_header_write(uint8_t type, uint32_t len, uint8_t out[ATLS1_FRAME_HEADER]);

#endif
