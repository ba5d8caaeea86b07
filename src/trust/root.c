#include "trust/root.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void root_clear(atls_root *root)
{
    atls_key_free(root->key);
    atls_public_key_free(root->public_key);
    atls_cert_free(root->cert);
}

void atls_root_set_clear(atls_root_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        root_clear(&set->roots[i]);
    }
    set->n = 0;
}

static bool is_self_signed(const atls_cert *cert, const atls_root *root)
{
    bool self_issued = cert->subject.len == cert->issuer.len &&
                       memcmp(cert->subject.ptr, cert->issuer.ptr, cert->subject.len) == 0;
    return self_issued && (root->key != NULL ? atls_cert_signed_by(cert, root->key)
                                             : atls_cert_signed_by_key(cert, root->public_key));
}

/* NULL, or what an anchor of that family needs and this is not. */
static const char *misses(const atls_cert *cert, const atls_root *root, atls_family family)
{
    switch (family) {
    case ATLS_FAMILY_INTEL:
        return root->key != NULL && is_self_signed(cert, root)
                   ? NULL
                   : "signed by itself with a key on P-256 and SHA-256";
    case ATLS_FAMILY_GOOGLE:
    case ATLS_FAMILY_TPM:
        return NULL;
    default:
        return is_self_signed(cert, root) ? NULL : "signed by itself";
    }
}

/* Fills *root, which the caller clears on failure too. */
static atls_code read_root(const atls_cert *cert, atls_family family, atls_root *root,
                           atls_err *err)
{
    atls_err why = {0};
    atls_code rc = atls_cert_public_key(cert, &root->public_key, &why);
    if (rc == ATLS_OK && family == ATLS_FAMILY_INTEL && cert->has_p256) {
        rc = atls_key_p256(cert->p256, &root->key, &why);
    }
    if (rc == ATLS_E_SYSTEM) {
        return ATLS_ERR_NOMEM(err);
    }
    if (rc != ATLS_OK) {
        return ATLS_ERR(err, ATLS_E_USAGE, "root.certificate",
                        "a root certificate cannot be used: %s", why.msg);
    }
    const char *missing = misses(cert, root, family);
    if (missing != NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "root.certificate", "a root certificate is not %s",
                        missing);
    }
    memcpy(root->sha256, cert->sha256, sizeof root->sha256);
    memcpy(root->spki_sha256, atls_public_key_sha256(root->public_key), sizeof root->spki_sha256);
    memcpy(root->subject_cn, cert->subject_cn, sizeof root->subject_cn);
    root->not_before_s = cert->not_before_s;
    root->not_after_s = cert->not_after_s;
    root->simulated = root->beside || strcmp(cert->subject_o, ATLS_SIMULATOR_O) == 0;
    return ATLS_OK;
}

/* Takes cert, whatever happens. */
static atls_code add_root(atls_root_set *to, atls_family family, atls_cert *cert, bool beside,
                          atls_err *err)
{
    atls_root root = {.cert = cert, .custom = true, .beside = beside};
    atls_code rc = read_root(cert, family, &root, err);
    if (rc == ATLS_OK && to->n == ATLS_ROOTS_MAX) {
        rc = ATLS_ERR(err, ATLS_E_USAGE, "root.count", "more than %d roots", ATLS_ROOTS_MAX);
    }
    if (rc != ATLS_OK) {
        root_clear(&root);
        return rc;
    }
    to->roots[to->n++] = root;
    return ATLS_OK;
}

static bool family_of_simulator(const atls_cert *cert, atls_family *family)
{
    static const struct {
        const char *ou;
        atls_family family;
    } names[] = {{"", ATLS_FAMILY_INTEL},
                 {"amd", ATLS_FAMILY_AMD},
                 {"aws", ATLS_FAMILY_AWS},
                 {"google", ATLS_FAMILY_GOOGLE},
                 {"tpm", ATLS_FAMILY_TPM}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(cert->subject_ou, names[i].ou) == 0) {
            *family = names[i].family;
            return true;
        }
    }
    return false;
}

