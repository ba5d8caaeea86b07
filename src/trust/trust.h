/* trust.h: what a verifier trusts and has at hand: roots, collateral, and caches of what was judged good.
 * Set up by one thread; afterwards only the caches change, and any number of threads may use it. */
#ifndef ATLS_TRUST_TRUST_H
#define ATLS_TRUST_TRUST_H

#include "trust/endorsements.h"
#include "trust/intel_snapshot.h"
#include "trust/kept.h"
#include "trust/platform_cache.h"
#include "trust/root.h"
#include <atls/verifier.h>

#define ATLS_COLLATERALS_MAX 1024

typedef struct atls_trust atls_trust;

struct atls_trust {
    atls_root_set roots[ATLS_FAMILIES];
    atls_collateral *collaterals[ATLS_COLLATERALS_MAX];
    size_t collaterals_n;
    struct atls_snapshot_slots *snapshots; /* one a collateral */
    atls_platform_cache *platforms;
    atls_kept_cache *kept; /* of the other families */
    atls_endorsements endorsements;
    bool takes_dummy; /* evidence that proves nothing: the caller said so */
};

atls_trust *atls_trust_new(void); /* with the pinned roots; NULL: no memory */
void atls_trust_free(atls_trust *t);

/* The roots of that family: the vendor's, or the user's in their place, and simulators' beside them. */
const atls_root_set *atls_trust_roots(const atls_trust *t, atls_family family);

/* Each of these forgets what was cached. */
ATLS_MUST_USE atls_code atls_trust_set1_root(atls_trust *t, atls_family family, atls_buf certs,
                                             atls_err *err);
ATLS_MUST_USE atls_code atls_trust_add1_simulator(atls_trust *t, atls_buf certs, atls_err *err);
ATLS_MUST_USE atls_code atls_trust_add1_collateral(atls_trust *t, const atls_collateral *collateral,
                                                   atls_err *err);
ATLS_MUST_USE atls_code atls_trust_add1_endorsement(atls_trust *t, atls_buf bytes, atls_err *err);
void atls_trust_drop_caches(atls_trust *t);

/* The collateral that fits best by what it claims to be for: TEE first, then FMSPC (NULL: not known), then
 * the issuer of its PCK CRL (DER of a name; may be empty); of equals the one added last. Its place, or
 * ATLS_COLLATERALS_MAX when there is none at all. */
size_t atls_trust_choose(const atls_trust *t, bool is_tdx, const uint8_t *fmspc,
                         atls_buf pck_issuer);

/* The trusted root that its own chain shows, or any: where no platform tells under which to judge it. */
const atls_root *atls_trust_root_of(const atls_trust *t, const atls_collateral *collateral,
                                    const atls_judging *j);

/* Collateral i judged under root, from the cache or anew (then cached if all of it held). The caller frees
 * *out. Writes every check to j either way. */
ATLS_MUST_USE atls_code atls_trust_snapshot(const atls_trust *t, size_t i, const atls_root *root,
                                            atls_cert *root_cert, const atls_judging *j,
                                            atls_intel_snapshot **out, atls_err *err);

#endif
