/* Intel's SGX extension: what a good one gives, every way to cut it, each byte of it changed, each rule
 * broken alone; and those of every PCK certificate among the vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "evidence/dcap/quote.h"
#include "trust/pck.h"

/* ---- a builder ---- */

typedef struct der {
    uint8_t b[2048];
    size_t len;
} der;

static void add_raw(der *d, const uint8_t *bytes, size_t len)
{
    assert_true(d->len + len <= sizeof d->b);
    memcpy(d->b + d->len, bytes, len);
    d->len += len;
}

static void add(der *d, uint8_t tag, const uint8_t *content, size_t len)
{
    uint8_t head[4] = {tag, (uint8_t)len};
    size_t head_len = 2;
    if (len >= 0x100) {
        head[1] = 0x82;
        head[2] = (uint8_t)(len / 256u);
        head[3] = (uint8_t)(len % 256u);
        head_len = 4;
    } else if (len >= 0x80) {
        head[1] = 0x81;
        head[2] = (uint8_t)len;
        head_len = 3;
    }
    add_raw(d, head, head_len);
    add_raw(d, content, len);
}

static void add_integer(der *d, uint8_t tag, unsigned v)
{
    const uint8_t b[3] = {0, (uint8_t)(v / 256u), (uint8_t)(v % 256u)};
    size_t from = v < 0x80 ? 2 : v < 0x8000 ? 1 : 0;
    add(d, tag, b + from, sizeof b - from);
}

static void add_boolean(der *d, bool v)
{
    const uint8_t b = v ? 0xff : 0;
    add(d, 0x01, &b, 1);
}

/* One rule to break: in member parent.arc (parent 0: top level). */
typedef struct fault {
    enum { NONE, SKIP, TWICE, VALUE, PAIR, BEHIND } how;
    unsigned parent, arc;
    const char *
        bytes; /* VALUE: instead of the value, PAIR: instead of the pair, BEHIND: after the value */
    size_t len;
} fault;

static bool hits(const fault *f, unsigned how, unsigned parent, unsigned arc)
{
    return f->how == how && f->parent == parent && f->arc == arc;
}

