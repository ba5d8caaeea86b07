/* ra_tls_flashbots.c: the attested certificates of Flashbots' attested-tls (2026): evidence in dstack's extension, over the
 * certificate's key, dates and name. They live for minutes. */
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>

#include "base/err.h"
#include "base/writer.h"
#include "binding/certificate.h"
#include "binding/dstack_attestation.h"
#include "binding/flashbots_azure.h"
#include "binding/flashbots_certificate.h"
#include "crypto/digest.h"
#include "crypto/x509_field.h"

#define ARC 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01 /* 1.3.6.1.4.1.62397.1 */

#define VALIDITY_S     300
#define VALIDITY_MIN_S 91
#define VALIDITY_MAX_S 86400
#define BACKDATED_S    10 /* clocks differ */
#define COMMON_NAME_MAX       253

static const uint8_t oid_document[] = {ARC, 1};
static const uint8_t oid_attestation[] = {ARC, 8};
static const atls_buf oids[] = {{oid_document, sizeof oid_document},
                                {oid_attestation, sizeof oid_attestation}};
enum { DOCUMENT, ATTESTATION };

/* What hardware signs: the key, the dates (seconds, big endian) and the common name. */
static atls_code report_data_of(atls_buf spki, int64_t not_before_s, int64_t not_after_s,
                                atls_buf name, uint8_t out[64], atls_err *err)
{
    uint8_t dates[16];
    atls_writer w = atls_writer_of(dates, sizeof dates);
    atls_writer_u64be(&w, (uint64_t)not_before_s);
    atls_writer_u64be(&w, (uint64_t)not_after_s);
    const atls_buf pieces[] = {spki, atls_writer_done(&w), name};
    return atls_digest(ATLS_SHA512, pieces, 3, out, err);
}

/* --- reading --- */

static atls_code common_name(const atls_carrier *c, atls_buf *out, atls_err *err)
{
    const X509_NAME *subject = X509_get_subject_name(c->x509);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0 ||
        c->not_before_s < 0 || c->not_after_s < 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.certificate.name",
                        "the certificate has not one common name, or dates before 1970: both are "
                        "part of what hardware signs");
    }
    *out = atls_asn1_bytes(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    return ATLS_OK;
}

static atls_code octets(const atls_carrier *c, unsigned which, atls_buf *content, bool *found,
                        atls_err *err)
{
    atls_buf value;
    *found = atls_carrier_extension(c, oids[which], &value, NULL);
    return !*found || atls_der_octets(value, content)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "flashbots.certificate.extension",
                          "an extension of %zu bytes that are no OCTET STRING", value.len);
}

/* The document in dstack's form of an attestation, where it has the place of a quote. */
static atls_code document_in(atls_buf bytes, const uint8_t report_data[64], atls_buf *document,
                             atls_err *err)
{
    atls_dstack_v0 v;
    ATLS_TRY(atls_dstack_v0_read(bytes, &v, err));
    if (v.platform != ATLS_DSTACK_TDX || v.log_n != 0 || v.runtime_n != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.certificate.document",
                        "an attestation of a dstack guest, where one without events is wanted");
    }
    if (!atls_equal(v.report_data, (atls_buf){report_data, 64})) {
        return ATLS_ERR(err, ATLS_E_BINDING, "flashbots.certificate.report_data",
                        "the report data in the certificate is not the hash of its key, dates and "
                        "name");
    }
    *document = v.quote;
    return ATLS_OK;
}

static atls_code read_certificate(const atls_carrier *certificate,
                                  const atls_binding_option *options, size_t options_n,
                                  atls_carried *out, bool *found, atls_err *err)
{
    (void)options;
    (void)options_n;
    atls_buf content = {NULL, 0};
    atls_buf name;
    uint8_t report_data[64];
    bool has = false;
    bool none = false;
    *found = false;
    ATLS_TRY(octets(certificate, ATTESTATION, &content, &has, err));
    const bool wrapped = has;
    if (!has) {
        ATLS_TRY(octets(certificate, DOCUMENT, &content, &has, err));
    }
    if (!has) {
        return ATLS_OK;
    }
    *found = true;
    ATLS_TRY(common_name(certificate, &name, err));
    ATLS_TRY(report_data_of(certificate->spki, certificate->not_before_s, certificate->not_after_s,
                            name, report_data, err));
    if (wrapped) {
        ATLS_TRY(document_in(content, report_data, &content, err));
    }
    ATLS_TRY(flashbots_document_read(content, out, &none, err));
    if (none) {
        *found = false;
    } else if (strcmp(out->evidence.type, "azure") == 0) {
        flashbots_azure_expect(report_data, &out->expected);
    } else {
        out->expected.has_report_data = true;
        memcpy(out->expected.report_data, report_data, sizeof report_data);
    }
    return ATLS_OK;
}

/* --- making --- */

typedef struct showing {
    int64_t not_before_s, not_after_s;
} showing;

static atls_code bad_option(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "flashbots.certificate.option", "%s", what);
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    const unsigned long long v = strtoull(text, &end, 10);
    *out = v;
    return *end == '\0' && v <= max;
}

