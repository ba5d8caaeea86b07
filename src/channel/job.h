/* job.h: a slow step which the caller may run in a thread of its own: getting a quote, or collateral. */
#ifndef ATLS_CHANNEL_JOB_H
#define ATLS_CHANNEL_JOB_H

#include <stdatomic.h>

#include <atls/session.h>

typedef enum atls_job_state { JOB_NONE = 0, JOB_READY, JOB_RUNNING, JOB_DONE } atls_job_state;

/* From READY until DONE all but state belongs to the thread that runs it; before and after, to the session. */
struct atls_job {
    _Atomic int state;
    atls_code (*work)(atls_job *job, atls_err *err); /* NULL: the attester is asked */
    const atls_attester *attester;
    atls_report_data data; /* its key belongs to the configuration */
    atls_evidence_blob evidence;
    atls_code code;
    atls_err err;
};

void atls_job_prepare(atls_job *job, const atls_attester *attester, const atls_report_data *data);
/* Other work than an attester's; what it needs stands around the job. */
void atls_job_prepare_work(atls_job *job, atls_code (*work)(atls_job *job, atls_err *err));
atls_job_state atls_job_look(const atls_job *job);
void atls_job_clear(atls_job *job); /* forgets the evidence; not while it runs */

#endif
