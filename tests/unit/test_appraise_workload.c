/* Appraisal: measurements, which workload it is, whose, and over which binding. */
#include "unit/appraise_rig.h"

/* --- measurements --- */

static void each_register_is_compared(void **state)
{
    (void)state;
    static const struct {
        const char *id; /* the key stands behind its second dot */
        size_t offset, size;
    } tdx[] = {
#define R(field) offsetof(atls_tdx_claims, field), sizeof(((atls_tdx_claims *)0)->field)
        {"policy.tdx.mrtd", R(mrtd)},
        {"policy.tdx.mrseam", R(mrseam)},
        {"policy.tdx.mrsignerseam", R(mrsignerseam)},
        {"policy.tdx.mrconfigid", R(mrconfigid)},
        {"policy.tdx.mrowner", R(mrowner)},
        {"policy.tdx.mrownerconfig", R(mrownerconfig)},
        {"policy.tdx.mrservicetd", R(mrservicetd)},
        {"policy.tdx.xfam", R(xfam)},
        {"policy.tdx.rtmr0", R(rtmr[0])},
        {"policy.tdx.rtmr1", R(rtmr[1])},
        {"policy.tdx.rtmr2", R(rtmr[2])},
        {"policy.tdx.rtmr3", R(rtmr[3])},
#undef R
    };
    for (size_t i = 0; i < sizeof tdx / sizeof tdx[0]; i++) {
        char members[300];
        (void)snprintf(members, sizeof members, ",\"tdx\":{\"%s\":[\"%.*s\"]}",
                       tdx[i].id + strlen("policy.tdx."), (int)(2 * tdx[i].size), AA48);
        atls_claims c = td();
        uint8_t *field = (uint8_t *)&c.as.tdx + tdx[i].offset;
        memset(field, 0xaa, tdx[i].size);
        expect(members, &c, NULL, "");
        for (size_t k = 0; k < tdx[i].size; k += tdx[i].size - 1) { /* first byte, last byte */
            field[k] ^= 1;
            expect(members, &c, NULL, tdx[i].id);
            field[k] ^= 1;
        }
    }
    atls_claims c = td();
    expect(",\"tdx\":{\"td_attributes\":[\"0000001000000000\"]}", &c, NULL, "");
    expect(",\"tdx\":{\"td_attributes\":[\"0000005000000000\"]}", &c, NULL,
           "policy.tdx.td_attributes");
}

static void each_enclave_field_is_compared(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *check;
    } cases[] = {
        {"\"mrenclave\":[\"" AA32 "\"]", ""},
        {"\"mrenclave\":[\"" BB32 "\"]", "policy.sgx.mrenclave"},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":3,\"isvsvn_min\":7", ""},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":3,\"isvsvn_min\":6", ""},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":3,\"isvsvn_min\":8", "policy.sgx.isvsvn_min"},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":2,\"isvsvn_min\":7", "policy.sgx.isvprodid"},
        {"\"mrsigner\":[\"" BB32 "\"],\"isvprodid\":4,\"isvsvn_min\":7", "policy.sgx.isvprodid"},
        {"\"mrsigner\":[\"" AA32 "\"],\"isvprodid\":3,\"isvsvn_min\":7", "policy.sgx.mrsigner"},
        {"\"configid\":[\"" CC64 "\"],\"configsvn_min\":2", ""},
        {"\"configid\":[\"" AA32 AA32 "\"]", "policy.sgx.configid"},
        {"\"configsvn_min\":3", "policy.sgx.configsvn_min"},
        {"\"isvextprodid\":[\"00000000000000000000000000000000\"]", ""},
        {"\"isvextprodid\":[\"" PP16 "\"]", "policy.sgx.isvextprodid"},
        {"\"isvfamilyid\":[\"" PP16 "\"]", "policy.sgx.isvfamilyid"},
        {"\"attributes\":[\"05000000000000000000000000000000\"]", ""},
        {"\"attributes\":[\"" PP16 "\"]", "policy.sgx.attributes"},
    };
    atls_claims c = enclave();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char members[500];
        (void)snprintf(members, sizeof members, ",\"sgx\":{%s}", cases[i].members);
        expect(members, &c, NULL, cases[i].check);
    }
}

