#include "verify/binding.h"

#include <string.h>

#include "base/hex.h"
#include "crypto/digest.h"

typedef struct comparing {
    const atls_claims *claims;
    const atls_expected *expected;
    atls_ledger *l;
} comparing;

static bool unverified(const comparing *c, const char *id)
{
    if (c->claims->tee == ATLS_TEE_NONE) {
        atls_ledger_skip(c->l, id, "the evidence's signatures did not verify");
        return true;
    }
    return false;
}

static void equal(const comparing *c, const char *id, atls_buf found, atls_buf wanted)
{
    if (atls_equal(found, wanted)) {
        atls_ledger_ok(c->l, id);
    } else {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING,
                         found.len > 0 ? atls_value_hex(found) : atls_value_text("nothing"),
                         wanted.len > 0 ? atls_value_hex(wanted) : atls_value_text("nothing"));
    }
}

/* The whole field, a shorter value padded with zeros at its end. */
static void equal_padded(const comparing *c, const char *id, atls_buf wanted)
{
    const atls_buf field = {c->claims->report_data, c->claims->report_data_len};
    uint8_t padded[64] = {0};
    if (wanted.len > 0 && wanted.len <= sizeof padded && field.len == sizeof padded) {
        memcpy(padded, wanted.ptr, wanted.len);
        equal(c, id, field, (atls_buf){padded, sizeof padded});
    } else {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_hex(field), atls_value_hex(wanted));
    }
}

static bool has_nonce_text(const atls_token_claims *token, const char *wanted)
{
    bool found = false;
    for (size_t i = 0; i < token->nonces_n; i++) {
        const char *own = token->nonces[i];
        found = atls_equal((atls_buf){(const uint8_t *)own, strlen(own)},
                           (atls_buf){(const uint8_t *)wanted, strlen(wanted)}) ||
                found;
    }
    return found;
}

static void nonce_text(const comparing *c, const char *id, const char *wanted)
{
    const atls_token_claims *token = &c->claims->as.token;
    if (c->claims->tee != ATLS_TEE_TOKEN) {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_text("evidence that is no token"),
                         atls_value_text("a token's nonce"));
    } else if (wanted[0] != '\0' && has_nonce_text(token, wanted)) {
        atls_ledger_ok(c->l, id);
    } else {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING,
                         token->nonces_n > 0 ? atls_value_note(c->l, token->nonces[0])
                                             : atls_value_text("none"),
                         atls_value_note(c->l, wanted));
    }
}

static void short_data(const comparing *c, const char *id, atls_buf found)
{
    if (!c->expected->has_short_data) {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_text("evidence without such a field"),
                         atls_value_text("a nonce: this evidence has no 64 bytes of report data"));
        return;
    }
    equal(c, id, found, (atls_buf){c->expected->short_data, sizeof c->expected->short_data});
}

static void token_data(const comparing *c, const char *id)
{
    char hex[2 * sizeof c->expected->short_data + 1];
    if (!c->expected->has_short_data) {
        short_data(c, id, (atls_buf){NULL, 0});
        return;
    }
    atls_hex_encode((atls_buf){c->expected->short_data, sizeof c->expected->short_data}, hex);
    nonce_text(c, id, hex);
}

static void nitro_data(const comparing *c, const char *id)
{
    const atls_nitro_claims *n = &c->claims->as.nitro;
    equal(c, id, n->nonce, (atls_buf){c->expected->report_data, sizeof c->expected->report_data});
    equal(c, "binding.public_key", n->public_key, c->expected->spki);
    if (!c->expected->has_user_data) { /* otherwise judged on its own */
        equal(c, "binding.user_data", n->user_data, (atls_buf){NULL, 0});
    }
}

static void judge_report_data(const comparing *c)
{
    static const char id[] = "binding.report_data";
    const atls_tpm_claims *tpm = &c->claims->tpm;
    if (unverified(c, id)) {
        return;
    }
    switch (c->claims->tee) {
    case ATLS_TEE_TPM:
    case ATLS_TEE_AZURE:
    case ATLS_TEE_SNP_TPM:
        short_data(c, id, (atls_buf){tpm->qualifying_data, tpm->qualifying_data_len});
        break;
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        nitro_data(c, id);
        break;
    case ATLS_TEE_TOKEN:
        token_data(c, id);
        break;
    default:
        equal_padded(c, id, (atls_buf){c->expected->report_data, sizeof c->expected->report_data});
        break;
    }
}

static void judge_nonce(const comparing *c)
{
    static const char id[] = "binding.nonce";
    const atls_tpm_claims *tpm = &c->claims->tpm;
    atls_buf wanted = {c->expected->nonce, c->expected->nonce_len};
    if (unverified(c, id)) {
        return;
    }
    if (wanted.len == 0) { /* an empty field is no nonce */
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_none(),
                         atls_value_text("a nonce of at least one byte"));
        return;
    }
    switch (c->claims->tee) {
    case ATLS_TEE_TPM:
    case ATLS_TEE_AZURE:
    case ATLS_TEE_SNP_TPM:
        equal(c, id, (atls_buf){tpm->qualifying_data, tpm->qualifying_data_len}, wanted);
        break;
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        equal(c, id, c->claims->as.nitro.nonce, wanted);
        break;
    case ATLS_TEE_TOKEN:
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_text("a token"),
                         atls_value_text("a nonce as text"));
        break;
    default:
        equal_padded(c, id, wanted);
        break;
    }
}

/* Who asks for a token of one issuer does not take other evidence in its place. */
static void judge_token_wanted(const comparing *c)
{
    if (c->claims->tee != ATLS_TEE_TOKEN && !unverified(c, "binding.token")) {
        atls_ledger_fail(c->l, "binding.token", ATLS_E_BINDING,
                         atls_value_text("evidence that is no token"),
                         atls_value_text("a token: an issuer or an audience was named"));
    }
}

