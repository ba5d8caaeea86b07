/* ra_tls_sdk.c: certificates of attested TLS in Intel's SGX SDK: the quote under an OID of its own, and the same in tagged
 * evidence. */
#include "binding/ra_tls.h"

#include <stdlib.h>

#include "base/err.h"
#include "binding/intel_quote.h"
#include "binding/spki_pem.h"

/* Older certificates have the quote alone, over the key's PEM text with its NUL. */
static atls_code read_bare(const atls_carrier *c, atls_buf quote,
                           const atls_binding_option *options, size_t options_n, atls_carried *out,
                           atls_err *err)
{
    uint8_t digest[ATLS_HASH_MAX];
    atls_intel_quote q;
    ATLS_TRY(atls_intel_quote_look(quote, &q, err));
    const atls_hash hash = q.is_tdx ? ATLS_SHA384 : ATLS_SHA256;
    ATLS_TRY(atls_spki_pem_digest(hash, c->spki, digest, err));
    return atls_ra_tls_carry_bare(quote, q.is_tdx, (atls_buf){digest, atls_hash_len(hash)}, options,
                                  options_n, out, err);
}

static atls_code read_certificate(const atls_carrier *c, const atls_binding_option *options,
                                  size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    atls_buf value;
    bool there = false;
    ATLS_TRY(atls_ra_tls_read(c, options, options_n, out, &there, err));
    if (!there) {
        ATLS_TRY(atls_ra_tls_extension(c, ATLS_RA_TLS_SDK, out, &value, &there, err));
        if (there) {
            ATLS_TRY(read_bare(c, value, options, options_n, out, err));
        }
    }
    *found = there;
    return ATLS_OK;
}

static atls_code make(atls_link *link, atls_err *err)
{
    uint8_t *tagged = NULL;
    size_t len = 0;
    const atls_buf quote = atls_link_part(link, "quote");
    if (quote.len == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "ra_tls.evidence",
                        "evidence of type %s, where Intel's SDK takes sgx and tdx",
                        link->evidence.type);
    }
    ATLS_TRY(atls_ra_tls_tagged(link, &tagged, &len, err));
    atls_ra_tls_plan plan = {
        .common_name = "RATS-TLS",
        .extensions = {{atls_ra_tls_oids[ATLS_RA_TLS_SDK], quote},
                       {atls_ra_tls_oids[ATLS_RA_TLS_TCG], {tagged, len}}},
        .extensions_n = 2,
    };
    atls_code rc = atls_ra_tls_certify(link, &plan, err);
    free(tagged);
    return rc;
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    if (!link->has_evidence) {
        ATLS_TRY(atls_ra_tls_want(link, err));
        *next = ATLS_STEP_EVIDENCE;
        return ATLS_OK;
    }
    ATLS_TRY(make(link, err));
    *next = ATLS_STEP_DONE;
    return ATLS_OK;
}

const atls_binding atls_binding_ra_tls_sdk = {
    .name = "ra-tls-sdk",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = ATLS_BINDING_LINE_KEY,
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .tls12 = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .options = {"hash", "nonce", "validity", "claims", "endorsements"},
    .critical = atls_ra_tls_oids,
    .critical_n = ATLS_RA_TLS_OIDS,
    .state_size = sizeof(atls_ra_tls_state),
    .context = atls_ra_tls_context,
    .show = show,
    .exchange = atls_certificate_exchange,
    .end = atls_ra_tls_end,
    .read_certificate = read_certificate,
};
