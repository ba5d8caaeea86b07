/* What the library pins is what the vendors published: keys, fingerprints, dates. And the vendors' certificates, of
 * every kind that evidence brings, can be read and verify under them. Exit 77: the vectors are not there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/amd_pinned.h"
#include "trust/trust.h"

#define FILE_MAX (1u << 20)

static unsigned checks, failures;
static const char *dir;

static void check(bool good, const char *file, const char *what)
{
    checks++;
    if (!good) {
        failures++;
        printf("FAIL %s: %s\n", file, what);
    }
}

static size_t read_file(const char *name, uint8_t *out)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(out, 1, FILE_MAX, f) : 0;
    if (f != NULL) {
        (void)fclose(f);
    }
    check(n > 0, name, "cannot be read");
    return n;
}

/* The certificates of a file; the caller frees them. */
static size_t read_certs(const char *name, atls_cert *certs[ATLS_CHAIN_MAX])
{
    static uint8_t bytes[FILE_MAX];
    static uint8_t space[FILE_MAX];
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    size_t len = read_file(name, bytes);
    check(atls_cert_split((atls_buf){bytes, len}, space, sizeof space, ders, ATLS_CHAIN_MAX, &n,
                          NULL) == ATLS_OK,
          name, "is no list of certificates");
    for (size_t i = 0; i < n; i++) {
        if (atls_cert_parse(ders[i], &certs[i], NULL) != ATLS_OK) {
            check(false, name, "has a certificate that cannot be decoded");
            exit(1);
        }
    }
    return n;
}

static void free_certs(atls_cert **certs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        atls_cert_free(certs[i]);
    }
}

static void is_pinned(const atls_trust *t, atls_family family, const char *file,
                      const atls_cert *cert)
{
    const atls_root *root = atls_root_find(atls_trust_roots(t, family), cert);
    check(root != NULL, file, "is not among the pinned roots");
    if (root == NULL) {
        return;
    }
    const atls_buf spki = atls_public_key_spki(root->public_key);
    check(spki.len == cert->spki.len && memcmp(spki.ptr, cert->spki.ptr, spki.len) == 0, file,
          "another key is pinned");
    check(strcmp(root->subject_cn, cert->subject_cn) == 0, file, "another name is pinned");
    check(root->not_before_s == cert->not_before_s && root->not_after_s == cert->not_after_s, file,
          "another validity is pinned");
    check(atls_cert_signed_by_key(cert, root->public_key), file, "is not signed by the pinned key");
}

static void check_amd(const atls_trust *t)
{
    static const uint8_t exponent[] = {1, 0, 1};
    for (size_t i = 0; i < ATLS_AMD_INTERMEDIATES; i++) {
        const atls_amd_intermediate *a = &atls_amd_intermediates[i];
        char file[64];
        (void)snprintf(file, sizeof file, "sev-snp/%c%s-%s-chain.pem", a->product[0] - 'A' + 'a',
                       a->product + 1, a->is_vlek ? "vlek" : "vcek");
        atls_cert *certs[ATLS_CHAIN_MAX];
        size_t n = read_certs(file, certs);
        check(n == 2, file, "is not of two certificates");
        if (n == 2) {
            const atls_cert *c = certs[0];
            atls_public_key *key = NULL;
            check(atls_public_key_rsa((atls_buf){a->modulus, sizeof a->modulus},
                                      (atls_buf){exponent, sizeof exponent}, &key,
                                      NULL) == ATLS_OK &&
                      atls_public_key_spki(key).len == c->spki.len &&
                      memcmp(atls_public_key_spki(key).ptr, c->spki.ptr, c->spki.len) == 0,
                  file, "another key is pinned");
            check(memcmp(a->sha256, c->sha256, 32) == 0, file, "another fingerprint is pinned");
            check(strcmp(a->subject_cn, c->subject_cn) == 0, file, "another name is pinned");
            check(c->serial_len == 3 && memcmp(a->serial, c->serial, 3) == 0, file,
                  "another serial number is pinned");
            check(a->not_before_s == c->not_before_s && a->not_after_s == c->not_after_s, file,
                  "another validity is pinned");
            is_pinned(t, ATLS_FAMILY_AMD, file, certs[1]);
            const atls_root *root = atls_root_find(atls_trust_roots(t, ATLS_FAMILY_AMD), certs[1]);
            check(root != NULL && atls_cert_signed_by_key(c, root->public_key), file,
                  "is not signed by its root");
            check(root != NULL && strcmp(root->subject_cn + 4, a->product) == 0, file,
                  "is of another product");
            atls_public_key_free(key);
        }
        free_certs(certs, n);
    }
}

