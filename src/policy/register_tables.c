/* The tables of registers, one a TEE. */
#include "policy/registers.h"

#define AT(where)   offsetof(atls_claims, where)
#define SIZE(where) sizeof(((atls_claims *)0)->where)

#define FIELD(key_, tee_, kind_, where, why_)                                                      \
    {                                                                                              \
        .key = key_, .id = "policy." tee_ "." key_, .kind = kind_, .offset = AT(where),            \
        .size = SIZE(where), .why = why_                                                           \
    }
#define OWNED(key_, tee_, where, why_)                                                             \
    {                                                                                              \
        .key = key_, .id = "policy." tee_ "." key_, .owner_id = "policy.owner." key_,              \
        .kind = ATLS_REGISTER_BYTES, .offset = AT(where), .size = SIZE(where), .why = why_         \
    }
#define PLACED(key_, tee_, kind_, place_, where, why_)                                             \
    {                                                                                              \
        .key = key_, .id = "policy." tee_ "." key_, .kind = kind_, .place = place_,                \
        .offset = AT(where), .size = SIZE(where), .why = why_                                      \
    }

#define SGX(key, kind, field, why) FIELD(key, "sgx", kind, as.sgx.field, why)
static const atls_register sgx[] = {
    SGX("mrenclave", ATLS_REGISTER_BYTES, mrenclave, "the exact enclave"),
    OWNED("mrsigner", "sgx", as.sgx.mrsigner, "key that signed the enclave"),
    SGX("isvprodid", ATLS_REGISTER_EQUAL, isvprodid, "the signer's number of the product"),
    SGX("isvsvn_min", ATLS_REGISTER_MIN, isvsvn, "the signer's security version"),
    OWNED("configid", "sgx", as.sgx.configid, "set at start: configuration or owner"),
    SGX("configsvn_min", ATLS_REGISTER_MIN, configsvn, "version of the configuration"),
    SGX("isvextprodid", ATLS_REGISTER_BYTES, isvextprodid, "product, long form"),
    SGX("isvfamilyid", ATLS_REGISTER_BYTES, isvfamilyid, "product family"),
    SGX("attributes", ATLS_REGISTER_BYTES, attributes, "flags and XFRM"),
};

#define TDX(key, field, why) FIELD(key, "tdx", ATLS_REGISTER_BYTES, as.tdx.field, why)
static const atls_register tdx[] = {
    TDX("mrtd", mrtd, "the initial TD: its firmware"),
    TDX("rtmr0", rtmr[0], "firmware configuration"),
    TDX("rtmr1", rtmr[1], "boot loader, kernel"),
    TDX("rtmr2", rtmr[2], "command line, initrd"),
    TDX("rtmr3", rtmr[3], "the application's events"),
    TDX("mrseam", mrseam, "the TDX module"),
    TDX("mrsignerseam", mrsignerseam, "signer of the TDX module; zero for Intel"),
    OWNED("mrconfigid", "tdx", as.tdx.mrconfigid, "set by the host at start"),
    OWNED("mrowner", "tdx", as.tdx.mrowner, "set by the host at start"),
    OWNED("mrownerconfig", "tdx", as.tdx.mrownerconfig, "set by the host at start"),
    PLACED("mrservicetd", "tdx", ATLS_REGISTER_BYTES, ATLS_PLACE_TD_1_5, as.tdx.mrservicetd,
           "bound service TDs"),
    TDX("td_attributes", td_attributes, "attributes of the TD"),
    TDX("xfam", xfam, "processor state that the TD may use"),
};

#define SNP(key, kind, field, why) FIELD(key, "snp", kind, as.snp.field, why)
static const atls_register snp[] = {
    SNP("measurement", ATLS_REGISTER_BYTES, measurement,
        "the guest at launch: firmware, and what it measures in"),
    OWNED("host_data", "snp", as.snp.host_data, "set by the host at launch"),
    OWNED("id_key_digest", "snp", as.snp.id_key_digest, "key that signed the ID block"),
    OWNED("author_key_digest", "snp", as.snp.author_key_digest, "key that signed the ID key"),
    SNP("family_id", ATLS_REGISTER_BYTES, family_id, "of the ID block"),
    SNP("image_id", ATLS_REGISTER_BYTES, image_id, "of the ID block"),
    SNP("report_id", ATLS_REGISTER_BYTES, report_id, "this very guest, until it ends"),
    SNP("guest_svn_min", ATLS_REGISTER_MIN, guest_svn, "security version in the ID block"),
    SNP("vmpl", ATLS_REGISTER_EQUAL, vmpl, "privilege level of whoever asked for the report"),
    SNP("vmpl_max", ATLS_REGISTER_MAX, vmpl, "privilege level, lower is more"),
    SNP("policy_set", ATLS_REGISTER_BITS_SET, policy, "what the owner asked of the host"),
    SNP("policy_clear", ATLS_REGISTER_BITS_CLEAR, policy, "what the owner lets the host do"),
    SNP("platform_info_set", ATLS_REGISTER_BITS_SET, platform_info, "settings of the machine"),
    SNP("platform_info_clear", ATLS_REGISTER_BITS_CLEAR, platform_info, "settings of the machine"),
    PLACED("launch_mit_vector_set", "snp", ATLS_REGISTER_BITS_SET, ATLS_PLACE_SNP_V5,
           as.snp.launch_mit_vector, "mitigations in force at launch"),
    PLACED("current_mit_vector_set", "snp", ATLS_REGISTER_BITS_SET, ATLS_PLACE_SNP_V5,
           as.snp.current_mit_vector, "mitigations in force now"),
    PLACED("product", "snp", ATLS_REGISTER_TEXT, ATLS_PLACE_ARRAY, as.snp.product,
           "generation of processor"),
};

