/* inspect_certificate.c: certificates with Intel's SGX extension, and CRLs. */
#include "verify/inspect.h"

#include <stdlib.h>

#include "base/err.h"
#include "crypto/cert.h"
#include "crypto/crl.h"
#include "crypto/x509_name.h"
#include "trust/pck.h"

#define CRL_SERIALS_SHOWN 64

static void put_name(json_t *to, const char *member, atls_buf der)
{
    char *text = atls_x509_name_text(der);
    if (text != NULL) {
        atls_inspect_text(to, member, text);
    } else {
        atls_inspect_hex(to, member, der);
    }
    free(text);
}

static void put_sgx_extension(json_t *to, atls_buf value)
{
    static const char *const types[] = {"standard", "scalable", "scalable with integrity"};
    json_t *x = atls_inspect_object(to, "sgx_extension");
    atls_pck_extension p;
    atls_err err = {0};
    if (atls_pck_extension_parse(value, &p, &err) != ATLS_OK) {
        atls_inspect_error(x, &err);
        return;
    }
    atls_inspect_hex(x, "ppid", (atls_buf){p.ppid, sizeof p.ppid});
    atls_inspect_hex(x, "fmspc", (atls_buf){p.fmspc, sizeof p.fmspc});
    atls_inspect_hex(x, "pceid", (atls_buf){p.pceid, sizeof p.pceid});
    atls_inspect_hex(x, "tcb_components", (atls_buf){p.svn.sgx, sizeof p.svn.sgx});
    atls_inspect_number(x, "pcesvn", p.svn.pcesvn);
    atls_inspect_hex(x, "cpusvn", (atls_buf){p.cpusvn, sizeof p.cpusvn});
    atls_inspect_text(x, "sgx_type", p.sgx_type < 3 ? types[p.sgx_type] : "unknown");
    if (p.has_platform) {
        atls_inspect_hex(x, "platform_instance_id",
                         (atls_buf){p.instance_id, sizeof p.instance_id});
        atls_inspect_bool(x, "dynamic_platform", p.dynamic_platform);
        atls_inspect_bool(x, "cached_keys", p.cached_keys);
        atls_inspect_bool(x, "smt_enabled", p.smt_enabled);
    }
}

static void put_key_usage(json_t *to, const atls_cert *c)
{
    json_t *list = atls_inspect_list(to, "key_usage");
    if (c->ku_digital_signature) {
        (void)json_array_append_new(list, json_string("digitalSignature"));
    }
    if (c->ku_cert_sign) {
        (void)json_array_append_new(list, json_string("keyCertSign"));
    }
    if (c->ku_crl_sign) {
        (void)json_array_append_new(list, json_string("cRLSign"));
    }
}

static void put_cert(json_t *to, const atls_cert *c)
{
    put_name(to, "subject", c->subject);
    put_name(to, "issuer", c->issuer);
    atls_inspect_hex(to, "serial", (atls_buf){c->serial, c->serial_len});
    atls_inspect_time(to, "not_before", c->not_before_s);
    atls_inspect_time(to, "not_after", c->not_after_s);
    atls_inspect_bool(to, "signed_with_ecdsa_sha256", c->signed_ecdsa_sha256);
    if (c->has_p256) {
        atls_inspect_hex(to, "p256_key", (atls_buf){c->p256, sizeof c->p256});
    } else {
        atls_inspect_hex(to, "subject_public_key_info", c->spki);
    }
    if (c->has_basic_constraints) {
        atls_inspect_bool(to, "ca", c->is_ca);
    }
    if (c->has_key_usage) {
        put_key_usage(to, c);
    }
    atls_inspect_hex(to, "sha256", (atls_buf){c->sha256, sizeof c->sha256});
    if (c->sgx_extension.len > 0) {
        put_sgx_extension(to, c->sgx_extension);
    }
}

atls_code atls_inspect_certificates(json_t *to, const char *name, atls_buf pem_or_der,
                                    atls_err *err)
{
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    uint8_t *space = malloc(pem_or_der.len + 1);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc =
        atls_cert_split(pem_or_der, space, pem_or_der.len, ders, ATLS_CHAIN_MAX, &n, err);
    json_t *list = rc == ATLS_OK ? atls_inspect_list(to, name) : NULL;
    for (size_t i = 0; rc == ATLS_OK && i < n; i++) {
        json_t *item = atls_inspect_item(list);
        atls_cert *cert = NULL;
        atls_err inner = {0};
        if (atls_cert_parse(ders[i], &cert, &inner) == ATLS_OK) {
            put_cert(item, cert);
        } else {
            atls_inspect_error(item, &inner);
        }
        atls_cert_free(cert);
    }
    free(space);
    return rc;
}

static void put_crl(json_t *to, const atls_crl *crl)
{
    put_name(to, "issuer", crl->issuer);
    if (crl->has_number) {
        atls_inspect_number(to, "number", crl->number);
    }
    atls_inspect_time(to, "this_update", crl->this_update_s);
    if (crl->next_update_s != INT64_MIN) {
        atls_inspect_time(to, "next_update", crl->next_update_s);
    }
    atls_inspect_number(to, "revoked", crl->serials_n);
    json_t *list = atls_inspect_list(to, "serials");
    for (size_t i = 0; i < crl->serials_n && i < CRL_SERIALS_SHOWN; i++) {
        json_t *holder = json_object();
        atls_inspect_hex(holder, "s", (atls_buf){crl->serials[i].bytes, crl->serials[i].len});
        (void)json_array_append(list, json_object_get(holder, "s"));
        json_decref(holder);
    }
}

void atls_inspect_crl(json_t *to, const char *name, atls_buf bytes)
{
    json_t *o = atls_inspect_object(to, name);
    atls_err err = {0};
    atls_buf der;
    atls_crl *crl = NULL;
    uint8_t *space = malloc(bytes.len + 1);
    if (space == NULL) {
        return;
    }
    if (atls_crl_decode(bytes, space, &der, &err) == ATLS_OK &&
        atls_crl_parse(der, &crl, &err) == ATLS_OK) {
        put_crl(o, crl);
    } else {
        atls_inspect_error(o, &err);
    }
    atls_crl_free(crl);
    free(space);
}
