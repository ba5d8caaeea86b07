/* The extensions of dstack's certificates, each wrong alone, and the documented example of what is hashed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "binding/certificate.h"
#include "binding/dstack_attestation.h"
#include "crypto/digest.h"

#define WHEN 1790000000

static const uint8_t arc[10] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xe7, 0x3d, 0x01, 0};

typedef struct one {
    unsigned number; /* the last arc of the OID */
    const char *content;
    bool bare; /* without the inner OCTET STRING */
} one;

typedef struct made {
    X509 *x509;
    unsigned char *der;
    atls_carrier carrier;
} made;

static void free_made(made *m)
{
    atls_carrier_clear(&m->carrier);
    X509_free(m->x509);
    OPENSSL_free(m->der);
}

static void make(made *m, EVP_PKEY *key, const atls_certificate_extension *extensions, size_t n)
{
    const atls_certificate_plan plan = {.common_name = "guest",
                                        .not_before_s = WHEN - 60,
                                        .not_after_s = WHEN + 60,
                                        .basic = true,
                                        .extensions = extensions,
                                        .extensions_n = n};
    memset(m, 0, sizeof *m);
    assert_int_equal(atls_certificate_make(&plan, key, &m->x509, NULL), ATLS_OK);
    int len = i2d_X509(m->x509, &m->der);
    assert_int_equal(atls_carrier_parse((atls_buf){m->der, (size_t)len}, &m->carrier, NULL),
                     ATLS_OK);
}

/* What the dialect says of a certificate with these extensions: its check, "ok" or "none". */
static const char *judge(EVP_PKEY *key, const one *list, size_t n,
                         const atls_binding_option *option, atls_code *rc)
{
    static atls_err err;
    uint8_t space[8][4096];
    uint8_t oids[8][sizeof arc];
    atls_certificate_extension extensions[8];
    made m;
    atls_carried carried = {0};
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        const size_t len = strlen(list[i].content);
        const size_t head = list[i].bare ? 0 : len < 128 ? 2 : 4;
        memcpy(oids[i], arc, sizeof arc);
        oids[i][sizeof arc - 1] = (uint8_t)list[i].number;
        space[i][0] = 0x04;
        space[i][1] = head == 2 ? (uint8_t)len : 0x82;
        if (head == 4) {
            space[i][2] = (uint8_t)(len / 256);
            space[i][3] = (uint8_t)len;
        }
        memcpy(space[i] + head, list[i].content, len);
        extensions[i] = (atls_certificate_extension){{oids[i], sizeof arc}, {space[i], head + len}};
    }
    make(&m, key, extensions, n);
    err = (atls_err){0};
    *rc = atls_binding_ra_tls_dstack.read_certificate(&m.carrier, option, option != NULL ? 1 : 0,
                                                      &carried, &found, &err);
    atls_carried_clear(&carried);
    free_made(&m);
    return *rc != ATLS_OK ? err.check : found ? "ok" : "none";
}

#define RUN(name, hex)                                                                             \
    "{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"" name                        \
    "\",\"event_payload\":\"" hex "\"}"
#define APP   "3031323334353637383930313233343536373839" /* 0123456789... */
#define GUEST "[" RUN("app-id", APP) "," RUN("system-ready", "") "]"

