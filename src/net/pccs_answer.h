/* pccs_answer.h: the other side of origin.h and response.h: a request in the PCCS's or KDS's own paths to a key, and a held
 * item to the answer that their clients expect. No connection, no store. */
#ifndef ATLS_NET_PCCS_ANSWER_H
#define ATLS_NET_PCCS_ANSWER_H

#include "base/reader.h"
#include "trust/item.h"
#include <atls/fetch.h>

#define ATLS_PCCS_PATH_MAX 2048 /* bytes of path and query */

typedef enum atls_pccs_form { ATLS_PCCS_AS_IS = 0, ATLS_PCCS_HEX, ATLS_PCCS_PEM } atls_pccs_form;

typedef struct atls_pccs_request {
    atls_item_name name;
    char key[ATLS_ITEM_KEY_LEN];
    atls_pccs_form form; /* of a CRL */
} atls_pccs_request;

/* path_and_query as on the request line, hostile. 200: *out is set. 400: its parameters are none; 404: there is no such
 * path; 405: not GET. Parameters that are not known are passed over, those that are stand once. JWK sets have no path here: they
 * are roots, and nobody takes them from a cache. */
int atls_pccs_request_read(const char *method, const char *path_and_query, atls_pccs_request *out);

/* The item with status 200. ATLS_E_INVALID "served.item": it is not in the form in which the store holds this kind. */
ATLS_MUST_USE atls_code atls_pccs_answer(const atls_pccs_request *request, const atls_item *item,
                                         atls_served *out, atls_err *err);
/* A refusal: status, and a line for whoever reads it. why: NULL for one of the statuses above, else why the item cannot be
 * had; then status is not looked at. request NULL: there is none. */
ATLS_MUST_USE atls_code atls_pccs_refuse(const atls_pccs_request *request, int status,
                                         const atls_err *why, atls_served *out, atls_err *err);

#endif
