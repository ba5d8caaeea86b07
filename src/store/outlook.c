/* outlook.c: one platform under today's TCB data and under the early ones. */
#include <atls/outlook.h>

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"
#include "crypto/cert.h"
#include "evidence/dcap/quote.h"
#include "trust/pck.h"
#include "trust/pck_item.h"

#define QE_ID_LEN     16
#define MISSING       "outlook.missing"
#define MODULE_REMEDY "update the SEAM module (TDX module)"

/* Intel's data of one channel. */
typedef struct channel {
    atls_held *tcb, *qe;
    atls_tcb_info *info;
    atls_qe_identity *identity;
    atls_buf text; /* of the TCB info; lent by tcb */
    atls_item_status status;
} channel;

typedef struct platform {
    bool is_tdx;
    uint8_t fmspc[6];
    atls_pck_svn svn;
    atls_td_svn td;
    uint32_t qe_isvsvn;
} platform;

static void channel_clear(channel *c)
{
    atls_tcb_info_free(c->info);
    atls_qe_identity_free(c->identity);
    atls_held_free(c->tcb);
    atls_held_free(c->qe);
}

static atls_code hold(const atls_store *store, const char *key, atls_held **out, atls_err *err)
{
    return atls_store_get(store, key, out)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_COLLATERAL, MISSING,
                          "the store has no %s; `atls collateral fetch --early` gets it", key);
}

/* The value of that member, as it was signed. */
static atls_code inner_text(const atls_held *held, const char *member, atls_buf *text,
                            atls_err *err)
{
    atls_item item;
    atls_held_item(held, &item);
    return atls_json_member_bytes(item.body, member, text)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_COLLATERAL, MISSING, "%s has no member %s", item.key, member);
}

static atls_code channel_open(const atls_store *store, const platform *p, bool early, channel *c,
                              atls_err *err)
{
    const char *tee = p->is_tdx ? "tdx" : "sgx";
    const char *end = early ? "/early" : "";
    char key[ATLS_ITEM_KEY_LEN];
    atls_buf identity;
    (void)snprintf(key, sizeof key, "intel/tcb/%s/%02x%02x%02x%02x%02x%02x%s", tee, p->fmspc[0],
                   p->fmspc[1], p->fmspc[2], p->fmspc[3], p->fmspc[4], p->fmspc[5], end);
    ATLS_TRY(hold(store, key, &c->tcb, err));
    (void)snprintf(key, sizeof key, "intel/qe/%s%s", tee, end);
    ATLS_TRY(hold(store, key, &c->qe, err));
    atls_held_status(c->tcb, &c->status);
    ATLS_TRY(inner_text(c->tcb, "tcbInfo", &c->text, err));
    ATLS_TRY(inner_text(c->qe, "enclaveIdentity", &identity, err));
    ATLS_TRY(atls_tcb_info_parse(c->text, &c->info, err));
    return atls_qe_identity_parse(identity, &c->identity, err);
}

/* --- shortfalls --- */

static void add(atls_outlook *o, const char *component, uint32_t is, uint32_t needs,
                const char *remedy)
{
    if (is >= needs || o->shortfalls_n == ATLS_SHORTFALLS_MAX) {
        return;
    }
    atls_shortfall *s = &o->shortfalls[o->shortfalls_n++];
    (void)snprintf(s->component, sizeof s->component, "%s", component);
    s->is = is;
    s->needs = needs;
    (void)snprintf(s->remedy, sizeof s->remedy, "%s", remedy);
}

static const char *remedy_of(const char *category, const char *type)
{
    if (strstr(type, "TDX Module") != NULL || strstr(type, "SEAM") != NULL) {
        return MODULE_REMEDY;
    }
    if (type[0] == '\0') {
        return "update the BIOS, with microcode and modules";
    }
    if (strstr(type, "Microcode") != NULL && strcmp(category, "BIOS") != 0) {
        return "load newer microcode (OS package), or update the BIOS";
    }
    if (strcmp(category, "OS/VMM") == 0) {
        return "update what the OS or VMM loads at start";
    }
    return "update the BIOS, which brings microcode";
}

