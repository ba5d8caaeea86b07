/* The table of faults. What it lists, docs/simulator.md lists too (a test compares them). */
#include "sim/faults.h"

#include <stddef.h>

#include "sim/level.h"

/* One row: its name, the quote types it shows in, the verdict's code, the one value it changes, and what is
 * then wrong. */
#define PLATFORM(name, types, code, field, value, what)                                            \
    {                                                                                              \
        name, types, code, SIM_OF_PLATFORM, offsetof(sim_plan, field), value, NULL, SIM_HEADER,    \
            SIM_SET, what                                                                          \
    }
#define PLATFORM_TEXT(name, types, code, field, value, what)                                       \
    {                                                                                              \
        name, types, code, SIM_OF_PLATFORM, offsetof(sim_plan, field), 0, value, SIM_HEADER,       \
            SIM_SET, what                                                                          \
    }
#define QUOTE(name, types, code, field, value, what)                                               \
    {                                                                                              \
        name, types, code, SIM_OF_QUOTE, offsetof(sim_quote_plan, field), value, NULL, SIM_HEADER, \
            SIM_SET, what                                                                          \
    }
#define SET(name, types, code, part, at, value, what)                                              \
    {                                                                                              \
        name, types, code, SIM_OF_BYTE, at, value, NULL, part, SIM_SET, what                       \
    }
#define FLIP(name, types, code, part, at, bits, what)                                              \
    {                                                                                              \
        name, types, code, SIM_OF_BYTE, at, bits, NULL, part, SIM_FLIP, what                       \
    }

#define OK      ATLS_OK           /* odd, and to be accepted all the same */
#define LATE    ATLS_E_COLLATERAL /* missing, or out of its time */
#define INVALID ATLS_E_INVALID
#define POLICY  ATLS_E_POLICY

/* What can be wrong with each certificate; field: its plan, text: what it is. */
#define CERTIFICATE(name, field, text)                                                             \
    PLATFORM(name ".expired", SIM_IN_ALL, LATE, field.until_s, -SIM_MINUTE,                        \
             text " ended a minute before"),                                                       \
        PLATFORM(name ".not_yet_valid", SIM_IN_ALL, LATE, field.from_s, SIM_DAY,                   \
                 text " is valid from the next day on"),                                           \
        PLATFORM(name ".signature", SIM_IN_ALL, INVALID, field.signer, SIM_STRANGER,               \
                 text " is signed by a stranger's key"),                                           \
        PLATFORM_TEXT(name ".name", SIM_IN_ALL, INVALID, field.cn, "Simulated thing",              \
                      text " has a common name without its role"),                                 \
        PLATFORM(name ".no_aki", SIM_IN_ALL, INVALID, field.without, SIM_NO_AKI,                   \
                 text " lacks AuthorityKeyIdentifier"),                                            \
        PLATFORM(name ".wrong_aki", SIM_IN_ALL, INVALID, field.wrong_aki, 1,                       \
                 text " has an AuthorityKeyIdentifier of another key"),                            \
        PLATFORM(name ".no_ski", SIM_IN_ALL, INVALID, field.without, SIM_NO_SKI,                   \
                 text " lacks SubjectKeyIdentifier"),                                              \
        PLATFORM(name ".no_key_usage", SIM_IN_ALL, INVALID, field.without, SIM_NO_KEY_USAGE,       \
                 text " lacks KeyUsage"),                                                          \
        PLATFORM(name ".key_usage", SIM_IN_ALL, INVALID, field.key_usage, 0,                       \
                 text " has a KeyUsage that allows nothing"),                                      \
        PLATFORM(name ".no_basic_constraints", SIM_IN_ALL, INVALID, field.without,                 \
                 SIM_NO_BASIC_CONSTRAINTS, text " lacks BasicConstraints"),                        \
        PLATFORM(name ".no_crl_dp", SIM_IN_ALL, INVALID, field.without, SIM_NO_CRL_DP,             \
                 text " lacks CRLDistributionPoints"),                                             \
        PLATFORM(name ".critical", SIM_IN_ALL, INVALID, field.unknown_critical, 1,                 \
                 text " has a critical extension that nobody knows"),                              \
        PLATFORM(name ".hash", SIM_IN_ALL, INVALID, field.sha384, 1,                               \
                 text " is signed with ecdsa-with-SHA384"),                                        \
        PLATFORM_TEXT(name ".issuer", SIM_IN_ALL, INVALID, field.issuer_cn,                        \
                      "Simulated SGX Other CA",                                                    \
                      text " names another issuer than the one that signed it"),                   \
        PLATFORM(name ".curve", SIM_IN_ALL, INVALID, field.is_p384, 1, text " has a key on P-384")

