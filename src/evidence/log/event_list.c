#include "evidence/log/event_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "evidence/log/event_type.h"
#include "evidence/log/tcg.h"

#define FIRMWARE_PCRS 8 /* PCR 0 to 7 */

atls_hash atls_log_hash(unsigned bank)
{
    static const atls_hash hashes[ATLS_TPM_BANKS] = {[ATLS_TPM_SHA1] = ATLS_SHA1,
                                                     [ATLS_TPM_SHA256] = ATLS_SHA256,
                                                     [ATLS_TPM_SHA384] = ATLS_SHA384,
                                                     [ATLS_TPM_SHA512] = ATLS_SHA512};
    return hashes[bank];
}

atls_code atls_event_list_add(atls_event_list *list, const atls_log_event *event, atls_err *err)
{
    if (list->n == list->cap) { /* the parsers bound how many there can be */
        size_t cap = list->cap == 0 ? 64 : 2 * list->cap;
        atls_log_event *more = realloc(list->events, cap * sizeof *more);
        if (more == NULL) {
            return ATLS_ERR_NOMEM(err);
        }
        list->events = more;
        list->cap = cap;
    }
    list->events[list->n++] = *event;
    return ATLS_OK;
}

void atls_event_list_clear(atls_event_list *list)
{
    free(list->events);
    free(list->space);
    memset(list, 0, sizeof *list);
}

/* --- from TCG records --- */

static const uint8_t startup_locality[16] = "StartupLocality";

typedef struct locality {
    bool seen;
    uint8_t value;
} locality;

/* An EV_NO_ACTION extends nothing; one of them says where PCR 0 started. */
static atls_code take_note(const atls_tcg_event *e, locality *at, atls_err *err)
{
    atls_reader r = atls_reader_of(e->data);
    atls_buf signature = atls_reader_view(&r, sizeof startup_locality);
    uint8_t value = atls_reader_u8(&r);
    if (e->index != 0 || !atls_reader_end(&r) ||
        memcmp(signature.ptr, startup_locality, sizeof startup_locality) != 0) {
        return ATLS_OK;
    }
    if (at->seen || (value != 0 && value != 3 && value != 4)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.locality",
                        "startup locality %u%s, where one of 0, 3 and 4 is wanted", (unsigned)value,
                        at->seen ? " beside another" : "");
    }
    *at = (locality){true, value};
    return ATLS_OK;
}

static atls_code take_event(const atls_tcg_log *log, const atls_tcg_event *e, bool td,
                            atls_event_list *list, atls_err *err)
{
    if (td && (e->index == 0 || e->index > 4)) {
        return ATLS_OK; /* of MRTD, or of no register */
    }
    if (!td && e->index >= ATLS_TPM_PCRS) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.format", "an event of PCR %u, where 0 to 23 are",
                        (unsigned)e->index);
    }
    const char *name = atls_event_type_name(e->type);
    if (!td && e->index < FIRMWARE_PCRS && name == NULL) {
        return ATLS_ERR(err, ATLS_E_INVALID, "log.type",
                        "an event of type 0x%08x in PCR %u, where only types that are known may be",
                        (unsigned)e->type, (unsigned)e->index);
    }
    atls_log_event event = {.index = td ? e->index - 1 : e->index,
                            .type = e->type,
                            .name = name != NULL ? name : "unknown",
                            .data = e->data};
    for (unsigned bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        event.digest[bank] = atls_tcg_digest(log, e->digests, bank);
    }
    return atls_event_list_add(list, &event, err);
}

/* Without a word about it, an H-CRTM's event in front of all others in PCR 0 says that it started at 4. */
static uint8_t start_of(const atls_event_list *list, const locality *at)
{
    for (size_t i = 0; !at->seen && i < list->n; i++) {
        if (list->events[i].index == 0) {
            return list->events[i].type == ATLS_EV_HCRTM ? 4 : 0;
        }
    }
    return at->value;
}

static atls_code read_tcg(atls_buf bytes, bool td, atls_event_list *list, atls_err *err)
{
    atls_tcg_log log;
    atls_tcg_event e;
    bool more = true;
    locality at = {0};
    ATLS_TRY(atls_tcg_open(bytes, &log, err));
    for (;;) {
        ATLS_TRY(atls_tcg_next(&log, &more, &e, err));
        if (!more) {
            break;
        }
        ATLS_TRY(e.type == ATLS_EV_NO_ACTION ? (td ? ATLS_OK : take_note(&e, &at, err))
                                             : take_event(&log, &e, td, list, err));
    }
    list->locality = td ? 0 : start_of(list, &at);
    return ATLS_OK;
}