static void a_set_fits_whole_or_not_at_all(void **state)
{
    (void)state;
    atls_claims c = td(); /* mrtd aa, rtmr0 bb */
    expect(",\"tdx\":[{\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" AA48 "\"]},"
           "{\"mrtd\":[\"" BB48 "\"],\"rtmr0\":[\"" BB48 "\"]}]",
           &c, NULL, "policy.tdx.rtmr0"); /* mixed from two builds */
    expect(",\"tdx\":[{\"mrtd\":[\"" BB48 "\"]},{\"mrtd\":[\"" CC48 "\",\"" AA48 "\"]}]", &c, NULL,
           "");
    /* The nearest alternative is the one that is shown. */
    expect(",\"tdx\":[{\"mrtd\":[\"" BB48 "\"],\"rtmr0\":[\"" CC48 "\"]},"
           "{\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" AA48 "\",\"" CC48 "\"]}]",
           &c, NULL, "policy.tdx.rtmr0");
    assert_int_equal(entry("policy.tdx.mrtd")->result, ATLS_CHECK_OK);
    char text[300];
    atls_value_print(&ledger, &entry("policy.tdx.rtmr0")->found, text, sizeof text);
    assert_string_equal(text, BB48);
    atls_value_print(&ledger, &entry("policy.tdx.rtmr0")->wanted, text, sizeof text);
    assert_string_equal(text, AA48 " or " CC48);
}

static void all_differences_are_shown(void **state)
{
    (void)state;
    atls_claims c = out_of_date(NOW);
    c.as.tdx.td_attributes[0] = 1;
    expect(",\"tdx\":{\"mrtd\":[\"" BB48 "\"],\"rtmr0\":[\"" AA48 "\"],\"rtmr1\":[\"" AA48 "\"]},"
           "\"pki\":{\"names\":[\"a\"]},\"fmspc\":[\"000000000000\"]",
           &c, NULL, "tcb.status");
    static const char *const ids[] = {"tcb.status",       "policy.debug",     "policy.tdx.mrtd",
                                      "policy.tdx.rtmr0", "policy.tdx.rtmr1", "policy.pki",
                                      "policy.fmspc"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_non_null(entry(ids[i]));
        assert_int_equal(entry(ids[i])->result, ATLS_CHECK_FAIL);
    }
}

/* --- workloads --- */

