/* Appraisal: measured events, and logs that must replay. */
#include "unit/appraise_families_rig.h"

#define RUNTIME  0x08000001
#define BOOT_APP 0x80000003

static atls_event named(const char *name, const char *data)
{
    return (atls_event){.index = 3,
                        .type = RUNTIME,
                        .name = name,
                        .digest_len = 48,
                        .data = {(const uint8_t *)data, strlen(data)},
                        .data_matches = true,
                        .is_runtime = true};
}

static atls_event typed(uint32_t pcr, uint32_t type, uint8_t digest)
{
    atls_event e = {.index = pcr, .type = type, .name = "EV", .digest_len = 32};
    memset(e.digest, digest, 32);
    return e;
}

static atls_event log_of_td[8];

static atls_claims td_with(size_t n)
{
    atls_claims c = td();
    c.log = (atls_event_claims){.events = log_of_td, .n = n, .replayed = 0xf};
    return c;
}

#define COMPOSE ",\"events\":[{\"name\":\"compose-hash\",\"payload\":[\"6262\",\"6161\"]}]"

static void a_named_event_is_found_once(void **state)
{
    (void)state;
    log_of_td[0] = named("app-id", "aa");
    log_of_td[1] = named("compose-hash", "aa");
    log_of_td[2] = named("system-ready", "");
    atls_claims c = td_with(3);
    expect_of("tdx", COMPOSE, &c, "");
    log_of_td[1] = named("compose-hash", "ab");
    expect_of("tdx", COMPOSE, &c, "policy.event.payload");
    log_of_td[1] = named("compose-hash", "");
    expect_of("tdx", COMPOSE, &c, "policy.event.payload");
    log_of_td[1] = named("compose-hash", "aa");
    log_of_td[1].data_matches = false; /* then the data is anybody's */
    expect_of("tdx", COMPOSE, &c, "policy.event.payload");
    log_of_td[1] = named("compose-hash", "aa");
    log_of_td[3] = named("compose-hash", "aa");
    c = td_with(4);
    expect_of("tdx", COMPOSE, &c, "policy.event.duplicate");
    log_of_td[1] = named("compose-hasi", "aa");
    log_of_td[3].after_ready = true; /* an application's */
    expect_of("tdx", COMPOSE, &c, "policy.event.missing");
    c = td_with(3);
    expect_of("tdx", COMPOSE, &c, "policy.event.missing");
    log_of_td[1] = named("compose-hash", "aa");
    log_of_td[1].is_runtime = false; /* a name that TCG's log has */
    expect_of("tdx", COMPOSE, &c, "policy.event.missing");
    log_of_td[1] = named("compose-hash", "aa");
    log_of_td[1].index = 2;
    expect_of("tdx", COMPOSE, &c, "policy.event.missing");
    log_of_td[1] = named("my-event", "aa"); /* an application's own, and so named */
    log_of_td[1].after_ready = true;
    expect_of("tdx", ",\"events\":[{\"name\":\"my-event\",\"payload\":[\"6161\"]}]", &c, "");
    expect_of("tdx", ",\"events\":[{\"name\":\"my-event\"}]", &c, "");
}

static void what_is_not_there_needs_a_whole_log(void **state)
{
    (void)state;
    log_of_td[0] = named("compose-hash", "aa");
    atls_claims c = td_with(1);
    expect_of("tdx", ",\"events\":[{\"name\":\"gpu-attestation\",\"absent\":true}]", &c, "");
    expect_of("tdx", ",\"events\":[{\"name\":\"compose-hash\",\"absent\":true}]", &c,
              "policy.event.absent");
    expect_of("tdx", ",\"events\":[{\"name\":\"app-id\",\"required\":false}]", &c, "");
    expect_of("tdx", ",\"events\":[{\"name\":\"app-id\",\"required\":true}]", &c,
              "policy.event.missing");
    c.log.replayed = 7;
    c.log.n = 0;
    expect_of("tdx", COMPOSE, &c, "policy.event.log");
    expect_of("tdx", ",\"events\":[{\"name\":\"app-id\",\"absent\":true}]", &c, "policy.event.log");
    expect_of("tdx", ",\"events\":[{\"name\":\"app-id\",\"required\":false}]", &c,
              "policy.event.log");
    c.log.replayed = 0xf;
    c.log.differs = 8;
    expect_of("tdx", ",\"events\":[{\"name\":\"app-id\",\"absent\":true}]", &c, "policy.event.log");
    char text[100];
    atls_value_print(&ledger, &entry("policy.event.log")->found, text, sizeof text);
    assert_string_equal(text, "a log that differs from the register");
}

