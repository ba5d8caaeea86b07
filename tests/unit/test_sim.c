/* The simulator: what it makes is read back with the real parsers, and every signature in it is checked. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/sim.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "crypto/cert.h"
#include "crypto/crl.h"
#include "crypto/digest.h"
#include "evidence/dcap/quote.h"
#include "sim/faults.h"
#include "sim/level.h"
#include "trust/pck.h"
#include "trust/tcb_info.h"
#include "trust/tcb_level.h"

#define WHEN INT64_C(1800000000)

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static atls_sim *sim_with(const char *fault)
{
    atls_sim *sim = NULL;
    atls_err err = {0};
    if (atls_sim_new(WHEN, fault, &sim, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return sim;
}

static uint8_t *quote_of(const atls_sim *sim, const atls_sim_quote *q, size_t *len)
{
    uint8_t *bytes = NULL;
    atls_err err = {0};
    if (atls_sim_make_quote(sim, q, &bytes, len, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    return bytes;
}

static size_t certs_of(atls_buf pem, atls_cert **certs, size_t max)
{
    uint8_t space[4 * ATLS_CERT_MAX_LEN];
    atls_buf ders[ATLS_CHAIN_MAX];
    size_t n = 0;
    assert_int_equal(atls_cert_split(pem, space, sizeof space, ders, max, &n, NULL), ATLS_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(atls_cert_parse(ders[i], &certs[i], NULL), ATLS_OK);
        assert_string_equal(certs[i]->subject_o, "atls simulator");
        assert_true(certs[i]->has_aki && certs[i]->has_ski && certs[i]->has_key_usage &&
                    certs[i]->has_basic_constraints && certs[i]->has_crl_dp);
        assert_true(certs[i]->not_before_s == WHEN - 86400);
        assert_false(certs[i]->unknown_critical);
    }
    return n;
}

static atls_key *key_of(const uint8_t *xy)
{
    atls_key *key = NULL;
    assert_int_equal(atls_key_p256(xy, &key, NULL), ATLS_OK);
    return key;
}

static void assert_issued(const atls_cert *cert, const atls_cert *issuer)
{
    atls_key *key = key_of(issuer->p256);
    assert_true(cert->signed_ecdsa_sha256 && atls_cert_signed_by(cert, key));
    assert_true(atls_equal(cert->issuer, issuer->subject) && atls_equal(cert->aki, issuer->ski));
    assert_true(issuer->is_ca && issuer->ku_cert_sign && issuer->ku_crl_sign);
    atls_key_free(key);
}

static void assert_signed(const uint8_t *xy, atls_buf bytes, const uint8_t *rs)
{
    uint8_t digest[32];
    atls_key *key = key_of(xy);
    assert_int_equal(atls_digest(ATLS_SHA256, &bytes, 1, digest, NULL), ATLS_OK);
    assert_true(atls_key_verify_rs(key, digest, rs));
    atls_key_free(key);
}

/* Every signature of a quote, down to the root that the simulator gives out. */
static void assert_quote_is_whole(const atls_sim *sim, const atls_quote *q, size_t pck_level)
{
    atls_cert *certs[ATLS_CHAIN_MAX] = {0};
    atls_cert *root = NULL;
    char *root_pem = NULL;
    assert_int_equal(certs_of(q->certification_data, certs, ATLS_CHAIN_MAX), 3);
    assert_int_equal(atls_sim_root(sim, &root_pem, NULL), ATLS_OK);
    assert_int_equal(certs_of(text_buf(root_pem), &root, 1), 1);
    assert_true(atls_equal(certs[2]->der, root->der));
    assert_issued(root, root);
    assert_issued(certs[1], root);
    assert_issued(certs[0], certs[1]);
    assert_non_null(strstr(root->subject_cn, "SGX Root CA"));
    assert_non_null(strstr(certs[1]->subject_cn, "SGX PCK Platform CA"));
    assert_non_null(strstr(certs[0]->subject_cn, "SGX PCK Certificate"));
    assert_true(!certs[0]->is_ca && certs[0]->ku_digital_signature);

    atls_pck_extension extension;
    uint8_t sgx[16];
    sim_level_components(pck_level, sgx);
    assert_int_equal(atls_pck_extension_parse(certs[0]->sgx_extension, &extension, NULL), ATLS_OK);
    assert_memory_equal(extension.svn.sgx, sgx, sizeof sgx);
    assert_int_equal(extension.svn.pcesvn, SIM_PCESVN);
    assert_memory_equal(extension.fmspc, "SIM\0\0\0", 6);
    assert_true(extension.has_platform);

    uint8_t vouched[32];
    const atls_buf pieces[] = {q->attestation_key, q->qe_auth_data};
    assert_int_equal(atls_digest(ATLS_SHA256, pieces, 2, vouched, NULL), ATLS_OK);
    assert_memory_equal(q->qe_report.report_data.ptr, vouched, sizeof vouched);
    assert_signed(certs[0]->p256, q->qe_report.all, q->qe_report_signature.ptr);
    assert_signed(q->attestation_key.ptr, q->signed_range, q->signature.ptr);
    for (size_t i = 0; i < 3; i++) {
        atls_cert_free(certs[i]);
    }
    atls_cert_free(root);
    atls_free(root_pem);
}

