#include "trust/tpm_path.h"

#include <string.h>

#define DEPTH_MAX 6 /* certificates of a path */
#define SIGNATURES_MAX                                                                             \
    32 /* tried in one search: many endorsements with one name and key cost no more */

typedef struct search {
    const atls_trust *trust;
    const atls_family *families;
    size_t families_n;
    bool timed; /* certificates out of their time are passed over */
    int64_t when_s;
    unsigned *signatures;
    unsigned tried;
    const atls_cert *path[DEPTH_MAX];
    size_t n;
    atls_tpm_path_end worst; /* what stood in the way, the gravest of it */
    atls_tpm_path found;
} search;

static void note(search *s, atls_tpm_path_end end)
{
    if (end > s->worst) {
        s->worst = end;
    }
}

static bool is_in_time(const search *s, int64_t begins_s, int64_t ends_s)
{
    return !s->timed || (begins_s <= s->when_s && s->when_s <= ends_s);
}

static bool fits_key_id(const atls_cert *cert, atls_buf ski)
{
    return cert->aki.len == 0 || ski.len == 0 || atls_same_bytes(cert->aki, ski);
}

static bool signed_by(search *s, const atls_cert *cert, atls_public_key *key)
{
    if (s->tried == SIGNATURES_MAX) {
        return false;
    }
    s->tried++;
    (*s->signatures)++;
    return atls_cert_signed_by_key(cert, key);
}

/* CAs of the path below the issuer, those that issued to themselves under another key not counted. */
static bool fits_path_len(const search *s, const atls_cert *issuer)
{
    int below = 0;
    for (size_t i = 1; i < s->n; i++) {
        below += atls_self_issued(s->path[i]) ? 0 : 1;
    }
    return issuer->path_len < 0 || below <= issuer->path_len;
}

static bool may_issue(const search *s, const atls_cert *issuer)
{
    return issuer->is_ca && (!issuer->has_key_usage || issuer->ku_cert_sign) &&
           fits_path_len(s, issuer);
}

static bool end_at(search *s, const atls_root *root, atls_family family)
{
    if (!is_in_time(s, root->not_before_s, root->not_after_s)) {
        note(s, ATLS_TPM_PATH_TIME);
        return false;
    }
    s->found = (atls_tpm_path){root, family, atls_window_all};
    atls_window_narrow(&s->found.window, root->not_before_s, root->not_after_s);
    for (size_t i = 0; i < s->n; i++) {
        atls_window_narrow_cert(&s->found.window, s->path[i]);
    }
    return true;
}

/* A root that is carried as a key alone is known by the common name of its name. */
static bool names_root(const atls_cert *cert, const atls_root *root)
{
    if (root->cert != NULL) {
        return atls_same_bytes(cert->issuer, root->cert->subject) &&
               fits_key_id(cert, root->cert->ski);
    }
    const size_t len = strlen(root->subject_cn);
    for (size_t i = 0; len > 0 && i + len <= cert->issuer.len; i++) {
        if (memcmp(cert->issuer.ptr + i, root->subject_cn, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Is the last certificate a root, or signed by one? */
static bool ends_here(search *s)
{
    const atls_cert *last = s->path[s->n - 1];
    for (size_t f = 0; f < s->families_n; f++) {
        const atls_root_set *set = atls_trust_roots(s->trust, s->families[f]);
        const atls_root *same = atls_root_find(set, last);
        if (same != NULL) {
            return end_at(s, same, s->families[f]);
        }
    }
    for (size_t f = 0; f < s->families_n; f++) {
        const atls_root_set *set = atls_trust_roots(s->trust, s->families[f]);
        for (size_t i = 0; i < set->n; i++) {
            const atls_root *root = &set->roots[i];
            if (!names_root(last, root)) {
                continue;
            }
            if (root->cert != NULL && !may_issue(s, root->cert)) {
                note(s, ATLS_TPM_PATH_ISSUER);
            } else if (!signed_by(s, last, root->public_key)) {
                note(s, ATLS_TPM_PATH_SIGNATURE);
            } else if (end_at(s, root, s->families[f])) {
                return true;
            }
        }
    }
    return false;
}

static bool extend(search *s, const atls_cert *cert);

static bool try_issuer(search *s, const atls_cert *issuer)
{
    const atls_cert *last = s->path[s->n - 1];
    atls_public_key *key = NULL;
    if (!atls_same_bytes(last->issuer, issuer->subject) || !fits_key_id(last, issuer->ski)) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (memcmp(s->path[i]->sha256, issuer->sha256, sizeof issuer->sha256) == 0) {
            return false;
        }
    }
    if (!may_issue(s, issuer)) {
        note(s, ATLS_TPM_PATH_ISSUER);
        return false;
    }
    const atls_code rc = atls_cert_public_key(issuer, &key, NULL);
    const bool good = rc == ATLS_OK && signed_by(s, last, key);
    atls_public_key_free(key);
    if (!good) {
        note(s, rc == ATLS_E_SYSTEM ? ATLS_TPM_PATH_NO_MEMORY : ATLS_TPM_PATH_SIGNATURE);
        return false;
    }
    return extend(s, issuer);
}

/* Depth first; the depth is at most DEPTH_MAX. True: the path is in s->found. */
static bool extend(search *s, const atls_cert *cert)
{
    if (s->n == DEPTH_MAX) {
        note(s, ATLS_TPM_PATH_MISSING);
        return false;
    }
    if (!is_in_time(s, cert->not_before_s, cert->not_after_s)) {
        note(s, ATLS_TPM_PATH_TIME);
        return false;
    }
    if (cert->unknown_critical_other || !cert->sig_known) {
        note(s, ATLS_TPM_PATH_EXTENSION);
        return false;
    }
    s->path[s->n++] = cert;
    if (ends_here(s)) {
        return true;
    }
    note(s, atls_self_issued(cert) ? ATLS_TPM_PATH_ROOT : ATLS_TPM_PATH_MISSING);
    const atls_endorsements *e = &s->trust->endorsements;
    for (size_t i = 0; i < e->certs_n; i++) {
        if (try_issuer(s, e->certs[i])) {
            return true;
        }
    }
    s->n--;
    return false;
}

atls_tpm_path_end atls_tpm_path_find(const atls_trust *trust, const atls_family *families,
                                     size_t families_n, const atls_cert *leaf, int64_t when_s,
                                     unsigned *signatures, atls_tpm_path *out)
{
    search s = {.trust = trust,
                .families = families,
                .families_n = families_n,
                .timed = true,
                .when_s = when_s,
                .signatures = signatures};
    if (extend(&s, leaf)) {
        *out = s.found;
        return ATLS_TPM_PATH_FOUND;
    }
    /* Once more, so that a certificate out of its time hides no wrong signature, and no missing issuer hides behind it. */
    s.timed = false;
    s.n = 0;
    s.tried = 0;
    s.worst = ATLS_TPM_PATH_FOUND;
    if (extend(&s, leaf)) {
        *out = s.found;
        return ATLS_TPM_PATH_TIME;
    }
    return s.worst;
}
