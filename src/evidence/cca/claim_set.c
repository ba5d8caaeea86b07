#include "evidence/cca/claim_set.h"

#include <string.h>

#include "base/err.h"
#include "codec/cbor_members.h"

#define COUNT(a)      (sizeof(a) / sizeof *(a))
#define TAG_CCA       399
#define RAK_POINT_LEN 97  /* 4, x, y on P-384 */
#define RAK_MAX_LEN   256 /* a COSE_Key of P-384 has 107 */
#define ANY           UINT64_MAX

static const char profile_platform_legacy[] = "http://arm.com/CCA-SSD/1.0.0";
static const char profile_platform[] = "tag:arm.com,2023:cca_platform#1.0.0";
static const char profile_realm[] = "tag:arm.com,2023:realm#1.0.0";

/* --- what claims are made of --- */

static bool is_hash_len(size_t len)
{
    return len == 32 || len == 48 || len == 64;
}

/* Text is shown to people and compared: no control characters, and no NUL that would cut it short. */
static bool is_printable(atls_buf text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static atls_code hash_named(const atls_cbor_found *found, const char *check, atls_hash *out,
                            atls_err *err)
{
    static const struct {
        const char *name;
        atls_hash hash;
    } names[] = {{"sha-256", ATLS_SHA256}, {"sha-384", ATLS_SHA384}, {"sha-512", ATLS_SHA512}};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (atls_cbor_is_text(&found->item, names[i].name)) {
            *out = names[i].hash;
            return ATLS_OK;
        }
    }
    return ATLS_ERR(err, ATLS_E_INVALID, check,
                    "a hash algorithm that is none of sha-256, sha-384 and sha-512");
}

static atls_code want_hash_len(atls_buf value, const char *name, const char *check, atls_err *err)
{
    return is_hash_len(value.len)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, check,
                          "%s of %zu bytes, where 32, 48 or 64 are wanted", name, value.len);
}

static atls_code want_printable(const atls_cbor_found *found, const char *check, atls_err *err)
{
    return is_printable(found->item.bytes)
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_INVALID, check, "text with control characters");
}

/* --- the platform --- */

enum {
    P_CHALLENGE,
    P_PROFILE,
    P_IMPLEMENTATION,
    P_INSTANCE,
    P_CONFIG,
    P_LIFECYCLE,
    P_COMPONENTS,
    P_SERVICE,
    P_HASH,
    P_CLAIMS
};

static const atls_cbor_member platform_claims[P_CLAIMS] = {
    [P_CHALLENGE] = {"challenge", true, 10, ATLS_CBOR_BYTES, true, false, 32, 64,
                     "cca.platform.challenge"},
    [P_PROFILE] = {"profile", true, 265, ATLS_CBOR_TEXT, true, false, 0, ANY,
                   "cca.platform.profile"},
    [P_IMPLEMENTATION] = {"implementation id", true, 2396, ATLS_CBOR_BYTES, true, false, 32, 32,
                          "cca.platform.implementation_id"},
    [P_INSTANCE] = {"instance id", true, 256, ATLS_CBOR_BYTES, true, false, 33, 33,
                    "cca.platform.instance_id"},
    [P_CONFIG] = {"config", true, 2401, ATLS_CBOR_BYTES, true, false, 0, ANY,
                  "cca.platform.config"},
    [P_LIFECYCLE] = {"lifecycle", true, 2395, ATLS_CBOR_UINT, true, false, 0,
                     ATLS_CCA_LIFECYCLE_MAX, "cca.platform.lifecycle"},
    [P_COMPONENTS] = {"software components", true, 2399, ATLS_CBOR_ARRAY, true, false, 1,
                      ATLS_CCA_COMPONENTS_MAX, "cca.platform.components"},
    [P_SERVICE] = {"verification service", true, 2400, ATLS_CBOR_TEXT, false, false, 0,
                   ATLS_CCA_TEXT_MAX, "cca.platform.verification_service"},
    [P_HASH] = {"hash algorithm", true, 2402, ATLS_CBOR_TEXT, true, false, 0, 16,
                "cca.platform.hash_algorithm"},
};

enum { C_TYPE, C_MEASUREMENT, C_VERSION, C_SIGNER, C_HASH, C_MEMBERS };

static const atls_cbor_member component_members[C_MEMBERS] = {
    [C_TYPE] = {"component type", true, 1, ATLS_CBOR_TEXT, false, false, 0, ATLS_CCA_TEXT_MAX,
                "cca.platform.components"},
    [C_MEASUREMENT] = {"component measurement", true, 2, ATLS_CBOR_BYTES, true, false, 1, 64,
                       "cca.platform.components"},
    [C_VERSION] = {"component version", true, 4, ATLS_CBOR_TEXT, false, false, 0, ATLS_CCA_TEXT_MAX,
                   "cca.platform.components"},
    [C_SIGNER] = {"component signer id", true, 5, ATLS_CBOR_BYTES, true, false, 1, 64,
                  "cca.platform.components"},
    [C_HASH] = {"component hash algorithm", true, 6, ATLS_CBOR_TEXT, false, false, 0,
                ATLS_CCA_TEXT_MAX, "cca.platform.components"},
};

