#include "unit/fake_tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define FIRST_FD  1000
#define NAME_MAX_ 64

typedef enum attribute {
    PROVIDER,
    INBLOB,
    OUTBLOB,
    AUXBLOB,
    GENERATION,
    PRIVLEVEL,
    FLOOR,
    ATTRIBUTES
} attribute;

static const char *const names[ATTRIBUTES] = {
    "provider", "inblob", "outblob", "auxblob", "generation", "privlevel", "privlevel_floor"};

typedef struct dir {
    bool used;
    char name[NAME_MAX_];
    unsigned long write_generation, read_generation;
    uint8_t inblob[64];
    size_t inblob_len;
    unsigned level;
    uint8_t out[FAKE_TSM_BYTES];
    size_t out_len;
} dir;

typedef struct file {
    bool used, writing, begun;
    size_t dir;
    attribute what;
    uint8_t bytes[FAKE_TSM_BYTES]; /* read once, at the first read; or written, until close */
    size_t len, at;
} file;

struct fake_tsm {
    pthread_mutex_t lock;   /* of all below */
    pthread_mutex_t report; /* held while one is made */
    fake_tsm_plan plan;
    dir dirs[FAKE_TSM_DIRS];
    file files[FAKE_TSM_FILES];
    unsigned reports;
    long level;
    int64_t clock_ms;
};

static int fail_with(int number)
{
    errno = number;
    return -1;
}

static void init_shared(pthread_mutex_t *m)
{
    pthread_mutexattr_t a;
    (void)pthread_mutexattr_init(&a);
    (void)pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    (void)pthread_mutex_init(m, &a);
    (void)pthread_mutexattr_destroy(&a);
}

