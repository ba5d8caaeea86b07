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

void output_json_string(FILE *to, const char *text)
{
    (void)fputc('"', to);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            (void)fprintf(to, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            (void)fprintf(to, "\\u%04x", *p);
        } else {
            (void)fputc(*p, to);
        }
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
