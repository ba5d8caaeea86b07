#include "binding/go_attestation.h"

#include "base/err.h"
#include "binding/go_attestation_fields.h"
#include "binding/protobuf.h"

size_t atls_go_pcr_len(uint16_t bank)
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

/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code malformed(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.malformed",
                    "no message of a TPM attestation");
}

/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code no_bytes(uint32_t number, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.field",
                    "field %u of a TPM attestation is no bytes", (unsigned)number);
}

/* The field of that number; empty, and not there, when it is absent. */
/*@ requires valid_buf(message) && \valid(out) && \valid(there) && (err == \null || \valid(err));
    requires \separated(out, there, err);
    assigns *out, *there, *err;
    ensures \result == ATLS_OK ==> valid_buf(*out) && part_of(*out, message.ptr); */
static atls_code take_bytes(atls_buf message, uint32_t number, atls_buf *out, bool *there,
                            atls_err *err)
{
    const atls_protobuf_search found = atls_protobuf_find(message, number, out);
    if (found == ATLS_PROTOBUF_TWICE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.twice",
                        "field %u of a TPM attestation comes a second time", (unsigned)number);
    }
    if (found == ATLS_PROTOBUF_NO_BYTES) {
        return no_bytes(number, err);
    }
    if (found != ATLS_PROTOBUF_FOUND && found != ATLS_PROTOBUF_ABSENT) {
        return malformed(err);
    }
    *there = found == ATLS_PROTOBUF_FOUND;
    return ATLS_OK;
}

/* --- quotes and their PCRs --- */

/* 0: there is none. */
/*@ requires valid_buf(pcrs) && \valid(bank) && (err == \null || \valid(err)) && \separated(bank, err);
    assigns *bank, *err; */
static atls_code read_bank(atls_buf pcrs, uint16_t *bank, atls_err *err)
{
    uint16_t found = 0;
    bool seen = false;
    atls_reader r = atls_reader_of(pcrs);
    /*@ loop invariant valid_reader(&r);
        loop assigns r, found, seen;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number == PCRS_HASH) {
            if (seen) {
                return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.twice",
                                "the bank of a quote's PCRs comes a second time");
            }
            if (f.kind != ATLS_PROTOBUF_VARINT || f.value > UINT16_MAX) {
                return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.field",
                                "the bank of a quote's PCRs is no algorithm");
            }
            found = (uint16_t)f.value;
            seen = true;
        }
    }
    *bank = found;
    return ATLS_OK;
}

/*@ requires valid_buf(message) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> valid_buf(out->attest) && valid_buf(out->signature) && valid_buf(out->pcrs); */
static atls_code read_quote(atls_buf message, atls_go_quote *out, atls_err *err)
{
    atls_buf attest = {NULL, 0};
    atls_buf signature = {NULL, 0};
    atls_buf pcrs = {NULL, 0};
    uint16_t bank = 0;
    bool there = false;
    ATLS_TRY(take_bytes(message, QUOTE, &attest, &there, err));
    ATLS_TRY(take_bytes(message, RAW_SIG, &signature, &there, err));
    ATLS_TRY(take_bytes(message, QUOTE_PCRS, &pcrs, &there, err));
    ATLS_TRY(read_bank(pcrs, &bank, err));
    if (attest.len == 0 || signature.len == 0 || pcrs.len == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.quotes",
                        "a quote without its bytes, its signature or its PCRs");
    }
    out->bank = bank;
    out->attest = attest;
    out->signature = signature;
    out->pcrs = pcrs;
    return ATLS_OK;
}

/*@ requires valid_buf(message) && \valid(a) && a->quotes_n == 0 && (err == \null || \valid(err)) && \separated(a, err);
    assigns a->quotes[0 .. ATLS_GO_QUOTES_MAX - 1], a->quotes_n, *err;
    ensures a->quotes_n <= ATLS_GO_QUOTES_MAX; */
