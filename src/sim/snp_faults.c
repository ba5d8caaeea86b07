/* snp_faults.c: what can be wrong with simulated SNP evidence, and the check that has to notice. */
#include "sim/snp_plan.h"

#include <stddef.h>
#include <string.h>

#define HOUR 3600
#define DAY  86400
#define YEAR (365 * DAY)

static const snp_variant variants[] = {
    {"milan", SNP_MILAN, 3, false}, {"milan-v2", SNP_MILAN, 2, false},
    {"genoa", SNP_GENOA, 3, false}, {"turin", SNP_TURIN, 5, false},
    {"vlek", SNP_MILAN, 3, true},
};

const snp_variant *snp_variant_at(size_t i)
{
    return i < sizeof variants / sizeof variants[0] ? &variants[i] : NULL;
}

const snp_variant *snp_variant_named(const char *name)
{
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        if (name == NULL || strcmp(variants[i].name, name) == 0) {
            return &variants[i];
        }
    }
    return NULL;
}

/* Bytes between members are zero as well: plans are compared as bytes. */
void snp_plan_default(snp_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    snp_cert_plan *const certs[] = {&plan->leaf, &plan->ca};
    for (size_t i = 0; i < 2; i++) {
        certs[i]->from_s = -DAY;
        certs[i]->until_s = 10 * YEAR;
        certs[i]->certified = certs[i]->signer = -1;
    }
    plan->crl_from_s = -HOUR;
    plan->crl_until_s = 30 * DAY;
    plan->crl_signer = -1;
    plan->signed_at = plan->flipped_at = -1;
    plan->flipped_bits = 1;
}

#define NOTHING SIZE_MAX
#define NUMBER(field, value)                                                                       \
    {                                                                                              \
        offsetof(snp_plan, field), value, NULL                                                     \
    }
#define TEXT(field, value)                                                                         \
    {                                                                                              \
        offsetof(snp_plan, field), 0, value                                                        \
    }
#define NONE                                                                                       \
    {                                                                                              \
        NOTHING, 0, NULL                                                                           \
    }

/* One member of snp_plan. */
typedef struct effect {
    size_t at;
    int number;
    const char *text; /* NULL: it is a number */
} effect;

typedef struct fault_row {
    effect effects[3];
} fault_row;

