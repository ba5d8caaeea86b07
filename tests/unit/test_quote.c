/* Quotes: what a good one of each version gives, every way to cut it, each checked field wrong alone; and
 * the fields of every quote among the vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/hex.h"
#include "base/writer.h"
#include "evidence/dcap/quote.h"

/* One quote to build. Zero-initialised members give a plain good one, save version and body. */
typedef struct plan {
    uint16_t version;
    unsigned body;       /* 1 SGX, 2 TD, 3 TD of 1.5 */
    size_t auth_len;     /* QE authentication data */
    uint16_t inner;      /* certification data type; 0 means 5 */
    size_t cert_len;     /* certification data */
    size_t slack;        /* unused bytes behind the fields, inside the signature data */
    size_t nested_slack; /* unused bytes inside the outer certification data */
    size_t trailing;
} plan;

/* Where the builder put what, so that tests can break one field. */
typedef struct places {
    size_t body, len, signature, outer, qe_report, auth, inner, cert, end;
} places;

#define SPACE 70000
static uint8_t space[SPACE];

static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                   0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

/* len bytes which differ from their neighbours and from those of another seed. */
static void pattern(atls_writer *w, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        atls_writer_u8(w, (uint8_t)((i * 7u + i / 256u + seed * 41u + 1u) % 256u));
    }
}

static const size_t body_len[] = {0, 384, 584, 648};

static atls_buf build(plan p, places *at)
{
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_u16le(&w, p.version);
    atls_writer_u16le(&w, 2);
    atls_writer_u32le(&w, p.body == 1 ? 0 : 0x81);
    atls_writer_u16le(&w, 0x1234);
    atls_writer_u16le(&w, 0x5678);
    atls_writer_bytes(&w, (atls_buf){vendor, sizeof vendor});
    pattern(&w, 20, 1);
    if (p.version == 5) {
        atls_writer_u16le(&w, (uint16_t)p.body);
        atls_writer_u32le(&w, (uint32_t)body_len[p.body]);
    }
    at->body = w.len;
    pattern(&w, body_len[p.body], 2);
    size_t qe_part = 384 + 64 + 2 + p.auth_len + 6 + p.cert_len;
    size_t nested = p.version == 3 ? 0 : 6 + p.nested_slack;
    at->len = w.len;
    atls_writer_u32le(&w, (uint32_t)(128 + nested + qe_part + p.slack));
    at->signature = w.len;
    pattern(&w, 64, 3);
    pattern(&w, 64, 4);
    at->outer = w.len;
    if (p.version != 3) {
        atls_writer_u16le(&w, 6);
        atls_writer_u32le(&w, (uint32_t)(qe_part + p.nested_slack));
    }
    at->qe_report = w.len;
    pattern(&w, 384, 5);
    pattern(&w, 64, 6);
    at->auth = w.len;
    atls_writer_u16le(&w, (uint16_t)p.auth_len);
    pattern(&w, p.auth_len, 7);
    at->inner = w.len;
    atls_writer_u16le(&w, p.inner == 0 ? 5 : p.inner);
    atls_writer_u32le(&w, (uint32_t)p.cert_len);
    at->cert = w.len;
    pattern(&w, p.cert_len, 8);
    pattern(&w, p.nested_slack + p.slack, 9);
    at->end = w.len;
    pattern(&w, p.trailing, 10);
    assert_true(atls_writer_ok(&w));
    return atls_writer_done(&w);
}

