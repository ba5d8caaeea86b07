/* seat_early.c: early attestation (dialect seat-early): draft-fossati-seat-early-attestation-06 over OpenSSL's custom
 * extensions. One extension in ClientHello, EncryptedExtensions, CertificateRequest and Certificate; evidence contains a value
 * out of ClientHello...ServerHello and of the sender's key. What the peer sent is kept here, and judged after the handshake. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/err.h"
#include "binding/atls1.h"
#include "binding/binding.h"
#include "binding/seat_binder.h"
#include "binding/seat_schemes.h"

#define EXTENSION_DEFAULT                                                                          \
    "65296"           /* 0xff10: no number is assigned; of the private range of RFC 8446, 11 */
#define SCHEME_MAX 64 /* bytes of ours, written */

static const atls_seat_scheme ours = {
    .kind = ATLS_SEAT_MEDIA_TYPE,
    .name = {(const uint8_t *)ATLS1_MEDIA_TYPE, sizeof ATLS1_MEDIA_TYPE - 1}};

typedef struct seat {                    /* state of a link */
    bool server_attests, client_attests; /* agreed */
    uint8_t *offer;                      /* server: data of the first ClientHello */
    size_t offer_len;
    size_t offers; /* server: ClientHellos that had it */
    uint8_t *cmw;  /* of the peer */
    size_t cmw_len;
    unsigned char *spki; /* of our certificate: borrowed by the attester */
} seat;

/* --- settings --- */

static bool number_of(const char *text, unsigned long max, unsigned *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > max) {
        return false;
    }
    *out = (unsigned)value;
    return true;
}

static const struct {
    const char *name, *fallback;
} alerts[] = {
    {"alert_unsupported", "40"}, /* handshake_failure: no number is assigned to any of the three */
    {"alert_required", "40"},
    {"alert_failed", "42"}, /* bad_certificate */
};
enum { UNSUPPORTED, REQUIRED, FAILED };

static int alert_of(const atls_link *link, int which)
{
    unsigned value = 0;
    return number_of(atls_link_option(link, alerts[which].name, alerts[which].fallback), 255,
                     &value)
               ? (int)value
               : SSL_AD_HANDSHAKE_FAILURE;
}

/* --- hellos: before the dialect of a connection is known, and so beside the link --- */

static CRYPTO_ONCE hellos_once = CRYPTO_ONCE_STATIC_INIT;
static int hellos_index = -1; /* OpenSSL's; asked for once, never changed after */

static void free_hellos(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
                        void *argp)
{
    (void)parent, (void)ad, (void)index, (void)argl, (void)argp;
    if (ptr != NULL) {
        atls_seat_hellos_clear(ptr);
        free(ptr);
    }
}

static void ask_for_index(void)
{
    hellos_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_hellos);
}

static atls_seat_hellos *hellos_of(const SSL *ssl)
{
    return hellos_index < 0 ? NULL : SSL_get_ex_data(ssl, hellos_index);
}

static void keep_hello(int write_p, int version, int content_type, const void *bytes, size_t len,
                       SSL *ssl, void *arg)
{
    (void)write_p, (void)version, (void)arg;
    if (content_type != SSL3_RT_HANDSHAKE || atls_link_of(ssl) == NULL) {
        return;
    }
    atls_seat_hellos *h = hellos_of(ssl);
    if (h == NULL) {
        h = calloc(1, sizeof *h);
        if (h == NULL || SSL_set_ex_data(ssl, hellos_index, h) != 1) {
            free(h);
            return;
        }
    }
    atls_seat_hellos_add(h, (atls_buf){bytes, len});
}

/* --- what evidence must contain --- */

static bool hash_of(const SSL *ssl, atls_hash *out)
{
    const SSL_CIPHER *pending = SSL_get_pending_cipher(ssl);
    const SSL_CIPHER *cipher = pending != NULL ? pending : SSL_get_current_cipher(ssl);
    const EVP_MD *md = cipher == NULL ? NULL : SSL_CIPHER_get_handshake_digest(cipher);
    *out = md != NULL && EVP_MD_get_size(md) == 48 ? ATLS_SHA384 : ATLS_SHA256;
    return md != NULL;
}

static atls_code binder_data(const SSL *ssl, atls_buf spki, atls_report_data *out, atls_err *err)
{
    static const atls_seat_hellos none = {.n = 0};
    const atls_seat_hellos *h = hellos_of(ssl);
    uint8_t value[ATLS_SEAT_BINDER_MAX];
    atls_hash hash = ATLS_SHA256;
    if (!hash_of(ssl, &hash)) {
        h = NULL;
    }
    ATLS_TRY(atls_seat_transcript(h != NULL ? h : &none, hash, value, err));
    ATLS_TRY(atls_seat_base(hash, value, value, err));
    ATLS_TRY(atls_seat_binder(hash, value, spki, value, err));
    return atls_seat_report_data(hash, value, out, err);
}

