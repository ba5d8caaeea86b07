/* Each kind of item: it holds under its root, says what its key says, and each link put wrong is noticed by name. */
#include "unit/snp_world.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "trust/amd_cert_table.h"
#include "trust/amd_leaf.h"
#include "unit/sim_items.h"

#define FMSPC    "53494d000000"
#define TCB_TDX  "intel/tcb/tdx/" FMSPC
#define TCB_SGX  "intel/tcb/sgx/" FMSPC
#define QE_TDX   "intel/qe/tdx"
#define PCK_CRL  "intel/pckcrl/platform"
#define ROOT_CRL "intel/rootcrl"
#define ANY_QEID "00112233445566778899aabbccddeeff"
#define HIGH_SVN "ffffffffffffffffffffffffffffffff"
#define PCK      "intel/pck/" ANY_QEID "/" HIGH_SVN "/ffff/0000"
#define JWKS     "jwks/https%3a%2f%2fissuer.example"
#define NO_PCK   "intel/pck/" ANY_QEID "/00000000000000000000000000000000/ffff/0000"

typedef struct roots {
    atls_root_set sets[ATLS_FAMILIES];
} roots;

static void roots_open(roots *r, const char *pem)
{
    memset(r, 0, sizeof *r);
    for (int f = 0; f < ATLS_FAMILIES; f++) {
        assert_int_equal(atls_root_set_pinned(&r->sets[f], (atls_family)f, NULL), ATLS_OK);
    }
    if (pem != NULL) {
        assert_int_equal(atls_root_sets_add_simulators(r->sets, text_buf(pem), NULL), ATLS_OK);
    }
}

static void roots_close(roots *r)
{
    for (int f = 0; f < ATLS_FAMILIES; f++) {
        atls_root_set_clear(&r->sets[f]);
    }
}

static void roots_of(roots *r, const atls_sim *sim)
{
    char *pem = NULL;
    assert_int_equal(atls_sim_root(sim, &pem, NULL), ATLS_OK);
    roots_open(r, pem);
    atls_free(pem);
}

static void holds(const roots *r, const atls_item *item, atls_item_facts *facts)
{
    atls_err err = {0};
    if (atls_item_judge(r->sets, item, facts, &err) != ATLS_OK) {
        print_error("%s: %s %s\n", item->key, err.check, err.msg);
        fail();
    }
}

static void refused(const roots *r, const atls_item *item, atls_code code, const char *check)
{
    atls_item_facts facts;
    atls_err err = {0};
    const atls_code rc = atls_item_judge(r->sets, item, &facts, &err);
    if (rc != code || err.check == NULL || strcmp(err.check, check) != 0) {
        print_error("%s: %d %s %s, where %s is wanted\n", item->key, (int)rc,
                    err.check != NULL ? err.check : "-", err.msg, check);
    }
    assert_int_equal(rc, code);
    assert_string_equal(err.check, check);
    assert_true(err.msg[0] != '\0');
}

/* --- Intel's --- */

static void simulated_items_hold(void **state)
{
    (void)state;
    static const char *const keys[] = {TCB_TDX,       TCB_SGX,         QE_TDX,  "intel/qe/sgx",
                                       TCB_TDX "/17", QE_TDX "/17",    PCK_CRL, ROOT_CRL,
                                       PCK,           TCB_TDX "/early"};
    atls_sim *sim = NULL;
    roots r;
    assert_int_equal(atls_sim_new(NOW, "chain.in_collateral", &sim, NULL), ATLS_OK);
    roots_of(&r, sim);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        sim_item s;
        atls_item_facts f;
        sim_item_from(sim, keys[i], &s);
        holds(&r, &s.item, &f);
        assert_true(f.simulated);
        assert_memory_equal(f.root_sha256, r.sets[0].roots[r.sets[0].n - 1].sha256, 32);
        assert_int_equal(f.has_number, strcmp(keys[i], PCK) != 0);
        assert_true(f.issued_s <= NOW && f.expires_s > NOW && f.next_update_s >= f.expires_s);
        assert_int_equal(atls_item_judge_time(keys[i], &f, NOW, NULL), ATLS_OK);
        sim_item_clear(&s);
    }
    roots_close(&r);
    atls_sim_free(sim);
}

