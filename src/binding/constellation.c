/* constellation.c: Constellation's aTLS: nonces where TLS has a host name and a CA's name, evidence in a self-signed
 * certificate that is made for the one handshake. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/constellation_document.h"
#include "binding/nonce_certificate.h"

typedef struct state {
    atls_nonces nonces;
    const atls_constellation_variant
        *variant; /* that we show; NULL: not known before the evidence */
    bool has_info;
    uint8_t *info; /* InstanceInfo */
    size_t info_len;
    uint8_t user_data[32], extra_data[32];
} state;

/* --- options --- */

static bool listed(const char *list, const char *name)
{
    const size_t len = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',' ? 1 : 0;
        if (strncmp(at, name, len) == 0 && (at[len] == '\0' || at[len] == ',')) {
            return true;
        }
    }
    return false;
}

static const atls_constellation_variant *named(const char *name)
{
    return atls_constellation_variant_find((atls_buf){(const uint8_t *)name, strlen(name)});
}

static atls_code unknown(const char *option, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "constellation.variant",
                    "the option \"%s\" names a variant that is not known", option);
}

static bool all_known(const char *list)
{
    char name[32];
    for (;;) {
        const size_t len = strcspn(list, ",");
        if (len == 0 || len >= sizeof name) {
            return false;
        }
        memcpy(name, list, len);
        name[len] = '\0';
        if (named(name) == NULL) {
            return false;
        }
        if (list[len] == '\0') {
            return true;
        }
        list += len + 1;
    }
}

static atls_code check_options(SSL_CTX *ctx, atls_role role, const atls_binding_option *options,
                               size_t options_n, atls_err *err)
{
    (void)ctx;
    (void)role;
    const char *shown = atls_binding_option_of(options, options_n, "variant", NULL);
    const char *taken = atls_binding_option_of(options, options_n, "variants", NULL);
    if (shown != NULL && named(shown) == NULL) {
        return unknown("variant", err);
    }
    return taken != NULL && !all_known(taken) ? unknown("variants", err) : ATLS_OK;
}

/* --- nonces --- */

static atls_code begin(atls_link *link, atls_err *err)
{
    state *s = link->state;
    return atls_nonces_begin(link, &s->nonces, ATLS_NONCE_IN_SNI, "", err);
}

static atls_code hello(atls_link *link, atls_err *err)
{
    state *s = link->state;
    return atls_nonces_hello(link, &s->nonces, ATLS_NONCE_IN_SNI, err);
}

/* --- showing --- */

static const atls_constellation_variant *by_evidence(const atls_link *link)
{
    static const struct {
        const char *type, *variant;
    } usual[] = {
        {"dummy", "dummy"}, {"tpm", "qemu-vtpm"}, {"tdx", "qemu-tdx"}, {"snp-tpm", "gcp-sev-snp"}};
    const char *type = link->evidence.type;
    if (strcmp(type, "azure") == 0) {
        return named(atls_link_part(link, "td_quote").len > 0 ? "azure-tdx" : "azure-sev-snp");
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (strcmp(type, usual[i].type) == 0) {
            return named(usual[i].variant);
        }
    }
    return NULL;
}

/* A hardware report is over the extra data, a TPM's quote over the nonce that covers InstanceInfo too. */
static atls_code want(atls_link *link, const state *s, atls_err *err)
{
    memset(&link->wanted, 0, sizeof link->wanted);
    memcpy(link->wanted.wide, s->extra_data, sizeof s->extra_data);
    return atls_constellation_tpm_nonce((atls_buf){s->info, s->info_len}, s->extra_data,
                                        link->wanted.narrow, err);
}

static atls_code first_want(atls_link *link, state *s, atls_err *err)
{
    const char *option = atls_link_option(link, "variant", NULL);
    s->variant = option != NULL ? named(option) : NULL;
    if (option != NULL && s->variant == NULL) {
        return unknown("variant", err);
    }
    if (link->role == ATLS_CLIENT) {
        ATLS_TRY(atls_nonces_asked(link, &s->nonces, err));
    }
    if (!s->nonces.has_peer) {
        return ATLS_ERR(err, ATLS_E_BINDING, "nonce.missing",
                        "the peer sends no nonce for our evidence to repeat");
    }
    ATLS_TRY(atls_constellation_user_data(link->spki, s->user_data, err));
    ATLS_TRY(atls_constellation_extra_data(s->user_data, s->nonces.peer, s->extra_data, err));
    return want(link, s, err);
}

