/* Several quotes in one document of Constellation: the one whose PCRs are compared has to be the one that is signed. */
#include "unit/nonce_rig.h"

#include <jansson.h>

#include "binding/certificate.h"

static const atls_binding_option options = {"variants", "qemu-vtpm"};

static atls_sim_world *world;
static atls_attester *attester;
static atls_verifier *verifier;

static int open_all(void **state)
{
    static const atls_sim_request request = {.variant = "rsassa"};
    char *keys = NULL;
    char *root = NULL;
    (void)state;
    assert_int_equal(atls_sim_world_new("tpm", NOW, &world, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_attester_new(world, &request, &attester, NULL), ATLS_OK);
    verifier = atls_verifier_new();
    assert_int_equal(atls_sim_world_root(world, &root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(world, &keys, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(verifier, text_buf(root), NULL),
                     ATLS_OK);
    assert_int_equal(atls_verifier_add1_endorsement(verifier, text_buf(keys), NULL), ATLS_OK);
    atls_free(root);
    atls_free(keys);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    atls_attester_free(attester);
    atls_verifier_free(verifier);
    atls_sim_world_free(world);
    return 0;
}

/* The genuine quote once more in front, as one of SHA-384; forged: another value of PCR 4 in the one of SHA-256. */
static char *with_two_quotes(X509 *x, bool forged)
{
    const ASN1_STRING *value = X509_EXTENSION_get_data(X509_get_ext(x, 0));
    json_t *root = json_loadb((const char *)ASN1_STRING_get0_data(value),
                              (size_t)ASN1_STRING_length(value), 0, NULL);
    json_t *quotes = json_object_get(json_object_get(root, "Attestation"), "quotes");
    json_t *first = json_deep_copy(json_array_get(quotes, 0));
    assert_non_null(first);
    json_object_set_new(json_object_get(first, "pcrs"), "hash", json_integer(12));
    json_array_insert_new(quotes, 0, first);
    json_t *pcrs = json_object_get(json_object_get(json_array_get(quotes, 1), "pcrs"), "pcrs");
    if (forged) {
        json_object_set_new(pcrs, "4", json_string("XNJS+wzokyQ2+vjM0QQJgbie5K1rn+niorfnGqyyfNM="));
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static void the_one_that_is_compared_is_signed(void **state)
{
    (void)state;
    static const uint8_t oid[] = {0x2b, 0xcd, 0x2c, 5, 1};
    for (int forged = 0; forged < 2; forged++) {
        nonce_pair p = {0};
        p.client.verifier = verifier;
        p.server.attester = attester;
        nonce_run(&p, &atls_binding_constellation, &options, 1, NULL, 0);
        assert_int_equal(p.client.rc, ATLS_OK);
        char *text = with_two_quotes(p.client.link.peer, forged == 1);
        const atls_certificate_extension extension = {{oid, sizeof oid}, text_buf(text)};
        const atls_certificate_plan plan = {.common_name = "Constellation",
                                            .not_before_s = NOW - 60,
                                            .not_after_s = NOW + 60,
                                            .extensions = &extension,
                                            .extensions_n = 1};
        X509 *x = NULL;
        unsigned char *der = NULL;
        atls_step next = ATLS_STEP_DONE;
        assert_int_equal(atls_certificate_make(&plan, p.server.link.key, &x, NULL), ATLS_OK);
        const int len = i2d_X509(x, &der);
        atls_link link = p.client.link;
        link.verdict = NULL;
        link.peer = x;
        link.peer_der = (atls_buf){der, (size_t)len};
        memset(&link.carried, 0, sizeof link.carried);
        assert_int_equal(atls_binding_constellation.exchange(&link, &next, NULL), ATLS_OK);
        assert_int_equal(next, ATLS_STEP_JUDGE);
        atls_verdict *v = atls_verifier_check(verifier, &link.carried.evidence,
                                              &link.carried.expected, NOW, NULL);
        assert_string_equal(atls_verdict_check(v), forged == 1 ? "tpm.pcrs.digest" : "");
        atls_verdict_free(v);
        atls_carried_clear(&link.carried);
        OPENSSL_free(der);
        X509_free(x);
        free(text);
        nonce_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_one_that_is_compared_is_signed)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
