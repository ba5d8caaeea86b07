#include "binding/nonce_certificate.h"

#include "base/err.h"
#include "crypto/x509_field.h"

#define HALF_LIFE_S ((int64_t)2 * 3600)

static atls_code judge_peer(atls_link *link, const atls_nonces *n, const atls_carrier *c,
                            atls_nonce_reader read, atls_err *err)
{
    if (!link->peer_by_pki) {
        ATLS_TRY(atls_carrier_check(c, link->when_s, NULL, 0, err));
    }
    return read(link, c, n->own, err);
}

atls_code atls_nonce_exchange(atls_link *link, const atls_nonces *n, atls_nonce_reader read,
                              atls_step *next, atls_err *err)
{
    *next = ATLS_STEP_DONE;
    if (!link->asks || link->verdict != NULL) {
        return ATLS_OK;
    }
    if (SSL_session_reused(link->ssl) != 0) {
        return ATLS_ERR(err, ATLS_E_BINDING, "nonce.resumed",
                        "a resumed session shows no evidence of now");
    }
    if (!n->has_own) {
        return ATLS_ERR(err, ATLS_E_BINDING, "nonce.missing",
                        "no nonce of ours was sent in this handshake");
    }
    if (link->peer == NULL || link->peer_der.len == 0) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the peer shows no certificate, and so no evidence");
    }
    atls_carrier c;
    ATLS_TRY(atls_carrier_of(link->peer, link->peer_der, &c, err));
    atls_code rc = judge_peer(link, n, &c, read, err);
    atls_carrier_clear(&c);
    *next = rc == ATLS_OK ? ATLS_STEP_JUDGE : ATLS_STEP_DONE;
    return rc;
}

const void *atls_nonce_extension(const atls_carrier *c, atls_nonce_takes takes, const void *arg,
                                 atls_buf *value)
{
    const int n = X509_get_ext_count(c->x509);
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *ext = X509_get_ext(c->x509, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
        const void *taken = takes((atls_buf){OBJ_get0_data(oid), OBJ_length(oid)}, arg);
        if (taken != NULL) {
            *value = atls_asn1_bytes(X509_EXTENSION_get_data(ext));
            return taken;
        }
    }
    return NULL;
}

atls_code atls_nonce_certificate_make(atls_link *link, const char *common_name, atls_buf oid,
                                      atls_buf value, atls_err *err)
{
    const atls_certificate_extension extension = {oid, value};
    const atls_certificate_plan plan = {.common_name = common_name,
                                        .printable = true,
                                        .not_before_s = link->when_s - HALF_LIFE_S,
                                        .not_after_s = link->when_s + HALF_LIFE_S,
                                        .random_serial = true,
                                        .extensions = &extension,
                                        .extensions_n = oid.len > 0 ? 1 : 0,
                                        .blank = link->blank};
    X509 *made = NULL;
    link->blank = NULL;
    ATLS_TRY(atls_certificate_make(&plan, link->key, &made, err));
    link->made = made;
    return ATLS_OK;
}
