#include "sim/extension.h"

#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "sim/level.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_ENUM = 0x0a,
    DER_SEQUENCE = 0x30
};

static const uint8_t oid_prefix[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

static void put_tlv(atls_writer *w, uint8_t tag, atls_buf value)
{
    atls_writer_u8(w, tag);
    if (value.len < 128) {
        atls_writer_u8(w, (uint8_t)value.len);
    } else if (value.len < 256) {
        atls_writer_u8(w, 0x81);
        atls_writer_u8(w, (uint8_t)value.len);
    } else {
        atls_writer_u8(w, 0x82);
        atls_writer_u16be(w, (uint16_t)value.len);
    }
    atls_writer_bytes(w, value);
}

/* SEQUENCE { OID prefix.member[.part], value }; part 0: none. */
static void put_pair(atls_writer *w, uint8_t member, uint8_t part, uint8_t tag, atls_buf value)
{
    uint8_t oid[sizeof oid_prefix + 2];
    memcpy(oid, oid_prefix, sizeof oid_prefix);
    oid[sizeof oid_prefix] = member;
    oid[sizeof oid_prefix + 1] = part;
    uint8_t space[SIM_EXTENSION_MAX];
    atls_writer pair = atls_writer_of(space, sizeof space);
    put_tlv(&pair, DER_OID, (atls_buf){oid, sizeof oid_prefix + (part == 0 ? 1u : 2u)});
    put_tlv(&pair, tag, value);
    put_tlv(w, DER_SEQUENCE, atls_writer_done(&pair));
}

static void put_integer(atls_writer *w, uint8_t member, uint8_t part, unsigned value)
{
    uint8_t octets[3] = {0, (uint8_t)(value / 256u), (uint8_t)(value % 256u)};
    size_t skip = 0;
    while (skip < 2 && octets[skip] == 0 && octets[skip + 1] < 128) {
        skip++; /* DER: as short as the sign bit allows */
    }
    put_pair(w, member, part, DER_INTEGER, (atls_buf){octets + skip, sizeof octets - skip});
}

static void put_tcb(atls_writer *w, const sim_extension_plan *plan, size_t level)
{
    uint8_t sgx[16];
    uint8_t cpusvn[16];
    sim_level_components(level, sgx);
    memcpy(cpusvn, sgx, sizeof cpusvn);
    cpusvn[15] = 0x5a; /* CPUSVN is opaque: who compares it in place of the components fails here */
    uint8_t space[SIM_EXTENSION_MAX];
    atls_writer tcb = atls_writer_of(space, sizeof space);
    for (int i = 0; i < plan->components; i++) {
        unsigned svn = i == 0 && plan->component >= 0 ? (unsigned)plan->component : sgx[i];
        put_integer(&tcb, 2, (uint8_t)(i + 1), svn);
    }
    put_integer(&tcb, 2, 17, SIM_PCESVN);
    put_pair(&tcb, 2, 18, DER_OCTETS, (atls_buf){cpusvn, sizeof cpusvn});
    put_pair(w, 2, 0, DER_SEQUENCE, atls_writer_done(&tcb));
}

static void put_configuration(atls_writer *w)
{
    static const uint8_t yes = 0xff;
    uint8_t space[128];
    atls_writer configuration = atls_writer_of(space, sizeof space);
    for (uint8_t part = 1; part <= 3; part++) { /* dynamic platform, cached keys, SMT enabled */
        put_pair(&configuration, 7, part, DER_BOOLEAN, (atls_buf){&yes, 1});
    }
    put_pair(w, 7, 0, DER_SEQUENCE, atls_writer_done(&configuration));
}

static void put_member(atls_writer *w, const sim_plan *plan, const sim_machine *machine,
                       size_t level, int member)
{
    const sim_extension_plan *p = &plan->extension;
    uint8_t ppid[32] = {0};
    memcpy(ppid, machine->ppid, sizeof machine->ppid);
    const uint8_t pceid[2] = {0, (uint8_t)p->pceid};
    uint8_t fmspc[sizeof p->model];
    memcpy(fmspc, p->model, sizeof fmspc);
    fmspc[5] = (uint8_t)(fmspc[5] ^ p->fmspc);
    const uint8_t type = plan->is_processor ? 0 : 1; /* standard; scalable */
    switch (member) {
    case 1:
        put_pair(w, 1, 0, DER_OCTETS, (atls_buf){ppid, (size_t)p->ppid_len});
        break;
    case 2:
        put_tcb(w, p, level);
        break;
    case 3:
        put_pair(w, 3, 0, DER_OCTETS, (atls_buf){pceid, sizeof pceid});
        break;
    case 4:
        put_pair(w, 4, 0, DER_OCTETS, (atls_buf){fmspc, sizeof fmspc});
        break;
    case 5:
        put_pair(w, 5, 0, DER_ENUM, (atls_buf){&type, 1});
        break;
    case 6:
        put_pair(w, 6, 0, DER_OCTETS,
                 (atls_buf){machine->instance_id, sizeof machine->instance_id});
        break;
    default:
        put_configuration(w);
        break;
    }
}

atls_code sim_extension_make(const sim_plan *plan, const sim_machine *machine, size_t level,
                             uint8_t out[SIM_EXTENSION_MAX], size_t *len, atls_err *err)
{
    const sim_extension_plan *p = &plan->extension;
    uint8_t space[SIM_EXTENSION_MAX];
    atls_writer members = atls_writer_of(space, sizeof space);
    int last = plan->is_processor ? 5 : 7;
    for (int member = 1; member <= last; member++) {
        int times = member == p->without ? 0 : member == p->twice ? 2 : 1;
        for (int i = 0; i < times; i++) {
            put_member(&members, plan, machine, level, member);
        }
    }
    atls_writer w = atls_writer_of(out, SIM_EXTENSION_MAX);
    put_tlv(&w, DER_SEQUENCE, atls_writer_done(&members));
    atls_writer_zeros(&w, (size_t)p->trailing);
    if (!atls_writer_ok(&members) || !atls_writer_ok(&w)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto",
                        "the SGX extension needs more than %d bytes", SIM_EXTENSION_MAX);
    }
    *len = w.len;
    return ATLS_OK;
}
