/* SNP reports through the verifier: what is claimed, what is kept, where leaf and lists may come from. */
#include "unit/snp_world.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "trust/amd_cert_table.h"

#define YEAR ((int64_t)365 * 86400)

static const char *found_at(const atls_verdict *r, const char *id)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        if (strcmp(r->ledger.entries[i].id, id) == 0) {
            return r->ledger.entries[i].found.kind == ATLS_VALUE_TEXT
                       ? r->ledger.entries[i].found.as.text
                       : "";
        }
    }
    return NULL;
}

static void good_reports_are_accepted(void **state)
{
    static const struct {
        const char *variant, *product;
        uint32_t version;
        bool is_vlek, has_fmc;
        uint8_t snp, microcode;
    } cases[] = {
        {NULL, "Milan", 3, false, false, 24, 219},
        {"milan-v2", "Milan", 2, false, false, 24, 219},
        {"genoa", "Genoa", 3, false, false, 23, 84},
        {"turin", "Turin", 5, false, true, 4, 81},
        {"vlek", "Milan", 3, true, false, 24, 219},
    };
    const snp_rig *rig = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_evidence_blob blob = snp_evidence(rig, cases[i].variant, NULL);
        atls_verdict *r = snp_check(rig->v, &blob, 2, NOW);
        const atls_snp_claims *s = &r->claims.as.snp;
        assert_string_equal(atls_verdict_check(r), "");
        assert_true(atls_verdict_accepted(r));
        assert_true(atls_verdict_simulated(r));
        assert_int_equal(r->claims.tee, ATLS_TEE_SNP);
        assert_string_equal(s->product, cases[i].product);
        assert_int_equal(s->version, cases[i].version);
        assert_int_equal(s->is_vlek, cases[i].is_vlek);
        assert_string_equal(s->csp_id, cases[i].is_vlek ? "CN=simulator.invalid" : "");
        assert_int_equal(s->reported_tcb.has_fmc, cases[i].has_fmc);
        assert_int_equal(s->reported_tcb.snp, cases[i].snp);
        assert_int_equal(s->launch_tcb.microcode, cases[i].microcode);
        assert_int_equal(s->current_version[0], 1);
        assert_int_equal(s->current_version[2], 29);
        assert_int_equal(r->claims.platform.has_chip_id, !cases[i].is_vlek);
        assert_int_equal(s->chip_id_masked, cases[i].is_vlek);
        assert_true(s->crl_checked);
        assert_false(s->reserved_set);
        assert_int_equal(r->claims.report_data_len, 64);
        assert_int_equal(r->claims.report_data[63], 0x42);
        assert_int_equal(r->claims.expires_s, NOW + 30 * 86400); /* the list's */
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
}

static void notes_are_told_and_refuse_nothing(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, NULL, "report.provisional");
    atls_verdict *r = snp_check(rig->v, &blob, 2, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_non_null(strstr(found_at(r, "snp.firmware.provisional"), "provisional"));
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    blob = snp_evidence(rig, NULL, "report.reserved_end");
    r = snp_check(rig->v, &blob, 2, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_true(r->claims.as.snp.reserved_set);
    assert_non_null(strstr(found_at(r, "snp.report.reserved"), "not zero"));
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
}

static void a_known_leaf_costs_one_signature(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, "turin", NULL);
    atls_verifier_drop_caches(rig->v);
    atls_verdict *r = snp_check(rig->v, &blob, 2, NOW);
    assert_int_equal(atls_verdict_signatures(r), 4); /* leaf, ASK, list, report */
    size_t checks = atls_verdict_checks(r);
    atls_verdict_free(r);
    for (int i = 0; i < 3; i++) {
        r = snp_check(rig->v, &blob, 2, NOW);
        assert_true(atls_verdict_accepted(r));
        assert_int_equal(atls_verdict_signatures(r), 1);
        assert_true(atls_verdict_checks(r) + 1 >= checks); /* what was kept is told again */
        assert_int_equal(r->claims.expires_s, NOW + 30 * 86400);
        atls_verdict_free(r);
    }
    /* Times are judged each time, of what is kept too. */
    r = snp_check(rig->v, &blob, 2, NOW + 31 * 86400);
    assert_int_equal(atls_verdict_signatures(r), 1);
    assert_true(has_failure(r, "snp.crl.time", ATLS_E_COLLATERAL));
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
}