/* A platform that is wrong in one respect: the item of this key is refused by this check. */
static void every_link(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *key, *check;
        atls_code code;
    } bad[] = {
        {"root.other", TCB_TDX, "tcb_info.chain.root", ATLS_E_INVALID},
        {"tcb_signing.name", TCB_TDX, "tcb_info.chain.signer", ATLS_E_INVALID},
        {"tcb_signing.no_crl_dp", TCB_TDX, "tcb_info.chain.extensions", ATLS_E_INVALID},
        {"tcb_signing.critical", TCB_TDX, "tcb_info.chain.extensions", ATLS_E_INVALID},
        {"tcb_signing.issuer", TCB_TDX, "tcb_info.chain.issuer", ATLS_E_INVALID},
        {"tcb_signing.wrong_aki", TCB_TDX, "tcb_info.chain.issuer", ATLS_E_INVALID},
        {"tcb_signing.key_usage", TCB_TDX, "tcb_info.chain.usage", ATLS_E_INVALID},
        {"tcb_signing.ca_flag", TCB_TDX, "tcb_info.chain.usage", ATLS_E_INVALID},
        {"tcb_signing.signature", TCB_TDX, "tcb_info.chain.signature", ATLS_E_INVALID},
        {"tcb_signing.wrong_ca", TCB_TDX, "tcb_info.chain.issuer", ATLS_E_INVALID},
        {"tcb_info.signature", TCB_TDX, "tcb_info.signature", ATLS_E_INVALID},
        {"tcb_info.edited", TCB_TDX, "tcb_info.signature", ATLS_E_INVALID},
        {"tcb_info.by_ca", TCB_TDX, "tcb_info.chain.signer", ATLS_E_INVALID},
        {"tcb_info.by_pck", TCB_TDX, "tcb_info.chain.signer", ATLS_E_INVALID},
        {"tcb_info.cut", TCB_TDX, "tcb_info.format", ATLS_E_INVALID},
        {"tcb_info.duplicate_member", TCB_TDX, "tcb_info.format", ATLS_E_INVALID},
        {"tcb_info.missing", TCB_TDX, "tcb_info.format", ATLS_E_INVALID},
        {"tcb_info.version", TCB_TDX, "tcb_info.format", ATLS_E_INVALID},
        {"tcb_info.bad_date", TCB_TDX, "tcb_info.format", ATLS_E_INVALID},
        {"tcb_info.chain_missing", TCB_TDX, "tcb_info.chain.missing", ATLS_E_COLLATERAL},
        {"tcb_info.chain_short", TCB_TDX, "tcb_info.chain.format", ATLS_E_INVALID},
        {"tcb_info.chain_long", TCB_TDX, "tcb_info.chain.format", ATLS_E_INVALID},
        {"tcb_info.fmspc", TCB_TDX, "item.name", ATLS_E_INVALID},
        {"root.other", QE_TDX, "qe_identity.chain.root", ATLS_E_INVALID},
        {"tcb_signing.name", QE_TDX, "qe_identity.chain.signer", ATLS_E_INVALID},
        {"tcb_signing.signature", QE_TDX, "qe_identity.chain.signature", ATLS_E_INVALID},
        {"qe_identity.signature", QE_TDX, "qe_identity.signature", ATLS_E_INVALID},
        {"qe_identity.edited", QE_TDX, "qe_identity.signature", ATLS_E_INVALID},
        {"qe_identity.cut", QE_TDX, "qe_identity.format", ATLS_E_INVALID},
        {"qe_identity.version", QE_TDX, "qe_identity.version", ATLS_E_INVALID},
        {"qe_identity.chain_missing", QE_TDX, "qe_identity.chain.missing", ATLS_E_COLLATERAL},
        {"qe_identity.chain_short", QE_TDX, "qe_identity.chain.format", ATLS_E_INVALID},
        {"qe_identity.wrong_id", QE_TDX, "item.name", ATLS_E_INVALID},
        {"root.other", PCK_CRL, "pck.chain.root", ATLS_E_INVALID},
        {"ca.signature", PCK_CRL, "pck.ca.signature", ATLS_E_INVALID},
        {"ca.issuer", PCK_CRL, "pck.ca.issuer", ATLS_E_INVALID},
        {"ca.not_ca", PCK_CRL, "pck.chain.usage", ATLS_E_INVALID},
        {"ca.no_ski", PCK_CRL, "pck.chain.extensions", ATLS_E_INVALID},
        {"pck_crl.signature", PCK_CRL, "pck_crl.signature", ATLS_E_INVALID},
        {"pck_crl.issuer", PCK_CRL, "pck_crl.issuer", ATLS_E_INVALID},
        {"pck_crl.by_root", PCK_CRL, "pck_crl.issuer", ATLS_E_INVALID},
        {"pck_crl.other_ca", PCK_CRL, "pck_crl.issuer", ATLS_E_INVALID},
        {"pck_crl.no_number", PCK_CRL, "pck_crl.extensions", ATLS_E_INVALID},
        {"pck_crl.wrong_aki", PCK_CRL, "pck_crl.extensions", ATLS_E_INVALID},
        {"pck_crl.cut", PCK_CRL, "pck_crl.format", ATLS_E_INVALID},
        {"pck_crl.missing", PCK_CRL, "pck_crl.format", ATLS_E_INVALID},
        {"pck.processor", PCK_CRL, "item.name", ATLS_E_INVALID},
        {"root.other", ROOT_CRL, "root_crl.signature", ATLS_E_INVALID},
        {"root_crl.signature", ROOT_CRL, "root_crl.signature", ATLS_E_INVALID},
        {"root_crl.by_ca", ROOT_CRL, "root_crl.signature", ATLS_E_INVALID},
        {"root_crl.issuer", ROOT_CRL, "root_crl.issuer", ATLS_E_INVALID},
        {"root_crl.no_number", ROOT_CRL, "root_crl.extensions", ATLS_E_INVALID},
        {"root_crl.no_aki", ROOT_CRL, "root_crl.extensions", ATLS_E_INVALID},
        {"root_crl.cut", ROOT_CRL, "root_crl.format", ATLS_E_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_sim *sim = NULL;
        roots r;
        sim_item s;
        assert_int_equal(atls_sim_new(NOW, bad[i].fault, &sim, NULL), ATLS_OK);
        roots_of(&r, sim);
        sim_item_from(sim, bad[i].key, &s);
        refused(&r, &s.item, bad[i].code, bad[i].check);
        sim_item_clear(&s);
        roots_close(&r);
        atls_sim_free(sim);
    }
}

