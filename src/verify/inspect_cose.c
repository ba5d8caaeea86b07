/* inspect_cose.c: documents of AWS Nitro and tokens of Arm CCA, every field with its name. */
#include "verify/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "codec/cose.h"
#include "evidence/cca/claim_set.h"
#include "evidence/format.h"
#include "evidence/nitro/document.h"

#define ANY_ALG                                                                                    \
    (ATLS_COSE_ALLOW(ATLS_COSE_ES256) | ATLS_COSE_ALLOW(ATLS_COSE_ES384) |                         \
     ATLS_COSE_ALLOW(ATLS_COSE_ES512))

/* Text of the evidence: the parsers have seen that it holds no NUL and no control characters. */
static void put_text(json_t *to, const char *name, atls_buf text)
{
    (void)json_object_set_new(to, name, json_stringn((const char *)text.ptr, text.len));
}

static void put_cose(json_t *to, const atls_cose_sign1 *cose)
{
    atls_inspect_text(to, "algorithm", atls_cose_alg_name(cose->alg));
    atls_inspect_bool(to, "tag_18", cose->tagged);
    atls_inspect_hex(to, "signature", cose->signature);
}

/* --- Nitro --- */

static bool is_zero(atls_buf bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

/* What AWS measures into them; the rest is the owner's. */
static const char *pcr_name(size_t index)
{
    static const char *const names[] = {"0: enclave image",
                                        "1: kernel and boot ramdisk",
                                        "2: application",
                                        "3: IAM role of the parent",
                                        "4: instance id",
                                        NULL,
                                        NULL,
                                        NULL,
                                        "8: signing certificate"};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static void put_pcrs(json_t *to, const atls_nitro_document *d)
{
    json_t *pcrs = atls_inspect_object(to, d->is_tpm ? "nitrotpm_pcrs" : "pcrs");
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        const char *known = d->is_tpm ? NULL : pcr_name(i);
        const atls_buf value = {d->pcr[i], ATLS_NITRO_PCR_LEN};
        char number[8];
        (void)snprintf(number, sizeof number, "%zu", i);
        if (value.ptr == NULL) {
            continue;
        }
        if (is_zero(value)) {
            atls_inspect_text(pcrs, known != NULL ? known : number, "zero");
        } else {
            atls_inspect_hex(pcrs, known != NULL ? known : number, value);
        }
    }
    if (!d->is_tpm) {
        atls_inspect_bool(to, "debug_mode", is_zero((atls_buf){d->pcr[0], ATLS_NITRO_PCR_LEN}));
    }
}

static void put_optional(json_t *to, const char *name, bool has, atls_buf value)
{
    if (has) {
        atls_inspect_hex(to, name, value);
    } else {
        atls_inspect_text(to, name, "not set");
    }
}

static void put_chain(json_t *to, const atls_nitro_document *d)
{
    json_t *list = atls_inspect_list(to, "cabundle");
    atls_err err = {0};
    for (size_t i = 0; i < d->bundle_n; i++) {
        json_t *item = atls_inspect_item(list);
        if (atls_inspect_certificates(item, "certificate", d->bundle[i], &err) != ATLS_OK) {
            atls_inspect_error(item, &err);
        }
    }
    if (atls_inspect_certificates(to, "certificate", d->certificate, &err) != ATLS_OK) {
        atls_inspect_error(to, &err);
    }
}

static atls_code inspect_nitro(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_cose_sign1 cose;
    atls_nitro_document d;
    ATLS_TRY(atls_cose_sign1_parse(bytes, ANY_ALG, &cose, err));
    ATLS_TRY(atls_nitro_document_parse(cose.payload, &d, err));
    atls_inspect_text(to, "document", d.is_tpm ? "AWS NitroTPM" : "AWS Nitro Enclaves");
    put_text(to, "module_id", d.module_id);
    atls_inspect_time(to, "timestamp", (int64_t)(d.timestamp_ms / 1000));
    atls_inspect_number(to, "timestamp_ms", d.timestamp_ms);
    put_pcrs(to, &d);
    put_optional(to, "nonce", d.has_nonce, d.nonce);
    put_optional(to, "user_data", d.has_user_data, d.user_data);
    put_optional(to, "public_key", d.has_public_key, d.public_key);
    put_cose(to, &cose);
    put_chain(to, &d);
    return ATLS_OK;
}

/* --- CCA --- */

/* Arm's security life cycle, by its first byte. */
static const char *lifecycle_name(uint32_t lifecycle)
{
    static const char *const names[] = {
        "unknown",       "assembly and test",      "platform RoT provisioning",
        "secured",       "non-platform RoT debug", "recoverable platform RoT debug",
        "decommissioned"};
    return lifecycle / 0x1000 < sizeof names / sizeof *names && lifecycle % 0x1000 < 0x100
               ? names[lifecycle / 0x1000]
               : "not defined";
}

static void put_components(json_t *to, const atls_cca_platform *p)
{
    json_t *list = atls_inspect_list(to, "software_components");
    for (size_t i = 0; i < p->components_n; i++) {
        json_t *item = atls_inspect_item(list);
        put_text(item, "type", p->components[i].type);
        put_text(item, "version", p->components[i].version);
        atls_inspect_hex(item, "measurement", p->components[i].measurement);
        atls_inspect_hex(item, "signer_id", p->components[i].signer_id);
        put_text(item, "hash_algorithm", p->components[i].hash_alg);
    }
}

static atls_code put_platform(json_t *to, atls_buf token, atls_err *err)
{
    atls_cose_sign1 cose;
    atls_cca_platform p;
    ATLS_TRY(atls_cose_sign1_parse(token, ANY_ALG, &cose, err));
    ATLS_TRY(atls_cca_platform_parse(cose.payload, &p, err));
    put_text(to, "profile", p.profile);
    atls_inspect_hex(to, "instance_id", p.instance_id);
    atls_inspect_hex(to, "implementation_id", p.implementation_id);
    atls_inspect_hex(to, "challenge", p.challenge);
    atls_inspect_hex(to, "config", p.config);
    atls_inspect_number(to, "lifecycle", p.lifecycle);
    atls_inspect_text(to, "lifecycle_state", lifecycle_name(p.lifecycle));
    put_text(to, "verification_service", p.verification_service);
    put_components(to, &p);
    put_cose(to, &cose);
    return ATLS_OK;
}

static atls_code put_realm(json_t *to, atls_buf token, atls_err *err)
{
    static const char *const hashes[] = {
        [ATLS_SHA256] = "sha-256", [ATLS_SHA384] = "sha-384", [ATLS_SHA512] = "sha-512"};
    static const char *const rems[4] = {"0", "1", "2", "3"};
    atls_cose_sign1 cose;
    atls_cca_realm r;
    ATLS_TRY(atls_cose_sign1_parse(token, ANY_ALG, &cose, err));
    ATLS_TRY(atls_cca_realm_parse(cose.payload, &r, err));
    if (r.profile.len > 0) {
        put_text(to, "profile", r.profile);
    } else {
        atls_inspect_text(to, "profile", "none: the legacy form");
    }
    atls_inspect_hex(to, "challenge", r.challenge);
    atls_inspect_hex(to, "personalization", r.personalization);
    atls_inspect_hex(to, "initial_measurement", r.rim);
    json_t *rem = atls_inspect_object(to, "extensible_measurements");
    for (size_t i = 0; i < 4; i++) {
        atls_inspect_hex(rem, rems[i], r.rem[i]);
    }
    atls_inspect_hex(to, "rak", r.rak);
    atls_inspect_text(to, "rak_hash_algorithm", hashes[r.rak_hash]);
    put_cose(to, &cose);
    return ATLS_OK;
}

static atls_code inspect_cca(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_buf platform;
    atls_buf realm;
    atls_err inner = {0};
    ATLS_TRY(atls_cca_token_parse(bytes, &platform, &realm, err));
    atls_inspect_text(to, "document", "Arm CCA token");
    json_t *part = atls_inspect_object(to, "platform");
    if (put_platform(part, platform, &inner) != ATLS_OK) {
        atls_inspect_error(part, &inner);
    }
    part = atls_inspect_object(to, "realm");
    if (put_realm(part, realm, &inner) != ATLS_OK) {
        atls_inspect_error(part, &inner);
    }
    return ATLS_OK;
}

bool atls_inspect_is_cose(atls_buf bytes)
{
    return atls_format_nitro.recognise(bytes) || atls_format_cca.recognise(bytes);
}

atls_code atls_inspect_cose(json_t *to, atls_buf bytes, atls_err *err)
{
    return atls_format_cca.recognise(bytes) ? inspect_cca(to, bytes, err)
                                            : inspect_nitro(to, bytes, err);
}
