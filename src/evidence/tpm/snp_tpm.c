/* snp_tpm.c: a TPM that stands outside of the confidential VM, and the SNP report of that VM (Google, AWS). Two pieces of
 * evidence that could be of two machines; what ties them is one of
 *   - the report names the TPM's key: report data are SHA-512 of its SubjectPublicKeyInfo (AWS). The guest asked for that
 *     report, so this is the word of what runs there, not of a paravisor below it;
 *   - the caller wants report data of this very connection in the report, too (expected hardware_data; Google). The key
 *     then needs somebody who vouches for it, and both halves have answered the same question: that one machine did so is
 *     the provider's word. */
#include <string.h>

#include "base/err.h"
#include "evidence/log/log.h"
#include "evidence/tpm/quote.h"

#define REPORT_DATA_AT 0x50

static bool judge_report(const atls_tpm_case *c)
{
    static const char *const parts[][2] = {
        {"snp_report", "report"}, {"certs", "certs"}, {"vcek", "vcek"}};
    const atls_claims *claims = c->v->claims;
    atls_evidence e = {.type = "snp"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const atls_buf bytes = atls_evidence_part(c->v->evidence, parts[i][0]);
        if (bytes.ptr != NULL) {
            e.parts[e.parts_n].name = parts[i][1];
            e.parts[e.parts_n++].bytes = bytes;
        }
    }
    const bool good = atls_evidence_judge_inner(c->v, &atls_format_snp, &e);
    if (claims->tee != ATLS_TEE_SNP) {
        return false;
    }
    /* Where there is a paravisor after all, what runs above it could name any key. */
    return atls_judge(&c->j, "tpm.snp.vmpl", claims->as.snp.vmpl == 0, ATLS_E_INVALID,
                      "a report of another VMPL", "one of VMPL 0") &&
           good;
}

/* The key that the evidence names; NULL: none that can be decoded, which key.c will say. */
static atls_public_key *named_key(const atls_tpm_case *c)
{
    const atls_buf der = atls_evidence_part(c->v->evidence, "ak_cert");
    atls_public_key *key = NULL;
    atls_cert *cert = NULL;
    if (c->has_given) {
        (void)atls_judging_taken(&c->j, atls_tpm_given_key_decode(&c->given, &key, NULL));
    } else if (der.ptr != NULL && atls_judging_taken(&c->j, atls_cert_parse(der, &cert, NULL))) {
        (void)atls_judging_taken(&c->j, atls_cert_public_key(cert, &key, NULL));
    }
    atls_cert_free(cert);
    return key;
}

/* As the report's bytes have it: that they are signed is judged beside it. */
static bool names_key(const atls_tpm_case *c, const atls_public_key *key)
{
    const atls_buf spki = atls_public_key_spki(key);
    atls_reader r = atls_reader_of(atls_evidence_part(c->v->evidence, "snp_report"));
    uint8_t digest[64];
    (void)atls_reader_view(&r, REPORT_DATA_AT);
    return atls_judging_taken(&c->j, atls_digest(ATLS_SHA512, &spki, 1, digest, NULL)) &&
           atls_equal((atls_buf){digest, sizeof digest}, atls_reader_view(&r, sizeof digest));
}

/* A certificate beside a key that the report names has to be that key's. */
static bool judge_certificate(const atls_tpm_case *c, const atls_public_key *key)
{
    const atls_buf der = atls_evidence_part(c->v->evidence, "ak_cert");
    atls_cert *cert = NULL;
    if (der.ptr == NULL) {
        return true;
    }
    const bool same = atls_judging_taken(&c->j, atls_cert_parse(der, &cert, NULL)) &&
                      atls_equal(cert->spki, atls_public_key_spki(key));
    atls_cert_free(cert);
    return atls_judge(&c->j, "tpm.ak.differs", same, ATLS_E_INVALID,
                      "an ak_cert of a key that the report does not name", "one and the same key");
}

static void take_named(atls_tpm_case *c, atls_public_key *key, bool good)
{
    c->key = atls_public_key_up_ref(key);
    if (judge_certificate(c, key) && good) {
        c->trust = ATLS_AK_REPORT;
        atls_ledger_ok_found(c->j.l, "tpm.ak.trust",
                             atls_value_text("the hardware report names it"));
        atls_ledger_ok_found(c->j.l, "tpm.snp.link",
                             atls_value_text("the report names the TPM's key"));
    }
}

/* Whether the report has that data is judged with the rest of what is expected. */
static void judge_link(const atls_tpm_case *c)
{
    static const char id[] = "tpm.snp.link";
    if (c->v->expected->has_hardware_data) {
        atls_ledger_ok_found(c->j.l, id,
                             atls_value_text("report and quote have answered this connection; that "
                                             "they are of one machine is the provider's word"));
    } else {
        atls_ledger_fail(c->j.l, id, ATLS_E_BINDING,
                         atls_value_text("a report that does not name the TPM's key"),
                         atls_value_text("SHA-512 of its SubjectPublicKeyInfo as report data, or "
                                         "report data of this connection"));
    }
}

static void judge_key(atls_tpm_case *c, bool report_good)
{
    atls_public_key *key = named_key(c);
    if (key != NULL && names_key(c, key)) {
        take_named(c, key, report_good);
    } else {
        atls_tpm_case_judge_key(c);
        judge_link(c);
    }
    atls_public_key_free(key);
}

static void verify_snp_tpm(const atls_verification *v)
{
    atls_tpm_case c = {0};
    atls_claims *claims = v->claims;
    if (!atls_tpm_case_read(v, &c)) {
        return;
    }
    const bool report_good = judge_report(&c);
    judge_key(&c, report_good);
    claims->tee = ATLS_TEE_NONE; /* neither half alone is evidence of this type */
    claims->simulated =
        claims->simulated || c.attest.firmware_version == ATLS_TPM_SIMULATED_FIRMWARE;
    claims->custom_root = claims->custom_root ||
                          atls_root_set_replaced(atls_trust_roots(v->trust, ATLS_FAMILY_GOOGLE)) ||
                          atls_root_set_replaced(atls_trust_roots(v->trust, ATLS_FAMILY_TPM));
    if (atls_tpm_case_judge(&c, &claims->tpm) && report_good) {
        claims->tee = ATLS_TEE_SNP_TPM;
        claims->hardware = ATLS_TEE_SNP;
    }
    atls_log_judge_tpm(v);
    atls_tpm_case_clear(&c);
}

/* Its quote is a TPM's: only its type tells it from that of a TPM alone. */
static bool recognise_snp_tpm(atls_buf bytes)
{
    (void)bytes;
    return false;
}

const atls_format atls_format_snp_tpm = {"snp-tpm", ATLS_TEE_SNP_TPM, recognise_snp_tpm,
                                         verify_snp_tpm};
