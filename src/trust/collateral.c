#include "trust/collateral.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"

typedef struct unwrapping {
    const json_t *object;
    uint8_t *space;
    size_t left; /* the JSON text is longer than everything in it together */
    atls_err *err;
} unwrapping;

/* Present: a string that is not empty. Anything but a string or null is refused. */
static atls_code member(const unwrapping *u, const char *name, atls_buf *text)
{
    const json_t *value = json_object_get(u->object, name);
    *text = (atls_buf){NULL, 0};
    if (value == NULL || json_is_null(value)) {
        return ATLS_OK;
    }
    if (!json_is_string(value)) {
        return ATLS_ERR(u->err, ATLS_E_INVALID, "collateral.member", "member %s is not a string",
                        name);
    }
    *text = (atls_buf){(const uint8_t *)json_string_value(value), json_string_length(value)};
    return ATLS_OK;
}

static void use(unwrapping *u, size_t len)
{
    u->space += len;
    u->left -= len;
}

static atls_buf keep(unwrapping *u, atls_buf bytes)
{
    memcpy(u->space, bytes.ptr, bytes.len);
    atls_buf kept = {u->space, bytes.len};
    use(u, bytes.len);
    return kept;
}

/* --- parts: each takes its text, and tells whether it could be read; no text is no part --- */

static void keep_chain(unwrapping *u, atls_buf text, atls_collateral_chain *out)
{
    out->present = text.len > 0;
    if (!out->present || text.len > u->left) {
        return;
    }
    /* DER never stands in JSON: whatever is not PEM is unreadable. */
    out->readable =
        text.ptr[0] != 0x30 && atls_cert_split(text, u->space, u->left, out->ders, ATLS_CHAIN_MAX,
                                               &out->n, NULL) == ATLS_OK;
    if (out->readable) {
        use(u, text.len);
    }
}

static void keep_text(unwrapping *u, atls_buf text, atls_collateral_item *out)
{
    out->present = text.len > 0;
    out->readable = out->present && text.len <= ATLS_SIGNED_TEXT_MAX && text.len <= u->left;
    if (out->readable) {
        out->bytes = keep(u, text);
    }
}

static void keep_signature(unwrapping *u, atls_buf text, atls_collateral_item *out)
{
    uint8_t rs[64];
    size_t len = 0;
    out->present = text.len > 0;
    out->readable = out->present && u->left >= sizeof rs &&
                    atls_hex_decode((const char *)text.ptr, text.len, rs, sizeof rs, &len) &&
                    len == sizeof rs;
    if (out->readable) {
        out->bytes = keep(u, (atls_buf){rs, sizeof rs});
    }
}

/* --- the same as members of the contract's object --- */

static atls_code take_chain(unwrapping *u, const char *name, atls_collateral_chain *out)
{
    atls_buf text;
    ATLS_TRY(member(u, name, &text));
    keep_chain(u, text, out);
    return ATLS_OK;
}

static atls_code take_crl(unwrapping *u, const char *name, atls_collateral_item *out)
{
    atls_buf text;
    ATLS_TRY(member(u, name, &text));
    out->present = text.len > 0;
    if (!out->present || text.len > u->left) {
        return ATLS_OK;
    }
    out->readable =
        text.ptr[0] != 0x30 && atls_crl_decode(text, u->space, &out->bytes, NULL) == ATLS_OK;
    if (out->readable) {
        use(u, text.len);
    }
    return ATLS_OK;
}

static atls_code take_text(unwrapping *u, const char *name, atls_collateral_item *out)
{
    atls_buf text;
    ATLS_TRY(member(u, name, &text));
    keep_text(u, text, out);
    return ATLS_OK;
}

static atls_code take_signature(unwrapping *u, const char *name, atls_collateral_item *out)
{
    atls_buf text;
    ATLS_TRY(member(u, name, &text));
    keep_signature(u, text, out);
    return ATLS_OK;
}

