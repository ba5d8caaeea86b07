/* cocos_payload.h: the JSON object that Cocos carries in cmw_attestation: evidence in base64, and a binder beside it, which
 * is the sender's word: it is compared, and proves nothing. */
#ifndef ATLS_BINDING_COCOS_PAYLOAD_H
#define ATLS_BINDING_COCOS_PAYLOAD_H

#include "binding/binding.h"

#define ATLS_COCOS_PAYLOAD_MAX 65529 /* bytes: what cmw_attestation has room for */
#define ATLS_COCOS_LABEL       "Attestation"
#define ATLS_COCOS_MEDIA_TYPE  "application/eat+cwt"

typedef struct atls_cocos_payload {
    atls_buf evidence;
    atls_buf aik_pub_hash; /* of the key in the authenticator */
    atls_buf binding;      /* of that key and the exporter */
    bool has_results;      /* attestation results came beside the evidence: not looked at */
} atls_cocos_payload;

/* As Go's encoding/json reads it: names in any case, unknown members passed over, version and media type not judged. What
 * is decoded lives in c. ATLS_E_INVALID "cocos.payload.json", ".member" (of another type than it has, no base64, or twice),
 * ".label" (another exporter label), ".binder" (one of its two members is not there), ".evidence" (none). Attestation
 * results without evidence: ATLS_E_BINDING "cocos.payload.results". */
ATLS_MUST_USE atls_code atls_cocos_payload_parse(atls_buf json, atls_carried *c,
                                                 atls_cocos_payload *out, atls_err *err);

/* As Go writes it: order of members, no white space, standard base64. *out is malloc'ed. ATLS_E_USAGE
 * "cocos.payload.size": more than ATLS_COCOS_PAYLOAD_MAX bytes. */
ATLS_MUST_USE atls_code atls_cocos_payload_write(const atls_cocos_payload *payload, uint8_t **out,
                                                 size_t *out_len, atls_err *err);

#endif
