#include "sim/faults.h"

#include <stddef.h>
#include <string.h>

#include <atls/sim.h>

#include "base/err.h"
#include "sim/level.h"

/* Ways to name the one value that a fault changes. */
#define PLATFORM(field, value)                                                                     \
    .scope = SIM_OF_PLATFORM, .at = offsetof(sim_plan, field), .number = (value)
#define PLATFORM_TEXT(field, value)                                                                \
    .scope = SIM_OF_PLATFORM, .at = offsetof(sim_plan, field), .text = (value)
#define QUOTE(field, value)                                                                        \
    .scope = SIM_OF_QUOTE, .at = offsetof(sim_quote_plan, field), .number = (value)
#define SET(of, offset, value)                                                                     \
    .scope = SIM_OF_BYTE, .part = (of), .at = (offset), .how = SIM_SET, .number = (value)
#define FLIP(of, offset, bits)                                                                     \
    .scope = SIM_OF_BYTE, .part = (of), .at = (offset), .how = SIM_FLIP, .number = (bits)

#define OK      ATLS_OK
#define LATE    ATLS_E_COLLATERAL /* missing, or out of its time */
#define INVALID ATLS_E_INVALID
#define POLICY  ATLS_E_POLICY

/* clang-format off: a table reads as a table. */

/* What can be wrong with each certificate; field: its plan, text: what it is. */
#define CERTIFICATE(name, field, text)                                                             \
    {name ".expired", SIM_IN_ALL, LATE, PLATFORM(field.until_s, -SIM_MINUTE),                      \
     .what = text " ended a minute before"},                                                       \
        {name ".not_yet_valid", SIM_IN_ALL, LATE, PLATFORM(field.from_s, SIM_DAY),                 \
         .what = text " is valid from the next day on"},                                           \
        {name ".signature", SIM_IN_ALL, INVALID, PLATFORM(field.signer, SIM_STRANGER),             \
         .what = text " is signed by a stranger's key"},                                           \
        {name ".issuer", SIM_IN_ALL, INVALID,                                                      \
         PLATFORM_TEXT(field.issuer_cn, "Simulated SGX Other CA"),                                 \
         .what = text " names another issuer than the one that signed it"},                        \
        {name ".name", SIM_IN_ALL, INVALID, PLATFORM_TEXT(field.cn, "Simulated thing"),            \
         .what = text " has a common name without its role"},                                      \
        {name ".no_aki", SIM_IN_ALL, INVALID, PLATFORM(field.without, SIM_NO_AKI),                 \
         .what = text " lacks AuthorityKeyIdentifier"},                                            \
        {name ".wrong_aki", SIM_IN_ALL, INVALID, PLATFORM(field.wrong_aki, 1),                     \
         .what = text " has an AuthorityKeyIdentifier of another key"},                            \
        {name ".no_ski", SIM_IN_ALL, INVALID, PLATFORM(field.without, SIM_NO_SKI),                 \
         .what = text " lacks SubjectKeyIdentifier"},                                              \
        {name ".no_key_usage", SIM_IN_ALL, INVALID, PLATFORM(field.without, SIM_NO_KEY_USAGE),     \
         .what = text " lacks KeyUsage"},                                                          \
        {name ".key_usage", SIM_IN_ALL, INVALID, PLATFORM(field.key_usage, 0),                     \
         .what = text " has a KeyUsage that allows nothing"},                                      \
        {name ".no_basic_constraints", SIM_IN_ALL, INVALID,                                        \
         PLATFORM(field.without, SIM_NO_BASIC_CONSTRAINTS),                                        \
         .what = text " lacks BasicConstraints"},                                                  \
        {name ".no_crl_dp", SIM_IN_ALL, INVALID, PLATFORM(field.without, SIM_NO_CRL_DP),           \
         .what = text " lacks CRLDistributionPoints"},                                             \
        {name ".critical", SIM_IN_ALL, INVALID, PLATFORM(field.unknown_critical, 1),               \
         .what = text " has a critical extension that nobody knows"},                              \
        {name ".curve", SIM_IN_ALL, INVALID, PLATFORM(field.is_p384, 1),                           \
         .what = text " has a key on P-384"},                                                      \
    {                                                                                              \
        name ".hash", SIM_IN_ALL, INVALID, PLATFORM(field.sha384, 1),                              \
            .what = text " is signed with ecdsa-with-SHA384"                                       \
    }

