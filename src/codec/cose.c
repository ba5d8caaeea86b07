#include "codec/cose.h"

#include "base/err.h"

#define TAG_SIGN1    18
#define LABEL_ALG    1
#define LABEL_CRIT   2
#define KTY_EC2      2
#define CURVES       3
#define COORDINATE_X 2 /* -2 - 1, -3 - 1: what follows the minus sign in CBOR */

static const struct {
    uint64_t negative; /* -1 - alg */
    const char *name;
    atls_key_kind curve;
    atls_hash hash;
} algorithms[] = {
    [ATLS_COSE_ES256] = {6, "ES256", ATLS_KEY_P256, ATLS_SHA256},
    [ATLS_COSE_ES384] = {34, "ES384", ATLS_KEY_P384, ATLS_SHA384},
    [ATLS_COSE_ES512] = {35, "ES512", ATLS_KEY_P521, ATLS_SHA512},
};

const char *atls_cose_alg_name(atls_cose_alg alg)
{
    return algorithms[alg].name;
}

atls_key_kind atls_cose_alg_curve(atls_cose_alg alg)
{
    return algorithms[alg].curve;
}

static atls_code take_alg(const atls_cbor_item *value, unsigned allowed, atls_cose_sign1 *out,
                          atls_err *err)
{
    for (size_t i = 0;
         value->kind == ATLS_CBOR_NEGATIVE && i < sizeof algorithms / sizeof *algorithms; i++) {
        if (value->value == algorithms[i].negative && (allowed & ATLS_COSE_ALLOW(i)) != 0) {
            out->alg = (atls_cose_alg)i;
            return ATLS_OK;
        }
    }
    if (value->kind == ATLS_CBOR_NEGATIVE && value->value < INT32_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cose.alg", "algorithm %ld, which is not allowed here",
                        -1 - (long)value->value);
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "cose.alg", "an algorithm that is not allowed here");
}

/* RFC 9052, 3.1. What else the issuer states there (a key id, a content type) decides nothing here. */
static atls_code read_protected(atls_buf header, unsigned allowed, atls_cose_sign1 *out,
                                atls_err *err)
{
    atls_cbor_item map = {0};
    atls_reader r = atls_reader_of(header);
    bool has_alg = false;
    if (header.len > 0) { /* empty stands for an empty map */
        ATLS_TRY(atls_cbor_document_check(header, "cose.cbor", err));
        if (!atls_cbor_any(&r, &map) || map.kind != ATLS_CBOR_MAP) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cose.structure",
                            "a protected header that is no map");
        }
    }
    for (uint64_t i = 0; i < map.value; i++) {
        atls_cbor_item label;
        atls_cbor_item value;
        atls_buf all;
        if (!atls_cbor_any(&r, &label)) {
            break;
        }
        atls_reader here = r;
        if (!atls_cbor_any(&here, &value) || !atls_cbor_skip(&r, &all)) {
            break;
        }
        if (label.kind == ATLS_CBOR_UINT && label.value == LABEL_CRIT) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cose.crit",
                            "header parameters that must be understood, and are not");
        }
        if (label.kind == ATLS_CBOR_UINT && label.value == LABEL_ALG) {
            ATLS_TRY(take_alg(&value, allowed, out, err));
            has_alg = true;
        }
    }
    return has_alg
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "cose.alg", "no algorithm in the protected header");
}

static atls_code read_unprotected(atls_reader *r, atls_err *err)
{
    atls_cbor_item map;
    if (!atls_cbor_any(r, &map) || map.kind != ATLS_CBOR_MAP) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cose.structure",
                        "an unprotected header that is no map");
    }
    for (uint64_t i = 0; i < map.value; i++) {
        atls_cbor_item label;
        atls_buf value;
        if (!atls_cbor_any(r, &label) || !atls_cbor_skip(r, &value)) {
            break;
        }
        if (label.kind == ATLS_CBOR_UINT && label.value == LABEL_ALG) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cose.unprotected_alg",
                            "an algorithm in the header that is not signed");
        }
        if (label.kind == ATLS_CBOR_UINT && label.value == LABEL_CRIT) {
            return ATLS_ERR(err, ATLS_E_INVALID, "cose.crit",
                            "crit in the header that is not signed");
        }
    }
    return ATLS_OK;
}

