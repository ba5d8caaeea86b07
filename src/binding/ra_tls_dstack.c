/* ra_tls_dstack.c: dstack's RA-TLS: the attestation of a dstack guest in an extension of the TLS certificate, over the
 * certificate's key. Its certificates usually come from its key server, which is a CA: then ordinary verification judges
 * signature, name and dates, and this the evidence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/err.h"
#include "base/hex.h"
#include "binding/certificate.h"
#include "binding/dstack_attestation.h"
#include "crypto/digest.h"

#define ARC 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01 /* 1.3.6.1.4.1.62397.1 */

#define VALIDITY_S     86400 /* unless the option says another */
#define VALIDITY_MIN_S 60
#define VALIDITY_MAX_S (10ll * 365 * 86400)
#define BACKDATED_S    300 /* clocks differ */
#define USAGE_MAX      64
#define APP_ID_LEN     20

static const uint8_t oid_quote[] = {ARC, 1};
static const uint8_t oid_event_log[] = {ARC, 2};
static const uint8_t oid_app_id[] = {ARC, 3};
static const uint8_t oid_usage[] = {ARC, 4};
static const uint8_t oid_attestation[] = {ARC, 8};
static const uint8_t oid_app_info[] = {ARC, 9};
static const atls_buf oids[] = {
    {oid_quote, sizeof oid_quote},
    {oid_event_log, sizeof oid_event_log},
    {oid_app_id, sizeof oid_app_id},
    {oid_usage, sizeof oid_usage},
    {oid_attestation, sizeof oid_attestation},
    {oid_app_info, sizeof oid_app_info},
};
enum { QUOTE, EVENT_LOG, APP_ID, USAGE, ATTESTATION };

/* What hardware signs for a key: SHA-512 of "ratls-cert:" and the key as it stands in the certificate. */
static atls_code report_data_of(atls_buf spki, uint8_t out[64], atls_err *err)
{
    static const char tag[] = "ratls-cert:";
    const atls_buf pieces[] = {{(const uint8_t *)tag, sizeof tag - 1}, spki};
    return atls_digest(ATLS_SHA512, pieces, 2, out, err);
}

/* --- reading --- */

typedef struct reading {
    const atls_carrier *certificate;
    const atls_binding_option *options;
    size_t options_n;
    uint8_t report_data[64];
    atls_carried *out;
    atls_err *err;
} reading;

/* The content of an extension: an OCTET STRING in that of the extension. *found false: it is not there. */
static atls_code extension(const reading *g, unsigned which, atls_buf *content, bool *found)
{
    atls_buf value;
    *content = (atls_buf){NULL, 0};
    *found = atls_carrier_extension(g->certificate, oids[which], &value, NULL);
    if (*found && !atls_der_octets(value, content)) {
        return ATLS_ERR(g->err, ATLS_E_INVALID, "dstack.extension",
                        "extension 1.3.6.1.4.1.62397.1.%u holds %zu bytes that are no OCTET STRING",
                        (unsigned)oids[which].ptr[oids[which].len - 1], value.len);
    }
    return ATLS_OK;
}

