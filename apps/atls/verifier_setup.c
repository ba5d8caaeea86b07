#include "verifier_setup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "input.h"
#include "say.h"
#include "sim_dir.h"

#define ROOT_MAX          ((size_t)256 * 1024)
#define ENDORSEMENT_MAX   ((size_t)4 * 1024 * 1024)
#define STORE_FILES_MAX   1024
#define COLLATERAL_SUFFIX ".json"

enum { POLICY = 0x200, COLLATERAL, ENDORSEMENT, ROOT, SIM_ROOT, DUMMY };

const flag verifier_flags[] = {
    {POLICY, "policy", "FILE", "what to accept; without it the built-in rule applies"},
    {COLLATERAL, "collateral", "FILE|DIR",
     "collateral (JSON), or a directory: its *.json, but no state.json; repeatable"},
    {ENDORSEMENT, "endorsement", "FILE",
     "certificates or raw keys beside the evidence; repeatable"},
    {ROOT, "root", "FAMILY:FILE",
     "replaces the vendor root of intel, amd, aws, google, tpm or cca"},
    {SIM_ROOT, "insecure-sim-root", "FILE",
     "trusts a simulator's root too; verdicts say `simulated`"},
    {DUMMY, "insecure-dummy-evidence", NULL,
     "takes a test peer's unsigned evidence, which proves nothing; verdicts say `simulated`"},
    {0, NULL, NULL, NULL},
};

static void append(const char **list, size_t *n, const char *arg, bool *too_many)
{
    if (*n == SETUP_FILES_MAX) {
        *too_many = true;
        return;
    }
    list[(*n)++] = arg;
}

bool verifier_setup_take(verifier_setup *s, int id, const char *arg)
{
    switch (id) {
    case POLICY:
        s->policy = arg;
        return true;
    case COLLATERAL:
        append(s->collateral, &s->collateral_n, arg, &s->too_many);
        return true;
    case ENDORSEMENT:
        append(s->endorsements, &s->endorsements_n, arg, &s->too_many);
        return true;
    case ROOT:
        append(s->roots, &s->roots_n, arg, &s->too_many);
        return true;
    case SIM_ROOT:
        append(s->sim_roots, &s->sim_roots_n, arg, &s->too_many);
        return true;
    case DUMMY:
        s->takes_dummy = true;
        return true;
    default:
        return false;
    }
}

/* Puts the file's name before the sentence. */
static atls_code about_file(const char *path, atls_err *err)
{
    if (err != NULL && strstr(err->msg, path) == NULL) {
        atls_err inner = *err;
        (void)fill_err(err, inner.code, inner.check, "%s: %s", path, inner.msg);
    }
    return err != NULL ? err->code : ATLS_E_SYSTEM;
}

static atls_code add_policy(atls_verifier *v, const char *path, atls_err *err)
{
    input in = {0};
    atls_policy *policy = NULL;
    atls_code rc = input_read(path, INPUT_JSON_MAX, ATLS_E_USAGE, "policy.size", &in, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = atls_policy_parse(input_buf(&in), &policy, err);
    if (rc == ATLS_OK) {
        rc = atls_verifier_set1_policy(v, policy, err);
    }
    if (rc != ATLS_OK) {
        rc = about_file(path, err);
    }
    atls_policy_free(policy);
    input_clear(&in);
    return rc;
}

static atls_code add_collateral_file(atls_verifier *v, const char *path, atls_err *err)
{
    input in = {0};
    atls_collateral *collateral = NULL;
    atls_code rc =
        input_read(path, INPUT_COLLATERAL_MAX, ATLS_E_INVALID, "collateral.size", &in, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = atls_collateral_parse(input_buf(&in), &collateral, err);
    if (rc == ATLS_OK) {
        rc = atls_verifier_add1_collateral(v, collateral, err);
    }
    if (rc != ATLS_OK) {
        rc = about_file(path, err);
    }
    atls_collateral_free(collateral);
    input_clear(&in);
    return rc;
}

/* Half-written files of a store have another name until they are renamed: a dot before, no suffix. The simulator keeps
 * its private keys beside its collateral. */
static int is_store_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    size_t suffix = strlen(COLLATERAL_SUFFIX);
    return entry->d_name[0] != '.' &&
           strncmp(entry->d_name, SIM_STATE_PREFIX, strlen(SIM_STATE_PREFIX)) != 0 && n > suffix &&
           strcmp(entry->d_name + n - suffix, COLLATERAL_SUFFIX) == 0;
}

static atls_code add_collateral_dir(atls_verifier *v, const char *dir, atls_err *err)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_store_file, alphasort);
    if (n < 0) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: %s", dir, strerror(errno));
    }
    atls_code rc = ATLS_OK;
    if (n > STORE_FILES_MAX) {
        rc = fill_err(err, ATLS_E_USAGE, "usage.collateral",
                      "%s has %d files, where at most %d are read", dir, n, STORE_FILES_MAX);
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (rc == ATLS_OK && (len < 0 || (size_t)len >= sizeof path)) {
            rc = fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: the path is too long", dir);
        }
        if (rc == ATLS_OK) {
            rc = add_collateral_file(v, path, err);
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static atls_code add_collateral(atls_verifier *v, const char *path, atls_err *err)
{
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) != 0) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: %s", path, strerror(errno));
    }
    if (strcmp(path, "-") != 0 && S_ISDIR(st.st_mode)) {
        return add_collateral_dir(v, path, err);
    }
    return add_collateral_file(v, path, err);
}

