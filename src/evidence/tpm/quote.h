/* quote.h: a TPM's quote judged under a key that somebody vouches for: what a bare TPM and a confidential VM's vTPM have
 * in common. Who vouches is the business of key.c, azure.c and snp_tpm.c. */
#ifndef ATLS_EVIDENCE_TPM_QUOTE_H
#define ATLS_EVIDENCE_TPM_QUOTE_H

#include "evidence/format.h"
#include "evidence/tpm/attest.h"
#include "evidence/tpm/signature.h"
#include "trust/tpm_ak.h"
#include "trust/tpm_key.h"

/* A simulated TPM has this firmware version: "ATLSSIM", 0. */
#define ATLS_TPM_SIMULATED_FIRMWARE UINT64_C(0x41544c5353494d00)

typedef struct atls_tpm_case {
    const atls_verification *v;
    atls_judging j;
    atls_tpm_attest attest;
    atls_tpm_signature signature;
    atls_buf pcrs;            /* values, one after another */
    bool has_given;           /* the evidence names its key itself: that vouches for nothing */
    atls_tpm_given_key given; /* views into the evidence */
    atls_public_key
        *key;            /* that is to have signed; a reference, freed by _clear; NULL: not known */
    atls_ak_trust trust; /* who vouches for it; NONE: nobody */
    const atls_vouched_key *vouched; /* VOUCHED */
} atls_tpm_case;

/* Decodes the parts that every quote has, and ak_public if it is there. What cannot be decoded is in the ledger. */
bool atls_tpm_case_read(const atls_verification *v, atls_tpm_case *out);
void atls_tpm_case_clear(atls_tpm_case *c);

/* Sets key and trust: by the caller's keys, or by ak_cert; the claims say under which root. */
void atls_tpm_case_judge_key(atls_tpm_case *c);

/* Attributes and scheme of the key as far as its public area is known, signature, selection, values against the digest.
 * True: all of it holds, somebody vouches for the key, and
 * *out says what was quoted. The digest is made with the hash of the signature, not the
 * bank's; values belong to PCRs by the signed selection alone. */
bool atls_tpm_case_judge(const atls_tpm_case *c, atls_tpm_claims *out);

#endif
