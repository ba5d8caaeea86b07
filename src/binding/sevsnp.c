/* A field is put to its place in the report only if it fits there, whatever the table of places says: that is what the proof
 * leans on. */
#include "binding/sevsnp.h"

#include "base/err.h"
#include "binding/protobuf.h"
#include "binding/sevsnp_places.h"

typedef struct reading {
    uint8_t report[ATLS_SEVSNP_REPORT_LEN];
    uint8_t seen[SEVSNP_FIELDS + 1]; /* 1: the field was there */
} reading;

/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code twice(uint32_t number, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.twice",
                    "field %u of an SNP message comes a second time", (unsigned)number);
}

/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code malformed(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.malformed",
                    "no message of an SNP report, attestation or certificate chain");
}

/*@ requires err == \null || \valid(err);
    assigns *err;
    ensures \result == ATLS_E_INVALID; */
static atls_code no_bytes(uint32_t number, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.field",
                    "field %u of an SNP attestation is no bytes", (unsigned)number);
}

/* Little-endian, in len bytes. */
/*@ requires \valid(report + (0 .. ATLS_SEVSNP_REPORT_LEN - 1));
    assigns report[0 .. ATLS_SEVSNP_REPORT_LEN - 1]; */
static bool put_number(uint8_t *report, size_t at, size_t len, uint64_t value)
{
    if (at > ATLS_SEVSNP_REPORT_LEN || len > ATLS_SEVSNP_REPORT_LEN - at) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, value, report[0 .. ATLS_SEVSNP_REPORT_LEN - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        report[at + i] = (uint8_t)(value % 256u);
        value /= 256u;
    }
    return value == 0;
}

/*@ requires \valid(report + (0 .. ATLS_SEVSNP_REPORT_LEN - 1)) && valid_buf(bytes);
    assigns report[0 .. ATLS_SEVSNP_REPORT_LEN - 1]; */
static bool put_bytes(uint8_t *report, size_t at, size_t len, atls_buf bytes)
{
    if (at > ATLS_SEVSNP_REPORT_LEN || len > ATLS_SEVSNP_REPORT_LEN - at || bytes.len != len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= len;
        loop assigns i, report[0 .. ATLS_SEVSNP_REPORT_LEN - 1];
        loop variant len - i; */
    for (size_t i = 0; i < len; i++) {
        report[at + i] = bytes.ptr[i];
    }
    return true;
}

/* EAX of CPUID(1): stepping 4 bits, model 4, family 4, 4 unused, extended model 4, extended family 8. */
/*@ requires \valid(report + (0 .. ATLS_SEVSNP_REPORT_LEN - 1));
    assigns report[0 .. ATLS_SEVSNP_REPORT_LEN - 1]; */
static bool put_cpuid(uint8_t *report, size_t at, uint64_t eax)
{
    if (at > ATLS_SEVSNP_REPORT_LEN - 3) {
        return false;
    }
    const uint64_t family = eax / 0x100u % 16u + eax / 0x100000u % 256u;
    report[at] = (uint8_t)(family % 256u);
    report[at + 1] = (uint8_t)(eax / 0x10000u % 16u * 16u + eax / 0x10u % 16u);
    report[at + 2] = (uint8_t)(eax % 16u);
    return eax <= 0x0fffffffu && eax / 0x1000u % 16u == 0 && family < 256;
}

/*@ requires \valid(report + (0 .. ATLS_SEVSNP_REPORT_LEN - 1)) && \valid_read(f) && valid_buf(f->bytes);
    requires f->number <= SEVSNP_FIELDS && \separated(f, report + (0 .. ATLS_SEVSNP_REPORT_LEN - 1));
    assigns report[0 .. ATLS_SEVSNP_REPORT_LEN - 1]; */
static bool put_field(uint8_t *report, const atls_protobuf_field *f)
{
    const atls_sevsnp_place *p = &atls_sevsnp_places[f->number];
    if (!p->number) {
        return f->kind == ATLS_PROTOBUF_BYTES && put_bytes(report, p->at, p->len, f->bytes);
    }
    if (f->kind != ATLS_PROTOBUF_VARINT) {
        return false;
    }
    return f->number == SEVSNP_CPUID ? put_cpuid(report, p->at, f->value)
                                     : put_number(report, p->at, p->len, f->value);
}

/* Unknown fields are passed over. */
/*@ requires \valid(q) && \valid_read(f) && valid_buf(f->bytes) && (err == \null || \valid(err));
    requires \separated(q, f) && \separated(q, err) && \separated(f, err);
    assigns *q, *err; */
static atls_code read_field(reading *q, const atls_protobuf_field *f, atls_err *err)
{
    if (f->number > SEVSNP_FIELDS) {
        return ATLS_OK;
    }
    if (q->seen[f->number] != 0) {
        return twice(f->number, err);
    }
    q->seen[f->number] = 1;
    return put_field(q->report, f)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.field",
                          "field %u of an SNP report does not fit into its place",
                          (unsigned)f->number);
}

/*@ requires \valid(q) && valid_buf(message) && (err == \null || \valid(err)) && \separated(q, err);
    assigns *q, *err; */