static void take_age(atls_collateral *c, const json_t *info)
{
    const json_int_t number = json_integer_value(json_object_get(info, "tcbEvaluationDataNumber"));
    const json_t *issued = json_object_get(info, "issueDate");
    c->hint_number = number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
    if (!json_is_string(issued) ||
        !atls_time_parse(json_string_value(issued), json_string_length(issued),
                         &c->hint_issued_s)) {
        c->hint_issued_s = INT64_MIN;
    }
}

static atls_code take_hint(atls_collateral *c, atls_err *err)
{
    json_t *info = NULL;
    if (!c->tcb_info.readable) {
        return ATLS_OK;
    }
    atls_code rc =
        atls_json_parse(c->tcb_info.bytes, ATLS_SIGNED_TEXT_MAX, "collateral.json", &info, NULL);
    if (rc != ATLS_OK) { /* what is malformed is judged later */
        return rc == ATLS_E_SYSTEM ? ATLS_ERR_NOMEM(err) : ATLS_OK;
    }
    const char *id =
        json_string_value(json_object_get(info, "id")); /* version 2 has none, and is SGX */
    const json_t *fmspc = json_object_get(info, "fmspc");
    size_t len = 0;
    if (json_is_string(fmspc) &&
        atls_hex_decode(json_string_value(fmspc), json_string_length(fmspc), c->hint_fmspc,
                        sizeof c->hint_fmspc, &len)) {
        c->has_hint = len == sizeof c->hint_fmspc;
        c->hint_tdx = id != NULL && strcmp(id, "TDX") == 0;
        take_age(c, info);
    }
    json_decref(info);
    return ATLS_OK;
}

static atls_code unwrap(unwrapping *u, atls_collateral *c)
{
    ATLS_TRY(take_text(u, "tcb_info", &c->tcb_info));
    ATLS_TRY(take_text(u, "qe_identity", &c->qe_identity));
    ATLS_TRY(take_signature(u, "tcb_info_signature", &c->tcb_info_signature));
    ATLS_TRY(take_signature(u, "qe_identity_signature", &c->qe_identity_signature));
    ATLS_TRY(take_crl(u, "root_ca_crl", &c->root_crl));
    ATLS_TRY(take_crl(u, "pck_crl", &c->pck_crl));
    ATLS_TRY(take_chain(u, "pck_crl_issuer_chain", &c->pck_crl_chain));
    ATLS_TRY(take_chain(u, "tcb_info_issuer_chain", &c->tcb_info_chain));
    ATLS_TRY(take_chain(u, "qe_identity_issuer_chain", &c->qe_identity_chain));
    ATLS_TRY(take_chain(u, "pck_certificate_chain", &c->pck_chain));
    bool any = c->tcb_info.present || c->qe_identity.present || c->root_crl.present ||
               c->pck_crl.present || c->pck_chain.present;
    return any ? ATLS_OK
               : ATLS_ERR(u->err, ATLS_E_INVALID, "collateral.member",
                          "a JSON object without any member of Intel's collateral");
}

atls_code atls_collateral_parse(atls_buf json, atls_collateral **out, atls_err *err)
{
    json_t *object = NULL;
    ATLS_TRY(atls_json_parse(json, ATLS_COLLATERAL_MAX_LEN, "collateral.json", &object, err));
    atls_collateral *c = NULL;
    atls_code rc = ATLS_OK;
    if (!json_is_object(object)) {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "collateral.json",
                      "an array, where one JSON object is wanted");
    } else if ((c = calloc(1, sizeof *c + json.len)) == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    } else {
        atomic_init(&c->refs, 1);
        unwrapping u = {object, c->space, json.len, err};
        rc = unwrap(&u, c);
        rc = rc == ATLS_OK ? take_hint(c, err) : rc;
    }
    json_decref(object);
    if (rc != ATLS_OK) {
        free(c);
        return rc;
    }
    *out = c;
    return ATLS_OK;
}

