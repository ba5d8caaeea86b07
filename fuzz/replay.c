/* Runs a fuzz target without libFuzzer: over the files named, and those in the directories named. Each
 * file is given as it is, cut at many places, and with a few bytes changed (always the same ones). That
 * finds little that is new, but it keeps every target building and every seed meaning what it did. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  (1024 * 1024)
#define CUTS      64
#define MUTATIONS 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state / 65536u;
}

/* An exact copy each time, so that a sanitizer sees the first byte read beyond it. */
static void give(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void give_variants(uint8_t *bytes, size_t len)
{
    uint32_t random = 1;
    give(bytes, len);
    for (size_t i = 0; i < CUTS; i++) {
        give(bytes, len * i / CUTS);
    }
    for (size_t i = 0; i < MUTATIONS && len > 0; i++) {
        size_t at = (next_random(&random) * 65536u + next_random(&random)) % len;
        uint8_t before = bytes[at];
        bytes[at] = (uint8_t)(next_random(&random) % 256u);
        give(bytes, len);
        bytes[at] = before;
    }
}

static size_t replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_MAX);
    if (f == NULL || bytes == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    size_t len = fread(bytes, 1, FILE_MAX, f);
    (void)fclose(f);
    give_variants(bytes, len);
    free(bytes);
    return 1;
}

static size_t replay_directory(const char *path, DIR *dir)
{
    size_t files = 0;
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        char name[4096];
        int len = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && len > 0 && (size_t)len < sizeof name) {
            files += replay_file(name);
        }
    }
    return files;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        files += dir == NULL ? replay_file(argv[i]) : replay_directory(argv[i], dir);
        if (dir != NULL) {
            (void)closedir(dir);
        }
    }
    printf("%zu seeds\n", files);
    return files > 0 ? 0 : 1;
}
