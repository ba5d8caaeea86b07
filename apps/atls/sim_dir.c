#include "sim_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "input.h"
#include "output.h"
#include "say.h"

enum { TEE = 0x300, WORKLOAD, TCB, FAULT, DEBUG };

const flag sim_quote_flags[] = {
    {TEE, "tee", "NAME[:VARIANT]",
     "what is simulated: tdx (quote v4), tdx5 (v5), sgx (v3), snp, snp:genoa, ...; (tdx)"},
    {WORKLOAD, "workload", "NAME",
     "what runs there: its measurements are made from this name (demo)"},
    {TCB, "tcb", "STATUS", "status of the platform's TCB level, e.g. OutOfDate (UpToDate)"},
    {FAULT, "fault", "NAME", "one thing made wrong, properly signed; see docs/simulator.md"},
    {DEBUG, "debug", NULL, "a debuggable TEE"},
    {0, NULL, NULL, NULL},
};

bool sim_quote_take(atls_sim_quote *quote, int id, char *arg)
{
    switch (id) {
    case TEE:
        quote->type = arg;
        return true;
    case WORKLOAD:
        quote->workload = arg;
        return true;
    case TCB:
        quote->tcb = arg;
        return true;
    case FAULT:
        quote->fault = arg;
        return true;
    case DEBUG:
        quote->debug = true;
        return true;
    default:
        return false;
    }
}

static atls_code write_text(const char *dir, const char *name, const char *text, unsigned mode,
                            atls_err *err)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        return fill_err(err, ATLS_E_SYSTEM, "output.write", "%s: the path is too long", dir);
    }
    return output_write(path, (atls_buf){(const uint8_t *)text, strlen(text)}, mode, err);
}

static void forget(char *text)
{
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
    }
    atls_free(text);
}

static atls_code write_intel(const atls_sim *sim, const char *dir, atls_err *err)
{
    char *tdx = NULL;
    char *sgx = NULL;
    char *state = NULL;
    atls_code rc = atls_sim_collateral(sim, "tdx", &tdx, err);
    rc = rc != ATLS_OK ? rc : atls_sim_collateral(sim, "sgx", &sgx, err);
    rc = rc != ATLS_OK ? rc : atls_sim_save(sim, &state, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, SIM_STATE_FILE, state, 0600, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, "collateral-tdx.json", tdx, 0644, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, "collateral-sgx.json", sgx, 0644, err);
    atls_free(tdx);
    atls_free(sgx);
    forget(state);
    return rc;
}

/* --- the other families --- */

static atls_code file_name(char *out, size_t cap, const char *what, const char *family,
                           const char *suffix, atls_err *err)
{
    int len = snprintf(out, cap, "%s-%s%s", what, family, suffix);
    return len > 0 && (size_t)len < cap
               ? ATLS_OK
               : fill_err(err, ATLS_E_USAGE, "sim.world", "there is no family \"%.40s\"", family);
}