/* Good items under a key that says something else. */
static void other_names(void **state)
{
    (void)state;
    static const struct {
        const char *from, *key;
    } bad[] = {
        {TCB_TDX, TCB_SGX},
        {TCB_SGX, TCB_TDX},
        {TCB_TDX, "intel/tcb/tdx/53494d000001"},
        {TCB_TDX, TCB_TDX "/18"},
        {QE_TDX, "intel/qe/sgx"},
        {"intel/qe/sgx", QE_TDX},
        {QE_TDX, QE_TDX "/16"},
        {PCK_CRL, "intel/pckcrl/processor"},
        {PCK, NO_PCK},
        {PCK, "intel/pck/" ANY_QEID "/" HIGH_SVN "/0101/0000"}, /* 0x0101, and it is 0x0102 */
        {PCK, "intel/pck/" ANY_QEID "/" HIGH_SVN "/ffff/0001"},
    };
    atls_sim *sim = NULL;
    roots r;
    assert_int_equal(atls_sim_new(NOW, "chain.in_collateral", &sim, NULL), ATLS_OK);
    roots_of(&r, sim);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sim_item s;
        sim_item_from(sim, bad[i].from, &s);
        s.item.key = bad[i].key;
        refused(&r, &s.item, ATLS_E_INVALID, "item.name");
        sim_item_clear(&s);
    }
    roots_close(&r);
    atls_sim_free(sim);
}

