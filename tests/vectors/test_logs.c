/* Event logs that others captured, against what their manifests say: every register of every bank, the quoted PCRs and
 * RTMRs of the same machines, and the logs that must be refused. Exit 77: the vectors are not there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "evidence/dcap/quote.h"
#include "evidence/log/log.h"

#define FILE_MAX (1u << 20)

static unsigned wrong;
static unsigned judged;

static void complain(const char *file, const char *what)
{
    (void)printf("WRONG %s: %s\n", file, what);
    wrong++;
}

static uint8_t *read_file(const char *base, const char *folder, const char *name, size_t *len)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s/%s", base, folder, name);
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = f == NULL ? NULL : malloc(FILE_MAX);
    *len = bytes == NULL ? 0 : fread(bytes, 1, FILE_MAX, f);
    if (f != NULL) {
        (void)fclose(f);
    }
    return bytes;
}

/* One judgement and what it left behind. */
typedef struct judgement {
    atls_ledger l;
    atls_event_claims claims;
    atls_anchor anchor;
} judgement;

static judgement *judgement_new(void)
{
    judgement *j = calloc(1, sizeof *j);
    if (j == NULL) {
        abort();
    }
    atls_ledger_init(&j->l);
    judged++;
    return j;
}

static void judgement_free(judgement *j)
{
    if (j->anchor.release != NULL) {
        j->anchor.release(j->anchor.object);
    }
    free(j);
}

static bool failed_by(const judgement *j, const char *id)
{
    const atls_entry *e = atls_ledger_deciding(&j->l);
    return e != NULL && e->code == ATLS_E_INVALID && strcmp(e->id, id) == 0;
}

static bool has(const atls_event_claims *c, const char *name, const char *hex)
{
    uint8_t data[256];
    size_t len = 0;
    if (!atls_hex_decode(hex, strlen(hex), data, sizeof data, &len)) {
        return false;
    }
    for (size_t i = 0; i < c->n; i++) {
        const atls_event *e = &c->events[i];
        if (e->is_runtime && strcmp(e->name, name) == 0) {
            return e->data_matches && !e->after_ready && e->data.len == len &&
                   memcmp(e->data.ptr, data, len) == 0;
        }
    }
    return false;
}

/* --- TPM: vectors/tpm --- */

static bool set_banks(const json_t *expect, atls_tpm_bank banks[ATLS_TPM_BANKS])
{
    static const char *const names[ATLS_TPM_BANKS] = {"sha1", "sha256", "sha384", "sha512"};
    bool any = false;
    for (size_t bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        const char *index;
        json_t *value;
        json_t *values = json_object_get(json_object_get(expect, "banks"), names[bank]);
        json_object_foreach(values, index, value)
        {
            size_t len = 0;
            const unsigned long i = strtoul(index, NULL, 10);
            const char *hex = json_string_value(value);
            if (i >= ATLS_TPM_PCRS || hex == NULL ||
                !atls_hex_decode(hex, strlen(hex), banks[bank].value[i], 64, &len)) {
                return false;
            }
            banks[bank].selected |= 1u << i;
            any = true;
        }
    }
    return any;
}

static void judge_replay(const char *file, atls_buf log, atls_tpm_bank banks[ATLS_TPM_BANKS])
{
    judgement *j = judgement_new();
    atls_log_judge_pcrs(log, banks, &j->l, &j->claims, &j->anchor);
    if (atls_ledger_code(&j->l) != ATLS_OK || j->claims.differs != 0 ||
        j->claims.replayed != banks[ATLS_TPM_SHA256].selected || j->claims.n == 0) {
        const atls_entry *e = atls_ledger_deciding(&j->l);
        char text[300] = "no check failed, but not all registers replay";
        if (e != NULL) {
            atls_value_print(&j->l, &e->found, text, sizeof text);
        }
        complain(file, text);
    }
    judgement_free(j);
}

/* Every register of every bank changed alone must be noticed. */
static void judge_changed(const char *file, atls_buf log, atls_tpm_bank banks[ATLS_TPM_BANKS])
{
    for (size_t bank = 0; bank < ATLS_TPM_BANKS; bank++) {
        for (uint32_t i = 0; i < ATLS_TPM_PCRS; i++) {
            if ((banks[bank].selected >> i) % 2 == 0) {
                continue;
            }
            judgement *j = judgement_new();
            banks[bank].value[i][7] ^= 1;
            atls_log_judge_pcrs(log, banks, &j->l, &j->claims, &j->anchor);
            banks[bank].value[i][7] ^= 1;
            if (j->claims.differs != 1u << i || (i < 10 && !failed_by(j, "log.pcr"))) {
                complain(file, "a register that differs was not noticed");
            }
            for (size_t k = 0; k < j->claims.n; k++) {
                if (j->claims.events[k].index == i) {
                    complain(file, "an event of a register that differs is told");
                }
            }
            judgement_free(j);
        }
    }
}

