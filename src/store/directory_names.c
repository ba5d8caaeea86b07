#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define FIRST_CAP 64

/* A stream of its own: closing it leaves the room's descriptor open. */
static DIR *open_stream(const atls_store_directory *d, atls_store_room room)
{
    const int fd = openat(d->rooms[room], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL && fd >= 0) {
        close(fd);
    }
    return stream;
}

static bool is_unfinished(const char *name)
{
    return strncmp(name, ATLS_STORE_UNFINISHED, strlen(ATLS_STORE_UNFINISHED)) == 0;
}

static bool add(atls_store_names *names, size_t *cap, const char *name)
{
    if (names->n == *cap) {
        const size_t more = *cap == 0 ? FIRST_CAP : *cap * 2;
        char **grown = realloc(names->names, more * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        names->names = grown;
        *cap = more;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return false;
    }
    names->names[names->n++] = copy;
    return true;
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

static atls_code collect(DIR *stream, atls_store_names *out, atls_err *err)
{
    size_t cap = 0;
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL && out->n < ATLS_STORE_FILES_MAX) {
        if (is_unfinished(entry->d_name)) {
            out->has_unfinished = true;
        } else if (entry->d_name[0] != '.' && !add(out, &cap, entry->d_name)) {
            return ATLS_ERR_NOMEM(err);
        }
    }
    if (out->n > 1) {
        qsort(out->names, out->n, sizeof *out->names, by_name);
    }
    return ATLS_OK;
}

atls_code atls_store_directory_names(const atls_store_directory *d, atls_store_room room,
                                     atls_store_names *out, atls_err *err)
{
    *out = (atls_store_names){0};
    DIR *stream = open_stream(d, room);
    if (stream == NULL) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "store.read", "cannot list the store's files: error %d",
                        errno);
    }
    atls_code rc = collect(stream, out, err);
    closedir(stream);
    if (rc != ATLS_OK) {
        atls_store_names_free(out);
    }
    return rc;
}

void atls_store_names_free(atls_store_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (atls_store_names){0};
}

bool atls_store_names_have(const atls_store_names *names, const char *name)
{
    return names->n > 0 &&
           bsearch(&name, names->names, names->n, sizeof *names->names, by_name) != NULL;
}

void atls_store_directory_sweep(const atls_store_directory *d, atls_store_room room)
{
    DIR *stream = open_stream(d, room);
    struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (is_unfinished(entry->d_name)) {
            (void)unlinkat(d->rooms[room], entry->d_name, 0);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
}
