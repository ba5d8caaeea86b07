/* sim.h: a software TEE under a root made on the spot, for tests, demos and development.
 *
 * Its evidence has the exact shape of Intel's; its certificates say "atls simulator" in their names, and
 * no verifier trusts its root unless told to by name. */
#ifndef ATLS_SIM_H
#define ATLS_SIM_H

#include <atls/attester.h>
#include <atls/types.h>

typedef struct atls_sim atls_sim;

/* A new PKI (root, Platform CA, PCK, TCB signing, CRLs, attestation key) whose dates are around when_s:
 * certificates from a day before to ten years after, collateral issued an hour before, due in 30 days.
 * fault: see docs/simulator.md; properly signed, but wrong in one named respect. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_new(int64_t when_s, const char *fault, atls_sim **out,
                                              atls_err *err);
ATLS_API void atls_sim_free(atls_sim *sim);
/* Another machine of the same vendor, of another model: it shares root, CA, TCB signer and CRLs, and has PCK certificates
 * and TCB info for this FMSPC. Freed like any other, in any order. ATLS_E_USAGE "sim.vendor": see atls_sim_load. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_add_platform(const atls_sim *sim, const uint8_t fmspc[6],
                                                       atls_sim **out, atls_err *err);
/* The vendor issues sim's collateral anew, an hour before when_s (earlier than the last: to go back), due in 30 days: TCB info
 * and QE identities with that tcbEvaluationDataNumber, both CRLs with CRLNumber + 1 (those of another machine's reissue at
 * the same when_s, if it came first). Keys, certificates and evidence stay. change: NULL, or "recovery": what was UpToDate
 * is OutOfDate, and a level above it is UpToDate, until the next call. Nobody else uses sim, or others of its vendor,
 * meanwhile. ATLS_E_USAGE "sim.change", "sim.vendor". */
ATLS_API ATLS_MUST_USE atls_code atls_sim_reissue(atls_sim *sim, int64_t when_s,
                                                  uint32_t evaluation_number, const char *change,
                                                  atls_err *err);
/* State with its private keys, as JSON, to go on later (freed with atls_free; keep it 0600). What is loaded has its vendor,
 * who is from then on another one than that of machines which were loaded elsewhere; unless it has a fault: then none. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_save(const atls_sim *sim, char **out, atls_err *err);
ATLS_API ATLS_MUST_USE atls_code atls_sim_load(atls_buf json, atls_sim **out, atls_err *err);

/* The root certificate (PEM) and the collateral ("tdx" or "sgx", the contract's JSON): freed with atls_free. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_root(const atls_sim *sim, char **pem, atls_err *err);
ATLS_API ATLS_MUST_USE atls_code atls_sim_collateral(const atls_sim *sim, const char *tee,
                                                     char **json, atls_err *err);

typedef struct atls_sim_quote {
    const char
        *type; /* "tdx" (v4), "tdx5" (v5, TD report 1.5), "sgx" (v3); NULL: "tdx". Beside them
                           * "tdx5-1.0" (v5, TD report 1.0), "sgx4", "sgx5" */
    uint8_t report_data[64];
    const char
        *workload; /* measurements are SHA-384/256 of "NAME/REGISTER" ("demo/mrtd"); NULL: "demo" */
    const char *tcb; /* "UpToDate", "OutOfDate", "SWHardeningNeeded", ...; NULL: "UpToDate" */
    bool debug;
    const char *fault; /* NULL: none */
    const char *
        event_log; /* TDX, for an attester: RTMRs are those of a log, "ccel" or "dstack", which is part event_log of
                            * its evidence; fault may then be one of logs. NULL: no log */
    const char *
        certificate_event; /* log "dstack": the text of its last event, "New TLS Certificate" (at most 128 bytes):
                                    * 64 hex digits of SHA-256 of a certificate. NULL: there is none */
} atls_sim_quote;
ATLS_API ATLS_MUST_USE atls_code atls_sim_make_quote(const atls_sim *sim, const atls_sim_quote *q,
                                                     uint8_t **out, size_t *len, atls_err *err);

