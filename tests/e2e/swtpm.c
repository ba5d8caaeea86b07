#define _GNU_SOURCE
#include "e2e/swtpm.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "attest/tpm_esys.h"
#include "attest/tpm_templates.h"

#define LOADED_SESSION_FIRST 0x02000000u /* part 2, 7.5 */
#define TRANSIENT_FIRST      0x80000000u

static bool is_executable(const char *name)
{
    static const char *const places[] = {"/usr/bin", "/usr/local/bin", "/bin"};
    char path[64];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", places[i], name);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

bool swtpm_is_installed(void)
{
    bool is = is_executable("swtpm") && is_executable("swtpm_setup");
    if (!is) {
        printf("SKIPPED: swtpm and swtpm_setup (packages swtpm, swtpm-tools) are not installed\n");
    }
    return is;
}

/* --- the process --- */

/* The child dies with us, however we end. */
static pid_t start(char *const argv[], const char *dir)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char log[96];
        (void)snprintf(log, sizeof log, "%s/%s.log", dir, argv[0]);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
            freopen(log, "we", stdout) == NULL || dup2(STDOUT_FILENO, STDERR_FILENO) < 0 ||
            setenv("XDG_CONFIG_HOME", dir, 1) != 0) {
            _exit(126);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static void write_text(const char *dir, const char *name, const char *format)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fprintf(f, format, dir, dir, dir, dir) > 0);
    assert_int_equal(fclose(f), 0);
}

