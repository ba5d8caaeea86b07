/* tsm.c: configfs-tsm (Linux 6.7 and later), one interface for TDX, SEV-SNP and Arm CCA.
 *
 * A request is a directory of our own. What is written is committed when the file is closed, and an error of that is
 * lost; what is read may belong to a later write of somebody else. So the generation counter decides: it must have gone
 * on by exactly our own writes. The kernel takes one request at a time, and says EBUSY or EWOULDBLOCK meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "attest/attester.h"
#include "attest/cert_table.h"
#include "base/err.h"
#include "base/hex.h"

#define USUAL_DIR "/sys/kernel/config/tsm/report"
#define DIR_MAX   ((size_t)160)
#define PATH_MAX_ (DIR_MAX + 64)
#define TEXT_MAX  ((size_t)64) /* attributes in text */

typedef struct provider {
    const char *name; /* as the kernel calls it */
    const char *type, *part;
} provider;

static const provider providers[] = {
    {"tdx_guest", "tdx", "quote"},
    {"sev_guest", "snp", "report"},
    {"arm_cca_guest", "cca", "token"},
    {"arm-cca-guest", "cca", "token"},
};

typedef struct tsm {
    const attest_os *os;
    char dir[DIR_MAX];
    const provider *provider;
    uint32_t timeout_ms;
    int vmpl; /* -1: the kernel's */
} tsm;

/* One directory, and what was done in it. */
typedef struct entry {
    const tsm *t;
    char path[PATH_MAX_];
    char file[PATH_MAX_ + 24]; /* the attribute spoken of last */
    unsigned writes;
    int made; /* 0, or the errno of mkdir */
} entry;

static const char *file_of(entry *e, const char *attribute)
{
    (void)snprintf(e->file, sizeof e->file, "%s/%s", e->path, attribute);
    return e->file;
}

/* What a person can do about it; "" where errno says all. */
static const char *advice(int number)
{
    switch (number) {
    case ENOENT:
        return ": the kernel is older than 6.7, configfs is not mounted, or the tsm module is not loaded";
    case EACCES:
    case EPERM:
        return ": run as root, or have root give this user the directory";
    case EROFS:
        return ": in a container, mount configfs writable";
    case ENXIO:
        return ": the kernel has no provider; load tdx_guest, sev-guest or arm-cca-guest";
    case EBUSY:
    case EWOULDBLOCK:
        return ": another request is under way; try again";
    case ETIMEDOUT:
        return ": the host's quote service did not answer; ask who runs the host";
    case EINVAL:
        return ": the kernel does not take this request";
    case EFBIG:
    case EOVERFLOW:
        return ": larger than there is room for";
    case EIO:
        return ": the host or the firmware refused; ask who runs the host";
    default:
        return "";
    }
}

static atls_code failed(const char *check, const char *doing, const char *path, int number,
                        atls_err *err)
{
    char text[ATTEST_ERRNO_TEXT];
    if (number == ENOMEM) {
        return ATLS_ERR_NOMEM(err);
    }
    return ATLS_ERR(err, ATLS_E_SYSTEM, check, "%s %.100s: %s%s", doing, path,
                    attest_errno(number, text), advice(number));
}

/* A word or number that an attribute holds, without the line's end. 0 or an errno. */
static int read_text(entry *e, const char *attribute, char out[TEXT_MAX])
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int number = attest_read_file(e->t->os, file_of(e, attribute), TEXT_MAX - 1, &bytes, &len);
    if (number != 0) {
        return number;
    }
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == 0)) {
        len--;
    }
    memcpy(out, bytes, len);
    out[len] = '\0';
    free(bytes);
    return 0;
}

static int read_number(entry *e, const char *attribute, unsigned long *out)
{
    char text[TEXT_MAX];
    int number = read_text(e, attribute, text);
    if (number != 0) {
        return number;
    }
    char *end = text;
    errno = 0;
    unsigned long v = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return EPROTO;
    }
    *out = v;
    return 0;
}

/* Nobody else has this name; one that is there already (EEXIST) is a name drawn again. */
static atls_code make(const tsm *t, entry *e, atls_err *err)
{
    *e = (entry){.t = t, .made = EEXIST};
    for (int i = 0; i < 4 && e->made == EEXIST; i++) {
        uint8_t random[16];
        char name[2 * sizeof random + 1];
        if (RAND_bytes(random, sizeof random) != 1) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "system.random", "no random bytes");
        }
        atls_hex_encode((atls_buf){random, sizeof random}, name);
        (void)snprintf(e->path, sizeof e->path, "%s/atls-%s", t->dir, name);
        e->made = t->os->mkdir(t->os->self, e->path) == 0 ? 0 : errno;
    }
    return e->made == 0 ? ATLS_OK
                        : failed("attest.tsm.mkdir", "making a request in", t->dir, e->made, err);
}