static void add_pair(der *list, unsigned parent, unsigned arc, const der *value, const fault *f)
{
    static const uint8_t sgx[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
    der oid = {.len = 0}, pair = {.len = 0};
    const uint8_t arcs[2] = {(uint8_t)parent, (uint8_t)arc};
    add_raw(&oid, sgx, sizeof sgx);
    add_raw(&oid, parent == 0 ? arcs + 1 : arcs, parent == 0 ? 1 : 2);
    add(&pair, 0x06, oid.b, oid.len);
    if (hits(f, VALUE, parent, arc)) {
        add_raw(&pair, (const uint8_t *)f->bytes, f->len);
    } else {
        add_raw(&pair, value->b, value->len);
    }
    if (hits(f, BEHIND, parent, arc)) {
        add_raw(&pair, (const uint8_t *)f->bytes, f->len);
    }
    if (hits(f, SKIP, parent, arc)) {
        return;
    }
    if (hits(f, PAIR, parent, arc)) {
        add_raw(list, (const uint8_t *)f->bytes, f->len);
        return;
    }
    add(list, 0x30, pair.b, pair.len);
    if (hits(f, TWICE, parent, arc)) {
        add(list, 0x30, pair.b, pair.len);
    }
}

static void build_member(der *list, const atls_pck_extension *x, unsigned arc, bool reversed,
                         const fault *f)
{
    der value = {.len = 0}, inner = {.len = 0}, leaf;
    switch (arc) {
    case 1:
        add(&value, 0x04, x->ppid, 16);
        break;
    case 2:
        for (unsigned i = 1; i <= 18; i++) {
            unsigned n = reversed ? 19 - i : i;
            leaf.len = 0;
            if (n == 18) {
                add(&leaf, 0x04, x->cpusvn, 16);
            } else {
                add_integer(&leaf, 0x02, n == 17 ? x->svn.pcesvn : x->svn.sgx[n - 1]);
            }
            add_pair(&inner, 2, n, &leaf, f);
        }
        add(&value, 0x30, inner.b, inner.len);
        break;
    case 3:
        add(&value, 0x04, x->pceid, 2);
        break;
    case 4:
        add(&value, 0x04, x->fmspc, 6);
        break;
    case 5:
        add_integer(&value, 0x0a, x->sgx_type);
        break;
    case 6:
        add(&value, 0x04, x->instance_id, 16);
        break;
    default:
        for (unsigned i = 1; i <= 3; i++) {
            unsigned n = reversed ? 4 - i : i;
            leaf.len = 0;
            add_boolean(&leaf, n == 1   ? x->dynamic_platform
                               : n == 2 ? x->cached_keys
                                        : x->smt_enabled);
            add_pair(&inner, 7, n, &leaf, f);
        }
        add(&value, 0x30, inner.b, inner.len);
        break;
    }
    add_pair(list, 0, arc, &value, f);
}

static der build(const atls_pck_extension *x, bool reversed, const fault *f)
{
    static const fault none = {.how = NONE};
    der list = {.len = 0}, out = {.len = 0};
    unsigned members = x->has_platform ? 7 : 5;
    for (unsigned i = 1; i <= members; i++) {
        build_member(&list, x, reversed ? members + 1 - i : i, reversed, f == NULL ? &none : f);
    }
    add(&out, 0x30, list.b, list.len);
    return out;
}

static atls_pck_extension sample(bool has_platform)
{
    atls_pck_extension x;
    memset(&x, 0, sizeof x);
    for (unsigned i = 0; i < 16; i++) {
        x.ppid[i] = (uint8_t)(0x10 + i);
        x.cpusvn[i] = (uint8_t)(0x90 + i);
        x.svn.sgx[i] = (uint8_t)(i * 17u); /* 0 to 255: with and without a leading zero */
    }
    x.svn.pcesvn = 13;
    memcpy(x.pceid, "\x01\x02", 2);
    memcpy(x.fmspc, "\x00\x90\x6e\xd5\x00\x01", 6);
    x.sgx_type = 1;
    if (has_platform) {
        x.has_platform = true;
        memset(x.instance_id, 0x66, 16);
        x.dynamic_platform = true;
        x.smt_enabled = true;
    }
    return x;
}

/* ---- asking ---- */

/* From an exact copy on the heap: a sanitizer sees each byte read beyond it. */
static atls_code parse(const uint8_t *bytes, size_t len, atls_pck_extension *out, atls_err *err)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    memset(err, 0, sizeof *err);
    atls_code rc = atls_pck_extension_parse((atls_buf){copy, len}, out, err);
    free(copy);
    assert_int_equal(rc, err->code);
    return rc;
}

static void assert_refused(const uint8_t *bytes, size_t len, const char *what)
{
    atls_pck_extension x, before;
    memset(&x, 0x5a, sizeof x);
    memset(&before, 0x5a, sizeof before);
    atls_err err;
    if (parse(bytes, len, &x, &err) != ATLS_E_INVALID) {
        fail_msg("%s: not refused", what);
    }
    assert_string_equal(err.check, "pck.extension");
    assert_true(err.msg[0] != '\0');
    assert_memory_equal(&x, &before, sizeof x); /* nothing is set on failure */
}

static void assert_same(const atls_pck_extension *found, const atls_pck_extension *want)
{
    assert_memory_equal(found->ppid, want->ppid, 16);
    assert_memory_equal(found->svn.sgx, want->svn.sgx, 16);
    assert_int_equal(found->svn.pcesvn, want->svn.pcesvn);
    assert_memory_equal(found->cpusvn, want->cpusvn, 16);
    assert_memory_equal(found->pceid, want->pceid, 2);
    assert_memory_equal(found->fmspc, want->fmspc, 6);
    assert_int_equal(found->sgx_type, want->sgx_type);
    assert_int_equal(found->has_platform, want->has_platform);
    assert_memory_equal(found->instance_id, want->instance_id, 16);
    assert_int_equal(found->dynamic_platform, want->dynamic_platform);
    assert_int_equal(found->cached_keys, want->cached_keys);
    assert_int_equal(found->smt_enabled, want->smt_enabled);
}

