/* item_judging.h: what the judges of Intel's and of AMD's items share. */
#ifndef ATLS_TRUST_ITEM_JUDGING_H
#define ATLS_TRUST_ITEM_JUDGING_H

#include "trust/collateral.h"
#include "trust/item_judge.h"
#include "trust/judging.h"

typedef struct atls_item_judging {
    const atls_judging *j;
    const atls_root_set *roots; /* of the item's family */
    const atls_item *item;
    const atls_item_name *name;
    atls_item_facts *facts;
} atls_item_judging;

/* Each writes to the ledger what it finds, and fills the facts; an item holds if every entry is ok. */
void atls_item_judge_intel(const atls_item_judging *g);
void atls_item_judge_amd(const atls_item_judging *g);

/* A failure that makes it invalid, or ok. */
bool atls_item_check(const atls_item_judging *g, const char *id, bool good, const char *found,
                     const char *wanted);
/* Check "item.name": is it for what the key says? */
bool atls_item_check_name(const atls_item_judging *g, bool good, const char *found);

/* PEM certificates and nothing else, at most ATLS_ITEM_CHAIN_MAX bytes: present, unless text is empty, and readable if they are
 * that. Views into the result, which the caller frees (NULL: empty, too long, or no memory). */
uint8_t *atls_item_split(const atls_item_judging *g, atls_buf text, atls_collateral_chain *out);

void atls_item_note_root(const atls_item_judging *g, const atls_root *root);
void atls_item_note_cert(const atls_item_judging *g, const atls_cert *cert);
void atls_item_note_times(const atls_item_judging *g, int64_t issued_s, int64_t next_update_s);
void atls_item_note_number(const atls_item_judging *g, uint64_t number);

#endif
