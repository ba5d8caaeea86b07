/* Our scanner and jansson say the same about every text, but for the limits that jansson does not know and
 * the uniqueness and number ranges that the scanner does not. The bytes of a member say its value. */
#include <assert.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_pull.h"
#include "codec/json_scan.h"

#define TEXT_MAX 32768 /* fewer values than ATLS_JSON_VALUES_MAX */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* too_deep, too_long: beyond a limit of ours (depth; bytes of a name or number). */
static bool scanner_takes(atls_buf text, bool *too_deep, bool *too_long)
{
    *too_long = false;
    atls_json_scan scan;
    atls_json_scan_init(&scan, text);
    atls_json_token token;
    size_t at = 0;
    do {
        token = atls_json_scan_next(&scan);
        assert(token.start >= at && token.end >= token.start && token.end <= text.len);
        at = token.end;
        size_t len = token.end - token.start;
        *too_long |= token.kind == ATLS_JSON_NAME && len > ATLS_JSON_NAME_MAX;
        *too_long |= token.kind == ATLS_JSON_NUMBER && len > ATLS_JSON_NUMBER_MAX;
    } while (token.kind != ATLS_JSON_BAD && token.kind != ATLS_JSON_DONE);
    *too_deep = token.kind == ATLS_JSON_BAD && strcmp(scan.problem, "nested too deep") == 0;
    assert((scan.problem != NULL) == (token.kind == ATLS_JSON_BAD));
    return token.kind == ATLS_JSON_DONE;
}

static void members_are_found(atls_buf text, json_t *json)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json, name, value)
    {
        atls_buf bytes;
        bool found = atls_json_member_bytes(text, name, &bytes);
        assert(found);
        assert(bytes.ptr >= text.ptr && bytes.ptr + bytes.len <= text.ptr + text.len);
        json_t *again = json_loadb((const char *)bytes.ptr, bytes.len,
                                   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        assert(again != NULL && json_equal(again, value));
        json_decref(again);
        const atls_json_step step = {.name = name, .name_len = strlen(name)};
        size_t line;
        size_t column;
        found = atls_json_locate_steps(text, &step, 1, &line, &column);
        assert(found && line >= 1 && column >= 1);
    }
}

static void pull_agrees(atls_buf text, bool taken)
{
    static const char *const names[] = {"a", "b"};
    atls_json_pull pull;
    atls_json_members members;
    atls_json_pull_init(&pull, text, TEXT_MAX, "fuzz.json", NULL);
    bool is_object = false;
    for (size_t i = 0; i < text.len && !is_object && text.ptr[i] != '['; i++) {
        is_object = text.ptr[i] == '{';
    }
    if (is_object) {
        atls_json_pull_object(&pull, &members, names, 2, 0);
        while (atls_json_pull_member(&pull, &members) >= 0) {
            atls_json_pull_skip(&pull);
        }
    } else {
        atls_json_pull_array(&pull);
        while (atls_json_pull_element(&pull)) {
            atls_json_pull_skip(&pull);
        }
    }
    atls_code rc = atls_json_pull_finish(&pull);
    /* A number that nobody asked for may be beyond 64 bits: what is skipped is not looked at. */
    assert(!taken || rc == ATLS_OK);
    assert(taken || rc == ATLS_E_INVALID || !pull.has_foreign);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_buf text = {data, size};
    if (size > TEXT_MAX) {
        return 0;
    }
    bool too_deep;
    bool too_long;
    bool scanned = scanner_takes(text, &too_deep, &too_long);
    json_error_t error;
    json_t *tree =
        size > 0 ? json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &error) : NULL;
    json_t *json = NULL;
    atls_err err = {0};
    atls_code rc = atls_json_parse(text, TEXT_MAX, "fuzz.json", &json, &err);
    assert((rc == ATLS_OK) == (json != NULL));
    if (scanned && too_long) {
        assert(rc == ATLS_E_INVALID);
    } else if (scanned) {
        assert((tree != NULL) == (rc == ATLS_OK));
        assert(tree != NULL || json_error_code(&error) == json_error_duplicate_key ||
               json_error_code(&error) == json_error_numeric_overflow);
    } else {
        /* jansson 2.14 skips a NUL that follows a number. */
        bool has_nul = size > 0 && memchr(data, 0, size) != NULL;
        assert(rc == ATLS_E_INVALID && (tree == NULL || too_deep || has_nul));
    }
    if (rc == ATLS_OK) {
        assert(json_equal(json, tree));
        members_are_found(text, json);
    } else {
        assert(strcmp(err.check, "fuzz.json") == 0 && strstr(err.msg, "line ") != NULL);
    }
    pull_agrees(text, rc == ATLS_OK);
    json_decref(tree);
    json_decref(json);
    return 0;
}
