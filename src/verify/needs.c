/* needs.c: which items a verification would look for, told by bytes that nobody has judged. */
#include "verify/needs.h"

#include <stdlib.h>
#include <string.h>

#include "codec/jws.h"
#include "crypto/x509_name.h"
#include "evidence/dcap/quote.h"
#include "evidence/snp/report.h"
#include "evidence/token/token.h"
#include "evidence/tpm/hcl.h"
#include "trust/amd_cert_table.h"
#include "trust/amd_leaf.h"
#include "trust/pck.h"
#include "trust/pck_item.h"
#include "trust/vcek_item.h"
#include "verify/verify.h"

#define CERTIFICATION_DATA_MAX 32768
#define PEM_CERTS              6
#define QE_ID_LEN              16
#define PEM_LEAF               4
#define PEM_CHAIN              5

static void add(atls_needs *needs, const atls_item_name *name)
{
    char *key = needs->keys[needs->n];
    if (needs->n < ATLS_NEEDS_MAX) {
        atls_item_name_format(name, key);
        needs->n += key[0] != '\0' ? 1 : 0;
    }
}

/* --- Intel --- */

/* The platform's own certificate among those in the quote. */
static atls_cert *find_pck(atls_buf pem)
{
    uint8_t *space = pem.len > 0 && pem.len <= CERTIFICATION_DATA_MAX ? malloc(pem.len) : NULL;
    atls_buf ders[PEM_CERTS];
    size_t n = 0;
    atls_cert *found = NULL;
    if (space != NULL &&
        atls_cert_split(pem, space, pem.len, ders, PEM_CERTS, &n, NULL) == ATLS_OK) {
        for (size_t i = 0; i < n && found == NULL; i++) {
            if (atls_cert_parse(ders[i], &found, NULL) == ATLS_OK &&
                found->sgx_extension.len == 0) {
                atls_cert_free(found);
                found = NULL;
            }
        }
    }
    free(space);
    return found;
}

static void add_by_pck(const atls_cert *pck, bool is_tdx, atls_needs *needs)
{
    atls_pck_extension extension;
    char ca[sizeof pck->subject_cn] = "";
    if (atls_pck_extension_parse(pck->sgx_extension, &extension, NULL) != ATLS_OK) {
        return;
    }
    (void)atls_x509_name_one(pck->issuer, "CN", ca, sizeof ca);
    atls_item_name info = {.kind = ATLS_ITEM_TCB_INFO, .is_tdx = is_tdx};
    memcpy(info.fmspc, extension.fmspc, sizeof info.fmspc);
    add(needs, &info);
    add(needs, &(atls_item_name){.kind = ATLS_ITEM_QE_IDENTITY, .is_tdx = is_tdx});
    add(needs, &(atls_item_name){.kind = ATLS_ITEM_PCK_CRL,
                                 .is_processor = strstr(ca, "Processor") != NULL});
    add(needs, &(atls_item_name){.kind = ATLS_ITEM_ROOT_CRL});
}

static void add_by_pem(atls_buf pem, bool is_tdx, atls_needs *needs)
{
    atls_cert *cert = find_pck(pem);
    if (cert != NULL) {
        add_by_pck(cert, is_tdx, needs);
    }
    atls_cert_free(cert);
}

static void add_quote(atls_buf bytes, atls_buf named, atls_needs *needs)
{
    atls_quote q;
    atls_item_name pck;
    if (bytes.ptr == NULL || atls_quote_parse(bytes, &q, NULL) != ATLS_OK) {
        return;
    }
    if (q.certification_type == PEM_LEAF || q.certification_type == PEM_CHAIN) {
        add_by_pem(q.certification_data, q.is_tdx, needs);
    } else if (atls_pck_item_name(q.certification_type, q.certification_data,
                                  (atls_buf){q.user_data.ptr, QE_ID_LEN}, &pck)) {
        add(needs, &pck);
        add_by_pem(named, q.is_tdx, needs);
    }
}

/* --- AMD --- */

/* The product that a leaf, as DER or PEM, says it is of. */
static atls_amd_product product_of_leaf(atls_buf bytes, bool is_vlek)
{
    atls_buf der;
    size_t n = 0;
    atls_cert *cert = NULL;
    atls_amd_leaf leaf = {.product = ATLS_AMD_UNKNOWN};
    uint8_t *space =
        bytes.len > 0 && bytes.len <= ATLS_AMD_TABLE_MAX_CERT ? malloc(bytes.len) : NULL;
    if (space != NULL && atls_cert_split(bytes, space, bytes.len, &der, 1, &n, NULL) == ATLS_OK &&
        atls_cert_parse(der, &cert, NULL) == ATLS_OK &&
        atls_amd_leaf_read(cert, is_vlek, &leaf, NULL) != ATLS_OK) {
        leaf.product = ATLS_AMD_UNKNOWN;
    }
    atls_cert_free(cert);
    free(space);
    return leaf.product;
}