/* --- sending --- */

static atls_code take_bytes(atls_buf bytes, uint8_t **out, size_t *len, atls_err *err)
{
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, bytes.ptr, bytes.len);
    *out = copy;
    *len = bytes.len;
    return ATLS_OK;
}

static atls_code offer(const atls_link *link, uint8_t **out, size_t *len, atls_err *err)
{
    uint8_t scheme[SCHEME_MAX], both[2 * SCHEME_MAX];
    atls_writer s = atls_writer_of(scheme, sizeof scheme);
    atls_seat_scheme_write(&s, &ours);
    const atls_buf one = atls_writer_done(&s);
    atls_writer w = atls_writer_of(both, sizeof both);
    const bool lists[] = {link->asks, link->shows};
    for (size_t i = 0; i < 2; i++) {
        atls_writer_u16be(&w, lists[i] ? (uint16_t)one.len : 0);
        atls_writer_bytes(&w, lists[i] ? one : (atls_buf){NULL, 0});
    }
    return take_bytes(atls_writer_done(&w), out, len, err);
}

static atls_code choice(uint8_t **out, size_t *len, atls_err *err)
{
    uint8_t scheme[SCHEME_MAX];
    atls_writer w = atls_writer_of(scheme, sizeof scheme);
    atls_seat_scheme_write(&w, &ours);
    return take_bytes(atls_writer_done(&w), out, len, err);
}

static atls_code wrap(atls_buf cmw, uint8_t **out, size_t *len, atls_err *err)
{
    if (cmw.len > ATLS_SEAT_CMW_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "seat_early.size",
                        "our evidence takes %zu bytes, where TLS has room for %d", cmw.len,
                        ATLS_SEAT_CMW_MAX);
    }
    uint8_t *bytes = malloc(3 + cmw.len);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(bytes, 3 + cmw.len);
    atls_writer_u24be(&w, (uint32_t)cmw.len);
    atls_writer_bytes(&w, cmw);
    *out = bytes;
    *len = atls_writer_done(&w).len;
    return ATLS_OK;
}

/* Over the key of the certificate that is about to be sent. */
static atls_code evidence(atls_link *link, X509 *leaf, uint8_t **out, size_t *len, atls_err *err)
{
    seat *s = link->state;
    uint8_t *cmw = NULL;
    size_t cmw_len = 0;
    OPENSSL_free(s->spki);
    s->spki = NULL;
    int spki_len = leaf == NULL ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &s->spki);
    if (spki_len <= 0) {
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_SYSTEM, "seat_early.key",
                        "the certificate to be sent has no key that can be attested");
    }
    const atls_buf spki = {s->spki, (size_t)spki_len};
    ATLS_TRY(binder_data(link->ssl, spki, &link->wanted, err));
    link->wanted.spki = spki.ptr;
    link->wanted.spki_len = spki.len;
    ATLS_TRY(link->attest(link, err));
    atls_code rc = atls1_payload_build(&link->evidence, &cmw, &cmw_len, err);
    atls_link_drop_evidence(link);
    ATLS_TRY(rc);
    rc = wrap((atls_buf){cmw, cmw_len}, out, len, err);
    free(cmw);
    return rc;
}

static bool sends(const atls_link *link, unsigned context, size_t place)
{
    const seat *s = link->state;
    const bool server = link->role == ATLS_SERVER;
    switch (context & (SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS |
                       SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE)) {
    case SSL_EXT_CLIENT_HELLO:
        return link->asks || link->shows;
    case SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS:
        return s->server_attests;
    case SSL_EXT_TLS1_3_CERTIFICATE_REQUEST:
        return s->client_attests;
    case SSL_EXT_TLS1_3_CERTIFICATE:
        return place == 0 && (server ? s->server_attests : s->client_attests);
    default:
        return false;
    }
}

static int add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len,
               X509 *leaf, size_t place, int *alert, void *arg)
{
    atls_link *link = atls_link_of(ssl);
    uint8_t *bytes = NULL;
    (void)type, (void)arg;
    if (link == NULL || link->binding != &atls_binding_seat_early || !sends(link, context, place)) {
        return 0;
    }
    atls_code rc = (context & SSL_EXT_CLIENT_HELLO) != 0 ? offer(link, &bytes, len, link->inside)
                   : (context & SSL_EXT_TLS1_3_CERTIFICATE) != 0
                       ? evidence(link, leaf, &bytes, len, link->inside)
                       : choice(&bytes, len, link->inside);
    *alert = SSL_AD_INTERNAL_ERROR;
    *out = bytes;
    return rc == ATLS_OK ? 1 : -1;
}

