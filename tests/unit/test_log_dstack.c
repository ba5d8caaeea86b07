/* dstack's JSON log: the digests that its documents state, and every member wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "evidence/log/dstack.h"
#include "evidence/log/log.h"

#define RUNTIME "134217729"
#define V1(name, payload)                                                                          \
    "{\"imr\":3,\"event_type\":" RUNTIME ",\"digest\":\"\",\"event\":\"" name                      \
    "\",\"event_payload\":\"" payload "\"}"
#define PREPARING_DIGEST                                                                           \
    "f9974020ef507068183313d0ca808e0d1ca9b2d1ad0c61f5784e7157c362c06536f5ddacdad4451693f48fcc72fff624"
#define PREPARING_RTMR                                                                             \
    "6a9a63f48733aba50d6892c873d838f97351040ddb0b497dcbdb0571ad78d0c1f1b8b3e87a9719706604b6cc5faedee0"
#define READY_V2_DIGEST                                                                            \
    "8c748e7cf5aa7ef37f036bd15cb78308279511a408bcd2aab352802cccd79cf07d7d5e4d174c5b311f2d98f35f53ccd6"
/* {"name":"system-ready","payload":"","type":134217729} */
#define READY_V2_TEXT                                                                              \
    "7b226e616d65223a2273797374656d2d7265616479222c227061796c6f6164223a22222c2274797065223a"       \
    "3133343231373732397d"
#define V2(digest, preimage)                                                                       \
    "{\"imr\":3,\"event_type\":" RUNTIME ",\"digest\":\"" digest                                   \
    "\",\"event\":\"system-ready\",\"event_payload\":\"\",\"version\":2" preimage "}"

static atls_code parse(const char *text, atls_event_list *list, atls_err *err)
{
    return atls_event_list_from_dstack((atls_buf){(const uint8_t *)text, strlen(text)}, list, err);
}

static void assert_hex(atls_buf bytes, const char *hex)
{
    char text[2 * 64 + 1];
    assert_true(bytes.len <= 64);
    atls_hex_encode(bytes, text);
    assert_string_equal(text, hex);
}

static void test_stated_digests(void **state)
{
    (void)state;
    atls_event_list list = {0};
    assert_int_equal(
        parse(" [" V1("system-preparing", "") "," V1("boot-mr-done", "") "," V1(
                  "system-ready", "") "," V2(READY_V2_DIGEST,
                                             ",\"preimage\":\"" READY_V2_TEXT "\"") "]",
              &list, NULL),
        ATLS_OK);
    assert_int_equal(list.n, 4);
    assert_hex(list.events[0].digest[ATLS_TPM_SHA384], PREPARING_DIGEST);
    assert_hex(
        list.events[1].digest[ATLS_TPM_SHA384],
        "98bd7e6bd3952720b65027fd494834045d06b4a714bf737a06b874638b3ea00ff402f7f583e3e3b05e921c"
        "8570433ac6");
    assert_hex(
        list.events[2].digest[ATLS_TPM_SHA384],
        "1a76b2a80a0be71eae59f80945d876351a7a3fb8e9fd1ff1cede5734aa84ea11fd72b4edfbb6f04e5a85ed"
        "d114c751bd");
    assert_hex(list.events[3].digest[ATLS_TPM_SHA384], READY_V2_DIGEST);
    assert_true(list.events[3].is_runtime);
    assert_string_equal(list.events[3].name, "system-ready");
    atls_event_list_clear(&list);
}

static void test_stated_register(void **state)
{
    (void)state;
    static const char text[] = "[" V1("system-preparing", "") "]";
    uint8_t rtmr[4][48] = {{0}};
    size_t len = 0;
    atls_ledger *l = calloc(1, sizeof *l);
    atls_event_claims claims = {0};
    atls_anchor anchor = {0};
    assert_non_null(l);
    assert_true(atls_hex_decode(PREPARING_RTMR, 96, rtmr[3], 48, &len));
    atls_log_judge_rtmrs((atls_buf){(const uint8_t *)text, strlen(text)}, rtmr, l, &claims,
                         &anchor);
    assert_int_equal(atls_ledger_code(l), ATLS_OK);
    assert_int_equal(claims.replayed, 8);
    assert_int_equal(claims.n, 1);
    anchor.release(anchor.object);
    free(l);
}

/* The check that refuses a log with such registers, or "ok"; what was believed of it in *claims. */
static const char *judge_log(const char *text, uint8_t rtmr[4][48], atls_event_claims *claims)
{
    static atls_ledger l;
    atls_anchor anchor = {0};
    atls_ledger_init(&l);
    *claims = (atls_event_claims){0};
    atls_log_judge_rtmrs((atls_buf){(const uint8_t *)text, strlen(text)}, rtmr, &l, claims,
                         &anchor);
    if (anchor.release != NULL) {
        anchor.release(anchor.object);
    }
    const atls_entry *e = atls_ledger_deciding(&l);
    return e != NULL ? e->id : "ok";
}

