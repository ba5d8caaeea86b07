/* intel_platform.h: one platform judged: its PCK chain to a trusted root, what the CRLs say of it, and the
 * attestation key which its quoting enclave vouches for. The bytes are the same in every quote of a
 * platform, so a good result is kept, and found again by them. */
#ifndef ATLS_TRUST_INTEL_PLATFORM_H
#define ATLS_TRUST_INTEL_PLATFORM_H

#include <stdatomic.h>

#include "trust/intel_snapshot.h"
#include "trust/pck.h"
#include "trust/view.h"

struct atls_trust;

/* The part of a quote that speaks of the platform; everything borrowed. */
typedef struct atls_platform_evidence {
    bool is_tdx;
    uint16_t version; /* of the quote: it says how bytes is laid out */
    atls_buf bytes; /* the signature data behind the quote's signature: all that follows is in it */
    uint16_t certification_type; /* 1 to 5 */
    atls_buf certification_data;
    atls_buf qe_report;           /* 384 */
    atls_buf qe_report_signature; /* 64 */
    atls_buf attestation_key;     /* 64 */
    atls_buf qe_auth_data;
    atls_buf
        qe_id; /* 16: of the quote's header; names the platform to the service of PCK certificates */
    atls_buf
        stapled; /* collateral (JSON) that came with the evidence; ptr NULL: none. Nothing judged by it is kept */
} atls_platform_evidence;

/* Immutable once made, reference counted. What did not hold is NULL or false. */
typedef struct atls_intel_platform {
    atomic_int refs;
    atls_intel_snapshot *snapshot; /* NULL: no collateral, or no root to judge it under */
    bool simulated, custom_root;   /* of the root it was judged under */
    atls_cert *root, *ca, *leaf;
    bool holds;                   /* every check of form and signature from the leaf to the root */
    atls_pck_extension extension; /* when holds */
    bool pck_crl_holds;
    atls_key *attestation_key; /* NULL unless the QE report vouches for it */
    atls_window chain_window;
    int64_t earliest_expiration_s;
    atls_replay replay;
    bool good; /* every check held: may be cached */
    /* what it was judged with, or without: the same must be found again at each use */
    bool has_name;
    atls_shelf_intel_name name; /* of the collateral that a shelf is asked for */
    atls_shelf_held
        *pck; /* the chain a shelf had for it; NULL: none, or it was not asked for one */
    const atls_collateral *own; /* the verifier's own that fits; lent; NULL: none does */
    /* what it is found by */
    bool is_tdx;
    uint16_t version;
    uint8_t *bytes;
    size_t bytes_len;
} atls_intel_platform;

/* From the cache, or judged anew (then cached if all of it held). Of the verifier's own collateral and the shelf's the one
 * with the higher evaluation number counts, of equal ones the newer, and of equal ones the shelf's. What is cached
 * counts only while the same would be chosen. The caller frees *out. Writes every check to j either way. Refused only
 * for lack of memory. */
ATLS_MUST_USE atls_code atls_intel_platform_judge(const struct atls_trust *trust,
                                                  const atls_view *view,
                                                  const atls_platform_evidence *evidence,
                                                  const atls_judging *j, atls_intel_platform **out,
                                                  atls_err *err);
atls_intel_platform *atls_intel_platform_up_ref(atls_intel_platform *p);
void atls_intel_platform_free(atls_intel_platform *p);

/* Every time it rests on, those of its collateral included, as of when_s. */
void atls_intel_platform_judge_times(const atls_intel_platform *p, const atls_view *view,
                                     int64_t when_s, atls_ledger *l, atls_lateness *late);

/* Its collateral, wherever it came from, against the floors of a live view. */
void atls_intel_platform_judge_floors(const atls_intel_platform *p, const atls_view *view,
                                      atls_ledger *l);

#endif
