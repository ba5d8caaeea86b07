/* item_judge.h: does an item hold by itself: is it what its key says, signed by whom it must be, under a trusted root? */
#ifndef ATLS_TRUST_ITEM_JUDGE_H
#define ATLS_TRUST_ITEM_JUDGE_H

#include "trust/item.h"
#include "trust/root.h"

typedef struct atls_item_facts {
    uint8_t root_sha256[32]; /* zero: none (JWK set) */
    bool simulated;
    bool has_number;
    uint64_t number;
    int64_t issued_s, next_update_s; /* as in atls_item_status */
    int64_t expires_s;               /* the first end among it and its chain */
} atls_item_facts;

/* Form, name, chain, signature; not times. Ids are those of a verification where the check is the same ("tcb_info.signature",
 * "pck_crl.issuer", ...), and "item.name" where the body is for something else than the key says, "item.chain" for certificates that do not belong there.
 * ATLS_E_INVALID; a chain that is missing, as in a verification, ATLS_E_COLLATERAL ("tcb_info.chain.missing", "snp.ca.missing"); a
 * chain under another root is that check's failure too. Root CRLs, PCK certificates (the chain is the body), AMD's chains and
 * JWK sets have no chain beside them; a VCEK and an AMD CRL may (a simulator's ASK). The order of Intel's certificates does not matter,
 * as in a verification; AMD's chain is ASK or ASVK, then ARK. A JWK set is judged by its form only: who gave it decides. */
ATLS_MUST_USE atls_code atls_item_judge(const atls_root_set roots[ATLS_FAMILIES],
                                        const atls_item *item, atls_item_facts *out, atls_err *err);

/* In its time? ATLS_E_COLLATERAL "item.expired" / "item.future" (five minutes ahead are allowed). */
ATLS_MUST_USE atls_code atls_item_judge_time(const char *key, const atls_item_facts *facts,
                                             int64_t when_s, atls_err *err);

#endif
