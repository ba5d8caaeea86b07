#include "e2e/enrol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void must(atls_code rc, const atls_err *err)
{
    if (rc != ATLS_OK) {
        fail_msg("code %d, %s: %s", (int)rc, err->check, err->msg);
    }
}

static void read_file(const swtpm *t, const char *name, char *out, size_t room, size_t *len)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", t->dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    *len = fread(out, 1, room, f);
    assert_true(*len > 0 && *len < room);
    assert_int_equal(fclose(f), 0);
}

atls_verifier *enrolling_verifier(const swtpm *t)
{
    char pem[8192];
    size_t len = 0;
    atls_err err = {0};
    atls_verifier *v = atls_verifier_new();
    assert_non_null(v);
    read_file(t, "swtpm-localca-rootca-cert.pem", pem, sizeof pem, &len);
    must(atls_verifier_set1_root(v, ATLS_FAMILY_TPM, (atls_buf){(const uint8_t *)pem, len}, &err),
         &err);
    read_file(t, "issuercert.pem", pem, sizeof pem, &len);
    must(atls_verifier_add1_endorsement(v, (atls_buf){(const uint8_t *)pem, len}, &err), &err);
    return v;
}

void enrol(const swtpm *t, const char *ak, enrolled *out)
{
    static const uint8_t secret[32] = "drawn by the enrolling party";
    atls_tpm_options o = {.tcti = t->tcti, .ak = ak};
    atls_verifier *v = enrolling_verifier(t);
    atls_credential credential;
    uint8_t back[64];
    size_t back_len = 0;
    atls_err err = {0};
    enrolled e = {0};
    must(atls_tpm_enroll_export(&o, NULL, &e.keys, &err), &err);
    assert_non_null(e.keys.ek_certificate);
    atls_buf cert = {e.keys.ek_certificate, e.keys.ek_certificate_len};
    atls_buf ek = {e.keys.ek_public, e.keys.ek_public_len};
    must(atls_ek_certificate_check(v, cert, &ek, (int64_t)time(NULL), &e.ek, &err), &err);
    must(atls_credential_make(ek, (atls_buf){e.keys.ak_public, e.keys.ak_public_len},
                              (atls_buf){secret, sizeof secret}, NULL, &credential, &err),
         &err);
    must(atls_tpm_enroll_activate(&o, NULL, (atls_buf){credential.blob, credential.blob_len},
                                  (atls_buf){credential.seed, credential.seed_len}, back, &back_len,
                                  &err),
         &err);
    assert_int_equal(back_len, sizeof secret);
    assert_memory_equal(back, secret, sizeof secret);
    atls_verifier_free(v);
    *out = e;
}

void enrolled_clear(enrolled *e)
{
    atls_tpm_keys_clear(&e->keys);
}

void enrolled_trust(atls_verifier *v, const enrolled *e)
{
    atls_err err = {0};
    must(atls_verifier_add1_endorsement(v, (atls_buf){e->keys.ak_public, e->keys.ak_public_len},
                                        &err),
         &err);
}
