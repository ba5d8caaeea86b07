/* That no extension stands twice is a rule of X.509, which atls_cert_parse keeps. */
#include "trust/amd_leaf.h"

#include <string.h>

#include "base/err.h"
#include "base/reader.h"

#define ARC            "1.3.6.1.4.1.3704.1."
#define DER_INTEGER    0x02
#define DER_OCTETS     0x04
#define DER_IA5STRING  0x16
#define SHORT_MAX      0x7f
#define HW_ID_LEN      64
#define HW_ID_LEN_FMC  8
#define HW_ID_WITH_DER 66
#define NOWHERE        8 /* no byte of the TCB version */

static atls_code wrong(const char *oid, const char *how, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "snp.leaf.extensions", "extension %s of the leaf %s", oid,
                    how);
}

static bool find(const atls_cert *cert, const char *oid, atls_buf *value)
{
    return atls_cert_extension(cert, oid, value, NULL) == 1;
}

/* A DER INTEGER of 0 to 255 in as few bytes as can be, and nothing behind it. */
static bool small_integer(atls_buf der, uint8_t *out)
{
    atls_reader r = atls_reader_of(der);
    bool good = atls_reader_u8(&r) == DER_INTEGER;
    const uint8_t len = atls_reader_u8(&r);
    uint8_t value = atls_reader_u8(&r);
    if (len == 2) {
        good = good && value == 0; /* the sign's byte, which only values from 128 on need */
        value = atls_reader_u8(&r);
        good = good && value >= 0x80;
    } else {
        good = good && len == 1 && value < 0x80;
    }
    if (!good || !atls_reader_end(&r)) {
        return false;
    }
    *out = value;
    return true;
}

/* A DER IA5String of 1 to cap - 1 printable characters, and nothing behind it. */
static bool text(atls_buf der, char *out, size_t cap)
{
    atls_reader r = atls_reader_of(der);
    bool good = atls_reader_u8(&r) == DER_IA5STRING;
    const uint8_t len = atls_reader_u8(&r);
    const atls_buf content = atls_reader_view(&r, len);
    if (!good || len == 0 || len > SHORT_MAX || content.len >= cap || !atls_reader_end(&r)) {
        return false;
    }
    for (size_t i = 0; i < content.len; i++) {
        if (content.ptr[i] < 0x20 || content.ptr[i] > 0x7e) {
            return false;
        }
    }
    memcpy(out, content.ptr, content.len);
    out[content.len] = '\0';
    return true;
}

static atls_code read_product(const atls_cert *cert, atls_amd_leaf *leaf, atls_err *err)
{
    atls_buf value;
    char name[32];
    if (!find(cert, ARC "1", &value) || !small_integer(value, &leaf->struct_version)) {
        return wrong(ARC "1", "(structVersion) is not there, or no small number", err);
    }
    if (!find(cert, ARC "2", &value) || !text(value, name, sizeof name)) {
        return wrong(ARC "2", "(productName) is not there, or no text", err);
    }
    leaf->product = atls_amd_product_by_name(name);
    return leaf->product != ATLS_AMD_UNKNOWN
               ? ATLS_OK
               : wrong(ARC "2", "(productName) names no product that is known here", err);
}

/* Which byte of a TCB version each number is for. */
static atls_code read_tcb(const atls_cert *cert, atls_amd_leaf *leaf, atls_err *err)
{
    static const struct {
        const char *oid, *how;
        uint8_t at, at_with_fmc;
    } parts[] = {
        {ARC "3.1", "(blSPL) is not as it should be", 0, 1},
        {ARC "3.2", "(teeSPL) is not as it should be", 1, 2},
        {ARC "3.3", "(snpSPL) is not as it should be", 6, 3},
        {ARC "3.4", "(spl_4) is not as it should be", 2, NOWHERE},
        {ARC "3.5", "(spl_5) is not as it should be", 3, 4},
        {ARC "3.6", "(spl_6) is not as it should be", 4, 5},
        {ARC "3.7", "(spl_7) is not as it should be", 5, 6},
        {ARC "3.8", "(ucodeSPL) is not as it should be", 7, 7},
        {ARC "3.9", "(fmcSPL) is not as it should be", NOWHERE, 0},
    };
    const bool with_fmc = leaf->product == ATLS_AMD_TURIN;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const uint8_t at = with_fmc ? parts[i].at_with_fmc : parts[i].at;
        atls_buf value = {NULL, 0};
        const bool there = find(cert, parts[i].oid, &value);
        if (at == NOWHERE ? there : !there || !small_integer(value, &leaf->tcb[at])) {
            return wrong(parts[i].oid, parts[i].how, err);
        }
    }
    return ATLS_OK;
}

static bool take_hw_id(atls_buf value, atls_amd_leaf *leaf)
{
    const size_t wanted = leaf->product == ATLS_AMD_TURIN ? HW_ID_LEN_FMC : HW_ID_LEN;
    if (value.len == HW_ID_WITH_DER && wanted == HW_ID_LEN && value.ptr[0] == DER_OCTETS &&
        value.ptr[1] == HW_ID_LEN) {
        value = (atls_buf){value.ptr + 2, HW_ID_LEN}; /* an OCTET STRING inside the OCTET STRING */
    }
    if (value.len != wanted) {
        return false;
    }
    memcpy(leaf->hw_id, value.ptr, wanted);
    leaf->hw_id_len = wanted;
    leaf->has_hw_id = true;
    return true;
}

/* A VCEK is of one chip, a VLEK of one provider. */
static atls_code read_owner(const atls_cert *cert, bool is_vlek, atls_amd_leaf *leaf, atls_err *err)
{
    atls_buf hw_id = {NULL, 0};
    atls_buf csp_id = {NULL, 0};
    const bool has_hw_id = find(cert, ARC "4", &hw_id);
    const bool has_csp_id = find(cert, ARC "5", &csp_id);
    if (has_hw_id == is_vlek || (has_hw_id && !take_hw_id(hw_id, leaf))) {
        return wrong(ARC "4", "(hwID) is not what a certificate of its kind and product has", err);
    }
    if (has_csp_id != is_vlek || (has_csp_id && !text(csp_id, leaf->csp_id, sizeof leaf->csp_id))) {
        return wrong(ARC "5", "(cspID) is not what a certificate of its kind has", err);
    }
    return ATLS_OK;
}

atls_code atls_amd_leaf_read(const atls_cert *cert, bool is_vlek, atls_amd_leaf *out, atls_err *err)
{
    atls_amd_leaf leaf = {0};
    ATLS_TRY(read_product(cert, &leaf, err));
    ATLS_TRY(read_tcb(cert, &leaf, err));
    ATLS_TRY(read_owner(cert, is_vlek, &leaf, err));
    *out = leaf;
    return ATLS_OK;
}
