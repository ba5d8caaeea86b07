/* constellation_document.h: the documents in which Constellation carries evidence, one form a variant of platform, and what
 * they repeat of a connection:
 *
 *   user data  = SHA-256(SubjectPublicKeyInfo)
 *   extra data = SHA-256(user data || nonce)
 *   TPM nonce  = SHA-256(InstanceInfo || extra data), InstanceInfo as its bytes stand in the document
 *
 * Nothing in a document is believed here: it is laid out as evidence of our types, and what that must say is computed from
 * the nonce and the key that the caller knows. */
#ifndef ATLS_BINDING_CONSTELLATION_DOCUMENT_H
#define ATLS_BINDING_CONSTELLATION_DOCUMENT_H

#include "binding/binding.h"

#define ATLS_CONSTELLATION_DOCUMENT_MAX ((size_t)1 << 20)

typedef enum atls_constellation_form {
    ATLS_CONSTELLATION_DUMMY = 0, /* nothing is signed */
    ATLS_CONSTELLATION_TPM,       /* a vTPM's quote, and nothing that vouches for its key */
    ATLS_CONSTELLATION_AK_CERT,   /* with a certificate of its key */
    ATLS_CONSTELLATION_AZURE_SNP,
    ATLS_CONSTELLATION_AZURE_TDX,
    ATLS_CONSTELLATION_GCP_SNP, /* the report repeats the extra data */
    ATLS_CONSTELLATION_AWS_SNP, /* the report covers the TPM's key */
    ATLS_CONSTELLATION_TDX
} atls_constellation_form;

typedef struct atls_constellation_variant {
    const char *name; /* "azure-sev-snp" */
    uint8_t oid[5];   /* content of its OID */
    atls_constellation_form form;
    bool usual;       /* taken unless an option says otherwise */
    const char *type; /* of evidence that is shown as this variant */
} atls_constellation_variant;

/* Every variant there is; NULL past the end. */
const atls_constellation_variant *atls_constellation_variant_at(size_t i);
const atls_constellation_variant *atls_constellation_variant_find(atls_buf name);

ATLS_MUST_USE atls_code atls_constellation_user_data(atls_buf spki, uint8_t out[32], atls_err *err);
ATLS_MUST_USE atls_code atls_constellation_extra_data(const uint8_t user_data[32],
                                                      const uint8_t nonce[32], uint8_t out[32],
                                                      atls_err *err);
ATLS_MUST_USE atls_code atls_constellation_tpm_nonce(atls_buf instance_info,
                                                     const uint8_t extra_data[32], uint8_t out[32],
                                                     atls_err *err);

/* The evidence of a document, and what it must say, into *out (zeroed; set on success only; the caller clears it). JSON as Go
 * reads it: names in any case, other members passed over, null as nothing; but no member twice. ATLS_E_INVALID
 * "constellation.json" / ".member" / ".quote" / ".pcrs" / ".instance_info" / ".certificate"; ATLS_E_BINDING
 * "constellation.user_data" / ".nonce" (dummy). */
ATLS_MUST_USE atls_code atls_constellation_document_read(const atls_constellation_variant *variant,
                                                         atls_buf document,
                                                         const uint8_t user_data[32],
                                                         const uint8_t nonce[32], atls_carried *out,
                                                         atls_err *err);

/* InstanceInfo made of evidence of ours (malloc'ed, *len may be 0: null). given: for those variants whose content is no
 * evidence; NULL: none. ATLS_E_USAGE "constellation.evidence": it is not of a form that the variant has. */
ATLS_MUST_USE atls_code atls_constellation_instance_info(const atls_constellation_variant *variant,
                                                         const atls_link *link, const char *given,
                                                         uint8_t **out, size_t *len, atls_err *err);
/* The document around the evidence of the link: text with NUL, which the caller frees. */
ATLS_MUST_USE atls_code atls_constellation_document_write(
    const atls_constellation_variant *variant, const atls_link *link, atls_buf instance_info,
    const uint8_t user_data[32], const uint8_t nonce[32], char **out, atls_err *err);

#endif
