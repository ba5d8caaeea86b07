/* dstack's attestation: both versions, each platform, every truncation, each field wrong alone, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "binding/dstack_attestation.h"
#include "codec/json.h"
#include "codec/msgpack.h"
#include "codec/scale.h"
#include "crypto/digest.h"
#include "evidence/log/dstack.h"

#define SPACE 16384

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

static uint8_t digest[48] = {1, 2, 3};
static uint8_t report_data[64] = {9, 8, 7};

static atls_dstack_event boot(const char *name, const char *payload)
{
    return (atls_dstack_event){.type = 10,
                               .version = 1,
                               .digest = {digest, sizeof digest},
                               .name = text(name),
                               .payload = text(payload)};
}

static atls_dstack_event run(const char *name, const char *payload, uint32_t version)
{
    return (atls_dstack_event){.imr = 3,
                               .type = ATLS_DSTACK_RUNTIME_TYPE,
                               .version = version,
                               .name = text(name),
                               .payload = text(payload)};
}

typedef struct sample {
    atls_dstack_event log[8], runtime[8];
    atls_dstack_attestation a;
    uint8_t bytes[SPACE];
    size_t len;
} sample;

static void tdx(sample *s)
{
    memset(s, 0, sizeof *s);
    s->log[0] = boot("acpi-rsdp", "ACPI DATA");
    s->log[1] = s->runtime[0] = run("system-preparing", "", 1);
    s->log[2] = s->runtime[1] = run("app-id", "12345678901234567890", 1);
    s->log[3] = s->runtime[2] = run("system-ready", "", 1);
    s->log[4] = s->runtime[3] = run("mine", "\x01\"", 1);
    s->a = (atls_dstack_attestation){.quote = text("a quote"),
                                     .log = s->log,
                                     .log_n = 5,
                                     .runtime = s->runtime,
                                     .runtime_n = 4,
                                     .report_data = {report_data, 64},
                                     .config = text("{}")};
}

static void write_v0(sample *s)
{
    atls_writer w = atls_writer_of(s->bytes, SPACE);
    assert_true(atls_dstack_write_v0(&s->a, &w));
    s->len = w.len;
}

/* The check that refuses, or "ok". */
static const char *judge(const uint8_t *bytes, size_t len)
{
    static atls_err err;
    uint8_t *exact = malloc(len + 1);
    atls_dstack_attestation a;
    memcpy(exact, bytes, len);
    err = (atls_err){0};
    atls_code rc = atls_dstack_attestation_read((atls_buf){exact, len}, &a, &err);
    assert_int_equal(rc, rc == ATLS_OK ? ATLS_OK : ATLS_E_INVALID);
    if (rc == ATLS_OK) {
        atls_dstack_attestation_clear(&a);
    }
    free(exact);
    return rc == ATLS_OK ? "ok" : err.check;
}

static void same(const atls_dstack_attestation *a, const atls_dstack_attestation *b)
{
    assert_int_equal(a->platform, b->platform);
    assert_true(atls_equal(a->quote, b->quote) && atls_equal(a->config, b->config) &&
                atls_equal(a->report_data, b->report_data) &&
                atls_equal(a->mr_config, b->mr_config));
    assert_int_equal(a->log_n, b->log_n);
    assert_int_equal(a->runtime_n, b->runtime_n);
    assert_int_equal(a->certs_n, b->certs_n);
    for (size_t i = 0; i < a->runtime_n; i++) {
        assert_true(atls_equal(a->runtime[i].name, b->runtime[i].name) &&
                    atls_equal(a->runtime[i].payload, b->runtime[i].payload));
        assert_int_equal(a->runtime[i].version, b->runtime[i].version);
    }
    for (size_t i = 0; i < a->log_n; i++) {
        assert_int_equal(a->log[i].imr, b->log[i].imr);
        assert_int_equal(a->log[i].type, b->log[i].type);
        assert_true(atls_equal(a->log[i].digest, b->log[i].digest));
    }
    for (size_t i = 0; i < a->certs_n; i++) {
        assert_true(atls_equal(a->certs[i], b->certs[i]));
    }
}