static void drop(SSL *ssl, unsigned type, unsigned context, const unsigned char *out, void *arg)
{
    (void)ssl, (void)type, (void)context, (void)arg;
    free((void *)(uintptr_t)out);
}

/* --- receiving --- */

static bool same_bytes(atls_buf a, atls_buf b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Server: what of the offer is taken. */
static atls_code take_offer(atls_link *link, atls_buf bytes, int *alert, atls_err *err)
{
    seat *s = link->state;
    atls_seat_offer o;
    if (s->offers++ > 0) {
        *alert = SSL_AD_ILLEGAL_PARAMETER; /* RFC 8446, 4.1.2 */
        return same_bytes(bytes, (atls_buf){s->offer, s->offer_len})
                   ? ATLS_OK
                   : ATLS_ERR(err, ATLS_E_INVALID, "seat_early.changed",
                              "the client's second ClientHello offers something else");
    }
    *alert = SSL_AD_DECODE_ERROR;
    ATLS_TRY(atls_seat_offer_parse(bytes, &o, err));
    ATLS_TRY(take_bytes(bytes, &s->offer, &s->offer_len, err));
    s->server_attests = link->shows && atls_seat_list_has(o.server, &ours);
    s->client_attests = link->asks && atls_seat_list_has(o.client, &ours);
    if ((o.server.len > 0 && !s->server_attests) || (!s->server_attests && !link->asks)) {
        *alert = alert_of(link, UNSUPPORTED);
        return ATLS_ERR(err, ATLS_E_POLICY, "seat_early.unsupported",
                        link->shows ? "the client wants evidence in no form that is made here"
                                    : "the client wants evidence, and there is no attester here");
    }
    if (link->asks && !s->client_attests) {
        *alert = alert_of(link, REQUIRED);
        return ATLS_ERR(err, ATLS_E_POLICY, "seat_early.required",
                        "the client offers no evidence in a form that is judged here");
    }
    return ATLS_OK;
}

/* Client: the choice for one of the lists. */
static atls_code take_choice(bool offered, atls_buf bytes, bool *agreed, int *alert, atls_err *err)
{
    atls_seat_scheme scheme;
    *alert = SSL_AD_DECODE_ERROR;
    ATLS_TRY(atls_seat_choice_parse(bytes, &scheme, err));
    *alert = SSL_AD_ILLEGAL_PARAMETER;
    if (!offered || !atls_seat_scheme_equal(&scheme, &ours)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.choice",
                        "the server chose what was not offered to it");
    }
    *agreed = true;
    return ATLS_OK;
}

static atls_code take_evidence(atls_link *link, atls_buf bytes, size_t place, int *alert,
                               atls_err *err)
{
    seat *s = link->state;
    atls_buf cmw = {NULL, 0};
    *alert = SSL_AD_ILLEGAL_PARAMETER;
    if (place != 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.entry",
                        "evidence beside certificate %zu of the chain, where it belongs to the "
                        "first",
                        place + 1);
    }
    if (!(link->role == ATLS_CLIENT ? s->server_attests : s->client_attests) || s->cmw != NULL) {
        *alert = SSL_AD_UNSUPPORTED_EXTENSION;
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.unasked",
                        "the peer sends evidence that was not agreed upon");
    }
    *alert = alert_of(link, FAILED);
    ATLS_TRY(atls_seat_evidence_parse(bytes, &cmw, err));
    return take_bytes(cmw, &s->cmw, &s->cmw_len, err);
}

static int parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t len,
                 X509 *leaf, size_t place, int *alert, void *arg)
{
    atls_link *link = atls_link_of(ssl);
    const atls_buf bytes = {in, len};
    (void)type, (void)leaf, (void)arg;
    if (link == NULL || link->binding != &atls_binding_seat_early) {
        return 1; /* another dialect's connection: as if the extension were not known */
    }
    seat *s = link->state;
    atls_code rc;
    if ((context & SSL_EXT_CLIENT_HELLO) != 0) {
        rc = take_offer(link, bytes, alert, link->inside);
    } else if ((context & SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS) != 0) {
        rc = take_choice(link->asks, bytes, &s->server_attests, alert, link->inside);
    } else if ((context & SSL_EXT_TLS1_3_CERTIFICATE_REQUEST) != 0) {
        rc = take_choice(link->shows, bytes, &s->client_attests, alert, link->inside);
    } else {
        rc = take_evidence(link, bytes, place, alert, link->inside);
    }
    return rc == ATLS_OK ? 1 : 0;
}

/* --- the dialect --- */

