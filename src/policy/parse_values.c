#include "policy/parse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/text.h"

void atls_policy_enter(atls_policy_parser *p, const char *name)
{
    p->steps[p->steps_n++] = (atls_json_step){.name = name, .name_len = strlen(name)};
}

void atls_policy_enter_element(atls_policy_parser *p, size_t index)
{
    p->steps[p->steps_n++] = (atls_json_step){.index = index};
}

void atls_policy_leave(atls_policy_parser *p)
{
    p->steps_n--;
}

static atls_code refuse_at(atls_policy_parser *p, bool at_member, const char *sentence)
{
    size_t line;
    size_t column;
    (void)(at_member ? atls_json_locate_member
                     : atls_json_locate_steps)(p->text, p->steps, p->steps_n, &line, &column);
    return ATLS_ERR(p->err, ATLS_E_USAGE, "policy.format", "policy line %zu column %zu: %s", line,
                    column, sentence);
}

atls_code atls_policy_refuse(atls_policy_parser *p, const char *fmt, ...)
{
    char sentence[ATLS_ERR_MSG_LEN];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    return refuse_at(p, false, sentence);
}

atls_code atls_policy_refuse_member(atls_policy_parser *p, const char *fmt, ...)
{
    char sentence[ATLS_ERR_MSG_LEN];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    return refuse_at(p, true, sentence);
}

/* --- did you mean --- */

#define WORD_MAX 40

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edits between two words, two neighbours swapped counting as one; large when one is too long. */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a);
    size_t lb = strlen(b);
    size_t d[3][WORD_MAX + 1];
    if (la > WORD_MAX || lb > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t k = 0; k <= lb; k++) {
        d[0][k] = k;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t *row = d[i % 3];
        const size_t *above = d[(i - 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= lb; k++) {
            size_t change = above[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
            row[k] = min3(above[k] + 1, row[k - 1] + 1, change);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
                size_t swapped = d[(i - 2) % 3][k - 2] + 1;
                row[k] = swapped < row[k] ? swapped : row[k];
            }
        }
    }
    return d[la % 3][lb];
}

/* Unknown words are foreign text: shortened, and without characters that would confuse a terminal. */
static void quote_word(const char *word, char out[WORD_MAX + 1])
{
    size_t n = 0;
    for (; word[n] != '\0' && n < WORD_MAX; n++) {
        bool plain = word[n] >= 0x20 && word[n] < 0x7f;
        out[n] = plain ? word[n] : '?';
    }
    out[n] = '\0';
}

atls_code atls_policy_refuse_unknown(atls_policy_parser *p, bool at_member, const char *what,
                                     const char *word, const char *const *known, size_t known_n)
{
    char shown[WORD_MAX + 1];
    quote_word(word, shown);
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1; /* farther is no slip of the finger */
    for (size_t i = 0; i < known_n; i++) {
        size_t d = distance(word, known[i]);
        if (d <= best_distance) {
            best = known[i];
            best_distance = d - (d > 0 ? 1 : 0);
        }
    }
    char sentence[ATLS_ERR_MSG_LEN];
    if (best != NULL) {
        (void)snprintf(sentence, sizeof sentence, "unknown %s \"%s\"; did you mean \"%s\"?", what,
                       shown, best);
    } else {
        (void)snprintf(sentence, sizeof sentence, "unknown %s \"%s\"", what, shown);
    }
    return refuse_at(p, at_member, sentence);
}

/* --- objects --- */

static const atls_policy_key *key_by_name(const atls_policy_object *object, const char *name)
{
    for (size_t i = 0; i < object->keys_n; i++) {
        if (strcmp(object->keys[i].name, name) == 0) {
            return &object->keys[i];
        }
    }
    return NULL;
}

#define KEYS_MAX 32

static atls_code parse_member(atls_policy_parser *p, const char *name, json_t *value,
                              const atls_policy_object *object, void *target)
{
    const atls_policy_key *key = key_by_name(object, name);
    if (key != NULL) {
        return key->parse(p, value, target);
    }
    const char *known[KEYS_MAX];
    for (size_t i = 0; i < object->keys_n && i < KEYS_MAX; i++) {
        known[i] = object->keys[i].name;
    }
    size_t n = object->keys_n < KEYS_MAX ? object->keys_n : KEYS_MAX;
    return atls_policy_refuse_unknown(p, true, "key", name, known, n);
}

