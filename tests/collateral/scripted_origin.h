/* scripted_origin.h: origin.py in a process of its own, told what to do by a file, and the worlds whose answers it gives. */
#ifndef ATLS_TESTS_SCRIPTED_ORIGIN_H
#define ATLS_TESTS_SCRIPTED_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct scripted_origin {
    pid_t pid;
    int in;
    char url[128], ca[192];
    char control[192];
} scripted_origin;

/* A directory that goes away with scripted_sweep. */
void scripted_make_dir(char dir[64]);
void scripted_sweep(const char *dir);
/* DIR/NAME: `atls sim pki OPTIONS` there, and evidence of SNP (Milan) where they name that family. */
void scripted_make_world(const char *dir, const char *name, const char *options);
/* worlds: names under dir, NULL after the last; the first one is given until another is chosen. Over TLS. */
void scripted_start(scripted_origin *o, const char *dir, const char *const worlds[]);
/* {"world":WORLD,"faults":[FAULT]}; fault: a JSON object, or "" */
void scripted_tell(const scripted_origin *o, const char *world, const char *fault);
void scripted_stop(scripted_origin *o);
/* A whole file with a NUL; the caller frees it. */
char *scripted_read(const char *dir, const char *name, const char *file);

#endif
