/* pki.h: the simulator's keys, certificates and CRLs, made with OpenSSL. */
#ifndef ATLS_SIM_PKI_H
#define ATLS_SIM_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "sim/extension.h"
#include "sim/level.h"
#include "sim/plan.h"
#include <atls/types.h>

typedef struct sim_pki { /* owns all of it; zeroed before sim_pki_make */
    EVP_PKEY *key[SIM_WHO];
    X509 *cert[SIM_WHO]; /* none for SIM_STRANGER */
    X509 *trusted_root;
    EVP_PKEY *pck_key[SIM_LEVELS]; /* one a level, as real platforms have one a TCB */
    X509 *pck[SIM_LEVELS];
    X509_CRL *root_crl, *pck_crl;
} sim_pki;

/* After a failure too the caller calls sim_pki_clear. */
ATLS_MUST_USE atls_code sim_pki_make(const sim_plan *plan, const sim_machine *machine,
                                     int64_t when_s, sim_pki *pki, atls_err *err);
/* The same root, CAs, signers and CRLs, for another machine with PCK keys of its own. */
ATLS_MUST_USE atls_code sim_pki_share(const sim_pki *from, const sim_plan *plan,
                                      const sim_machine *machine, int64_t when_s, sim_pki *pki,
                                      atls_err *err);
void sim_pki_set1_crls(sim_pki *pki, X509_CRL *root_crl, X509_CRL *pck_crl);
void sim_pki_clear(sim_pki *pki);

/* The key that signs for a plan's issuer and signer (sim_who). */
EVP_PKEY *sim_pki_signer(const sim_pki *pki, int issuer, int signer);

/* malloc'ed text with NUL. */
ATLS_MUST_USE atls_code sim_pki_pem(const X509 *cert, char **pem, atls_err *err);

#endif
