/* contrast.c: Contrast's aTLS: nonces and certificate as Constellation has them, but the hardware's report alone, over the key
 * and the nonce at once; the client's nonce travels as an ALPN name. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/nonce_certificate.h"
#include "binding/protobuf.h"
#include "binding/sevsnp.h"
#include "binding/tdx_quote_message.h"
#include "codec/base64.h"
#include "crypto/digest.h"

#define PROTOCOL      "h2"
#define EXTENSION_MAX ((size_t)1 << 20)

typedef struct kind {
    const char *type; /* of evidence */
    uint8_t oid[5];   /* 1.3.9901.2.x */
    bool is_tdx;
} kind;

static const kind kinds[] = {
    {"snp", {0x2b, 0xcd, 0x2d, 2, 1}, false},
    {"tdx", {0x2b, 0xcd, 0x2d, 2, 2}, true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* --- nonces --- */

static unsigned places_of(const char *option)
{
    return strcmp(option, "alpn") == 0   ? ATLS_NONCE_IN_ALPN
           : strcmp(option, "sni") == 0  ? ATLS_NONCE_IN_SNI
           : strcmp(option, "both") == 0 ? ATLS_NONCE_IN_ALPN + ATLS_NONCE_IN_SNI
                                         : 0;
}

static bool is_yes_or_no(const char *option)
{
    return strcmp(option, "yes") == 0 || strcmp(option, "no") == 0;
}

static atls_code check_options(SSL_CTX *ctx, atls_role role, const atls_binding_option *options,
                               size_t options_n, atls_err *err)
{
    (void)ctx;
    (void)role;
    if (places_of(atls_binding_option_of(options, options_n, "nonce", "alpn")) == 0 ||
        !is_yes_or_no(atls_binding_option_of(options, options_n, "raw-report", "no"))) {
        return ATLS_ERR(err, ATLS_E_USAGE, "contrast.option",
                        "\"nonce\" is alpn, sni or both, \"raw-report\" is yes or no");
    }
    return ATLS_OK;
}

static atls_code offer(const atls_link *link, atls_err *err)
{
    static const uint8_t wire[] = {2, 'h', '2'};
    return SSL_set_alpn_protos(link->ssl, wire, sizeof wire) == 0 ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

static atls_code begin(atls_link *link, atls_err *err)
{
    const unsigned places = places_of(atls_link_option(link, "nonce", "alpn"));
    if (link->role == ATLS_CLIENT && places == ATLS_NONCE_IN_SNI) {
        ATLS_TRY(offer(link, err));
    }
    return atls_nonces_begin(link, link->state, places, PROTOCOL, err);
}

static atls_code hello(atls_link *link, atls_err *err)
{
    return atls_nonces_hello(link, link->state, ATLS_NONCE_IN_ALPN + ATLS_NONCE_IN_SNI, err);
}

static atls_code report_data(atls_buf spki, const uint8_t nonce[ATLS_NONCE_LEN], uint8_t out[64],
                             atls_err *err)
{
    const atls_buf pieces[] = {spki, {nonce, ATLS_NONCE_LEN}};
    return atls_digest(ATLS_SHA512, pieces, 2, out, err);
}

/* --- showing --- */

static atls_code want(atls_link *link, atls_nonces *n, atls_err *err)
{
    if (link->role == ATLS_CLIENT) {
        ATLS_TRY(atls_nonces_asked(link, n, err));
    }
    if (!n->has_peer) {
        return ATLS_ERR(err, ATLS_E_BINDING, "nonce.missing",
                        "the peer sends no nonce for our evidence to repeat");
    }
    memset(&link->wanted, 0, sizeof link->wanted);
    return report_data(link->spki, n->peer, link->wanted.wide, err);
}

/* The leaf that signed the report, its issuer, the list that says whether that is revoked: parts of their own, or of the
 * host's table. */
static atls_sevsnp certificates(const atls_link *link)
{
    atls_sevsnp s = {.vcek = atls_link_part(link, "vcek")};
    const atls_buf table = atls_link_part(link, "certs");
    if (table.len > 0) {
        (void)atls_sevsnp_table_read(table, &s); /* if it is none, the peer has to find them */
    }
    return s;
}

static atls_code write_chain(const atls_sevsnp *s, atls_writer *w, atls_err *err)
{
    const size_t cap =
        s->vcek.len + s->ask.len + s->vlek.len + s->crl.len + ATLS_SEVSNP_CRL_MORE + 32;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    const struct {
        uint32_t number;
        atls_buf der;
    } certs[] = {{1, s->vcek}, {2, s->ask}, {6, s->vlek}};
    atls_writer chain = atls_writer_of(space, cap);
    for (size_t i = 0; i < 3; i++) {
        if (certs[i].der.len > 0) {
            atls_protobuf_write_bytes(&chain, certs[i].number, certs[i].der);
        }
    }
    const atls_code rc = atls_sevsnp_crl_write(&chain, s->crl, err);
    atls_protobuf_write_bytes(w, 2, atls_writer_done(&chain));
    free(space);
    return rc != ATLS_OK || atls_writer_ok(w) ? rc : ATLS_ERR_NOMEM(err);
}

/* sevsnp.Attestation: the report, and the certificates of who signed it. */
static atls_code write_snp(const atls_link *link, atls_writer *w, atls_err *err)
{
    const atls_buf report = atls_link_part(link, "report");
    uint8_t message[ATLS_SEVSNP_REPORT_MESSAGE_MAX];
    uint8_t again[ATLS_SEVSNP_REPORT_LEN];
    const atls_sevsnp certs = certificates(link);
    if (report.len < sizeof again) {
        return ATLS_ERR(err, ATLS_E_USAGE, "contrast.evidence", "an SNP report of %zu bytes",
                        report.len);
    }
    atls_writer inner = atls_writer_of(message, sizeof message);
    atls_sevsnp_report_write(&inner, report.ptr);
    ATLS_TRY(atls_sevsnp_report_parse(atls_writer_done(&inner), again, err));
    if (memcmp(again, report.ptr, sizeof again) != 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "contrast.evidence",
                        "an SNP report with fields that the message has no place for");
    }
    atls_protobuf_write_bytes(w, 1, atls_writer_done(&inner));
    return write_chain(&certs, w, err);
}

static atls_code make(atls_link *link, const kind *k, atls_err *err)
{
    const atls_buf quote = atls_link_part(link, "quote");
    const size_t cap = quote.len + atls_link_part(link, "vcek").len +
                       atls_link_part(link, "certs").len + ATLS_SEVSNP_REPORT_MESSAGE_MAX +
                       ATLS_TDX_QUOTE_MESSAGE_MORE;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    atls_code rc =
        k->is_tdx ? atls_tdx_quote_message_write(quote, &w, err) : write_snp(link, &w, err);
    if (rc == ATLS_OK) {
        rc = atls_nonce_certificate_make(link, "Contrast", (atls_buf){k->oid, sizeof k->oid},
                                         atls_writer_done(&w), err);
    }
    free(space);
    return rc;
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    *next = ATLS_STEP_DONE;
    if (!link->shows) {
        return atls_nonce_certificate_make(link, "Contrast", (atls_buf){NULL, 0},
                                           (atls_buf){NULL, 0}, err);
    }
    if (!link->has_evidence) {
        *next = ATLS_STEP_EVIDENCE;
        return want(link, link->state, err);
    }
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].type, link->evidence.type) == 0) {
            return make(link, &kinds[i], err);
        }
    }
    return ATLS_ERR(err, ATLS_E_USAGE, "contrast.evidence",
                    "evidence of type %s, where snp or tdx is wanted", link->evidence.type);
}

