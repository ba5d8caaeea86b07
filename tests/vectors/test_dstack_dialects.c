/* dstack's captured attestations and system configuration, against what their manifest says: taken apart, written again,
 * judged with the quote that is in them. Exit 77: the vectors are not there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "binding/dstack_attestation.h"
#include "codec/json.h"
#include "evidence/dcap/quote.h"
#include "evidence/log/log.h"
#include "vectors/vector_files.h"
#include <atls/verifier.h>

#define FOLDER "dstack"

static unsigned wrong;
static unsigned judged;

static void expect(bool ok, const char *file, const char *what)
{
    judged++;
    if (!ok) {
        (void)printf("WRONG %s: %s\n", file, what);
        wrong++;
    }
}

static bool is_hex(atls_buf bytes, const char *hex)
{
    uint8_t wanted[256];
    size_t len = 0;
    return hex != NULL && atls_hex_decode(hex, strlen(hex), wanted, sizeof wanted, &len) &&
           len == bytes.len && memcmp(wanted, bytes.ptr, len) == 0;
}

static const char *text_at(const json_t *e, const char *name)
{
    return json_string_value(json_object_get(json_object_get(e, "expect"), name));
}

static size_t number_at(const json_t *e, const char *name)
{
    return (size_t)json_integer_value(json_object_get(json_object_get(e, "expect"), name));
}

/* --- the log against the registers of the quote --- */

typedef struct judgement {
    atls_ledger l;
    atls_event_claims claims;
    atls_anchor anchor;
} judgement;

/* Replayed registers; failed: some that must replay does not. */
static uint32_t replay(atls_buf log, const atls_quote *q, uint8_t flip, bool *failed)
{
    judgement *j = calloc(1, sizeof *j);
    uint8_t rtmr[4][48];
    for (size_t i = 0; i < 4; i++) {
        memcpy(rtmr[i], q->td.rtmr[i].ptr, 48);
    }
    rtmr[3][0] ^= flip;
    atls_ledger_init(&j->l);
    atls_log_judge_rtmrs(log, rtmr, &j->l, &j->claims, &j->anchor);
    *failed = atls_ledger_code(&j->l) != ATLS_OK;
    const uint32_t replayed = j->claims.replayed;
    if (j->anchor.release != NULL) {
        j->anchor.release(j->anchor.object);
    }
    free(j);
    return replayed;
}

/* --- the evidence through a verifier: without collateral all that can be judged must be good --- */

static void verify(const char *file, const atls_carried *c, const uint8_t report_data[64])
{
    atls_verifier *v = atls_verifier_new();
    atls_expected e = {.has_report_data = true};
    memcpy(e.report_data, report_data, 64);
    atls_verdict *r = atls_verifier_check(v, &c->evidence, &e, 1780000000, NULL);
    expect(r != NULL && atls_verdict_code(r) == ATLS_E_COLLATERAL, file,
           "the verdict is not that collateral is missing");
    for (size_t i = 0; r != NULL && i < atls_verdict_checks(r); i++) {
        atls_check_line line;
        if (atls_verdict_check_at(r, i, &line) && strcmp(line.result, "fail") == 0) {
            expect(line.code == ATLS_E_COLLATERAL, file, line.id);
        }
    }
    atls_verdict_free(r);
    atls_verifier_free(v);
}

static void judge_evidence(const char *file, const json_t *entry, const atls_dstack_attestation *a,
                           uint32_t replayed)
{
    atls_carried c = {0};
    atls_quote q;
    bool failed = false;
    expect(atls_dstack_to_evidence(a, &c, NULL) == ATLS_OK && c.evidence.parts_n == 2, file,
           "no evidence");
    expect(atls_quote_parse(a->quote, &q, NULL) == ATLS_OK, file, "its quote");
    expect(memcmp(q.td.report_data.ptr, a->report_data.ptr, 64) == 0, file,
           "the stored report data is not the quote's");
    if (text_at(entry, "mrtd") != NULL) {
        expect(is_hex(q.td.mrtd, text_at(entry, "mrtd")), file, "mrtd");
        expect(is_hex(q.td.rtmr[3], text_at(entry, "rtmr3")), file, "rtmr3");
    }
    expect(replay(c.evidence.parts[1].bytes, &q, 0, &failed) == replayed && !failed, file,
           "other registers replay");
    (void)replay(c.evidence.parts[1].bytes, &q, 1, &failed);
    expect(failed, file, "another RTMR3 was not noticed");
    verify(file, &c, a->report_data.ptr);
    atls_carried_clear(&c);
}