static void round_trip(sample *s)
{
    atls_dstack_attestation a;
    assert_int_equal(atls_dstack_attestation_read((atls_buf){s->bytes, s->len}, &a, NULL), ATLS_OK);
    same(&a, &s->a);
    atls_dstack_attestation_clear(&a);
    for (size_t len = 0; len < s->len; len++) {
        assert_string_equal(judge(s->bytes, len), "dstack.attestation.format");
    }
    assert_string_equal(judge(s->bytes, s->len + 1), "dstack.attestation.format");
}

static void each_platform_of_version_0(void **state)
{
    (void)state;
    sample s;
    tdx(&s);
    write_v0(&s);
    static const uint8_t start[] = {0, 0, 0x1c, 'a', ' ', 'q'};
    assert_memory_equal(s.bytes, start, sizeof start);
    round_trip(&s);

    static const atls_dstack_platform documents[] = {ATLS_DSTACK_NITRO_ENCLAVE,
                                                     ATLS_DSTACK_NITRO_TPM};
    for (size_t i = 0; i < 2; i++) {
        s.a.platform = documents[i];
        s.a.log_n = 0;
        write_v0(&s);
        round_trip(&s);
    }
    s.a.platform = ATLS_DSTACK_SEV_SNP;
    s.a.certs[0] = text("leaf");
    s.a.certs[1] = text("intermediate");
    s.a.certs_n = 2;
    s.a.mr_config = text("{\"v\":3}");
    write_v0(&s);
    round_trip(&s);
}

/* Google's: a TPM's quote behind the TD's, which is taken apart and passed over. */
static void googles_platform(void **state)
{
    (void)state;
    sample s;
    tdx(&s);
    atls_writer w = atls_writer_of(s.bytes, SPACE);
    atls_writer_u16be(&w, 1);
    atls_scale_write_bytes(&w, s.a.quote);
    atls_scale_write_compact(&w, 0);
    atls_scale_write_bytes(&w, text("message"));
    atls_scale_write_bytes(&w, text("signature"));
    atls_scale_write_compact(&w, 1);
    atls_writer_u32le(&w, 14);
    atls_scale_write_bytes(&w, text("sha256"));
    atls_scale_write_bytes(&w, text("value"));
    atls_scale_write_bytes(&w, text("certificate"));
    atls_writer_u8(&w, 1);
    atls_scale_write_compact(&w, 1);
    atls_writer_u32le(&w, 4);
    atls_scale_write_bytes(&w, text("digest"));
    atls_scale_write_compact(&w, 1);
    atls_scale_write_bytes(&w, text("app-id"));
    atls_scale_write_bytes(&w, text("x"));
    atls_writer_bytes(&w, s.a.report_data);
    atls_scale_write_bytes(&w, s.a.config);
    s.len = atls_writer_done(&w).len;
    atls_dstack_attestation a;
    assert_int_equal(atls_dstack_attestation_read((atls_buf){s.bytes, s.len}, &a, NULL), ATLS_OK);
    assert_int_equal(a.platform, ATLS_DSTACK_GCP_TDX);
    assert_int_equal(a.runtime_n, 1);
    atls_carried c = {0};
    assert_int_equal(atls_dstack_to_evidence(&a, &c, NULL), ATLS_OK);
    assert_string_equal(c.evidence.type, "tdx");
    atls_carried_clear(&c);
    atls_dstack_attestation_clear(&a);
    for (size_t len = 0; len < s.len; len++) {
        assert_string_equal(judge(s.bytes, len), "dstack.attestation.format");
    }
}

static void each_field_wrong_alone(void **state)
{
    (void)state;
    sample s;
    tdx(&s);
    s.log[1].name = text("system-preparinG");
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.events");
    tdx(&s);
    s.log[2].payload = text("12345678901234567899");
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.events");
    tdx(&s);
    s.a.log_n = 4; /* the last runtime event is not in the log */
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.events");
    s.a.log_n = 1; /* none is: dstack may leave them out */
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "ok");
    tdx(&s);
    s.a.runtime_n = 3;
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.events");
    tdx(&s);
    s.log[1].type = 4; /* of RTMR 3, and not dstack's */
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.events");
    tdx(&s);
    s.log[0].imr = 4;
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.format");
    static char longer[ATLS_DSTACK_EVENT_MAX + 2];
    memset(longer, 'a', sizeof longer - 1);
    tdx(&s);
    s.log[0].name = text(longer);
    write_v0(&s);
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.format");
    tdx(&s);
    write_v0(&s);
    s.bytes[1] = 5;
    assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.platform");
    s.bytes[1] = 0;
    static const uint8_t firsts[] = {1, 0x7f, 0x90, 0xdd, 0xff};
    for (size_t i = 0; i < sizeof firsts; i++) {
        s.bytes[0] = firsts[i];
        assert_string_equal(judge(s.bytes, s.len), "dstack.attestation.format");
    }
}

