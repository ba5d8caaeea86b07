#include "channel/job.h"

#include <string.h>

void atls_job_prepare(atls_job *job, const atls_attester *attester, const atls_report_data *data)
{
    atls_job_clear(job);
    job->work = NULL;
    job->attester = attester;
    job->data = *data;
    atomic_store(&job->state, JOB_READY);
}

void atls_job_prepare_work(atls_job *job, atls_code (*work)(atls_job *job, atls_err *err))
{
    atls_job_clear(job);
    job->work = work;
    atomic_store(&job->state, JOB_READY);
}

atls_job_state atls_job_look(const atls_job *job)
{
    return (atls_job_state)atomic_load(&job->state);
}

void atls_job_clear(atls_job *job)
{
    atls_evidence_blob_clear(&job->evidence);
    memset(&job->evidence, 0, sizeof job->evidence);
    memset(&job->err, 0, sizeof job->err);
    job->code = ATLS_OK;
    atomic_store(&job->state, JOB_NONE);
}

void atls_job_run(atls_job *job)
{
    int ready = JOB_READY;
    if (job == NULL || !atomic_compare_exchange_strong(&job->state, &ready, JOB_RUNNING)) {
        return; /* another thread has it, or it is done: a job is run once */
    }
    job->code = job->work != NULL ? job->work(job, &job->err)
                                  : job->attester->attest(job->attester->self, &job->data,
                                                          &job->evidence, &job->err);
    atomic_store(&job->state, JOB_DONE);
}
