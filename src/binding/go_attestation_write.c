/* attest.Attestation, from its parts. */
#include "binding/go_attestation.h"
#include "binding/go_attestation_fields.h"
#include "binding/protobuf.h"
#include "binding/sevsnp.h"

#define ROOM_OF_HEADS                                                                              \
    2048 /* tags, lengths, the entries of the PCRs' map, numbers of an SNP report */

size_t atls_go_attestation_room(const atls_go_making *m)
{
    return ROOM_OF_HEADS + m->ak_public.len + m->ak_cert.len + m->event_log.len + m->attest.len +
           m->signature.len + m->pcrs.len +
           (m->snp == NULL ? 0
                           : ATLS_SEVSNP_REPORT_MESSAGE_MAX + m->vcek.len + m->vlek.len +
                                 m->ask.len + m->ark.len);
}

static void nest(atls_writer *outer, uint32_t number, const atls_writer *inner)
{
    if (!atls_writer_ok(inner)) {
        outer->failed = true;
        return;
    }
    atls_protobuf_write_bytes(outer, number, atls_writer_done(inner));
}

static void write_nonempty(atls_writer *w, uint32_t number, atls_buf bytes)
{
    if (bytes.len > 0) {
        atls_protobuf_write_bytes(w, number, bytes);
    }
}

static void write_pcrs(atls_writer *w, const atls_go_making *m)
{
    const size_t size = atls_go_pcr_len(m->bank);
    uint32_t selection = m->selection;
    atls_reader r = atls_reader_of(m->pcrs);
    atls_protobuf_write_uint(w, PCRS_HASH, m->bank);
    for (uint32_t i = 0; i < PCRS; i++) {
        uint8_t entry[80];
        if (selection % 2 == 1) {
            atls_writer e = atls_writer_of(entry, sizeof entry);
            atls_protobuf_write_key(&e, ENTRY_KEY, i);
            atls_protobuf_write_bytes(&e, ENTRY_VALUE, atls_reader_view(&r, size));
            nest(w, PCRS_MAP, &e);
        }
        selection /= 2;
    }
    if (size == 0 || !atls_reader_end(&r)) {
        w->failed = true;
    }
}

static void write_quote(atls_writer *w, const atls_go_making *m)
{
    uint8_t pcrs[ATLS_GO_PCRS_MAX + 512];
    atls_writer p = atls_writer_of(pcrs, sizeof pcrs);
    write_pcrs(&p, m);
    atls_protobuf_write_bytes(w, QUOTE, m->attest);
    atls_protobuf_write_bytes(w, RAW_SIG, m->signature);
    nest(w, QUOTE_PCRS, &p);
}

static void write_snp(atls_writer *w, const atls_go_making *m, uint8_t *space, size_t room)
{
    atls_writer report = atls_writer_of(space, room);
    atls_sevsnp_report_write(&report, m->snp);
    nest(w, 1, &report);
    atls_writer chain = atls_writer_of(space, room);
    write_nonempty(&chain, 1, m->vcek);
    write_nonempty(&chain, 2, m->ask);
    write_nonempty(&chain, 3, m->ark);
    write_nonempty(&chain, 6, m->vlek);
    nest(w, 2, &chain);
}

/* Messages within messages: each level has a room, and is copied with its head into the room of the level around it. */
atls_buf atls_go_attestation_write(const atls_go_making *m, uint8_t *space)
{
    const size_t room = atls_go_attestation_room(m);
    atls_writer w = atls_writer_of(space, room);
    write_nonempty(&w, AK_PUB, m->ak_public);
    if (m->attest.len > 0) {
        atls_writer q = atls_writer_of(space + room, room);
        write_quote(&q, m);
        nest(&w, QUOTES, &q);
    }
    write_nonempty(&w, EVENT_LOG, m->event_log);
    write_nonempty(&w, AK_CERT, m->ak_cert);
    if (m->snp != NULL) {
        atls_writer s = atls_writer_of(space + room, room);
        write_snp(&s, m, space + 2 * room, room);
        nest(&w, SEV_SNP, &s);
    }
    return atls_writer_done(&w);
}
