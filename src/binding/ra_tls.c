/* ra_tls.c: interoperable RA-TLS as RATS-TLS, librats, Gramine and Intel's SGX SDK speak it: tagged evidence in the
 * certificate. */
#include "binding/ra_tls.h"

#include <stdlib.h>

#include "base/err.h"

atls_code atls_ra_tls_read(const atls_carrier *c, const atls_binding_option *options,
                           size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    atls_buf value;
    bool there = false;
    ATLS_TRY(atls_ra_tls_extension(c, ATLS_RA_TLS_TCG, out, &value, &there, err));
    if (there) {
        ATLS_TRY(atls_ra_tls_carry(c, value, options, options_n, out, err));
    }
    *found = there;
    return ATLS_OK;
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    if (!link->has_evidence) {
        ATLS_TRY(atls_ra_tls_want(link, err));
        *next = ATLS_STEP_EVIDENCE;
        return ATLS_OK;
    }
    uint8_t *tagged = NULL;
    size_t len = 0;
    ATLS_TRY(atls_ra_tls_tagged(link, &tagged, &len, err));
    atls_ra_tls_plan plan = {
        .common_name = "RATS-TLS",
        .extensions = {{atls_ra_tls_oids[ATLS_RA_TLS_TCG], {tagged, len}}},
        .extensions_n = 1,
    };
    atls_code rc = atls_ra_tls_certify(link, &plan, err);
    free(tagged);
    ATLS_TRY(rc);
    *next = ATLS_STEP_DONE;
    return ATLS_OK;
}

const atls_binding atls_binding_ra_tls = {
    .name = "ra-tls",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = ATLS_BINDING_LINE_KEY,
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .tls12 = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .options = {"hash", "nonce", "validity", "claims", "endorsements", "old_tag"},
    .critical = atls_ra_tls_oids,
    .critical_n = ATLS_RA_TLS_OIDS,
    .state_size = sizeof(atls_ra_tls_state),
    .context = atls_ra_tls_context,
    .show = show,
    .exchange = atls_certificate_exchange,
    .end = atls_ra_tls_end,
    .read_certificate = atls_ra_tls_read,
};
