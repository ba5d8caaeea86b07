/* amd_chain.h: from a VCEK or VLEK up to the ARK of its product, link by link, and AMD's revocation list.
 *
 * The ARK is one of the verifier's roots, never one that came with the evidence. ASK and ASVK are those that stand in
 * this library, or come with evidence or endorsements and are signed by such an ARK. Checked: names, algorithms
 * (RSASSA-PSS with SHA-384), kinds and sizes of keys, that the ASK may sign, each signature, the leaf's extensions.
 * Not checked: that AMD made this leaf for this report, which is the caller's comparison. */
#ifndef ATLS_TRUST_AMD_CHAIN_H
#define ATLS_TRUST_AMD_CHAIN_H

#include "trust/amd_cert_table.h"
#include "trust/amd_leaf.h"
#include "trust/intel_cert.h"
#include "trust/judging.h"
#include "trust/kept.h"
#include "trust/root.h"
#include "trust/view.h"

struct atls_trust;

/* Immutable once judged; freed with atls_kept_free. */
typedef struct atls_amd_chain {
    atls_kept kept;
    bool is_vlek;
    bool has_facts; /* the leaf's extensions could be read, whoever signed them */
    atls_amd_leaf facts;
    atls_public_key *key; /* the leaf's; NULL: nothing vouches for it */
    atls_window leaf_window, ca_window, root_window;
    bool has_root; /* what follows is of the chain's own root */
    char root_cn[128];
    uint8_t root_sha256[32];
    bool root_marked; /* its own name is a simulator's */
    atls_public_key *root_key;
    uint8_t ca_serial[20]; /* big endian, without leading zeros */
    size_t ca_serial_len;
    bool simulated, custom_root;
    atls_replay replay;
} atls_amd_chain;

/* Judges the leaf (DER or PEM) as one that the report's SIGNER_INFO wants; from the cache if it and what came with it
 * was judged good before. Every check but times and revocation goes to j. ATLS_E_SYSTEM only. */
ATLS_MUST_USE atls_code atls_amd_chain_judge(const struct atls_trust *trust, const atls_view *view,
                                             atls_buf leaf, bool is_vlek,
                                             const atls_amd_cert_table *table,
                                             const atls_judging *j, atls_amd_chain **out,
                                             atls_err *err);

/* The same under these roots, with an ASK or ASVK (PEM or DER; empty: one that stands in this library), and no cache. */
ATLS_MUST_USE atls_code atls_amd_chain_judge_under(const atls_root_set *roots, atls_buf leaf,
                                                   bool is_vlek, atls_buf ask,
                                                   const atls_judging *j, atls_amd_chain **out,
                                                   atls_err *err);

/* Is ca an ASK or ASVK under this ARK of ours? Its own name is for the caller to look at. */
bool atls_amd_ca_judge(const atls_judging *j, const atls_cert *ca, const atls_root *root);

/* Is the time inside each certificate's validity? Begins of the leaf may be 5 minutes ahead: AMD makes it on demand. */
void atls_amd_chain_judge_times(const atls_amd_chain *c, int64_t when_s, atls_ledger *l);

/* Is the list by its name that of an ARK with this name, marked as a simulator's or not? Needs no memory. */
bool atls_amd_crl_is_of(const atls_crl *crl, const char *root_cn, bool root_marked);
/* A whole list, and signed with that ARK's key? */
bool atls_amd_crl_holds(const atls_judging *j, const atls_crl *crl, atls_public_key *root_key);

/* The lists of this chain's ARK, in the table, among the endorsements and on the shelf: a list that names the ASK or ASVK
 * condemns it whatever its age; checked is set when one that is in date does not, and is not below its floor. No list
 * at all writes nothing. Narrows expires_s to the end of the list that counted; one of the shelf's that is late by
 * late_s (see view.h) counts when there is no better. */
typedef struct atls_amd_crl_result {
    bool checked;
    int64_t expires_s, late_s;
} atls_amd_crl_result;
void atls_amd_crl_judge(const struct atls_trust *trust, const atls_view *view,
                        const atls_amd_chain *c, const atls_amd_cert_table *table, int64_t when_s,
                        const atls_judging *j, atls_amd_crl_result *result);

#endif
