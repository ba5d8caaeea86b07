/* The verdict as the JSON object that the contract promises. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "verify/remedy.h"
#include "verify/verdict.h"

/* An object being filled; a member that could not be added makes the whole fail. */
typedef struct object {
    json_t *json;
    bool failed;
} object;

static void set(object *o, const char *name, json_t *value)
{
    if (json_object_set_new(o->json, name, value) != 0) {
        o->failed = true;
    }
}

static void set_text(object *o, const char *name, const char *text)
{
    set(o, name, json_string(text));
}

static void set_hex(object *o, const char *name, const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];
    if (len <= 64) {
        atls_hex_encode((atls_buf){bytes, len}, text);
        set_text(o, name, text);
    }
}

static void set_number(object *o, const char *name, uint32_t n)
{
    set(o, name, json_integer((json_int_t)n));
}

static void set_time(object *o, const char *name, int64_t time_s)
{
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(time_s, text);
    set_text(o, name, text);
}

/* Adds a finished object under name, or gives it up. */
static void set_object(object *o, const char *name, object *member)
{
    if (member->failed) {
        o->failed = true;
        json_decref(member->json);
    } else {
        set(o, name, member->json);
    }
}

/* --- checks --- */

static void set_value(object *o, const char *name, const atls_ledger *l, const atls_value *v)
{
    char text[ATLS_CHECK_TEXT_LEN];
    if (v->kind == ATLS_VALUE_NONE) {
        return;
    }
    if (v->kind == ATLS_VALUE_UINT && v->as.uint <= INT64_MAX) {
        set(o, name, json_integer((json_int_t)v->as.uint));
        return;
    }
    atls_value_print(l, v, text, sizeof text);
    set_text(o, name, text);
}

static json_t *check(const atls_ledger *l, const atls_entry *e)
{
    static const char *const results[] = {"ok", "fail", "skipped"};
    object o = {.json = json_object()};
    set_text(&o, "id", e->id);
    set_text(&o, "result", results[e->result]);
    if (e->result == ATLS_CHECK_FAIL) {
        set_number(&o, "code", (uint32_t)e->code);
    }
    set_value(&o, "found", l, &e->found);
    set_value(&o, "wanted", l, &e->wanted);
    if (e->because != NULL) {
        set_text(&o, "because", e->because);
    }
    if (e->result == ATLS_CHECK_FAIL && atls_remedy(e->id)[0] != '\0') {
        set_text(&o, "do", atls_remedy(e->id));
    }
    if (o.failed) {
        json_decref(o.json);
        return NULL;
    }
    return o.json;
}

static void set_checks(object *o, const atls_ledger *l)
{
    json_t *list = json_array();
    for (size_t i = 0; i < l->count; i++) {
        if (json_array_append_new(list, check(l, &l->entries[i])) != 0) {
            o->failed = true;
        }
    }
    set(o, "checks", list);
}

/* --- tcb, platform --- */

static json_t *advisories(const atls_tcb_level *level)
{
    json_t *list = json_array();
    for (size_t i = 0; i < level->advisories_n; i++) {
        if (json_array_append_new(list, json_string(level->advisories[i])) != 0) {
            json_decref(list);
            return NULL; /* which no object takes: a list cut short would say less than was found */
        }
    }
    return list;
}

static void set_level(object *o, const atls_tcb_level *level)
{
    set_time(o, "date", level->date_s);
    set(o, "advisories", advisories(level));
}

static void set_own_level(object *o, const char *name, const atls_tcb_level *level)
{
    object member = {.json = json_object()};
    const char *status = atls_tcb_status_name(level->status);
    if (!level->present) {
        json_decref(member.json);
        return;
    }
    if (status != NULL) {
        set_text(&member, "status", status);
    }
    set_level(&member, level);
    set_object(o, name, &member);
}

static void set_tcb(object *o, const atls_tcb_claims *tcb)
{
    object member = {.json = json_object()};
    const char *status = tcb->known ? atls_tcb_status_name(tcb->status) : NULL;
    if (status != NULL) {
        set_text(&member, "status", status);
    }
    if (tcb->platform.present) {
        set_level(&member, &tcb->platform);
    }
    if (tcb->evaluation_number != 0) {
        set_number(&member, "evaluation_number", tcb->evaluation_number);
    }
    if (tcb->earliest_expiration_s != 0) {
        set_time(&member, "collateral_earliest_expiration", tcb->earliest_expiration_s);
    }
    set_own_level(&member, "module", &tcb->module);
    set_own_level(&member, "qe", &tcb->qe);
    if (!member.failed && json_object_size(member.json) == 0) {
        json_decref(member.json);
    } else {
        set_object(o, "tcb", &member);
    }
}

