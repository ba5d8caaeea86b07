#include "demo_world.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "say.h"

#define SHA384_LEN 48

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

static atls_code make_policy(atls_policy **out, atls_err *err)
{
    static const char *const registers[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    char text[2048] = {0};
    FILE *to = fmemopen(text, sizeof text, "w");
    if (to == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    bool good = true;
    fprintf(to, "{\"atls_policy\":1,\"workloads\":[{\"name\":\"" DEMO_WORKLOAD
                "\",\"tees\":[\"tdx\"],\"tdx\":{");
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        fputs(i > 0 ? "," : "", to);
        good = print_register(to, registers[i]) && good;
    }
    fprintf(to, "},\"bindings\":[\"atls/1\"]}]}");
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

static atls_code teach_verifier(demo_world *w, atls_err *err)
{
    char *root = NULL;
    char *json = NULL;
    atls_collateral *collateral = NULL;
    atls_policy *policy = NULL;
    atls_code rc = make_policy(&policy, err);
    rc = rc != ATLS_OK ? rc : atls_verifier_set1_policy(w->verifier, policy, err);
    rc = rc != ATLS_OK ? rc : atls_sim_root(w->sim, &root, err);
    rc =
        rc != ATLS_OK ? rc : atls_verifier_insecure_trust_simulator(w->verifier, buf_of(root), err);
    rc = rc != ATLS_OK ? rc : atls_sim_collateral(w->sim, "tdx", &json, err);
    rc = rc != ATLS_OK ? rc : atls_collateral_parse(buf_of(json), &collateral, err);
    rc = rc != ATLS_OK ? rc : atls_verifier_add1_collateral(w->verifier, collateral, err);
    atls_policy_free(policy);
    atls_collateral_free(collateral);
    atls_free(root);
    atls_free(json);
    return rc;
}

atls_code demo_world_open(int64_t when_s, demo_world *out, atls_err *err)
{
    demo_world w = {.verifier = atls_verifier_new()};
    if (w.verifier == NULL) {
        return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    atls_code rc = atls_sim_new(when_s, NULL, &w.sim, err);
    rc = rc != ATLS_OK ? rc : teach_verifier(&w, err);
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

atls_code demo_end_open(atls_role role, const atls_verifier *verifier,
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
    atls_code rc = ATLS_OK;
    if (show_key) {
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