/* --- version 1 --- */

static void version_1(void **state)
{
    (void)state;
    sample s;
    tdx(&s);
    s.log[1] = s.log[0];
    s.a.log_n = 2;
    s.runtime[1].version = 2;
    atls_writer w = atls_writer_of(s.bytes, SPACE);
    assert_false(atls_dstack_write_v0(&s.a, &w)); /* no place for version 2 of an event */
    w = atls_writer_of(s.bytes, SPACE);
    assert_true(atls_dstack_write_v1(&s.a, &w));
    s.len = w.len;
    assert_int_equal(s.bytes[0], 0x83);
    round_trip(&s);
}

static void put_text(atls_writer *w, const char *s)
{
    atls_msgpack_put_text(w, text(s));
}

typedef struct pod {
    const char *version_name, *platform, *stack, *payload;
    uint32_t version;
    size_t report_data_len;
} pod;

/* An attestation of another platform, its vectors as bin, in another order, and with members that are not known. */
static size_t write_pod(const pod *p, uint8_t *out)
{
    static const uint8_t numbers[] = {1, 2, 200};
    uint8_t hash[ATLS_HASH_MAX];
    const atls_buf pieces[] = {text("app-data:"), text("hello")};
    assert_int_equal(atls_digest(ATLS_SHA512, pieces, 2, hash, NULL), ATLS_OK);
    atls_writer w = atls_writer_of(out, SPACE);
    atls_msgpack_put_map(&w, 4);
    put_text(&w, "stack");
    atls_msgpack_put_map(&w, 2);
    put_text(&w, "data");
    atls_msgpack_put_map(&w, 4);
    put_text(&w, "report_data_payload");
    put_text(&w, p->payload);
    put_text(&w, "config");
    put_text(&w, "");
    put_text(&w, "runtime_events");
    atls_msgpack_put_array(&w, 0);
    put_text(&w, "report_data");
    atls_msgpack_put_bin(&w, (atls_buf){hash, p->report_data_len});
    put_text(&w, "kind");
    put_text(&w, p->stack);
    put_text(&w, "of the future");
    atls_msgpack_put_array(&w, 1);
    atls_msgpack_put_map(&w, 0);
    put_text(&w, "platform");
    atls_msgpack_put_map(&w, 2);
    put_text(&w, "kind");
    put_text(&w, p->platform);
    put_text(&w, "data");
    atls_msgpack_put_map(&w, 5);
    put_text(&w, "report");
    atls_msgpack_put_bin(&w, text("a report"));
    put_text(&w, "cert_chain");
    atls_msgpack_put_array(&w, 1);
    atls_msgpack_put_numbers(&w, (atls_buf){numbers, sizeof numbers});
    put_text(&w, "mr_config");
    put_text(&w, "{}");
    put_text(&w, "nsm_quote");
    atls_msgpack_put_numbers(&w, text("a document"));
    put_text(&w, "attestation_doc");
    atls_msgpack_put_bin(&w, text("another document"));
    put_text(&w, p->version_name);
    atls_msgpack_put_uint(&w, p->version);
    return atls_writer_done(&w).len;
}