static void quotes_of_each_type_parse_and_verify(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned version;
        bool is_tdx, is_1_5;
    } types[] = {{NULL, 4, true, false},       {"tdx", 4, true, false},  {"tdx5", 5, true, true},
                 {"tdx5-1.0", 5, true, false}, {"sgx", 3, false, false}, {"sgx4", 4, false, false},
                 {"sgx5", 5, false, false}};
    atls_sim *sim = sim_with(NULL);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        atls_sim_quote ask = {.type = types[i].type};
        memset(ask.report_data, 0xa5, sizeof ask.report_data);
        size_t len = 0;
        uint8_t *bytes = quote_of(sim, &ask, &len);
        atls_quote q;
        assert_int_equal(atls_quote_parse((atls_buf){bytes, len}, &q, NULL), ATLS_OK);
        assert_int_equal(q.version, types[i].version);
        assert_int_equal(q.is_tdx, types[i].is_tdx);
        assert_int_equal(q.td.is_1_5, types[i].is_1_5);
        assert_int_equal(q.trailing, 0);
        atls_buf report_data = q.is_tdx ? q.td.report_data : q.sgx.report_data;
        assert_memory_equal(report_data.ptr, ask.report_data, 64);
        assert_quote_is_whole(sim, &q, 0);
        atls_free(bytes);
    }
    atls_sim_free(sim);
}

static void sgx_status_comes_from_the_pck_certificate(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        atls_sim_quote ask = {.type = "sgx", .tcb = sim_level_status(i)};
        size_t len = 0;
        uint8_t *bytes = quote_of(sim, &ask, &len);
        atls_quote q;
        assert_int_equal(atls_quote_parse((atls_buf){bytes, len}, &q, NULL), ATLS_OK);
        assert_quote_is_whole(sim, &q, i);
        atls_free(bytes);
    }
    atls_sim_free(sim);
}

static void measurements_are_hashes_of_names(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    uint8_t want[48];
    size_t len = 0;
    const atls_buf name = text_buf("payroll/rtmr2");
    atls_sim_quote ask = {.workload = "payroll", .debug = true};
    uint8_t *bytes = quote_of(sim, &ask, &len);
    atls_quote q;
    assert_int_equal(atls_quote_parse((atls_buf){bytes, len}, &q, NULL), ATLS_OK);
    assert_int_equal(atls_digest(ATLS_SHA384, &name, 1, want, NULL), ATLS_OK);
    assert_memory_equal(q.td.rtmr[2].ptr, want, 48);
    assert_memory_equal(q.td.td_attributes.ptr, "\x01\0\0\x10\0\0\0\0", 8);
    atls_free(bytes);

    const atls_buf enclave = text_buf("demo/mrenclave");
    ask = (atls_sim_quote){.type = "sgx"};
    bytes = quote_of(sim, &ask, &len);
    assert_int_equal(atls_quote_parse((atls_buf){bytes, len}, &q, NULL), ATLS_OK);
    assert_int_equal(atls_digest(ATLS_SHA256, &enclave, 1, want, NULL), ATLS_OK);
    assert_memory_equal(q.sgx.mrenclave.ptr, want, 32);
    assert_memory_equal(q.sgx.attributes.ptr, "\x05\0\0\0\0\0\0\0", 8);
    atls_free(bytes);
    atls_sim_free(sim);
}

