#include "trust/item_judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "trust/item_judging.h"
#include "trust/jwks.h"

#define FUTURE_LEEWAY_S 300

bool atls_item_check(const atls_item_judging *g, const char *id, bool good, const char *found,
                     const char *wanted)
{
    return atls_judge(g->j, id, good, ATLS_E_INVALID, found, wanted);
}

bool atls_item_check_name(const atls_item_judging *g, bool good, const char *found)
{
    return atls_item_check(g, "item.name", good, found, "what its key says");
}

uint8_t *atls_item_split(const atls_item_judging *g, atls_buf text, atls_collateral_chain *out)
{
    *out = (atls_collateral_chain){.present = text.len > 0};
    if (text.len == 0 || text.len > ATLS_ITEM_CHAIN_MAX) {
        return NULL;
    }
    uint8_t *space = malloc(text.len);
    if (space == NULL) {
        atls_ledger_no_memory(g->j->l);
        return NULL;
    }
    out->readable = text.ptr[0] != 0x30 &&
                    atls_judging_taken(g->j, atls_cert_split(text, space, text.len, out->ders,
                                                             ATLS_CHAIN_MAX, &out->n, NULL));
    return space;
}

void atls_item_note_root(const atls_item_judging *g, const atls_root *root)
{
    memcpy(g->facts->root_sha256, root->sha256, sizeof g->facts->root_sha256);
    g->facts->simulated = g->facts->simulated || root->simulated;
    if (root->not_after_s < g->facts->expires_s) {
        g->facts->expires_s = root->not_after_s;
    }
}

void atls_item_note_cert(const atls_item_judging *g, const atls_cert *cert)
{
    g->facts->simulated = g->facts->simulated || strcmp(cert->subject_o, ATLS_SIMULATOR_O) == 0;
    if (cert->not_after_s < g->facts->expires_s) {
        g->facts->expires_s = cert->not_after_s;
    }
}

void atls_item_note_times(const atls_item_judging *g, int64_t issued_s, int64_t next_update_s)
{
    g->facts->issued_s = issued_s;
    g->facts->next_update_s = next_update_s;
    if (next_update_s < g->facts->expires_s) {
        g->facts->expires_s = next_update_s;
    }
}

void atls_item_note_number(const atls_item_judging *g, uint64_t number)
{
    g->facts->has_number = true;
    g->facts->number = number;
}

/* Nobody has signed it: it is what its origin says. */
static atls_code judge_jwks(const atls_item *item, atls_err *err)
{
    atls_endorsements keys = {0};
    atls_buf value;
    if (atls_json_member_bytes(item->body, "kty", &value)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "jwks.key", "one JWK, where a set of them is wanted");
    }
    atls_code rc = atls_endorsement_jwks.add(&keys, item->body, err);
    atls_endorsements_clear(&keys);
    return rc;
}

/* Kinds whose chain is their body, or who have none. */
static bool has_chain(atls_item_kind kind)
{
    return kind != ATLS_ITEM_ROOT_CRL && kind != ATLS_ITEM_PCK_CERT &&
           kind != ATLS_ITEM_AMD_CHAIN && kind != ATLS_ITEM_JWKS;
}

static atls_code refuse(const atls_ledger *l, const atls_entry *e, atls_err *err)
{
    char found[ATLS_ERR_MSG_LEN];
    char wanted[80];
    atls_value_print(l, &e->found, found, sizeof found);
    atls_value_print(l, &e->wanted, wanted, sizeof wanted);
    if (e->found.kind == ATLS_VALUE_NOTE && e->wanted.kind == ATLS_VALUE_NONE) {
        /* a decoder's own sentence */
        return ATLS_ERR(err, e->code, e->id, "%s", found);
    }
    return ATLS_ERR(err, e->code, e->id, "found %s%s%s",
                    found[0] == '\0' ? "something else" : found,
                    wanted[0] == '\0' ? "" : ", where it must be ", wanted);
}

/* Ok only if there is an entry, and every one is ok. */
static atls_code conclude(const atls_ledger *l, atls_err *err)
{
    if (l->no_memory) {
        return ATLS_ERR_NOMEM(err);
    }
    const atls_entry *e = atls_ledger_deciding(l);
    if (e != NULL) {
        return refuse(l, e, err);
    }
    return atls_ledger_code(l) == ATLS_OK
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "item.name", "a part of it could not be judged");
}

atls_code atls_item_judge(const atls_root_set roots[ATLS_FAMILIES], const atls_item *item,
                          atls_item_facts *out, atls_err *err)
{
    atls_item_name name;
    ATLS_TRY(atls_item_name_parse(item->key, &name, err));
    if (item->body.len > ATLS_ITEM_BODY_MAX || item->chain.len > ATLS_ITEM_CHAIN_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.form", "an item that is longer than any is");
    }
    if (item->chain.len > 0 && !has_chain(name.kind)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "item.chain",
                        "certificates beside an item of a kind that has none beside it");
    }
    atls_item_facts facts = {.next_update_s = INT64_MAX, .expires_s = INT64_MAX};
    if (name.kind == ATLS_ITEM_JWKS) {
        ATLS_TRY(judge_jwks(item, err));
        *out = facts;
        return ATLS_OK;
    }
    atls_ledger ledger;
    unsigned signatures = 0;
    const atls_judging j = {&ledger, &signatures};
    const atls_family family = atls_item_family(name.kind);
    const atls_item_judging g = {&j, &roots[family], item, &name, &facts};
    atls_ledger_init(&ledger);
    ledger.copies = true; /* certificates are gone before the refusal is told */
    if (family == ATLS_FAMILY_AMD) {
        atls_item_judge_amd(&g);
    } else {
        atls_item_judge_intel(&g);
    }
    ATLS_TRY(conclude(&ledger, err));
    *out = facts;
    return ATLS_OK;
}

atls_code atls_item_judge_time(const char *key, const atls_item_facts *facts, int64_t when_s,
                               atls_err *err)
{
    char text[ATLS_TIME_TEXT_LEN];
    if (when_s > facts->expires_s) {
        atls_time_format(facts->expires_s, text);
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "item.expired",
                        "%.120s ended at %s: fetch it anew, or look at the clock", key, text);
    }
    if (facts->issued_s > FUTURE_LEEWAY_S && when_s < facts->issued_s - FUTURE_LEEWAY_S) {
        atls_time_format(facts->issued_s, text);
        return ATLS_ERR(err, ATLS_E_COLLATERAL, "item.future",
                        "%.120s is of %s, which is still ahead: look at the clock", key, text);
    }
    return ATLS_OK;
}
