/* ra_tls_make.c: our evidence in a certificate. */
#include "binding/ra_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/ra_tls_options.h"
#include "binding/tcg_endorsements.h"

#define BACKDATED_S 300 /* clocks differ */

void atls_ra_tls_end(atls_link *link)
{
    atls_ra_tls_state *s = link->state;
    free(s->claims);
    free(s->first);
    memset(s, 0, sizeof *s);
}

atls_code atls_ra_tls_context(SSL_CTX *ctx, atls_role role, const atls_binding_option *options,
                              size_t options_n, atls_err *err)
{
    atls_ra_tls_options o;
    (void)ctx;
    (void)role;
    return atls_ra_tls_options_read(options, options_n, &o, err);
}

atls_code atls_ra_tls_want(atls_link *link, atls_err *err)
{
    atls_ra_tls_state *s = link->state;
    atls_ra_tls_options o;
    ATLS_TRY(atls_ra_tls_options_read(link->options, link->options_n, &o, err));
    s->hash = o.hash == ATLS_RA_TLS_SHA384 ? ATLS_SHA384 : ATLS_SHA256;
    free(s->claims);
    s->claims = NULL;
    ATLS_TRY(atls_tcg_claims_make(s->hash, link->spki, o.claims, o.claims_n, &s->claims,
                                  &s->claims_len, err));
    memset(&link->wanted, 0, sizeof link->wanted);
    ATLS_TRY(atls_tcg_report_data(s->hash, (atls_buf){s->claims, s->claims_len}, link->wanted.wide,
                                  err));
    s->asked++;
    return ATLS_OK;
}

atls_code atls_ra_tls_tagged(const atls_link *link, uint8_t **out, size_t *len, atls_err *err)
{
    const atls_ra_tls_state *s = link->state;
    const char *type = link->evidence.type;
    const bool is_intel = strcmp(type, "sgx") == 0 || strcmp(type, "tdx") == 0;
    const atls_buf evidence = atls_link_part(link, is_intel ? "quote" : "report");
    if ((!is_intel && strcmp(type, "snp") != 0) || evidence.len == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "ra_tls.evidence",
                        "evidence of type %s, where this dialect carries sgx, tdx and snp", type);
    }
    if (s->hash == ATLS_SHA384 && strcmp(type, "tdx") != 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "ra_tls.evidence",
                        "evidence of type %s with hash sha384, which peers know of tdx alone",
                        type);
    }
    return atls_tcg_make(is_intel ? ATLS_TCG_TAG_INTEL : ATLS_TCG_TAG_SNP, evidence,
                         (atls_buf){s->claims, s->claims_len}, out, len, err);
}

static atls_code make(atls_link *link, const atls_ra_tls_options *o, const atls_ra_tls_plan *plan,
                      atls_err *err)
{
    const atls_certificate_plan p = {
        .common_name = plan->common_name,
        .organization = "atls",
        .country = plan->country,
        .not_before_s = link->when_s - BACKDATED_S,
        .not_after_s = link->when_s + o->validity_s,
        .random_serial = true,
        .basic = true,
        .extensions = plan->extensions,
        .extensions_n = plan->extensions_n,
    };
    ATLS_TRY(atls_certificate_make(&p, link->key, &link->made, err));
    link->made_until_s = link->when_s + o->validity_s / 2;
    return ATLS_OK;
}

atls_code atls_ra_tls_certify(atls_link *link, atls_ra_tls_plan *plan, atls_err *err)
{
    atls_ra_tls_options o;
    ATLS_TRY(atls_ra_tls_options_read(link->options, link->options_n, &o, err));
    const atls_buf collateral = atls_link_part(link, "collateral");
    if (!o.endorsements || collateral.len == 0 || plan->extensions_n == ATLS_RA_TLS_EXTENSIONS) {
        return make(link, &o, plan, err);
    }
    uint8_t *endorsements = NULL;
    size_t len = 0;
    ATLS_TRY(atls_tcg_endorsements_make(collateral, &endorsements, &len, err));
    plan->extensions[plan->extensions_n++] = (atls_certificate_extension){
        atls_ra_tls_oids[ATLS_RA_TLS_ENDORSEMENTS], {endorsements, len}};
    atls_code rc = make(link, &o, plan, err);
    plan->extensions_n--;
    free(endorsements);
    return rc;
}
