/* A sorted array: there are few of them, they are looked up far more often than they rise, and a file of them has one
 * spelling. */
#include "trust/floors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "crypto/digest.h"

#define CLOCK_LEEWAY_S 300
#define FIRST_LINE     "atls-floors 1\n"
#define LAST_WORD      "sha256 "
#define LAST_LINE_LEN  (sizeof LAST_WORD - 1 + 64 + 1)
#define LINE_MAX_LEN   (64 + 1 + ATLS_ITEM_KEY_LEN + 1 + 20 + 1 + 20 + 1)
#define TEXT_MAX_LEN   ((size_t)ATLS_FLOORS_MAX * LINE_MAX_LEN + 256)

struct atls_floors {
    atls_floor *floors; /* by root, then key, ascending */
    size_t n, cap;
    int64_t clock_s;
};

atls_floors *atls_floors_new(void)
{
    return calloc(1, sizeof(atls_floors));
}

void atls_floors_free(atls_floors *f)
{
    if (f != NULL) {
        free(f->floors);
        free(f);
    }
}

atls_floors *atls_floors_copy(const atls_floors *f)
{
    atls_floors *copy = atls_floors_new();
    if (copy == NULL) {
        return NULL;
    }
    copy->clock_s = f->clock_s;
    if (f->n > 0) {
        copy->floors = malloc(f->n * sizeof f->floors[0]);
        if (copy->floors == NULL) {
            atls_floors_free(copy);
            return NULL;
        }
        memcpy(copy->floors, f->floors, f->n * sizeof f->floors[0]);
        copy->n = copy->cap = f->n;
    }
    return copy;
}

int64_t atls_floors_clock(const atls_floors *f)
{
    return f->clock_s;
}

/* --- finding --- */

static int compare(const atls_floor *floor, const uint8_t root_sha256[32], const char *key)
{
    const int by_root = memcmp(floor->root_sha256, root_sha256, sizeof floor->root_sha256);
    return by_root != 0 ? by_root : strcmp(floor->key, key);
}

/* Where it is, or belongs. */
static size_t place_of(const atls_floors *f, const uint8_t root_sha256[32], const char *key,
                       bool *there)
{
    size_t low = 0;
    size_t high = f->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&f->floors[middle], root_sha256, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *there = low < f->n && compare(&f->floors[low], root_sha256, key) == 0;
    return low;
}

const atls_floor *atls_floors_find(const atls_floors *f, const uint8_t root_sha256[32],
                                   const char *key)
{
    bool there = false;
    const size_t at = place_of(f, root_sha256, key, &there);
    return there ? &f->floors[at] : NULL;
}

/* How much a floor would be missed; 0: its kind has none. What is asked for by number does not decide alone, and TCB
 * info is the only kind of which there are many. */
static int worth_of(const char *key)
{
    atls_item_name name;
    if (atls_item_name_parse(key, &name, NULL) != ATLS_OK) {
        return 0;
    }
    switch (name.kind) {
    case ATLS_ITEM_TCB_INFO:
    case ATLS_ITEM_QE_IDENTITY:
        return name.channel == ATLS_CHANNEL_NUMBER  ? 1
               : name.channel == ATLS_CHANNEL_EARLY ? 2
               : name.kind == ATLS_ITEM_QE_IDENTITY ? 4
                                                    : 3;
    case ATLS_ITEM_PCK_CRL:
    case ATLS_ITEM_ROOT_CRL:
    case ATLS_ITEM_AMD_CRL:
        return 4;
    default:
        return 0;
    }
}

/* --- rising --- */

static void drop(atls_floors *f, size_t at)
{
    memmove(&f->floors[at], &f->floors[at + 1], (f->n - at - 1) * sizeof f->floors[0]);
    f->n--;
}

/* True: there is room for one of that worth, if need be in the place of one that is worth less. */
static bool make_room(atls_floors *f, int worth)
{
    size_t least = f->n;
    int least_worth = worth;
    for (size_t i = 0; f->n >= ATLS_FLOORS_MAX && i < f->n; i++) {
        const int other = worth_of(f->floors[i].key);
        if (other < least_worth) {
            least = i;
            least_worth = other;
        }
    }
    if (least < f->n) {
        drop(f, least);
    }
    return f->n < ATLS_FLOORS_MAX;
}

