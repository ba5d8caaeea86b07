#include "policy/pins.h"

#include <string.h>

enum { PPID, PCK_SERIAL, INSTANCE_ID, CHIP_ID, AK, EK, NITRO_INSTANCE, GCP_INSTANCE, CCA_INSTANCE };

#define OF(tee) (UINT32_C(1) << (tee))
#define INTEL   (OF(ATLS_TEE_SGX) | OF(ATLS_TEE_TDX))

static const atls_pin pins[ATLS_PINS] = {
    [PPID] = {"ppid", "policy.platform.ppid", "PPID", ATLS_PIN_BYTES, 16, INTEL},
    [PCK_SERIAL] = {"pck_serial", "policy.platform.pck_serial", "PCK serial", ATLS_PIN_SERIAL, 20,
                    INTEL},
    [INSTANCE_ID] = {"instance_id", "policy.platform.instance_id", "instance id", ATLS_PIN_BYTES,
                     16, INTEL},
    [CHIP_ID] = {"chip_id", "policy.platform.chip_id", "chip id", ATLS_PIN_CHIP, 64,
                 OF(ATLS_TEE_SNP)},
    [AK] = {"ak", "policy.platform.ak", "AK (SHA-256)", ATLS_PIN_BYTES, 32, OF(ATLS_TEE_TPM)},
    [EK] = {"ek", "policy.platform.ek", "EK (SHA-256)", ATLS_PIN_BYTES, 32, OF(ATLS_TEE_TPM)},
    [NITRO_INSTANCE] = {"nitro_instance", "policy.platform.nitro_instance", "EC2 instance",
                        ATLS_PIN_TEXT, 0, OF(ATLS_TEE_NITRO) | OF(ATLS_TEE_NITROTPM)},
    [GCP_INSTANCE] = {"gcp_instance_id", "policy.platform.gcp_instance_id", "GCP instance",
                      ATLS_PIN_DECIMAL, 8, OF(ATLS_TEE_TPM)},
    [CCA_INSTANCE] = {"cca_instance_id", "policy.platform.cca_instance_id", "CCA instance",
                      ATLS_PIN_BYTES, 33, OF(ATLS_TEE_CCA)},
};

const atls_pin *atls_pin_at(size_t i)
{
    return &pins[i];
}

bool atls_pin_by_key(const char *key, size_t *i)
{
    for (size_t k = 0; k < ATLS_PINS; k++) {
        if (strcmp(pins[k].key, key) == 0) {
            *i = k;
            return true;
        }
    }
    return false;
}

bool atls_pin_is_of(const atls_pin *pin, atls_tee tee)
{
    uint32_t tees = OF(tee);
    if (tee == ATLS_TEE_AZURE) {
        tees = OF(ATLS_TEE_SNP) | OF(ATLS_TEE_TDX) | OF(ATLS_TEE_TPM);
    } else if (tee == ATLS_TEE_SNP_TPM) {
        tees = OF(ATLS_TEE_SNP) | OF(ATLS_TEE_TPM);
    }
    return (pin->tees & tees) != 0;
}

static atls_buf when(bool has, const uint8_t *bytes, size_t len)
{
    return has ? (atls_buf){bytes, len} : (atls_buf){NULL, 0};
}

/* "i-0123" of "i-0123-enc4567". */
static atls_buf instance_of(const char *module_id)
{
    const char *end = module_id != NULL ? strrchr(module_id, '-') : NULL;
    if (end == NULL || (strncmp(end, "-enc", 4) != 0 && strncmp(end, "-tpm", 4) != 0)) {
        return (atls_buf){NULL, 0};
    }
    return (atls_buf){(const uint8_t *)module_id, (size_t)(end - module_id)};
}

atls_buf atls_pin_value(size_t i, const atls_claims *claims)
{
    const atls_platform_claims *p = &claims->platform;
    const atls_tpm_claims *tpm = &claims->tpm;
    switch (i) {
    case PPID:
        return when(p->has_ppid, p->ppid, sizeof p->ppid);
    case PCK_SERIAL:
        return when(p->has_pck_serial, p->pck_serial, p->pck_serial_len);
    case INSTANCE_ID:
        return when(p->has_instance_id, p->instance_id, sizeof p->instance_id);
    case CHIP_ID:
        return when(p->has_chip_id && !claims->as.snp.chip_id_masked && !claims->as.snp.is_vlek,
                    claims->as.snp.chip_id, sizeof claims->as.snp.chip_id);
    case AK:
        return when(true, tpm->ak_spki_sha256, sizeof tpm->ak_spki_sha256);
    case EK:
        return when(tpm->has_ek, tpm->ek_spki_sha256, sizeof tpm->ek_spki_sha256);
    case NITRO_INSTANCE:
        return instance_of(claims->as.nitro.module_id);
    case GCP_INSTANCE:
        return when(true, tpm->gcp_instance_id, sizeof tpm->gcp_instance_id);
    default:
        return when(true, claims->as.cca.instance_id, sizeof claims->as.cca.instance_id);
    }
}
