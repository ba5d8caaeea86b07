/* The authenticator request (RFC 9261, section 4): building ours, reading the peer's. */
#include "binding/authenticator.h"

#include "base/err.h"
#include "base/reader.h"
#include "base/writer.h"
#include "binding/authenticator_wire.h"
#include "crypto/tls_signature.h"

#define EXT_SERVER_NAME          0
#define EXT_SIGNATURE_ALGORITHMS 13
#define EXTENSIONS_MAX           64 /* of a request */
#define CONTEXT_MIN              16 /* ours: enough for a peer that fills it at random */

static uint8_t request_type(atls_ea_sender answered_by)
{
    return answered_by == ATLS_EA_SERVER ? HS_CLIENT_CERTIFICATE_REQUEST : HS_CERTIFICATE_REQUEST;
}

atls_code atls_ea_request_build(atls_ea_sender answered_by, atls_buf context, bool wants_cmw,
                                uint16_t cmw_type, uint8_t *space, size_t cap, atls_buf *raw,
                                atls_err *err)
{
    static const uint16_t offered[] = {ATLS_TLS_ECDSA_SECP256R1_SHA256,
                                       ATLS_TLS_ECDSA_SECP384R1_SHA384, ATLS_TLS_ED25519,
                                       ATLS_TLS_RSA_PSS_RSAE_SHA256};
    const size_t list = sizeof offered;
    if (context.len < CONTEXT_MIN || context.len > 255) {
        return ATLS_ERR(err, ATLS_E_USAGE, "request.context",
                        "a context of %zu bytes, where %d to 255 are wanted", context.len,
                        CONTEXT_MIN);
    }
    const size_t extensions = 4 + 2 + list + (wants_cmw ? 4 : 0);
    atls_writer w = atls_writer_of(space, cap);
    atls_writer_u8(&w, request_type(answered_by));
    atls_writer_u24be(&w, (uint32_t)(1 + context.len + 2 + extensions));
    atls_writer_u8(&w, (uint8_t)context.len);
    atls_writer_bytes(&w, context);
    atls_writer_u16be(&w, (uint16_t)extensions);
    atls_writer_u16be(&w, EXT_SIGNATURE_ALGORITHMS);
    atls_writer_u16be(&w, (uint16_t)(2 + list));
    atls_writer_u16be(&w, (uint16_t)list);
    for (size_t i = 0; i < sizeof offered / sizeof offered[0]; i++) {
        atls_writer_u16be(&w, offered[i]);
    }
    if (wants_cmw) {
        atls_writer_u16be(&w, cmw_type);
        atls_writer_u16be(&w, 0);
    }
    if (!atls_writer_ok(&w)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "request.space", "%zu bytes are too few for the request",
                        cap);
    }
    *raw = atls_writer_done(&w);
    return ATLS_OK;
}

/* Keeps the schemes we know, each once, in the peer's order. */
static bool read_schemes(atls_buf data, atls_ea_request *out)
{
    atls_reader r = atls_reader_of(data);
    uint16_t len = atls_reader_u16be(&r);
    if (!atls_reader_ok(&r) || len == 0 || len % 2 != 0 || len != r.left) {
        return false;
    }
    while (r.left > 0) {
        uint16_t scheme = atls_reader_u16be(&r);
        bool keep = atls_tls_scheme_known(scheme) && out->schemes_n < ATLS_EA_SCHEMES_MAX;
        for (size_t i = 0; i < out->schemes_n; i++) {
            keep = keep && out->schemes[i] != scheme;
        }
        if (keep) {
            out->schemes[out->schemes_n++] = scheme;
        }
    }
    return atls_reader_end(&r);
}

static atls_code read_extensions(atls_reader *r, uint16_t cmw_type, atls_ea_request *out,
                                 atls_err *err)
{
    uint16_t seen[EXTENSIONS_MAX];
    size_t n = 0;
    bool has_schemes = false;
    while (r->left > 0) {
        uint16_t type = atls_reader_u16be(r);
        uint16_t len = atls_reader_u16be(r);
        atls_buf data = atls_reader_view(r, len);
        if (!atls_reader_ok(r)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "request.malformed",
                            "an extension of the request does not fit into it");
        }
        bool repeated = n == EXTENSIONS_MAX;
        for (size_t i = 0; i < n; i++) {
            repeated = repeated || seen[i] == type;
        }
        if (repeated || (type == EXT_SERVER_NAME && out->answered_by == ATLS_EA_CLIENT)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "request.extension",
                            "extension %u twice, in the wrong request, or one of more than %d",
                            (unsigned)type, EXTENSIONS_MAX);
        }
        seen[n++] = type;
        if (type == EXT_SIGNATURE_ALGORITHMS) {
            has_schemes = read_schemes(data, out);
            if (!has_schemes) {
                break;
            }
        } else if (type == cmw_type) {
            if (data.len != 0) {
                return ATLS_ERR(
                    err, ATLS_E_INVALID, "request.cmw",
                    "cmw_attestation has %zu bytes in a request, where it must be empty", data.len);
            }
            out->wants_cmw = true;
        } /* RFC 9261, section 4: others are ignored */
    }
    if (!has_schemes || out->schemes_n == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "request.signature_algorithms",
                        "the request offers no signature scheme that we know");
    }
    return ATLS_OK;
}

atls_code atls_ea_request_parse(atls_buf raw, atls_ea_sender answered_by, uint16_t cmw_type,
                                atls_ea_request *out, atls_err *err)
{
    if (raw.len > ATLS_EA_REQUEST_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "request.size",
                        "the request has %zu bytes, where %d are allowed", raw.len,
                        ATLS_EA_REQUEST_MAX);
    }
    atls_reader r = atls_reader_of(raw);
    uint8_t type = atls_reader_u8(&r);
    uint32_t len = atls_reader_u24be(&r);
    if (!atls_reader_ok(&r) || len != r.left) {
        return ATLS_ERR(err, ATLS_E_INVALID, "request.malformed",
                        "the request's length is not that of its message");
    }
    if (type != request_type(answered_by)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "request.type",
                        "handshake message %u, where a request for this side is %u", (unsigned)type,
                        (unsigned)request_type(answered_by));
    }
    atls_ea_request q = {.raw = raw, .answered_by = answered_by};
    uint8_t context_len = atls_reader_u8(&r);
    q.context = atls_reader_view(&r, context_len);
    uint16_t extensions_len = atls_reader_u16be(&r);
    if (!atls_reader_ok(&r) || extensions_len != r.left) {
        return ATLS_ERR(err, ATLS_E_INVALID, "request.malformed",
                        "context and extensions do not fill the request exactly");
    }
    if (context_len < CONTEXT_MIN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "request.context",
                        "a context of %u bytes, where at least %d are wanted",
                        (unsigned)context_len, CONTEXT_MIN);
    }
    ATLS_TRY(read_extensions(&r, cmw_type, &q, err));
    *out = q;
    return ATLS_OK;
}