#define D1         "0101010101010101010101010101010101010101010101010101010101010101"
#define D2         "0202020202020202020202020202020202020202020202020202020202020202"
#define APPS(more) ",\"events\":[{\"type\":\"EV_EFI_BOOT_SERVICES_APPLICATION\",\"pcr\":4" more "}]"

static void every_event_of_a_register_must_fit(void **state)
{
    (void)state;
    const atls_event events[] = {typed(4, 4, 9), typed(4, BOOT_APP, 1), typed(4, BOOT_APP, 2),
                                 typed(5, BOOT_APP, 7)};
    atls_claims c = tpm_quote();
    c.log = (atls_event_claims){.events = events, .n = 4, .replayed = 0xff};
    expect_of("tpm", APPS(",\"digest\":[\"" D1 "\",\"" D2 "\"]"), &c, "");
    expect_of("tpm", APPS(",\"digest\":[\"" D1 "\"]"), &c, "policy.event.digest");
    expect_of("tpm", APPS(",\"digest\":[\"" AA32 "\"]"), &c, "policy.event.digest");
    expect_of("tpm", APPS(",\"absent\":true"), &c, "policy.event.absent");
    expect_of("tpm", APPS(""), &c, "");
    expect_of("tpm", ",\"events\":[{\"pcr\":4,\"digest\":[\"" D1 "\",\"" D2 "\"]}]", &c,
              "policy.event.digest"); /* the separator is an event too */
    expect_of("tpm",
              ",\"events\":[{\"pcr\":4,\"digest\":[\"" D1 "\",\"" D2
              "\",\"0909090909090909090909090909090909090909090909090909090909090909\"]}]",
              &c, "");
    expect_of("tpm", ",\"events\":[{\"type\":\"EV_IPL\",\"pcr\":4}]", &c, "policy.event.missing");
    expect_of("tpm", ",\"events\":[{\"type\":\"EV_IPL\",\"pcr\":4,\"absent\":true}]", &c, "");
    expect_of("tpm", ",\"events\":[{\"type\":\"EV_IPL\",\"pcr\":8,\"absent\":true}]", &c,
              "policy.event.log");
    expect_of("tpm", ",\"events\":[{\"type\":\"EV_SEPARATOR\",\"pcr\":4,\"payload\":[\"00\"]}]", &c,
              "policy.event.payload");
    /* dstack on a machine that has a TPM only */
    atls_event e = named("compose-hash", "aa");
    e.index = 14;
    c.log = (atls_event_claims){.events = &e, .n = 1, .replayed = 1u << 14};
    expect_of("tpm", COMPOSE, &c, "");
    atls_claims z = azure_guest(ATLS_TEE_TDX);
    z.log = c.log;
    expect_of("azure", COMPOSE, &z, "");
}

static void registers_must_replay(void **state)
{
    (void)state;
    atls_claims c = td_with(0);
    expect_of("tdx", ",\"replay\":[\"rtmr3\",\"rtmr0\"]", &c, "");
    c.log.differs = 8;
    expect_of("tdx", ",\"replay\":[\"rtmr0\"]", &c, "");
    expect_of("tdx", ",\"replay\":[\"rtmr3\"]", &c, "policy.replay");
    char text[100];
    atls_value_print(&ledger, &entry("policy.replay")->found, text, sizeof text);
    assert_string_equal(text, "register 3: a log that differs from the register");
    c.log.differs = 0;
    c.log.replayed = 7;
    expect_of("tdx", ",\"replay\":[\"rtmr3\"]", &c, "policy.replay");
    c = tpm_quote();
    c.log.replayed = 1u << 23;
    expect_of("tpm", ",\"replay\":[\"pcr23\"]", &c, "");
    expect_of("tpm", ",\"replay\":[\"pcr10\"]", &c, "policy.replay");
    expect_of("tpm", ",\"replay\":[\"ima\"]", &c, "policy.replay");
    c.ima.replayed = 1u << 10;
    expect_of("tpm", ",\"replay\":[\"ima\"]", &c, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_event_is_found_once),
        cmocka_unit_test(what_is_not_there_needs_a_whole_log),
        cmocka_unit_test(every_event_of_a_register_must_fit),
        cmocka_unit_test(registers_must_replay),
    };
    return cmocka_run_group_tests(tests, NULL, free_expected_policy);
}
