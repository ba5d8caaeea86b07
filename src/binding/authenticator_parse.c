/* Reading an authenticator: everything that needs no key of the connection. */
#include <string.h>

#include "base/err.h"
#include "base/reader.h"
#include "binding/authenticator_wire.h"
#include "crypto/leaf.h"
#include "crypto/tls_signature.h"

typedef struct handshake_message {
    uint8_t type;
    atls_buf whole, body;
} handshake_message;

static bool next_message(atls_reader *r, handshake_message *out)
{
    const uint8_t *start = r->ptr;
    out->type = atls_reader_u8(r);
    uint32_t len = atls_reader_u24be(r);
    out->body = atls_reader_view(r, len);
    if (!atls_reader_ok(r)) {
        return false;
    }
    out->whole = (atls_buf){start, HS_HEADER + out->body.len};
    return true;
}

static atls_code malformed(atls_err *err, const char *what)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "authenticator.malformed", "%s", what);
}

/* The extensions of entry i: only cmw_attestation, once, for the leaf, and only if we asked for it. */
static atls_code read_entry_extensions(atls_buf block, size_t i, const atls_ea_request *request,
                                       uint16_t cmw_type, atls_ea *out, atls_err *err)
{
    atls_reader r = atls_reader_of(block);
    while (r.left > 0) {
        uint16_t type = atls_reader_u16be(&r);
        uint16_t len = atls_reader_u16be(&r);
        atls_reader data = atls_reader_sub(&r, len);
        if (!atls_reader_ok(&r)) {
            return malformed(err, "an extension does not fit into its certificate entry");
        }
        if (type != cmw_type || !request->wants_cmw) {
            return ATLS_ERR(err, ATLS_E_INVALID, "authenticator.extension",
                            "extension %u of entry %zu was not offered in the request",
                            (unsigned)type, i);
        }
        if (i != 0 || out->cmw.len != 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "authenticator.cmw_place",
                            "cmw_attestation %s, where it belongs to the leaf, once",
                            i != 0 ? "in a later entry" : "twice");
        }
        uint16_t cmw_len = atls_reader_u16be(&data);
        out->cmw = atls_reader_view(&data, cmw_len);
        if (!atls_reader_end(&data) || cmw_len == 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "authenticator.cmw",
                            "the length inside cmw_attestation (%u) is not that of its %u bytes",
                            (unsigned)cmw_len, (unsigned)len);
        }
    }
    return ATLS_OK;
}

static atls_code read_entries(atls_reader *list, const atls_ea_request *request, uint16_t cmw_type,
                              atls_ea *out, atls_err *err)
{
    while (list->left > 0) {
        uint32_t len = atls_reader_u24be(list);
        atls_buf der = atls_reader_view(list, len);
        uint16_t extensions_len = atls_reader_u16be(list);
        atls_buf extensions = atls_reader_view(list, extensions_len);
        if (!atls_reader_ok(list)) {
            return malformed(err, "a certificate entry does not fit into its list");
        }
        if (out->chain_n == ATLS_EA_CHAIN_MAX || der.len == 0 || der.len > ATLS_LEAF_MAX) {
            return ATLS_ERR(
                err, ATLS_E_INVALID, "authenticator.chain",
                "entry %zu has %zu bytes, where %d entries of 1 to %d bytes are allowed",
                out->chain_n, der.len, ATLS_EA_CHAIN_MAX, ATLS_LEAF_MAX);
        }
        ATLS_TRY(read_entry_extensions(extensions, out->chain_n, request, cmw_type, out, err));
        out->chain[out->chain_n++] = der;
    }
    return out->chain_n > 0 ? ATLS_OK
                            : ATLS_ERR(err, ATLS_E_INVALID, "authenticator.chain",
                                       "a certificate message without certificates");
}

static atls_code read_certificate(atls_buf body, const atls_ea_request *request, uint16_t cmw_type,
                                  atls_ea *out, atls_err *err)
{
    atls_reader r = atls_reader_of(body);
    uint8_t context_len = atls_reader_u8(&r);
    atls_buf context = atls_reader_view(&r, context_len);
    uint32_t list_len = atls_reader_u24be(&r);
    atls_reader list = atls_reader_sub(&r, list_len);
    if (!atls_reader_end(&r)) {
        return malformed(err, "context and list do not fill the certificate message exactly");
    }
    if (!atls_equal(context, request->context)) {
        return ATLS_ERR(err, ATLS_E_BINDING, "authenticator.context",
                        "the context is not the one of our request");
    }
    return read_entries(&list, request, cmw_type, out, err);
}

static atls_code read_certificate_verify(atls_buf body, const atls_ea_request *request,
                                         atls_ea *out, atls_err *err)
{
    atls_reader r = atls_reader_of(body);
    out->scheme = atls_reader_u16be(&r);
    uint16_t len = atls_reader_u16be(&r);
    out->signature = atls_reader_view(&r, len);
    if (!atls_reader_end(&r) || len == 0 || len > ATLS_TLS_SIGNATURE_MAX) {
        return malformed(err, "the signature does not fill its message exactly, or is too long");
    }
    bool offered = false;
    for (size_t i = 0; i < request->schemes_n; i++) {
        offered = offered || request->schemes[i] == out->scheme;
    }
    if (!offered) {
        return ATLS_ERR(err, ATLS_E_INVALID, "authenticator.scheme",
                        "signature scheme 0x%04x was not offered in the request",
                        (unsigned)out->scheme);
    }
    ATLS_TRY(atls_leaf_spki(out->chain[0], &out->spki, err));
    return atls_leaf_fits(out->spki, out->scheme)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "authenticator.scheme",
                          "signature scheme 0x%04x does not fit the key of the leaf",
                          (unsigned)out->scheme);
}

static bool is_finished(const handshake_message *m)
{
    return m->type == HS_FINISHED && (m->body.len == 32 || m->body.len == 48);
}

atls_code atls_ea_parse(atls_buf bytes, const atls_ea_request *request, uint16_t cmw_type,
                        atls_ea *out, atls_err *err)
{
    if (bytes.len > ATLS_EA_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "authenticator.size",
                        "the authenticator has %zu bytes, where %d are allowed", bytes.len,
                        ATLS_EA_MAX);
    }
    atls_reader r = atls_reader_of(bytes);
    atls_ea ea = {0};
    handshake_message m[3] = {{0}};
    if (!next_message(&r, &m[0])) {
        return malformed(err, "the first message is longer than the authenticator");
    }
    if (atls_reader_end(&r) && is_finished(&m[0])) {
        ea.empty = true;
        ea.finished = m[0].whole;
        *out = ea;
        return ATLS_OK;
    }
    if (!next_message(&r, &m[1]) || !next_message(&r, &m[2]) || !atls_reader_end(&r) ||
        m[0].type != HS_CERTIFICATE || m[1].type != HS_CERTIFICATE_VERIFY || !is_finished(&m[2])) {
        return malformed(err, "not Certificate, CertificateVerify and Finished, and nothing more");
    }
    ea.certificate = m[0].whole;
    ea.certificate_verify = m[1].whole;
    ea.finished = m[2].whole;
    ATLS_TRY(read_certificate(m[0].body, request, cmw_type, &ea, err));
    ATLS_TRY(read_certificate_verify(m[1].body, request, &ea, err));
    *out = ea;
    return ATLS_OK;
}