static const plan good[] = {
    {.version = 3, .body = 1, .auth_len = 32, .cert_len = 40},
    {.version = 4, .body = 1, .auth_len = 32, .cert_len = 40},
    {.version = 4, .body = 2, .auth_len = 32, .cert_len = 40},
    {.version = 5, .body = 1, .auth_len = 32, .cert_len = 40},
    {.version = 5, .body = 2, .auth_len = 32, .cert_len = 40},
    {.version = 5, .body = 3, .auth_len = 32, .cert_len = 40},
    /* what is odd and still good */
    {.version = 3, .body = 1},
    {.version = 4, .body = 2, .trailing = 3065},
    {.version = 3, .body = 1, .auth_len = 1, .inner = 1, .cert_len = 36, .slack = 9, .trailing = 1},
    {.version = 4, .body = 2, .auth_len = 1000, .inner = 4, .cert_len = 1, .slack = 1},
    {.version = 5, .body = 3, .auth_len = 16000, .cert_len = 32768, .slack = 100, .trailing = 70},
    {.version = 5, .body = 2, .auth_len = 32, .inner = 3, .cert_len = 404, .trailing = 39},
};
#define GOOD_N (sizeof good / sizeof good[0])

/* The parser's answer, from an exact copy on the heap: a sanitizer sees each byte read beyond it. */
static atls_code parse(atls_buf bytes, atls_quote *out, atls_err *err)
{
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    memset(err, 0, sizeof *err);
    atls_code rc = atls_quote_parse((atls_buf){copy, bytes.len}, out, err);
    free(copy);
    assert_int_equal(rc, err->code);
    return rc;
}

static void assert_refused(atls_buf bytes, const char *check, const char *what)
{
    atls_quote q;
    memset(&q, 0x5a, sizeof q);
    atls_quote before = q;
    atls_err err;
    if (parse(bytes, &q, &err) != ATLS_E_INVALID) {
        fail_msg("%s: not refused", what);
    }
    if (strcmp(err.check, check) != 0 || err.msg[0] == '\0') {
        fail_msg("%s: noticed by %s (%s), where %s should", what, err.check, err.msg, check);
    }
    assert_memory_equal(&q, &before, sizeof q); /* nothing is set on failure */
}

static void assert_view(atls_buf view, size_t at, size_t len)
{
    assert_int_equal(view.len, len);
    assert_ptr_equal(view.ptr, space + at);
}

static void assert_sgx_report(const atls_sgx_report *r, size_t at)
{
    assert_view(r->all, at, 384);
    assert_view(r->cpusvn, at, 16);
    const uint8_t *b = space + at;
    assert_int_equal(r->miscselect, b[16] + b[17] * 256u + b[18] * 65536u + b[19] * 16777216u);
    assert_view(r->isvextprodid, at + 32, 16);
    assert_view(r->attributes, at + 48, 16);
    assert_view(r->mrenclave, at + 64, 32);
    assert_view(r->mrsigner, at + 128, 32);
    assert_view(r->configid, at + 192, 64);
    assert_int_equal(r->isvprodid, b[256] + b[257] * 256u);
    assert_int_equal(r->isvsvn, b[258] + b[259] * 256u);
    assert_int_equal(r->configsvn, b[260] + b[261] * 256u);
    assert_view(r->isvfamilyid, at + 304, 16);
    assert_view(r->report_data, at + 320, 64);
}

static void assert_td_report(const atls_td_report *r, size_t at, bool is_1_5)
{
    assert_view(r->tee_tcb_svn, at, 16);
    assert_view(r->mrseam, at + 16, 48);
    assert_view(r->mrsignerseam, at + 64, 48);
    assert_view(r->seam_attributes, at + 112, 8);
    assert_view(r->td_attributes, at + 120, 8);
    assert_view(r->xfam, at + 128, 8);
    assert_view(r->mrtd, at + 136, 48);
    assert_view(r->mrconfigid, at + 184, 48);
    assert_view(r->mrowner, at + 232, 48);
    assert_view(r->mrownerconfig, at + 280, 48);
    for (size_t i = 0; i < 4; i++) {
        assert_view(r->rtmr[i], at + 328 + 48 * i, 48);
    }
    assert_view(r->report_data, at + 520, 64);
    assert_int_equal(r->is_1_5, is_1_5);
    if (is_1_5) {
        assert_view(r->tee_tcb_svn2, at + 584, 16);
        assert_view(r->mrservicetd, at + 600, 48);
    } else {
        assert_int_equal(r->tee_tcb_svn2.len + r->mrservicetd.len, 0);
    }
}

