/* Authenticators that are wrong inside, with a right signature and a right MAC. */
#include "unit/ea_rig.h"

/* --- certificate messages that are wrong inside, with a right signature and a right MAC --- */

static void what_stands_in_the_entries_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t n;
        entry entries[2];
        const char *check;
    } cases[] = {
        {"as it should be", 1, {{CMW_EXTENSION}}, "ok"},
        {"no evidence: for the caller to judge", 1, {{""}}, "ok"},
        {"a second certificate", 2, {{CMW_EXTENSION}, {""}}, "ok"},
        {"no certificate", 0, {{""}}, "authenticator.chain"},
        {"cmw in entry 1", 2, {{""}, {CMW_EXTENSION}}, "authenticator.cmw_place"},
        {"cmw in both entries", 2, {{CMW_EXTENSION}, {CMW_EXTENSION}}, "authenticator.cmw_place"},
        {"two cmw in entry 0", 1, {{CMW_EXTENSION CMW_EXTENSION}}, "authenticator.cmw_place"},
        {"a status request, not offered",
         1,
         {{"00050000" CMW_EXTENSION}},
         "authenticator.extension"},
        {"one not offered in entry 1",
         2,
         {{CMW_EXTENSION}, {"00120000"}},
         "authenticator.extension"},
        {"signature_algorithms has no place here",
         1,
         {{"000d000400020807"}},
         "authenticator.extension"},
        {"inner length one too large", 1, {{"ff000006000589010203"}}, "authenticator.cmw"},
        {"inner length one too small", 1, {{"ff000006000389010203"}}, "authenticator.cmw"},
        {"inner length missing", 1, {{"ff00000100"}}, "authenticator.cmw"},
        {"no inner length, no bytes", 1, {{"ff000000"}}, "authenticator.cmw"},
        {"empty evidence", 1, {{"ff0000020000"}}, "authenticator.cmw"},
        {"extension longer than its block", 1, {{"ff0000070004890102"}}, "authenticator.malformed"},
        {"half a header of an extension", 1, {{"ff00"}}, "authenticator.malformed"},
    };
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[2 * SPACE];
        atls_buf bytes = assemble(&c, cases[i].entries, cases[i].n, ATLS_TLS_ED25519, space);
        const char *check = judge(&c.keys, &c.request, bytes);
        if (strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
    }
    /* The same message, asked for without evidence. */
    uint8_t space[2 * SPACE];
    atls_buf bytes = assemble(&c, cases[0].entries, 1, ATLS_TLS_ED25519, space);
    c.request.wants_cmw = false;
    assert_string_equal(judge(&c.keys, &c.request, bytes), "authenticator.extension");
    close_connection(&c);
}

static void a_scheme_must_be_offered_and_fit_the_key(void **state)
{
    (void)state;
    static const struct {
        uint16_t scheme;
        const char *check;
    } cases[] = {
        {ATLS_TLS_ED25519, "ok"},
        {ATLS_TLS_ECDSA_SECP256R1_SHA256,
         "authenticator.scheme"}, /* offered, and not for this key */
        {ATLS_TLS_ECDSA_SECP384R1_SHA384, "authenticator.scheme"}, /* not offered */
        {ATLS_TLS_RSA_PSS_RSAE_SHA256, "authenticator.scheme"},
        {0x0401, "authenticator.scheme"}, /* PKCS#1 v1.5 */
        {0x0203, "authenticator.scheme"}, /* SHA-1 */
        {0x0000, "authenticator.scheme"},
    };
    static const entry good = {CMW_EXTENSION};
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[2 * SPACE];
        atls_buf bytes = assemble(&c, &good, 1, cases[i].scheme, space);
        assert_string_equal(judge(&c.keys, &c.request, bytes), cases[i].check);
    }
    /* Ed25519 is right for the key, and was not offered. */
    c.request.schemes_n = 1;
    uint8_t space[2 * SPACE];
    atls_buf bytes = assemble(&c, &good, 1, ATLS_TLS_ED25519, space);
    assert_string_equal(judge(&c.keys, &c.request, bytes), "authenticator.scheme");
    close_connection(&c);
}

/* Where the outer structure is wrong: byte `at` of vector A becomes value. */
static void the_structure_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        const char *check;
    } cases[] = {
        {"first message is no Certificate", 0, 8, "authenticator.malformed"},
        {"second message is no CertificateVerify", 277, 11, "authenticator.malformed"},
        {"third message is no Finished", 349, 15, "authenticator.malformed"},
        {"length of the first message", 3, 0x10, "authenticator.malformed"},
        {"length of 16 MiB", 1, 0xff, "authenticator.malformed"},
        {"context one longer", 4, 0x11, "authenticator.malformed"},
        {"list one shorter", 23, 0xfc, "authenticator.malformed"},
        {"certificate one longer", 26, 0xd8, "authenticator.malformed"},
        {"signature one shorter", 284, 0x3f, "authenticator.malformed"},
        {"signature without bytes", 284, 0, "authenticator.malformed"},
        {"leaf is no SEQUENCE", 27, 0x31, "leaf.malformed"},
        {"key of the leaf is Ed448", 27 + 105, 0x71, "leaf.key"},
    };
    connection c;
    open_connection(&c, &vectors[0], 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t good = c.bytes[cases[i].at];
        c.bytes[cases[i].at] = cases[i].value;
        const char *check = judge(&c.keys, &c.request, (atls_buf){c.bytes, c.len});
        if (good == cases[i].value || strcmp(check, cases[i].check) != 0) {
            fail_msg("%s: %s", cases[i].what, check);
        }
        c.bytes[cases[i].at] = good;
    }
    close_connection(&c);
}

static void an_empty_authenticator_refuses_and_a_forged_one_fails(void **state)
{
    (void)state;
    connection c, d;
    open_connection(&c, &vectors[1], 0);
    open_connection(&d, &vectors[1], 7);
    uint8_t space[52];
    atls_buf empty;
    assert_int_equal(atls_ea_build_empty(&c.keys, &c.request, space, sizeof space, &empty, NULL),
                     ATLS_OK);
    assert_string_equal(judge(&c.keys, &c.request, empty), "empty");
    assert_string_equal(judge(&d.keys, &d.request, empty), "authenticator.finished");
    for (size_t at = 4; at < empty.len; at++) {
        space[at] ^= 0x80;
        assert_string_equal(judge(&c.keys, &c.request, empty), "authenticator.finished");
        space[at] ^= 0x80;
    }
    /* The MAC of a SHA-256 connection is 16 bytes shorter: refused, not compared in part. */
    uint8_t cut[36] = {0x14, 0, 0, 0x20};
    memcpy(cut + 4, space + 4, 32);
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){cut, sizeof cut}),
                        "authenticator.finished");
    /* And the Finished of a full one is none of an empty one. */
    assert_string_equal(judge(&c.keys, &c.request, (atls_buf){c.bytes + c.len - 52, 52}),
                        "authenticator.finished");
    atls_err err = {0};
    assert_int_equal(atls_ea_build_empty(&c.keys, &c.request, space, 51, &empty, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "authenticator.space");
    close_connection(&c);
    close_connection(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_the_entries_is_checked),
        cmocka_unit_test(a_scheme_must_be_offered_and_fit_the_key),
        cmocka_unit_test(the_structure_is_checked),
        cmocka_unit_test(an_empty_authenticator_refuses_and_a_forged_one_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
