/* judge.c: firmware's and dstack's logs against the registers that hardware signed. */
#include "evidence/log/log.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "evidence/log/dstack.h"
#include "evidence/log/event_type.h"
#include "evidence/log/replay.h"
#include "evidence/log/tcg.h"

/* A register of which the log says all there is to say must replay: RTMR 0 to 2, of dstack's log 3 too, and the PCRs of
 * firmware and boot loader. The others are extended at run time by those who keep no log, or another one. dstack's log, as
 * it stands in certificates, leaves out what was measured at boot. */
#define MUST_CCEL     0x7u
#define MUST_DSTACK   0xfu
#define MUST_STRIPPED 0x8u
#define MUST_PCRS     0x3ffu
#define RUNTIME_RTMR  3

typedef struct log_case {
    const atls_event_list *list;
    const atls_tpm_bank *banks;
    bool td;
    uint32_t must;
    atls_ledger *l;
    atls_event_claims *out;
    uint32_t sha1_only; /* bit i: replays, but nothing better than SHA-1 says so */
    unsigned bank_of[ATLS_LOG_REGISTERS]; /* of the events told; ATLS_TPM_BANKS: none */
} log_case;

static const char *bank_name(unsigned bank)
{
    static const char *const names[ATLS_TPM_BANKS] = {
        [ATLS_TPM_SHA1] = "SHA-1",
        [ATLS_TPM_SHA256] = "SHA-256",
        [ATLS_TPM_SHA384] = "SHA-384",
        [ATLS_TPM_SHA512] = "SHA-512",
    };
    return names[bank];
}

/* --- one register --- */

static void tell_departure(const log_case *c, uint32_t index, unsigned bank,
                           const atls_departure *d, char *out, size_t cap)
{
    char event[80] = "";
    int n = snprintf(out, cap, "%s%u (%s), %zu events: ", c->td ? "RTMR" : "PCR ", (unsigned)index,
                     bank_name(bank), d->events);
    size_t at = n > 0 && (size_t)n < cap ? (size_t)n : cap - 1;
    if (d->event != NULL) {
        (void)snprintf(event, sizeof event, "event %zu (%.48s)", d->at, d->event->name);
    }
    switch (d->kind) {
    case ATLS_DEPARTS_BEHIND:
        (void)snprintf(out + at, cap - at, "departs after %s, where the register stood still",
                       d->at == 0 ? "its start" : event);
        break;
    case ATLS_DEPARTS_EXTRA:
        (void)snprintf(out + at, cap - at, "%s was not measured", event);
        break;
    case ATLS_DEPARTS_SWAPPED:
        (void)snprintf(out + at, cap - at, "%s stands in front of the next, not behind it", event);
        break;
    case ATLS_DEPARTS_DIGEST:
        (void)snprintf(out + at, cap - at, "the digest of %s is not that of its data", event);
        break;
    case ATLS_DEPARTS_NOT:
    case ATLS_DEPARTS_SOMEHOW:
        (void)snprintf(out + at, cap - at, "where it departs cannot be told");
        break;
    }
}

static const char *id_of(const log_case *c, uint32_t index)
{
    static const char *const rtmrs[] = {"log.rtmr0", "log.rtmr1", "log.rtmr2", "log.rtmr3"};
    return c->td ? rtmrs[index] : "log.pcr";
}

static void differs(log_case *c, uint32_t index, unsigned bank, const atls_departure *d)
{
    char text[200];
    const atls_buf quoted = {c->banks[bank].value[index], atls_hash_len(atls_log_hash(bank))};
    tell_departure(c, index, bank, d, text, sizeof text);
    c->out->differs |= 1u << index;
    if ((c->must >> index) % 2 == 1) {
        atls_ledger_fail(c->l, id_of(c, index), ATLS_E_INVALID, atls_value_note(c->l, text),
                         atls_value_hex(quoted));
    } else {
        atls_ledger_ok_found(c->l, id_of(c, index), atls_value_note(c->l, text));
    }
}

static bool has_events(const atls_event_list *list, uint32_t index, unsigned bank)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->events[i].index == index && list->events[i].digest[bank].len > 0) {
            return true;
        }
    }
    return false;
}

/* In every bank that is both quoted and in the log, the replay must give the quoted value. */
static atls_code judge_register(log_case *c, uint32_t index, atls_err *err)
{
    unsigned best = ATLS_TPM_BANKS;
    bool sha1 = false;
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        atls_departure d;
        if ((c->banks[bank].selected >> index) % 2 == 0 || !has_events(c->list, index, bank)) {
            continue;
        }
        ATLS_TRY(atls_replay(c->list, index, bank, c->td, c->banks[bank].value[index], &d, err));
        if (d.kind != ATLS_DEPARTS_NOT) {
            differs(c, index, bank, &d);
            return ATLS_OK;
        }
        sha1 = sha1 || bank == ATLS_TPM_SHA1;
        best = bank != ATLS_TPM_SHA1 && best == ATLS_TPM_BANKS ? bank : best;
    }
    if (best < ATLS_TPM_BANKS) {
        c->out->replayed |= 1u << index;
        c->bank_of[index] = best;
        if (c->td) {
            atls_ledger_ok(c->l, id_of(c, index));
        }
    } else if (sha1) {
        c->sha1_only |= 1u << index;
    }
    return ATLS_OK;
}

/* --- all of them --- */

