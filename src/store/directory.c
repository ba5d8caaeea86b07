#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define LOCK_TRIES     10000 /* a millisecond each */
#define GENERATION     "generation"
#define GENERATION_MAX 32 /* bytes of the file */
#define TEMPORARY_LEN  64

static const char *const room_names[ATLS_STORE_ROOMS] = {".", "objects", "index"};

static atls_code failed(atls_err *err, const char *check, const char *what, const char *name,
                        int why)
{
    char reason[96] = "";
    (void)strerror_r(why, reason, sizeof reason);
    return ATLS_ERR(err, ATLS_E_SYSTEM, check, "%s %.120s: %s", what, name, reason);
}

/* --- opening --- */

static atls_code check_ours(int fd, const char *path, atls_err *err)
{
    struct stat s;
    if (fstat(fd, &s) != 0) {
        return failed(err, "store.directory", "cannot look at", path, errno);
    }
    if (s.st_uid != geteuid() || (s.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "store.permissions",
            "%.120s is of user %u with mode %03o: a store has to be this user's (%u), and writable "
            "for nobody else",
            path, (unsigned)s.st_uid, (unsigned)(s.st_mode & 0777), (unsigned)geteuid());
    }
    return ATLS_OK;
}

/* The directories above path that are not there. */
static void make_parents(const char *path)
{
    char *part = strdup(path);
    for (char *at = part; at != NULL && (at = strchr(at + 1, '/')) != NULL; *at = '/') {
        *at = '\0';
        (void)mkdir(part, 0700); /* what is missing after all is told when the last one is made */
    }
    free(part);
}

/* The store's own directory may be reached through a link (systemd's StateDirectory is one); what is in it may not. */
static atls_code open_room(int at, const char *name, bool follow, const char *path, int *out,
                           atls_err *err)
{
    if (mkdirat(at, name, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
        return failed(err, "store.directory", "cannot make", path, errno);
    }
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0) {
        return failed(err, "store.directory", "cannot open", path, errno);
    }
    atls_code rc = check_ours(fd, path, err);
    if (rc != ATLS_OK) {
        close(fd);
        return rc;
    }
    *out = fd;
    return ATLS_OK;
}

atls_code atls_store_directory_open(const char *path, atls_store_directory **out, atls_err *err)
{
    atls_store_directory *d = malloc(sizeof *d);
    if (d == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    make_parents(path);
    for (size_t i = 0; i < ATLS_STORE_ROOMS; i++) {
        d->rooms[i] = -1;
    }
    atls_code rc = open_room(AT_FDCWD, path, true, path, &d->rooms[ATLS_STORE_TOP], err);
    for (size_t i = ATLS_STORE_OBJECTS; rc == ATLS_OK && i < ATLS_STORE_ROOMS; i++) {
        rc = open_room(d->rooms[ATLS_STORE_TOP], room_names[i], false, path, &d->rooms[i], err);
    }
    if (rc != ATLS_OK) {
        atls_store_directory_free(d);
        return rc;
    }
    (void)fsync(d->rooms[ATLS_STORE_TOP]); /* the rooms; a write that counts is synced for itself */
    *out = d;
    return ATLS_OK;
}

void atls_store_directory_free(atls_store_directory *d)
{
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < ATLS_STORE_ROOMS; i++) {
        if (d->rooms[i] >= 0) {
            close(d->rooms[i]);
        }
    }
    free(d);
}

/* --- one writer --- */

atls_code atls_store_directory_lock(const atls_store_directory *d, bool wait, int *lock,
                                    atls_err *err)
{
    const int fd = openat(d->rooms[ATLS_STORE_TOP], "lock",
                          O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed(err, "store.lock", "cannot open the file", "lock", errno);
    }
    const struct timespec pause = {0, 1000000};
    int tries = wait ? LOCK_TRIES : 1;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || --tries == 0) {
            const int why = errno;
            close(fd);
            return why == EWOULDBLOCK
                       ? ATLS_ERR(err, ATLS_E_SYSTEM, "store.lock",
                                  "another process has the store locked, and does not end")
                       : failed(err, "store.lock", "cannot lock the file", "lock", why);
        }
        (void)nanosleep(&pause, NULL);
    }
    *lock = fd;
    return ATLS_OK;
}

void atls_store_directory_unlock(int lock)
{
    close(lock);
}

/* --- has anything changed? --- */

static uint64_t generation(const atls_store_directory *d)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    uint64_t value = 0;
    if (atls_store_directory_read(d, ATLS_STORE_TOP, GENERATION, GENERATION_MAX, &bytes, &len,
                                  NULL) != ATLS_OK) {
        return 0;
    }
    for (size_t i = 0; i < len && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
        value = value * 10u + (uint64_t)(bytes[i] - '0'); /* any other number does, too */
    }
    free(bytes);
    return value;
}