#define CRL(name, field, text)                                                                     \
    {name ".expired", SIM_IN_ALL, LATE, PLATFORM(field.until_s, -SIM_MINUTE),                      \
     .what = text " was due a minute before"},                                                     \
        {name ".future", SIM_IN_ALL, LATE, PLATFORM(field.from_s, SIM_DAY),                        \
         .what = text " is issued on the next day"},                                               \
        {name ".missing", SIM_IN_ALL, LATE, PLATFORM(field.missing, 1),                            \
         .what = text " is not in the collateral"},                                                \
        {name ".signature", SIM_IN_ALL, INVALID, PLATFORM(field.signer, SIM_STRANGER),             \
         .what = text " is signed by a stranger's key"},                                           \
        {name ".issuer", SIM_IN_ALL, INVALID,                                                      \
         PLATFORM_TEXT(field.issuer_cn, "Simulated SGX Other CA"),                                 \
         .what = text " names another issuer than the one that signed it"},                        \
        {name ".no_number", SIM_IN_ALL, INVALID, PLATFORM(field.without, SIM_NO_CRL_NUMBER),       \
         .what = text " lacks CRLNumber"},                                                         \
        {name ".no_aki", SIM_IN_ALL, INVALID, PLATFORM(field.without, SIM_NO_AKI),                 \
         .what = text " lacks AuthorityKeyIdentifier"},                                            \
        {name ".wrong_aki", SIM_IN_ALL, INVALID, PLATFORM(field.wrong_aki, 1),                     \
         .what = text " has an AuthorityKeyIdentifier of another key"},                            \
    {                                                                                              \
        name ".cut", SIM_IN_ALL, INVALID, PLATFORM(field.cut, 1),                                  \
            .what = text " lacks its last byte"                                                    \
    }

#define SIGNED_TEXT(name, field, text)                                                             \
    {name ".signature", SIM_IN_ALL, INVALID, PLATFORM(field.signer, SIM_STRANGER),                 \
     .what = text " is signed by a stranger's key"},                                               \
        {name ".edited", SIM_IN_ALL, INVALID, PLATFORM(field.form, SIM_EDITED),                    \
         .what = text " was changed after signing"},                                               \
        {name ".spaced", SIM_IN_ALL, OK, PLATFORM(field.form, SIM_SPACED),                         \
         .what = text " is delivered with white space that was not signed"},                       \
        {name ".cut", SIM_IN_ALL, INVALID, PLATFORM(field.form, SIM_CUT),                          \
         .what = text " lacks its last brace"},                                                    \
        {name ".duplicate_member", SIM_IN_ALL, INVALID, PLATFORM(field.form, SIM_DUPLICATE),       \
         .what = text " has a member two times"},                                                  \
        {name ".missing", SIM_IN_ALL, LATE, PLATFORM(field.form, SIM_MISSING),                     \
         .what = text " is not in the collateral"},                                                \
        {name ".chain_missing", SIM_IN_ALL, LATE, PLATFORM(field.chain_missing, 1),                \
         .what = text " comes without its issuer chain"},                                          \
        {name ".chain_short", SIM_IN_ALL, INVALID, PLATFORM(field.chain_len, 1),                   \
         .what = text " has an issuer chain without the root"},                                    \
        {name ".chain_long", SIM_IN_ALL, INVALID, PLATFORM(field.chain_len, 3),                    \
         .what = text " has an issuer chain of three"},                                            \
        {name ".expired", SIM_IN_ALL, LATE, PLATFORM(field.next_s, -SIM_MINUTE),                   \
         .what = text " was due a minute before"},                                                 \
        {name ".future", SIM_IN_ALL, LATE, PLATFORM(field.issue_s, SIM_DAY),                       \
         .what = text " is issued on the next day"},                                               \
        {name ".version", SIM_IN_ALL, INVALID, PLATFORM(field.version, 9),                         \
         .what = text " is of version 9"},                                                         \
        {name ".wrong_id", SIM_IN_ALL, INVALID, PLATFORM_TEXT(field.id, "QVE"),                    \
         .what = text " is for something else"},                                                   \
        {name ".no_issue_date", SIM_IN_ALL, INVALID, PLATFORM_TEXT(field.without, "issueDate"),    \
         .what = text " lacks issueDate"},                                                         \
        {name ".bad_date", SIM_IN_ALL, INVALID, PLATFORM_TEXT(field.date, "2027-02-30T00:00:00Z"), \
         .what = text " is due on a 30th of February"},                                            \
        {name ".unknown_status", SIM_IN_ALL, INVALID, PLATFORM_TEXT(field.status, "Excellent"),    \
         .what = text " has levels of an unknown status"},                                         \
    {                                                                                              \
        name ".no_levels", SIM_IN_ALL, INVALID, PLATFORM(field.no_levels, 1),                      \
            .what = text " has no level"                                                           \
    }