/* A CA of its own in the same directory signs the EK certificates. */
static void set_up(const char *dir)
{
    write_text(dir, "swtpm_setup.conf",
               "create_certs_tool=swtpm_localca\n"
               "create_certs_tool_config=%s/swtpm-localca.conf\n"
               "create_certs_tool_options=%s/swtpm-localca.options\n");
    write_text(dir, "swtpm-localca.conf",
               "statedir = %s\nsigningkey = %s/signkey.pem\nissuercert = %s/issuercert.pem\n"
               "certserial = %s/certserial\n");
    write_text(dir, "swtpm-localca.options", "--platform-manufacturer atls\n");
    char *copy = strdup(dir);
    char config[96];
    (void)snprintf(config, sizeof config, "%s/swtpm_setup.conf", dir);
    char *argv[] = {(char[]){"swtpm_setup"},      (char[]){"--tpm2"},
                    (char[]){"--tpmstate"},       copy,
                    (char[]){"--config"},         config,
                    (char[]){"--create-ek-cert"}, (char[]){"--pcr-banks"},
                    (char[]){"sha256,sha384"},    NULL};
    int status = -1;
    assert_int_equal(waitpid(start(argv, dir), &status, 0) > 0, 1);
    free(copy);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool answers(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

static void wait_for(const swtpm *t)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/tpm", t->dir);
    for (int i = 0; i < 1000; i++) {
        if (answers(path)) {
            return;
        }
        assert_int_equal(waitpid(t->pid, NULL, WNOHANG), 0); /* it has not ended */
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    fail_msg("swtpm does not answer in %s", t->dir);
}

void swtpm_start(swtpm *t, bool with_certificates)
{
    *t = (swtpm){.dir = "/tmp/atls-swtpm-XXXXXX"};
    assert_non_null(mkdtemp(t->dir));
    if (with_certificates) {
        set_up(t->dir);
    }
    char state[96];
    char server[96];
    char control[96];
    (void)snprintf(state, sizeof state, "dir=%s", t->dir);
    (void)snprintf(server, sizeof server, "type=unixio,path=%s/tpm", t->dir);
    (void)snprintf(control, sizeof control, "type=unixio,path=%s/tpm.ctrl", t->dir);
    (void)snprintf(t->tcti, sizeof t->tcti, "swtpm:path=%s/tpm", t->dir);
    char *argv[] = {(char[]){"swtpm"},
                    (char[]){"socket"},
                    (char[]){"--tpm2"},
                    (char[]){"--tpmstate"},
                    state,
                    (char[]){"--server"},
                    server,
                    (char[]){"--ctrl"},
                    control,
                    (char[]){"--flags"},
                    (char[]){"not-need-init,startup-clear"},
                    NULL};
    t->pid = start(argv, t->dir);
    wait_for(t);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *w)
{
    (void)s;
    (void)type;
    (void)w;
    return remove(path);
}

void swtpm_stop(swtpm *t)
{
    if (t->pid > 0) {
        (void)kill(t->pid, SIGKILL);
        (void)waitpid(t->pid, NULL, 0);
    }
    if (t->dir[0] != '\0') {
        (void)nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    *t = (swtpm){0};
}

/* --- its other users --- */

static void turn(const swtpm *t, tpm_task task, void *arg)
{
    atls_err err = {0};
    if (tpm_turn(t->tcti, 0, task, arg, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
}

typedef struct extending {
    unsigned pcr;
    const char *text;
} extending;

static atls_code extend(tpm *t, void *arg, atls_err *err)
{
    const extending *e = arg;
    TPML_DIGEST_VALUES values = {.count = 2};
    size_t len = 0;
    values.digests[0].hashAlg = TPM2_ALG_SHA256;
    values.digests[1].hashAlg = TPM2_ALG_SHA384;
    assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, e->text, strlen(e->text),
                                  values.digests[0].digest.sha256, &len),
                     1);
    assert_int_equal(EVP_Q_digest(NULL, "SHA384", NULL, e->text, strlen(e->text),
                                  values.digests[1].digest.sha384, &len),
                     1);
    return tpm_said(
        t, Esys_PCR_Extend(t->esys, e->pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values),
        "TPM2_PCR_Extend", err);
}

void swtpm_extend(const swtpm *t, unsigned pcr, const char *text)
{
    turn(t, extend, &(extending){pcr, text});
}

static TPM2B_AUTH auth_of(const char *text)
{
    TPM2B_AUTH a = {.size = (UINT16)strlen(text)};
    memcpy(a.buffer, text, a.size);
    return a;
}

typedef struct owning {
    TPM2B_AUTH owner, endorsement;
} owning;

static atls_code take(tpm *t, void *arg, atls_err *err)
{
    const owning *o = arg;
    ATLS_TRY(tpm_said(t,
                      Esys_HierarchyChangeAuth(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                               ESYS_TR_NONE, ESYS_TR_NONE, &o->owner),
                      "owner", err));
    return tpm_said(t,
                    Esys_HierarchyChangeAuth(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                             ESYS_TR_NONE, ESYS_TR_NONE, &o->endorsement),
                    "endorsement", err);
}

void swtpm_take_ownership(const swtpm *t, const char *owner_auth, const char *endorsement_auth)
{
    turn(t, take, &(owning){auth_of(owner_auth), auth_of(endorsement_auth)});
}

typedef struct putting {
    uint32_t index;
    atls_buf bytes;
} putting;

static atls_code put(tpm *t, void *arg, atls_err *err)
{
    const putting *p = arg;
    static const TPM2B_AUTH no_auth = {0};
    TPM2B_NV_PUBLIC nv = {
        .nvPublic = {.nvIndex = p->index,
                     .nameAlg = TPM2_ALG_SHA256,
                     .attributes = TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA,
                     .dataSize = (UINT16)p->bytes.len}};
    ESYS_TR index = ESYS_TR_NONE;
    ATLS_TRY(tpm_said(t,
                      Esys_NV_DefineSpace(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                          ESYS_TR_NONE, &no_auth, &nv, &index),
                      "TPM2_NV_DefineSpace", err));
    for (size_t at = 0; at < p->bytes.len;) {
        size_t n = p->bytes.len - at < 512 ? p->bytes.len - at : 512;
        TPM2B_MAX_NV_BUFFER part = {.size = (UINT16)n};
        memcpy(part.buffer, p->bytes.ptr + at, n);
        ATLS_TRY(tpm_said(t,
                          Esys_NV_Write(t->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
                                        ESYS_TR_NONE, ESYS_TR_NONE, &part, (UINT16)at),
                          "TPM2_NV_Write", err));
        at += n;
    }
    return ATLS_OK;
}

void swtpm_put_nv(const swtpm *t, uint32_t index, atls_buf bytes)
{
    turn(t, put, &(putting){index, bytes});
}

static atls_code create(tpm *t, const TPM2B_PUBLIC *shape, ESYS_TR *out, atls_err *err)
{
    static const TPM2B_SENSITIVE_CREATE no_secret = {0};
    static const TPM2B_DATA no_data = {0};
    static const TPML_PCR_SELECTION no_pcrs = {0};
    return tpm_said(t,
                    Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                       ESYS_TR_NONE, ESYS_TR_NONE, &no_secret, shape, &no_data,
                                       &no_pcrs, out, NULL, NULL, NULL, NULL),
                    "TPM2_CreatePrimary", err);
}

static atls_code keep_unrestricted(tpm *t, void *arg, atls_err *err)
{
    const uint32_t *handle = arg;
    TPM2B_PUBLIC shape = tpm_template_ak_ecc;
    ESYS_TR key = ESYS_TR_NONE;
    ESYS_TR kept = ESYS_TR_NONE;
    shape.publicArea.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_RESTRICTED;
    ATLS_TRY(create(t, &shape, &key, err));
    ATLS_TRY(tpm_hold(t, key, err));
    return tpm_said(t,
                    Esys_EvictControl(t->esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD,
                                      ESYS_TR_NONE, ESYS_TR_NONE, *handle, &kept),
                    "TPM2_EvictControl", err);
}

void swtpm_keep_unrestricted(const swtpm *t, uint32_t handle)
{
    turn(t, keep_unrestricted, &handle);
}

static atls_code crowd(tpm *t, void *arg, atls_err *err)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        ESYS_TR key = ESYS_TR_NONE;
        ATLS_TRY(create(t, &tpm_template_ak_ecc, &key, err)); /* not held: it stays */
    }
    return ATLS_OK;
}

