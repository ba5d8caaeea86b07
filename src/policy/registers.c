#include "policy/registers.h"

#include <string.h>

#define SGX_BYTES(field, owner)                                                                    \
    {                                                                                              \
#field, "policy.sgx." #field, owner, ATLS_REGISTER_BYTES,                                  \
            offsetof(atls_sgx_claims, field), sizeof(((atls_sgx_claims *)0)->field), false         \
    }
#define SGX_NUMBER(key, field, kind)                                                               \
    {                                                                                              \
        key, "policy.sgx." key, NULL, kind, offsetof(atls_sgx_claims, field), 2, false             \
    }
#define TDX_BYTES(field, owner, needs_1_5)                                                         \
    {                                                                                              \
#field, "policy.tdx." #field, owner, ATLS_REGISTER_BYTES,                                  \
            offsetof(atls_tdx_claims, field), sizeof(((atls_tdx_claims *)0)->field), needs_1_5     \
    }
#define TDX_RTMR(key, i)                                                                           \
    {                                                                                              \
        key, "policy.tdx." key, NULL, ATLS_REGISTER_BYTES, offsetof(atls_tdx_claims, rtmr[i]), 48, \
            false                                                                                  \
    }

static const atls_register sgx[] = {
    SGX_BYTES(mrenclave, NULL),
    SGX_BYTES(mrsigner, "policy.owner.mrsigner"),
    SGX_NUMBER("isvprodid", isvprodid, ATLS_REGISTER_EQUAL),
    SGX_NUMBER("isvsvn_min", isvsvn, ATLS_REGISTER_MIN),
    SGX_BYTES(configid, "policy.owner.configid"),
    SGX_NUMBER("configsvn_min", configsvn, ATLS_REGISTER_MIN),
    SGX_BYTES(isvextprodid, NULL),
    SGX_BYTES(isvfamilyid, NULL),
    SGX_BYTES(attributes, NULL),
};

static const atls_register tdx[] = {
    TDX_BYTES(mrtd, NULL, false),
    TDX_RTMR("rtmr0", 0),
    TDX_RTMR("rtmr1", 1),
    TDX_RTMR("rtmr2", 2),
    TDX_RTMR("rtmr3", 3),
    TDX_BYTES(mrseam, NULL, false),
    TDX_BYTES(mrsignerseam, NULL, false),
    TDX_BYTES(mrconfigid, "policy.owner.mrconfigid", false),
    TDX_BYTES(mrowner, "policy.owner.mrowner", false),
    TDX_BYTES(mrownerconfig, "policy.owner.mrownerconfig", false),
    TDX_BYTES(mrservicetd, NULL, true),
    TDX_BYTES(td_attributes, NULL, false),
    TDX_BYTES(xfam, NULL, false),
};

const atls_register *atls_registers(atls_tee tee, size_t *n)
{
    switch (tee) {
    case ATLS_TEE_SGX:
        *n = sizeof sgx / sizeof sgx[0];
        return sgx;
    case ATLS_TEE_TDX:
        *n = sizeof tdx / sizeof tdx[0];
        return tdx;
    default:
        *n = 0;
        return NULL;
    }
}

const atls_register *atls_register_by_key(atls_tee tee, const char *key)
{
    size_t n;
    const atls_register *table = atls_registers(tee, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].key, key) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static const uint8_t *field(const atls_register *reg, const atls_claims *claims)
{
    const uint8_t *base = claims->tee == ATLS_TEE_SGX ? (const uint8_t *)&claims->as.sgx
                                                      : (const uint8_t *)&claims->as.tdx;
    return base + reg->offset;
}

atls_buf atls_register_bytes(const atls_register *reg, const atls_claims *claims)
{
    if (reg->needs_1_5 && !claims->as.tdx.is_1_5) {
        return (atls_buf){NULL, 0};
    }
    return (atls_buf){field(reg, claims), reg->size};
}

uint16_t atls_register_number(const atls_register *reg, const atls_claims *claims)
{
    uint16_t n;
    memcpy(&n, field(reg, claims), sizeof n);
    return n;
}
