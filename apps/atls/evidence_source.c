#include "evidence_source.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "say.h"

#define AUTH_MAX 65u /* bytes: a TPM's authorization value, and a newline */

enum { TCTI = 0x800, AK, PCRS, EVENT_LOG, IMA_LOG, VCEK, ENDORSEMENT_AUTH, OWNER_AUTH };

const flag evidence_source_flags[] = {
    {TCTI, "tcti", "STRING", "types tpm, azure: how to reach the TPM (device:/dev/tpmrm0)"},
    {AK, "ak", "KEY",
     "its key: ecc (the default), rsa, ecc@0x8101..., 0x8101..., gcp, gcp-rsa, azure"},
    {PCRS, "pcrs", "BANK:LIST", "what is quoted, like sha256:0,7+sha384:0-9 (sha256:0-15)"},
    {EVENT_LOG, "event-log", "FILE", "send the firmware's event log with it"},
    {IMA_LOG, "ima-log", "FILE", "send IMA's list with it"},
    {VCEK, "vcek", "FILE", "type azure: send this VCEK certificate (DER) with it"},
    {ENDORSEMENT_AUTH, "tpm-endorsement-auth", "FILE",
     "holds the endorsement hierarchy's authorization value"},
    {OWNER_AUTH, "tpm-owner-auth", "FILE", "holds the owner hierarchy's"},
    {0, NULL, NULL, NULL},
};

bool evidence_source_take(evidence_source *s, int id, char *arg)
{
    const struct {
        int id;
        const char **to;
    } texts[] = {
        {TCTI, &s->tpm.tcti},
        {AK, &s->tpm.ak},
        {PCRS, &s->tpm.pcrs},
        {EVENT_LOG, &s->tpm.event_log},
        {IMA_LOG, &s->tpm.ima_log},
        {VCEK, &s->tpm.vcek},
        {ENDORSEMENT_AUTH, &s->endorsement_auth},
        {OWNER_AUTH, &s->owner_auth},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].id == id) {
            *texts[i].to = arg;
            return true;
        }
    }
    return false;
}

static atls_code open_sim(evidence_source *s, atls_err *err)
{
    if (s->sim_dir == NULL) {
        return fill_err(err, ATLS_E_USAGE, "attest.sim",
                        "type sim needs --sim DIR, made by `atls sim pki DIR`");
    }
    atls_code rc = sim_source_open(s->sim_dir, &s->quote, &s->sim, err);
    if (rc == ATLS_OK) {
        s->attester = s->sim.attester;
    }
    return rc;
}

static atls_code read_auth(const char *path, input *in, atls_buf *out, atls_err *err)
{
    atls_code rc = ATLS_OK;
    if (path != NULL) {
        rc = input_read(path, AUTH_MAX, ATLS_E_USAGE, "attest.tpm.auth", in, err);
        *out = input_buf(in);
        if (out->len > 0 && out->ptr[out->len - 1] == '\n') {
            out->len--;
        }
    }
    return rc;
}

static void clear_auth(input *in)
{
    if (in->bytes != NULL) {
        OPENSSL_cleanse(in->bytes, in->len);
    }
    input_clear(in);
}

static atls_code open_machine(evidence_source *s, atls_err *err)
{
    input endorsement = {0};
    input owner = {0};
    atls_code rc = read_auth(s->endorsement_auth, &endorsement, &s->tpm.endorsement_auth, err);
    if (rc == ATLS_OK) {
        rc = read_auth(s->owner_auth, &owner, &s->tpm.owner_auth, err);
    }
    if (rc == ATLS_OK) {
        /* tpm2-tss writes to stderr what we say ourselves; who wants it sets the variable. */
        (void)setenv("TSS2_LOG", "all+NONE", 0);
        s->machine.type = s->type;
        s->machine.tpm = &s->tpm;
        rc = atls_attester_open(&s->machine, &s->of_machine, err);
        s->attester = s->of_machine;
    }
    clear_auth(&endorsement);
    clear_auth(&owner);
    s->tpm.endorsement_auth = s->tpm.owner_auth = (atls_buf){NULL, 0};
    return rc;
}

atls_code evidence_source_open(evidence_source *s, atls_err *err)
{
    return strcmp(s->type, "sim") == 0 ? open_sim(s, err) : open_machine(s, err);
}

void evidence_source_close(evidence_source *s)
{
    sim_source_close(&s->sim);
    atls_attester_free(s->of_machine);
    s->of_machine = NULL;
    s->attester = NULL;
}
