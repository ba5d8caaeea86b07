/* staple.c: what a store holds for evidence, put beside it by the side that makes it. */
#include <atls/store.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"

#define PART      "collateral"
#define SIGNATURE 128 /* hex digits */
#define PARTS_MAX                                                                                  \
    (sizeof((atls_evidence_blob *)0)->parts / sizeof((atls_evidence_blob *)0)->parts[0])

static bool set_text(json_t *out, const char *name, const char *end, atls_buf text)
{
    char member[64];
    (void)snprintf(member, sizeof member, "%s%s", name, end);
    return json_object_set_new(out, member, json_stringn((const char *)text.ptr, text.len)) == 0;
}

/* {"INNER":TEXT,"signature":"HEX"} taken apart again; TEXT byte for byte. */
static bool add_signed(json_t *out, const char *name, const char *inner, const atls_item *item)
{
    atls_buf text;
    atls_buf signature;
    return atls_json_member_bytes(item->body, inner, &text) &&
           atls_json_member_bytes(item->body, "signature", &signature) &&
           signature.len == SIGNATURE + 2 && set_text(out, name, "", text) &&
           set_text(out, name, "_signature", (atls_buf){signature.ptr + 1, SIGNATURE}) &&
           set_text(out, name, "_issuer_chain", item->chain);
}

static bool add_crl(json_t *out, const char *name, const atls_item *item)
{
    char *hex = malloc(2 * item->body.len + 1);
    if (hex == NULL) {
        return false;
    }
    atls_hex_encode(item->body, hex);
    const bool ok = set_text(out, name, "", (atls_buf){(const uint8_t *)hex, 2 * item->body.len}) &&
                    (item->chain.len == 0 || set_text(out, name, "_issuer_chain", item->chain));
    free(hex);
    return ok;
}

static bool add_item(json_t *out, const atls_item *item)
{
    const char *key = item->key;
    if (strncmp(key, "intel/tcb/", 10) == 0) {
        return add_signed(out, "tcb_info", "tcbInfo", item);
    }
    if (strncmp(key, "intel/qe/", 9) == 0) {
        return add_signed(out, "qe_identity", "enclaveIdentity", item);
    }
    if (strncmp(key, "intel/pckcrl/", 13) == 0) {
        return add_crl(out, "pck_crl", item);
    }
    return strcmp(key, "intel/rootcrl") == 0
               ? add_crl(out, "root_ca_crl", item)
               : set_text(out, "pck_certificate_chain", "", item->body);
}

/* NULL: an item has gone, or there is no memory. */
static char *collateral_of(const atls_store *store, const atls_needs *needs)
{
    json_t *out = json_object();
    bool ok = out != NULL;
    for (size_t i = 0; ok && i < needs->n; i++) {
        atls_held *held = NULL;
        atls_item item;
        ok = atls_store_get(store, needs->keys[i], &held);
        if (ok) {
            atls_held_item(held, &item);
            ok = add_item(out, &item);
        }
        atls_held_free(held);
    }
    char *text = ok ? atls_json_write(out, JSON_COMPACT) : NULL;
    json_decref(out);
    return text;
}

static bool is_intels(const atls_evidence_blob *blob)
{
    return strcmp(blob->type, "tdx") == 0 || strcmp(blob->type, "sgx") == 0;
}

bool atls_store_staple(const atls_store *store, int64_t when_s, atls_evidence_blob *blob)
{
    atls_evidence evidence = {.type = blob->type, .parts_n = blob->parts_n};
    atls_needs needs;
    if (!is_intels(blob) || blob->parts_n >= PARTS_MAX || blob->parts_n >= ATLS_EVIDENCE_PARTS) {
        return false;
    }
    for (size_t i = 0; i < blob->parts_n; i++) {
        if (strcmp(blob->parts[i].name, PART) == 0) {
            return false;
        }
        evidence.parts[i].name = blob->parts[i].name;
        evidence.parts[i].bytes = (atls_buf){blob->parts[i].bytes, blob->parts[i].len};
    }
    atls_store_needs(store, &evidence, &needs);
    atls_needs lacking = needs;
    atls_store_reduce_needs(store, &lacking, when_s);
    char *json = needs.n < 4 || lacking.n > 0 ? NULL : collateral_of(store, &needs);
    if (json == NULL) {
        return false;
    }
    memcpy(blob->parts[blob->parts_n].name, PART, sizeof PART);
    blob->parts[blob->parts_n].bytes = (uint8_t *)json;
    blob->parts[blob->parts_n++].len = strlen(json);
    return true;
}