static void each_version_is_laid_out_as_specified(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_N; i++) {
        const plan *p = &good[i];
        places at;
        atls_buf bytes = build(*p, &at);
        atls_quote q;
        atls_err err;
        assert_int_equal(atls_quote_parse(bytes, &q, &err), ATLS_OK);
        assert_int_equal(q.version, p->version);
        assert_int_equal(q.key_type, 2);
        assert_int_equal(q.tee_type, p->body == 1 ? 0 : 0x81);
        assert_int_equal(q.header_svn[0], 0x1234);
        assert_int_equal(q.header_svn[1], 0x5678);
        assert_view(q.qe_vendor, 12, 16);
        assert_view(q.user_data, 28, 20);
        assert_int_equal(q.is_tdx, p->body != 1);
        if (q.is_tdx) {
            assert_td_report(&q.td, at.body, p->body == 3);
        } else {
            assert_sgx_report(&q.sgx, at.body);
        }
        assert_view(q.signed_range, 0, at.len);
        assert_view(q.signature_data, at.signature, at.end - at.signature);
        assert_view(q.signature, at.signature, 64);
        assert_view(q.attestation_key, at.signature + 64, 64);
        assert_sgx_report(&q.qe_report, at.qe_report);
        assert_view(q.qe_report_signature, at.qe_report + 384, 64);
        assert_view(q.qe_auth_data, at.auth + 2, p->auth_len);
        assert_int_equal(q.certification_type, p->inner == 0 ? 5 : p->inner);
        assert_view(q.certification_data, at.cert, p->cert_len);
        assert_int_equal(q.trailing, p->trailing);
    }
}

static void the_signed_ranges_are_those_of_the_table(void **state)
{
    (void)state;
    static const struct {
        uint16_t version;
        unsigned body;
        size_t signed_len;
    } table[] = {{3, 1, 432}, {4, 1, 432}, {4, 2, 632}, {5, 1, 438}, {5, 2, 638}, {5, 3, 702}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        places at;
        atls_quote q;
        atls_buf bytes = build((plan){.version = table[i].version, .body = table[i].body}, &at);
        assert_int_equal(atls_quote_parse(bytes, &q, NULL), ATLS_OK);
        assert_int_equal(q.signed_range.len, table[i].signed_len);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        places at;
        atls_buf bytes = build(good[i], &at);
        for (size_t len = 0; len < at.end; len++) {
            char what[64];
            (void)snprintf(what, sizeof what, "good[%zu] cut to %zu", i, len);
            assert_refused((atls_buf){bytes.ptr, len},
                           len < at.signature ? "quote.size" : "quote.signature_data", what);
        }
    }
}

static void one_byte_more_is_padding(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        places at;
        atls_buf bytes = build(good[i], &at);
        space[bytes.len] = 0x77;
        atls_quote q;
        atls_err err;
        assert_int_equal(parse((atls_buf){bytes.ptr, bytes.len + 1}, &q, &err), ATLS_OK);
        assert_int_equal(q.trailing, 1);
        assert_int_equal(q.signature_data.len, at.end - at.signature);
    }
}

