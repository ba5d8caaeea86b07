#include "evidence_source.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "collateral_setup.h"
#include "say.h"

#define ROOT_MAX      ((size_t)256 * 1024)
#define STAPLE_LOOK_S 60
#define AUTH_MAX      65u /* bytes: a TPM's authorization value, and a newline */

enum {
    SOURCE = 0x700,
    ATTEST_TIMEOUT,
    TSM_DIR,
    VMPL,
    TDX_DEVICE,
    TDX_QGS,
    TDX_CONF,
    SEV_DEVICE,
    GRAMINE_DIR,
    DSTACK_SOCKET,
    NSM_DEVICE,
    STAPLE
};
enum { TCTI = 0x800, AK, PCRS, EVENT_LOG, IMA_LOG, VCEK, ENDORSEMENT_AUTH, OWNER_AUTH };

const flag evidence_source_flags[] = {
    {SOURCE, "source", "NAME",
     "where this machine's evidence comes from: gramine, nsm, dstack, tsm, tdx-guest, sev-guest, azure or tpm (the first "
     "that works)"},
    {ATTEST_TIMEOUT, "attest-timeout", "SECONDS", "for one piece of evidence (30)"},
    {TSM_DIR, "tsm-dir", "DIR", "configfs-tsm (/sys/kernel/config/tsm/report)"},
    {VMPL, "vmpl", "0-3", "SEV-SNP: the privilege level that the report names"},
    {TDX_DEVICE, "tdx-device", "FILE", "the TDX guest device (/dev/tdx_guest)"},
    {TDX_QGS, "tdx-qgs", "ADDR", "its quote service: vsock:CID:PORT or unix:PATH"},
    {TDX_CONF, "tdx-conf", "FILE", "or the file that names its port (/etc/tdx-attest.conf)"},
    {SEV_DEVICE, "sev-device", "FILE", "the SEV-SNP guest device (/dev/sev-guest)"},
    {GRAMINE_DIR, "gramine-dir", "DIR", "Gramine's files (/dev/attestation)"},
    {DSTACK_SOCKET, "dstack-socket", "FILE", "the socket of dstack's agent (/var/run/dstack.sock)"},
    {NSM_DEVICE, "nsm-device", "FILE", "the Nitro Security Module (/dev/nsm)"},
    {STAPLE, "staple", "DIR",
     "types tdx and sgx: send the collateral for the quote with it, out of this store"},
    {TCTI, "tcti", "STRING", "types tpm, azure: how to reach the TPM (device:/dev/tpmrm0)"},
    {AK, "ak", "KEY",
     "its key: ecc (the default), rsa, ecc@0x8101..., 0x8101..., gcp, gcp-rsa, azure"},
    {PCRS, "pcrs", "BANK:LIST", "what is quoted, like sha256:0,7+sha384:0-9 (sha256:0-15)"},
    {EVENT_LOG, "event-log", "FILE",
     "send the firmware's event log with it; type sim: ccel or dstack, a log made up"},
    {IMA_LOG, "ima-log", "FILE", "send IMA's list with it"},
    {VCEK, "vcek", "FILE", "type azure: send this VCEK certificate (DER) with it"},
    {ENDORSEMENT_AUTH, "tpm-endorsement-auth", "FILE",
     "holds the endorsement hierarchy's authorization value"},
    {OWNER_AUTH, "tpm-owner-auth", "FILE", "holds the owner hierarchy's"},
    {0, NULL, NULL, NULL},
};

static bool take_timeout(evidence_source *s, const char *arg)
{
    uint64_t seconds = 0;
    if (!input_number(arg, 1, 3600, &seconds)) {
        (void)say_refusal(ATLS_E_USAGE, "usage.argument",
                          "--attest-timeout wants seconds, 1 to 3600");
        return false;
    }
    s->machine.timeout_ms = (uint32_t)(seconds * 1000);
    return true;
}