#define PCRS(X)                                                                                    \
    X(0)                                                                                           \
    X(1)                                                                                           \
    X(2)                                                                                           \
    X(3)                                                                                           \
    X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)      \
        X(20) X(21) X(22) X(23)
#define TPM_PCR(group_, bank_, size_, i)                                                           \
    {.group = group_,                                                                              \
     .key = #i,                                                                                    \
     .id = "policy.tpm.pcr" #i,                                                                    \
     .kind = ATLS_REGISTER_BYTES,                                                                  \
     .place = ATLS_PLACE_PCR,                                                                      \
     .bank = bank_,                                                                                \
     .index = i,                                                                                   \
     .size = size_,                                                                                \
     .why = "PCR " #i},
#define SHA1_PCR(i)   TPM_PCR("sha1", ATLS_TPM_SHA1, 20, i)
#define SHA256_PCR(i) TPM_PCR("sha256", ATLS_TPM_SHA256, 32, i)
#define SHA384_PCR(i) TPM_PCR("sha384", ATLS_TPM_SHA384, 48, i)
#define SHA512_PCR(i) TPM_PCR("sha512", ATLS_TPM_SHA512, 64, i)

#define TPM(key, kind, field, why) FIELD(key, "tpm", kind, tpm.field, why)
static const atls_register tpm[] = {
    TPM("firmware_version_min", ATLS_REGISTER_MIN, firmware_version, "the TPM's own firmware"),
    TPM("reset_count", ATLS_REGISTER_EQUAL, reset_count, "starts of the machine so far"),
    TPM("restart_count", ATLS_REGISTER_EQUAL, restart_count, "restarts and resumes since"),
    TPM("safe", ATLS_REGISTER_TRUE, safe, "the TPM's clock was not set back by a power loss"),
    PLACED("ak_trust", "tpm", ATLS_REGISTER_TEXT, ATLS_PLACE_AK_TRUST, tpm.ak_trust,
           "why the key that signed is believed"),
    PCRS(SHA1_PCR) PCRS(SHA256_PCR) PCRS(SHA384_PCR) PCRS(SHA512_PCR)};

#define DOCUMENT_PCR(tee_, i)                                                                      \
    {.group = "pcrs",                                                                              \
     .key = #i,                                                                                    \
     .id = "policy." tee_ ".pcr" #i,                                                               \
     .kind = ATLS_REGISTER_DIGEST,                                                                 \
     .place = ATLS_PLACE_DOCUMENT,                                                                 \
     .index = i,                                                                                   \
     .size = 64,                                                                                   \
     .why = "PCR " #i},
#define OWNED_PCR(i, why_)                                                                         \
    {.group = "pcrs",                                                                              \
     .key = #i,                                                                                    \
     .id = "policy.nitro.pcr" #i,                                                                  \
     .owner_id = "policy.owner.pcr" #i,                                                            \
     .owner_key = "pcr" #i,                                                                        \
     .kind = ATLS_REGISTER_DIGEST,                                                                 \
     .place = ATLS_PLACE_DOCUMENT,                                                                 \
     .index = i,                                                                                   \
     .size = 64,                                                                                   \
     .why = why_},
#define NITRO_PCR(i)     DOCUMENT_PCR("nitro", i)
#define NITRO_TPM_PCR(i) DOCUMENT_PCR("nitrotpm", i)
static const atls_register nitro[] = {
    PLACED("module_id", "nitro", ATLS_REGISTER_TEXT, ATLS_PLACE_POINTER, as.nitro.module_id,
           "this very enclave, until it ends"),
    NITRO_PCR(0) NITRO_PCR(1) NITRO_PCR(2) OWNED_PCR(3, "IAM role of the parent instance")
        OWNED_PCR(4, "id of the parent instance") NITRO_PCR(5) NITRO_PCR(6) NITRO_PCR(7)
            OWNED_PCR(8, "certificate that signed the image") NITRO_PCR(9) NITRO_PCR(10)
                NITRO_PCR(11) NITRO_PCR(12) NITRO_PCR(13) NITRO_PCR(14) NITRO_PCR(15) NITRO_PCR(16)
                    NITRO_PCR(17) NITRO_PCR(18) NITRO_PCR(19) NITRO_PCR(20) NITRO_PCR(21)
                        NITRO_PCR(22) NITRO_PCR(23) NITRO_PCR(24) NITRO_PCR(25) NITRO_PCR(26)
                            NITRO_PCR(27) NITRO_PCR(28) NITRO_PCR(29) NITRO_PCR(30) NITRO_PCR(31)};
static const atls_register nitrotpm[] = {PCRS(NITRO_TPM_PCR)};

#define REM(i)                                                                                     \
    {                                                                                              \
        .group = "realm_extensible_measurements", .key = #i, .id = "policy.cca.rem" #i,            \
        .kind = ATLS_REGISTER_DIGEST, .place = ATLS_PLACE_REM, .index = i, .size = 64,             \
        .why = "extended by the realm, number " #i                                                 \
    }
static const atls_register cca[] = {
    PLACED("realm_initial_measurement", "cca", ATLS_REGISTER_DIGEST, ATLS_PLACE_RIM, as.cca.rim,
           "the realm at launch"),
    REM(0),
    REM(1),
    REM(2),
    REM(3),
    OWNED("realm_personalization", "cca", as.cca.personalization, "set by the host at launch"),
    FIELD("implementation_id", "cca", ATLS_REGISTER_BYTES, as.cca.implementation_id,
          "kind of platform"),
    FIELD("lifecycle", "cca", ATLS_REGISTER_EQUAL, as.cca.lifecycle,
          "security life cycle of the platform"),
    FIELD("components", "cca", ATLS_REGISTER_COMPONENTS, as.cca.components,
          "the platform's software"),
};

#define JWT(key, kind, place, field, why) PLACED(key, "jwt", kind, place, as.token.field, why)
static const atls_register jwt[] = {
    JWT("issuer", ATLS_REGISTER_TEXT, ATLS_PLACE_POINTER, issuer, "who says it"),
    JWT("audience", ATLS_REGISTER_TEXT, ATLS_PLACE_AUDIENCES, audiences, "to whom it was said"),
    JWT("kind", ATLS_REGISTER_TEXT, ATLS_PLACE_TOKEN_KIND, kind, "profile of the token"),
    JWT("attested_tee", ATLS_REGISTER_TEXT, ATLS_PLACE_ATTESTED, attested_tee,
        "what the issuer says that it is"),
    JWT("status", ATLS_REGISTER_TEXT, ATLS_PLACE_POINTER, status, "the issuer's verdict"),
    JWT("tcb_status", ATLS_REGISTER_TEXT, ATLS_PLACE_POINTER, tcb_status,
        "patch level, in the issuer's words"),
    FIELD("measurements", "jwt", ATLS_REGISTER_NAMED, as.token.measurements, "what the issuer saw"),
    FIELD("claims", "jwt", ATLS_REGISTER_CLAIMS, as.token.all, "claims by JSON pointer"),
};

static const atls_register azure[] = {
    {.key = "vm_id",
     .id = "policy.azure.vm_id",
     .owner_id = "policy.owner.vm_id",
     .kind = ATLS_REGISTER_TEXT,
     .place = ATLS_PLACE_ARRAY,
     .offset = AT(tpm.vm_id),
     .size = SIZE(tpm.vm_id),
     .why = "the virtual machine, as Azure's host told its paravisor"},
};

const atls_register *atls_registers(atls_tee tee, size_t *n)
{
#define TABLE(name)                                                                                \
    {                                                                                              \
        name, sizeof name / sizeof name[0]                                                         \
    }
    static const struct {
        const atls_register *table;
        size_t n;
    } tables[ATLS_TEES] = {
        [ATLS_TEE_SGX] = TABLE(sgx),           [ATLS_TEE_TDX] = TABLE(tdx),
        [ATLS_TEE_SNP] = TABLE(snp),           [ATLS_TEE_TPM] = TABLE(tpm),
        [ATLS_TEE_NITRO] = TABLE(nitro),       [ATLS_TEE_CCA] = TABLE(cca),
        [ATLS_TEE_TOKEN] = TABLE(jwt),         [ATLS_TEE_AZURE] = TABLE(azure),
        [ATLS_TEE_NITROTPM] = TABLE(nitrotpm),
    };
    if (tee < ATLS_TEE_NONE || tee >= ATLS_TEES) {
        *n = 0;
        return NULL;
    }
    *n = tables[tee].n;
    return tables[tee].table;
}