void swtpm_crowd(const swtpm *t)
{
    turn(t, crowd, NULL);
}

static atls_code each_handle(tpm *t, TPM2_HANDLE first, bool flush, size_t *n, atls_err *err)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    ATLS_TRY(
        tpm_said(t,
                 Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, NULL, &data),
                 "TPM2_GetCapability", err));
    for (uint32_t i = 0; i < data->data.handles.count; i++) {
        ESYS_TR object = ESYS_TR_NONE;
        (*n)++;
        if (flush) {
            ATLS_TRY(
                tpm_said(t,
                         Esys_TR_FromTPMPublic(t->esys, data->data.handles.handle[i], ESYS_TR_NONE,
                                               ESYS_TR_NONE, ESYS_TR_NONE, &object),
                         "object", err));
            ATLS_TRY(tpm_said(t, Esys_FlushContext(t->esys, object), "TPM2_FlushContext", err));
        }
    }
    Esys_Free(data);
    return ATLS_OK;
}

static atls_code make_room(tpm *t, void *arg, atls_err *err)
{
    size_t n = 0;
    (void)arg;
    return each_handle(t, TRANSIENT_FIRST, true, &n, err);
}

void swtpm_make_room(const swtpm *t)
{
    turn(t, make_room, NULL);
}

static atls_code count(tpm *t, void *arg, atls_err *err)
{
    size_t *n = arg;
    *n = 0;
    ATLS_TRY(each_handle(t, TRANSIENT_FIRST, false, n, err));
    return each_handle(t, LOADED_SESSION_FIRST, false, n, err);
}

size_t swtpm_objects(const swtpm *t)
{
    size_t n = 0;
    turn(t, count, &n);
    return n;
}

typedef struct reading {
    unsigned pcr;
    uint8_t *out;
} reading;

static atls_code read_pcr(tpm *t, void *arg, atls_err *err)
{
    const reading *r = arg;
    TPML_PCR_SELECTION one = {.count = 1,
                              .pcrSelections = {{.hash = TPM2_ALG_SHA256, .sizeofSelect = 3}}};
    TPML_DIGEST *values = NULL;
    one.pcrSelections[0].pcrSelect[r->pcr / 8] = (BYTE)(1u << (r->pcr % 8));
    ATLS_TRY(tpm_said(
        t,
        Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &one, NULL, NULL, &values),
        "TPM2_PCR_Read", err));
    assert_int_equal(values->count, 1);
    assert_int_equal(values->digests[0].size, 32);
    memcpy(r->out, values->digests[0].buffer, 32);
    Esys_Free(values);
    return ATLS_OK;
}

void swtpm_pcr(const swtpm *t, unsigned pcr, uint8_t out[32])
{
    turn(t, read_pcr, &(reading){pcr, out});
}
