/* The claims of Cocos: every platform, with COSE_Sign1 and without, and each claim wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "binding/cocos_evidence.h"
#include "binding/go_attestation.h"
#include "binding/protobuf.h"
#include "binding/sevsnp.h"
#include "codec/cbor.h"

#define ROOM 65536

static atls_buf text(const char *s)
{
    return (atls_buf){(const uint8_t *)s, strlen(s)};
}

typedef struct made { /* claims under test */
    uint8_t bytes[ROOM], scratch[3 * ROOM], report[ATLS_SEVSNP_REPORT_LEN];
    atls_writer w;
} made;

static void put_claims(made *m, const char *platform, atls_buf report)
{
    m->w = atls_writer_of(m->bytes, sizeof m->bytes);
    atls_cbor_write_head(&m->w, ATLS_CBOR_MAP, 3);
    atls_cbor_write_head(&m->w, ATLS_CBOR_UINT, 10);
    atls_cbor_write_string(&m->w, ATLS_CBOR_BYTES, text("nonce of 16 byte"));
    atls_cbor_write_string(&m->w, ATLS_CBOR_TEXT, text("platform_type"));
    atls_cbor_write_string(&m->w, ATLS_CBOR_TEXT, text(platform));
    atls_cbor_write_string(&m->w, ATLS_CBOR_TEXT, text("raw_report"));
    atls_cbor_write_string(&m->w, ATLS_CBOR_BYTES, report);
    assert_true(atls_writer_ok(&m->w));
}

static atls_buf tdx_quote(made *m)
{
    memset(m->scratch, 0, 700);
    m->scratch[0] = 4;
    m->scratch[2] = 2;
    m->scratch[4] = 0x81;
    return (atls_buf){m->scratch, 700};
}

static atls_go_making tpm_parts(made *m)
{
    static uint8_t values[24 * 32];
    memset(m->report, 7, sizeof m->report);
    memset(m->report + 1, 0, 3); /* of the version */
    m->report[0] = 3;
    memset(m->report + 0x4c, 0, 4);
    memset(m->report + 0x18b, 0, 21);
    m->report[0x1eb] = m->report[0x1ef] = 0;
    memset(m->report + 0x208, 0, 152);
    for (size_t i = 0; i < sizeof values; i++) {
        values[i] = (uint8_t)(i / 32);
    }
    return (atls_go_making){.ak_public = text("public"),
                            .event_log = text("log"),
                            .attest = text("attest"),
                            .signature = text("signature"),
                            .bank = 11,
                            .selection = 0xffffff,
                            .pcrs = {values, sizeof values}};
}

static atls_buf message(made *m, const atls_go_making *parts)
{
    assert_true(3 * atls_go_attestation_room(parts) <= sizeof m->scratch);
    return atls_go_attestation_write(parts, m->scratch);
}

static atls_code parse(const made *m, atls_carried *c, atls_cocos_evidence *e, atls_err *err)
{
    return atls_cocos_evidence_parse(atls_writer_done(&m->w), c, e, err);
}

static atls_buf carried(const atls_carried *c, const char *name)
{
    for (size_t i = 0; i < c->evidence.parts_n; i++) {
        if (strcmp(c->evidence.parts[i].name, name) == 0) {
            return c->evidence.parts[i].bytes;
        }
    }
    return (atls_buf){NULL, 0};
}

static void assert_part(const atls_carried *c, const char *name, atls_buf wanted)
{
    const atls_buf found = carried(c, name);
    assert_int_equal(found.len, wanted.len);
    assert_memory_equal(found.ptr, wanted.ptr, wanted.len);
}

static void assert_refused(const made *m, atls_code code, const char *check)
{
    atls_carried c = {0};
    atls_cocos_evidence e;
    atls_err err = {0};
    assert_int_equal(parse(m, &c, &e, &err), code);
    assert_string_equal(err.check, check);
    atls_carried_clear(&c);
}