/* The first evidence says what InstanceInfo is; if it is anything, the quote has to be made anew, over it. */
static atls_code take_info(atls_link *link, state *s, atls_step *next, atls_err *err)
{
    if (s->variant == NULL) {
        s->variant = by_evidence(link);
    }
    if (s->variant == NULL || strcmp(s->variant->type, link->evidence.type) != 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "constellation.evidence",
                        "evidence of type %s cannot be shown as %s", link->evidence.type,
                        s->variant != NULL ? s->variant->name : "any variant");
    }
    ATLS_TRY(atls_constellation_instance_info(s->variant, link,
                                              atls_link_option(link, "instance-info", NULL),
                                              &s->info, &s->info_len, err));
    s->has_info = true;
    if (s->info_len > 0) {
        ATLS_TRY(want(link, s, err));
        atls_link_drop_evidence(link);
        *next = ATLS_STEP_EVIDENCE;
    }
    return ATLS_OK;
}

static atls_code make(atls_link *link, const state *s, atls_err *err)
{
    char *document = NULL;
    ATLS_TRY(atls_constellation_document_write(s->variant, link, (atls_buf){s->info, s->info_len},
                                               s->user_data, s->nonces.peer, &document, err));
    const atls_code rc = atls_nonce_certificate_make(
        link, "Constellation", (atls_buf){s->variant->oid, sizeof s->variant->oid},
        (atls_buf){(const uint8_t *)document, strlen(document)}, err);
    free(document);
    return rc;
}

static atls_code show(atls_link *link, atls_step *next, atls_err *err)
{
    state *s = link->state;
    *next = ATLS_STEP_DONE;
    if (!link->shows) {
        return atls_nonce_certificate_make(link, "Constellation", (atls_buf){NULL, 0},
                                           (atls_buf){NULL, 0}, err);
    }
    if (!link->has_evidence) {
        *next = ATLS_STEP_EVIDENCE;
        return s->has_info ? ATLS_OK : first_want(link, s, err);
    }
    if (!s->has_info) {
        ATLS_TRY(take_info(link, s, next, err));
    }
    return *next == ATLS_STEP_DONE ? make(link, s, err) : ATLS_OK;
}

/* --- judging --- */

static const void *takes(atls_buf oid, const void *arg)
{
    const char *list = arg;
    for (size_t i = 0; atls_constellation_variant_at(i) != NULL; i++) {
        const atls_constellation_variant *v = atls_constellation_variant_at(i);
        if (oid.len == sizeof v->oid && memcmp(oid.ptr, v->oid, oid.len) == 0) {
            return (list != NULL ? listed(list, v->name) : v->usual) ? v : NULL;
        }
    }
    return NULL;
}

static const void *any(atls_buf oid, const void *arg)
{
    (void)arg;
    for (size_t i = 0; atls_constellation_variant_at(i) != NULL; i++) {
        const atls_constellation_variant *v = atls_constellation_variant_at(i);
        if (oid.len == sizeof v->oid && memcmp(oid.ptr, v->oid, oid.len) == 0) {
            return v;
        }
    }
    return NULL;
}

static atls_code read(atls_link *link, const atls_carrier *c, const uint8_t nonce[ATLS_NONCE_LEN],
                      atls_err *err)
{
    atls_buf document;
    uint8_t user_data[32];
    const char *list = atls_link_option(link, "variants", NULL);
    const atls_constellation_variant *v = atls_nonce_extension(c, takes, list, &document);
    if (v == NULL) {
        const atls_constellation_variant *shown = atls_nonce_extension(c, any, NULL, &document);
        if (shown == NULL) {
            return ATLS_ERR(err, ATLS_E_POLICY, "session.no_evidence",
                            "the peer's certificate carries no evidence of constellation");
        }
        return ATLS_ERR(err, ATLS_E_POLICY, "constellation.variant",
                        "the peer shows evidence as %s, which is not among the variants taken",
                        shown->name);
    }
    ATLS_TRY(atls_constellation_user_data(c->spki, user_data, err));
    return atls_constellation_document_read(v, document, user_data, nonce, &link->carried, err);
}

static atls_code exchange(atls_link *link, atls_step *next, atls_err *err)
{
    const state *s = link->state;
    return atls_nonce_exchange(link, &s->nonces, read, next, err);
}

static void end(atls_link *link)
{
    state *s = link->state;
    free(s->info);
    s->info = NULL;
}

const atls_binding atls_binding_constellation = {
    .name = "constellation",
    .kind = ATLS_BINDING_HANDSHAKE,
    .line = "handshake (nonce + key): whoever has the peer's TLS key can relay its evidence",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn = {"http/1.1", "h2"},
    .alpn_optional = true,
    .tls12 = true,
    .alone = true,
    .in_certificate = true,
    .makes_certificate = true,
    .options = {"variant", "variants", "instance-info"},
    .state_size = sizeof(state),
    .context = check_options,
    .begin = begin,
    .hello = hello,
    .show = show,
    .exchange = exchange,
    .end = end,
};