#define CRL(name, field, text)                                                                     \
    PLATFORM(name ".expired", SIM_IN_ALL, LATE, field.until_s, -SIM_MINUTE,                        \
             text " was due a minute before"),                                                     \
        PLATFORM(name ".future", SIM_IN_ALL, LATE, field.from_s, SIM_DAY,                          \
                 text " is issued on the next day"),                                               \
        PLATFORM(name ".missing", SIM_IN_ALL, LATE, field.missing, 1,                              \
                 text " is not in the collateral"),                                                \
        PLATFORM(name ".signature", SIM_IN_ALL, INVALID, field.signer, SIM_STRANGER,               \
                 text " is signed by a stranger's key"),                                           \
        PLATFORM_TEXT(name ".issuer", SIM_IN_ALL, INVALID, field.issuer_cn,                        \
                      "Simulated SGX Other CA",                                                    \
                      text " names another issuer than the one that signed it"),                   \
        PLATFORM(name ".no_number", SIM_IN_ALL, INVALID, field.without, SIM_NO_CRL_NUMBER,         \
                 text " lacks CRLNumber"),                                                         \
        PLATFORM(name ".no_aki", SIM_IN_ALL, INVALID, field.without, SIM_NO_AKI,                   \
                 text " lacks AuthorityKeyIdentifier"),                                            \
        PLATFORM(name ".wrong_aki", SIM_IN_ALL, INVALID, field.wrong_aki, 1,                       \
                 text " has an AuthorityKeyIdentifier of another key"),                            \
        PLATFORM(name ".cut", SIM_IN_ALL, INVALID, field.cut, 1, text " lacks its last byte"),     \
        PLATFORM(name ".others", SIM_IN_ALL, OK, field.others, 60,                                 \
                 text " lists 60 certificates, none of which is ours")

