#include "attest/tpm_settings.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "attest/tpm_selection.h"
#include "attest/tpm_templates.h"
#include "base/err.h"

/* Part 2, 7.5. tpm2-tss has names for them that shift into a sign bit. */
#define PERSISTENT_FIRST 0x81000000u
#define PERSISTENT_LAST  0x81FFFFFFu

/* TCG Registry of reserved TPM 2.0 handles; Google's and Azure's indices as their guests find them. */
static const tpm_ak_kind kinds[] = {
    {.name = "ecc", .shape = &tpm_template_ak_ecc},
    {.name = "rsa", .shape = &tpm_template_ak_rsa},
    {.name = "gcp", .template_index = 0x01C10003, .cert_index = 0x01C10002, .cert_must_be = true},
    {.name = "gcp-rsa",
     .template_index = 0x01C10001,
     .cert_index = 0x01C10000,
     .cert_must_be = true},
    {.name = "azure", .handle = 0x81000003, .cert_index = 0x01C101D0},
};

static bool read_handle(const char *text, TPM2_HANDLE *out)
{
    char *end = NULL;
    if (strncmp(text, "0x", 2) != 0 || strlen(text) != 10) {
        return false;
    }
    unsigned long v = strtoul(text + 2, &end, 16);
    if (*end != '\0' || v < PERSISTENT_FIRST || v > PERSISTENT_LAST) {
        return false;
    }
    *out = (TPM2_HANDLE)v;
    return true;
}

static atls_code read_ak(const char *text, tpm_settings *s, atls_err *err)
{
    if (read_handle(text, &s->ak.handle)) {
        s->ak.name = "handle";
        return ATLS_OK;
    }
    const char *at = strchr(text, '@');
    size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const tpm_ak_kind *k = &kinds[i];
        if (strlen(k->name) == len && memcmp(k->name, text, len) == 0) {
            s->ak = *k;
            s->ak_may_be_made = at != NULL;
            if (at == NULL || (k->shape != NULL && read_handle(at + 1, &s->ak.handle))) {
                return ATLS_OK;
            }
        }
    }
    return ATLS_ERR(
        err, ATLS_E_USAGE, "attest.tpm.ak_name",
        "\"%.40s\" names no attestation key: wanted are ecc, rsa (each also with a persistent handle: "
        "ecc@0x81010005), gcp, gcp-rsa, azure, or a handle",
        text);
}

static atls_code copy_auth(atls_buf from, TPM2B_AUTH *to, atls_err *err)
{
    if (from.len > sizeof to->buffer) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.auth",
                        "an authorization value of %zu bytes, where at most %zu are possible",
                        from.len, sizeof to->buffer);
    }
    if (from.len > 0) {
        memcpy(to->buffer, from.ptr, from.len);
    }
    to->size = (UINT16)from.len;
    return ATLS_OK;
}

static atls_code copy_path(const char *from, char **to, atls_err *err)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from != NULL && *to == NULL ? ATLS_ERR_NOMEM(err) : ATLS_OK;
}

static atls_code read_all(const atls_tpm_options *o, const char *default_ak, tpm_settings *s,
                          atls_err *err)
{
    const char *tcti = o->tcti != NULL ? o->tcti : "device:/dev/tpmrm0";
    if (strlen(tcti) >= sizeof s->tcti) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.tpm.tcti",
                        "a TCTI string of %zu bytes, where at most %zu are taken", strlen(tcti),
                        sizeof s->tcti - 1);
    }
    memcpy(s->tcti, tcti, strlen(tcti) + 1);
    s->busy_ms = o->busy_ms;
    ATLS_TRY(read_ak(o->ak != NULL ? o->ak : default_ak, s, err));
    ATLS_TRY(tpm_selection_read(o->pcrs != NULL ? o->pcrs : "sha256:0-15", &s->pcrs, err));
    ATLS_TRY(copy_auth(o->endorsement_auth, &s->endorsement_auth, err));
    ATLS_TRY(copy_auth(o->owner_auth, &s->owner_auth, err));
    ATLS_TRY(copy_path(o->event_log, &s->event_log, err));
    ATLS_TRY(copy_path(o->ima_log, &s->ima_log, err));
    return copy_path(o->vcek, &s->vcek, err);
}

atls_code tpm_settings_read(const atls_tpm_options *options, const char *default_ak,
                            tpm_settings *out, atls_err *err)
{
    tpm_settings s = {0};
    atls_code rc = read_all(options, default_ak, &s, err);
    if (rc != ATLS_OK) {
        tpm_settings_clear(&s);
        return rc;
    }
    *out = s;
    OPENSSL_cleanse(&s, sizeof s);
    return ATLS_OK;
}

void tpm_settings_clear(tpm_settings *s)
{
    free(s->event_log);
    free(s->ima_log);
    free(s->vcek);
    OPENSSL_cleanse(s, sizeof *s);
}