static atls_code read_components(atls_buf encoded, atls_cca_platform *out, atls_err *err)
{
    static const char check[] = "cca.platform.components";
    atls_reader r = atls_reader_of(encoded);
    atls_cbor_item array;
    if (!atls_cbor_any(&r, &array)) {
        return ATLS_ERR(err, ATLS_E_INVALID, check, "the components end too early");
    }
    for (size_t i = 0; i < array.value && i < ATLS_CCA_COMPONENTS_MAX; i++) {
        atls_cbor_found found[C_MEMBERS];
        size_t unknown = 0;
        ATLS_TRY(atls_cbor_members(&r, component_members, C_MEMBERS, check, found, &unknown, err));
        ATLS_TRY(want_printable(&found[C_TYPE], check, err));
        ATLS_TRY(want_printable(&found[C_VERSION], check, err));
        ATLS_TRY(want_printable(&found[C_HASH], check, err));
        out->components[out->components_n++] = (atls_cca_platform_component){
            .type = found[C_TYPE].item.bytes,
            .version = found[C_VERSION].item.bytes,
            .hash_alg = found[C_HASH].item.bytes,
            .measurement = found[C_MEASUREMENT].item.bytes,
            .signer_id = found[C_SIGNER].item.bytes,
        };
    }
    return ATLS_OK;
}

static atls_code check_platform(const atls_cbor_found *found, atls_err *err)
{
    atls_hash hash;
    if (!atls_cbor_is_text(&found[P_PROFILE].item, profile_platform) &&
        !atls_cbor_is_text(&found[P_PROFILE].item, profile_platform_legacy)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cca.platform.profile",
                        "a platform profile that is not known");
    }
    ATLS_TRY(
        want_hash_len(found[P_CHALLENGE].item.bytes, "challenge", "cca.platform.challenge", err));
    if (found[P_INSTANCE].item.bytes.ptr[0] != 0x01) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cca.platform.instance_id",
                        "an instance id that begins with %02x, where 01 is wanted",
                        found[P_INSTANCE].item.bytes.ptr[0]);
    }
    ATLS_TRY(want_printable(&found[P_SERVICE], "cca.platform.verification_service", err));
    return hash_named(&found[P_HASH], "cca.platform.hash_algorithm", &hash, err);
}

atls_code atls_cca_platform_parse(atls_buf bytes, atls_cca_platform *out, atls_err *err)
{
    atls_cbor_found found[P_CLAIMS];
    size_t unknown = 0;
    ATLS_TRY(atls_cbor_document_check(bytes, "cca.platform.claims", err));
    atls_reader r = atls_reader_of(bytes);
    ATLS_TRY(atls_cbor_members(&r, platform_claims, P_CLAIMS, "cca.platform.claims", found,
                               &unknown, err));
    ATLS_TRY(check_platform(found, err));
    atls_cca_platform p = {
        .profile = found[P_PROFILE].item.bytes,
        .challenge = found[P_CHALLENGE].item.bytes,
        .implementation_id = found[P_IMPLEMENTATION].item.bytes,
        .instance_id = found[P_INSTANCE].item.bytes,
        .config = found[P_CONFIG].item.bytes,
        .lifecycle = (uint32_t)found[P_LIFECYCLE].item.value,
        .verification_service = found[P_SERVICE].item.bytes,
    };
    ATLS_TRY(read_components(found[P_COMPONENTS].encoded, &p, err));
    *out = p;
    return ATLS_OK;
}

/* --- the realm --- */

enum {
    R_CHALLENGE,
    R_PROFILE,
    R_PERSONALIZATION,
    R_RIM,
    R_REM,
    R_HASH,
    R_RAK,
    R_RAK_HASH,
    R_CLAIMS
};

static const atls_cbor_member realm_claims[R_CLAIMS] = {
    [R_CHALLENGE] = {"challenge", true, 10, ATLS_CBOR_BYTES, true, false, ATLS_CCA_CHALLENGE_LEN,
                     ATLS_CCA_CHALLENGE_LEN, "cca.realm.challenge"},
    [R_PROFILE] = {"profile", true, 265, ATLS_CBOR_TEXT, false, false, 0, ANY, "cca.realm.profile"},
    [R_PERSONALIZATION] = {"personalization value", true, 44235, ATLS_CBOR_BYTES, true, false, 64,
                           64, "cca.realm.personalization"},
    [R_RIM] = {"initial measurement", true, 44238, ATLS_CBOR_BYTES, true, false, 32, 64,
               "cca.realm.rim"},
    [R_REM] = {"extensible measurements", true, 44239, ATLS_CBOR_ARRAY, true, false, 4, 4,
               "cca.realm.rem"},
    [R_HASH] = {"hash algorithm", true, 44236, ATLS_CBOR_TEXT, true, false, 0, 16,
                "cca.realm.hash_algorithm"},
    [R_RAK] = {"RAK", true, 44237, ATLS_CBOR_BYTES, true, false, 1, RAK_MAX_LEN, "cca.realm.rak"},
    [R_RAK_HASH] = {"RAK hash algorithm", true, 44240, ATLS_CBOR_TEXT, true, false, 0, 16,
                    "cca.realm.rak_hash_algorithm"},
};

