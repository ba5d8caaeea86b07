/* The JSON of Cocos: as Go writes it, as Go reads it, and each member wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/cocos_payload.h"

#define GOOD                                                                                       \
    "{\"version\":1,\"media_type\":\"application/eat+cwt\",\"evidence\":\"3q2+7w==\","             \
    "\"binder\":{\"exporter_label\":\"Attestation\",\"aik_pub_hash\":\"AQI=\",\"binding\":"        \
    "\"AwQF\"}}"

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static void as_go_writes_it(void **state)
{
    (void)state;
    const atls_cocos_payload p = {.evidence = {(const uint8_t *)"\xde\xad\xbe\xef", 4},
                                  .aik_pub_hash = {(const uint8_t *)"\x01\x02", 2},
                                  .binding = {(const uint8_t *)"\x03\x04\x05", 3}};
    uint8_t *json = NULL;
    size_t len = 0;
    assert_int_equal(atls_cocos_payload_write(&p, &json, &len, NULL), ATLS_OK);
    assert_int_equal(len, strlen(GOOD));
    assert_memory_equal(json, GOOD, len);
    free(json);
}

static const char *const good[] = {
    GOOD,
    /* Go: any case, any order, white space, unknown members, null as nothing; version is not judged */
    "{ \"BINDER\": {\"Binding\":\"AwQF\",\"AIK_Pub_Hash\":\"AQI=\"},\n \"Evidence\":\"3q2+7w==\", \"x\":[{}]}",
    "{\"version\":99,\"evidence\":\"3q2+7w==\",\"attestation_results\":null,\"binder\":{"
    "\"exporter_label\":\"\",\"aik_pub_hash\":\"AQI=\",\"binding\":\"AwQF\",\"y\":1}}",
};

static void as_go_reads_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        atls_carried c = {0};
        atls_cocos_payload p;
        atls_err err = {0};
        assert_int_equal(atls_cocos_payload_parse(text(good[i]), &c, &p, &err), ATLS_OK);
        assert_int_equal(p.evidence.len, 4);
        assert_memory_equal(p.evidence.ptr, "\xde\xad\xbe\xef", 4);
        assert_memory_equal(p.aik_pub_hash.ptr, "\x01\x02", 2);
        assert_memory_equal(p.binding.ptr, "\x03\x04\x05", 3);
        assert_false(p.has_results);
        atls_carried_clear(&c);
    }
}

#define BINDER "\"binder\":{\"aik_pub_hash\":\"AQI=\",\"binding\":\"AwQF\"}"
#define EV     "\"evidence\":\"3q2+7w==\","

static const struct {
    const char *what, *json, *check;
    atls_code code;
} bad[] = {
    {"no JSON", "evidence", "cocos.payload.json", ATLS_E_INVALID},
    {"an array", "[" GOOD "]", "cocos.payload.json", ATLS_E_INVALID},
    {"bytes behind it", GOOD "x", "cocos.payload.json", ATLS_E_INVALID},
    {"a name twice", "{" EV EV BINDER "}", "cocos.payload.json", ATLS_E_INVALID},
    {"a name twice, in two cases", "{" EV "\"EVIDENCE\":\"\"," BINDER "}", "cocos.payload.member",
     ATLS_E_INVALID},
    {"a version of text", "{\"version\":\"1\"," EV BINDER "}", "cocos.payload.member",
     ATLS_E_INVALID},
    {"a media type of 1", "{\"media_type\":1," EV BINDER "}", "cocos.payload.member",
     ATLS_E_INVALID},
    {"evidence that is a number", "{\"evidence\":7," BINDER "}", "cocos.payload.member",
     ATLS_E_INVALID},
    {"base64 without padding", "{\"evidence\":\"3q2+7w\"," BINDER "}", "cocos.payload.member",
     ATLS_E_INVALID},
    {"base64 for URLs", "{\"evidence\":\"3q2-7w==\"," BINDER "}", "cocos.payload.member",
     ATLS_E_INVALID},
    {"no evidence", "{" BINDER "}", "cocos.payload.evidence", ATLS_E_INVALID},
    {"empty evidence", "{\"evidence\":\"\"," BINDER "}", "cocos.payload.evidence", ATLS_E_INVALID},
    {"results alone", "{\"attestation_results\":\"AQID\"," BINDER "}", "cocos.payload.results",
     ATLS_E_BINDING},
    {"results that are no base64", "{" EV "\"attestation_results\":\"!\"," BINDER "}",
     "cocos.payload.member", ATLS_E_INVALID},
    {"no binder", "{\"evidence\":\"3q2+7w==\"}", "cocos.payload.binder", ATLS_E_INVALID},
    {"a binder of null", "{" EV "\"binder\":null}", "cocos.payload.binder", ATLS_E_INVALID},
    {"a binder of text", "{" EV "\"binder\":\"AwQF\"}", "cocos.payload.member", ATLS_E_INVALID},
    {"no binding", "{" EV "\"binder\":{\"aik_pub_hash\":\"AQI=\"}}", "cocos.payload.binder",
     ATLS_E_INVALID},
    {"no aik_pub_hash", "{" EV "\"binder\":{\"binding\":\"AwQF\"}}", "cocos.payload.binder",
     ATLS_E_INVALID},
    {"an empty binding", "{" EV "\"binder\":{\"aik_pub_hash\":\"AQI=\",\"binding\":\"\"}}",
     "cocos.payload.binder", ATLS_E_INVALID},
    {"another label",
     "{" EV "\"binder\":{\"exporter_label\":\"Attestation Binding\",\"aik_pub_hash\":\"AQI=\","
     "\"binding\":\"AwQF\"}}",
     "cocos.payload.label", ATLS_E_INVALID},
    {"a label in small letters",
     "{" EV "\"binder\":{\"exporter_label\":\"attestation\",\"aik_pub_hash\":\"AQI=\","
     "\"binding\":\"AwQF\"}}",
     "cocos.payload.label", ATLS_E_INVALID},
    {"a label of 1",
     "{" EV "\"binder\":{\"exporter_label\":1,\"aik_pub_hash\":\"AQI=\",\"binding\":\"AwQF\"}}",
     "cocos.payload.member", ATLS_E_INVALID},
};

