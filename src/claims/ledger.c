#include "claims/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"

void atls_ledger_init(atls_ledger *l)
{
    l->count = 0;
    l->notes_len = 0;
    l->overflow = false;
    l->no_memory = false;
    l->copies = false;
}

void atls_ledger_no_memory(atls_ledger *l)
{
    l->no_memory = true;
}

static atls_value lasting(atls_ledger *l, const atls_value *v)
{
    return l->copies && v->kind == ATLS_VALUE_TEXT && v->as.text != NULL
               ? atls_value_note(l, v->as.text)
               : *v;
}

static void add(atls_ledger *l, const char *id, atls_result result, atls_code code,
                const char *because, const atls_value *found, const atls_value *wanted)
{
    if (l->count == ATLS_LEDGER_MAX) {
        l->overflow = true;
        return;
    }
    atls_entry *e = &l->entries[l->count++];
    e->id = id;
    e->result = result;
    e->code = code;
    e->because = because;
    e->found = lasting(l, found);
    e->wanted = lasting(l, wanted);
}

void atls_ledger_ok(atls_ledger *l, const char *id)
{
    atls_value none = atls_value_none();
    add(l, id, ATLS_CHECK_OK, ATLS_OK, NULL, &none, &none);
}

void atls_ledger_ok_found(atls_ledger *l, const char *id, atls_value found)
{
    atls_value none = atls_value_none();
    add(l, id, ATLS_CHECK_OK, ATLS_OK, NULL, &found, &none);
}

void atls_ledger_fail(atls_ledger *l, const char *id, atls_code code, atls_value found,
                      atls_value wanted)
{
    /* A failure whose code is no failure is a slip of ours: it still refuses. */
    bool is_failure = code >= ATLS_E_USAGE && code <= ATLS_E_BINDING;
    add(l, id, ATLS_CHECK_FAIL, is_failure ? code : ATLS_E_SYSTEM, NULL, &found, &wanted);
}

void atls_ledger_fail_err(atls_ledger *l, const atls_err *err)
{
    atls_value found = atls_value_note(l, err->msg);
    const char *id = err->check != NULL ? err->check : "verdict.unnamed";
    atls_ledger_fail(l, id, err->code, found, atls_value_none());
}

void atls_ledger_skip(atls_ledger *l, const char *id, const char *because)
{
    atls_value none = atls_value_none();
    add(l, id, ATLS_CHECK_SKIPPED, ATLS_OK, because, &none, &none);
}

bool atls_ledger_check(atls_ledger *l, const char *id, bool cond, atls_code code, atls_value found,
                       atls_value wanted)
{
    if (cond) {
        atls_ledger_ok_found(l, id, found);
    } else {
        atls_ledger_fail(l, id, code, found, wanted);
    }
    return cond;
}

bool atls_ledger_all_ok(const atls_ledger *l, size_t from)
{
    for (size_t i = from; i < l->count; i++) {
        if (l->entries[i].result != ATLS_CHECK_OK) {
            return false;
        }
    }
    return !l->overflow && !l->no_memory;
}

/* Smaller decides. What is broken comes before what is foreign, refused, or only out of its time; our own
 * trouble comes last, since it says nothing about the peer. */
static int rank(atls_code code)
{
    static const atls_code order[] = {ATLS_E_INVALID,    ATLS_E_BINDING, ATLS_E_POLICY,
                                      ATLS_E_COLLATERAL, ATLS_E_SYSTEM,  ATLS_E_USAGE};
    int n = (int)(sizeof order / sizeof order[0]);
    for (int i = 0; i < n; i++) {
        if (order[i] == code) {
            return i;
        }
    }
    return n;
}

const atls_entry *atls_ledger_deciding(const atls_ledger *l)
{
    const atls_entry *best = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const atls_entry *e = &l->entries[i];
        if (e->result == ATLS_CHECK_FAIL && (best == NULL || rank(e->code) < rank(best->code))) {
            best = e;
        }
    }
    return best;
}

atls_code atls_ledger_code(const atls_ledger *l)
{
    if (l->overflow || l->no_memory) {
        return ATLS_E_SYSTEM;
    }
    const atls_entry *e = atls_ledger_deciding(l);
    if (e != NULL) {
        return e->code;
    }
    return l->count > 0 && atls_ledger_all_ok(l, 0) ? ATLS_OK : ATLS_E_POLICY;
}

atls_value atls_value_none(void)
{
    atls_value v;
    v.kind = ATLS_VALUE_NONE;
    v.hex_len = 0;
    v.as.uint = 0;
    return v;
}

atls_value atls_value_text(const char *text)
{
    atls_value v = atls_value_none();
    if (text != NULL) {
        v.kind = ATLS_VALUE_TEXT;
        v.as.text = text;
    }
    return v;
}

atls_value atls_value_hex(atls_buf bytes)
{
    atls_value v = atls_value_none();
    v.kind = ATLS_VALUE_HEX;
    v.hex_len = (uint8_t)(bytes.len < sizeof v.as.hex ? bytes.len : sizeof v.as.hex);
    if (v.hex_len > 0) {
        memcpy(v.as.hex, bytes.ptr, v.hex_len);
    }
    return v;
}

atls_value atls_value_uint(uint64_t n)
{
    atls_value v = atls_value_none();
    v.kind = ATLS_VALUE_UINT;
    v.as.uint = n;
    return v;
}

atls_value atls_value_time(int64_t time_s)
{
    atls_value v = atls_value_none();
    v.kind = ATLS_VALUE_TIME;
    v.as.time_s = time_s;
    return v;
}

atls_value atls_value_note(atls_ledger *l, const char *text)
{
    size_t room = sizeof l->notes - l->notes_len;
    if (room < 2) {
        return atls_value_text("(no room left for this text)");
    }
    size_t len = strlen(text);
    if (len > room - 1) {
        len = room - 1;
    }
    atls_value v = atls_value_none();
    v.kind = ATLS_VALUE_NOTE;
    v.as.note = l->notes_len;
    memcpy(l->notes + l->notes_len, text, len);
    l->notes[l->notes_len + len] = '\0';
    l->notes_len += len + 1;
    return v;
}

/* Text may come from a peer's certificate: what is not printable ASCII leaves as \xNN. */
static void print_escaped(const char *text, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = c >= 0x20 && c < 0x7f;
        if (n + (plain ? 1 : 4) >= cap) {
            break;
        }
        if (plain) {
            out[n++] = *p;
        } else {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = digits[c / 16u];
            out[n++] = digits[c % 16u];
        }
    }
    out[n] = '\0';
}

void atls_value_print(const atls_ledger *l, const atls_value *v, char *out, size_t cap)
{
    char text[2 * sizeof v->as.hex + 1];
    if (cap == 0) {
        return;
    }
    out[0] = '\0';
    switch (v->kind) {
    case ATLS_VALUE_NONE:
        break;
    case ATLS_VALUE_TEXT:
        print_escaped(v->as.text, out, cap);
        break;
    case ATLS_VALUE_NOTE:
        print_escaped(l->notes + v->as.note, out, cap);
        break;
    case ATLS_VALUE_HEX:
        atls_hex_encode((atls_buf){v->as.hex, v->hex_len}, text);
        print_escaped(text, out, cap);
        break;
    case ATLS_VALUE_UINT:
        (void)snprintf(text, sizeof text, "%" PRIu64, v->as.uint);
        print_escaped(text, out, cap);
        break;
    case ATLS_VALUE_TIME:
        atls_time_format(v->as.time_s, text);
        print_escaped(text, out, cap);
        break;
    }
}