atls_code atls_cose_sign1_parse(atls_buf bytes, unsigned allowed, atls_cose_sign1 *out,
                                atls_err *err)
{
    ATLS_TRY(atls_cbor_document_check(bytes, "cose.cbor", err));
    atls_cose_sign1 cose = {0};
    atls_cbor_item item;
    atls_cbor_item payload = {0};
    atls_cbor_item signature = {0};
    atls_reader r = atls_reader_of(bytes);
    bool ok = atls_cbor_any(&r, &item);
    if (ok && item.kind == ATLS_CBOR_TAG && item.value == TAG_SIGN1) {
        cose.tagged = true;
        ok = atls_cbor_any(&r, &item);
    }
    if (!ok || item.kind != ATLS_CBOR_ARRAY || item.value != 4 || !atls_cbor_any(&r, &item) ||
        item.kind != ATLS_CBOR_BYTES) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cose.structure",
                        "no COSE_Sign1: not an array of four, or no protected header in front");
    }
    cose.protected_header = item.bytes;
    ATLS_TRY(read_unprotected(&r, err));
    if (!atls_cbor_any(&r, &payload) || (payload.kind != ATLS_CBOR_BYTES)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cose.payload",
                        payload.kind == ATLS_CBOR_NULL ? "no payload: it is detached"
                                                       : "a payload that is no byte string");
    }
    if (!atls_cbor_any(&r, &signature) || signature.kind != ATLS_CBOR_BYTES ||
        !atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cose.structure",
                        "a signature that is no byte string");
    }
    ATLS_TRY(read_protected(cose.protected_header, allowed, &cose, err));
    cose.payload = payload.bytes;
    cose.signature = signature.bytes;
    *out = cose;
    return ATLS_OK;
}

bool atls_cose_sign1_verify(const atls_cose_sign1 *cose, atls_public_key *key)
{
    const size_t size = atls_public_key_size(key);
    if (atls_public_key_kind(key) != algorithms[cose->alg].curve ||
        cose->signature.len != 2 * size) {
        return false;
    }
    /* RFC 9052, 4.4: ["Signature1", protected, external_aad, payload]. */
    uint8_t heads[2][9];
    atls_writer before_header = atls_writer_of(heads[0], sizeof heads[0]);
    atls_writer before_payload = atls_writer_of(heads[1], sizeof heads[1]);
    atls_cbor_write_head(&before_header, ATLS_CBOR_BYTES, cose->protected_header.len);
    atls_cbor_write_head(&before_payload, ATLS_CBOR_BYTES, cose->payload.len);
    static const uint8_t context[] = {0x84, 0x6a, 'S', 'i', 'g', 'n', 'a', 't', 'u', 'r', 'e', '1'};
    static const uint8_t no_aad[] = {0x40};
    const atls_buf pieces[] = {
        {context, sizeof context}, atls_writer_done(&before_header),  cose->protected_header,
        {no_aad, sizeof no_aad},   atls_writer_done(&before_payload), cose->payload};
    return atls_public_key_verify_rs(
        key, algorithms[cose->alg].hash, pieces, sizeof pieces / sizeof *pieces,
        (atls_buf){cose->signature.ptr, size}, (atls_buf){cose->signature.ptr + size, size});
}

atls_code atls_cose_key_parse(atls_buf bytes, const char *check, atls_public_key **out,
                              atls_err *err)
{
    static const atls_key_kind curves[CURVES] = {ATLS_KEY_P256, ATLS_KEY_P384, ATLS_KEY_P521};
    static const size_t sizes[CURVES] = {32, 48, 66};
    ATLS_TRY(atls_cbor_document_check(bytes, check, err));
    atls_reader r = atls_reader_of(bytes);
    atls_cbor_item map;
    atls_cbor_item label;
    atls_cbor_item value;
    uint64_t kty = 0;
    uint64_t curve = 0;
    atls_buf xy[2] = {{NULL, 0}, {NULL, 0}};
    bool ok = atls_cbor_any(&r, &map) && map.kind == ATLS_CBOR_MAP && map.value == 4;
    for (uint64_t i = 0; ok && i < 4; i++) {
        ok = atls_cbor_any(&r, &label) && atls_cbor_any(&r, &value);
        if (ok && label.kind == ATLS_CBOR_UINT && label.value == 1 &&
            value.kind == ATLS_CBOR_UINT) {
            kty = value.value;
        } else if (ok && label.kind == ATLS_CBOR_NEGATIVE && label.value == 0 &&
                   value.kind == ATLS_CBOR_UINT) {
            curve = value.value;
        } else if (ok && label.kind == ATLS_CBOR_NEGATIVE &&
                   (label.value == 1 || label.value == COORDINATE_X) &&
                   value.kind == ATLS_CBOR_BYTES) {
            xy[label.value - 1] = value.bytes;
        } else {
            ok = false;
        }
    }
    if (!ok || kty != KTY_EC2 || curve < 1 || curve > CURVES || xy[0].len != sizes[curve - 1] ||
        xy[1].len != sizes[curve - 1]) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "no COSE_Key of kty, crv, x and y");
    }
    return atls_public_key_ec(curves[curve - 1], xy[0], xy[1], out, err);
}
