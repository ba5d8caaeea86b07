/* certificate.h: certificates that carry evidence in an extension: what all dialects do alike. */
#ifndef ATLS_BINDING_CERTIFICATE_H
#define ATLS_BINDING_CERTIFICATE_H

#include "binding/binding.h"

#define ATLS_CARRIER_MAX_LEN (1u << 20) /* bytes of a certificate */

/* --- reading --- */
typedef struct atls_carrier { /* a certificate taken apart; views point into der */
    X509 *x509;               /* owned */
    atls_buf der, spki;       /* spki: as it stands there */
    int64_t not_before_s, not_after_s;
    bool self_issued; /* issuer and subject are equal */
} atls_carrier;
/* All of the bytes. ATLS_E_INVALID "certificate.malformed" / ".version" / ".duplicate" (two extensions of one OID). */
ATLS_MUST_USE atls_code atls_carrier_parse(atls_buf der, atls_carrier *out, atls_err *err);
/* The same of one that OpenSSL has decoded from these very bytes (a reference is taken): decoding costs more than judging. */
ATLS_MUST_USE atls_code atls_carrier_of(X509 *x509, atls_buf der, atls_carrier *out, atls_err *err);
void atls_carrier_clear(atls_carrier *c);
/* The content of extnValue of the extension whose OID has this content (without tag and length). False: not there. */
bool atls_carrier_extension(const atls_carrier *c, atls_buf oid, atls_buf *value, bool *critical);
/* The content of one DER value that is all of value, and whose first byte is tag (0x04, 0x0c, 0x30). */
bool atls_der_content(atls_buf value, uint8_t tag, atls_buf *content);
/* Peels one DER OCTET STRING that is all of value. */
bool atls_der_octets(atls_buf value, atls_buf *content);

/* What a verifier asks of a peer's certificate that no PKI vouches for: self-signed, and the signature holds
 * (ATLS_E_INVALID "certificate.signature"); within its dates at when_s (ATLS_E_BINDING "certificate.time"); no critical
 * extension beside the basic ones and those in `known` (NULL behind the last; contents of OIDs), "certificate.critical". */
ATLS_MUST_USE atls_code atls_carrier_check(const atls_carrier *c, int64_t when_s,
                                           const atls_buf *known, size_t known_n, atls_err *err);
/* Each of the three alone. */
ATLS_MUST_USE atls_code atls_carrier_check_signature(const atls_carrier *c, atls_err *err);
ATLS_MUST_USE atls_code atls_carrier_check_time(const atls_carrier *c, int64_t when_s,
                                                atls_err *err);
ATLS_MUST_USE atls_code atls_carrier_check_critical(const atls_carrier *c, const atls_buf *known,
                                                    size_t known_n, atls_err *err);

/* exchange() of a dialect whose evidence is in the certificate: the peer's leaf is checked as above (its signature and
 * dates not where PKI did so), read by binding->read_certificate, judged. Evidence that is not there is
 * ATLS_E_POLICY "session.no_evidence". Without asks it is DONE at once. */
ATLS_MUST_USE atls_code atls_certificate_exchange(atls_link *link, atls_step *next, atls_err *err);

/* --- making --- */
typedef struct atls_certificate_extension {
    atls_buf oid;   /* content of the OID */
    atls_buf value; /* content of extnValue */
} atls_certificate_extension;

typedef struct atls_certificate_plan {
    const char *common_name, *organization, *country; /* UTF-8 or printable; NULL: left out */
    bool cn_last;   /* the RDNs are C, O, CN; otherwise CN, O, C */
    bool printable; /* PrintableString for every name; otherwise UTF8String */
    int64_t not_before_s, not_after_s;
    bool random_serial; /* 127 random bits; otherwise 1 */
    bool
        basic; /* basicConstraints CA:FALSE, subject and authority key identifiers, before the others */
    const char *dns_name;                         /* subjectAltName; NULL: none */
    bool eku_both;                                /* extended key usage: server and client */
    const atls_certificate_extension *extensions; /* not critical, in this order */
    size_t extensions_n;
    X509 *
        blank; /* taken: one made before by the same plan but for serial, dates and extensions, around the same key,
                  * which nobody refers to any more; NULL: none. To encode a key costs more than all the rest. */
} atls_certificate_plan;
/* Version 3, signed by key itself, with SHA-256 (Ed25519: none). The caller frees *out; plan->blank is gone either way. */
ATLS_MUST_USE atls_code atls_certificate_make(const atls_certificate_plan *plan, EVP_PKEY *key,
                                              X509 **out, atls_err *err);

#endif
