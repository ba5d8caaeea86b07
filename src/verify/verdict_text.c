/* The verdict as a short table for people: what runs there, on what, how fresh, bound to what, whose; then
 * each failed check with what to do about it. */
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "verify/verdict.h"
#include "verify/verdict_text.h"

#define TEXT_MAX    (256u * 1024)
#define DAY_S       86400
#define LINE_MAX_AT 96 /* column where a sentence is wrapped */

static const char simulated_mark[] =
    "*** SIMULATED *** no hardware stands behind this evidence; anybody can make it\n";

/* text in lines of at most LINE_MAX_AT columns; the first one begins at column indent already. */
static void add_wrapped(atls_text *t, int indent, const char *text)
{
    int at = indent;
    const char *p = text;
    while (*p != '\0') {
        size_t len = strcspn(p, " ");
        if (at > indent && at + 1 + (int)len > LINE_MAX_AT) {
            atls_text_add(t, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            atls_text_add(t, " ");
            at++;
        }
        char word[ATLS_CHECK_TEXT_LEN];
        size_t cut = len < sizeof word - 1 ? len : sizeof word - 1;
        memcpy(word, p, cut);
        word[cut] = '\0';
        atls_text_add_escaped(t, word);
        at += (int)len;
        p += len;
        p += strspn(p, " ");
    }
    atls_text_add(t, "\n");
}

static void add_row(atls_text *t, const char *name, const char *text)
{
    atls_text_add(t, "  %-9s ", name);
    add_wrapped(t, 12, text);
}

/* A row whose text is put together first. */
static void add_built_row(atls_text *t, const char *name, atls_text *row)
{
    char *text = atls_text_take(row);
    if (text == NULL) {
        t->failed = true;
        return;
    }
    add_row(t, name, text[0] != '\0' ? text : "unknown");
    atls_free(text);
}

static void add_what(atls_text *t, const atls_verdict *r)
{
    atls_text row = atls_text_of(8192);
    if (atls_verdict_workload(r)[0] != '\0') {
        atls_text_add(&row, "%s", atls_verdict_workload(r));
    }
    verdict_text_runs(&row, &r->claims);
    add_built_row(t, "runs", &row);
}

static void add_where(atls_text *t, const atls_verdict *r)
{
    const atls_platform_claims *p = &r->claims.platform;
    atls_text row = atls_text_of(2048);
    verdict_text_on(&row, &r->claims);
    if (p->has_fmspc) {
        verdict_text_short(&row, "FMSPC", p->fmspc, sizeof p->fmspc);
    }
    if (p->has_ppid) {
        verdict_text_short(&row, "PPID", p->ppid, sizeof p->ppid);
    }
    add_built_row(t, "on", &row);
}

static void add_level(atls_text *row, const atls_tcb_level *level, const char *whose)
{
    char date[ATLS_TIME_TEXT_LEN];
    const char *status = atls_tcb_status_name(level->status);
    if (!level->present) {
        return;
    }
    atls_time_format(level->date_s, date);
    atls_text_add(row, "; %s %s (level of %.10s", whose, status != NULL ? status : "unknown", date);
    for (size_t i = 0; i < level->advisories_n; i++) {
        atls_text_add(row, "%s%s", i == 0 ? "; " : " ", level->advisories[i]);
    }
    atls_text_add(row, ")");
}

static void add_tcb(atls_text *t, const atls_tcb_claims *tcb)
{
    if (!tcb->known && !tcb->platform.present) {
        return;
    }
    atls_text row = atls_text_of(16384);
    const char *status = tcb->known ? atls_tcb_status_name(tcb->status) : NULL;
    atls_text_add(&row, "%s", status != NULL ? status : "undetermined");
    add_level(&row, &tcb->platform, "platform");
    add_level(&row, &tcb->module, "module");
    add_level(&row, &tcb->qe, "quoting enclave");
    add_built_row(t, "TCB", &row);
}

static void add_grace(atls_text *t, const atls_claims *c)
{
    atls_text row = atls_text_of(128);
    const long long days = c->late_s / DAY_S;
    if (c->late_s <= 0) {
        return;
    }
    atls_text_add(&row, "collateral in grace: %lld day%s past its next update, its origin silent",
                  days, days == 1 ? "" : "s");
    add_built_row(t, "late", &row);
}

/* Evidence that a key alone binds is shown again and again: its age is told, as far as it is known. */
static void add_freshness(atls_text *t, const atls_verdict *r)
{
    atls_text row = atls_text_of(256);
    atls_text_add(&row, "%s", atls_verdict_freshness(r));
    if (r->has_since && r->binding == ATLS_BINDING_KEY_ONLY) {
        const int64_t age = r->at_s > r->since_s ? r->at_s - r->since_s : 0;
        atls_text_add(&row, "; first seen %lld s ago", (long long)age);
    }
    add_built_row(t, "fresh", &row);
}

static void add_time(atls_text *t, const atls_verdict *r)
{
    char at[ATLS_TIME_TEXT_LEN];
    char until[ATLS_TIME_TEXT_LEN];
    atls_text row = atls_text_of(256);
    int64_t end = atls_verdict_expires(r);
    atls_time_format(r->at_s, at);
    atls_text_add(&row, "%s", at);
    if (r->accepted && end != INT64_MAX) {
        atls_time_format(end, until);
        atls_text_add(&row, ", stands until %s at most", until);
    }
    add_built_row(t, "judged", &row);
}

/* --- checks --- */

static bool is_skipped(const atls_check_line *line)
{
    return strcmp(line->result, "skipped") == 0;
}

static void add_trouble(atls_text *t, const atls_check_line *line)
{
    atls_text_add(t, "  %s %s\n", is_skipped(line) ? "skipped" : "FAILED ", line->id);
    if (line->found[0] != '\0') {
        atls_text_add(t, "    found   ");
        add_wrapped(t, 12, line->found);
    }
    if (line->wanted[0] != '\0') {
        atls_text_add(t, "    wanted  ");
        add_wrapped(t, 12, line->wanted);
    }
    if (line->because[0] != '\0') {
        atls_text_add(t, "    because ");
        add_wrapped(t, 12, line->because);
    }
}

static void add_remedy(atls_text *t, const char *remedy)
{
    if (remedy != NULL && remedy[0] != '\0') {
        atls_text_add(t, "    do      ");
        add_wrapped(t, 12, remedy);
    }
}

/* What is not in order. Failures in a row that are healed by one thing are one block, which says it once. */
static void add_troubles(atls_text *t, const atls_verdict *r)
{
    atls_check_line line;
    const char *remedy = NULL; /* of the block at hand; NULL: none has begun */
    for (size_t i = 0; atls_verdict_check_at(r, i, &line); i++) {
        if (strcmp(line.result, "ok") == 0) {
            continue;
        }
        if (remedy == NULL || strcmp(line.remedy, remedy) != 0) {
            add_remedy(t, remedy);
            atls_text_add(t, remedy != NULL && is_skipped(&line) ? "" : "\n");
        }
        add_trouble(t, &line);
        remedy = line.remedy;
    }
    add_remedy(t, remedy);
}

static void add_checks(atls_text *t, const atls_verdict *r, bool with_ledger)
{
    atls_check_line line;
    add_troubles(t, r);
    if (!with_ledger) {
        return;
    }
    atls_text_add(t, "\n  all %zu checks\n", atls_verdict_checks(r));
    for (size_t i = 0; atls_verdict_check_at(r, i, &line); i++) {
        atls_text_add(t, "    %-7s %s", line.result, line.id);
        if (line.found[0] != '\0') {
            atls_text_add(t, " = ");
            atls_text_add_escaped(t, line.found);
        }
        atls_text_add(t, "\n");
    }
}

static const char *code_words(atls_code code)
{
    switch (code) {
    case ATLS_E_COLLATERAL:
        return "collateral missing or out of its time";
    case ATLS_E_INVALID:
        return "evidence invalid";
    case ATLS_E_POLICY:
        return "by policy";
    case ATLS_E_BINDING:
        return "binding or freshness";
    default:
        return "it could not be judged";
    }
}

static void add_headline(atls_text *t, const atls_verdict *r)
{
    if (r->accepted) {
        atls_text_add(t, "ACCEPTED  %s: ", atls_verdict_format(r));
        add_wrapped(t, 12, r->message);
        return;
    }
    atls_text_add(t, "REFUSED  %s: %s (code %d, %s)\n", atls_verdict_format(r), code_words(r->code),
                  (int)r->code, atls_verdict_check(r));
    atls_text_add(t, "  ");
    add_wrapped(t, 2, r->message);
}

char *atls_verdict_text(const atls_verdict *r, bool with_ledger)
{
    atls_text t = atls_text_of(TEXT_MAX);
    if (r->claims.simulated) {
        atls_text_add(&t, "%s", simulated_mark);
    }
    add_headline(&t, r);
    add_what(&t, r);
    add_where(&t, r);
    add_tcb(&t, &r->claims.tcb);
    add_grace(&t, &r->claims);
    add_freshness(&t, r);
    add_row(&t, "bound to", atls_verdict_binding_line(r));
    add_row(&t, "whose", atls_verdict_identity(r));
    if (r->claims.custom_root) {
        add_row(&t, "root", "custom: not the vendor's, but what you gave");
    }
    add_time(&t, r);
    add_checks(&t, r, with_ledger);
    if (r->claims.simulated) {
        atls_text_add(&t, "%s", simulated_mark);
    }
    return atls_text_take(&t);
}
