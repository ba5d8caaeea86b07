/* The vendor goes on: more machines under the same root, and collateral issued anew. */
#include <atls/sim.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "codec/json.h"
#include "sim/crl.h"
#include "sim/state.h"

atls_code sim_vendor_new(atls_sim *sim, atls_err *err)
{
    sim_vendor *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *v = (sim_vendor){.refs = 1,
                      .issued_s = sim->when_s,
                      .issues = 1,
                      .root_crl = sim->pki.root_crl,
                      .pck_crl = sim->pki.pck_crl};
    (void)X509_CRL_up_ref(v->root_crl);
    (void)X509_CRL_up_ref(v->pck_crl);
    sim->vendor = v;
    sim->issues = 1;
    sim->issued_s = sim->when_s;
    return ATLS_OK;
}

void sim_vendor_free(sim_vendor *v)
{
    if (v != NULL && --v->refs == 0) {
        X509_CRL_free(v->root_crl);
        X509_CRL_free(v->pck_crl);
        free(v);
    }
}

static atls_code no_vendor(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "sim.vendor",
                    "the state that the simulator was loaded from has a fault, or is of an older "
                    "version, and has no keys of its vendor's: make a new one");
}

/* --- of a state --- */

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static bool restore_signers(atls_sim *sim)
{
    static const int who[SIM_SIGNERS] = {SIM_ROOT, SIM_CA, SIM_TCB_SIGNING};
    const char *const pems[SIM_SIGNERS] = {sim->chain_root_pem, sim->ca_pem, sim->tcb_signing_pem};
    for (size_t i = 0; i < SIM_SIGNERS; i++) {
        EVP_PKEY *key = sim_signer_get0_key(sim->signers[i]);
        if (EVP_PKEY_up_ref(key) == 1) {
            sim->pki.key[who[i]] = key;
        }
        sim->pki.cert[who[i]] = read_cert(pems[i]);
        if (sim->pki.key[who[i]] == NULL || sim->pki.cert[who[i]] == NULL) {
            return false;
        }
    }
    sim->pki.trusted_root = read_cert(sim->root_pem);
    return sim->pki.trusted_root != NULL;
}

static X509_CRL *read_crl(const json_t *collateral, const char *member)
{
    const char *hex = json_string_value(json_object_get(collateral, member));
    long len = 0;
    unsigned char *der = hex != NULL ? OPENSSL_hexstr2buf(hex, &len) : NULL;
    const unsigned char *at = der;
    X509_CRL *crl = der != NULL ? d2i_X509_CRL(NULL, &at, len) : NULL;
    OPENSSL_free(der);
    return crl;
}

static bool restore_crls(atls_sim *sim)
{
    const char *text = sim->collateral[SIM_TDX];
    const atls_buf bytes = {(const uint8_t *)text, strlen(text)};
    json_t *collateral = NULL;
    if (atls_json_parse(bytes, bytes.len, "sim.state", &collateral, NULL) == ATLS_OK) {
        sim->pki.root_crl = read_crl(collateral, "root_ca_crl");
        sim->pki.pck_crl = read_crl(collateral, "pck_crl");
    }
    json_decref(collateral);
    return sim->pki.root_crl != NULL && sim->pki.pck_crl != NULL;
}

/* 0: it says none. */
static int number_of(const X509_CRL *crl)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    const int64_t value = number != NULL ? ASN1_INTEGER_get(number) : 0;
    ASN1_INTEGER_free(number);
    return value > 0 && value < INT32_MAX ? (int)value : 0;
}

static int64_t issued_of(const X509_CRL *crl)
{
    struct tm tm;
    return ASN1_TIME_to_tm(X509_CRL_get0_lastUpdate(crl), &tm) == 1
               ? (int64_t)timegm(&tm) + SIM_HOUR
               : 0;
}

atls_code sim_vendor_restore(atls_sim *sim, atls_err *err)
{
    if (sim->tcb_signing_pem == NULL) {
        return ATLS_OK;
    }
    sim_plan_default(&sim->plan);
    sim->plan.tcb_info.levels_s = sim->plan.qe_identity.levels_s = sim->when_s;
    if (sim->fmspc[0] != '\0') {
        sim->plan.tcb_info.fmspc = sim->fmspc;
    }
    if (!restore_signers(sim) || !restore_crls(sim)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.state",
                        "a certificate or CRL in the state is not what a simulator saves");
    }
    ATLS_TRY(sim_vendor_new(sim, err));
    sim->issues = sim->vendor->issues = number_of(sim->pki.root_crl);
    sim->issued_s = sim->vendor->issued_s = issued_of(sim->pki.root_crl);
    return ATLS_OK;
}

