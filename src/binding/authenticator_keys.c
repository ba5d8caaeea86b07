/* Keys, binder and transcripts of exported authenticators (RFC 9261, section 5). */
#include <string.h>

#include <openssl/crypto.h>

#include "base/err.h"
#include "base/writer.h"
#include "binding/authenticator_wire.h"

static bool hash_is_a_suite_s(atls_hash hash)
{
    return hash == ATLS_SHA256 || hash == ATLS_SHA384;
}

static atls_code export_secret(const atls_exporter *exporter, const char *label, atls_buf context,
                               uint8_t *out, size_t len, atls_err *err)
{
    if (!hash_is_a_suite_s(exporter->hash) ||
        !exporter->derive(exporter->self, label, context, out, len)) {
        OPENSSL_cleanse(out, len);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "exporter.derive",
                        "the TLS exporter gave nothing for '%s'", label);
    }
    return ATLS_OK;
}

atls_code atls_ea_keys_derive_of(const atls_exporter *exporter, atls_ea_sender sender,
                                 atls_ea_keys *out, atls_err *err)
{
    static const char *const context_labels[] = {
        [ATLS_EA_CLIENT] = "EXPORTER-client authenticator handshake context",
        [ATLS_EA_SERVER] = "EXPORTER-server authenticator handshake context"};
    static const char *const key_labels[] = {
        [ATLS_EA_CLIENT] = "EXPORTER-client authenticator finished key",
        [ATLS_EA_SERVER] = "EXPORTER-server authenticator finished key"};
    const atls_buf none = {NULL, 0};
    const size_t len = hash_is_a_suite_s(exporter->hash) ? atls_hash_len(exporter->hash) : 0;
    uint8_t context[48] = {0};
    uint8_t key[48] = {0};
    atls_code rc = export_secret(exporter, context_labels[sender], none, context, len, err);
    if (rc == ATLS_OK) {
        rc = export_secret(exporter, key_labels[sender], none, key, len, err);
    }
    if (rc == ATLS_OK) {
        out->hash = exporter->hash;
        memcpy(out->handshake_context[sender], context, sizeof context);
        memcpy(out->finished_key[sender], key, sizeof key);
    }
    OPENSSL_cleanse(context, sizeof context);
    OPENSSL_cleanse(key, sizeof key);
    return rc;
}

atls_code atls_ea_keys_derive(const atls_exporter *exporter, atls_ea_keys *out, atls_err *err)
{
    atls_ea_keys keys = {.hash = exporter->hash};
    atls_code rc = atls_ea_keys_derive_of(exporter, ATLS_EA_CLIENT, &keys, err);
    if (rc == ATLS_OK) {
        rc = atls_ea_keys_derive_of(exporter, ATLS_EA_SERVER, &keys, err);
    }
    if (rc == ATLS_OK) {
        *out = keys;
    }
    OPENSSL_cleanse(&keys, sizeof keys);
    return rc;
}

atls_code atls_ea_export(const atls_exporter *exporter, atls_buf context,
                         uint8_t out[ATLS_EA_EXPORTED_LEN], atls_err *err)
{
    return export_secret(exporter, "Attestation", context, out, ATLS_EA_EXPORTED_LEN, err);
}

atls_code atls_ea_binder_of(atls_hash hash, atls_buf spki,
                            const uint8_t exported[ATLS_EA_EXPORTED_LEN], uint8_t out[48],
                            atls_err *err)
{
    const atls_buf pieces[] = {spki, {exported, ATLS_EA_EXPORTED_LEN}};
    return atls_digest(hash, pieces, 2, out, err);
}

atls_code atls_ea_binder(const atls_exporter *exporter, atls_buf spki, atls_buf context,
                         uint8_t out[48], atls_err *err)
{
    uint8_t exported[ATLS_EA_EXPORTED_LEN];
    ATLS_TRY(atls_ea_export(exporter, context, exported, err));
    atls_code rc = atls_ea_binder_of(exporter->hash, spki, exported, out, err);
    OPENSSL_cleanse(exported, sizeof exported);
    return rc;
}

atls_code atls_ea_transcript(const atls_ea_keys *keys, const atls_ea_request *request,
                             atls_buf certificate, atls_transcript *out, atls_err *err)
{
    const atls_buf pieces[] = {
        {keys->handshake_context[request->answered_by], atls_hash_len(keys->hash)},
        request->raw,
        certificate};
    return atls_transcript_begin(keys->hash, pieces, 3, out, err);
}

atls_code atls_ea_to_be_signed(const atls_transcript *up_to_certificate, uint8_t out[EA_TBS_MAX],
                               size_t *len, atls_err *err)
{
    uint8_t hash[48];
    ATLS_TRY(atls_transcript_hash(up_to_certificate, hash, err));
    memset(out, 0x20, 64);
    atls_writer w = atls_writer_of(out + 64, EA_TBS_MAX - 64);
    atls_writer_text(&w, "Exported Authenticator");
    atls_writer_u8(&w, 0);
    atls_writer_bytes(&w, (atls_buf){hash, atls_hash_len(up_to_certificate->hash)});
    *len = 64 + atls_writer_done(&w).len;
    return ATLS_OK;
}

atls_code atls_ea_finished(const atls_ea_keys *keys, const atls_ea_request *request,
                           const atls_transcript *up_to_certificate_verify, uint8_t out[48],
                           atls_err *err)
{
    uint8_t hash[48];
    uint8_t mac[ATLS_HASH_MAX];
    const size_t len = atls_hash_len(keys->hash);
    ATLS_TRY(atls_transcript_hash(up_to_certificate_verify, hash, err));
    const atls_buf piece = {hash, len};
    const atls_buf key = {keys->finished_key[request->answered_by], len};
    ATLS_TRY(atls_hmac(keys->hash, key, &piece, 1, mac, err));
    memcpy(out, mac, len);
    OPENSSL_cleanse(mac, sizeof mac);
    return ATLS_OK;
}

atls_buf atls_ea_empty_certificate(atls_buf context, uint8_t out[EA_CERT0_MAX])
{
    atls_writer w = atls_writer_of(out, EA_CERT0_MAX);
    atls_writer_u8(&w, HS_CERTIFICATE);
    atls_writer_u24be(&w, (uint32_t)(1 + context.len + 3));
    atls_writer_u8(&w, (uint8_t)context.len);
    atls_writer_bytes(&w, context);
    atls_writer_u24be(&w, 0);
    return atls_writer_done(&w);
}