/* A leaf and what signed it: of AMD the number of a pinned certificate, otherwise a file. */
static void check_leaves(void)
{
    static const struct {
        const char *leaf;
        int amd;
        const char *issuer;
    } cases[] = {
        {"sev-snp/milan-v2-vcek.vcek.der", 0, NULL},
        {"sev-snp/milan-v3-vcek.vcek.der", 0, NULL},
        {"sev-snp/milan-v3-vlek-aws.vlek.der", 1, NULL},
        {"sev-snp/turin-v5-vcek.vcek.der", 4, NULL},
        {"sev-snp/turin-other.vcek.der", 4, NULL},
        {"tpm/azure-snp-genoa.vcek.der", 2, NULL},
        {"tpm/azure-snp-v1.vcek.der", 0, NULL},
        {"tpm/gcp_ek_ak_ca_intermediate_v3.crt", -1, "tpm/gcp_ek_ak_ca_root.crt"},
        {"tpm/gcp-nonce9009.akcert.der", -1, "tpm/tpm_ek_intermediate_2.crt"},
        {"tpm/tpm_ek_intermediate_3.crt", -1, NULL},
    };
    static const uint8_t exponent[] = {1, 0, 1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_cert *leaf[ATLS_CHAIN_MAX];
        atls_cert *issuer[ATLS_CHAIN_MAX];
        atls_public_key *key = NULL;
        const char *file = cases[i].leaf;
        size_t n = read_certs(file, leaf);
        size_t m = cases[i].issuer != NULL ? read_certs(cases[i].issuer, issuer) : 0;
        check(n == 1 && leaf[0]->sig_known, file, "has an unknown algorithm");
        if (m == 1) {
            check(atls_cert_public_key(issuer[0], &key, NULL) == ATLS_OK, file, "issuer's key");
        } else if (cases[i].amd >= 0) {
            const atls_amd_intermediate *a = &atls_amd_intermediates[cases[i].amd];
            check(atls_public_key_rsa((atls_buf){a->modulus, sizeof a->modulus},
                                      (atls_buf){exponent, sizeof exponent}, &key, NULL) == ATLS_OK,
                  file, "issuer's key");
            check(leaf[0]->serial_len == 0 && leaf[0]->sig_scheme == ATLS_RSA_PSS, file,
                  "is no leaf of AMD's");
            check(atls_cert_extension(leaf[0], "1.3.6.1.4.1.3704.1.2", NULL, NULL) == 1, file,
                  "names no product");
        }
        check(key == NULL || atls_cert_signed_by_key(leaf[0], key), file, "does not verify");
        check(key != NULL || (cases[i].amd < 0 && cases[i].issuer == NULL), file, "has no issuer");
        atls_public_key_free(key);
        free_certs(leaf, n);
        free_certs(issuer, m);
    }
}

/* Certificates inside a Nitro document, found by their outer form: SEQUENCE of two bytes' length. */
static void check_nitro(void)
{
    static uint8_t bytes[FILE_MAX];
    const char *file = "nitro/prod-nonce-userdata-eu-west-1.cbor";
    size_t len = read_file(file, bytes);
    size_t found = 0;
    for (size_t at = 0; at + 4 < len; at++) {
        size_t size = bytes[at + 2] * 256u + bytes[at + 3] + 4;
        atls_cert *cert = NULL;
        if (bytes[at] != 0x30 || bytes[at + 1] != 0x82 || at + size > len ||
            atls_cert_parse((atls_buf){bytes + at, size}, &cert, NULL) != ATLS_OK) {
            continue;
        }
        found++;
        check(cert->sig_known && cert->sig_scheme == ATLS_ECDSA && cert->sig_hash == ATLS_SHA384,
              file, "has a certificate that is not of ECDSA and SHA-384");
        atls_cert_free(cert);
    }
    check(found == 5, file, "does not show five certificates");
}

int main(void)
{
    dir = getenv("ATLS_VECTORS");
    char probe[4096];
    (void)snprintf(probe, sizeof probe, "%s/sev-snp/MANIFEST.json", dir != NULL ? dir : "");
    FILE *f = dir != NULL ? fopen(probe, "rb") : NULL;
    if (f == NULL) {
        puts("skipped: no vectors (ATLS_VECTORS)");
        return 77;
    }
    (void)fclose(f);
    atls_trust *t = atls_trust_new();
    if (t == NULL) {
        return 1;
    }
    check_amd(t);
    static const struct {
        const char *file;
        atls_family family;
    } roots[] = {{"nitro/aws-nitro-root-g1.der", ATLS_FAMILY_AWS},
                 {"tpm/gcp_ek_ak_ca_root.crt", ATLS_FAMILY_GOOGLE}};
    for (size_t i = 0; i < 2; i++) {
        atls_cert *certs[ATLS_CHAIN_MAX];
        size_t n = read_certs(roots[i].file, certs);
        if (n == 1) {
            is_pinned(t, roots[i].family, roots[i].file, certs[0]);
        }
        free_certs(certs, n);
    }
    check_leaves();
    check_nitro();
    atls_trust_free(t);
    printf("%u checks, %u failures\n", checks, failures);
    return failures == 0 && checks > 0 ? 0 : 1;
}
