/* store.h: collateral at hand: what vendors sign and a verification needs, in memory over a directory.
 *
 * A store takes only what holds under its roots, and never goes back: it keeps floors (highest numbers, newest issue
 * dates) and refuses what is below them. Verifiers that are attached see each change at once, whole, and never wait.
 * Safe from many threads; a directory may be shared by many processes. Opens no connection: <atls/fetch.h> does. */
#ifndef ATLS_STORE_H
#define ATLS_STORE_H

#include <atls/attester.h>
#include <atls/verifier.h>

typedef struct atls_store atls_store;

/* --- items --- */

/* What an item is for, as text (docs/collateral.md has the table):
 *   intel/tcb/TEE/FMSPC[/early|/N]   TCB info; TEE sgx or tdx; FMSPC 12 hex digits; N a tcbEvaluationDataNumber
 *   intel/qe/TEE[/early|/N]          identity of the quoting enclave
 *   intel/pckcrl/CA                  PCK CRL; CA platform or processor
 *   intel/rootcrl                    CRL of the root
 *   intel/pck/QEID/CPUSVN/PCESVN/PCEID   PCK certificate chain of a platform (32, 32, 4, 4 hex digits)
 *   amd/vcek/PRODUCT/HWID/TCB        VCEK; PRODUCT Milan, Genoa, Turin; HWID 128 hex digits (Turin 16); TCB 16
 *   amd/chain/SIGNER/PRODUCT         ASK or ASVK, and ARK; SIGNER vcek or vlek
 *   amd/crl/SIGNER/PRODUCT           CRL of the product's ARK
 *   jwks/ISSUER                      JWK set of an issuer of tokens (its URL, with all but [A-Za-z0-9._~-] percent-encoded)
 * Hex digits are lower case. */
#define ATLS_ITEM_KEY_LEN 320 /* with NUL */

/* One thing as it was delivered. Everything borrowed. */
typedef struct atls_item {
    const char *key;
    atls_buf
        chain; /* PEM, the signing certificate first, then those above it; empty where a kind has none */
    atls_buf
        body; /* TCB info, identities: the whole JSON body; CRLs, VCEK: DER; chains: PEM; JWK sets: JSON */
} atls_item;
#define ATLS_ITEM_BODY_MAX  ((size_t)4 << 20)  /* bytes */
#define ATLS_ITEM_CHAIN_MAX ((size_t)32 << 10) /* bytes */

/* Where an item comes from: that decides what it may be. JWK sets are roots in effect: only fetched ones are taken. */
typedef enum atls_item_source {
    ATLS_ITEM_FETCHED = 0, /* from a configured origin, over verified TLS */
    ATLS_ITEM_STAPLED,     /* beside evidence */
    ATLS_ITEM_IMPORTED,    /* from a file or bundle */
    ATLS_ITEM_SHARED       /* from the fleet's second level */
} atls_item_source;

/* What holds of an item; strings are of the struct. Times in seconds since 1970. */
typedef struct atls_item_status {
    char key[ATLS_ITEM_KEY_LEN];
    uint8_t sha256[32];      /* of its encoding: its name in the directory */
    uint8_t root_sha256[32]; /* the root it holds under; zero: none (JWK sets) */
    bool simulated;          /* a simulator's */
    bool has_number;
    uint64_t number;       /* tcbEvaluationDataNumber, CRLNumber */
    int64_t issued_s;      /* issueDate, thisUpdate, notBefore */
    int64_t next_update_s; /* nextUpdate, notAfter; INT64_MAX: it has none */
    int64_t expires_s;     /* the first end among it and its chain; a JWK set's: a week after it was last taken */
    int64_t taken_s;
    atls_item_source source;
    char from[200]; /* origin, file or host, for people */
    int64_t
        unreachable_since_s; /* its origins have not answered since then; 0: they have, or were not asked */
} atls_item_status;

/* --- the store --- */

/* dir: made (0700) if it is not there; NULL: memory only. ATLS_E_SYSTEM "store...."; a file in it that cannot be read
 * or does not hold is passed over, told by atls_store_note, and fetched anew. Roots as in a verifier: the pinned ones
 * until they are replaced. Set them before the first item is asked for. */
ATLS_API ATLS_MUST_USE atls_code atls_store_open(const char *dir, atls_store **out, atls_err *err);
ATLS_API void atls_store_free(atls_store *store); /* after the verifiers it is attached to */
ATLS_API ATLS_MUST_USE atls_code atls_store_set1_root(atls_store *store, atls_family family,
                                                      atls_buf certs, atls_err *err);
ATLS_API ATLS_MUST_USE atls_code atls_store_insecure_trust_simulator(atls_store *store,
                                                                     atls_buf certs, atls_err *err);

/* Reads what is in the directory, judged as of when_s; also later, to see what other processes have taken since. */
ATLS_API ATLS_MUST_USE atls_code atls_store_load(atls_store *store, int64_t when_s, atls_err *err);

/* Takes an item, if it is what its key says, holds under the roots, is in its time as of when_s and not below its floor. When
 * this returns ATLS_OK it is on disk and verifiers see it. The same bytes again, or an older one that is not below
 * the floor only because the floor is its own: ATLS_OK, nothing changes.
 * ATLS_E_INVALID (malformed, wrongly signed, of something else), ATLS_E_COLLATERAL (out of its time; going back:
 * "collateral.rollback"), ATLS_E_SYSTEM (could not be written: "store.write"; memory has it then nevertheless). */
ATLS_API ATLS_MUST_USE atls_code atls_store_take(atls_store *store, const atls_item *item,
                                                 atls_item_source source, const char *from,
                                                 int64_t when_s, atls_err *err);
