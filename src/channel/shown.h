/* shown.h: what sessions of one configuration keep for each other, behind a lock: our certificates around evidence that
 * serve for more than one connection, blanks of those that do not, and when evidence of a peer was first seen. */
#ifndef ATLS_CHANNEL_SHOWN_H
#define ATLS_CHANNEL_SHOWN_H

#include "binding/binding.h"

typedef struct atls_shown atls_shown;

atls_shown *atls_shown_new(void); /* NULL: no memory */
void atls_shown_free(atls_shown *shown);

/* The certificate kept for that dialect, with its key (references of the caller's), if it still serves at when_s. One that is due
 * serves on while somebody makes the next: *due tells exactly one caller to do so. */
bool atls_shown_get(atls_shown *shown, const atls_binding *binding, int64_t when_s, X509 **leaf,
                    EVP_PKEY **key, bool *due);
/* Keeps another (references are taken): it is due at until_s, and serves until its notAfter. */
void atls_shown_put(atls_shown *shown, const atls_binding *binding, X509 *leaf, EVP_PKEY *key,
                    int64_t until_s);
/* The one who was told *due has failed: somebody else may try. */
void atls_shown_gave_up(atls_shown *shown, const atls_binding *binding);

/* Certificates made for one connection, when it is over, to be made anew for the next. Taken out, a blank is the caller's;
 * given back, it is ours, and nobody else may refer to it. NULL: none of that dialect and key. */
X509 *atls_shown_blank(atls_shown *shown, const atls_binding *binding, const EVP_PKEY *key);
void atls_shown_give_blank(atls_shown *shown, const atls_binding *binding, X509 *blank);

/* Did the signature of the peer's certificate of this SHA-256 hold under its own key (atls_carrier_check_signature)? It holds
 * for these bytes for ever; dates and policy are no part of it. The table is bounded, and forgets: then it is checked again. */
bool atls_shown_knows_signature(atls_shown *shown, const uint8_t sha256[32]);
void atls_shown_learn_signature(atls_shown *shown, const uint8_t sha256[32]);

/* When a peer's evidence of this SHA-256 was first accepted: now, if it was not. Nothing is added. */
int64_t atls_shown_first_seen(atls_shown *shown, const uint8_t sha256[32], int64_t when_s);
/* It has been accepted. The table is bounded: what was seen least lately makes room. */
void atls_shown_remember(atls_shown *shown, const uint8_t sha256[32], int64_t when_s);

#endif