typedef struct texts { /* of one TEE's collateral, read by the real parsers */
    atls_tcb_info *info;
    atls_qe_identity *identity;
} texts;

static texts texts_of(const atls_sim *sim, const char *tee)
{
    texts t = {0};
    char *json = NULL;
    json_t *object = NULL;
    assert_int_equal(atls_sim_collateral(sim, tee, &json, NULL), ATLS_OK);
    assert_int_equal(atls_json_parse(text_buf(json), (size_t)4 << 20, "test", &object, NULL),
                     ATLS_OK);
    const char *info = json_string_value(json_object_get(object, "tcb_info"));
    const char *identity = json_string_value(json_object_get(object, "qe_identity"));
    assert_int_equal(atls_tcb_info_parse(text_buf(info), &t.info, NULL), ATLS_OK);
    assert_int_equal(atls_qe_identity_parse(text_buf(identity), &t.identity, NULL), ATLS_OK);
    json_decref(object);
    atls_free(json);
    return t;
}

static void texts_free(texts *t)
{
    atls_tcb_info_free(t->info);
    atls_qe_identity_free(t->identity);
}

/* What Intel's rules make of a quote and the simulator's own collateral. */
static atls_match_error match(const atls_sim *sim, const atls_sim_quote *ask, const texts *t,
                              atls_tcb_claims *claims)
{
    size_t len = 0;
    atls_quote q;
    atls_cert *certs[ATLS_CHAIN_MAX] = {0};
    atls_pck_extension extension;
    uint8_t *bytes = quote_of(sim, ask, &len);
    assert_int_equal(atls_quote_parse((atls_buf){bytes, len}, &q, NULL), ATLS_OK);
    assert_int_equal(certs_of(q.certification_data, certs, ATLS_CHAIN_MAX), 3);
    assert_int_equal(atls_pck_extension_parse(certs[0]->sgx_extension, &extension, NULL), ATLS_OK);
    atls_td_svn td = {.is_1_5 = q.td.is_1_5};
    if (q.is_tdx) {
        memcpy(td.tee_tcb_svn, q.td.tee_tcb_svn.ptr, sizeof td.tee_tcb_svn);
    }
    if (q.is_tdx && q.td.is_1_5) {
        memcpy(td.tee_tcb_svn2, q.td.tee_tcb_svn2.ptr, sizeof td.tee_tcb_svn2);
    }
    atls_match_error rc = atls_tcb_match(t->info, t->identity, &extension.svn,
                                         q.is_tdx ? &td : NULL, q.qe_report.isvsvn, claims);
    for (size_t i = 0; i < 3; i++) {
        atls_cert_free(certs[i]);
    }
    atls_free(bytes);
    return rc;
}