/* What came with evidence (stapled collateral; the certificates and CRLs of an SNP table), each as above: those that
 * do not hold are left. *taken: how many were new. */
ATLS_API ATLS_MUST_USE atls_code atls_store_take_evidence(atls_store *store,
                                                          const atls_evidence *evidence,
                                                          int64_t when_s, size_t *taken,
                                                          atls_err *err);
/* One JSON object of the contract (`--collateral FILE`), each of its parts as above, all that hold. None does: why the first
 * does not. */
ATLS_API ATLS_MUST_USE atls_code atls_store_take_json(atls_store *store, atls_buf json,
                                                      const char *from, int64_t when_s,
                                                      size_t *taken, atls_err *err);

/* An item that is held. The views of *out live until atls_held_free. False: there is none. */
typedef struct atls_held atls_held;
ATLS_API bool atls_store_get(const atls_store *store, const char *key, atls_held **out);
ATLS_API void atls_held_item(const atls_held *held, atls_item *out);
ATLS_API void atls_held_status(const atls_held *held, atls_item_status *out);
ATLS_API void atls_held_free(atls_held *held);
/* The i-th of all, in the order of keys, as of now; false: i is past the end. */
ATLS_API bool atls_store_at(const atls_store *store, size_t i, atls_item_status *out);

/* A fetch of that key found no origin that answered (since when_s), or one that did (reachable). The policy's grace, and
 * atls_item_status, rest on it. Items that are not there are fine. */
ATLS_API void atls_store_set_reachable(atls_store *store, const char *key, bool reachable,
                                       int64_t when_s);

/* The newest time that anything taken was signed at: no clock is right that is behind it. 0: none. */
ATLS_API int64_t atls_store_clock_floor(const atls_store *store);
/* What was noticed and is for people: files passed over, a lost floors file, writes that failed. NULL after the last. */
ATLS_API const char *atls_store_note(const atls_store *store, size_t i);

/* --- verifiers --- */

/* v sees from now on what the store has, beside what it was given itself. live: the times that v is told are the
 * clock's, so a time before the store's clock floor is refused ("clock.before_floor"), and so is collateral below its
 * floors, wherever it came from ("collateral.rollback"). Not live: evidence is judged as of another time.
 * The store must outlive v. */
ATLS_API ATLS_MUST_USE atls_code atls_verifier_set0_store(atls_verifier *v, const atls_store *store,
                                                          bool live, atls_err *err);

/* What a verification of evidence rests on that a store could have: keys, best first. Nothing is judged: the keys are
 * what hostile bytes say. n is 0 for evidence that carries all it needs, or cannot be read. */
#define ATLS_NEEDS_MAX 8
typedef struct atls_needs {
    size_t n;
    char keys[ATLS_NEEDS_MAX][ATLS_ITEM_KEY_LEN];
} atls_needs;
ATLS_API void atls_evidence_needs(const atls_evidence *evidence, atls_needs *out);
/* Those of them that the store has not, or whose time is over as of when_s, remain. */
ATLS_API void atls_store_reduce_needs(const atls_store *store, atls_needs *needs, int64_t when_s);
/* As atls_evidence_needs. A quote that only names its PCK certificate tells no more than that one's key; if the store holds
 * it, the keys that follow from it stand behind. */
ATLS_API void atls_store_needs(const atls_store *store, const atls_evidence *evidence,
                               atls_needs *out);
/* Brings what these keys name into a store, as atls_fetcher_get does; timeout_ms 0: its own limit. */
typedef atls_code atls_get_collateral(void *arg, const atls_needs *needs, uint32_t timeout_ms,
                                      atls_err *err);
/* What a verification of evidence lacks, into the store: out of the evidence itself, as far as it holds, and then by get
 * (NULL: from nowhere), which is asked a second time when what it brought tells of more; all within timeout_ms.
 * *gained: the store has more than before. The code is get's last one, or that of no memory. */
ATLS_API ATLS_MUST_USE atls_code atls_store_complete(atls_store *store,
                                                     const atls_evidence *evidence, int64_t when_s,
                                                     atls_get_collateral *get, void *arg,
                                                     uint32_t timeout_ms, bool *gained,
                                                     atls_err *err);

/* For the side that makes evidence: adds part "collateral" with what the store holds for a quote (types tdx, sgx), so that a
 * verifier without a network has it. False, and nothing is added: another type, one has the part already, the store has
 * not all of it in its time, or no memory. */
ATLS_API bool atls_store_staple(const atls_store *store, int64_t when_s, atls_evidence_blob *blob);

/* --- air gap --- */

/* All items of the store (NULL-terminated keys: only these) as one file, CRLs included; signed if key_pem (a private
 * key, P-256, P-384 or Ed25519) is given. The caller frees *out. */
ATLS_API ATLS_MUST_USE atls_code atls_store_bundle(const atls_store *store, const char *const *keys,
                                                   const atls_buf *key_pem, int64_t when_s,
                                                   uint8_t **out, size_t *len, atls_err *err);
/* Verifies a bundle whole (form, the operator's signature if public_pem is given, each item as in atls_store_take) before
 * anything changes; one item that does not hold refuses it all, but for one that is older than what the store has, which is
 * passed over. JWK sets in it are refused. */
ATLS_API ATLS_MUST_USE atls_code atls_store_import(atls_store *store, atls_buf bundle,
                                                   const atls_buf *public_pem, const char *from,
                                                   int64_t when_s, size_t *taken, atls_err *err);
/* Do these bytes begin as a bundle does? */
ATLS_API bool atls_store_bundle_looks(atls_buf bytes);

#endif
