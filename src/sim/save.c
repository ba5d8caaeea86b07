/* The simulator's state as JSON. Its private keys protect nothing: whoever wants others makes others. */
#include <atls/sim.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/err.h"
#include "base/hex.h"
#include "codec/json.h"
#include "sim/state.h"

#define STATE_MAX ((size_t)1 << 20) /* bytes; a state has about 70,000 */

static const char *const tee_names[SIM_TEES] = {[SIM_TDX] = "tdx", [SIM_SGX] = "sgx"};

static json_t *key_pem(const sim_signer *signer)
{
    BIO *bio = BIO_new(BIO_s_mem());
    json_t *text = NULL;
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, sim_signer_get0_key(signer), NULL, NULL,
                                                     0, NULL, NULL) == 1) {
        char *pem = NULL;
        long len = BIO_get_mem_data(bio, &pem);
        text = json_stringn(pem, (size_t)len);
    }
    BIO_free(bio);
    return text;
}

static json_t *hex(const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];
    atls_hex_encode((atls_buf){bytes, len}, text);
    return json_string(text);
}

static json_t *save_platforms(const atls_sim *sim)
{
    json_t *list = json_array();
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        const sim_platform *p = &sim->platforms[i];
        json_t *platform =
            json_pack("{s:s,s:s,s:o,s:o,s:o}", "tcb", sim_level_status(i), "pck", p->pck_pem, "key",
                      key_pem(p->pck), "td_qe_signature", hex(p->qe_report_signature[SIM_TDX], 64),
                      "qe_signature", hex(p->qe_report_signature[SIM_SGX], 64));
        if (json_array_append_new(list, platform) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Of those who sign collateral; null: none were kept. */
static json_t *save_signers(const atls_sim *sim)
{
    return sim->tcb_signing_pem == NULL
               ? json_null()
               : json_pack("{s:s,s:s,s:[o,o,o]}", "fmspc", sim->fmspc, "tcb_signing",
                           sim->tcb_signing_pem, "keys", key_pem(sim->signers[0]),
                           key_pem(sim->signers[1]), key_pem(sim->signers[2]));
}

atls_code atls_sim_save(const atls_sim *sim, char **out, atls_err *err)
{
    json_t *state = json_pack(
        "{s:i,s:I,s:s,s:s,s:s,s:s,s:o,s:o,s:{s:s,s:s},s:o,s:o}", "atls_sim", 1, "when",
        (json_int_t)sim->when_s, "fault", sim->fault, "root", sim->root_pem, "chain_root",
        sim->chain_root_pem, "ca", sim->ca_pem, "qe_id", hex(sim->qe_id, sizeof sim->qe_id),
        "attestation_key", key_pem(sim->attestation), "collateral", tee_names[SIM_TDX],
        sim->collateral[SIM_TDX], tee_names[SIM_SGX], sim->collateral[SIM_SGX], "platforms",
        save_platforms(sim), "signers", save_signers(sim));
    char *text = state == NULL ? NULL : atls_json_write(state, JSON_INDENT(1));
    json_decref(state);
    if (text == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    *out = text;
    return ATLS_OK;
}

static atls_code bad_state(const char *member, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "sim.state",
                    "the state's %s is missing or not what a simulator saves", member);
}

static atls_code load_text(const json_t *object, const char *member, char **out, atls_err *err)
{
    const char *text = json_string_value(json_object_get(object, member));
    if (text == NULL) {
        return bad_state(member, err);
    }
    *out = strdup(text);
    return *out == NULL ? ATLS_ERR_NOMEM(err) : ATLS_OK;
}

static atls_code load_hex(const json_t *object, const char *member, uint8_t *out, size_t len,
                          atls_err *err)
{
    const json_t *text = json_object_get(object, member);
    size_t got = 0;
    if (!json_is_string(text) ||
        !atls_hex_decode(json_string_value(text), json_string_length(text), out, len, &got) ||
        got != len) {
        return bad_state(member, err);
    }
    return ATLS_OK;
}

static atls_code load_key_text(const json_t *text, const char *member, sim_signer **out,
                               atls_err *err)
{
    if (!json_is_string(text)) {
        return bad_state(member, err);
    }
    BIO *bio = BIO_new_mem_buf(json_string_value(text), (int)json_string_length(text));
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    atls_code rc = key == NULL ? ATLS_E_SYSTEM : sim_signer_new(key, out, err);
    EVP_PKEY_free(key);
    return rc == ATLS_OK ? ATLS_OK : bad_state(member, err);
}

static atls_code load_key(const json_t *object, const char *member, sim_signer **out, atls_err *err)
{
    return load_key_text(json_object_get(object, member), member, out, err);
}

static atls_code load_signers(const json_t *signers, atls_sim *sim, atls_err *err)
{
    if (!json_is_object(signers)) {
        return ATLS_OK; /* with a fault, or of a version that kept none */
    }
    const json_t *keys = json_object_get(signers, "keys");
    for (size_t i = 0; i < SIM_SIGNERS; i++) {
        ATLS_TRY(load_key_text(json_array_get(keys, i), "signers", &sim->signers[i], err));
    }
    const char *fmspc = json_string_value(json_object_get(signers, "fmspc"));
    const size_t digits = fmspc != NULL ? strspn(fmspc, "0123456789ABCDEF") : 0; /* "": the usual */
    if (fmspc != NULL && (fmspc[digits] != '\0' || (digits != 0 && digits != 12))) {
        return bad_state("fmspc", err);
    }
    memcpy(sim->fmspc, fmspc != NULL ? fmspc : "", digits + 1);
    return load_text(signers, "tcb_signing", &sim->tcb_signing_pem, err);
}

static atls_code load_platforms(const json_t *list, atls_sim *sim, atls_err *err)
{
    if (json_array_size(list) != SIM_LEVELS) {
        return bad_state("platforms", err);
    }
    for (size_t i = 0; i < SIM_LEVELS; i++) {
        const json_t *from = json_array_get(list, i);
        sim_platform *to = &sim->platforms[i];
        const char *status = json_string_value(json_object_get(from, "tcb"));
        if (status == NULL || strcmp(status, sim_level_status(i)) != 0) {
            return bad_state("platforms", err);
        }
        ATLS_TRY(load_text(from, "pck", &to->pck_pem, err));
        ATLS_TRY(load_key(from, "key", &to->pck, err));
        ATLS_TRY(load_hex(from, "td_qe_signature", to->qe_report_signature[SIM_TDX], 64, err));
        ATLS_TRY(load_hex(from, "qe_signature", to->qe_report_signature[SIM_SGX], 64, err));
    }
    return ATLS_OK;
}

static atls_code load(const json_t *state, atls_sim *sim, atls_err *err)
{
    if (json_integer_value(json_object_get(state, "atls_sim")) != 1) {
        return bad_state("atls_sim", err);
    }
    const json_t *when = json_object_get(state, "when");
    const char *fault = json_string_value(json_object_get(state, "fault"));
    if (!json_is_integer(when) || fault == NULL || strlen(fault) >= sizeof sim->fault) {
        return bad_state("when or fault", err);
    }
    sim->when_s = json_integer_value(when);
    memcpy(sim->fault, fault, strlen(fault) + 1);
    ATLS_TRY(load_text(state, "root", &sim->root_pem, err));
    ATLS_TRY(load_text(state, "chain_root", &sim->chain_root_pem, err));
    ATLS_TRY(load_text(state, "ca", &sim->ca_pem, err));
    ATLS_TRY(load_hex(state, "qe_id", sim->qe_id, sizeof sim->qe_id, err));
    ATLS_TRY(load_key(state, "attestation_key", &sim->attestation, err));
    const json_t *collateral = json_object_get(state, "collateral");
    for (size_t i = 0; i < SIM_TEES; i++) {
        ATLS_TRY(load_text(collateral, tee_names[i], &sim->collateral[i], err));
    }
    ATLS_TRY(load_signers(json_object_get(state, "signers"), sim, err));
    ATLS_TRY(load_platforms(json_object_get(state, "platforms"), sim, err));
    return sim_vendor_restore(sim, err);
}

atls_code atls_sim_load(atls_buf json, atls_sim **out, atls_err *err)
{
    json_t *state = NULL;
    if (atls_json_parse(json, STATE_MAX, "sim.state", &state, err) != ATLS_OK) {
        return ATLS_ERR(err, ATLS_E_USAGE, "sim.state",
                        "the simulator's state is no JSON object that we know");
    }
    atls_sim *sim = calloc(1, sizeof *sim);
    atls_code rc = sim == NULL ? ATLS_ERR_NOMEM(err) : load(state, sim, err);
    json_decref(state);
    if (rc != ATLS_OK) {
        atls_sim_free(sim);
        return rc;
    }
    *out = sim;
    return ATLS_OK;
}
