#include "trust/vcek_item.h"

#include <string.h>

#define CHIP_ID_LEN  64
#define TURIN_ID_LEN 8

static bool is_zero(const uint8_t *p, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= p[i];
    }
    return any == 0;
}

bool atls_vcek_item_name(atls_amd_product product, atls_buf chip_id, atls_buf reported_tcb,
                         atls_item_name *out)
{
    atls_item_name name = {.kind = ATLS_ITEM_VCEK, .product = product};
    if (product < ATLS_AMD_MILAN || product > ATLS_AMD_TURIN || chip_id.len != CHIP_ID_LEN ||
        reported_tcb.len != sizeof name.tcb || is_zero(chip_id.ptr, chip_id.len)) {
        return false;
    }
    const bool is_short = is_zero(chip_id.ptr + TURIN_ID_LEN, CHIP_ID_LEN - TURIN_ID_LEN);
    if (is_short != (product == ATLS_AMD_TURIN)) {
        return false;
    }
    name.hwid_len = is_short ? TURIN_ID_LEN : CHIP_ID_LEN;
    memcpy(name.hwid, chip_id.ptr, name.hwid_len);
    memcpy(name.tcb, reported_tcb.ptr, sizeof name.tcb);
    *out = name;
    return true;
}
