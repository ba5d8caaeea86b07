/* certificate.c: a certificate that carries evidence, as a file: no connection, no PKI. Each check of the certificate is an
 * entry of its own, so that a broken signature hides nothing of what else is wrong. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "binding/certificate.h"
#include "crypto/pem.h"
#include "verify/verify.h"

#define DEFAULT_BINDINGS "ra-tls"
#define BINDINGS_MAX     16

typedef struct certificate_case {
    const atls_binding *bindings[BINDINGS_MAX];
    size_t bindings_n;
    const atls_expected *expected; /* the caller's; NULL: nothing */
    atls_carrier carrier;
    atls_carried carried;
    const atls_binding *found;
    char nonce[2 * ATLS_NONCE_MAX + 1]; /* hex */
    bool nonce_given;                   /* to the dialect, which compares it */
} certificate_case;

/* --- which dialects --- */

static atls_code add_binding(certificate_case *c, atls_buf name, atls_err *err)
{
    const atls_binding *b = atls_binding_find(name);
    if (b == NULL || b->read_certificate == NULL || c->bindings_n == BINDINGS_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "usage.binding",
                        "\"%.*s\" is no dialect whose certificates carry evidence",
                        (int)(name.len < 40 ? name.len : 40), (const char *)name.ptr);
    }
    c->bindings[c->bindings_n++] = b;
    return ATLS_OK;
}

static atls_code take_bindings(certificate_case *c, const char *names, atls_err *err)
{
    const char *at = names != NULL ? names : DEFAULT_BINDINGS;
    for (;;) {
        const size_t len = strcspn(at, ",");
        ATLS_TRY(add_binding(c, (atls_buf){(const uint8_t *)at, len}, err));
        if (at[len] == '\0') {
            return ATLS_OK;
        }
        at += len + 1;
    }
}

/* --- the certificate itself --- */

static void enter(atls_ledger *l, const char *id, atls_code rc, const atls_err *err)
{
    if (rc == ATLS_OK) {
        atls_ledger_ok(l, id);
    } else if (rc == ATLS_E_SYSTEM) {
        atls_ledger_no_memory(l);
    } else {
        atls_ledger_fail_err(l, err);
    }
}

static bool take_certificate(certificate_case *c, atls_buf bytes, uint8_t *space, atls_ledger *l)
{
    atls_err err = {0};
    atls_buf der = bytes;
    atls_buf text = bytes;
    size_t used = 0;
    if (atls_pem_looks(bytes) &&
        !atls_pem_next(&text, "CERTIFICATE", space, bytes.len, &used, &der)) {
        atls_ledger_fail(l, "certificate.malformed", ATLS_E_INVALID,
                         atls_value_text("PEM that is not of a certificate"),
                         atls_value_text("one certificate"));
        return false;
    }
    const atls_code rc = atls_carrier_parse(der, &c->carrier, &err);
    enter(l, "certificate.malformed", rc, &err);
    return rc == ATLS_OK;
}

static void judge_carrier(const certificate_case *c, int64_t when_s, atls_ledger *l)
{
    const atls_binding *b = c->found;
    atls_err err = {0};
    enter(l, "certificate.signature", atls_carrier_check_signature(&c->carrier, &err), &err);
    enter(l, "certificate.time", atls_carrier_check_time(&c->carrier, when_s, &err), &err);
    enter(l, "certificate.critical",
          atls_carrier_check_critical(&c->carrier, b != NULL ? b->critical : NULL,
                                      b != NULL ? b->critical_n : 0, &err),
          &err);
}

/* --- the evidence in it --- */

/* The first dialect that finds something decides, whether it is good or not: there is no falling back. */
static bool read_evidence(certificate_case *c, atls_ledger *l)
{
    bool found = false;
    for (size_t i = 0; i < c->bindings_n && !found; i++) {
        const atls_binding *b = c->bindings[i];
        atls_err err = {0};
        const bool takes_nonce = c->nonce[0] != '\0' && atls_binding_has_option(b, "nonce");
        const atls_binding_option nonce = {"nonce", c->nonce};
        const atls_code rc = b->read_certificate(&c->carrier, &nonce, takes_nonce ? 1 : 0,
                                                 &c->carried, &found, &err);
        if (rc != ATLS_OK || found) {
            c->found = b;
            c->nonce_given = takes_nonce;
        }
        if (rc != ATLS_OK) {
            enter(l, "certificate.evidence", rc, &err);
            return false;
        }
    }
    if (!found) {
        atls_ledger_fail(l, "certificate.evidence", ATLS_E_INVALID,
                         atls_value_text("a certificate without evidence of these dialects"),
                         atls_value_text("an extension with evidence"));
        return false;
    }
    atls_ledger_ok_found(l, "certificate.evidence", atls_value_text(c->found->name));
    return true;
}

/* Where both want something of one field, it has to be the same: the evidence is compared with one of them. */
static void want_same(atls_ledger *l, const char *id, atls_buf own, atls_buf callers)
{
    if (!atls_equal(own, callers)) {
        atls_ledger_fail(l, id, ATLS_E_BINDING, atls_value_hex(own), atls_value_hex(callers));
    }
}

