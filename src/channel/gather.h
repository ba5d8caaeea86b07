/* gather.h: collateral that the verification of a peer's evidence has found missing: gathered in a job, and then the evidence
 * is judged once more. */
#ifndef ATLS_CHANNEL_GATHER_H
#define ATLS_CHANNEL_GATHER_H

#include "channel/session.h"

/* The verdict on this evidence was code: is there a store, has it not been tried yet for this evidence, and lacks the store
 * anything that could be had? Of code 3 from anywhere; of evidence that is accepted, what was stapled to it, so that it is
 * kept. */
bool atls_gather_may_help(atls_session *s, atls_code code, const atls_evidence *evidence);
/* s->gather is a job then. The evidence's bytes must stay where they are until it is done. */
ATLS_MUST_USE atls_code atls_gather_start(atls_session *s, const atls_evidence *evidence,
                                          atls_err *err);
bool atls_gather_goes_on(const atls_session *s); /* and has not ended */
void atls_gather_free(atls_session *s); /* the evidence has been judged; not while the job runs */

#endif