static void nothing_under_another_root(void **state)
{
    (void)state;
    static const struct {
        const char *key, *check;
    } kinds[] = {{TCB_TDX, "tcb_info.chain.root"},
                 {QE_TDX, "qe_identity.chain.root"},
                 {PCK_CRL, "pck.chain.root"},
                 {ROOT_CRL, "root_crl.signature"},
                 {PCK, "pck.chain.root"}};
    atls_sim *sim = NULL;
    roots r;
    assert_int_equal(atls_sim_new(NOW, "chain.in_collateral", &sim, NULL), ATLS_OK);
    roots_open(&r, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        sim_item s;
        sim_item_from(sim, kinds[i].key, &s);
        refused(&r, &s.item, ATLS_E_INVALID, kinds[i].check);
        sim_item_clear(&s);
    }
    roots_close(&r);
    atls_sim_free(sim);
}

/* The chain and the body of one, the signature of another; certificates more and less; bytes behind. */
static void parts_put_together(void **state)
{
    (void)state;
    atls_sim *sim = NULL;
    roots r;
    sim_item tcb;
    sim_item qe;
    sim_item pck;
    assert_int_equal(atls_sim_new(NOW, "chain.in_collateral", &sim, NULL), ATLS_OK);
    roots_of(&r, sim);
    sim_item_from(sim, TCB_TDX, &tcb);
    sim_item_from(sim, TCB_SGX, &qe);
    sim_item_from(sim, PCK, &pck);
    /* the signature of another body */
    memcpy(tcb.body + tcb.body_len - 130, qe.body + qe.body_len - 130, 128);
    refused(&r, &tcb.item, ATLS_E_INVALID, "tcb_info.signature");
    tcb.body[tcb.body_len - 10] = 'g';
    refused(&r, &tcb.item, ATLS_E_INVALID, "tcb_info.format");
    /* chains of others */
    qe.item.key = TCB_SGX;
    qe.item.chain = pck.item.body;
    refused(&r, &qe.item, ATLS_E_INVALID, "tcb_info.chain.format");
    qe.item.chain = text_buf("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    refused(&r, &qe.item, ATLS_E_INVALID, "tcb_info.chain.format");
    qe.item.chain = text_buf(qe.chain);
    qe.item.body.len--;
    refused(&r, &qe.item, ATLS_E_INVALID, "tcb_info.format");
    qe.item.body = text_buf("[]");
    refused(&r, &qe.item, ATLS_E_INVALID, "tcb_info.format");
    /* a chain beside what is one */
    pck.item.chain = text_buf(qe.chain);
    refused(&r, &pck.item, ATLS_E_INVALID, "item.chain");
    pck.item.chain.len = 0;
    pck.item.body = text_buf(qe.chain);
    refused(&r, &pck.item, ATLS_E_INVALID, "pck.chain.format");
    pck.item.key = "intel/pck";
    refused(&r, &pck.item, ATLS_E_USAGE, "item.key");
    sim_item_clear(&tcb);
    sim_item_clear(&qe);
    sim_item_clear(&pck);
    roots_close(&r);
    atls_sim_free(sim);
}

/* As the verification has it (spec 9.2): the root may stand first; white space does not count. */
static void order_and_white_space(void **state)
{
    (void)state;
    atls_sim *sim = NULL;
    roots r;
    sim_item s;
    atls_item_facts f;
    assert_int_equal(atls_sim_new(NOW, "tcb_info.spaced", &sim, NULL), ATLS_OK);
    roots_of(&r, sim);
    sim_item_from(sim, TCB_TDX, &s);
    const char *second = strstr(s.chain + 1, "-----BEGIN");
    char *turned = calloc(1, strlen(s.chain) + 1);
    memcpy(turned, second, strlen(second));
    memcpy(turned + strlen(second), s.chain, (size_t)(second - s.chain));
    s.item.chain = text_buf(turned);
    holds(&r, &s.item, &f);
    free(turned);
    sim_item_clear(&s);
    roots_close(&r);
    atls_sim_free(sim);
}

static void every_truncation(void **state)
{
    (void)state;
    static const char *const keys[] = {TCB_TDX, QE_TDX, PCK_CRL, ROOT_CRL, PCK};
    atls_sim *sim = NULL;
    roots r;
    assert_int_equal(atls_sim_new(NOW, "chain.in_collateral", &sim, NULL), ATLS_OK);
    roots_of(&r, sim);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        sim_item s;
        atls_item_facts f;
        sim_item_from(sim, keys[i], &s);
        for (size_t len = 0; len < s.body_len; len += len < 8 || len + 8 > s.body_len ? 1 : 37) {
            s.item.body.len = len;
            if (i == 4 && len + 1 == s.body_len) {
                continue; /* the newline behind PEM */
            }
            assert_int_not_equal(atls_item_judge(r.sets, &s.item, &f, NULL), ATLS_OK);
        }
        s.item.body.len = s.body_len;
        for (size_t len = 0; len + 1 < s.item.chain.len; len += 41) {
            s.item.chain.len = len;
            assert_int_not_equal(atls_item_judge(r.sets, &s.item, &f, NULL), ATLS_OK);
            s.item.chain.len = strlen(s.chain);
        }
        sim_item_clear(&s);
    }
    roots_close(&r);
    atls_sim_free(sim);
}