static void time_is_judged_link_by_link(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, NULL, NULL);
    atls_verdict *r = snp_check(rig->v, &blob, 2, NOW + 11 * YEAR);
    assert_true(has_failure(r, "snp.leaf.time", ATLS_E_COLLATERAL));
    assert_true(has_failure(r, "snp.ca.time", ATLS_E_COLLATERAL));
    assert_false(has_failure(r, "snp.root.time", ATLS_E_COLLATERAL));
    assert_int_equal(r->claims.tee, ATLS_TEE_SNP); /* all that can be judged is judged */
    atls_verdict_free(r);
    r = snp_check(rig->v, &blob, 2, NOW + 21 * YEAR);
    assert_true(has_failure(r, "snp.root.time", ATLS_E_COLLATERAL));
    assert_int_equal(atls_verdict_code(r), ATLS_E_COLLATERAL);
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
}

/* The kernel's and the cloud's form: the table stands right behind the report. */
static void a_raw_extended_report(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, "genoa", NULL);
    size_t len = blob.parts[0].len + blob.parts[1].len;
    uint8_t *raw = malloc(len);
    assert_non_null(raw);
    memcpy(raw, blob.parts[0].bytes, blob.parts[0].len);
    memcpy(raw + blob.parts[0].len, blob.parts[1].bytes, blob.parts[1].len);
    atls_evidence e = {.parts_n = 1, .parts = {{NULL, {raw, len}}}};
    atls_verdict *r = atls_verifier_check(rig->v, &e, NULL, NOW, NULL);
    assert_string_equal(atls_verdict_format(r), "snp");
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    for (size_t cut = 1; cut < 1184 && cut < len; cut += 37) { /* no shorter one is */
        e.parts[0].bytes.len = len - (len - 1184) - cut;
        r = atls_verifier_check(rig->v, &e, NULL, NOW, NULL);
        assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
        atls_verdict_free(r);
    }
    free(raw);
    atls_evidence_blob_clear(&blob);
}

static atls_amd_cert_table table_of(const atls_evidence_blob *blob)
{
    atls_amd_cert_table t;
    assert_int_equal(
        atls_amd_cert_table_parse((atls_buf){blob->parts[1].bytes, blob->parts[1].len}, &t, NULL),
        ATLS_OK);
    return t;
}

static atls_verifier *verifier_of(const snp_rig *rig)
{
    atls_verifier *v = atls_verifier_new();
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_buf(rig->root), NULL), ATLS_OK);
    return v;
}

