/* Messages of go-sev-guest, from a report and a revocation list. */
#include <stdlib.h>

#include "base/err.h"
#include "binding/protobuf.h"
#include "binding/sevsnp.h"
#include "binding/sevsnp_places.h"

static uint64_t get_number(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i > 0; i--) {
        value = value * 256 + at[i - 1];
    }
    return value;
}

/* EAX of CPUID(1): see sevsnp.c. */
static uint64_t get_cpuid(const uint8_t *at)
{
    const uint64_t extended = at[0] >= 15 ? at[0] - 15u : 0;
    const uint64_t family = at[0] >= 15 ? 15 : at[0];
    return extended * 0x100000 + at[1] / 16u * UINT64_C(0x10000) + family * 0x100 +
           at[1] % 16u * UINT64_C(0x10) + at[2] % 16u;
}

void atls_sevsnp_report_write(atls_writer *w, const uint8_t report[ATLS_SEVSNP_REPORT_LEN])
{
    const bool has_cpuid = get_number(report, 4) >= 3;
    for (uint32_t n = 1; n <= SEVSNP_FIELDS; n++) {
        const uint8_t *at = report + atls_sevsnp_places[n].at;
        if (n == SEVSNP_CPUID) {
            atls_protobuf_write_uint(w, n, has_cpuid ? get_cpuid(at) : 0);
        } else if (atls_sevsnp_places[n].number) {
            atls_protobuf_write_uint(w, n, get_number(at, atls_sevsnp_places[n].len));
        } else {
            atls_protobuf_write_bytes(w, n, (atls_buf){at, atls_sevsnp_places[n].len});
        }
    }
}

atls_code atls_sevsnp_crl_write(atls_writer *w, atls_buf crl, atls_err *err)
{
    if (crl.len == 0) {
        return ATLS_OK;
    }
    const size_t cap = crl.len + ATLS_SEVSNP_CRL_MORE;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer entry = atls_writer_of(space, cap);
    atls_protobuf_write_bytes(&entry, 1,
                              (atls_buf){(const uint8_t *)SEVSNP_CRL_KEY, SEVSNP_CRL_KEY_LEN});
    atls_protobuf_write_bytes(&entry, 2, crl);
    atls_protobuf_write_bytes(w, SEVSNP_CHAIN_EXTRAS, atls_writer_done(&entry));
    free(space);
    return ATLS_OK;
}
