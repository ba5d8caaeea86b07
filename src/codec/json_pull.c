#include "codec/json_pull.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"

static void fail_at(atls_json_pull *pull, size_t at, const char *sentence)
{
    if (pull->rc != ATLS_OK) {
        return;
    }
    size_t line;
    size_t column;
    atls_json_position(pull->scan.text, at, &line, &column);
    bool named = pull->name != NULL;
    pull->rc =
        ATLS_ERR(pull->err, ATLS_E_INVALID, pull->check, "line %zu, column %zu: %s%s%s%s", line,
                 column, named ? "\"" : "", named ? pull->name : "", named ? "\": " : "", sentence);
}

void atls_json_pull_fail(atls_json_pull *pull, const char *fmt, ...)
{
    char sentence[ATLS_ERR_MSG_LEN];
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(sentence, sizeof sentence, fmt, ap) < 0) {
        sentence[0] = '\0';
    }
    va_end(ap);
    fail_at(pull, pull->at, sentence);
}

void atls_json_pull_init(atls_json_pull *pull, atls_buf text, size_t max_len, const char *check,
                         atls_err *err)
{
    *pull = (atls_json_pull){.check = check, .err = err};
    atls_json_scan_init(&pull->scan, text);
    if (text.len > max_len) {
        pull->rc = ATLS_ERR(err, ATLS_E_INVALID, check,
                            "JSON of %zu bytes, where at most %zu are taken", text.len, max_len);
    }
}

bool atls_json_pull_ok(const atls_json_pull *pull)
{
    return pull->rc == ATLS_OK;
}

/* The next token; BAD, with the failure noted, if it is none or there was a failure before. */
static atls_json_token next(atls_json_pull *pull)
{
    if (pull->rc != ATLS_OK) {
        return (atls_json_token){.kind = ATLS_JSON_BAD};
    }
    atls_json_token token = atls_json_scan_next(&pull->scan);
    pull->at = token.start;
    if (token.kind == ATLS_JSON_BAD) {
        fail_at(pull, token.start, pull->scan.problem);
    }
    return token;
}

/* The next token has to be of this kind. */
static bool expect(atls_json_pull *pull, atls_json_kind kind, const char *wanted,
                   atls_json_token *token)
{
    *token = next(pull);
    if (token->kind != kind) {
        fail_at(pull, token->start, wanted);
    }
    return pull->rc == ATLS_OK;
}

atls_code atls_json_pull_finish(atls_json_pull *pull)
{
    pull->name = NULL;
    atls_json_token token;
    (void)expect(pull, ATLS_JSON_DONE, "end of the text wanted", &token);
    ATLS_TRY(pull->rc);
    if (!pull->has_foreign) {
        return ATLS_OK;
    }
    json_t *json = NULL;
    ATLS_TRY(atls_json_parse(pull->scan.text, pull->scan.text.len, pull->check, &json, pull->err));
    json_decref(json);
    return ATLS_OK;
}

void atls_json_pull_object(atls_json_pull *pull, atls_json_members *members,
                           const char *const *names, size_t names_n, uint32_t required)
{
    *members = (atls_json_members){.names = names, .names_n = names_n, .required = required};
    atls_json_token token;
    (void)expect(pull, ATLS_JSON_OBJECT, "object wanted", &token);
    members->start = token.start;
}

static void fail_missing(atls_json_pull *pull, const atls_json_members *members)
{
    for (size_t i = 0; i < members->names_n; i++) {
        uint32_t bit = (uint32_t)1 << i;
        if ((members->required & bit) != 0 && (members->seen & bit) == 0) {
            pull->name = members->names[i];
            fail_at(pull, members->start, "is missing in the object that begins here");
            return;
        }
    }
}