static void judge_names(const char *file, const json_t *entry, const atls_dstack_attestation *a)
{
    const json_t *names = json_object_get(json_object_get(entry, "expect"), "runtime_events");
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        const atls_dstack_event *e = &a->runtime[i];
        expect(i < a->runtime_n && e->name.len == json_string_length(name) &&
                   memcmp(e->name.ptr, json_string_value(name), e->name.len) == 0,
               file, "another runtime event");
    }
    static const char *const events[][2] = {{"app-id", "app_id"},
                                            {"compose-hash", "compose_hash"},
                                            {"os-image-hash", "os_image_hash_event"}};
    for (size_t k = 0; k < 3; k++) {
        atls_buf payload = {NULL, 0};
        const char *hex = text_at(entry, events[k][1]);
        expect(hex == NULL ||
                   (atls_dstack_system_event(a, events[k][0], &payload) && is_hex(payload, hex)),
               file, events[k][0]);
    }
}

static void judge_attestation(const char *file, const json_t *entry, atls_buf bytes, size_t log_n,
                              uint32_t replayed)
{
    atls_dstack_attestation a;
    atls_err err = {0};
    const size_t stated = number_at(entry, "attestation_bytes");
    expect(stated == 0 || stated == bytes.len, file, "its length");
    if (atls_dstack_attestation_read(bytes, &a, &err) != ATLS_OK) {
        expect(false, file, err.msg);
        return;
    }
    expect(a.platform == ATLS_DSTACK_TDX && a.quote.len == number_at(entry, "quote_bytes"), file,
           "its quote's length");
    expect(a.runtime_n == 9 && (log_n == 0 || a.log_n == log_n), file, "its events");
    judge_names(file, entry, &a);
    judge_evidence(file, entry, &a, replayed);
    uint8_t *again = malloc(bytes.len + 16);
    atls_writer w = atls_writer_of(again, bytes.len + 16);
    expect(atls_dstack_write_v0(&a, &w) && w.len == bytes.len &&
               memcmp(again, bytes.ptr, bytes.len) == 0,
           file, "is not written as the same bytes");
    atls_dstack_attestation_clear(&a);
    for (size_t len = 0; len < bytes.len; len += 7) {
        memcpy(again, bytes.ptr, len);
        expect(atls_dstack_attestation_read((atls_buf){again, len}, &a, NULL) == ATLS_E_INVALID,
               file, "cut short it was taken");
    }
    free(again);
}

static void judge_stripped(const char *file, const json_t *entry, const uint8_t *text, size_t len)
{
    json_t *root = json_loadb((const char *)text, len, 0, NULL);
    const char *hex = json_string_value(json_object_get(root, "attestation"));
    uint8_t *bytes = malloc(len);
    size_t n = 0;
    expect(hex != NULL && atls_hex_decode(hex, strlen(hex), bytes, len, &n), file, "no hex");
    judge_attestation(file, entry, (atls_buf){bytes, n}, 12, 0x8);
    free(bytes);
    json_decref(root);
}

static void judge_config(const char *file, const json_t *entry, const uint8_t *text, size_t len)
{
    json_t *root = json_loadb((const char *)text, len, 0, NULL);
    json_t *vm = json_loads(vector_text(root, "vm_config"), 0, NULL);
    const char *wanted = text_at(entry, "os_image_hash_vm_config");
    expect(wanted != NULL && strcmp(vector_text(vm, "os_image_hash"), wanted) == 0, file,
           "os_image_hash");
    json_decref(vm);
    json_decref(root);
}

int main(void)
{
    json_t *manifest = vector_manifest(FOLDER);
    size_t i;
    json_t *entry;
    if (manifest == NULL) {
        (void)printf("skipped: no vectors of dstack (set ATLS_VECTORS)\n");
        return 77;
    }
    json_array_foreach(manifest, i, entry)
    {
        const char *file = vector_text(entry, "file");
        size_t len = 0;
        uint8_t *bytes = vector_read(FOLDER, file, &len);
        expect(bytes != NULL, file, "not there");
        if (strcmp(file, "dstack-scale-v0-attestation.json") == 0) {
            judge_stripped(file, entry, bytes, len);
        } else if (strcmp(file, "dstack-simulator-attestation.bin") == 0) {
            judge_attestation(file, entry, (atls_buf){bytes, len}, 0, 0xf);
        } else if (strcmp(file, "dstack-simulator-sys-config.json") == 0) {
            judge_config(file, entry, bytes, len);
        }
        free(bytes);
    }
    json_decref(manifest);
    (void)printf("%u judged, %u wrong\n", judged, wrong);
    return wrong == 0 && judged > 100 ? 0 : 1;
}