static void tdx(void **state)
{
    made *m = *state;
    atls_carried c = {0};
    atls_cocos_evidence e;
    put_claims(m, "TDX", tdx_quote(m));
    assert_int_equal(parse(m, &c, &e, NULL), ATLS_OK);
    assert_string_equal(c.evidence.type, "tdx");
    assert_string_equal(e.platform, "TDX");
    assert_int_equal(c.evidence.parts_n, 1);
    assert_part(&c, "quote", tdx_quote(m));
    assert_memory_equal(e.nonce.ptr, "nonce of 16 byte", 16);
    atls_carried_clear(&c);

    m->scratch[4] = 0; /* an SGX quote */
    put_claims(m, "TDX", (atls_buf){m->scratch, 700});
    assert_refused(m, ATLS_E_INVALID, "cocos.report");
    put_claims(m, "TDX", text("quote"));
    assert_refused(m, ATLS_E_INVALID, "carried.quote");
}

/* The three forms in which an SNP report comes. */
static void snp(void **state)
{
    made *m = *state;
    for (int form = 0; form < 3; form++) {
        atls_carried c = {0};
        atls_cocos_evidence e;
        atls_go_making p = tpm_parts(m);
        p = (atls_go_making){.snp = m->report, .vcek = text("vcek")};
        atls_buf whole = message(m, &p);
        atls_go_attestation a;
        assert_int_equal(atls_go_attestation_parse(whole, &a, NULL), ATLS_OK);
        put_claims(m, "SNP",
                   form == 0   ? whole
                   : form == 1 ? a.snp
                               : (atls_buf){m->report, sizeof m->report});
        assert_int_equal(parse(m, &c, &e, NULL), ATLS_OK);
        assert_string_equal(c.evidence.type, "snp");
        assert_part(&c, "report", (atls_buf){m->report, sizeof m->report});
        assert_int_equal(carried(&c, "certs").len, form == 2 ? 0 : 2 * 24 + 4);
        atls_carried_clear(&c);
    }
    atls_go_making p = tpm_parts(m);
    p.snp = m->report;
    put_claims(m, "SNP", message(m, &p));
    assert_refused(m, ATLS_E_INVALID, "cocos.report"); /* it is SNP-vTPM */
    put_claims(m, "SNP", tdx_quote(m));
    assert_refused(m, ATLS_E_INVALID, "sevsnp.malformed");
}

static void tpm(void **state)
{
    made *m = *state;
    for (int with_snp = 0; with_snp < 2; with_snp++) {
        atls_carried c = {0};
        atls_cocos_evidence e;
        atls_go_making p = tpm_parts(m);
        p.ak_cert = text("cert");
        p.snp = with_snp ? m->report : NULL;
        p.vcek = text("vcek");
        const char *platform = with_snp ? "SNP-vTPM" : "vTPM";
        put_claims(m, platform, message(m, &p));
        assert_int_equal(parse(m, &c, &e, NULL), ATLS_OK);
        assert_string_equal(c.evidence.type, with_snp ? "snp-tpm" : "tpm");
        assert_part(&c, "quote", p.attest);
        assert_part(&c, "signature", p.signature);
        assert_part(&c, "pcrs", p.pcrs);
        assert_part(&c, "ak_public", p.ak_public);
        assert_part(&c, "ak_cert", p.ak_cert);
        assert_part(&c, "event_log", p.event_log);
        assert_int_equal(carried(&c, "snp_report").len, with_snp ? sizeof m->report : 0);
        assert_int_equal(e.ak_public.len, 6);
        atls_carried_clear(&c);
        put_claims(m, with_snp ? "vTPM" : "SNP-vTPM", message(m, &p)); /* the other name */
        assert_refused(m, ATLS_E_INVALID, "cocos.report");
    }
    atls_go_making p = tpm_parts(m);
    p.attest.len = 0; /* no quote */
    put_claims(m, "vTPM", message(m, &p));
    assert_refused(m, ATLS_E_INVALID, "cocos.report");
    p = tpm_parts(m);
    p.ak_public.len = 0;
    put_claims(m, "vTPM", message(m, &p));
    assert_refused(m, ATLS_E_INVALID, "cocos.report");
    p = tpm_parts(m);
    p.bank = 4;
    p.selection = 1;
    p.pcrs.len = 20;
    put_claims(m, "vTPM", message(m, &p)); /* SHA-1 alone */
    assert_refused(m, ATLS_E_INVALID, "cocos.report");
}