atls_collateral *atls_collateral_up_ref(const atls_collateral *collateral)
{
    atls_collateral *c;
    memcpy(&c, &collateral, sizeof c); /* only the count changes */
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void atls_collateral_free(atls_collateral *collateral)
{
    if (collateral != NULL &&
        atomic_fetch_sub_explicit(&collateral->refs, 1, memory_order_acq_rel) == 1) {
        free(collateral);
    }
}

/* The value of "tcbInfo" or "enclaveIdentity", as it was signed, and the digits of "signature". */
static void keep_body(unwrapping *u, atls_buf body, const char *name, atls_collateral_item *text,
                      atls_collateral_item *signature)
{
    atls_buf value = {NULL, 0};
    atls_buf quoted = {NULL, 0};
    text->present = signature->present = body.len > 0;
    if (atls_json_member_bytes(body, name, &value)) {
        keep_text(u, value, text);
    }
    if (atls_json_member_bytes(body, "signature", &quoted) && quoted.len > 2 &&
        quoted.ptr[0] == '"') {
        keep_signature(u, (atls_buf){quoted.ptr + 1, quoted.len - 2}, signature);
    }
}

static void keep_der(unwrapping *u, atls_buf der, atls_collateral_item *out)
{
    out->present = out->readable = der.len > 0;
    if (out->present) {
        out->bytes = keep(u, der);
    }
}

atls_code atls_collateral_of_parts(const atls_collateral_parts *parts, atls_collateral **out,
                                   atls_err *err)
{
    const size_t size = parts->tcb_info.len + parts->tcb_info_chain.len + parts->qe_identity.len +
                        parts->qe_identity_chain.len + parts->pck_crl.len +
                        parts->pck_crl_chain.len + parts->root_crl.len;
    atls_collateral *c = calloc(1, sizeof *c + size);
    if (c == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atomic_init(&c->refs, 1);
    unwrapping u = {NULL, c->space, size, err};
    keep_body(&u, parts->tcb_info, "tcbInfo", &c->tcb_info, &c->tcb_info_signature);
    keep_chain(&u, parts->tcb_info_chain, &c->tcb_info_chain);
    keep_body(&u, parts->qe_identity, "enclaveIdentity", &c->qe_identity,
              &c->qe_identity_signature);
    keep_chain(&u, parts->qe_identity_chain, &c->qe_identity_chain);
    keep_der(&u, parts->pck_crl, &c->pck_crl);
    keep_chain(&u, parts->pck_crl_chain, &c->pck_crl_chain);
    keep_der(&u, parts->root_crl, &c->root_crl);
    const atls_code rc = take_hint(c, err);
    if (rc != ATLS_OK) {
        free(c);
        return rc;
    }
    *out = c;
    return ATLS_OK;
}

bool atls_collateral_newer(const atls_collateral *a, const atls_collateral *b)
{
    return a->hint_number != b->hint_number ? a->hint_number > b->hint_number
                                            : a->hint_issued_s > b->hint_issued_s;
}

bool atls_collateral_same_chain(const atls_collateral_chain *a, const atls_collateral_chain *b)
{
    if (!a->readable || !b->readable || a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (a->ders[i].len != b->ders[i].len ||
            memcmp(a->ders[i].ptr, b->ders[i].ptr, a->ders[i].len) != 0) {
            return false;
        }
    }
    return true;
}

bool atls_collateral_has_crl_of(const atls_collateral *c, atls_buf name)
{
    if (name.len == 0 || !c->pck_crl.readable) {
        return false;
    }
    /* The name stands in the list as it stands in the certificate. A hint, no judgement. */
    size_t end = c->pck_crl.bytes.len < 512 ? c->pck_crl.bytes.len : 512;
    for (size_t i = 0; i + name.len <= end; i++) {
        if (memcmp(c->pck_crl.bytes.ptr + i, name.ptr, name.len) == 0) {
            return true;
        }
    }
    return false;
}

bool atls_collateral_fits(const atls_collateral *c, bool is_tdx, const uint8_t *fmspc)
{
    const bool same_kind = fmspc == NULL ? c->pck_chain.present
                                         : memcmp(c->hint_fmspc, fmspc, sizeof c->hint_fmspc) == 0;
    return c->has_hint && c->hint_tdx == is_tdx && same_kind;
}
