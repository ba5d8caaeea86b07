#include "evidence/nitro/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "trust/intel_cert.h"

typedef struct link_ids {
    const char *certificate, *key, *algorithm, *issuer, *ca, *key_usage, *path_len, *critical,
        *signature, *time;
} link_ids;

#define IDS(role, path_len)                                                                        \
    {                                                                                              \
        "nitro." role ".certificate", "nitro." role ".key", "nitro." role ".algorithm",            \
            "nitro." role ".issuer", "nitro." role ".ca", "nitro." role ".key_usage", path_len,    \
            "nitro." role ".critical", "nitro." role ".signature", "nitro." role ".time"           \
    }
static const link_ids regional = IDS("regional", "nitro.regional.path_len");
static const link_ids zonal = IDS("zonal", "nitro.zonal.path_len");
static const link_ids instance = IDS("instance", NULL); /* no CA is below it */
static const link_ids leaf = IDS("leaf", NULL);         /* it issues nothing */

/* Real bundles have three below the root; of another number, the last are named first. */
static const link_ids *ids_of(size_t at, size_t n)
{
    return at + 1 == n ? &instance : at + 2 == n ? &zonal : &regional;
}

typedef struct chain_case {
    const atls_judging *j;
    const atls_nitro_document *document;
    const atls_root *root;
} chain_case;

static bool check(const chain_case *c, const char *id, bool good, const char *found,
                  const char *wanted)
{
    return atls_judge(c->j, id, good, ATLS_E_INVALID, found, wanted);
}

/* --- one link --- */

/* NULL, with the reason in the ledger, when it cannot be decoded. */
static atls_cert *decode(const chain_case *c, const char *id, atls_buf der)
{
    atls_cert *cert = NULL;
    atls_err err = {0};
    const atls_code rc = atls_cert_parse(der, &cert, &err);
    if (!atls_judging_taken(c->j, rc)) {
        atls_ledger_fail(c->j->l, id, ATLS_E_INVALID, atls_value_note(c->j->l, err.msg),
                         atls_value_text("an X.509 certificate"));
        return NULL;
    }
    atls_ledger_ok(c->j->l, id);
    return cert;
}

/* What CAs and leaf have in common. The key is NULL if the certificate is not one of this chain. */
static bool judge_form(const chain_case *c, const link_ids *ids, const atls_cert *cert,
                       atls_buf issuer, atls_public_key **key)
{
    atls_public_key *own = NULL;
    bool good = atls_judging_taken(c->j, atls_cert_public_key(cert, &own, NULL)) &&
                atls_public_key_kind(own) == ATLS_KEY_P384;
    good = check(c, ids->key, good, "another key", "a key on P-384");
    good = check(c, ids->algorithm,
                 cert->sig_known && cert->sig_scheme == ATLS_ECDSA && cert->sig_hash == ATLS_SHA384,
                 "another algorithm", "ecdsa-with-SHA384") &&
           good;
    good = check(c, ids->issuer,
                 cert->issuer.len == issuer.len && issuer.len > 0 &&
                     memcmp(cert->issuer.ptr, issuer.ptr, issuer.len) == 0,
                 "another issuer", "the subject of the certificate above") &&
           good;
    good = check(c, ids->critical, !cert->unknown_critical,
                 "a critical extension that is not known", NULL) &&
           good;
    *key = own;
    return good;
}

static bool judge_ca(const chain_case *c, const link_ids *ids, const atls_cert *cert, size_t below)
{
    bool good = check(c, ids->ca, cert->has_basic_constraints && cert->is_ca, "no CA", "a CA");
    good = check(c, ids->key_usage, cert->has_key_usage && cert->ku_cert_sign, "no keyCertSign",
                 "keyCertSign") &&
           good;
    if (ids->path_len != NULL) {
        good = check(c, ids->path_len, cert->path_len < 0 || below <= (size_t)cert->path_len,
                     "more CAs below than its path length allows", NULL) &&
               good;
    }
    return good;
}