static void azure_is_refused(void **state)
{
    made *m = *state;
    atls_go_making p = tpm_parts(m);
    p.snp = m->report;
    put_claims(m, "Azure", message(m, &p));
    assert_refused(m, ATLS_E_BINDING, "cocos.azure");
}

/* COSE_Sign1 around it, with any signature: parsed, not believed. */
static void signed_claims(void **state)
{
    made *m = *state;
    static const uint8_t issuer[] = {0xa1, 0x04, 0x42, 'm', 'e'};
    static const uint8_t signature[64] = {1};
    static uint8_t out[ROOM];
    put_claims(m, "TDX", tdx_quote(m));
    for (int alg = 0; alg < 2; alg++) {
        const uint8_t protected_header[] = {0xa1, 0x01, alg == 0 ? 0x26 : 0x27}; /* -7, -8 */
        atls_carried c = {0};
        atls_cocos_evidence e;
        atls_err err = {0};
        atls_writer w = atls_writer_of(out, sizeof out);
        atls_writer_u8(&w, 0xd2);
        atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, 4);
        atls_cbor_write_string(&w, ATLS_CBOR_BYTES, (atls_buf){protected_header, 3});
        atls_writer_bytes(&w, (atls_buf){issuer, sizeof issuer});
        atls_cbor_write_string(&w, ATLS_CBOR_BYTES, atls_writer_done(&m->w));
        atls_cbor_write_string(&w, ATLS_CBOR_BYTES, (atls_buf){signature, sizeof signature});
        const atls_code rc = atls_cocos_evidence_parse(atls_writer_done(&w), &c, &e, &err);
        assert_int_equal(rc, alg == 0 ? ATLS_OK : ATLS_E_INVALID);
        if (alg == 0) {
            assert_string_equal(c.evidence.type, "tdx");
        } else {
            assert_string_equal(err.check, "cose.alg");
        }
        atls_carried_clear(&c);
        atls_writer_u8(&w, 0);
        assert_int_equal(atls_cocos_evidence_parse(atls_writer_done(&w), &c, &e, &err),
                         ATLS_E_INVALID);
        atls_carried_clear(&c);
    }
}

#define N                                                                                          \
    "\x0a\x48"                                                                                     \
    "12345678"
#define P "\x6dplatform_type\x63TDX"
#define R                                                                                          \
    "\x6araw_report\x44"                                                                           \
    "abcd"
