/* Quotes of a simulated TPM against the real verifier. */
#include "world_walk.h"

#include "sim/tpm_world.h"

static const char *const variants[] = {"ecc256", "rsassa", "rsapss", "ecc384",
                                       "cert",   "logs",   NULL};
static world_walk walk;

static int open_world(void **state)
{
    (void)state;
    walk_open(&walk, "tpm", variants);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    walk_close(&walk);
    return 0;
}

static void make(const char *variant, const char *fault, atls_evidence_blob *out)
{
    atls_sim_request request = {.variant = variant, .fault = fault};
    memset(request.data.narrow, 0x42, sizeof request.data.narrow);
    walk_make(&walk, &request, out);
}

static size_t part_of(const atls_evidence_blob *blob, const char *name)
{
    size_t i = 0;
    while (i < blob->parts_n && strcmp(blob->parts[i].name, name) != 0) {
        i++;
    }
    assert_true(i < blob->parts_n);
    return i;
}

static void drop_part(atls_evidence_blob *blob, const char *name)
{
    const size_t i = part_of(blob, name);
    free(blob->parts[i].bytes);
    blob->parts_n--;
    memmove(&blob->parts[i], &blob->parts[i + 1], (blob->parts_n - i) * sizeof blob->parts[0]);
    memset(&blob->parts[blob->parts_n], 0, sizeof blob->parts[0]);
}

static bool is_ok(const atls_verdict *r, const char *id)
{
    for (size_t i = 0; i < r->ledger.count; i++) {
        if (strcmp(r->ledger.entries[i].id, id) == 0) {
            return r->ledger.entries[i].result == ATLS_CHECK_OK;
        }
    }
    return false;
}

static void assert_judged(atls_verifier *v, const atls_evidence_blob *blob, atls_code code,
                          const char *check)
{
    world_walk other = {.verifier = v};
    atls_verdict *r = walk_judge(&other, blob);
    if (atls_verdict_code(r) != code || strcmp(atls_verdict_check(r), check) != 0) {
        fail_msg("%d %s, where %d %s is wanted", (int)atls_verdict_code(r), atls_verdict_check(r),
                 (int)code, check);
    }
    atls_verdict_free(r);
}

