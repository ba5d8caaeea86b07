#include "channel/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct gather {
    atls_job job; /* first: the job's work finds the rest */
    const atls_config *config;
    atls_evidence evidence; /* its bytes are the session's */
    bool keeps;             /* what is stapled, and asks nobody */
    uint32_t timeout_ms;
    int64_t when_s;
};

/* What fails here is told by the verdict on the evidence: as missing. */
static atls_code work(atls_job *job, atls_err *err)
{
    struct gather *g = (struct gather *)job;
    const atls_config *c = g->config;
    bool gained;
    return atls_store_complete(c->store, &g->evidence, g->when_s, g->keeps ? NULL : c->get,
                               c->get_arg, g->timeout_ms, &gained, err);
}

/* What is left of the time in which the peer's verdict is due. */
static uint32_t time_left(const atls_session *s)
{
    const uint64_t due = s->stage == STAGE_OPEN ? s->ask.answer_due : s->deadline_ms;
    const uint64_t left = due > s->now_ms ? due - s->now_ms : 1;
    return left < s->config->timeout_ms ? (uint32_t)left : s->config->timeout_ms;
}

static bool is_stapled(const atls_evidence *evidence)
{
    for (size_t i = 0; i < evidence->parts_n; i++) {
        const char *name = evidence->parts[i].name;
        if (name != NULL && (strcmp(name, "collateral") == 0 || strcmp(name, "certs") == 0)) {
            return true;
        }
    }
    return false;
}

bool atls_gather_may_help(atls_session *s, atls_code code, const atls_evidence *evidence)
{
    atls_needs needs;
    const bool keeps = code == ATLS_OK && is_stapled(evidence);
    if (s->config->store == NULL || s->gather != NULL || (code != ATLS_E_COLLATERAL && !keeps)) {
        return false;
    }
    s->gather_keeps = keeps;
    atls_store_needs(s->config->store, evidence, &needs);
    atls_store_reduce_needs(s->config->store, &needs, s->when_s);
    return needs.n > 0;
}

atls_code atls_gather_start(atls_session *s, const atls_evidence *evidence, atls_err *err)
{
    struct gather *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    g->config = s->config;
    g->evidence = *evidence;
    g->keeps = s->gather_keeps;
    g->timeout_ms = time_left(s);
    g->when_s = s->when_s;
    atls_job_prepare_work(&g->job, work);
    s->gather = &g->job;
    s->job_told = false;
    return ATLS_OK;
}

bool atls_gather_goes_on(const atls_session *s)
{
    return s->gather != NULL && atls_job_look(s->gather) != JOB_DONE;
}

void atls_gather_free(atls_session *s)
{
    free(s->gather);
    s->gather = NULL;
}