static atls_code grow(atls_floors *f, atls_err *err)
{
    if (f->n < f->cap) {
        return ATLS_OK;
    }
    const size_t cap = f->cap == 0 ? 16 : 2 * f->cap;
    atls_floor *floors = realloc(f->floors, cap * sizeof floors[0]);
    if (floors == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    f->floors = floors;
    f->cap = cap;
    return ATLS_OK;
}

/* One that is not there yet, and fits. */
static atls_code insert(atls_floors *f, const atls_floor *floor, atls_err *err)
{
    bool there = false;
    ATLS_TRY(grow(f, err));
    const size_t at = place_of(f, floor->root_sha256, floor->key, &there);
    memmove(&f->floors[at + 1], &f->floors[at], (f->n - at) * sizeof f->floors[0]);
    f->floors[at] = *floor;
    f->n++;
    return ATLS_OK;
}

static atls_code raise_one(atls_floors *f, const atls_floor *floor, bool *changed, atls_err *err)
{
    bool there = false;
    const size_t at = place_of(f, floor->root_sha256, floor->key, &there);
    if (!there) {
        if (!make_room(f, worth_of(floor->key))) {
            return ATLS_OK;
        }
        ATLS_TRY(insert(f, floor, err));
        *changed = true;
        return ATLS_OK;
    }
    atls_floor *old = &f->floors[at];
    if (floor->number > old->number) {
        old->number = floor->number;
        *changed = true;
    }
    if (floor->issued_s > old->issued_s) {
        old->issued_s = floor->issued_s;
        *changed = true;
    }
    return ATLS_OK;
}

static void raise_clock(atls_floors *f, int64_t to_s, bool *changed)
{
    if (to_s > f->clock_s) {
        f->clock_s = to_s;
        *changed = true;
    }
}

static bool has_root(const uint8_t root_sha256[32])
{
    static const uint8_t none[32] = {0};
    return memcmp(root_sha256, none, sizeof none) != 0;
}

atls_code atls_floors_raise(atls_floors *f, const char *key, const atls_item_facts *facts,
                            int64_t when_s, bool *changed, atls_err *err)
{
    bool rose = false;
    if (has_root(facts->root_sha256) && strlen(key) < ATLS_ITEM_KEY_LEN) {
        if (worth_of(key) > 0) {
            atls_floor floor = {.number = facts->has_number ? facts->number : 0,
                                .issued_s = facts->issued_s > 0 ? facts->issued_s : 0};
            memcpy(floor.root_sha256, facts->root_sha256, sizeof floor.root_sha256);
            memcpy(floor.key, key, strlen(key) + 1);
            ATLS_TRY(raise_one(f, &floor, &rose, err));
        }
        if (facts->issued_s <= when_s) {
            raise_clock(f, facts->issued_s, &rose);
        } else if (facts->issued_s - CLOCK_LEEWAY_S <= when_s) {
            raise_clock(f, when_s, &rose); /* a clock that is a little behind stays right */
        }
    }
    *changed = rose;
    return ATLS_OK;
}

atls_code atls_floors_merge(atls_floors *f, const atls_floors *other, bool *changed, atls_err *err)
{
    bool rose = false;
    for (size_t i = 0; i < other->n; i++) {
        ATLS_TRY(raise_one(f, &other->floors[i], &rose, err));
    }
    raise_clock(f, other->clock_s, &rose);
    *changed = rose;
    return ATLS_OK;
}

atls_code atls_floors_check(const atls_floors *f, const char *key, const atls_item_facts *facts,
                            atls_err *err)
{
    char issued[ATLS_TIME_TEXT_LEN];
    char seen[ATLS_TIME_TEXT_LEN];
    const atls_floor *floor = atls_floors_find(f, facts->root_sha256, key);
    const uint64_t number = facts->has_number ? facts->number : 0;
    if (floor == NULL || (number >= floor->number && facts->issued_s >= floor->issued_s)) {
        return ATLS_OK;
    }
    atls_time_format(facts->issued_s, issued);
    atls_time_format(floor->issued_s, seen);
    return ATLS_ERR(err, ATLS_E_COLLATERAL, "collateral.rollback",
                    "%.60s: number %" PRIu64 " of %s, and number %" PRIu64
                    " of %s has been seen: what gives it is stale, or somebody takes it back; "
                    "fetch it from the vendor",
                    key, number, issued, floor->number, seen);
}

/* --- as text --- */

static void print_all(const atls_floors *f, atls_text *t)
{
    atls_text_add(t, FIRST_LINE "clock %" PRId64 "\n", f->clock_s);
    for (size_t i = 0; i < f->n; i++) {
        const atls_floor *floor = &f->floors[i];
        char root[65];
        atls_hex_encode((atls_buf){floor->root_sha256, sizeof floor->root_sha256}, root);
        atls_text_add(t, "%s %s %" PRIu64 " %" PRId64 "\n", root, floor->key, floor->number,
                      floor->issued_s);
    }
}

static atls_code digest_line(atls_buf before, char out[LAST_LINE_LEN + 1], atls_err *err)
{
    uint8_t digest[32];
    ATLS_TRY(atls_digest(ATLS_SHA256, &before, 1, digest, err));
    memcpy(out, LAST_WORD, sizeof LAST_WORD);
    atls_hex_encode((atls_buf){digest, sizeof digest}, out + sizeof LAST_WORD - 1);
    memcpy(out + LAST_LINE_LEN - 1, "\n", 2);
    return ATLS_OK;
}

atls_code atls_floors_encode(const atls_floors *f, char **out, size_t *len, atls_err *err)
{
    char line[LAST_LINE_LEN + 1];
    atls_text t = atls_text_of(TEXT_MAX_LEN);
    print_all(f, &t);
    atls_code rc = t.failed ? ATLS_ERR_NOMEM(err)
                            : digest_line((atls_buf){(const uint8_t *)t.ptr, t.len}, line, err);
    if (rc == ATLS_OK) {
        atls_text_add(&t, "%s", line);
    }
    const size_t text_len = t.len;
    char *text = atls_text_take(&t);
    if (rc != ATLS_OK || text == NULL) {
        free(text);
        return rc != ATLS_OK ? rc : ATLS_ERR_NOMEM(err);
    }
    *out = text;
    *len = text_len;
    return ATLS_OK;
}

/* --- from text --- */

/* Up to the next character c, which is taken too; {NULL, 0} and a failed reader: there is none. */
static atls_buf until(atls_reader *r, char c)
{
    const uint8_t *end = r->left == 0 ? NULL : memchr(r->ptr, c, r->left);
    if (end == NULL) {
        atls_reader_fail(r);
        return (atls_buf){NULL, 0};
    }
    const atls_buf part = atls_reader_view(r, (size_t)(end - r->ptr));
    (void)atls_reader_u8(r);
    return part;
}

/* Decimal, of at most max, in as few digits as can be. */
static bool number_of(atls_buf text, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        const uint64_t digit = (uint64_t)text.ptr[i] - '0';
        if (text.ptr[i] < '0' || digit > 9 || n > (max - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

static bool is_lower_hex(atls_buf text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F') {
            return false;
        }
    }
    return true;
}

static bool read_floor(atls_reader *line, atls_floor *out)
{
    size_t len = 0;
    uint64_t issued = 0;
    const atls_buf root = until(line, ' ');
    const atls_buf key = until(line, ' ');
    const atls_buf number = until(line, ' ');
    const atls_buf date = until(line, '\n');
    memset(out, 0, sizeof *out);
    if (!atls_reader_end(line) || root.len != 2 * sizeof out->root_sha256 || !is_lower_hex(root) ||
        !atls_hex_decode((const char *)root.ptr, root.len, out->root_sha256,
                         sizeof out->root_sha256, &len) ||
        !has_root(out->root_sha256) || key.len >= sizeof out->key) {
        return false;
    }
    memcpy(out->key, key.ptr, key.len);
    if (strlen(out->key) != key.len || worth_of(out->key) == 0 ||
        !number_of(number, UINT64_MAX, &out->number) || !number_of(date, INT64_MAX, &issued)) {
        return false;
    }
    out->issued_s = (int64_t)issued;
    return true;
}

static bool starts(atls_reader *r, const char *word)
{
    const atls_buf begin = atls_reader_view(r, strlen(word));
    return begin.len == strlen(word) && memcmp(begin.ptr, word, begin.len) == 0;
}

static bool read_clock(atls_reader *r, int64_t *out)
{
    uint64_t clock = 0;
    if (!starts(r, FIRST_LINE "clock ") || !number_of(until(r, '\n'), INT64_MAX, &clock)) {
        return false;
    }
    *out = (int64_t)clock;
    return true;
}

static atls_code malformed(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "floors.form", "floors that cannot be read: %s", what);
}

/* Ascending strictly, so that a text has one spelling. */
static atls_code read_all(atls_reader *r, atls_floors *f, atls_err *err)
{
    atls_floor floor;
    if (!read_clock(r, &f->clock_s)) {
        return malformed("they begin otherwise", err);
    }
    while (r->left > 0) {
        const uint8_t *end = memchr(r->ptr, '\n', r->left);
        const size_t len = end == NULL ? r->left : (size_t)(end - r->ptr) + 1;
        atls_reader line = atls_reader_sub(r, len);
        if (f->n == ATLS_FLOORS_MAX || len > LINE_MAX_LEN || !read_floor(&line, &floor)) {
            return malformed("a line is no floor, or there are too many", err);
        }
        if (f->n > 0 && compare(&f->floors[f->n - 1], floor.root_sha256, floor.key) >= 0) {
            return malformed("they are not in order", err);
        }
        ATLS_TRY(insert(f, &floor, err));
    }
    return ATLS_OK;
}

atls_code atls_floors_decode(atls_buf text, atls_floors **out, atls_err *err)
{
    char line[LAST_LINE_LEN + 1];
    if (text.len < LAST_LINE_LEN || text.len > TEXT_MAX_LEN) {
        return malformed("they are too short or too long", err);
    }
    atls_reader r = atls_reader_of(text);
    const atls_buf before = atls_reader_view(&r, text.len - LAST_LINE_LEN);
    const atls_buf last = atls_reader_rest(&r);
    ATLS_TRY(digest_line(before, line, err));
    if (memcmp(last.ptr, line, LAST_LINE_LEN) != 0) {
        return malformed("their hash is another", err);
    }
    atls_floors *f = atls_floors_new();
    if (f == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_reader lines = atls_reader_of(before);
    const atls_code rc = read_all(&lines, f, err);
    if (rc != ATLS_OK) {
        atls_floors_free(f);
        return rc;
    }
    *out = f;
    return ATLS_OK;
}
