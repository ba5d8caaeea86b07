/* verifier.h: evidence and collateral in, a verdict out. Opens no file or socket, reads no clock. */
#ifndef ATLS_VERIFIER_H
#define ATLS_VERIFIER_H

#include <atls/policy.h>
#include <atls/types.h>

/* --- collateral: what a vendor signed and a verification needs; immutable, reference counted --- */
typedef struct atls_collateral atls_collateral;

/* One JSON object with the members named in the contract (at most 4 MiB). Only its outer form is
 * judged here; signatures and dates are judged in each verification. */
ATLS_API ATLS_MUST_USE atls_code atls_collateral_parse(atls_buf json, atls_collateral **out,
                                                       atls_err *err);
ATLS_API atls_collateral *atls_collateral_up_ref(const atls_collateral *collateral);
ATLS_API void atls_collateral_free(atls_collateral *collateral);

/* --- evidence: one type and its parts; everything borrowed for the time of the call --- */
#define ATLS_EVIDENCE_PARTS 10
typedef struct atls_evidence {
    const char *type; /* "sgx", "tdx", ...; NULL: recognise it by its bytes */
    size_t parts_n;   /* at least 1; a bare quote is one part named NULL or "quote" */
    struct {
        const char *name; /* "quote", "event_log", ... */
        atls_buf bytes;
    } parts[ATLS_EVIDENCE_PARTS];
} atls_evidence;

/* --- what the verifier's own side of a connection knows, and evidence must repeat --- */
typedef enum atls_binding_kind {
    ATLS_BINDING_NONE = 0,      /* evidence alone */
    ATLS_BINDING_KEY_ONLY = 1,  /* a relay with a stolen key is possible */
    ATLS_BINDING_HANDSHAKE = 2, /* handshake nonce + key */
    ATLS_BINDING_SESSION = 3    /* exporter + key + role */
} atls_binding_kind;

#define ATLS_NONCE_MAX 1024 /* bytes */
typedef struct atls_expected {
    bool has_report_data;
    uint8_t report_data[64]; /* compared with the whole signed field; Nitro: its nonce */
    bool has_short_data;     /* what stands in for report_data where there is less room */
    uint8_t short_data[32];  /* compared with a TPM's qualifying data, or as hex with a token's nonce */
    atls_buf spki;           /* Nitro: its public key; empty: it must have none. Beside report_data only */
    bool has_nonce;          /* compared with the field made for it; SGX, TDX, SNP: as report_data */
    uint8_t nonce[ATLS_NONCE_MAX];
    size_t nonce_len;          /* SGX, TDX, SNP, CCA: shorter than the field, padded with zeros at the end */
    const char *nonce_text;    /* of a token: its nonce claim; NULL: not compared */
    const char *issuer;        /* of a token: equal to its issuer; NULL: not compared */
    const char *audience;      /* of a token: one of its audiences; NULL: not compared */
    bool has_leeway;
    uint32_t leeway_s;         /* of the times of a token or a Nitro document; without it 60 s */
    bool has_hardware_data;    /* evidence of a TPM and a hardware report: the report's own field, beside the nonce */
    uint8_t hardware_data[64];
    bool has_user_data;        /* Azure: user-data of the runtime data that the hardware report covers; Nitro: user data */
    uint8_t user_data[64];
    const char *event;         /* an event log's last runtime event of this name has event_data; NULL: not compared */
    atls_buf event_data;
    bool has_since;            /* when this very evidence was first seen: its age, where it has no time of its own */
    int64_t since_s;
    atls_binding_kind binding; /* what it means when the field is equal */
    const char *binding_line;  /* static text for people, beside the kind; NULL: the usual of the kind */
    const char *binding_name;  /* "atls/1": must be among those the policy accepts; NULL: none */
    const char *pki_name;      /* name which the TLS layer has verified by PKI; NULL: none */
} atls_expected;

/* --- the verifier: shared by threads; immutable after set-up but for its caches --- */
typedef struct atls_verifier atls_verifier;
typedef struct atls_verdict atls_verdict;

typedef enum atls_family {
    ATLS_FAMILY_INTEL = 0,
    ATLS_FAMILY_AMD,
    ATLS_FAMILY_AWS,
    ATLS_FAMILY_GOOGLE,
    ATLS_FAMILY_TPM,
    ATLS_FAMILY_CCA
} atls_family;

ATLS_API atls_verifier *atls_verifier_new(void); /* NULL: no memory */
ATLS_API void atls_verifier_free(atls_verifier *v);
/* Without a policy the built-in rule applies (contract, `atls verify`). */
ATLS_API ATLS_MUST_USE atls_code atls_verifier_set1_policy(atls_verifier *v, const atls_policy *policy,
                                                           atls_err *err);
/* May be called often: the item that fits the evidence (FMSPC, TEE) is chosen. At most 1024. */
ATLS_API ATLS_MUST_USE atls_code atls_verifier_add1_collateral(atls_verifier *v,
                                                               const atls_collateral *collateral,
                                                               atls_err *err);
/* What stands beside evidence (at most 4 MiB): certificates in PEM or DER, an SNP certificate table, AMD CRLs, a
 * JWK or JWK set, CCA trust anchors (Veraison's JSON), a TPM's public area, public keys in PEM; recognised by its
 * bytes. Certificates and CRLs are judged in each verification, and are never roots. A raw key is what the caller
 * vouches for: JWKs for tokens, trust anchors for CCA, public areas and PEM keys for a TPM's quotes, and none for
 * anything else. ATLS_E_INVALID "endorsement....". */
ATLS_API ATLS_MUST_USE atls_code atls_verifier_add1_endorsement(atls_verifier *v, atls_buf bytes,
                                                                atls_err *err);