static void times(void **state)
{
    (void)state;
    atls_item_facts f = {.issued_s = 1000000, .next_update_s = 3000000, .expires_s = 2000000};
    atls_err err = {0};
    assert_int_equal(atls_item_judge_time(ROOT_CRL, &f, 1000000 - 300, NULL), ATLS_OK);
    assert_int_equal(atls_item_judge_time(ROOT_CRL, &f, 2000000, NULL), ATLS_OK);
    assert_int_equal(atls_item_judge_time(ROOT_CRL, &f, 2000001, &err), ATLS_E_COLLATERAL);
    assert_string_equal(err.check, "item.expired");
    assert_non_null(strstr(err.msg, "1970-01-24T03:33:20Z"));
    assert_int_equal(atls_item_judge_time(ROOT_CRL, &f, 1000000 - 301, &err), ATLS_E_COLLATERAL);
    assert_string_equal(err.check, "item.future");
    f = (atls_item_facts){.next_update_s = INT64_MAX, .expires_s = INT64_MAX};
    assert_int_equal(atls_item_judge_time(JWKS, &f, 0, NULL), ATLS_OK);
    assert_int_equal(atls_item_judge_time(JWKS, &f, INT64_MAX, NULL), ATLS_OK);
}

/* --- AMD's --- */

typedef struct amd_items {
    roots r;
    atls_evidence_blob blob;
    atls_amd_cert_table table;
    char *ask, *ark; /* PEM */
    char vcek_key[ATLS_ITEM_KEY_LEN];
} amd_items;

static char *pem_of(atls_buf der)
{
    const uint8_t *p = der.ptr;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    long len = BIO_get_mem_data(bio, &text);
    char *copy = strndup(text, (size_t)len);
    BIO_free(bio);
    X509_free(cert);
    return copy;
}

/* The ARK of one product among those that the world gives. */
static char *ark_of(const char *pem, const char *cn)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    char *found = NULL;
    X509 *cert;
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        char name[64] = "";
        uint8_t *der = NULL;
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                                        sizeof name);
        int len = i2d_X509(cert, &der);
        if (strcmp(name, cn) == 0) {
            found = pem_of((atls_buf){der, (size_t)len});
        }
        OPENSSL_free(der);
        X509_free(cert);
    }
    BIO_free(bio);
    return found;
}

