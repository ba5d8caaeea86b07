/* No memory while RA-TLS certificates are made and read: no half a certificate, and no evidence without what it must say. */
#include "unit/torture.h"

#include <stdio.h>
#include <stdlib.h>

#include <atls/sim.h>

#include "binding/ra_tls.h"
#include "unit/failing_alloc.h"
#include "unit/shown.h"
#include "unit/simulated.h"

typedef struct job {
    const atls_binding *binding;
    const char *name, *value; /* an option */
    EVP_PKEY *key;
    atls_attester attester;
    uint8_t *quote;
    size_t quote_len;
    char *collateral;
    shown s;
    atls_carried carried;
} job;

static atls_code add_part(atls_evidence_blob *out, const char *name, const uint8_t *bytes,
                          size_t len, atls_err *err)
{
    uint8_t *copy = malloc(len);
    if (copy == NULL) {
        *err = (atls_err){.code = ATLS_E_SYSTEM, .check = "system.memory", .msg = "out of memory"};
        return ATLS_E_SYSTEM;
    }
    memcpy(copy, bytes, len);
    (void)snprintf(out->parts[out->parts_n].name, sizeof out->parts[0].name, "%s", name);
    out->parts[out->parts_n].bytes = copy;
    out->parts[out->parts_n++].len = len;
    return ATLS_OK;
}

/* Always the same quote: its signature is not looked at here. */
static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const job *j = self;
    (void)data;
    memset(out, 0, sizeof *out);
    memcpy(out->type, "sgx", 4);
    atls_code rc = add_part(out, "quote", j->quote, j->quote_len, err);
    if (rc == ATLS_OK) {
        rc =
            add_part(out, "collateral", (const uint8_t *)j->collateral, strlen(j->collateral), err);
    }
    if (rc != ATLS_OK) {
        atls_evidence_blob_clear(out);
        memset(out, 0, sizeof *out);
    }
    return rc;
}

static atls_code make_and_read(void *self, atls_err *err)
{
    job *j = self;
    const atls_binding_option option = {j->name, j->value};
    const size_t n = j->name != NULL ? 1 : 0;
    atls_code rc = shown_make(&j->s, j->binding, j->key, &j->attester, NOW, &option, n, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    bool found = false;
    rc = shown_read(j->binding, (atls_buf){j->s.der, j->s.der_len}, &option, n, &j->carried, &found,
                    err);
    if (rc == ATLS_OK && !found) { /* an extension that OpenSSL lost */
        *err = (atls_err){.code = ATLS_E_SYSTEM, .check = "test", .msg = "nothing found"};
        rc = ATLS_E_SYSTEM;
    }
    return rc;
}

static char *what_was_read(void *self)
{
    const job *j = self;
    char *text = malloc(256);
    assert_non_null(text);
    assert_true(j->carried.expected.has_report_data);
    (void)snprintf(text, 256, "%s %zu", j->carried.evidence.type, j->carried.evidence.parts_n);
    for (size_t i = 0; i < j->carried.evidence.parts_n; i++) {
        const size_t len = strlen(text);
        (void)snprintf(text + len, 256 - len, " %s %zu", j->carried.evidence.parts[i].name,
                       j->carried.evidence.parts[i].bytes.len);
    }
    return text;
}

static void clear(void *self)
{
    job *j = self;
    atls_carried_clear(&j->carried);
    shown_clear(&j->s);
}

static void made_and_read(void **state)
{
    (void)state;
    static const struct {
        const atls_binding *binding;
        const char *name, *value;
    } cases[] = {{&atls_binding_ra_tls, "endorsements", "yes"},
                 {&atls_binding_ra_tls_cmw, "claims", "nonce=00,a=01"},
                 {&atls_binding_ra_tls_gramine, NULL, NULL},
                 {&atls_binding_ra_tls_sdk, NULL, NULL}};
    atls_sim *sim = NULL;
    const atls_sim_quote q = {.type = "sgx"};
    assert_int_equal(atls_sim_new(NOW, NULL, &sim, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        job j = {.binding = cases[i].binding, .name = cases[i].name, .value = cases[i].value};
        j.key = EVP_EC_gen("P-256");
        j.attester = (atls_attester){"test", &j, attest, NULL};
        assert_int_equal(atls_sim_make_quote(sim, &q, &j.quote, &j.quote_len, NULL), ATLS_OK);
        assert_int_equal(atls_sim_collateral(sim, "sgx", &j.collateral, NULL), ATLS_OK);
        torture_all(&(torture){.name = cases[i].binding->name,
                               .self = &j,
                               .run = make_and_read,
                               .made = what_was_read,
                               .after = clear});
        EVP_PKEY_free(j.key);
        atls_free(j.quote);
        atls_free(j.collateral);
    }
    atls_sim_free(sim);
}

int main(void)
{
    if (!alloc_take_over()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(made_and_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