static void each_status_is_reached_by_intels_rules(void **state)
{
    (void)state;
    static const struct {
        const char *type, *tee;
    } types[] = {{"tdx", "tdx"}, {"tdx5", "tdx"}, {"sgx", "sgx"}};
    atls_sim *sim = sim_with(NULL);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        texts t = texts_of(sim, types[i].tee);
        assert_int_equal(t.info->is_tdx, strcmp(types[i].tee, "tdx") == 0);
        assert_int_equal(t.identity->id, t.info->is_tdx ? ATLS_QE_ID_TD_QE : ATLS_QE_ID_QE);
        assert_true(t.info->issue_date_s == WHEN - 3600 &&
                    t.info->next_update_s == WHEN + 30 * 86400);
        size_t reached = 0;
        for (int status = ATLS_TCB_UP_TO_DATE; status <= ATLS_TCB_REVOKED; status++) {
            bool relaunch = status == ATLS_TCB_TD_RELAUNCH_ADVISED ||
                            status == ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
            if (relaunch && strcmp(types[i].type, "tdx5") != 0) {
                continue;
            }
            atls_sim_quote ask = {.type = types[i].type,
                                  .tcb = atls_tcb_status_name((atls_tcb_status)status)};
            atls_tcb_claims claims = {0};
            assert_int_equal(match(sim, &ask, &t, &claims), ATLS_MATCH_OK);
            assert_true(claims.known);
            assert_int_equal(claims.status, status);
            bool best = status == ATLS_TCB_UP_TO_DATE || status == ATLS_TCB_TD_RELAUNCH_ADVISED;
            assert_int_equal(claims.platform.advisories_n, best ? 0 : 1);
            assert_true(claims.platform.date_s < WHEN);
            reached++;
        }
        assert_int_equal(reached, strcmp(types[i].type, "tdx5") == 0 ? 9 : 7);
        texts_free(&t);
    }
    atls_sim_free(sim);
}

static void assert_crl(const json_t *object, const char *member, const atls_cert *issuer,
                       int64_t when_s, uint64_t number)
{
    atls_crl *crl = NULL;
    atls_key *key = key_of(issuer->p256);
    const char *hex = json_string_value(json_object_get(object, member));
    assert_non_null(hex);
    uint8_t *space = malloc(strlen(hex));
    atls_buf der;
    assert_non_null(space);
    assert_int_equal(atls_crl_decode(text_buf(hex), space, &der, NULL), ATLS_OK);
    assert_int_equal(atls_crl_parse(der, &crl, NULL), ATLS_OK);
    free(space);
    assert_true(crl->signed_ecdsa_sha256 && atls_crl_signed_by(crl, key));
    assert_true(atls_equal(crl->issuer, issuer->subject) && atls_equal(crl->aki, issuer->ski));
    assert_true(crl->has_number && crl->serials_n == 0);
    assert_true(crl->this_update_s == when_s - 3600 && crl->next_update_s == when_s + 30 * 86400 &&
                crl->number == number);
    atls_crl_free(crl);
    atls_key_free(key);
}

static void assert_signed_text(const json_t *object, const char *text_name,
                               const char *signature_name, const char *chain_name)
{
    atls_cert *chain[ATLS_CHAIN_MAX] = {0};
    const char *text = json_string_value(json_object_get(object, text_name));
    const char *hex = json_string_value(json_object_get(object, signature_name));
    const char *pem = json_string_value(json_object_get(object, chain_name));
    uint8_t rs[64];
    size_t len = 0;
    assert_true(text != NULL && hex != NULL && pem != NULL);
    assert_int_equal(certs_of(text_buf(pem), chain, ATLS_CHAIN_MAX), 2);
    assert_issued(chain[0], chain[1]);
    assert_non_null(strstr(chain[0]->subject_cn, "SGX TCB Signing"));
    assert_true(atls_hex_decode(hex, strlen(hex), rs, sizeof rs, &len) && len == 64);
    assert_signed(chain[0]->p256, text_buf(text), rs);
    json_t *parsed = NULL;
    assert_int_equal(atls_json_parse(text_buf(text), 65536, "test", &parsed, NULL), ATLS_OK);
    json_decref(parsed);
    atls_cert_free(chain[0]);
    atls_cert_free(chain[1]);
}

