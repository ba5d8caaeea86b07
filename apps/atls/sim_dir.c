#include "sim_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "input.h"
#include "output.h"
#include "say.h"

enum { TEE = 0x300, WORKLOAD, TCB, FAULT, DEBUG };

const flag sim_quote_flags[] = {
    {TEE, "tee", "NAME", "what is simulated: tdx (quote v4), tdx5 (v5), sgx (v3); (tdx)"},
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

atls_code sim_dir_write(const atls_sim *sim, const char *dir, atls_err *err)
{
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        return fill_err(err, ATLS_E_SYSTEM, "output.write", "%s: %s", dir, strerror(errno));
    }
    char *root = NULL;
    char *tdx = NULL;
    char *sgx = NULL;
    char *state = NULL;
    atls_code rc = atls_sim_root(sim, &root, err);
    rc = rc != ATLS_OK ? rc : atls_sim_collateral(sim, "tdx", &tdx, err);
    rc = rc != ATLS_OK ? rc : atls_sim_collateral(sim, "sgx", &sgx, err);
    rc = rc != ATLS_OK ? rc : atls_sim_save(sim, &state, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, SIM_STATE_FILE, state, 0600, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, "root.pem", root, 0644, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, "collateral-tdx.json", tdx, 0644, err);
    rc = rc != ATLS_OK ? rc : write_text(dir, "collateral-sgx.json", sgx, 0644, err);
    atls_free(root);
    atls_free(tdx);
    atls_free(sgx);
    if (state != NULL) {
        OPENSSL_cleanse(state, strlen(state));
    }
    atls_free(state);
    return rc;
}

atls_code sim_dir_read(const char *dir, atls_sim **out, atls_err *err)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/" SIM_STATE_FILE, dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: the path is too long", dir);
    }
    input in = {0};
    atls_code rc = input_read(path, INPUT_JSON_MAX, ATLS_E_USAGE, "sim.size", &in, err);
    if (rc == ATLS_OK) {
        rc = atls_sim_load(input_buf(&in), out, err);
    }
    input_clear(&in);
    return rc;
}
