#include "net/response_status.h"

#include <stdio.h>

#include "base/err.h"
#include "base/hex.h"

#define ORIGIN_SHOWN 60 /* characters of its name, so that the sentence behind it fits */

void atls_item_text(const atls_item_name *name, char out[ATLS_ITEM_TEXT_LEN])
{
    const char *tee = name->is_tdx ? "tdx" : "sgx";
    const char *product = atls_amd_product_name(name->product);
    char hex[2 * sizeof name->qeid + 1];
    switch (name->kind) {
    case ATLS_ITEM_TCB_INFO:
        atls_hex_encode((atls_buf){name->fmspc, sizeof name->fmspc}, hex);
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "TCB info (%s) of FMSPC %s", tee, hex);
        return;
    case ATLS_ITEM_QE_IDENTITY:
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "QE identity (%s)", tee);
        return;
    case ATLS_ITEM_PCK_CRL:
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "PCK CRL (%s)",
                       name->is_processor ? "processor" : "platform");
        return;
    case ATLS_ITEM_ROOT_CRL:
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "CRL of Intel's root");
        return;
    case ATLS_ITEM_PCK_CERT:
        atls_hex_encode((atls_buf){name->qeid, sizeof name->qeid}, hex);
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "PCK certificate of QE id %s", hex);
        return;
    case ATLS_ITEM_VCEK:
        atls_hex_encode((atls_buf){name->hwid, 8}, hex);
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "VCEK of %s chip %s%s", product, hex,
                       name->hwid_len > 8 ? "..." : "");
        return;
    case ATLS_ITEM_AMD_CHAIN:
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "%s chain of %s", name->is_vlek ? "ASVK" : "ASK",
                       product);
        return;
    case ATLS_ITEM_AMD_CRL:
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "CRL (%s) of %s", name->is_vlek ? "vlek" : "vcek",
                       product);
        return;
    case ATLS_ITEM_JWKS:
        (void)snprintf(out, ATLS_ITEM_TEXT_LEN, "JWK set of %.80s", name->issuer);
        return;
    case ATLS_ITEM_KINDS:
        break;
    }
    out[0] = '\0';
}

/* Why an origin may not have it. */
static const char *absence(const atls_origin *origin, const atls_item_name *name, long status)
{
    if (status == 410) {
        return "this tcbEvaluationDataNumber is over: ask for a newer one";
    }
    if (status == 461) {
        return "this PCCS does not know the platform: register it there";
    }
    if (status == 462) {
        return "this PCCS has no PCK certificate for the platform's TCB: register it anew";
    }
    switch (name->kind) {
    case ATLS_ITEM_TCB_INFO:
        return name->channel == ATLS_CHANNEL_NUMBER ? "is there data of this number?"
               : origin->kind == ATLS_ORIGIN_PCCS
                   ? "Intel or this PCCS knows no such platform: is it pre-production, or the "
                     "PCCS offline?"
                   : "Intel knows no such platform: is it pre-production?";
    case ATLS_ITEM_VCEK:
        return "AMD knows no such chip at this TCB: is its id masked, or is it pre-production?";
    case ATLS_ITEM_PCK_CERT:
        return "the service does not know the platform: register it there";
    case ATLS_ITEM_QE_IDENTITY:
    case ATLS_ITEM_PCK_CRL:
    case ATLS_ITEM_ROOT_CRL:
    case ATLS_ITEM_AMD_CHAIN:
    case ATLS_ITEM_AMD_CRL:
    case ATLS_ITEM_JWKS:
    case ATLS_ITEM_KINDS:
        break;
    }
    return "is the origin's address, with its path, the right one?";
}

static const char *throttled(const atls_origin *origin)
{
    return origin->kind == ATLS_ORIGIN_AMD
               ? "AMD's KDS takes one request per 10 s from an address; put `atls collateral "
                 "serve` between"
               : "too many requests; put `atls collateral serve` between, so that one asks for all";
}

static const char *denied(const atls_origin *origin)
{
    return origin->is_pcs || origin->kind == ATLS_ORIGIN_INTEL
               ? "is the API key (option api-key) there and right?"
               : "it wants to know who asks: is the origin's address right, or a proxy between?";
}

#define REFUSE(check, text)                                                                        \
    ATLS_ERR(err, ATLS_E_COLLATERAL, (check), "%.*s answers %ld for %s: %s", ORIGIN_SHOWN,         \
             origin->name, status, what, (text))

atls_code atls_response_refuse(const atls_origin *origin, const atls_item_name *name, long status,
                               atls_response_hint *hint, atls_err *err)
{
    char what[ATLS_ITEM_TEXT_LEN];
    *hint = (atls_response_hint){0};
    atls_item_text(name, what);
    if (status == 404 || status == 410 || status == 461 || status == 462) {
        hint->absent = true;
        return REFUSE("fetch.absent", absence(origin, name, status));
    }
    if (status == 429) {
        hint->unreachable = true;
        return REFUSE("fetch.throttled", throttled(origin));
    }
    if (status == 0) {
        hint->unreachable = true;
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "fetch.no_answer", "%.*s gave no answer for %s",
                        ORIGIN_SHOWN, origin->name, what);
    }
    if (status == 408 || (status >= 500 && status <= 599)) {
        hint->unreachable = true;
        return REFUSE(
            "fetch.server",
            status == 502 && origin->kind == ATLS_ORIGIN_PCCS
                ? "this PCCS cannot reach Intel: see its log; it may work later"
                : "it has trouble of its own: it may work later, or name a second origin");
    }
    if (status == 401 || status == 403 || status == 407) {
        return REFUSE("fetch.denied", denied(origin));
    }
    if (status >= 300 && status <= 399) {
        return REFUSE("fetch.redirect",
                      "it points elsewhere, and nobody goes there: only configured origins are "
                      "asked; if it has moved, name its new address");
    }
    return REFUSE("fetch.status", "is it a service of that kind (intel=, pccs=, amd=), version 4?");
}
