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

/* Which arcs of a list were there already. */
typedef struct arcs {
    bool seen[ARC_TCB_CPUSVN + 1];
} arcs;

/* The content of the next element, which must have this tag and a definite length in as few bytes as can
 * be. Otherwise r and the result have failed. */
static atls_reader element(atls_reader *r, uint8_t tag)
{
    uint8_t found = atls_reader_u8(r);
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
    if (found != tag || len < least) {
        atls_reader_fail(r);
    }
    return atls_reader_sub(r, len);
}

/* An OCTET STRING of exactly len bytes, and nothing behind it. */
static void octets(atls_reader *r, uint8_t *out, size_t len)
{
    atls_reader content = element(r, DER_OCTET_STRING);
    atls_reader_copy(&content, out, len);
    if (!atls_reader_end(&content) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
}

/* A number of at most 16 bits, not negative, in as few bytes as can be, and nothing behind it. */
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

static bool boolean(atls_reader *r)
{
    atls_reader content = element(r, DER_BOOLEAN);
    uint8_t value = atls_reader_u8(&content);
    if ((value != 0x00 && value != 0xff) || !atls_reader_end(&content) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
    return atls_reader_ok(r) && value != 0;
}

/* The next SEQUENCE { OBJECT IDENTIFIER, value } of a list: gives the last arc of the OID, which must be
 * 1.2.840.113741.1.13.1.arc, or 1.2.840.113741.1.13.1.parent.arc, and a reader at the value. An arc over max,
 * or one seen before, fails too. */
static uint8_t next_pair(atls_reader *list, uint8_t parent, uint8_t max, arcs *a,
                         atls_reader *value)
{
    static const uint8_t sgx[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
    *value = element(list, DER_SEQUENCE);
    atls_reader oid = element(value, DER_OID);
    for (size_t i = 0; i < sizeof sgx; i++) {
        if (atls_reader_u8(&oid) != sgx[i]) {
            atls_reader_fail(&oid);
        }
    }
    if (parent != 0 && atls_reader_u8(&oid) != parent) {
        atls_reader_fail(&oid);
    }
    uint8_t arc = atls_reader_u8(&oid);
    if (!atls_reader_end(&oid) || arc == 0 || arc > max || a->seen[arc]) {
        atls_reader_fail(value);
        return 0;
    }
    a->seen[arc] = true;
    return arc;
}

static bool all_seen(const arcs *a, uint8_t last)
{
    for (uint8_t arc = 1; arc <= last; arc++) {
        if (!a->seen[arc]) {
            return false;
        }
    }
    return true;
}

/* The 16 component SVNs, PCESVN and CPUSVN, in any order: with 18 arcs and none twice, all are there. */
static void read_tcb(atls_reader *r, atls_pck_extension *x)
{
    atls_reader list = element(r, DER_SEQUENCE);
    arcs a = {{false}};
    for (unsigned n = 0; n < ARC_TCB_CPUSVN; n++) {
        atls_reader value;
        uint8_t arc = next_pair(&list, ARC_TCB, ARC_TCB_CPUSVN, &a, &value);
        if (arc == ARC_TCB_CPUSVN) {
            octets(&value, x->cpusvn, sizeof x->cpusvn);
        } else if (arc == ARC_TCB_PCESVN) {
            x->svn.pcesvn = number(&value, DER_INTEGER);
        } else if (arc > 0) {
            uint16_t svn = number(&value, DER_INTEGER);
            if (svn > 255) {
                atls_reader_fail(&value);
            }
            x->svn.sgx[arc - 1] = (uint8_t)(svn % 256u);
        }
        if (!atls_reader_end(&value)) {
            atls_reader_fail(&list);
        }
    }
    if (!atls_reader_end(&list) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
}

/* All three settings, in any order. */
static void read_configuration(atls_reader *r, atls_pck_extension *x)
{
    atls_reader list = element(r, DER_SEQUENCE);
    arcs a = {{false}};
    for (unsigned n = 0; n < ARC_SMT_ENABLED; n++) {
        atls_reader value;
        uint8_t arc = next_pair(&list, ARC_CONFIGURATION, ARC_SMT_ENABLED, &a, &value);
        bool is_set = boolean(&value);
        if (arc == ARC_DYNAMIC_PLATFORM) {
            x->dynamic_platform = is_set;
        } else if (arc == ARC_CACHED_KEYS) {
            x->cached_keys = is_set;
        } else if (arc == ARC_SMT_ENABLED) {
            x->smt_enabled = is_set;
        }
        if (!atls_reader_end(&value)) {
            atls_reader_fail(&list);
        }
    }
    if (!atls_reader_end(&list) || !atls_reader_end(r)) {
        atls_reader_fail(r);
    }
}

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
    case ARC_SGX_TYPE: {
        uint16_t type = number(value, DER_ENUMERATED);
        if (type > 2) {
            atls_reader_fail(value);
        }
        x->sgx_type = (uint8_t)(type % 256u);
        break;
    }
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
    arcs a = {{false}};
    while (list.left > 0) {
        atls_reader member;
        uint8_t arc = next_pair(&list, 0, ARC_CONFIGURATION, &a, &member);
        read_member(arc, &member, &x);
        if (!atls_reader_end(&member)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "pck.extension",
                            "the PCK certificate's SGX extension has a malformed, unknown or "
                            "repeated member (last number of its OID: %u)",
                            (unsigned)arc);
        }
    }
    bool has_platform = a.seen[ARC_INSTANCE_ID];
    if (!all_seen(&a, has_platform ? ARC_CONFIGURATION : ARC_SGX_TYPE) ||
        a.seen[ARC_CONFIGURATION] != has_platform) {
        return ATLS_ERR(err, ATLS_E_INVALID, "pck.extension",
                        "the PCK certificate's SGX extension lacks a member, where 5 or 7 are "
                        "wanted");
    }
    x.has_platform = has_platform;
    *out = x;
    return ATLS_OK;
}
