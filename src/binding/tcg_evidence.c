#include "binding/tcg_evidence.h"

#include <string.h>

#include "base/err.h"
#include "binding/certificate.h"
#include "codec/cbor_document.h"

#define DER_OCTETS   0x04
#define DER_SEQUENCE 0x30

/* Numbers of the Named Information registry. */
static const struct {
    uint64_t id;
    atls_hash hash;
} hashes[] = {{1, ATLS_SHA256}, {7, ATLS_SHA384}, {8, ATLS_SHA512}};

bool atls_tcg_ends(const atls_reader *r, size_t len)
{
    size_t room = 32;
    if (r->failed) {
        return false;
    }
    while (room < len - r->left) {
        room *= 2;
    }
    return r->left == 0 || room == len;
}

/* --- which evidence --- */

/* NULL: taken. Otherwise what it is. */
static const char *untaken(uint64_t tag)
{
    switch (tag) {
    case ATLS_TCG_TAG_INTEL:
    case ATLS_TCG_TAG_INTEL_OLD:
    case ATLS_TCG_TAG_SNP:
        return NULL;
    case 60001:
        return "an Intel TEE report, which only the same machine can check";
    case 60002:
        return "an SGX local report, which only the same machine can check";
    case 0x1a7505:
        return "evidence of SEV without SNP, which proves no code";
    case 0x1a7506:
        return "evidence of Hygon CSV, which is not known here";
    default:
        return "evidence of a kind that is not known";
    }
}

static bool is_tag(uint8_t first)
{
    return first >= 0xc0 && first <= 0xdb;
}

/* TCG's text wraps the value once or twice; peers do not. */
static atls_buf peeled(atls_buf value)
{
    atls_buf inner = value;
    if (value.len > 0 && value.ptr[0] == DER_SEQUENCE &&
        !atls_der_content(value, DER_SEQUENCE, &inner)) {
        return value;
    }
    if (inner.len > 0 && inner.ptr[0] == DER_OCTETS &&
        atls_der_content(inner, DER_OCTETS, &inner)) {
        return inner;
    }
    return value;
}

static atls_code open_tag(atls_reader *r, atls_tcg_evidence *out, atls_err *err)
{
    atls_cbor_item tag;
    if (r->left == 0 || !is_tag(r->ptr[0])) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.encoding",
                        "unknown evidence encoding: it begins with no CBOR tag");
    }
    if (!atls_cbor_any(r, &tag)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.cbor", "the CBOR tag is cut short");
    }
    const char *what = untaken(tag.value);
    if (what != NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.type", "CBOR tag 0x%llx: %s",
                        (unsigned long long)tag.value, what);
    }
    out->tag = tag.value;
    return ATLS_OK;
}

static atls_code open_pair(atls_reader *r, size_t len, atls_tcg_evidence *out, atls_err *err)
{
    atls_cbor_item array = {0}, evidence = {0}, claims = {0};
    if (!atls_cbor_any(r, &array) || array.kind != ATLS_CBOR_ARRAY || array.value != 2 ||
        !atls_cbor_any(r, &evidence) || evidence.kind != ATLS_CBOR_BYTES ||
        !atls_cbor_any(r, &claims) || claims.kind != ATLS_CBOR_BYTES || !atls_tcg_ends(r, len)) {
        return ATLS_ERR(
            err, ATLS_E_INVALID, "tcg.cbor",
            "not an array of two byte strings (evidence, claims) and nothing behind it");
    }
    out->evidence = evidence.bytes;
    out->claims = claims.bytes;
    return ATLS_OK;
}

/* --- claims --- */

static bool same(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static atls_code read_pubkey_hash(atls_buf entry, atls_tcg_evidence *out, atls_err *err)
{
    atls_reader r = atls_reader_of(entry);
    atls_cbor_item array = {0}, id = {0}, digest = {0};
    if (!atls_cbor_any(&r, &array) || array.kind != ATLS_CBOR_ARRAY || array.value != 2 ||
        !atls_cbor_any(&r, &id) || id.kind != ATLS_CBOR_UINT || !atls_cbor_any(&r, &digest) ||
        digest.kind != ATLS_CBOR_BYTES || !atls_tcg_ends(&r, entry.len)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.pubkey_hash",
                        "the claim pubkey-hash is not an array of a number and bytes");
    }
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (hashes[i].id != id.value) {
            continue;
        }
        if (digest.bytes.len != atls_hash_len(hashes[i].hash)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tcg.pubkey_hash",
                            "%zu bytes of hash, where algorithm %u has %zu", digest.bytes.len,
                            (unsigned)id.value, atls_hash_len(hashes[i].hash));
        }
        out->key_hash = hashes[i].hash;
        out->key_digest = digest.bytes;
        return ATLS_OK;
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "tcg.pubkey_hash",
                    "hash algorithm %llu, where 1, 7 and 8 are known",
                    (unsigned long long)id.value);
}