/* clang-format off */
const atls_sim_world_fault snp_faults_told[] = {
    {"report.version_1", "a report of version 1", "", ATLS_E_INVALID, "snp.report.version"},
    {"report.version_6", "a report of a version that is not known", "", ATLS_E_INVALID, "snp.report.version"},
    {"report.algorithm", "another signature algorithm is named", "", ATLS_E_INVALID, "snp.report.algorithm"},
    {"report.signer_none", "the report says that nobody signed it", "", ATLS_E_INVALID, "snp.report.signer"},
    {"report.signer_reserved", "the signing key is a reserved number", "", ATLS_E_INVALID, "snp.report.signer"},
    {"report.signer_other", "the report names the VLEK, and its leaf is a VCEK", "milan milan-v2 genoa turin", ATLS_E_COLLATERAL, "snp.leaf.missing"},
    {"report.policy_bit_17", "the bit of the guest policy that is always set is not", "", ATLS_E_INVALID, "snp.report.policy"},
    {"report.vmpl_host", "the host asked for the report", "", ATLS_E_INVALID, "snp.report.vmpl"},
    {"report.vmpl_1", "a guest at VMPL 1 asked for the report", "", ATLS_OK, ""},
    {"report.debug", "the guest policy allows debugging", "", ATLS_E_POLICY, "policy.debug"},
    {"report.migration_agent", "the guest policy allows a migration agent", "", ATLS_E_POLICY, "policy.migration_agent"},
    {"report.reserved_signer", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.reserved_cpuid", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.reserved_current", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.reserved_committed", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.reserved_end", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.reserved_signer_bits", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.reserved_policy_bits", "a reserved byte that is signed is set", "", ATLS_OK, ""},
    {"report.longer", "a byte behind the report", "", ATLS_E_INVALID, "snp.report.size"},
    {"report.tail", "a byte behind the signature is not zero", "", ATLS_E_INVALID, "snp.report.tail"},
    {"report.r_high", "r has more than 48 bytes", "", ATLS_E_INVALID, "snp.report.tail"},
    {"report.s_high", "s has more than 48 bytes", "", ATLS_E_INVALID, "snp.report.tail"},
    {"report.r", "a bit of r is changed", "", ATLS_E_INVALID, "snp.report.signature"},
    {"report.s", "a bit of s is changed", "", ATLS_E_INVALID, "snp.report.signature"},
    {"report.signed", "a bit of the measurement is changed after signing", "", ATLS_E_INVALID, "snp.report.signature"},
    {"report.report_data", "a bit of the report data is changed after signing", "", ATLS_E_INVALID, "snp.report.signature"},
    {"report.zero_signature", "r and s are zero", "", ATLS_E_INVALID, "snp.report.signature"},
    {"report.other_key", "another chip's key signed the report", "", ATLS_E_INVALID, "snp.report.signature"},
    {"report.cpuid_other", "the CPUID is Genoa's", "milan vlek", ATLS_E_INVALID, "snp.product"},
    {"report.cpuid_unknown", "the CPUID is of no product that is known", "milan genoa turin vlek", ATLS_E_INVALID, "snp.product"},
    {"report.cpuid_venice", "the CPUID is Venice's", "turin", ATLS_E_INVALID, "snp.product"},
    {"report.chip_id_short", "a chip id of Turin's length in a report without CPUID", "milan-v2", ATLS_E_INVALID, "snp.product"},
    {"report.chip_id", "the id of another chip", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.chip_id"},
    {"report.chip_id_long", "a chip id longer than Turin's", "turin", ATLS_E_INVALID, "snp.chip_id"},
    {"report.masked_unsaid", "a chip id of zeros, and the report does not say that it is masked", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.chip_id.mask"},
    {"report.reported_tcb_byte_0", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_1", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_2", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_3", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_4", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_5", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_6", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.reported_tcb_byte_7", "REPORTED_TCB is not the certificate's", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"report.current_tcb", "CURRENT_TCB is below REPORTED_TCB", "", ATLS_E_INVALID, "snp.tcb.reported"},
    {"report.committed_tcb", "COMMITTED_TCB is above CURRENT_TCB", "", ATLS_E_INVALID, "snp.tcb.committed"},
    {"report.committed_version", "the committed firmware is above the current one", "", ATLS_E_INVALID, "snp.firmware.committed"},
    {"report.provisional", "the committed TCB is below the current one", "", ATLS_OK, ""},
    {"report.provisional_version", "the committed firmware is below the current one", "", ATLS_OK, ""},
    {"leaf.missing", "no leaf comes with the report", "", ATLS_E_COLLATERAL, "snp.leaf.missing"},
    {"leaf.garbage", "the leaf is no certificate", "", ATLS_E_INVALID, "snp.leaf.format"},
    {"leaf.name", "the leaf is named as one of the other kind", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.leaf.name"},
    {"leaf.name_vlek", "the leaf is named as one of the other kind", "vlek", ATLS_E_INVALID, "snp.leaf.name"},
    {"leaf.issuer", "the issuer is one of another product family", "", ATLS_E_INVALID, "snp.leaf.issuer"},
    {"leaf.issuer_kind", "a VCEK is issued by an ASVK", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.leaf.issuer"},
    {"leaf.is_ca", "the leaf is a CA", "", ATLS_E_INVALID, "snp.leaf.usage"},
    {"leaf.critical", "the leaf has an unknown critical extension", "", ATLS_E_INVALID, "snp.leaf.usage"},
    {"leaf.sha256", "the leaf is signed with SHA-256", "", ATLS_E_INVALID, "snp.leaf.algorithm"},
    {"leaf.pkcs1", "the leaf is signed with RSASSA-PKCS1-v1_5", "", ATLS_E_INVALID, "snp.leaf.algorithm"},
    {"leaf.key", "the leaf's key is on P-256", "", ATLS_E_INVALID, "snp.leaf.key"},
    {"leaf.signature", "the leaf's signature is broken", "", ATLS_E_INVALID, "snp.leaf.signature"},
    {"leaf.signer", "the leaf is signed by another CA", "", ATLS_E_INVALID, "snp.leaf.signature"},
    {"leaf.expired", "the leaf's validity is over", "", ATLS_E_COLLATERAL, "snp.leaf.time"},
    {"leaf.not_yet_valid", "the leaf's validity begins tomorrow", "", ATLS_E_COLLATERAL, "snp.leaf.time"},
    {"leaf.skew", "the leaf's validity begins in four minutes", "", ATLS_OK, ""},
    {"leaf.no_structVersion", "the leaf has no extension structVersion", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_productName", "the leaf has no extension productName", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_blSPL", "the leaf has no extension blSPL", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_teeSPL", "the leaf has no extension teeSPL", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_snpSPL", "the leaf has no extension snpSPL", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_spl_4", "the leaf has no extension spl_4", "milan genoa vlek", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_spl_5", "the leaf has no extension spl_5", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_spl_6", "the leaf has no extension spl_6", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_spl_7", "the leaf has no extension spl_7", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_ucodeSPL", "the leaf has no extension ucodeSPL", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_fmcSPL", "the leaf has no extension fmcSPL", "turin", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_hwID", "the leaf has no extension hwID", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.no_cspID", "the leaf has no extension cspID", "vlek", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.fmcSPL_added", "a leaf with fmcSPL of a product that has none", "milan genoa vlek", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.spl_4_added", "a leaf with spl_4 of a product that has none", "turin", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.hwID_added", "a VLEK with a hwID", "vlek", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.cspID_added", "a VCEK with a cspID", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.integer_negative", "a number of the leaf is negative", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.integer_padded", "a number of the leaf has a byte too many", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.integer_large", "a number of the leaf is above 255", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.integer_trailing", "a byte follows a number of the leaf", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.integer_tag", "a number of the leaf is no INTEGER", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.integer_empty", "a number of the leaf has no byte", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.struct_version", "structVersion is no number", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.twice", "an extension of the leaf stands twice", "", ATLS_E_INVALID, "snp.leaf.format"},
    {"leaf.product_unknown", "productName is of no product that is known", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.product_tag", "productName is no IA5String", "", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.product_other", "productName is not that of the chain", "milan milan-v2 vlek", ATLS_E_INVALID, "snp.leaf.product"},
    {"leaf.hwID_short", "hwID has a byte too few", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.hwID_long", "hwID has a byte too many", "milan genoa", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.hwID_wrapped", "hwID is an OCTET STRING inside the OCTET STRING, as older tools wrote it", "milan milan-v2 genoa", ATLS_OK, ""},
    {"leaf.hwID_wrapped_short", "likewise, where no tool wrote it so", "turin", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.hwID_other", "hwID is that of another chip", "milan genoa", ATLS_E_INVALID, "snp.chip_id"},
    {"leaf.csp_tag", "cspID is no IA5String", "vlek", ATLS_E_INVALID, "snp.leaf.extensions"},
    {"leaf.tcb", "the certificate is of another TCB", "", ATLS_E_INVALID, "snp.leaf.tcb"},
    {"ca.missing", "the ASK or ASVK does not come with the report", "", ATLS_E_COLLATERAL, "snp.ca.missing"},
    {"ca.garbage", "the ASK or ASVK is no certificate", "", ATLS_E_COLLATERAL, "snp.ca.missing"},
    {"ca.name", "the ASK or ASVK is not the leaf's issuer", "", ATLS_E_COLLATERAL, "snp.ca.missing"},
    {"ca.issuer", "the ASK or ASVK is issued by the root of another product", "milan milan-v2 turin vlek", ATLS_E_INVALID, "snp.ca.issuer"},
    {"ca.issuer_unknown", "the ASK or ASVK is issued by a root that is not AMD's", "", ATLS_E_INVALID, "snp.ca.issuer"},
    {"ca.not_ca", "the ASK or ASVK is no CA", "", ATLS_E_INVALID, "snp.ca.usage"},
    {"ca.critical", "the ASK or ASVK has an unknown critical extension", "", ATLS_E_INVALID, "snp.ca.usage"},
    {"ca.sha256", "the ASK or ASVK is signed with SHA-256", "", ATLS_E_INVALID, "snp.ca.algorithm"},
    {"ca.pkcs1", "the ASK or ASVK is signed with RSASSA-PKCS1-v1_5", "", ATLS_E_INVALID, "snp.ca.algorithm"},
    {"ca.signature", "the signature of the ASK or ASVK is broken", "", ATLS_E_INVALID, "snp.ca.signature"},
    {"ca.signer", "the ASK or ASVK is not signed by the root", "", ATLS_E_INVALID, "snp.ca.signature"},
    {"ca.key", "the key of the ASK or ASVK is on P-256", "", ATLS_E_INVALID, "snp.ca.key"},
    {"ca.expired", "the validity of the ASK or ASVK is over", "", ATLS_E_COLLATERAL, "snp.ca.time"},
    {"ca.not_yet_valid", "the validity of the ASK or ASVK begins tomorrow", "", ATLS_E_COLLATERAL, "snp.ca.time"},
    {"crl.missing", "no revocation list comes with the report", "", ATLS_E_COLLATERAL, "policy.crl"},
    {"crl.garbage", "the revocation list is none", "", ATLS_E_INVALID, "snp.crl.format"},
    {"crl.partial", "the revocation list is a partial one", "", ATLS_E_INVALID, "snp.crl.format"},
    {"crl.endless", "the revocation list has no next update", "", ATLS_E_INVALID, "snp.crl.format"},
    {"crl.issuer", "the revocation list is that of another root", "", ATLS_E_INVALID, "snp.crl.issuer"},
    {"crl.signer", "the revocation list is not signed by the root", "", ATLS_E_INVALID, "snp.crl.signature"},
    {"crl.sha256", "the revocation list is signed with SHA-256", "", ATLS_E_INVALID, "snp.crl.signature"},
    {"crl.stale", "the revocation list is out of date", "", ATLS_E_COLLATERAL, "snp.crl.time"},
    {"crl.not_yet_valid", "the revocation list is of tomorrow", "", ATLS_E_COLLATERAL, "snp.crl.time"},
    {"crl.revokes", "the ASK or ASVK is revoked", "", ATLS_E_INVALID, "snp.ca.crl"},
    {"crl.stale_revokes", "the ASK or ASVK is revoked by a list that is out of date", "", ATLS_E_INVALID, "snp.ca.crl"},
    {"table.no_end", "the certificate table's header does not end", "", ATLS_E_INVALID, "snp.table.header"},
    {"table.many", "the certificate table has 33 entries", "", ATLS_E_INVALID, "snp.table.header"},
    {"table.large", "the certificate table has more than 64 KiB", "", ATLS_E_INVALID, "snp.table.size"},
    {"table.twice", "two entries of the table have one GUID", "", ATLS_E_INVALID, "snp.table.twice"},
    {"table.twice_unknown", "likewise, one that is not known", "", ATLS_E_INVALID, "snp.table.twice"},
    {"table.into_header", "an entry of the table points into its header", "", ATLS_E_INVALID, "snp.table.entry"},
    {"table.behind_end", "an entry of the table points behind its end", "", ATLS_E_INVALID, "snp.table.entry"},
    {"table.wraps", "offset and length of an entry give more than 32 bits", "", ATLS_E_INVALID, "snp.table.entry"},
    {"table.cert_large", "a certificate of the table has more than 8 KiB", "milan milan-v2 genoa turin", ATLS_E_INVALID, "snp.table.entry"},
    {"table.padded", "the table is padded to whole pages", "", ATLS_OK, ""},
    {"table.pem", "leaf and ASK stand in the table as PEM", "", ATLS_OK, ""},
};
const size_t snp_faults_n = sizeof snp_faults_told / sizeof snp_faults_told[0];

/* In the order of the table above. */
static const fault_row rows[] = {
    {{NUMBER(signed_at, 0x0), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.version_1 */
    {{NUMBER(signed_at, 0x0), NUMBER(signed_n, 1), NUMBER(signed_value, 6)}}, /* report.version_6 */
    {{NUMBER(signed_at, 0x34), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.algorithm */
    {{NUMBER(signed_at, 0x48), NUMBER(signed_n, 1), NUMBER(signed_value, 0x1d)}}, /* report.signer_none */
    {{NUMBER(signed_at, 0x48), NUMBER(signed_n, 1), NUMBER(signed_value, 9)}}, /* report.signer_reserved */
    {{NUMBER(signed_at, 0x48), NUMBER(signed_n, 1), NUMBER(signed_value, 5)}}, /* report.signer_other */
    {{NUMBER(signed_at, 0xa), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.policy_bit_17 */
    {{NUMBER(signed_at, 0x30), NUMBER(signed_n, 4), NUMBER(signed_value, 0xff)}}, /* report.vmpl_host */
    {{NUMBER(signed_at, 0x30), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.vmpl_1 */
    {{NUMBER(signed_at, 0xa), NUMBER(signed_n, 1), NUMBER(signed_value, 0x0b)}}, /* report.debug */
    {{NUMBER(signed_at, 0xa), NUMBER(signed_n, 1), NUMBER(signed_value, 0x07)}}, /* report.migration_agent */
    {{NUMBER(signed_at, 0x4c), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_signer */
    {{NUMBER(signed_at, 0x18c), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_cpuid */
    {{NUMBER(signed_at, 0x1eb), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_current */
    {{NUMBER(signed_at, 0x1ef), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_committed */
    {{NUMBER(signed_at, 0x210), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_end */
    {{NUMBER(signed_at, 0x4b), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_signer_bits */
    {{NUMBER(signed_at, 0xf), NUMBER(signed_n, 1), NUMBER(signed_value, 0x80)}}, /* report.reserved_policy_bits */
    {{NUMBER(longer, 1), NONE, NONE}}, /* report.longer */
    {{NUMBER(flipped_at, 0x400), NONE, NONE}}, /* report.tail */
    {{NUMBER(flipped_at, 0x2a0 + 48), NONE, NONE}}, /* report.r_high */
    {{NUMBER(flipped_at, 0x2e8 + 71), NONE, NONE}}, /* report.s_high */
    {{NUMBER(flipped_at, 0x2a0), NONE, NONE}}, /* report.r */
    {{NUMBER(flipped_at, 0x2e8 + 47), NONE, NONE}}, /* report.s */
    {{NUMBER(flipped_at, 0x90), NONE, NONE}}, /* report.signed */
    {{NUMBER(flipped_at, 0x50), NONE, NONE}}, /* report.report_data */
    {{NUMBER(zero_signature, 1), NONE, NONE}}, /* report.zero_signature */
    {{NUMBER(other_signer, 1), NONE, NONE}}, /* report.other_key */
    {{NUMBER(signed_at, 0x189), NUMBER(signed_n, 1), NUMBER(signed_value, 0x11)}}, /* report.cpuid_other */
    {{NUMBER(signed_at, 0x188), NUMBER(signed_n, 1), NUMBER(signed_value, 0x20)}}, /* report.cpuid_unknown */
    {{NUMBER(signed_at, 0x189), NUMBER(signed_n, 1), NUMBER(signed_value, 0x50)}}, /* report.cpuid_venice */
    {{NUMBER(signed_at, 0x1a8), NUMBER(signed_n, 56), NUMBER(signed_value, 0)}}, /* report.chip_id_short */
    {{NUMBER(signed_at, 0x1a1), NUMBER(signed_n, 1), NUMBER(signed_value, 0xee)}}, /* report.chip_id */
    {{NUMBER(signed_at, 0x1df), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.chip_id_long */
    {{NUMBER(masked, 2), NONE, NONE}}, /* report.masked_unsaid */
    {{NUMBER(signed_at, 0x180), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_0 */
    {{NUMBER(signed_at, 0x181), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_1 */
    {{NUMBER(signed_at, 0x182), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_2 */
    {{NUMBER(signed_at, 0x183), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_3 */
    {{NUMBER(signed_at, 0x184), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_4 */
    {{NUMBER(signed_at, 0x185), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_5 */
    {{NUMBER(signed_at, 0x186), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_6 */
    {{NUMBER(signed_at, 0x187), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.reported_tcb_byte_7 */
    {{NUMBER(signed_at, 0x3f), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.current_tcb */
    {{NUMBER(signed_at, 0x1e7), NUMBER(signed_n, 1), NUMBER(signed_value, 0xff)}}, /* report.committed_tcb */
    {{NUMBER(signed_at, 0x1ee), NUMBER(signed_n, 1), NUMBER(signed_value, 2)}}, /* report.committed_version */
    {{NUMBER(signed_at, 0x1e7), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.provisional */
    {{NUMBER(signed_at, 0x1ec), NUMBER(signed_n, 1), NUMBER(signed_value, 1)}}, /* report.provisional_version */
    {{NUMBER(no_leaf, 1), NONE, NONE}}, /* leaf.missing */
    {{NUMBER(leaf.garbage, 1), NONE, NONE}}, /* leaf.garbage */
    {{TEXT(leaf.cn, "SEV-VLEK"), NONE, NONE}}, /* leaf.name */
    {{TEXT(leaf.cn, "SEV-VCEK"), NONE, NONE}}, /* leaf.name_vlek */
    {{TEXT(leaf.issuer_cn, "SEV-Rome"), NONE, NONE}}, /* leaf.issuer */
    {{TEXT(leaf.issuer_cn, "SEV-VLEK-Milan"), NONE, NONE}}, /* leaf.issuer_kind */
    {{NUMBER(leaf.is_ca, 1), NONE, NONE}}, /* leaf.is_ca */
    {{NUMBER(leaf.unknown_critical, 1), NONE, NONE}}, /* leaf.critical */
    {{NUMBER(leaf.sha256, 1), NONE, NONE}}, /* leaf.sha256 */
    {{NUMBER(leaf.pkcs1, 1), NONE, NONE}}, /* leaf.pkcs1 */
    {{NUMBER(leaf.certified, SNP_P256), NONE, NONE}}, /* leaf.key */
    {{NUMBER(leaf.broken, 1), NONE, NONE}}, /* leaf.signature */
    {{NUMBER(leaf.signer, SNP_ARK), NONE, NONE}}, /* leaf.signer */
    {{NUMBER(leaf.until_s, -DAY / 2), NONE, NONE}}, /* leaf.expired */
    {{NUMBER(leaf.from_s, DAY), NONE, NONE}}, /* leaf.not_yet_valid */
    {{NUMBER(leaf.from_s, 240), NONE, NONE}}, /* leaf.skew */
    {{TEXT(extension, "1"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_structVersion */
    {{TEXT(extension, "2"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_productName */
    {{TEXT(extension, "3.1"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_blSPL */
    {{TEXT(extension, "3.2"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_teeSPL */
    {{TEXT(extension, "3.3"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_snpSPL */
    {{TEXT(extension, "3.4"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_spl_4 */
    {{TEXT(extension, "3.5"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_spl_5 */
    {{TEXT(extension, "3.6"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_spl_6 */
    {{TEXT(extension, "3.7"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_spl_7 */
    {{TEXT(extension, "3.8"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_ucodeSPL */
    {{TEXT(extension, "3.9"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_fmcSPL */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_hwID */
    {{TEXT(extension, "5"), NUMBER(extension_change, SNP_EXT_DROP), NONE}}, /* leaf.no_cspID */
    {{TEXT(extension, "3.9"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "020100")}}, /* leaf.fmcSPL_added */
    {{TEXT(extension, "3.4"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "020100")}}, /* leaf.spl_4_added */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")}}, /* leaf.hwID_added */
    {{TEXT(extension, "5"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "160161")}}, /* leaf.cspID_added */
    {{TEXT(extension, "3.8"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0201db")}}, /* leaf.integer_negative */
    {{TEXT(extension, "3.2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "02020000")}}, /* leaf.integer_padded */
    {{TEXT(extension, "3.2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "02020100")}}, /* leaf.integer_large */
    {{TEXT(extension, "3.2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "02010000")}}, /* leaf.integer_trailing */
    {{TEXT(extension, "3.2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0a0100")}}, /* leaf.integer_tag */
    {{TEXT(extension, "3.2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0200")}}, /* leaf.integer_empty */
    {{TEXT(extension, "1"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0101ff")}}, /* leaf.struct_version */
    {{TEXT(extension, "3.1"), NUMBER(extension_change, SNP_EXT_TWICE), NONE}}, /* leaf.twice */
    {{TEXT(extension, "2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "1604526f6d65")}}, /* leaf.product_unknown */
    {{TEXT(extension, "2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0c054d696c616e")}}, /* leaf.product_tag */
    {{TEXT(extension, "2"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "160547656e6f61")}}, /* leaf.product_other */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "04040404040404")}}, /* leaf.hwID_short */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404")}}, /* leaf.hwID_long */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_WRAP), NONE}}, /* leaf.hwID_wrapped */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_WRAP), NONE}}, /* leaf.hwID_wrapped_short */
    {{TEXT(extension, "4"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "05050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505")}}, /* leaf.hwID_other */
    {{TEXT(extension, "5"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "0c0161")}}, /* leaf.csp_tag */
    {{TEXT(extension, "3.8"), NUMBER(extension_change, SNP_EXT_SET), TEXT(extension_value, "020101")}}, /* leaf.tcb */
    {{NUMBER(no_ca, 1), NONE, NONE}}, /* ca.missing */
    {{NUMBER(ca.garbage, 1), NONE, NONE}}, /* ca.garbage */
    {{TEXT(ca.cn, "SEV-Rome"), NONE, NONE}}, /* ca.name */
    {{TEXT(ca.issuer_cn, "ARK-Genoa"), NONE, NONE}}, /* ca.issuer */
    {{TEXT(ca.issuer_cn, "Root"), NONE, NONE}}, /* ca.issuer_unknown */
    {{NUMBER(ca.not_ca, 1), NONE, NONE}}, /* ca.not_ca */
    {{NUMBER(ca.unknown_critical, 1), NONE, NONE}}, /* ca.critical */
    {{NUMBER(ca.sha256, 1), NONE, NONE}}, /* ca.sha256 */
    {{NUMBER(ca.pkcs1, 1), NONE, NONE}}, /* ca.pkcs1 */
    {{NUMBER(ca.broken, 1), NONE, NONE}}, /* ca.signature */
    {{NUMBER(ca.signer, SNP_ASK), NONE, NONE}}, /* ca.signer */
    {{NUMBER(ca.certified, SNP_P256), NUMBER(leaf.signer, SNP_P256), NONE}}, /* ca.key */
    {{NUMBER(ca.until_s, -DAY / 2), NONE, NONE}}, /* ca.expired */
    {{NUMBER(ca.from_s, DAY), NONE, NONE}}, /* ca.not_yet_valid */
    {{NUMBER(no_crl, 1), NONE, NONE}}, /* crl.missing */
    {{NUMBER(crl_garbage, 1), NONE, NONE}}, /* crl.garbage */
    {{NUMBER(crl_critical, 1), NONE, NONE}}, /* crl.partial */
    {{NUMBER(crl_endless, 1), NONE, NONE}}, /* crl.endless */
    {{TEXT(crl_issuer, "ARK-Rome"), NONE, NONE}}, /* crl.issuer */
    {{NUMBER(crl_signer, SNP_ASK), NONE, NONE}}, /* crl.signer */
    {{NUMBER(crl_sha256, 1), NONE, NONE}}, /* crl.sha256 */
    {{NUMBER(crl_until_s, -HOUR / 2), NONE, NONE}}, /* crl.stale */
    {{NUMBER(crl_from_s, DAY), NONE, NONE}}, /* crl.not_yet_valid */
    {{NUMBER(crl_revokes, 1), NONE, NONE}}, /* crl.revokes */
    {{NUMBER(crl_revokes, 1), NUMBER(crl_until_s, -HOUR / 2), NONE}}, /* crl.stale_revokes */
    {{NUMBER(table_change, SNP_TABLE_NO_END), NONE, NONE}}, /* table.no_end */
    {{NUMBER(table_change, SNP_TABLE_MANY), NONE, NONE}}, /* table.many */
    {{NUMBER(table_change, SNP_TABLE_LARGE), NONE, NONE}}, /* table.large */
    {{NUMBER(table_change, SNP_TABLE_TWICE), NONE, NONE}}, /* table.twice */
    {{NUMBER(table_change, SNP_TABLE_TWICE_UNKNOWN), NONE, NONE}}, /* table.twice_unknown */
    {{NUMBER(table_change, SNP_TABLE_INTO_HEADER), NONE, NONE}}, /* table.into_header */
    {{NUMBER(table_change, SNP_TABLE_BEHIND_END), NONE, NONE}}, /* table.behind_end */
    {{NUMBER(table_change, SNP_TABLE_WRAPS), NONE, NONE}}, /* table.wraps */
    {{NUMBER(table_change, SNP_TABLE_CERT_LARGE), NONE, NONE}}, /* table.cert_large */
    {{NUMBER(table_change, SNP_TABLE_PADDED), NONE, NONE}}, /* table.padded */
    {{NUMBER(table_change, SNP_TABLE_PEM), NONE, NONE}}, /* table.pem */
};
/* clang-format on */
_Static_assert(sizeof rows / sizeof rows[0] == sizeof snp_faults_told / sizeof snp_faults_told[0],
               "each fault has its row");

static void apply(const effect *e, snp_plan *plan)
{
    if (e->at == NOTHING) {
        return;
    }
    char *at = (char *)plan + e->at;
    if (e->text != NULL) {
        memcpy(at, &e->text, sizeof e->text);
    } else {
        memcpy(at, &e->number, sizeof e->number);
    }
}

void snp_fault_apply(const char *name, snp_plan *plan)
{
    for (size_t i = 0; i < snp_faults_n; i++) {
        if (strcmp(snp_faults_told[i].name, name) == 0) {
            for (size_t k = 0; k < 3; k++) {
                apply(&rows[i].effects[k], plan);
            }
        }
    }
}