static void amd_open(amd_items *a, const snp_rig *rig, const char *variant, const char *fault,
                     const char *ark)
{
    atls_amd_leaf leaf;
    atls_cert *cert = NULL;
    atls_item_name name = {.kind = ATLS_ITEM_VCEK};
    roots_open(&a->r, rig->root);
    a->blob = snp_evidence(rig, variant, fault);
    assert_int_equal(atls_amd_cert_table_parse(
                         (atls_buf){a->blob.parts[1].bytes, a->blob.parts[1].len}, &a->table, NULL),
                     ATLS_OK);
    a->ask = a->table.entry[ATLS_AMD_ASK].len > 0 ? pem_of(a->table.entry[ATLS_AMD_ASK]) : NULL;
    a->ark = ark_of(rig->root, ark);
    a->vcek_key[0] = '\0';
    if (a->table.entry[ATLS_AMD_VCEK].len > 0 &&
        atls_cert_parse(a->table.entry[ATLS_AMD_VCEK], &cert, NULL) == ATLS_OK &&
        atls_amd_leaf_read(cert, false, &leaf, NULL) == ATLS_OK) {
        name.product = leaf.product;
        name.hwid_len = leaf.hw_id_len;
        memcpy(name.hwid, leaf.hw_id, sizeof name.hwid);
        memcpy(name.tcb, leaf.tcb, sizeof name.tcb);
        atls_item_name_format(&name, a->vcek_key);
    }
    atls_cert_free(cert);
}

static void amd_close(amd_items *a)
{
    free(a->ask);
    free(a->ark);
    atls_evidence_blob_clear(&a->blob);
    roots_close(&a->r);
}

static void amd_items_hold(void **state)
{
    static const struct {
        const char *variant, *ark, *crl, *chain;
    } products[] = {{"milan", "ARK-Milan", "amd/crl/vcek/Milan", "amd/chain/vcek/Milan"},
                    {"genoa", "ARK-Genoa", "amd/crl/vcek/Genoa", "amd/chain/vcek/Genoa"},
                    {"turin", "ARK-Turin", "amd/crl/vcek/Turin", "amd/chain/vcek/Turin"},
                    {"vlek", "ARK-Milan", "amd/crl/vlek/Milan", "amd/chain/vlek/Milan"}};
    for (size_t i = 0; i < 4; i++) {
        amd_items a;
        atls_item_facts f;
        amd_open(&a, *state, products[i].variant, NULL, products[i].ark);
        if (i < 3) {
            const atls_item vcek = {a.vcek_key, text_buf(a.ask), a.table.entry[ATLS_AMD_VCEK]};
            holds(&a.r, &vcek, &f);
            assert_true(f.simulated && !f.has_number && f.issued_s < NOW && f.expires_s > NOW);
        }
        const atls_item crl = {products[i].crl, {NULL, 0}, a.table.entry[ATLS_AMD_CRL]};
        holds(&a.r, &crl, &f);
        assert_true(f.simulated && f.issued_s <= NOW && f.expires_s > NOW);
        char *pem = malloc(strlen(a.ask) + strlen(a.ark) + 1);
        assert_non_null(pem);
        (void)sprintf(pem, "%s%s", a.ask, a.ark);
        const atls_item chain = {products[i].chain, {NULL, 0}, text_buf(pem)};
        holds(&a.r, &chain, &f);
        assert_true(f.simulated && f.expires_s > NOW);
        atls_root_set *amd = &a.r.sets[ATLS_FAMILY_AMD];
        assert_non_null(atls_root_find_sha256(amd, f.root_sha256));
        free(pem);
        amd_close(&a);
    }
}