static atls_code take_claim(const atls_cbor_item *name, const atls_cbor_item *value,
                            atls_tcg_evidence *out, atls_err *err)
{
    const bool is_key = atls_cbor_is_text(name, "pubkey-hash");
    const bool is_nonce = atls_cbor_is_text(name, "nonce");
    bool twice = (is_key && out->key_digest.len > 0) || (is_nonce && out->has_nonce);
    for (size_t i = 0; i < out->custom_n; i++) {
        twice = twice || same(out->custom[i].name, name->bytes);
    }
    if (twice) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.duplicate", "a claim that is there twice");
    }
    if (is_key) {
        return read_pubkey_hash(value->bytes, out, err);
    }
    if (is_nonce) {
        out->has_nonce = true;
        out->nonce = value->bytes;
        return ATLS_OK;
    }
    if (out->custom_n == ATLS_TCG_CLAIMS_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.claims", "more than %d claims",
                        ATLS_TCG_CLAIMS_MAX);
    }
    out->custom[out->custom_n++] = (atls_tcg_claim){name->bytes, value->bytes};
    return ATLS_OK;
}

static atls_code read_claims(atls_tcg_evidence *out, atls_err *err)
{
    atls_reader r = atls_reader_of(out->claims);
    atls_cbor_item map = {0};
    if (!atls_cbor_any(&r, &map) || map.kind != ATLS_CBOR_MAP ||
        map.value > ATLS_TCG_CLAIMS_MAX + 2) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.claims",
                        "the claims are not a map of definite length and at most %d claims",
                        ATLS_TCG_CLAIMS_MAX + 2);
    }
    for (uint64_t i = 0; i < map.value; i++) {
        atls_cbor_item name = {0}, value = {0};
        if (!atls_cbor_any(&r, &name) || !atls_cbor_any(&r, &value) ||
            name.kind != ATLS_CBOR_TEXT || name.bytes.len == 0 || !atls_utf8_valid(name.bytes) ||
            value.kind != ATLS_CBOR_BYTES) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tcg.claims",
                            "claim %u is not a name (text, not empty) and a value (bytes)",
                            (unsigned)i);
        }
        ATLS_TRY(take_claim(&name, &value, out, err));
    }
    if (!atls_tcg_ends(&r, out->claims.len)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.claims", "%zu bytes behind the claims", r.left);
    }
    if (out->key_digest.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.pubkey_hash",
                        "no claim pubkey-hash: the evidence names no key");
    }
    return ATLS_OK;
}

atls_code atls_tcg_parse(atls_buf value, atls_tcg_evidence *out, atls_err *err)
{
    atls_tcg_evidence e = {0};
    if (value.len == 0 || value.len > ATLS_TCG_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tcg.size",
                        "an extension of %zu bytes, where 1 to %d are taken", value.len,
                        ATLS_TCG_MAX_LEN);
    }
    const atls_buf whole = peeled(value);
    atls_reader r = atls_reader_of(whole);
    ATLS_TRY(open_tag(&r, &e, err));
    ATLS_TRY(open_pair(&r, whole.len, &e, err));
    ATLS_TRY(read_claims(&e, err));
    *out = e;
    return ATLS_OK;
}

/* --- what it says of key and evidence --- */

atls_code atls_tcg_check_key(const atls_tcg_evidence *e, atls_buf spki, atls_err *err)
{
    uint8_t digest[ATLS_HASH_MAX];
    ATLS_TRY(atls_digest(e->key_hash, &spki, 1, digest, err));
    if (!atls_equal((atls_buf){digest, atls_hash_len(e->key_hash)}, e->key_digest)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "tcg.key",
                        "the claim pubkey-hash names another key than the certificate's");
    }
    return ATLS_OK;
}

atls_code atls_tcg_report_data(atls_hash hash, atls_buf claims, uint8_t out[64], atls_err *err)
{
    uint8_t digest[ATLS_HASH_MAX] = {0};
    ATLS_TRY(atls_digest(hash, &claims, 1, digest, err));
    memset(out, 0, 64);
    memcpy(out, digest, atls_hash_len(hash));
    return ATLS_OK;
}
