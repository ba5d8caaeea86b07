/* inspect_collateral.c: what Intel signed: TCB levels, enclave identities, chains and CRLs. */
#include "verify/inspect.h"

#include <stdio.h>
#include <string.h>

#include "trust/tcb_info.h"

static atls_buf text_of(const json_t *v)
{
    return (atls_buf){(const uint8_t *)json_string_value(v), json_string_length(v)};
}

static void put_advisories(json_t *to, const atls_advisories *advisories)
{
    json_t *list = atls_inspect_list(to, "advisories");
    for (size_t i = 0; i < advisories->n; i++) {
        (void)json_array_append_new(list, json_string(advisories->ids[i]));
    }
}

static const char *status_name(atls_tcb_status status)
{
    const char *name = atls_tcb_status_name(status);
    return name != NULL ? name : "unknown";
}

static void put_isv_levels(json_t *to, const atls_isv_level *levels, size_t n)
{
    json_t *list = atls_inspect_list(to, "levels");
    for (size_t i = 0; i < n; i++) {
        json_t *item = atls_inspect_item(list);
        atls_inspect_number(item, "isvsvn", levels[i].isvsvn);
        atls_inspect_text(item, "status", status_name(levels[i].status));
        atls_inspect_time(item, "date", levels[i].date_s);
        put_advisories(item, &levels[i].advisories);
    }
}

static void put_tcb_levels(json_t *to, const atls_tcb_info *info)
{
    json_t *list = atls_inspect_list(to, "levels");
    for (size_t i = 0; i < info->levels_n; i++) {
        const atls_tcb_info_level *level = &info->levels[i];
        json_t *item = atls_inspect_item(list);
        atls_inspect_text(item, "status", status_name(level->status));
        atls_inspect_time(item, "date", level->date_s);
        atls_inspect_hex(item, "sgx_components", (atls_buf){level->sgx, sizeof level->sgx});
        atls_inspect_number(item, "pcesvn", level->pcesvn);
        if (info->is_tdx) {
            atls_inspect_hex(item, "tdx_components", (atls_buf){level->tdx, sizeof level->tdx});
        }
        put_advisories(item, &level->advisories);
    }
}

static void put_modules(json_t *to, const atls_tcb_info *info)
{
    atls_inspect_hex(to, "module_mrsigner",
                     (atls_buf){info->module_mrsigner, sizeof info->module_mrsigner});
    json_t *list = atls_inspect_list(to, "modules");
    for (size_t i = 0; i < info->identities_n; i++) {
        const atls_module_identity *m = &info->identities[i];
        json_t *item = atls_inspect_item(list);
        atls_inspect_number(item, "version", m->version);
        atls_inspect_hex(item, "mrsigner", (atls_buf){m->mrsigner, sizeof m->mrsigner});
        put_isv_levels(item, m->levels, m->levels_n);
    }
}

void atls_inspect_tcb_info(json_t *to, const char *name, atls_buf text)
{
    json_t *o = atls_inspect_object(to, name);
    atls_tcb_info *info = NULL;
    atls_err err = {0};
    if (atls_tcb_info_parse(text, &info, &err) != ATLS_OK) {
        atls_inspect_error(o, &err);
        return;
    }
    atls_inspect_text(o, "id", info->is_tdx ? "TDX" : "SGX");
    atls_inspect_number(o, "version", info->version);
    atls_inspect_time(o, "issued", info->issue_date_s);
    atls_inspect_time(o, "next_update", info->next_update_s);
    atls_inspect_hex(o, "fmspc", (atls_buf){info->fmspc, sizeof info->fmspc});
    atls_inspect_hex(o, "pceid", (atls_buf){info->pceid, sizeof info->pceid});
    atls_inspect_number(o, "evaluation_number", info->evaluation_number);
    if (info->is_tdx) {
        put_modules(o, info);
    }
    put_tcb_levels(o, info);
    atls_tcb_info_free(info);
}

void atls_inspect_qe_identity(json_t *to, const char *name, atls_buf text)
{
    static const char *const ids[] = {
        [ATLS_QE_ID_QE] = "QE", [ATLS_QE_ID_TD_QE] = "TD_QE", [ATLS_QE_ID_QVE] = "QVE"};
    json_t *o = atls_inspect_object(to, name);
    atls_qe_identity *q = NULL;
    atls_err err = {0};
    if (atls_qe_identity_parse(text, &q, &err) != ATLS_OK) {
        atls_inspect_error(o, &err);
        return;
    }
    atls_inspect_text(o, "id", ids[q->id]);
    atls_inspect_time(o, "issued", q->issue_date_s);
    atls_inspect_time(o, "next_update", q->next_update_s);
    atls_inspect_number(o, "evaluation_number", q->evaluation_number);
    atls_inspect_hex(o, "mrsigner", (atls_buf){q->mrsigner, sizeof q->mrsigner});
    atls_inspect_number(o, "isvprodid", q->isvprodid);
    atls_inspect_number(o, "miscselect", q->miscselect);
    atls_inspect_number(o, "miscselect_mask", q->miscselect_mask);
    atls_inspect_hex(o, "attributes", (atls_buf){q->attributes, sizeof q->attributes});
    atls_inspect_hex(o, "attributes_mask",
                     (atls_buf){q->attributes_mask, sizeof q->attributes_mask});
    put_isv_levels(o, q->levels, q->levels_n);
    atls_qe_identity_free(q);
}

static void put_chain(json_t *to, const json_t *collateral, const char *name)
{
    const json_t *pem = json_object_get(collateral, name);
    atls_err err = {0};
    if (json_is_string(pem) && atls_inspect_certificates(to, name, text_of(pem), &err) != ATLS_OK) {
        atls_inspect_error(atls_inspect_object(to, name), &err);
    }
}

void atls_inspect_collateral(json_t *to, const json_t *collateral)
{
    const json_t *v = json_object_get(collateral, "tcb_info");
    if (json_is_string(v)) {
        atls_inspect_tcb_info(to, "tcb_info", text_of(v));
    }
    v = json_object_get(collateral, "qe_identity");
    if (json_is_string(v)) {
        atls_inspect_qe_identity(to, "qe_identity", text_of(v));
    }
    v = json_object_get(collateral, "root_ca_crl");
    if (json_is_string(v)) {
        atls_inspect_crl(to, "root_ca_crl", text_of(v));
    }
    v = json_object_get(collateral, "pck_crl");
    if (json_is_string(v)) {
        atls_inspect_crl(to, "pck_crl", text_of(v));
    }
    put_chain(to, collateral, "pck_certificate_chain");
    put_chain(to, collateral, "pck_crl_issuer_chain");
    put_chain(to, collateral, "tcb_info_issuer_chain");
    put_chain(to, collateral, "qe_identity_issuer_chain");
}