static void platforms_of_version_1(void **state)
{
    (void)state;
    static const pod good = {"version", "sev-snp", "dstack-pod", "hello", 1, 64};
    static const struct {
        pod p;
        const char *wanted;
    } cases[] = {
        {{"version", "sev-snp", "dstack-pod", "hello", 1, 64}, "ok"},
        {{"version", "nitro-enclave", "dstack", "not looked at", 1, 64}, "ok"},
        {{"version", "aws-nitro-tpm", "dstack", "", 1, 64}, "ok"},
        {{"version", "sev-snp", "dstack-pod", "hellO", 1, 64}, "dstack.attestation.payload"},
        {{"version", "power", "dstack", "", 1, 64}, "dstack.attestation.platform"},
        {{"version", "tdx", "dstack", "", 1, 64}, "dstack.attestation.format"}, /* no quote */
        {{"version", "sev-snp", "docker", "", 1, 64}, "dstack.attestation.format"},
        {{"version", "sev-snp", "dstack", "", 2, 64}, "dstack.attestation.format"},
        {{"Version", "sev-snp", "dstack", "", 1, 64}, "dstack.attestation.format"},
        {{"stack", "sev-snp", "dstack", "", 1, 64}, "dstack.attestation.format"}, /* twice */
        {{"version", "sev-snp", "dstack", "", 1, 63}, "dstack.attestation.format"},
    };
    uint8_t bytes[SPACE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t len = write_pod(&cases[i].p, bytes);
        assert_string_equal(judge(bytes, len), cases[i].wanted);
    }
    const size_t len = write_pod(&good, bytes);
    for (size_t cut = 0; cut < len; cut++) {
        assert_string_equal(judge(bytes, cut), "dstack.attestation.format");
    }
    atls_dstack_attestation a;
    assert_int_equal(atls_dstack_attestation_read((atls_buf){bytes, len}, &a, NULL), ATLS_OK);
    assert_true(atls_equal(a.quote, text("a report")));
    assert_int_equal(a.certs_n, 1);
    assert_int_equal(a.certs[0].len, 3);
    assert_int_equal(a.certs[0].ptr[2], 200);
    atls_dstack_attestation_clear(&a);
}

/* --- what becomes of it --- */

static void the_log_as_json(void **state)
{
    (void)state;
    sample s;
    tdx(&s);
    s.runtime[3] = run("a\"\\\n\x01", "\x01", 2);
    char *json = NULL;
    assert_int_equal(atls_dstack_log_json(&s.a, &json, NULL), ATLS_OK);
    assert_non_null(strstr(json, "{\"imr\":0,\"event_type\":10,\"event\":\"acpi-rsdp\","
                                 "\"event_payload\":\"414350492044415441\",\"digest\":\"010203"));
    atls_event_list list = {0};
    assert_int_equal(atls_event_list_from_dstack(text(json), &list, NULL), ATLS_OK);
    assert_int_equal(list.n, 5);
    assert_string_equal(list.events[2].name, "app-id");
    assert_true(list.events[4].is_runtime);
    assert_string_equal(list.events[4].name, "a\"\\\n\x01");
    atls_event_list_clear(&list);
    free(json);
}

static void system_events(void **state)
{
    (void)state;
    sample s;
    atls_buf payload = {NULL, 0};
    tdx(&s);
    assert_true(atls_dstack_system_event(&s.a, "app-id", &payload));
    assert_int_equal(payload.len, 20);
    assert_false(atls_dstack_system_event(&s.a, "mine", &payload)); /* behind system-ready */
    assert_false(atls_dstack_system_event(&s.a, "compose-hash", &payload));
    s.runtime[3] = run("app-id", "of the application", 1); /* another behind it */
    assert_false(atls_dstack_system_event(&s.a, "app-id", &payload));
    s.runtime[3] = s.runtime[2];
    s.runtime[2] = run("app-id", "twice in front", 1);
    assert_false(atls_dstack_system_event(&s.a, "app-id", &payload));
}

