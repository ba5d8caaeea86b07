#include "binding/go_attestation.h"

#include <string.h>

#include "base/err.h"
#include "binding/protobuf.h"
#include "binding/sevsnp.h"

#define PCRS 32

/* attest.Attestation */
enum { AK_PUB = 1, QUOTES = 2, EVENT_LOG = 3, AK_CERT = 6, SEV_SNP = 8, TDX = 9 };
/* tpm.Quote, tpm.PCRs, an entry of its map */
enum { QUOTE = 1, RAW_SIG = 2, QUOTE_PCRS = 3 };
enum { PCRS_HASH = 1, PCRS_MAP = 2 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

static size_t bank_len(uint64_t bank)
{
    switch (bank) {
    case 4:
        return 20;
    case 11:
        return 32;
    case 12:
        return 48;
    case 13:
        return 64;
    default:
        return 0;
    }
}

static atls_code malformed(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.malformed",
                    "no message of a TPM attestation");
}

static atls_code set_bytes(const atls_protobuf_field *f, bool *seen, atls_buf *out, atls_err *err)
{
    if (*seen) {
        return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.twice",
                        "field %u of a TPM attestation comes a second time", (unsigned)f->number);
    }
    if (f->kind != ATLS_PROTOBUF_BYTES) {
        return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.field",
                        "field %u of a TPM attestation is no bytes", (unsigned)f->number);
    }
    *seen = true;
    *out = f->bytes;
    return ATLS_OK;
}

/* --- quotes and their PCRs --- */

static atls_code read_bank(atls_buf pcrs, uint16_t *bank, atls_err *err)
{
    atls_reader r = atls_reader_of(pcrs);
    bool seen = false;
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number != PCRS_HASH) {
            continue;
        }
        if (seen) {
            return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.twice",
                            "the bank of a quote's PCRs comes a second time");
        }
        seen = true;
        if (f.kind != ATLS_PROTOBUF_VARINT || f.value > UINT16_MAX) {
            return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.field",
                            "the bank of a quote's PCRs is no algorithm");
        }
        *bank = (uint16_t)f.value;
    }
    return ATLS_OK;
}

static atls_code read_quote(atls_buf message, atls_go_quote *out, atls_err *err)
{
    atls_go_quote q = {.bank = 0};
    bool seen[QUOTE_PCRS + 1] = {false};
    atls_buf *const places[QUOTE_PCRS + 1] = {NULL, &q.attest, &q.signature, &q.pcrs};
    atls_reader r = atls_reader_of(message);
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number <= QUOTE_PCRS) {
            ATLS_TRY(set_bytes(&f, &seen[f.number], places[f.number], err));
        }
    }
    ATLS_TRY(read_bank(q.pcrs, &q.bank, err));
    if (q.attest.len == 0 || q.signature.len == 0 || q.pcrs.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.quotes",
                        "a quote without its bytes, its signature or its PCRs");
    }
    *out = q;
    return ATLS_OK;
}

atls_code atls_go_attestation_parse(atls_buf message, atls_go_attestation *out, atls_err *err)
{
    atls_go_attestation a = {.quotes_n = 0};
    bool seen[TDX + 1] = {false};
    atls_buf tdx;
    atls_buf *const places[TDX + 1] = {
        [AK_PUB] = &a.ak_public,
        [EVENT_LOG] = &a.event_log,
        [AK_CERT] = &a.ak_cert,
        [SEV_SNP] = &a.snp,
        [TDX] = &tdx,
    };
    atls_reader r = atls_reader_of(message);
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number == QUOTES) {
            bool again = false;
            atls_buf quote = {NULL, 0};
            ATLS_TRY(set_bytes(&f, &again, &quote, err));
            if (a.quotes_n == ATLS_GO_QUOTES_MAX) {
                return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.quotes", "more than %d quotes",
                                ATLS_GO_QUOTES_MAX);
            }
            ATLS_TRY(read_quote(quote, &a.quotes[a.quotes_n++], err));
        } else if (f.number <= TDX && places[f.number] != NULL) {
            ATLS_TRY(set_bytes(&f, &seen[f.number], places[f.number], err));
        }
    }
    a.has_snp = seen[SEV_SNP];
    a.has_tdx = seen[TDX];
    *out = a;
    return ATLS_OK;
}

static atls_code wrong_pcrs(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.pcrs", "a quote with PCRs %s", what);
}

/* An entry of the map; a member that is left out is 0, or empty. */
static bool read_entry(atls_buf message, uint64_t *key, atls_buf *value)
{
    atls_reader r = atls_reader_of(message);
    *key = 0;
    *value = (atls_buf){NULL, 0};
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return false;
        }
        if (f.number == ENTRY_KEY && f.kind == ATLS_PROTOBUF_VARINT) {
            *key = f.value;
        } else if (f.number == ENTRY_VALUE && f.kind == ATLS_PROTOBUF_BYTES) {
            *value = f.bytes;
        } else {
            return false;
        }
    }
    return true;
}

atls_code atls_go_pcrs(const atls_go_quote *quote, uint8_t out[ATLS_GO_PCRS_MAX], size_t *out_len,
                       atls_err *err)
{
    atls_buf values[PCRS];
    memset(values, 0, sizeof values);
    const size_t size = bank_len(quote->bank);
    atls_reader r = atls_reader_of(quote->pcrs);
    while (r.left > 0) {
        atls_protobuf_field f;
        uint64_t key = 0;
        atls_buf value = {NULL, 0};
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number != PCRS_MAP) {
            continue;
        }
        if (f.kind != ATLS_PROTOBUF_BYTES || !read_entry(f.bytes, &key, &value)) {
            return wrong_pcrs("that are no number and value", err);
        }
        if (key >= PCRS || values[key].len > 0) {
            return wrong_pcrs("of which one is above 31, or there twice", err);
        }
        if (size == 0 || value.len != size) {
            return wrong_pcrs("whose values are not of their bank", err);
        }
        values[key] = value;
    }
    atls_writer w = atls_writer_of(out, ATLS_GO_PCRS_MAX);
    for (size_t i = 0; i < PCRS; i++) {
        atls_writer_bytes(&w, values[i]);
    }
    if (w.len == 0) {
        return wrong_pcrs("of which none is there", err);
    }
    *out_len = w.len;
    return ATLS_OK;
}

/* --- writing --- */

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
    const size_t size = bank_len(m->bank);
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
