/* The verdict as the JSON object that the contract promises. */
#include "verify/verdict_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "verify/remedy.h"
#include "verify/verdict.h"

#define DAY_S 86400

void verdict_set(verdict_object *o, const char *name, json_t *value)
{
    if (json_object_set_new(o->json, name, value) != 0) {
        o->failed = true;
    }
}

void verdict_set_text(verdict_object *o, const char *name, const char *text)
{
    verdict_set(o, name, json_string(text));
}

void verdict_set_hex(verdict_object *o, const char *name, const uint8_t *bytes, size_t len)
{
    char *text = malloc(2 * len + 1);
    if (text == NULL) {
        o->failed = true;
        return;
    }
    atls_hex_encode((atls_buf){bytes, len}, text);
    verdict_set_text(o, name, text);
    free(text);
}

/* JSON's integers end at 2^63 - 1 here; what is larger is told as text rather than as another number. */
void verdict_set_number(verdict_object *o, const char *name, uint64_t n)
{
    char text[24];
    if (n <= INT64_MAX) {
        verdict_set(o, name, json_integer((json_int_t)n));
        return;
    }
    (void)snprintf(text, sizeof text, "%" PRIu64, n);
    verdict_set_text(o, name, text);
}

void verdict_set_time(verdict_object *o, const char *name, int64_t time_s)
{
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(time_s, text);
    verdict_set_text(o, name, text);
}

void verdict_set_object(verdict_object *o, const char *name, verdict_object *member)
{
    if (member->failed) {
        o->failed = true;
        json_decref(member->json);
    } else {
        verdict_set(o, name, member->json);
    }
}

void verdict_set_filled(verdict_object *o, const char *name, verdict_object *member)
{
    if (!member->failed && json_object_size(member->json) == 0) {
        json_decref(member->json);
    } else {
        verdict_set_object(o, name, member);
    }
}

/* --- checks --- */

static void set_value(verdict_object *o, const char *name, const atls_ledger *l,
                      const atls_value *v)
{
    char text[ATLS_CHECK_TEXT_LEN];
    if (v->kind == ATLS_VALUE_NONE) {
        return;
    }
    if (v->kind == ATLS_VALUE_UINT && v->as.uint <= INT64_MAX) {
        verdict_set(o, name, json_integer((json_int_t)v->as.uint));
        return;
    }
    atls_value_print(l, v, text, sizeof text);
    verdict_set_text(o, name, text);
}

static json_t *check(const atls_ledger *l, const atls_entry *e)
{
    static const char *const results[] = {"ok", "fail", "skipped"};
    verdict_object o = {.json = json_object()};
    verdict_set_text(&o, "id", e->id);
    verdict_set_text(&o, "result", results[e->result]);
    if (e->result == ATLS_CHECK_FAIL) {
        verdict_set_number(&o, "code", (uint64_t)e->code);
    }
    set_value(&o, "found", l, &e->found);
    set_value(&o, "wanted", l, &e->wanted);
    if (e->because != NULL) {
        verdict_set_text(&o, "because", e->because);
    }
    if (e->result == ATLS_CHECK_FAIL && atls_remedy(e->id)[0] != '\0') {
        verdict_set_text(&o, "do", atls_remedy(e->id));
    }
    if (o.failed) {
        json_decref(o.json);
        return NULL;
    }
    return o.json;
}