static void each_variant_is_accepted_for_its_nonce(void **state)
{
    (void)state;
    for (size_t i = 0; variants[i] != NULL; i++) {
        atls_evidence_blob blob = {0};
        atls_expected expected = {.has_short_data = true, .has_report_data = true};
        memset(expected.short_data, 0x42, sizeof expected.short_data);
        make(variants[i], NULL, &blob);
        atls_evidence e = {.type = "tpm", .parts_n = blob.parts_n};
        for (size_t k = 0; k < blob.parts_n; k++) {
            e.parts[k].name = blob.parts[k].name;
            e.parts[k].bytes = (atls_buf){blob.parts[k].bytes, blob.parts[k].len};
        }
        for (int again = 0; again < 2; again++) { /* the second time from what was kept */
            atls_verdict *r = atls_verifier_check(walk.verifier, &e, &expected, WALK_WHEN, NULL);
            if (!atls_verdict_accepted(r)) {
                fail_msg("%s: %s", variants[i], atls_verdict_text(r, true));
            }
            const bool is_cert = strcmp(variants[i], "cert") == 0;
            const atls_tpm_claims *tpm = &r->claims.tpm;
            assert_true(atls_verdict_simulated(r));
            assert_int_equal(r->claims.tee, ATLS_TEE_TPM);
            assert_int_equal(tpm->ak_trust, is_cert ? ATLS_AK_CERTIFICATE : ATLS_AK_VOUCHED);
            assert_int_equal(tpm->banks[ATLS_TPM_SHA256].selected, SIM_TPM_SELECTED);
            assert_int_equal(tpm->qualifying_data_len, 32);
            assert_int_equal(tpm->clock_ms, 1000);
            assert_true(tpm->safe);
            assert_true(r->claims.custom_root);
            assert_true(is_ok(r, "tpm.ak.trust"));
            if (strcmp(variants[i], "logs") == 0) {
                assert_int_equal(r->claims.log.replayed, 0xbff);
                assert_int_equal(r->claims.ima.replayed, 1u << 10);
                assert_int_equal(r->claims.ima.n, 3);
            }
            assert_int_equal(atls_verdict_signatures(r), again == 0 && is_cert ? 2 : 1);
            atls_verdict_free(r);
        }
        expected.short_data[31] ^= 1;
        atls_verdict *r = atls_verifier_check(walk.verifier, &e, &expected, WALK_WHEN, NULL);
        assert_int_equal(atls_verdict_code(r), ATLS_E_BINDING);
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
}

static void each_fault_is_noticed_by_its_check(void **state)
{
    (void)state;
    static const char *const checks[] = {
        "tpm.ak.attributes",     "tpm.ak.differs",        "tpm.ak.missing",      "tpm.ak.scheme",
        "tpm.ak.untrusted",      "tpm.ak_cert.extension", "tpm.ak_cert.missing", "tpm.ak_cert.root",
        "tpm.ak_cert.signature", "tpm.ak_cert.time",      "tpm.ak_cert.usage",   "tpm.pcrs.digest",
        "tpm.pcrs.length",       "tpm.pcrs.selection",    "tpm.quote.signature", NULL};
    walk_faults(&walk, "tpm");
    walk_covers("tpm", checks);
}

/* What the AK certificate says of its own time is judged each time, whatever was kept. */
static void a_kept_certificate_ends_all_the_same(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    make("cert", NULL, &blob);
    atls_evidence e = {.type = "tpm", .parts_n = blob.parts_n};
    for (size_t k = 0; k < blob.parts_n; k++) {
        e.parts[k].name = blob.parts[k].name;
        e.parts[k].bytes = (atls_buf){blob.parts[k].bytes, blob.parts[k].len};
    }
    static const int64_t when[] = {WALK_WHEN, WALK_WHEN + 2 * 31557600LL, WALK_WHEN};
    for (size_t i = 0; i < 3; i++) {
        atls_verdict *r = atls_verifier_check(walk.verifier, &e, NULL, when[i], NULL);
        assert_int_equal(atls_verdict_code(r), i == 1 ? ATLS_E_COLLATERAL : ATLS_OK);
        assert_string_equal(atls_verdict_check(r), i == 1 ? "tpm.ak_cert.time" : "");
        atls_verdict_free(r);
    }
    atls_evidence_blob_clear(&blob);
}

static void a_key_in_the_evidence_vouches_for_nothing(void **state)
{
    (void)state;
    atls_verifier *v = atls_verifier_new();
    atls_evidence_blob blob = {0};
    make("ecc256", NULL, &blob);
    assert_judged(v, &blob, ATLS_E_INVALID, "tpm.ak.untrusted");
    /* Vouched for as a public area: accepted, with or without the key in the evidence. */
    const size_t ak = part_of(&blob, "ak_public");
    assert_int_equal(atls_verifier_add1_endorsement(
                         v, (atls_buf){blob.parts[ak].bytes, blob.parts[ak].len}, NULL),
                     ATLS_OK);
    assert_judged(v, &blob, ATLS_OK, "");
    drop_part(&blob, "ak_public");
    assert_judged(v, &blob, ATLS_OK, "");
    atls_evidence_blob_clear(&blob);
    /* Another key, which nobody gave. */
    make("ecc384", NULL, &blob);
    assert_judged(v, &blob, ATLS_E_INVALID, "tpm.ak.untrusted");
    atls_evidence_blob_clear(&blob);
    make("cert", NULL, &blob);
    assert_judged(v, &blob, ATLS_E_COLLATERAL, "tpm.ak_cert.missing");
    atls_evidence_blob_clear(&blob);
    atls_verifier_free(v);
}

/* A certificate without a root is enough for a key that the caller gave, if it is that key's. */
static void a_vouched_key_needs_no_root(void **state)
{
    (void)state;
    atls_verifier *v = atls_verifier_new();
    atls_evidence_blob blob = {0};
    make("cert", NULL, &blob);
    const size_t ak = part_of(&blob, "ak_public");
    assert_int_equal(atls_verifier_add1_endorsement(
                         v, (atls_buf){blob.parts[ak].bytes, blob.parts[ak].len}, NULL),
                     ATLS_OK);
    assert_judged(v, &blob, ATLS_OK, "");
    drop_part(&blob, "ak_public");
    assert_judged(v, &blob, ATLS_OK, "");
    atls_evidence_blob_clear(&blob);
    make("cert", "ak.differs", &blob);
    assert_judged(v, &blob, ATLS_E_INVALID, "tpm.ak.differs");
    atls_evidence_blob_clear(&blob);
    atls_verifier_free(v);
}

/* A key is vouched for, and another one signed; a quote that names no key is that of the vouched one alone. */
static void the_vouched_key_is_the_one_that_signs(void **state)
{
    (void)state;
    static const char *const signers[] = {"ecc384", "rsassa", "cert"};
    atls_evidence_blob vouched = {0};
    atls_verifier *v = atls_verifier_new();
    make("ecc256", NULL, &vouched);
    const size_t ak = part_of(&vouched, "ak_public");
    const atls_buf area = {vouched.parts[ak].bytes, vouched.parts[ak].len};
    assert_int_equal(atls_verifier_add1_endorsement(v, area, NULL), ATLS_OK);
    for (size_t i = 0; i < 3; i++) {
        atls_evidence_blob blob = {0};
        make(signers[i], NULL, &blob);
        const size_t at = part_of(&blob, "ak_public");
        free(blob.parts[at].bytes); /* the evidence says that the vouched key signed */
        blob.parts[at].bytes = malloc(area.len);
        memcpy(blob.parts[at].bytes, area.ptr, area.len);
        blob.parts[at].len = area.len;
        if (i == 2) {
            drop_part(&blob, "ak_cert");
        }
        world_walk other = {.verifier = v};
        atls_verdict *r = walk_judge(&other, &blob);
        assert_true(walk_failed(r, "tpm.quote.signature"));
        assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
        atls_verdict_free(r);
        drop_part(&blob, "ak_public");
        r = walk_judge(&other, &blob);
        assert_true(walk_failed(r, "tpm.quote.signature"));
        atls_verdict_free(r);
        atls_evidence_blob_clear(&blob);
    }
    atls_evidence_blob_clear(&vouched);
    atls_verifier_free(v);
}

/* The public area that the caller vouches for decides, not the bare key in the evidence. */
static void attributes_of_the_vouched_area_count(void **state)
{
    (void)state;
    static const char *const faults[] = {"ak.unrestricted", "signature.pss"};
    static const char *const checks[] = {"tpm.ak.attributes", "tpm.ak.scheme"};
    for (size_t i = 0; i < 2; i++) {
        atls_verifier *v = atls_verifier_new();
        atls_evidence_blob blob = {0};
        make("rsassa", faults[i], &blob);
        const size_t ak = part_of(&blob, "ak_public");
        assert_int_equal(atls_verifier_add1_endorsement(
                             v, (atls_buf){blob.parts[ak].bytes, blob.parts[ak].len}, NULL),
                         ATLS_OK);
        drop_part(&blob, "ak_public");
        assert_judged(v, &blob, ATLS_E_INVALID, checks[i]);
        atls_evidence_blob_clear(&blob);
        atls_verifier_free(v);
    }
}

static void missing_parts_are_told(void **state)
{
    (void)state;
    static const char *const parts[] = {"signature", "pcrs"};
    for (size_t i = 0; i < 2; i++) {
        atls_evidence_blob blob = {0};
        make("ecc256", NULL, &blob);
        drop_part(&blob, parts[i]);
        assert_judged(walk.verifier, &blob, ATLS_E_INVALID, "evidence.parts");
        atls_evidence_blob_clear(&blob);
    }
}

/* No bit of the signed part, nor of the signature, may change. */
static void every_flipped_byte_is_refused(void **state)
{
    (void)state;
    static const char *const parts[] = {"quote", "signature", "pcrs"};
    atls_evidence_blob blob = {0};
    make("ecc256", NULL, &blob);
    for (size_t p = 0; p < 3; p++) {
        const size_t at = part_of(&blob, parts[p]);
        for (size_t i = 0; i < blob.parts[at].len; i += p == 2 ? 29 : 1) {
            blob.parts[at].bytes[i] ^= 0x04;
            atls_verdict *r = walk_judge(&walk, &blob);
            assert_int_equal(atls_verdict_code(r), ATLS_E_INVALID);
            assert_int_equal(r->claims.tee, ATLS_TEE_NONE);
            atls_verdict_free(r);
            blob.parts[at].bytes[i] ^= 0x04;
        }
    }
    assert_judged(walk.verifier, &blob, ATLS_OK, "");
    atls_evidence_blob_clear(&blob);
}

static void a_saved_world_goes_on_with_its_keys(void **state)
{
    (void)state;
    char *text = NULL;
    assert_int_equal(atls_sim_world_save(walk.world, &text, NULL), ATLS_OK);
    world_walk again = walk;
    assert_int_equal(atls_sim_world_load(walk_text(text), &again.world, NULL), ATLS_OK);
    atls_free(text);
    atls_evidence_blob blob = {0};
    const atls_sim_request request = {.workload = "other"};
    walk_make(&again, &request, &blob);
    assert_judged(walk.verifier, &blob, ATLS_OK, "");
    atls_evidence_blob_clear(&blob);
    atls_sim_world_free(again.world);
    atls_err err = {0};
    atls_sim_world *w = NULL;
    assert_int_equal(
        atls_sim_world_load(walk_text("{\"world\":\"tpm\",\"when\":1,\"ecc256\":\"x\"}"), &w, &err),
        ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.state");
    const atls_sim_request unknown = {.variant = "ecc521"};
    assert_int_equal(atls_sim_world_make(walk.world, &unknown, &blob, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.variant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_accepted_for_its_nonce),
        cmocka_unit_test(each_fault_is_noticed_by_its_check),
        cmocka_unit_test(a_kept_certificate_ends_all_the_same),
        cmocka_unit_test(a_key_in_the_evidence_vouches_for_nothing),
        cmocka_unit_test(a_vouched_key_needs_no_root),
        cmocka_unit_test(the_vouched_key_is_the_one_that_signs),
        cmocka_unit_test(attributes_of_the_vouched_area_count),
        cmocka_unit_test(missing_parts_are_told),
        cmocka_unit_test(every_flipped_byte_is_refused),
        cmocka_unit_test(a_saved_world_goes_on_with_its_keys),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