atls_code atls_policy_parse_why(atls_policy_parser *p, json_t *value, const json_t *object)
{
    const char *name;
    json_t *member;
    if (json_is_string(value)) {
        return ATLS_OK;
    }
    if (!json_is_object(value)) {
        return atls_policy_refuse(p, "a string is wanted, or an object of strings");
    }
    json_object_foreach(value, name, member)
    {
        atls_policy_enter(p, name);
        if (json_object_get(object, name) == NULL) {
            return atls_policy_refuse_member(p, "a reason for what does not stand beside \"why\"");
        }
        if (!json_is_string(member)) {
            return atls_policy_refuse(p, "a string is wanted");
        }
        atls_policy_leave(p);
    }
    return ATLS_OK;
}

atls_code atls_policy_parse_object(atls_policy_parser *p, json_t *value,
                                   const atls_policy_object *object, void *target)
{
    if (!json_is_object(value)) {
        return atls_policy_refuse(p, "an object is wanted (%s)", object->name);
    }
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        atls_policy_enter(p, name);
        ATLS_TRY(strcmp(name, "why") == 0 ? atls_policy_parse_why(p, member, value)
                                          : parse_member(p, name, member, object, target));
        atls_policy_leave(p);
    }
    for (size_t i = 0; i < object->keys_n; i++) {
        if (object->keys[i].is_required && json_object_get(value, object->keys[i].name) == NULL) {
            return atls_policy_refuse(p, "\"%s\" is missing here", object->keys[i].name);
        }
    }
    return ATLS_OK;
}

/* --- values --- */