static void set_checks(verdict_object *o, const atls_ledger *l)
{
    json_t *list = json_array();
    for (size_t i = 0; i < l->count; i++) {
        if (json_array_append_new(list, check(l, &l->entries[i])) != 0) {
            o->failed = true;
        }
    }
    verdict_set(o, "checks", list);
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

static void set_level(verdict_object *o, const atls_tcb_level *level)
{
    verdict_set_time(o, "date", level->date_s);
    verdict_set(o, "advisories", advisories(level));
}

static void set_own_level(verdict_object *o, const char *name, const atls_tcb_level *level)
{
    verdict_object member = {.json = json_object()};
    const char *status = atls_tcb_status_name(level->status);
    if (!level->present) {
        json_decref(member.json);
        return;
    }
    if (status != NULL) {
        verdict_set_text(&member, "status", status);
    }
    set_level(&member, level);
    verdict_set_object(o, name, &member);
}

static void set_tcb(verdict_object *o, const atls_tcb_claims *tcb)
{
    verdict_object member = {.json = json_object()};
    const char *status = tcb->known ? atls_tcb_status_name(tcb->status) : NULL;
    if (status != NULL) {
        verdict_set_text(&member, "status", status);
    }
    if (tcb->platform.present) {
        set_level(&member, &tcb->platform);
    }
    if (tcb->evaluation_number != 0) {
        verdict_set_number(&member, "evaluation_number", tcb->evaluation_number);
    }
    if (tcb->earliest_expiration_s != 0) {
        verdict_set_time(&member, "collateral_earliest_expiration", tcb->earliest_expiration_s);
    }
    set_own_level(&member, "module", &tcb->module);
    set_own_level(&member, "qe", &tcb->qe);
    verdict_set_filled(o, "tcb", &member);
}

/* "collateral_grace": collateral that is late and relied on. */
static void set_grace(verdict_object *o, const atls_claims *c)
{
    verdict_object member = {.json = json_object()};
    if (c->late_s > 0) {
        verdict_set_number(&member, "late_s", (uint64_t)c->late_s);
        verdict_set_number(&member, "late_days", (uint64_t)(c->late_s / DAY_S));
    }
    verdict_set_filled(o, "collateral_grace", &member);
}

static void set_platform(verdict_object *o, const atls_platform_claims *p)
{
    verdict_object member = {.json = json_object()};
    if (p->has_fmspc) {
        verdict_set_hex(&member, "fmspc", p->fmspc, sizeof p->fmspc);
    }
    if (p->has_ppid) {
        verdict_set_hex(&member, "ppid", p->ppid, sizeof p->ppid);
    }
    if (p->has_pck_serial) {
        verdict_set_hex(&member, "pck_serial", p->pck_serial, p->pck_serial_len);
    }
    if (p->has_instance_id) {
        verdict_set_hex(&member, "instance_id", p->instance_id, sizeof p->instance_id);
    }
    verdict_set_filled(o, "platform", &member);
}

/* --- the whole --- */

static const char *root_word(const atls_claims *c)
{
    return c->custom_root ? "custom" : c->simulated ? "simulator" : "vendor";
}

static void set_verdict(verdict_object *o, const atls_verdict *r)
{
    verdict_set(o, "accepted", json_boolean(r->accepted));
    verdict_set_number(o, "code", (uint64_t)r->code);
    verdict_set_text(o, "format", atls_verdict_format(r));
    verdict_set_text(o, "check", atls_verdict_check(r));
    verdict_set_text(o, "message", r->message);
    set_checks(o, &r->ledger);
    verdict_set_text(o, "binding", atls_verdict_binding(r));
    verdict_set_text(o, "binding_line", atls_verdict_binding_line(r));
    verdict_set_text(o, "identity", atls_verdict_identity(r));
    verdict_set_text(o, "freshness", atls_verdict_freshness(r));
    verdict_set_text(o, "root", root_word(&r->claims));
    verdict_set(o, "simulated", json_boolean(r->claims.simulated));
    verdict_set_time(o, "at", r->at_s);
    if (r->accepted && atls_verdict_expires(r) != INT64_MAX) {
        verdict_set_time(o, "expires", atls_verdict_expires(r));
    }
    verdict_set_text(o, "workload", atls_verdict_workload(r));
    if (r->policy != NULL) {
        uint8_t hash[32];
        atls_policy_hash(r->policy, hash);
        verdict_set_hex(o, "policy", hash, sizeof hash);
    }
    set_tcb(o, &r->claims.tcb);
    set_grace(o, &r->claims);
    set_platform(o, &r->claims.platform);
    verdict_set_claims(o, &r->claims);
}

char *atls_verdict_json(const atls_verdict *r)
{
    verdict_object o = {.json = json_object()};
    set_verdict(&o, r);
    char *text = o.failed ? NULL : atls_json_write(o.json, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(o.json);
    return text;
}