static void set_platform(object *o, const atls_platform_claims *p)
{
    object member = {.json = json_object()};
    if (p->has_fmspc) {
        set_hex(&member, "fmspc", p->fmspc, sizeof p->fmspc);
    }
    if (p->has_ppid) {
        set_hex(&member, "ppid", p->ppid, sizeof p->ppid);
    }
    if (p->has_pck_serial) {
        set_hex(&member, "pck_serial", p->pck_serial, p->pck_serial_len);
    }
    if (p->has_instance_id) {
        set_hex(&member, "instance_id", p->instance_id, sizeof p->instance_id);
    }
    if (!member.failed && json_object_size(member.json) == 0) {
        json_decref(member.json);
    } else {
        set_object(o, "platform", &member);
    }
}

/* --- claims --- */

#define SET(o, claims, field) set_hex(o, #field, (claims)->field, sizeof(claims)->field)

static void set_sgx(object *o, const atls_sgx_claims *c)
{
    SET(o, c, mrenclave);
    SET(o, c, mrsigner);
    set_number(o, "isvprodid", c->isvprodid);
    set_number(o, "isvsvn", c->isvsvn);
    SET(o, c, attributes);
    set_number(o, "miscselect", c->miscselect);
    SET(o, c, configid);
    set_number(o, "configsvn", c->configsvn);
    SET(o, c, isvextprodid);
    SET(o, c, isvfamilyid);
    SET(o, c, cpusvn);
}

static void set_tdx(object *o, const atls_tdx_claims *c)
{
    static const char *const rtmrs[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    SET(o, c, mrtd);
    for (size_t i = 0; i < 4; i++) {
        set_hex(o, rtmrs[i], c->rtmr[i], sizeof c->rtmr[i]);
    }
    SET(o, c, mrseam);
    SET(o, c, mrsignerseam);
    SET(o, c, mrconfigid);
    SET(o, c, mrowner);
    SET(o, c, mrownerconfig);
    SET(o, c, td_attributes);
    SET(o, c, xfam);
    SET(o, c, seam_attributes);
    SET(o, c, tee_tcb_svn);
    if (c->is_1_5) {
        SET(o, c, tee_tcb_svn2);
        SET(o, c, mrservicetd);
    }
}

/* Of verified evidence only: what nobody signed is no claim. */
static void set_claims(object *o, const atls_claims *c)
{
    object member = {.json = json_object()};
    switch (c->tee) {
    case ATLS_TEE_SGX:
        set_sgx(&member, &c->as.sgx);
        break;
    case ATLS_TEE_TDX:
        set_tdx(&member, &c->as.tdx);
        break;
    default:
        json_decref(member.json);
        return;
    }
    set_hex(&member, "report_data", c->report_data, c->report_data_len);
    set_object(o, "claims", &member);
}

/* --- the whole --- */

static const char *root_word(const atls_claims *c)
{
    return c->custom_root ? "custom" : c->simulated ? "simulator" : "vendor";
}

static void set_verdict(object *o, const atls_verdict *r)
{
    set(o, "accepted", json_boolean(r->accepted));
    set_number(o, "code", (uint32_t)r->code);
    set_text(o, "format", atls_verdict_format(r));
    set_text(o, "check", atls_verdict_check(r));
    set_text(o, "message", r->message);
    set_checks(o, &r->ledger);
    set_text(o, "binding", atls_verdict_binding(r));
    set_text(o, "identity", atls_verdict_identity(r));
    set_text(o, "freshness", atls_verdict_freshness(r));
    set_text(o, "root", root_word(&r->claims));
    set(o, "simulated", json_boolean(r->claims.simulated));
    set_time(o, "at", r->at_s);
    if (r->accepted && atls_verdict_expires(r) != INT64_MAX) {
        set_time(o, "expires", atls_verdict_expires(r));
    }
    set_text(o, "workload", atls_verdict_workload(r));
    if (r->policy != NULL) {
        uint8_t hash[32];
        atls_policy_hash(r->policy, hash);
        set_hex(o, "policy", hash, sizeof hash);
    }
    set_tcb(o, &r->claims.tcb);
    set_platform(o, &r->claims.platform);
    set_claims(o, &r->claims);
}

char *atls_verdict_json(const atls_verdict *r)
{
    object o = {.json = json_object()};
    set_verdict(&o, r);
    char *text = o.failed ? NULL : atls_json_write(o.json, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(o.json);
    return text;
}
