#include "trust/pck_item.h"

#include <string.h>

static bool take(atls_reader *r, uint8_t *to, size_t len)
{
    const atls_buf bytes = atls_reader_view(r, len);
    if (bytes.len != len) {
        return false;
    }
    memcpy(to, bytes.ptr, len);
    return true;
}

bool atls_pck_item_name(uint16_t certification_type, atls_buf certification_data, atls_buf qe_id,
                        atls_item_name *out)
{
    /* The PPID in front: plain, or encrypted with RSA-2048 or RSA-3072. */
    static const size_t ppid_len[] = {0, 16, 256, 384};
    atls_item_name name = {.kind = ATLS_ITEM_PCK_CERT};
    if (certification_type == 0 || certification_type >= sizeof ppid_len / sizeof ppid_len[0]) {
        return false;
    }
    atls_reader r = atls_reader_of(certification_data);
    atls_reader id = atls_reader_of(qe_id);
    (void)atls_reader_view(&r, ppid_len[certification_type]);
    if (!take(&id, name.qeid, sizeof name.qeid) || !atls_reader_end(&id) ||
        !take(&r, name.cpusvn, sizeof name.cpusvn) || !take(&r, name.pcesvn, sizeof name.pcesvn) ||
        !take(&r, name.pceid, sizeof name.pceid) || !atls_reader_end(&r)) {
        return false;
    }
    *out = name;
    return true;
}