const sim_fault sim_faults[] = {
    CERTIFICATE("root", root, "the root certificate"),
    {"root.other", SIM_IN_ALL, INVALID, PLATFORM(trusted_root, SIM_ROOT_OTHER),
     .what = "the chains end in another root than the one given out"},
    {"root.reissued", SIM_IN_ALL, INVALID, PLATFORM(trusted_root, SIM_ROOT_REISSUED),
     .what = "the chains end in another certificate of the trusted root's key and name"},
    {"root.not_ca", SIM_IN_ALL, INVALID, PLATFORM(root.is_ca, 0),
     .what = "the root certificate is no CA"},
    {"root.path_len", SIM_IN_ALL, INVALID, PLATFORM(root.path_len, 0),
     .what = "the root certificate allows no CA below it"},
    {"root.revoked", SIM_IN_ALL, INVALID, PLATFORM(root_crl.revokes, SIM_ROOT),
     .what = "the root CRL lists the root itself"},

    CERTIFICATE("ca", ca, "the PCK CA's certificate"),
    {"ca.revoked", SIM_IN_ALL, INVALID, PLATFORM(root_crl.revokes, SIM_CA),
     .what = "the root CRL lists the PCK CA"},
    {"ca.not_ca", SIM_IN_ALL, INVALID, PLATFORM(ca.is_ca, 0),
     .what = "the PCK CA's certificate is no CA"},

    CERTIFICATE("pck", pck, "the PCK certificate"),
    {"pck.revoked", SIM_IN_ALL, INVALID, PLATFORM(pck_crl.revokes, SIM_PCK),
     .what = "the PCK CRL lists the PCK certificate"},
    {"pck.ca_flag", SIM_IN_ALL, INVALID, PLATFORM(pck.is_ca, 1),
     .what = "the PCK certificate is a CA"},
    {"pck.other_ca", SIM_IN_ALL, INVALID, PLATFORM(pck.issuer, SIM_OTHER_CA),
     .what = "another CA issued the PCK certificate than the one in its chain"},
    {"pck.processor", SIM_IN_ALL, OK, PLATFORM(is_processor, 1),
     .what = "the Processor CA issued the PCK certificate, its extension has five members"},
    {"pck.extension_missing", SIM_IN_ALL, INVALID, PLATFORM(pck.without, SIM_NO_SGX_EXTENSION),
     .what = "the PCK certificate lacks the SGX extension"},
    {"pck.extension_member", SIM_IN_ALL, INVALID, PLATFORM(extension.without, 4),
     .what = "the SGX extension lacks FMSPC"},
    {"pck.extension_twice", SIM_IN_ALL, INVALID, PLATFORM(extension.twice, 4),
     .what = "the SGX extension has FMSPC two times"},
    {"pck.extension_trailing", SIM_IN_ALL, INVALID, PLATFORM(extension.trailing, 1),
     .what = "a byte follows the SGX extension"},
    {"pck.extension_ppid", SIM_IN_ALL, INVALID, PLATFORM(extension.ppid_len, 17),
     .what = "the PPID has 17 octets"},
    {"pck.extension_components", SIM_IN_ALL, INVALID, PLATFORM(extension.components, 15),
     .what = "the SGX extension has 15 TCB components"},
    {"pck.extension_svn", SIM_IN_ALL, INVALID, PLATFORM(extension.component, 256),
     .what = "a TCB component is 256"},
    {"pck.no_level", SIM_IN_ALL, POLICY, PLATFORM(extension.component, 0),
     .what = "the platform is below every TCB level"},
    {"pck.fmspc", SIM_IN_ALL, INVALID, PLATFORM(extension.fmspc, 1),
     .what = "the PCK certificate is of another FMSPC than the collateral"},
    {"pck.pceid", SIM_IN_ALL, INVALID, PLATFORM(extension.pceid, 1),
     .what = "the PCK certificate is of another PCEID than the collateral"},

    CERTIFICATE("tcb_signing", tcb_signing, "the TCB signing certificate"),
    {"tcb_signing.revoked", SIM_IN_ALL, INVALID, PLATFORM(root_crl.revokes, SIM_TCB_SIGNING),
     .what = "the root CRL lists the TCB signing certificate"},
    {"tcb_signing.wrong_ca", SIM_IN_ALL, INVALID, PLATFORM(tcb_signing.issuer, SIM_CA),
     .what = "the PCK CA issued the TCB signing certificate"},
    {"tcb_signing.ca_flag", SIM_IN_ALL, INVALID, PLATFORM(tcb_signing.is_ca, 1),
     .what = "the TCB signing certificate is a CA"},

    CRL("root_crl", root_crl, "the root CRL"),
    CRL("pck_crl", pck_crl, "the PCK CRL"),
    {"pck_crl.other_ca", SIM_IN_ALL, INVALID, PLATFORM(pck_crl.issuer, SIM_OTHER_CA),
     .what = "the PCK CRL is the other CA's"},

    SIGNED_TEXT("tcb_info", tcb_info, "the TCB info"),
    {"tcb_info.fmspc", SIM_IN_ALL, INVALID, PLATFORM_TEXT(tcb_info.fmspc, "53494D0000FF"),
     .what = "the TCB info is of another FMSPC"},
    {"tcb_info.pceid", SIM_IN_ALL, INVALID, PLATFORM_TEXT(tcb_info.pceid, "0001"),
     .what = "the TCB info is of another PCEID"},
    {"tcb_info.tcb_type", SIM_IN_ALL, INVALID, PLATFORM(tcb_info.tcb_type, 1),
     .what = "the TCB info has tcbType 1"},
    {"tcb_info.svn_over_255", SIM_IN_ALL, INVALID, PLATFORM(tcb_info.svn, 259),
     .what = "a level's component is 259"},
    {"tcb_info.components", SIM_IN_ALL, INVALID, PLATFORM(tcb_info.components, 15),
     .what = "levels have 15 components"},
    {"tcb_info.twin_levels", SIM_IN_ALL, INVALID, PLATFORM(tcb_info.twin_levels, 1),
     .what = "two levels are equal"},
    {"tcb_info.no_fmspc", SIM_IN_ALL, INVALID, PLATFORM_TEXT(tcb_info.without, "fmspc"),
     .what = "the TCB info lacks fmspc"},
    {"tcb_info.no_module", SIM_IN_TD, INVALID, PLATFORM_TEXT(tcb_info.without, "tdxModule"),
     .what = "the TCB info for TDX lacks tdxModule"},
    {"tcb_info.no_module_identities", SIM_IN_TD, INVALID,
     PLATFORM(tcb_info.no_module_identities, 1),
     .what = "the TCB info knows no TDX module of version 1"},

    SIGNED_TEXT("qe_identity", qe_identity, "the QE identity"),
    {"qe_identity.mrsigner", SIM_IN_ALL, INVALID,
     PLATFORM_TEXT(qe_identity.mrsigner,
                   "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"),
     .what = "the QE identity wants another MRSIGNER"},
    {"qe_identity.attributes", SIM_IN_ALL, INVALID,
     PLATFORM_TEXT(qe_identity.attributes, "01000000000000000000000000000000"),
     .what = "the QE identity wants other attributes"},
    {"qe_identity.miscselect", SIM_IN_ALL, INVALID,
     PLATFORM_TEXT(qe_identity.miscselect, "01000000"),
     .what = "the QE identity wants another MISCSELECT"},
    {"qe_identity.isvprodid", SIM_IN_ALL, INVALID, PLATFORM(qe_identity.isvprodid, 9),
     .what = "the QE identity wants another ISVPRODID"},
    {"qe_identity.no_mrsigner", SIM_IN_ALL, INVALID, PLATFORM_TEXT(qe_identity.without, "mrsigner"),
     .what = "the QE identity lacks mrsigner"},

    {"module.unknown", SIM_IN_TD, INVALID, SET(SIM_BODY, 1, 9),
     .what = "the TDX module is of version 9"},
    {"module.version_0", SIM_IN_TD, OK, SET(SIM_BODY, 1, 0),
     .what = "the TDX module is of version 0, which has no identity of its own"},
    {"module.mrsigner", SIM_IN_TD, INVALID, FLIP(SIM_BODY, 64, 0x01),
     .what = "MRSIGNERSEAM is another's"},
    {"module.seam_attributes", SIM_IN_TD, INVALID, FLIP(SIM_BODY, 112, 0x01),
     .what = "SEAMATTRIBUTES are not those of a production module"},
    {"module.out_of_date", SIM_IN_TD, POLICY, SET(SIM_BODY, 0, SIM_MODULE_OLD),
     .what = "the TDX module is out of date"},
    {"module.revoked", SIM_IN_TD, POLICY, SET(SIM_BODY, 0, SIM_MODULE_REVOKED),
     .what = "the TDX module is revoked"},
    {"module.no_level", SIM_IN_TD, POLICY, SET(SIM_BODY, 0, 0),
     .what = "the TDX module is below every level"},
    {"td.no_level", SIM_IN_TD, POLICY, SET(SIM_BODY, 2, 0),
     .what = "TEE_TCB_SVN is below every level"},
    {"td.debug", SIM_IN_TD, POLICY, FLIP(SIM_BODY, 120, 0x01), .what = "the TD is a debug TD"},
    {"td.untrusted", SIM_IN_TD, POLICY, FLIP(SIM_BODY, 120, 0x02),
     .what = "a reserved bit of the TD's debug group is set"},
    {"td.sept_clear", SIM_IN_TD, POLICY, FLIP(SIM_BODY, 123, 0x10),
     .what = "SEPT_VE_DISABLE is clear"},
    {"td.migratable", SIM_IN_TD, POLICY, FLIP(SIM_BODY, 123, 0x20), .what = "the TD is migratable"},
    {"td.reserved", SIM_IN_TD, POLICY, FLIP(SIM_BODY, 124, 0x01),
     .what = "a reserved bit of TDATTRIBUTES is set"},
    {"td.service_td", SIM_IN_TDX5, POLICY, FLIP(SIM_BODY, 600, 0x01),
     .what = "MRSERVICETD is not zero"},
    {"sgx.debug", SIM_IN_SGX, POLICY, FLIP(SIM_BODY, 48, 0x02),
     .what = "the enclave is a debug enclave"},
    {"sgx.not_init", SIM_IN_SGX, POLICY, FLIP(SIM_BODY, 48, 0x01),
     .what = "the enclave is not initialised"},

    {"qe.mrsigner", SIM_IN_ALL, INVALID, FLIP(SIM_QE_REPORT, 128, 0x01),
     .what = "the QE has another MRSIGNER"},
    {"qe.isvprodid", SIM_IN_ALL, INVALID, SET(SIM_QE_REPORT, 256, 9),
     .what = "the QE has another ISVPRODID"},
    {"qe.debug", SIM_IN_ALL, INVALID, FLIP(SIM_QE_REPORT, 48, 0x02),
     .what = "the QE is a debug enclave"},
    {"qe.miscselect", SIM_IN_ALL, INVALID, FLIP(SIM_QE_REPORT, 16, 0x01),
     .what = "the QE has another MISCSELECT"},
    {"qe.out_of_date", SIM_IN_ALL, POLICY, SET(SIM_QE_REPORT, 258, SIM_QE_OLD),
     .what = "the QE is out of date"},
    {"qe.revoked", SIM_IN_ALL, POLICY, SET(SIM_QE_REPORT, 258, SIM_QE_REVOKED),
     .what = "the QE is revoked"},
    {"qe.no_level", SIM_IN_ALL, POLICY, SET(SIM_QE_REPORT, 258, 1),
     .what = "the QE is below every level"},

    {"quote.version", SIM_IN_ALL, INVALID, SET(SIM_HEADER, 0, 6),
     .what = "the quote is of version 6"},
    {"quote.version_3", SIM_IN_TD, INVALID, SET(SIM_HEADER, 0, 3),
     .what = "a quote of version 3 says it is of a TD"},
    {"quote.key_type", SIM_IN_ALL, INVALID, SET(SIM_HEADER, 2, 3),
     .what = "the attestation key type is ECDSA-384"},
    {"quote.tee_type", SIM_IN_ALL, INVALID, SET(SIM_HEADER, 4, 0x42),
     .what = "the TEE type is unknown"},
    {"quote.vendor", SIM_IN_ALL, INVALID, FLIP(SIM_HEADER, 12, 0x01),
     .what = "the QE vendor is another"},
    {"quote.body_type", SIM_IN_TDX5, INVALID, SET(SIM_DESCRIPTOR, 0, 2),
     .what = "the body has another type than its size"},
    {"quote.body_size", SIM_IN_TDX5, INVALID, FLIP(SIM_DESCRIPTOR, 2, 0x01),
     .what = "the body has another size than its type"},
    {"quote.changed", SIM_IN_ALL, INVALID, FLIP(SIM_SIGNED, 200, 0x01),
     .what = "a bit of the body was changed after signing"},
    {"quote.signature", SIM_IN_ALL, INVALID, QUOTE(quote_signer_is_stranger, 1),
     .what = "a stranger's key signed the quote"},
    {"quote.signature_bit", SIM_IN_ALL, INVALID, FLIP(SIM_SIGNATURE, 63, 0x01),
     .what = "a bit of the signature was changed"},
    {"quote.attestation_key", SIM_IN_ALL, INVALID, QUOTE(key_replaced, 1),
     .what = "the quote has, and is signed with, another key than the QE vouches for"},
    {"quote.key_point", SIM_IN_ALL, INVALID, FLIP(SIM_KEY, 63, 0x01),
     .what = "the attestation key is no point of the curve"},
    {"quote.qe_report_signature", SIM_IN_ALL, INVALID, QUOTE(qe_signer_is_stranger, 1),
     .what = "a stranger's key signed the QE report"},
    {"quote.qe_report_data", SIM_IN_ALL, INVALID, FLIP(SIM_QE_REPORT, 320, 0x01),
     .what = "the QE report vouches for another key"},
    {"quote.auth_data", SIM_IN_ALL, INVALID, FLIP(SIM_AUTH, 0, 0x01),
     .what = "the QE authentication data was changed"},
    {"quote.auth_len", SIM_IN_ALL, INVALID, SET(SIM_AUTH_LEN, 1, 0xff),
     .what = "the QE authentication data is longer than the quote"},
    {"quote.auth_none", SIM_IN_ALL, OK, QUOTE(auth_len, 0),
     .what = "there is no QE authentication data"},
    {"quote.auth_long", SIM_IN_ALL, OK, QUOTE(auth_len, 200),
     .what = "there are 200 bytes of QE authentication data"},
    {"quote.length", SIM_IN_ALL, INVALID, FLIP(SIM_SIGNATURE_LEN, 1, 0x40),
     .what = "the signature data is longer than the quote"},
    {"quote.cut", SIM_IN_ALL, INVALID, QUOTE(cut, 1), .what = "the last byte is missing"},
    {"quote.trailing", SIM_IN_ALL, OK, QUOTE(trailing, 70),
     .what = "70 unsigned bytes of padding follow"},
    {"quote.outer_type", SIM_IN_TD, INVALID, SET(SIM_OUTER_HEADER, 0, 5),
     .what = "the outer certification data is not of type 6"},
    {"quote.outer_size", SIM_IN_TD, INVALID, FLIP(SIM_OUTER_HEADER, 2, 0x01),
     .what = "the outer certification data has another size than what is in it"},
    {"quote.no_outer", SIM_IN_TD, INVALID, QUOTE(bare_qe, 1),
     .what = "the QE report follows the key with nothing around it, as in version 3"},
    {"quote.certification_type", SIM_IN_ALL, INVALID, SET(SIM_CERT_HEADER, 0, 7),
     .what = "the certification data is a platform manifest"},
    {"quote.certification_size", SIM_IN_ALL, INVALID, FLIP(SIM_CERT_HEADER, 3, 0x80),
     .what = "the certification data is longer than the quote"},
    {"quote.type_1", SIM_IN_ALL, LATE, QUOTE(certification_type, 1),
     .what = "only the PPID comes with the quote, no certificate"},
    {"quote.type_2", SIM_IN_ALL, LATE, QUOTE(certification_type, 2),
     .what = "only the encrypted PPID (RSA-2048) comes with the quote"},
    {"quote.type_3", SIM_IN_ALL, LATE, QUOTE(certification_type, 3),
     .what = "only the encrypted PPID (RSA-3072) comes with the quote"},
    {"quote.type_4", SIM_IN_ALL, LATE, QUOTE(certification_type, 4),
     .what = "the PCK certificate comes without its chain"},

    {"chain.no_nul", SIM_IN_ALL, OK, QUOTE(chain, SIM_CHAIN_NO_NUL),
     .what = "no NUL ends the chain"},
    {"chain.crlf", SIM_IN_ALL, OK, QUOTE(chain, SIM_CHAIN_CRLF),
     .what = "the chain's lines end in CR LF"},
    {"chain.reversed", SIM_IN_ALL, OK, QUOTE(chain, SIM_CHAIN_REVERSED),
     .what = "the chain begins with the root"},
    {"chain.four", SIM_IN_ALL, INVALID, QUOTE(chain, SIM_CHAIN_FOUR),
     .what = "the chain has four certificates"},
    {"chain.two", SIM_IN_ALL, INVALID, QUOTE(chain, SIM_CHAIN_TWO),
     .what = "the chain lacks the root"},
    {"chain.no_leaf", SIM_IN_ALL, INVALID, QUOTE(chain, SIM_CHAIN_NO_LEAF),
     .what = "the chain has the CA two times and no leaf"},
    {"chain.two_leaves", SIM_IN_ALL, INVALID, QUOTE(chain, SIM_CHAIN_TWO_LEAVES),
     .what = "the chain has the leaf two times and no CA"},
    {"chain.other_text", SIM_IN_ALL, INVALID, QUOTE(chain, SIM_CHAIN_OTHER_TEXT),
     .what = "the chain has text between its certificates"},
};
/* clang-format on */