#define SIGNED_TEXT(name, field, text)                                                             \
    PLATFORM(name ".signature", SIM_IN_ALL, INVALID, field.signer, SIM_STRANGER,                   \
             text " is signed by a stranger's key"),                                               \
        PLATFORM(name ".by_ca", SIM_IN_ALL, INVALID, field.holder, SIM_CA,                         \
                 text " is signed by the PCK CA, whose certificate comes with it"),                \
        PLATFORM(name ".by_pck", SIM_IN_ALL, INVALID, field.holder, SIM_PCK,                       \
                 text " is signed with the PCK key, whose certificate comes with it"),             \
        PLATFORM(name ".edited", SIM_IN_ALL, INVALID, field.form, SIM_EDITED,                      \
                 text " was changed after signing"),                                               \
        PLATFORM(name ".spaced", SIM_IN_ALL, OK, field.form, SIM_SPACED,                           \
                 text " is delivered with white space that was not signed"),                       \
        PLATFORM(name ".cut", SIM_IN_ALL, INVALID, field.form, SIM_CUT,                            \
                 text " lacks its last brace"),                                                    \
        PLATFORM(name ".duplicate_member", SIM_IN_ALL, INVALID, field.form, SIM_DUPLICATE,         \
                 text " has a member two times"),                                                  \
        PLATFORM(name ".missing", SIM_IN_ALL, LATE, field.form, SIM_MISSING,                       \
                 text " is not in the collateral"),                                                \
        PLATFORM(name ".chain_missing", SIM_IN_ALL, LATE, field.chain_missing, 1,                  \
                 text " comes without its issuer chain"),                                          \
        PLATFORM(name ".chain_short", SIM_IN_ALL, INVALID, field.chain_len, 1,                     \
                 text " has an issuer chain without the root"),                                    \
        PLATFORM(name ".chain_long", SIM_IN_ALL, INVALID, field.chain_len, 3,                      \
                 text " has an issuer chain of three"),                                            \
        PLATFORM(name ".expired", SIM_IN_ALL, LATE, field.next_s, -SIM_MINUTE,                     \
                 text " was due a minute before"),                                                 \
        PLATFORM(name ".future", SIM_IN_ALL, LATE, field.issue_s, SIM_DAY,                         \
                 text " is issued on the next day"),                                               \
        PLATFORM(name ".version", SIM_IN_ALL, INVALID, field.version, 9, text " is of version 9"), \
        PLATFORM_TEXT(name ".wrong_id", SIM_IN_ALL, INVALID, field.id, "QVE",                      \
                      text " is for something else"),                                              \
        PLATFORM_TEXT(name ".no_issue_date", SIM_IN_ALL, INVALID, field.without, "issueDate",      \
                      text " lacks issueDate"),                                                    \
        PLATFORM_TEXT(name ".bad_date", SIM_IN_ALL, INVALID, field.date, "2027-02-30T00:00:00Z",   \
                      text " is due on a 30th of February"),                                       \
        PLATFORM_TEXT(name ".unknown_status", SIM_IN_ALL, INVALID, field.status, "Excellent",      \
                      text " has levels of an unknown status"),                                    \
        PLATFORM(name ".no_levels", SIM_IN_ALL, INVALID, field.no_levels, 1,                       \
                 text " has no level"),                                                            \
        PLATFORM(name ".other_tee", SIM_IN_ALL, INVALID, field.other_tee, 1,                       \
                 text " is that of the other TEE")