static atls_code read_fields(reading *q, atls_buf message, atls_err *err)
{
    atls_reader r = atls_reader_of(message);
    /*@ loop invariant valid_reader(&r);
        loop assigns r, *q, *err;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        ATLS_TRY(read_field(q, &f, err));
    }
    return ATLS_OK;
}

atls_code atls_sevsnp_report_parse(atls_buf message, uint8_t out[ATLS_SEVSNP_REPORT_LEN],
                                   atls_err *err)
{
    reading q = {{0}, {0}};
    ATLS_TRY(read_fields(&q, message, err));
    if (q.seen[SEVSNP_VERSION] == 0 || q.seen[SEVSNP_REPORT_DATA] == 0 ||
        q.seen[SEVSNP_MEASUREMENT] == 0 || q.seen[SEVSNP_SIGNATURE] == 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "sevsnp.missing",
                        "an SNP report without version, report data, measurement or signature");
    }
    /*@ loop invariant 0 <= i <= ATLS_SEVSNP_REPORT_LEN;
        loop assigns i, out[0 .. ATLS_SEVSNP_REPORT_LEN - 1];
        loop variant ATLS_SEVSNP_REPORT_LEN - i; */
    for (size_t i = 0; i < ATLS_SEVSNP_REPORT_LEN; i++) {
        out[i] = q.report[i];
    }
    return ATLS_OK;
}

/* --- attestations --- */

/* The field of that number, bytes; empty when it is not there. */
/*@ requires valid_buf(message) && \valid(out) && (err == \null || \valid(err)) && \separated(out, err);
    assigns *out, *err;
    ensures \result == ATLS_OK ==> valid_buf(*out) && part_of(*out, message.ptr); */
static atls_code take_bytes(atls_buf message, uint32_t number, atls_buf *out, atls_err *err)
{
    const atls_protobuf_search found = atls_protobuf_find(message, number, out);
    if (found == ATLS_PROTOBUF_TWICE) {
        return twice(number, err);
    }
    if (found == ATLS_PROTOBUF_NO_BYTES) {
        return no_bytes(number, err);
    }
    return found == ATLS_PROTOBUF_FOUND || found == ATLS_PROTOBUF_ABSENT ? ATLS_OK : malformed(err);
}

/*@ requires valid_buf(key);
    assigns \nothing; */
static bool is_crl_key(atls_buf key)
{
    static const char crl_key[SEVSNP_CRL_KEY_LEN + 1] = SEVSNP_CRL_KEY;
    if (key.len != SEVSNP_CRL_KEY_LEN) {
        return false;
    }
    /*@ loop invariant 0 <= i <= SEVSNP_CRL_KEY_LEN;
        loop assigns i;
        loop variant SEVSNP_CRL_KEY_LEN - i; */
    for (size_t i = 0; i < SEVSNP_CRL_KEY_LEN; i++) {
        if (key.ptr[i] != (uint8_t)crl_key[i]) {
            return false;
        }
    }
    return true;
}

/* An entry of the extras' map is a message of key and value. */
/*@ requires \valid_read(f) && valid_buf(f->bytes) && \valid(crl) && \valid(seen) && (err == \null || \valid(err));
    requires \separated(f, crl, seen, err) && valid_buf(*crl);
    assigns *crl, *seen, *err;
    ensures valid_buf(*crl); */
static atls_code take_extra(const atls_protobuf_field *f, atls_buf *crl, bool *seen, atls_err *err)
{
    atls_buf key = {NULL, 0};
    atls_buf value = {NULL, 0};
    if (f->kind != ATLS_PROTOBUF_BYTES) {
        return no_bytes(f->number, err);
    }
    ATLS_TRY(take_bytes(f->bytes, 1, &key, err));
    ATLS_TRY(take_bytes(f->bytes, 2, &value, err));
    if (!is_crl_key(key)) {
        return ATLS_OK;
    }
    if (*seen) {
        return twice(f->number, err);
    }
    *seen = true;
    *crl = value;
    return ATLS_OK;
}

/*@ requires valid_buf(chain) && \valid(crl) && (err == \null || \valid(err)) && \separated(crl, err) && valid_buf(*crl);
    assigns *crl, *err; */
static atls_code take_crl(atls_buf chain, atls_buf *crl, atls_err *err)
{
    bool seen = false;
    atls_reader r = atls_reader_of(chain);
    /*@ loop invariant valid_reader(&r) && valid_buf(*crl);
        loop assigns r, seen, *crl, *err;
        loop variant r.left; */
    while (r.left > 0) {
        atls_protobuf_field f;
        if (!atls_protobuf_next(&r, &f)) {
            return malformed(err);
        }
        if (f.number == SEVSNP_CHAIN_EXTRAS) {
            ATLS_TRY(take_extra(&f, crl, &seen, err));
        }
    }
    return ATLS_OK;
}

atls_code atls_sevsnp_parse(atls_buf message, atls_sevsnp *out, atls_err *err)
{
    atls_buf report = {NULL, 0};
    atls_buf chain = {NULL, 0};
    atls_buf vcek = {NULL, 0};
    atls_buf vlek = {NULL, 0};
    atls_buf ask = {NULL, 0};
    atls_buf ark = {NULL, 0};
    atls_buf crl = {NULL, 0};
    ATLS_TRY(take_bytes(message, 1, &report, err));
    ATLS_TRY(take_bytes(message, 2, &chain, err));
    ATLS_TRY(take_bytes(chain, 1, &vcek, err));
    ATLS_TRY(take_bytes(chain, 6, &vlek, err));
    ATLS_TRY(take_bytes(chain, 2, &ask, err));
    ATLS_TRY(take_bytes(chain, 3, &ark, err));
    ATLS_TRY(take_crl(chain, &crl, err));
    ATLS_TRY(atls_sevsnp_report_parse(report, out->report, err));
    out->vcek = vcek;
    out->vlek = vlek;
    out->ask = ask;
    out->ark = ark;
    out->crl = crl;
    return ATLS_OK;
}