fake_tsm *fake_tsm_new(const fake_tsm_plan *plan)
{
    fake_tsm *k = mmap(NULL, sizeof *k, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (k == MAP_FAILED) {
        abort();
    }
    init_shared(&k->lock);
    init_shared(&k->report);
    k->plan = *plan;
    k->level = -1;
    return k;
}

void fake_tsm_free(fake_tsm *k)
{
    (void)munmap(k, sizeof *k);
}

fake_tsm_plan *fake_tsm_change(fake_tsm *k)
{
    return &k->plan;
}

unsigned fake_tsm_left(fake_tsm *k)
{
    unsigned n = 0;
    for (size_t i = 0; i < FAKE_TSM_DIRS; i++) {
        n += k->dirs[i].used;
    }
    for (size_t i = 0; i < FAKE_TSM_FILES; i++) {
        n += k->files[i].used;
    }
    return n;
}

unsigned fake_tsm_reports(fake_tsm *k)
{
    return k->reports;
}

long fake_tsm_level(fake_tsm *k)
{
    return k->level;
}

static bool is_snp(const fake_tsm *k)
{
    return k->plan.provider != NULL && strcmp(k->plan.provider, "sev_guest") == 0;
}

/* The name behind FAKE_TSM_DIR, up to a slash; *rest is what is behind that. */
static bool split(const char *path, char name[NAME_MAX_], const char **rest)
{
    size_t base = strlen(FAKE_TSM_DIR);
    if (strncmp(path, FAKE_TSM_DIR, base) != 0 || path[base] != '/') {
        return false;
    }
    const char *from = path + base + 1;
    size_t len = strcspn(from, "/");
    if (len == 0 || len >= NAME_MAX_) {
        return false;
    }
    memcpy(name, from, len);
    name[len] = '\0';
    *rest = from[len] == '/' ? from + len + 1 : from + len;
    return true;
}

static dir *find_dir(fake_tsm *k, const char *name)
{
    for (size_t i = 0; i < FAKE_TSM_DIRS; i++) {
        if (k->dirs[i].used && strcmp(k->dirs[i].name, name) == 0) {
            return &k->dirs[i];
        }
    }
    return NULL;
}

static int do_mkdir(fake_tsm *k, const char *path)
{
    char name[NAME_MAX_];
    const char *rest;
    if (!split(path, name, &rest) || *rest != '\0') {
        return fail_with(ENOENT);
    }
    if (k->plan.mkdir_errno != 0) {
        return fail_with(k->plan.mkdir_errno);
    }
    if (k->plan.provider == NULL) {
        return fail_with(ENXIO);
    }
    if (find_dir(k, name) != NULL) {
        return fail_with(EEXIST);
    }
    for (size_t i = 0; i < FAKE_TSM_DIRS; i++) {
        if (!k->dirs[i].used) {
            memset(&k->dirs[i], 0, sizeof k->dirs[i]);
            k->dirs[i].used = true;
            memcpy(k->dirs[i].name, name, sizeof name);
            return 0;
        }
    }
    return fail_with(ENOMEM);
}

static int do_rmdir(fake_tsm *k, const char *path)
{
    char name[NAME_MAX_];
    const char *rest;
    dir *d = split(path, name, &rest) && *rest == '\0' ? find_dir(k, name) : NULL;
    if (d == NULL) {
        return fail_with(ENOENT);
    }
    d->used = false;
    return 0;
}

static int do_open(fake_tsm *k, const char *path, int flags)
{
    char name[NAME_MAX_];
    const char *rest;
    dir *d = split(path, name, &rest) ? find_dir(k, name) : NULL;
    size_t what = 0;
    while (d != NULL && what < ATTRIBUTES && strcmp(rest, names[what]) != 0) {
        what++;
    }
    bool only_snp = what == AUXBLOB || what == PRIVLEVEL || what == FLOOR;
    if (d == NULL || what == ATTRIBUTES || (only_snp && !is_snp(k))) {
        return fail_with(ENOENT);
    }
    bool writing = (flags & O_ACCMODE) == O_WRONLY;
    if (writing != (what == INBLOB || what == PRIVLEVEL)) {
        return fail_with(EACCES);
    }
    for (size_t i = 0; i < FAKE_TSM_FILES; i++) {
        file *f = &k->files[i];
        if (!f->used) {
            *f = (file){.used = true,
                        .writing = writing,
                        .dir = (size_t)(d - k->dirs),
                        .what = (attribute)what};
            return FIRST_FD + (int)i;
        }
    }
    return fail_with(ENFILE);
}

static file *file_of(fake_tsm *k, int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + FAKE_TSM_FILES && k->files[fd - FIRST_FD].used
               ? &k->files[fd - FIRST_FD]
               : NULL;
}

static int advance(fake_tsm *k, dir *d)
{
    if (k->plan.provider == NULL) {
        return ENXIO;
    }
    if (d->write_generation == d->read_generation - 1) {
        return EBUSY;
    }
    d->write_generation++;
    return 0;
}

/* Evidence with the report data where the format has it. */
static size_t usual_evidence(const fake_tsm *k, const uint8_t *inblob, uint8_t *out)
{
    bool tdx = strcmp(k->plan.provider, "tdx_guest") == 0;
    size_t len = k->plan.out_len != 0 ? k->plan.out_len : 5000;
    memset(out, 0xee, len);
    out[0] = tdx ? 4 : 2;
    out[1] = 0;
    if (len >= 632) {
        memcpy(out + (tdx ? 568 : 0x50), inblob, 64);
    }
    return len;
}

static int make_report(fake_tsm *k, dir *d)
{
    const fake_tsm_plan *p = &k->plan;
    if (p->provider == NULL) {
        return ENXIO;
    }
    if (d->inblob_len == 0 || (!is_snp(k) && d->inblob_len != 64)) {
        return EINVAL;
    }
    if (p->out_times > 0) {
        k->plan.out_times -= p->out_times != UINT_MAX;
        return p->out_errno;
    }
    d->out_len = p->empty          ? 0
                 : p->make != NULL ? p->make(p->ctx, d->inblob, d->out, sizeof d->out)
                                   : usual_evidence(k, d->inblob, d->out);
    d->read_generation = d->write_generation;
    k->level = (long)d->level;
    k->reports++;
    if (k->plan.raced_late > 0) {
        k->plan.raced_late--;
        (void)advance(k, d);
    }
    return 0;
}

/* With k->lock held, which is given up while the report takes its time. */
static int need_report(fake_tsm *k, dir *d)
{
    if (d->read_generation == d->write_generation && d->write_generation != 0) {
        return 0;
    }
    (void)pthread_mutex_unlock(&k->lock);
    bool busy = false;
    if (k->plan.host_busy) {
        busy = pthread_mutex_trylock(&k->report) != 0;
    } else {
        (void)pthread_mutex_lock(&k->report);
    }
    if (!busy && k->plan.takes_ms > 0) {
        struct timespec t = {k->plan.takes_ms / 1000u, (long)(k->plan.takes_ms % 1000u) * 1000000};
        (void)nanosleep(&t, NULL);
    }
    (void)pthread_mutex_lock(&k->lock);
    int failed = busy ? EBUSY : make_report(k, d);
    if (!busy) {
        (void)pthread_mutex_unlock(&k->report);
    }
    return failed;
}

static int fill(fake_tsm *k, file *f)
{
    dir *d = &k->dirs[f->dir];
    int failed = 0;
    switch (f->what) {
    case PROVIDER:
        f->len = (size_t)snprintf((char *)f->bytes, 64, "%s\n",
                                  k->plan.provider != NULL ? k->plan.provider : "");
        return k->plan.provider == NULL ? ENXIO : 0;
    case GENERATION:
        f->len = (size_t)snprintf((char *)f->bytes, 64, "%lu\n", d->write_generation);
        return 0;
    case FLOOR:
        f->len = (size_t)snprintf((char *)f->bytes, 64, "%u\n", k->plan.floor);
        return 0;
    case OUTBLOB:
        failed = need_report(k, d);
        f->len = failed == 0 ? d->out_len : 0;
        memcpy(f->bytes, d->out, f->len);
        return failed;
    case AUXBLOB:
        failed = k->plan.aux_errno != 0 ? k->plan.aux_errno : need_report(k, d);
        f->len = failed == 0 ? k->plan.aux_len : 0;
        if (f->len > 0) {
            memcpy(f->bytes, k->plan.aux, f->len);
        }
        return failed;
    default:
        return EACCES;
    }
}

static ssize_t do_read(fake_tsm *k, int fd, void *out, size_t len)
{
    file *f = file_of(k, fd);
    if (f == NULL || f->writing) {
        return fail_with(EBADF);
    }
    if (!f->begun) {
        int failed = fill(k, f);
        if (failed != 0) {
            return fail_with(failed);
        }
        f->begun = true;
    }
    size_t n = f->len - f->at < len ? f->len - f->at : len;
    n = k->plan.piece != 0 && n > k->plan.piece ? k->plan.piece : n;
    memcpy(out, f->bytes + f->at, n);
    f->at += n;
    return (ssize_t)n;
}

static int set_level(fake_tsm *k, dir *d, const void *bytes, size_t len)
{
    const char *text = bytes;
    if (len != 1 || text[0] < '0' || text[0] > '3' || (unsigned)(text[0] - '0') < k->plan.floor) {
        return EINVAL;
    }
    d->level = (unsigned)(text[0] - '0');
    return advance(k, d);
}

static ssize_t do_write(fake_tsm *k, int fd, const void *bytes, size_t len)
{
    file *f = file_of(k, fd);
    if (f == NULL || !f->writing) {
        return fail_with(EBADF);
    }
    if (f->what == PRIVLEVEL) {
        int failed = set_level(k, &k->dirs[f->dir], bytes, len);
        return failed != 0 ? fail_with(failed) : (ssize_t)len;
    }
    if (f->len + len > 64) {
        return fail_with(EFBIG);
    }
    memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
    return (ssize_t)len;
}

/* The commit: nobody learns that it failed. */
static void commit(fake_tsm *k, const file *f)
{
    dir *d = &k->dirs[f->dir];
    if (k->plan.lost > 0) {
        k->plan.lost--;
        return;
    }
    if (advance(k, d) != 0) {
        return;
    }
    memcpy(d->inblob, f->bytes, f->len);
    d->inblob_len = f->len;
    if (k->plan.raced > 0) {
        k->plan.raced--;
        (void)advance(k, d);
        memset(d->inblob, 0x66, sizeof d->inblob);
    }
}

static int do_close(fake_tsm *k, int fd)
{
    file *f = file_of(k, fd);
    if (f == NULL) {
        return fail_with(EBADF);
    }
    if (f->what == INBLOB && f->len > 0) {
        commit(k, f);
    }
    f->used = false;
    return 0;
}

/* --- the seam --- */

#define LOCKED(type, call)                                                                         \
    fake_tsm *k = self;                                                                            \
    (void)pthread_mutex_lock(&k->lock);                                                            \
    type result = (call);                                                                          \
    int number = errno;                                                                            \
    (void)pthread_mutex_unlock(&k->lock);                                                          \
    errno = number;                                                                                \
    return result

static int os_open(void *self, const char *path, int flags)
{
    LOCKED(int, do_open(k, path, flags));
}

static ssize_t os_read(void *self, int fd, void *out, size_t len)
{
    LOCKED(ssize_t, do_read(k, fd, out, len));
}

static ssize_t os_write(void *self, int fd, const void *bytes, size_t len)
{
    LOCKED(ssize_t, do_write(k, fd, bytes, len));
}

static int os_close(void *self, int fd)
{
    LOCKED(int, do_close(k, fd));
}

static int os_mkdir(void *self, const char *path)
{
    LOCKED(int, do_mkdir(k, path));
}

static int os_rmdir(void *self, const char *path)
{
    LOCKED(int, do_rmdir(k, path));
}

static int os_ioctl(void *self, int fd, unsigned long request, void *arg)
{
    (void)self;
    (void)fd;
    (void)request;
    (void)arg;
    return fail_with(ENOTTY);
}

static int64_t os_now_ms(void *self)
{
    fake_tsm *k = self;
    return k->plan.frozen ? k->clock_ms : attest_os_libc.now_ms(NULL);
}

static void os_sleep_ms(void *self, unsigned ms)
{
    fake_tsm *k = self;
    if (k->plan.frozen) {
        k->clock_ms += (int64_t)ms;
    } else {
        attest_os_libc.sleep_ms(NULL, ms);
    }
}

attest_os fake_tsm_os(fake_tsm *k)
{
    return (attest_os){
        .self = k,
        .open = os_open,
        .read = os_read,
        .write = os_write,
        .close = os_close,
        .mkdir = os_mkdir,
        .rmdir = os_rmdir,
        .ioctl = os_ioctl,
        .now_ms = os_now_ms,
        .sleep_ms = os_sleep_ms,
    };
}
