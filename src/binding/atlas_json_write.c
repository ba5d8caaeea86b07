/* atlas_json_write.c: the answer, written straight out around the log, whose text stays as it is but for digests that are left
 * out. */
#include "binding/atlas_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/writer.h"
#include "binding/atlas_http.h"
#include "codec/json_scan.h"
#include "crypto/digest.h"

#define RUNTIME_TYPE "134217729" /* 0x08000001 */
#define RUNTIME_RTMR "3"
#define DIGEST_LEN   48
#define ANSWER_MORE  1024u /* names, report data and time */

typedef struct answer {
    atls_writer w;
    atls_json_scan log;
    size_t from; /* what of the log's text is written comes before */
    atls_err *err;
} answer;

static atls_code bad_log(const answer *g)
{
    return ATLS_ERR(g->err, ATLS_E_SYSTEM, "atlas.evidence",
                    "our evidence has no event log of dstack's: Atlas needs it");
}

/* --- the log, which is JSON in a string of JSON --- */

static bool stands_for_itself(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Text of JSON in a string: no other control characters than these can be in it. */
static void put_escape(atls_writer *w, uint8_t c)
{
    atls_writer_u8(w, '\\');
    atls_writer_u8(w, c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c);
}

/* On with the log's text, up to there. */
static void put_log_until(answer *g, size_t end)
{
    const uint8_t *text = g->log.text.ptr;
    while (g->from < end) {
        size_t n = 0;
        while (g->from + n < end && stands_for_itself(text[g->from + n])) {
            n++;
        }
        atls_writer_bytes(&g->w, (atls_buf){text + g->from, n});
        g->from += n;
        if (g->from < end) {
            put_escape(&g->w, text[g->from]);
            g->from++;
        }
    }
}

enum { IMR, TYPE, DIGEST, EVENT, PAYLOAD, VERSION, MEMBERS };

static size_t member_of(atls_buf text, atls_json_token name)
{
    static const char *const names[MEMBERS] = {"imr",   "event_type",    "digest",
                                               "event", "event_payload", "version"};
    size_t i = 0;
    while (i < MEMBERS && !atls_json_token_says(text, name, names[i], strlen(names[i]))) {
        i++;
    }
    return i;
}

/* The members of an event (BAD: not there), behind its beginning; false: it is none. */
static bool read_event(atls_json_scan *log, atls_json_token value[MEMBERS])
{
    for (;;) {
        const atls_json_token name = atls_json_scan_next(log);
        if (name.kind != ATLS_JSON_NAME) {
            return name.kind == ATLS_JSON_OBJECT_END;
        }
        const size_t at = member_of(log->text, name);
        const atls_json_token t = atls_json_scan_whole(log, atls_json_scan_next(log));
        if (t.kind == ATLS_JSON_BAD || (at < MEMBERS && value[at].kind != ATLS_JSON_BAD)) {
            return false;
        }
        if (at < MEMBERS) {
            value[at] = t;
        }
    }
}

static bool is_number(atls_buf text, atls_json_token t, const char *digits)
{
    return t.kind == ATLS_JSON_NUMBER && t.end - t.start == strlen(digits) &&
           memcmp(text.ptr + t.start, digits, t.end - t.start) == 0;
}

/* Of the first version, and so can be computed; "" is as good as nothing. */
static bool lacks_digest(atls_buf text, const atls_json_token value[MEMBERS])
{
    const atls_json_token digest = value[DIGEST];
    return is_number(text, value[TYPE], RUNTIME_TYPE) &&
           is_number(text, value[IMR], RUNTIME_RTMR) &&
           (digest.kind == ATLS_JSON_BAD ||
            (digest.kind == ATLS_JSON_STRING && digest.end - digest.start == 2)) &&
           (value[VERSION].kind == ATLS_JSON_BAD || is_number(text, value[VERSION], "1"));
}

/* Version 1: SHA-384 of the type (little-endian), ":", the name, ":", the payload. space: for the name, and twice the payload. */
static atls_code digest_of(const answer *g, const atls_json_token value[MEMBERS], uint8_t *space,
                           uint8_t digest[DIGEST_LEN])
{
    static const uint8_t head[] = {0x01, 0x00, 0x00, 0x08, ':'};
    const size_t name_len = atls_json_token_text(g->log.text, value[EVENT], space);
    uint8_t *hex = space + name_len;
    const size_t hex_len = atls_json_token_text(g->log.text, value[PAYLOAD], hex);
    uint8_t *payload = hex + hex_len;
    size_t len = 0;
    if (!atls_hex_decode((const char *)hex, hex_len, payload, hex_len, &len)) {
        return bad_log(g);
    }
    const atls_buf pieces[] = {
        {head, sizeof head}, {space, name_len}, {head + 4, 1}, {payload, len}};
    return atls_digest(ATLS_SHA384, pieces, 4, digest, g->err);
}

static atls_code put_digest(answer *g, size_t event, const atls_json_token value[MEMBERS])
{
    uint8_t digest[ATLS_HASH_MAX];
    if (value[EVENT].kind != ATLS_JSON_STRING || value[PAYLOAD].kind != ATLS_JSON_STRING) {
        return bad_log(g);
    }
    uint8_t *space = malloc(value[EVENT].end - value[EVENT].start +
                            2 * (value[PAYLOAD].end - value[PAYLOAD].start));
    if (space == NULL) {
        return ATLS_ERR_NOMEM(g->err);
    }
    const atls_code rc = digest_of(g, value, space, digest);
    free(space);
    ATLS_TRY(rc);
    const bool is_there = value[DIGEST].kind == ATLS_JSON_STRING;
    put_log_until(g, (is_there ? value[DIGEST].start : event) + 1);
    atls_writer_text(&g->w, is_there ? "" : "\\\"digest\\\":\\\"");
    atls_hex_write(&g->w, (atls_buf){digest, DIGEST_LEN});
    atls_writer_text(&g->w, is_there ? "" : "\\\",");
    return ATLS_OK;
}

static atls_code put_log(answer *g)
{
    if (atls_json_scan_next(&g->log).kind != ATLS_JSON_ARRAY) {
        return bad_log(g);
    }
    for (size_t n = 0; !atls_json_scan_at_array_end(&g->log); n++) {
        atls_json_token value[MEMBERS] = {{ATLS_JSON_BAD, 0, 0, 0}};
        const atls_json_token event = atls_json_scan_next(&g->log);
        if (n == ATLS_ATLAS_EVENTS_MAX || event.kind != ATLS_JSON_OBJECT ||
            !read_event(&g->log, value)) {
            return bad_log(g);
        }
        if (lacks_digest(g->log.text, value)) {
            ATLS_TRY(put_digest(g, event.start, value));
        }
    }
    (void)atls_json_scan_next(&g->log); /* the array's end */
    if (atls_json_scan_next(&g->log).kind != ATLS_JSON_DONE) {
        return bad_log(g);
    }
    put_log_until(g, g->log.text.len);
    return ATLS_OK;
}

/* --- the answer --- */

static atls_code put_answer(answer *g, const atls_atlas_answer *a)
{
    char when[24];
    (void)snprintf(when, sizeof when, "%" PRId64, a->when_s);
    atls_writer_text(&g->w, "{\"success\":true,\"quote\":{\"quote\":\"");
    atls_hex_write(&g->w, a->quote);
    atls_writer_text(&g->w, "\",\"event_log\":\"");
    ATLS_TRY(put_log(g));
    atls_writer_text(&g->w, "\",\"report_data\":\"");
    atls_hex_write(&g->w, a->report_data);
    atls_writer_text(&g->w, "\",\"vm_config\":\"\"},\"tcb_info\":{},\"timestamp\":\"");
    atls_writer_text(&g->w, when);
    atls_writer_text(&g->w, "\",\"quote_type\":\"tdx\",\"error\":null}");
    if (!atls_writer_ok(&g->w) || g->w.len > ATLS_HTTP_BODY_MAX) {
        return ATLS_ERR(g->err, ATLS_E_SYSTEM, "atlas.evidence",
                        "our evidence is longer than the answer may be");
    }
    atls_writer_u8(&g->w, 0);
    return atls_writer_ok(&g->w) ? ATLS_OK : ATLS_ERR_NOMEM(g->err);
}

atls_code atls_atlas_write_answer(const atls_atlas_answer *a, char **out, atls_err *err)
{
    if (a->quote.len == 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.evidence", "our evidence is no TDX quote");
    }
    if (a->quote.len > ATLS_HTTP_BODY_MAX || a->event_log.len > ATLS_HTTP_BODY_MAX) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "atlas.evidence",
                        "our evidence is longer than the answer may be");
    }
    /* An event without its digest has some 60 characters, which become less than 200. */
    const size_t room =
        ANSWER_MORE + 2 * (a->quote.len + a->report_data.len) + 4 * a->event_log.len;
    uint8_t *space = malloc(room);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    answer g = {.w = atls_writer_of(space, room), .err = err};
    atls_json_scan_init(&g.log, a->event_log);
    const atls_code rc = put_answer(&g, a);
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    *out = (char *)space;
    return ATLS_OK;
}