void atls_store_directory_state(const atls_store_directory *d, atls_store_state *out)
{
    struct stat s;
    *out = (atls_store_state){.generation = generation(d)};
    if (fstat(d->rooms[ATLS_STORE_INDEX], &s) == 0) {
        out->index_changed = s.st_mtim;
    }
    if (fstatat(d->rooms[ATLS_STORE_TOP], "floors", &s, AT_SYMLINK_NOFOLLOW) == 0) {
        out->floors_changed = s.st_mtim;
        out->floors_file = s.st_ino;
    }
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool atls_store_state_equal(const atls_store_state *a, const atls_store_state *b)
{
    return a->generation == b->generation && same_time(a->index_changed, b->index_changed) &&
           same_time(a->floors_changed, b->floors_changed) && a->floors_file == b->floors_file;
}

/* --- files --- */

static bool read_all(int fd, uint8_t *out, size_t len, int *why)
{
    size_t have = 0;
    while (have < len) {
        const ssize_t n = read(fd, out + have, len - have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            *why = n < 0 ? errno : EIO; /* shorter than it was a moment ago */
            return false;
        }
        have += (size_t)n;
    }
    return true;
}

static atls_code read_open(int fd, const char *name, size_t max, uint8_t **out, size_t *len,
                           atls_err *err)
{
    struct stat s;
    if (fstat(fd, &s) != 0) {
        return failed(err, "store.read", "cannot look at", name, errno);
    }
    if (!S_ISREG(s.st_mode) || s.st_uid != geteuid() || s.st_size < 0 ||
        (uintmax_t)s.st_size > max) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "store.read",
                        "%.120s is not a file of this user with at most %zu bytes", name, max);
    }
    const size_t size = (size_t)s.st_size;
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    int why = 0;
    if (!read_all(fd, bytes, size, &why)) {
        free(bytes);
        return failed(err, "store.read", "cannot read", name, why);
    }
    *out = bytes;
    *len = size;
    return ATLS_OK;
}

atls_code atls_store_directory_read(const atls_store_directory *d, atls_store_room room,
                                    const char *name, size_t max, uint8_t **out, size_t *len,
                                    atls_err *err)
{
    const int fd = openat(d->rooms[room], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *out = NULL;
        *len = 0;
        return ATLS_OK;
    }
    if (fd < 0) {
        return failed(err, "store.read", "cannot open", name, errno);
    }
    atls_code rc = read_open(fd, name, max, out, len, err);
    close(fd);
    return rc;
}

static bool write_all(int fd, atls_buf bytes, bool sync)
{
    size_t done = 0;
    while (done < bytes.len) {
        const ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return !sync || fsync(fd) == 0;
}

static atls_code write_file(const atls_store_directory *d, atls_store_room room, const char *name,
                            atls_buf bytes, bool sync, atls_err *err)
{
    char temporary[TEMPORARY_LEN]; /* one is enough: whoever writes has the lock */
    (void)snprintf(temporary, sizeof temporary, ATLS_STORE_UNFINISHED "%ld", (long)getpid());
    const int at = d->rooms[room];
    (void)unlinkat(at, temporary, 0);
    const int fd =
        openat(at, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed(err, "store.write", "cannot make a file for", name, errno);
    }
    bool ok = write_all(fd, bytes, sync);
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && renameat(at, temporary, at, name) != 0) {
        ok = false;
        why = errno;
    }
    if (!ok) {
        (void)unlinkat(at, temporary, 0);
        return failed(err, "store.write", "cannot write", name, why);
    }
    return ATLS_OK;
}

atls_code atls_store_directory_write(const atls_store_directory *d, atls_store_room room,
                                     const char *name, atls_buf bytes, atls_err *err)
{
    return write_file(d, room, name, bytes, true, err);
}

atls_code atls_store_directory_sync(const atls_store_directory *d, atls_store_room room,
                                    atls_err *err)
{
    return fsync(d->rooms[room]) == 0
               ? ATLS_OK
               : failed(err, "store.write", "cannot sync", room_names[room], errno);
}

atls_code atls_store_directory_count(const atls_store_directory *d, atls_err *err)
{
    char text[GENERATION_MAX];
    const int len = snprintf(text, sizeof text, "%" PRIu64 "\n", generation(d) + 1u);
    /* Not synced: after a loss of power no process is left that it could tell anything. */
    return write_file(d, ATLS_STORE_TOP, GENERATION, (atls_buf){(const uint8_t *)text, (size_t)len},
                      false, err);
}

void atls_store_directory_remove(const atls_store_directory *d, atls_store_room room,
                                 const char *name)
{
    (void)unlinkat(d->rooms[room], name, 0); /* what stays is swept another time */
}
