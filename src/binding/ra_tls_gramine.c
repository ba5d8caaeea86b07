/* ra_tls_gramine.c: certificates of Gramine's RA-TLS library, of today and of the years before: a second quote over the key
 * alone, under an OID of its own. */
#include "binding/ra_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/intel_quote.h"

#define QUOTE_MAX 8192 /* the peer's buffer */

/* --- reading --- */

static atls_code read_legacy(const atls_carrier *c, atls_buf quote,
                             const atls_binding_option *options, size_t options_n,
                             atls_carried *out, atls_err *err)
{
    uint8_t digest[32];
    atls_intel_quote q;
    ATLS_TRY(atls_intel_quote_look(quote, &q, err));
    if (q.is_tdx) {
        return ATLS_ERR(err, ATLS_E_INVALID, "carried.quote",
                        "a quote of TDX under Gramine's OID, which is for SGX");
    }
    ATLS_TRY(atls_digest(ATLS_SHA256, &c->spki, 1, digest, err));
    return atls_ra_tls_carry_bare(quote, false, (atls_buf){digest, sizeof digest}, options,
                                  options_n, out, err);
}

static atls_code read_certificate(const atls_carrier *c, const atls_binding_option *options,
                                  size_t options_n, atls_carried *out, bool *found, atls_err *err)
{
    atls_buf value;
    bool there = false;
    ATLS_TRY(atls_ra_tls_read(c, options, options_n, out, &there, err));
    if (!there) {
        ATLS_TRY(atls_ra_tls_extension(c, ATLS_RA_TLS_GRAMINE, out, &value, &there, err));
        if (there) {
            ATLS_TRY(read_legacy(c, value, options, options_n, out, err));
        }
    }
    *found = there;
    return ATLS_OK;
}

/* --- making --- */

static atls_code check_key(EVP_PKEY *key, atls_err *err)
{
    char group[32] = "";
    size_t len = 0;
    bool ok = EVP_PKEY_is_a(key, "EC") == 1 &&
              EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
              (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0 ||
               strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0);
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_USAGE, "ra_tls.key",
                         "a key that is not on P-384 or P-256, where Gramine takes no other");
}

static atls_code check_evidence(const atls_link *link, atls_err *err)
{
    const atls_buf quote = atls_link_part(link, "quote");
    if (strcmp(link->evidence.type, "sgx") != 0 || quote.len == 0 || quote.len > QUOTE_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "ra_tls.evidence",
                        "evidence of type %s and %zu bytes, where Gramine takes sgx of at most %d",
                        link->evidence.type, quote.len, QUOTE_MAX);
    }
    return ATLS_OK;
}

static atls_code want_first(atls_link *link, atls_err *err)
{
    atls_ra_tls_state *s = link->state;
    ATLS_TRY(check_key(link->key, err));
    memset(&link->wanted, 0, sizeof link->wanted);
    ATLS_TRY(atls_digest(ATLS_SHA256, &link->spki, 1, link->wanted.wide, err));
    s->asked = 1;
    return ATLS_OK;
}

static atls_code keep_first(atls_link *link, atls_err *err)
{
    atls_ra_tls_state *s = link->state;
    ATLS_TRY(check_evidence(link, err));
    const atls_buf quote = atls_link_part(link, "quote");
    s->first = malloc(quote.len);
    if (s->first == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(s->first, quote.ptr, quote.len);
    s->first_len = quote.len;
    atls_link_drop_evidence(link);
    return atls_ra_tls_want(link, err);
}

static atls_code make(atls_link *link, atls_err *err)
{
    const atls_ra_tls_state *s = link->state;
    uint8_t *tagged = NULL;
    size_t len = 0;
    ATLS_TRY(check_evidence(link, err));
    ATLS_TRY(atls_ra_tls_tagged(link, &tagged, &len, err));
    atls_ra_tls_plan plan = {
        .common_name = "RATLS",
        .country = "US",
        .extensions = {{atls_ra_tls_oids[ATLS_RA_TLS_GRAMINE], {s->first, s->first_len}},
                       {atls_ra_tls_oids[ATLS_RA_TLS_TCG], {tagged, len}}},
        .extensions_n = 2,
    };
    atls_code rc = atls_ra_tls_certify(link, &plan, err);
    free(tagged);
    return rc;
}

/* Two quotes: over the key, and over the claims. */
static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    const atls_ra_tls_state *s = link->state;
    if (!link->has_evidence) {
        ATLS_TRY(want_first(link, err));
        *next = ATLS_STEP_EVIDENCE;
    } else if (s->asked == 1) {
        ATLS_TRY(keep_first(link, err));
        *next = ATLS_STEP_EVIDENCE;
    } else {
        ATLS_TRY(make(link, err));
        *next = ATLS_STEP_DONE;
    }
    return ATLS_OK;
}

const atls_binding atls_binding_ra_tls_gramine = {
    .name = "ra-tls-gramine",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = ATLS_BINDING_LINE_KEY,
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .tls12 = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .options = {"nonce", "validity", "claims"},
    .critical = atls_ra_tls_oids,
    .critical_n = ATLS_RA_TLS_OIDS,
    .state_size = sizeof(atls_ra_tls_state),
    .context = atls_ra_tls_context,
    .show = show,
    .exchange = atls_certificate_exchange,
    .end = atls_ra_tls_end,
    .read_certificate = read_certificate,
};