const sim_fault sim_faults[] = {
    CERTIFICATE("root", root, "the root certificate"),
    PLATFORM("root.other", SIM_IN_ALL, INVALID, trusted_root, SIM_ROOT_OTHER,
             "the chains end in another root than the one given out"),
    PLATFORM("root.reissued", SIM_IN_ALL, INVALID, trusted_root, SIM_ROOT_REISSUED,
             "the chains end in another certificate of the trusted root's key and name"),
    PLATFORM("root.not_ca", SIM_IN_ALL, INVALID, root.is_ca, 0, "the root certificate is no CA"),
    PLATFORM("root.path_len", SIM_IN_ALL, INVALID, root.path_len, 0,
             "the root certificate allows no CA below it"),
    PLATFORM("root.revoked", SIM_IN_ALL, INVALID, root_crl.revokes, SIM_ROOT,
             "the root CRL lists the root itself"),

    CERTIFICATE("ca", ca, "the PCK CA's certificate"),
    PLATFORM("ca.revoked", SIM_IN_ALL, INVALID, root_crl.revokes, SIM_CA,
             "the root CRL lists the PCK CA"),
    PLATFORM("ca.not_ca", SIM_IN_ALL, INVALID, ca.is_ca, 0, "the PCK CA's certificate is no CA"),

    CERTIFICATE("pck", pck, "the PCK certificate"),
    PLATFORM("pck.revoked", SIM_IN_ALL, INVALID, pck_crl.revokes, SIM_PCK,
             "the PCK CRL lists the PCK certificate"),
    PLATFORM("pck.ca_flag", SIM_IN_ALL, INVALID, pck.is_ca, 1, "the PCK certificate is a CA"),
    PLATFORM("pck.other_ca", SIM_IN_ALL, INVALID, pck.issuer, SIM_OTHER_CA,
             "another CA issued the PCK certificate than the one in its chain"),
    PLATFORM("pck.processor", SIM_IN_ALL, OK, is_processor, 1,
             "the Processor CA issued the PCK certificate, its extension has five members"),
    PLATFORM("pck.extension_missing", SIM_IN_ALL, INVALID, pck.without, SIM_NO_SGX_EXTENSION,
             "the PCK certificate lacks the SGX extension"),
    PLATFORM("pck.extension_member", SIM_IN_ALL, INVALID, extension.without, 4,
             "the SGX extension lacks FMSPC"),
    PLATFORM("pck.extension_twice", SIM_IN_ALL, INVALID, extension.twice, 4,
             "the SGX extension has FMSPC two times"),
    PLATFORM("pck.extension_trailing", SIM_IN_ALL, INVALID, extension.trailing, 1,
             "a byte follows the SGX extension"),
    PLATFORM("pck.extension_ppid", SIM_IN_ALL, INVALID, extension.ppid_len, 17,
             "the PPID has 17 octets"),
    PLATFORM("pck.extension_components", SIM_IN_ALL, INVALID, extension.components, 15,
             "the SGX extension has 15 TCB components"),
    PLATFORM("pck.extension_svn", SIM_IN_ALL, INVALID, extension.component, 256,
             "a TCB component is 256"),
    PLATFORM("pck.no_level", SIM_IN_ALL, POLICY, extension.component, 0,
             "the platform is below every TCB level"),
    PLATFORM("pck.fmspc", SIM_IN_ALL, INVALID, extension.fmspc, 1,
             "the PCK certificate is of another FMSPC than the collateral"),
    PLATFORM("pck.pceid", SIM_IN_ALL, INVALID, extension.pceid, 1,
             "the PCK certificate is of another PCEID than the collateral"),

    CERTIFICATE("tcb_signing", tcb_signing, "the TCB signing certificate"),
    PLATFORM("tcb_signing.revoked", SIM_IN_ALL, INVALID, root_crl.revokes, SIM_TCB_SIGNING,
             "the root CRL lists the TCB signing certificate"),
    PLATFORM("tcb_signing.wrong_ca", SIM_IN_ALL, INVALID, tcb_signing.issuer, SIM_CA,
             "the PCK CA issued the TCB signing certificate"),
    PLATFORM("tcb_signing.ca_flag", SIM_IN_ALL, INVALID, tcb_signing.is_ca, 1,
             "the TCB signing certificate is a CA"),

    CRL("root_crl", root_crl, "the root CRL"),

    PLATFORM("root_crl.by_ca", SIM_IN_ALL, INVALID, root_crl.issuer, SIM_CA,
             "the root CRL is the PCK CA's"),
    CRL("pck_crl", pck_crl, "the PCK CRL"),
    PLATFORM("pck_crl.by_root", SIM_IN_ALL, INVALID, pck_crl.issuer, SIM_ROOT,
             "the PCK CRL is the root's"),
    PLATFORM("pck_crl.other_ca", SIM_IN_ALL, INVALID, pck_crl.issuer, SIM_OTHER_CA,
             "the PCK CRL is the other CA's"),

    SIGNED_TEXT("tcb_info", tcb_info, "the TCB info"),
    PLATFORM_TEXT("tcb_info.fmspc", SIM_IN_ALL, INVALID, tcb_info.fmspc, "53494D0000FF",
                  "the TCB info is of another FMSPC"),
    PLATFORM_TEXT("tcb_info.pceid", SIM_IN_ALL, INVALID, tcb_info.pceid, "0001",
                  "the TCB info is of another PCEID"),
    PLATFORM("tcb_info.tcb_type", SIM_IN_ALL, INVALID, tcb_info.tcb_type, 1,
             "the TCB info has tcbType 1"),
    PLATFORM("tcb_info.svn_over_255", SIM_IN_ALL, INVALID, tcb_info.svn, 259,
             "a level's component is 259"),
    PLATFORM("tcb_info.components", SIM_IN_ALL, INVALID, tcb_info.components, 15,
             "levels have 15 components"),
    PLATFORM("tcb_info.twin_levels", SIM_IN_ALL, INVALID, tcb_info.twin_levels, 1,
             "two levels are equal"),
    PLATFORM_TEXT("tcb_info.no_fmspc", SIM_IN_ALL, INVALID, tcb_info.without, "fmspc",
                  "the TCB info lacks fmspc"),
    PLATFORM_TEXT("tcb_info.no_module", SIM_IN_TD, INVALID, tcb_info.without, "tdxModule",
                  "the TCB info for TDX lacks tdxModule"),
    PLATFORM("tcb_info.no_module_identities", SIM_IN_TD, INVALID, tcb_info.no_module_identities, 1,
             "the TCB info knows no TDX module of version 1"),

    SIGNED_TEXT("qe_identity", qe_identity, "the QE identity"),
    PLATFORM_TEXT("qe_identity.mrsigner", SIM_IN_ALL, INVALID, qe_identity.mrsigner,
                  "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
                  "the QE identity wants another MRSIGNER"),
    PLATFORM_TEXT("qe_identity.attributes", SIM_IN_ALL, INVALID, qe_identity.attributes,
                  "01000000000000000000000000000000", "the QE identity wants other attributes"),
    PLATFORM_TEXT("qe_identity.miscselect", SIM_IN_ALL, INVALID, qe_identity.miscselect, "01000000",
                  "the QE identity wants another MISCSELECT"),
    PLATFORM("qe_identity.isvprodid", SIM_IN_ALL, INVALID, qe_identity.isvprodid, 9,
             "the QE identity wants another ISVPRODID"),
    PLATFORM_TEXT("qe_identity.no_mrsigner", SIM_IN_ALL, INVALID, qe_identity.without, "mrsigner",
                  "the QE identity lacks mrsigner"),

    SET("module.unknown", SIM_IN_TD, INVALID, SIM_BODY, 1, 9, "the TDX module is of version 9"),
    SET("module.version_0", SIM_IN_TD, OK, SIM_BODY, 1, 0,
        "the TDX module is of version 0, which has no identity of its own"),
    FLIP("module.mrsigner", SIM_IN_TD, INVALID, SIM_BODY, 64, 0x01, "MRSIGNERSEAM is another's"),
    FLIP("module.seam_attributes", SIM_IN_TD, INVALID, SIM_BODY, 112, 0x01,
         "SEAMATTRIBUTES are not those of a production module"),
    SET("module.out_of_date", SIM_IN_TD, POLICY, SIM_BODY, 0, SIM_MODULE_OLD,
        "the TDX module is out of date"),
    SET("module.revoked", SIM_IN_TD, POLICY, SIM_BODY, 0, SIM_MODULE_REVOKED,
        "the TDX module is revoked"),
    SET("module.no_level", SIM_IN_TD, POLICY, SIM_BODY, 0, 0,
        "the TDX module is below every level"),

    SET("td.no_level", SIM_IN_TD, POLICY, SIM_BODY, 2, 0, "TEE_TCB_SVN is below every level"),
    FLIP("td.debug", SIM_IN_TD, POLICY, SIM_BODY, 120, 0x01, "the TD is a debug TD"),
    FLIP("td.untrusted", SIM_IN_TD, POLICY, SIM_BODY, 120, 0x02,
         "a reserved bit of the TD's debug group is set"),
    FLIP("td.sept_clear", SIM_IN_TD, POLICY, SIM_BODY, 123, 0x10, "SEPT_VE_DISABLE is clear"),
    FLIP("td.migratable", SIM_IN_TD, POLICY, SIM_BODY, 123, 0x20, "the TD is migratable"),
    FLIP("td.reserved", SIM_IN_TD, POLICY, SIM_BODY, 124, 0x01,
         "a reserved bit of TDATTRIBUTES is set"),
    FLIP("td.service_td", SIM_IN_TDX5, POLICY, SIM_BODY, 600, 0x01, "MRSERVICETD is not zero"),

    FLIP("sgx.debug", SIM_IN_SGX, POLICY, SIM_BODY, 48, 0x02, "the enclave is a debug enclave"),
    FLIP("sgx.not_init", SIM_IN_SGX, POLICY, SIM_BODY, 48, 0x01, "the enclave is not initialised"),

    FLIP("qe.mrsigner", SIM_IN_ALL, INVALID, SIM_QE_REPORT, 128, 0x01,
         "the QE has another MRSIGNER"),
    SET("qe.isvprodid", SIM_IN_ALL, INVALID, SIM_QE_REPORT, 256, 9, "the QE has another ISVPRODID"),
    FLIP("qe.debug", SIM_IN_ALL, INVALID, SIM_QE_REPORT, 48, 0x02, "the QE is a debug enclave"),
    FLIP("qe.miscselect", SIM_IN_ALL, INVALID, SIM_QE_REPORT, 16, 0x01,
         "the QE has another MISCSELECT"),
    SET("qe.out_of_date", SIM_IN_ALL, POLICY, SIM_QE_REPORT, 258, SIM_QE_OLD,
        "the QE is out of date"),
    SET("qe.revoked", SIM_IN_ALL, POLICY, SIM_QE_REPORT, 258, SIM_QE_REVOKED, "the QE is revoked"),
    SET("qe.no_level", SIM_IN_ALL, POLICY, SIM_QE_REPORT, 258, 1, "the QE is below every level"),

    SET("quote.version", SIM_IN_ALL, INVALID, SIM_HEADER, 0, 6, "the quote is of version 6"),
    SET("quote.version_3", SIM_IN_TD, INVALID, SIM_HEADER, 0, 3,
        "a quote of version 3 says it is of a TD"),
    SET("quote.key_type", SIM_IN_ALL, INVALID, SIM_HEADER, 2, 3,
        "the attestation key type is ECDSA-384"),
    SET("quote.tee_type", SIM_IN_ALL, INVALID, SIM_HEADER, 4, 0x42, "the TEE type is unknown"),
    FLIP("quote.vendor", SIM_IN_ALL, INVALID, SIM_HEADER, 12, 0x01, "the QE vendor is another"),
    SET("quote.body_type", SIM_IN_TDX5, INVALID, SIM_DESCRIPTOR, 0, 2,
        "the body has another type than its size"),
    FLIP("quote.body_size", SIM_IN_TDX5, INVALID, SIM_DESCRIPTOR, 2, 0x01,
         "the body has another size than its type"),
    FLIP("quote.changed", SIM_IN_ALL, INVALID, SIM_SIGNED, 200, 0x01,
         "a bit of the body was changed after signing"),
    QUOTE("quote.signature", SIM_IN_ALL, INVALID, quote_signer_is_stranger, 1,
          "a stranger's key signed the quote"),
    FLIP("quote.signature_bit", SIM_IN_ALL, INVALID, SIM_SIGNATURE, 63, 0x01,
         "a bit of the signature was changed"),
    QUOTE("quote.attestation_key", SIM_IN_ALL, INVALID, key_replaced, 1,
          "the quote has, and is signed with, another key than the QE vouches for"),
    FLIP("quote.key_changed", SIM_IN_ALL, INVALID, SIM_KEY, 63, 0x01,
         "a bit of the attestation key was changed"),
    QUOTE("quote.key_point", SIM_IN_ALL, INVALID, off_curve, 1,
          "the QE vouches for an attestation key that is no point of the curve"),
    QUOTE("quote.signature_zero", SIM_IN_ALL, INVALID, zero_signature, 1,
          "the quote's signature is all zero"),
    QUOTE("quote.qe_report_signature_zero", SIM_IN_ALL, INVALID, zero_qe_signature, 1,
          "the QE report's signature is all zero"),
    QUOTE("quote.qe_report_signature", SIM_IN_ALL, INVALID, qe_signer_is_stranger, 1,
          "a stranger's key signed the QE report"),
    FLIP("quote.qe_report_data", SIM_IN_ALL, INVALID, SIM_QE_REPORT, 320, 0x01,
         "the QE report vouches for another key"),
    FLIP("quote.auth_data", SIM_IN_ALL, INVALID, SIM_AUTH, 0, 0x01,
         "the QE authentication data was changed"),
    SET("quote.auth_len", SIM_IN_ALL, INVALID, SIM_AUTH_LEN, 1, 0xff,
        "the QE authentication data is longer than the quote"),
    QUOTE("quote.auth_none", SIM_IN_ALL, OK, auth_len, 0, "there is no QE authentication data"),
    QUOTE("quote.auth_long", SIM_IN_ALL, OK, auth_len, 200,
          "there are 200 bytes of QE authentication data"),
    FLIP("quote.length", SIM_IN_ALL, INVALID, SIM_SIGNATURE_LEN, 1, 0x40,
         "the signature data is longer than the quote"),
    QUOTE("quote.cut", SIM_IN_ALL, INVALID, cut, 1, "the last byte is missing"),
    QUOTE("quote.trailing", SIM_IN_ALL, OK, trailing, 70, "70 unsigned bytes of padding follow"),
    SET("quote.outer_type", SIM_IN_TD, INVALID, SIM_OUTER_HEADER, 0, 5,
        "the outer certification data is not of type 6"),
    FLIP("quote.outer_size", SIM_IN_TD, INVALID, SIM_OUTER_HEADER, 2, 0x01,
         "the outer certification data has another size than what is in it"),
    QUOTE("quote.no_outer", SIM_IN_TD, INVALID, bare_qe, 1,
          "the QE report follows the key with nothing around it, as in version 3"),
    SET("quote.certification_type", SIM_IN_ALL, INVALID, SIM_CERT_HEADER, 0, 7,
        "the certification data is a platform manifest"),
    FLIP("quote.certification_size", SIM_IN_ALL, INVALID, SIM_CERT_HEADER, 3, 0x80,
         "the certification data is longer than the quote"),
    QUOTE("quote.type_1", SIM_IN_ALL, LATE, certification_type, 1,
          "only the PPID comes with the quote, no certificate"),
    QUOTE("quote.type_2", SIM_IN_ALL, LATE, certification_type, 2,
          "only the encrypted PPID (RSA-2048) comes with the quote"),
    QUOTE("quote.type_3", SIM_IN_ALL, LATE, certification_type, 3,
          "only the encrypted PPID (RSA-3072) comes with the quote"),
    QUOTE("quote.type_4", SIM_IN_ALL, LATE, certification_type, 4,
          "the PCK certificate comes without its chain"),

    QUOTE("chain.no_nul", SIM_IN_ALL, OK, chain, SIM_CHAIN_NO_NUL, "no NUL ends the chain"),
    QUOTE("chain.crlf", SIM_IN_ALL, OK, chain, SIM_CHAIN_CRLF, "the chain's lines end in CR LF"),
    QUOTE("chain.reversed", SIM_IN_ALL, OK, chain, SIM_CHAIN_REVERSED,
          "the chain begins with the root"),
    QUOTE("chain.four", SIM_IN_ALL, INVALID, chain, SIM_CHAIN_FOUR,
          "the chain has four certificates"),
    QUOTE("chain.two", SIM_IN_ALL, INVALID, chain, SIM_CHAIN_TWO, "the chain lacks the root"),
    QUOTE("chain.no_leaf", SIM_IN_ALL, INVALID, chain, SIM_CHAIN_NO_LEAF,
          "the chain has the CA two times and no leaf"),
    QUOTE("chain.two_leaves", SIM_IN_ALL, INVALID, chain, SIM_CHAIN_TWO_LEAVES,
          "the chain has the leaf two times and no CA"),
    PLATFORM("chain.in_collateral", SIM_IN_ALL, OK, pck_chain, SIM_PCK_CHAIN_OWN,
             "the chain comes with the collateral too"),
    PLATFORM("chain.of_another", SIM_IN_ALL, INVALID, pck_chain, SIM_PCK_CHAIN_OTHER,
             "the collateral has the chain of another platform"),
    QUOTE("chain.other_text", SIM_IN_ALL, INVALID, chain, SIM_CHAIN_OTHER_TEXT,
          "the chain has text between its certificates"),
};

const size_t sim_faults_n = sizeof sim_faults / sizeof sim_faults[0];
