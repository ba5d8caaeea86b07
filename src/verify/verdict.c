#include "verify/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rfc3339.h"
#include "verify/remedy.h"

atls_verdict *atls_verdict_new(void)
{
    atls_verdict *r = malloc(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    memset(r, 0, offsetof(atls_verdict, ledger));
    atls_ledger_init(&r->ledger);
    r->accepted = false;
    r->code = ATLS_E_INVALID;
    return r;
}

void atls_verdict_free(atls_verdict *r)
{
    if (r == NULL) {
        return;
    }
    if (r->anchor.release != NULL) {
        r->anchor.release(r->anchor.object);
    }
    atls_policy_free(r->policy);
    atls_shelf_free(r->shelf);
    free(r);
}

/* --- conclusion --- */

static bool has_signature(const atls_ledger *l)
{
    static const char suffix[] = ".signature";
    for (size_t i = 0; i < l->count; i++) {
        size_t len = strlen(l->entries[i].id);
        /* The certificate around evidence is signed by whoever shows it. */
        if (len >= sizeof suffix - 1 && strcmp(l->entries[i].id, "certificate.signature") != 0 &&
            strcmp(l->entries[i].id + len - (sizeof suffix - 1), suffix) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_check(const atls_ledger *l, const char *id)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->entries[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Evidence for tests, taken as such: nobody signed it, and the verdict says so. */
static bool is_marked_dummy(const atls_verdict *r)
{
    return r->claims.tee == ATLS_TEE_DUMMY && r->claims.simulated;
}

/* A ledger without a failure is not enough: what every acceptance rests on must be in it. */
static void require_foundation(atls_verdict *r)
{
    atls_value none = atls_value_none();
    if (atls_ledger_code(&r->ledger) != ATLS_OK && r->ledger.count > 0) {
        return;
    }
    if (r->claims.tee == ATLS_TEE_NONE) {
        atls_ledger_fail(&r->ledger, "verdict.evidence", ATLS_E_INVALID, none,
                         atls_value_text("evidence whose signatures verified"));
    }
    if (!has_signature(&r->ledger) && !is_marked_dummy(r)) {
        atls_ledger_fail(&r->ledger, "verdict.signature", ATLS_E_INVALID, none,
                         atls_value_text("a check of the evidence's signature"));
    }
    if (r->claims.late_s > 0 && !has_check(&r->ledger, "policy.collateral_grace")) {
        atls_ledger_fail(&r->ledger, "verdict.appraisal", ATLS_E_POLICY, none,
                         atls_value_text("an appraisal of collateral that is late"));
    }
    if (!r->appraisal.fits) {
        atls_ledger_fail(&r->ledger, "verdict.appraisal", ATLS_E_POLICY, none,
                         atls_value_text("an appraisal that fits"));
    }
}

static const atls_entry *first_skipped(const atls_ledger *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->entries[i].result == ATLS_CHECK_SKIPPED) {
            return &l->entries[i];
        }
    }
    return NULL;
}

/* "OutOfDate (level of 2024-03-13)": a status means little without the day it speaks of. */
static void print_found(const atls_verdict *r, const atls_entry *e, char *out, size_t cap)
{
    atls_value_print(&r->ledger, &e->found, out, cap);
    size_t len = strlen(out);
    if (strcmp(e->id, "tcb.status") == 0 && r->claims.tcb.platform.present && len + 1 < cap) {
        char date[ATLS_TIME_TEXT_LEN];
        atls_time_format(r->claims.tcb.platform.date_s, date);
        (void)snprintf(out + len, cap - len, " (level of %.10s)", date);
    }
}

/* One sentence, cut where the message ends. */
static void say(atls_verdict *r, const char *fmt, ...) ATLS_PRINTF(2, 3);
static void say(atls_verdict *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(r->message, sizeof r->message, fmt, ap) < 0) {
        r->message[0] = '\0';
    }
    va_end(ap);
}

/* A sentence holds the start of a long hash; the check's own line has it whole. */
static void shorten_hash(char *text)
{
    size_t len = strlen(text);
    if (len > 32 && strspn(text, "0123456789abcdef") == len) {
        memcpy(text + 16, "..", 3);
    }
}

static void say_why(atls_verdict *r, const atls_entry *e)
{
    char found[ATLS_ERR_MSG_LEN];
    char wanted[ATLS_ERR_MSG_LEN];
    print_found(r, e, found, sizeof found);
    atls_value_print(&r->ledger, &e->wanted, wanted, sizeof wanted);
    shorten_hash(found);
    shorten_hash(wanted);
    /* The sentence of an atls_err says it all. */
    if (e->found.kind == ATLS_VALUE_NOTE && e->wanted.kind == ATLS_VALUE_NONE) {
        say(r, "%s", found);
        return;
    }
    const char *subject = atls_remedy_subject(e->id);
    const char *link = subject != NULL ? " is" : ":";
    char name[ATLS_REMEDY_NAME_LEN];
    if (subject == NULL) {
        atls_remedy_name(e->id, name);
        subject = name;
    }
    if (found[0] != '\0' && wanted[0] != '\0') {
        say(r, "%s%s %s, where %s is wanted", subject, link, found, wanted);
    } else if (found[0] != '\0') {
        say(r, "%s%s %s, which is refused", subject, link, found);
    } else if (wanted[0] != '\0') {
        say(r, "%s: %s is wanted, and there is none", subject, wanted);
    } else {
        say(r, "%s: the check failed", subject);
    }
}

static void say_refused(atls_verdict *r)
{
    const atls_entry *e = atls_ledger_deciding(&r->ledger);
    if (r->ledger.overflow) {
        say(r, "more than %d checks, which the ledger cannot hold", ATLS_LEDGER_MAX);
    } else if (e != NULL) {
        say_why(r, e);
    } else if ((e = first_skipped(&r->ledger)) != NULL) {
        char name[ATLS_REMEDY_NAME_LEN];
        atls_remedy_name(e->id, name);
        say(r, "%s could not be checked: %s", name, e->because);
    }
}

/* Refused by policy at most: the evidence itself, and all that it rests on, holds. */
static bool evidence_holds(const atls_ledger *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const atls_entry *e = &l->entries[i];
        if (e->result == ATLS_CHECK_FAIL && e->code != ATLS_E_POLICY) {
            return false;
        }
    }
    return !l->overflow;
}

void atls_verdict_conclude(atls_verdict *r)
{
    require_foundation(r);
    r->code = atls_ledger_code(&r->ledger);
    if (!evidence_holds(
            &r->ledger)) { /* equal report data in evidence that anybody may have made */
        r->binding = ATLS_BINDING_NONE;
        r->freshness = "none";
    }
    if (r->code != ATLS_OK) {
        r->accepted = false;
        say_refused(r);
        return;
    }
    const char *mark = r->claims.simulated ? "SIMULATED: " : "";
    if (r->appraisal.workload != NULL) {
        say(r, "%sfits workload %s", mark, r->appraisal.workload);
    } else {
        say(r, "%sgenuine, by the built-in rule; measurements and identity are unchecked", mark);
    }
    r->accepted = true;
}

/* --- getters --- */

bool atls_verdict_accepted(const atls_verdict *r)
{
    return r->accepted;
}

atls_code atls_verdict_code(const atls_verdict *r)
{
    return r->code;
}

const char *atls_verdict_format(const atls_verdict *r)
{
    return r->format != NULL ? r->format : "unknown";
}

const char *atls_verdict_check(const atls_verdict *r)
{
    if (r->accepted) {
        return "";
    }
    if (r->ledger.overflow) {
        return "verdict.ledger";
    }
    const atls_entry *e = atls_ledger_deciding(&r->ledger);
    if (e == NULL) {
        e = first_skipped(&r->ledger);
    }
    return e != NULL ? e->id : "verdict.evidence";
}

const char *atls_verdict_message(const atls_verdict *r)
{
    return r->message;
}

const char *atls_verdict_workload(const atls_verdict *r)
{
    return r->accepted && r->appraisal.workload != NULL ? r->appraisal.workload : "";
}

const char *atls_verdict_binding(const atls_verdict *r)
{
    switch (r->binding) {
    case ATLS_BINDING_KEY_ONLY:
        return "key";
    case ATLS_BINDING_HANDSHAKE:
        return "handshake";
    case ATLS_BINDING_SESSION:
        return "session";
    default:
        return "none";
    }
}

const char *atls_verdict_binding_line(const atls_verdict *r)
{
    if (r->binding != ATLS_BINDING_NONE && r->binding_line != NULL) {
        return r->binding_line;
    }
    switch (r->binding) {
    case ATLS_BINDING_SESSION:
        return "session (exporter + key + role)";
    case ATLS_BINDING_HANDSHAKE:
        return "handshake nonce + key";
    case ATLS_BINDING_KEY_ONLY:
        return "key only (relay possible)";
    default:
        return "none (evidence alone)";
    }
}

const char *atls_verdict_identity(const atls_verdict *r)
{
    return r->accepted && r->appraisal.identity != NULL ? r->appraisal.identity : "none";
}

const char *atls_verdict_freshness(const atls_verdict *r)
{
    return r->freshness != NULL ? r->freshness : "none";
}

bool atls_verdict_simulated(const atls_verdict *r)
{
    return r->claims.simulated;
}

int64_t atls_verdict_expires(const atls_verdict *r)
{
    int64_t at = INT64_MAX;
    if (r->claims.late_s > 0) { /* what is late ends with its grace: a limit of the appraisal */
        at = r->claims.lasting_s;
    } else if (r->claims.tcb.earliest_expiration_s != 0) {
        at = r->claims.tcb.earliest_expiration_s;
    }
    if (r->claims.expires_s != 0 && r->claims.expires_s < at) {
        at = r->claims.expires_s;
    }
    if (r->appraisal.until_s != 0 && r->appraisal.until_s < at) {
        at = r->appraisal.until_s;
    }
    if (r->appraisal.max_age_s != 0 && r->at_s < at - (int64_t)r->appraisal.max_age_s) {
        at = r->at_s + (int64_t)r->appraisal.max_age_s;
    }
    return at;
}

uint32_t atls_verdict_reattest_s(const atls_verdict *r)
{
    return r->appraisal.reattest_s;
}

bool atls_verdict_two_keys(const atls_verdict *r)
{
    return r->accepted && r->appraisal.two_keys;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* By an id that the vendor certified and that both show. A serial number goes last: a renewed certificate
 * of the same platform has another one. */
static bool same_intel(const atls_platform_claims *a, const atls_platform_claims *b)
{
    if (a->has_ppid && b->has_ppid && !is_zero(a->ppid, sizeof a->ppid)) {
        return memcmp(a->ppid, b->ppid, sizeof a->ppid) == 0;
    }
    if (a->has_instance_id && b->has_instance_id &&
        !is_zero(a->instance_id, sizeof a->instance_id)) {
        return memcmp(a->instance_id, b->instance_id, sizeof a->instance_id) == 0;
    }
    return a->has_pck_serial && b->has_pck_serial && a->pck_serial_len > 0 &&
           a->pck_serial_len == b->pck_serial_len &&
           memcmp(a->pck_serial, b->pck_serial, a->pck_serial_len) == 0;
}

/* The same chip, or no chip is named; and the same launch of a guest: REPORT_ID lives as long as that. */
static bool same_snp(const atls_snp_claims *a, const atls_snp_claims *b)
{
    return memcmp(a->chip_id, b->chip_id, sizeof a->chip_id) == 0 &&
           memcmp(a->report_id, b->report_id, sizeof a->report_id) == 0 &&
           !is_zero(a->report_id, sizeof a->report_id);
}

/* The same attestation key; a TPM that was reset in between has lost the connection with it. */
static bool same_tpm(const atls_tpm_claims *a, const atls_tpm_claims *b)
{
    return memcmp(a->ak_spki_sha256, b->ak_spki_sha256, sizeof a->ak_spki_sha256) == 0 &&
           a->reset_count == b->reset_count;
}

static bool same_platform(const atls_claims *a, const atls_claims *b)
{
    switch (a->tee) {
    case ATLS_TEE_SGX:
    case ATLS_TEE_TDX:
        return same_intel(&a->platform, &b->platform);
    case ATLS_TEE_SNP:
        return same_snp(&a->as.snp, &b->as.snp);
    case ATLS_TEE_TPM:
    case ATLS_TEE_AZURE:
    case ATLS_TEE_SNP_TPM:
        return a->hardware == b->hardware && same_tpm(&a->tpm, &b->tpm);
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        return strcmp(a->as.nitro.module_id, b->as.nitro.module_id) == 0;
    case ATLS_TEE_CCA:
        return memcmp(a->as.cca.instance_id, b->as.cca.instance_id, sizeof a->as.cca.instance_id) ==
               0;
    default: /* a token names no platform that atls could compare */
        return false;
    }
}

bool atls_verdict_same_peer(const atls_verdict *a, const atls_verdict *b)
{
    if (!a->accepted || !b->accepted || a->claims.tee != b->claims.tee ||
        strcmp(atls_verdict_workload(a), atls_verdict_workload(b)) != 0 ||
        a->claims.simulated != b->claims.simulated) {
        return false;
    }
    bool may_move = a->appraisal.platform_may_move && b->appraisal.platform_may_move;
    return may_move || same_platform(&a->claims, &b->claims);
}

unsigned atls_verdict_signatures(const atls_verdict *r)
{
    return r->signatures;
}

size_t atls_verdict_checks(const atls_verdict *r)
{
    return r->ledger.count;
}

bool atls_verdict_check_at(const atls_verdict *r, size_t i, atls_check_line *out)
{
    static const char *const results[] = {"ok", "fail", "skipped"};
    if (i >= r->ledger.count) {
        return false;
    }
    const atls_entry *e = &r->ledger.entries[i];
    out->id = e->id;
    out->result = results[e->result];
    out->because = e->because != NULL ? e->because : "";
    out->remedy = e->result == ATLS_CHECK_FAIL ? atls_remedy(e->id) : "";
    out->code = e->code;
    atls_value_print(&r->ledger, &e->found, out->found, sizeof out->found);
    atls_value_print(&r->ledger, &e->wanted, out->wanted, sizeof out->wanted);
    return true;
}
