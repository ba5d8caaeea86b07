#include "sim/quote.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "sim/chain.h"
#include "sim/log.h"
#include "sim/report.h"

#define QUOTE_MAX  16384 /* bytes; a chain is about 3,000 of them */
#define HEADER_LEN 48
#define AUTH_MAX   256

/* The forms of a quote. */
typedef struct form {
    const char *name;
    uint16_t version;
    sim_tee tee;
    bool is_1_5;
    uint16_t body_type;  /* v5's descriptor */
    unsigned fault_type; /* SIM_IN_... */
} form;

static const form forms[] = {
    {"tdx", 4, SIM_TDX, false, 0, SIM_IN_TDX},  {"tdx5", 5, SIM_TDX, true, 3, SIM_IN_TDX5},
    {"sgx", 3, SIM_SGX, false, 0, SIM_IN_SGX},  {"tdx5-1.0", 5, SIM_TDX, false, 2, SIM_IN_TDX},
    {"sgx4", 4, SIM_SGX, false, 0, SIM_IN_SGX}, {"sgx5", 5, SIM_SGX, false, 1, SIM_IN_SGX},
};

/* What one preparation works with. */
typedef struct maker {
    const atls_sim *sim;
    const form *form;
    const sim_level *level;
    const sim_platform *platform;
    const sim_fault *fault;
    sim_quote_plan plan;
    const char *workload;
    bool debug;
    const char *log; /* "ccel", "dstack"; NULL: none */
    const char *log_fault;
    const char *certificate; /* text of the log's event; NULL: none */
    uint8_t rtmr[4][48];     /* with a log */
    sim_signer *attestation;
    uint8_t auth[AUTH_MAX];
    uint8_t qe_report[SIM_SGX_REPORT_LEN];
    uint8_t qe_signature[64];
    atls_writer w;
    sim_quote *out;
} maker;

static atls_code choose_log(maker *m, const atls_sim_quote *q, atls_err *err)
{
    m->log = q->event_log;
    if (m->log == NULL) {
        return ATLS_OK;
    }
    if (m->form->tee != SIM_TDX || (strcmp(m->log, "ccel") != 0 && strcmp(m->log, "dstack") != 0)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.event_log",
                        "no event log %.32s of a quote of type %s: a TDX quote has ccel or dstack",
                        m->log, m->form->name);
    }
    m->certificate = q->certificate_event;
    m->log_fault = sim_log_has_fault(m->log, q->fault) ? q->fault : NULL;
    return ATLS_OK;
}

static atls_code choose(maker *m, const atls_sim_quote *q, atls_err *err)
{
    const char *type = q->type == NULL ? "tdx" : q->type;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && m->form == NULL; i++) {
        m->form = strcmp(forms[i].name, type) == 0 ? &forms[i] : NULL;
    }
    if (m->form == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.type",
                        "no quote type %.32s: tdx, tdx5, tdx5-1.0, sgx, sgx4 and sgx5 are known",
                        type);
    }
    m->level = sim_level_by_status(q->tcb);
    if (m->level == NULL) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.tcb", "%.64s is no TCB status", q->tcb);
    }
    if ((m->form->tee == SIM_SGX && m->level->pck < 0) ||
        (m->level->needs_1_5 && !m->form->is_1_5)) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.tcb", "a quote of type %s cannot be %s: use tdx5",
                        type, m->level->status);
    }
    ATLS_TRY(choose_log(m, q, err));
    ATLS_TRY(sim_fault_by_name(m->log_fault == NULL ? q->fault : NULL, &m->fault, err));
    if (m->fault != NULL && m->fault->scope == SIM_OF_PLATFORM) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.fault",
                        "%s is a fault of the platform, not of one quote: make a simulator with it",
                        m->fault->name);
    }
    if (m->fault != NULL && (m->fault->types & m->form->fault_type) == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.fault", "a quote of type %s has no place for %s",
                        type, m->fault->name);
    }
    m->platform = &m->sim->platforms[m->form->tee == SIM_SGX ? m->level->pck : 0];
    m->workload = q->workload == NULL ? "demo" : q->workload;
    m->debug = q->debug;
    return ATLS_OK;
}

/* The attestation key that signs; the QE vouches for the simulator's own. */
static atls_code choose_key(maker *m, atls_err *err)
{
    m->attestation = m->sim->attestation;
    if (m->plan.key_replaced || m->plan.quote_signer_is_stranger) {
        ATLS_TRY(sim_signer_new_random(&m->out->own_signer, err));
        m->attestation = m->out->own_signer;
    }
    return ATLS_OK;
}

static bool qe_part_is_usual(const maker *m)
{
    return m->plan.auth_len == 32 && !m->plan.qe_signer_is_stranger && !m->plan.off_curve &&
           (m->fault == NULL || m->fault->scope != SIM_OF_BYTE || m->fault->part != SIM_QE_REPORT);
}