/* The application's name: what the certificate says, and what was asked for, is what the guest measured. */
static atls_code check_app_id(const reading *g, const atls_dstack_attestation *a)
{
    static const char check[] = "dstack.app_id";
    const char *option = atls_binding_option_of(g->options, g->options_n, "app-id", NULL);
    uint8_t wanted[APP_ID_LEN];
    size_t len = 0;
    atls_buf stated;
    atls_buf measured = {NULL, 0};
    bool is_stated = false;
    ATLS_TRY(extension(g, APP_ID, &stated, &is_stated));
    if (option != NULL && (!atls_hex_decode(option, strlen(option), wanted, sizeof wanted, &len) ||
                           len != sizeof wanted)) {
        return ATLS_ERR(g->err, ATLS_E_USAGE, check, "the option app-id is not 40 hex digits");
    }
    const bool has_events = a->platform == ATLS_DSTACK_TDX || a->platform == ATLS_DSTACK_GCP_TDX;
    if (option != NULL && !has_events) {
        return ATLS_ERR(g->err, ATLS_E_POLICY, check,
                        "an app id is wanted, and evidence of this platform proves none: ask for "
                        "its measurements by policy");
    }
    if (!has_events || (option == NULL && !is_stated)) {
        return ATLS_OK;
    }
    if (!atls_dstack_system_event(a, "app-id", &measured)) {
        return ATLS_ERR(g->err, ATLS_E_INVALID, check,
                        "the guest's log has not one event \"app-id\" in front of "
                        "\"system-ready\" and none behind it");
    }
    if (is_stated && !atls_equal(stated, measured)) {
        return ATLS_ERR(g->err, ATLS_E_INVALID, check,
                        "the certificate names another app id than the guest measured");
    }
    return option == NULL || atls_equal((atls_buf){wanted, sizeof wanted}, measured)
               ? ATLS_OK
               : ATLS_ERR(g->err, ATLS_E_POLICY, check,
                          "the guest measured another app id than was asked for");
}

/* A dstack guest measures its own start: RTMR 3 must replay from these events, or the evidence is refused when it is judged.
 * Without any there would be nothing to replay. */
static atls_code check_has_events(const reading *g, const atls_dstack_attestation *a)
{
    return a->runtime_n > 0 ||
                   (a->platform != ATLS_DSTACK_TDX && a->platform != ATLS_DSTACK_GCP_TDX)
               ? ATLS_OK
               : ATLS_ERR(g->err, ATLS_E_INVALID, "dstack.runtime_events",
                          "evidence of a TD without one runtime event of dstack's, which every "
                          "dstack guest has");
}

static atls_code check_usage(const reading *g)
{
    const char *wanted = atls_binding_option_of(g->options, g->options_n, "usage", NULL);
    char text[USAGE_MAX + 1] = "";
    atls_buf usage;
    bool found = false;
    ATLS_TRY(extension(g, USAGE, &usage, &found));
    if (wanted == NULL ||
        (found && atls_equal(usage, (atls_buf){(const uint8_t *)wanted, strlen(wanted)}))) {
        return ATLS_OK;
    }
    for (size_t i = 0; i < usage.len && i < USAGE_MAX; i++) {
        text[i] = usage.ptr[i] >= ' ' && usage.ptr[i] <= '~' ? (char)usage.ptr[i] : '?';
    }
    return ATLS_ERR(g->err, ATLS_E_POLICY, "dstack.usage",
                    "the certificate is for \"%s\", where \"%.64s\" is wanted",
                    found ? text : "no stated use", wanted);
}

static atls_code read_attestation(const reading *g, atls_buf bytes)
{
    atls_dstack_attestation a;
    ATLS_TRY(atls_dstack_attestation_read(bytes, &a, g->err));
    atls_code rc = ATLS_OK;
    if (!atls_equal(a.report_data, (atls_buf){g->report_data, sizeof g->report_data})) {
        rc = ATLS_ERR(g->err, ATLS_E_BINDING, "dstack.report_data",
                      "the report data in dstack's attestation is not the hash of the "
                      "certificate's key");
    }
    if (rc == ATLS_OK) {
        rc = check_has_events(g, &a);
    }
    if (rc == ATLS_OK) {
        rc = check_app_id(g, &a);
    }
    if (rc == ATLS_OK) {
        rc = atls_dstack_to_evidence(&a, g->out, g->err);
    }
    if (rc == ATLS_OK &&
        (a.platform == ATLS_DSTACK_NITRO_ENCLAVE || a.platform == ATLS_DSTACK_NITRO_TPM)) {
        g->out->expected.has_user_data = true;
        memcpy(g->out->expected.user_data, g->report_data, sizeof g->report_data);
    } else if (rc == ATLS_OK) {
        g->out->expected.has_report_data = true;
        memcpy(g->out->expected.report_data, g->report_data, sizeof g->report_data);
    }
    atls_dstack_attestation_clear(&a);
    return rc;
}