static bool is_marked(const atls_cert *cert)
{
    return strcmp(cert->subject_o, ATLS_SIMULATOR_O) == 0;
}

/* --- the path of CAs --- */

static void path_free(atls_kept *self)
{
    atls_nitro_path *p = (atls_nitro_path *)self;
    atls_public_key_free(p->key);
    atls_cert_free(p->issuer);
    free(p);
}

static void note_time(atls_nitro_path *p, const char *id, const atls_cert *cert)
{
    p->times[p->n].id = id;
    p->times[p->n].begins_s = cert->not_before_s;
    p->times[p->n].ends_s = cert->not_after_s;
    p->n++;
    p->marked = p->marked || is_marked(cert);
}

/* The next certificate takes the place of the path's end; its key only if it holds itself. */
static void add_link(const chain_case *c, atls_nitro_path *p, size_t at)
{
    const size_t n = c->document->bundle_n;
    const link_ids *ids = ids_of(at, n);
    atls_cert *cert = decode(c, ids->certificate, c->document->bundle[at]);
    atls_public_key *key = NULL;
    bool good = false;
    if (cert != NULL) {
        const atls_buf above = p->issuer != NULL ? p->issuer->subject : (atls_buf){NULL, 0};
        good = judge_form(c, ids, cert, above, &key);
        good = judge_ca(c, ids, cert, n - 1 - at) && good;
        good = atls_judge_cert_signature_by(c->j, ids->signature, cert, p->key) && good;
        note_time(p, ids->time, cert);
    }
    atls_public_key_free(p->key);
    atls_cert_free(p->issuer);
    p->issuer = cert;
    p->key = good ? key : NULL;
    if (!good) {
        atls_public_key_free(key);
    }
}

/* The pinned root itself: the certificate in the bundle is the same, byte for byte. */
static void add_root(const chain_case *c, atls_nitro_path *p)
{
    atls_cert *cert = NULL;
    if (!atls_judging_taken(c->j, atls_cert_parse(c->document->bundle[0], &cert, NULL))) {
        (void)check(c, "nitro.chain.root", false, "a certificate that cannot be decoded", NULL);
        return;
    }
    const size_t below = c->document->bundle_n - 1;
    bool good =
        check(c, "nitro.root.key", atls_public_key_kind(c->root->public_key) == ATLS_KEY_P384,
              "another key", "a key on P-384");
    good = check(c, "nitro.root.path_len", cert->path_len < 0 || below <= (size_t)cert->path_len,
                 "more CAs below than its path length allows", NULL) &&
           good;
    note_time(p, "nitro.root.time", cert);
    p->issuer = cert;
    p->key = good ? atls_public_key_up_ref(c->root->public_key) : NULL;
}

static atls_code judge_path(const chain_case *c, atls_nitro_path **out, atls_err *err)
{
    atls_nitro_path *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_kept_init(&p->kept, path_free);
    add_root(c, p);
    for (size_t i = 1; i < c->document->bundle_n; i++) {
        add_link(c, p, i);
    }
    *out = p;
    return ATLS_OK;
}

/* Everything that the judgement rests on: the certificates, the first of which is the trusted root, and their bounds. */
static atls_code path_hash(const atls_nitro_document *d, uint8_t out[32], atls_err *err)
{
    static const char domain[] = "atls nitro path 1";
    uint8_t lengths[2 * ATLS_NITRO_BUNDLE_MAX];
    atls_buf pieces[ATLS_NITRO_BUNDLE_MAX + 2] = {
        {(const uint8_t *)domain, sizeof domain},
        {lengths, 2 * d->bundle_n},
    };
    for (size_t i = 0; i < d->bundle_n; i++) {
        lengths[2 * i] = (uint8_t)(d->bundle[i].len / 256);
        lengths[2 * i + 1] = (uint8_t)(d->bundle[i].len % 256);
        pieces[i + 2] = d->bundle[i];
    }
    return atls_digest(ATLS_SHA256, pieces, d->bundle_n + 2, out, err);
}