static void vouched_key(const maker *m, uint8_t xy[64])
{
    sim_signer_xy(m->sim->attestation, xy);
    xy[63] ^=
        m->plan.off_curve ? 1 : 0; /* only y and p - y fit x, and they differ in more than a bit */
}

static atls_code make_qe_part(maker *m, atls_err *err)
{
    uint8_t xy[64];
    for (size_t i = 0; i < AUTH_MAX; i++) {
        m->auth[i] = (uint8_t)i;
    }
    vouched_key(m, xy);
    ATLS_TRY(sim_qe_report(m->form->tee, xy, (atls_buf){m->auth, (size_t)m->plan.auth_len},
                           m->qe_report, err));
    sim_fault_apply_to_part(m->fault, SIM_QE_REPORT, m->qe_report, sizeof m->qe_report);
    const atls_buf report = {m->qe_report, sizeof m->qe_report};
    if (m->plan.qe_signer_is_stranger) {
        sim_signer *stranger = NULL;
        ATLS_TRY(sim_signer_new_random(&stranger, err));
        atls_code rc = sim_signer_sign(stranger, report, m->qe_signature, err);
        sim_signer_free(stranger);
        ATLS_TRY(rc);
    } else if (qe_part_is_usual(m)) {
        memcpy(m->qe_signature, m->platform->qe_report_signature[m->form->tee],
               sizeof m->qe_signature);
    } else {
        ATLS_TRY(sim_signer_sign(m->platform->pck, report, m->qe_signature, err));
    }
    if (m->plan.zero_qe_signature) {
        memset(m->qe_signature, 0, sizeof m->qe_signature);
    }
    return ATLS_OK;
}

/* Applies the fault to what was written since from. */
static void fault_since(maker *m, sim_part part, size_t from)
{
    if (atls_writer_ok(&m->w)) {
        sim_fault_apply_to_part(m->fault, part, m->w.ptr + from, m->w.len - from);
    }
}

static void put_header(maker *m)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    atls_writer_u16le(&m->w, m->form->version);
    atls_writer_u16le(&m->w, 2); /* ECDSA on P-256 */
    atls_writer_u32le(&m->w, m->form->tee == SIM_TDX ? 0x81 : 0);
    atls_writer_u16le(&m->w, m->form->version == 3 ? SIM_QE_CURRENT : 0);
    atls_writer_u16le(&m->w, m->form->version == 3 ? SIM_PCESVN : 0);
    atls_writer_bytes(&m->w, (atls_buf){vendor, sizeof vendor});
    atls_writer_bytes(&m->w, (atls_buf){m->sim->qe_id, sizeof m->sim->qe_id});
    atls_writer_zeros(&m->w, 4);
    fault_since(m, SIM_HEADER, 0);
}

static atls_code put_body(maker *m, atls_err *err)
{
    uint8_t body[SIM_TD_REPORT_1_5];
    size_t len = m->form->tee == SIM_SGX ? SIM_SGX_REPORT_LEN
                 : m->form->is_1_5       ? SIM_TD_REPORT_1_5
                                         : SIM_TD_REPORT_LEN;
    if (m->form->tee == SIM_SGX) {
        ATLS_TRY(sim_sgx_report(m->workload, m->level, m->debug, body, err));
    } else {
        ATLS_TRY(sim_td_report(m->workload, m->level, m->debug, m->form->is_1_5, body, err));
    }
    if (m->log != NULL) {
        memcpy(body + SIM_TD_REPORT_RTMR, m->rtmr, sizeof m->rtmr);
    }
    size_t from = m->w.len;
    if (m->form->version == 5) {
        atls_writer_u16le(&m->w, m->form->body_type);
        atls_writer_u32le(&m->w, (uint32_t)len);
        fault_since(m, SIM_DESCRIPTOR, from);
        from = m->w.len;
    }
    m->out->report_data_at =
        from + (m->form->tee == SIM_SGX ? SIM_SGX_REPORT_DATA : SIM_TD_REPORT_DATA);
    atls_writer_bytes(&m->w, (atls_buf){body, len});
    fault_since(m, SIM_BODY, from);
    m->out->signed_len = m->w.len;
    return ATLS_OK;
}

/* QE report, its signature, authentication data, certification data (intel-dcap 2.1, 2.2). */
static void put_qe_part(maker *m, atls_buf certification)
{
    size_t from;
    atls_writer_bytes(&m->w, (atls_buf){m->qe_report, sizeof m->qe_report});
    atls_writer_bytes(&m->w, (atls_buf){m->qe_signature, sizeof m->qe_signature});
    from = m->w.len;
    atls_writer_u16le(&m->w, (uint16_t)m->plan.auth_len);
    fault_since(m, SIM_AUTH_LEN, from);
    from = m->w.len;
    atls_writer_bytes(&m->w, (atls_buf){m->auth, (size_t)m->plan.auth_len});
    fault_since(m, SIM_AUTH, from);
    from = m->w.len;
    atls_writer_u16le(&m->w, (uint16_t)m->plan.certification_type);
    atls_writer_u32le(&m->w, (uint32_t)certification.len);
    fault_since(m, SIM_CERT_HEADER, from);
    atls_writer_bytes(&m->w, certification);
}