static const struct {
    const char *what, *bytes;
    size_t len;
    const char *check;
} claims[] = {
    {"nothing", "", 0, "cocos.claims.cbor"},
    {"an array", "\x80", 1, "cocos.claims.cbor"},
    {"a map without end", "\xbf\xff", 2, "cocos.claims.cbor"},
    {"a byte behind it", "\xa0\x00", 2, "cocos.claims.cbor"},
    {"129 claims", "\xb8\x81", 2, "cocos.claims.cbor"},
    {"a key of bytes", "\xa1\x41x\x00", 4, "cocos.claims.cbor"},
    {"an empty map", "\xa0", 1, "cocos.claims.platform"},
    {"no platform", "\xa2" N R, 27, "cocos.claims.platform"},
    {"a platform of null", "\xa3" N "\x6dplatform_type\xf6" R, 42, "cocos.claims.platform"},
    {"a platform of bytes", "\xa3" N "\x6dplatform_type\x43TDX" R, 45, "cocos.claims.member"},
    {"NoCC", "\xa3" N "\x6dplatform_type\x64NoCC" R, 46, "cocos.claims.platform"},
    {"tdx in small letters", "\xa3" N "\x6dplatform_type\x63tdx" R, 45, "cocos.claims.platform"},
    {"no nonce", "\xa2" P R, 35, "cocos.claims.nonce"},
    {"a nonce of null", "\xa3\x0a\xf6" P R, 37, "cocos.claims.nonce"},
    {"a nonce of 7 bytes",
     "\xa3\x0a\x47"
     "1234567" P R,
     44, "cocos.claims.nonce"},
    {"a nonce of text",
     "\xa3\x0a\x68"
     "12345678" P R,
     45, "cocos.claims.member"},
    {"no report", "\xa2" N P, 29, "cocos.claims.report"},
    {"an empty report", "\xa3" N P "\x6araw_report\x40", 41, "cocos.claims.report"},
    {"a report of null", "\xa3" N P "\x6araw_report\xf6", 41, "cocos.claims.report"},
    {"a report of text",
     "\xa3" N P "\x6araw_report\x64"
     "abcd",
     45, "cocos.claims.member"},
    {"two reports", "\xa4" N P R R, 61, "cocos.claims.twice"},
    {"two platforms", "\xa4" N P P R, 63, "cocos.claims.twice"},
    {"two nonces", "\xa4" N N P R, 55, "cocos.claims.twice"},
    {"a report of 4 bytes", "\xa3" N P R, 45, "carried.quote"},
    /* 262 and 265 as Cocos numbers them, 275 and 273 as RFC 9711 does, null, extensions of the platform */
    {"other claims",
     "\xa9" N P R
     "\x19\x01\x06\x01\x19\x01\x09\x41x\x19\x01\x13\x01\x19\x01\x11\x80\x19\x01\x00\xf6\x6cx-cocos-vtpm\xa1\x01\x02",
     82, "carried.quote"},
};

static void each_claim(void **state)
{
    made *m = *state;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        print_message("%s\n", claims[i].what);
        m->w = atls_writer_of(m->bytes, sizeof m->bytes);
        atls_writer_bytes(&m->w, (atls_buf){(const uint8_t *)claims[i].bytes, claims[i].len});
        assert_refused(m, ATLS_E_INVALID, claims[i].check);
    }
}

/* The PCRs of three banks, as a vTPM's claims repeat them, are more pairs than most documents may have. */
static void many_pcrs_beside_the_report(void **state)
{
    made *m = *state;
    atls_carried c = {0};
    atls_cocos_evidence e;
    put_claims(m, "TDX", tdx_quote(m));
    m->bytes[0]++;
    atls_cbor_write_string(&m->w, ATLS_CBOR_TEXT, text("x-cocos-vtpm"));
    atls_cbor_write_head(&m->w, ATLS_CBOR_MAP, 1);
    atls_cbor_write_string(&m->w, ATLS_CBOR_TEXT, text("pcrs"));
    atls_cbor_write_head(&m->w, ATLS_CBOR_MAP, 72);
    for (uint64_t i = 0; i < 72; i++) {
        atls_cbor_write_head(&m->w, ATLS_CBOR_UINT, i);
        atls_cbor_write_string(&m->w, ATLS_CBOR_TEXT, text("00"));
    }
    assert_int_equal(parse(m, &c, &e, NULL), ATLS_OK);
    atls_carried_clear(&c);
}

