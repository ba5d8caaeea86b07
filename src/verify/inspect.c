/* inspect.c: what are these bytes? One decoder for each thing that we know. */
#include "verify/inspect.h"

#include <string.h>

#include <atls/bundle.h>

#include "base/err.h"
#include "codec/json.h"
#include "crypto/crl.h"
#include "crypto/pem.h"

#define INSPECT_MAX ((size_t)4 * 1024 * 1024)
#define NOTE        "decoded only: no signature was checked, nothing here is a trust decision"

static bool is_json(atls_buf bytes)
{
    size_t i = 0;
    while (i < bytes.len && (bytes.ptr[i] == ' ' || bytes.ptr[i] == '\t' || bytes.ptr[i] == '\r' ||
                             bytes.ptr[i] == '\n')) {
        i++;
    }
    return i < bytes.len && bytes.ptr[i] == '{';
}

static bool is_der(atls_buf bytes)
{
    return bytes.len >= 4 && bytes.ptr[0] == 0x30 && bytes.ptr[1] >= 0x80 && bytes.ptr[1] <= 0x84;
}

static bool is_der_crl(atls_buf bytes)
{
    atls_crl *crl = NULL;
    bool is = is_der(bytes) && atls_crl_parse(bytes, &crl, NULL) == ATLS_OK;
    atls_crl_free(crl);
    return is;
}

static bool has_prefix(atls_buf bytes, const char *prefix)
{
    return bytes.len >= strlen(prefix) && memcmp(bytes.ptr, prefix, strlen(prefix)) == 0;
}

static void put_head(json_t *tree, const char *kind)
{
    atls_inspect_text(tree, "kind", kind);
    atls_inspect_text(tree, "note", NOTE);
}

/* One part by the kind of its evidence. One of another name stands with its length only. */
atls_code atls_inspect_part(json_t *part, const char *type, const char *name, atls_buf bytes,
                            atls_err *err)
{
    if (strcmp(name, "event_log") == 0 || strcmp(name, "ima_log") == 0) {
        return atls_inspect_log(part, bytes, err);
    }
    if (strcmp(type, "nitro") == 0 || strcmp(type, "cca") == 0) {
        return atls_inspect_cose(part, bytes, err);
    }
    if (strcmp(type, "jwt") == 0) {
        return atls_inspect_token(part, bytes, err);
    }
    if (strcmp(name, "snp_report") == 0) {
        return atls_inspect_snp(part, bytes, err);
    }
    if (strcmp(type, "snp-tpm") == 0 && strcmp(name, "certs") == 0) {
        return atls_inspect_cert_table(part, bytes, err);
    }
    if (strcmp(type, "tpm") == 0 || strcmp(type, "azure") == 0 || strcmp(type, "snp-tpm") == 0) {
        (void)atls_inspect_tpm_part(part, name, bytes);
        return ATLS_OK;
    }
    if (strcmp(type, "snp") == 0 && strcmp(name, "report") == 0) {
        return atls_inspect_snp(part, bytes, err);
    }
    if (strcmp(type, "snp") == 0 && strcmp(name, "certs") == 0) {
        return atls_inspect_cert_table(part, bytes, err);
    }
    if (strcmp(type, "snp") == 0) {
        return atls_inspect_certificates(part, "certificates", bytes, err);
    }
    if (strcmp(type, "dummy") == 0) {
        atls_inspect_hex(part, "bytes", bytes);
        return ATLS_OK;
    }
    if (strcmp(name, "collateral") == 0) {
        json_t *root = NULL;
        ATLS_TRY(atls_json_parse(bytes, INSPECT_MAX, "inspect.json", &root, err));
        atls_inspect_collateral(part, root);
        json_decref(root);
        return ATLS_OK;
    }
    if (strcmp(name, "quote") == 0) {
        return atls_inspect_quote(part, bytes, err);
    }
    return ATLS_OK;
}

static void put_bundle(json_t *tree, const atls_bundle *bundle)
{
    const atls_evidence *e = atls_bundle_get0_evidence(bundle);
    put_head(tree, "bundle");
    atls_inspect_text(tree, "type", e->type);
    for (size_t i = 0; i < e->parts_n; i++) {
        json_t *part = atls_inspect_object(tree, e->parts[i].name);
        atls_err err = {0};
        atls_inspect_number(part, "bytes", e->parts[i].bytes.len);
        if (atls_inspect_part(part, e->type, e->parts[i].name, e->parts[i].bytes, &err) !=
            ATLS_OK) {
            atls_inspect_error(part, &err);
        }
    }
}

