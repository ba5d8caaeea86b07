#include "collateral/scripted_origin.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
    char command[2048];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    need(system(command) == 0, command);
}

static const char *root_of(const char *name)
{
    const char *dir = getenv(name);
    need(dir != NULL, name);
    return dir;
}

void scripted_make_dir(char dir[64])
{
    (void)snprintf(dir, 64, "/tmp/atls-collateral-XXXXXX");
    need(mkdtemp(dir) != NULL, "mkdtemp");
}

void scripted_sweep(const char *dir)
{
    need(strncmp(dir, "/tmp/atls-collateral-", 21) == 0, "a directory of ours");
    run("rm -r '%s'", dir);
}

void scripted_make_world(const char *dir, const char *name, const char *options)
{
    const char *build = root_of("ATLS_BUILD_ROOT");
    run("'%s/atls' sim pki %s '%s/%s' >/dev/null", build, options, dir, name);
    if (strstr(options, "snp") != NULL) {
        run("'%s/atls' sim evidence --pki '%s/%s' --tee snp -o '%s/%s/snp.json' >/dev/null", build,
            dir, name, dir, name);
    }
}

static void exec_origin(const char *dir, const char *const worlds[], const char *control)
{
    static char script[1024];
    static char world[8][160];
    static char work[224];
    char *argv[32] = {"python3", script, "--tls", "--work", work, "--control"};
    size_t n = 6;
    (void)snprintf(script, sizeof script, "%s/tests/collateral/origin.py",
                   root_of("ATLS_SOURCE_ROOT"));
    (void)snprintf(work, sizeof work, "%s-tls", control);
    need(mkdir(work, 0700) == 0 && dir != NULL, work);
    argv[n++] = strdup(control);
    for (size_t i = 0; worlds[i] != NULL && i < 8; i++) {
        (void)snprintf(world[i], sizeof world[i], "%s=%s/%s", worlds[i], dir, worlds[i]);
        argv[n++] = "--world";
        argv[n++] = world[i];
    }
    argv[n] = NULL;
    (void)execvp(argv[0], argv);
    _exit(127);
}

void scripted_start(scripted_origin *o, const char *dir, const char *const worlds[])
{
    static unsigned number;
    int to[2];
    int from[2];
    memset(o, 0, sizeof *o);
    (void)snprintf(o->control, sizeof o->control, "%s/control-%u.json", dir, number++);
    scripted_tell(o, worlds[0], "");
    need(pipe(to) == 0 && pipe(from) == 0, "pipe");
    /* An origin that is started later must not hold this one's input open. */
    need(fcntl(to[1], F_SETFD, FD_CLOEXEC) == 0 && (o->pid = fork()) >= 0, "fork");
    if (o->pid == 0) {
        (void)dup2(to[0], 0);
        (void)dup2(from[1], 1);
        (void)close(to[1]);
        (void)close(from[0]);
        exec_origin(dir, worlds, o->control);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    o->in = to[1];
    char first[512] = "";
    FILE *said = fdopen(from[0], "r");
    need(said != NULL && fgets(first, sizeof first, said) != NULL, "the origin's first line");
    json_t *line = json_loads(first, 0, NULL);
    need(line != NULL, "the origin's first line");
    (void)snprintf(o->url, sizeof o->url, "%s", json_string_value(json_object_get(line, "url")));
    (void)snprintf(o->ca, sizeof o->ca, "%s", json_string_value(json_object_get(line, "ca")));
    json_decref(line);
    (void)fclose(said);
}

void scripted_tell(const scripted_origin *o, const char *world, const char *fault)
{
    char next[208];
    (void)snprintf(next, sizeof next, "%s.next", o->control);
    FILE *file = fopen(next, "w");
    need(file != NULL, next);
    (void)fprintf(file, "{\"world\":\"%s\",\"faults\":[%s]}", world, fault);
    (void)fclose(file);
    need(rename(next, o->control) == 0, next);
}

void scripted_stop(scripted_origin *o)
{
    int status = 0;
    (void)close(o->in); /* its end is the origin's */
    (void)waitpid(o->pid, &status, 0);
}

char *scripted_read(const char *dir, const char *name, const char *file)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);
    FILE *in = fopen(path, "r");
    struct stat st;
    need(in != NULL && fstat(fileno(in), &st) == 0, path);
    char *text = calloc(1, (size_t)st.st_size + 1);
    need(text != NULL && fread(text, 1, (size_t)st.st_size, in) == (size_t)st.st_size, path);
    (void)fclose(in);
    return text;
}