static void a_chain_without_leaf(void **state)
{
    (void)state;
    sample s;
    atls_err err = {0};
    atls_carried c = {0};
    tdx(&s);
    s.a.platform = ATLS_DSTACK_SEV_SNP;
    s.a.certs[0] = text("-----BEGIN CERTIFICATE-----");
    s.a.certs[1] = text("0no certificate");
    s.a.certs_n = 2;
    assert_int_equal(atls_dstack_to_evidence(&s.a, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "dstack.attestation.certs");
    atls_carried_clear(&c);
    s.a.certs[0] = text("\x63 a table"); /* goes on as it is */
    s.a.certs_n = 1;
    assert_int_equal(atls_dstack_to_evidence(&s.a, &c, &err), ATLS_OK);
    assert_string_equal(c.evidence.parts[1].name, "certs");
    atls_carried_clear(&c);
    s.a.certs_n = 0;
    assert_int_equal(atls_dstack_to_evidence(&s.a, &c, &err), ATLS_OK);
    assert_int_equal(c.evidence.parts_n, 1);
    atls_carried_clear(&c);
    s.a.platform = ATLS_DSTACK_NITRO_TPM;
    assert_int_equal(atls_dstack_to_evidence(&s.a, &c, &err), ATLS_OK);
    assert_string_equal(c.evidence.type, "nitro");
    atls_carried_clear(&c);
}

/* A peer's PEM that says it is encrypted must not make anybody ask a terminal, or read our input. */
static void an_encrypted_certificate_asks_nobody(void **state)
{
    (void)state;
    sample s;
    atls_err err = {0};
    atls_carried c = {0};
    int ends[2];
    char left[8] = "";
    tdx(&s);
    s.a.platform = ATLS_DSTACK_SEV_SNP;
    s.a.certs[0] = text("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                        "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                        "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n");
    s.a.certs_n = 1;
    const int before = dup(0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "secret\n", 7), 7);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(dup2(ends[0], 0), 0);
    assert_int_equal(atls_dstack_to_evidence(&s.a, &c, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "dstack.attestation.certs");
    assert_int_equal(read(ends[0], left, 7), 7);
    assert_string_equal(left, "secret\n");
    assert_int_equal(dup2(before, 0), 0);
    assert_int_equal(close(before), 0);
    assert_int_equal(close(ends[0]), 0);
    atls_carried_clear(&c);
}

static atls_code make(const char *type, const char *part, const char *log, const char **check)
{
    static atls_err err;
    uint8_t *out = NULL;
    size_t len = 0;
    static uint8_t quote[] = "quote";
    uint8_t *copy = (uint8_t *)strdup(log);
    atls_evidence_blob b = {.parts_n = 2};
    strcpy(b.type, type);
    strcpy(b.parts[0].name, part);
    b.parts[0].bytes = quote;
    b.parts[0].len = sizeof quote;
    strcpy(b.parts[1].name, "event_log");
    b.parts[1].bytes = copy;
    b.parts[1].len = strlen(log);
    err = (atls_err){0};
    atls_code rc = atls_dstack_make(&b, report_data, &out, &len, &err);
    if (rc == ATLS_OK) {
        assert_string_equal(judge(out, len), "ok");
    }
    *check = rc == ATLS_OK ? "ok" : err.check;
    free(out);
    free(copy);
    return rc;
}

#define RUN(name)                                                                                  \
    "{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"" name                        \
    "\",\"event_payload\":\"aa\"}"

static void out_of_our_evidence(void **state)
{
    (void)state;
    static const struct {
        const char *type, *part, *log, *wanted;
    } cases[] = {
        {"tdx", "quote", "[" RUN("a") "]", "ok"},
        {"snp", "report", "", "ok"},
        {"tdx", "quote", "[]", "dstack.make"},
        {"tdx", "quote", "", "dstack.make"},
        {"tdx", "quote", "CCEL", "dstack.make"},
        {"tdx", "quote", "[{}]", "dstack.make"},
        {"tdx", "quote", "[" RUN("a"), "dstack.make"},
        {"tdx", "quote",
         "[{\"imr\":3,\"event_type\":4,\"digest\":\"\",\"event\":\"\",\"event_payload\":\"\"}]",
         "dstack.make"},
        {"tdx", "other", "[" RUN("a") "]", "dstack.make"},
        {"nitro", "document", "", "dstack.make"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *check;
        atls_code rc = make(cases[i].type, cases[i].part, cases[i].log, &check);
        assert_int_equal(rc, strcmp(cases[i].wanted, "ok") == 0 ? ATLS_OK : ATLS_E_SYSTEM);
        assert_string_equal(check, cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_platform_of_version_0),
        cmocka_unit_test(googles_platform),
        cmocka_unit_test(each_field_wrong_alone),
        cmocka_unit_test(version_1),
        cmocka_unit_test(platforms_of_version_1),
        cmocka_unit_test(the_log_as_json),
        cmocka_unit_test(system_events),
        cmocka_unit_test(a_chain_without_leaf),
        cmocka_unit_test(an_encrypted_certificate_asks_nobody),
        cmocka_unit_test(out_of_our_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
