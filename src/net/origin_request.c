/* Each item's URL: Intel's and the PCCS's paths of version 4, and those of AMD's KDS. A key has been read into numbers,
 * bytes and words of a list before anything of it stands here, so nothing of it can end its place. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "net/origin.h"
#include "trust/item.h"

/* What an answer may have at most. */
#define JSON_MAX  ((size_t)2 << 20)
#define CRL_MAX   (2 * ATLS_ITEM_BODY_MAX + 16) /* as hex: ATLS_RESPONSE_BODY_MAX */
#define CERTS_MAX ((size_t)64 << 10)

static const char root_crl_of_pcs[] =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

static bool serves(const atls_origin *origin, const atls_item_name *name)
{
    switch (name->kind) {
    case ATLS_ITEM_TCB_INFO:
    case ATLS_ITEM_QE_IDENTITY:
    case ATLS_ITEM_PCK_CRL:
    case ATLS_ITEM_ROOT_CRL:
        return origin->kind == ATLS_ORIGIN_INTEL || origin->kind == ATLS_ORIGIN_PCCS;
    case ATLS_ITEM_PCK_CERT: /* Intel's own service knows no QE id */
        return origin->kind == ATLS_ORIGIN_PCCS ||
               (origin->kind == ATLS_ORIGIN_INTEL && !origin->is_pcs);
    case ATLS_ITEM_VCEK:
    case ATLS_ITEM_AMD_CHAIN:
    case ATLS_ITEM_AMD_CRL:
        return origin->kind == ATLS_ORIGIN_AMD;
    case ATLS_ITEM_JWKS:
        return origin->kind == ATLS_ORIGIN_JWKS && strcmp(origin->issuer, name->issuer) == 0;
    case ATLS_ITEM_KINDS:
        break;
    }
    return false;
}

bool atls_origin_serves(const atls_origin *origin, const char *key)
{
    atls_item_name name;
    return atls_item_name_parse(key, &name, NULL) == ATLS_OK && serves(origin, &name);
}

/* --- a URL that is written piece by piece --- */

typedef struct url {
    char *text;
    size_t len, cap;
    bool failed;
} url;

static void put(url *u, const char *fmt, ...) ATLS_PRINTF(2, 3);
static void put(url *u, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(u->text + u->len, u->cap - u->len, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= u->cap - u->len) {
        u->failed = true;
        u->text[u->len] = '\0';
    } else {
        u->len += (size_t)n;
    }
}

static void put_hex(url *u, const uint8_t *bytes, size_t len)
{
    char hex[2 * 64 + 1];
    atls_hex_encode((atls_buf){bytes, len}, hex);
    put(u, "%s", hex);
}

/* --- Intel --- */

/* Which channel: standard is what a service gives without being asked, and old ones know nothing else. */
static bool put_channel(url *u, char separator, const atls_item_name *name, const char *standard)
{
    char *end = NULL;
    if (name->channel == ATLS_CHANNEL_EARLY ||
        (name->channel == ATLS_CHANNEL_STANDARD && strcmp(standard, "early") == 0)) {
        put(u, "%cupdate=early", separator);
        return true;
    }
    if (name->channel == ATLS_CHANNEL_NUMBER) {
        put(u, "%ctcbEvaluationDataNumber=%lu", separator, (unsigned long)name->number);
        return true;
    }
    if (strcmp(standard, "standard") == 0) {
        return true;
    }
    const unsigned long number = standard[0] >= '1' && standard[0] <= '9' && strlen(standard) < 10
                                     ? strtoul(standard, &end, 10)
                                     : 0;
    if (number == 0 || *end != '\0') {
        return false;
    }
    put(u, "%ctcbEvaluationDataNumber=%lu", separator, number);
    return true;
}

static void put_pck_cert(url *u, const atls_item_name *name)
{
    put(u, "/sgx/certification/v4/pckcert?qeid=");
    put_hex(u, name->qeid, sizeof name->qeid);
    put(u, "&cpusvn=");
    put_hex(u, name->cpusvn, sizeof name->cpusvn);
    put(u, "&pcesvn=");
    put_hex(u, name->pcesvn, sizeof name->pcesvn);
    put(u, "&pceid=");
    put_hex(u, name->pceid, sizeof name->pceid);
}