/* --- more machines --- */

/* Under the plan of another, but for the model. */
static void take_plan(atls_sim *sim, const atls_sim *from, const uint8_t fmspc[6])
{
    sim->plan = from->plan;
    memcpy(sim->plan.extension.model, fmspc, sizeof sim->plan.extension.model);
    (void)snprintf(sim->fmspc, sizeof sim->fmspc, "%02X%02X%02X%02X%02X%02X", fmspc[0], fmspc[1],
                   fmspc[2], fmspc[3], fmspc[4], fmspc[5]);
    if (from->plan.tcb_info.fmspc == NULL || from->plan.tcb_info.fmspc == from->fmspc) {
        sim->plan.tcb_info.fmspc = sim->fmspc; /* unless a fault has put another there */
    }
}

static atls_code make_machine(const atls_sim *from, atls_sim *sim, atls_err *err)
{
    sim_machine machine;
    ATLS_TRY(sim_make_machine(sim, &machine, err));
    ATLS_TRY(sim_pki_share(&from->pki, &sim->plan, &machine, sim->when_s, &sim->pki, err));
    ATLS_TRY(sim_fill(sim, err));
    ATLS_TRY(sim_keep_signers(sim, err));
    return sim_fill_collateral(sim, from->issued_s, err);
}

atls_code atls_sim_add_platform(const atls_sim *sim, const uint8_t fmspc[6], atls_sim **out,
                                atls_err *err)
{
    if (sim->vendor == NULL) {
        return no_vendor(err);
    }
    atls_sim *added = calloc(1, sizeof *added);
    if (added == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    added->when_s = sim->when_s;
    memcpy(added->fault, sim->fault, sizeof added->fault);
    take_plan(added, sim, fmspc);
    added->vendor = sim->vendor;
    added->vendor->refs++;
    added->issues = sim->issues;
    added->issued_s = sim->issued_s;
    const atls_code rc = make_machine(sim, added, err);
    if (rc != ATLS_OK) {
        atls_sim_free(added);
        return rc;
    }
    *out = added;
    return ATLS_OK;
}

/* --- issuing anew --- */

static atls_code issue_crls(atls_sim *sim, int64_t when_s, atls_err *err)
{
    sim_vendor *v = sim->vendor;
    sim->plan.root_crl.number = sim->plan.pck_crl.number = v->issues + 1;
    X509_CRL *root_crl = sim_crl_make(&sim->plan.root_crl, when_s, &sim->pki);
    X509_CRL *pck_crl = sim_crl_make(&sim->plan.pck_crl, when_s, &sim->pki);
    if (root_crl == NULL || pck_crl == NULL) {
        X509_CRL_free(root_crl);
        X509_CRL_free(pck_crl);
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "a CRL could not be made");
    }
    X509_CRL_free(v->root_crl);
    X509_CRL_free(v->pck_crl);
    v->root_crl = root_crl;
    v->pck_crl = pck_crl;
    v->issued_s = when_s;
    v->issues++;
    return ATLS_OK;
}

atls_code atls_sim_reissue(atls_sim *sim, int64_t when_s, uint32_t evaluation_number,
                           const char *change, atls_err *err)
{
    sim_vendor *v = sim->vendor;
    if (v == NULL) {
        return no_vendor(err);
    }
    if (change != NULL && strcmp(change, "recovery") != 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.change",
                        "collateral is issued anew as it was, or "
                        "after a \"recovery\"");
    }
    if (when_s < SIM_WHEN_MIN || when_s > SIM_WHEN_MAX || evaluation_number == 0 ||
        evaluation_number > INT32_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.change",
                        "the time is outside the years 1970 to 9890, or the number is 0 or above "
                        "2^31 - 1");
    }
    if (sim->issues == v->issues || v->issued_s != when_s) {
        ATLS_TRY(
            issue_crls(sim, when_s, err)); /* else another machine of the vendor's had them made */
    }
    sim_pki_set1_crls(&sim->pki, v->root_crl, v->pck_crl);
    sim->issues = v->issues;
    sim->issued_s = when_s;
    sim->plan.tcb_info.evaluation_number = sim->plan.qe_identity.evaluation_number =
        (int)evaluation_number;
    sim->plan.tcb_info.recovery = change != NULL;
    return sim_fill_collateral(sim, when_s, err);
}
