/* sim_items.h: pieces of the collateral's JSON (contract) as items, as a PCS would deliver them. */
#ifndef ATLS_TESTS_SIM_ITEMS_H
#define ATLS_TESTS_SIM_ITEMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "trust/item_judge.h"
#include <atls/sim.h>

typedef struct sim_item { /* owns what item points at */
    char key[ATLS_ITEM_KEY_LEN];
    char *chain, *body;
    size_t body_len;
    atls_item item;
} sim_item;

static inline void sim_item_point(sim_item *i)
{
    i->item = (atls_item){i->key,
                          {(const uint8_t *)i->chain, strlen(i->chain)},
                          {(const uint8_t *)i->body, i->body_len}};
}

static inline void sim_item_clear(sim_item *i)
{
    free(i->chain);
    free(i->body);
    memset(i, 0, sizeof *i);
}

static inline char *sim_text_of(const json_t *json, const char *member)
{
    const char *text = json_string_value(json_object_get(json, member));
    return strdup(text != NULL ? text : "");
}

/* {"MEMBER":text,"signature":"..."} */
static inline void sim_item_signed(sim_item *i, const json_t *json, const char *name,
                                   const char *member)
{
    char signature_member[64];
    char chain_member[64];
    (void)snprintf(signature_member, sizeof signature_member, "%s_signature", name);
    (void)snprintf(chain_member, sizeof chain_member, "%s_issuer_chain", name);
    char *text = sim_text_of(json, name);
    char *signature = sim_text_of(json, signature_member);
    const size_t cap = strlen(text) + strlen(signature) + 64;
    i->body = malloc(cap);
    i->body_len =
        (size_t)snprintf(i->body, cap, "{\"%s\":%s,\"signature\":\"%s\"}", member, text, signature);
    i->chain = sim_text_of(json, chain_member);
    free(text);
    free(signature);
}

/* CRLs stand there in hex, or in PEM (older vectors): then the body stays empty. */
static inline void sim_item_crl(sim_item *i, const json_t *json, const char *member,
                                const char *chain_member)
{
    char *hex = sim_text_of(json, member);
    i->body = malloc(strlen(hex) + 1);
    if (!atls_hex_decode(hex, strlen(hex), (uint8_t *)i->body, strlen(hex), &i->body_len)) {
        i->body_len = 0;
    }
    i->chain = sim_text_of(json, chain_member);
    free(hex);
}

/* What that key's kind is made of. */
static inline void sim_item_of(const char *json_text, const char *key, sim_item *i)
{
    json_t *json = json_loads(json_text, 0, NULL);
    memset(i, 0, sizeof *i);
    (void)snprintf(i->key, sizeof i->key, "%s", key);
    if (strncmp(key, "intel/tcb/", 10) == 0) {
        sim_item_signed(i, json, "tcb_info", "tcbInfo");
    } else if (strncmp(key, "intel/qe/", 9) == 0) {
        sim_item_signed(i, json, "qe_identity", "enclaveIdentity");
    } else if (strncmp(key, "intel/pckcrl/", 13) == 0) {
        sim_item_crl(i, json, "pck_crl", "pck_crl_issuer_chain");
    } else if (strcmp(key, "intel/rootcrl") == 0) {
        sim_item_crl(i, json, "root_ca_crl", "none");
    } else {
        i->body = sim_text_of(json, "pck_certificate_chain");
        i->body_len = strlen(i->body);
        i->chain = strdup("");
    }
    json_decref(json);
    sim_item_point(i);
}

/* The same of a simulator's collateral; a key intel/TEE-free is taken from TDX's. */
static inline void sim_item_from(const atls_sim *sim, const char *key, sim_item *i)
{
    char *json = NULL;
    const bool sgx = strstr(key, "/sgx") != NULL;
    if (atls_sim_collateral(sim, sgx ? "sgx" : "tdx", &json, NULL) != ATLS_OK) {
        abort();
    }
    sim_item_of(json, key, i);
    atls_free(json);
}

#endif