/* False: the channel is none. */
static bool put_intel(url *u, const atls_origin *origin, const atls_item_name *name,
                      const char *channel)
{
    const char *tee = name->is_tdx ? "tdx" : "sgx";
    if (name->kind == ATLS_ITEM_ROOT_CRL && origin->is_pcs) {
        put(u, "%s", root_crl_of_pcs);
        return true;
    }
    put(u, "%s", origin->base);
    if (name->kind == ATLS_ITEM_TCB_INFO) {
        put(u, "/%s/certification/v4/tcb?fmspc=", tee);
        put_hex(u, name->fmspc, sizeof name->fmspc);
        return put_channel(u, '&', name, channel);
    }
    if (name->kind == ATLS_ITEM_QE_IDENTITY) {
        put(u, "/%s/certification/v4/qe/identity", tee);
        return put_channel(u, '?', name, channel);
    }
    if (name->kind == ATLS_ITEM_PCK_CERT) {
        put_pck_cert(u, name);
    } else if (name->kind == ATLS_ITEM_PCK_CRL) {
        put(u, "/sgx/certification/v4/pckcrl?ca=%s&encoding=der",
            name->is_processor ? "processor" : "platform");
    } else {
        put(u, "/sgx/certification/v4/rootcacrl");
    }
    return true;
}

/* --- AMD --- */

static void put_vcek(url *u, const atls_item_name *name)
{
    const atls_snp_tcb tcb = atls_amd_tcb(name->tcb, name->product);
    put_hex(u, name->hwid, name->hwid_len);
    put(u, "?");
    if (tcb.has_fmc) {
        put(u, "fmcSPL=%02u&", (unsigned)tcb.fmc);
    }
    put(u, "blSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", (unsigned)tcb.bootloader,
        (unsigned)tcb.tee, (unsigned)tcb.snp, (unsigned)tcb.microcode);
}

static void put_amd(url *u, const atls_origin *origin, const atls_item_name *name)
{
    put(u, "%s/%s/v1/%s/", origin->base, name->is_vlek ? "vlek" : "vcek",
        atls_amd_product_name(name->product));
    if (name->kind == ATLS_ITEM_VCEK) {
        put_vcek(u, name);
    } else {
        put(u, "%s", name->kind == ATLS_ITEM_AMD_CHAIN ? "cert_chain" : "crl");
    }
}

static size_t body_max(atls_item_kind kind)
{
    switch (kind) {
    case ATLS_ITEM_PCK_CRL:
    case ATLS_ITEM_ROOT_CRL:
    case ATLS_ITEM_AMD_CRL:
        return CRL_MAX;
    case ATLS_ITEM_PCK_CERT:
    case ATLS_ITEM_VCEK:
    case ATLS_ITEM_AMD_CHAIN:
        return CERTS_MAX;
    case ATLS_ITEM_TCB_INFO:
    case ATLS_ITEM_QE_IDENTITY:
    case ATLS_ITEM_JWKS:
    case ATLS_ITEM_KINDS:
        break;
    }
    return JSON_MAX;
}

atls_code atls_origin_request(const atls_origin *origin, const char *key, const char *channel,
                              atls_http_request *out, atls_err *err)
{
    atls_item_name name;
    atls_http_request r = {{0}, 0, false};
    url u = {r.url, 0, sizeof r.url, false};
    bool is_channel = true;
    ATLS_TRY(atls_item_name_parse(key, &name, err));
    if (!serves(origin, &name)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "item.key", "%.100s has nothing of that kind",
                        origin->name);
    }
    if (origin->kind == ATLS_ORIGIN_JWKS) {
        put(&u, "%s", origin->base);
    } else if (origin->kind == ATLS_ORIGIN_AMD) {
        put_amd(&u, origin, &name);
    } else {
        is_channel = put_intel(&u, origin, &name, channel);
    }
    if (!is_channel || u.failed) {
        return ATLS_ERR(err, ATLS_E_USAGE, "item.key", "%s",
                        is_channel ? "the URL is too long"
                                   : "a channel is standard, early, or a tcbEvaluationDataNumber");
    }
    r.body_max = body_max(name.kind);
    r.needs_api_key = origin->kind == ATLS_ORIGIN_INTEL && name.kind == ATLS_ITEM_PCK_CERT;
    *out = r;
    return ATLS_OK;
}