static void both_shapes_in_any_order(void **state)
{
    (void)state;
    static const uint16_t pcesvn[] = {0, 1, 127, 128, 255, 256, 32767, 32768, 65535};
    for (unsigned i = 0; i < 4 * sizeof pcesvn / sizeof pcesvn[0]; i++) {
        atls_pck_extension want = sample(i % 2 == 1);
        want.svn.pcesvn = pcesvn[i / 4];
        want.sgx_type = (uint8_t)(i % 3);
        want.cached_keys = want.has_platform && i % 4 > 1;
        der d = build(&want, i % 4 > 1, NULL);
        atls_pck_extension found;
        atls_err err;
        assert_int_equal(parse(d.b, d.len, &found, &err), ATLS_OK);
        assert_same(&found, &want);
    }
}

static void every_truncation_and_one_byte_more_are_refused(void **state)
{
    (void)state;
    for (int platform = 0; platform < 2; platform++) {
        atls_pck_extension x = sample(platform == 1);
        der d = build(&x, false, NULL);
        for (size_t len = 0; len < d.len; len++) {
            assert_refused(d.b, len, "cut");
        }
        d.b[d.len] = 0;
        assert_refused(d.b, d.len + 1, "one byte more");
    }
    atls_pck_extension out;
    assert_int_equal(atls_pck_extension_parse((atls_buf){NULL, 0}, &out, NULL), ATLS_E_INVALID);
}

/* There is one encoding for each content: what is accepted encodes to the same bytes again. */
static void each_byte_with_each_value_is_refused_or_means_itself(void **state)
{
    (void)state;
    atls_pck_extension x = sample(true);
    const der good = build(&x, false, NULL);
    size_t accepted = 0;
    for (size_t at = 0; at < good.len; at++) {
        for (unsigned v = 0; v < 256; v++) {
            der d = good;
            d.b[at] = (uint8_t)v;
            atls_pck_extension found;
            atls_err err;
            if (parse(d.b, d.len, &found, &err) != ATLS_OK) {
                assert_string_equal(err.check, "pck.extension");
                continue;
            }
            accepted++;
            der again = build(&found, false, NULL);
            assert_int_equal(again.len, d.len);
            assert_memory_equal(again.b, d.b, d.len);
        }
    }
    /* 56 free bytes, 16 + 1 numbers, 3 booleans, the type, and the bytes as they were. */
    assert_true(accepted > 56 * 256 && accepted < 56 * 256 + 17 * 256 + good.len + 16);
}

#define BYTES(text) text, sizeof(text) - 1

