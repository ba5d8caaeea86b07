#include "attest/tpm_evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "attest/tpm_nv.h"

typedef struct making {
    tpm_source *source;
    const char *type;
    const atls_report_data *data;
    tpm_more more;
    atls_evidence_blob *out;
} making;

atls_code tpm_source_new(const attest_want *want, const char *default_ak, tpm_source **out,
                         atls_err *err)
{
    static const atls_tpm_options usual = {0};
    const atls_tpm_options *o = want->options->tpm != NULL ? want->options->tpm : &usual;
    tpm_source *s = calloc(1, sizeof *s);
    if (s == NULL || pthread_mutex_init(&s->turn, NULL) != 0) {
        free(s);
        return ATLS_ERR_NOMEM(err);
    }
    s->os = want->os;
    atls_code rc = tpm_settings_read(o, default_ak, &s->settings, err);
    if (rc != ATLS_OK) {
        tpm_source_free(s);
        return rc;
    }
    *out = s;
    return ATLS_OK;
}

void tpm_source_free(void *self)
{
    tpm_source *s = self;
    tpm_settings_clear(&s->settings);
    (void)pthread_mutex_destroy(&s->turn);
    free(s);
}

static atls_code do_nothing(tpm *t, void *arg, atls_err *err)
{
    (void)t;
    (void)arg;
    (void)err;
    return ATLS_OK;
}

atls_code tpm_source_look(tpm_source *s, tpm_task look, void *arg, bool *absent, atls_err *err)
{
    static const char device[] = "device:";
    const char *path = s->settings.tcti + sizeof device - 1;
    if (strncmp(s->settings.tcti, device, sizeof device - 1) == 0) {
        int fd = s->os->open(s->os->self, path, O_RDWR | O_CLOEXEC);
        int why = fd < 0 ? errno : 0;
        if (fd >= 0) {
            (void)s->os->close(s->os->self, fd);
        }
        if (why == ENOENT || why == ENOTDIR || why == ENODEV || why == ENXIO) {
            *absent = true;
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.tcti", "there is no TPM at %s", path);
        }
    }
    return tpm_turn(s->settings.tcti, s->settings.busy_ms, look != NULL ? look : do_nothing, arg,
                    err);
}

static atls_code add_copy(atls_evidence_blob *blob, const char *part, const uint8_t *bytes,
                          size_t len, atls_err *err)
{
    uint8_t *copy = malloc(len);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(copy, bytes, len);
    attest_add_part(blob, part, copy, len);
    return ATLS_OK;
}

atls_code tpm_add_file(const tpm_source *s, const char *path, const char *part, size_t max,
                       atls_evidence_blob *blob, atls_err *err)
{
    char space[ATTEST_ERRNO_TEXT];
    uint8_t *bytes = NULL;
    size_t len = 0;
    int why = attest_read_file(s->os, path, max, &bytes, &len);
    if (why == 0 && len == 0) {
        free(bytes);
        why = ENODATA;
    }
    if (why != 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tpm.file", "%s cannot be sent as %s: %s", path,
                        part, why == EOVERFLOW ? "it is too long" : attest_errno(why, space));
    }
    attest_add_part(blob, part, bytes, len);
    return ATLS_OK;
}

static atls_code add_key(tpm *t, const making *m, const tpm_key *key, atls_evidence_blob *blob,
                         atls_err *err)
{
    const tpm_settings *s = &m->source->settings;
    uint8_t *bytes = NULL;
    size_t len = 0;
    ATLS_TRY(tpm_public_bytes(&key->public, &bytes, &len, err));
    attest_add_part(blob, "ak_public", bytes, len);
    if (s->ak.cert_index == 0) {
        return ATLS_OK;
    }
    ATLS_TRY(tpm_nv_certificate(t, s, s->ak.cert_index, &bytes, &len, err));
    if (bytes != NULL) {
        attest_add_part(blob, "ak_cert", bytes, len);
    } else if (s->ak.cert_must_be) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "attest.tpm.ak_missing",
            "NV index 0x%08x, which would hold the certificate of the key \"%s\", is not there",
            (unsigned)s->ak.cert_index, s->ak.name);
    }
    return ATLS_OK;
}

static atls_code add_quote(tpm *t, const making *m, atls_evidence_blob *blob, atls_err *err)
{
    const tpm_settings *s = &m->source->settings;
    atls_buf nonce = {m->data->narrow, sizeof m->data->narrow};
    tpm_key key = {0};
    tpm_quote q;
    ATLS_TRY(tpm_ak(t, s, &key, err));
    ATLS_TRY(tpm_quote_make(t, &key, &s->pcrs, nonce, &q, err));
    ATLS_TRY(add_copy(blob, "quote", q.attest, q.attest_len, err));
    ATLS_TRY(add_copy(blob, "signature", q.signature, q.signature_len, err));
    ATLS_TRY(add_copy(blob, "pcrs", q.pcrs, q.pcrs_len, err));
    return add_key(t, m, &key, blob, err);
}

static atls_code add_logs(const tpm_source *s, atls_evidence_blob *blob, atls_err *err)
{
    const char *event_log = s->settings.event_log;
    const char *ima_log = s->settings.ima_log;
    if (event_log != NULL) {
        ATLS_TRY(tpm_add_file(s, event_log, "event_log", ATTEST_EVENT_LOG_MAX, blob, err));
    }
    return ima_log != NULL ? tpm_add_file(s, ima_log, "ima_log", ATTEST_EVENT_LOG_MAX, blob, err)
                           : ATLS_OK;
}

/* Logs are read after the quote: they grow, and a verifier replays them as far as the quoted values. */
static atls_code make(tpm *t, void *arg, atls_err *err)
{
    const making *m = arg;
    atls_evidence_blob blob = attest_blob_of(m->type);
    atls_code rc = add_quote(t, m, &blob, err);
    if (rc == ATLS_OK) {
        rc = add_logs(m->source, &blob, err);
    }
    if (rc == ATLS_OK && m->more != NULL) {
        rc = m->more(t, m->source, &blob, err);
    }
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(&blob);
        return rc;
    }
    *m->out = blob;
    return ATLS_OK;
}

atls_code tpm_source_attest(tpm_source *s, const char *type, const atls_report_data *data,
                            tpm_more more, atls_evidence_blob *out, atls_err *err)
{
    making m = {s, type, data, more, out};
    (void)pthread_mutex_lock(&s->turn);
    atls_code rc = tpm_turn(s->settings.tcti, s->settings.busy_ms, make, &m, err);
    (void)pthread_mutex_unlock(&s->turn);
    return rc;
}
