#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atls/bundle.h>

#include "say.h"

static bool write_all(int fd, atls_buf bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return true;
}

static atls_code failed(const char *path, atls_err *err)
{
    return fill_err(err, ATLS_E_SYSTEM, "output.write", "%s: %s", path, strerror(errno));
}

static atls_code replace_file(const char *path, atls_buf bytes, unsigned mode, atls_err *err)
{
    char part[4096];
    int len = snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof part) {
        errno = ENAMETOOLONG;
        return failed(path, err);
    }
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0) {
        return failed(path, err);
    }
    bool good = fchmod(fd, (mode_t)mode) == 0 && write_all(fd, bytes);
    good = close(fd) == 0 && good;
    if (!good || rename(part, path) != 0) {
        atls_code rc = failed(path, err);
        (void)unlink(part);
        return rc;
    }
    return ATLS_OK;
}

atls_code output_write(const char *path, atls_buf bytes, unsigned mode, atls_err *err)
{
    if (path == NULL || strcmp(path, "-") == 0) {
        return write_all(STDOUT_FILENO, bytes) ? ATLS_OK : failed("standard output", err);
    }
    struct stat st;
    if (lstat(path, &st) != 0 || S_ISREG(st.st_mode)) {
        return replace_file(path, bytes, mode, err);
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC); /* a device, a pipe, a link that somebody made */
    if (fd < 0) {
        return failed(path, err);
    }
    atls_code rc = write_all(fd, bytes) ? ATLS_OK : failed(path, err);
    (void)close(fd);
    return rc;
}

/* How many bytes the character has that begins there; 0: it is no UTF-8 (RFC 3629: no long forms, no surrogates). */
static size_t utf8_len(const unsigned char *p)
{
    static const struct {
        unsigned char first, last; /* of the first byte */
        unsigned char least, most; /* of the second */
        size_t len;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (*p < forms[i].first || *p > forms[i].last) {
            continue;
        }
        for (size_t at = 1; at < forms[i].len; at++) {
            if (p[at] < (at == 1 ? forms[i].least : 0x80) ||
                p[at] > (at == 1 ? forms[i].most : 0xbf)) {
                return 0; /* a NUL, too */
            }
        }
        return forms[i].len;
    }
    return 0;
}

void output_json_string(FILE *to, const char *text)
{
    (void)fputc('"', to);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        const size_t len = utf8_len(p);
        if (len == 0) {
            (void)fputs("\\ufffd", to);
        } else if (*p == '"' || *p == '\\') {
            (void)fprintf(to, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            (void)fprintf(to, "\\u%04x", *p);
        } else {
            (void)fwrite(p, 1, len, to);
        }
        p += len > 0 ? len : 1;
    }
    (void)fputc('"', to);
}

atls_code output_evidence(const char *path, const atls_evidence_blob *blob, bool bundle,
                          atls_err *err)
{
    if (!bundle && blob->parts_n == 1) {
        return output_write(path, (atls_buf){blob->parts[0].bytes, blob->parts[0].len}, 0644, err);
    }
    atls_evidence evidence = {.type = blob->type, .parts_n = blob->parts_n};
    for (size_t i = 0; i < blob->parts_n; i++) {
        evidence.parts[i].name = blob->parts[i].name;
        evidence.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    char *text = NULL;
    atls_code rc = atls_bundle_write(&evidence, &text, err);
    if (rc == ATLS_OK) {
        rc = output_write(path, (atls_buf){(const uint8_t *)text, strlen(text)}, 0644, err);
    }
    atls_free(text);
    return rc;
}