/* The PCRs beside the GCP log are one file a bank, 24 values in a row. */
static bool set_gcp(const char *base, atls_tpm_bank banks[ATLS_TPM_BANKS])
{
    static const struct {
        unsigned bank;
        size_t len;
        const char *file;
    } files[] = {{ATLS_TPM_SHA1, 20, "gcp-nonce9009-sha1.pcrs"},
                 {ATLS_TPM_SHA256, 32, "gcp-nonce9009-sha256.pcrs"},
                 {ATLS_TPM_SHA384, 48, "gcp-nonce9009-sha384.pcrs"}};
    for (size_t f = 0; f < 3; f++) {
        size_t len = 0;
        uint8_t *bytes = read_file(base, "tpm", files[f].file, &len);
        if (bytes == NULL || len != ATLS_TPM_PCRS * files[f].len) {
            free(bytes);
            return false;
        }
        banks[files[f].bank].selected = 0xffffff;
        for (size_t i = 0; i < ATLS_TPM_PCRS; i++) {
            memcpy(banks[files[f].bank].value[i], bytes + i * files[f].len, files[f].len);
        }
        free(bytes);
    }
    return true;
}

static void judge_tpm(const char *base, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    const json_t *expect = json_object_get(entry, "expect");
    const char *verdict = json_string_value(json_object_get(expect, "verdict"));
    static atls_tpm_bank banks[ATLS_TPM_BANKS];
    size_t len = 0;
    uint8_t *bytes = read_file(base, "tpm", file, &len);
    const atls_buf log = {bytes, len};
    memset(banks, 0, sizeof banks);
    if (bytes == NULL || verdict == NULL) {
        complain(file, "not there");
    } else if (strcmp(verdict, "replay") == 0) {
        if (!set_banks(expect, banks)) {
            complain(file, "its manifest has no banks");
        }
        judge_replay(file, log, banks);
        judge_changed(file, log, banks);
    } else if (strncmp(verdict, "replays to", 10) == 0) {
        judgement *j = judgement_new();
        if (!set_gcp(base, banks)) {
            complain(file, "its PCRs are not there");
        }
        atls_log_judge_pcrs(log, banks, &j->l, &j->claims, &j->anchor);
        if (atls_ledger_code(&j->l) != ATLS_OK || j->claims.replayed != 0x3ff) {
            complain(file, "does not replay to the quoted PCRs");
        }
        judgement_free(j);
    } else {
        judgement *j = judgement_new();
        banks[ATLS_TPM_SHA256].selected = 0xffffff;
        atls_log_judge_pcrs(log, banks, &j->l, &j->claims, &j->anchor);
        if (!failed_by(j, strncmp(verdict, "legacy", 6) == 0 ? "log.legacy" : "log.format")) {
            complain(file, "was not refused by its name");
        }
        judgement_free(j);
    }
    free(bytes);
}

/* --- TDX: vectors/dstack and vectors/dcap/real/ccel --- */

static bool set_rtmrs(const json_t *expect, uint8_t rtmr[4][48])
{
    for (size_t i = 0; i < 4; i++) {
        char name[8];
        size_t len = 0;
        (void)snprintf(name, sizeof name, "rtmr%zu", i);
        const char *hex = json_string_value(json_object_get(expect, name));
        if (hex == NULL || !atls_hex_decode(hex, strlen(hex), rtmr[i], 48, &len) || len != 48) {
            return false;
        }
    }
    return true;
}

static judgement *judge_td(const char *file, atls_buf log, const json_t *expect, uint32_t replayed)
{
    uint8_t rtmr[4][48];
    judgement *j = judgement_new();
    if (!set_rtmrs(expect, rtmr)) {
        complain(file, "its manifest has no RTMRs");
        return j;
    }
    atls_log_judge_rtmrs(log, rtmr, &j->l, &j->claims, &j->anchor);
    if (atls_ledger_code(&j->l) != ATLS_OK || j->claims.replayed != replayed ||
        j->claims.differs != 0) {
        complain(file, "does not replay");
    }
    for (size_t i = 0; i < 4; i++) {
        judgement *changed = judgement_new();
        rtmr[i][47] ^= 1;
        atls_log_judge_rtmrs(log, rtmr, &changed->l, &changed->claims, &changed->anchor);
        rtmr[i][47] ^= 1;
        if (changed->claims.differs != (replayed & (1u << i))) {
            complain(file, "an RTMR that differs was not noticed");
        }
        judgement_free(changed);
    }
    return j;
}

