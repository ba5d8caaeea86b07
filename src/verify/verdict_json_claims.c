/* What verified evidence says, under the names of the contract. */
#include "verify/verdict_json.h"

#include <stdio.h>
#include <string.h>

#define SET(o, claims, field) verdict_set_hex(o, #field, (claims)->field, sizeof(claims)->field)

/* --- Intel --- */

static void set_sgx(verdict_object *o, const atls_sgx_claims *c)
{
    SET(o, c, mrenclave);
    SET(o, c, mrsigner);
    verdict_set_number(o, "isvprodid", c->isvprodid);
    verdict_set_number(o, "isvsvn", c->isvsvn);
    SET(o, c, attributes);
    verdict_set_number(o, "miscselect", c->miscselect);
    SET(o, c, configid);
    verdict_set_number(o, "configsvn", c->configsvn);
    SET(o, c, isvextprodid);
    SET(o, c, isvfamilyid);
    SET(o, c, cpusvn);
}

static void set_tdx(verdict_object *o, const atls_tdx_claims *c)
{
    static const char *const rtmrs[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    SET(o, c, mrtd);
    for (size_t i = 0; i < 4; i++) {
        verdict_set_hex(o, rtmrs[i], c->rtmr[i], sizeof c->rtmr[i]);
    }
    SET(o, c, mrseam);
    SET(o, c, mrsignerseam);
    SET(o, c, mrconfigid);
    SET(o, c, mrowner);
    SET(o, c, mrownerconfig);
    SET(o, c, td_attributes);
    SET(o, c, xfam);
    SET(o, c, seam_attributes);
    SET(o, c, tee_tcb_svn);
    if (c->is_1_5) {
        SET(o, c, tee_tcb_svn2);
        SET(o, c, mrservicetd);
    }
}

/* --- AMD --- */

static void set_components(verdict_object *o, const char *name, const atls_snp_tcb *tcb)
{
    verdict_object member = {.json = json_object()};
    if (tcb->has_fmc) {
        verdict_set_number(&member, "fmc", tcb->fmc);
    }
    verdict_set_number(&member, "bootloader", tcb->bootloader);
    verdict_set_number(&member, "tee", tcb->tee);
    verdict_set_number(&member, "snp", tcb->snp);
    verdict_set_number(&member, "microcode", tcb->microcode);
    verdict_set_object(o, name, &member);
}

static void set_version(verdict_object *o, const char *name, const uint8_t version[3])
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u.%u.%u", version[0], version[1], version[2]);
    verdict_set_text(o, name, text);
}

static void set_snp_platform(verdict_object *o, const atls_snp_claims *c)
{
    verdict_set_text(o, "product", c->product);
    SET(o, c, chip_id);
    verdict_set_text(o, "signing_key", c->is_vlek ? "VLEK" : "VCEK");
    if (c->is_vlek) {
        verdict_set_text(o, "csp_id", c->csp_id);
    }
    if (c->has_cpuid) {
        verdict_set_number(o, "cpu_family", c->family);
        verdict_set_number(o, "cpu_model", c->model);
        verdict_set_number(o, "cpu_stepping", c->stepping);
    }
    verdict_set_number(o, "platform_info", c->platform_info);
    verdict_set_number(o, "signer_info", c->signer_info);
    verdict_set_hex(o, "current_tcb", c->current_tcb.raw, 8);
    verdict_set_hex(o, "reported_tcb", c->reported_tcb.raw, 8);
    verdict_set_hex(o, "committed_tcb", c->committed_tcb.raw, 8);
    verdict_set_hex(o, "launch_tcb", c->launch_tcb.raw, 8);
    set_components(o, "reported_components", &c->reported_tcb);
    set_components(o, "committed_components", &c->committed_tcb);
    set_version(o, "current_version", c->current_version);
    set_version(o, "committed_version", c->committed_version);
    if (c->version >= 5) {
        verdict_set_number(o, "launch_mit_vector", c->launch_mit_vector);
        verdict_set_number(o, "current_mit_vector", c->current_mit_vector);
    }
}

static void set_snp(verdict_object *o, const atls_snp_claims *c)
{
    verdict_set_number(o, "version", c->version);
    SET(o, c, measurement);
    SET(o, c, host_data);
    SET(o, c, id_key_digest);
    SET(o, c, author_key_digest);
    SET(o, c, family_id);
    SET(o, c, image_id);
    SET(o, c, report_id);
    SET(o, c, report_id_ma);
    verdict_set_number(o, "policy", c->policy);
    verdict_set_number(o, "vmpl", c->vmpl);
    verdict_set_number(o, "guest_svn", c->guest_svn);
    set_snp_platform(o, c);
}

/* --- TPM --- */

