/* The order of the fields is that of spec 1.1. */
#include "evidence/tpm/attest.h"

#include "base/err.h"

#define TPM_GENERATED_VALUE 0xff544347u
#define TPM_ST_ATTEST_QUOTE 0x8018u
#define NAME_MAX_LEN        68
#define DATA_MAX_LEN        66 /* TPM2B_DATA: a TPMT_HA */
#define DIGEST_MAX_LEN      64
#define PCRS                24

/* The bitmap of one bank: PCR i is bit i % 8 of byte i / 8. */
/*@ requires valid_reader(r) && \valid(pcrs) && \separated(r, pcrs);
    requires 0 < size <= 4;
    assigns *r, *pcrs;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static void read_bitmap(atls_reader *r, uint8_t size, uint32_t *pcrs)
{
    static const uint32_t place[ATLS_TPM_SELECT_MAX] = {1u, 0x100u, 0x10000u, 0x1000000u};
    uint32_t bits = 0;
    /*@ loop invariant 0 <= i <= size && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, bits, *r;
        loop variant size - i; */
    for (uint8_t i = 0; i < size; i++) {
        bits |= place[i] * atls_reader_u8(r);
    }
    *pcrs = bits;
}

/* TPML_PCR_SELECTION. */
/*@ requires valid_reader(r) && \valid(out) && (err == \null || \valid(err)) && \separated(r, out, err);
    assigns *r, *out, *err;
    ensures valid_reader(r) && forward{Pre, Post}(r);
    ensures out->bytes == \old(out->bytes); */
static atls_code read_selections(atls_reader *r, atls_tpm_attest *out, atls_err *err)
{
    const uint32_t count = atls_reader_u32be(r);
    if (count > ATLS_TPM_SELECTIONS_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.selection",
                        "a selection of %u banks, where at most %d are taken", (unsigned)count,
                        ATLS_TPM_SELECTIONS_MAX);
    }
    /*@ loop invariant 0 <= i <= count && valid_reader(r) && forward{Pre, Here}(r);
        loop assigns i, *r, out->selections[0 .. 15], *err;
        loop variant count - i; */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pcrs = 0;
        const uint16_t hash = atls_reader_u16be(r);
        const uint8_t size = atls_reader_u8(r);
        if (!atls_reader_ok(r)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.length",
                            "the attestation ends inside its selection");
        }
        if (size == 0 || size > ATLS_TPM_SELECT_MAX) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.selection",
                            "a bitmap of %u bytes, where 1 to %d are taken", (unsigned)size,
                            ATLS_TPM_SELECT_MAX);
        }
        read_bitmap(r, size, &pcrs);
        if (pcrs > 0xffffffu) {
            return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.selection",
                            "a PCR above %d is selected", PCRS - 1);
        }
        out->selections[i].hash = hash;
        out->selections[i].pcrs = pcrs;
    }
    out->selections_n = count;
    return ATLS_OK;
}

/* Magic and type: what is no quote has another form behind them. */
/*@ requires valid_reader(r) && (err == \null || \valid(err)) && \separated(r, err);
    assigns *r, *err;
    ensures valid_reader(r) && forward{Pre, Post}(r); */
static atls_code read_head(atls_reader *r, atls_err *err)
{
    const uint32_t magic = atls_reader_u32be(r);
    const uint16_t type = atls_reader_u16be(r);
    if (!atls_reader_ok(r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.length",
                        "the attestation ends inside its head");
    }
    if (magic != TPM_GENERATED_VALUE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.magic",
                        "magic 0x%08x, where 0xff544347 says that a TPM made it", (unsigned)magic);
    }
    if (type != TPM_ST_ATTEST_QUOTE) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.type",
                        "attestation of type 0x%04x, where 0x8018 is a quote", (unsigned)type);
    }
    return ATLS_OK;
}

/*@ requires \valid_read(a) && (err == \null || \valid(err)) && \separated(a, err);
    assigns *err; */
static atls_code check_sizes(const atls_tpm_attest *a, uint8_t safe, atls_err *err)
{
    if (a->qualified_signer.len > NAME_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.name",
                        "a signer's name of %zu bytes, where at most %d are taken",
                        a->qualified_signer.len, NAME_MAX_LEN);
    }
    if (a->qualifying_data.len > DATA_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.qualifying_data",
                        "qualifying data of %zu bytes, where at most %d are taken",
                        a->qualifying_data.len, DATA_MAX_LEN);
    }
    if (safe > 1) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.safe",
                        "the clock's \"safe\" is %u, where it is 0 or 1", (unsigned)safe);
    }
    if (a->pcr_digest.len > DIGEST_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.digest",
                        "a digest of %zu bytes, where at most %d are taken", a->pcr_digest.len,
                        DIGEST_MAX_LEN);
    }
    return ATLS_OK;
}

atls_code atls_tpm_attest_parse(atls_buf bytes, atls_tpm_attest *out, atls_err *err)
{
    if (bytes.len > ATLS_TPM_ATTEST_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.length",
                        "an attestation of %zu bytes, where at most %d are taken", bytes.len,
                        ATLS_TPM_ATTEST_MAX_LEN);
    }
    atls_tpm_attest a = {0};
    a.bytes = bytes;
    atls_reader r = atls_reader_of(bytes);
    ATLS_TRY(read_head(&r, err));
    a.qualified_signer = atls_reader_view(&r, atls_reader_u16be(&r));
    a.qualifying_data = atls_reader_view(&r, atls_reader_u16be(&r));
    a.clock_ms = atls_reader_u64be(&r);
    a.reset_count = atls_reader_u32be(&r);
    a.restart_count = atls_reader_u32be(&r);
    const uint8_t safe = atls_reader_u8(&r);
    a.firmware_version = atls_reader_u64be(&r);
    ATLS_TRY(read_selections(&r, &a, err));
    a.pcr_digest = atls_reader_view(&r, atls_reader_u16be(&r));
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "tpm.attest.length",
                        "an attestation of %zu bytes, which are not those of its fields",
                        bytes.len);
    }
    ATLS_TRY(check_sizes(&a, safe, err));
    a.safe = safe == 1;
    *out = a;
    return ATLS_OK;
}
