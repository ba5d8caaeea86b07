#include "policy/registers.h"

#include <string.h>

const atls_register *atls_register_by_key(atls_tee tee, const char *group, const char *key)
{
    size_t n;
    const atls_register *table = atls_registers(tee, &n);
    for (size_t i = 0; i < n; i++) {
        bool same_group = group == NULL
                              ? table[i].group == NULL
                              : table[i].group != NULL && strcmp(table[i].group, group) == 0;
        if (same_group && strcmp(table[i].key, key) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const char *atls_register_owner_key(const atls_register *reg)
{
    if (reg->owner_id == NULL) {
        return NULL;
    }
    return reg->owner_key != NULL ? reg->owner_key : reg->key;
}

bool atls_register_is_number(const atls_register *reg)
{
    return reg->kind >= ATLS_REGISTER_EQUAL && reg->kind <= ATLS_REGISTER_TRUE;
}

static const uint8_t *field(const atls_register *reg, const atls_claims *claims)
{
    return (const uint8_t *)claims + reg->offset;
}

static bool is_there(const atls_register *reg, const atls_claims *claims)
{
    switch (reg->place) {
    case ATLS_PLACE_TD_1_5:
        return claims->as.tdx.is_1_5;
    case ATLS_PLACE_SNP_V5:
        return claims->as.snp.version >= 5;
    case ATLS_PLACE_PCR:
        return (claims->tpm.banks[reg->bank].selected >> reg->index & 1u) != 0;
    case ATLS_PLACE_DOCUMENT:
        return (claims->as.nitro.pcrs >> reg->index & 1u) != 0;
    default:
        return true;
    }
}

atls_buf atls_register_bytes(const atls_register *reg, const atls_claims *claims)
{
    if (!is_there(reg, claims)) {
        return (atls_buf){NULL, 0};
    }
    switch (reg->place) {
    case ATLS_PLACE_PCR:
        return (atls_buf){claims->tpm.banks[reg->bank].value[reg->index], reg->size};
    case ATLS_PLACE_DOCUMENT:
        return (atls_buf){claims->as.nitro.pcr[reg->index], claims->as.nitro.pcr_len[reg->index]};
    case ATLS_PLACE_RIM:
        return (atls_buf){claims->as.cca.rim, claims->as.cca.rim_len};
    case ATLS_PLACE_REM:
        return (atls_buf){claims->as.cca.rem[reg->index], claims->as.cca.rem_len[reg->index]};
    default:
        return (atls_buf){field(reg, claims), reg->size};
    }
}

bool atls_register_number(const atls_register *reg, const atls_claims *claims, uint64_t *out)
{
    const uint8_t *at = field(reg, claims);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    if (!is_there(reg, claims)) {
        return false;
    }
    switch (reg->size) {
    case sizeof u8:
        memcpy(&u8, at, sizeof u8);
        *out = u8;
        return true;
    case sizeof u16:
        memcpy(&u16, at, sizeof u16);
        *out = u16;
        return true;
    case sizeof u32:
        memcpy(&u32, at, sizeof u32);
        *out = u32;
        return true;
    default:
        memcpy(out, at, sizeof *out);
        return true;
    }
}

const char *atls_token_kind_name(size_t kind)
{
    static const char *const names[] = {"plain", "ear", "maa", "ita", "confidential-space"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}

const char *atls_ak_trust_name(size_t trust)
{
    static const char *const names[] = {"none", "vouched", "certificate", "report"};
    return trust < sizeof names / sizeof names[0] ? names[trust] : NULL;
}

static const char *text_at(const atls_register *reg, const atls_claims *claims)
{
    const char *text;
    switch (reg->place) {
    case ATLS_PLACE_ARRAY:
        text = (const char *)field(reg, claims);
        return text[0] != '\0' ? text : NULL;
    case ATLS_PLACE_POINTER:
        memcpy(&text, field(reg, claims), sizeof text);
        return text != NULL && text[0] != '\0' ? text : NULL;
    case ATLS_PLACE_AK_TRUST:
        return atls_ak_trust_name((size_t)claims->tpm.ak_trust);
    case ATLS_PLACE_TOKEN_KIND:
        return atls_token_kind_name((size_t)claims->as.token.kind);
    case ATLS_PLACE_ATTESTED:
        return claims->as.token.attested_tee != ATLS_TEE_NONE
                   ? atls_tee_name(claims->as.token.attested_tee)
                   : NULL;
    default:
        return NULL;
    }
}

const char *atls_register_text(const atls_register *reg, const atls_claims *claims, size_t i)
{
    if (reg->place == ATLS_PLACE_AUDIENCES) {
        const atls_token_claims *token = &claims->as.token;
        return i < token->audiences_n ? token->audiences[i] : NULL;
    }
    return i == 0 ? text_at(reg, claims) : NULL;
}