static void the_older_form(void **state)
{
    (void)state;
    static const atls_binding_option usage = {"usage", "kms:rpc"};
    static const atls_binding_option app = {"app-id", APP};
    static const atls_binding_option other = {"app-id", "0031323334353637383930313233343536373839"};
    static const struct {
        one list[4];
        size_t n;
        const atls_binding_option *option;
        atls_code code;
        const char *wanted;
    } cases[] = {
        {{{1, "quote", false}, {2, GUEST, false}}, 2, NULL, ATLS_OK, "ok"},
        {{{2, GUEST, false}}, 1, NULL, ATLS_OK, "none"},
        {{{9, "info", false}}, 1, NULL, ATLS_OK, "none"},
        {{{1, "quote", false}}, 1, NULL, ATLS_E_INVALID, "dstack.event_log"},
        {{{1, "quote", false}, {2, "ELGZv1\x1f", false}},
         2,
         NULL,
         ATLS_E_INVALID,
         "dstack.event_log"},
        {{{1, "quote", false}, {2, "{}", false}}, 2, NULL, ATLS_E_INVALID, "dstack.event_log"},
        {{{1, "quote", false}, {2, "[{}]", false}}, 2, NULL, ATLS_E_INVALID, "dstack.event_log"},
        {{{1, "quote", false}, {2, "[]", false}}, 2, NULL, ATLS_E_INVALID, "dstack.runtime_events"},
        {{{1, "quote", true}, {2, GUEST, false}}, 2, NULL, ATLS_E_INVALID, "dstack.extension"},
        {{{1, "quote", false}, {2, GUEST, true}}, 2, NULL, ATLS_E_INVALID, "dstack.extension"},
        {{{1, "quote", false}, {2, GUEST, false}, {4, "kms:rpc", false}}, 3, &usage, ATLS_OK, "ok"},
        {{{1, "quote", false}, {2, GUEST, false}, {4, "kms:rpC", false}},
         3,
         &usage,
         ATLS_E_POLICY,
         "dstack.usage"},
        {{{1, "quote", false}, {2, GUEST, false}}, 2, &usage, ATLS_E_POLICY, "dstack.usage"},
        {{{1, "quote", false}, {2, GUEST, false}}, 2, &app, ATLS_OK, "ok"},
        {{{1, "quote", false}, {2, GUEST, false}}, 2, &other, ATLS_E_POLICY, "dstack.app_id"},
        {{{1, "quote", false}, {2, GUEST, false}, {3, "01234567890123456789", false}},
         3,
         NULL,
         ATLS_OK,
         "ok"},
        {{{1, "quote", false}, {2, GUEST, false}, {3, "01234567890123456780", false}},
         3,
         NULL,
         ATLS_E_INVALID,
         "dstack.app_id"},
        /* An application's own event of that name, behind the system's or alone. */
        {{{1, "quote", false},
          {2, "[" RUN("app-id", "aa") "," RUN("system-ready", "") "," RUN("app-id", APP) "]",
           false}},
         2,
         &app,
         ATLS_E_INVALID,
         "dstack.app_id"},
        {{{1, "quote", false}, {2, "[" RUN("system-ready", "") "," RUN("app-id", APP) "]", false}},
         2,
         &app,
         ATLS_E_INVALID,
         "dstack.app_id"},
        /* The newer form goes first, and there is no falling back to the older one. */
        {{{1, "quote", false}, {2, GUEST, false}, {8, "\x01", false}},
         3,
         NULL,
         ATLS_E_INVALID,
         "dstack.attestation.format"},
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_code rc;
        const char *got = judge(key, cases[i].list, cases[i].n, cases[i].option, &rc);
        assert_string_equal(got, cases[i].wanted);
        assert_int_equal(rc, cases[i].code);
    }
    EVP_PKEY_free(key);
}