/* Names stand in the data itself, the same in every level; "" where there are none. */
static const char *component_text(const json_t *text, const char *list, size_t i, const char *name)
{
    const json_t *level = json_array_get(json_object_get(text, "tcbLevels"), 0);
    const json_t *component =
        json_array_get(json_object_get(json_object_get(level, "tcb"), list), i);
    const char *value = json_string_value(json_object_get(component, name));
    return value != NULL ? value : "";
}

static void add_component(atls_outlook *o, const json_t *text, const char *tee, size_t i,
                          uint32_t is, uint32_t needs)
{
    const char *list = strcmp(tee, "TDX") == 0 ? "tdxtcbcomponents" : "sgxtcbcomponents";
    const char *category = component_text(text, list, i, "category");
    const char *type = component_text(text, list, i, "type");
    char name[96];
    (void)snprintf(name, sizeof name, "%s component %zu%s%.28s%s%.36s%s", tee, i + 1,
                   category[0] != '\0' ? " (" : "", category, type[0] != '\0' ? ", " : "", type,
                   category[0] != '\0' ? ")" : "");
    add(o, name, is, needs, remedy_of(category, type));
}

/* The newest level that is in order. NULL: there is none. */
static const atls_tcb_info_level *newest(const atls_tcb_info *info)
{
    for (size_t i = 0; i < info->levels_n; i++) {
        if (info->levels[i].status == ATLS_TCB_UP_TO_DATE) {
            return &info->levels[i];
        }
    }
    return NULL;
}

static const atls_isv_level *newest_isv(const atls_isv_level *levels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (levels[i].status == ATLS_TCB_UP_TO_DATE) {
            return &levels[i];
        }
    }
    return NULL;
}

static void add_components(atls_outlook *o, const platform *p, const channel *early)
{
    const atls_tcb_info_level *level = newest(early->info);
    json_t *text = NULL;
    if (level == NULL ||
        atls_json_parse(early->text, ATLS_ITEM_BODY_MAX, MISSING, &text, NULL) != ATLS_OK) {
        return;
    }
    for (size_t i = 0; i < 16; i++) {
        add_component(o, text, "SGX", i, p->svn.sgx[i], level->sgx[i]);
    }
    add(o, "PCE SVN", p->svn.pcesvn, level->pcesvn, "update Intel's PCE (SGX platform software)");
    /* From module version 1 on the first two are the module's business. */
    for (size_t i = p->td.tee_tcb_svn[1] > 0 ? 2 : 0; p->is_tdx && i < 16; i++) {
        add_component(o, text, "TDX", i, p->td.tee_tcb_svn[i], level->tdx[i]);
    }
    json_decref(text);
}

static void add_shortfalls(atls_outlook *o, const platform *p, const channel *early)
{
    const atls_module_identity *module = NULL;
    const atls_isv_level *level;
    add_components(o, p, early);
    if (p->is_tdx && atls_module_find(early->info, p->td.tee_tcb_svn, &module) && module != NULL &&
        (level = newest_isv(module->levels, module->levels_n)) != NULL) {
        add(o, "TDX module ISV SVN", p->td.tee_tcb_svn[0], level->isvsvn, MODULE_REMEDY);
    }
    level = newest_isv(early->identity->levels, early->identity->levels_n);
    if (level != NULL) {
        add(o, "quoting enclave ISV SVN", p->qe_isvsvn, level->isvsvn,
            "update Intel's quoting enclave (SGX platform software)");
    }
}

/* --- the comparison --- */

static const char *match(const platform *p, const channel *c, atls_tcb_claims *claims)
{
    const atls_match_error e = atls_tcb_match(
        c->info, c->identity, &p->svn, p->is_tdx ? &p->td : NULL, (uint16_t)p->qe_isvsvn, claims);
    return e == ATLS_MATCH_OK ? atls_tcb_status_name(claims->status) : NULL;
}