bool evidence_source_take(evidence_source *s, int id, char *arg)
{
    if (id == ATTEST_TIMEOUT) {
        return take_timeout(s, arg);
    }
    const struct {
        int id;
        const char **to;
    } texts[] = {
        {SOURCE, &s->machine.source},
        {TSM_DIR, &s->machine.tsm_dir},
        {VMPL, &s->machine.snp_vmpl},
        {TDX_DEVICE, &s->machine.tdx_device},
        {TDX_QGS, &s->machine.tdx_qgs},
        {TDX_CONF, &s->machine.tdx_conf},
        {SEV_DEVICE, &s->machine.sev_device},
        {GRAMINE_DIR, &s->machine.gramine_dir},
        {DSTACK_SOCKET, &s->machine.dstack_socket},
        {NSM_DEVICE, &s->machine.nsm_device},
        {STAPLE, &s->staple},
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

void evidence_source_name_certificate(evidence_source *s, const X509 *certificate)
{
    uint8_t sha256[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (certificate != NULL && X509_digest(certificate, EVP_sha256(), sha256, &len) == 1) {
        for (unsigned i = 0; i < len && i < 32; i++) {
            (void)snprintf(s->certificate + (size_t)2 * i, 3, "%02x", sha256[i]);
        }
    }
}

static atls_code open_sim(evidence_source *s, atls_err *err)
{
    if (s->sim_dir == NULL) {
        return fill_err(err, ATLS_E_USAGE, "attest.sim",
                        "type sim needs --sim DIR, made by `atls sim pki DIR`");
    }
    s->quote.event_log = s->tpm.event_log;
    bool named = s->tpm.event_log != NULL && strcmp(s->tpm.event_log, "dstack") == 0 &&
                 s->certificate[0] != '\0';
    s->quote.certificate_event = named ? s->certificate : NULL;
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

/* --- stapling --- */

/* Who renews the store is another process: it is looked at again now and then. */
static atls_code attest_stapled(void *self, const atls_report_data *data, atls_evidence_blob *out,
                                atls_err *err)
{
    evidence_source *s = self;
    const int64_t now_s = (int64_t)time(NULL);
    const atls_code rc = s->bare->attest(s->bare->self, data, out, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    int64_t loaded_s = atomic_load(&s->loaded_s);
    if (now_s - loaded_s >= STAPLE_LOOK_S &&
        atomic_compare_exchange_strong(&s->loaded_s, &loaded_s, now_s)) {
        (void)!atls_store_load(s->store, now_s, NULL);
    }
    (void)atls_store_staple(s->store, now_s, out); /* without it, it is as good as others' */
    return ATLS_OK;
}

static atls_code trust_sim(const evidence_source *s, atls_err *err)
{
    char path[4096];
    input pem = {0};
    const int len = snprintf(path, sizeof path, "%s/root.pem", s->sim_dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: the path is too long", s->sim_dir);
    }
    atls_code rc = input_read(path, ROOT_MAX, ATLS_E_USAGE, "root.size", &pem, err);
    rc = rc == ATLS_OK ? atls_store_insecure_trust_simulator(s->store, input_buf(&pem), err) : rc;
    input_clear(&pem);
    return rc;
}

static atls_code open_stapling(evidence_source *s, atls_err *err)
{
    const int64_t now_s = (int64_t)time(NULL);
    if (!collateral_is_store(s->staple)) {
        return fill_err(err, ATLS_E_SYSTEM, "store.absent",
                        "%s: there is no store; `atls collateral fetch` or `import` makes one",
                        s->staple);
    }
    atls_code rc = atls_store_open(s->staple, &s->store, err);
    rc = rc == ATLS_OK && strcmp(s->type, "sim") == 0 ? trust_sim(s, err) : rc;
    rc = rc == ATLS_OK ? atls_store_load(s->store, now_s, err) : rc;
    atomic_store(&s->loaded_s, now_s);
    s->bare = s->attester;
    s->stapling = (atls_attester){.name = s->bare->name, .self = s, .attest = attest_stapled};
    s->attester = &s->stapling;
    return rc;
}

atls_code evidence_source_open(evidence_source *s, atls_err *err)
{
    const atls_code rc = strcmp(s->type, "sim") == 0 ? open_sim(s, err) : open_machine(s, err);
    return rc == ATLS_OK && s->staple != NULL ? open_stapling(s, err) : rc;
}

void evidence_source_close(evidence_source *s)
{
    sim_source_close(&s->sim);
    atls_attester_free(s->of_machine);
    atls_store_free(s->store);
    s->store = NULL;
    s->of_machine = NULL;
    s->attester = NULL;
}
