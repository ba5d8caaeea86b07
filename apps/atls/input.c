#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <atls/store.h>

#include "say.h"

#define CHUNK ((size_t)64 * 1024)

typedef struct limit {
    size_t max, bundle_max; /* bytes; bundle_max 0: a bundle of collateral is nothing special */
    atls_code too_large;
    const char *check;
} limit;

/* For a file of that size, which begins so. */
static size_t max_of(const limit *l, atls_buf begin)
{
    return l->bundle_max > 0 && atls_store_bundle_looks(begin) ? l->bundle_max : l->max;
}

static atls_code too_large(const limit *l, const char *path, size_t max, atls_err *err)
{
    return fill_err(err, l->too_large, l->check, "%s has more than the %zu bytes that are read",
                    path, max);
}

static atls_code check_file(int fd, const char *path, const limit *l, size_t *size, atls_err *err)
{
    struct stat st;
    uint8_t begin[16];
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        return fill_err(err, ATLS_E_SYSTEM, "input.read", "%s: %s", path,
                        errno != 0 ? strerror(errno) : "is a directory");
    }
    *size = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
    const ssize_t n = *size > l->max ? pread(fd, begin, sizeof begin, 0) : 0;
    const size_t max = max_of(l, (atls_buf){begin, n > 0 ? (size_t)n : 0});
    return *size > max ? fill_err(err, l->too_large, l->check,
                                  "%s has %zu bytes, where at most %zu are read", path, *size, max)
                       : ATLS_OK;
}

static bool grow(input *in, size_t *cap, size_t size, size_t max)
{
    size_t bigger = *cap > 0 ? *cap * 2 : (size > CHUNK ? size + 2 : CHUNK);
    bigger = bigger > max + 2 ? max + 2 : bigger;
    uint8_t *grown = OPENSSL_clear_realloc(in->bytes, *cap, bigger);
    if (grown != NULL) {
        in->bytes = grown;
        *cap = bigger;
    }
    return grown != NULL;
}

/* After a failure too the caller frees cap bytes of in. */
static atls_code read_into(int fd, const char *path, const limit *l, input *in, size_t *cap,
                           atls_err *err)
{
    size_t size = 0;
    atls_code rc = check_file(fd, path, l, &size, err);
    ssize_t n = 1;
    while (rc == ATLS_OK && n != 0) {
        if (in->len + 1 >= *cap &&
            !grow(in, cap, size, max_of(l, (atls_buf){in->bytes, in->len}))) {
            return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
        }
        n = read(fd, in->bytes + in->len, *cap - 1 - in->len);
        if (n < 0 && errno != EINTR) {
            return fill_err(err, ATLS_E_SYSTEM, "input.read", "%s: %s", path, strerror(errno));
        }
        in->len += n > 0 ? (size_t)n : 0;
        const size_t max = max_of(l, (atls_buf){in->bytes, in->len});
        rc = in->len > max ? too_large(l, path, max, err) : ATLS_OK;
    }
    return rc;
}

static atls_code read_file(const char *path, const limit *l, input *out, atls_err *err)
{
    errno = 0;
    const bool is_stdin = strcmp(path, "-") == 0;
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: %s", path, strerror(errno));
    }
    input in = {0};
    size_t cap = 0;
    const atls_code rc = read_into(fd, is_stdin ? "standard input" : path, l, &in, &cap, err);
    if (!is_stdin) {
        (void)close(fd);
    }
    if (rc != ATLS_OK) {
        OPENSSL_clear_free(in.bytes, cap);
        return rc;
    }
    in.bytes[in.len] = '\0';
    *out = in;
    return ATLS_OK;
}

atls_code input_read(const char *path, size_t max, atls_code too_large_code, const char *size_check,
                     input *out, atls_err *err)
{
    const limit l = {.max = max, .too_large = too_large_code, .check = size_check};
    return read_file(path, &l, out, err);
}

atls_code input_read_collateral(const char *path, input *out, atls_err *err)
{
    const limit l = {INPUT_COLLATERAL_MAX, INPUT_BUNDLE_MAX, ATLS_E_INVALID, "collateral.size"};
    return read_file(path, &l, out, err);
}

void input_clear(input *in)
{
    OPENSSL_clear_free(in->bytes, in->len);
    *in = (input){0};
}

atls_buf input_buf(const input *in)
{
    return (atls_buf){in->bytes, in->len};
}

bool input_hex(const char *text, uint8_t *out, size_t cap, size_t *len)
{
    size_t digits = strlen(text);
    if (digits == 0 || digits % 2 != 0 || digits / 2 > cap ||
        strspn(text, "0123456789abcdefABCDEF") != digits) {
        return false;
    }
    return OPENSSL_hexstr2buf_ex(out, cap, len, text, '\0') == 1;
}

/* Exactly n digits; moves *p behind them. */
static bool digits(const char **p, size_t n, int *out)
{
    int v = 0;
    for (size_t i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return true;
}

static bool literal(const char **p, const char *any_of)
{
    if (**p == '\0' || strchr(any_of, **p) == NULL) {
        return false;
    }
    (*p)++;
    return true;
}

static bool zone(const char **p, int64_t *offset_s)
{
    *offset_s = 0;
    if (literal(p, "Zz")) {
        return true;
    }
    int sign = **p == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if (!literal(p, "+-") || !digits(p, 2, &hours) || !literal(p, ":") || !digits(p, 2, &minutes) ||
        hours > 23 || minutes > 59) {
        return false;
    }
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool input_time(const char *text, int64_t *out)
{
    const char *p = text;
    struct tm t = {0};
    if (!digits(&p, 4, &t.tm_year) || !literal(&p, "-") || !digits(&p, 2, &t.tm_mon) ||
        !literal(&p, "-") || !digits(&p, 2, &t.tm_mday) || !literal(&p, "Tt ") ||
        !digits(&p, 2, &t.tm_hour) || !literal(&p, ":") || !digits(&p, 2, &t.tm_min) ||
        !literal(&p, ":") || !digits(&p, 2, &t.tm_sec)) {
        return false;
    }
    if (literal(&p, ".")) {
        size_t fraction = strspn(p, "0123456789");
        if (fraction == 0) {
            return false;
        }
        p += fraction;
    }
    int64_t offset_s = 0;
    if (!zone(&p, &offset_s) || *p != '\0' || t.tm_year < 1970 || t.tm_hour > 23 || t.tm_min > 59 ||
        t.tm_sec > 59) {
        return false;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    const struct tm wanted = t;
    time_t seconds = timegm(&t);
    if (t.tm_mon != wanted.tm_mon || t.tm_mday != wanted.tm_mday) {
        return false; /* no such date: timegm() has moved it */
    }
    *out = (int64_t)seconds - offset_s;
    return true;
}

bool input_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    size_t n = strlen(text);
    if (n == 0 || n > 19 || strspn(text, "0123456789") != n) {
        return false;
    }
    uint64_t v = strtoull(text, NULL, 10);
    if (v < min || v > max) {
        return false;
    }
    *out = v;
    return true;
}
