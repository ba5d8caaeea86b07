#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/json.h"
#include "crypto/crl.h"
#include "crypto/x509_name.h"
#include "store/split.h"
#include "trust/collateral.h"

atls_code atls_split_take(atls_splitting *s, const atls_item *item)
{
    bool is_new = false;
    atls_err why = {0};
    const atls_code rc = atls_store_offer(s->store, item, s->origin, &is_new, &why);
    if (rc == ATLS_E_SYSTEM) {
        if (s->err != NULL) {
            *s->err = why;
        }
        return rc;
    }
    s->taken += is_new ? 1u : 0u;
    s->good += rc == ATLS_OK ? 1u : 0u;
    if (rc != ATLS_OK && s->left.check == NULL) {
        s->left = why;
        s->left.code = rc;
    }
    return ATLS_OK;
}

static atls_buf text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value)
               ? (atls_buf){(const uint8_t *)json_string_value(value), json_string_length(value)}
               : (atls_buf){NULL, 0};
}

/* --- TCB info and QE identity --- */

static void to_lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text = (char)(*text - 'A' + 'a');
        }
    }
}

/* What a body claims to be for, as a key. False: it says nothing that could be one. */
static bool key_of_text(const json_t *body, bool is_tcb_info, char key[ATLS_ITEM_KEY_LEN])
{
    const char *id = json_string_value(json_object_get(body, "id"));
    const char *fmspc = json_string_value(json_object_get(body, "fmspc"));
    const bool is_tdx = id != NULL && (strcmp(id, "TDX") == 0 || strcmp(id, "TD_QE") == 0);
    const char *tee = is_tdx ? "tdx" : "sgx";
    if (!is_tcb_info) {
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/qe/%s", tee);
        return true;
    }
    if (fmspc == NULL || strlen(fmspc) != 12) {
        return false;
    }
    char lower[13];
    memcpy(lower, fmspc, sizeof lower);
    to_lower(lower);
    (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/tcb/%s/%s", tee, lower);
    return true;
}

/* {"NAME":TEXT,"signature":"HEX"}, as the service delivers it. */
static atls_code take_body(atls_splitting *s, const char *key, const char *name, atls_buf text,
                           atls_buf signature, atls_buf chain)
{
    const size_t cap = strlen(name) + text.len + signature.len + 32;
    char *body = malloc(cap);
    if (body == NULL) {
        return ATLS_ERR_NOMEM(s->err);
    }
    atls_writer w = atls_writer_of((uint8_t *)body, cap);
    const char *const marks[] = {"{\"", "\":", ",\"signature\":\"", "\"}"};
    const atls_buf parts[] = {{(const uint8_t *)name, strlen(name)}, text, signature, {NULL, 0}};
    for (size_t i = 0; i < 4; i++) {
        atls_writer_bytes(&w, (atls_buf){(const uint8_t *)marks[i], strlen(marks[i])});
        atls_writer_bytes(&w, parts[i]);
    }
    const atls_item item = {key, chain, {w.ptr, w.len}};
    atls_code rc = w.failed ? ATLS_OK : atls_split_take(s, &item);
    free(body);
    return rc;
}

static atls_code take_signed_text(atls_splitting *s, const json_t *object, bool is_tcb_info)
{
    const atls_buf text = text_of(object, is_tcb_info ? "tcb_info" : "qe_identity");
    const atls_buf signature =
        text_of(object, is_tcb_info ? "tcb_info_signature" : "qe_identity_signature");
    const atls_buf chain =
        text_of(object, is_tcb_info ? "tcb_info_issuer_chain" : "qe_identity_issuer_chain");
    json_t *body = NULL;
    char key[ATLS_ITEM_KEY_LEN];
    if (text.len == 0 || signature.len != 128) {
        return ATLS_OK;
    }
    atls_code rc = atls_json_parse(text, ATLS_SIGNED_TEXT_MAX, "collateral.json", &body, NULL);
    if (rc != ATLS_OK) {
        return rc == ATLS_E_SYSTEM ? ATLS_ERR_NOMEM(s->err) : ATLS_OK;
    }
    const bool named = key_of_text(body, is_tcb_info, key);
    json_decref(body);
    return named ? take_body(s, key, is_tcb_info ? "tcbInfo" : "enclaveIdentity", text, signature,
                             chain)
                 : ATLS_OK;
}

/* --- CRLs --- */

static bool is_of_processor_ca(atls_buf der)
{
    atls_crl *crl = NULL;
    char cn[128] = "";
    if (atls_crl_parse(der, &crl, NULL) != ATLS_OK) {
        return false;
    }
    (void)atls_x509_name_one(crl->issuer, "CN", cn, sizeof cn);
    atls_crl_free(crl);
    return strstr(cn, "Processor") != NULL;
}

static atls_code take_crl(atls_splitting *s, const json_t *object, bool is_root)
{
    const atls_buf text = text_of(object, is_root ? "root_ca_crl" : "pck_crl");
    if (text.len == 0) {
        return ATLS_OK;
    }
    uint8_t *space = malloc(text.len);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(s->err);
    }
    atls_item item = {.key = "intel/rootcrl"};
    atls_code rc = ATLS_OK;
    if (atls_crl_decode(text, space, &item.body, NULL) == ATLS_OK) {
        if (!is_root) {
            item.key =
                is_of_processor_ca(item.body) ? "intel/pckcrl/processor" : "intel/pckcrl/platform";
            item.chain = text_of(object, "pck_crl_issuer_chain");
        }
        rc = atls_split_take(s, &item);
    }
    free(space);
    return rc;
}

/* --- all --- */

static atls_code take_members(atls_splitting *s, const json_t *object)
{
    ATLS_TRY(take_crl(s, object, true));
    ATLS_TRY(take_crl(s, object, false));
    ATLS_TRY(take_signed_text(s, object, true));
    return take_signed_text(s, object, false);
}

atls_code atls_split_json(atls_splitting *s, atls_buf json)
{
    json_t *object = NULL;
    ATLS_TRY(atls_json_parse(json, ATLS_COLLATERAL_MAX_LEN, "collateral.json", &object, s->err));
    atls_code rc = json_is_object(object) ? take_members(s, object)
                                          : ATLS_ERR(s->err, ATLS_E_INVALID, "collateral.json",
                                                     "an array, where one JSON object is wanted");
    json_decref(object);
    return rc;
}