static void assert_collateral_is_whole(const atls_sim *sim, int64_t when_s, uint64_t crl_number,
                                       const char *evaluation_number)
{
    static const char *const tees[] = {"tdx", "sgx"};
    for (size_t i = 0; i < 2; i++) {
        char *json = NULL;
        json_t *object = NULL;
        atls_cert *chain[ATLS_CHAIN_MAX] = {0};
        assert_int_equal(atls_sim_collateral(sim, tees[i], &json, NULL), ATLS_OK);
        assert_int_equal(atls_json_parse(text_buf(json), (size_t)4 << 20, "test", &object, NULL),
                         ATLS_OK);
        const char *pem = json_string_value(json_object_get(object, "pck_crl_issuer_chain"));
        assert_int_equal(certs_of(text_buf(pem), chain, ATLS_CHAIN_MAX), 2);
        assert_crl(object, "pck_crl", chain[0], when_s, crl_number);
        assert_crl(object, "root_ca_crl", chain[1], when_s, crl_number);
        assert_non_null(
            strstr(json_string_value(json_object_get(object, "tcb_info")), evaluation_number));
        assert_non_null(
            strstr(json_string_value(json_object_get(object, "qe_identity")), evaluation_number));
        assert_signed_text(object, "tcb_info", "tcb_info_signature", "tcb_info_issuer_chain");
        assert_signed_text(object, "qe_identity", "qe_identity_signature",
                           "qe_identity_issuer_chain");
        atls_cert_free(chain[0]);
        atls_cert_free(chain[1]);
        json_decref(object);
        atls_free(json);
    }
}

static void collateral_is_whole(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    assert_collateral_is_whole(sim, WHEN, 1, "\"tcbEvaluationDataNumber\":17,");
    atls_sim_free(sim);
}