static atls_code context(SSL_CTX *ctx, atls_role role, const atls_binding_option *options,
                         size_t options_n, atls_err *err)
{
    unsigned type = 0;
    unsigned value = 0;
    bool ok = number_of(atls_binding_option_of(options, options_n, "extension", EXTENSION_DEFAULT),
                        65535, &type);
    (void)role;
    for (size_t i = 0; ok && i < sizeof alerts / sizeof alerts[0]; i++) {
        ok = number_of(
            atls_binding_option_of(options, options_n, alerts[i].name, alerts[i].fallback), 255,
            &value);
    }
    if (!ok || SSL_extension_supported(type) == 1) {
        return ATLS_ERR(err, ATLS_E_USAGE, "seat_early.option",
                        "the extension is a number up to 65535 that OpenSSL does not use itself, "
                        "an alert one up to 255");
    }
    const unsigned where = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS |
                           SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE;
    if (CRYPTO_THREAD_run_once(&hellos_once, ask_for_index) != 1 || hellos_index < 0 ||
        SSL_CTX_add_custom_ext(ctx, type, where, add, drop, NULL, parse, NULL) != 1) {
        ERR_clear_error();
        return ATLS_ERR(err, ATLS_E_SYSTEM, "seat_early.setup",
                        "OpenSSL does not take the extension %u", type);
    }
    SSL_CTX_set_msg_callback(ctx, keep_hello);
    return ATLS_OK;
}

/* Server: a ClientHello without the extension is seen here alone; OpenSSL calls nobody for what is not there. */
static atls_code hello(atls_link *link, atls_err *err)
{
    const unsigned char *bytes = NULL;
    size_t len = 0;
    unsigned type = 0;
    if (!number_of(atls_link_option(link, "extension", EXTENSION_DEFAULT), 65535, &type) ||
        SSL_client_hello_get0_ext(link->ssl, type, &bytes, &len) != 1) {
        return ATLS_ERR(err, ATLS_E_POLICY, "seat_early.absent",
                        "the client does not offer early attestation (extension %u)", type);
    }
    return ATLS_OK;
}

static atls_code check_agreement(const atls_link *link, atls_err *err)
{
    const seat *s = link->state;
    const atls_seat_hellos *h = hellos_of(link->ssl);
    if (SSL_version(link->ssl) != TLS1_3_VERSION) {
        return ATLS_ERR(err, ATLS_E_POLICY, "tls.version",
                        "%s was negotiated, where TLS 1.3 is wanted", SSL_get_version(link->ssl));
    }
    if (link->role == ATLS_SERVER && (h == NULL || s->offers != h->n / 2)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.changed",
                        "only one of the client's two ClientHellos offers early attestation");
    }
    if (!s->server_attests && !s->client_attests) {
        return ATLS_ERR(err, ATLS_E_POLICY, "seat_early.absent",
                        "the server takes up no early attestation");
    }
    if (link->asks && s->cmw == NULL) {
        return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                        "the peer's certificate came without evidence");
    }
    return ATLS_OK;
}

static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    const seat *s = link->state;
    atls1_payload payload;
    atls_report_data data = {{0}};
    *next = ATLS_STEP_DONE;
    if (link->verdict != NULL) {
        return ATLS_OK;
    }
    ATLS_TRY(check_agreement(link, err));
    if (!link->asks) {
        return ATLS_OK;
    }
    ATLS_TRY(atls1_payload_parse((atls_buf){s->cmw, s->cmw_len}, &payload, err));
    if (payload.batched || payload.has_attachment) {
        return ATLS_ERR(err, ATLS_E_INVALID, "seat_early.payload",
                        "evidence of a batch, or with an attachment, which this dialect has not");
    }
    ATLS_TRY(binder_data(link->ssl, link->peer_spki, &data, err));
    link->carried.evidence = payload.evidence;
    link->carried.expected =
        (atls_expected){.has_report_data = true, .has_short_data = true, .spki = link->peer_spki};
    memcpy(link->carried.expected.report_data, data.wide, sizeof data.wide);
    memcpy(link->carried.expected.short_data, data.narrow, sizeof data.narrow);
    *next = ATLS_STEP_JUDGE;
    return ATLS_OK;
}

static void end(atls_link *link)
{
    seat *s = link->state;
    atls_seat_hellos *h = hellos_of(link->ssl);
    if (h != NULL) {
        atls_seat_hellos_clear(h);
    }
    free(s->offer);
    free(s->cmw);
    OPENSSL_free(s->spki);
}

const atls_binding atls_binding_seat_early = {
    .name = "seat-early",
    .kind = ATLS_BINDING_HANDSHAKE,
    .line = "handshake (hellos with both key shares + the certificate's key)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn_optional = true,
    .alone = true,
    .attests_inside = true,
    .in_certificate = true,
    .options = {"extension", "alert_unsupported", "alert_required", "alert_failed"},
    .state_size = sizeof(seat),
    .context = context,
    .hello = hello,
    .exchange = exchange,
    .end = end,
};