static void each_rule_broken_alone_is_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        fault f;
    } bad[] = {
        {"no PPID", {SKIP, 0, 1, NULL, 0}},
        {"no TCB", {SKIP, 0, 2, NULL, 0}},
        {"no PCEID", {SKIP, 0, 3, NULL, 0}},
        {"no FMSPC", {SKIP, 0, 4, NULL, 0}},
        {"no type", {SKIP, 0, 5, NULL, 0}},
        {"no instance id, but a configuration", {SKIP, 0, 6, NULL, 0}},
        {"no configuration, but an instance id", {SKIP, 0, 7, NULL, 0}},
        {"PPID twice", {TWICE, 0, 1, NULL, 0}},
        {"TCB twice", {TWICE, 0, 2, NULL, 0}},
        {"FMSPC twice", {TWICE, 0, 4, NULL, 0}},
        {"configuration twice", {TWICE, 0, 7, NULL, 0}},
        {"no component 1", {SKIP, 2, 1, NULL, 0}},
        {"no component 16", {SKIP, 2, 16, NULL, 0}},
        {"no PCESVN", {SKIP, 2, 17, NULL, 0}},
        {"no CPUSVN", {SKIP, 2, 18, NULL, 0}},
        {"component 5 twice", {TWICE, 2, 5, NULL, 0}},
        {"PCESVN twice", {TWICE, 2, 17, NULL, 0}},
        {"no SMT setting", {SKIP, 7, 3, NULL, 0}},
        {"cached keys twice", {TWICE, 7, 2, NULL, 0}},
        {"PPID of 15",
         {VALUE, 0, 1,
          BYTES("\x04\x0f"
                "123456789abcdef")}},
        {"PPID of 17",
         {VALUE, 0, 1,
          BYTES("\x04\x11"
                "123456789abcdefgh")}},
        {"PPID as UTF8String",
         {VALUE, 0, 1,
          BYTES("\x0c\x10"
                "123456789abcdefg")}},
        {"PPID with a long length",
         {VALUE, 0, 1,
          BYTES("\x04\x81\x10"
                "123456789abcdefg")}},
        {"PPID with a longer length",
         {VALUE, 0, 1,
          BYTES("\x04\x82\0\x10"
                "123456789abcdefg")}},
        {"PPID of indefinite length",
         {VALUE, 0, 1,
          BYTES("\x24\x80\x04\x10"
                "123456789abcdefg\0\0")}},
        {"PPID with indefinite mark",
         {VALUE, 0, 1,
          BYTES("\x04\x80"
                "123456789abcdefg\0\0")}},
        {"PPID with a 3-byte length",
         {VALUE, 0, 1,
          BYTES("\x04\x83\0\0\x10"
                "123456789abcdefg")}},
        {"no PPID value", {VALUE, 0, 1, BYTES("")}},
        {"something behind the PPID", {BEHIND, 0, 1, BYTES("\x05\0")}},
        {"FMSPC of 5",
         {VALUE, 0, 4,
          BYTES("\x04\x05"
                "12345")}},
        {"FMSPC of 7",
         {VALUE, 0, 4,
          BYTES("\x04\x07"
                "1234567")}},
        {"PCEID of 1",
         {VALUE, 0, 3,
          BYTES("\x04\x01"
                "1")}},
        {"PCEID of 3",
         {VALUE, 0, 3,
          BYTES("\x04\x03"
                "123")}},
        {"type 3", {VALUE, 0, 5, BYTES("\x0a\x01\x03")}},
        {"type 256", {VALUE, 0, 5, BYTES("\x0a\x02\x01\0")}},
        {"type as INTEGER", {VALUE, 0, 5, BYTES("\x02\x01\0")}},
        {"something behind the type", {BEHIND, 0, 5, BYTES("\x05\0")}},
        {"instance id of 15",
         {VALUE, 0, 6,
          BYTES("\x04\x0f"
                "123456789abcdef")}},
        {"TCB as OCTET STRING",
         {VALUE, 0, 2,
          BYTES("\x04\x02"
                "12")}},
        {"TCB empty", {VALUE, 0, 2, BYTES("\x30\0")}},
        {"something behind the TCB", {BEHIND, 0, 2, BYTES("\x05\0")}},
        {"component of no bytes", {VALUE, 2, 3, BYTES("\x02\0")}},
        {"component of 256", {VALUE, 2, 3, BYTES("\x02\x02\x01\0")}},
        {"component of -1", {VALUE, 2, 3, BYTES("\x02\x01\xff")}},
        {"component of -128", {VALUE, 2, 3, BYTES("\x02\x01\x80")}},
        {"component with an idle zero", {VALUE, 2, 3, BYTES("\x02\x02\0\x7f")}},
        {"component with two zeros", {VALUE, 2, 3, BYTES("\x02\x03\0\0\x80")}},
        {"component as ENUMERATED", {VALUE, 2, 3, BYTES("\x0a\x01\x01")}},
        {"something behind a component", {BEHIND, 2, 16, BYTES("\x02\x01\x01")}},
        {"PCESVN of 65536", {VALUE, 2, 17, BYTES("\x02\x03\x01\0\0")}},
        {"PCESVN of -32768", {VALUE, 2, 17, BYTES("\x02\x02\x80\0")}},
        {"PCESVN with an idle zero", {VALUE, 2, 17, BYTES("\x02\x03\0\x7f\xff")}},
        {"PCESVN of 4 bytes", {VALUE, 2, 17, BYTES("\x02\x04\0\0\x80\0")}},
        {"CPUSVN of 15",
         {VALUE, 2, 18,
          BYTES("\x04\x0f"
                "123456789abcdef")}},
        {"setting as INTEGER", {VALUE, 7, 1, BYTES("\x02\x01\x01")}},
        {"setting of 01", {VALUE, 7, 1, BYTES("\x01\x01\x01")}},
        {"setting of two bytes", {VALUE, 7, 1, BYTES("\x01\x02\xff\xff")}},
        {"setting of no bytes", {VALUE, 7, 1, BYTES("\x01\0")}},
        {"something behind a setting", {BEHIND, 7, 2, BYTES("\x05\0")}},
        {"something behind the configuration", {BEHIND, 0, 7, BYTES("\x05\0")}},
        {"arc 8 for 5",
         {PAIR, 0, 5, BYTES("\x30\x0f\x06\x0a\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x08\x0a\x01\0")}},
        {"arc 0 for 5",
         {PAIR, 0, 5, BYTES("\x30\x0f\x06\x0a\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\0\x0a\x01\0")}},
        {"foreign prefix",
         {PAIR, 0, 5, BYTES("\x30\x0f\x06\x0a\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x02\x05\x0a\x01\0")}},
        {"an OID with one arc more",
         {PAIR, 0, 5,
          BYTES("\x30\x10\x06\x0b\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x05\x01\x0a\x01\0")}},
        {"an OID with one arc less",
         {PAIR, 0, 5, BYTES("\x30\x0e\x06\x09\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x0a\x01\0")}},
        {"a SET for a pair",
         {PAIR, 0, 5, BYTES("\x31\x0f\x06\x0a\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x05\x0a\x01\0")}},
        {"component under .7",
         {PAIR, 2, 3,
          BYTES("\x30\x10\x06\x0b\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x07\x03\x02\x01\0")}},
        {"component 19",
         {PAIR, 2, 3,
          BYTES("\x30\x10\x06\x0b\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x02\x13\x02\x01\0")}},
        {"setting 4",
         {PAIR, 7, 3,
          BYTES("\x30\x10\x06\x0b\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x07\x04\x01\x01\0")}},
    };
    const atls_pck_extension x = sample(true);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        der d = build(&x, false, &bad[i].f);
        assert_refused(d.b, d.len, bad[i].what);
    }
    const atls_pck_extension y = sample(false);
    for (size_t i = 0; i < 5; i++) {
        der d = build(&y, false, &bad[i].f);
        assert_refused(d.b, d.len, bad[i].what);
    }
}