/* Several leaves: the one of this chip and TCB is taken. */
static void leaves_from_endorsements(void **state)
{
    const snp_rig *rig = *state;
    static const char *const others[] = {"leaf.tcb", "leaf.hwID_other", "leaf.integer_large"};
    atls_verifier *v = verifier_of(rig);
    atls_evidence_blob blob = snp_evidence(rig, NULL, NULL);
    assert_refused(snp_check(v, &blob, 1, NOW), ATLS_E_COLLATERAL, "snp.leaf.missing");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        atls_evidence_blob other = snp_evidence(rig, NULL, others[i]);
        assert_int_equal(
            atls_verifier_add1_endorsement(v, table_of(&other).entry[ATLS_AMD_VCEK], NULL),
            ATLS_OK);
        atls_evidence_blob_clear(&other);
    }
    assert_refused(snp_check(v, &blob, 1, NOW), ATLS_E_INVALID, "snp.leaf.tcb");
    atls_amd_cert_table t = table_of(&blob);
    assert_int_equal(atls_verifier_add1_endorsement(v, t.entry[ATLS_AMD_VCEK], NULL), ATLS_OK);
    assert_refused(snp_check(v, &blob, 1, NOW), ATLS_E_COLLATERAL, "snp.ca.missing");
    assert_int_equal(atls_verifier_add1_endorsement(v, t.entry[ATLS_AMD_ASK], NULL), ATLS_OK);
    assert_refused(snp_check(v, &blob, 1, NOW), ATLS_E_COLLATERAL, "policy.crl");
    assert_int_equal(atls_verifier_add1_endorsement(v, t.entry[ATLS_AMD_CRL], NULL), ATLS_OK);
    atls_verdict *r = snp_check(v, &blob, 1, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_verifier_free(v);
    atls_evidence_blob_clear(&blob);
}

static void a_table_is_an_endorsement(void **state)
{
    const snp_rig *rig = *state;
    atls_verifier *v = verifier_of(rig);
    atls_err err = {0};
    atls_evidence_blob blob = snp_evidence(rig, "vlek", NULL);
    assert_int_equal(
        atls_verifier_add1_endorsement(v, (atls_buf){blob.parts[1].bytes, blob.parts[1].len}, NULL),
        ATLS_OK);
    atls_verdict *r = snp_check(v, &blob, 1, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    assert_int_equal(atls_verifier_add1_endorsement(v, (atls_buf){blob.parts[1].bytes, 40}, &err),
                     ATLS_E_INVALID);
    assert_string_equal(err.check, "snp.table.header");
    atls_verifier_free(v);
    atls_evidence_blob_clear(&blob);
}

/* A stale list condemns, and does not acquit; beside one in date it does no harm. Lists of other roots are passed over. */
static void lists_beside_each_other(void **state)
{
    const snp_rig *rig = *state;
    atls_verifier *v = verifier_of(rig);
    atls_evidence_blob good = snp_evidence(rig, NULL, NULL);
    static const char *const harmless[] = {"crl.stale", "crl.issuer"};
    for (size_t i = 0; i < 2; i++) {
        atls_evidence_blob other = snp_evidence(rig, NULL, harmless[i]);
        assert_int_equal(
            atls_verifier_add1_endorsement(v, table_of(&other).entry[ATLS_AMD_CRL], NULL), ATLS_OK);
        atls_evidence_blob_clear(&other);
    }
    atls_verdict *r = snp_check(v, &good, 2, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_evidence_blob other = snp_evidence(rig, NULL, "crl.stale_revokes");
    assert_int_equal(atls_verifier_add1_endorsement(v, table_of(&other).entry[ATLS_AMD_CRL], NULL),
                     ATLS_OK);
    assert_refused(snp_check(v, &good, 2, NOW), ATLS_E_INVALID, "snp.ca.crl");
    atls_evidence_blob_clear(&other);
    atls_evidence_blob_clear(&good);
    atls_verifier_free(v);
}

/* --- roots --- */

/* The certificate number at of the world's three roots, as PEM. */
static atls_buf root_number(const snp_rig *rig, int at)
{
    const char *p = rig->root;
    for (int i = 0; i < at; i++) {
        p = strstr(p + 1, "-----BEGIN");
    }
    const char *end = strstr(p, "-----END CERTIFICATE-----");
    return (atls_buf){(const uint8_t *)p,
                      (size_t)(end - p) + strlen("-----END CERTIFICATE-----\n")};
}

static void nothing_is_trusted_unasked(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, NULL, NULL);
    atls_verifier *v = atls_verifier_new();
    assert_refused(snp_check(v, &blob, 2, NOW), ATLS_E_INVALID, "snp.ca.signature");
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AMD, root_number(rig, 1), NULL),
                     ATLS_OK); /* Genoa's in place of all of AMD's */
    assert_refused(snp_check(v, &blob, 2, NOW), ATLS_E_INVALID, "snp.root.trusted");
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AMD, root_number(rig, 0), NULL),
                     ATLS_OK);
    atls_verdict *r = snp_check(v, &blob, 2, NOW);
    assert_true(atls_verdict_accepted(r));
    assert_true(atls_verdict_simulated(r)); /* the mark is in the certificates */
    assert_true(r->claims.custom_root);
    atls_verdict_free(r);
    atls_verifier_free(v);
    atls_evidence_blob_clear(&blob);
}