static void add_report(atls_buf bytes, atls_buf table_bytes, atls_buf leaf, atls_needs *needs)
{
    atls_snp_report r;
    atls_amd_cert_table table = {0};
    atls_item_name vcek;
    if (bytes.ptr == NULL) {
        return;
    }
    if (table_bytes.ptr == NULL && bytes.len > ATLS_SNP_REPORT_LEN) {
        atls_reader both = atls_reader_of(bytes);
        bytes = atls_reader_view(&both, ATLS_SNP_REPORT_LEN);
        table_bytes = atls_reader_rest(&both);
    }
    if (atls_snp_report_parse(bytes, &r, NULL) != ATLS_OK) {
        return;
    }
    if (table_bytes.ptr != NULL) {
        (void)!atls_amd_cert_table_parse(table_bytes, &table, NULL);
    }
    const bool is_vlek = r.signing_key == ATLS_SNP_VLEK;
    leaf = leaf.ptr != NULL ? leaf : table.entry[is_vlek ? ATLS_AMD_VLEK : ATLS_AMD_VCEK];
    const atls_amd_product product =
        r.has_cpuid ? atls_amd_product_by_cpuid(r.family, r.model) : product_of_leaf(leaf, is_vlek);
    if (product < ATLS_AMD_MILAN || product > ATLS_AMD_TURIN) {
        return;
    }
    if (!is_vlek && leaf.len == 0 &&
        atls_vcek_item_name(product, r.chip_id, r.reported_tcb, &vcek)) {
        add(needs, &vcek);
    }
    add(needs,
        &(atls_item_name){.kind = ATLS_ITEM_AMD_CRL, .is_vlek = is_vlek, .product = product});
}

/* --- the others --- */

static void add_azure(const atls_evidence *e, atls_buf pck, atls_needs *needs)
{
    atls_hcl hcl;
    const atls_buf bytes = atls_evidence_part(e, "hcl_report");
    if (bytes.ptr == NULL || atls_hcl_parse(bytes, &hcl, NULL) != ATLS_OK) {
        return;
    }
    if (hcl.is_tdx) {
        add_quote(atls_evidence_part(e, "td_quote"), pck, needs);
    } else {
        add_report(hcl.report, (atls_buf){NULL, 0}, atls_evidence_part(e, "vcek"), needs);
    }
}

static void add_token(atls_buf bytes, atls_needs *needs)
{
    atls_jws jws = {.space = NULL};
    atls_item_name name = {.kind = ATLS_ITEM_JWKS};
    char issuer[ATLS_TOKEN_ISSUER_LEN];
    if (bytes.ptr != NULL && atls_jws_parse(bytes, &jws, NULL) == ATLS_OK) {
        if (atls_token_issuer(jws.payload, issuer, NULL) == ATLS_OK && issuer[0] != '\0') {
            memcpy(name.issuer, issuer, strlen(issuer) + 1);
            add(needs, &name);
        }
        atls_jws_clear(&jws);
    }
}

void atls_evidence_needs(const atls_evidence *evidence, atls_needs *out)
{
    atls_evidence_needs_with(evidence, (atls_buf){NULL, 0}, out);
}

void atls_evidence_needs_with(const atls_evidence *evidence, atls_buf pck, atls_needs *out)
{
    out->n = 0;
    if (evidence == NULL || evidence->parts_n == 0 || evidence->parts_n > ATLS_EVIDENCE_PARTS) {
        return;
    }
    atls_evidence e;
    const atls_format *format = atls_evidence_named(evidence, &e);
    if (format == &atls_format_sgx || format == &atls_format_tdx) {
        add_quote(atls_evidence_part(&e, "quote"), pck, out);
    } else if (format == &atls_format_snp || format == &atls_format_snp_tpm) {
        add_report(atls_evidence_part(&e, "report"), atls_evidence_part(&e, "certs"),
                   atls_evidence_part(&e, "vcek"), out);
    } else if (format == &atls_format_azure) {
        add_azure(&e, pck, out);
    } else if (format == &atls_format_jwt) {
        add_token(atls_evidence_part(&e, "token"), out);
    }
}