static void add_advisories(atls_outlook *o, const atls_tcb_level *level)
{
    for (size_t i = 0; level->present && i < level->advisories_n; i++) {
        const size_t used = strlen(o->advisories);
        if (strstr(o->advisories, level->advisories[i]) == NULL) {
            (void)snprintf(o->advisories + used, sizeof o->advisories - used, "%s%s",
                           used > 0 ? " " : "", level->advisories[i]);
        }
    }
}

static void compare(const platform *p, const channel *now, const channel *early, atls_outlook *o)
{
    atls_tcb_claims claims = {0};
    o->now = match(p, now, &claims);
    o->now_number = now->info->evaluation_number;
    memset(&claims, 0, sizeof claims);
    o->early = match(p, early, &claims);
    o->early_number = early->info->evaluation_number;
    o->early_issued_s = early->info->issue_date_s;
    o->not_before_s = now->info->next_update_s;
    o->will_fail = o->early == NULL || claims.status != ATLS_TCB_UP_TO_DATE;
    if (o->will_fail) {
        add_advisories(o, &claims.platform);
        add_advisories(o, &claims.module);
        add_advisories(o, &claims.qe);
        add_shortfalls(o, p, early);
    }
}

static void name_platform(const platform *p, atls_outlook *o)
{
    (void)snprintf(o->tee, sizeof o->tee, "%s", p->is_tdx ? "tdx" : "sgx");
    for (size_t i = 0; i < sizeof p->fmspc; i++) {
        (void)snprintf(o->fmspc + 2 * i, 3, "%02x", p->fmspc[i]);
    }
}

/* The leaf among these certificates: the one with Intel's extension. */
static atls_code read_extension(atls_buf pem, atls_pck_extension *out, atls_err *err)
{
    uint8_t space[ATLS_ITEM_CHAIN_MAX];
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    if (pem.len == 0 ||
        atls_cert_split(pem, space, sizeof space, ders, ATLS_CHAIN_MAX, &n, NULL) != ATLS_OK) {
        return ATLS_ERR(err, ATLS_E_INVALID, "outlook.evidence",
                        "there is no PCK certificate in the quote, nor in the store for it: fetch "
                        "it, or give --fmspc instead");
    }
    for (size_t i = 0; i < n; i++) {
        atls_cert *cert = NULL;
        const bool read =
            atls_cert_parse(ders[i], &cert, NULL) == ATLS_OK && cert->sgx_extension.len > 0;
        const atls_code rc =
            read ? atls_pck_extension_parse(cert->sgx_extension, out, err) : ATLS_OK;
        atls_cert_free(cert);
        if (read) {
            return rc;
        }
    }
    return ATLS_ERR(err, ATLS_E_INVALID, "outlook.evidence",
                    "no certificate in the quote has Intel's SGX extension");
}

/* Of the certificate in the quote, or of the one that it names, if the store has that. */
static atls_code read_pck(const atls_store *store, const atls_quote *q, atls_pck_extension *out,
                          atls_err *err)
{
    const atls_buf qe_id = {q->user_data.ptr, QE_ID_LEN};
    atls_buf pem = q->certification_data;
    atls_held *held = NULL;
    atls_item_name name;
    atls_item item;
    char key[ATLS_ITEM_KEY_LEN];
    if (atls_pck_item_name(q->certification_type, q->certification_data, qe_id, &name)) {
        atls_item_name_format(&name, key);
        pem = (atls_buf){NULL, 0};
        if (atls_store_get(store, key, &held)) {
            atls_held_item(held, &item);
            pem = item.body;
        }
    }
    const atls_code rc = read_extension(pem, out, err);
    atls_held_free(held);
    return rc;
}

