/* The two proofs of an authenticator: Finished (it belongs to this connection and this request), and then
 * CertificateVerify (its sender holds the key of the leaf). */
#include "base/err.h"
#include "base/reader.h"
#include "binding/authenticator_wire.h"
#include "crypto/leaf.h"
#include "crypto/tls_signature.h"

static atls_code verify_finished(const atls_ea_keys *keys, const atls_ea_request *request,
                                 const atls_ea *ea, const atls_transcript *transcript,
                                 atls_err *err)
{
    uint8_t mac[48];
    ATLS_TRY(atls_ea_finished(keys, request, transcript, mac, err));
    atls_reader r = atls_reader_of(ea->finished);
    (void)atls_reader_view(&r, HS_HEADER);
    if (!atls_equal(atls_reader_rest(&r), (atls_buf){mac, atls_hash_len(keys->hash)})) {
        return ATLS_ERR(err, ATLS_E_BINDING, "authenticator.finished",
                        "the MAC is not that of this connection and request");
    }
    return ATLS_OK;
}

/* A key that TLS has decoded already need not be decoded again. */
static bool is_signed(const atls_ea *ea, atls_buf message)
{
    return ea->key != NULL ? atls_tls_verify(ea->scheme, ea->key, message, ea->signature)
                           : atls_leaf_verify(ea->spki, ea->scheme, message, ea->signature);
}

static atls_code verify_proofs(const atls_ea_keys *keys, const atls_ea_request *request,
                               const atls_ea *ea, atls_transcript *transcript, atls_err *err)
{
    uint8_t tbs[EA_TBS_MAX];
    size_t tbs_len = 0;
    ATLS_TRY(atls_ea_to_be_signed(transcript, tbs, &tbs_len, err));
    ATLS_TRY(atls_transcript_add(transcript, ea->certificate_verify, err));
    ATLS_TRY(verify_finished(keys, request, ea, transcript, err));
    if (ea->empty) {
        return ATLS_OK; /* says only that the peer has refused: the caller looks at ea->empty */
    }
    return is_signed(ea, (atls_buf){tbs, tbs_len})
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_BINDING, "authenticator.signature",
                          "the signature is not one of the leaf's key over this request");
}

atls_code atls_ea_verify(const atls_ea_keys *keys, const atls_ea_request *request,
                         const atls_ea *ea, atls_err *err)
{
    uint8_t cert0[EA_CERT0_MAX];
    const atls_buf certificate =
        ea->empty ? atls_ea_empty_certificate(request->context, cert0) : ea->certificate;
    atls_transcript transcript = {0};
    ATLS_TRY(atls_ea_transcript(keys, request, certificate, &transcript, err));
    atls_code rc = verify_proofs(keys, request, ea, &transcript, err);
    atls_transcript_clear(&transcript);
    return rc;
}