/* The newer form, without one runtime event, and of platforms that prove no app id. */
static void the_newer_form(void **state)
{
    (void)state;
    static const atls_binding_option app = {"app-id", APP};
    static const struct {
        atls_dstack_platform platform;
        const atls_binding_option *option;
        bool other_key;
        atls_code code;
        const char *wanted;
    } cases[] = {
        {ATLS_DSTACK_SEV_SNP, NULL, false, ATLS_OK, ""},
        {ATLS_DSTACK_NITRO_ENCLAVE, NULL, false, ATLS_OK, ""},
        {ATLS_DSTACK_SEV_SNP, &app, false, ATLS_E_POLICY, "dstack.app_id"},
        {ATLS_DSTACK_TDX, NULL, false, ATLS_E_INVALID, "dstack.runtime_events"},
        {ATLS_DSTACK_SEV_SNP, NULL, true, ATLS_E_BINDING, "dstack.report_data"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        EVP_PKEY *other = EVP_EC_gen("P-256");
        unsigned char *spki = NULL;
        uint8_t hash[ATLS_HASH_MAX];
        uint8_t bytes[512] = {0x04, 0x82};
        int len = i2d_PUBKEY(cases[i].other_key ? other : key, &spki);
        const atls_buf pieces[] = {{(const uint8_t *)"ratls-cert:", 11}, {spki, (size_t)len}};
        assert_int_equal(atls_digest(ATLS_SHA512, pieces, 2, hash, NULL), ATLS_OK);
        const atls_dstack_attestation a = {.platform = cases[i].platform,
                                           .quote = {(const uint8_t *)"quote", 5},
                                           .report_data = {hash, 64}};
        atls_writer w = atls_writer_of(bytes + 4, sizeof bytes - 4);
        assert_true(atls_dstack_write_v0(&a, &w));
        bytes[2] = (uint8_t)(w.len / 256);
        bytes[3] = (uint8_t)w.len;
        /* An OCTET STRING of less than 128 bytes has a shorter head. */
        const size_t skip = w.len < 128 ? 2 : w.len < 256 ? 1 : 0;
        bytes[skip] = 0x04;
        bytes[skip + 1] = skip == 2 ? (uint8_t)w.len : skip == 1 ? 0x81 : 0x82;
        uint8_t oid[sizeof arc];
        memcpy(oid, arc, sizeof arc);
        oid[sizeof arc - 1] = 8;
        const atls_certificate_extension ext = {{oid, sizeof oid},
                                                {bytes + skip, 4 - skip + w.len}};
        made m;
        atls_carried c = {0};
        atls_err err = {.check = ""};
        bool found = false;
        make(&m, key, &ext, 1);
        assert_int_equal(
            atls_binding_ra_tls_dstack.read_certificate(
                &m.carrier, cases[i].option, cases[i].option != NULL ? 1 : 0, &c, &found, &err),
            cases[i].code);
        assert_true(found);
        assert_string_equal(err.check, cases[i].wanted);
        if (cases[i].code == ATLS_OK) {
            const bool nitro = cases[i].platform == ATLS_DSTACK_NITRO_ENCLAVE;
            assert_int_equal(c.expected.has_user_data, nitro);
            assert_int_equal(c.expected.has_report_data, !nitro);
            assert_memory_equal(nitro ? c.expected.user_data : c.expected.report_data, hash, 64);
        }
        atls_carried_clear(&c);
        free_made(&m);
        OPENSSL_free(spki);
        EVP_PKEY_free(key);
        EVP_PKEY_free(other);
    }
}

/* SHA-512("ratls-cert:SPKI"), of the specification. */
static void documented_hash(void **state)
{
    (void)state;
    uint8_t hash[ATLS_HASH_MAX];
    char hex[129];
    const atls_buf piece = {(const uint8_t *)"ratls-cert:SPKI", 15};
    assert_int_equal(atls_digest(ATLS_SHA512, &piece, 1, hash, NULL), ATLS_OK);
    atls_hex_encode((atls_buf){hash, 64}, hex);
    assert_string_equal(hex, "eb25d5aba7775e8ba75e01079e554d40118f9d6d6a08404f9a21bf9ddd06262d"
                             "efee1f546775c6fda8162e26b3cfa213651296dec679a9576f3e12ee7852c2a3");
}

/* A link without TLS: what is asked of the attester is that hash over the link's own key. */
static void shows_over_its_key(void **state)
{
    (void)state;
    static const uint8_t spki[] = "SPKI";
    atls_link link = {
        .binding = &atls_binding_ra_tls_dstack, .spki = {spki, 4}, .shows = true, .when_s = WHEN};
    atls_step next = ATLS_STEP_DONE;
    char hex[129];
    assert_int_equal(atls_binding_ra_tls_dstack.show(&link, &next, NULL), ATLS_OK);
    assert_int_equal(next, ATLS_STEP_EVIDENCE);
    atls_hex_encode((atls_buf){link.wanted.wide, 64}, hex);
    assert_memory_equal(hex, "eb25d5aba7775e8ba75e01079e554d40", 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_older_form),
        cmocka_unit_test(the_newer_form),
        cmocka_unit_test(documented_hash),
        cmocka_unit_test(shows_over_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