static atls_code read_quote(const atls_store *store, const atls_evidence *evidence, platform *p,
                            char ppid[33], atls_err *err)
{
    atls_quote q;
    atls_pck_extension ext;
    if (evidence->parts_n == 0 || atls_quote_parse(evidence->parts[0].bytes, &q, NULL) != ATLS_OK) {
        return ATLS_ERR(err, ATLS_E_INVALID, "outlook.evidence", "that is no SGX or TDX quote");
    }
    ATLS_TRY(read_pck(store, &q, &ext, err));
    *p = (platform){.is_tdx = q.is_tdx, .svn = ext.svn, .qe_isvsvn = q.qe_report.isvsvn};
    memcpy(p->fmspc, ext.fmspc, sizeof p->fmspc);
    if (q.is_tdx) {
        memcpy(p->td.tee_tcb_svn, q.td.tee_tcb_svn.ptr, sizeof p->td.tee_tcb_svn);
        p->td.is_1_5 = q.td.is_1_5;
        if (q.td.is_1_5) {
            memcpy(p->td.tee_tcb_svn2, q.td.tee_tcb_svn2.ptr, sizeof p->td.tee_tcb_svn2);
        }
    }
    for (size_t i = 0; i < sizeof ext.ppid; i++) {
        (void)snprintf(ppid + 2 * i, 3, "%02x", ext.ppid[i]);
    }
    return ATLS_OK;
}

atls_code atls_store_outlook(const atls_store *store, const atls_evidence *quote, atls_outlook *out,
                             atls_err *err)
{
    platform p;
    channel now = {0};
    channel early = {0};
    atls_outlook o = {0};
    ATLS_TRY(read_quote(store, quote, &p, o.platform, err));
    atls_code rc = channel_open(store, &p, false, &now, err);
    rc = rc == ATLS_OK ? channel_open(store, &p, true, &early, err) : rc;
    if (rc == ATLS_OK) {
        name_platform(&p, &o);
        compare(&p, &now, &early, &o);
        *out = o;
    }
    channel_clear(&now);
    channel_clear(&early);
    return rc;
}

/* Everything at today's newest: what an operator has who has done all there is to do. */
static void ideal(const channel *now, platform *p)
{
    const atls_tcb_info_level *good = newest(now->info);
    const atls_tcb_info_level *level = good != NULL ? good : &now->info->levels[0];
    const atls_isv_level *qe = newest_isv(now->identity->levels, now->identity->levels_n);
    memcpy(p->svn.sgx, level->sgx, sizeof p->svn.sgx);
    p->svn.pcesvn = level->pcesvn;
    p->qe_isvsvn = qe != NULL ? qe->isvsvn : now->identity->levels[0].isvsvn;
    memcpy(p->td.tee_tcb_svn, level->tdx, sizeof p->td.tee_tcb_svn);
    for (size_t i = 0; p->is_tdx && i < now->info->identities_n; i++) { /* the newest module */
        const atls_module_identity *m = &now->info->identities[i];
        const atls_isv_level *module = newest_isv(m->levels, m->levels_n);
        if (module != NULL && m->version >= p->td.tee_tcb_svn[1]) {
            p->td.tee_tcb_svn[1] = m->version;
            p->td.tee_tcb_svn[0] = (uint8_t)(module->isvsvn < 255 ? module->isvsvn : 255);
        }
    }
}

atls_code atls_store_outlook_fmspc(const atls_store *store, bool is_tdx, const char *fmspc,
                                   atls_outlook *out, atls_err *err)
{
    platform p = {.is_tdx = is_tdx};
    size_t len = 0;
    if (!atls_hex_decode(fmspc, strlen(fmspc), p.fmspc, sizeof p.fmspc, &len) ||
        len != sizeof p.fmspc) {
        return ATLS_ERR(err, ATLS_E_USAGE, "outlook.fmspc", "an FMSPC has 12 hex digits");
    }
    channel now = {0};
    channel early = {0};
    atls_outlook o = {0};
    atls_code rc = channel_open(store, &p, false, &now, err);
    rc = rc == ATLS_OK ? channel_open(store, &p, true, &early, err) : rc;
    if (rc == ATLS_OK) {
        ideal(&now, &p);
        name_platform(&p, &o);
        compare(&p, &now, &early, &o);
        *out = o;
    }
    channel_clear(&now);
    channel_clear(&early);
    return rc;
}