static void each_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_carried c = {0};
        atls_cocos_payload p = {.has_results = true};
        atls_err err = {0};
        print_message("%s\n", bad[i].what);
        assert_int_equal(atls_cocos_payload_parse(text(bad[i].json), &c, &p, &err), bad[i].code);
        assert_string_equal(err.check, bad[i].check);
        assert_true(p.has_results && p.evidence.ptr == NULL);
        atls_carried_clear(&c);
    }
}

static void results_beside_evidence(void **state)
{
    (void)state;
    atls_carried c = {0};
    atls_cocos_payload p;
    assert_int_equal(atls_cocos_payload_parse(
                         text("{" EV "\"attestation_results\":\"AQID\"," BINDER "}"), &c, &p, NULL),
                     ATLS_OK);
    assert_true(p.has_results);
    atls_carried_clear(&c);
}

static void truncations(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(GOOD); len++) {
        atls_carried c = {0};
        atls_cocos_payload p;
        atls_err err = {0};
        assert_int_equal(
            atls_cocos_payload_parse((atls_buf){(const uint8_t *)GOOD, len}, &c, &p, &err),
            ATLS_E_INVALID);
        assert_string_equal(err.check, "cocos.payload.json");
        atls_carried_clear(&c);
    }
}

/* What fits is written, a byte more of evidence is refused; what was written is read. */
static void sizes(void **state)
{
    (void)state;
    const size_t most = (ATLS_COCOS_PAYLOAD_MAX - (strlen(GOOD) - 8)) / 4 * 3;
    static uint8_t bytes[ATLS_COCOS_PAYLOAD_MAX + 1];
    for (size_t more = 0; more <= sizeof bytes - most; more += sizeof bytes - most) {
        for (size_t extra = 0; extra < 2; extra++) {
            atls_cocos_payload p = {.evidence = {bytes, most + more + (more == 0 ? extra : 0)},
                                    .aik_pub_hash = {(const uint8_t *)"\x01\x02", 2},
                                    .binding = {(const uint8_t *)"\x03\x04\x05", 3}};
            uint8_t *json = NULL;
            size_t len = 0;
            atls_err err = {0};
            atls_code rc = atls_cocos_payload_write(&p, &json, &len, &err);
            if (more + extra == 0) {
                atls_carried c = {0};
                assert_int_equal(rc, ATLS_OK);
                assert_int_equal(atls_cocos_payload_parse((atls_buf){json, len}, &c, &p, NULL),
                                 ATLS_OK);
                assert_int_equal(p.evidence.len, most);
                atls_carried_clear(&c);
            } else {
                assert_int_equal(rc, ATLS_E_USAGE);
                assert_string_equal(err.check, "cocos.payload.size");
            }
            free(json);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_go_writes_it), cmocka_unit_test(as_go_reads_it),
        cmocka_unit_test(each_wrong),      cmocka_unit_test(results_beside_evidence),
        cmocka_unit_test(truncations),     cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