static void set_index(verdict_object *o, size_t i, const uint8_t *bytes, size_t len)
{
    char name[8];
    (void)snprintf(name, sizeof name, "%zu", i);
    verdict_set_hex(o, name, bytes, len);
}

static void set_banks(verdict_object *o, const atls_tpm_claims *c)
{
    static const struct {
        const char *name;
        size_t len;
    } banks[ATLS_TPM_BANKS] = {{"sha1", 20}, {"sha256", 32}, {"sha384", 48}, {"sha512", 64}};
    verdict_object pcrs = {.json = json_object()};
    for (size_t b = 0; b < ATLS_TPM_BANKS; b++) {
        verdict_object bank = {.json = json_object()};
        for (size_t i = 0; i < ATLS_TPM_PCRS; i++) {
            if ((c->banks[b].selected & 1u << i) != 0) {
                set_index(&bank, i, c->banks[b].value[i], banks[b].len);
            }
        }
        verdict_set_filled(&pcrs, banks[b].name, &bank);
    }
    verdict_set_object(o, "pcrs", &pcrs);
}

static void set_tpm(verdict_object *o, const atls_tpm_claims *c)
{
    static const char *const trust[] = {"none", "vouched", "certificate", "report"};
    static const uint8_t none[8];
    set_banks(o, c);
    verdict_set_hex(o, "qualifying_data", c->qualifying_data, c->qualifying_data_len);
    verdict_set_number(o, "firmware_version", c->firmware_version);
    verdict_set_number(o, "clock", c->clock_ms);
    verdict_set_number(o, "reset_count", c->reset_count);
    verdict_set_number(o, "restart_count", c->restart_count);
    verdict_set(o, "safe", json_boolean(c->safe));
    verdict_set_text(o, "ak_trust", trust[c->ak_trust]);
    verdict_set_hex(o, "ak_sha256", c->ak_spki_sha256, sizeof c->ak_spki_sha256);
    if (c->has_ek) {
        verdict_set_hex(o, "ek_sha256", c->ek_spki_sha256, sizeof c->ek_spki_sha256);
    }
    if (c->vm_id[0] != '\0') {
        verdict_set_text(o, "vm_id", c->vm_id);
    }
    if (memcmp(c->gcp_instance_id, none, sizeof none) != 0) {
        verdict_set_hex(o, "gcp_instance_id", c->gcp_instance_id, sizeof c->gcp_instance_id);
    }
}

/* --- documents --- */

static void set_optional(verdict_object *o, const char *name, bool there, atls_buf bytes)
{
    if (there) {
        verdict_set_hex(o, name, bytes.ptr, bytes.len);
    } else {
        verdict_set(o, name, json_null());
    }
}

static void set_nitro(verdict_object *o, const atls_nitro_claims *c)
{
    verdict_object pcrs = {.json = json_object()};
    verdict_set_text(o, "module_id", c->module_id);
    verdict_set_number(o, "timestamp", c->timestamp_ms);
    for (size_t i = 0; i < 32; i++) {
        if ((c->pcrs & 1u << i) != 0) {
            set_index(&pcrs, i, c->pcr[i], c->pcr_len[i]);
        }
    }
    verdict_set_object(o, "pcrs", &pcrs);
    set_optional(o, "nonce", c->has_nonce, c->nonce);
    set_optional(o, "user_data", c->has_user_data, c->user_data);
    set_optional(o, "public_key", c->has_public_key, c->public_key);
}

static json_t *component(const atls_cca_component *c)
{
    verdict_object o = {.json = json_object()};
    if (c->type != NULL) {
        verdict_set_text(&o, "type", c->type);
    }
    if (c->version != NULL) {
        verdict_set_text(&o, "version", c->version);
    }
    verdict_set_hex(&o, "measurement", c->measurement.ptr, c->measurement.len);
    verdict_set_hex(&o, "signer_id", c->signer_id.ptr, c->signer_id.len);
    if (o.failed) {
        json_decref(o.json);
        return NULL;
    }
    return o.json;
}

static void append(verdict_object *o, json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0) {
        o->failed = true;
    }
}

static void set_rem(verdict_object *o, const atls_cca_claims *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < 4; i++) {
        verdict_object holder = {.json = json_object()};
        verdict_set_hex(&holder, "rem", c->rem[i], c->rem_len[i]);
        append(o, list, json_incref(json_object_get(holder.json, "rem")));
        o->failed = o->failed || holder.failed;
        json_decref(holder.json);
    }
    verdict_set(o, "realm_extensible_measurements", list);
}