static atls_code take_path(const chain_case *c, const struct atls_trust *trust,
                           atls_nitro_path **out, atls_err *err)
{
    uint8_t hash[32];
    ATLS_TRY(path_hash(c->document, hash, err));
    *out = atls_kept_cache_get(trust->kept, hash);
    if (*out != NULL) {
        atls_replay_write(&(*out)->replay, c->j->l);
        return ATLS_OK;
    }
    const size_t from = c->j->l->count;
    ATLS_TRY(judge_path(c, out, err));
    if ((*out)->key != NULL && atls_replay_record(&(*out)->replay, c->j->l, from)) {
        atls_kept_cache_put(trust->kept, hash, *out);
    }
    return ATLS_OK;
}

/* --- the leaf, and the whole --- */

static void narrow(atls_nitro_signer *out, int64_t ends_s)
{
    if (out->expires_s == 0 || ends_s < out->expires_s) {
        out->expires_s = ends_s;
    }
}

static void judge_times(const chain_case *c, const atls_nitro_path *p, int64_t when_s,
                        atls_nitro_signer *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const atls_window w = {p->times[i].begins_s, p->times[i].ends_s};
        (void)atls_judge_window(c->j->l, p->times[i].id, &w, when_s);
        narrow(out, p->times[i].ends_s);
    }
}

static void judge_leaf(const chain_case *c, const atls_nitro_path *p, int64_t when_s,
                       atls_nitro_signer *out)
{
    atls_cert *cert = decode(c, leaf.certificate, c->document->certificate);
    atls_public_key *key = NULL;
    if (cert == NULL) {
        return;
    }
    const atls_buf above = p->issuer != NULL ? p->issuer->subject : (atls_buf){NULL, 0};
    bool good = judge_form(c, &leaf, cert, above, &key);
    good = check(c, leaf.ca, !cert->is_ca, "a CA", "no CA") && good;
    good = check(c, leaf.key_usage, cert->has_key_usage && cert->ku_digital_signature,
                 "no digitalSignature", "digitalSignature") &&
           good;
    good = atls_judge_cert_signature_by(c->j, leaf.signature, cert, p->key) && good;
    const atls_window w = {cert->not_before_s, cert->not_after_s};
    (void)atls_judge_window(c->j->l, leaf.time, &w, when_s);
    narrow(out, cert->not_after_s);
    out->simulated = out->simulated || is_marked(cert);
    atls_cert_free(cert);
    if (good) {
        out->key = key;
    } else {
        atls_public_key_free(key);
    }
}

atls_code atls_nitro_chain_judge(const struct atls_trust *trust,
                                 const atls_nitro_document *document, int64_t when_s,
                                 const atls_judging *j, atls_nitro_signer *out, atls_err *err)
{
    chain_case c = {.j = j, .document = document};
    uint8_t sha256[32];
    atls_nitro_signer signer = {0};
    ATLS_TRY(atls_digest(ATLS_SHA256, &document->bundle[0], 1, sha256, err));
    c.root = atls_root_find_sha256(atls_trust_roots(trust, ATLS_FAMILY_AWS), sha256);
    if (!atls_ledger_check(j->l, "nitro.chain.root", c.root != NULL, ATLS_E_INVALID,
                           atls_value_hex((atls_buf){sha256, sizeof sha256}),
                           atls_value_text("the SHA-256 of a trusted root of AWS"))) {
        atls_ledger_skip(j->l, leaf.signature, "there is no chain to a trusted root");
        *out = signer;
        return ATLS_OK;
    }
    atls_nitro_path *path = NULL;
    ATLS_TRY(take_path(&c, trust, &path, err));
    signer.simulated = c.root->simulated || path->marked;
    signer.custom_root = c.root->custom;
    judge_times(&c, path, when_s, &signer);
    judge_leaf(&c, path, when_s, &signer);
    atls_kept_free(path);
    *out = signer;
    return ATLS_OK;
}