static atls_code platform_of(const atls_link *link, flashbots_platform *p, atls_err *err)
{
    static const char *const types[] = {"dcap-tdx", "self-hosted-tdx", "gcp-tdx", "qemu-tdx"};
    const char *type = atls_link_option(link, "type", "dcap-tdx");
    const char *form = atls_link_option(link, "form", "2026");
    uint64_t disks = 0;
    size_t i = 0;
    while (i < 4 && strcmp(type, types[i]) != 0) {
        i++;
    }
    p->older = strcmp(form, "2025") == 0;
    if (i == 4 || !(p->older || strcmp(form, "2026") == 0)) {
        return bad_option(
            "type is dcap-tdx, self-hosted-tdx, gcp-tdx or qemu-tdx, form 2026 or 2025", err);
    }
    if (!number(atls_link_option(link, "ram-bytes", "0"), UINT64_MAX, &p->ram_bytes) ||
        !number(atls_link_option(link, "disks", "0"), UINT32_MAX, &disks)) {
        return bad_option("ram-bytes and disks are numbers", err);
    }
    p->disks = (uint32_t)disks;
    /* One platform under two names: the present form and the older one. */
    p->type = i > 1 ? types[i] : p->older ? "dcap-tdx" : "self-hosted-tdx";
    return ATLS_OK;
}

static const char *name_of(const atls_link *link)
{
    return atls_link_option(link, "name", "atls");
}

static atls_code want(atls_link *link, atls_err *err)
{
    showing *s = link->state;
    uint64_t validity = 0;
    const char *name = name_of(link);
    if (!number(atls_link_option(link, "validity", "300"), VALIDITY_MAX_S, &validity) ||
        validity < VALIDITY_MIN_S) {
        return bad_option("validity is a number of seconds from 91 to 86400", err);
    }
    if (strlen(name) == 0 || strlen(name) > COMMON_NAME_MAX) {
        return bad_option("name has 1 to 253 bytes", err);
    }
    s->not_before_s = link->when_s - BACKDATED_S;
    s->not_after_s = s->not_before_s + (int64_t)validity;
    memset(&link->wanted, 0, sizeof link->wanted);
    ATLS_TRY(report_data_of(link->spki, s->not_before_s, s->not_after_s,
                            (atls_buf){(const uint8_t *)name, strlen(name)}, link->wanted.wide,
                            err));
    memcpy(link->wanted.narrow, link->wanted.wide, sizeof link->wanted.narrow);
    return ATLS_OK;
}

/* An OCTET STRING around dstack's attestation around the document; malloc'ed by OpenSSL. */
static atls_code wrap(const atls_link *link, const char *document, unsigned char **der, size_t *len,
                      atls_err *err)
{
    const atls_dstack_attestation a = {
        .platform = ATLS_DSTACK_TDX,
        .quote = {(const uint8_t *)document, strlen(document)},
        .report_data = {link->wanted.wide, sizeof link->wanted.wide}};
    const size_t room = a.quote.len + 128;
    uint8_t *bytes = malloc(room);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    atls_writer w = atls_writer_of(bytes, bytes != NULL ? room : 0);
    int n = 0;
    if (octets != NULL && atls_dstack_write_v0(&a, &w) &&
        ASN1_OCTET_STRING_set(octets, bytes, (int)w.len) == 1) {
        n = i2d_ASN1_OCTET_STRING(octets, der);
    }
    ASN1_OCTET_STRING_free(octets);
    free(bytes);
    *len = n > 0 ? (size_t)n : 0;
    return n > 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code make(atls_link *link, atls_err *err)
{
    const showing *s = link->state;
    flashbots_platform platform;
    char *document = NULL;
    unsigned char *der = NULL;
    size_t len = 0;
    ATLS_TRY(platform_of(link, &platform, err));
    ATLS_TRY(flashbots_document_write(&link->evidence, &platform, &document, err));
    atls_code rc = wrap(link, document, &der, &len, err);
    free(document);
    ATLS_TRY(rc);
    const atls_certificate_extension extension = {oids[ATTESTATION], {der, len}};
    const atls_certificate_plan plan = {.common_name = name_of(link),
                                        .not_before_s = s->not_before_s,
                                        .not_after_s = s->not_after_s,
                                        .random_serial = true,
                                        .basic = true,
                                        .dns_name = name_of(link),
                                        .eku_both = true,
                                        .extensions = &extension,
                                        .extensions_n = 1};
    rc = atls_certificate_make(&plan, link->key, &link->made, err);
    OPENSSL_free(der);
    link->made_until_s = s->not_before_s + (s->not_after_s - s->not_before_s) * 2 / 3;
    return rc;
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    flashbots_platform platform;
    if (!link->has_evidence) {
        ATLS_TRY(platform_of(link, &platform, err));
        *next = ATLS_STEP_EVIDENCE;
        return want(link, err);
    }
    *next = ATLS_STEP_DONE;
    return make(link, err);
}

const atls_binding atls_binding_ra_tls_flashbots = {
    .name = "ra-tls-flashbots",
    .kind = ATLS_BINDING_KEY_ONLY,
    .line = "key (of a certificate of minutes, with its dates and name: whoever has that key can "
            "relay until then)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .in_certificate = true,
    .makes_certificate = true,
    .keeps_certificate = true,
    .options = {"name", "validity", "type", "form", "ram-bytes", "disks"},
    .critical = oids,
    .critical_n = sizeof oids / sizeof oids[0],
    .state_size = sizeof(showing),
    .show = show,
    .exchange = atls_certificate_exchange,
    .read_certificate = read_certificate,
};
