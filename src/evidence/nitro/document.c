#include "evidence/nitro/document.h"

#include "base/err.h"
#include "codec/cbor_members.h"

#define TIMESTAMP_MAX 253402300799999u /* the end of the year 9999, in ms */

enum {
    MODULE_ID,
    DIGEST,
    TIMESTAMP,
    PCRS,
    TPM_PCRS,
    CERTIFICATE,
    CABUNDLE,
    PUBLIC_KEY,
    USER_DATA,
    NONCE,
    MEMBERS
};

static const atls_cbor_member members[MEMBERS] = {
    [MODULE_ID] = {"module_id", false, 0, ATLS_CBOR_TEXT, true, false, 1, ATLS_NITRO_MODULE_ID_MAX,
                   "nitro.module_id"},
    [DIGEST] = {"digest", false, 0, ATLS_CBOR_TEXT, true, false, 0, 64, "nitro.digest"},
    [TIMESTAMP] = {"timestamp", false, 0, ATLS_CBOR_UINT, true, false, 1, TIMESTAMP_MAX,
                   "nitro.timestamp"},
    [PCRS] = {"pcrs", false, 0, ATLS_CBOR_MAP, false, false, 1, ATLS_NITRO_PCRS, "nitro.pcrs"},
    [TPM_PCRS] = {"nitrotpm_pcrs", false, 0, ATLS_CBOR_MAP, false, false, 1, ATLS_NITRO_PCRS,
                  "nitro.pcrs"},
    [CERTIFICATE] = {"certificate", false, 0, ATLS_CBOR_BYTES, true, false, 1,
                     ATLS_NITRO_CERTIFICATE_MAX, "nitro.certificate"},
    [CABUNDLE] = {"cabundle", false, 0, ATLS_CBOR_ARRAY, true, false, 1, ATLS_NITRO_BUNDLE_MAX,
                  "nitro.cabundle"},
    [PUBLIC_KEY] = {"public_key", false, 0, ATLS_CBOR_BYTES, false, true, 1, ATLS_NITRO_FIELD_MAX,
                    "nitro.public_key"},
    /* AWS's rules say 512 for these two, its grammar 1024: documents of the second kind are genuine, too. */
    [USER_DATA] = {"user_data", false, 0, ATLS_CBOR_BYTES, false, true, 0, ATLS_NITRO_FIELD_MAX,
                   "nitro.user_data"},
    [NONCE] = {"nonce", false, 0, ATLS_CBOR_BYTES, false, true, 0, ATLS_NITRO_FIELD_MAX,
               "nitro.nonce"},
};

/* It is shown to people and compared: no control characters, and no NUL that would cut it short. */
static bool is_printable_ascii(atls_buf text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static atls_code read_pcrs(atls_buf encoded, atls_nitro_document *out, atls_err *err)
{
    atls_reader r = atls_reader_of(encoded);
    atls_cbor_item map = {0};
    bool ok = atls_cbor_any(&r, &map);
    for (uint64_t i = 0; ok && i < map.value; i++) {
        atls_cbor_item index;
        atls_cbor_item value;
        ok = atls_cbor_any(&r, &index) && atls_cbor_any(&r, &value);
        if (ok && (index.kind != ATLS_CBOR_UINT || index.value >= ATLS_NITRO_PCRS)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "nitro.pcrs", "a PCR that is not one of 0 to 31");
        }
        if (ok && (value.kind != ATLS_CBOR_BYTES || value.bytes.len != ATLS_NITRO_PCR_LEN)) {
            return ATLS_ERR(err, ATLS_E_INVALID, "nitro.pcrs",
                            "PCR %u is not the 48 bytes of a SHA-384", (unsigned)index.value);
        }
        if (ok) {
            out->pcr[index.value] = value.bytes.ptr;
            out->pcrs |= (uint32_t)1 << index.value;
        }
    }
    return ok ? ATLS_OK : ATLS_ERR(err, ATLS_E_INVALID, "nitro.pcrs", "the PCRs end too early");
}

static atls_code read_bundle(atls_buf encoded, atls_nitro_document *out, atls_err *err)
{
    atls_reader r = atls_reader_of(encoded);
    atls_cbor_item array = {0};
    bool ok = atls_cbor_any(&r, &array);
    for (uint64_t i = 0; ok && i < array.value && i < ATLS_NITRO_BUNDLE_MAX; i++) {
        atls_cbor_item item;
        ok = atls_cbor_any(&r, &item) && item.kind == ATLS_CBOR_BYTES && item.bytes.len > 0 &&
             item.bytes.len <= ATLS_NITRO_CERTIFICATE_MAX;
        if (ok) {
            out->bundle[out->bundle_n++] = item.bytes;
        }
    }
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_INVALID, "nitro.cabundle",
                         "a certificate that is not 1 to %d bytes", ATLS_NITRO_CERTIFICATE_MAX);
}