/* The older form: a TDX quote, and the log as JSON, which is read as it would be beside it. */
static atls_code read_older(const reading *g, atls_buf quote)
{
    atls_buf log;
    bool found = false;
    atls_dstack_attestation a;
    ATLS_TRY(extension(g, EVENT_LOG, &log, &found));
    if (log.len >= 6 && memcmp(log.ptr, "ELGZv1", 6) == 0) {
        return ATLS_ERR(g->err, ATLS_E_INVALID, "dstack.event_log",
                        "the event log is compressed, which is not read here: dstack compresses "
                        "none by itself");
    }
    if (!found) {
        return ATLS_ERR(g->err, ATLS_E_INVALID, "dstack.event_log",
                        "a certificate with a quote of dstack's, and without the event log that "
                        "must stand beside it");
    }
    ATLS_TRY(atls_dstack_from_log(quote, log, &a, g->err));
    atls_code rc = check_has_events(g, &a);
    if (rc == ATLS_OK) {
        rc = check_app_id(g, &a);
    }
    atls_dstack_attestation_clear(&a);
    ATLS_TRY(rc);
    g->out->evidence.type = "tdx";
    g->out->expected.has_report_data = true;
    memcpy(g->out->expected.report_data, g->report_data, sizeof g->report_data);
    return atls_carried_add(g->out, "quote", quote) && atls_carried_add(g->out, "event_log", log)
               ? ATLS_OK
               : ATLS_ERR_NOMEM(g->err);
}

static atls_code read_certificate(const atls_carrier *certificate,
                                  const atls_binding_option *options, size_t options_n,
                                  atls_carried *out, bool *found, atls_err *err)
{
    reading g = {.certificate = certificate,
                 .options = options,
                 .options_n = options_n,
                 .out = out,
                 .err = err};
    atls_buf content;
    bool has = false;
    *found = false;
    ATLS_TRY(extension(&g, ATTESTATION, &content, &has));
    const bool newer = has;
    if (!has) {
        ATLS_TRY(extension(&g, QUOTE, &content, &has));
    }
    if (!has) {
        return ATLS_OK;
    }
    *found = true;
    ATLS_TRY(report_data_of(certificate->spki, g.report_data, err));
    ATLS_TRY(check_usage(&g));
    return newer ? read_attestation(&g, content) : read_older(&g, content);
}

/* A usage is worth what a CA vouches for. */
static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    if (link->asks && link->peer != NULL && !link->peer_by_pki &&
        atls_link_option(link, "usage", NULL) != NULL) {
        *next = ATLS_STEP_DONE;
        return ATLS_ERR(err, ATLS_E_POLICY, "dstack.usage",
                        "a usage is wanted, which only a CA can vouch for, and no CA vouches for "
                        "the peer's certificate");
    }
    return atls_certificate_exchange(link, next, err);
}

/* --- making --- */

static atls_code validity_of(const atls_link *link, int64_t *out, atls_err *err)
{
    const char *text = atls_link_option(link, "validity", NULL);
    char *end = NULL;
    *out = VALIDITY_S;
    if (text == NULL) {
        return ATLS_OK;
    }
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || v < VALIDITY_MIN_S || v > VALIDITY_MAX_S) {
        return ATLS_ERR(err, ATLS_E_USAGE, "dstack.option",
                        "the option validity is a number of seconds from %d to %lld",
                        VALIDITY_MIN_S, VALIDITY_MAX_S);
    }
    *out = v;
    return ATLS_OK;
}