static void other_things_for_the_list_are_refused(void **state)
{
    (void)state;
    const atls_pck_extension x = sample(false);
    der d = build(&x, false, NULL);
    d.b[0] = 0x31;
    assert_refused(d.b, d.len, "a SET");
    assert_refused((const uint8_t *)"\x30\x00", 2, "an empty list");
    d = build(&x, false, NULL);
    d.b[1] = 0x80;
    assert_refused(d.b, d.len, "indefinite");
    d.b[1] = 0x83;
    assert_refused(d.b, d.len, "a length of three bytes");
}

/* ---- the vectors ---- */

static void assert_hex(const char *file, const char *name, const uint8_t *b, size_t len,
                       const json_t *fields)
{
    const char *want = json_string_value(json_object_get(fields, name));
    char found[33];
    atls_hex_encode((atls_buf){b, len}, found);
    if (want == NULL || strcmp(found, want) != 0) {
        fail_msg("%s: %s is %s, where the manifest says %s", file, name, found,
                 want == NULL ? "nothing" : want);
    }
}

/* The SGX extension's value in the first certificate of the chain that has one. */
static size_t extension_of(atls_buf chain, uint8_t *out, size_t cap)
{
    size_t len = 0;
    BIO *pem = BIO_new_mem_buf(chain.ptr, (int)chain.len);
    ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);
    X509 *cert = NULL;
    while (len == 0 && (cert = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
        int at = X509_get_ext_by_OBJ(cert, oid, -1);
        if (at >= 0) {
            const ASN1_OCTET_STRING *v = X509_EXTENSION_get_data(X509_get_ext(cert, at));
            len = (size_t)ASN1_STRING_length(v);
            assert_true(len <= cap);
            memcpy(out, ASN1_STRING_get0_data(v), len);
        }
        X509_free(cert);
    }
    ASN1_OBJECT_free(oid);
    BIO_free(pem);
    return len;
}

