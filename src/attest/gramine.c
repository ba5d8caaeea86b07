/* gramine.c: an SGX enclave under Gramine, whose library OS shows the quote as a file.
 *
 * The files belong to the process, all of its threads share them: between our write and our read, another user of the
 * same process may write. Our own threads take turns; the quote itself tells whether it carries what was asked for. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest/attester.h"
#include "base/err.h"

#define USUAL_DIR "/dev/attestation"
#define DIR_MAX   ((size_t)160)
#define FILE_MAX  (DIR_MAX + 32)
#define WORD_MAX  ((size_t)64)

typedef struct gramine {
    const attest_os *os;
    char dir[DIR_MAX];
    uint32_t timeout_ms;
    pthread_mutex_t turn;
} gramine;

static void path_of(const gramine *g, const char *name, char out[FILE_MAX])
{
    (void)snprintf(out, FILE_MAX, "%s/%s", g->dir, name);
}

static atls_code failed(const char *check, const char *doing, const char *path, int number,
                        atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    if (number == ENOMEM) {
        return ATLS_ERR_NOMEM(err);
    }
    return ATLS_ERR(
        err, ATLS_E_SYSTEM, check,
        "%s %.100s: %s: are Gramine's sgx.remote_attestation = \"dcap\" and the host's AESM "
        "service there?",
        doing, path, attest_errno(number, text));
}

static atls_code write_and_read(const gramine *g, const uint8_t report_data[64],
                                atls_evidence_blob *out, atls_err *err)
{
    char path[FILE_MAX];
    uint8_t *quote = NULL;
    size_t len = 0;
    path_of(g, "user_report_data", path);
    int number = attest_write_file(g->os, path, (atls_buf){report_data, 64});
    if (number != 0) {
        return failed("attest.gramine.write", "writing", path, number, err);
    }
    path_of(g, "quote", path);
    number = attest_read_file(g->os, path, ATTEST_EVIDENCE_MAX, &quote, &len);
    if (number != 0) {
        return failed("attest.gramine.quote", "reading", path, number, err);
    }
    if (len == 0) {
        free(quote);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.gramine.quote",
                        "%.120s is empty: the host's AESM service gave no quote", path);
    }
    *out = attest_blob_of("sgx");
    attest_add_part(out, "quote", quote, len);
    return ATLS_OK;
}

/* pthread's timed lock knows the calendar's clock only. */
static bool take_turn(gramine *g)
{
    struct timespec until;
    if (clock_gettime(CLOCK_REALTIME, &until) != 0) {
        return false;
    }
    until.tv_sec += (time_t)(g->timeout_ms / 1000u);
    until.tv_nsec += (long)(g->timeout_ms % 1000u) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_mutex_timedlock(&g->turn, &until) == 0;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    gramine *g = self;
    int64_t deadline = g->os->now_ms(g->os->self) + (int64_t)g->timeout_ms;
    if (!take_turn(g)) {
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "attest.gramine.busy",
            "other threads of this process made quotes for all of %lu ms: ask less often",
            (unsigned long)g->timeout_ms);
    }
    atls_evidence_blob blob = {0};
    atls_code rc = write_and_read(g, data->wide, &blob, err);
    for (unsigned n = 0; rc == ATLS_OK && !attest_carries(&blob, data->wide); n++) {
        atls_evidence_blob_clear(&blob);
        rc = attest_wait(g->os, n, deadline)
                 ? write_and_read(g, data->wide, &blob, err)
                 : ATLS_ERR(
                       err, ATLS_E_SYSTEM, "attest.gramine.raced",
                       "each quote carried other report data than was written: something else in "
                       "this process writes %.60s/user_report_data",
                       g->dir);
    }
    (void)pthread_mutex_unlock(&g->turn);
    if (rc == ATLS_OK) {
        *out = blob;
    }
    return rc;
}

static void free_gramine(void *self)
{
    gramine *g = self;
    (void)pthread_mutex_destroy(&g->turn);
    free(g);
}

static atls_code look(const gramine *g, bool *absent, atls_err *err)
{
    char path[FILE_MAX];
    char text[ATTEST_ERRNO_TEXT];
    uint8_t *word = NULL;
    size_t len = 0;
    path_of(g, "attestation_type", path);
    int number = attest_read_file(g->os, path, WORD_MAX, &word, &len);
    if (number != 0) {
        *absent = number == ENOENT || number == ENOTDIR;
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.gramine.type", "%.120s: %s%s", path,
                        attest_errno(number, text),
                        *absent ? ": this is no enclave under Gramine" : "");
    }
    bool dcap = len >= 4 && memcmp(word, "dcap", 4) == 0 && (len == 4 || word[4] == '\n');
    free(word);
    return dcap ? ATLS_OK
                : ATLS_ERR(err, ATLS_E_SYSTEM, "attest.gramine.type",
                           "%.120s is not dcap: set sgx.remote_attestation = \"dcap\" in Gramine's "
                           "manifest",
                           path);
}

static atls_code open_gramine(const attest_want *want, attest_opened *opened, atls_err *err)
{
    const char *dir = want->options->gramine_dir != NULL ? want->options->gramine_dir : USUAL_DIR;
    if (strlen(dir) >= DIR_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.option",
                        "the directory of Gramine has %zu bytes, at most %zu", strlen(dir),
                        DIR_MAX - 1);
    }
    gramine *g = calloc(1, sizeof *g);
    if (g == NULL || pthread_mutex_init(&g->turn, NULL) != 0) {
        free(g);
        return ATLS_ERR_NOMEM(err);
    }
    g->os = want->os;
    g->timeout_ms = want->timeout_ms;
    memcpy(g->dir, dir, strlen(dir) + 1);
    atls_code rc = look(g, &opened->absent, err);
    if (rc != ATLS_OK) {
        free_gramine(g);
        return rc;
    }
    opened->self = g;
    opened->type = "sgx";
    return ATLS_OK;
}

const attest_source attest_source_gramine = {
    .name = "gramine",
    .types = {"sgx"},
    .open = open_gramine,
    .attest = attest,
    .free = free_gramine,
};
