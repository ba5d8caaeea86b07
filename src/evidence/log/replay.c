#include "evidence/log/replay.h"

#include <string.h>

#include "base/err.h"
#include "evidence/log/event_type.h"

#define EDITED_MAX                                                                                 \
    48 /* events: edits are looked for in shorter histories only, as that costs the square */

atls_code atls_register_extend(atls_hash hash, uint8_t *value, atls_buf digest, atls_err *err)
{
    const atls_buf pieces[] = {{value, atls_hash_len(hash)}, digest};
    return atls_digest(hash, pieces, 2, value, err);
}

/* What a register is after a reset: zeros; a TPM's 17 to 22 ones, and its PCR 0 ends with the startup locality. */
static void start(const atls_event_list *list, uint32_t index, bool td, size_t len,
                  uint8_t value[ATLS_HASH_MAX])
{
    memset(value, !td && index >= 17 && index <= 22 ? 0xff : 0, ATLS_HASH_MAX);
    if (!td && index == 0) {
        value[len - 1] = list->locality;
    }
}

typedef struct history { /* one register of one bank */
    const atls_event_list *list;
    uint32_t index;
    unsigned bank;
    atls_hash hash;
    size_t len; /* of a digest */
    const uint8_t *quoted;
} history;

static bool extends(const history *h, size_t i)
{
    return h->list->events[i].index == h->index && h->list->events[i].digest[h->bank].len > 0;
}

/* The next event of this register at or behind i; list->n: none. */
static size_t next(const history *h, size_t i)
{
    while (i < h->list->n && !extends(h, i)) {
        i++;
    }
    return i;
}

static bool is_quoted(const history *h, const uint8_t *value)
{
    return memcmp(value, h->quoted, h->len) == 0;
}

/* Goes on with events from i to the end: is it the quoted value then? */
static atls_code rest_fits(const history *h, const uint8_t *from, size_t i, bool *out,
                           atls_err *err)
{
    uint8_t value[ATLS_HASH_MAX];
    memcpy(value, from, h->len);
    for (i = next(h, i); i < h->list->n; i = next(h, i + 1)) {
        ATLS_TRY(atls_register_extend(h->hash, value, h->list->events[i].digest[h->bank], err));
    }
    *out = is_quoted(h, value);
    return ATLS_OK;
}

static atls_code extended_fits(const history *h, const uint8_t *from, atls_buf digest, size_t i,
                               bool *out, atls_err *err)
{
    uint8_t value[ATLS_HASH_MAX];
    memcpy(value, from, h->len);
    ATLS_TRY(atls_register_extend(h->hash, value, digest, err));
    return rest_fits(h, value, i, out, err);
}

/* Does one edit of event i, in front of which the register is `before`, explain the quoted value? */
static atls_code try_edits(const history *h, const uint8_t *before, size_t i,
                           atls_departure_kind *kind, atls_err *err)
{
    const atls_log_event *e = &h->list->events[i];
    bool fits = false;
    ATLS_TRY(rest_fits(h, before, i + 1, &fits, err));
    if (fits) {
        *kind = ATLS_DEPARTS_EXTRA;
        return ATLS_OK;
    }
    const size_t j = next(h, i + 1);
    if (j < h->list->n) {
        uint8_t value[ATLS_HASH_MAX];
        memcpy(value, before, h->len);
        ATLS_TRY(atls_register_extend(h->hash, value, h->list->events[j].digest[h->bank], err));
        ATLS_TRY(extended_fits(h, value, e->digest[h->bank], j + 1, &fits, err));
        if (fits) {
            *kind = ATLS_DEPARTS_SWAPPED;
            return ATLS_OK;
        }
    }
    if (atls_event_type_hashes_data(e->type)) {
        uint8_t digest[ATLS_HASH_MAX];
        ATLS_TRY(atls_digest(h->hash, &e->data, 1, digest, err));
        ATLS_TRY(extended_fits(h, before, (atls_buf){digest, h->len}, i + 1, &fits, err));
        *kind = fits ? ATLS_DEPARTS_DIGEST : *kind;
    }
    return ATLS_OK;
}

static atls_code find_edit(const history *h, const uint8_t *first, atls_departure *out,
                           atls_err *err)
{
    uint8_t value[ATLS_HASH_MAX];
    size_t at = 0;
    memcpy(value, first, ATLS_HASH_MAX);
    for (size_t i = next(h, 0); i < h->list->n; i = next(h, i + 1)) {
        atls_departure_kind kind = ATLS_DEPARTS_SOMEHOW;
        at++;
        ATLS_TRY(try_edits(h, value, i, &kind, err));
        if (kind != ATLS_DEPARTS_SOMEHOW) {
            *out = (atls_departure){kind, out->events, at, &h->list->events[i]};
            return ATLS_OK;
        }
        ATLS_TRY(atls_register_extend(h->hash, value, h->list->events[i].digest[h->bank], err));
    }
    return ATLS_OK;
}

atls_code atls_replay(const atls_event_list *list, uint32_t index, unsigned bank, bool td,
                      const uint8_t *quoted, atls_departure *out, atls_err *err)
{
    history h = {list, index, bank, atls_log_hash(bank), 0, quoted};
    h.len = atls_hash_len(h.hash);
    uint8_t first[ATLS_HASH_MAX];
    uint8_t value[ATLS_HASH_MAX];
    start(list, index, td, h.len, first);
    memcpy(value, first, sizeof value);
    atls_departure d = {.kind = ATLS_DEPARTS_SOMEHOW};
    if (is_quoted(&h, value)) {
        d.kind = ATLS_DEPARTS_BEHIND;
    }
    for (size_t i = next(&h, 0); i < list->n; i = next(&h, i + 1)) {
        ATLS_TRY(atls_register_extend(h.hash, value, list->events[i].digest[bank], err));
        d.events++;
        if (is_quoted(&h, value)) {
            d.kind = ATLS_DEPARTS_BEHIND;
            d.at = d.events;
            d.event = &list->events[i];
        }
    }
    if (is_quoted(&h, value)) {
        d.kind = ATLS_DEPARTS_NOT;
    } else if (d.kind == ATLS_DEPARTS_SOMEHOW && d.events <= EDITED_MAX) {
        ATLS_TRY(find_edit(&h, first, &d, err));
    }
    *out = d;
    return ATLS_OK;
}