const size_t sim_faults_n = sizeof sim_faults / sizeof sim_faults[0];

atls_code sim_fault_by_name(const char *name, const sim_fault **out, atls_err *err)
{
    *out = NULL;
    if (name == NULL || name[0] == '\0') {
        return ATLS_OK;
    }
    for (size_t i = 0; i < sim_faults_n; i++) {
        if (strcmp(sim_faults[i].name, name) == 0) {
            *out = &sim_faults[i];
            return ATLS_OK;
        }
    }
    return ATLS_ERR(err, ATLS_E_USAGE, "sim.fault",
                    "no fault is named %.64s: docs/simulator.md lists them", name);
}

/* offsetof() of an int or a text in plan, as the table's macros took it. */
static void change(const sim_fault *fault, void *plan)
{
    char *at = (char *)plan + fault->at;
    if (fault->text != NULL) {
        memcpy(at, &fault->text, sizeof fault->text);
    } else {
        memcpy(at, &fault->number, sizeof fault->number);
    }
}

void sim_fault_apply(const sim_fault *fault, sim_plan *plan)
{
    if (fault != NULL && fault->scope == SIM_OF_PLATFORM) {
        change(fault, plan);
    }
}

void sim_fault_apply_to_quote(const sim_fault *fault, sim_quote_plan *plan)
{
    if (fault != NULL && fault->scope == SIM_OF_QUOTE) {
        change(fault, plan);
    }
}

void sim_fault_apply_to_part(const sim_fault *fault, sim_part part, uint8_t *bytes, size_t len)
{
    if (fault == NULL || fault->scope != SIM_OF_BYTE || fault->part != part || fault->at >= len) {
        return;
    }
    uint8_t value = (uint8_t)fault->number;
    bytes[fault->at] = fault->how == SIM_SET ? value : (uint8_t)(bytes[fault->at] ^ value);
}

bool atls_sim_fault_at(size_t i, atls_sim_fault *out)
{
    if (i >= sim_faults_n) {
        return false;
    }
    const sim_fault *f = &sim_faults[i];
    *out = (atls_sim_fault){.name = f->name,
                            .what = f->what,
                            .of_quote = f->scope != SIM_OF_PLATFORM,
                            .in_tdx = (f->types & SIM_IN_TDX) != 0,
                            .in_tdx5 = (f->types & SIM_IN_TDX5) != 0,
                            .in_sgx = (f->types & SIM_IN_SGX) != 0,
                            .expected = f->expected};
    return true;
}