static void vceks_of_others(void **state)
{
    static const struct {
        const char *fault, *check;
        atls_code code;
    } bad[] = {
        {"leaf.issuer", "snp.leaf.issuer", ATLS_E_INVALID},
        {"leaf.is_ca", "snp.leaf.usage", ATLS_E_INVALID},
        {"leaf.sha256", "snp.leaf.algorithm", ATLS_E_INVALID},
        {"leaf.key", "snp.leaf.key", ATLS_E_INVALID},
        {"leaf.signature", "snp.leaf.signature", ATLS_E_INVALID},
        {"leaf.signer", "snp.leaf.signature", ATLS_E_INVALID},
    };
    amd_items a;
    amd_open(&a, *state, "milan", NULL, "ARK-Milan");
    atls_item vcek = {a.vcek_key, text_buf(a.ask), a.table.entry[ATLS_AMD_VCEK]};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        amd_items b;
        amd_open(&b, *state, "milan", bad[i].fault, "ARK-Milan");
        const atls_item item = {a.vcek_key, text_buf(b.ask), b.table.entry[ATLS_AMD_VCEK]};
        refused(&b.r, &item, bad[i].code, bad[i].check);
        amd_close(&b);
    }
    /* the key's product, chip and TCB */
    char key[ATLS_ITEM_KEY_LEN];
    memcpy(key, a.vcek_key, sizeof key);
    memcpy(key + strlen("amd/vcek/"), "Genoa", 5);
    vcek.key = key;
    refused(&a.r, &vcek, ATLS_E_INVALID, "item.name");
    memcpy(key, a.vcek_key, sizeof key);
    key[20] = key[20] == '0' ? '1' : '0';
    refused(&a.r, &vcek, ATLS_E_INVALID, "item.name");
    memcpy(key, a.vcek_key, sizeof key);
    key[strlen(key) - 1] = key[strlen(key) - 1] == '0' ? '1' : '0';
    refused(&a.r, &vcek, ATLS_E_INVALID, "item.name");
    vcek.key = a.vcek_key;
    /* its chain */
    vcek.chain.len = 0;
    refused(&a.r, &vcek, ATLS_E_COLLATERAL, "snp.ca.missing");
    vcek.chain = text_buf("no PEM");
    refused(&a.r, &vcek, ATLS_E_INVALID, "item.chain");
    vcek.chain = text_buf(a.ark);
    refused(&a.r, &vcek, ATLS_E_COLLATERAL, "snp.ca.missing");
    vcek.chain = text_buf(a.ask);
    vcek.body.len--;
    refused(&a.r, &vcek, ATLS_E_INVALID, "snp.leaf.format");
    vcek.body = text_buf(a.ask);
    refused(&a.r, &vcek, ATLS_E_INVALID, "snp.leaf.format");
    roots_close(&a.r);
    roots_open(&a.r, NULL);
    vcek.body = a.table.entry[ATLS_AMD_VCEK];
    refused(&a.r, &vcek, ATLS_E_INVALID, "snp.ca.signature");
    amd_close(&a);
}

