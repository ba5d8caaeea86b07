/* Constellation and Contrast between a client and a server of ours: the whole session, with each kind of evidence that can be
 * simulated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channel/config.h"
#include "e2e/rig.h"

typedef struct machine { /* a simulated one, and how to trust it */
    const char *name, *variant;
    atls_sim_world *world;
    atls_attester *attester;
    atls_sim_request request;
} machine;

static machine machines[] = {
    {.name = "azure", .variant = "snp"},   {.name = "tpm", .variant = "rsassa"},
    {.name = "snp-tpm", .variant = "aws"}, {.name = "snp-tpm", .variant = "gcp"},
    {.name = "snp", .variant = NULL},
};
enum { AZURE, TPM, AWS, GCP, SNP, MACHINES };

static atls_buf text_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static int open_machines(void **state)
{
    (void)state;
    for (size_t i = 0; i < MACHINES; i++) {
        machine *m = &machines[i];
        m->request.variant = m->variant;
        assert_int_equal(atls_sim_world_new(m->name, RIG_WHEN_S, &m->world, NULL), ATLS_OK);
        assert_int_equal(atls_sim_world_attester_new(m->world, &m->request, &m->attester, NULL),
                         ATLS_OK);
    }
    return 0;
}

static int close_machines(void **state)
{
    (void)state;
    for (size_t i = 0; i < MACHINES; i++) {
        atls_attester_free(machines[i].attester);
        atls_sim_world_free(machines[i].world);
    }
    rig_sim_free();
    return 0;
}

static void trust(atls_verifier *v, void *arg)
{
    const machine *m = arg;
    char *root = NULL;
    char *keys = NULL;
    assert_int_equal(atls_sim_world_root(m->world, &root, NULL), ATLS_OK);
    assert_int_equal(atls_sim_world_endorsement(m->world, &keys, NULL), ATLS_OK);
    assert_int_equal(atls_verifier_insecure_trust_simulator(v, text_of(root), NULL), ATLS_OK);
    if (keys != NULL) {
        assert_int_equal(atls_verifier_add1_endorsement(v, text_of(keys), NULL), ATLS_OK);
    }
    atls_free(root);
    atls_free(keys);
}

static rig_options by(const char *binding, machine *m)
{
    rig_options o = {.bindings = binding, .client_asks = true, .server_shows = true};
    if (m != NULL) {
        o.server_attester = m->attester;
        o.client_trust = trust;
        o.client_trust_arg = m;
    }
    return o;
}

static void option(rig_options *o, const char *name, const char *value)
{
    size_t n = 0;
    while (o->options[n] != NULL) {
        n += 2;
    }
    o->options[n] = name;
    o->options[n + 1] = value;
}

static void expect_open(const rig_options *o, const char *format)
{
    rig r;
    uint8_t data[40000];
    memset(data, 0x5a, sizeof data);
    rig_new(&r, o);
    rig_open(&r);
    const atls_verdict *v = atls_session_get0_verdict(r.client.session);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_format(v), format);
    assert_string_equal(atls_verdict_binding(v), "handshake");
    assert_string_equal(atls_verdict_freshness(v), "this connection");
    assert_non_null(strstr(atls_verdict_binding_line(v), "can relay its evidence"));
    if (o->server_asks) {
        assert_true(atls_verdict_accepted(atls_session_get0_verdict(r.server.session)));
    }
    rig_send(&r.client, &r.server, data, sizeof data);
    rig_send(&r.server, &r.client, data, sizeof data);
    rig_free(&r);
}

static void expect_refused(const rig_options *o, atls_code code, const char *check)
{
    rig r;
    rig_new(&r, o);
    rig_handshake(&r);
    if (r.client.rc != code) {
        print_error("%s: %s\n", r.client.err.check, r.client.err.msg);
    }
    assert_int_equal(r.client.rc, code);
    assert_string_equal(r.client.err.check, check);
    rig_free(&r);
}

/* The lists of AMD are none of the document's. */
#define WITHOUT_LISTS                                                                              \
    "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"snp-tpm\"],\"crl\":\"if-"       \
    "present\",\"bindings\":[\"constellation\"]}]}"