/* "RTMR0, RTMR1" or "PCR 0, 1, 7"; nothing for no register. */
static void add_registers(const log_case *c, const char *what, uint32_t mask, char *out, size_t cap)
{
    size_t at = strlen(out);
    const char *between = "";
    if (mask == 0) {
        return;
    }
    at += (size_t)snprintf(out + at, cap - at, "%s%s %s", at > 0 ? "; " : "", what,
                           c->td ? "RTMR" : "PCR");
    for (uint32_t i = 0; i < ATLS_LOG_REGISTERS && at + 8 < cap; i++) {
        if ((mask >> i) % 2 == 1) {
            at += (size_t)snprintf(out + at, cap - at, "%s %u", between, (unsigned)i);
            between = ",";
        }
    }
}

static void summarise(log_case *c)
{
    char text[400] = "";
    add_registers(c, "replay:", c->out->replayed, text, sizeof text);
    add_registers(c, "differ:", c->out->differs, text, sizeof text);
    add_registers(c, "replay in SHA-1 only, and are not believed:", c->sha1_only, text,
                  sizeof text);
    if (text[0] == '\0') {
        (void)snprintf(text, sizeof text, "no register that is quoted has events");
    }
    const atls_value found = atls_value_note(c->l, text);
    if ((c->out->differs & c->must) != 0) {
        atls_ledger_fail(c->l, "log.replay", ATLS_E_INVALID, found,
                         atls_value_text("events that give the quoted registers"));
    } else {
        atls_ledger_ok_found(c->l, "log.replay", found);
    }
}

static atls_code judge_all(log_case *c, atls_anchor *anchor, atls_err *err)
{
    for (uint32_t i = 0; i < ATLS_LOG_REGISTERS; i++) {
        c->bank_of[i] = ATLS_TPM_BANKS;
        ATLS_TRY(judge_register(c, i, err));
    }
    summarise(c);
    return atls_event_list_publish(c->list, c->bank_of, c->out, anchor, err);
}

static void refuse(atls_ledger *l, const atls_err *err)
{
    if (err->code == ATLS_E_SYSTEM) { /* says nothing about the log */
        atls_ledger_no_memory(l);
    }
    atls_ledger_fail_err(l, err);
}

/* Takes the list over. */
static void judge_list(atls_event_list *list, const atls_tpm_bank *banks, bool td, uint32_t must,
                       atls_ledger *l, atls_event_claims *out, atls_anchor *anchor)
{
    atls_err err = {0};
    atls_event_claims found = {0};
    log_case c = {.list = list, .banks = banks, .td = td, .must = must, .l = l, .out = &found};
    if (judge_all(&c, anchor, &err) == ATLS_OK) {
        *out = found;
    } else {
        refuse(l, &err);
    }
    atls_event_list_clear(list);
}

static bool fits(atls_buf log, atls_ledger *l)
{
    if (log.len == 0 || log.len > ATLS_LOG_LEN_MAX) {
        atls_ledger_fail(l, "log.size", ATLS_E_INVALID, atls_value_uint(log.len),
                         atls_value_text("1 to 4194304 bytes"));
        return false;
    }
    return true;
}

/* Of what was measured at boot dstack then keeps three events of ACPI data, in RTMR 0, or none. */
static bool is_stripped(const atls_event_list *list)
{
    static const char acpi[] = "ACPI DATA";
    for (size_t i = 0; i < list->n; i++) {
        const atls_log_event *e = &list->events[i];
        if (e->index != RUNTIME_RTMR &&
            (e->index != 0 || e->type != ATLS_EV_PLATFORM_CONFIG_FLAGS ||
             e->data.len != sizeof acpi - 1 || memcmp(e->data.ptr, acpi, e->data.len) != 0)) {
            return false;
        }
    }
    return true;
}

static atls_code read_td(atls_buf log, atls_event_list *list, uint32_t *must, atls_err *err)
{
    if (atls_dstack_looks(log) || log.ptr[0] == '{') {
        ATLS_TRY(atls_event_list_from_dstack(log, list, err));
        *must = is_stripped(list) ? MUST_STRIPPED : MUST_DSTACK;
        return ATLS_OK;
    }
    if (log.len >= 4 && memcmp(log.ptr, "CCEL", 4) == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.format",
                        "the ACPI table CCEL, where the log that it points to is wanted");
    }
    *must = MUST_CCEL;
    return atls_event_list_from_tcg(log, true, list, err);
}

void atls_log_judge_rtmrs(atls_buf log, const uint8_t rtmr[4][48], atls_ledger *l,
                          atls_event_claims *out, atls_anchor *anchor)
{
    atls_err err = {0};
    atls_event_list list = {0};
    uint32_t must = 0;
    atls_tpm_bank banks[ATLS_TPM_BANKS] = {0};
    if (!fits(log, l)) {
        return;
    }
    if (read_td(log, &list, &must, &err) != ATLS_OK) {
        refuse(l, &err);
        return;
    }
    banks[ATLS_TPM_SHA384].selected = 0xf;
    for (size_t i = 0; i < 4; i++) {
        memcpy(banks[ATLS_TPM_SHA384].value[i], rtmr[i], 48);
    }
    judge_list(&list, banks, true, must, l, out, anchor);
}

void atls_log_judge_pcrs(atls_buf log, const atls_tpm_bank banks[ATLS_TPM_BANKS], atls_ledger *l,
                         atls_event_claims *out, atls_anchor *anchor)
{
    atls_err err = {0};
    atls_event_list list = {0};
    if (!fits(log, l)) {
        return;
    }
    if (atls_event_list_from_tcg(log, false, &list, &err) != ATLS_OK) {
        refuse(l, &err);
        return;
    }
    judge_list(&list, banks, false, MUST_PCRS, l, out, anchor);
}
