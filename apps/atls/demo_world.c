#include "demo_world.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "say.h"

#define SHA384_LEN 48
#define PPID_HEX   32

/* "mrtd":["<SHA-384 of WORKLOAD/mrtd>"]: the simulator's measurements (docs/simulator.md). */
static bool print_register(FILE *to, const char *name)
{
    char text[64];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    (void)snprintf(text, sizeof text, DEMO_WORKLOAD "/%s", name);
    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha384(), NULL) != 1 ||
        len != SHA384_LEN) {
        return false;
    }
    fprintf(to, "\"%s\":[\"", name);
    for (unsigned i = 0; i < len; i++) {
        fprintf(to, "%02x", digest[i]);
    }
    fprintf(to, "\"]");
    return true;
}

/* What the workload measures. An event log's registers are not those of the plain simulator: they stay open. */
static bool put_registers(FILE *to, const demo_wanted *wanted)
{
    static const char *const registers[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    bool good = true;
    const size_t n = wanted->logged ? 1 : sizeof registers / sizeof registers[0];
    if (strcmp(wanted->tee, "tdx") != 0) {
        return true;
    }
    fputs("\"tdx\":{", to);
    for (size_t i = 0; good && i < n; i++) {
        fputs(i > 0 ? "," : "", to);
        good = print_register(to, registers[i]);
    }
    fputs("},", to);
    return good;
}

/* ppid: whose the platform is, in hex. */
static atls_code make_policy(const char *ppid, const demo_wanted *wanted, atls_policy **out,
                             atls_err *err)
{
    char text[2048] = {0};
    FILE *to = fmemopen(text, sizeof text, "w");
    if (to == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    fprintf(to,
            "{\"atls_policy\":1,\"workloads\":[{\"name\":\"" DEMO_WORKLOAD "\",\"tees\":[\"%s\"],",
            wanted->tee);
    bool good = put_registers(to, wanted);
    fprintf(to, "\"platforms\":{\"ppid\":[\"%s\"]},\"bindings\":[\"%s\"]}]}", ppid,
            wanted->binding);
    good = fclose(to) == 0 && good;
    if (!good) {
        return fill_err(err, ATLS_E_SYSTEM, "crypto.sha384", "SHA-384 is not available");
    }
    return atls_policy_parse((atls_buf){(const uint8_t *)text, strlen(text)}, out, err);
}

static atls_buf buf_of(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

/* A verifier that knows the simulated platform, and has no policy. */
static atls_code make_verifier(const atls_sim *sim, const char *tee, atls_verifier **out,
                               atls_err *err)
{
    char *root = NULL;
    char *json = NULL;
    atls_collateral *collateral = NULL;
    atls_verifier *v = atls_verifier_new();
    atls_code rc =
        v != NULL ? ATLS_OK : fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    rc = rc != ATLS_OK ? rc : atls_sim_root(sim, &root, err);
    rc = rc != ATLS_OK ? rc : atls_verifier_insecure_trust_simulator(v, buf_of(root), err);
    rc = rc != ATLS_OK ? rc : atls_sim_collateral(sim, tee, &json, err);
    rc = rc != ATLS_OK ? rc : atls_collateral_parse(buf_of(json), &collateral, err);
    rc = rc != ATLS_OK ? rc : atls_verifier_add1_collateral(v, collateral, err);
    atls_collateral_free(collateral);
    atls_free(root);
    atls_free(json);
    if (rc != ATLS_OK) {
        atls_verifier_free(v);
        return rc;
    }
    *out = v;
    return ATLS_OK;
}

/* The platform's id out of a verdict, as somebody finds it who sets a machine up. */
static atls_code find_ppid(const atls_verdict *verdict, char ppid[PPID_HEX + 1], atls_err *err)
{
    static const char member[] = "\"ppid\":\"";
    char *json = atls_verdict_accepted(verdict) ? atls_verdict_json(verdict) : NULL;
    const char *at = json != NULL ? strstr(json, member) : NULL;
    atls_code rc = ATLS_OK;
    if (at == NULL || strspn(at + strlen(member), "0123456789abcdef") != PPID_HEX) {
        rc = fill_err(err, ATLS_E_SYSTEM, "demo.platform", "the platform does not show its id");
    } else {
        (void)snprintf(ppid, PPID_HEX + 1, "%s", at + strlen(member));
    }
    atls_free(json);
    return rc;
}

static atls_code learn_ppid(const atls_sim *sim, const char *tee, int64_t when_s,
                            char ppid[PPID_HEX + 1], atls_err *err)
{
    const atls_sim_quote wanted = {.type = tee, .workload = DEMO_WORKLOAD};
    atls_verifier *v = NULL;
    atls_verdict *verdict = NULL;
    uint8_t *quote = NULL;
    size_t len = 0;
    atls_code rc = make_verifier(sim, tee, &v, err);
    rc = rc != ATLS_OK ? rc : atls_sim_make_quote(sim, &wanted, &quote, &len, err);
    if (rc == ATLS_OK) {
        const atls_evidence evidence = {
            .type = tee, .parts_n = 1, .parts = {{"quote", {quote, len}}}};
        verdict = atls_verifier_check(v, &evidence, NULL, when_s, err);
        rc = verdict != NULL ? find_ppid(verdict, ppid, err) : ATLS_E_SYSTEM;
    }
    atls_verdict_free(verdict);
    atls_verifier_free(v);
    atls_free(quote);
    return rc;
}

static atls_code set_policy(const char *ppid, const demo_wanted *wanted, atls_verifier *v,
                            atls_err *err)
{
    atls_policy *policy = NULL;
    atls_code rc = make_policy(ppid, wanted, &policy, err);
    rc = rc != ATLS_OK ? rc : atls_verifier_set1_policy(v, policy, err);
    atls_policy_free(policy);
    return rc;
}

atls_code demo_world_open(int64_t when_s, const demo_wanted *wanted, demo_world *out, atls_err *err)
{
    demo_world w = {0};
    char ppid[PPID_HEX + 1] = {0};
    atls_code rc = atls_sim_new(when_s, NULL, &w.sim, err);
    rc = rc != ATLS_OK ? rc : learn_ppid(w.sim, wanted->tee, when_s, ppid, err);
    rc = rc != ATLS_OK ? rc : make_verifier(w.sim, wanted->tee, &w.verifier, err);
    rc = rc != ATLS_OK ? rc : set_policy(ppid, wanted, w.verifier, err);
    if (rc != ATLS_OK) {
        demo_world_close(&w);
        return rc;
    }
    *out = w;
    return ATLS_OK;
}

void demo_world_close(demo_world *w)
{
    atls_verifier_free(w->verifier);
    atls_sim_free(w->sim);
    *w = (demo_world){0};
}

atls_code demo_end_open(atls_role role, const demo_binding *binding, const atls_verifier *verifier,
                        const atls_attester *attester, bool show_key, endpoint *out, atls_err *err)
{
    endpoint e = {.config = atls_config_new(),
                  .ctx =
                      SSL_CTX_new(role == ATLS_CLIENT ? TLS_client_method() : TLS_server_method())};
    if (e.config == NULL || e.ctx == NULL) {
        demo_end_close(&e);
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    if (verifier != NULL) {
        atls_config_set0_verifier(e.config, verifier);
    }
    if (attester != NULL) {
        atls_config_set0_attester(e.config, attester);
    }
    atls_code rc =
        endpoint_set_bindings(e.config, binding->name, binding->options, binding->options_n, err);
    if (rc == ATLS_OK && show_key) {
        rc = atls_config_make_identity(e.config, (int64_t)time(NULL), err);
    }
    rc = rc != ATLS_OK ? rc : atls_config_apply(e.config, e.ctx, role, err);
    if (rc != ATLS_OK) {
        demo_end_close(&e);
        return rc;
    }
    *out = e;
    return ATLS_OK;
}

void demo_end_close(endpoint *e)
{
    SSL_CTX_free(e->ctx);
    atls_config_free(e->config);
    *e = (endpoint){0};
}