/* A directory that stays costs the kernel a page and nobody a wrong answer: evidence is not thrown away for it. */
static void drop(const entry *e)
{
    const attest_os *os = e->t->os;
    for (int i = 0; i < 8 && os->rmdir(os->self, e->path) != 0; i++) {
        if (errno != EINTR && errno != EBUSY) {
            return;
        }
    }
}

static atls_code find_provider(entry *e, const provider **out, atls_err *err)
{
    char name[TEXT_MAX];
    int number = read_text(e, "provider", name);
    if (number != 0) {
        return failed("attest.tsm.provider", "reading", e->file, number, err);
    }
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        if (strcmp(name, providers[i].name) == 0) {
            *out = &providers[i];
            return ATLS_OK;
        }
    }
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tsm.provider",
                    "the kernel's provider is %s; known are tdx_guest, sev_guest and arm_cca_guest",
                    name);
}

/* --- one request --- */

/* True: somebody else was at work, or a signal came; a new request may do better. */
static bool may_pass(int number)
{
    return number == EBUSY || number == EWOULDBLOCK || number == EAGAIN || number == EINTR;
}

/* Set where a step fails: try again with a new directory? */
typedef struct attempt {
    entry *e;
    bool again;
    atls_evidence_blob blob;
} attempt;

static atls_code step_failed(attempt *a, const char *check, const char *doing, int number,
                             atls_err *err)
{
    a->again = may_pass(number);
    return failed(check, doing, a->e->file, number, err);
}

/* The level that the report names: asked for, or the lowest that the kernel gives this guest. */
static atls_code set_level(attempt *a, atls_err *err)
{
    entry *e = a->e;
    unsigned long floor = 0;
    int number = read_number(e, "privlevel_floor", &floor);
    if (number == ENOENT && e->t->vmpl < 0) {
        return ATLS_OK; /* this provider has no levels */
    }
    if (number != 0) {
        return step_failed(a, "attest.tsm.privlevel", "reading", number, err);
    }
    if (e->t->vmpl < 0 && floor == 0) {
        return ATLS_OK;
    }
    unsigned long level = e->t->vmpl < 0 ? floor : (unsigned long)e->t->vmpl;
    if (level < floor) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tsm.privlevel",
                        "VMPL %lu is wanted, and this guest may name %lu at the lowest", level,
                        floor);
    }
    char text[24];
    int len = snprintf(text, sizeof text, "%lu", level);
    number = attest_write_file(e->t->os, file_of(e, "privlevel"),
                               (atls_buf){(const uint8_t *)text, (size_t)len});
    if (number != 0) {
        return step_failed(a, "attest.tsm.privlevel", "writing", number, err);
    }
    e->writes++;
    return ATLS_OK;
}

static atls_code read_part(attempt *a, const char *attribute, const char *name, atls_err *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int number =
        attest_read_file(a->e->t->os, file_of(a->e, attribute), ATTEST_EVIDENCE_MAX, &bytes, &len);
    if (number != 0) {
        return step_failed(a, "attest.tsm.outblob", "reading", number, err);
    }
    if (len == 0) {
        free(bytes);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tsm.empty",
                        "%.120s is empty: the host's quote service failed; ask who runs the host",
                        a->e->file);
    }
    attest_add_part(&a->blob, name, bytes, len);
    return ATLS_OK;
}

/* The host's certificates are a convenience: it may have none. */
static atls_code read_certs(attempt *a, atls_err *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int number =
        attest_read_file(a->e->t->os, file_of(a->e, "auxblob"), ATTEST_EVIDENCE_MAX, &bytes, &len);
    if (number == ENOENT) {
        return ATLS_OK;
    }
    if (number != 0) {
        return step_failed(a, "attest.tsm.auxblob", "reading", number, err);
    }
    len = attest_cert_table_len((atls_buf){bytes, len});
    if (len == 0) {
        free(bytes);
        return ATLS_OK;
    }
    attest_add_part(&a->blob, "certs", bytes, len);
    return ATLS_OK;
}

