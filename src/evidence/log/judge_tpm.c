#include "evidence/log/log.h"

void atls_log_judge_tpm(const atls_verification *v)
{
    const atls_buf log = atls_evidence_part(v->evidence, "event_log");
    const atls_buf ima = atls_evidence_part(v->evidence, "ima_log");
    const bool holds = v->claims->tee != ATLS_TEE_NONE;
    if (log.ptr != NULL && holds) {
        atls_log_judge_pcrs(log, v->claims->tpm.banks, v->l, &v->claims->log, v->anchor);
    } else if (log.ptr != NULL) {
        atls_ledger_skip(v->l, "log.replay", "the quote does not hold");
    }
    if (ima.ptr != NULL && holds) {
        atls_log_judge_ima(ima, v->claims->tpm.banks, v->l, &v->claims->ima, v->anchor);
    } else if (ima.ptr != NULL) {
        atls_ledger_skip(v->l, "log.ima.replay", "the quote does not hold");
    }
}