/* family NULL: each certificate says it itself. */
static atls_code take_der(atls_buf der, const atls_family *family, bool beside,
                          atls_root_set sets[ATLS_FAMILIES], atls_err *err)
{
    atls_cert *cert = NULL;
    atls_code rc = atls_cert_parse(der, &cert, err);
    if (rc != ATLS_OK) {
        return rc == ATLS_E_SYSTEM ? rc
                                   : ATLS_ERR(err, ATLS_E_USAGE, "root.certificate",
                                              "a root certificate cannot be decoded");
    }
    atls_family to = ATLS_FAMILY_INTEL;
    if (family != NULL) {
        to = *family;
    } else if (!family_of_simulator(cert, &to)) {
        atls_cert_free(cert);
        return ATLS_ERR(err, ATLS_E_USAGE, "root.family",
                        "the OU of a simulator's root names no family: wanted is one of amd aws "
                        "google tpm, or none");
    }
    return add_root(&sets[to], to, cert, beside, err);
}

static atls_code parse_roots(atls_buf certs, const atls_family *family, bool beside,
                             atls_root_set sets[ATLS_FAMILIES], atls_err *err)
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
        rc = take_der(ders[i], family, beside, sets, err);
    }
    free(space);
    return rc;
}

/* How many stay when roots are added? */
static size_t staying(const atls_root_set *set, bool beside)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        n += beside || set->roots[i].beside ? 1 : 0;
    }
    return n;
}

static atls_code fits(const atls_root_set *set, const atls_root_set *added, bool beside,
                      atls_err *err)
{
    size_t n = staying(set, beside) + added->n;
    if (n > ATLS_ROOTS_MAX) {
        return ATLS_ERR(err, ATLS_E_USAGE, "root.count", "%zu roots, where %d are allowed", n,
                        ATLS_ROOTS_MAX);
    }
    return ATLS_OK;
}

/* Takes the roots of added; there is room. */
static void join(atls_root_set *set, atls_root_set *added, bool beside)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (beside || set->roots[i].beside) {
            set->roots[n++] = set->roots[i];
        } else {
            root_clear(&set->roots[i]);
        }
    }
    for (size_t i = 0; i < added->n; i++) {
        set->roots[n++] = added->roots[i];
    }
    set->n = n;
    added->n = 0;
}

static atls_root_set *sets_new(void)
{
    return calloc(ATLS_FAMILIES, sizeof(atls_root_set));
}

static void sets_free(atls_root_set *sets)
{
    for (size_t i = 0; sets != NULL && i < ATLS_FAMILIES; i++) {
        atls_root_set_clear(&sets[i]);
    }
    free(sets);
}

atls_code atls_root_set_add(atls_root_set *set, atls_family family, atls_buf certs, bool beside,
                            atls_err *err)
{
    atls_root_set *added = sets_new();
    if (added == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = parse_roots(certs, &family, beside, added, err);
    if (rc == ATLS_OK) {
        rc = fits(set, &added[family], beside, err);
    }
    if (rc == ATLS_OK) {
        join(set, &added[family], beside);
    }
    sets_free(added);
    return rc;
}

atls_code atls_root_sets_add_simulators(atls_root_set sets[ATLS_FAMILIES], atls_buf certs,
                                        atls_err *err)
{
    atls_root_set *added = sets_new();
    if (added == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = parse_roots(certs, NULL, true, added, err);
    for (size_t i = 0; rc == ATLS_OK && i < ATLS_FAMILIES; i++) {
        rc = fits(&sets[i], &added[i], true, err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < ATLS_FAMILIES; i++) {
        join(&sets[i], &added[i], true);
    }
    sets_free(added);
    return rc;
}

const atls_root *atls_root_find_sha256(const atls_root_set *set, const uint8_t sha256[32])
{
    const atls_root *found = NULL;
    for (size_t i = 0; i < set->n; i++) {
        const atls_root *root = &set->roots[i];
        if (memcmp(root->sha256, sha256, sizeof root->sha256) == 0 &&
            (found == NULL || root->simulated)) {
            found = root;
        }
    }
    return found;
}

const atls_root *atls_root_find(const atls_root_set *set, const atls_cert *cert)
{
    return atls_root_find_sha256(set, cert->sha256);
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