/* A declared length one or much more, or one less, than its fields have. */
static void wrong_lengths_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        places at;
        (void)build(good[i], &at);
        const struct {
            const char *what;
            size_t at;
            int add;
            bool tolerated; /* version 3: unused bytes, or no such field */
        } cases[] = {
            {"signature data +1", at.len, 1, false},
            {"signature data -1", at.len, -1, false},
            {"outer -1", at.outer + 2, -1, good[i].version == 3},
            {"outer +1", at.outer + 2, 1, good[i].version == 3},
            {"auth +1", at.auth, 1, false},
            {"certification data +1", at.inner + 2, 1, false},
            {"certification data -1", at.inner + 2, -1, good[i].version == 3},
        };
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            if (cases[c].tolerated) {
                continue;
            }
            atls_buf bytes = build(good[i], &at);
            space[cases[c].at] = (uint8_t)(space[cases[c].at] + cases[c].add);
            assert_refused(bytes, "quote.signature_data", cases[c].what);
        }
        static const size_t high[] = {3, 0, 5, 1, 5}; /* the highest byte of each length */
        const size_t lengths[] = {at.len, at.outer, at.outer, at.auth, at.inner};
        for (size_t c = 0; c < 5; c++) {
            if ((c == 1 || c == 2) && good[i].version == 3) {
                continue; /* has no outer one */
            }
            atls_buf bytes = build(good[i], &at);
            space[lengths[c] + high[c]] = 0xff;
            assert_refused(bytes, c == 1 ? "quote.certification" : "quote.signature_data",
                           "a length of 0xff......");
        }
    }
}

