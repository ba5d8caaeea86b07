#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
