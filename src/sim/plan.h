/* plan.h: what the simulator is about to make, as plain values. The default plan is a good platform and a
 * good quote; a fault (faults.h) changes one value of it, and everything is then made and signed in earnest. */
#ifndef ATLS_SIM_PLAN_H
#define ATLS_SIM_PLAN_H

#include <atls/types.h>

#define SIM_MINUTE 60
#define SIM_HOUR   3600
#define SIM_DAY    86400
#define SIM_YEAR   31557600

#define SIM_ORGANISATION "atls simulator" /* by this a verifier marks every verdict "simulated" */

typedef enum sim_tee { SIM_TDX = 0, SIM_SGX = 1, SIM_TEES = 2 } sim_tee;

/* Who holds a key and a certificate. */
typedef enum sim_who {
    SIM_ROOT = 0,
    SIM_CA,       /* the CA that issued the PCK certificates */
    SIM_OTHER_CA, /* Processor CA when that is the Platform CA, and the reverse */
    SIM_TCB_SIGNING,
    SIM_STRANGER, /* a key of nobody in this PKI */
    SIM_WHO,      /* how many hold a key of their own */
    SIM_PCK,      /* each level has its own */
    SIM_NOBODY,   /* likewise */
    SIM_BY_ISSUER /* only for signer: the key of the issuer, as it should be */
} sim_who;

/* Extensions left out of a certificate or CRL: bits. */
enum {
    SIM_NO_AKI = 1,
    SIM_NO_SKI = 2,
    SIM_NO_KEY_USAGE = 4,
    SIM_NO_BASIC_CONSTRAINTS = 8,
    SIM_NO_CRL_DP = 16,
    SIM_NO_SGX_EXTENSION = 32,
    SIM_NO_CRL_NUMBER = 64
};

/* Key usage: bits. */
enum { SIM_DIGITAL_SIGNATURE = 1, SIM_CERT_SIGN = 2, SIM_CRL_SIGN = 4 };

typedef struct sim_cert_plan {
    const char *cn;
    const char *organisation;
    const char *issuer_cn; /* NULL: the name of the issuer */
    int from_s, until_s;   /* validity, seconds after the simulator's time */
    int issuer;            /* sim_who: its name and key identifier go in */
    int signer;            /* sim_who: its key signs */
    int is_ca;
    int path_len; /* -1: none */
    int key_usage;
    int without; /* SIM_NO_... */
    int wrong_aki;
    int unknown_critical; /* adds a critical extension that nobody knows */
    int is_p384;          /* key on another curve */
    int sha384;           /* signed with ecdsa-with-SHA384 */
} sim_cert_plan;

/* The SGX extension of the PCK certificates. */
typedef struct sim_extension_plan {
    int without;      /* 1 to 7: that member is left out */
    int twice;        /* 1 to 7: that member is there two times */
    int trailing;     /* bytes after the sequence */
    uint8_t model[6]; /* FMSPC */
    int fmspc;        /* bits of its last byte that are turned over */
    int pceid;        /* last byte */
    int ppid_len;     /* octets */
    int component;    /* value of component 1 in place of the level's; -1: the level's */
    int components;
} sim_extension_plan;

typedef struct sim_crl_plan {
    const char *issuer_cn;
    int from_s, until_s;
    int issuer, signer; /* sim_who */
    int revokes;        /* sim_who, SIM_PCK or SIM_NOBODY */
    int number;         /* CRLNumber; 0: 1 */
    int others;         /* entries for certificates that are not ours */
    int without;
    int wrong_aki;
    int missing; /* the collateral has no such member */
    int cut;     /* bytes cut off its end */
} sim_crl_plan;

typedef enum sim_form {
    SIM_PLAIN = 0,
    SIM_SPACED,    /* signed compact, delivered with white space between the tokens */
    SIM_DUPLICATE, /* the member "version" two times, signed so */
    SIM_CUT,       /* last character cut off, signed so */
    SIM_EDITED,    /* one value changed after signing */
    SIM_MISSING    /* the collateral has no such member */
} sim_form;

/* TCB info or QE identity. */
typedef struct sim_text_plan {
    int issue_s, next_s;
    int holder; /* sim_who or SIM_PCK: whose certificate comes with it */
    int signer; /* sim_who, or SIM_BY_ISSUER: the holder's key, as it should be */
    int form;   /* sim_form */
    int version;
    int evaluation_number;
    const char *id;      /* NULL: the right one */
    const char *without; /* member left out */
    const char *date;    /* nextUpdate as text; NULL: from next_s */
    const char *status;  /* of every level; NULL: the right one */
    int no_levels;
    int chain_missing; /* the collateral has no issuer chain for it */
    int chain_len;     /* certificates in it */
    int other_tee;     /* the text for SGX in place of TDX's, and the reverse */

    int64_t levels_s; /* time that the levels' dates are around; 0: the text's */

    /* TCB info */
    int recovery; /* a level above the first one, which is then out of date */
    const char *fmspc, *pceid;
    int tcb_type;
    int svn;        /* of component 1 of the first level; -1: the right one */
    int components; /* per level */
    int twin_levels;
    const char *module_mrsigner; /* 96 digits */
    int no_module_identities;

    /* QE identity */
    const char *mrsigner, *attributes, *miscselect;
    int isvprodid; /* -1: the right one */
} sim_text_plan;

typedef enum sim_root_choice {
    SIM_ROOT_OWN = 0,
    SIM_ROOT_OTHER,
    SIM_ROOT_REISSUED
} sim_root_choice;

typedef enum sim_pck_chain {
    SIM_PCK_CHAIN_NONE = 0,
    SIM_PCK_CHAIN_OWN,
    SIM_PCK_CHAIN_OTHER
} sim_pck_chain;

typedef struct sim_plan {
    sim_cert_plan root, ca, pck, tcb_signing;
    sim_extension_plan extension;
    sim_crl_plan root_crl, pck_crl;
    sim_text_plan tcb_info, qe_identity;
    int is_processor; /* PCK certificates from the Processor CA, five members in their extension */
    int trusted_root; /* sim_root_choice: what atls_sim_root() gives out */
    int pck_chain;    /* sim_pck_chain: member pck_certificate_chain of the collateral */
} sim_plan;

typedef enum sim_chain {
    SIM_CHAIN = 0, /* leaf, CA, root, NUL at the end: as Intel's */
    SIM_CHAIN_NO_NUL,
    SIM_CHAIN_CRLF,
    SIM_CHAIN_REVERSED,
    SIM_CHAIN_FOUR,
    SIM_CHAIN_TWO,
    SIM_CHAIN_NO_LEAF,
    SIM_CHAIN_TWO_LEAVES,
    SIM_CHAIN_OTHER_TEXT /* text that is no certificate among them */
} sim_chain;

typedef struct sim_quote_plan {
    int certification_type; /* inner: 1 to 5 */
    int chain;              /* sim_chain */
    int auth_len;           /* bytes of QE authentication data */
    int trailing;           /* bytes after the signature data */
    int cut;                /* bytes cut off the end */
    int quote_signer_is_stranger;
    int qe_signer_is_stranger;
    int key_replaced; /* another attestation key than the QE vouched for; it signs the quote */
    int bare_qe;      /* v4, v5: no outer type 6 around the QE's part */
    int off_curve;    /* the QE vouches for a key that is no point of the curve */
    int zero_signature, zero_qe_signature; /* r and s are zero */
} sim_quote_plan;

void sim_plan_default(sim_plan *plan);
void sim_quote_plan_default(sim_quote_plan *plan);

#endif