static void each_field_wrong_alone_is_noticed(void **state)
{
    (void)state;
    enum { V3, V4_SGX, V4, V5_SGX, V5, V5_1_5 };
    places at3, at4, at5;
    (void)build(good[V3], &at3);
    (void)build(good[V4], &at4);
    (void)build(good[V5_1_5], &at5);
    const struct {
        const char *what;
        unsigned base;
        size_t at;
        uint8_t value;
        const char *check;
    } bad[] = {
        {"version 0", V3, 0, 0, "quote.version"},
        {"version 2", V3, 0, 2, "quote.version"},
        {"version 6", V5, 0, 6, "quote.version"},
        {"version 0x0104", V4, 1, 1, "quote.version"},
        {"key type 3", V4, 2, 3, "quote.key_type"},
        {"key type 0x0102", V4, 3, 1, "quote.key_type"},
        {"key type 0", V3, 2, 0, "quote.key_type"},
        {"TEE type 1", V4_SGX, 4, 1, "quote.tee_type"},
        {"TEE type 0x82", V5, 4, 0x82, "quote.tee_type"},
        {"TEE type 0x01000081", V4, 7, 1, "quote.tee_type"},
        {"version 3 of a TD", V3, 4, 0x81, "quote.tee_type"},
        {"version 4 made 3", V4, 0, 3, "quote.tee_type"},
        {"vendor's first byte", V4, 12, 0x92, "quote.vendor"},
        {"vendor's last byte", V3, 27, 0x08, "quote.vendor"},
        {"body type 0", V5, 48, 0, "quote.body"},
        {"body type 4", V5, 48, 4, "quote.body"},
        {"body type 0x0102", V5, 49, 1, "quote.body"},
        {"SGX body in a TD's quote", V5, 48, 1, "quote.body"},
        {"TD body in an SGX quote", V5_SGX, 48, 2, "quote.body"},
        {"1.5 body in an SGX quote", V5_SGX, 48, 3, "quote.body"},
        {"1.0 body with 1.5 type", V5, 48, 3, "quote.body"},
        {"1.5 body with 1.0 type", V5_1_5, 48, 2, "quote.body"},
        {"SGX quote of TEE type TDX", V5_SGX, 4, 0x81, "quote.body"},
        {"TD quote of TEE type SGX", V5_1_5, 4, 0, "quote.body"},
        {"SGX body of 385", V5_SGX, 50, 0x81, "quote.body"},
        {"TD body of 583", V5, 50, 0x47, "quote.body"},
        {"1.5 body of 649", V5_1_5, 50, 0x89, "quote.body"},
        {"body of 0x01000288", V5_1_5, 53, 1, "quote.body"},
        {"outer type 5", V4, at4.outer, 5, "quote.certification"},
        {"outer type 7", V5_1_5, at5.outer, 7, "quote.certification"},
        {"outer type 0x0106", V4, at4.outer + 1, 1, "quote.certification"},
        {"type 0", V3, at3.inner, 0, "quote.certification"},
        {"type 6 in version 3", V3, at3.inner, 6, "quote.certification"},
        {"type 6 nested", V4, at4.inner, 6, "quote.certification"},
        {"type 7 nested", V5_1_5, at5.inner, 7, "quote.certification"},
        {"type 0x0105", V4, at4.inner + 1, 1, "quote.certification"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        places at;
        atls_buf bytes = build(good[bad[i].base], &at);
        assert_int_not_equal(space[bad[i].at], bad[i].value);
        space[bad[i].at] = bad[i].value;
        assert_refused(bytes, bad[i].check, bad[i].what);
    }
}

static void bytes_left_in_the_outer_data_are_refused(void **state)
{
    (void)state;
    places at;
    plan p = {.version = 4, .body = 2, .auth_len = 32, .cert_len = 40, .nested_slack = 1};
    assert_refused(build(p, &at), "quote.signature_data", "one byte left, version 4");
    p.version = 5;
    p.body = 3;
    assert_refused(build(p, &at), "quote.signature_data", "one byte left, version 5");
}

static void limits_hold(void **state)
{
    (void)state;
    places at;
    plan p = {.version = 4, .body = 2, .auth_len = 32, .cert_len = 32768};
    atls_quote q;
    assert_int_equal(atls_quote_parse(build(p, &at), &q, NULL), ATLS_OK);
    p.cert_len++;
    assert_refused(build(p, &at), "quote.certification", "certification data of 32769");
    p.cert_len = 40;
    p.trailing = ATLS_QUOTE_MAX_LEN - build(p, &at).len;
    assert_int_equal(atls_quote_parse(build(p, &at), &q, NULL), ATLS_OK);
    p.trailing++;
    assert_refused(build(p, &at), "quote.size", "a quote of 65537");
    assert_int_equal(atls_quote_parse((atls_buf){NULL, 0}, &q, NULL), ATLS_E_INVALID);
}

static void claims_are_the_signed_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        places at;
        atls_buf bytes = build(good[i], &at);
        atls_quote q;
        assert_int_equal(atls_quote_parse(bytes, &q, NULL), ATLS_OK);
        atls_claims c;
        memset(&c, 0xee, sizeof c);
        atls_quote_claims(&q, &c);
        const uint8_t *b = space + at.body;
        assert_int_equal(c.report_data_len, 64);
        if (good[i].body == 1) {
            assert_int_equal(c.tee, ATLS_TEE_SGX);
            assert_memory_equal(c.report_data, b + 320, 64);
            assert_memory_equal(c.as.sgx.cpusvn, b, 16);
            assert_int_equal(c.as.sgx.miscselect, q.sgx.miscselect);
            assert_memory_equal(c.as.sgx.isvextprodid, b + 32, 16);
            assert_memory_equal(c.as.sgx.attributes, b + 48, 16);
            assert_memory_equal(c.as.sgx.mrenclave, b + 64, 32);
            assert_memory_equal(c.as.sgx.mrsigner, b + 128, 32);
            assert_memory_equal(c.as.sgx.configid, b + 192, 64);
            assert_memory_equal(c.as.sgx.isvfamilyid, b + 304, 16);
            assert_int_equal(c.as.sgx.isvprodid, q.sgx.isvprodid);
            assert_int_equal(c.as.sgx.isvsvn, q.sgx.isvsvn);
            assert_int_equal(c.as.sgx.configsvn, q.sgx.configsvn);
            continue;
        }
        assert_int_equal(c.tee, ATLS_TEE_TDX);
        assert_memory_equal(c.report_data, b + 520, 64);
        assert_memory_equal(c.as.tdx.tee_tcb_svn, b, 16);
        assert_memory_equal(c.as.tdx.mrseam, b + 16, 48);
        assert_memory_equal(c.as.tdx.mrsignerseam, b + 64, 48);
        assert_memory_equal(c.as.tdx.seam_attributes, b + 112, 8);
        assert_memory_equal(c.as.tdx.td_attributes, b + 120, 8);
        assert_memory_equal(c.as.tdx.xfam, b + 128, 8);
        assert_memory_equal(c.as.tdx.mrtd, b + 136, 48);
        assert_memory_equal(c.as.tdx.mrconfigid, b + 184, 48);
        assert_memory_equal(c.as.tdx.mrowner, b + 232, 48);
        assert_memory_equal(c.as.tdx.mrownerconfig, b + 280, 48);
        assert_memory_equal(c.as.tdx.rtmr, b + 328, sizeof c.as.tdx.rtmr);
        assert_int_equal(c.as.tdx.is_1_5, good[i].body == 3);
        static const uint8_t none[48] = {0};
        bool is_1_5 = good[i].body == 3;
        assert_memory_equal(c.as.tdx.tee_tcb_svn2, is_1_5 ? b + 584 : none, 16);
        assert_memory_equal(c.as.tdx.mrservicetd, is_1_5 ? b + 600 : none, 48);
    }
}