/* The same platform, its vendor's word of another day. */
static void collateral_is_signed_anew(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    atls_sim *loaded = NULL;
    char *saved = NULL;
    char *root = NULL;
    char *same = NULL;
    assert_int_equal(atls_sim_save(sim, &saved, NULL), ATLS_OK);
    assert_int_equal(atls_sim_load(text_buf(saved), &loaded, NULL), ATLS_OK);
    assert_int_equal(atls_sim_reissue(loaded, WHEN + 40 * INT64_C(86400), 18, NULL, NULL), ATLS_OK);
    assert_collateral_is_whole(loaded, WHEN + 40 * INT64_C(86400), 2,
                               "\"tcbEvaluationDataNumber\":18,");
    assert_int_equal(atls_sim_root(sim, &root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_root(loaded, &same, NULL), ATLS_OK);
    assert_string_equal(root, same);
    assert_int_equal(atls_sim_reissue(sim, WHEN - 86400, 16, NULL, NULL), ATLS_OK);
    assert_collateral_is_whole(sim, WHEN - 86400, 2, "\"tcbEvaluationDataNumber\":16,");
    atls_free(saved);
    atls_free(root);
    atls_free(same);
    atls_sim_free(loaded);
    atls_sim_free(sim);
}

static void saved_and_loaded_it_is_the_same(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    char *saved = NULL;
    assert_int_equal(atls_sim_save(sim, &saved, NULL), ATLS_OK);
    atls_sim *loaded = NULL;
    assert_int_equal(atls_sim_load(text_buf(saved), &loaded, NULL), ATLS_OK);
    char *again = NULL;
    assert_int_equal(atls_sim_save(loaded, &again, NULL), ATLS_OK);
    assert_string_equal(saved, again);
    atls_sim_quote ask = {.type = "tdx5"};
    size_t len = 0;
    uint8_t *bytes = quote_of(loaded, &ask, &len);
    atls_quote q;
    assert_int_equal(atls_quote_parse((atls_buf){bytes, len}, &q, NULL), ATLS_OK);
    assert_quote_is_whole(sim, &q, 0);
    atls_free(bytes);
    atls_free(again);
    atls_sim_free(loaded);

    /* Each member is needed, and nothing else than what was saved is taken. */
    static const char *const members[] = {"\"atls_sim\"",
                                          "\"when\"",
                                          "\"fault\"",
                                          "\"root\"",
                                          "\"chain_root\"",
                                          "\"ca\"",
                                          "\"qe_id\"",
                                          "\"attestation_key\"",
                                          "\"collateral\"",
                                          "\"tdx\"",
                                          "\"sgx\"",
                                          "\"platforms\"",
                                          "\"tcb\"",
                                          "\"pck\"",
                                          "\"key\"",
                                          "\"td_qe_signature\"",
                                          "\"qe_signature\"",
                                          "\"keys\"",
                                          "\"tcb_signing\"",
                                          "BEGIN PRIVATE",
                                          "{"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char *broken = strdup(saved);
        char *at = strstr(broken, members[i]);
        assert_non_null(at);
        at[strlen(members[i]) > 1 ? 1 : 0] = 'X';
        atls_err err = {0};
        atls_sim *none = NULL;
        assert_int_equal(atls_sim_load(text_buf(broken), &none, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "sim.state");
        assert_null(none);
        free(broken);
    }
    atls_free(saved);
    atls_sim_free(sim);
}

static void every_fault_can_be_made(void **state)
{
    (void)state;
    atls_sim_fault f;
    size_t n = 0;
    atls_sim *good = sim_with(NULL);
    while (atls_sim_fault_at(n, &f)) {
        for (size_t k = 0; k < n; k++) {
            assert_string_not_equal(sim_faults[k].name, f.name);
        }
        assert_true(strlen(f.what) > 10 && (f.in_tdx || f.in_tdx5 || f.in_sgx));
        atls_sim *own = f.of_quote ? NULL : sim_with(f.name);
        const bool in[] = {f.in_tdx, f.in_tdx5, f.in_sgx};
        static const char *const types[] = {"tdx", "tdx5", "sgx"};
        for (size_t i = 0; i < 3; i++) {
            atls_sim_quote ask = {.type = types[i], .fault = f.of_quote ? f.name : NULL};
            uint8_t *bytes = NULL;
            size_t len = 0;
            atls_err err = {0};
            atls_code rc = atls_sim_make_quote(own != NULL ? own : good, &ask, &bytes, &len, &err);
            assert_int_equal(rc, in[i] || !f.of_quote ? ATLS_OK : ATLS_E_USAGE);
            atls_free(bytes);
        }
        atls_sim_free(own);
        n++;
    }
    assert_int_equal(n, sim_faults_n);
    assert_true(n > 150);
    atls_sim_free(good);
}

static void wrong_uses_are_named(void **state)
{
    (void)state;
    static const struct {
        atls_sim_quote ask;
        const char *check;
    } bad[] = {
        {{.type = "snp"}, "sim.type"},
        {{.tcb = "Splendid"}, "sim.tcb"},
        {{.type = "tdx", .tcb = "TDRelaunchAdvised"}, "sim.tcb"},
        {{.type = "sgx", .tcb = "TDRelaunchAdvised"}, "sim.tcb"},
        {{.fault = "no.such"}, "sim.fault"},
        {{.fault = "pck.expired"}, "sim.fault"},
        {{.type = "sgx", .fault = "td.debug"}, "sim.fault"},
    };
    atls_sim *sim = sim_with(NULL);
    atls_err err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t *bytes = NULL;
        size_t len = 0;
        atls_attester *attester = NULL;
        err = (atls_err){0};
        assert_int_equal(atls_sim_make_quote(sim, &bad[i].ask, &bytes, &len, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, bad[i].check);
        assert_int_equal(atls_sim_attester_new(sim, &bad[i].ask, &attester, &err), ATLS_E_USAGE);
        assert_true(bytes == NULL && attester == NULL);
    }
    char *json = NULL;
    assert_int_equal(atls_sim_collateral(sim, "snp", &json, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.tee");
    atls_sim *none = NULL;
    assert_int_equal(atls_sim_new(WHEN, "quote.version", &none, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.fault");
    assert_int_equal(atls_sim_new(0, NULL, &none, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.time");
    assert_null(none);
    atls_sim_free(sim);
}

/* docs/simulator.md lists every fault with its code. */
static void the_page_lists_every_fault(void **state)
{
    (void)state;
    const char *root = getenv("ATLS_SOURCE_ROOT");
    char path[4096];
    static char page[1 << 17];
    assert_non_null(root);
    assert_true((size_t)snprintf(path, sizeof path, "%s/docs/simulator.md", root) < sizeof path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t len = fread(page, 1, sizeof page - 1, f);
    assert_true(len > 0 && len < sizeof page - 1 && fclose(f) == 0);
    page[len] = '\0';
    for (size_t i = 0; i < sim_faults_n; i++) {
        char row[128];
        assert_true(
            (size_t)snprintf(row, sizeof row, "| `%s` | %s | ", sim_faults[i].name,
                             sim_faults[i].scope == SIM_OF_PLATFORM ? "platform" : "quote") <
            sizeof row);
        const char *at = strstr(page, row);
        char code[300];
        assert_true((size_t)snprintf(code, sizeof code, " | %d | %s |\n",
                                     (int)sim_faults[i].expected,
                                     sim_faults[i].what) < sizeof code);
        if (at == NULL || strstr(at, code) == NULL || strstr(at, code) > strchr(at, '\n')) {
            fail_msg("docs/simulator.md has no row %s ...%s", row, code);
        }
    }
}

typedef struct worker {
    const atls_attester *attester;
    uint8_t mark;
    bool ok;
} worker;

static void *attest_often(void *arg)
{
    worker *w = arg;
    atls_report_data data = {0};
    memset(data.wide, w->mark, sizeof data.wide);
    w->ok = true;
    for (int i = 0; i < 100 && w->ok; i++) {
        atls_evidence_blob blob = {0};
        atls_quote q;
        uint8_t digest[32];
        atls_key *key = NULL;
        w->ok = w->attester->attest(w->attester->self, &data, &blob, NULL) == ATLS_OK &&
                blob.parts_n == 1 && strcmp(blob.type, "tdx") == 0 &&
                strcmp(blob.parts[0].name, "quote") == 0 &&
                atls_quote_parse((atls_buf){blob.parts[0].bytes, blob.parts[0].len}, &q, NULL) ==
                    ATLS_OK &&
                memcmp(q.td.report_data.ptr, data.wide, 64) == 0 &&
                atls_digest(ATLS_SHA256, &q.signed_range, 1, digest, NULL) == ATLS_OK &&
                atls_key_p256(q.attestation_key.ptr, &key, NULL) == ATLS_OK &&
                atls_key_verify_rs(key, digest, q.signature.ptr);
        atls_key_free(key);
        atls_evidence_blob_clear(&blob);
        w->ok = w->ok && blob.parts[0].bytes == NULL && blob.parts_n == 0;
    }
    return NULL;
}

static void attester_serves_many_threads(void **state)
{
    (void)state;
    atls_sim *sim = sim_with(NULL);
    atls_sim_quote ask = {.type = "tdx", .workload = "threads"};
    atls_attester *attester = NULL;
    assert_int_equal(atls_sim_attester_new(sim, &ask, &attester, NULL), ATLS_OK);
    assert_string_equal(attester->name, "sim");
    pthread_t threads[4];
    worker workers[4];
    for (size_t i = 0; i < 4; i++) {
        workers[i] = (worker){attester, (uint8_t)(i + 1), false};
        assert_int_equal(pthread_create(&threads[i], NULL, attest_often, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].ok);
    }
    atls_attester_free(attester);
    atls_attester_free(NULL);
    atls_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_of_each_type_parse_and_verify),
        cmocka_unit_test(sgx_status_comes_from_the_pck_certificate),
        cmocka_unit_test(each_status_is_reached_by_intels_rules),
        cmocka_unit_test(measurements_are_hashes_of_names),
        cmocka_unit_test(collateral_is_whole),
        cmocka_unit_test(collateral_is_signed_anew),
        cmocka_unit_test(saved_and_loaded_it_is_the_same),
        cmocka_unit_test(every_fault_can_be_made),
        cmocka_unit_test(the_page_lists_every_fault),
        cmocka_unit_test(wrong_uses_are_named),
        cmocka_unit_test(attester_serves_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