static atls_code from_json(json_t *tree, atls_buf bytes, atls_err *err)
{
    atls_buf version = {0};
    if (atls_json_member_bytes(bytes, "atls_evidence", &version)) {
        atls_bundle *bundle = NULL;
        ATLS_TRY(atls_bundle_parse(bytes, &bundle, err));
        put_bundle(tree, bundle);
        atls_bundle_free(bundle);
        return ATLS_OK;
    }
    json_t *root = NULL;
    ATLS_TRY(atls_json_parse(bytes, INSPECT_MAX, "inspect.json", &root, err));
    atls_code rc = ATLS_OK;
    if (json_object_get(root, "tcbInfo") != NULL) {
        atls_buf inner = {0};
        put_head(tree, "TCB info as served, with its signature");
        if (atls_json_member_bytes(bytes, "tcbInfo", &inner)) {
            atls_inspect_tcb_info(tree, "tcb_info", inner);
        }
    } else if (json_object_get(root, "enclaveIdentity") != NULL) {
        atls_buf inner = {0};
        put_head(tree, "enclave identity as served, with its signature");
        if (atls_json_member_bytes(bytes, "enclaveIdentity", &inner)) {
            atls_inspect_qe_identity(tree, "qe_identity", inner);
        }
    } else if (json_object_get(root, "tcb_info") != NULL ||
               json_object_get(root, "pck_crl") != NULL ||
               json_object_get(root, "qe_identity") != NULL) {
        put_head(tree, "collateral");
        atls_inspect_collateral(tree, root);
    } else {
        rc = ATLS_ERR(err, ATLS_E_INVALID, "inspect.unknown",
                      "JSON, but neither collateral nor a bundle of evidence");
    }
    json_decref(root);
    return rc;
}

static atls_code decode(json_t *tree, atls_buf bytes, atls_err *err)
{
    if (bytes.len == 0 || bytes.len > INSPECT_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "inspect.size",
                        "%zu bytes, where 1 to %zu are decoded", bytes.len, INSPECT_MAX);
    }
    if (is_json(bytes)) {
        return from_json(tree, bytes, err);
    }
    if (has_prefix(bytes, "-----BEGIN X509 CRL") || is_der_crl(bytes)) {
        put_head(tree, "CRL");
        atls_inspect_crl(tree, "crl", bytes);
        return ATLS_OK;
    }
    if (atls_pem_looks(bytes) || is_der(bytes)) {
        put_head(tree, "certificates");
        ATLS_TRY(atls_inspect_certificates(tree, "certificates", bytes, err));
        atls_inspect_carried(tree, bytes);
        return ATLS_OK;
    }
    if (atls_inspect_is_log(bytes)) {
        put_head(tree, "event log");
        return atls_inspect_log(tree, bytes, err);
    }
    if (atls_inspect_is_cose(bytes)) {
        put_head(tree, "signed CBOR document");
        return atls_inspect_cose(tree, bytes, err);
    }
    if (atls_inspect_is_token(bytes)) {
        put_head(tree, "token");
        return atls_inspect_token(tree, bytes, err);
    }
    if (atls_inspect_is_tpm(bytes)) {
        put_head(tree, "of a TPM");
        return atls_inspect_tpm(tree, bytes, err);
    }
    if (atls_inspect_is_snp(bytes)) {
        put_head(tree, "SNP report");
        return atls_inspect_snp(tree, bytes, err);
    }
    if (atls_inspect_is_cert_table(bytes)) {
        put_head(tree, "certificate table");
        return atls_inspect_cert_table(tree, bytes, err);
    }
    put_head(tree, "quote");
    return atls_inspect_quote(tree, bytes, err);
}

atls_code atls_inspect(atls_buf bytes, bool json, char **out, atls_err *err)
{
    json_t *tree = json_object();
    if (tree == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = decode(tree, bytes, err);
    char *text = NULL;
    if (rc == ATLS_OK) {
        text = json ? atls_json_write(tree, JSON_COMPACT) : atls_inspect_render(tree);
        rc = text != NULL ? ATLS_OK : ATLS_ERR_NOMEM(err);
    }
    json_decref(tree);
    if (rc == ATLS_OK) {
        *out = text;
    }
    return rc;
}