/* ---- the vectors ---- */

static size_t load(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s cannot be opened", path);
        return 0;
    }
    size_t len = fread(space, 1, sizeof space, f);
    (void)fclose(f);
    return len;
}

static void assert_hex(const char *file, const char *name, atls_buf view, const json_t *fields)
{
    const char *want = json_string_value(json_object_get(fields, name));
    char found[2 * 64 + 1];
    if (want == NULL) {
        fail_msg("%s: the manifest has no field %s", file, name);
    }
    assert_true(view.len <= 64);
    atls_hex_encode(view, found);
    if (strcmp(found, want) != 0) {
        fail_msg("%s: %s is %s, where the manifest says %s", file, name, found, want);
    }
}

static void assert_number(const char *file, const char *name, size_t found, const json_t *fields)
{
    const json_t *want = json_object_get(fields, name);
    if (!json_is_integer(want) || (json_int_t)found != json_integer_value(want)) {
        fail_msg("%s: %s is %zu, where the manifest says something else", file, name, found);
    }
}

static void assert_manifest_body(const char *file, const atls_quote *q, const json_t *f)
{
    if (!q->is_tdx) {
        assert_hex(file, "cpusvn", q->sgx.cpusvn, f);
        assert_number(file, "miscselect", q->sgx.miscselect, f);
        assert_hex(file, "attributes", q->sgx.attributes, f);
        assert_hex(file, "mrenclave", q->sgx.mrenclave, f);
        assert_hex(file, "mrsigner", q->sgx.mrsigner, f);
        assert_number(file, "isvprodid", q->sgx.isvprodid, f);
        assert_number(file, "isvsvn", q->sgx.isvsvn, f);
        assert_hex(file, "report_data", q->sgx.report_data, f);
        return;
    }
    assert_hex(file, "tee_tcb_svn", q->td.tee_tcb_svn, f);
    assert_hex(file, "mrseam", q->td.mrseam, f);
    assert_hex(file, "mrsignerseam", q->td.mrsignerseam, f);
    assert_hex(file, "seamattributes", q->td.seam_attributes, f);
    assert_hex(file, "tdattributes", q->td.td_attributes, f);
    assert_hex(file, "xfam", q->td.xfam, f);
    assert_hex(file, "mrtd", q->td.mrtd, f);
    assert_hex(file, "mrconfigid", q->td.mrconfigid, f);
    assert_hex(file, "mrowner", q->td.mrowner, f);
    assert_hex(file, "mrownerconfig", q->td.mrownerconfig, f);
    assert_hex(file, "rtmr0", q->td.rtmr[0], f);
    assert_hex(file, "rtmr1", q->td.rtmr[1], f);
    assert_hex(file, "rtmr2", q->td.rtmr[2], f);
    assert_hex(file, "rtmr3", q->td.rtmr[3], f);
    assert_hex(file, "report_data", q->td.report_data, f);
    if (q->td.is_1_5) {
        assert_hex(file, "tee_tcb_svn2", q->td.tee_tcb_svn2, f);
        assert_hex(file, "mrservicetd", q->td.mrservicetd, f);
    }
}