/* Wraps content into an OCTET STRING; the caller frees it. */
static bool wrap(atls_buf content, atls_buf *out)
{
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    unsigned char *der = NULL;
    int len = 0;
    if (octets != NULL && content.len < ATLS_CARRIER_MAX_LEN &&
        ASN1_OCTET_STRING_set(octets, content.ptr, (int)content.len) == 1) {
        len = i2d_ASN1_OCTET_STRING(octets, &der);
    }
    ASN1_OCTET_STRING_free(octets);
    *out = (atls_buf){der, len > 0 ? (size_t)len : 0};
    return len > 0;
}

static atls_code make(atls_link *link, const atls_buf *which, const atls_buf *content, size_t n,
                      int64_t validity_s, atls_err *err)
{
    atls_certificate_extension extensions[2];
    bool ok = true;
    size_t made = 0;
    for (; ok && made < n; made++) {
        extensions[made].oid = which[made];
        ok = wrap(content[made], &extensions[made].value);
    }
    const char *name = atls_link_option(link, "name", "atls");
    const atls_certificate_plan plan = {.common_name = name,
                                        .not_before_s = link->when_s - BACKDATED_S,
                                        .not_after_s = link->when_s + validity_s,
                                        .random_serial = true,
                                        .basic = true,
                                        .dns_name = name,
                                        .eku_both = true,
                                        .extensions = extensions,
                                        .extensions_n = n};
    atls_code rc =
        ok ? atls_certificate_make(&plan, link->key, &link->made, err) : ATLS_ERR_NOMEM(err);
    for (size_t i = 0; i < made; i++) {
        OPENSSL_free((void *)(uintptr_t)extensions[i].value.ptr);
    }
    link->made_until_s = link->when_s + validity_s / 2;
    return rc;
}

static atls_code make_newer(atls_link *link, int64_t validity_s, atls_err *err)
{
    uint8_t *attestation = NULL;
    size_t len = 0;
    ATLS_TRY(atls_dstack_make(&link->evidence, link->wanted.wide, &attestation, &len, err));
    const atls_buf content = {attestation, len};
    atls_code rc = make(link, &oids[ATTESTATION], &content, 1, validity_s, err);
    free(attestation);
    return rc;
}

static atls_code make_older(atls_link *link, int64_t validity_s, atls_err *err)
{
    const atls_buf content[] = {atls_link_part(link, "quote"), atls_link_part(link, "event_log")};
    const atls_buf which[] = {oids[QUOTE], oids[EVENT_LOG]};
    if (strcmp(link->evidence.type, "tdx") != 0 || content[1].len == 0 ||
        content[1].ptr[0] != '[') {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "dstack.make",
                        "this form is for evidence of a TD with dstack's event log");
    }
    return make(link, which, content, 2, validity_s, err);
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    const char *form = atls_link_option(link, "form", "attestation");
    int64_t validity_s = 0;
    if (strcmp(form, "attestation") != 0 && strcmp(form, "quote") != 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "dstack.option",
                        "the option form is attestation or quote");
    }
    ATLS_TRY(validity_of(link, &validity_s, err));
    if (!link->has_evidence) {
        memset(&link->wanted, 0, sizeof link->wanted);
        ATLS_TRY(report_data_of(link->spki, link->wanted.wide, err));
        *next = ATLS_STEP_EVIDENCE;
        return ATLS_OK;
    }
    *next = ATLS_STEP_DONE;
    return strcmp(form, "attestation") == 0 ? make_newer(link, validity_s, err)
                                            : make_older(link, validity_s, err);
}

const atls_binding atls_binding_ra_tls_dstack = {
    .name = "ra-tls-dstack",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line =
        "key (of the certificate, attested before this connection: whoever has that key can relay)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .options = {"usage", "app-id", "form", "validity", "name"},
    .critical = oids,
    .critical_n = sizeof oids / sizeof oids[0],
    .show = show,
    .exchange = exchange,
    .read_certificate = read_certificate,
};
