/* The SGX extension, walked with a reader: its shape is fixed, so there is no general DER parser here, no
 * recursion, and no length that was not compared with what is there. */
#include "trust/pck.h"

#include "base/err.h"
#include "base/reader.h"

#define DER_BOOLEAN      0x01
#define DER_INTEGER      0x02
#define DER_OCTET_STRING 0x04
#define DER_OID          0x06
#define DER_ENUMERATED   0x0a
#define DER_SEQUENCE     0x30

/* Last arcs of the OIDs under 1.2.840.113741.1.13.1 (spec 4.1), at top level, ... */
#define ARC_PPID          1
#define ARC_TCB           2
#define ARC_PCEID         3
#define ARC_FMSPC         4
#define ARC_SGX_TYPE      5
#define ARC_INSTANCE_ID   6
#define ARC_CONFIGURATION 7
/* ... in the TCB after the 16 components ... */
#define ARC_TCB_PCESVN 17
#define ARC_TCB_CPUSVN 18
/* ... and in the configuration. */
#define ARC_DYNAMIC_PLATFORM 1
#define ARC_CACHED_KEYS      2
#define ARC_SMT_ENABLED      3

/* Which arcs of a list were there already: 1 where so. */
typedef struct arcs {
    uint8_t seen[ARC_TCB_CPUSVN + 1];
} arcs;

static const uint8_t sgx_oid[9] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

/* For contracts (see reader.h): a reader made from the bytes at p. */
/*@ predicate inside(atls_reader s, uint8_t *p) = s.left == 0 || \base_addr(s.ptr) == \base_addr(p); */

/* A definite length in as few bytes as can be; otherwise r has failed. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static size_t read_length(atls_reader *r)
{
    size_t len = atls_reader_u8(r);
    size_t least = 0;
    if (len == 0x81) {
        len = atls_reader_u8(r);
        least = 0x80;
    } else if (len == 0x82) {
        len = atls_reader_u16be(r);
        least = 0x100;
    } else if (len >= 0x80) {
        atls_reader_fail(r); /* indefinite, or 64 KiB and more */
    }
    if (len < least) {
        atls_reader_fail(r);
    }
    return len;
}

/* The content of the next element, which must have this tag. Otherwise r and the result have failed. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures \old(r->left) > 0 ==> r->left < \old(r->left);
    ensures sound_reader(\result) && \result.failed == r->failed && inside(\result, r->ptr); */
static atls_reader element(atls_reader *r, uint8_t tag)
{
    if (atls_reader_u8(r) != tag) {
        atls_reader_fail(r);
    }
    return atls_reader_sub(r, read_length(r));
}

/* An OCTET STRING of exactly len bytes, and nothing behind it. */
/*@ requires valid_reader(r) && \valid(out + (0 .. len - 1)) && \separated(r, out + (0 .. len - 1));
    assigns *r, out[0 .. len - 1];
    ensures valid_reader(r); */
static void octets(atls_reader *r, uint8_t *out, size_t len)
{
    atls_reader content = element(r, DER_OCTET_STRING);
    atls_reader_copy(&content, out, len);
    if (!atls_reader_end(&content) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
}

/* A number of at most 16 bits, not negative, in as few bytes as can be, and nothing behind it. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static uint16_t number(atls_reader *r, uint8_t tag)
{
    atls_reader content = element(r, tag);
    uint8_t first = atls_reader_u8(&content);
    size_t more = content.left;
    uint32_t value = first;
    if (more == 1) {
        uint8_t second = atls_reader_u8(&content);
        value = first * 256u + second;
        if (value < 0x80) {
            atls_reader_fail(r); /* the zero in front was not needed */
        }
    } else if (more == 2) {
        value = atls_reader_u16be(&content);
        if (first != 0 || value < 0x8000) {
            atls_reader_fail(r);
        }
    }
    if (first >= 0x80 || !atls_reader_end(&content) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
    return atls_reader_ok(r) ? (uint16_t)value : (uint16_t)0;
}

/* A number that is at most max. */
/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static uint8_t small_number(atls_reader *r, uint8_t tag, uint8_t max)
{
    uint16_t n = number(r, tag);
    if (n > max) {
        atls_reader_fail(r);
        return 0;
    }
    return (uint8_t)n;
}