static void assert_manifest(const char *file, const atls_quote *q, const json_t *f)
{
    assert_number(file, "version", q->version, f);
    assert_number(file, "att_key_type", q->key_type, f);
    assert_number(file, "tee_type", q->tee_type, f);
    assert_number(file, "qe_svn", q->header_svn[0], f);
    assert_number(file, "pce_svn", q->header_svn[1], f);
    assert_hex(file, "qe_vendor", q->qe_vendor, f);
    assert_hex(file, "user_data", q->user_data, f);
    assert_manifest_body(file, q, f);
    assert_number(file, "trailing", q->trailing, f);
    assert_number(file, "qe_auth_len", q->qe_auth_data.len, f);
    assert_hex(file, "qe_mrsigner", q->qe_report.mrsigner, f);
    assert_hex(file, "qe_attr", q->qe_report.attributes, f);
    assert_number(file, "qe_isvsvn", q->qe_report.isvsvn, f);
    assert_number(file, "qe_isvprodid", q->qe_report.isvprodid, f);
    assert_number(file, "cert_type", q->certification_type, f);
    assert_number(file, "cert_size", q->certification_data.len, f);
}

static void the_vectors_are_read_as_the_manifest_says(void **state)
{
    (void)state;
    const char *root = getenv("ATLS_VECTORS");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/dcap/MANIFEST.json", root == NULL ? "" : root);
    json_t *manifest = root == NULL ? NULL : json_load_file(path, 0, NULL);
    if (manifest == NULL) {
        print_message("no vectors (ATLS_VECTORS): nothing compared\n");
        skip();
    }
    size_t i = 0, read = 0, refused = 0;
    json_t *v = NULL;
    json_array_foreach(json_object_get(manifest, "vectors"), i, v)
    {
        const char *kind = json_string_value(json_object_get(v, "kind"));
        const char *file = json_string_value(json_object_get(v, "file"));
        const json_t *expect = json_object_get(v, "expect");
        const char *error = json_string_value(json_object_get(expect, "error"));
        if (kind == NULL || strncmp(kind, "dcap-quote", 10) != 0) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/dcap/%s", root, file);
        atls_buf bytes = {space, load(path)};
        atls_quote q;
        atls_err err = {.check = NULL};
        atls_code rc = atls_quote_parse(bytes, &q, &err);
        if (error != NULL && strcmp(error, "UNSUPPORTED_QUOTE_FORMAT") == 0) {
            if (rc != ATLS_E_INVALID || strncmp(err.check, "quote.", 6) != 0) {
                fail_msg("%s: not refused", file);
            }
            refused++;
            continue;
        }
        if (rc != ATLS_OK) {
            fail_msg("%s: refused by %s: %s", file, err.check, err.msg);
        }
        assert_manifest(file, &q, json_object_get(v, "fields"));
        read++;
    }
    print_message("%zu quotes read as the manifest says, %zu refused\n", read, refused);
    assert_true(read >= 100 && refused >= 10);
    json_decref(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_laid_out_as_specified),
        cmocka_unit_test(the_signed_ranges_are_those_of_the_table),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(one_byte_more_is_padding),
        cmocka_unit_test(wrong_lengths_are_refused),
        cmocka_unit_test(each_field_wrong_alone_is_noticed),
        cmocka_unit_test(bytes_left_in_the_outer_data_are_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(claims_are_the_signed_fields),
        cmocka_unit_test(the_vectors_are_read_as_the_manifest_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
