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

typedef struct making {
    verifier_kit kit; /* the store in memory, unless a directory was named */
    const verifier_setup *setup;
    bool uses_store;
    int64_t when_s;
} making;

const flag verifier_flags[] = {
    {POLICY, "policy", "FILE", "what to accept; without it the built-in rule applies"},
    {COLLATERAL, "collateral", "FILE|DIR",
     "a store of collateral (directory), an air-gap bundle, or collateral in JSON; of a directory that is no store its "
     "*.json, but no state.json; repeatable"},
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

bool verifier_setup_take(verifier_setup *s, int id, char *arg)
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
        return collateral_setup_take(&s->source, id, arg);
    }
}

bool verifier_setup_is_asked(const verifier_setup *s)
{
    return s->policy != NULL || s->collateral_n > 0 || s->endorsements_n > 0 || s->roots_n > 0 ||
           s->sim_roots_n > 0 || s->takes_dummy || s->source.fetch;
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

static bool is_absent(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 && errno == ENOENT;
}

/* The first --collateral that is a store, or could become one as something will be fetched; NULL: there is none. */
static const char *store_dir(const verifier_setup *s)
{
    for (size_t i = 0; i < s->collateral_n; i++) {
        const char *path = s->collateral[i];
        if (strcmp(path, "-") != 0 &&
            (collateral_is_store(path) || (s->source.fetch && is_absent(path)))) {
            return path;
        }
    }
    return s->source.dir;
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

/* For this run only: a directory takes bundles by `atls collateral import`. */
static atls_code import_bundle(making *m, atls_buf bundle, const char *path, atls_err *err)
{
    size_t taken = 0;
    if (store_dir(m->setup) != NULL) {
        return fill_err(
            err, ATLS_E_USAGE, "usage.collateral",
            "a bundle beside a store: `atls collateral import` takes it into the store");
    }
    m->uses_store = true;
    return atls_store_import(m->kit.store, bundle, NULL, path, m->when_s, &taken, err);
}

static atls_code add_collateral_file(making *m, const char *path, atls_err *err)
{
    input in = {0};
    atls_collateral *collateral = NULL;
    atls_code rc = input_read_collateral(path, &in, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    if (atls_store_bundle_looks(input_buf(&in))) {
        rc = import_bundle(m, input_buf(&in), path, err);
    } else {
        rc = atls_collateral_parse(input_buf(&in), &collateral, err);
        if (rc == ATLS_OK) {
            rc = atls_verifier_add1_collateral(m->kit.verifier, collateral, err);
        }
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

static atls_code add_collateral_dir(making *m, const char *dir, atls_err *err)
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
            rc = add_collateral_file(m, path, err);
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static atls_code add_collateral(making *m, const char *path, atls_err *err)
{
    struct stat st;
    const char *dir = store_dir(m->setup);
    if (dir != NULL && strcmp(dir, path) == 0) {
        return ATLS_OK; /* open already */
    }
    if (strcmp(path, "-") != 0 && stat(path, &st) != 0) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: %s", path, strerror(errno));
    }
    if (strcmp(path, "-") != 0 && S_ISDIR(st.st_mode)) {
        return collateral_is_store(path) ? fill_err(err, ATLS_E_USAGE, "usage.collateral",
                                                    "%s and %s: one store can be named", dir, path)
                                         : add_collateral_dir(m, path, err);
    }
    return add_collateral_file(m, path, err);
}

static atls_code add_root(const making *m, const char *family_and_file, atls_err *err)
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
            rc = atls_verifier_set1_root(m->kit.verifier, (atls_family)i, input_buf(&in), err);
            rc = rc == ATLS_OK
                     ? atls_store_set1_root(m->kit.store, (atls_family)i, input_buf(&in), err)
                     : rc;
            rc = rc == ATLS_OK ? rc : about_file(colon + 1, err);
        }
        input_clear(&in);
        return rc;
    }
    return fill_err(err, ATLS_E_USAGE, "usage.root",
                    "--root %s: wanted is FAMILY:FILE, FAMILY one of intel amd aws google tpm cca",
                    family_and_file);
}

static atls_code add_sim_root(const making *m, const char *path, atls_err *err)
{
    input in = {0};
    atls_code rc = input_read(path, ROOT_MAX, ATLS_E_USAGE, "root.size", &in, err);
    if (rc == ATLS_OK) {
        rc = atls_verifier_insecure_trust_simulator(m->kit.verifier, input_buf(&in), err);
        rc = rc == ATLS_OK ? atls_store_insecure_trust_simulator(m->kit.store, input_buf(&in), err)
                           : rc;
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

static atls_code check_usage(const verifier_setup *s, bool live, atls_err *err)
{
    if (reads_stdin_twice(s)) {
        return fill_err(err, ATLS_E_USAGE, "usage.stdin",
                        "standard input ('-') is named for more than one input");
    }
    if (s->too_many) {
        return fill_err(err, ATLS_E_USAGE, "usage.option",
                        "one of the repeatable options stands more than %d times", SETUP_FILES_MAX);
    }
    if (s->source.fetch && (s->offline || !live)) {
        return fill_err(err, ATLS_E_USAGE, "usage.fetch",
                        "--fetch with %s: what is fetched is of today",
                        s->offline ? "--offline" : "--at");
    }
    return ATLS_OK;
}

/* Of the directory that was named; for fetching, else the user's own; or one in memory. */
static atls_code open_store(making *m, atls_err *err)
{
    static const size_t cap = 4096;
    char own[4096];
    const char *dir = store_dir(m->setup);
    if (dir == NULL && m->setup->source.fetch && collateral_default_dir(own, cap)) {
        dir = own;
    }
    m->uses_store = dir != NULL || m->setup->source.fetch;
    return atls_store_open(dir, &m->kit.store, err);
}

static atls_code make_store(making *m, atls_err *err)
{
    const verifier_setup *s = m->setup;
    atls_code rc = open_store(m, err);
    for (size_t i = 0; rc == ATLS_OK && i < s->roots_n; i++) {
        rc = add_root(m, s->roots[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < s->sim_roots_n; i++) {
        rc = add_sim_root(m, s->sim_roots[i], err);
    }
    return rc == ATLS_OK && m->uses_store ? atls_store_load(m->kit.store, m->when_s, err) : rc;
}

static atls_code attach(making *m, bool live, atls_err *err)
{
    if (!m->uses_store) {
        atls_store_free(m->kit.store);
        m->kit.store = NULL;
        return ATLS_OK;
    }
    const char *note;
    for (size_t i = 0; (note = atls_store_note(m->kit.store, i)) != NULL; i++) {
        fprintf(stderr, "atls: %s\n", note);
    }
    atls_code rc = atls_verifier_set0_store(m->kit.verifier, m->kit.store, live, err);
    return rc == ATLS_OK && m->setup->source.fetch
               ? collateral_fetcher_open(&m->setup->source, m->kit.store, NULL, &m->kit.fetcher,
                                         err)
               : rc;
}

atls_code verifier_setup_make(const verifier_setup *s, bool live, int64_t when_s, verifier_kit *out,
                              atls_err *err)
{
    atls_code rc = check_usage(s, live, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    making m = {.setup = s, .when_s = when_s};
    m.kit.verifier = atls_verifier_new();
    if (m.kit.verifier == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    if (s->takes_dummy) {
        atls_verifier_insecure_accept_dummy(m.kit.verifier);
    }
    rc = s->policy != NULL ? add_policy(m.kit.verifier, s->policy, err) : ATLS_OK;
    rc = rc == ATLS_OK ? make_store(&m, err) : rc;
    for (size_t i = 0; rc == ATLS_OK && i < s->endorsements_n; i++) {
        rc = add_endorsement(m.kit.verifier, s->endorsements[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < s->collateral_n; i++) {
        rc = add_collateral(&m, s->collateral[i], err);
    }
    rc = rc == ATLS_OK ? attach(&m, live, err) : rc;
    if (rc != ATLS_OK) {
        verifier_kit_clear(&m.kit);
        return rc;
    }
    *out = m.kit;
    return ATLS_OK;
}

void verifier_kit_clear(verifier_kit *kit)
{
    atls_fetcher_free(kit->fetcher);
    atls_verifier_free(kit->verifier);
    atls_store_free(kit->store);
    *kit = (verifier_kit){0};
}

atls_code verifier_kit_get(void *arg, const atls_needs *needs, uint32_t timeout_ms, atls_err *err)
{
    atls_err mine = {0};
    atls_code rc = atls_fetcher_get(arg, needs, timeout_ms, &mine);
    if (rc != ATLS_OK) {
        (void)say_err(&mine, NULL);
        if (err != NULL) {
            *err = mine;
        }
    }
    return rc;
}

bool verifier_kit_complete(const verifier_kit *kit, const atls_evidence *evidence, int64_t when_s)
{
    bool gained = false;
    if (kit->store != NULL) {
        (void)!atls_store_complete(kit->store, evidence, when_s,
                                   kit->fetcher != NULL ? verifier_kit_get : NULL, kit->fetcher, 0,
                                   &gained, NULL);
    }
    return gained;
}
