/* cca_anchors.h: the keys of Arm CCA platforms (CPAK) that the caller vouches for, as Veraison writes them: a JSON array
 * of {"instance-id", "implementation-id" (hexadecimal), "pkey" (a JWK of an EC key)}. */
#ifndef ATLS_TRUST_CCA_ANCHORS_H
#define ATLS_TRUST_CCA_ANCHORS_H

#include "trust/endorsements.h"

/* Their kind of endorsement is atls_endorsement_cca_anchors. ATLS_E_INVALID "endorsement.cca": not that form;
 * "endorsement.cca_key": no key on P-256, P-384 or P-521, off its curve, or a private one; "endorsement.cca_twice": two
 * keys for one platform. */

/* The key of that platform, lent; NULL: nobody vouches for one. 33 and 32 bytes. */
atls_public_key *atls_cca_anchor_find(const atls_endorsements *e, atls_buf instance_id,
                                      atls_buf implementation_id);

#endif
