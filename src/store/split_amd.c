#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/crl.h"
#include "crypto/pem.h"
#include "store/split.h"
#include "trust/amd_cert_table.h"
#include "trust/amd_leaf.h"
#include "trust/intel_cert.h"

/* What the items of one chip have in common. */
typedef struct chip {
    bool is_vlek;
    atls_amd_leaf facts;
} chip;

/* The first certificate of PEM text, or the one of DER. NULL: it is none. */
static atls_cert *certificate(atls_buf bytes)
{
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    atls_cert *cert = NULL;
    uint8_t *space = bytes.len > 0 ? malloc(bytes.len) : NULL;
    if (space != NULL &&
        atls_cert_split(bytes, space, bytes.len, ders, ATLS_CHAIN_MAX, &n, NULL) == ATLS_OK &&
        atls_cert_parse(ders[0], &cert, NULL) != ATLS_OK) {
        cert = NULL;
    }
    free(space);
    return cert;
}

static void name_of(const chip *c, atls_item_kind kind, char key[ATLS_ITEM_KEY_LEN])
{
    atls_item_name name = {.kind = kind, .is_vlek = c->is_vlek, .product = c->facts.product};
    memcpy(name.hwid, c->facts.hw_id, sizeof name.hwid);
    name.hwid_len = c->facts.hw_id_len;
    memcpy(name.tcb, c->facts.tcb, sizeof name.tcb);
    if (kind == ATLS_ITEM_VCEK) {
        name.is_vlek = false;
    }
    atls_item_name_format(&name, key);
}

/* Of a root that the store was given whole: hosts leave the ARK out. */
static atls_cert *root_above(const atls_store *store, const atls_cert *signer)
{
    const atls_root_set *roots = &store->roots[ATLS_FAMILY_AMD];
    for (size_t i = 0; i < roots->n; i++) {
        atls_cert *cert = roots->roots[i].cert;
        if (cert != NULL && atls_same_bytes(signer->issuer, cert->subject)) {
            return atls_cert_up_ref(cert);
        }
    }
    return NULL;
}

/* ASK or ASVK in PEM, and the ARK behind it, if there is one: *whole. */
static atls_buf write_chain(const atls_splitting *s, const atls_amd_cert_table *table,
                            atls_writer *w, bool *whole)
{
    atls_cert *signer = certificate(table->entry[ATLS_AMD_ASK]);
    atls_cert *root = certificate(table->entry[ATLS_AMD_ARK]);
    if (signer != NULL) {
        atls_pem_write(w, "CERTIFICATE", signer->der);
    }
    if (signer != NULL && root == NULL) {
        root = root_above(s->store, signer);
    }
    *whole = signer != NULL && root != NULL;
    if (*whole) {
        atls_pem_write(w, "CERTIFICATE", root->der);
    }
    atls_cert_free(signer);
    atls_cert_free(root);
    return w->failed ? (atls_buf){NULL, 0} : (atls_buf){w->ptr, w->len};
}

static atls_code take_crl(atls_splitting *s, const chip *c, atls_buf bytes)
{
    char key[ATLS_ITEM_KEY_LEN];
    uint8_t *space = bytes.len > 0 ? malloc(bytes.len) : NULL;
    if (space == NULL) {
        return bytes.len == 0 ? ATLS_OK : ATLS_ERR_NOMEM(s->err);
    }
    name_of(c, ATLS_ITEM_AMD_CRL, key);
    atls_item item = {.key = key};
    atls_code rc = ATLS_OK;
    if (atls_crl_decode(bytes, space, &item.body, NULL) == ATLS_OK) {
        rc = atls_split_take(s, &item);
    }
    free(space);
    return rc;
}

/* Alone, if that is enough to judge it: AMD's ASKs are known. Otherwise with its chain. */
static atls_code take_vcek(atls_splitting *s, const chip *c, const atls_cert *leaf, atls_buf chain)
{
    char key[ATLS_ITEM_KEY_LEN];
    atls_held *held = NULL;
    if (c->is_vlek) { /* it is the host's to hand out, and has no key of its own */
        return ATLS_OK;
    }
    name_of(c, ATLS_ITEM_VCEK, key);
    atls_item item = {.key = key, .body = leaf->der};
    ATLS_TRY(atls_split_take(s, &item));
    if (atls_store_get(s->store, key, &held) || chain.len == 0) {
        atls_held_free(held);
        return ATLS_OK;
    }
    item.chain = chain;
    return atls_split_take(s, &item);
}

static atls_code take_all(atls_splitting *s, const chip *c, const atls_amd_cert_table *table,
                          const atls_cert *leaf)
{
    char key[ATLS_ITEM_KEY_LEN];
    uint8_t pem[4 * ATLS_CERT_MAX_LEN];
    atls_writer w = atls_writer_of(pem, sizeof pem);
    bool whole = false;
    const atls_buf chain = write_chain(s, table, &w, &whole);
    if (whole) {
        name_of(c, ATLS_ITEM_AMD_CHAIN, key);
        const atls_item item = {.key = key, .body = chain};
        ATLS_TRY(atls_split_take(s, &item));
    }
    ATLS_TRY(take_crl(s, c, table->entry[ATLS_AMD_CRL]));
    return take_vcek(s, c, leaf, chain);
}

atls_code atls_split_amd(atls_splitting *s, atls_buf table_bytes, atls_buf leaf_bytes)
{
    atls_amd_cert_table table;
    if (atls_amd_cert_table_parse(table_bytes, &table, NULL) != ATLS_OK) {
        table = (atls_amd_cert_table){0};
    }
    chip c = {.is_vlek = leaf_bytes.len == 0 && table.entry[ATLS_AMD_VCEK].len == 0};
    if (leaf_bytes.len == 0) {
        leaf_bytes = table.entry[c.is_vlek ? ATLS_AMD_VLEK : ATLS_AMD_VCEK];
    }
    atls_cert *leaf = certificate(leaf_bytes);
    atls_code rc = ATLS_OK;
    if (leaf != NULL && atls_amd_leaf_read(leaf, c.is_vlek, &c.facts, NULL) == ATLS_OK) {
        rc = take_all(s, &c, &table, leaf);
    }
    atls_cert_free(leaf);
    return rc;
}
