#include "trust/pck_chain.h"

#include <string.h>

static bool has_cn(const atls_cert *cert, const char *part)
{
    return strstr(cert->subject_cn, part) != NULL;
}

typedef enum role { ROLE_ROOT, ROLE_CA, ROLE_LEAF } role;

static role role_of(const atls_cert *cert)
{
    if (atls_self_issued(cert)) {
        return ROLE_ROOT;
    }
    return has_cn(cert, "SGX PCK Certificate") ? ROLE_LEAF : ROLE_CA;
}

static void take_roles(atls_pck_chain *p, atls_cert *certs[3])
{
    atls_cert **places[] = {[ROLE_ROOT] = &p->root, [ROLE_CA] = &p->ca, [ROLE_LEAF] = &p->leaf};
    for (size_t i = 0; i < 3; i++) {
        atls_cert **place = places[role_of(certs[i])];
        if (*place == NULL) {
            *place = certs[i];
        } else {
            atls_cert_free(certs[i]); /* a second one of its kind: another role stays empty */
        }
    }
}

bool atls_pck_chain_take(const atls_judging *j, const atls_buf *ders, size_t n, atls_pck_chain *out)
{
    atls_cert *certs[3] = {NULL, NULL, NULL};
    bool good = n == 3;
    for (size_t i = 0; good && i < 3; i++) {
        good = atls_judging_taken(j, atls_cert_parse(ders[i], &certs[i], NULL));
    }
    if (good) {
        *out = (atls_pck_chain){NULL, NULL, NULL};
        take_roles(out, certs);
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        atls_cert_free(certs[i]);
    }
    return false;
}

void atls_pck_chain_clear(atls_pck_chain *c)
{
    atls_cert_free(c->root);
    atls_cert_free(c->ca);
    atls_cert_free(c->leaf);
    *c = (atls_pck_chain){NULL, NULL, NULL};
}

bool atls_pck_chain_judge_roles(const atls_judging *j, const atls_pck_chain *p,
                                const atls_root *trusted)
{
    bool leaf = atls_judge(j, "pck.chain.leaf", p->leaf != NULL, ATLS_E_INVALID, NULL,
                           "one certificate named SGX PCK Certificate");
    bool ca = atls_judge(j, "pck.chain.ca", p->ca != NULL && has_cn(p->ca, "CA"), ATLS_E_INVALID,
                         NULL, "one intermediate CA");
    bool root = atls_judge(j, "pck.chain.root", trusted != NULL && has_cn(p->root, "SGX Root CA"),
                           ATLS_E_INVALID, p->root == NULL ? NULL : "a root that is not trusted",
                           "a trusted SGX Root CA");
    return leaf && ca && root;
}

bool atls_pck_chain_judge_form(const atls_judging *j, const atls_pck_chain *p)
{
    const char *wrong = atls_intel_cert_wrong(p->root);
    wrong = wrong == NULL ? atls_intel_cert_wrong(p->ca) : wrong;
    wrong = wrong == NULL ? atls_intel_cert_wrong(p->leaf) : wrong;
    bool good = atls_judge(j, "pck.chain.extensions", wrong == NULL, ATLS_E_INVALID, wrong, NULL);
    good = atls_judge(j, "pck.root.issuer", atls_issued_by(p->root, p->root), ATLS_E_INVALID,
                      "another issuer", "itself") &&
           good;
    good = atls_judge(j, "pck.ca.issuer", atls_issued_by(p->ca, p->root), ATLS_E_INVALID,
                      "another issuer", "the root") &&
           good;
    good = atls_judge(j, "pck.leaf.issuer", atls_issued_by(p->leaf, p->ca), ATLS_E_INVALID,
                      "another issuer", "the PCK CA") &&
           good;
    bool usage = atls_may_sign_certs(p->root) &&
                 (p->root->path_len < 0 || p->root->path_len >= 1) && atls_may_sign_certs(p->ca) &&
                 !p->leaf->is_ca && p->leaf->ku_digital_signature;
    return atls_judge(j, "pck.chain.usage", usage, ATLS_E_INVALID,
                      "a CA that may not issue, or a leaf that may not sign", NULL) &&
           good;
}

atls_key *atls_cert_key(const atls_judging *j, const atls_cert *cert)
{
    atls_key *key = NULL;
    return cert->has_p256 && atls_judging_taken(j, atls_key_p256(cert->p256, &key, NULL)) ? key
                                                                                          : NULL;
}