int atls_json_pull_member(atls_json_pull *pull, atls_json_members *members)
{
    for (;;) {
        pull->name = NULL;
        atls_json_token token = next(pull);
        if (token.kind != ATLS_JSON_NAME) {
            fail_missing(pull, members);
            return -1;
        }
        size_t i = 0;
        while (i < members->names_n &&
               !atls_json_token_says(pull->scan.text, token, members->names[i],
                                     strlen(members->names[i]))) {
            i++;
        }
        if (i == members->names_n) {
            pull->has_foreign = true;
            atls_json_pull_skip(pull);
            continue;
        }
        pull->name = members->names[i];
        uint32_t bit = (uint32_t)1 << i;
        if ((members->seen & bit) != 0) {
            fail_at(pull, token.start, "stands twice in one object");
            return -1;
        }
        members->seen |= bit;
        return (int)i;
    }
}

void atls_json_pull_array(atls_json_pull *pull)
{
    atls_json_token token;
    (void)expect(pull, ATLS_JSON_ARRAY, "array wanted", &token);
}

bool atls_json_pull_element(atls_json_pull *pull)
{
    if (pull->rc != ATLS_OK) {
        return false;
    }
    if (!atls_json_scan_at_array_end(&pull->scan)) {
        return true;
    }
    (void)next(pull);
    return false;
}

uint64_t atls_json_pull_uint(atls_json_pull *pull, uint64_t max)
{
    atls_json_token token = next(pull);
    uint64_t value = 0;
    bool fits = token.kind == ATLS_JSON_NUMBER;
    for (size_t i = token.start; fits && i < token.end; i++) {
        unsigned digit = (unsigned)pull->scan.text.ptr[i] - '0';
        fits = digit <= 9 && digit <= max && value <= (max - digit) / 10;
        value = value * 10 + digit;
    }
    if (!fits) {
        atls_json_pull_fail(pull, "integer of 0 to %llu wanted", (unsigned long long)max);
        return 0;
    }
    return value;
}

atls_buf atls_json_pull_string(atls_json_pull *pull, size_t max_len)
{
    atls_json_token token;
    if (!expect(pull, ATLS_JSON_STRING, "string wanted", &token)) {
        return (atls_buf){NULL, 0};
    }
    atls_buf s = {pull->scan.text.ptr + token.start + 1, token.end - token.start - 2};
    if (s.len == 0 || s.len > max_len || memchr(s.ptr, '\\', s.len) != NULL) {
        atls_json_pull_fail(pull, "string of 1 to %zu bytes without escapes wanted", max_len);
        return (atls_buf){NULL, 0};
    }
    return s;
}

void atls_json_pull_hex(atls_json_pull *pull, uint8_t *out, size_t len)
{
    atls_json_token token;
    size_t decoded = 0;
    memset(out, 0, len);
    if (!expect(pull, ATLS_JSON_STRING, "string wanted", &token)) {
        return;
    }
    if (!atls_hex_decode((const char *)pull->scan.text.ptr + token.start + 1,
                         token.end - token.start - 2, out, len, &decoded) ||
        decoded != len) {
        memset(out, 0, len);
        atls_json_pull_fail(pull, "%zu hexadecimal digits wanted", 2 * len);
    }
}

int64_t atls_json_pull_time(atls_json_pull *pull)
{
    atls_json_token token;
    int64_t time_s = 0;
    if (!expect(pull, ATLS_JSON_STRING, "string wanted", &token)) {
        return 0;
    }
    if (!atls_time_parse((const char *)pull->scan.text.ptr + token.start + 1,
                         token.end - token.start - 2, &time_s)) {
        atls_json_pull_fail(pull, "date \"YYYY-MM-DDThh:mm:ssZ\" wanted");
        return 0;
    }
    return time_s;
}

void atls_json_pull_skip(atls_json_pull *pull)
{
    atls_json_token token = next(pull);
    if (token.kind == ATLS_JSON_OBJECT || token.kind == ATLS_JSON_ARRAY) {
        pull->has_foreign = true; /* names in there, which nobody here counts */
        if (atls_json_scan_whole(&pull->scan, token).kind == ATLS_JSON_BAD) {
            fail_at(pull, pull->scan.at, pull->scan.problem);
        }
    }
}