static void judge_response(const char *base, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    const json_t *expect = json_object_get(entry, "expect");
    size_t len = 0;
    uint8_t *bytes = read_file(base, "dstack", file, &len);
    json_t *response = json_loadb((const char *)bytes, len, 0, NULL);
    const char *text = json_string_value(json_object_get(response, "event_log"));
    const char *quote_hex = json_string_value(json_object_get(response, "quote"));
    static uint8_t quote[16384];
    size_t quote_len = 0;
    atls_quote q;
    if (text == NULL || quote_hex == NULL ||
        !atls_hex_decode(quote_hex, strlen(quote_hex), quote, sizeof quote, &quote_len) ||
        atls_quote_parse((atls_buf){quote, quote_len}, &q, NULL) != ATLS_OK) {
        complain(file, "not a response");
        json_decref(response);
        free(bytes);
        return;
    }
    uint8_t rtmr[4][48];
    if (set_rtmrs(expect, rtmr)) {
        for (size_t i = 0; i < 4; i++) {
            if (memcmp(rtmr[i], q.td.rtmr[i].ptr, 48) != 0) {
                complain(file, "the quote has other RTMRs than the manifest");
            }
        }
    }
    judgement *j = judge_td(file, (atls_buf){(const uint8_t *)text, strlen(text)}, expect, 0xf);
    if (!has(&j->claims, "compose-hash",
             json_string_value(json_object_get(expect, "compose_hash")))) {
        complain(file, "compose-hash is not told");
    }
    const char *os = json_string_value(json_object_get(expect, "os_image_hash_event"));
    if (os != NULL && !has(&j->claims, "os-image-hash", os)) {
        complain(file, "os-image-hash is not told");
    }
    judgement_free(j);
    j = judgement_new();
    atls_log_judge_rtmrs((atls_buf){bytes, len}, rtmr, &j->l, &j->claims, &j->anchor);
    if (!failed_by(j, "log.json")) {
        complain(file, "a whole response was taken for a log");
    }
    judgement_free(j);
    json_decref(response);
    free(bytes);
}

static void judge_ccel(const char *base, const char *folder, const json_t *entry, uint32_t replayed)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    size_t len = 0;
    uint8_t *bytes = read_file(base, folder, file, &len);
    judgement_free(
        judge_td(file, (atls_buf){bytes, len}, json_object_get(entry, "expect"), replayed));
    free(bytes);
}

static void judge_table(const char *base, const char *file)
{
    static const uint8_t rtmr[4][48];
    size_t len = 0;
    uint8_t *bytes = read_file(base, "dcap", file, &len);
    judgement *j = judgement_new();
    atls_log_judge_rtmrs((atls_buf){bytes, len}, rtmr, &j->l, &j->claims, &j->anchor);
    if (!failed_by(j, "log.format")) {
        complain(file, "the ACPI table was taken for a log");
    }
    judgement_free(j);
    free(bytes);
}

/* --- manifests --- */

static json_t *manifest(const char *base, const char *folder)
{
    size_t len = 0;
    uint8_t *bytes = read_file(base, folder, "MANIFEST.json", &len);
    json_t *root = bytes == NULL ? NULL : json_loadb((const char *)bytes, len, 0, NULL);
    free(bytes);
    return root;
}

static const json_t *entries_of(const json_t *root)
{
    const json_t *inner = json_object_get(root, "files");
    inner = inner != NULL ? inner : json_object_get(root, "vectors");
    return inner != NULL ? inner : root;
}

static void walk(const char *base, const char *folder, void (*judge)(const char *, const json_t *))
{
    size_t i;
    const json_t *entry;
    json_t *root = manifest(base, folder);
    if (root == NULL) {
        complain(folder, "has no manifest");
    }
    json_array_foreach(entries_of(root), i, entry)
    {
        judge(base, entry);
    }
    json_decref(root);
}

static void of_tpm(const char *base, const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    if (kind != NULL && strncmp(kind, "tcg-event-log", 13) == 0) {
        judge_tpm(base, entry);
    }
}

static void of_dstack(const char *base, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    if (strstr(file, "quote-response.json") != NULL) {
        judge_response(base, entry);
    }
}

static void of_dcap(const char *base, const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    const char *file = json_string_value(json_object_get(entry, "file"));
    if (kind != NULL && strcmp(kind, "ccel-event-log") == 0) {
        judge_ccel(base, "dcap", entry, 0x7);
    } else if (kind != NULL && strcmp(kind, "dstack-event-log") == 0) {
        judge_ccel(base, "dcap", entry, 0xf);
    } else if (kind != NULL && strcmp(kind, "ccel-acpi-table") == 0) {
        judge_table(base, file);
    }
}

int main(void)
{
    const char *base = getenv("ATLS_VECTORS");
    if (base == NULL) {
        (void)printf("skipped: ATLS_VECTORS is not set\n");
        return 77;
    }
    walk(base, "tpm", of_tpm);
    walk(base, "dstack", of_dstack);
    walk(base, "dcap", of_dcap);
    (void)printf("%u judgements, %u wrong\n", judged, wrong);
    return wrong == 0 && judged > 100 ? 0 : 1;
}