/* An attester over the simulator (borrowed; must outlive it); q's report_data is replaced at each call. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_attester_new(const atls_sim *sim, const atls_sim_quote *q,
                                                       atls_attester **out, atls_err *err);

/* The table of faults, so that a test can walk all of them. Strings are static. */
typedef struct atls_sim_fault {
    const char *name;             /* "pck.expired" */
    const char *what;             /* one clause */
    bool of_quote;                /* goes into atls_sim_quote.fault; otherwise into atls_sim_new */
    bool in_tdx, in_tdx5, in_sgx; /* quote types that it shows in */
    atls_code expected; /* of a verdict under the built-in rule; ATLS_OK: odd, but to be accepted */
} atls_sim_fault;
ATLS_API bool atls_sim_fault_at(size_t i, atls_sim_fault *out); /* false: i is past the end */

/* Faults of event logs; variants are the logs ("ccel", "dstack", and a TPM's "pcrs", "ima"). false: i is past the end. */
typedef struct atls_sim_world_fault atls_sim_world_fault;
ATLS_API bool atls_sim_log_fault_at(size_t i, atls_sim_world_fault *out);

/* --- the other families: each a world of its own, with its own root and keys --- */

/* "snp", "tpm", "azure", "snp-tpm", "nitro", "cca", "jwt"; NULL after the last. Evidence is of the shape, and the certificates have
 * the algorithms, of the real thing. */
ATLS_API const char *atls_sim_world_name(size_t i);

typedef struct atls_sim_world atls_sim_world;
/* New keys, and certificates whose dates are around when_s. ATLS_E_USAGE "sim.world" for a name that is not known. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_new(const char *name, int64_t when_s,
                                                    atls_sim_world **out, atls_err *err);
ATLS_API void atls_sim_world_free(atls_sim_world *w);
/* State with its private keys, as JSON, to go on later (freed with atls_free; keep it 0600). */
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_save(const atls_sim_world *w, char **out,
                                                     atls_err *err);
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_load(atls_buf json, atls_sim_world **out,
                                                     atls_err *err);
/* The root certificate (PEM) for atls_verifier_insecure_trust_simulator; *pem is NULL for families without one. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_root(const atls_sim_world *w, char **pem,
                                                     atls_err *err);
/* What a caller vouches for or hands over beside the evidence, as text (CCA: trust anchors; jwt: JWK set; tpm: the AKs in
 * PEM; azure: AMD's intermediate certificate and CRL in PEM); *text is NULL where the evidence carries all that is needed. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_endorsement(const atls_sim_world *w, char **text,
                                                            atls_err *err);

typedef struct atls_sim_request {
    atls_report_data data;
    const char *
        variant; /* of the family, by a name that docs/simulator.md lists ("genoa", "vlek"); NULL: the usual */
    const char *workload; /* measurements are digests of "NAME/REGISTER"; NULL: "demo" */
    bool debug;
    const char *fault; /* properly signed, but wrong in one named respect; NULL: none */
} atls_sim_request;
/* The caller clears *out with atls_evidence_blob_clear. Safe from many threads. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_make(const atls_sim_world *w,
                                                     const atls_sim_request *request,
                                                     atls_evidence_blob *out, atls_err *err);
/* An attester over it (borrowed; must outlive it); freed with atls_attester_free. request's strings are borrowed too. */
ATLS_API ATLS_MUST_USE atls_code atls_sim_world_attester_new(const atls_sim_world *w,
                                                             const atls_sim_request *request,
                                                             atls_attester **out, atls_err *err);

struct atls_sim_world_fault { /* strings are static */
    const char *name;         /* "vcek.tcb" */
    const char *what;         /* one clause */
    const char *variants;     /* words separated by spaces; "": every variant */
    atls_code expected; /* of a verdict under the built-in rule; ATLS_OK: odd, but to be accepted */
    const char *check;  /* the id that must have failed; "" for ATLS_OK */
};
/* false: i is past the end, or the world is not known. */
ATLS_API bool atls_sim_world_fault_at(const char *world, size_t i, atls_sim_world_fault *out);

#endif