static void truncations(void **state)
{
    made *m = *state;
    put_claims(m, "TDX", tdx_quote(m));
    for (size_t len = 0; len < m->w.len; len++) {
        atls_carried c = {0};
        atls_cocos_evidence e;
        atls_err err = {0};
        assert_int_equal(atls_cocos_evidence_parse((atls_buf){m->bytes, len}, &c, &e, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "cocos.claims.cbor");
        atls_carried_clear(&c);
    }
}

/* --- what we write --- */

static void add_part(atls_evidence_blob *b, const char *name, atls_buf bytes)
{
    const size_t i = b->parts_n++;
    strcpy(b->parts[i].name, name);
    b->parts[i].bytes = malloc(bytes.len);
    assert_non_null(b->parts[i].bytes);
    memcpy(b->parts[i].bytes, bytes.ptr, bytes.len);
    b->parts[i].len = bytes.len;
}

static void written_is_read(void **state)
{
    made *m = *state;
    atls_evidence_blob b = {.type = "tdx"};
    atls_carried c = {0};
    atls_cocos_evidence e;
    uint8_t *out = NULL;
    size_t len = 0;
    add_part(&b, "quote", tdx_quote(m));
    assert_int_equal(atls_cocos_evidence_write(&b, text("12345678"), &out, &len, NULL), ATLS_OK);
    assert_int_equal(out[0], 0xa3); /* a bare map: no signature that says nothing */
    assert_int_equal(atls_cocos_evidence_parse((atls_buf){out, len}, &c, &e, NULL), ATLS_OK);
    assert_part(&c, "quote", tdx_quote(m));
    assert_memory_equal(e.nonce.ptr, "12345678", 8);
    atls_carried_clear(&c);
    atls_evidence_blob_clear(&b);
    free(out);
}

static void snp_is_written(void **state)
{
    made *m = *state;
    for (int form = 0; form < 3; form++) {
        atls_evidence_blob b = {.type = "snp"};
        atls_carried c = {0};
        atls_cocos_evidence e;
        uint8_t *out = NULL;
        size_t len = 0;
        uint8_t table[256];
        const atls_sevsnp s = {.vlek = text("vlek"), .ask = text("ask")};
        atls_writer w = atls_writer_of(table, sizeof table);
        (void)tpm_parts(m);
        add_part(&b, "report", (atls_buf){m->report, sizeof m->report});
        atls_sevsnp_table_write(&w, &s);
        if (form == 1) {
            add_part(&b, "certs", atls_writer_done(&w));
        } else if (form == 2) {
            add_part(&b, "vcek", text("vcek"));
        }
        assert_int_equal(atls_cocos_evidence_write(&b, text("12345678"), &out, &len, NULL),
                         ATLS_OK);
        assert_int_equal(atls_cocos_evidence_parse((atls_buf){out, len}, &c, &e, NULL), ATLS_OK);
        assert_part(&c, "report", (atls_buf){m->report, sizeof m->report});
        if (form == 1) {
            assert_part(&c, "certs", atls_writer_done(&w));
        }
        assert_int_equal(carried(&c, "certs").len == 0, form == 0);
        atls_carried_clear(&c);
        atls_evidence_blob_clear(&b);
        free(out);
    }
}

static void what_has_no_place(void **state)
{
    made *m = *state;
    static const struct {
        const char *type, *part;
    } rows[] = {
        {"nitro", "document"}, {"snp", "report"},    {"tdx", "event_log"},
        {"tpm", "quote"},      {"snp-tpm", "quote"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_evidence_blob b = {.parts_n = 0};
        atls_err err = {0};
        uint8_t *out = NULL;
        size_t len = 0;
        strcpy(b.type, rows[i].type);
        add_part(&b, rows[i].part, tdx_quote(m));
        assert_int_equal(atls_cocos_evidence_write(&b, text("12345678"), &out, &len, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "cocos.made");
        atls_evidence_blob_clear(&b);
    }
    atls_evidence_blob b = {.type = "snp"};
    atls_err err = {0};
    uint8_t *out = NULL;
    size_t len = 0;
    add_part(&b, "report", (atls_buf){m->report, sizeof m->report});
    add_part(&b, "certs", text("no table"));
    assert_int_equal(atls_cocos_evidence_write(&b, text("12345678"), &out, &len, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "cocos.made");
    atls_evidence_blob_clear(&b);
}

static int new_made(void **state)
{
    *state = calloc(1, sizeof(made));
    return *state == NULL;
}

static int free_made(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tdx),
        cmocka_unit_test(snp),
        cmocka_unit_test(tpm),
        cmocka_unit_test(azure_is_refused),
        cmocka_unit_test(signed_claims),
        cmocka_unit_test(each_claim),
        cmocka_unit_test(many_pcrs_beside_the_report),
        cmocka_unit_test(truncations),
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(snp_is_written),
        cmocka_unit_test(what_has_no_place),
    };
    return cmocka_run_group_tests(tests, new_made, free_made);
}
