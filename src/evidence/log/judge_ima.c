/* judge_ima.c: Linux' IMA list against PCR 10. The list grows between the quote and its reading, so the longest beginning
 * of it that gives the quoted values is what is believed. */
#include "evidence/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/log/event_list.h"
#include "evidence/log/ima.h"
#include "evidence/log/replay.h"

#define IMA_PCR  10u
#define SHA1_LEN 20
#define PADDED_MAX                                                                                 \
    4096 /* entries in which padded digests are looked for: only a better word in a refusal */
/* In the list of events, where the digest of the file stands, whatever its algorithm. */
#define IMA_BANK ATLS_TPM_SHA256

typedef struct ima_case {
    const atls_tpm_bank *banks;
    uint32_t quoted; /* bit i: PCR 10 is quoted in bank i, and replayed there: one is enough */
    uint8_t value[ATLS_TPM_BANKS][ATLS_HASH_MAX];  /* as of now */
    uint8_t padded[ATLS_TPM_BANKS][ATLS_HASH_MAX]; /* likewise, with SHA-1 digests padded */
    bool padded_fits;
    size_t entries, believed; /* of PCR 10; in front of and at the last match */
    atls_event_list list;
    uint8_t *space; /* in the list's: the next name's place */
} ima_case;

static bool is_quoted(const ima_case *c, unsigned bank)
{
    return (c->quoted >> bank) % 2 == 1;
}

static bool matches(const ima_case *c, const uint8_t value[ATLS_TPM_BANKS][ATLS_HASH_MAX])
{
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        if (is_quoted(c, bank) && memcmp(value[bank], c->banks[bank].value[IMA_PCR],
                                         atls_hash_len(atls_log_hash(bank))) != 0) {
            return false;
        }
    }
    return c->quoted != 0;
}

static bool is_violation(const atls_ima_entry *e)
{
    uint8_t any = 0;
    for (size_t i = 0; i < e->sha1.len; i++) {
        any |= e->sha1.ptr[i];
    }
    return any == 0;
}

/* Of a violation the kernel records what it was about, but measures only that there was one. */
static atls_code extend(ima_case *c, const atls_ima_entry *e, atls_err *err)
{
    const bool violation = is_violation(e);
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        const atls_hash hash = atls_log_hash(bank);
        const size_t len = atls_hash_len(hash);
        uint8_t digest[ATLS_HASH_MAX];
        uint8_t padded[ATLS_HASH_MAX] = {0};
        if (!is_quoted(c, bank) && (bank != ATLS_TPM_SHA1 || violation)) {
            continue;
        }
        memset(digest, 0xff, sizeof digest);
        if (!violation) {
            ATLS_TRY(atls_digest(hash, &e->data, 1, digest, err));
        }
        if (bank == ATLS_TPM_SHA1 && !violation && memcmp(digest, e->sha1.ptr, SHA1_LEN) != 0) {
            return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.digest",
                            "the digest of entry %zu is not that of its data", c->entries + 1);
        }
        if (!is_quoted(c, bank)) {
            continue;
        }
        ATLS_TRY(atls_register_extend(hash, c->value[bank], (atls_buf){digest, len}, err));
        if (c->entries < PADDED_MAX) {
            memcpy(padded, violation ? digest : e->sha1.ptr, violation ? len : SHA1_LEN);
            ATLS_TRY(atls_register_extend(hash, c->padded[bank], (atls_buf){padded, len}, err));
        }
    }
    return ATLS_OK;
}

/* The digest told is the file's; the path is what finds it. */
static atls_code add(ima_case *c, const atls_ima_entry *e, atls_err *err)
{
    atls_log_event event = {.index = IMA_PCR, .name = "violation", .data = e->data, .is_ima = true};
    if (!is_violation(e)) {
        const atls_buf name = e->is_known ? e->path : e->template_name;
        event.name = (const char *)c->space;
        event.is_bound = e->is_known; /* a template's name is no part of what is measured */
        event.digest[IMA_BANK] = e->digest;
        for (size_t i = 0; i < name.len && name.ptr[i] != '\0'; i++) {
            *c->space++ = name.ptr[i];
        }
        *c->space++ = '\0';
    }
    return atls_event_list_add(&c->list, &event, err);
}