static atls_code add_root(atls_verifier *v, const char *family_and_file, atls_err *err)
{
    static const char *const names[] = {
        [ATLS_FAMILY_INTEL] = "intel",   [ATLS_FAMILY_AMD] = "amd", [ATLS_FAMILY_AWS] = "aws",
        [ATLS_FAMILY_GOOGLE] = "google", [ATLS_FAMILY_TPM] = "tpm", [ATLS_FAMILY_CCA] = "cca",
    };
    const char *colon = strchr(family_and_file, ':');
    size_t len = colon != NULL ? (size_t)(colon - family_and_file) : 0;
    for (size_t i = 0; colon != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) != len || strncmp(names[i], family_and_file, len) != 0) {
            continue;
        }
        input in = {0};
        atls_code rc = input_read(colon + 1, ROOT_MAX, ATLS_E_USAGE, "root.size", &in, err);
        if (rc == ATLS_OK) {
            rc = atls_verifier_set1_root(v, (atls_family)i, input_buf(&in), err);
            rc = rc == ATLS_OK ? rc : about_file(colon + 1, err);
        }
        input_clear(&in);
        return rc;
    }
    return fill_err(err, ATLS_E_USAGE, "usage.root",
                    "--root %s: wanted is FAMILY:FILE, FAMILY one of intel amd aws google tpm cca",
                    family_and_file);
}

static atls_code add_sim_root(atls_verifier *v, const char *path, atls_err *err)
{
    input in = {0};
    atls_code rc = input_read(path, ROOT_MAX, ATLS_E_USAGE, "root.size", &in, err);
    if (rc == ATLS_OK) {
        rc = atls_verifier_insecure_trust_simulator(v, input_buf(&in), err);
        rc = rc == ATLS_OK ? rc : about_file(path, err);
    }
    input_clear(&in);
    return rc;
}

static atls_code add_endorsement(atls_verifier *v, const char *path, atls_err *err)
{
    input in = {0};
    atls_code rc = input_read(path, ENDORSEMENT_MAX, ATLS_E_INVALID, "endorsement.size", &in, err);
    if (rc == ATLS_OK) {
        rc = atls_verifier_add1_endorsement(v, input_buf(&in), err);
        rc = rc == ATLS_OK ? rc : about_file(path, err);
    }
    input_clear(&in);
    return rc;
}

static size_t count_stdin(const char *const *paths, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const char *file = strchr(paths[i], ':'); /* of FAMILY:FILE */
        count += strcmp(paths[i], "-") == 0 || (file != NULL && strcmp(file, ":-") == 0) ? 1 : 0;
    }
    return count;
}

/* What is read a second time is empty: an error that would blame the wrong thing. */
static bool reads_stdin_twice(const verifier_setup *s)
{
    size_t n = s->policy != NULL ? count_stdin(&s->policy, 1) : 0;
    n += s->evidence != NULL ? count_stdin(&s->evidence, 1) : 0;
    return n + count_stdin(s->collateral, s->collateral_n) +
               count_stdin(s->endorsements, s->endorsements_n) + count_stdin(s->roots, s->roots_n) +
               count_stdin(s->sim_roots, s->sim_roots_n) >
           1;
}

atls_code verifier_setup_make(const verifier_setup *s, atls_verifier **out, atls_err *err)
{
    if (reads_stdin_twice(s)) {
        return fill_err(err, ATLS_E_USAGE, "usage.stdin",
                        "standard input ('-') is named for more than one input");
    }
    if (s->too_many) {
        return fill_err(err, ATLS_E_USAGE, "usage.option",
                        "one of the repeatable options stands more than %d times", SETUP_FILES_MAX);
    }
    atls_verifier *v = atls_verifier_new();
    if (v == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    if (s->takes_dummy) {
        atls_verifier_insecure_accept_dummy(v);
    }
    atls_code rc = s->policy != NULL ? add_policy(v, s->policy, err) : ATLS_OK;
    for (size_t i = 0; rc == ATLS_OK && i < s->roots_n; i++) {
        rc = add_root(v, s->roots[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < s->sim_roots_n; i++) {
        rc = add_sim_root(v, s->sim_roots[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < s->endorsements_n; i++) {
        rc = add_endorsement(v, s->endorsements[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < s->collateral_n; i++) {
        rc = add_collateral(v, s->collateral[i], err);
    }
    if (rc != ATLS_OK) {
        atls_verifier_free(v);
        return rc;
    }
    *out = v;
    return ATLS_OK;
}
