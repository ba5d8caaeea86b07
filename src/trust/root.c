#include "trust/root.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Intel SGX Root CA, valid 2018-05-21 to 2049-12-31: SHA-256 of its 659 bytes of DER, and its key. */
static const uint8_t intel_sha256[32] = {
    0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
    0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3};
static const uint8_t intel_xy[64] = {
    0x0b, 0xa9, 0xc4, 0xc0, 0xc0, 0xc8, 0x61, 0x93, 0xa3, 0xfe, 0x23, 0xd6, 0xb0, 0x2c, 0xda, 0x10,
    0xa8, 0xbb, 0xd4, 0xe8, 0x8e, 0x48, 0xb4, 0x45, 0x85, 0x61, 0xa3, 0x6e, 0x70, 0x55, 0x25, 0xf5,
    0x67, 0x91, 0x8e, 0x2e, 0xdc, 0x88, 0xe4, 0x0d, 0x86, 0x0b, 0xd0, 0xcc, 0x4e, 0xe2, 0x6a, 0xac,
    0xc9, 0x88, 0xe5, 0x05, 0xa9, 0x53, 0x55, 0x8c, 0x45, 0x3f, 0x6b, 0x09, 0x04, 0xae, 0x73, 0x94};

atls_code atls_root_set_intel(atls_root_set *set, atls_err *err)
{
    atls_root root = {0};
    memcpy(root.sha256, intel_sha256, sizeof root.sha256);
    ATLS_TRY(atls_key_p256(intel_xy, &root.key, err));
    set->roots[0] = root;
    set->n = 1;
    return ATLS_OK;
}

void atls_root_set_clear(atls_root_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        atls_key_free(set->roots[i].key);
    }
    set->n = 0;
}

static atls_code root_of(atls_buf der, bool beside, atls_root *out, atls_err *err)
{
    atls_cert *cert = NULL;
    atls_code rc = atls_cert_parse(der, &cert, err);
    if (rc != ATLS_OK) {
        return rc == ATLS_E_SYSTEM ? rc
                                   : ATLS_ERR(err, ATLS_E_USAGE, "root.certificate",
                                              "a root certificate cannot be decoded");
    }
    atls_root root = {.custom = true, .beside = beside};
    bool self_issued = cert->subject.len == cert->issuer.len &&
                       memcmp(cert->subject.ptr, cert->issuer.ptr, cert->subject.len) == 0;
    if (self_issued && cert->has_p256) {
        rc = atls_key_p256(cert->p256, &root.key, err);
    }
    if (rc != ATLS_E_SYSTEM && root.key != NULL && atls_cert_signed_by(cert, root.key)) {
        memcpy(root.sha256, cert->sha256, sizeof root.sha256);
        root.simulated = beside || strcmp(cert->subject_o, ATLS_SIMULATOR_O) == 0;
        *out = root;
    } else {
        atls_key_free(root.key);
        rc = rc == ATLS_E_SYSTEM
                 ? rc
                 : ATLS_ERR(err, ATLS_E_USAGE, "root.certificate",
                            "a root certificate is not signed by itself with a key on P-256 and "
                            "SHA-256");
    }
    atls_cert_free(cert);
    return rc;
}

static atls_code parse_roots(atls_buf certs, bool beside, atls_root_set *out, atls_err *err)
{
    if (certs.len == 0 || certs.len > (size_t)ATLS_ROOTS_MAX * ATLS_CERT_MAX_LEN * 2) {
        return ATLS_ERR(err, ATLS_E_USAGE, "root.certificate", "%zu bytes of root certificates",
                        certs.len);
    }
    uint8_t *space = malloc(certs.len);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_buf ders[ATLS_ROOTS_MAX];
    size_t n = 0;
    atls_code rc = ATLS_OK;
    if (atls_cert_split(certs, space, certs.len, ders, ATLS_ROOTS_MAX, &n, NULL) != ATLS_OK) {
        rc = ATLS_ERR(err, ATLS_E_USAGE, "root.certificate",
                      "neither PEM nor DER of 1 to %d root certificates", ATLS_ROOTS_MAX);
    }
    for (size_t i = 0; rc == ATLS_OK && i < n; i++) {
        rc = root_of(ders[i], beside, &out->roots[out->n], err);
        out->n += rc == ATLS_OK ? 1 : 0;
    }
    free(space);
    return rc;
}

atls_code atls_root_set_add(atls_root_set *set, atls_buf certs, bool beside, atls_err *err)
{
    atls_root_set added = {0};
    atls_code rc = parse_roots(certs, beside, &added, err);
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        kept += beside || set->roots[i].beside ? 1 : 0;
    }
    if (rc == ATLS_OK && kept + added.n > ATLS_ROOTS_MAX) {
        rc = ATLS_ERR(err, ATLS_E_USAGE, "root.count", "%zu roots, where %d are allowed",
                      kept + added.n, ATLS_ROOTS_MAX);
    }
    if (rc != ATLS_OK) {
        atls_root_set_clear(&added);
        return rc;
    }
    atls_root_set next = {0};
    for (size_t i = 0; i < set->n; i++) {
        if (beside || set->roots[i].beside) {
            next.roots[next.n++] = set->roots[i];
        } else {
            atls_key_free(set->roots[i].key);
        }
    }
    for (size_t i = 0; i < added.n; i++) {
        next.roots[next.n++] = added.roots[i];
    }
    *set = next;
    return ATLS_OK;
}

const atls_root *atls_root_find(const atls_root_set *set, const atls_cert *cert)
{
    const atls_root *found = NULL;
    for (size_t i = 0; i < set->n; i++) {
        const atls_root *root = &set->roots[i];
        if (memcmp(root->sha256, cert->sha256, sizeof cert->sha256) == 0 &&
            (found == NULL || root->simulated)) {
            found = root;
        }
    }
    return found;
}

bool atls_root_set_replaced(const atls_root_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->roots[i].custom && !set->roots[i].beside) {
            return true;
        }
    }
    return false;
}