static atls_code read_all(ima_case *c, atls_buf log, atls_err *err)
{
    atls_reader r = atls_reader_of(log);
    atls_ima_entry e;
    bool more = true;
    for (;;) {
        ATLS_TRY(atls_ima_next(&r, &more, &e, err));
        if (!more) {
            return ATLS_OK;
        }
        if (e.pcr != IMA_PCR) {
            continue;
        }
        if (c->entries == ATLS_IMA_ENTRIES_MAX) {
            return ATLS_ERR(err, ATLS_E_INVALID, "log.ima.entries",
                            "the list has more than %d entries", ATLS_IMA_ENTRIES_MAX);
        }
        ATLS_TRY(extend(c, &e, err));
        ATLS_TRY(add(c, &e, err));
        c->entries++;
        c->padded_fits = c->padded_fits || matches(c, c->padded);
        c->believed = matches(c, c->value) ? c->entries : c->believed;
    }
}

static void conclude(const ima_case *c, atls_ledger *l, atls_event_claims *out)
{
    char text[160];
    const uint32_t better = c->quoted & ~(1u << ATLS_TPM_SHA1);
    if (c->quoted == 0) {
        (void)snprintf(text, sizeof text, "PCR 10 is not quoted: none of %zu entries is believed",
                       c->entries);
    } else if (c->believed > 0) {
        (void)snprintf(text, sizeof text, "%zu of %zu entries give PCR 10%s", c->believed,
                       c->entries, better != 0 ? "" : ", in SHA-1 only: none is believed");
        out->replayed = better != 0 ? 1u << IMA_PCR : 0;
    } else {
        (void)snprintf(text, sizeof text, "no beginning of %zu entries gives PCR 10%s", c->entries,
                       c->padded_fits ? ", but with padded SHA-1 digests: a kernel before 5.8"
                                      : "");
        out->differs = 1u << IMA_PCR;
        atls_ledger_fail(l, "log.ima.replay", ATLS_E_INVALID, atls_value_note(l, text),
                         atls_value_text("entries that give the quoted PCR 10"));
        return;
    }
    atls_ledger_ok_found(l, "log.ima.replay", atls_value_note(l, text));
}

static atls_code judge(ima_case *c, atls_buf log, atls_ledger *l, atls_event_claims *out,
                       atls_anchor *anchor, atls_err *err)
{
    unsigned bank_of[ATLS_LOG_REGISTERS];
    for (size_t i = 0; i < ATLS_LOG_REGISTERS; i++) {
        bank_of[i] = ATLS_TPM_BANKS;
    }
    c->list.space = malloc(log.len + 1); /* a path is shorter than its entry */
    if (c->list.space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    c->space = c->list.space;
    ATLS_TRY(read_all(c, log, err));
    conclude(c, l, out);
    if (out->replayed != 0) {
        c->list.n = c->believed;
        bank_of[IMA_PCR] = IMA_BANK;
    }
    return atls_event_list_publish(&c->list, bank_of, out, anchor, err);
}

void atls_log_judge_ima(atls_buf log, const atls_tpm_bank banks[ATLS_TPM_BANKS], atls_ledger *l,
                        atls_event_claims *out, atls_anchor *anchor)
{
    atls_err err = {0};
    atls_event_claims found = {0};
    ima_case c = {.banks = banks};
    if (log.len == 0 || log.len > ATLS_LOG_LEN_MAX) {
        atls_ledger_fail(l, "log.size", ATLS_E_INVALID, atls_value_uint(log.len),
                         atls_value_text("1 to 4194304 bytes"));
        return;
    }
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        c.quoted |= (banks[bank].selected >> IMA_PCR) % 2 == 1 ? 1u << bank : 0;
    }
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) { /* the first that is not SHA-1's */
        if (bank != ATLS_TPM_SHA1 && is_quoted(&c, bank)) {
            c.quoted = 1u << bank;
        }
    }
    if (judge(&c, log, l, &found, anchor, &err) == ATLS_OK) {
        *out = found;
    } else {
        if (err.code == ATLS_E_SYSTEM) { /* says nothing about the log */
            atls_ledger_no_memory(l);
        }
        atls_ledger_fail_err(l, &err);
    }
    atls_event_list_clear(&c.list);
}