/* Signature data: a place for the signature, the key, and the QE's part. */
static void put_signature_data(maker *m, atls_buf certification)
{
    uint8_t xy[64];
    bool has_outer = m->form->version != 3 && !m->plan.bare_qe;
    size_t inner = SIM_SGX_REPORT_LEN + 64 + 2 + (size_t)m->plan.auth_len + 6 + certification.len;
    size_t from = m->w.len;
    atls_writer_u32le(&m->w, (uint32_t)(64 + 64 + (has_outer ? 6u : 0u) + inner));
    fault_since(m, SIM_SIGNATURE_LEN, from);
    m->out->signature_at = m->w.len;
    atls_writer_zeros(&m->w, 64);
    from = m->w.len;
    if (m->plan.key_replaced) {
        sim_signer_xy(m->attestation, xy);
    } else {
        vouched_key(m, xy); /* also when a stranger signs in its name */
    }
    atls_writer_bytes(&m->w, (atls_buf){xy, sizeof xy});
    fault_since(m, SIM_KEY, from);
    if (has_outer) {
        from = m->w.len;
        atls_writer_u16le(&m->w, 6);
        atls_writer_u32le(&m->w, (uint32_t)inner);
        fault_since(m, SIM_OUTER_HEADER, from);
    }
    put_qe_part(m, certification);
    atls_writer_zeros(&m->w, (size_t)m->plan.trailing);
}

static atls_code build(maker *m, atls_err *err)
{
    ATLS_TRY(choose_key(m, err));
    ATLS_TRY(make_qe_part(m, err));
    if (m->log != NULL) {
        ATLS_TRY(sim_log_rtmrs(m->log, m->workload, m->certificate, m->log_fault, m->rtmr,
                               &m->out->log, &m->out->log_len, err));
    }
    put_header(m);
    ATLS_TRY(put_body(m, err));
    char *certification = NULL;
    size_t len = 0;
    ATLS_TRY(sim_chain_make(m->sim, m->platform, &m->plan, &certification, &len, err));
    put_signature_data(m, (atls_buf){(const uint8_t *)certification, len});
    free(certification);
    if (!atls_writer_ok(&m->w)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "sim.crypto", "the quote needs more than %d bytes",
                        QUOTE_MAX);
    }
    m->out->len = m->w.len - (size_t)m->plan.cut;
    m->out->fault = m->fault;
    m->out->has_zero_signature = m->plan.zero_signature != 0;
    m->out->signer = m->attestation;
    m->out->tee = m->form->tee == SIM_TDX ? "tdx" : "sgx";
    return ATLS_OK;
}

atls_code sim_quote_prepare(const atls_sim *sim, const atls_sim_quote *q, sim_quote *out,
                            atls_err *err)
{
    sim_quote made = {0};
    maker m = {.sim = sim, .out = &made};
    sim_quote_plan_default(&m.plan);
    ATLS_TRY(choose(&m, q, err));
    sim_fault_apply_to_quote(m.fault, &m.plan);
    made.bytes = malloc(QUOTE_MAX);
    if (made.bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    m.w = atls_writer_of(made.bytes, QUOTE_MAX);
    atls_code rc = build(&m, err);
    if (rc != ATLS_OK) {
        sim_quote_clear(&made);
        return rc;
    }
    *out = made;
    return ATLS_OK;
}

void sim_quote_clear(sim_quote *q)
{
    free(q->bytes);
    free(q->log);
    sim_signer_free(q->own_signer);
    memset(q, 0, sizeof *q);
}

atls_code sim_quote_sign(const sim_quote *q, const uint8_t report_data[64], uint8_t **out,
                         atls_err *err)
{
    uint8_t *bytes = malloc(q->len);
    if (bytes == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    memcpy(bytes, q->bytes, q->len);
    memcpy(bytes + q->report_data_at, report_data, 64);
    uint8_t *signature = bytes + q->signature_at;
    atls_code rc = sim_signer_sign(q->signer, (atls_buf){bytes, q->signed_len}, signature, err);
    if (rc != ATLS_OK) {
        free(bytes);
        return rc;
    }
    if (q->has_zero_signature) {
        memset(signature, 0, 64);
    }
    sim_fault_apply_to_part(q->fault, SIM_SIGNED, bytes, q->signed_len);
    sim_fault_apply_to_part(q->fault, SIM_SIGNATURE, signature, 64);
    *out = bytes;
    return ATLS_OK;
}