static void each_machine(void **state)
{
    (void)state;
    rig_options azure = by("constellation", &machines[AZURE]);
    expect_open(&azure, "azure");
    rig_options tpm = by("constellation", &machines[TPM]);
    expect_refused(&tpm, ATLS_E_POLICY, "constellation.variant");
    option(&tpm, "variants", "qemu-vtpm");
    expect_open(&tpm, "tpm");
    rig_options gcp = by("constellation", &machines[GCP]);
    gcp.client_policy = WITHOUT_LISTS;
    expect_open(&gcp, "snp-tpm");
    rig_options aws = by("constellation", &machines[AWS]);
    option(&aws, "variant", "aws-sev-snp");
    expect_refused(&aws, ATLS_E_POLICY, "constellation.variant");
    option(&aws, "variants", "aws-sev-snp");
    aws.client_policy = WITHOUT_LISTS;
    expect_open(&aws, "snp-tpm");
    rig_options tdx = by("constellation", NULL);
    expect_open(&tdx, "tdx");
}

/* The two variants of one evidence type are not one another. */
static void one_cloud_as_another(void **state)
{
    (void)state;
    rig_options aws = by("constellation", &machines[AWS]);
    option(&aws, "variant", "gcp-sev-snp");
    aws.client_policy = WITHOUT_LISTS;
    expect_refused(&aws, ATLS_E_BINDING, "binding.hardware_data");
}

static void contrast(void **state)
{
    (void)state;
    rig_options tdx = by("contrast", NULL);
    expect_open(&tdx, "tdx");
    option(&tdx, "nonce", "both");
    expect_open(&tdx, "tdx");
}

static void both_show(void **state)
{
    (void)state;
    static const char *const bindings[] = {"constellation", "contrast"};
    for (size_t i = 0; i < 2; i++) {
        rig_options o = by(bindings[i], i == 0 ? &machines[AZURE] : NULL);
        o.server_asks = o.client_shows = true;
        expect_open(&o, i == 0 ? "azure" : "tdx");
        option(&o, "tls12", "yes");
        expect_open(&o, i == 0 ? "azure" : "tdx");
    }
}

/* --- dummy --- */

static atls_code make_dummy(void *self, const atls_report_data *data, atls_evidence_blob *out,
                            atls_err *err)
{
    (void)self;
    (void)err;
    memcpy(out->type, "dummy", sizeof "dummy");
    memcpy(out->parts[0].name, "report_data", sizeof "report_data");
    out->parts[0].bytes = malloc(sizeof data->wide);
    out->parts[0].len = sizeof data->wide;
    memcpy(out->parts[0].bytes, data->wide, sizeof data->wide);
    out->parts_n = 1;
    return ATLS_OK;
}

static void accept_dummy(atls_verifier *v, void *arg)
{
    (void)arg;
    atls_verifier_insecure_accept_dummy(v);
}

static void dummies(void **state)
{
    (void)state;
    static const atls_attester attester = {.name = "dummy", .attest = make_dummy};
    rig_options o = by("constellation", NULL);
    o.server_attester = &attester;
    expect_refused(&o, ATLS_E_POLICY, "constellation.variant");
    option(&o, "variants", "dummy");
    rig r;
    rig_new(&r, &o);
    rig_handshake(&r);
    assert_true(r.client.rc != ATLS_OK); /* named, and still proof of nothing */
    assert_null(strstr(r.client.err.check, "constellation."));
    rig_free(&r);
    o.client_trust = accept_dummy;
    rig_new(&r, &o);
    rig_open(&r);
    assert_true(atls_verdict_simulated(atls_session_get0_verdict(r.client.session)));
    rig_free(&r);
}

/* --- a policy that names the dialects, and one that does not --- */

static void what_policy_says(void **state)
{
    (void)state;
    rig_options o = by("constellation", NULL);
    o.client_policy = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"],"
                      "\"bindings\":[\"constellation\"]}]}";
    expect_open(&o, "tdx");
    o.client_policy = "{\"atls_policy\":1,\"workloads\":[{\"name\":\"a\",\"tees\":[\"tdx\"]}]}";
    rig r;
    rig_new(&r, &o);
    rig_handshake(&r);
    assert_true(r.client.rc != ATLS_OK);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_machine), cmocka_unit_test(one_cloud_as_another),
        cmocka_unit_test(contrast),     cmocka_unit_test(both_show),
        cmocka_unit_test(dummies),      cmocka_unit_test(what_policy_says),
    };
    return cmocka_run_group_tests(tests, open_machines, close_machines);
}