/* An ARK of 2048 bits, self-signed. */
static char *short_root(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *lent = NULL;
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const uint8_t *)"ARK-Milan", -1, -1, 0),
                     1);
    assert_true(X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
                X509_set_subject_name(x, name) == 1 && X509_set_issuer_name(x, name) == 1 &&
                ASN1_TIME_set(X509_getm_notBefore(x), NOW - 86400) != NULL &&
                ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400) != NULL &&
                X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha384()) > 0 &&
                PEM_write_bio_X509(bio, x) == 1);
    long len = BIO_get_mem_data(bio, &lent);
    char *pem = strndup(lent, (size_t)len);
    BIO_free(bio);
    X509_NAME_free(name);
    X509_free(x);
    EVP_PKEY_free(key);
    return pem;
}

static void a_root_has_4096_bits(void **state)
{
    const snp_rig *rig = *state;
    atls_evidence_blob blob = snp_evidence(rig, NULL, NULL);
    atls_verifier *v = atls_verifier_new();
    char *pem = short_root();
    assert_int_equal(atls_verifier_set1_root(v, ATLS_FAMILY_AMD, text_buf(pem), NULL), ATLS_OK);
    assert_refused(snp_check(v, &blob, 2, NOW), ATLS_E_INVALID, "snp.root.key");
    free(pem);
    atls_verifier_free(v);
    atls_evidence_blob_clear(&blob);
}

/* --- the world itself --- */

static void a_world_goes_on_from_its_state(void **state)
{
    const snp_rig *rig = *state;
    char *json = NULL;
    atls_sim_world *again = NULL;
    atls_err err = {0};
    assert_int_equal(atls_sim_world_save(rig->world, &json, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_load(text_buf(json), &again, NULL), ATLS_OK);
    const snp_rig other = {.world = again, .v = rig->v};
    atls_evidence_blob blob = snp_evidence(&other, "turin", NULL);
    atls_verdict *r = snp_check(rig->v, &blob, 2, NOW);
    assert_true(atls_verdict_accepted(r));
    atls_verdict_free(r);
    atls_evidence_blob_clear(&blob);
    atls_sim_world_free(again);
    char *key = strstr(json, "\"asvk\"");
    assert_non_null(key);
    key[1] = 'x';
    assert_int_equal(atls_sim_world_load(text_buf(json), &again, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "sim.state");
    atls_free(json);
    atls_sim_request request = {.variant = "rome"};
    assert_int_equal(atls_sim_world_make(rig->world, &request, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_reports_are_accepted),
        cmocka_unit_test(notes_are_told_and_refuse_nothing),
        cmocka_unit_test(a_known_leaf_costs_one_signature),
        cmocka_unit_test(time_is_judged_link_by_link),
        cmocka_unit_test(a_raw_extended_report),
        cmocka_unit_test(leaves_from_endorsements),
        cmocka_unit_test(a_table_is_an_endorsement),
        cmocka_unit_test(lists_beside_each_other),
        cmocka_unit_test(nothing_is_trusted_unasked),
        cmocka_unit_test(a_root_has_4096_bits),
        cmocka_unit_test(a_world_goes_on_from_its_state),
    };
    return cmocka_run_group_tests(tests, snp_rig_open, snp_rig_close);
}
