/* vectors/dstack as Atlas carries it: real GetQuote replies as answers of a server, read by our client, and written again by
 * our server so that Atlas's own replay, which takes digests as they stand, gives the quoted registers; compose hashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "binding/atlas_json.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "policy/compose_hash.h"
#include "vectors/vector_files.h"

#define MRTD_AT  184
#define RTMR0_AT 376
#define SKIPPED  77

static unsigned good, bad;

static void check(bool ok, const char *what, const char *detail)
{
    if (ok) {
        good++;
    } else {
        bad++;
        printf("bad: %s %s\n", what, detail);
    }
}

/* --- what Atlas's client replays --- */

static void replay(const char *log_text, uint32_t imr, char out[97])
{
    json_t *log = json_loads(log_text, 0, NULL);
    uint8_t mr[48] = {0};
    for (size_t i = 0; i < json_array_size(log); i++) {
        const json_t *e = json_array_get(log, i);
        uint8_t digest[48] = {0};
        size_t len = 0;
        const char *hex = json_string_value(json_object_get(e, "digest"));
        if (json_integer_value(json_object_get(e, "imr")) != imr || hex == NULL) {
            continue;
        }
        check(atls_hex_decode(hex, strlen(hex), digest, sizeof digest, &len), "a digest", hex);
        const atls_buf pieces[] = {{mr, sizeof mr}, {digest, sizeof digest}};
        check(atls_digest(ATLS_SHA384, pieces, 2, mr, NULL) == ATLS_OK, "SHA-384", "");
    }
    json_decref(log);
    atls_hex_encode((atls_buf){mr, sizeof mr}, out);
}

static void registers_of(const json_t *expect, atls_buf quote, const char *file)
{
    static const char *const names[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    for (size_t i = 0; i < 5; i++) {
        char hex[97];
        const size_t at = i == 0 ? MRTD_AT : RTMR0_AT + 48 * (i - 1);
        atls_hex_encode((atls_buf){quote.ptr + at, 48}, hex);
        check(strcmp(hex, vector_text(expect, names[i])) == 0, file, names[i]);
    }
}

static void served_again(const json_t *expect, atls_buf quote, atls_buf log, const char *file)
{
    static const char *const names[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    char *text = NULL;
    atls_err err = {0};
    atls_carried c = {0};
    const atls_atlas_answer a = {quote, log, {quote.ptr, 64}, 0};
    check(atls_atlas_write_answer(&a, &text, &err) == ATLS_OK, file, err.msg);
    if (text == NULL) {
        return;
    }
    check(atls_atlas_read_answer((atls_buf){(uint8_t *)text, strlen(text)}, &c, &err) == ATLS_OK,
          file, err.msg);
    json_t *root = json_loads(text, 0, NULL);
    const char *filled =
        json_string_value(json_object_get(json_object_get(root, "quote"), "event_log"));
    for (uint32_t i = 0; filled != NULL && i < 4; i++) {
        char hex[97];
        replay(filled, i, hex);
        check(strcmp(hex, vector_text(expect, names[i])) == 0, file, names[i]);
    }
    check(filled != NULL, file, "a log");
    json_decref(root);
    atls_carried_clear(&c);
    free(text);
}

static void of_response(const json_t *entry, const char *file)
{
    size_t len = 0;
    atls_err err = {0};
    atls_carried c = {0};
    const json_t *expect = json_object_get(entry, "expect");
    uint8_t *bytes = vector_read("dstack", file, &len);
    json_t *reply = bytes != NULL ? json_loadb((char *)bytes, len, 0, NULL) : NULL;
    json_t *answer =
        json_pack("{s:b,s:O,s:s,s:n}", "success", 1, "quote", reply, "quote_type", "tdx", "error");
    char *text = json_dumps(answer, JSON_COMPACT);
    const atls_buf body = {(uint8_t *)text, text != NULL ? strlen(text) : 0};
    const atls_code rc = atls_atlas_read_answer(body, &c, &err);
    check(rc == ATLS_OK, file, err.msg);
    if (rc == ATLS_OK) {
        const atls_buf quote = c.evidence.parts[0].bytes;
        const atls_buf log = c.evidence.parts[1].bytes;
        const char *wanted = json_string_value(json_object_get(reply, "event_log"));
        check(log.len == strlen(wanted) && memcmp(log.ptr, wanted, log.len) == 0, file, "log");
        registers_of(expect, quote, file);
        const char *zeros = vector_text(expect, "rtmr3_if_empty_digests_are_zero");
        if (zeros[0] != '\0') {
            char hex[97];
            replay(wanted, 3, hex);
            check(strcmp(hex, zeros) == 0, file, "rtmr3 of empty digests");
        }
        served_again(expect, quote, log, file);
    }
    atls_carried_clear(&c);
    free(text);
    json_decref(answer);
    json_decref(reply);
    free(bytes);
}

static void of_compose(const json_t *entry, const char *file)
{
    size_t len = 0;
    char hex[65] = "";
    char *text = NULL;
    json_t *document = NULL;
    const json_t *expect = json_object_get(entry, "expect");
    uint8_t *bytes = vector_read("dstack", file, &len);
    json_t *raw = bytes != NULL ? json_stringn((char *)bytes, len) : NULL;
    check(raw != NULL && atls_compose_hash(raw, hex, &text, NULL) == ATLS_OK &&
              strcmp(hex, vector_text(expect, "sha256_raw_file")) == 0,
          file, "as a text");
    free(text);
    text = NULL;
    check(bytes != NULL &&
              atls_json_parse((atls_buf){bytes, len}, len, "t.t", &document, NULL) == ATLS_OK &&
              atls_compose_hash(document, hex, &text, NULL) == ATLS_OK &&
              strcmp(hex, vector_text(expect, "sha256_compact_document_order")) == 0,
          file, "in document order");
    free(text);
    text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *sorted = text != NULL ? json_loads(text, 0, NULL) : NULL;
    free(text);
    text = NULL;
    check(sorted != NULL && atls_compose_hash(sorted, hex, &text, NULL) == ATLS_OK &&
              strcmp(hex, vector_text(expect, "sha256_compact_sorted_keys")) == 0,
          file, "sorted");
    free(text);
    json_decref(sorted);
    json_decref(document);
    json_decref(raw);
    free(bytes);
}

int main(void)
{
    json_t *list = vector_manifest("dstack");
    if (list == NULL) {
        printf("no vectors: set ATLS_VECTORS\n");
        return SKIPPED;
    }
    unsigned files = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *file = vector_text(entry, "file");
        if (strstr(file, "quote-response.json") != NULL) {
            of_response(entry, file);
            files++;
        } else if (strstr(file, "app-compose.json") != NULL) {
            of_compose(entry, file);
            files++;
        }
    }
    json_decref(list);
    check(files == 3, "files", "of which there are three");
    printf("%u good, %u bad\n", good, bad);
    return bad == 0 ? 0 : 1;
}
