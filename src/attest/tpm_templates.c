#include "attest/tpm_templates.h"

#define OF_THIS_TPM                                                                                \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN)
#define AK_ATTRIBUTES                                                                              \
    (OF_THIS_TPM | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED |          \
     TPMA_OBJECT_SIGN_ENCRYPT)
#define EK_ATTRIBUTES                                                                              \
    (OF_THIS_TPM | TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT)

/* PolicySecret(TPM_RH_ENDORSEMENT), in SHA-256: "policy A" of the profile, B.3. */
#define EK_POLICY_A                                                                                \
    {                                                                                              \
        .size = 32, .buffer = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,   \
                               0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,   \
                               0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa},        \
    }
/* That, or PolicyAuthorizeNV, in SHA-384: "policy B", B.6. */
#define EK_POLICY_B                                                                                \
    {                                                                                              \
        .size = 48,                                                                                \
        .buffer = {0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc,         \
                   0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,         \
                   0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09,         \
                   0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12},        \
    }
#define AES_CFB(bits)                                                                              \
    {                                                                                              \
        .algorithm = TPM2_ALG_AES, .keyBits.aes = (bits), .mode.aes = TPM2_ALG_CFB                 \
    }

const TPM2B_PUBLIC tpm_template_ak_ecc = {
    .publicArea =
        {
            .type = TPM2_ALG_ECC,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes = AK_ATTRIBUTES,
            .parameters.eccDetail =
                {
                    .symmetric.algorithm = TPM2_ALG_NULL,
                    .scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                    .curveID = TPM2_ECC_NIST_P256,
                    .kdf.scheme = TPM2_ALG_NULL,
                },
        },
};

const TPM2B_PUBLIC tpm_template_ak_rsa = {
    .publicArea =
        {
            .type = TPM2_ALG_RSA,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes = AK_ATTRIBUTES,
            .parameters.rsaDetail =
                {
                    .symmetric.algorithm = TPM2_ALG_NULL,
                    .scheme = {.scheme = TPM2_ALG_RSASSA,
                               .details.rsassa.hashAlg = TPM2_ALG_SHA256},
                    .keyBits = 2048,
                },
        },
};

const TPM2B_PUBLIC tpm_template_ek_rsa = {
    .publicArea =
        {
            .type = TPM2_ALG_RSA,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes = EK_ATTRIBUTES,
            .authPolicy = EK_POLICY_A,
            .parameters.rsaDetail = {.symmetric = AES_CFB(128),
                                     .scheme.scheme = TPM2_ALG_NULL,
                                     .keyBits = 2048},
            .unique.rsa.size = 256, /* zeros: part of the template */
        },
};

const TPM2B_PUBLIC tpm_template_ek_ecc = {
    .publicArea =
        {
            .type = TPM2_ALG_ECC,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes = EK_ATTRIBUTES,
            .authPolicy = EK_POLICY_A,
            .parameters.eccDetail = {.symmetric = AES_CFB(128),
                                     .scheme.scheme = TPM2_ALG_NULL,
                                     .curveID = TPM2_ECC_NIST_P256,
                                     .kdf.scheme = TPM2_ALG_NULL},
            .unique.ecc = {.x.size = 32, .y.size = 32},
        },
};

const TPM2B_PUBLIC tpm_template_ek_ecc384 = {
    .publicArea =
        {
            .type = TPM2_ALG_ECC,
            .nameAlg = TPM2_ALG_SHA384,
            .objectAttributes = EK_ATTRIBUTES | TPMA_OBJECT_USERWITHAUTH,
            .authPolicy = EK_POLICY_B,
            .parameters.eccDetail = {.symmetric = AES_CFB(256),
                                     .scheme.scheme = TPM2_ALG_NULL,
                                     .curveID = TPM2_ECC_NIST_P384,
                                     .kdf.scheme = TPM2_ALG_NULL},
        },
};
