/* vector_files.h: the vectors of one folder and their manifest. */
#ifndef ATLS_TESTS_VECTOR_FILES_H
#define ATLS_TESTS_VECTOR_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <atls/types.h>

#define VECTOR_FILE_MAX (8u << 20)

/* malloc'ed, NUL behind; NULL: not there. */
static inline uint8_t *vector_read(const char *folder, const char *name, size_t *len)
{
    const char *base = getenv("ATLS_VECTORS");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s/%s", base != NULL ? base : ".", folder, name);
    FILE *f = fopen(path, "rb");
    uint8_t *space = f != NULL ? malloc(VECTOR_FILE_MAX + 1) : NULL;
    if (space != NULL) {
        *len = fread(space, 1, VECTOR_FILE_MAX, f);
        space[*len] = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return space;
}

static inline json_t *vector_manifest(const char *folder)
{
    size_t len = 0;
    uint8_t *text = vector_read(folder, "MANIFEST.json", &len);
    json_t *list = text != NULL ? json_loadb((const char *)text, len, 0, NULL) : NULL;
    free(text);
    return list;
}

static inline const char *vector_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

#endif
