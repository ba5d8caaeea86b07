/* tcg_evidence_make.c: tagged evidence in the encoding that every peer takes. */
#include "binding/tcg_evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "codec/cbor.h"

#define HEAD_MAX      9
#define EVIDENCE_MAX  8192 /* peers' buffers */
#define EXTENSION_MAX 8192
#define EXTENSION_MIN 256 /* Gramine finds lengths of two bytes only */

static const char pubkey_hash[] = "pubkey-hash";

static uint64_t hash_id(atls_hash hash)
{
    return hash == ATLS_SHA384 ? 7 : hash == ATLS_SHA512 ? 8 : 1;
}

static bool same(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static atls_code check_names(const atls_tcg_claim *more, size_t n, atls_err *err)
{
    const atls_buf own = {(const uint8_t *)pubkey_hash, sizeof pubkey_hash - 1};
    bool ok = n <= ATLS_TCG_CLAIMS_MAX;
    for (size_t i = 0; ok && i < n; i++) {
        ok = more[i].name.len > 0 && !same(more[i].name, own);
        for (size_t k = 0; ok && k < i; k++) {
            ok = !same(more[i].name, more[k].name);
        }
    }
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_USAGE, "tcg.make",
                         "claims: at most %d, each name once, none empty or pubkey-hash",
                         ATLS_TCG_CLAIMS_MAX);
}

atls_code atls_tcg_claims_make(atls_hash hash, atls_buf spki, const atls_tcg_claim *more,
                               size_t more_n, uint8_t **out, size_t *len, atls_err *err)
{
    uint8_t digest[ATLS_HASH_MAX];
    uint8_t entry_space[2 * HEAD_MAX + HEAD_MAX + ATLS_HASH_MAX];
    ATLS_TRY(check_names(more, more_n, err));
    ATLS_TRY(atls_digest(hash, &spki, 1, digest, err));
    atls_writer entry = atls_writer_of(entry_space, sizeof entry_space);
    atls_cbor_write_head(&entry, ATLS_CBOR_ARRAY, 2);
    atls_cbor_write_head(&entry, ATLS_CBOR_UINT, hash_id(hash));
    atls_cbor_write_string(&entry, ATLS_CBOR_BYTES, (atls_buf){digest, atls_hash_len(hash)});

    size_t cap = 3 * HEAD_MAX + sizeof pubkey_hash + sizeof entry_space;
    for (size_t i = 0; i < more_n; i++) {
        cap += 2 * HEAD_MAX + more[i].name.len + more[i].value.len;
    }
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    atls_cbor_write_head(&w, ATLS_CBOR_MAP, 1 + more_n);
    atls_cbor_write_string(&w, ATLS_CBOR_TEXT,
                           (atls_buf){(const uint8_t *)pubkey_hash, sizeof pubkey_hash - 1});
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, atls_writer_done(&entry));
    for (size_t i = 0; i < more_n; i++) {
        atls_cbor_write_string(&w, ATLS_CBOR_TEXT, more[i].name);
        atls_cbor_write_string(&w, ATLS_CBOR_BYTES, more[i].value);
    }
    *out = space;
    *len = w.len;
    return ATLS_OK;
}

atls_code atls_tcg_make(uint64_t tag, atls_buf evidence, atls_buf claims, uint8_t **out,
                        size_t *len, atls_err *err)
{
    if (evidence.len > EVIDENCE_MAX || claims.len > EXTENSION_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "tcg.make",
                        "evidence of %zu bytes and claims of %zu, where peers take at most %d",
                        evidence.len, claims.len, EVIDENCE_MAX);
    }
    const size_t cap = 4 * HEAD_MAX + evidence.len + claims.len;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    atls_cbor_write_head(&w, ATLS_CBOR_TAG, tag);
    atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, 2);
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, evidence);
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, claims);
    if (w.len < EXTENSION_MIN || w.len > EXTENSION_MAX) {
        free(space);
        return ATLS_ERR(err, ATLS_E_USAGE, "tcg.make",
                        "an extension of %zu bytes, where peers find those of %d to %d", w.len,
                        EXTENSION_MIN, EXTENSION_MAX);
    }
    *out = space;
    *len = w.len;
    return ATLS_OK;
}