/* After before, exactly our own writes, and no one else's. */
static atls_code check_generation(attempt *a, unsigned long before, atls_err *err)
{
    unsigned long now = 0;
    int number = read_number(a->e, "generation", &now);
    if (number != 0) {
        return step_failed(a, "attest.tsm.generation", "reading", number, err);
    }
    if (now != before + a->e->writes) {
        a->again = true;
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "attest.tsm.generation",
            "%.120s is %lu where %lu is wanted: another program wrote to our request, or the "
            "kernel did not take ours",
            a->e->file, now, before + a->e->writes);
    }
    return ATLS_OK;
}

static atls_code ask(attempt *a, const uint8_t report_data[64], atls_err *err)
{
    entry *e = a->e;
    unsigned long before = 0;
    const provider *now = NULL;
    ATLS_TRY(find_provider(e, &now, err));
    if (now != e->t->provider) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tsm.provider",
                        "the kernel's provider was %s and is %s now: start again",
                        e->t->provider->name, now->name);
    }
    int number = read_number(e, "generation", &before);
    if (number != 0) {
        return step_failed(a, "attest.tsm.generation", "reading", number, err);
    }
    bool snp = strcmp(now->type, "snp") == 0;
    if (snp) {
        ATLS_TRY(set_level(a, err));
    }
    number = attest_write_file(e->t->os, file_of(e, "inblob"), (atls_buf){report_data, 64});
    if (number != 0) {
        return step_failed(a, "attest.tsm.inblob", "writing", number, err);
    }
    e->writes++;
    ATLS_TRY(check_generation(a, before, err)); /* close said nothing */
    ATLS_TRY(read_part(a, "outblob", now->part, err));
    if (snp) {
        ATLS_TRY(read_certs(a, err));
    }
    return check_generation(a, before, err);
}

static atls_code attempt_once(const tsm *t, const uint8_t report_data[64], attempt *a,
                              atls_err *err)
{
    entry e;
    *a = (attempt){.e = &e, .blob = attest_blob_of(t->provider->type)};
    ATLS_TRY(make(t, &e, err));
    atls_code rc = ask(a, report_data, err);
    drop(&e);
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(&a->blob);
    }
    a->e = NULL;
    return rc;
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const tsm *t = self;
    int64_t deadline = t->os->now_ms(t->os->self) + (int64_t)t->timeout_ms;
    for (unsigned n = 0;; n++) {
        attempt a;
        atls_code rc = attempt_once(t, data->wide, &a, err);
        if (rc == ATLS_OK) {
            *out = a.blob;
            return ATLS_OK;
        }
        if (!a.again || !attest_wait(t->os, n, deadline)) {
            return rc;
        }
    }
}

/* --- opening --- */

static atls_code take_options(const attest_want *want, tsm *t, atls_err *err)
{
    const char *dir = want->options->tsm_dir != NULL ? want->options->tsm_dir : USUAL_DIR;
    if (strlen(dir) >= sizeof t->dir) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.option",
                        "the directory of configfs-tsm has %zu bytes, at most %zu", strlen(dir),
                        sizeof t->dir - 1);
    }
    int vmpl = -1;
    ATLS_TRY(attest_vmpl(want->options, &vmpl, err));
    *t = (tsm){.os = want->os, .timeout_ms = want->timeout_ms, .vmpl = vmpl};
    memcpy(t->dir, dir, strlen(dir) + 1);
    return ATLS_OK;
}

/* Only a directory of ours tells who the provider is. */
static atls_code look(tsm *t, const char *type, bool *absent, atls_err *err)
{
    entry e;
    atls_code rc = make(t, &e, err);
    if (rc != ATLS_OK) {
        *absent = e.made == ENOENT || e.made == ENXIO;
        return rc;
    }
    rc = find_provider(&e, &t->provider, err);
    drop(&e);
    if (rc == ATLS_OK && type != NULL && strcmp(type, t->provider->type) != 0) {
        *absent = true;
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.tsm.other",
                        "the kernel's provider %s makes %s, not %s", t->provider->name,
                        t->provider->type, type);
    }
    return rc;
}

static atls_code open_tsm(const attest_want *want, attest_opened *opened, atls_err *err)
{
    tsm *t = malloc(sizeof *t);
    if (t == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = take_options(want, t, err);
    if (rc == ATLS_OK) {
        rc = look(t, want->type, &opened->absent, err);
    }
    if (rc != ATLS_OK) {
        free(t);
        return rc;
    }
    opened->self = t;
    opened->type = t->provider->type;
    return ATLS_OK;
}

const attest_source attest_source_tsm = {
    .name = "tsm",
    .types = {"tdx", "snp", "cca"},
    .open = open_tsm,
    .attest = attest,
    .free = free,
};