static atls_code read_rem(atls_buf encoded, atls_buf rem[4], atls_err *err)
{
    atls_reader r = atls_reader_of(encoded);
    atls_cbor_item array;
    bool ok = atls_cbor_any(&r, &array);
    for (size_t i = 0; ok && i < 4; i++) {
        atls_cbor_item item;
        ok =
            atls_cbor_any(&r, &item) && item.kind == ATLS_CBOR_BYTES && is_hash_len(item.bytes.len);
        rem[i] = item.bytes;
    }
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_INVALID, "cca.realm.rem",
                         "an extensible measurement that is not 32, 48 or 64 bytes");
}

atls_code atls_cca_realm_parse(atls_buf bytes, atls_cca_realm *out, atls_err *err)
{
    atls_cbor_found found[R_CLAIMS];
    atls_cca_realm realm = {0};
    atls_hash hash;
    size_t unknown = 0;
    ATLS_TRY(atls_cbor_document_check(bytes, "cca.realm.claims", err));
    atls_reader r = atls_reader_of(bytes);
    ATLS_TRY(
        atls_cbor_members(&r, realm_claims, R_CLAIMS, "cca.realm.claims", found, &unknown, err));
    if (found[R_PROFILE].present && !atls_cbor_is_text(&found[R_PROFILE].item, profile_realm)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cca.realm.profile",
                        "a realm profile that is not known");
    }
    ATLS_TRY(want_hash_len(found[R_RIM].item.bytes, "initial measurement", "cca.realm.rim", err));
    ATLS_TRY(hash_named(&found[R_HASH], "cca.realm.hash_algorithm", &hash, err));
    ATLS_TRY(hash_named(&found[R_RAK_HASH], "cca.realm.rak_hash_algorithm", &realm.rak_hash, err));
    ATLS_TRY(read_rem(found[R_REM].encoded, realm.rem, err));
    realm.profile = found[R_PROFILE].item.bytes;
    realm.challenge = found[R_CHALLENGE].item.bytes;
    realm.personalization = found[R_PERSONALIZATION].item.bytes;
    realm.rim = found[R_RIM].item.bytes;
    realm.rak = found[R_RAK].item.bytes;
    *out = realm;
    return ATLS_OK;
}

atls_code atls_cca_realm_key(const atls_cca_realm *realm, atls_public_key **out, atls_err *err)
{
    static const char check[] = "cca.realm.rak";
    atls_public_key *key = NULL;
    atls_code rc;
    if (realm->profile.len > 0) {
        rc = atls_cose_key_parse(realm->rak, check, &key, NULL);
    } else if (realm->rak.len == RAK_POINT_LEN && realm->rak.ptr[0] == 0x04) {
        rc = atls_public_key_ec(ATLS_KEY_P384, (atls_buf){realm->rak.ptr + 1, 48},
                                (atls_buf){realm->rak.ptr + 49, 48}, &key, NULL);
    } else {
        rc = ATLS_E_INVALID;
    }
    if (rc == ATLS_OK && atls_public_key_kind(key) != ATLS_KEY_P384) {
        atls_public_key_free(key);
        rc = ATLS_E_INVALID;
    }
    if (rc == ATLS_E_INVALID) {
        return ATLS_ERR(err, rc, check, "%zu bytes that are no key on P-384 %s", realm->rak.len,
                        realm->profile.len > 0 ? "as a COSE_Key" : "as a point");
    }
    if (rc != ATLS_OK) {
        return ATLS_ERR_NOMEM(err);
    }
    *out = key;
    return ATLS_OK;
}

/* --- the wrapper --- */

atls_code atls_cca_token_parse(atls_buf bytes, atls_buf *platform, atls_buf *realm, atls_err *err)
{
    static const atls_cbor_member tokens[2] = {
        {"platform token", true, 44234, ATLS_CBOR_BYTES, true, false, 1, ANY,
         "cca.platform.missing"},
        {"realm token", true, 44241, ATLS_CBOR_BYTES, true, false, 1, ANY, "cca.realm.missing"},
    };
    atls_cbor_found found[2];
    atls_cbor_item tag;
    size_t unknown = 0;
    ATLS_TRY(atls_cbor_document_check(bytes, "cca.cbor", err));
    atls_reader r = atls_reader_of(bytes);
    if (!atls_cbor_any(&r, &tag) || tag.kind != ATLS_CBOR_TAG || tag.value != TAG_CCA) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cca.tag", "no tag 399 of a CCA token in front");
    }
    ATLS_TRY(atls_cbor_members(&r, tokens, 2, "cca.cbor", found, &unknown, err));
    if (unknown > 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cca.unknown",
                        "%zu members beside platform and realm token", unknown);
    }
    *platform = found[0].item.bytes;
    *realm = found[1].item.bytes;
    return ATLS_OK;
}
