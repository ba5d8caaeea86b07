/* evidence_source.h: --attest TYPE and what belongs to it: where this program's own evidence comes from. */
#ifndef ATLS_APPS_EVIDENCE_SOURCE_H
#define ATLS_APPS_EVIDENCE_SOURCE_H

#include <openssl/x509.h>

#include <atls/attest.h>
#include <atls/sim.h>
#include <atls/store.h>
#include <atls/tpm.h>

#include "flags.h"
#include "input.h"
#include "sim_dir.h"

typedef struct evidence_source {
    const char *type;    /* NULL: no evidence */
    const char *sim_dir; /* for type sim */
    atls_sim_quote quote;
    char certificate
        [65]; /* SHA-256 of this side's certificate in hex: what a simulated event log of dstack's names */
    atls_attest_options machine; /* for every other type */
    atls_tpm_options tpm;
    const char *endorsement_auth, *owner_auth; /* files */
    sim_source sim;
    atls_attester *of_machine;
    const atls_attester *attester; /* lent by the source behind it */
    const char *staple;            /* a store's directory; NULL: evidence goes as it is made */
    atls_store *store;
    _Atomic int64_t loaded_s;
    const atls_attester *bare; /* what stapling puts collateral beside */
    atls_attester stapling;
} evidence_source;

/* The options that say which device, service or key of this machine makes the evidence: for `attest`, and wherever
 * evidence is made with --attest TYPE. */
extern const flag evidence_source_flags[];
bool evidence_source_take(evidence_source *source, int id, char *arg);

/* The certificate that this side shows; before the source is opened. NULL: none. */
void evidence_source_name_certificate(evidence_source *source, const X509 *certificate);

/* Opens what type names; the source stays where it is until it is closed. ATLS_E_USAGE for a type that this build has not, or a missing --sim. */
atls_code evidence_source_open(evidence_source *source, atls_err *err);
void evidence_source_close(evidence_source *source);

#endif
