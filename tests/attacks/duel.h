/* duel.h: a victim, who asks and shows, against an evil peer. */
#ifndef ATLS_TESTS_DUEL_H
#define ATLS_TESTS_DUEL_H

#include "attacks/evil.h"

typedef struct duel {
    rig_side victim;
    evil evil;
} duel;

/* o NULL: the victim asks and shows; e NULL: an evil peer as made by default. Asserts nothing. */
void duel_new_with(duel *d, atls_role victim, const rig_options *o, const evil_options *e);
/* The usual one; TLS is done. */
void duel_new(duel *d, atls_role victim);
void duel_free(duel *d);
/* The victim must end with this check, deliver and send nothing, and stay so. */
void duel_assert_ends(duel *d, atls_code code, const char *check);
/* Both requests and the victim's authenticator have passed: the evil one's is due. */
void duel_until_shown(duel *d);

#endif