static void set_cca(verdict_object *o, const atls_cca_claims *c)
{
    json_t *components = json_array();
    verdict_set_hex(o, "realm_initial_measurement", c->rim, c->rim_len);
    set_rem(o, c);
    verdict_set_hex(o, "realm_personalization", c->personalization, sizeof c->personalization);
    verdict_set_hex(o, "platform_instance_id", c->instance_id, sizeof c->instance_id);
    SET(o, c, implementation_id);
    verdict_set_number(o, "lifecycle", c->lifecycle);
    verdict_set_hex(o, "platform_config", c->config.ptr, c->config.len);
    if (c->platform_profile != NULL) {
        verdict_set_text(o, "platform_profile", c->platform_profile);
    }
    if (c->realm_profile != NULL) {
        verdict_set_text(o, "realm_profile", c->realm_profile);
    }
    if (c->verification_service != NULL) {
        verdict_set_text(o, "verification_service", c->verification_service);
    }
    for (size_t i = 0; i < c->components_n; i++) {
        append(o, components, component(&c->components[i]));
    }
    verdict_set(o, "software_components", components);
}

/* --- event logs --- */

static json_t *event(const atls_event *e)
{
    verdict_object o = {.json = json_object()};
    verdict_set_number(&o, "index", e->index);
    verdict_set_text(&o, "name", e->name);
    verdict_set_hex(&o, "digest", e->digest, e->digest_len);
    if (e->data_matches) {
        verdict_set_hex(&o, "payload", e->data.ptr, e->data.len);
    }
    if (o.failed) {
        json_decref(o.json);
        return NULL;
    }
    return o.json;
}

static json_t *registers(uint32_t bits)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < 32; i++) {
        if ((bits & 1u << i) != 0 && json_array_append_new(list, json_integer(i)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Which registers the log explains, and the events that are found by name. Firmware's are many: `atls inspect` prints
 * them. */
static void set_log(verdict_object *o, const char *name, const atls_event_claims *log)
{
    verdict_object member = {.json = json_object()};
    json_t *events = json_array();
    if (log->replayed == 0 && log->differs == 0) {
        json_decref(events);
        json_decref(member.json);
        return;
    }
    verdict_set(&member, "replayed", registers(log->replayed));
    verdict_set(&member, "differs", registers(log->differs));
    verdict_set_number(&member, "events", log->n);
    for (size_t i = 0; i < log->n; i++) {
        if (log->events[i].is_runtime) {
            append(&member, events, event(&log->events[i]));
        }
    }
    verdict_set(&member, "runtime_events", events);
    verdict_set_object(o, name, &member);
}

/* --- the whole --- */

static void set_hardware(verdict_object *o, const atls_claims *c)
{
    verdict_object member = {.json = json_object()};
    verdict_set_text(&member, "format", atls_tee_name(c->hardware));
    if (c->hardware == ATLS_TEE_SNP) {
        set_snp(&member, &c->as.snp);
    } else if (c->hardware == ATLS_TEE_TDX) {
        set_tdx(&member, &c->as.tdx);
    }
    verdict_set_hex(&member, "report_data", c->report_data, c->report_data_len);
    verdict_set_object(o, "hardware", &member);
}

static void set_family(verdict_object *o, const atls_claims *c)
{
    switch (c->tee) {
    case ATLS_TEE_SGX:
        set_sgx(o, &c->as.sgx);
        break;
    case ATLS_TEE_TDX:
        set_tdx(o, &c->as.tdx);
        break;
    case ATLS_TEE_SNP:
        set_snp(o, &c->as.snp);
        break;
    case ATLS_TEE_AZURE:
    case ATLS_TEE_SNP_TPM:
        set_hardware(o, c);
        set_tpm(o, &c->tpm);
        break;
    case ATLS_TEE_TPM:
        set_tpm(o, &c->tpm);
        break;
    case ATLS_TEE_NITRO:
    case ATLS_TEE_NITROTPM:
        set_nitro(o, &c->as.nitro);
        break;
    case ATLS_TEE_CCA:
        set_cca(o, &c->as.cca);
        verdict_set_hex(o, "challenge", c->report_data, c->report_data_len);
        break;
    default:
        break;
    }
    if (c->tee == ATLS_TEE_SGX || c->tee == ATLS_TEE_TDX || c->tee == ATLS_TEE_SNP ||
        c->tee == ATLS_TEE_DUMMY) {
        verdict_set_hex(o, "report_data", c->report_data, c->report_data_len);
    }
}

/* Of verified evidence only: what nobody signed is no claim. */
void verdict_set_claims(verdict_object *o, const atls_claims *c)
{
    verdict_object member = {.json = json_object()};
    if (c->tee == ATLS_TEE_NONE) {
        json_decref(member.json);
        return;
    }
    if (c->tee == ATLS_TEE_TOKEN) {
        json_decref(member.json);
        verdict_set(o, "claims", json_deep_copy(c->as.token.all));
        return;
    }
    set_family(&member, c);
    verdict_set_object(o, "claims", &member);
    set_log(o, "event_log", &c->log);
    set_log(o, "ima_log", &c->ima);
}