static const char three[] =
    "{\"name\":\"a\",\"tees\":[\"sgx\"],\"sgx\":{\"mrenclave\":[\"" AA32 "\"]}},"
    "{\"name\":\"b\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":[\"" CC48 "\"],\"rtmr0\":[\"" CC48 "\"],"
    "\"rtmr1\":[\"" CC48 "\"]}},"
    "{\"name\":\"c\",\"tees\":[\"tdx\"],\"tdx\":{\"mrtd\":[\"" AA48 "\"],\"rtmr0\":[\"" BB48 "\"]},"
    "\"max_evidence_age_s\":600,\"reattest_s\":60,\"platform_may_move\":true},"
    "{\"name\":\"d\",\"tees\":[\"tdx\"]}";

static void the_first_workload_that_fits_is_the_peer(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_policy *p = policy_of(three);
    atls_claims c = td();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_string_equal(a.workload, "c");
    assert_int_equal(a.max_age_s, 600);
    assert_int_equal(a.reattest_s, 60);
    assert_true(a.platform_may_move);
    assert_false(a.two_keys);
    assert_string_equal(entry("policy.workload")->found.as.text, "c");
    c.as.tdx.mrtd[0] = 0;
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_string_equal(a.workload, "d");
    assert_int_equal(a.max_age_s, 0);
    c = enclave();
    assert_string_equal(decided(p, &c, NULL, &a), "");
    assert_string_equal(a.workload, "a");
    atls_policy_free(p);
}

static void the_nearest_workload_explains_the_refusal(void **state)
{
    (void)state;
    atls_appraisal a;
    char text[4096];
    (void)snprintf(text, sizeof text, "%.*s", (int)(strstr(three, ",{\"name\":\"d\"") - three),
                   three);
    atls_policy *p = policy_of(text);
    atls_claims c = td();
    c.as.tdx.rtmr[0][0] = 0;
    assert_string_equal(decided(p, &c, NULL, &a), "policy.tdx.rtmr0");
    assert_int_equal(entry("policy.tdx.mrtd")->result, ATLS_CHECK_OK);
    assert_int_equal(entry("policy.workload")->result, ATLS_CHECK_SKIPPED);
    assert_string_equal(entry("policy.workload")->because,
                        "no workload fits; the checks shown are those of c, the nearest");
    assert_string_equal(a.identity, "none");
    assert_int_equal(a.max_age_s + a.reattest_s, 0);
    c = enclave();
    c.as.sgx.mrenclave[0] = 0; /* far from the TDX workloads, however little they ask */
    assert_string_equal(decided(p, &c, NULL, &a), "policy.sgx.mrenclave");
    atls_policy_free(p);
    p = policy_of("{\"name\":\"a\",\"tees\":[\"tdx\"]}");
    assert_string_equal(decided(p, &c, NULL, &a), "policy.tee");
    atls_policy_free(p);
}

/* --- identity --- */

static void identity(const char *members, const atls_claims *c, const atls_expected *e,
                     const char *line)
{
    atls_appraisal a;
    atls_policy *p = policy_with(members);
    assert_string_equal(decided(p, c, e, &a), "");
    assert_string_equal(a.identity, line);
    atls_policy_free(p);
}

#define PKI      ",\"pki\":{\"names\":[\"other.example\",\"web.example\"]}"
#define PLATFORM ",\"platforms\":{\"ppid\":[\"" PP16 "\"]}"
#define OWNER    ",\"owner\":{\"mrconfigid\":[\"" CC48 "\"],\"configid\":[\"" CC64 "\"]}"

static void the_identity_line_tells_what_was_checked(void **state)
{
    (void)state;
    atls_claims c = td();
    atls_expected e = {.pki_name = "WEB.example"};
    identity("", &c, &e, "none");
    identity(PKI, &c, &e, "name by PKI");
    identity(PLATFORM, &c, NULL, "platform pinned");
    identity(OWNER, &c, NULL, "owner-bound claim");
    identity(PKI PLATFORM, &c, &e, "name by PKI + platform pinned");
    identity(PKI OWNER, &c, &e, "name by PKI + owner-bound claim");
    identity(PLATFORM OWNER, &c, &e, "platform pinned + owner-bound claim");
    identity(PKI PLATFORM OWNER, &c, &e, "name by PKI + platform pinned + owner-bound claim");
    identity(",\"fmspc\":[\"00806f050000\"]", &c, &e, "none"); /* a model is no identity */
    c = enclave();
    identity(OWNER, &c, NULL, "owner-bound claim");
}

static void names_must_be_the_one_that_pki_verified(void **state)
{
    (void)state;
    atls_claims c = td();
    static const char *const names[] = {"web.example.org", "eb.example", "a.web.example", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        atls_expected e = {.pki_name = names[i]};
        expect(PKI, &c, &e, "policy.pki");
    }
    atls_expected none = {.pki_name = NULL};
    expect(PKI, &c, &none, "policy.pki");
    expect(PKI, &c, NULL, "policy.pki");
}

static void pins_must_match_and_masked_ids_never_do(void **state)
{
    (void)state;
    atls_claims c = td();
    expect(",\"platforms\":{\"ppid\":[\"" II16 "\",\"" PP16 "\"]}", &c, NULL, "");
    expect(",\"platforms\":{\"ppid\":[\"" II16 "\"]}", &c, NULL, "policy.platform.ppid");
    expect(",\"platforms\":{\"instance_id\":[\"" II16 "\"]}", &c, NULL, "");
    expect(",\"platforms\":{\"instance_id\":[\"" PP16 "\"]}", &c, NULL,
           "policy.platform.instance_id");
    expect(",\"platforms\":{\"pck_serial\":[\"00abcd\"]}", &c, NULL, "");
    expect(",\"platforms\":{\"pck_serial\":[\"abcd00\"]}", &c, NULL, "policy.platform.pck_serial");
    expect(",\"platforms\":{\"pck_serial\":[\"ab\"]}", &c, NULL, "policy.platform.pck_serial");
    /* Every list that is named must have a match. */
    expect(",\"platforms\":{\"ppid\":[\"" PP16 "\"],\"pck_serial\":[\"01\"]}", &c, NULL,
           "policy.platform.pck_serial");
    expect(",\"fmspc\":[\"00806f050001\"]", &c, NULL, "policy.fmspc");

    c.platform.has_ppid = false;
    expect(PLATFORM, &c, NULL, "policy.platform.ppid");
    c = td();
    memset(c.platform.ppid, 0, 16);
    expect(PLATFORM, &c, NULL, "policy.platform.ppid");
    c.platform.has_pck_serial = c.platform.has_instance_id = c.platform.has_fmspc = false;
    expect(",\"platforms\":{\"pck_serial\":[\"abcd\"]}", &c, NULL, "policy.platform.pck_serial");
    expect(",\"platforms\":{\"instance_id\":[\"" II16 "\"]}", &c, NULL,
           "policy.platform.instance_id");
    expect(",\"fmspc\":[\"00806f050000\"]", &c, NULL, "policy.fmspc");
}

static void owner_claims_must_match(void **state)
{
    (void)state;
    atls_claims c = td();
    c.as.tdx.mrconfigid[0] = 0;
    expect(OWNER, &c, NULL, "policy.owner.mrconfigid");
    c = td();
    expect(",\"owner\":{\"mrowner\":[\"" AA48 "\"],\"configid\":[\"" CC64 "\"]}", &c, NULL,
           "policy.owner.mrowner");
    expect(",\"owner\":{\"mrconfigid\":[\"" CC48 "\"],\"mrownerconfig\":[\"" AA48
           "\"],\"configid\":[\"" CC64 "\"]}",
           &c, NULL, "policy.owner.mrownerconfig");
    c = enclave();
    c.as.sgx.configid[63] = 0;
    expect(OWNER, &c, NULL, "policy.owner.configid");
    expect(",\"sgx\":{\"mrenclave\":[\"" AA32 "\"]},\"owner\":{\"mrsigner\":[\"" AA32
           "\"],\"mrowner\":[\"" AA48 "\"]}",
           &c, NULL, "policy.owner.mrsigner");
}

/* --- bindings --- */

static void bindings_must_be_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *name; /* NULL: evidence alone */
        const char *check;
    } cases[] = {
        {"", "atls/1", ""},
        {"", NULL, ""},
        {"", "ra-tls", "policy.binding"},
        {"", "unheard-of\n", "policy.binding"},
        {",\"bindings\":[\"atls/1\"]", "atls/1", ""},
        {",\"bindings\":[\"atls/1\"]", NULL, "policy.binding"},
        {",\"bindings\":[\"ra-tls\"]", "ra-tls", ""},
        {",\"bindings\":[\"ra-tls\"]", "ra-tls-oe", "policy.binding"},
        {",\"bindings\":[\"ra-tls\"]", "atls/1", "policy.binding"},
        {",\"bindings\":[\"cocos\",\"evidence-alone\"]", NULL, ""},
    };
    atls_claims c = td();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_expected e = {.binding = ATLS_BINDING_SESSION, .binding_name = cases[i].name};
        expect(cases[i].members, &c, &e, cases[i].check);
    }
    expect(",\"bindings\":[\"atls/1\"]", &c, NULL, "policy.binding");
    atls_expected claimed = {.binding = ATLS_BINDING_NONE, .binding_name = "atls/1"};
    expect(",\"bindings\":[\"atls/1\"]", &c, &claimed, "policy.binding");

    /* Without a policy the dialect is the configuration's choice. */
    atls_appraisal a;
    atls_expected e = {.binding = ATLS_BINDING_KEY_ONLY, .binding_name = "ra-tls"};
    atls_policy *p = atls_policy_builtin();
    assert_string_equal(decided(p, &c, &e, &a), "");
    atls_policy_free(p);
}