atls_code atls_policy_parse_string(atls_policy_parser *p, json_t *value, const char **out)
{
    if (!json_is_string(value)) {
        return atls_policy_refuse(p, "a string is wanted");
    }
    const char *s = json_string_value(value);
    size_t len = strlen(s);
    if (len == 0 || len > ATLS_POLICY_TEXT_MAX) {
        return atls_policy_refuse(p, "a string of %zu bytes, where 1 to %d are taken", len,
                                  ATLS_POLICY_TEXT_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        if (s[i] < 0x20 || s[i] > 0x7e) {
            return atls_policy_refuse(p, "a character that is not printable ASCII");
        }
    }
    *out = atls_policy_keep_text(p->policy, s);
    return *out != NULL ? ATLS_OK : ATLS_ERR_NOMEM(p->err);
}

atls_code atls_policy_parse_bool(atls_policy_parser *p, json_t *value, bool *out)
{
    if (!json_is_boolean(value)) {
        return atls_policy_refuse(p, "true or false is wanted");
    }
    *out = json_is_true(value);
    return ATLS_OK;
}

atls_code atls_policy_parse_number(atls_policy_parser *p, json_t *value, uint32_t min, uint32_t max,
                                   uint32_t *out)
{
    if (!json_is_integer(value)) {
        return atls_policy_refuse(p, "a whole number is wanted");
    }
    json_int_t n = json_integer_value(value);
    if (n < (json_int_t)min || n > (json_int_t)max) {
        return atls_policy_refuse(p, "%" JSON_INTEGER_FORMAT ", where %u to %u is taken", n, min,
                                  max);
    }
    *out = (uint32_t)n;
    return ATLS_OK;
}

/* "0x" and 1 to 16 hex digits. */
static bool parse_hex_number(const char *s, uint64_t *out)
{
    size_t digits = strlen(s) > 2 ? strlen(s) - 2 : 0;
    uint64_t n = 0;
    if (s[0] != '0' || s[1] != 'x' || digits == 0 || digits > 16) {
        return false;
    }
    for (const char *c = s + 2; *c != '\0'; c++) {
        bool decimal = *c >= '0' && *c <= '9';
        bool lower = *c >= 'a' && *c <= 'f';
        if (!decimal && !lower && !(*c >= 'A' && *c <= 'F')) {
            return false;
        }
        n = n * 16 + (uint64_t)(decimal ? *c - '0' : lower ? *c - 'a' + 10 : *c - 'A' + 10);
    }
    *out = n;
    return true;
}

atls_code atls_policy_parse_u64(atls_policy_parser *p, json_t *value, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (json_is_integer(value) && json_integer_value(value) < 0) {
        return atls_policy_refuse(p, "%" JSON_INTEGER_FORMAT ", where 0 to %" PRIu64 " is taken",
                                  json_integer_value(value), max);
    }
    bool ok = json_is_integer(value);
    if (ok) {
        n = (uint64_t)json_integer_value(value);
    } else if (json_is_string(value)) {
        ok = parse_hex_number(json_string_value(value), &n);
    }
    if (!ok) {
        return atls_policy_refuse(p, "a whole number is wanted, or its hex text (\"0x1f\")");
    }
    if (n > max) {
        return atls_policy_refuse(p, "%" PRIu64 ", where 0 to %" PRIu64 " is taken", n, max);
    }
    *out = n;
    return ATLS_OK;
}

atls_code atls_policy_parse_mask(atls_policy_parser *p, json_t *value, uint64_t *out)
{
    if (!json_is_string(value)) {
        return atls_policy_refuse(p, "a mask as hex text is wanted, like \"0x20\"");
    }
    ATLS_TRY(atls_policy_parse_u64(p, value, UINT64_MAX, out));
    return *out != 0 ? ATLS_OK
                     : atls_policy_refuse(p, "no bit is set: leave the key out to ask nothing");
}

atls_code atls_policy_parse_list(atls_policy_parser *p, json_t *value, size_t min, size_t *n)
{
    if (!json_is_array(value)) {
        return atls_policy_refuse(p, "a list is wanted");
    }
    *n = json_array_size(value);
    if (*n < min) {
        return atls_policy_refuse(p,
                                  "an empty list fits nothing; leave the key out to ask nothing");
    }
    if (*n > ATLS_POLICY_VALUES_MAX) {
        return atls_policy_refuse(p, "a list of %zu, where at most %d are taken", *n,
                                  ATLS_POLICY_VALUES_MAX);
    }
    return ATLS_OK;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

atls_code atls_policy_keep_written(atls_policy_parser *p, atls_text *t, const char **out)
{
    char *text = atls_text_take(t);
    *out = text != NULL ? atls_policy_keep_text(p->policy, text) : NULL;
    free(text);
    return *out != NULL ? ATLS_OK : ATLS_ERR_NOMEM(p->err);
}

/* What the ledger shows as wanted: the first two values, and how many more there are. */
atls_code atls_policy_describe(atls_policy_parser *p, atls_any_of *any)
{
    atls_text t = atls_text_of(2048);
    char hex[2 * ATLS_POLICY_TEXT_MAX + 1];
    for (size_t i = 0; i < any->n && i < 2; i++) {
        const uint8_t *bytes = any->bytes + i * any->stride;
        size_t len = any->lens != NULL ? any->lens[i] : any->stride;
        atls_text_add(&t, "%s", i > 0 ? " or " : "");
        if (any->is_text) {
            atls_text_add(&t, "%.*s", (int)len, (const char *)bytes);
        } else {
            atls_hex_encode((atls_buf){bytes, len}, hex);
            atls_text_add(&t, "%s", hex);
        }
    }
    if (any->n > 2) {
        atls_text_add(&t, " or %zu more", any->n - 2);
    }
    return atls_policy_keep_written(p, &t, &any->wanted);
}

static atls_code parse_hex(atls_policy_parser *p, json_t *value, uint8_t *out, size_t cap,
                           size_t *len)
{
    if (!json_is_string(value)) {
        return atls_policy_refuse(p, "hex in a string is wanted");
    }
    const char *s = json_string_value(value);
    size_t digits = strlen(s);
    if (digits > 2 * cap) {
        return atls_policy_refuse(p, "%zu hex digits, where at most %zu are taken", digits,
                                  2 * cap);
    }
    if (digits == 0 || !atls_hex_decode(s, digits, out, cap, len)) {
        return atls_policy_refuse(p, "not hex: pairs of 0-9 and a-f are wanted");
    }
    return ATLS_OK;
}

#define NAMES_NOBODY                                                                               \
    "all zero: such a value names nobody, and would fit whoever leaves the field empty"

static atls_code parse_fixed(atls_policy_parser *p, json_t *value, size_t size, bool not_zero,
                             uint8_t *out)
{
    size_t len;
    ATLS_TRY(parse_hex(p, value, out, size, &len));
    if (len != size) {
        return atls_policy_refuse(p, "%zu hex digits, where %zu are wanted", 2 * len, 2 * size);
    }
    if (not_zero && is_zero(out, size)) {
        return atls_policy_refuse(p, NAMES_NOBODY);
    }
    return ATLS_OK;
}

atls_code atls_policy_parse_any_of(atls_policy_parser *p, json_t *value, size_t size, bool not_zero,
                                   atls_any_of *out)
{
    atls_any_of any = {.stride = size};
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &any.n));
    any.bytes = atls_policy_keep(p->policy, any.n, size);
    if (any.bytes == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < any.n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_fixed(p, json_array_get(value, i), size, not_zero, any.bytes + i * size));
        atls_policy_leave(p);
    }
    ATLS_TRY(atls_policy_describe(p, &any));
    *out = any;
    return ATLS_OK;
}