/* The caller's 64 bytes, unless the certificate's dialect wants that field itself. */
static void merge_field(atls_ledger *l, const char *id, bool wanted, const uint8_t callers[64],
                        bool *has, uint8_t own[64])
{
    if (wanted && *has) {
        want_same(l, id, (atls_buf){own, 64}, (atls_buf){callers, 64});
    } else if (wanted) {
        *has = true;
        memcpy(own, callers, 64);
    }
}

static void merge_nonce(const certificate_case *c, atls_expected *out, atls_ledger *l)
{
    const atls_expected *caller = c->expected;
    if (!caller->has_nonce || c->nonce_given) {
        return;
    }
    if (out->has_nonce) {
        want_same(l, "binding.nonce", (atls_buf){out->nonce, out->nonce_len},
                  (atls_buf){caller->nonce, caller->nonce_len});
        return;
    }
    out->has_nonce = true;
    memcpy(out->nonce, caller->nonce, sizeof out->nonce);
    out->nonce_len = caller->nonce_len;
}

static atls_buf bytes_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void merge_texts(const atls_expected *caller, atls_expected *out, atls_ledger *l)
{
    if (caller->nonce_text != NULL && out->nonce_text != NULL) {
        want_same(l, "binding.nonce_text", bytes_of(out->nonce_text), bytes_of(caller->nonce_text));
    } else if (caller->nonce_text != NULL) {
        out->nonce_text = caller->nonce_text;
    }
    if (caller->event != NULL && out->event != NULL) {
        want_same(l, "binding.event", bytes_of(out->event), bytes_of(caller->event));
        want_same(l, "binding.event", out->event_data, caller->event_data);
    } else if (caller->event != NULL) {
        out->event = caller->event;
        out->event_data = caller->event_data;
    }
}

/* What the certificate has to say of its key, and all that the caller wants beside. */
static void merge(const certificate_case *c, atls_expected *out, atls_ledger *l)
{
    const atls_expected *caller = c->expected;
    *out = c->carried.expected;
    out->binding = ATLS_BINDING_KEY_ONLY;
    out->binding_name = c->found->name;
    out->binding_line = c->found->line;
    if (caller == NULL) {
        return;
    }
    merge_field(l, "binding.report_data", caller->has_report_data, caller->report_data,
                &out->has_report_data, out->report_data);
    merge_field(l, "binding.hardware_data", caller->has_hardware_data, caller->hardware_data,
                &out->has_hardware_data, out->hardware_data);
    merge_field(l, "binding.user_data", caller->has_user_data, caller->user_data,
                &out->has_user_data, out->user_data);
    merge_nonce(c, out, l);
    merge_texts(caller, out, l);
    if (caller->has_short_data && !out->has_short_data) {
        out->has_short_data = true;
        memcpy(out->short_data, caller->short_data, sizeof out->short_data);
    }
    out->spki = out->spki.len > 0 ? out->spki : caller->spki;
    out->issuer = caller->issuer;
    out->audience = caller->audience;
    out->has_leeway = caller->has_leeway;
    out->leeway_s = caller->leeway_s;
    out->has_since = caller->has_since;
    out->since_s = caller->since_s;
    out->pki_name = caller->pki_name;
}

static void judge(certificate_case *c, const atls_verifier *v, atls_buf certificate, uint8_t *space,
                  atls_verdict *r)
{
    if (!take_certificate(c, certificate, space, &r->ledger)) {
        return;
    }
    const bool readable = read_evidence(c, &r->ledger);
    judge_carrier(c, r->at_s, &r->ledger);
    if (readable) {
        atls_expected expected;
        merge(c, &expected, &r->ledger);
        atls_verification_judge(v, &c->carried.evidence, &expected, r);
    }
}

atls_verdict *atls_verifier_check_certificate(const atls_verifier *v, atls_buf certificate,
                                              const char *bindings, const atls_expected *expected,
                                              int64_t when_s, atls_err *err)
{
    certificate_case c = {.expected = expected};
    if (take_bindings(&c, bindings, err) != ATLS_OK) {
        return NULL;
    }
    atls_verdict *r = atls_verification_begin(v, when_s, err);
    uint8_t *space = malloc(certificate.len <= ATLS_CARRIER_MAX_LEN ? certificate.len + 1 : 1);
    if (r == NULL || space == NULL) {
        atls_verdict_free(r);
        free(space);
        (void)ATLS_ERR_NOMEM(err);
        return NULL;
    }
    if (expected != NULL && expected->has_nonce) {
        atls_hex_encode((atls_buf){expected->nonce, expected->nonce_len}, c.nonce);
    }
    if (certificate.len > ATLS_CARRIER_MAX_LEN) {
        atls_ledger_fail(&r->ledger, "certificate.malformed", ATLS_E_INVALID,
                         atls_value_uint(certificate.len), atls_value_text("at most 1 MiB"));
    } else {
        judge(&c, v, certificate, space, r);
    }
    r = atls_verification_end(r, err);
    atls_carried_clear(&c.carried);
    atls_carrier_clear(&c.carrier);
    free(space);
    return r;
}