static size_t load(const char *path, uint8_t *space, size_t cap)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s cannot be opened", path);
        return 0;
    }
    size_t len = fread(space, 1, cap, f);
    (void)fclose(f);
    return len;
}

static void the_vectors_are_read_as_the_manifest_says(void **state)
{
    (void)state;
    static uint8_t space[70000];
    const char *root = getenv("ATLS_VECTORS");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/dcap/MANIFEST.json", root == NULL ? "" : root);
    json_t *manifest = root == NULL ? NULL : json_load_file(path, 0, NULL);
    if (manifest == NULL) {
        print_message("no vectors (ATLS_VECTORS): nothing compared\n");
        skip();
    }
    size_t i = 0, read = 0;
    json_t *v = NULL;
    json_array_foreach(json_object_get(manifest, "vectors"), i, v)
    {
        const char *file = json_string_value(json_object_get(v, "file"));
        const json_t *fields = json_object_get(v, "fields");
        if (json_object_get(fields, "fmspc") == NULL) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/dcap/%s", root, file);
        atls_buf bytes = {space, load(path, space, sizeof space)};
        atls_quote q;
        if (atls_quote_parse(bytes, &q, NULL) != ATLS_OK) {
            continue; /* bad on purpose: test_quote */
        }
        uint8_t ext[4096];
        size_t len = extension_of(q.certification_data, ext, sizeof ext);
        atls_pck_extension x;
        atls_err err;
        if (len == 0 || parse(ext, len, &x, &err) != ATLS_OK) {
            fail_msg("%s: the PCK certificate's extension is refused", file);
        }
        assert_hex(file, "fmspc", x.fmspc, 6, fields);
        assert_hex(file, "ppid", x.ppid, 16, fields);
        assert_hex(file, "pck_comp", x.svn.sgx, 16, fields);
        assert_hex(file, "pck_cpusvn", x.cpusvn, 16, fields);
        assert_int_equal(x.svn.pcesvn, json_integer_value(json_object_get(fields, "pck_pcesvn")));
        const char *issuer = json_string_value(json_object_get(fields, "pck_issuer"));
        assert_non_null(issuer);
        assert_int_equal(x.has_platform, strstr(issuer, "Platform") != NULL);
        read++;
    }
    print_message("%zu extensions read as the manifest says\n", read);
    assert_true(read >= 100);
    json_decref(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_shapes_in_any_order),
        cmocka_unit_test(every_truncation_and_one_byte_more_are_refused),
        cmocka_unit_test(each_byte_with_each_value_is_refused_or_means_itself),
        cmocka_unit_test(each_rule_broken_alone_is_noticed),
        cmocka_unit_test(other_things_for_the_list_are_refused),
        cmocka_unit_test(the_vectors_are_read_as_the_manifest_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