atls_code atls_event_list_from_tcg(atls_buf bytes, bool td, atls_event_list *out, atls_err *err)
{
    atls_event_list list = {0};
    atls_code rc = read_tcg(bytes, td, &list, err);
    if (rc != ATLS_OK) {
        atls_event_list_clear(&list);
        return rc;
    }
    *out = list;
    return ATLS_OK;
}

/* --- into claims --- */

atls_code atls_log_event_data_matches(const atls_log_event *event, unsigned bank, bool *out,
                                      atls_err *err)
{
    uint8_t digest[ATLS_HASH_MAX];
    const atls_hash hash = atls_log_hash(bank);
    if (event->is_bound || event->is_ima || !atls_event_type_hashes_data(event->type)) {
        *out = event->is_bound;
        return ATLS_OK;
    }
    ATLS_TRY(atls_digest(hash, &event->data, 1, digest, err));
    *out = atls_equal(event->digest[bank], (atls_buf){digest, atls_hash_len(hash)});
    return ATLS_OK;
}

/* What a verdict's anchor owns: the events and their bytes in one block, and what was there before. */
typedef struct owned {
    atls_anchor before;
    atls_event events[];
} owned;

static void release(void *object)
{
    owned *o = object;
    if (o->before.release != NULL) {
        o->before.release(o->before.object);
    }
    free(o);
}

static bool is_published(const atls_log_event *e, const unsigned *bank_of)
{
    unsigned bank = bank_of[e->index];
    return bank < ATLS_TPM_BANKS && (e->is_ima || e->digest[bank].len > 0);
}

static bool is_separator(const atls_log_event *e, bool data_matches)
{
    static const uint8_t zeros[4];
    static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff};
    return e->type == ATLS_EV_SEPARATOR && data_matches && e->data.len == 4 &&
           (memcmp(e->data.ptr, zeros, 4) == 0 || memcmp(e->data.ptr, ones, 4) == 0);
}

/* The event with its bytes copied to *space, which moves behind them. */
static atls_event copy_event(const atls_log_event *e, unsigned bank, uint8_t **space)
{
    const size_t name_len = strlen(e->name) + 1;
    atls_event to = {.index = e->index,
                     .type = e->type,
                     .name = (const char *)*space,
                     .digest_len = (uint8_t)e->digest[bank].len,
                     .is_runtime = e->is_runtime};
    memcpy(*space, e->name, name_len);
    *space += name_len;
    if (to.digest_len > 0) {
        memcpy(to.digest, e->digest[bank].ptr, to.digest_len);
    }
    if (e->data.len > 0) {
        memcpy(*space, e->data.ptr, e->data.len);
        to.data = (atls_buf){*space, e->data.len};
        *space += e->data.len;
    }
    return to;
}

static atls_code fill(const atls_event_list *list, const unsigned *bank_of, atls_event *to,
                      uint8_t *space, atls_err *err)
{
    bool ready = false;
    bool separated[ATLS_LOG_REGISTERS] = {false};
    for (size_t i = 0; i < list->n; i++) {
        const atls_log_event *e = &list->events[i];
        if (!is_published(e, bank_of)) {
            continue;
        }
        *to = copy_event(e, bank_of[e->index], &space);
        ATLS_TRY(atls_log_event_data_matches(e, bank_of[e->index], &to->data_matches, err));
        to->after_ready = ready;
        to->after_separator = separated[e->index];
        ready = ready || (e->is_runtime && strcmp(e->name, "system-ready") == 0);
        separated[e->index] = separated[e->index] || is_separator(e, to->data_matches);
        to++;
    }
    return ATLS_OK;
}

atls_code atls_event_list_publish(const atls_event_list *list,
                                  const unsigned bank_of[ATLS_LOG_REGISTERS],
                                  atls_event_claims *out, atls_anchor *anchor, atls_err *err)
{
    size_t n = 0;
    size_t len = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (is_published(&list->events[i], bank_of)) {
            n++;
            len += strlen(list->events[i].name) + 1 + list->events[i].data.len;
        }
    }
    if (n == 0) {
        return ATLS_OK;
    }
    owned *o = malloc(sizeof *o + n * sizeof o->events[0] + len);
    if (o == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = fill(list, bank_of, o->events, (uint8_t *)(o->events + n), err);
    if (rc != ATLS_OK) {
        free(o);
        return rc;
    }
    o->before = *anchor;
    *anchor = (atls_anchor){o, release};
    out->events = o->events;
    out->n = n;
    return ATLS_OK;
}