/* Replaces the pinned vendor root of that one family (one or more certificates, PEM or DER). */
ATLS_API ATLS_MUST_USE atls_code atls_verifier_set1_root(atls_verifier *v, atls_family family,
                                                         atls_buf certs, atls_err *err);
/* Trusts a simulator's root beside the vendor's. Every verdict under it says "simulated". */
ATLS_API ATLS_MUST_USE atls_code atls_verifier_insecure_trust_simulator(atls_verifier *v,
                                                                        atls_buf certs, atls_err *err);
/* Takes the unsigned "dummy" evidence of test peers, which proves nothing; every verdict says "simulated". */
ATLS_API void atls_verifier_insecure_accept_dummy(atls_verifier *v);
/* Forgets every cached key, chain and parsed item; for measuring. Not while others verify. */
ATLS_API void atls_verifier_drop_caches(atls_verifier *v);

/* Judges evidence as of when_s (seconds since 1970). expected may be NULL. Always returns a verdict,
 * which the caller frees, but for lack of memory (NULL, err says so). Safe from many threads. */
ATLS_API ATLS_MUST_USE atls_verdict *atls_verifier_check(const atls_verifier *v,
                                                         const atls_evidence *evidence,
                                                         const atls_expected *expected, int64_t when_s,
                                                         atls_err *err);

/* Judges a certificate (PEM, of which the first, or DER, at most 1 MiB) that carries evidence: the evidence as above, bound to the certificate's
 * key as the dialect wants it, and the certificate's own signature and dates ("certificate....": a chain is not judged).
 * bindings: dialects that may be in it, separated by commas; NULL: "ra-tls". What else is expected (a nonce) may be given. */
ATLS_API ATLS_MUST_USE atls_verdict *atls_verifier_check_certificate(const atls_verifier *v, atls_buf certificate,
                                                                     const char *bindings,
                                                                     const atls_expected *expected,
                                                                     int64_t when_s, atls_err *err);

/* The refusal of evidence that could not be handed to a verifier (a bundle that cannot be parsed, a file too
 * large), so that it is told like any other: why is its one check; why->code is 3 to 6. The caller frees it.
 * NULL: no memory. */
ATLS_API ATLS_MUST_USE atls_verdict *atls_verdict_refusal(const atls_err *why, int64_t when_s);

/* --- the verdict: immutable; strings are lent and live as long as it --- */
ATLS_API void atls_verdict_free(atls_verdict *r);
ATLS_API bool atls_verdict_accepted(const atls_verdict *r);
ATLS_API atls_code atls_verdict_code(const atls_verdict *r);
ATLS_API const char *atls_verdict_format(const atls_verdict *r);   /* "tdx"; "unknown" */
ATLS_API const char *atls_verdict_check(const atls_verdict *r);    /* deciding check id; "" if accepted */
ATLS_API const char *atls_verdict_message(const atls_verdict *r);  /* one sentence */
ATLS_API const char *atls_verdict_workload(const atls_verdict *r); /* that it fits; "" if refused */
ATLS_API const char *atls_verdict_binding(const atls_verdict *r);   /* "session", "handshake", "key", "none" */
/* What that proves and what not, for people: the dialect's words, or the kind's. */
ATLS_API const char *atls_verdict_binding_line(const atls_verdict *r);
ATLS_API const char *atls_verdict_identity(const atls_verdict *r);  /* "name by PKI", ..., "none" */
ATLS_API const char *atls_verdict_freshness(const atls_verdict *r); /* "this connection", ..., "none" */
ATLS_API bool atls_verdict_simulated(const atls_verdict *r);
/* The time (seconds since 1970) until which this verdict may stand: first expiry of what it rests on,
 * and the policy's maximum evidence age. INT64_MAX if nothing limits it. */
ATLS_API int64_t atls_verdict_expires(const atls_verdict *r);
/* Re-attestation interval of the matched workload in seconds; 0: none set. */
ATLS_API uint32_t atls_verdict_reattest_s(const atls_verdict *r);
/* Does the matched workload let the peer's TLS key differ from the attested one (`two_keys`)? */
ATLS_API bool atls_verdict_two_keys(const atls_verdict *r);
/* Do both name the same workload, evidence family and platform (platform unless policy allows a move)? */
ATLS_API bool atls_verdict_same_peer(const atls_verdict *a, const atls_verdict *b);
/* Public-key signature verifications this verdict made (cached ones not counted). */
ATLS_API unsigned atls_verdict_signatures(const atls_verdict *r);

#define ATLS_CHECK_TEXT_LEN 512
typedef struct atls_check_line { /* one line of the ledger; pointers are lent by the verdict */
    const char *id;
    const char *result;           /* "ok", "fail", "skipped" */
    const char *because, *remedy; /* of a skipped, of a fail; "" otherwise */
    atls_code code;               /* of a fail */
    char found[ATLS_CHECK_TEXT_LEN], wanted[ATLS_CHECK_TEXT_LEN]; /* "" where there is none; printable ASCII */
} atls_check_line;
ATLS_API size_t atls_verdict_checks(const atls_verdict *r);
ATLS_API bool atls_verdict_check_at(const atls_verdict *r, size_t i, atls_check_line *out);

/* The JSON object of the contract on one line, with NUL; the caller frees it with atls_free. */
ATLS_API char *atls_verdict_json(const atls_verdict *r);
/* A short table for people: what runs there, on what, how fresh, bound to what, whose, and each failed
 * check with what to do. with_ledger prints every check. The caller frees it with atls_free. */
ATLS_API char *atls_verdict_text(const atls_verdict *r, bool with_ledger);

#endif