static void amd_lists_and_chains_of_others(void **state)
{
    amd_items a;
    amd_items g;
    amd_open(&a, *state, "milan", NULL, "ARK-Milan");
    amd_open(&g, *state, "genoa", NULL, "ARK-Genoa");
    atls_item crl = {"amd/crl/vcek/Genoa", {NULL, 0}, a.table.entry[ATLS_AMD_CRL]};
    refused(&a.r, &crl, ATLS_E_INVALID, "item.name");
    crl.key = "amd/crl/vcek/Milan";
    crl.body.len--;
    refused(&a.r, &crl, ATLS_E_INVALID, "snp.crl.format");
    crl.body.len++;
    crl.chain = text_buf("no PEM");
    refused(&a.r, &crl, ATLS_E_INVALID, "item.chain");
    crl.chain.len = 0;
    uint8_t *changed = malloc(crl.body.len);
    memcpy(changed, crl.body.ptr, crl.body.len);
    changed[crl.body.len - 1] ^= 1;
    crl.body.ptr = changed;
    refused(&a.r, &crl, ATLS_E_INVALID, "snp.crl.signature");
    free(changed);
    crl.body = a.table.entry[ATLS_AMD_CRL];
    const size_t most = strlen(a.ask) + strlen(a.ark) + strlen(g.ark) + 1;
    char *pem = malloc(most);
    atls_item chain = {"amd/chain/vcek/Milan", {NULL, 0}, {(uint8_t *)pem, 0}};
    const struct {
        const char *first, *second, *third, *key, *check;
    } bad[] = {
        {a.ask, a.ark, "", "amd/chain/vcek/Genoa", "item.name"},
        {a.ask, a.ark, "", "amd/chain/vlek/Milan", "item.name"},
        {a.ask, g.ark, "", "amd/chain/vcek/Milan", "snp.root.trusted"},
        {a.ark, a.ask, "", "amd/chain/vcek/Milan", "item.chain"},
        {a.ask, "", "", "amd/chain/vcek/Milan", "item.chain"},
        {a.ask, a.ark, g.ark, "amd/chain/vcek/Milan", "item.chain"},
        {a.ask, a.ark, "x", "amd/chain/vcek/Milan", "item.chain"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        chain.key = bad[i].key;
        chain.body.len =
            (size_t)snprintf(pem, most, "%s%s%s", bad[i].first, bad[i].second, bad[i].third);
        refused(&a.r, &chain, ATLS_E_INVALID, bad[i].check);
    }
    roots_close(&a.r);
    roots_open(&a.r, NULL);
    chain.key = "amd/chain/vcek/Milan";
    chain.body.len = (size_t)snprintf(pem, most, "%s%s", a.ask, a.ark);
    refused(&a.r, &chain, ATLS_E_INVALID, "snp.root.trusted");
    refused(&a.r, &crl, ATLS_E_INVALID, "snp.crl.issuer");
    free(pem);
    amd_close(&a);
    amd_close(&g);
}

/* --- JWK sets --- */

static void jwk_sets(void **state)
{
    (void)state;
#define JWK                                                                                        \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","     \
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"kid\":\"1\"}"
    static const struct {
        const char *body, *check;
    } sets[] = {
        {"{\"keys\":[" JWK "]}", NULL},
        {JWK, "jwks.key"},
        {"{\"keys\":[]}", "jwks.empty"},
        {"{}", "jwks.key"},
        {"{\"keys\":[" JWK "]", "jwks.json"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}", "jwks.private"},
    };
    roots r;
    roots_open(&r, NULL);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        atls_item item = {JWKS, {NULL, 0}, text_buf(sets[i].body)};
        atls_item_facts f;
        if (sets[i].check != NULL) {
            refused(&r, &item, ATLS_E_INVALID, sets[i].check);
            continue;
        }
        holds(&r, &item, &f);
        assert_true(!f.simulated && !f.has_number && f.issued_s == 0 && f.expires_s == INT64_MAX);
        item.chain = text_buf("x");
        refused(&r, &item, ATLS_E_INVALID, "item.chain");
    }
    roots_close(&r);
}

static void sizes(void **state)
{
    (void)state;
    roots r;
    roots_open(&r, NULL);
    uint8_t *zeros = calloc(1, ATLS_ITEM_BODY_MAX + 1);
    atls_item item = {ROOT_CRL, {NULL, 0}, {zeros, ATLS_ITEM_BODY_MAX + 1}};
    refused(&r, &item, ATLS_E_INVALID, "item.form");
    item = (atls_item){TCB_TDX, {zeros, ATLS_ITEM_CHAIN_MAX + 1}, {zeros, 1}};
    refused(&r, &item, ATLS_E_INVALID, "item.form");
    free(zeros);
    roots_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulated_items_hold),
        cmocka_unit_test(every_link),
        cmocka_unit_test(other_names),
        cmocka_unit_test(nothing_under_another_root),
        cmocka_unit_test(parts_put_together),
        cmocka_unit_test(order_and_white_space),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(times),
        cmocka_unit_test(amd_items_hold),
        cmocka_unit_test(vceks_of_others),
        cmocka_unit_test(amd_lists_and_chains_of_others),
        cmocka_unit_test(jwk_sets),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
