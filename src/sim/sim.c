#include <atls/sim.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/err.h"
#include "sim/collateral.h"
#include "sim/faults.h"
#include "sim/pki.h"
#include "sim/quote.h"
#include "sim/report.h"
#include "sim/state.h"

static atls_code make_platform(sim_platform *platform, const sim_pki *pki, size_t level,
                               const uint8_t xy[64], atls_err *err)
{
    ATLS_TRY(sim_pki_pem(pki->pck[level], &platform->pck_pem, err));
    ATLS_TRY(sim_signer_new(pki->pck_key[level], &platform->pck, err));
    uint8_t auth[32];
    for (size_t i = 0; i < sizeof auth; i++) {
        auth[i] = (uint8_t)i;
    }
    for (int tee = 0; tee < SIM_TEES; tee++) {
        uint8_t report[SIM_SGX_REPORT_LEN];
        ATLS_TRY(sim_qe_report((sim_tee)tee, xy, (atls_buf){auth, sizeof auth}, report, err));
        ATLS_TRY(sim_signer_sign(platform->pck, (atls_buf){report, sizeof report},
                                 platform->qe_report_signature[tee], err));
    }
    return ATLS_OK;
}

atls_code sim_keep_signers(atls_sim *sim, atls_err *err)
{
    static const int who[SIM_SIGNERS] = {SIM_ROOT, SIM_CA, SIM_TCB_SIGNING};
    const sim_pki *pki = &sim->pki;
    if (sim->fault[0] != '\0') {
        return ATLS_OK;
    }
    for (size_t i = 0; i < SIM_SIGNERS; i++) {
        ATLS_TRY(sim_signer_new(pki->key[who[i]], &sim->signers[i], err));
    }
    return sim_pki_pem(pki->cert[SIM_TCB_SIGNING], &sim->tcb_signing_pem, err);
}

atls_code sim_fill_collateral(atls_sim *sim, int64_t when_s, atls_err *err)
{
    char *json[SIM_TEES] = {NULL};
    atls_code rc = ATLS_OK;
    for (int tee = 0; tee < SIM_TEES && rc == ATLS_OK; tee++) {
        rc = sim_collateral_make(&sim->plan, (sim_tee)tee, when_s, &sim->pki, &json[tee], err);
    }
    for (int tee = 0; tee < SIM_TEES; tee++) {
        char *old = rc == ATLS_OK ? sim->collateral[tee] : json[tee];
        sim->collateral[tee] = rc == ATLS_OK ? json[tee] : sim->collateral[tee];
        free(old);
    }
    return rc;
}

atls_code sim_fill(atls_sim *sim, atls_err *err)
{
    const sim_pki *pki = &sim->pki;
    uint8_t xy[64];
    ATLS_TRY(sim_pki_pem(pki->trusted_root, &sim->root_pem, err));
    ATLS_TRY(sim_pki_pem(pki->cert[SIM_ROOT], &sim->chain_root_pem, err));
    ATLS_TRY(sim_pki_pem(pki->cert[SIM_CA], &sim->ca_pem, err));
    ATLS_TRY(sim_signer_new_random(&sim->attestation, err));
    sim_signer_xy(sim->attestation, xy);
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        ATLS_TRY(make_platform(&sim->platforms[i], pki, i, xy, err));
    }
    return ATLS_OK;
}

atls_code sim_make_machine(atls_sim *sim, sim_machine *machine, atls_err *err)
{
    if (RAND_bytes(machine->ppid, sizeof machine->ppid) != 1 ||
        RAND_bytes(machine->instance_id, sizeof machine->instance_id) != 1 ||
        RAND_bytes(sim->qe_id, sizeof sim->qe_id) != 1) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "no random bytes");
    }
    return ATLS_OK;
}

static atls_code make(atls_sim *sim, const sim_fault *fault, atls_err *err)
{
    sim_machine machine;
    sim_plan_default(&sim->plan);
    sim_fault_apply(fault, &sim->plan);
    ATLS_TRY(sim_make_machine(sim, &machine, err));
    ATLS_TRY(sim_pki_make(&sim->plan, &machine, sim->when_s, &sim->pki, err));
    ATLS_TRY(sim_fill(sim, err));
    ATLS_TRY(sim_fill_collateral(sim, sim->when_s, err));
    ATLS_TRY(sim_keep_signers(sim, err));
    sim->plan.tcb_info.levels_s = sim->plan.qe_identity.levels_s = sim->when_s;
    return sim_vendor_new(sim, err);
}

atls_code atls_sim_new(int64_t when_s, const char *fault, atls_sim **out, atls_err *err)
{
    const sim_fault *found = NULL;
    ATLS_TRY(sim_fault_by_name(fault, &found, err));
    if (found != NULL && found->scope != SIM_OF_PLATFORM) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.fault",
                        "%s is a fault of one quote, not of the platform: ask for a quote with it",
                        found->name);
    }
    if (when_s < SIM_WHEN_MIN || when_s > SIM_WHEN_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.time",
                        "the time is outside the years 1970 to 9890");
    }
    atls_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    sim->when_s = when_s;
    if (found != NULL) {
        OPENSSL_strlcpy(sim->fault, found->name, sizeof sim->fault);
    }
    atls_code rc = make(sim, found, err);
    if (rc != ATLS_OK) {
        atls_sim_free(sim);
        return rc;
    }
    *out = sim;
    return ATLS_OK;
}

void atls_sim_free(atls_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    sim_vendor_free(sim->vendor);
    sim_pki_clear(&sim->pki);
    free(sim->root_pem);
    free(sim->chain_root_pem);
    free(sim->ca_pem);
    free(sim->tcb_signing_pem);
    for (size_t i = 0; i < SIM_SIGNERS; i++) {
        sim_signer_free(sim->signers[i]);
    }
    for (size_t i = 0; i < SIM_TEES; i++) {
        free(sim->collateral[i]);
    }
    sim_signer_free(sim->attestation);
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        free(sim->platforms[i].pck_pem);
        sim_signer_free(sim->platforms[i].pck);
    }
    free(sim);
}

static atls_code copy_text(const char *text, char **out, atls_err *err)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *out = copy;
    return ATLS_OK;
}

atls_code atls_sim_root(const atls_sim *sim, char **pem, atls_err *err)
{
    return copy_text(sim->root_pem, pem, err);
}

atls_code atls_sim_collateral(const atls_sim *sim, const char *tee, char **json, atls_err *err)
{
    if (strcmp(tee, "tdx") != 0 && strcmp(tee, "sgx") != 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.tee", "collateral is for tdx or sgx, not for %.32s",
                        tee);
    }
    return copy_text(sim->collateral[tee[0] == 't' ? SIM_TDX : SIM_SGX], json, err);
}

atls_code atls_sim_make_quote(const atls_sim *sim, const atls_sim_quote *q, uint8_t **out,
                              size_t *len, atls_err *err)
{
    sim_quote prepared = {0};
    ATLS_TRY(sim_quote_prepare(sim, q, &prepared, err));
    uint8_t *bytes = NULL;
    atls_code rc = sim_quote_sign(&prepared, q->report_data, &bytes, err);
    if (rc == ATLS_OK) {
        *out = bytes;
        *len = prepared.len;
    }
    sim_quote_clear(&prepared);
    return rc;
}