/* --- what stands beside report data or a nonce --- */

static bool is_nitro(const atls_claims *claims)
{
    return claims->tee == ATLS_TEE_NITRO || claims->tee == ATLS_TEE_NITROTPM;
}

static void judge_user_data(const comparing *c)
{
    static const char id[] = "binding.user_data";
    const atls_buf wanted = {c->expected->user_data, sizeof c->expected->user_data};
    const atls_tpm_claims *tpm = &c->claims->tpm;
    if (unverified(c, id)) {
        return;
    }
    if (is_nitro(c->claims)) {
        equal(c, id, c->claims->as.nitro.user_data, wanted);
    } else if (c->claims->tee == ATLS_TEE_AZURE) {
        const size_t len = tpm->has_user_data ? sizeof tpm->user_data : 0;
        equal(c, id, (atls_buf){tpm->user_data, len}, wanted);
    } else {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_text("evidence without such a field"),
                         atls_value_hex(wanted));
    }
}

/* The other half of evidence that has two: in evidence of one half the field is that of report data. */
static void judge_hardware_data(const comparing *c)
{
    static const char id[] = "binding.hardware_data";
    const atls_buf wanted = {c->expected->hardware_data, sizeof c->expected->hardware_data};
    if (unverified(c, id)) {
        return;
    }
    if (atls_tee_is_composite(c->claims->tee)) {
        equal(c, id, (atls_buf){c->claims->report_data, c->claims->report_data_len}, wanted);
    } else {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING,
                         atls_value_text("no hardware report beside a TPM's quote"),
                         atls_value_hex(wanted));
    }
}

/* dstack's runtime events, of the register that applications extend. */
#define RUNTIME_RTMR 3

static const atls_event *last_event(const atls_event_claims *log, const char *name)
{
    const atls_event *last = NULL;
    for (size_t i = 0; i < log->n; i++) {
        const atls_event *e = &log->events[i];
        if (e->is_runtime && e->index == RUNTIME_RTMR && strcmp(e->name, name) == 0) {
            last = e;
        }
    }
    return last;
}

static bool replays(const atls_event_claims *log, uint32_t index)
{
    return (log->replayed >> index & 1u) != 0 && (log->differs >> index & 1u) == 0;
}

/* The last one: whoever extends the register again means the later word. */
static void judge_event(const comparing *c)
{
    static const char id[] = "binding.event";
    const atls_event_claims *log = &c->claims->log;
    if (unverified(c, id)) {
        return;
    }
    if (c->claims->tee != ATLS_TEE_TDX || !replays(log, RUNTIME_RTMR)) {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING,
                         atls_value_text("no event log that gives the quoted RTMR3"),
                         atls_value_note(c->l, c->expected->event));
        return;
    }
    const atls_event *e = last_event(log, c->expected->event);
    if (e == NULL) {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING, atls_value_text("no such event"),
                         atls_value_note(c->l, c->expected->event));
    } else if (!e->data_matches) {
        atls_ledger_fail(c->l, id, ATLS_E_BINDING,
                         atls_value_text("data that the event's digest does not cover"),
                         atls_value_hex(c->expected->event_data));
    } else {
        equal(c, id, e->data, c->expected->event_data);
    }
}

static void judge_beside(const comparing *c)
{
    if (c->expected->has_user_data) {
        judge_user_data(c);
    }
    if (c->expected->has_hardware_data) {
        judge_hardware_data(c);
    }
    if (c->expected->event != NULL) {
        judge_event(c);
    }
}

/* What a caller may take for the word of this connection. An event may be as old as its machine, and the hardware report
 * beside a TPM's quote as old as the quote is new: they bind nothing by themselves. A Nitro document is made with its
 * user data. */
static bool has_main(const comparing *c)
{
    const atls_expected *e = c->expected;
    return e->has_report_data || e->has_nonce || e->nonce_text != NULL ||
           (e->has_user_data && (is_nitro(c->claims) || c->claims->tee == ATLS_TEE_NONE));
}

static void judge_all(const comparing *c)
{
    if (c->expected->issuer != NULL || c->expected->audience != NULL) {
        judge_token_wanted(c);
    }
    if (c->expected->has_report_data) {
        judge_report_data(c);
    }
    if (c->expected->has_nonce) {
        judge_nonce(c);
    }
    if (c->expected->nonce_text != NULL && !unverified(c, "binding.nonce_text")) {
        nonce_text(c, "binding.nonce_text", c->expected->nonce_text);
    }
    judge_beside(c);
}

void atls_judge_binding(const atls_claims *claims, const atls_expected *expected, atls_ledger *l,
                        atls_binding_kind *kind, const char **freshness)
{
    if (expected == NULL) {
        return;
    }
    const comparing c = {claims, expected, l};
    size_t from = l->count;
    judge_all(&c);
    if (!has_main(&c) && expected->binding != ATLS_BINDING_NONE) {
        atls_ledger_fail(l, "binding.expected", ATLS_E_BINDING, atls_value_none(),
                         atls_value_text("report data or a nonce to compare with"));
    }
    if (l->count == from || !atls_ledger_all_ok(l, from)) {
        return;
    }
    *kind = expected->binding;
    bool live =
        expected->binding == ATLS_BINDING_SESSION || expected->binding == ATLS_BINDING_HANDSHAKE;
    *freshness = live                                                  ? "this connection"
                 : expected->has_nonce || expected->nonce_text != NULL ? "nonce"
                                                                       : "none";
}