/*@ requires valid_reader(r);
    assigns *r;
    ensures valid_reader(r); */
static bool boolean(atls_reader *r)
{
    atls_reader content = element(r, DER_BOOLEAN);
    uint8_t value = atls_reader_u8(&content);
    if ((value != 0x00 && value != 0xff) || !atls_reader_end(&content) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
    return atls_reader_ok(r) && value != 0;
}

/* The last arc of an OID that must be 1.2.840.113741.1.13.1.arc, or 1.2.840.113741.1.13.1.parent.arc; 0 for
 * any other OID. */
/*@ requires sound_reader(oid);
    assigns \nothing; */
static uint8_t last_arc(atls_reader oid, uint8_t parent)
{
    /*@ loop invariant 0 <= i <= 9 && valid_reader(&oid);
        loop assigns i, oid;
        loop variant 9 - i; */
    for (size_t i = 0; i < sizeof sgx_oid; i++) {
        if (atls_reader_u8(&oid) != sgx_oid[i]) {
            atls_reader_fail(&oid);
        }
    }
    if (parent != 0 && atls_reader_u8(&oid) != parent) {
        atls_reader_fail(&oid);
    }
    uint8_t arc = atls_reader_u8(&oid);
    return atls_reader_end(&oid) ? arc : (uint8_t)0;
}

/* A SEQUENCE { OBJECT IDENTIFIER, value } of a list. */
typedef struct pair {
    uint8_t arc; /* last one of the OID; 0 when value has failed */
    atls_reader value;
} pair;

/* The next pair of a list. An arc over max, or one seen before, fails. */
/*@ requires valid_reader(list) && \valid(a) && \separated(list, a) && max <= 18;
    assigns *list, *a;
    ensures valid_reader(list) && forward{Pre, Post}(list);
    ensures \old(list->left) > 0 ==> list->left < \old(list->left);
    ensures sound_reader(\result.value) && inside(\result.value, list->ptr) && \result.arc <= max; */
static pair next_pair(atls_reader *list, uint8_t parent, uint8_t max, arcs *a)
{
    pair p = {0, element(list, DER_SEQUENCE)};
    uint8_t arc = last_arc(element(&p.value, DER_OID), parent);
    if (arc == 0 || arc > max || a->seen[arc] != 0) {
        atls_reader_fail(&p.value);
        return p;
    }
    a->seen[arc] = 1;
    p.arc = arc;
    return p;
}

/*@ requires \valid_read(a) && last <= 18;
    assigns \nothing; */
static bool all_seen(const arcs *a, uint8_t last)
{
    /*@ loop invariant 1 <= arc <= 19;
        loop assigns arc;
        loop variant 19 - arc; */
    for (uint8_t arc = 1; arc <= last; arc++) {
        if (a->seen[arc] == 0) {
            return false;
        }
    }
    return true;
}

/*@ requires valid_reader(value) && \valid(x) && \separated(value, x) && arc <= 18;
    assigns *value, *x;
    ensures valid_reader(value); */
static void read_tcb_member(uint8_t arc, atls_reader *value, atls_pck_extension *x)
{
    if (arc == ARC_TCB_CPUSVN) {
        octets(value, x->cpusvn, sizeof x->cpusvn);
    } else if (arc == ARC_TCB_PCESVN) {
        x->svn.pcesvn = number(value, DER_INTEGER);
    } else if (arc > 0) {
        x->svn.sgx[arc - 1] = small_number(value, DER_INTEGER, 255);
    }
}

/* The 16 component SVNs, PCESVN and CPUSVN, in any order: with 18 arcs and none twice, all are there. */
/*@ requires valid_reader(r) && \valid(x) && \separated(r, x);
    assigns *r, *x;
    ensures valid_reader(r); */
static void read_tcb(atls_reader *r, atls_pck_extension *x)
{
    atls_reader list = element(r, DER_SEQUENCE);
    arcs a = {{0}};
    pair p;
    /*@ loop invariant 0 <= n <= 18 && valid_reader(&list);
        loop assigns n, list, p, a, *x;
        loop variant 18 - n; */
    for (unsigned n = 0; n < ARC_TCB_CPUSVN; n++) {
        p = next_pair(&list, ARC_TCB, ARC_TCB_CPUSVN, &a);
        read_tcb_member(p.arc, &p.value, x);
        if (!atls_reader_end(&p.value)) {
            atls_reader_fail(&list);
        }
    }
    if (!atls_reader_end(&list) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
}

/*@ requires valid_reader(value) && \valid(x) && \separated(value, x);
    assigns *value, *x;
    ensures valid_reader(value); */
static void read_setting(uint8_t arc, atls_reader *value, atls_pck_extension *x)
{
    bool is_set = boolean(value);
    if (arc == ARC_DYNAMIC_PLATFORM) {
        x->dynamic_platform = is_set;
    } else if (arc == ARC_CACHED_KEYS) {
        x->cached_keys = is_set;
    } else if (arc == ARC_SMT_ENABLED) {
        x->smt_enabled = is_set;
    }
}

/* All three settings, in any order. */
/*@ requires valid_reader(r) && \valid(x) && \separated(r, x);
    assigns *r, *x;
    ensures valid_reader(r); */
static void read_configuration(atls_reader *r, atls_pck_extension *x)
{
    atls_reader list = element(r, DER_SEQUENCE);
    arcs a = {{0}};
    pair p;
    /*@ loop invariant 0 <= n <= 3 && valid_reader(&list);
        loop assigns n, list, p, a, *x;
        loop variant 3 - n; */
    for (unsigned n = 0; n < ARC_SMT_ENABLED; n++) {
        p = next_pair(&list, ARC_CONFIGURATION, ARC_SMT_ENABLED, &a);
        read_setting(p.arc, &p.value, x);
        if (!atls_reader_end(&p.value)) {
            atls_reader_fail(&list);
        }
    }
    if (!atls_reader_end(&list) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
}

/*@ requires valid_reader(value) && \valid(x) && \separated(value, x);
    assigns *value, *x;
    ensures valid_reader(value); */
static void read_member(uint8_t arc, atls_reader *value, atls_pck_extension *x)
{
    switch (arc) {
    case ARC_PPID:
        octets(value, x->ppid, sizeof x->ppid);
        break;
    case ARC_TCB:
        read_tcb(value, x);
        break;
    case ARC_PCEID:
        octets(value, x->pceid, sizeof x->pceid);
        break;
    case ARC_FMSPC:
        octets(value, x->fmspc, sizeof x->fmspc);
        break;
    case ARC_SGX_TYPE:
        x->sgx_type = small_number(value, DER_ENUMERATED, 2);
        break;
    case ARC_INSTANCE_ID:
        octets(value, x->instance_id, sizeof x->instance_id);
        break;
    case ARC_CONFIGURATION:
        read_configuration(value, x);
        break;
    default:
        atls_reader_fail(value);
        break;
    }
}

atls_code atls_pck_extension_parse(atls_buf value, atls_pck_extension *out, atls_err *err)
{
    atls_reader r = atls_reader_of(value);
    atls_reader list = element(&r, DER_SEQUENCE);
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "pck.extension",
                        "the PCK certificate's SGX extension is not one DER SEQUENCE");
    }
    atls_pck_extension x = {0};
    arcs a = {{0}};
    pair p;
    /*@ loop invariant valid_reader(&list);
        loop assigns list, p, a, x, *err;
        loop variant list.left; */
    while (list.left > 0) {
        p = next_pair(&list, 0, ARC_CONFIGURATION, &a);
        read_member(p.arc, &p.value, &x);
        if (!atls_reader_end(&p.value)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "pck.extension",
                            "the PCK certificate's SGX extension has a malformed, unknown or "
                            "repeated member (last number of its OID: %u)",
                            (unsigned)p.arc);
        }
    }
    bool has_platform = a.seen[ARC_INSTANCE_ID] != 0;
    if (!all_seen(&a, has_platform ? ARC_CONFIGURATION : ARC_SGX_TYPE) ||
        has_platform != (a.seen[ARC_CONFIGURATION] != 0)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "pck.extension",
                        "the PCK certificate's SGX extension lacks a member, where 5 or 7 are "
                        "wanted");
    }
    x.has_platform = has_platform;
    *out = x;
    return ATLS_OK;
}