#define ACPI(digest)                                                                               \
    "{\"imr\":0,\"event_type\":10,\"digest\":\"" digest                                            \
    "\",\"event\":\"acpi-rsdp\",\"event_payload\":\"414350492044415441\"}"
#define AT_BOOT(index)                                                                             \
    "{\"imr\":" index ",\"event_type\":4,\"digest\":\"" PREPARING_DIGEST                           \
    "\",\"event\":\"\",\"event_payload\":\"00\"}"

/* As it stands in certificates: what was measured at boot is left out, but for ACPI data. */
static void test_stripped_logs(void **state)
{
    (void)state;
    static const struct {
        const char *log;
        bool runtime_fits;
        const char *wanted;
        uint32_t replayed, differs;
    } cases[] = {
        {"[" ACPI(PREPARING_DIGEST) "," V1("system-preparing", "") "]", true, "ok", 8, 1},
        {"[" ACPI(PREPARING_DIGEST) "," V1("system-preparing", "") "]", false, "log.rtmr3", 0, 9},
        {"[" V1("system-preparing", "") "]", true, "ok", 8, 0},
        /* Something else of the boot is there: then all of it has to be. */
        {"[" ACPI(PREPARING_DIGEST) "," AT_BOOT("1") "," V1("system-preparing", "") "]", true,
         "log.rtmr0", 8, 3},
        {"[" AT_BOOT("2") "," V1("system-preparing", "") "]", true, "log.rtmr2", 8, 4},
        {"[" ACPI(PREPARING_DIGEST) "]", true, "ok", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t rtmr[4][48] = {{1}, {2}, {3}, {0}};
        size_t len = 0;
        atls_event_claims claims;
        if (cases[i].runtime_fits) {
            assert_true(atls_hex_decode(PREPARING_RTMR, 96, rtmr[3], 48, &len));
        }
        assert_string_equal(judge_log(cases[i].log, rtmr, &claims), cases[i].wanted);
        assert_int_equal(claims.replayed, cases[i].replayed);
        assert_int_equal(claims.differs, cases[i].differs);
    }
}

static void test_names_that_json_escapes(void **state)
{
    (void)state;
    static const char canonical[] =
        "{\"name\":\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\xc3\xa9\",\"payload\":\"ab\",\"type\":134217729}";
    char hex[2 * sizeof canonical];
    char text[1024];
    uint8_t digest[48];
    char digest_hex[97];
    const atls_buf preimage = {(const uint8_t *)canonical, strlen(canonical)};
    atls_hex_encode(preimage, hex);
    assert_int_equal(atls_digest(ATLS_SHA384, &preimage, 1, digest, NULL), ATLS_OK);
    atls_hex_encode((atls_buf){digest, sizeof digest}, digest_hex);
    (void)snprintf(
        text, sizeof text,
        "[{\"imr\":3,\"event_type\":" RUNTIME ",\"digest\":\"%s\",\"version\":2,\"event\":"
        "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\xc3\xa9\",\"event_payload\":\"AB\",\"preimage\":\"%s\"}]",
        digest_hex, hex);
    atls_event_list list = {0};
    atls_err err = {0};
    if (parse(text, &list, &err) != ATLS_OK) {
        fail_msg("%s: %s", err.check, err.msg);
    }
    atls_event_list_clear(&list);
}

static void test_refused(void **state)
{
    (void)state;
#define BOOT(imr, type, digest, payload)                                                           \
    "[{\"imr\":" imr ",\"event_type\":" type ",\"digest\":\"" digest                               \
    "\",\"event\":\"\",\"event_payload\":\"" payload "\"}]"
    static const struct {
        const char *what, *text, *check;
    } bad[] = {
        {"no JSON", "[", "log.json"},
        {"more behind it", "[] []", "log.json"},
        {"an object", "{\"event_log\":[]}", "log.json"},
        {"a member two times", "[{\"imr\":0,\"imr\":1}]", "log.json"},
        {"no object", "[1]", "log.event"},
        {"an empty object", "[{}]", "log.event"},
        {"RTMR 4", BOOT("4", "4", PREPARING_DIGEST, ""), "log.event"},
        {"RTMR -1", BOOT("-1", "4", PREPARING_DIGEST, ""), "log.event"},
        {"a register as text", BOOT("\"0\"", "4", PREPARING_DIGEST, ""), "log.event"},
        {"a type past 32 bits", BOOT("0", "4294967296", PREPARING_DIGEST, ""), "log.event"},
        {"no digest of a firmware event", BOOT("0", "4", "", ""), "log.event"},
        {"no digest of a runtime type elsewhere", BOOT("2", RUNTIME, "", ""), "log.event"},
        {"a short digest", BOOT("0", "4", "abcd", ""), "log.event"},
        {"a digest that is no hex", BOOT("0", "4", "xy", ""), "log.event"},
        {"a payload of half a byte", BOOT("0", "4", PREPARING_DIGEST, "abc"), "log.event"},
        {"a name with a colon", "[" V1("a:b", "") "]", "log.name"},
        {"a name as number",
         "[{\"imr\":3,\"event_type\":" RUNTIME
         ",\"digest\":\"\",\"event\":1,\"event_payload\":\"\"}]",
         "log.event"},
        {"another's digest",
         "[{\"imr\":3,\"event_type\":" RUNTIME ",\"digest\":\"" PREPARING_DIGEST
         "\",\"event\":\"app-id\",\"event_payload\":\"\"}]",
         "log.digest"},
        {"version 2 without preimage", "[" V2(READY_V2_DIGEST, "") "]", "log.preimage"},
        {"version 2 with half a preimage", "[" V2(READY_V2_DIGEST, ",\"preimage\":\"7b22\"") "]",
         "log.preimage"},
        {"version 2 with no hex", "[" V2(READY_V2_DIGEST, ",\"preimage\":\"zz\"") "]", "log.event"},
        {"version 2 without digest", "[" V2("", ",\"preimage\":\"" READY_V2_TEXT "\"") "]",
         "log.digest"},
        {"version 2 with version 1's digest",
         "[" V2(PREPARING_DIGEST, ",\"preimage\":\"" READY_V2_TEXT "\"") "]", "log.digest"},
        {"version 3",
         "[{\"imr\":3,\"event_type\":" RUNTIME
         ",\"digest\":\"\",\"event\":\"x\",\"event_payload\":\"\",\"version\":3}]",
         "log.event"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_event_list list = {0};
        atls_err err = {0};
        if (parse(bad[i].text, &list, &err) != ATLS_E_INVALID ||
            strcmp(err.check, bad[i].check) != 0) {
            fail_msg("%s: %s", bad[i].what, err.check != NULL ? err.check : "taken");
        }
    }
}

static void test_every_cut(void **state)
{
    (void)state;
    static const char text[] = "[" V1("app-id", "00ff") "," V1("system-ready", "") "]";
    for (size_t len = 0; len < strlen(text); len++) {
        char *copy = malloc(len + 1);
        atls_event_list list = {0};
        atls_err err = {0};
        memcpy(copy, text, len);
        assert_int_equal(atls_event_list_from_dstack((atls_buf){(uint8_t *)copy, len}, &list, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "log.json");
        free(copy);
    }
}

/* A register's name in another's place: a runtime type outside RTMR 3 is not found by name. */
static void test_runtime_events_are_of_rtmr3(void **state)
{
    (void)state;
    atls_event_list list = {0};
    assert_int_equal(parse("[{\"imr\":2,\"event_type\":" RUNTIME ",\"digest\":\"" PREPARING_DIGEST
                           "\",\"event\":\"compose-hash\",\"event_payload\":\"aa\"},"
                           "{\"imr\":3,\"event_type\":4711,\"digest\":\"" PREPARING_DIGEST
                           "\",\"event\":\"compose-hash\",\"event_payload\":\"aa\"}]",
                           &list, NULL),
                     ATLS_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_false(list.events[i].is_runtime || list.events[i].is_bound);
        assert_string_not_equal(list.events[i].name, "compose-hash");
    }
    atls_event_list_clear(&list);
}

static void test_number_of_events(void **state)
{
    (void)state;
    static const char event[] = V1("x", "");
    for (size_t n = ATLS_DSTACK_EVENTS_MAX; n <= ATLS_DSTACK_EVENTS_MAX + 1; n++) {
        char *text = malloc(n * (sizeof event + 1) + 3);
        char *at = text;
        atls_event_list list = {0};
        atls_err err = {0};
        *at++ = '[';
        for (size_t i = 0; i < n; i++) {
            at += sprintf(at, "%s%s", i > 0 ? "," : "", event);
        }
        (void)sprintf(at, "]");
        atls_code rc = parse(text, &list, &err);
        assert_int_equal(rc, n > ATLS_DSTACK_EVENTS_MAX ? ATLS_E_INVALID : ATLS_OK);
        if (rc != ATLS_OK) {
            assert_string_equal(err.check, "log.events");
        }
        atls_event_list_clear(&list);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stated_digests),
        cmocka_unit_test(test_stripped_logs),
        cmocka_unit_test(test_stated_register),
        cmocka_unit_test(test_names_that_json_escapes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_runtime_events_are_of_rtmr3),
        cmocka_unit_test(test_number_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