/* --- judging --- */

static const void *takes(atls_buf oid, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < KINDS; i++) {
        if (oid.len == sizeof kinds[i].oid && memcmp(oid.ptr, kinds[i].oid, oid.len) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static atls_code add(atls_carried *c, const char *part, atls_buf bytes, atls_err *err)
{
    return atls_carried_add(c, part, bytes) ? ATLS_OK : ATLS_ERR_NOMEM(err);
}

/* The first releases: base64 of the report alone. */
static atls_code read_raw_report(atls_buf value, atls_carried *c, atls_err *err)
{
    size_t len = 0;
    uint8_t *room = atls_carried_room(c, ATLS_SEVSNP_REPORT_LEN);
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    if (!atls_base64_decode(value, room, ATLS_SEVSNP_REPORT_LEN, &len) ||
        len != ATLS_SEVSNP_REPORT_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "contrast.raw_report",
                        "%zu bytes that are no SNP report in base64", value.len);
    }
    return add(c, "report", (atls_buf){room, len}, err);
}

static atls_code read_snp(atls_buf value, atls_carried *c, atls_err *err)
{
    atls_sevsnp s;
    ATLS_TRY(atls_sevsnp_parse(value, &s, err));
    const size_t len = atls_sevsnp_table_len(&s);
    uint8_t *report = atls_carried_room(c, sizeof s.report);
    uint8_t *table = len > 0 ? atls_carried_room(c, len) : NULL;
    if (report == NULL || (len > 0 && table == NULL)) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(report, s.report, sizeof s.report);
    ATLS_TRY(add(c, "report", (atls_buf){report, sizeof s.report}, err));
    if (len == 0) {
        return ATLS_OK;
    }
    atls_writer w = atls_writer_of(table, len);
    atls_sevsnp_table_write(&w, &s);
    return add(c, "certs", atls_writer_done(&w), err);
}

static atls_code read_tdx(atls_buf value, atls_carried *c, atls_err *err)
{
    const size_t cap = value.len + ATLS_TDX_QUOTE_MORE;
    uint8_t *room = value.len <= EXTENSION_MAX ? atls_carried_room(c, cap) : NULL;
    if (room == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(room, cap);
    ATLS_TRY(atls_tdx_quote_message_parse(value, &w, err));
    return add(c, "quote", atls_writer_done(&w), err);
}

static atls_code read(atls_link *link, const atls_carrier *c, const uint8_t nonce[ATLS_NONCE_LEN],
                      atls_err *err)
{
    atls_buf value;
    atls_carried made = {0};
    const bool raw = strcmp(atls_link_option(link, "raw-report", "no"), "yes") == 0;
    const kind *k = atls_nonce_extension(c, takes, NULL, &value);
    if (k == NULL) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the peer's certificate carries no evidence of contrast");
    }
    made.evidence.type = k->type;
    made.expected.has_report_data = true;
    atls_code rc = report_data(c->spki, nonce, made.expected.report_data, err);
    if (rc == ATLS_OK) {
        rc = k->is_tdx ? read_tdx(value, &made, err)
             : raw     ? read_raw_report(value, &made, err)
                       : read_snp(value, &made, err);
    }
    if (rc != ATLS_OK) {
        atls_carried_clear(&made);
        return rc;
    }
    link->carried = made;
    return ATLS_OK;
}

static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    return atls_nonce_exchange(link, link->state, read, next, err);
}

const atls_binding atls_binding_contrast = {
    .name = "contrast",
    .kind = ATLS_BINDING_HANDSHAKE,
    .line = "handshake (nonce + key): whoever has the peer's TLS key can relay its evidence",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn = {PROTOCOL},
    .alpn_optional = true,
    .own_alpn = true,
    .tls12 = true,
    .alone = true,
    .in_certificate = true,
    .makes_certificate = true,
    .options = {"nonce", "raw-report"},
    .state_size = sizeof(atls_nonces),
    .context = check_options,
    .begin = begin,
    .hello = hello,
    .show = show,
    .exchange = exchange,
};