/* Adds the family's root to *roots, a malloc'ed text. */
static atls_code join(char **roots, const char *pem, atls_err *err)
{
    size_t before = *roots != NULL ? strlen(*roots) : 0;
    char *longer = pem != NULL ? realloc(*roots, before + strlen(pem) + 1) : *roots;
    if (pem == NULL) {
        return ATLS_OK;
    }
    if (longer == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    memcpy(longer + before, pem, strlen(pem) + 1);
    *roots = longer;
    return ATLS_OK;
}

static atls_code write_world(const char *family, int64_t at_s, const char *dir, char **roots,
                             atls_err *err)
{
    atls_sim_world *world = NULL;
    char *root = NULL;
    char *endorsement = NULL;
    char *state = NULL;
    char name[64];
    char vouched[64];
    atls_code rc = atls_sim_world_new(family, at_s, &world, err);
    rc = rc != ATLS_OK ? rc : atls_sim_world_root(world, &root, err);
    rc = rc != ATLS_OK ? rc : atls_sim_world_endorsement(world, &endorsement, err);
    rc = rc != ATLS_OK ? rc : atls_sim_world_save(world, &state, err);
    rc = rc != ATLS_OK ? rc : file_name(name, sizeof name, SIM_STATE_PREFIX, family, ".json", err);
    rc = rc != ATLS_OK ? rc : file_name(vouched, sizeof vouched, "endorsement", family, "", err);
    rc = rc != ATLS_OK ? rc : write_text(dir, name, state, 0600, err);
    if (rc == ATLS_OK && endorsement != NULL) {
        rc = write_text(dir, vouched, endorsement, 0644, err);
    }
    rc = rc != ATLS_OK ? rc : join(roots, root, err);
    atls_free(root);
    atls_free(endorsement);
    forget(state);
    atls_sim_world_free(world);
    return rc;
}

static bool names(const char *list, const char *family)
{
    size_t len = strlen(family);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',' ? 1 : 0;
        if (strncmp(at, family, len) == 0 && (at[len] == ',' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Is every name of the list one that there is? */
static atls_code check_families(const char *list, atls_err *err)
{
    char one[32];
    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, ",");
        bool known = len == 3 && strncmp(at, "all", len) == 0;
        (void)snprintf(one, sizeof one, "%.*s", (int)(len < sizeof one ? len : sizeof one - 1), at);
        for (size_t i = 0; atls_sim_world_name(i) != NULL; i++) {
            known = known || strcmp(atls_sim_world_name(i), one) == 0;
        }
        if (!known) {
            return fill_err(err, ATLS_E_USAGE, "sim.world", "there is no simulated family \"%s\"",
                            one);
        }
        at += len + (at[len] == ',' ? 1 : 0);
    }
    return ATLS_OK;
}

atls_code sim_dir_write(const atls_sim *sim, const char *families, int64_t at_s, const char *dir,
                        atls_err *err)
{
    char *roots = NULL;
    atls_code rc = families != NULL ? check_families(families, err) : ATLS_OK;
    if (rc == ATLS_OK && mkdir(dir, 0755) != 0 && errno != EEXIST) {
        return fill_err(err, ATLS_E_SYSTEM, "output.write", "%s: %s", dir, strerror(errno));
    }
    rc = rc != ATLS_OK ? rc : atls_sim_root(sim, &roots, err);
    rc = rc != ATLS_OK ? rc : write_intel(sim, dir, err);
    for (size_t i = 0; rc == ATLS_OK && families != NULL && atls_sim_world_name(i) != NULL; i++) {
        const char *family = atls_sim_world_name(i);
        if (names(families, "all") || names(families, family)) {
            rc = write_world(family, at_s, dir, &roots, err);
        }
    }
    rc = rc != ATLS_OK ? rc : write_text(dir, "root.pem", roots, 0644, err);
    atls_free(roots);
    return rc;
}

/* --- evidence of one of them --- */

static atls_code read_state(const char *dir, const char *name, input *in, atls_err *err)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: the path is too long", dir);
    }
    return input_read(path, INPUT_JSON_MAX, ATLS_E_USAGE, "sim.size", in, err);
}

static const char *world_of(const char *type)
{
    size_t len = type != NULL ? strcspn(type, ":") : 0;
    for (size_t i = 0; len > 0 && atls_sim_world_name(i) != NULL; i++) {
        const char *name = atls_sim_world_name(i);
        if (strlen(name) == len && strncmp(name, type, len) == 0) {
            return name;
        }
    }
    return NULL;
}

static atls_code open_world(const char *dir, const char *family, const atls_sim_quote *quote,
                            sim_source *out, atls_err *err)
{
    const char *colon = strchr(quote->type, ':');
    char name[64];
    input in = {0};
    if (quote->tcb != NULL) {
        return fill_err(err, ATLS_E_USAGE, "usage.option", "--tcb is for tdx and sgx");
    }
    atls_code rc = file_name(name, sizeof name, SIM_STATE_PREFIX, family, ".json", err);
    rc = rc != ATLS_OK ? rc : read_state(dir, name, &in, err);
    rc = rc != ATLS_OK ? rc : atls_sim_world_load(input_buf(&in), &out->world, err);
    input_clear(&in);
    if (rc == ATLS_OK && colon != NULL) {
        out->variant = strdup(colon + 1);
        rc = out->variant != NULL ? ATLS_OK
                                  : fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    const atls_sim_request request = {.variant = out->variant,
                                      .workload = quote->workload,
                                      .debug = quote->debug,
                                      .fault = quote->fault};
    return rc != ATLS_OK ? rc
                         : atls_sim_world_attester_new(out->world, &request, &out->attester, err);
}

atls_code sim_dir_load(const char *dir, atls_sim **out, atls_err *err)
{
    input in = {0};
    atls_code rc = read_state(dir, SIM_STATE_FILE, &in, err);
    rc = rc != ATLS_OK ? rc : atls_sim_load(input_buf(&in), out, err);
    input_clear(&in);
    return rc;
}

static atls_code open_intel(const char *dir, const atls_sim_quote *quote, sim_source *out,
                            atls_err *err)
{
    const atls_code rc = sim_dir_load(dir, &out->sim, err);
    return rc != ATLS_OK ? rc : atls_sim_attester_new(out->sim, quote, &out->attester, err);
}

atls_code sim_source_open(const char *dir, const atls_sim_quote *quote, sim_source *out,
                          atls_err *err)
{
    sim_source s = {0};
    const char *family = world_of(quote->type);
    atls_code rc =
        family != NULL ? open_world(dir, family, quote, &s, err) : open_intel(dir, quote, &s, err);
    if (rc != ATLS_OK) {
        sim_source_close(&s);
        return rc;
    }
    *out = s;
    return ATLS_OK;
}

void sim_source_close(sim_source *s)
{
    atls_attester_free(s->attester);
    atls_sim_free(s->sim);
    atls_sim_world_free(s->world);
    free(s->variant);
    *s = (sim_source){0};
}
