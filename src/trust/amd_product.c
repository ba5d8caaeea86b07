#include "trust/amd_product.h"

#include <string.h>

static const char *const names[] = {
    [ATLS_AMD_UNKNOWN] = "unknown", [ATLS_AMD_MILAN] = "Milan",   [ATLS_AMD_GENOA] = "Genoa",
    [ATLS_AMD_TURIN] = "Turin",     [ATLS_AMD_VENICE] = "Venice",
};

const char *atls_amd_product_name(atls_amd_product product)
{
    return names[product];
}

atls_amd_product atls_amd_product_by_name(const char *name)
{
    const size_t len = strcspn(name, "-");
    for (unsigned i = ATLS_AMD_MILAN; i <= ATLS_AMD_TURIN; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            return (atls_amd_product)i;
        }
    }
    return ATLS_AMD_UNKNOWN;
}

atls_amd_product atls_amd_product_by_cpuid(uint8_t family, uint8_t model)
{
    static const struct {
        uint8_t family, first, last;
        atls_amd_product product;
    } models[] = {
        {0x19, 0x00, 0x0f, ATLS_AMD_MILAN},  {0x19, 0x10, 0x1f, ATLS_AMD_GENOA},
        {0x19, 0xa0, 0xaf, ATLS_AMD_GENOA},  {0x1a, 0x00, 0x11, ATLS_AMD_TURIN},
        {0x1a, 0x50, 0x57, ATLS_AMD_VENICE}, {0x1a, 0x90, 0x9f, ATLS_AMD_VENICE},
        {0x1a, 0xa0, 0xaf, ATLS_AMD_VENICE}, {0x1a, 0xc0, 0xc7, ATLS_AMD_VENICE},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (models[i].family == family && models[i].first <= model && model <= models[i].last) {
            return models[i].product;
        }
    }
    return ATLS_AMD_UNKNOWN;
}

atls_snp_tcb atls_amd_tcb(const uint8_t raw[8], atls_amd_product product)
{
    atls_snp_tcb t = {.has_fmc = product == ATLS_AMD_TURIN || product == ATLS_AMD_VENICE,
                      .microcode = raw[7]};
    memcpy(t.raw, raw, sizeof t.raw);
    if (t.has_fmc) {
        t.fmc = raw[0];
        t.bootloader = raw[1];
        t.tee = raw[2];
        t.snp = raw[3];
    } else {
        t.bootloader = raw[0];
        t.tee = raw[1];
        t.snp = raw[6];
    }
    return t;
}

const char *atls_amd_tcb_above(const atls_snp_tcb *a, const atls_snp_tcb *b)
{
    return a->fmc > b->fmc                 ? "FMC"
           : a->bootloader > b->bootloader ? "boot loader"
           : a->tee > b->tee               ? "TEE"
           : a->snp > b->snp               ? "SNP"
           : a->microcode > b->microcode   ? "microcode"
                                           : NULL;
}