/* Whose document it is: of an enclave, or of an instance's TPM. */
static atls_code read_kind(const atls_cbor_found *found, atls_nitro_document *out, atls_err *err)
{
    if (found[PCRS].present == found[TPM_PCRS].present) {
        return ATLS_ERR(err, ATLS_E_INVALID, "nitro.kind",
                        "%s pcrs and nitrotpm_pcrs, where exactly one is wanted",
                        found[PCRS].present ? "both" : "neither");
    }
    out->is_tpm = found[TPM_PCRS].present;
    ATLS_TRY(read_pcrs(found[out->is_tpm ? TPM_PCRS : PCRS].encoded, out, err));
    if (!out->is_tpm && out->pcrs % 2 == 0) { /* by which a debug enclave is known */
        return ATLS_ERR(err, ATLS_E_INVALID, "nitro.pcr0", "an enclave without PCR 0");
    }
    return ATLS_OK;
}

atls_code atls_nitro_document_parse(atls_buf payload, atls_nitro_document *out, atls_err *err)
{
    atls_cbor_found found[MEMBERS];
    atls_nitro_document d = {0};
    size_t unknown = 0;
    if (payload.len > ATLS_NITRO_PAYLOAD_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "nitro.size",
                        "a payload of %zu bytes, where at most %d are allowed", payload.len,
                        ATLS_NITRO_PAYLOAD_MAX);
    }
    ATLS_TRY(atls_cbor_document_check(payload, "nitro.cbor", err));
    atls_reader r = atls_reader_of(payload);
    ATLS_TRY(atls_cbor_members(&r, members, MEMBERS, "nitro.cbor", found, &unknown, err));
    if (!is_printable_ascii(found[MODULE_ID].item.bytes)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "nitro.module_id",
                        "a module id with other than printable ASCII characters");
    }
    if (!atls_cbor_is_text(&found[DIGEST].item, "SHA384")) {
        return ATLS_ERR(err, ATLS_E_INVALID, "nitro.digest", "a digest that is not SHA384");
    }
    ATLS_TRY(read_kind(found, &d, err));
    ATLS_TRY(read_bundle(found[CABUNDLE].encoded, &d, err));
    d.module_id = found[MODULE_ID].item.bytes;
    d.timestamp_ms = found[TIMESTAMP].item.value;
    d.certificate = found[CERTIFICATE].item.bytes;
    d.has_public_key = found[PUBLIC_KEY].present;
    d.public_key = found[PUBLIC_KEY].item.bytes;
    d.has_user_data = found[USER_DATA].present;
    d.user_data = found[USER_DATA].item.bytes;
    d.has_nonce = found[NONCE].present;
    d.nonce = found[NONCE].item.bytes;
    *out = d;
    return ATLS_OK;
}

bool atls_nitro_document_looks(atls_buf bytes)
{
    atls_reader r = atls_reader_of(bytes);
    atls_cbor_item item;
    atls_buf skipped;
    if (!atls_cbor_any(&r, &item) || (item.kind == ATLS_CBOR_TAG && !atls_cbor_any(&r, &item)) ||
        item.kind != ATLS_CBOR_ARRAY || item.value != 4 || !atls_cbor_any(&r, &item) ||
        item.kind != ATLS_CBOR_BYTES || !atls_cbor_skip(&r, &skipped) ||
        !atls_cbor_any(&r, &item) || item.kind != ATLS_CBOR_BYTES) {
        return false;
    }
    r = atls_reader_of(item.bytes);
    if (!atls_cbor_any(&r, &item) || item.kind != ATLS_CBOR_MAP) {
        return false;
    }
    for (uint64_t i = 0; i < item.value && i < ATLS_CBOR_PAIRS_MAX; i++) {
        atls_cbor_item key;
        if (!atls_cbor_any(&r, &key)) {
            return false;
        }
        if (atls_cbor_is_text(&key, "module_id")) {
            return true;
        }
        if (!atls_cbor_skip(&r, &skipped)) {
            return false;
        }
    }
    return false;
}