static atls_code read_quotes(atls_buf message, atls_go_attestation *a, atls_err *err)
{
    atls_reader r = atls_reader_of(message);
    /*@ loop invariant valid_reader(&r) && a->quotes_n <= ATLS_GO_QUOTES_MAX;
        loop assigns r, a->quotes[0 .. ATLS_GO_QUOTES_MAX - 1], a->quotes_n, *err;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number == QUOTES) {
            if (f.kind != ATLS_PROTOBUF_BYTES) {
                return no_bytes(QUOTES, err);
            }
            if (a->quotes_n >= ATLS_GO_QUOTES_MAX) {
                return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.quotes", "more than %d quotes",
                                ATLS_GO_QUOTES_MAX);
            }
            ATLS_TRY(read_quote(f.bytes, &a->quotes[a->quotes_n], err));
            a->quotes_n++;
        }
    }
    return ATLS_OK;
}

atls_code atls_go_attestation_parse(atls_buf message, atls_go_attestation *out, atls_err *err)
{
    atls_go_attestation a = {.quotes_n = 0};
    atls_buf tdx = {NULL, 0};
    bool there = false;
    ATLS_TRY(read_quotes(message, &a, err));
    ATLS_TRY(take_bytes(message, AK_PUB, &a.ak_public, &there, err));
    ATLS_TRY(take_bytes(message, EVENT_LOG, &a.event_log, &there, err));
    ATLS_TRY(take_bytes(message, AK_CERT, &a.ak_cert, &there, err));
    ATLS_TRY(take_bytes(message, SEV_SNP, &a.snp, &a.has_snp, err));
    ATLS_TRY(take_bytes(message, TDX, &tdx, &a.has_tdx, err));
    *out = a;
    return ATLS_OK;
}

/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code wrong_pcrs(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "go_attestation.pcrs", "a quote with PCRs %s", what);
}

/* An entry of the map; a member that is left out is 0, or empty. */
/*@ requires valid_buf(message) && \valid(key) && \valid(value) && \separated(key, value) && valid_buf(*value);
    requires part_of(*value, message.ptr);
    assigns *key, *value;
    ensures valid_buf(*value); */
static bool read_entry(atls_buf message, uint64_t *key, atls_buf *value)
{
    bool known = true;
    atls_reader r = atls_reader_of(message);
    /*@ loop invariant valid_reader(&r) && (r.left == 0 || \base_addr(r.ptr) == \base_addr(message.ptr));
        loop invariant valid_buf(*value) && part_of(*value, message.ptr);
        loop assigns r, known, *key, *value;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            known = false;
        } else if (f.number == ENTRY_KEY && f.kind == ATLS_PROTOBUF_VARINT) {
            *key = f.value;
        } else if (f.number == ENTRY_VALUE && f.kind == ATLS_PROTOBUF_BYTES) {
            *value = f.bytes;
        } else {
            known = false;
        }
    }
    /*@ assert outlives_r: value->len == 0 || \base_addr(value->ptr) != \base_addr(&r); */
    return known;
}

typedef struct pcr_values {
    size_t size; /* of each */
    uint8_t value[PCRS * ATLS_GO_PCR_MAX];
    uint8_t there[PCRS];
} pcr_values;

/*@ predicate sound_values{L}(pcr_values *v) = v->size <= ATLS_GO_PCR_MAX; */

/*@ requires \valid(v) && sound_values(v) && valid_buf(entry) && (err == \null || \valid(err)) && \separated(v, err);
    assigns v->value[0 .. PCRS * ATLS_GO_PCR_MAX - 1], v->there[0 .. PCRS - 1], *err; */
static atls_code read_pcr(pcr_values *v, atls_buf entry, atls_err *err)
{
    uint64_t key = 0;
    atls_buf value = {NULL, 0};
    if (!read_entry(entry, &key, &value)) {
        return wrong_pcrs("that are no number and value", err);
    }
    if (key >= PCRS || v->there[key] != 0) {
        return wrong_pcrs("of which one is above 31, or there twice", err);
    }
    if (v->size == 0 || value.len != v->size) {
        return wrong_pcrs("whose values are not of their bank", err);
    }
    const size_t at = (size_t)key * ATLS_GO_PCR_MAX;
    v->there[key] = 1;
    /*@ loop invariant 0 <= i <= value.len;
        loop assigns i, v->value[0 .. PCRS * ATLS_GO_PCR_MAX - 1];
        loop variant value.len - i; */
    for (size_t i = 0; i < value.len; i++) {
        v->value[at + i] = value.ptr[i];
    }
    return ATLS_OK;
}

/*@ requires \valid(v) && sound_values(v) && valid_buf(pcrs) && (err == \null || \valid(err)) && \separated(v, err);
    assigns v->value[0 .. PCRS * ATLS_GO_PCR_MAX - 1], v->there[0 .. PCRS - 1], *err; */
static atls_code read_pcrs(pcr_values *v, atls_buf pcrs, atls_err *err)
{
    atls_reader r = atls_reader_of(pcrs);
    /*@ loop invariant valid_reader(&r);
        loop assigns r, v->value[0 .. PCRS * ATLS_GO_PCR_MAX - 1], v->there[0 .. PCRS - 1], *err;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number == PCRS_MAP) {
            if (f.kind != ATLS_PROTOBUF_BYTES) {
                return wrong_pcrs("that are no number and value", err);
            }
            ATLS_TRY(read_pcr(v, f.bytes, err));
        }
    }
    return ATLS_OK;
}

/* Those that are there, one behind the other. */
/*@ requires valid_writer(w) && \valid_read(v) && sound_values(v);
    requires \separated(v, w) && \separated(v, w->ptr + (0 .. w->cap - 1));
    assigns *w, w->ptr[0 .. w->cap - 1];
    ensures valid_writer(w) && same_space{Pre, Post}(w); */
static void put_pcrs(atls_writer *w, const pcr_values *v)
{
    /*@ loop invariant 0 <= i <= PCRS && valid_writer(w) && same_space{Pre, Here}(w) && sound_values(v);
        loop assigns i, *w, \at(w->ptr, Pre)[0 .. \at(w->cap, Pre) - 1];
        loop variant PCRS - i; */
    for (size_t i = 0; i < PCRS; i++) {
        if (v->there[i] != 0) {
            const atls_buf value = {v->value + i * ATLS_GO_PCR_MAX, v->size};
            atls_writer_bytes(w, value);
        }
    }
}

atls_code atls_go_pcrs(const atls_go_quote *quote, uint8_t out[ATLS_GO_PCRS_MAX], size_t *out_len,
                       atls_err *err)
{
    pcr_values v = {atls_go_pcr_len(quote->bank), {0}, {0}};
    ATLS_TRY(read_pcrs(&v, quote->pcrs, err));
    atls_writer w = atls_writer_of(out, ATLS_GO_PCRS_MAX);
    put_pcrs(&w, &v);
    if (w.len == 0) {
        return wrong_pcrs("of which none is there", err);
    }
    *out_len = w.len;
    return ATLS_OK;
}