static void two_keys_reach_the_channel(void **state)
{
    (void)state;
    atls_appraisal a;
    atls_claims c = td();
    atls_expected e = {.pki_name = "web.example"};
    atls_policy *p = policy_with(PKI ",\"two_keys\":true");
    assert_string_equal(decided(p, &c, &e, &a), "");
    assert_true(a.two_keys);
    atls_policy_free(p);
}

/* A caller's strings may be gone when the ledger is read. */
static void foreign_strings_are_copied(void **state)
{
    (void)state;
    atls_appraisal a;
    char name[] = "evil.example";
    char binding[] = "evil/1";
    atls_claims c = td();
    atls_expected e = {.pki_name = name, .binding = ATLS_BINDING_KEY_ONLY, .binding_name = binding};
    atls_policy *p = policy_with(PKI);
    (void)decided(p, &c, &e, &a);
    memset(name, 'Z', sizeof name - 1);
    memset(binding, 'Z', sizeof binding - 1);
    char text[64];
    atls_value_print(&ledger, &entry("policy.pki")->found, text, sizeof text);
    assert_string_equal(text, "evil.example");
    atls_value_print(&ledger, &entry("policy.binding")->found, text, sizeof text);
    assert_string_equal(text, "evil/1");
    atls_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_register_is_compared),
        cmocka_unit_test(each_enclave_field_is_compared),
        cmocka_unit_test(a_set_fits_whole_or_not_at_all),
        cmocka_unit_test(all_differences_are_shown),
        cmocka_unit_test(the_first_workload_that_fits_is_the_peer),
        cmocka_unit_test(the_nearest_workload_explains_the_refusal),
        cmocka_unit_test(the_identity_line_tells_what_was_checked),
        cmocka_unit_test(names_must_be_the_one_that_pki_verified),
        cmocka_unit_test(pins_must_match_and_masked_ids_never_do),
        cmocka_unit_test(owner_claims_must_match),
        cmocka_unit_test(bindings_must_be_accepted),
        cmocka_unit_test(two_keys_reach_the_channel),
        cmocka_unit_test(foreign_strings_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
