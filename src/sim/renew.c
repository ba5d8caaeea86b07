/* A platform's collateral signed anew by the same vendor: for recovery days, expiry, and going back. */
#include <atls/sim.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/err.h"
#include "sim/collateral.h"
#include "sim/crl.h"
#include "sim/state.h"

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

/* The keys and certificates that sign collateral. */
static bool take_signers(const atls_sim *sim, sim_pki *pki)
{
    static const int who[SIM_SIGNERS] = {SIM_ROOT, SIM_CA, SIM_TCB_SIGNING};
    const char *const pems[SIM_SIGNERS] = {sim->chain_root_pem, sim->ca_pem, sim->tcb_signing_pem};
    for (size_t i = 0; i < SIM_SIGNERS; i++) {
        EVP_PKEY *key = sim_signer_get0_key(sim->signers[i]);
        if (EVP_PKEY_up_ref(key) != 1) {
            return false;
        }
        pki->key[who[i]] = key;
        pki->cert[who[i]] = read_cert(pems[i]);
        if (pki->cert[who[i]] == NULL) {
            return false;
        }
    }
    return true;
}

static atls_code make(const atls_sim *sim, const sim_plan *plan, int64_t when_s, sim_pki *pki,
                      char *made[SIM_TEES], atls_err *err)
{
    bool fine = take_signers(sim, pki);
    pki->root_crl = fine ? sim_crl_make(&plan->root_crl, when_s, pki) : NULL;
    pki->pck_crl = fine ? sim_crl_make(&plan->pck_crl, when_s, pki) : NULL;
    if (pki->root_crl == NULL || pki->pck_crl == NULL) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a CRL could not be made");
    }
    for (int tee = 0; tee < SIM_TEES; tee++) {
        ATLS_TRY(sim_collateral_make(plan, (sim_tee)tee, when_s, pki, &made[tee], err));
    }
    return ATLS_OK;
}

atls_code atls_sim_renew(atls_sim *sim, int64_t when_s, uint32_t number, atls_err *err)
{
    sim_plan plan;
    sim_pki pki = {0};
    char *made[SIM_TEES] = {NULL};
    if (sim->tcb_signing_pem == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.state",
                        "a platform with a fault, or saved by an older version: its collateral "
                        "cannot be signed anew");
    }
    if (when_s < SIM_WHEN_MIN || when_s > SIM_WHEN_MAX || number == 0 || number > INT_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.time",
                        "the time is outside the years 1970 to 9890, or the number is none");
    }
    sim_plan_default(&plan);
    plan.tcb_info.evaluation_number = plan.qe_identity.evaluation_number = (int)number;
    plan.root_crl.number = plan.pck_crl.number = (int)number;
    const atls_code rc = make(sim, &plan, when_s, &pki, made, err);
    for (int tee = 0; tee < SIM_TEES; tee++) {
        if (rc == ATLS_OK) {
            free(sim->collateral[tee]);
            sim->collateral[tee] = made[tee];
        } else {
            free(made[tee]);
        }
    }
    sim_pki_clear(&pki);
    return rc;
}