static atls_code parse_one_varied(atls_policy_parser *p, json_t *value, size_t max, bool is_digest,
                                  bool not_zero, uint8_t *out, uint8_t *out_len)
{
    size_t len;
    ATLS_TRY(parse_hex(p, value, out, max, &len));
    if (is_digest && len != 32 && len != 48 && len != 64) {
        return atls_policy_refuse(p, "%zu hex digits, where 64, 96 or 128 are wanted", 2 * len);
    }
    if (not_zero && is_zero(out, len)) {
        return atls_policy_refuse(p, NAMES_NOBODY);
    }
    *out_len = (uint8_t)len;
    return ATLS_OK;
}

atls_code atls_policy_parse_varied(atls_policy_parser *p, json_t *value, size_t max, bool is_digest,
                                   bool not_zero, atls_any_of *out)
{
    atls_any_of any = {.stride = max};
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &any.n));
    any.bytes = atls_policy_keep(p->policy, any.n, max);
    any.lens = atls_policy_keep(p->policy, any.n, 1);
    if (any.bytes == NULL || any.lens == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < any.n; i++) {
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_one_varied(p, json_array_get(value, i), max, is_digest, not_zero,
                                  any.bytes + i * max, &any.lens[i]));
        atls_policy_leave(p);
    }
    ATLS_TRY(atls_policy_describe(p, &any));
    *out = any;
    return ATLS_OK;
}

atls_code atls_policy_parse_word(atls_policy_parser *p, json_t *value, const char *what,
                                 const char *const *known, size_t known_n, size_t *i)
{
    const char *word;
    ATLS_TRY(atls_policy_parse_string(p, value, &word));
    for (size_t k = 0; k < known_n; k++) {
        if (strcmp(word, known[k]) == 0) {
            *i = k;
            return ATLS_OK;
        }
    }
    return atls_policy_refuse_unknown(p, false, what, word, known, known_n);
}

atls_code atls_policy_parse_texts(atls_policy_parser *p, json_t *value, const char *what,
                                  const char *const *known, size_t known_n, atls_any_of *out)
{
    atls_any_of any = {.stride = ATLS_POLICY_TEXT_MAX, .is_text = true};
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &any.n));
    any.bytes = atls_policy_keep(p->policy, any.n, any.stride);
    any.lens = atls_policy_keep(p->policy, any.n, 1);
    if (any.bytes == NULL || any.lens == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < any.n; i++) {
        const char *text;
        size_t k;
        atls_policy_enter_element(p, i);
        if (known != NULL) {
            ATLS_TRY(atls_policy_parse_word(p, json_array_get(value, i), what, known, known_n, &k));
        }
        ATLS_TRY(atls_policy_parse_string(p, json_array_get(value, i), &text));
        any.lens[i] = (uint8_t)strlen(text);
        memcpy(any.bytes + i * any.stride, text, any.lens[i]);
        atls_policy_leave(p);
    }
    ATLS_TRY(atls_policy_describe(p, &any));
    *out = any;
    return ATLS_OK;
}

atls_code atls_policy_parse_serials(atls_policy_parser *p, json_t *value, size_t max,
                                    atls_any_of *out)
{
    atls_any_of any = {.stride = max};
    ATLS_TRY(atls_policy_parse_list(p, value, 1, &any.n));
    any.bytes = atls_policy_keep(p->policy, any.n, max);
    any.lens = atls_policy_keep(p->policy, any.n, 1);
    if (any.bytes == NULL || any.lens == NULL) {
        return ATLS_ERR_NOMEM(p->err);
    }
    for (size_t i = 0; i < any.n; i++) {
        uint8_t *bytes = any.bytes + i * max;
        size_t len;
        atls_policy_enter_element(p, i);
        ATLS_TRY(parse_hex(p, json_array_get(value, i), bytes, max, &len));
        size_t zeros = 0;
        while (zeros < len && bytes[zeros] == 0) {
            zeros++;
        }
        if (zeros == len) {
            return atls_policy_refuse(p, "all zero: such a value names nobody");
        }
        memmove(bytes, bytes + zeros, len - zeros);
        any.lens[i] = (uint8_t)(len - zeros);
        atls_policy_leave(p);
    }
    ATLS_TRY(atls_policy_describe(p, &any));
    *out = any;
    return ATLS_OK;
}

atls_code atls_policy_parse_until(atls_policy_parser *p, json_t *value, int64_t *out)
{
    const char *s = json_is_string(value) ? json_string_value(value) : "";
    char whole[ATLS_TIME_TEXT_LEN];
    if (strlen(s) == 10) {
        (void)snprintf(whole, sizeof whole, "%sT23:59:59Z", s);
        s = whole;
    }
    return atls_time_parse(s, strlen(s), out)
               ? ATLS_OK
               : atls_policy_refuse(p, "a date is wanted, \"2026-03-31\" or "
                                       "\"2026-03-31T12:00:00Z\"");
}
